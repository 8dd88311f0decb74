/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A connection whose answers are compared with bytes; see backend-hex.h.
 */
#include "backend-hex.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CUnit/CUnit.h>

struct vh_backend *backend;
int far_end;
int result;
unsigned hex_fds;

/* --- the connection --- */

void
hex_open (const struct vh_device *device, const struct vh_backend_options *options)
{
	int pair[2];

	CU_ASSERT_EQUAL_FATAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	far_end = pair[0];
	CU_ASSERT_EQUAL_FATAL (vh_backend_new (device, pair[1], options, &backend), 0);
	result = 1;
}

void
hex_close (void)
{
	vh_backend_free (backend);
	close (far_end);
}

void
hex_run (void)
{
	struct pollfd p = { .fd = vh_backend_fd (backend), .events = POLLIN };

	while (result == 1 && poll (&p, 1, 0) > 0)
		result = vh_backend_dispatch (backend, 0);
}

/* --- bytes against a pattern --- */

static const char *
skip_blanks (const char *p)
{
	while (*p == ' ')
		p++;
	return p;
}

static bool
matches (const uint8_t *data, size_t n, const char *pattern)
{
	char digits[3];

	for (size_t i = 0; i < n; i++) {
		pattern = skip_blanks (pattern);
		if (!pattern[0])
			return false;
		snprintf (digits, sizeof (digits), "%02x", data[i]);
		if (strncmp (pattern, "??", 2) != 0 && strncmp (pattern, digits, 2) != 0)
			return false;
		pattern += 2;
	}
	return *skip_blanks (pattern) == '\0';
}

static void
show (const uint8_t *data, size_t n, const char *pattern)
{
	printf ("\n      expected %s\n           got ", pattern);
	for (size_t i = 0; i < n; i++)
		printf ("%02x%s", data[i], i % 4 == 3 ? " " : "");
	printf ("(%zu)\n", n);
}

bool
hex_matches (const uint8_t *data, size_t n, const char *pattern)
{
	bool same = matches (data, n, pattern);

	if (!same)
		show (data, n, pattern);
	return same;
}

bool
hex_expect (int socket, const char *pattern)
{
	uint8_t data[8192];
	int fds[BYTES_MAX_FDS];
	ssize_t n;

	hex_fds = 0;
	n = bytes_receive (socket, data, sizeof (data), fds, &hex_fds);
	for (unsigned i = 0; i < hex_fds; i++)
		close (fds[i]);
	return hex_matches (data, n < 0 ? 0 : (size_t) n, pattern);
}

bool
exchange (const struct bytes *request, int fd, const char *reply)
{
	bytes_send (far_end, request->data, request->n, &fd, fd >= 0);
	hex_run ();
	return hex_expect (far_end, reply);
}

bool
exchange_hex (const char *request, int fd, const char *reply)
{
	static struct bytes b;

	b.n = 0;
	bytes_hex (&b, request);
	return exchange (&b, fd, reply);
}
