/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sessions, byte by byte: what each new back-end is told and in which order, where a ring goes on, what the VMM is asked, and back-ends that misbehave.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/wire/session-rig.h"

#define CONFIG "0102030405060708"

static int kick, call, area;

/* Where the test's ring has its parts: in the first region. */
#define DESC (USER_MEMORY + 0x1000)
#define AVAIL (USER_MEMORY + 0x2000)
#define USED (USER_MEMORY + 0x3000)

static void
open_fds (void)
{
	kick = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
	call = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
	area = memfd_create ("area", MFD_CLOEXEC);
	CU_ASSERT_EQUAL_FATAL (ftruncate (area, 4096), 0);
}

static void
begin (void)
{
	rig_open (PATIENCE_MS);
	open_fds ();
}

static void
end (void)
{
	close (kick);
	close (call);
	close (area);
	rig_close ();
}

static unsigned
notified (int fd)
{
	uint64_t n = 0;

	return read (fd, &n, sizeof (n)) == sizeof (n) ? n : 0;
}

/* What the guest's ring says: so many made available, so many used. */
static void
set_indexes (uint16_t avail, uint16_t used)
{
	avail = htole16 (avail);
	used = htole16 (used);
	CU_ASSERT_EQUAL (pwrite (memory_fd, &avail, 2, AVAIL - USER_MEMORY + 2), 2);
	CU_ASSERT_EQUAL (pwrite (memory_fd, &used, 2, USED - USER_MEMORY + 2), 2);
}

/* --- what the VMM wants --- */

static void
want_memory (unsigned n)
{
	struct vh_region regions[2] = {
		{ .guest_addr = GUEST_MEMORY, .size = REGION_SIZE, .user_addr = USER_MEMORY, .fd = memory_fd },
		{ .guest_addr = GUEST_MEMORY + REGION_SIZE,
		  .size = REGION_SIZE,
		  .user_addr = USER_MEMORY + REGION_SIZE,
		  .offset = REGION_SIZE,
		  .fd = memory_fd },
	};

	CU_ASSERT_EQUAL (vh_session_set_memory (session, regions, n), 0);
}

static int
want_ring (uint32_t base)
{
	struct vh_session_ring ring = {
		.size = sizeof (ring),
		.entries = 64,
		.addr = { .desc = DESC, .avail = AVAIL, .used = USED },
		.base = base,
		.kick = kick,
		.call = call,
		.err = -1,
	};

	return vh_session_start_ring (session, 0, &ring);
}

static void
want_all (void)
{
	CU_ASSERT_EQUAL (vh_session_set_features (session, 0x120000000), 0);
	want_memory (1);
	CU_ASSERT_EQUAL (want_ring (0), 0);
}

/* --- what the back-end is told --- */

static const char *const region_1 = "00000000 00000000 00000040 00000000 00000100 00000000 00000000 007f0000 00000000 00000000";
static const char *const region_2 = "00000000 00000000 00000140 00000000 00000100 00000000 00000100 007f0000 00000100 00000000";

#define AREA "00040000 00000000 00000000 00000000 0100 4000 00000000"

static void
expect_ring (const char *base)
{
	char state[20];

	snprintf (state, sizeof (state), "00000000 %s", base);
	expect (8, 9, "00000000 40000000", 0);
	expect (10, 9, state, 0);
	expect (9, 9, "00000000 00000000 00100000 007f0000 00300000 007f0000 00200000 007f0000 00000000 00000000", 0);
	expect (13, 9, "00000000 00000000", 1);
	expect (12, 9, "00000000 00000000", 1);
	expect (18, 9, "00000000 01000000", 0);
	for (const char *r = "\x08\x0a\x09\x0d\x0c\x12"; *r; r++)
		answer_u64 (*r, 0);
}

/* Features and memory come in one go, and when there is no area yet, the question for one. */
static void
expect_device (const char *features)
{
	expect (2, 9, features, 0);
	answer_u64 (2, 0);
	acknowledge (37, region_1, 1);
}

static void
expect_first_set_up (void)
{
	expect_device ("00000060 01000000");
	expect (31, 1, "00000000 00000000 00000000 00000000 0100 4000 00000000", 0);
	answer_with_fd (31, AREA, area);
	acknowledge (32, AREA, 1);
	expect_ring ("00000000");
	run_until (is_settled);
}

