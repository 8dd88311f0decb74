/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sessions and back-ends that are not what they should be: what the VMM is asked when the next one can do less, what goes on when one misbehaves; and
 * arguments that cannot be.
 */
#include <endian.h>
#include <errno.h>

#include "tests/wire/session-device.h"

/* --- another one than before --- */

static void
lose_and_meet (uint64_t features, uint64_t protocol)
{
	hang_up ();
	run_until (is_lost);
	shake_hands (features, protocol, CONFIG);
}

static bool
is_decided (void)
{
	return rig.decided > 0;
}

static void
test_fewer_features_refused (void)
{
	begin_running ();
	rig.decision = -1;
	lose_and_meet (FEATURES & ~0x20000000ull, P_ALL);
	run_until (is_decided);
	CU_ASSERT_EQUAL (rig.change.features, 0x20000000);
	CU_ASSERT_EQUAL (rig.change.protocol_features, 0);
	CU_ASSERT_EQUAL (rig.change.unsure, 0);
	CU_ASSERT_EQUAL (rig.lost, 2);
	/* A good one comes: then it goes on as if that one had never been. */
	shake_hands (FEATURES, P_ALL, CONFIG);
	expect_device ("00000060 01000000");
	acknowledge (32, AREA, 1);
	expect_ring ("00000000");
	run_until (is_settled);
	CU_ASSERT_EQUAL (rig.decided, 1);
	finish ();
}

static void
test_fewer_features_accepted (void)
{
	begin_running ();
	lose_and_meet (FEATURES & ~0x20000000ull, P_ALL);
	expect_device ("00000040 01000000");
	CU_ASSERT_EQUAL (rig.decided, 1);
	CU_ASSERT_EQUAL (vh_session_offered_features (session), 0x110000000);
	finish ();
}

/* What is not in use is not missed; what is offered beyond that does no harm. */
static void
test_unused_features (void)
{
	begin_running ();
	lose_and_meet (0x960000000, P_ALL);
	expect_device ("00000060 01000000");
	CU_ASSERT_EQUAL (rig.decided, 0);
	finish ();
}

static void
test_no_area_any_more (void)
{
	begin_running ();
	set_indexes (9, 5);
	lose_and_meet (FEATURES, P_ALL & ~P_INFLIGHT);
	expect_device ("00000060 01000000");
	expect_ring ("05000000");
	CU_ASSERT_EQUAL (rig.decided, 1);
	CU_ASSERT_EQUAL (rig.change.protocol_features, P_INFLIGHT);
	CU_ASSERT_EQUAL (rig.change.unsure, 1);
	run_until (is_settled);
	/* The old area says nothing any more: a third back-end must not believe it. */
	set_indexes (9, 9);
	rig.decided = 0;
	lose_and_meet (FEATURES, P_ALL);
	expect_device ("00000060 01000000");
	expect_question ();
	CU_ASSERT_EQUAL (rig.decided, 0);
	finish ();
}

static void
test_no_area_at_all (void)
{
	begin_settled ();
	want_all ();
	expect_device ("00000060 01000000");
	expect_question ();
	/* "Not available": then without. */
	answer (31, "00000000 00000000 00000000 00000000 0100 4000 00000000");
	expect_ring ("00000000");
	run_until (is_settled);
	CU_ASSERT_EQUAL (rig.lost, 0);
	finish ();
}

/* --- back-ends that misbehave --- */

static void
expect_lost (int err)
{
	run_until (is_lost);
	CU_ASSERT_EQUAL (rig.err, err);
	CU_ASSERT_STRING_NOT_EQUAL (vh_session_error (session), "");
	/* And another one gets its chance. */
	shake_hands (FEATURES, P_ALL, CONFIG);
	finish ();
}

static void
test_refuses (void)
{
	begin_settled ();
	want_all ();
	expect (2, 9, "00000060 01000000", 0);
	answer_u64 (2, 1);
	expect_lost (-EREMOTEIO);
}

static void
test_refuses_later (void)
{
	begin_running ();
	want_memory (2);
	expect (37, 9, REGION_2, 1);
	answer_u64 (37, 22);
	expect_lost (-EREMOTEIO);
}

