/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Split rings whose driver breaks the rules: the ring stops, once and with a reason, or the request says what is wrong with it; at each limit and behind it.
 */
#include <errno.h>
#include <string.h>

#include "tests/suite.h"
#include "tests/unit/guest.h"

/* The ring stops with this error, and has published nothing. */
static void
check_stopped (struct guest *g, int err)
{
	guest_check_stopped (g, err);
	CU_ASSERT_EQUAL (guest_used_idx (g), 0);
}

/* --- the available ring --- */

static void
available_index_jumps (void)
{
	static const struct {
		uint16_t base, idx;
		int taken;
	} cases[] = {
		{ 0, 128, 128 }, { 0, 129, -EPROTO }, { 0, 1000, -EPROTO }, { 0, 65535, -EPROTO }, { 7, 6, -EPROTO },
		{ 65500, 92, 128 }, { 65500, 93, -EPROTO }, { 65500, 65499, -EPROTO }, { 65500, 65500, 0 },
	};

	for (unsigned i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
		struct vh_request *reqs[128];
		struct guest g;

		guest_open (&g, 128, 0);
		g.setup.base = cases[i].base;
		CU_ASSERT_EQUAL_FATAL (guest_start (&g), 0);
		for (unsigned k = 0; k < 128; k++) {
			guest_desc (&g, GUEST_DESC, k, GUEST_DATA, 1, WRITE, 0);
			guest_set_head (&g, (uint16_t) k, k);
		}
		guest_set_avail (&g, cases[i].idx);
		CU_ASSERT_EQUAL (vh_ring_take (g.ring, reqs, 128), cases[i].taken);
		if (cases[i].taken < 0)
			check_stopped (&g, -EPROTO);
		guest_close (&g);
	}
}

static void
largest_ring_is_full (void)
{
	static struct vh_request *reqs[VH_MAX_RING_SIZE];
	struct guest g;

	guest_begin (&g, VH_MAX_RING_SIZE, 0);
	for (unsigned k = 0; k < VH_MAX_RING_SIZE; k++) {
		guest_desc (&g, GUEST_DESC, k, GUEST_DATA, 1, WRITE, 0);
		guest_set_head (&g, (uint16_t) k, k);
	}
	guest_set_avail (&g, VH_MAX_RING_SIZE);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, VH_MAX_RING_SIZE), VH_MAX_RING_SIZE);
	for (unsigned k = 0; k < VH_MAX_RING_SIZE; k++)
		vh_ring_give (g.ring, reqs[k], 1);
	vh_ring_flush (g.ring);
	CU_ASSERT_EQUAL (guest_used_idx (&g), VH_MAX_RING_SIZE);
	guest_set_avail (&g, VH_MAX_RING_SIZE - 1);	/* back by one */
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, reqs, 1), -EPROTO);
	guest_close (&g);
}

static void
heads_outside_the_table (void)
{
	static const unsigned heads[] = { 128, 129, 0x7fff, 0xffff };

	for (unsigned i = 0; i < sizeof (heads) / sizeof (heads[0]); i++) {
		struct vh_request *r;
		struct guest g;

		guest_begin (&g, 128, 0);
		guest_desc (&g, GUEST_DESC, 127, GUEST_DATA, 1, WRITE, 0);
		guest_offer (&g, 127);
		guest_offer (&g, heads[i]);
		/* What is before it in the same batch is not served either: the ring has stopped. */
		CU_ASSERT_EQUAL (vh_ring_take (g.ring, (struct vh_request *[2]){ NULL }, 2), -EPROTO);
		CU_ASSERT_EQUAL (vh_ring_take (g.ring, &r, 1), -EPROTO);
		check_stopped (&g, -EPROTO);
		CU_ASSERT_EQUAL (ring_base (g.ring), 0);
		guest_close (&g);
	}
}

