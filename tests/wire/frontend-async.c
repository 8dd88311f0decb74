/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls that do not wait: in order, several on their way, among calls that wait, from callbacks; refusals.
 */
#include <endian.h>
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/wire/async-calls.h"

/* --- in order --- */

static void
script_one (void)
{
	peer_expect ("01000000 01000000 00000000", 0);
	peer_await_test ();
	peer_send ("01000000 05000000 08000000 0000007001000000");
	peer_expect_end (PEER_MAIN);
}

static void
test_one_call (void)
{
	uint64_t features = 42;

	begin (script_one, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_get_features (number (0), &features), 0);
	expect_quiet ();
	CU_ASSERT_EQUAL (vh_frontend_dispatch (frontend), 0);
	CU_ASSERT_EQUAL (n_ends, 0);
	CU_ASSERT_EQUAL (features, 42);
	frontend_go_on ();
	CU_ASSERT_EQUAL (loop_until (1), 1);
	expect_ends (1, 0);
	CU_ASSERT_EQUAL (features, 0x170000000);
	CU_ASSERT_EQUAL (vh_frontend_offered_features (frontend), 0x170000000);
	expect_quiet ();
	frontend_end ();
}

static void
script_handshake (void)
{
	peer_handshake (P_REPLY_ACK | P_BACKEND_REQ | P_CONFIG);
	peer_expect_end (PEER_MAIN);
}

static void
test_handshake (void)
{
	begin (script_handshake, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_handshake (number (0), UINT64_MAX), 0);
	loop_until (1);
	expect_ends (1, 0);
	CU_ASSERT_EQUAL (vh_frontend_protocol_features (frontend), P_REPLY_ACK | P_BACKEND_REQ | P_CONFIG);
	expect_quiet ();
	frontend_end ();
}

static void
script_pipeline (void)
{
	peer_handshake (P_REPLY_ACK | P_CONFIG);
	/* All of them come before any is answered. */
	peer_expect ("08000000 09000000 08000000 00000000 00010000", 0);
	peer_expect ("0a000000 09000000 08000000 00000000 07000000", 0);
	peer_expect ("0c000000 09000000 08000000 0000000000000000", 1);
	peer_expect ("18000000 01000000 10000000 08000000 04000000 00000000 00000000", 0);
	peer_expect ("0b000000 01000000 08000000 00000000 00000000", 0);
	peer_send ("08000000 05000000 08000000 0000000000000000 0a000000 05000000 08000000 0000000000000000");
	peer_send ("0c000000 05000000 08000000 0000000000000000");
	peer_send ("18000000 05000000 10000000 08000000 04000000 00000000 11223344 0b000000 05000000 08000000 00000000 09000000");
	peer_expect_end (PEER_MAIN);
}

static void
test_several_on_their_way (void)
{
	uint32_t config = 0, base = 0;
	int fd;

	begin (script_pipeline, PATIENCE_MS);
	fd = eventfd (0, EFD_CLOEXEC);
	CU_ASSERT_EQUAL (vh_frontend_handshake (frontend, UINT64_MAX), 0);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_num (number (0), 0, 256), 0);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_base (number (1), 0, 7), 0);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_kick (number (2), 0, fd), 0);
	close (fd);
	CU_ASSERT_EQUAL (vh_frontend_get_config (number (3), 8, &config, 4), 0);
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base (number (4), 0, &base), 0);
	loop_until (5);
	expect_ends (5, 0);
	CU_ASSERT_EQUAL (config, htobe32 (0x11223344));
	CU_ASSERT_EQUAL (base, 9);
	frontend_end ();
}

static void
script_strict (void)
{
	peer_expect ("01000000 01000000 00000000", 0);
	peer_send ("01000000 05000000 08000000 0000007001000000");
	for (unsigned ring = 0; ring < 2; ring++) {
		peer_expect (ring ? "0b000000 01000000 08000000 01000000 00000000" : "0b000000 01000000 08000000 00000000 00000000", 0);
		peer_expect_nothing ();
		peer_send (ring ? "0b000000 05000000 08000000 01000000 09000000" : "0b000000 05000000 08000000 00000000 08000000");
	}
	peer_expect_end (PEER_MAIN);
}

