/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rings with IN_ORDER, split and packed: requests are used in the order in which they were taken, and one used element stands for a row of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/suite.h"
#include "tests/unit/demand-guest.h"
#include "tests/unit/packed-guest.h"

#define MAX 16

static const struct guest_region whole[] = { { 0, 0, GUEST_SIZE, 0 } };

/* One of the two kinds; heads or ids are the numbers of requests, modulo the size. */
struct ring {
	struct packed p;
	bool packed;
	uint16_t used;		/* split: position */
};

static void
begin_in (struct ring *r, bool packed, unsigned size, const struct guest_region *regions, unsigned n)
{
	uint64_t features = VH_BIT (VH_F_IN_ORDER) | VH_BIT (VH_F_INDIRECT_DESC);

	fake_map_reset ();
	r->packed = packed;
	r->used = 0;
	if (packed)
		packed_open (&r->p, size, features);
	else
		guest_open (&r->p.g, size, features);
	guest_set_regions (&r->p.g, regions, n);
	CU_ASSERT_EQUAL_FATAL (packed ? packed_start (&r->p, 0x80008000) : guest_start (&r->p.g), 0);
}

static void
begin (struct ring *r, bool packed, unsigned size)
{
	begin_in (r, packed, size, whole, 1);
}

static void
end (struct ring *r)
{
	guest_close (&r->p.g);
}

/* A buffer of ten bytes for writing. */
static void
offer (struct ring *r, unsigned n)
{
	unsigned id = n % r->p.g.setup.size;

	if (r->packed) {
		packed_add (&r->p, GUEST_DATA + 16 * id, 10, id, WRITE);
		return;
	}
	guest_desc (&r->p.g, GUEST_DESC, id, GUEST_DATA + 16 * id, 10, WRITE, 0);
	guest_offer (&r->p.g, id);
}

static void
take (struct ring *r, struct vh_request **reqs, unsigned n)
{
	ring_new_turn (r->p.g.ring, n);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (r->p.g.ring, reqs, n), (int) n);
}

/* The next used element is that of request n and stands for `row` of them; nothing was written in between. */
static bool
is_used (struct ring *r, unsigned n, unsigned row, uint32_t len)
{
	unsigned id = n % r->p.g.setup.size;
	uint16_t at = r->used;

	if (r->packed)
		return packed_is_used (&r->p, row, id, len);
	if ((uint16_t) (guest_used_idx (&r->p.g) - at) < row)
		return false;
	r->used = (uint16_t) (at + row);
	return guest_used_id (&r->p.g, at) == id && guest_used_len (&r->p.g, at) == len;
}

static bool
nothing_is_used (struct ring *r)
{
	struct packed_used u;

	return r->packed ? !packed_reap (&r->p, 1, &u) : guest_used_idx (&r->p.g) == r->used;
}

/* --- the order --- */

static void
early_ones_wait (void)
{
	for (unsigned packed = 0; packed < 2; packed++) {
		struct vh_request *reqs[4];
		struct ring r;

		begin (&r, packed, 8);
		for (unsigned i = 0; i < 4; i++)
			offer (&r, i);
		take (&r, reqs, 4);
		guest_give (&r.p.g, reqs[2], 1);
		guest_give (&r.p.g, reqs[3], 2);
		CU_ASSERT (nothing_is_used (&r));
		CU_ASSERT_EQUAL (vh_ring_in_flight (r.p.g.ring), 2);
		guest_give (&r.p.g, reqs[0], 3);
		CU_ASSERT (is_used (&r, 0, 1, 3));
		CU_ASSERT (nothing_is_used (&r));
		guest_give (&r.p.g, reqs[1], 4);
		CU_ASSERT (is_used (&r, 1, 1, 4));
		CU_ASSERT (is_used (&r, 2, 1, 1));
		CU_ASSERT (is_used (&r, 3, 1, 2));
		CU_ASSERT (nothing_is_used (&r));
		end (&r);
	}
}