static void
test_answers_nonsense (void)
{
	begin ();
	meet ();
	expect (1, 1, "", 0);
	answer (2, "0000000000000000");
	expect_lost (-EPROTO);
}

static void
test_speaks_unasked (void)
{
	begin_running ();
	answer_u64 (8, 0);
	expect_lost (-ECONNRESET);
}

static void
test_never_answers (void)
{
	begin_with (SHORT_MS);
	meet ();
	expect (1, 1, "", 0);
	run_until (is_lost);
	CU_ASSERT_EQUAL (rig.err, -ETIMEDOUT);
	finish ();
}

/* GET_INFLIGHT_FD: no fd, a file that is too short. */
static void
test_area_that_is_none (void)
{
	for (unsigned i = 0; i < 2; i++) {
		begin_settled ();
		want_all ();
		expect_device ("00000060 01000000");
		expect_question ();
		if (i == 0)
			answer (31, AREA);
		else
			answer_with_fd (31, "00200000 00000000 00000000 00000000 0100 4000 00000000", device.area);
		expect_lost (-EBADMSG);
	}
}

/* Without the channel on which it asks, the rest goes on. */
static void
test_breaks_its_channel (void)
{
	begin_running ();
	ask ("02000000 02000000 00000000");
	run ();
	CU_ASSERT_EQUAL (rig.lost, 0);
	stop ();
	expect (11, 1, "00000000 00000000", 0);
	answer (11, "00000000 07000000");
	run_until (is_stopped);
	finish ();
}

static void
test_arguments (void)
{
	struct vh_session_options o = { .size = sizeof (o) };
	struct vh_session *s;

	CU_ASSERT_EQUAL (vh_session_new (&o, &s), -EINVAL);
	o.path = "x";
	o.rings = 257;
	CU_ASSERT_EQUAL (vh_session_new (&o, &s), -EINVAL);
	o.rings = 1;
	CU_ASSERT_EQUAL (vh_session_new (&o, &s), -EINVAL);
	o.rings = 0;
	o.config_size = 257;
	CU_ASSERT_EQUAL (vh_session_new (&o, &s), -EINVAL);
	begin_settled ();
	CU_ASSERT_EQUAL (vh_session_set_features (session, 0x40000000), -EINVAL);
	CU_ASSERT_EQUAL (vh_session_set_features (session, 1), -EINVAL);
	CU_ASSERT_EQUAL (vh_session_set_memory (session, NULL, 0), -EINVAL);
	CU_ASSERT_EQUAL (vh_session_set_memory (session, NULL, 510), -E2BIG);
	CU_ASSERT_EQUAL (vh_session_stop_ring (session, 0, NULL, NULL), -EINVAL);
	CU_ASSERT_EQUAL (vh_session_enable_ring (session, 256, 1), -EINVAL);
	CU_ASSERT_EQUAL (vh_session_set_ring_call (session, 0, device.call), -EINVAL);
	CU_ASSERT_EQUAL (vh_session_wait (session, 0), 0);
	finish ();
	vh_session_free (NULL);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "fewer features, refused", test_fewer_features_refused },
		{ "fewer features, accepted", test_fewer_features_accepted },
		{ "other features that nobody uses", test_unused_features },
		{ "no in-flight area any more", test_no_area_any_more },
		{ "no in-flight area at all", test_no_area_at_all },
		{ "a back-end that refuses", test_refuses },
		{ "a back-end that refuses later", test_refuses_later },
		{ "a back-end that answers nonsense", test_answers_nonsense },
		{ "a back-end that speaks unasked", test_speaks_unasked },
		{ "a back-end that never answers", test_never_answers },
		{ "an in-flight area that is none", test_area_that_is_none },
		{ "a back-end that breaks its channel", test_breaks_its_channel },
		{ "arguments", test_arguments },
		CU_TEST_INFO_NULL,
	};

	if (htole16 (1) != 1)
		return 77;	/* the bytes are written down for little-endian hosts */
	return suite_run ("front-end, sessions with bad back-ends", tests);
}
