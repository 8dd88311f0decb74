/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls and kicks of packed rings: when a driver is called, and what it is told about kicking, by flags and by event positions.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/suite.h"
#include "tests/unit/packed-guest.h"

static int
begin (struct packed *p, unsigned size, uint64_t features)
{
	int fd = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);

	CU_ASSERT_FATAL (fd >= 0);
	packed_open (p, size, features);
	*(uint32_t *) guest_at (&p->g, GUEST_USED) = 0xffffffff;	/* what another start left */
	CU_ASSERT_EQUAL_FATAL (packed_start (p, 0x80008000), 0);
	ring_set_call (p->g.ring, fd);
	return fd;
}

static void
end (struct packed *p, int fd)
{
	packed_close (p);
	close (fd);
}

/* Serves n chains of `length` in one batch. */
static void
serve (struct packed *p, unsigned n, unsigned length)
{
	struct vh_request *reqs[64];

	for (unsigned i = 0; i < n; i++)
		packed_add_chain (p, length, 1, i);
	ring_new_turn (p->g.ring, n);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (p->g.ring, reqs, n), (int) n);
	for (unsigned i = 0; i < n; i++)
		vh_ring_give (p->g.ring, reqs[i], 0);
	vh_ring_flush (p->g.ring);
	for (unsigned i = 0; i < n; i++)
		CU_ASSERT_FATAL (packed_is_used (p, length, i, 0));
}

/* --- calls --- */

static void
flags_suppress_calls (void)
{
	static const struct {
		uint64_t features;
		unsigned flags, calls;
	} cases[] = {
		{ 0, EVENT_ENABLE, 1 }, { 0, EVENT_DISABLE, 0 }, { 0, EVENT_DESC, 1 }, { 0, 3, 1 }, { 0, 0xfffc, 1 }, { 0, 0xfffd, 0 },
		{ 1, EVENT_ENABLE, 1 }, { 1, EVENT_DISABLE, 0 }, { 1, 3, 1 },
	};

	for (unsigned i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
		struct packed p;
		int fd = begin (&p, 32, cases[i].features ? VH_BIT (VH_F_EVENT_IDX) : 0);

		serve (&p, 2, 3);
		CU_ASSERT_EQUAL (suite_signals (fd), 1);
		packed_set_event (&p, 0, cases[i].flags);
		serve (&p, 2, 3);
		CU_ASSERT_EQUAL (suite_signals (fd), cases[i].calls);
		end (&p, fd);
	}
}

/* Every ring size, event and step, around the ring twice: one call exactly when one of the descriptors used is at the position asked for. */
static void
calls_when_the_event_is_passed (void)
{
	for (unsigned size = 1; size <= 9; size++)
		for (unsigned ahead = 0; ahead < size; ahead++)
			for (unsigned length = 1; length <= size; length++) {
				struct packed p;
				int fd = begin (&p, size, VH_BIT (VH_F_EVENT_IDX));

				/* The first decision after a start is always to call. */
				packed_set_event (&p, packed_forward (&p, p.used, size - 1), EVENT_DESC);
				serve (&p, 1, 1);
				CU_ASSERT_EQUAL (suite_signals (fd), 1);
				for (unsigned i = 0; i < 2 * size + 3; i++) {
					unsigned n = 1 + i % (size / length);

					packed_set_event (&p, packed_forward (&p, p.used, ahead), EVENT_DESC);
					serve (&p, n, length);
					CU_ASSERT_EQUAL (suite_signals (fd), ahead < n * length);
				}
				end (&p, fd);
			}
}

static void
a_new_call_fd_is_called (void)
{
	struct packed p;
	int fd = begin (&p, 32, VH_BIT (VH_F_EVENT_IDX)), other = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);

	serve (&p, 1, 1);
	CU_ASSERT_EQUAL (suite_signals (fd), 1);
	packed_set_event (&p, packed_forward (&p, p.used, 30), EVENT_DESC);
	serve (&p, 1, 1);
	CU_ASSERT_EQUAL (suite_signals (fd), 0);
	ring_set_call (p.g.ring, other);
	serve (&p, 1, 1);
	CU_ASSERT_EQUAL (suite_signals (other), 1);
	serve (&p, 1, 1);
	CU_ASSERT_EQUAL (suite_signals (other), 0);
	close (other);
	end (&p, fd);
}

/* --- kicks --- */

static void
kicks_by_flags (void)
{
	struct vh_request *r;
	struct packed p;
	int fd = begin (&p, 8, 0);

	CU_ASSERT_EQUAL (packed_event_flags (&p), EVENT_ENABLE);
	ring_kicks_off (p.g.ring);
	CU_ASSERT_EQUAL (packed_event_flags (&p), EVENT_DISABLE);
	CU_ASSERT_FALSE (ring_kicks_on (p.g.ring));
	CU_ASSERT_EQUAL (packed_event_flags (&p), EVENT_ENABLE);
	ring_kicks_off (p.g.ring);
	packed_add (&p, GUEST_DATA, 1, 0, WRITE);
	CU_ASSERT (ring_kicks_on (p.g.ring));
	CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
	CU_ASSERT_FALSE (ring_kicks_on (p.g.ring));
	end (&p, fd);
}

