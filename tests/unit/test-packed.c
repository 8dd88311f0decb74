/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packed rings: what well-made chains become, and how they are given back.
 */
#include <errno.h>
#include <string.h>

#include "tests/suite.h"
#include "tests/unit/packed-guest.h"

#define TABLE (GUEST_BASE + 0x200000)

static void
check_parts (const struct packed *p, const struct vh_request *r, unsigned n, uint32_t len)
{
	CU_ASSERT_EQUAL (r->error, 0);
	CU_ASSERT_EQUAL_FATAL (r->n_out, n);
	CU_ASSERT_EQUAL (r->out_bytes, (size_t) n * len);
	for (unsigned i = 0; i < n; i++)
		if (r->out[i].iov_base != guest_host (&p->g, GUEST_DATA + (uint64_t) i * len) || r->out[i].iov_len != len)
			CU_FAIL ("part");
}

static void
serves_a_chain (void)
{
	struct vh_request *r;
	struct packed_used u;
	struct packed p;

	packed_begin (&p, 128, 0);
	CU_ASSERT_EQUAL (packed_take_one (&p, &r), 0);
	CU_ASSERT_FALSE (ring_has_work (p.g.ring));
	packed_add_read (&p, 5);
	CU_ASSERT (ring_has_work (p.g.ring));
	CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
	CU_ASSERT_FALSE (ring_has_work (p.g.ring));
	CU_ASSERT_EQUAL (r->error, 0);
	CU_ASSERT_EQUAL (r->n_out, 1);
	CU_ASSERT_EQUAL (r->n_in, 2);
	CU_ASSERT_EQUAL (r->out_bytes, 16);
	CU_ASSERT_EQUAL (r->in_bytes, 4097);
	CU_ASSERT_PTR_EQUAL (r->out[0].iov_base, guest_host (&p.g, GUEST_DATA));
	CU_ASSERT_PTR_EQUAL (r->in[0].iov_base, guest_host (&p.g, GUEST_DATA + 0x1000));
	CU_ASSERT_PTR_EQUAL (r->in[1].iov_base, guest_host (&p.g, GUEST_DATA + 0x3000));
	CU_ASSERT_PTR_NULL (r->user);
	CU_ASSERT_EQUAL (vh_ring_in_flight (p.g.ring), 1);
	vh_ring_give (p.g.ring, r, 4097);
	CU_ASSERT_EQUAL (vh_ring_in_flight (p.g.ring), 0);
	CU_ASSERT_FALSE (packed_reap (&p, 3, &u));
	vh_ring_flush (p.g.ring);
	CU_ASSERT (packed_is_used (&p, 3, 5, 4097));
	CU_ASSERT_FALSE (packed_reap (&p, 3, &u));
	CU_ASSERT_EQUAL (ring_base (p.g.ring), 0x80038003);
	CU_ASSERT_EQUAL (p.g.broken, 0);
	packed_close (&p);
}

/* A used descriptor says WRITE when its length means something; only its id, length and flags are written. */
static void
what_a_used_descriptor_says (void)
{
	static const struct {
		unsigned flags;
		uint32_t written, len;
	} cases[] = { { WRITE, 100, 100 }, { WRITE, 101, 100 }, { WRITE, 1, 1 }, { WRITE, 0, 0 }, { 0, 0, 0 }, { 0, 100, 0 } };
	struct vh_request *r;
	struct packed p;

	packed_begin (&p, 8, 0);
	for (unsigned i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
		uint64_t addr;

		ring_new_turn (p.g.ring, 8);
		packed_add (&p, GUEST_DATA, 100, i, cases[i].flags);
		CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
		guest_give (&p.g, r, cases[i].written);
		CU_ASSERT (packed_is_used (&p, 1, i, cases[i].len));
		memcpy (&addr, guest_at (&p.g, GUEST_DESC + 16 * i), sizeof (addr));
		CU_ASSERT_EQUAL (addr, GUEST_DATA);
	}
	packed_close (&p);
}

