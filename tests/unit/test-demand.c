/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rings whose memory is mapped on demand, with a memory model of the test's: how much is mapped by one call and for how long.
 */
#include <errno.h>
#include <string.h>

#include "tests/suite.h"
#include "tests/unit/demand-guest.h"

/* --- a lease for a batch --- */

static void
one_call_maps_a_batch (void)
{
	struct vh_request *reqs[16];
	struct guest g;

	demand_begin (&g, 128);
	for (unsigned i = 0; i < 16; i++)
		demand_offer (&g, i);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 16), 16);
	CU_ASSERT_EQUAL (fake_map.calls, 1);
	CU_ASSERT_EQUAL (fake_map.ranges, 48);
	CU_ASSERT_EQUAL (fake_map.writable, 32);	/* a guest grants what is only read as read-only */
	for (unsigned i = 0; i < 16; i++)
		demand_serve (&g, reqs[i], i);
	for (unsigned i = 0; i < 16; i++) {
		CU_ASSERT_EQUAL (fake_map.ended, 0);
		guest_give (&g, reqs[15 - i], i);
		CU_ASSERT_EQUAL (guest_used_idx (&g), i < 15 ? 0 : 16);
		CU_ASSERT_EQUAL (vh_ring_in_flight (g.ring), 15 - i);
	}
	CU_ASSERT_EQUAL (fake_map.ended, 1);
	for (unsigned i = 0; i < 16; i++) {
		CU_ASSERT_EQUAL (guest_used_id (&g, (uint16_t) i), 3 * (15 - i));
		CU_ASSERT_EQUAL (guest_used_len (&g, (uint16_t) i), i);
	}
	demand_end (&g);
}

static void
nothing_is_published_yet (void *opaque)
{
	CU_ASSERT_EQUAL (guest_used_idx (opaque), 0);
}

static void
the_lease_ends_before_publication (void)
{
	struct vh_request *r;
	struct guest g;

	demand_begin (&g, 8);
	demand_offer (&g, 0);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, &r, 1), 1);
	fake_map.ending = nothing_is_published_yet;
	fake_map.opaque = &g;
	guest_give (&g, r, 1);
	CU_ASSERT_EQUAL (fake_map.ended, 1);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 1);
	fake_map.ending = NULL;
	demand_end (&g);
}

/* Two batches are two leases; each is published when it is complete. */
static void
batches_do_not_wait_for_each_other (void)
{
	struct vh_request *first[2], *second[2];
	struct guest g;

	demand_begin (&g, 16);
	for (unsigned i = 0; i < 4; i++)
		demand_offer (&g, i);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, first, 2), 2);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, second, 2), 2);
	CU_ASSERT_EQUAL (fake_map.leases, 2);
	vh_ring_give (g.ring, first[0], 1);
	vh_ring_give (g.ring, second[1], 1);
	vh_ring_give (g.ring, second[0], 1);
	vh_ring_flush (g.ring);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 2);
	CU_ASSERT_EQUAL (guest_used_id (&g, 0), 9);
	CU_ASSERT_EQUAL (guest_used_id (&g, 1), 6);
	demand_serve (&g, first[1], 1);
	guest_give (&g, first[1], 1);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 4);
	demand_end (&g);
}

/* Requests in memory that is mapped in advance need no lease, and wait for nobody. */
static void
mapped_memory_needs_no_lease (void)
{
	struct vh_request *reqs[2];
	struct guest g;

	demand_begin (&g, 16);
	demand_offer (&g, 0);
	guest_desc (&g, GUEST_DESC, 9, MAPPED, 16, NEXT, 10);
	guest_desc (&g, GUEST_DESC, 10, MAPPED + 16, 1, WRITE, 0);
	guest_offer (&g, 9);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 2), 2);
	CU_ASSERT_EQUAL (fake_map.ranges, 3);
	CU_ASSERT_PTR_EQUAL (reqs[1]->out[0].iov_base, guest_host (&g, MAPPED));
	guest_give (&g, reqs[1], 1);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 1);
	CU_ASSERT_EQUAL (guest_used_id (&g, 0), 9);
	guest_give (&g, reqs[0], 1);
	guest_offer (&g, 9);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 1), 1);
	CU_ASSERT_EQUAL (fake_map.calls, 1);
	demand_end (&g);
}

/* Parts on both sides of the edge, and more of them than a request holds by itself. */
static void
long_chains_over_both_kinds (void)
{
	struct vh_request *reqs[2];
	struct guest g;

	demand_begin (&g, 128);
	for (unsigned k = 0; k < 2; k++) {
		unsigned first = 32 * k;

		for (unsigned i = 0; i < 20; i++)
			guest_desc (&g, GUEST_DESC, first + i, GUEST_DATA - 10 + 0x1000 * (i % 3 + 3 * k) + i, 20, NEXT | (i >= 10 ? WRITE : 0), first + i + 1);
		guest_desc (&g, GUEST_DESC, first + 20, GUEST_DATA + 0x9000 + k, 1, WRITE, 0);
		guest_offer (&g, first);
	}
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 2), 2);
	CU_ASSERT_EQUAL (fake_map.calls, 1);
	/* Of the first one's 20 the four at the edge, i % 3 == 0 and i < 10, are in both. */
	CU_ASSERT_EQUAL (reqs[0]->n_out + reqs[0]->n_in, 25);
	CU_ASSERT_EQUAL (reqs[1]->n_out + reqs[1]->n_in, 21);
	for (unsigned k = 0; k < 2; k++) {
		unsigned char out[200];

		for (unsigned i = 0; i < 10; i++)
			memset (guest_at (&g, GUEST_DATA - 10 + 0x1000 * (i % 3 + 3 * k) + i), (int) (i + 1), 20);
		CU_ASSERT_EQUAL (vh_parts_read (reqs[k]->out, reqs[k]->n_out, 0, out, sizeof (out)), 200);
		CU_ASSERT_EQUAL (out[199], 10);
		CU_ASSERT_EQUAL (vh_parts_write (reqs[k]->in, reqs[k]->n_in, 200, "!", 1), 1);
		CU_ASSERT_EQUAL (*(char *) guest_at (&g, GUEST_DATA + 0x9000 + k), '!');
		vh_ring_give (g.ring, reqs[k], 201);
	}
	vh_ring_flush (g.ring);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 2);
	demand_end (&g);
}