/* The first event is at the first position; it moves with what was taken, around the end of the ring with the wrap counter. */
static void
kicks_by_event_position (void)
{
	struct vh_request *r;
	struct packed p;
	int fd = begin (&p, 5, VH_BIT (VH_F_EVENT_IDX));

	ring_kicks_off (p.g.ring);
	CU_ASSERT_EQUAL (packed_event_flags (&p), EVENT_DISABLE);
	CU_ASSERT_FALSE (ring_kicks_on (p.g.ring));
	CU_ASSERT_EQUAL (packed_event_flags (&p), EVENT_DESC);
	CU_ASSERT_EQUAL (packed_event_position (&p), 0x8000);
	for (unsigned i = 0; i < 12; i++) {
		uint16_t before = p.next;

		ring_new_turn (p.g.ring, 1);
		packed_add_chain (&p, 2, 1, 0);
		CU_ASSERT (ring_kicks_on (p.g.ring));
		CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
		CU_ASSERT_EQUAL (packed_event_position (&p), before);
		guest_give (&p.g, r, 0);
		CU_ASSERT_FALSE (ring_kicks_on (p.g.ring));
		CU_ASSERT_EQUAL (packed_event_position (&p), p.next);
		ring_kicks_off (p.g.ring);	/* the driver waits for one position: nothing to be said */
		CU_ASSERT_EQUAL (packed_event_flags (&p), EVENT_DESC);
	}
	end (&p, fd);
}

/* Requests that a device leaves in the ring are no news, so that it is not asked again and again; new ones are. */
static void
requests_that_are_left (void)
{
	struct vh_request *r;
	struct packed p;
	int fd = begin (&p, 14, VH_BIT (VH_F_EVENT_IDX));

	for (unsigned i = 0; i < 4; i++)
		packed_add_chain (&p, 3, 1, i);
	CU_ASSERT (ring_kicks_on (p.g.ring));
	CU_ASSERT_FALSE (ring_kicks_on (p.g.ring));	/* it was told once */
	CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
	CU_ASSERT_FALSE (ring_kicks_on (p.g.ring));
	CU_ASSERT_EQUAL (packed_event_position (&p), p.next);
	CU_ASSERT (ring_has_work (p.g.ring));
	packed_add (&p, GUEST_DATA, 1, 4, WRITE);
	CU_ASSERT (ring_kicks_on (p.g.ring));
	CU_ASSERT_FALSE (ring_kicks_on (p.g.ring));
	CU_ASSERT_EQUAL (packed_event_position (&p), p.next);
	end (&p, fd);
}

/* But those that the turn's budget left are due again. */
static void
a_turn_ends (void)
{
	struct vh_request *reqs[8];
	struct packed p;
	int fd = begin (&p, 16, 0);

	for (unsigned i = 0; i < 6; i++)
		packed_add_chain (&p, 2, 1, i);
	ring_new_turn (p.g.ring, 4);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (p.g.ring, reqs, 3), 3);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (p.g.ring, reqs, 8), 1);
	CU_ASSERT_EQUAL (vh_ring_take (p.g.ring, reqs, 8), 0);
	CU_ASSERT (ring_kicks_on (p.g.ring));
	CU_ASSERT (ring_kicks_on (p.g.ring));
	ring_new_turn (p.g.ring, 2);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (p.g.ring, reqs, 8), 2);
	CU_ASSERT_FALSE (ring_kicks_on (p.g.ring));
	end (&p, fd);
}

/* A batch that is just as large as what is there, and then comes more: that is news. */
static void
news_behind_a_full_batch (void)
{
	struct vh_request *reqs[4];
	struct packed p;
	int fd = begin (&p, 16, 0);

	for (unsigned i = 0; i < 4; i++)
		packed_add (&p, GUEST_DATA, 1, i, WRITE);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (p.g.ring, reqs, 4), 4);
	packed_add (&p, GUEST_DATA, 1, 4, WRITE);
	CU_ASSERT (ring_kicks_on (p.g.ring));
	end (&p, fd);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "flags suppress calls", flags_suppress_calls },
		{ "calls when the event is passed", calls_when_the_event_is_passed },
		{ "a new call fd is called", a_new_call_fd_is_called },
		{ "kicks by flags", kicks_by_flags },
		{ "kicks by event position", kicks_by_event_position },
		{ "requests that are left", requests_that_are_left },
		{ "a turn ends", a_turn_ends },
		{ "news behind a full batch", news_behind_a_full_batch },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("packed-notify", tests);
}