/* Any order of giving, in rings that go around many times: used is what was taken first. */
static void
any_order_of_giving (void)
{
	for (unsigned packed = 0; packed < 2; packed++) {
		unsigned offered = 0, used = 0;
		struct vh_request *reqs[MAX];
		struct ring r;

		srand (7);
		begin (&r, packed, MAX);
		for (unsigned round = 0; round < 5000; round++) {
			unsigned n = 1 + (unsigned) rand () % MAX;

			for (unsigned i = 0; i < n; i++)
				offer (&r, offered + i);
			take (&r, reqs, n);
			for (unsigned i = n; i > 0; i--) {
				unsigned pick = (unsigned) rand () % i;

				vh_ring_give (r.p.g.ring, reqs[pick], 5);	/* so each has an element of its own */
				reqs[pick] = reqs[i - 1];
				if (rand () % 2)
					vh_ring_flush (r.p.g.ring);
			}
			vh_ring_flush (r.p.g.ring);
			for (offered += n; used < offered; used++)
				CU_ASSERT_FATAL (is_used (&r, used, 1, 5));
		}
		end (&r);
	}
}

/* --- one element for a row --- */

/* Those before the last one were written to their end; one that was not begins another row. */
static void
rows (void)
{
	for (unsigned packed = 0; packed < 2; packed++) {
		struct vh_request *reqs[6];
		struct ring r;

		begin (&r, packed, 8);
		for (unsigned round = 0; round < 20; round++) {
			unsigned first = 6 * round;

			for (unsigned i = 0; i < 6; i++)
				offer (&r, first + i);
			take (&r, reqs, 6);
			for (unsigned i = 0; i < 6; i++)
				vh_ring_give (r.p.g.ring, reqs[i], i == 2 ? 9 : 10);
			vh_ring_flush (r.p.g.ring);
			CU_ASSERT_FATAL (is_used (&r, first + 2, 3, 9));
			CU_ASSERT_FATAL (is_used (&r, first + 5, 3, 10));
			CU_ASSERT (nothing_is_used (&r));
		}
		end (&r);
	}
}

/* The elements in between are not written at all. */
static void
skipped_elements_are_left_alone (void)
{
	struct vh_request *reqs[4];
	struct ring r;

	begin (&r, false, 4);
	memset (guest_at (&r.p.g, GUEST_USED + 4), 0x11, 4 * 8);
	for (unsigned i = 0; i < 4; i++)
		offer (&r, i);
	take (&r, reqs, 4);
	for (unsigned i = 0; i < 4; i++)
		vh_ring_give (r.p.g.ring, reqs[i], 10);
	vh_ring_flush (r.p.g.ring);
	CU_ASSERT_EQUAL (guest_used_idx (&r.p.g), 4);
	CU_ASSERT (is_used (&r, 3, 4, 10));
	for (uint16_t i = 1; i < 4; i++)
		CU_ASSERT (guest_used_id (&r.p.g, i) == 0x11111111 && guest_used_len (&r.p.g, i) == 0x11111111);
	end (&r);
}

/* Chains of several descriptors: a row's are skipped all together. */
static void
rows_of_chains (void)
{
	struct vh_request *reqs[4];
	struct packed p;

	packed_begin (&p, 11, VH_BIT (VH_F_IN_ORDER));
	for (unsigned round = 0; round < 20; round++) {
		ring_new_turn (p.g.ring, 4);
		for (unsigned i = 0; i < 4; i++)
			packed_add_chain (&p, 1 + i, 16, i);
		CU_ASSERT_EQUAL_FATAL (vh_ring_take (p.g.ring, reqs, 4), 4);
		for (unsigned i = 4; i > 0; i--)
			vh_ring_give (p.g.ring, reqs[i - 1], 0);	/* there is nothing to write: all are complete */
		vh_ring_flush (p.g.ring);
		CU_ASSERT_FATAL (packed_is_used (&p, 10, 3, 0));
	}
	packed_close (&p);
}

