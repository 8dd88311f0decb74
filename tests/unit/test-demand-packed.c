/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packed rings whose memory is mapped on demand: leases, requests that go back into the ring for want of room, areas that are on demand themselves.
 */
#include <errno.h>
#include <string.h>

#include "tests/suite.h"
#include "tests/unit/demand-guest.h"
#include "tests/unit/packed-guest.h"

static const struct guest_region all_on_demand[] = { { 0, 0, GUEST_SIZE, ON_DEMAND } };

static void
begin (struct packed *p, unsigned size, const struct guest_region *regions, unsigned n)
{
	fake_map_reset ();
	packed_open (p, size, VH_BIT (VH_F_INDIRECT_DESC));
	guest_set_regions (&p->g, regions, n);
	CU_ASSERT_EQUAL_FATAL (packed_start (p, 0x80008000), 0);
}

/* A header, data to fill and a status byte. */
static void
offer (struct packed *p, unsigned id)
{
	uint64_t data = GUEST_DATA + 0x4000 * (uint64_t) id;

	packed_add (p, data, 16, id, NEXT);
	packed_add (p, data + 0x1000, 4096, id, NEXT | WRITE);
	packed_add (p, data + 0x3000, 1, id, WRITE);
}

/* A batch has one lease and is published when its last request was given back, in the order of giving. */
static void
one_call_maps_a_batch (void)
{
	struct vh_request *reqs[5];
	struct packed_used u;
	struct packed p;

	begin (&p, 17, demand_regions, 2);
	for (unsigned round = 0; round < 9; round++) {
		unsigned ended = fake_map.ended;

		ring_new_turn (p.g.ring, 5);
		for (unsigned i = 0; i < 5; i++)
			offer (&p, 4 - i);
		CU_ASSERT_EQUAL_FATAL (vh_ring_take (p.g.ring, reqs, 5), 5);
		CU_ASSERT_EQUAL (fake_map.leases, 1);
		for (unsigned i = 0; i < 5; i++) {
			CU_ASSERT_FALSE (packed_reap (&p, 3, &u));
			memset (reqs[i]->in[0].iov_base, (int) (round + i), 4096);
			guest_give (&p.g, reqs[i], i);
		}
		CU_ASSERT_EQUAL (fake_map.ended, ended + 1);
		for (unsigned i = 0; i < 5; i++) {
			CU_ASSERT (packed_is_used (&p, 3, 4 - i, i));
			CU_ASSERT_EQUAL (*(unsigned char *) guest_at (&p.g, GUEST_DATA + 0x4000 * (4 - i) + 0x1fff), round + i);
		}
	}
	demand_end (&p.g);
}

/* What there is no room for stays in the ring, and is taken when there is. */
static void
requests_wait_for_room (void)
{
	struct vh_request *reqs[8];
	struct packed p;

	begin (&p, 24, demand_regions, 2);
	fake_map.room = 9;
	for (unsigned i = 0; i < 8; i++)
		offer (&p, i);
	for (unsigned served = 0; served < 8;) {
		int n = vh_ring_take (p.g.ring, reqs, 8);

		CU_ASSERT_FATAL (n > 0 && n <= 3);
		CU_ASSERT_EQUAL (ring_has_work (p.g.ring), served + (unsigned) n < 8);
		CU_ASSERT_FALSE (ring_kicks_on (p.g.ring));
		for (int i = 0; i < n; i++)
			vh_ring_give (p.g.ring, reqs[i], 1);
		vh_ring_flush (p.g.ring);
		for (int i = 0; i < n; i++)
			CU_ASSERT (packed_is_used (&p, 3, served++, 1));
	}
	CU_ASSERT (p.g.woken > 0);
	CU_ASSERT_EQUAL (ring_base (p.g.ring), p.next * 0x10001u);
	demand_end (&p.g);
}

/* An indirect table that cannot be read now: its request stays in the ring. */
static void
tables_wait_for_room (void)
{
	struct vh_request *r;
	struct packed p;

	begin (&p, 8, demand_regions, 2);
	packed_write_table (&p, GUEST_DATA, 3, 64);
	packed_add_table (&p, GUEST_DATA, 48, 1);
	fake_map.error = -EAGAIN;
	CU_ASSERT_EQUAL (packed_take_one (&p, &r), 0);
	CU_ASSERT (ring_has_work (p.g.ring));
	fake_map.error = 0;
	CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
	CU_ASSERT_EQUAL (r->n_out, 3);
	guest_give (&p.g, r, 0);
	CU_ASSERT (packed_is_used (&p, 1, 1, 0));
	demand_end (&p.g);
}

/* The descriptors are written, so they are mapped for that; the driver's event area is not. */
static void
areas (void)
{
	struct vh_request *r;
	struct packed p;

	begin (&p, 7, all_on_demand, 1);
	CU_ASSERT_EQUAL (fake_map.ranges, 3);
	CU_ASSERT_EQUAL (fake_map.writable, 2);
	for (unsigned i = 0; i < 20; i++) {
		ring_new_turn (p.g.ring, 1);
		offer (&p, 2);
		CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
		guest_give (&p.g, r, 1);
		CU_ASSERT (packed_is_used (&p, 3, 2, 1));
		CU_ASSERT_EQUAL (fake_map.leases, 1);
	}
	guest_set_regions (&p.g, all_on_demand, 1);
	CU_ASSERT_EQUAL (ring_set_memory (p.g.ring, p.g.memory), 0);
	CU_ASSERT_EQUAL (fake_map.leases, 1);
	demand_end (&p.g);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "one call maps a batch", one_call_maps_a_batch },
		{ "requests wait for room", requests_wait_for_room },
		{ "tables wait for room", tables_wait_for_room },
		{ "areas", areas },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("demand-packed", tests);
}