/* Chains of different lengths come back in another order: each used descriptor is where the one before ended, and the others' places go unwritten. */
static void
gives_back_in_any_order (void)
{
	static const unsigned lengths[] = { 3, 1, 2, 4, 1, 3 }, order[] = { 4, 0, 5, 2, 1, 3 };
	struct vh_request *reqs[6];
	struct packed p;

	packed_begin (&p, 14, 0);
	for (unsigned round = 0; round < 200; round++) {
		for (unsigned i = 0; i < 6; i++)
			packed_add_chain (&p, lengths[i], 32, 13 - i);
		ring_new_turn (p.g.ring, 14);
		CU_ASSERT_EQUAL_FATAL (vh_ring_take (p.g.ring, reqs, 14), 6);
		for (unsigned i = 0; i < 6; i++)
			check_parts (&p, reqs[i], lengths[i], 32);
		for (unsigned i = 0; i < 6; i++) {
			vh_ring_give (p.g.ring, reqs[order[i]], 0);
			if ((round >> (i % 5)) & 1)
				vh_ring_flush (p.g.ring);
		}
		vh_ring_flush (p.g.ring);
		for (unsigned i = 0; i < 6; i++)
			CU_ASSERT_FATAL (packed_is_used (&p, lengths[order[i]], 13 - order[i], 0));
	}
	CU_ASSERT_EQUAL (p.next, p.used);
	CU_ASSERT_EQUAL (ring_base (p.g.ring), p.next | (uint32_t) p.used << 16);
	packed_close (&p);
}

/* One that takes long is overtaken by as many others as there is room for, over and over around the ring. */
static void
one_request_stays (void)
{
	struct vh_request *slow, *r;
	struct packed p;

	packed_begin (&p, 7, 0);
	packed_add_chain (&p, 2, 16, 6);
	CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &slow), 1);
	for (unsigned i = 0; i < 1000; i++) {
		unsigned n = 1 + i % 5;

		ring_new_turn (p.g.ring, 1);
		packed_add_chain (&p, n, 16, i % 6);
		CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
		CU_ASSERT_PTR_NOT_EQUAL (r, slow);
		guest_give (&p.g, r, 0);
		CU_ASSERT_FATAL (packed_is_used (&p, n, i % 6, 0));
	}
	check_parts (&p, slow, 2, 16);
	guest_give (&p.g, slow, 0);
	CU_ASSERT (packed_is_used (&p, 2, 6, 0));
	packed_close (&p);
}

/* Rings of any size, full, around their end, with chains of all lengths that they can hold. */
static void
rings_of_any_size (void)
{
	static const unsigned sizes[] = { 1, 2, 3, 5, 8, 13, 100, 1023, 1024 };

	for (unsigned s = 0; s < sizeof (sizes) / sizeof (sizes[0]); s++) {
		unsigned size = sizes[s], step = size > 20 ? size / 7 : 1;
		struct vh_request *r;
		struct packed p;

		packed_begin (&p, size, 0);
		for (unsigned n = 1; n <= size; n += step)
			for (unsigned i = 0; i < 2 * size / n + 2; i++) {
				ring_new_turn (p.g.ring, 1);
				packed_add_chain (&p, n, 16, i % size);
				CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
				check_parts (&p, r, n, 16);
				guest_give (&p.g, r, 0);
				CU_ASSERT_FATAL (packed_is_used (&p, n, i % size, 0));
			}
		packed_close (&p);
	}
}

static void
largest_ring_is_full (void)
{
	static struct vh_request *reqs[VH_MAX_RING_SIZE];
	struct packed p;

	packed_begin (&p, VH_MAX_RING_SIZE, 0);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < VH_MAX_RING_SIZE; i++)
			packed_add (&p, GUEST_DATA, 1, VH_MAX_RING_SIZE - 1 - i, WRITE);
		ring_new_turn (p.g.ring, VH_MAX_RING_SIZE);
		CU_ASSERT_EQUAL_FATAL (vh_ring_take (p.g.ring, reqs, VH_MAX_RING_SIZE), VH_MAX_RING_SIZE);
		CU_ASSERT_FALSE (ring_has_work (p.g.ring));
		CU_ASSERT_FALSE (ring_kicks_on (p.g.ring));
		for (unsigned i = 0; i < VH_MAX_RING_SIZE; i++)
			vh_ring_give (p.g.ring, reqs[i], 1);
		vh_ring_flush (p.g.ring);
		for (unsigned i = 0; i < VH_MAX_RING_SIZE; i++)
			CU_ASSERT_FATAL (packed_is_used (&p, 1, VH_MAX_RING_SIZE - 1 - i, 1));
	}
	CU_ASSERT_EQUAL (ring_base (p.g.ring), 0x80008000);
	packed_close (&p);
}

