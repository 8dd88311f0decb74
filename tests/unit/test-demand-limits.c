/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rings whose memory is mapped on demand, with a memory model of the test's: what happens when it has no room,
 * when the guest did not grant what it offers, and when memory changes or goes.
 */
#include <errno.h>

#include <vhost/loop.h>

#include "tests/suite.h"
#include "tests/unit/demand-guest.h"

/* --- want of room --- */

/* As many requests as there is room for; the others stay in the ring, and their turn comes when a lease ends. */
static void
back_pressure (void)
{
	struct vh_request *reqs[16];
	unsigned served = 0;
	struct guest g;

	demand_begin (&g, 64);
	fake_map.room = 20;	/* six requests */
	for (unsigned i = 0; i < 16; i++)
		demand_offer (&g, i);
	ring_new_turn (g.ring, 1000);
	while (served < 16) {
		unsigned n = 0, woken = g.woken;
		int got;

		while ((got = vh_ring_take (g.ring, reqs + n, 16 - n)) > 0)
			n += (unsigned) got;
		CU_ASSERT_EQUAL (got, 0);
		CU_ASSERT_EQUAL_FATAL (n, served < 12 ? 6 : 4);
		CU_ASSERT_EQUAL (ring_base (g.ring), served + n);
		CU_ASSERT_EQUAL (vh_ring_in_flight (g.ring), n);
		CU_ASSERT_FALSE (ring_kicks_on (g.ring));	/* what is left is no news */
		for (unsigned i = 0; i < n; i++)
			demand_serve (&g, reqs[i], served + i);
		CU_ASSERT_EQUAL (g.woken, woken);
		for (unsigned i = 0; i < n; i++)
			vh_ring_give (g.ring, reqs[i], 1);
		vh_ring_flush (g.ring);
		served += n;
		CU_ASSERT_EQUAL (g.woken > woken, served < 16);
	}
	CU_ASSERT_EQUAL (g.broken, 0);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 16);
	demand_end (&g);
}

/* It is others that have too much mapped: a timer, because nobody tells us when they have less. */
static void
others_have_all_the_room (void)
{
	struct vh_request *r;
	struct guest g;
	struct vh_loop *loop;

	demand_open (&g, 8);
	CU_ASSERT_EQUAL_FATAL (vh_loop_new (&loop), 0);
	g.setup.loop = loop;
	CU_ASSERT_EQUAL_FATAL (guest_start (&g), 0);
	fake_map.error = -EAGAIN;
	demand_offer (&g, 0);
	ring_new_turn (g.ring, 1);
	for (unsigned i = 0; i < 20; i++)	/* what cannot be had costs nothing */
		CU_ASSERT_EQUAL (vh_ring_take (g.ring, &r, 1), 0);
	CU_ASSERT_EQUAL (ring_base (g.ring), 0);
	CU_ASSERT_FALSE (ring_kicks_on (g.ring));
	demand_offer (&g, 1);
	CU_ASSERT_FALSE (ring_kicks_on (g.ring));	/* there is no room for that one either */
	for (unsigned i = 0; g.woken == 0 && i < 100; i++)
		vh_loop_dispatch (loop, 100);
	CU_ASSERT_EQUAL (g.woken, 1);
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, &r, 1), 0);
	fake_map.error = 0;
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, &r, 1), 1);
	demand_serve (&g, r, 0);
	guest_give (&g, r, 1);
	/* A ring that stops waits for nothing any more. */
	fake_map.error = -EAGAIN;
	ring_new_turn (g.ring, 1);
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, &r, 1), 0);
	g.woken = 0;
	ring_set_stopping (g.ring);
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 20), 0);
	CU_ASSERT_EQUAL (g.woken, 0);
	demand_end (&g);
	vh_loop_free (loop);
}