static void
a_head_twice (void)
{
	struct vh_request *reqs[2];
	struct guest g;

	/* In one batch. */
	guest_begin (&g, 8, 0);
	guest_desc (&g, GUEST_DESC, 3, GUEST_DATA, 1, WRITE, 0);
	guest_offer (&g, 3);
	guest_offer (&g, 3);
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, reqs, 2), -EPROTO);
	check_stopped (&g, -EPROTO);
	guest_close (&g);

	/* While the first one is in flight: that one is given back, and not published. */
	guest_begin (&g, 8, 0);
	guest_desc (&g, GUEST_DESC, 3, GUEST_DATA, 1, WRITE, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 3, &reqs[0]), 1);
	CU_ASSERT_EQUAL (guest_serve (&g, 3, &reqs[1]), -EPROTO);
	CU_ASSERT_EQUAL (vh_ring_in_flight (g.ring), 1);
	guest_give (&g, reqs[0], 1);
	check_stopped (&g, -EPROTO);
	guest_close (&g);
}

/* Given back but not published yet, a head can come again; but never more of them than the ring has descriptors. */
static void
more_requests_than_descriptors (void)
{
	struct vh_request *r;
	struct guest g;

	guest_begin (&g, 8, 0);
	guest_desc (&g, GUEST_DESC, 0, GUEST_DATA, 1, WRITE, 0);
	for (unsigned i = 0; i < 8; i++) {
		CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
		vh_ring_give (g.ring, r, 1);
	}
	CU_ASSERT_EQUAL (g.broken, 0);
	CU_ASSERT_EQUAL (guest_serve (&g, 0, &r), -EPROTO);
	check_stopped (&g, -EPROTO);
	guest_close (&g);
}

/* --- chains --- */

static void
next_outside_the_table (void)
{
	static const unsigned nexts[] = { 128, 0x7fff, 0xffff };

	for (unsigned i = 0; i < sizeof (nexts) / sizeof (nexts[0]); i++) {
		struct vh_request *r;
		struct guest g;

		guest_begin (&g, 128, 0);
		guest_desc (&g, GUEST_DESC, 0, GUEST_DATA, 1, NEXT, nexts[i]);
		CU_ASSERT_EQUAL (guest_serve (&g, 0, &r), -EPROTO);
		check_stopped (&g, -EPROTO);
		guest_close (&g);
	}
}

static void
chains_in_a_loop (void)
{
	static const unsigned loops[] = { 1, 2, 128 };

	/* With data, and without: empty descriptors are no parts. */
	for (unsigned i = 0; i < 2 * sizeof (loops) / sizeof (loops[0]); i++) {
		unsigned n = loops[i / 2];
		struct vh_request *r;
		struct guest g;

		guest_begin (&g, 128, 0);
		guest_chain (&g, GUEST_DESC, 0, n, i % 2);
		guest_desc (&g, GUEST_DESC, n - 1, GUEST_DATA, i % 2, NEXT, 0);
		CU_ASSERT_EQUAL (guest_serve (&g, 0, &r), -EPROTO);
		check_stopped (&g, -EPROTO);
		guest_close (&g);
	}
}

/* n descriptors in a ring of `size` whose device takes up to max_parts of them. */
static int
serve_chain (unsigned size, unsigned max_parts, unsigned n, uint32_t len)
{
	struct vh_request *r;
	struct guest g;
	int err;

	guest_open (&g, size, 0);
	g.setup.max_parts = max_parts;
	CU_ASSERT_EQUAL_FATAL (guest_start (&g), 0);
	guest_chain (&g, GUEST_DESC, 0, n, len);
	err = guest_serve (&g, 0, &r);
	if (err == 1) {
		CU_ASSERT_EQUAL (r->n_out, len ? n : 0);
	} else
		check_stopped (&g, -EPROTO);
	guest_close (&g);
	return err;
}

static void
chains_at_their_limit (void)
{
	static const unsigned limits[] = { 1, 2, 7, 8, 9, 64, 127, 1024 };

	for (unsigned i = 0; i < sizeof (limits) / sizeof (limits[0]); i++)
		for (uint32_t len = 0; len < 2; len++) {
			CU_ASSERT_EQUAL (serve_chain (2048, limits[i], limits[i], len), 1);
			CU_ASSERT_EQUAL (serve_chain (2048, limits[i], limits[i] + 1, len), -EPROTO);
		}
	/* The whole ring, when the device allows more than that: a longer one can only be a loop. */
	CU_ASSERT_EQUAL (serve_chain (128, 1024, 128, 1), 1);
	CU_ASSERT_EQUAL (serve_chain (VH_MAX_RING_SIZE, VH_MAX_RING_SIZE, VH_MAX_RING_SIZE, 1), 1);
}