/* A ring goes on where it stopped; what a front-end says that knows only the first half of a base means that nothing is in flight. */
static void
bases (void)
{
	static const uint32_t given[] = { 0x80008000, 0x00000000, 0x80058005, 0x00060006, 0x00008000, 0x00008003, 0x00000004 };

	for (unsigned i = 0; i < sizeof (given) / sizeof (given[0]); i++) {
		struct vh_request *r;
		struct packed p;

		packed_open (&p, 7, 0);
		if (!(given[i] & WRAP))	/* a lap has passed */
			packed_write (&p, GUEST_DESC, 0, 0, 0, 0, AVAIL_BIT | USED_BIT);
		CU_ASSERT_EQUAL_FATAL (packed_start (&p, given[i]), 0);
		CU_ASSERT_EQUAL (ring_base (p.g.ring), (given[i] & 0xffff) * 0x10001);
		for (unsigned k = 0; k < 20; k++) {
			packed_add_chain (&p, 2, 16, 1);
			ring_new_turn (p.g.ring, 1);
			CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
			guest_give (&p.g, r, 0);
			CU_ASSERT_FATAL (packed_is_used (&p, 2, 1, 0));
			if (k % 3)
				continue;
			CU_ASSERT_EQUAL (ring_base (p.g.ring), p.next * 0x10001u);
			ring_free (p.g.ring);
			CU_ASSERT_EQUAL_FATAL (packed_start (&p, p.next * 0x10001u), 0);
		}
		packed_close (&p);
	}
}

/* User Mode Linux says 0 of a ring that is new; also when its driver has begun. */
static void
a_new_ring_of_user_mode_linux (void)
{
	struct vh_request *r;
	struct packed p;

	for (unsigned begun = 0; begun < 2; begun++) {
		packed_open (&p, 7, 0);
		p.next = p.used = WRAP;
		if (begun)
			packed_add_chain (&p, 2, 16, 1);
		p.g.setup.base = 0;
		CU_ASSERT_EQUAL_FATAL (guest_start (&p.g), 0);
		CU_ASSERT_EQUAL (ring_base (p.g.ring), 0x80008000);
		CU_ASSERT_TRUE (vh_ring_is_new (p.g.ring));
		if (!begun)
			packed_add_chain (&p, 2, 16, 1);
		CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
		guest_give (&p.g, r, 0);
		CU_ASSERT_TRUE (packed_is_used (&p, 2, 1, 0));
		packed_close (&p);
	}
}

/* What is used may be behind what is available: the driver waits there for what another back-end had taken. */
static void
a_base_with_requests_in_flight (void)
{
	struct vh_request *r;
	struct packed p;

	packed_open (&p, 8, 0);
	CU_ASSERT_EQUAL_FATAL (packed_start (&p, 0x80060001), 0);
	CU_ASSERT_EQUAL (ring_base (p.g.ring), 0x80060001);
	packed_add (&p, GUEST_DATA, 1, 3, WRITE);
	CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
	guest_give (&p.g, r, 1);
	CU_ASSERT_EQUAL (p.used, 0x8006);
	CU_ASSERT (packed_is_used (&p, 1, 3, 1));
	CU_ASSERT_EQUAL (ring_base (p.g.ring), 0x80070002);
	packed_close (&p);
}

