/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sessions, byte by byte: what each new back-end is told and in which order, where a ring goes on, what changes while it runs, the configuration.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "tests/wire/session-device.h"

static void
test_what_it_is (void)
{
	uint8_t config[8] = { 0 };

	begin ();
	CU_ASSERT_EQUAL (vh_session_get_config (session, 0, config, 8), -EAGAIN);
	CU_ASSERT_EQUAL (vh_session_set_features (session, 0), -EAGAIN);
	CU_ASSERT_PTR_NULL (vh_session_frontend (session));
	rig.refuse = 3;
	shake_hands (FEATURES, P_ALL, CONFIG);
	run_until (is_settled);
	CU_ASSERT_EQUAL (rig.connects, 4);
	CU_ASSERT_EQUAL (rig.settled, 1);
	CU_ASSERT_EQUAL (rig.lost, 0);
	CU_ASSERT_EQUAL (rig.config_changed, 1);
	/* Bit 30 is not the guest's. */
	CU_ASSERT_EQUAL (vh_session_offered_features (session), 0x130000000);
	CU_ASSERT_EQUAL (vh_session_protocol_features (session), P_ALL);
	CU_ASSERT_EQUAL (vh_session_queues (session), 1);
	CU_ASSERT_EQUAL (vh_session_slots (session), 8);
	CU_ASSERT_EQUAL (vh_session_get_config (session, 2, config, 4), 0);
	CU_ASSERT_EQUAL (memcmp (config, "\3\4\5\6", 4), 0);
	CU_ASSERT_EQUAL (vh_session_get_config (session, 5, config, 4), -EINVAL);
	CU_ASSERT_EQUAL (vh_session_get_config (session, UINT32_MAX, config, 4), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL (vh_session_frontend (session));
	expect_nothing ();
	finish ();
}

static void
test_set_up (void)
{
	begin_running ();
	CU_ASSERT_EQUAL (rig.settled, 2);
	expect_nothing ();
	finish ();
}

/* Nothing was set before the first back-end came; here all of it was. */
static void
test_set_before_it_is_there (void)
{
	begin ();
	want_memory (1);
	CU_ASSERT_EQUAL (want_ring (0), -EINVAL);	/* features first */
	shake_hands (FEATURES, P_ALL, CONFIG);
	acknowledge (37, REGION_1, 1);
	run_until (is_settled);
	finish ();
}

static void
test_again (void)
{
	begin_running ();
	set_indexes (9, 5);
	hang_up ();
	run_until (is_lost);
	CU_ASSERT_EQUAL (rig.err, -ECONNRESET);
	CU_ASSERT_FALSE (vh_session_is_settled (session));
	/* The copy stays readable. */
	CU_ASSERT_EQUAL (vh_session_get_config (session, 0, &(uint8_t){ 0 }, 1), 0);
	shake_hands (FEATURES, P_ALL, CONFIG);
	expect_device ("00000060 01000000");
	/* The same area again, and the ring where the used index is. */
	acknowledge (32, AREA, 1);
	expect_ring ("05000000");
	run_until (is_settled);
	CU_ASSERT_EQUAL (rig.decided, 0);
	CU_ASSERT_EQUAL (rig.config_changed, 1);
	/* What was kicked or called for around the end is not forgotten. */
	CU_ASSERT_EQUAL (suite_signals (device.kick), 1);
	CU_ASSERT_EQUAL (suite_signals (device.call), 1);
	finish ();
}

static void
test_again_in_the_middle (void)
{
	begin_settled ();
	want_all ();
	expect_device ("00000060 01000000");
	hang_up ();
	run_until (is_lost);
	/* It has never run: it begins at its beginning, with a new area. */
	shake_hands (FEATURES, P_ALL, CONFIG);
	expect_first_set_up ();
	finish ();
}

static void
test_without_slots_and_acks (void)
{
	begin ();
	shake_hands (FEATURES, 0, CONFIG);
	run_until (is_settled);
	want_all ();
	expect (2, 1, "00000060 01000000", 0);
	expect (5, 1, "01000000 00000000 00000040 00000000 00000100 00000000 00000000 007f0000 00000000 00000000", 1);
	expect (8, 1, "00000000 40000000", 0);
	expect (10, 1, "00000000 00000000", 0);
	expect (9, 1, "00000000 00000000 00100000 007f0000 00300000 007f0000 00200000 007f0000 00000000 00000000", 0);
	expect (13, 1, "00000000 00000000", 1);
	expect (12, 1, "00000000 00000000", 1);
	expect (18, 1, "00000000 01000000", 0);
	run_until (is_settled);
	CU_ASSERT_EQUAL (vh_session_queues (session), 1);
	CU_ASSERT_EQUAL (vh_session_slots (session), 0);
	finish ();
}

/* --- changes --- */

static void
test_changes (void)
{
	begin_running ();
	/* Another region comes; the first goes, and only these are told. */
	want_memory (2);
	acknowledge (37, REGION_2, 1);
	run_until (is_settled);
	want_memory (1);
	acknowledge (38, REGION_2, 0);
	run_until (is_settled);
	/* Masked. */
	CU_ASSERT_EQUAL (vh_session_set_ring_call (session, 0, -1), 0);
	acknowledge (13, "00010000 00000000", 0);
	CU_ASSERT_EQUAL (vh_session_enable_ring (session, 0, 0), 0);
	acknowledge (18, "00000000 00000000", 0);
	run_until (is_settled);
	/* What is so already is not told again. */
	CU_ASSERT_EQUAL (vh_session_enable_ring (session, 0, 0), 0);
	want_memory (1);
	expect_nothing ();
	finish ();
}

static void
test_stop (void)
{
	begin_running ();
	stop ();
	expect (11, 1, "00000000 00000000", 0);
	CU_ASSERT_EQUAL (want_ring (0), -EBUSY);
	answer (11, "00000000 07000000");
	run_until (is_stopped);
	CU_ASSERT_EQUAL (device.base, 7);
	CU_ASSERT_EQUAL (want_ring (device.base), 0);
	expect_ring ("07000000");
	run_until (is_settled);
	finish ();
}

static void
test_stop_without_back_end (void)
{
	begin_running ();
	set_indexes (5, 5);
	hang_up ();
	run_until (is_lost);
	stop ();
	run_until (is_stopped);
	CU_ASSERT_EQUAL (device.base, 5);
	shake_hands (FEATURES, P_ALL, CONFIG);
	expect_device ("00000060 01000000");
	run_until (is_settled);
	expect_nothing ();
	finish ();
}

static void
test_end_while_stopping (void)
{
	begin_running ();
	set_indexes (6, 6);
	stop ();
	expect (11, 1, "00000000 00000000", 0);
	hang_up ();
	run_until (is_stopped);
	CU_ASSERT_EQUAL (device.base, 6);
	CU_ASSERT_EQUAL (device.stops, 1);
	finish ();
}

static void
test_reset (void)
{
	begin_running ();
	CU_ASSERT_EQUAL (vh_session_reset (session), 0);
	expect (11, 1, "00000000 00000000", 0);
	answer (11, "00000000 07000000");
	acknowledge (34, "", 0);
	run_until (is_settled);
	/* The guest comes up again: as at the beginning, with a new area. */
	CU_ASSERT_EQUAL (vh_session_set_features (session, 0x120000000), 0);
	CU_ASSERT_EQUAL (want_ring (0), 0);
	expect (2, 9, "00000060 01000000", 0);
	answer_u64 (2, 0);
	expect_question ();
	answer_with_fd (31, AREA, device.area);
	acknowledge (32, AREA, 1);
	expect_ring ("00000000");
	run_until (is_settled);
	finish ();
}

/* --- configuration --- */

static bool
is_config_changed (void)
{
	return rig.config_changed > 1;
}

static void
test_config_changes (void)
{
	uint8_t config[8];

	begin_settled ();
	ask ("02000000 09000000 00000000");
	expect (24, 1, "00000000 08000000 00000000 0000000000000000", 0);
	expect_asked ("02000000 05000000 08000000 0000000000000000");
	answer (24, "00000000 08000000 00000000 1112131415161718");
	run_until (is_config_changed);
	CU_ASSERT_EQUAL (vh_session_get_config (session, 0, config, 8), 0);
	CU_ASSERT_EQUAL (config[7], 0x18);
	CU_ASSERT_EQUAL (rig.settled, 1);
	finish ();
}

/* However many come, one question is under way, and one follows. */
static void
test_config_flood (void)
{
	begin_settled ();
	for (unsigned i = 0; i < 200; i++)
		ask ("02000000 01000000 00000000");
	run ();
	expect (24, 1, "00000000 08000000 00000000 0000000000000000", 0);
	expect_nothing ();
	answer (24, "00000000 08000000 00000000 " CONFIG);
	expect (24, 1, "00000000 08000000 00000000 0000000000000000", 0);
	answer (24, "00000000 08000000 00000000 " CONFIG);
	expect_nothing ();
	/* It was the same each time. */
	CU_ASSERT_EQUAL (rig.config_changed, 1);
	finish ();
}

static int set_result;

static void
on_set (void *opaque, int result)
{
	set_result = result;
}

static void
test_config_is_set (void)
{
	begin ();
	CU_ASSERT_EQUAL (vh_session_set_config (session, 4, "\xaa", 1, 0, on_set, NULL), -ECONNRESET);
	shake_hands (FEATURES, P_ALL, CONFIG);
	run_until (is_settled);
	set_result = 1;
	CU_ASSERT_EQUAL (vh_session_set_config (session, 4, "\xaa", 1, 0, on_set, NULL), 0);
	expect (25, 9, "04000000 01000000 00000000 aa", 0);
	expect (24, 1, "00000000 08000000 00000000 0000000000000000", 0);
	answer_u64 (25, 0);
	answer (24, "00000000 08000000 00000000 01020304aa060708");
	run_until (is_config_changed);
	CU_ASSERT_EQUAL (set_result, 0);
	finish ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "what the device is", test_what_it_is },
		{ "set up", test_set_up },
		{ "set before a back-end is there", test_set_before_it_is_there },
		{ "set up again", test_again },
		{ "set up again in the middle", test_again_in_the_middle },
		{ "without slots and acknowledgements", test_without_slots_and_acks },
		{ "changes while it runs", test_changes },
		{ "a ring stops and starts", test_stop },
		{ "a ring stops without a back-end", test_stop_without_back_end },
		{ "the end while a ring stops", test_end_while_stopping },
		{ "the guest resets the device", test_reset },
		{ "the configuration changes", test_config_changes },
		{ "a flood of such news", test_config_flood },
		{ "the configuration is set", test_config_is_set },
		CU_TEST_INFO_NULL,
	};

	if (htole16 (1) != 1)
		return 77;	/* the bytes are written down for little-endian hosts */
	return suite_run ("front-end, sessions", tests);
}