static void
no_room_for_an_indirect_table (void)
{
	struct vh_request *reqs[2];
	struct guest g;

	demand_begin (&g, 8);
	guest_chain (&g, TABLE, 0, 1, 64);
	demand_offer (&g, 0);
	guest_desc (&g, GUEST_DESC, 4, GUEST_DATA, 1, NEXT, 5);	/* a part before it, which is not to be mapped either */
	guest_desc (&g, GUEST_DESC, 5, TABLE, 16, INDIRECT, 0);
	guest_offer (&g, 4);
	fake_map.room = 0;
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, reqs, 2), 0);
	fake_map.room = 3;
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 2), 1);
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, reqs + 1, 1), 0);
	vh_ring_give (g.ring, reqs[0], 1);
	CU_ASSERT_EQUAL (g.woken, 1);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs + 1, 1), 1);
	CU_ASSERT_EQUAL (reqs[1]->n_out, 2);
	vh_ring_give (g.ring, reqs[1], 1);
	CU_ASSERT_EQUAL (g.broken, 0);
	demand_end (&g);
}

/* More than a model can ever map is mapped by several calls; a single request of that kind stops the ring. */
static void
more_than_can_ever_be_mapped (void)
{
	struct vh_request *reqs[8];
	unsigned n = 0;
	struct guest g;

	demand_begin (&g, 32);
	fake_map.most = 7;
	for (unsigned i = 0; i < 8; i++)
		demand_offer (&g, i);
	while (n < 8) {
		int got = vh_ring_take (g.ring, reqs, 8 - n);

		CU_ASSERT_FATAL (got > 0 && got <= 2);
		for (int i = 0; i < got; i++)
			vh_ring_give (g.ring, reqs[i], 1);
		n += (unsigned) got;
	}
	vh_ring_flush (g.ring);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 8);
	fake_map.most = 2;
	ring_new_turn (g.ring, 8);
	demand_offer (&g, 0);
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, reqs, 8), -ENOMEM);
	CU_ASSERT_EQUAL (g.broken, 1);
	demand_end (&g);
}

/* --- what the guest did not grant --- */

/* One request of a batch is at fault, in its header, its data or its status; the others are served. */
static void
parts_that_are_not_granted (void)
{
	static const struct {
		uint64_t offset;
		unsigned n_in;
	} cases[] = { { 5, 1 }, { 0x900, 1 }, { 0x3fff, 0 } };

	for (unsigned c = 0; c < 3; c++) {
		struct vh_request *reqs[5];
		struct guest g;

		demand_begin (&g, 32);
		fake_map.refused = demand_data (2) + cases[c].offset;
		fake_map.refused_size = 1;
		for (unsigned i = 0; i < 5; i++)
			demand_offer (&g, i);
		CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 5), 5);
		for (unsigned i = 0; i < 5; i++)
			if (i != 2)
				demand_serve (&g, reqs[i], i);
		guest_check_fault (reqs[2], cases[c].n_in);
		if (reqs[2]->n_in)
			*(unsigned char *) reqs[2]->in[0].iov_base = 0x77;
		CU_ASSERT_EQUAL (*(unsigned char *) guest_at (&g, demand_data (2) + 0x3fff), cases[c].n_in ? 0x77 : 0);
		for (unsigned i = 0; i < 5; i++)
			vh_ring_give (g.ring, reqs[i], 1);
		vh_ring_flush (g.ring);
		CU_ASSERT_EQUAL (guest_used_idx (&g), 5);
		CU_ASSERT_EQUAL (g.broken, 0);
		demand_end (&g);
	}
}

/* Its status is in memory that is mapped in advance. */
static void
status_elsewhere (void)
{
	struct vh_request *r;
	struct guest g;

	demand_begin (&g, 8);
	fake_map.refused = GUEST_DATA;
	fake_map.refused_size = 1;
	guest_desc (&g, GUEST_DESC, 0, GUEST_DATA, 16, NEXT, 1);
	guest_desc (&g, GUEST_DESC, 1, MAPPED, 1, WRITE, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	CU_ASSERT_EQUAL (r->error, -EFAULT);
	CU_ASSERT_EQUAL_FATAL (r->n_in, 1);
	CU_ASSERT_PTR_EQUAL (r->in[0].iov_base, guest_host (&g, MAPPED));
	guest_give (&g, r, 1);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 1);
	demand_end (&g);
}