static void
empty_descriptors_are_skipped (void)
{
	struct vh_request *r;
	struct packed p;

	packed_begin (&p, 8, 0);
	packed_add (&p, 0, 0, 1, NEXT);
	packed_add (&p, GUEST_DATA, 5, 1, NEXT);
	packed_add (&p, UINT64_MAX, 0, 1, NEXT);
	packed_add (&p, GUEST_BASE, 0, 1, NEXT | WRITE);
	packed_add (&p, GUEST_DATA, 6, 1, WRITE);
	CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
	CU_ASSERT_EQUAL (r->error, 0);
	CU_ASSERT_EQUAL (r->n_out, 1);
	CU_ASSERT_EQUAL (r->out_bytes, 5);
	CU_ASSERT_EQUAL (r->n_in, 1);
	CU_ASSERT_EQUAL (r->in_bytes, 6);
	guest_give (&p.g, r, 6);
	CU_ASSERT (packed_is_used (&p, 5, 1, 6));
	packed_add (&p, GUEST_BASE, 0, 2, NEXT);
	packed_add (&p, GUEST_BASE, 0, 2, WRITE);
	CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
	CU_ASSERT_EQUAL (r->n_out + r->n_in, 0);
	guest_give (&p.g, r, 0);
	CU_ASSERT (packed_is_used (&p, 2, 2, 0));
	packed_close (&p);
}

/* A descriptor over an edge anywhere in chains of many lengths. */
static void
edges_anywhere_in_a_chain (void)
{
	static const struct guest_region regions[] = { { 0, 0, 0x200000 }, { 0x200000, 0x200000, 0x200000 } };

	for (unsigned n = 1; n < 20; n++)
		for (unsigned edge = 0; edge < n; edge++) {
			struct vh_request *r;
			struct packed p;

			packed_open (&p, 30, 0);
			guest_set_regions (&p.g, regions, 2);
			CU_ASSERT_EQUAL_FATAL (packed_start (&p, 0x80148014), 0);	/* so that many go around the end */
			for (unsigned i = 0; i < n; i++)
				packed_add (&p, i == edge ? GUEST_BASE + 0x1fffff : GUEST_DATA + i, 2, 9, i + 1 < n ? NEXT : 0);
			CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
			CU_ASSERT_EQUAL_FATAL (r->n_out, n + 1);
			CU_ASSERT_EQUAL (r->out_bytes, 2 * n);
			for (unsigned i = 0; i < n + 1; i++) {
				uint64_t addr = i == edge ? GUEST_BASE + 0x1fffff : i == edge + 1 ? GUEST_BASE + 0x200000 : GUEST_DATA + i - (i > edge);

				if (r->out[i].iov_base != guest_host (&p.g, addr) || r->out[i].iov_len != (i == edge || i == edge + 1 ? 1 : 2))
					CU_FAIL ("part");
			}
			guest_give (&p.g, r, 0);
			CU_ASSERT (packed_is_used (&p, n, 9, 0));
			packed_close (&p);
		}
}

/* The parts are copies of what was checked, and so are the id and the length of the chain. */
static void
later_changes_have_no_effect (void)
{
	struct vh_request *r;
	struct packed p;

	packed_begin (&p, 8, 0);
	packed_add_read (&p, 4);
	CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
	memset (guest_at (&p.g, GUEST_DESC), 0xff, 8 * 16);
	CU_ASSERT_EQUAL (r->in[0].iov_len, 4096);
	CU_ASSERT_PTR_EQUAL (r->in[0].iov_base, guest_host (&p.g, GUEST_DATA + 0x1000));
	guest_give (&p.g, r, 1);
	CU_ASSERT (packed_is_used (&p, 3, 4, 1));
	packed_close (&p);
}

/* A buffer over the ring itself harms the guest only. */
static void
buffers_may_lie_over_the_ring (void)
{
	struct vh_request *r;
	struct packed p;

	packed_begin (&p, 8, 0);
	packed_add (&p, GUEST_DESC, 128, 0, NEXT | WRITE);
	packed_add (&p, GUEST_USED, 4, 0, NEXT | WRITE);
	packed_add (&p, GUEST_AVAIL, 4, 0, WRITE);
	CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
	for (unsigned i = 0; i < r->n_in; i++)
		memset (r->in[i].iov_base, 0x91, r->in[i].iov_len);
	guest_give (&p.g, r, 136);
	CU_ASSERT (packed_is_used (&p, 3, 0, 136));
	CU_ASSERT (packed_take_one (&p, &r) <= 0);
	packed_close (&p);
}

