/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls and kicks: when a driver is called, and what it is told about kicking, with and without event indexes.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "queue/notify.h"
#include "tests/suite.h"
#include "tests/unit/guest.h"

#define NO_INTERRUPT 1u
#define NO_NOTIFY 1u

static int
begin (struct guest *g, uint64_t features, uint16_t base)
{
	int fd = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);

	CU_ASSERT_FATAL (fd >= 0);
	guest_open (g, 256, features);
	g->setup.base = base;
	guest_set_avail (g, base);
	guest_set_used_idx (g, base);
	*(uint16_t *) guest_at (g, GUEST_USED) = 0xffff;	/* flags that another start left */
	CU_ASSERT_EQUAL_FATAL (guest_start (g), 0);
	for (unsigned i = 0; i < 256; i++)
		guest_desc (g, GUEST_DESC, i, GUEST_DATA, 1, WRITE, 0);
	ring_set_call (g->ring, fd);
	return fd;
}

static void
end (struct guest *g, int fd)
{
	guest_close (g);
	close (fd);
}

/* Serves n requests in one batch. */
static void
serve (struct guest *g, unsigned n)
{
	struct vh_request *reqs[256];

	for (unsigned i = 0; i < n; i++)
		guest_offer (g, i);
	ring_new_turn (g->ring, n);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g->ring, reqs, n), (int) n);
	for (unsigned i = 0; i < n; i++)
		vh_ring_give (g->ring, reqs[i], 0);
	vh_ring_flush (g->ring);
}

/* --- calls --- */

/* The decision, for every step, event and position near the wrap, beside a count of the positions passed. */
static void
event_index_decision (void)
{
	unsigned wrong = 0;

	for (unsigned b = 0; b < 72; b++)
		for (unsigned step = 0; step < 70; step++)
			for (unsigned e = 0; e < 300; e++) {
				uint16_t before = (uint16_t) (65500 + b), now = (uint16_t) (before + step), event = (uint16_t) (65400 + e);
				bool passed = false;

				for (uint16_t at = before; at != now; at++)
					passed |= at == event;
				wrong += event_passed (event, now, before) != passed;
			}
	CU_ASSERT_EQUAL (wrong, 0);
	/* The largest step of a ring. */
	CU_ASSERT (event_passed (0, 32768, 0));
	CU_ASSERT (event_passed (32767, 32768, 0));
	CU_ASSERT_FALSE (event_passed (32768, 32768, 0));
	CU_ASSERT_FALSE (event_passed (65535, 32768, 0));
}

/* The same through rings, across the wrap: one call exactly when the driver's event is passed. */
static void
calls_when_the_event_is_passed (void)
{
	struct guest g;
	int fd = begin (&g, VH_BIT (VH_F_EVENT_IDX), 65400);
	unsigned expected = 0, seen = 0;

	/* The first decision after a start is always to call. */
	guest_set_used_event (&g, 1234);
	serve (&g, 1);
	CU_ASSERT_EQUAL (suite_signals (fd), 1);
	for (unsigned i = 0; i < 400; i++) {
		unsigned n = 1 + i % 5, ahead = i % 7;

		guest_set_used_event (&g, (uint16_t) (guest_used_idx (&g) + ahead));
		serve (&g, n);
		expected += ahead < n;
		seen += suite_signals (fd);
		CU_ASSERT_EQUAL_FATAL (seen, expected);
	}
	CU_ASSERT (expected > 100 && expected < 400);
	end (&g, fd);
}

/* With event indexes the driver's flags mean nothing. */
static void
event_index_overrides_flags (void)
{
	struct guest g;
	int fd = begin (&g, VH_BIT (VH_F_EVENT_IDX), 0);

	serve (&g, 1);
	CU_ASSERT_EQUAL (suite_signals (fd), 1);
	guest_set_flags (&g, NO_INTERRUPT);
	guest_set_used_event (&g, guest_used_idx (&g));
	serve (&g, 1);
	CU_ASSERT_EQUAL (suite_signals (fd), 1);
	end (&g, fd);
}

