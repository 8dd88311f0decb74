/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The back-end's answers to the messages that only some devices have, byte for byte: asked for, refused, and where the feature is not there.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend-hex.h"
#include "full-device.h"
#include "tests/suite.h"

static struct full_device device;

/* Opens a connection and sets protocol features: REPLY_ACK and these. */
static void
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

/* One message with an acknowledgement on demand, in all ways: `rest` is its size and payload, `needed` the feature bits that it needs. */
static void
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

/* --- network devices --- */

static void
send_rarp (void)
{
	acknowledged ("13000000", "08000000 52540012 34560000", -1, 1 << 2);
	CU_ASSERT_EQUAL (memcmp (device.mac, "\0\0\0\0\0\0", 6), 0);	/* the last connection had not the feature */
	open_with (1 << 2);
	/* What is behind the address is nobody's. */
	CU_ASSERT_TRUE (exchange_hex ("13000000 09000000 08000000 52540012 3456abcd", -1, "13000000 05000000 08000000 00000000 00000000"));
	CU_ASSERT_EQUAL (memcmp (device.mac, "\x52\x54\x00\x12\x34\x56", 6), 0);
	hex_close ();
}

static void
net_set_mtu (void)
{
	static const char *const wrong[] = { "43000000 00000000", "00000100 00000000", "dc050000 01000000", "00000000 00000000" };
	char request[128];

	acknowledged ("14000000", "08000000 dc050000 00000000", -1, 1 << 4);
	open_with (1 << 4);
	CU_ASSERT_TRUE (exchange_hex ("14000000 09000000 08000000 44000000 00000000", -1, "14000000 05000000 08000000 00000000 00000000"));
	CU_ASSERT_EQUAL (device.mtu, 68);
	CU_ASSERT_TRUE (exchange_hex ("14000000 09000000 08000000 ffff0000 00000000", -1, "14000000 05000000 08000000 00000000 00000000"));
	CU_ASSERT_EQUAL (device.mtu, 65535);
	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++) {
		snprintf (request, sizeof (request), "14000000 09000000 08000000 %s", wrong[i]);
		CU_ASSERT_TRUE (exchange_hex (request, -1, "14000000 05000000 08000000 16000000 00000000"));
	}
	CU_ASSERT_EQUAL (device.mtu, 65535);
	hex_close ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "SEND_RARP", send_rarp },
		{ "NET_SET_MTU", net_set_mtu },
		CU_TEST_INFO_NULL,
	};

	if (htole16 (1) != 1)
		return 77;	/* the bytes are written down for little-endian hosts */
	return suite_run ("messages that some devices have", tests);
}