/* --- indirect tables --- */

/* From one descriptor to many more than the ring has. */
static void
tables_of_all_lengths (void)
{
	struct vh_request *r;
	struct packed p;

	packed_begin (&p, 5, VH_BIT (VH_F_INDIRECT_DESC));
	for (unsigned n = 1; n <= 1024; n += n < 20 ? 1 : 251) {
		ring_new_turn (p.g.ring, 1);
		packed_write_table (&p, TABLE, n, 64);
		packed_add_table (&p, TABLE, n * 16, 3);
		CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
		check_parts (&p, r, n, 64);
		guest_give (&p.g, r, 0);
		CU_ASSERT (packed_is_used (&p, 1, 3, 0));
	}
	CU_ASSERT_EQUAL (p.g.broken, 0);
	packed_close (&p);
}

static void
tables_in_both_directions (void)
{
	struct vh_request *r;
	struct packed p;

	packed_begin (&p, 8, VH_BIT (VH_F_INDIRECT_DESC));
	packed_write (&p, TABLE, 0, GUEST_DATA, 16, 0, 0);
	packed_write (&p, TABLE, 1, GUEST_DATA + 16, 32, 0, WRITE);
	packed_write (&p, TABLE, 2, GUEST_DATA + 48, 1, 0, WRITE);
	packed_add (&p, TABLE, 48, 7, INDIRECT | WRITE);	/* WRITE means nothing here */
	CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
	CU_ASSERT_EQUAL (r->n_out, 1);
	CU_ASSERT_EQUAL (r->n_in, 2);
	CU_ASSERT_EQUAL (r->in_bytes, 33);
	guest_give (&p.g, r, 33);
	CU_ASSERT (packed_is_used (&p, 1, 7, 33));
	packed_close (&p);
}

/* Direct descriptors before a table: no driver does that, and it costs nothing to serve. */
static void
tables_behind_direct_descriptors (void)
{
	for (unsigned before = 1; before < 20; before++) {
		struct vh_request *r;
		struct packed p;

		packed_begin (&p, 64, VH_BIT (VH_F_INDIRECT_DESC));
		for (unsigned i = 0; i < before; i++)
			packed_add (&p, GUEST_DATA + i * 8, 8, 1, NEXT);
		packed_add_table (&p, TABLE, 10 * 16, 2);
		for (unsigned i = 0; i < 10; i++)
			packed_write (&p, TABLE, i, GUEST_DATA + (before + i) * 8, 8, 0, 0);
		CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
		check_parts (&p, r, before + 10, 8);
		guest_give (&p.g, r, 0);
		CU_ASSERT (packed_is_used (&p, before + 1, 2, 0));
		packed_close (&p);
	}
}

/* A table over the edge of two regions, or at an odd address, is copied. */
static void
tables_in_pieces (void)
{
	static const struct guest_region regions[] = { { 0, 0, 0x200000 }, { 0x200000, 0x300000, 0x100000 } };
	static const uint64_t places[] = { GUEST_BASE + 0x200000 - 24, GUEST_BASE + 0x200000 - 16, GUEST_BASE + 0x180003 };

	for (unsigned i = 0; i < sizeof (places) / sizeof (places[0]); i++)
		for (unsigned n = 2; n < 12; n++) {
			struct vh_request *r;
			struct packed p;

			packed_open (&p, 8, VH_BIT (VH_F_INDIRECT_DESC));
			guest_set_regions (&p.g, regions, 2);
			CU_ASSERT_EQUAL_FATAL (packed_start (&p, 0x80008000), 0);
			packed_write_table (&p, GUEST_DATA, n, 32);
			CU_ASSERT_EQUAL (vh_memory_write (p.g.memory, places[i], guest_at (&p.g, GUEST_DATA), 16 * n), 0);
			packed_add_table (&p, places[i], n * 16, 0);
			CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
			check_parts (&p, r, n, 32);
			packed_close (&p);
		}
}

