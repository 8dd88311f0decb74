/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Split rings: what well-made chains become, and how they are given back.
 */
#include <errno.h>
#include <string.h>

#include "tests/suite.h"
#include "tests/unit/guest.h"

/* A read of a block device: header, data, status. */
static void
write_read_request (struct guest *g, unsigned head)
{
	guest_desc (g, GUEST_DESC, head, GUEST_DATA, 16, NEXT, head + 1);
	guest_desc (g, GUEST_DESC, head + 1, GUEST_DATA + 0x1000, 4096, NEXT | WRITE, head + 2);
	guest_desc (g, GUEST_DESC, head + 2, GUEST_DATA + 0x3000, 1, WRITE, 0);
}

static void
serves_a_chain (void)
{
	struct vh_request *r;
	struct guest g;

	guest_begin (&g, 128, 0);
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, &r, 1), 0);
	write_read_request (&g, 5);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 5, &r), 1);
	CU_ASSERT_EQUAL (r->error, 0);
	CU_ASSERT_EQUAL (r->n_out, 1);
	CU_ASSERT_EQUAL (r->n_in, 2);
	CU_ASSERT_EQUAL (r->out_bytes, 16);
	CU_ASSERT_EQUAL (r->in_bytes, 4097);
	CU_ASSERT_PTR_EQUAL (r->out[0].iov_base, guest_host (&g, GUEST_DATA));
	CU_ASSERT_EQUAL (r->out[0].iov_len, 16);
	CU_ASSERT_PTR_EQUAL (r->in[0].iov_base, guest_host (&g, GUEST_DATA + 0x1000));
	CU_ASSERT_EQUAL (r->in[0].iov_len, 4096);
	CU_ASSERT_PTR_EQUAL (r->in[1].iov_base, guest_host (&g, GUEST_DATA + 0x3000));
	CU_ASSERT_PTR_NULL (r->user);
	CU_ASSERT_EQUAL (vh_ring_in_flight (g.ring), 1);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 0);
	vh_ring_give (g.ring, r, 4097);
	CU_ASSERT_EQUAL (vh_ring_in_flight (g.ring), 0);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 0);
	vh_ring_flush (g.ring);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 1);
	CU_ASSERT_EQUAL (guest_used_id (&g, 0), 5);
	CU_ASSERT_EQUAL (guest_used_len (&g, 0), 4097);
	CU_ASSERT_EQUAL (g.broken, 0);
	guest_close (&g);
}

static void
one_direction_is_enough (void)
{
	struct vh_request *r;
	struct guest g;

	guest_begin (&g, 8, 0);
	guest_desc (&g, GUEST_DESC, 0, GUEST_DATA, 10, NEXT, 1);
	guest_desc (&g, GUEST_DESC, 1, GUEST_DATA + 10, 20, 0, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	CU_ASSERT_EQUAL (r->n_out, 2);
	CU_ASSERT_EQUAL (r->out_bytes, 30);
	CU_ASSERT_EQUAL (r->n_in, 0);
	CU_ASSERT_EQUAL (r->in_bytes, 0);
	guest_desc (&g, GUEST_DESC, 2, GUEST_DATA, 10, WRITE, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 2, &r), 1);
	CU_ASSERT_EQUAL (r->n_out, 0);
	CU_ASSERT_EQUAL (r->out_bytes, 0);
	CU_ASSERT_EQUAL (r->n_in, 1);
	CU_ASSERT_EQUAL (r->in_bytes, 10);
	guest_close (&g);
}

static void
gives_back_in_any_order (void)
{
	struct vh_request *reqs[8];
	struct guest g;

	guest_begin (&g, 8, 0);
	for (unsigned i = 0; i < 8; i++) {
		guest_desc (&g, GUEST_DESC, i, GUEST_DATA + i, 1, WRITE, 0);
		guest_offer (&g, 7 - i);
	}
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 8), 8);
	for (unsigned i = 0; i < 8; i++)
		CU_ASSERT_PTR_EQUAL (reqs[i]->in[0].iov_base, guest_host (&g, GUEST_DATA + 7 - i));
	for (unsigned i = 0; i < 8; i++)
		vh_ring_give (g.ring, reqs[(i * 3) % 8], i % 2);
	vh_ring_flush (g.ring);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 8);
	for (unsigned i = 0; i < 8; i++) {
		CU_ASSERT_EQUAL (guest_used_id (&g, (uint16_t) i), 7 - (i * 3) % 8);
		CU_ASSERT_EQUAL (guest_used_len (&g, (uint16_t) i), i % 2);
	}
	guest_close (&g);
}