/* One request at a time, for back-ends that cannot take more; and requests that change features are like that for all. */
static void
test_one_at_a_time (void)
{
	uint64_t features;
	uint32_t base[2] = { 0 };

	frontend_pipeline = 1;
	begin (script_strict, PATIENCE_MS);
	frontend_pipeline = 0;
	CU_ASSERT_EQUAL (vh_frontend_get_features (number (0), &features), 0);
	for (unsigned i = 0; i < 2; i++)
		CU_ASSERT_EQUAL (vh_frontend_get_vring_base (number (1 + i), i, &base[i]), 0);
	loop_until (3);
	expect_ends (3, 0);
	CU_ASSERT_EQUAL (base[0], 8);
	CU_ASSERT_EQUAL (base[1], 9);
	frontend_end ();
}

static void
script_features_first (void)
{
	peer_handshake (P_REPLY_ACK);
	peer_expect ("02000000 09000000 08000000 0000004001000000", 0);
	peer_expect_nothing ();
	peer_send_u64 (2, 0);
	peer_expect ("12000000 09000000 08000000 00000000 01000000", 0);
	peer_send_u64 (18, 0);
	peer_expect_end (PEER_MAIN);
}

/* SET_VRING_ENABLE is legal only once bit 30 is accepted: it waits, and then it is. */
static void
test_features_come_first (void)
{
	begin (script_features_first, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_handshake (frontend, UINT64_MAX), 0);
	CU_ASSERT_EQUAL (vh_frontend_set_features (number (0), 0x140000000), 0);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_enable (number (1), 0, 1), 0);
	/* This one has no feature; it is refused, and in its turn. */
	CU_ASSERT_EQUAL (vh_frontend_reset_device (number (2)), 0);
	loop_until (3);
	CU_ASSERT_EQUAL (results[2], -EOPNOTSUPP);
	results[2] = 0;
	expect_ends (3, 0);
	frontend_end ();
}

/* --- calls that wait and calls that do not --- */

static void
script_mixed (void)
{
	peer_expect ("0b000000 01000000 08000000 00000000 00000000", 0);
	peer_expect ("0b000000 01000000 08000000 01000000 00000000", 0);
	peer_send ("0b000000 05000000 08000000 00000000 08000000 0b000000 05000000 08000000 01000000 09000000");
	peer_expect_end (PEER_MAIN);
}

static void
test_waiting_behind_others (void)
{
	uint32_t first = 0, second = 0;

	begin (script_mixed, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base (number (0), 0, &first), 0);
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base (frontend, 1, &second), 0);
	expect_ends (1, 0);
	CU_ASSERT_EQUAL (first, 8);
	CU_ASSERT_EQUAL (second, 9);
	frontend_end ();
}

static int waited;

static void
wait_inside (void *opaque, int result)
{
	uint64_t features;

	waited = vh_frontend_get_features (frontend, &features);
	CU_ASSERT_EQUAL (vh_frontend_handshake (frontend, UINT64_MAX), -EBUSY);
	/* Without waiting it goes. */
	CU_ASSERT_EQUAL (vh_frontend_set_owner (number (0)), 0);
}

static void
script_callback (void)
{
	peer_expect ("03000000 01000000 00000000", 0);
	peer_expect ("03000000 01000000 00000000", 0);
	peer_expect_end (PEER_MAIN);
}

static void
test_calls_from_a_callback (void)
{
	begin (script_callback, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_set_owner (vh_frontend_async (frontend, wait_inside, NULL)), 0);
	CU_ASSERT_EQUAL (n_ends, 0);
	loop_until (1);
	CU_ASSERT_EQUAL (waited, -EBUSY);
	expect_ends (1, 0);
	expect_quiet ();
	frontend_end ();
}

static void
again (void *opaque, int result)
{
	unsigned *left = opaque;

	n_ends++;
	if (result == 0 && --*left > 0)
		CU_ASSERT_EQUAL (vh_frontend_set_owner (vh_frontend_async (frontend, again, left)), 0);
}

