/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One end of a vhost-user-gpu socket that is bytes.
 */
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/wire/gpu-rig.h"

int far_end;

int
open_pair (void)
{
	int pair[2];

	CU_ASSERT_EQUAL_FATAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	far_end = pair[0];
	return pair[1];
}

bool
expect (const char *hex, unsigned fds)
{
	static struct bytes wanted;
	static uint8_t got[BYTES_MAX];
	int received[BYTES_MAX_FDS];
	unsigned n_fds = 0;
	ssize_t n = bytes_receive (far_end, got, sizeof (got), received, &n_fds);

	wanted.n = 0;
	bytes_hex (&wanted, hex);
	for (unsigned i = 0; i < n_fds; i++)
		close (received[i]);
	if (n < 0)
		n = 0;
	if ((size_t) n == wanted.n && memcmp (got, wanted.data, wanted.n) == 0 && n_fds == fds)
		return true;
	printf ("\n      expected %s with %u fds, got %zd bytes with %u:", hex, fds, n, n_fds);
	for (ssize_t i = 0; i < n && i < 64; i++)
		printf (" %02x", got[i]);
	printf ("\n");
	return false;
}

void
send_hex (const char *hex, unsigned n_fds)
{
	static struct bytes b;
	int fds[2] = { eventfd (0, EFD_CLOEXEC), eventfd (0, EFD_CLOEXEC) };

	b.n = 0;
	bytes_hex (&b, hex);
	bytes_send (far_end, b.data, b.n, fds, n_fds);
	close (fds[0]);
	close (fds[1]);
}

const char *
hex_display_info (void)
{
	static char hex[2 * 420 + 32];
	char *p = hex + sprintf (hex, "03000000 04000000 98010000 01110000 00000000 0000000000000000 00000000 00000000");

	memset (p, '0', 2 * 384);
	memcpy (p + 2 * 24, "010000000200000080020000e00100000100000007000000", 48);
	p[2 * 384] = '\0';
	return hex;
}

const char *
hex_edid (const char *size)
{
	static char hex[2 * 1080];
	char *p = hex + sprintf (hex, "0b000000 04000000 20040000 04110000 00000000 0000000000000000 00000000 00000000 %s 00000000", size);

	memset (p, '5', 2 * 256);
	memset (p + 2 * 256, '0', 2 * (1024 - 256));
	p[2 * 1024] = '\0';
	return hex;
}