/* A descriptor over an edge is two parts. */
static void
parts_at_their_limit (void)
{
	static const struct guest_region regions[] = { { 0, 0, 0x200000 }, { 0x200000, 0x200000, 0x200000 } };

	for (unsigned max = 2; max <= 20; max++) {
		struct vh_request *r;
		struct guest g;

		guest_open (&g, 64, 0);
		guest_set_regions (&g, regions, 2);
		g.setup.max_parts = max;
		CU_ASSERT_EQUAL_FATAL (guest_start (&g), 0);
		guest_chain (&g, GUEST_DESC, 0, max - 1, 1);
		guest_desc (&g, GUEST_DESC, max - 2, GUEST_BASE + 0x1fffff, 2, 0, 0);
		CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
		CU_ASSERT_EQUAL (r->n_out, max);
		guest_chain (&g, GUEST_DESC, 32, max, 1);
		guest_desc (&g, GUEST_DESC, 32 + max - 1, GUEST_BASE + 0x1fffff, 2, 0, 0);
		CU_ASSERT_EQUAL (guest_serve (&g, 32, &r), -EPROTO);
		guest_close (&g);
	}
}

/* Four gigabytes, less a byte, in descriptors of one gigabyte over the same memory; then one byte more. */
static int
serve_gigabytes (unsigned flags, uint32_t last)
{
	struct vh_request *r;
	struct guest g;
	int err;

	guest_open_sized (&g, 8, 0, 0x50000000);
	CU_ASSERT_EQUAL_FATAL (guest_start (&g), 0);
	for (unsigned i = 0; i < 4; i++)
		guest_desc (&g, GUEST_DESC, i, GUEST_DATA, i == 3 ? last : 0x40000000, flags | (i < 3 ? NEXT : 0), i + 1);
	err = guest_serve (&g, 0, &r);
	if (err == 1)
		CU_ASSERT_EQUAL (flags ? r->in_bytes : r->out_bytes, 0xc0000000 + (size_t) last);
	guest_close (&g);
	return err;
}

static void
bytes_at_their_limit (void)
{
	CU_ASSERT_EQUAL (serve_gigabytes (0, 0x3fffffff), 1);
	CU_ASSERT_EQUAL (serve_gigabytes (0, 0x40000000), -EPROTO);
	CU_ASSERT_EQUAL (serve_gigabytes (WRITE, 0x3fffffff), 1);
	CU_ASSERT_EQUAL (serve_gigabytes (WRITE, 0x40000000), -EPROTO);
}

static void
reading_behind_writing (void)
{
	struct vh_request *r;
	struct guest g;

	guest_begin (&g, 8, 0);
	guest_desc (&g, GUEST_DESC, 0, GUEST_DATA, 1, NEXT | WRITE, 1);
	guest_desc (&g, GUEST_DESC, 1, GUEST_DATA, 1, 0, 0);
	CU_ASSERT_EQUAL (guest_serve (&g, 0, &r), -EPROTO);
	check_stopped (&g, -EPROTO);
	guest_close (&g);
}

/* --- outside memory --- */

/* Which descriptor of header, data, status is where; n_in: is there a status part to write? */
static const struct {
	unsigned which;
	uint64_t addr;
	uint32_t len;
	unsigned n_in;
} outside[] = {
	{ 0, 0, 16, 1 },
	{ 0, GUEST_BASE - 1, 16, 1 },
	{ 0, GUEST_BASE - 1, 0xfffffe00, 1 },
	{ 1, GUEST_BASE + GUEST_SIZE, 4096, 1 },
	{ 1, GUEST_BASE + GUEST_SIZE - 4095, 4096, 1 },
	{ 1, GUEST_DATA, GUEST_SIZE, 1 },
	{ 1, GUEST_DATA, 0xfffffe00, 1 },
	{ 1, UINT64_MAX, 4096, 1 },
	{ 1, UINT64_MAX - 4095, 4096, 1 },
	{ 1, UINT64_C (1) << 63, 1, 1 },
	{ 2, GUEST_BASE + GUEST_SIZE, 1, 0 },
	{ 2, GUEST_BASE - 1, 1, 0 },
	{ 2, GUEST_BASE + GUEST_SIZE - 1, 2, 0 },
	{ 2, 0, 1, 0 },
};