/* Outside all regions: what was to be mapped of the request is forgotten, but for its status. */
static void
parts_outside_memory (void)
{
	struct vh_request *r;
	struct guest g;

	demand_begin (&g, 8);
	demand_offer (&g, 0);
	guest_desc (&g, GUEST_DESC, 1, 0, 4096, NEXT | WRITE, 2);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, &r, 1), 1);
	CU_ASSERT_EQUAL (r->error, -EFAULT);
	CU_ASSERT_EQUAL_FATAL (r->n_in, 1);
	CU_ASSERT_EQUAL (fake_map.ranges, 1);
	*(unsigned char *) r->in[0].iov_base = 1;
	vh_ring_give (g.ring, r, 1);
	demand_end (&g);
}

static void
other_failures_stop_the_ring (void)
{
	struct vh_request *reqs[3];
	struct guest g;

	demand_begin (&g, 16);
	for (unsigned i = 0; i < 3; i++)
		demand_offer (&g, i);
	fake_map.error = -EINVAL;
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, reqs, 3), -EINVAL);
	CU_ASSERT_EQUAL (g.broken, 1);
	CU_ASSERT_EQUAL (vh_ring_in_flight (g.ring), 0);
	demand_end (&g);
}

/* --- a driver that does not wait; memory that goes --- */

/* A head that comes again before it was published. */
static void
a_head_that_still_waits (void)
{
	struct vh_request *reqs[2], *r;
	struct guest g;

	demand_begin (&g, 8);
	demand_offer (&g, 0);
	demand_offer (&g, 1);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 2), 2);
	vh_ring_give (g.ring, reqs[0], 1);
	demand_offer (&g, 0);
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, &r, 1), -EPROTO);
	CU_ASSERT_EQUAL (vh_ring_in_flight (g.ring), 1);
	guest_give (&g, reqs[1], 1);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 0);
	demand_end (&g);
}

static void
leases_outlive_a_change_of_memory (void)
{
	static const struct guest_region one = { 0, 0, GUEST_SIZE, 0 };
	struct vh_request *reqs[2], *r;
	struct guest g;

	demand_begin (&g, 16);
	demand_offer (&g, 0);
	demand_offer (&g, 1);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 2), 2);
	guest_set_regions (&g, &one, 1);
	CU_ASSERT_EQUAL (ring_set_memory (g.ring, g.memory), 0);
	demand_offer (&g, 2);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, &r, 1), 1);
	CU_ASSERT_EQUAL (fake_map.calls, 1);
	vh_ring_give (g.ring, r, 1);
	demand_serve (&g, reqs[0], 0);
	demand_serve (&g, reqs[1], 1);
	guest_give (&g, reqs[0], 1);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 1);
	CU_ASSERT (ring_old_tables (g.ring));
	guest_give (&g, reqs[1], 1);
	CU_ASSERT_FALSE (ring_old_tables (g.ring));
	CU_ASSERT_EQUAL (guest_used_idx (&g), 3);
	CU_ASSERT_EQUAL (g.idle, 1);
	demand_end (&g);
}

/* The guest dies while a batch is mapped: nobody gets to see it, and nothing stays mapped. */
static void
memory_is_lost_while_it_is_mapped (void)
{
	struct vh_request *reqs[2];
	struct guest g;

	demand_begin (&g, 16);
	demand_offer (&g, 0);
	demand_offer (&g, 1);
	demand_lose_memory (&g);
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, reqs, 2), -EFAULT);
	CU_ASSERT_EQUAL (fake_map.calls, 1);
	CU_ASSERT_EQUAL (fake_map.leases, 0);
	CU_ASSERT_EQUAL (vh_ring_in_flight (g.ring), 0);
	CU_ASSERT_EQUAL (g.broken, 1);
	demand_end (&g);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "back-pressure", back_pressure },
		{ "others have all the room", others_have_all_the_room },
		{ "no room for an indirect table", no_room_for_an_indirect_table },
		{ "more than can ever be mapped", more_than_can_ever_be_mapped },
		{ "parts that are not granted", parts_that_are_not_granted },
		{ "status elsewhere", status_elsewhere },
		{ "parts outside memory", parts_outside_memory },
		{ "other failures stop the ring", other_failures_stop_the_ring },
		{ "a head that still waits", a_head_that_still_waits },
		{ "leases outlive a change of memory", leases_outlive_a_change_of_memory },
		{ "memory is lost while it is mapped", memory_is_lost_while_it_is_mapped },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("demand-limits", tests);
}
