/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device with every callback, and its answers in hexadecimal digits; see full-hex.h.
 */
#include "full-hex.h"

#include <errno.h>
#include <stdio.h>

#include <CUnit/CUnit.h>

struct full_device device;

void
open_with (uint64_t features)
{
	char set[128];

	features |= 8;
	full_device_init (&device);
	hex_open (&device.base.device, NULL);
	snprintf (set, sizeof (set), "10000000 09000000 08000000 %02x%02x%02x%02x 00000000", (unsigned) features & 0xff, (unsigned) (features >> 8) & 0xff,
		  (unsigned) (features >> 16) & 0xff, (unsigned) (features >> 24) & 0xff);
	CU_ASSERT_TRUE_FATAL (exchange_hex (set, -1, "10000000 05000000 08000000 00000000 00000000"));
}

void
acknowledged (const char *id, const char *rest, int fd, uint64_t needed)
{
	char quiet[512], asking[512], ack[64], refusal[64];

	snprintf (quiet, sizeof (quiet), "%s 01000000 %s", id, rest);
	snprintf (asking, sizeof (asking), "%s 09000000 %s", id, rest);
	snprintf (ack, sizeof (ack), "%s 05000000 08000000 00000000 00000000", id);
	snprintf (refusal, sizeof (refusal), "%s 05000000 08000000 ??000000 00000000", id);
	open_with (needed);
	CU_ASSERT_TRUE (exchange_hex (quiet, fd, ""));
	CU_ASSERT_TRUE (exchange_hex (asking, fd, ack));
	device.answer = -EINVAL;
	CU_ASSERT_TRUE (exchange_hex (asking, fd, refusal));
	CU_ASSERT_EQUAL (result, 1);
	/* A refusal that cannot be seen ends the connection. */
	CU_ASSERT_TRUE (exchange_hex (quiet, fd, ""));
	CU_ASSERT_EQUAL (result, -EINVAL);
	hex_close ();
	if (needed) {
		open_with (0);
		CU_ASSERT_TRUE (exchange_hex (asking, fd, refusal));
		hex_close ();
	}
}