static void
written_is_no_more_than_there_is (void)
{
	struct vh_request *r;
	struct guest g;

	guest_begin (&g, 8, 0);
	guest_desc (&g, GUEST_DESC, 0, GUEST_DATA, 100, WRITE, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	guest_give (&g, r, 101);
	CU_ASSERT_EQUAL (guest_used_len (&g, 0), 100);
	guest_close (&g);
}

/* Serves a batch of n whose heads are in a disorder that goes on from `served`; true when all is published as it should be. */
static bool
serve_batch (struct guest *g, unsigned served, unsigned n)
{
	struct vh_request *reqs[16];
	uint16_t at = g->avail;

	for (unsigned i = 0; i < n; i++)
		guest_offer (g, (served + i) * 5 % 16);
	ring_new_turn (g->ring, 16);
	if (vh_ring_take (g->ring, reqs, 16) != (int) n)
		return false;
	for (unsigned i = 0; i < n; i++)
		vh_ring_give (g->ring, reqs[i], i);
	vh_ring_flush (g->ring);
	for (unsigned i = 0; i < n; i++, at++)
		if (guest_used_id (g, at) != (served + i) * 5 % 16 || guest_used_len (g, at) != i)
			return false;
	return guest_used_idx (g) == at;
}

/* Many more requests than positions, from just before the wrap; batches of all sizes, so that they wrap around the ring's end too. */
static void
positions_wrap (void)
{
	unsigned served = 0, n;
	struct guest g;

	guest_open (&g, 16, 0);
	g.setup.base = 65530;
	guest_set_avail (&g, 65530);
	guest_set_used_idx (&g, 65530);
	CU_ASSERT_EQUAL_FATAL (guest_start (&g), 0);
	for (unsigned i = 0; i < 16; i++)
		guest_desc (&g, GUEST_DESC, i, GUEST_DATA + i, 16, WRITE, 0);
	for (unsigned round = 0; served < 70000; served += n, round++) {
		n = 1 + round % 16;
		if (!serve_batch (&g, served, n)) {
			CU_FAIL ("batch");
			break;
		}
	}
	CU_ASSERT (served >= 70000);
	CU_ASSERT_EQUAL (ring_base (g.ring), g.avail);
	guest_close (&g);
}

static void
long_chains_keep_their_parts (void)
{
	struct vh_request *r;
	struct guest g;

	guest_begin (&g, 1024, 0);
	for (unsigned n = 7; n <= 1024; n += n < 20 ? 1 : 251) {
		ring_new_turn (g.ring, 1);
		guest_chain (&g, GUEST_DESC, 0, n, 100);
		CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
		CU_ASSERT_EQUAL_FATAL (r->n_out, n);
		CU_ASSERT_EQUAL (r->out_bytes, n * 100);
		for (unsigned i = 0; i < n; i++)
			if (r->out[i].iov_base != guest_host (&g, GUEST_DATA + i * 100) || r->out[i].iov_len != 100)
				CU_FAIL ("part");
		guest_give (&g, r, 0);
	}
	guest_close (&g);
}

static void
empty_descriptors_are_skipped (void)
{
	struct vh_request *r;
	struct guest g;

	guest_begin (&g, 8, 0);
	guest_desc (&g, GUEST_DESC, 0, 0, 0, NEXT, 1);
	guest_desc (&g, GUEST_DESC, 1, GUEST_DATA, 5, NEXT, 2);
	guest_desc (&g, GUEST_DESC, 2, UINT64_MAX, 0, NEXT, 3);
	guest_desc (&g, GUEST_DESC, 3, GUEST_BASE, 0, NEXT | WRITE, 4);
	guest_desc (&g, GUEST_DESC, 4, GUEST_DATA, 6, WRITE, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	CU_ASSERT_EQUAL (r->error, 0);
	CU_ASSERT_EQUAL (r->n_out, 1);
	CU_ASSERT_EQUAL (r->out_bytes, 5);
	CU_ASSERT_EQUAL (r->n_in, 1);
	CU_ASSERT_EQUAL (r->in_bytes, 6);
	guest_desc (&g, GUEST_DESC, 5, GUEST_BASE, 0, NEXT, 6);
	guest_desc (&g, GUEST_DESC, 6, GUEST_BASE, 0, WRITE, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 5, &r), 1);
	CU_ASSERT_EQUAL (r->error, 0);
	CU_ASSERT_EQUAL (r->n_out + r->n_in, 0);
	guest_give (&g, r, 0);
	CU_ASSERT_EQUAL (guest_used_id (&g, 0), 5);
	CU_ASSERT_EQUAL (guest_used_len (&g, 0), 0);
	guest_close (&g);
}

/* Four regions that follow each other, in the file in another order. */
static void
buffers_span_adjacent_regions (void)
{
	static const struct guest_region regions[] = {
		{ 0, 0, 0x200000 }, { 0x200000, 0x301000, 0x1000 }, { 0x201000, 0x300000, 0x1000 }, { 0x202000, 0x200000, 0x1000 },
	};
	struct vh_request *r;
	struct guest g;

	guest_open (&g, 8, 0);
	guest_set_regions (&g, regions, 4);
	CU_ASSERT_EQUAL_FATAL (guest_start (&g), 0);
	guest_desc (&g, GUEST_DESC, 0, GUEST_BASE + 0x1ff000, 0x1000, NEXT, 1);	  /* to the edge */
	guest_desc (&g, GUEST_DESC, 1, GUEST_BASE + 0x1fff00, 0x2200, NEXT | WRITE, 2); /* over three edges */
	guest_desc (&g, GUEST_DESC, 2, GUEST_BASE + 0x202fff, 1, WRITE, 0);	  /* the last byte */
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	CU_ASSERT_EQUAL (r->error, 0);
	CU_ASSERT_EQUAL (r->n_out, 1);
	CU_ASSERT_EQUAL_FATAL (r->n_in, 5);
	CU_ASSERT_EQUAL (r->in_bytes, 0x2201);
	CU_ASSERT_EQUAL (r->in[0].iov_len, 0x100);
	CU_ASSERT_EQUAL (r->in[1].iov_len, 0x1000);
	CU_ASSERT_EQUAL (r->in[2].iov_len, 0x1000);
	CU_ASSERT_EQUAL (r->in[3].iov_len, 0x100);
	CU_ASSERT_PTR_EQUAL (r->in[1].iov_base, guest_host (&g, GUEST_BASE + 0x200000));
	CU_ASSERT_PTR_EQUAL (r->in[4].iov_base, guest_host (&g, GUEST_BASE + 0x202fff));
	memset (r->in[2].iov_base, 0x5a, 1);
	CU_ASSERT_EQUAL (g.bytes[0x300000], 0x5a);
	guest_close (&g);
}

/* A descriptor over an edge anywhere in chains of many lengths; a request whose head is next to the chain's keeps what it has. */
static void
edges_anywhere_in_a_chain (void)
{
	static const struct guest_region regions[] = { { 0, 0, 0x200000 }, { 0x200000, 0x200000, 0x200000 } };

	for (unsigned n = 2; n < 20; n++)
		for (unsigned edge = 0; edge < n; edge++) {
			struct vh_request *r, *beside;
			struct guest g;

			guest_open (&g, 64, 0);
			guest_set_regions (&g, regions, 2);
			CU_ASSERT_EQUAL_FATAL (guest_start (&g), 0);
			guest_desc (&g, GUEST_DESC, 1, GUEST_DATA, 7, 0, 0);
			CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 1, &beside), 1);
			for (unsigned i = 0; i < n; i++)
				guest_desc (&g, GUEST_DESC, i ? i + 1 : 0, i == edge ? GUEST_BASE + 0x1fffff : GUEST_DATA + i, 2, i < n - 1 ? NEXT : 0, i + 2);
			CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
			CU_ASSERT_EQUAL_FATAL (r->n_out, n + 1);
			CU_ASSERT_EQUAL (r->out_bytes, 2 * n);
			for (unsigned i = 0; i < n + 1; i++) {
				uint64_t addr = i == edge ? GUEST_BASE + 0x1fffff : i == edge + 1 ? GUEST_BASE + 0x200000 : GUEST_DATA + i - (i > edge);

				if (r->out[i].iov_base != guest_host (&g, addr) || r->out[i].iov_len != (i == edge || i == edge + 1 ? 1 : 2))
					CU_FAIL ("part");
			}
			CU_ASSERT_EQUAL (beside->n_out, 1);
			CU_ASSERT_EQUAL (beside->out_bytes, 7);
			CU_ASSERT_PTR_EQUAL (beside->out[0].iov_base, guest_host (&g, GUEST_DATA));
			guest_close (&g);
		}
}