static void
flags_suppress_calls (void)
{
	struct vh_ring_counters c;
	struct guest g;
	int fd = begin (&g, 0, 0);

	serve (&g, 3);
	CU_ASSERT_EQUAL (suite_signals (fd), 1);
	guest_set_flags (&g, NO_INTERRUPT);
	serve (&g, 3);
	CU_ASSERT_EQUAL (suite_signals (fd), 0);
	guest_set_flags (&g, 0xfffe);
	serve (&g, 1);
	CU_ASSERT_EQUAL (suite_signals (fd), 1);
	vh_ring_get_counters (g.ring, &c);
	CU_ASSERT_EQUAL (c.calls, 2);
	CU_ASSERT_EQUAL (c.batches, 3);
	CU_ASSERT_EQUAL (c.requests, 7);
	end (&g, fd);
}

static void
calls_when_the_ring_is_empty (void)
{
	struct vh_request *reqs[2];
	struct guest g;
	int fd = begin (&g, VH_BIT (VH_F_NOTIFY_ON_EMPTY), 0);

	guest_set_flags (&g, NO_INTERRUPT);
	serve (&g, 1);
	CU_ASSERT_EQUAL (suite_signals (fd), 1);
	/* Not while one is in flight. */
	ring_new_turn (g.ring, 8);
	guest_offer (&g, 0);
	guest_offer (&g, 1);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 1), 1);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs + 1, 1), 1);
	guest_give (&g, reqs[0], 0);
	CU_ASSERT_EQUAL (suite_signals (fd), 0);
	guest_give (&g, reqs[1], 0);
	CU_ASSERT_EQUAL (suite_signals (fd), 1);
	/* Nor while one is available. */
	guest_offer (&g, 0);
	guest_offer (&g, 1);
	guest_offer (&g, 2);
	ring_new_turn (g.ring, 8);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 2), 2);
	guest_give (&g, reqs[0], 0);
	CU_ASSERT_EQUAL (suite_signals (fd), 0);
	guest_give (&g, reqs[1], 0);
	CU_ASSERT_EQUAL (suite_signals (fd), 0);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 2), 1);
	guest_give (&g, reqs[0], 0);
	CU_ASSERT_EQUAL (suite_signals (fd), 1);
	end (&g, fd);
}

static void
nothing_given_is_nothing_said (void)
{
	struct vh_ring_counters c;
	struct guest g;
	int fd = begin (&g, 0, 0);

	vh_ring_flush (g.ring);
	CU_ASSERT_EQUAL (suite_signals (fd), 0);
	vh_ring_get_counters (g.ring, &c);
	CU_ASSERT_EQUAL (c.batches, 0);
	end (&g, fd);
}

/* Whoever listens on a new fd may have missed what happened before. */
static void
a_new_call_fd_is_called (void)
{
	struct guest g;
	int fd = begin (&g, VH_BIT (VH_F_EVENT_IDX), 0), other = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);

	serve (&g, 1);
	CU_ASSERT_EQUAL (suite_signals (fd), 1);
	guest_set_used_event (&g, 0x4000);
	serve (&g, 1);
	ring_set_call (g.ring, fd);
	serve (&g, 1);
	CU_ASSERT_EQUAL (suite_signals (fd), 0);
	ring_set_call (g.ring, -1);
	serve (&g, 1);
	ring_set_call (g.ring, other);
	serve (&g, 1);
	CU_ASSERT_EQUAL (suite_signals (fd), 0);
	CU_ASSERT_EQUAL (suite_signals (other), 1);
	serve (&g, 1);
	CU_ASSERT_EQUAL (suite_signals (other), 0);
	close (other);
	end (&g, fd);
}

/* --- kicks --- */