/* A device that runs at its first back-end. */
static void
begin_running (void)
{
	begin ();
	shake_hands (FEATURES, P_ALL, CONFIG);
	run_until (is_settled);
	want_all ();
	expect_first_set_up ();
	notified (kick);
	notified (call);
}

/* --- tests --- */

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
	end ();
}

static void
test_set_up (void)
{
	begin_running ();
	CU_ASSERT_EQUAL (rig.settled, 2);
	expect_nothing ();
	end ();
}

/* Nothing was set before the first back-end came; here all of it was. */
static void
test_set_before_it_is_there (void)
{
	begin ();
	want_memory (1);
	CU_ASSERT_EQUAL (want_ring (0), -EINVAL);	/* features first */
	shake_hands (FEATURES, P_ALL, CONFIG);
	acknowledge (37, region_1, 1);
	run_until (is_settled);
	end ();
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
	CU_ASSERT_EQUAL (notified (kick), 1);
	CU_ASSERT_EQUAL (notified (call), 1);
	end ();
}

static void
test_again_in_the_middle (void)
{
	begin ();
	shake_hands (FEATURES, P_ALL, CONFIG);
	run_until (is_settled);
	want_all ();
	expect_device ("00000060 01000000");
	hang_up ();
	run_until (is_lost);
	/* It has never run: it begins at its beginning, with a new area. */
	shake_hands (FEATURES, P_ALL, CONFIG);
	expect_first_set_up ();
	end ();
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
	end ();
}

/* --- changes --- */

static void
test_changes (void)
{
	begin_running ();
	/* Another region comes; the first goes, and only these are told. */
	want_memory (2);
	acknowledge (37, region_2, 1);
	run_until (is_settled);
	want_memory (1);
	acknowledge (38, region_2, 0);
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
	end ();
}

static unsigned n_stopped;
static uint32_t stop_base;

static void
on_stopped (void *opaque, uint32_t base)
{
	n_stopped++;
	stop_base = base;
}

static bool
is_stopped (void)
{
	return n_stopped > 0;
}

static void
stop (void)
{
	n_stopped = 0;
	CU_ASSERT_EQUAL (vh_session_stop_ring (session, 0, on_stopped, NULL), 0);
	CU_ASSERT_EQUAL (vh_session_stop_ring (session, 0, on_stopped, NULL), -EINVAL);
	/* Never from inside. */
	CU_ASSERT_EQUAL (n_stopped, 0);
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
	CU_ASSERT_EQUAL (stop_base, 7);
	CU_ASSERT_EQUAL (want_ring (stop_base), 0);
	expect_ring ("07000000");
	run_until (is_settled);
	end ();
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
	CU_ASSERT_EQUAL (stop_base, 5);
	shake_hands (FEATURES, P_ALL, CONFIG);
	expect_device ("00000060 01000000");
	run_until (is_settled);
	expect_nothing ();
	end ();
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
	CU_ASSERT_EQUAL (stop_base, 6);
	CU_ASSERT_EQUAL (n_stopped, 1);
	end ();
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
	expect (31, 1, "00000000 00000000 00000000 00000000 0100 4000 00000000", 0);
	answer_with_fd (31, AREA, area);
	acknowledge (32, AREA, 1);
	expect_ring ("00000000");
	run_until (is_settled);
	end ();
}

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
	end ();
}

static void
test_fewer_features_accepted (void)
{
	begin_running ();
	lose_and_meet (FEATURES & ~0x20000000ull, P_ALL);
	expect_device ("00000040 01000000");
	CU_ASSERT_EQUAL (rig.decided, 1);
	CU_ASSERT_EQUAL (vh_session_offered_features (session), 0x110000000);
	end ();
}

/* What is not in use is not missed; what is offered beyond that does no harm. */
static void
test_unused_features (void)
{
	begin_running ();
	lose_and_meet (0x960000000, P_ALL);
	expect_device ("00000060 01000000");
	CU_ASSERT_EQUAL (rig.decided, 0);
	end ();
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
	expect (31, 1, "00000000 00000000 00000000 00000000 0100 4000 00000000", 0);
	CU_ASSERT_EQUAL (rig.decided, 0);
	end ();
}