static void
parts_outside_memory (void)
{
	for (unsigned i = 0; i < sizeof (outside) / sizeof (outside[0]); i++) {
		struct vh_request *r;
		struct guest g;

		guest_begin (&g, 8, 0);
		guest_desc (&g, GUEST_DESC, 0, GUEST_DATA, 16, NEXT, 1);
		guest_desc (&g, GUEST_DESC, 1, GUEST_DATA + 16, 4096, NEXT | WRITE, 2);
		guest_desc (&g, GUEST_DESC, 2, GUEST_DATA + 8192, 1, WRITE, 0);
		guest_desc (&g, GUEST_DESC, outside[i].which, outside[i].addr, outside[i].len,
			    (outside[i].which ? WRITE : 0) | (outside[i].which < 2 ? NEXT : 0), outside[i].which + 1);
		CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
		guest_check_fault (r, outside[i].n_in);
		if (r->n_in)
			CU_ASSERT_PTR_EQUAL (r->in[0].iov_base, guest_host (&g, GUEST_DATA + 8192));
		guest_give (&g, r, 100);
		CU_ASSERT_EQUAL (guest_used_idx (&g), 1);
		CU_ASSERT_EQUAL (guest_used_id (&g, 0), 0);
		CU_ASSERT_EQUAL (guest_used_len (&g, 0), outside[i].n_in);
		CU_ASSERT_EQUAL (g.broken, 0);
		guest_close (&g);
	}
}

/* The last part is for reading: nothing is left.  And the rules are kept for the descriptors behind the one that is outside, too. */
static void
rules_hold_behind_parts_outside (void)
{
	struct vh_request *r;
	struct guest g;

	guest_begin (&g, 8, 0);
	guest_desc (&g, GUEST_DESC, 0, 0, 1, NEXT, 1);
	guest_desc (&g, GUEST_DESC, 1, GUEST_DATA, 1, 0, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	CU_ASSERT_EQUAL (r->error, -EFAULT);
	CU_ASSERT_EQUAL (r->n_in + r->n_out, 0);
	/* The same request without the fault has no error again. */
	vh_ring_give (g.ring, r, 0);
	guest_desc (&g, GUEST_DESC, 0, GUEST_DATA, 1, NEXT, 1);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	CU_ASSERT_EQUAL (r->error, 0);
	CU_ASSERT_EQUAL (r->n_out, 2);
	guest_give (&g, r, 0);
	guest_desc (&g, GUEST_DESC, 0, 0, 1, NEXT | WRITE, 1);
	CU_ASSERT_EQUAL (guest_serve (&g, 0, &r), -EPROTO);
	guest_close (&g);
}

/* A region that follows, but not at once. */
static void
buffers_over_a_hole (void)
{
	static const struct guest_region regions[] = { { 0, 0, 0x200000 }, { 0x200001, 0x200001, 0x1000 } };
	struct vh_request *r;
	struct guest g;

	guest_open (&g, 8, 0);
	guest_set_regions (&g, regions, 2);
	CU_ASSERT_EQUAL_FATAL (guest_start (&g), 0);
	guest_desc (&g, GUEST_DESC, 0, GUEST_BASE + 0x1ffff0, 0x20, NEXT, 1);
	guest_desc (&g, GUEST_DESC, 1, GUEST_BASE + 0x200001, 1, WRITE, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	CU_ASSERT_EQUAL (r->error, -EFAULT);
	CU_ASSERT_EQUAL (r->n_in, 1);
	guest_close (&g);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "available index jumps", available_index_jumps },
		{ "largest ring is full", largest_ring_is_full },
		{ "heads outside the table", heads_outside_the_table },
		{ "a head twice", a_head_twice },
		{ "more requests than descriptors", more_requests_than_descriptors },
		{ "next outside the table", next_outside_the_table },
		{ "chains in a loop", chains_in_a_loop },
		{ "chains at their limit", chains_at_their_limit },
		{ "parts at their limit", parts_at_their_limit },
		{ "bytes at their limit", bytes_at_their_limit },
		{ "reading behind writing", reading_behind_writing },
		{ "parts outside memory", parts_outside_memory },
		{ "rules hold behind parts outside", rules_hold_behind_parts_outside },
		{ "buffers over a hole", buffers_over_a_hole },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("split-rules", tests);
}