/* --- other memory on demand --- */

/* A table is read, and its mapping ends at once. */
static void
indirect_tables (void)
{
	struct vh_request *r;
	struct guest g;

	demand_begin (&g, 8);
	guest_chain (&g, TABLE, 0, 3, 64);
	guest_desc (&g, GUEST_DESC, 0, TABLE, 48, INDIRECT, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	CU_ASSERT_EQUAL (fake_map.calls, 2);
	CU_ASSERT_EQUAL (fake_map.ended, 1);
	CU_ASSERT_EQUAL (r->n_out, 3);
	vh_ring_give (g.ring, r, 0);
	demand_end (&g);
}

/* The ring's own areas: mapped by one call for as long as the ring is. */
static void
areas (void)
{
	static const struct guest_region one = { 0, 0, GUEST_SIZE, ON_DEMAND };
	struct vh_request *r;
	struct guest g;

	fake_map_reset ();
	guest_open (&g, 8, 0);
	guest_set_regions (&g, &one, 1);
	CU_ASSERT_EQUAL_FATAL (guest_start (&g), 0);
	CU_ASSERT_EQUAL (fake_map.calls, 1);
	CU_ASSERT_EQUAL (fake_map.ranges, 3);
	for (unsigned i = 0; i < 3; i++) {
		demand_offer (&g, 0);
		CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, &r, 1), 1);
		demand_serve (&g, r, 0);
		guest_give (&g, r, 1);
		CU_ASSERT_EQUAL (guest_used_idx (&g), i + 1);
		CU_ASSERT_EQUAL (fake_map.leases, 1);
	}
	ring_free (g.ring);
	CU_ASSERT_EQUAL (fake_map.leases, 0);
	CU_ASSERT_EQUAL_FATAL (guest_start (&g), 0);
	/* Another table: mapped again, then the old ones go. */
	guest_set_regions (&g, &one, 1);
	CU_ASSERT_EQUAL (ring_set_memory (g.ring, g.memory), 0);
	CU_ASSERT_EQUAL (fake_map.leases, 1);
	CU_ASSERT_EQUAL (fake_map.calls, 6);
	/* One in which they cannot be mapped. */
	fake_map.error = -EFAULT;
	guest_set_regions (&g, &one, 1);
	CU_ASSERT_EQUAL (ring_set_memory (g.ring, g.memory), -EFAULT);
	CU_ASSERT_EQUAL (fake_map.leases, 0);
	ring_free (g.ring);
	g.ring = NULL;
	fake_map.error = -EAGAIN;
	CU_ASSERT_EQUAL (guest_start (&g), -EAGAIN);
	demand_end (&g);
}

/* Areas that are not aligned here are unmapped again; the fake model keeps the offset in the page, as all do. */
static void
areas_that_are_refused (void)
{
	static const struct guest_region odd = { 0, 1, GUEST_SIZE - 1, ON_DEMAND };
	struct guest g;

	fake_map_reset ();
	guest_open (&g, 8, 0);
	guest_set_regions (&g, &odd, 1);
	CU_ASSERT_EQUAL (guest_start (&g), -EINVAL);
	CU_ASSERT_EQUAL (fake_map.calls, 1);
	demand_end (&g);
}

static void
copies (void)
{
	static unsigned char out[300000], in[300000];
	struct guest g;

	demand_open (&g, 8);
	for (unsigned i = 0; i < sizeof (out); i++)
		out[i] = (unsigned char) (i ^ i >> 8);
	/* From before the edge far into the region on demand: in pieces. */
	CU_ASSERT_EQUAL (vh_memory_write (g.memory, GUEST_DATA - 100, out, sizeof (out)), 0);
	CU_ASSERT_EQUAL (memcmp (guest_at (&g, GUEST_DATA - 100), out, sizeof (out)), 0);
	CU_ASSERT (fake_map.calls > 2);
	CU_ASSERT_EQUAL (vh_memory_read (g.memory, GUEST_DATA - 100, in, sizeof (in)), 0);
	CU_ASSERT_EQUAL (memcmp (in, out, sizeof (in)), 0);
	CU_ASSERT_EQUAL (fake_map.leases, 0);
	CU_ASSERT_EQUAL (vh_memory_write (g.memory, GUEST_BASE + GUEST_SIZE - 1, out, 2), -EFAULT);
	fake_map.error = -EAGAIN;
	CU_ASSERT_EQUAL (vh_memory_read (g.memory, GUEST_DATA, in, 1), -EAGAIN);
	CU_ASSERT_EQUAL (vh_memory_read (g.memory, GUEST_DATA - 1, in, 1), 0);
	demand_end (&g);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "one call maps a batch", one_call_maps_a_batch },
		{ "the lease ends before publication", the_lease_ends_before_publication },
		{ "batches do not wait for each other", batches_do_not_wait_for_each_other },
		{ "mapped memory needs no lease", mapped_memory_needs_no_lease },
		{ "long chains over both kinds", long_chains_over_both_kinds },
		{ "indirect tables", indirect_tables },
		{ "areas", areas },
		{ "areas that are refused", areas_that_are_refused },
		{ "copies", copies },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("demand", tests);
}