static void
test_no_area_at_all (void)
{
	begin ();
	shake_hands (FEATURES, P_ALL, CONFIG);
	run_until (is_settled);
	want_all ();
	expect_device ("00000060 01000000");
	expect (31, 1, "00000000 00000000 00000000 00000000 0100 4000 00000000", 0);
	/* "Not available": then without. */
	answer (31, "00000000 00000000 00000000 00000000 0100 4000 00000000");
	expect_ring ("00000000");
	run_until (is_settled);
	CU_ASSERT_EQUAL (rig.lost, 0);
	end ();
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

	begin ();
	shake_hands (FEATURES, P_ALL, CONFIG);
	run_until (is_settled);
	ask ("02000000 09000000 00000000");
	expect (24, 1, "00000000 08000000 00000000 0000000000000000", 0);
	expect_asked ("02000000 05000000 08000000 0000000000000000");
	answer (24, "00000000 08000000 00000000 1112131415161718");
	run_until (is_config_changed);
	CU_ASSERT_EQUAL (vh_session_get_config (session, 0, config, 8), 0);
	CU_ASSERT_EQUAL (config[7], 0x18);
	CU_ASSERT_EQUAL (rig.settled, 1);
	end ();
}

/* However many come, one question is under way, and one follows. */
static void
test_config_flood (void)
{
	begin ();
	shake_hands (FEATURES, P_ALL, CONFIG);
	run_until (is_settled);
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
	end ();
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
	end ();
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
	end ();
}

static void
test_refuses (void)
{
	begin ();
	shake_hands (FEATURES, P_ALL, CONFIG);
	run_until (is_settled);
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
	expect (37, 9, region_2, 1);
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
	rig_open (SHORT_MS);
	open_fds ();
	meet ();
	expect (1, 1, "", 0);
	run_until (is_lost);
	CU_ASSERT_EQUAL (rig.err, -ETIMEDOUT);
	end ();
}

/* GET_INFLIGHT_FD: no fd, a file that is too short. */
static void
test_area_that_is_none (void)
{
	for (unsigned i = 0; i < 2; i++) {
		begin ();
		shake_hands (FEATURES, P_ALL, CONFIG);
		run_until (is_settled);
		want_all ();
		expect_device ("00000060 01000000");
		expect (31, 1, "00000000 00000000 00000000 00000000 0100 4000 00000000", 0);
		if (i == 0)
			answer (31, AREA);
		else
			answer_with_fd (31, "00200000 00000000 00000000 00000000 0100 4000 00000000", area);
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
	end ();
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
	begin ();
	shake_hands (FEATURES, P_ALL, CONFIG);
	run_until (is_settled);
	CU_ASSERT_EQUAL (vh_session_set_features (session, 0x40000000), -EINVAL);
	CU_ASSERT_EQUAL (vh_session_set_features (session, 1), -EINVAL);
	CU_ASSERT_EQUAL (vh_session_set_memory (session, NULL, 0), -EINVAL);
	CU_ASSERT_EQUAL (vh_session_set_memory (session, NULL, 510), -E2BIG);
	CU_ASSERT_EQUAL (vh_session_stop_ring (session, 0, NULL, NULL), -EINVAL);
	CU_ASSERT_EQUAL (vh_session_enable_ring (session, 256, 1), -EINVAL);
	CU_ASSERT_EQUAL (vh_session_set_ring_call (session, 0, call), -EINVAL);
	CU_ASSERT_EQUAL (vh_session_wait (session, 0), 0);
	end ();
	vh_session_free (NULL);
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
		{ "fewer features, refused", test_fewer_features_refused },
		{ "fewer features, accepted", test_fewer_features_accepted },
		{ "other features that nobody uses", test_unused_features },
		{ "no in-flight area any more", test_no_area_any_more },
		{ "no in-flight area at all", test_no_area_at_all },
		{ "the configuration changes", test_config_changes },
		{ "a flood of such news", test_config_flood },
		{ "the configuration is set", test_config_is_set },
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
	return suite_run ("front-end, sessions", tests);
}