/* Each callback makes the next call, which ends at once: the event loop must get its turn all the same. */
static void
test_callbacks_end_their_turn (void)
{
	unsigned left = 150;

	begin (script_sink, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_set_owner (vh_frontend_async (frontend, again, &left)), 0);
	while (left > 0) {
		int n = vh_frontend_dispatch (frontend);

		CU_ASSERT_TRUE_FATAL (n > 0 && n < 100);
	}
	CU_ASSERT_EQUAL (n_ends, 150);
	CU_ASSERT_EQUAL (vh_frontend_dispatch (frontend), 0);
	frontend_end ();
}

static void
test_refused_at_once (void)
{
	uint64_t features;

	begin (script_sink, SHORT_MS);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_num (number (0), 0, 0), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_dispatch (frontend), 0);
	CU_ASSERT_EQUAL (n_ends, 0);
	/* And the one after it waits. */
	CU_ASSERT_EQUAL (vh_frontend_get_features (frontend, &features), -ETIMEDOUT);
	CU_ASSERT_EQUAL (vh_frontend_get_features (number (0), &features), -ECONNRESET);
	CU_ASSERT_EQUAL (n_ends, 0);
	frontend_end ();
}

/* --- what the back-end refuses --- */

static void
script_refuse_second (void)
{
	peer_handshake (P_REPLY_ACK);
	peer_expect ("08000000 09000000 08000000 00000000 00010000", 0);
	peer_expect ("08000000 09000000 08000000 01000000 00010000", 0);
	peer_expect ("08000000 09000000 08000000 02000000 00010000", 0);
	peer_send_u64 (8, 0);
	peer_send_u64 (8, 1);
	peer_send_u64 (8, 0);
	peer_expect_end (PEER_MAIN);
}

static void
test_refused_by_the_back_end (void)
{
	begin (script_refuse_second, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_handshake (frontend, UINT64_MAX), 0);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL (vh_frontend_set_vring_num (number (i), i, 256), 0);
	loop_until (3);
	CU_ASSERT_EQUAL (results[1], -EREMOTEIO);
	results[1] = 0;
	expect_ends (3, 0);
	frontend_end ();
}

/* --- the back-end asks meanwhile --- */

static void
script_both (void)
{
	peer_handshake (P_REPLY_ACK | P_BACKEND_REQ | P_CONFIG);
	peer_await_test ();
	peer_expect ("0b000000 01000000 08000000 00000000 00000000", 0);
	for (int i = 0; i < 10; i++) {
		peer_send_on (PEER_CHANNEL, "02000000 09000000 00000000");
		peer_expect_on (PEER_CHANNEL, "02000000 05000000 08000000 0000000000000000", 0);
	}
	peer_send ("0b000000 05000000 08000000 00000000 08000000");
	peer_expect_end (PEER_MAIN);
}

static void
test_back_end_asks_meanwhile (void)
{
	uint32_t base;

	begin (script_both, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_handshake (frontend, UINT64_MAX), 0);
	frontend_go_on ();
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base (number (0), 0, &base), 0);
	loop_until (1);
	expect_ends (1, 0);
	CU_ASSERT_EQUAL (config_changes, 10);
	frontend_end ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "one call", test_one_call },
		{ "the handshake", test_handshake },
		{ "several on their way", test_several_on_their_way },
		{ "one at a time", test_one_at_a_time },
		{ "features come first", test_features_come_first },
		{ "a call that waits, behind others", test_waiting_behind_others },
		{ "calls from a callback", test_calls_from_a_callback },
		{ "callbacks end their turn", test_callbacks_end_their_turn },
		{ "refused at once", test_refused_at_once },
		{ "refused by the back-end", test_refused_by_the_back_end },
		{ "the back-end asks meanwhile", test_back_end_asks_meanwhile },
		CU_TEST_INFO_NULL,
	};

	if (htole16 (1) != 1)
		return 77;	/* the bytes are written down for little-endian hosts */
	return suite_run ("front-end, calls that do not wait", tests);
}
