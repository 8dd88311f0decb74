/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The line of a program that connects; see hello.h.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "devices/vsock/hello.h"

static bool
is_space (char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static const char *
skip_spaces (const char *at, const char *end)
{
	while (at < end && is_space (*at))
		at++;
	return at;
}

/* Digits, and only as many as 32 bits have; where they end, or NULL. */
static const char *
read_port (const char *at, const char *end, uint32_t *port)
{
	const char *first = at;
	uint64_t number = 0;

	for (; at < end && *at >= '0' && *at <= '9'; at++) {
		number = number * 10 + (*at - '0');
		if (number > UINT32_MAX)
			return NULL;
	}
	*port = number;
	return at > first ? at : NULL;
}

int
hello_parse (const char *text, size_t n, uint32_t *port)
{
	static const char word[] = "connect";
	const char *line_end = memchr (text, '\n', n);
	const char *at = text;

	if (!line_end)
		return 0;
	for (unsigned i = 0; word[i]; i++, at++)
		if (at == line_end || (*at | 0x20) != word[i])	/* in letters of either case */
			return -EPROTO;
	if (!is_space (*at))
		return -EPROTO;
	at = read_port (skip_spaces (at, line_end), line_end, port);
	if (!at || skip_spaces (at, line_end) != line_end)
		return -EPROTO;
	return line_end + 1 - text;
}