/* --- memory --- */

/* A table is replaced while requests are in flight: they keep the old one, and new ones come from the new. */
static void
memory_changes_under_load (void)
{
	static const struct guest_region whole = { 0, 0, GUEST_SIZE };
	struct vh_request *old, *r;
	struct packed p;

	packed_begin (&p, 16, VH_BIT (VH_F_EVENT_IDX));
	for (unsigned i = 0; i < 50; i++) {
		ring_new_turn (p.g.ring, 4);
		packed_add_read (&p, 1);
		CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &old), 1);
		guest_set_regions (&p.g, &whole, 1);
		CU_ASSERT_EQUAL (ring_set_memory (p.g.ring, p.g.memory), 0);
		CU_ASSERT (ring_old_tables (p.g.ring));
		packed_add_read (&p, 2);
		CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
		CU_ASSERT_PTR_EQUAL (r->out[0].iov_base, guest_host (&p.g, GUEST_DATA));
		memset (old->in[0].iov_base, (int) i, 4096);
		CU_ASSERT_EQUAL (*(unsigned char *) guest_at (&p.g, GUEST_DATA + 0x1fff), i);
		guest_give (&p.g, r, 1);
		CU_ASSERT (packed_is_used (&p, 3, 2, 1));
		CU_ASSERT (ring_old_tables (p.g.ring));
		guest_give (&p.g, old, 2);
		CU_ASSERT (packed_is_used (&p, 3, 1, 2));
		CU_ASSERT_FALSE (ring_old_tables (p.g.ring));
	}
	packed_close (&p);
}

/* Chains of several lengths, put back over the end of the ring. */
static void
put_back_and_taken_again (void)
{
	struct vh_request *reqs[3];
	struct packed p;

	packed_begin (&p, 7, 0);
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 3; i++)
			packed_add_chain (&p, i + 1, 16, i);
		ring_new_turn (p.g.ring, 7);
		CU_ASSERT_EQUAL_FATAL (vh_ring_take (p.g.ring, reqs, 3), 3);
		vh_ring_give (p.g.ring, reqs[0], 0);
		vh_ring_untake (p.g.ring, reqs + 1, 2);
		CU_ASSERT_EQUAL (vh_ring_in_flight (p.g.ring), 0);
		vh_ring_flush (p.g.ring);
		CU_ASSERT (packed_is_used (&p, 1, 0, 0));
		CU_ASSERT_EQUAL_FATAL (vh_ring_take (p.g.ring, reqs, 3), 2);
		for (unsigned i = 0; i < 2; i++) {
			CU_ASSERT_EQUAL (reqs[i]->n_out, i + 2);
			vh_ring_give (p.g.ring, reqs[i], 0);
		}
		vh_ring_flush (p.g.ring);
		CU_ASSERT (packed_is_used (&p, 2, 1, 0));
		CU_ASSERT (packed_is_used (&p, 3, 2, 0));
	}
	packed_close (&p);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "serves a chain", serves_a_chain },
		{ "what a used descriptor says", what_a_used_descriptor_says },
		{ "gives back in any order", gives_back_in_any_order },
		{ "one request stays", one_request_stays },
		{ "rings of any size", rings_of_any_size },
		{ "largest ring is full", largest_ring_is_full },
		{ "bases", bases },
		{ "a new ring of User Mode Linux", a_new_ring_of_user_mode_linux },
		{ "a base with requests in flight", a_base_with_requests_in_flight },
		{ "empty descriptors are skipped", empty_descriptors_are_skipped },
		{ "edges anywhere in a chain", edges_anywhere_in_a_chain },
		{ "later changes have no effect", later_changes_have_no_effect },
		{ "buffers may lie over the ring", buffers_may_lie_over_the_ring },
		{ "tables of all lengths", tables_of_all_lengths },
		{ "tables in both directions", tables_in_both_directions },
		{ "tables behind direct descriptors", tables_behind_direct_descriptors },
		{ "tables in pieces", tables_in_pieces },
		{ "memory changes under load", memory_changes_under_load },
		{ "put back and taken again", put_back_and_taken_again },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("packed", tests);
}
