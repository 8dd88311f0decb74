/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading numbers and lists from the command line.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/common/option-value.h"

/* The number that text begins with; true, and where it ends. */
static bool
leading_number (const char *text, int base, unsigned max, unsigned *ret, const char **end)
{
	unsigned long n;
	char *after;

	if (!isdigit ((unsigned char) text[0]))	/* strtoul takes signs and spaces */
		return false;
	errno = 0;
	n = strtoul (text, &after, base);
	if (errno || n > max)
		return false;
	*ret = n;
	*end = after;
	return true;
}

bool
value_number (const char *text, int base, unsigned min, unsigned max, unsigned *ret)
{
	const char *end;
	unsigned n;

	if (!leading_number (text, base, max, &n, &end) || *end || n < min)
		return false;
	*ret = n;
	return true;
}

bool
value_is_power_of_two (unsigned n)
{
	return n && !(n & (n - 1));
}

bool
value_numbers (const char *text, unsigned max, unsigned **ret, unsigned *n)
{
	unsigned *numbers = calloc (strlen (text) / 2 + 1, sizeof (*numbers));	/* a digit and a separator each */
	unsigned count = 0;

	for (const char *end = text; numbers; text = end + 1) {
		if (!leading_number (text, 10, max, &numbers[count++], &end) || (*end && *end != ',' && *end != ':'))
			break;
		if (!*end) {
			*ret = numbers;
			*n = count;
			return true;
		}
	}
	free (numbers);
	return false;
}

bool
value_split (char *text, char separator, bool escapes, bool (*each) (void *opaque, char *piece), void *opaque)
{
	char *piece = text, *to = text;

	for (char *from = text; *from; from++) {
		if (*from != separator) {
			*to++ = *from;
		} else if (escapes && from[1] == separator) {
			*to++ = *from++;
		} else {
			*to = '\0';
			if (!each (opaque, piece))
				return false;
			piece = to = from + 1;
		}
	}
	*to = '\0';
	return each (opaque, piece);
}

bool
value_is_cpu_list (const char *text)
{
	const unsigned largest = 1u << 16;
	unsigned first, last;

	for (;; text++) {
		if (!leading_number (text, 10, largest, &first, &text))
			return false;
		last = first;
		if (*text == '-' && !leading_number (text + 1, 10, largest, &last, &text))
			return false;
		if (last < first || (*text && *text != ','))
			return false;
		if (!*text)
			return true;
	}
}