/* A chain that leads outside memory: how much the driver has room for is not known, so it does not count as written. */
static void
faults_end_a_row (void)
{
	for (unsigned packed = 0; packed < 2; packed++) {
		struct vh_request *reqs[2];
		struct ring r;

		begin (&r, packed, 8);
		if (packed) {
			packed_add (&r.p, 0, 100, 0, NEXT | WRITE);
			packed_add (&r.p, GUEST_DATA, 1, 0, WRITE);
		} else {
			guest_desc (&r.p.g, GUEST_DESC, 0, 0, 100, NEXT | WRITE, 7);
			guest_desc (&r.p.g, GUEST_DESC, 7, GUEST_DATA, 1, WRITE, 0);
			guest_offer (&r.p.g, 0);
		}
		offer (&r, 1);
		take (&r, reqs, 2);
		CU_ASSERT_EQUAL (reqs[0]->error, -EFAULT);
		vh_ring_give (r.p.g.ring, reqs[0], 1);
		vh_ring_give (r.p.g.ring, reqs[1], 10);
		vh_ring_flush (r.p.g.ring);
		CU_ASSERT (packed ? packed_is_used (&r.p, 2, 0, 1) : is_used (&r, 0, 1, 1));
		CU_ASSERT (is_used (&r, 1, 1, 10));
		end (&r);
	}
}

/* --- rules, and an end --- */

/* A head that was given back and waits for others is not the driver's yet. */
static void
a_head_that_waits (void)
{
	struct vh_request *reqs[2], *third;
	struct ring r;

	begin (&r, false, 8);
	offer (&r, 0);
	offer (&r, 1);
	take (&r, reqs, 2);
	guest_give (&r.p.g, reqs[1], 10);
	offer (&r, 1);
	ring_new_turn (r.p.g.ring, 8);
	CU_ASSERT_EQUAL (vh_ring_take (r.p.g.ring, &third, 1), -EPROTO);
	CU_ASSERT_EQUAL (r.p.g.broken, 1);
	CU_ASSERT_EQUAL (vh_ring_in_flight (r.p.g.ring), 1);
	guest_give (&r.p.g, reqs[0], 10);
	CU_ASSERT_EQUAL (vh_ring_in_flight (r.p.g.ring), 0);
	CU_ASSERT_EQUAL (guest_used_idx (&r.p.g), 0);
	end (&r);
}

/* When the last one in flight was given back, nothing waits any more. */
static void
a_ring_that_stops (void)
{
	for (unsigned packed = 0; packed < 2; packed++) {
		struct vh_request *reqs[3];
		struct ring r;

		begin (&r, packed, 8);
		for (unsigned i = 0; i < 3; i++)
			offer (&r, i);
		take (&r, reqs, 3);
		guest_give (&r.p.g, reqs[2], 10);
		ring_set_stopping (r.p.g.ring);
		guest_give (&r.p.g, reqs[1], 10);
		CU_ASSERT (nothing_is_used (&r));
		guest_give (&r.p.g, reqs[0], 10);
		CU_ASSERT (is_used (&r, 2, 3, 10));
		CU_ASSERT_EQUAL (r.p.g.idle, 1);
		CU_ASSERT_EQUAL (ring_base (r.p.g.ring), packed ? 0x80038003 : 3);
		end (&r);
	}
}

/* Leases end with the last of those that share them; the order is that of taking all the same. */
static void
memory_on_demand (void)
{
	for (unsigned packed = 0; packed < 2; packed++) {
		struct vh_request *reqs[4];
		struct ring r;

		begin_in (&r, packed, 8, demand_regions, 2);
		for (unsigned round = 0; round < 10; round++) {
			for (unsigned i = 0; i < 4; i++)
				offer (&r, 4 * round + i);
			ring_new_turn (r.p.g.ring, 4);
			for (unsigned i = 0; i < 4; i++)	/* a batch each */
				CU_ASSERT_EQUAL_FATAL (vh_ring_take (r.p.g.ring, &reqs[i], 1), 1);
			for (unsigned i = 4; i > 0; i--) {
				CU_ASSERT (nothing_is_used (&r));
				guest_give (&r.p.g, reqs[i - 1], 10);
			}
			CU_ASSERT_FATAL (is_used (&r, 4 * round + 3, 4, 10));
			CU_ASSERT_EQUAL (fake_map.leases, 0);
		}
		end (&r);
	}
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "early ones wait", early_ones_wait },
		{ "any order of giving", any_order_of_giving },
		{ "rows", rows },
		{ "skipped elements are left alone", skipped_elements_are_left_alone },
		{ "rows of chains", rows_of_chains },
		{ "faults end a row", faults_end_a_row },
		{ "a head that waits", a_head_that_waits },
		{ "a ring that stops", a_ring_that_stops },
		{ "memory on demand", memory_on_demand },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("order", tests);
}
