/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the front-end sends to devices that have messages of their own, byte for byte, and what it makes of the answers.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "tests/wire/frontend-peer.h"

#define OK(call) CU_ASSERT_EQUAL (call, 0)

/* --- network devices --- */

static void
script_net (void)
{
	peer_handshake (P_REPLY_ACK | P_RARP | P_MTU);
	peer_expect ("13000000 09000000 08000000 52540012 34560000", 0);
	peer_send_u64 (19, 0);
	peer_expect ("13000000 09000000 08000000 52540012 34560000", 0);
	peer_send_u64 (19, 1);
	peer_expect ("14000000 09000000 08000000 dc050000 00000000", 0);
	peer_send_u64 (20, 0);
	peer_expect ("14000000 09000000 08000000 ffff0000 00000000", 0);
	peer_send_u64 (20, 1);
	peer_expect_end (PEER_MAIN);
}

static void
test_net (void)
{
	static const uint8_t mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

	frontend_begin (script_net, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	OK (vh_frontend_send_rarp (frontend, mac));
	CU_ASSERT_EQUAL (vh_frontend_send_rarp (frontend, mac), -EREMOTEIO);
	OK (vh_frontend_set_mtu (frontend, 1500));
	CU_ASSERT_EQUAL (vh_frontend_set_mtu (frontend, 67), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_set_mtu (frontend, 65536), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_set_mtu (frontend, 65535), -EREMOTEIO);
	frontend_end ();
}

/* --- what is not in force --- */

static void
script_nothing_more (void)
{
	peer_handshake (P_REPLY_ACK);
	peer_expect_end (PEER_MAIN);
}

static void
test_not_in_force (void)
{
	static const uint8_t mac[6];

	frontend_begin (script_nothing_more, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	CU_ASSERT_EQUAL (vh_frontend_send_rarp (frontend, mac), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_set_mtu (frontend, 1500), -EOPNOTSUPP);
	frontend_end ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "SEND_RARP, NET_SET_MTU", test_net },
		{ "what is not in force is not sent", test_not_in_force },
		CU_TEST_INFO_NULL,
	};

	if (htole16 (1) != 1)
		return 77;	/* the bytes are written down for little-endian hosts */
	return suite_run ("front-end, messages that some devices have", tests);
}