/* The parts are copies of what was checked: a driver that changes the descriptors later changes nothing. */
static void
later_changes_have_no_effect (void)
{
	struct vh_request *r;
	struct guest g;

	guest_begin (&g, 8, VH_BIT (VH_F_INDIRECT_DESC));
	write_read_request (&g, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	memset (guest_at (&g, GUEST_DESC), 0xff, 8 * 16);
	memset (guest_at (&g, GUEST_AVAIL + 4), 0xff, 8 * 2);
	CU_ASSERT_EQUAL (r->in[0].iov_len, 4096);
	CU_ASSERT_PTR_EQUAL (r->in[0].iov_base, guest_host (&g, GUEST_DATA + 0x1000));
	guest_give (&g, r, 1);
	CU_ASSERT_EQUAL (guest_used_id (&g, 0), 0);
	guest_close (&g);
}

/* Where the ring's own position counts, what the driver writes into ours does not. */
static void
used_index_is_our_own (void)
{
	struct vh_request *r;
	struct guest g;

	guest_begin (&g, 8, 0);
	guest_desc (&g, GUEST_DESC, 0, GUEST_DATA, 1, WRITE, 0);
	for (uint16_t i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
		guest_set_used_idx (&g, 0x7777);
		guest_give (&g, r, 1);
		CU_ASSERT_EQUAL (guest_used_idx (&g), i + 1);
	}
	guest_close (&g);
}

/* A buffer over the ring itself harms the guest only. */
static void
buffers_may_lie_over_the_ring (void)
{
	struct vh_request *r;
	struct guest g;

	guest_begin (&g, 8, 0);
	guest_desc (&g, GUEST_DESC, 0, GUEST_DESC, 128, NEXT | WRITE, 1);
	guest_desc (&g, GUEST_DESC, 1, GUEST_USED, 64, NEXT | WRITE, 2);
	guest_desc (&g, GUEST_DESC, 2, GUEST_AVAIL, 22, WRITE, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	for (unsigned i = 0; i < r->n_in; i++)
		memset (r->in[i].iov_base, 0x11, r->in[i].iov_len);
	guest_give (&g, r, 214);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 1);
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, &r, 1), -EPROTO);
	guest_close (&g);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "serves a chain", serves_a_chain },
		{ "one direction is enough", one_direction_is_enough },
		{ "gives back in any order", gives_back_in_any_order },
		{ "written is no more than there is", written_is_no_more_than_there_is },
		{ "positions wrap", positions_wrap },
		{ "long chains keep their parts", long_chains_keep_their_parts },
		{ "empty descriptors are skipped", empty_descriptors_are_skipped },
		{ "buffers span adjacent regions", buffers_span_adjacent_regions },
		{ "edges anywhere in a chain", edges_anywhere_in_a_chain },
		{ "later changes have no effect", later_changes_have_no_effect },
		{ "used index is our own", used_index_is_our_own },
		{ "buffers may lie over the ring", buffers_may_lie_over_the_ring },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("split", tests);
}
