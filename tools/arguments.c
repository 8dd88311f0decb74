/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values on a command line.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"

int
usage_error (const char *program, const char *format, ...)
{
	va_list args;

	fprintf (stderr, "%s: ", program);
	va_start (args, format);
	vfprintf (stderr, format, args);
	va_end (args);
	fprintf (stderr, " (see %s --help)\n", program);
	return 2;
}

/* How far a suffix shifts; -1: there is no such suffix. */
static int
suffix_shift (const char *suffix)
{
	static const char letters[] = "KMGT";
	const char *letter;

	if (*suffix == '\0')
		return 0;
	letter = strchr (letters, toupper ((unsigned char) *suffix));
	return letter && suffix[1] == '\0' ? 10 * (letter - letters + 1) : -1;
}

bool
parse_number (const char *text, bool suffix, uint64_t min, uint64_t max, uint64_t *ret)
{
	unsigned long long n;
	char *end;
	int shift;

	if (!isdigit ((unsigned char) *text))
		return false;
	errno = 0;
	n = strtoull (text, &end, 10);
	shift = suffix_shift (end);
	if (errno || shift < 0 || (shift > 0 && !suffix) || n > UINT64_MAX >> shift)
		return false;
	*ret = (uint64_t) n << shift;
	return *ret >= min && *ret <= max;
}

int
parse_choice (const char *text, const char *const *choices)
{
	for (int i = 0; choices[i]; i++)
		if (strcmp (text, choices[i]) == 0)
			return i;
	return -1;
}