static void
kicks_by_flags (void)
{
	struct vh_ring_counters c;
	struct vh_request *r;
	struct guest g;
	int fd = begin (&g, 0, 0);

	CU_ASSERT_EQUAL (guest_used_flags (&g), 0);
	ring_kicks_off (g.ring);
	CU_ASSERT_EQUAL (guest_used_flags (&g), NO_NOTIFY);
	CU_ASSERT_FALSE (ring_kicks_on (g.ring));
	CU_ASSERT_EQUAL (guest_used_flags (&g), 0);
	ring_kicks_off (g.ring);
	CU_ASSERT_EQUAL (guest_used_flags (&g), NO_NOTIFY);
	guest_offer (&g, 0);
	CU_ASSERT (ring_has_work (g.ring));
	CU_ASSERT (ring_kicks_on (g.ring));
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, &r, 1), 1);
	CU_ASSERT_FALSE (ring_has_work (g.ring));
	CU_ASSERT_FALSE (ring_kicks_on (g.ring));
	ring_count_kick (g.ring);
	vh_ring_get_counters (g.ring, &c);
	CU_ASSERT_EQUAL (c.kicks, 1);
	end (&g, fd);
}

static void
kicks_by_event_index (void)
{
	struct vh_request *r;
	struct guest g;
	int fd = begin (&g, VH_BIT (VH_F_EVENT_IDX), 65535);

	ring_kicks_off (g.ring);
	CU_ASSERT_EQUAL (guest_used_flags (&g), 0);
	CU_ASSERT_FALSE (ring_kicks_on (g.ring));
	CU_ASSERT_EQUAL (guest_avail_event (&g), 65535);
	guest_offer (&g, 0);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, &r, 1), 1);
	CU_ASSERT_EQUAL (guest_avail_event (&g), 65535);
	CU_ASSERT_FALSE (ring_kicks_on (g.ring));
	CU_ASSERT_EQUAL (guest_avail_event (&g), 0);
	guest_offer (&g, 1);
	CU_ASSERT (ring_kicks_on (g.ring));
	end (&g, fd);
}

/* Requests that a device leaves in the ring are no news, so that it is not asked again and again; new ones are. */
static void
requests_that_are_left (void)
{
	struct vh_request *r;
	struct guest g;
	int fd = begin (&g, VH_BIT (VH_F_EVENT_IDX), 0);

	for (unsigned i = 0; i < 4; i++)
		guest_offer (&g, i);
	CU_ASSERT (ring_kicks_on (g.ring));
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, &r, 1), 1);
	CU_ASSERT_FALSE (ring_kicks_on (g.ring));
	CU_ASSERT_EQUAL (guest_avail_event (&g), 4);
	CU_ASSERT (ring_has_work (g.ring));
	guest_offer (&g, 4);
	CU_ASSERT (ring_kicks_on (g.ring));
	end (&g, fd);
}

/* But those that the turn's budget left are due again. */
static void
a_turn_ends (void)
{
	struct vh_request *reqs[8];
	struct guest g;
	int fd = begin (&g, 0, 0);

	for (unsigned i = 0; i < 6; i++)
		guest_offer (&g, i);
	ring_new_turn (g.ring, 4);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 3), 3);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 8), 1);
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, reqs, 8), 0);
	CU_ASSERT (ring_kicks_on (g.ring));
	CU_ASSERT (ring_kicks_on (g.ring));
	ring_new_turn (g.ring, 2);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 8), 2);
	CU_ASSERT_FALSE (ring_kicks_on (g.ring));
	end (&g, fd);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "event index: the decision", event_index_decision },
		{ "calls when the event is passed", calls_when_the_event_is_passed },
		{ "event index overrides flags", event_index_overrides_flags },
		{ "flags suppress calls", flags_suppress_calls },
		{ "calls when the ring is empty", calls_when_the_ring_is_empty },
		{ "nothing given is nothing said", nothing_given_is_nothing_said },
		{ "a new call fd is called", a_new_call_fd_is_called },
		{ "kicks by flags", kicks_by_flags },
		{ "kicks by event index", kicks_by_event_index },
		{ "requests that are left", requests_that_are_left },
		{ "a turn ends", a_turn_ends },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("notify", tests);
}
