/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Indirect descriptor tables: those that are in order, wherever they lie, and those that are not.
 */
#include <errno.h>

#include "tests/suite.h"
#include "tests/unit/guest.h"

#define TABLE (GUEST_BASE + 0x200000)

static void
begin (struct guest *g, unsigned ring_size)
{
	guest_begin (g, ring_size, VH_BIT (VH_F_INDIRECT_DESC));
}

static void
check_parts (const struct guest *g, const struct vh_request *r, unsigned n, uint32_t len)
{
	CU_ASSERT_EQUAL (r->error, 0);
	CU_ASSERT_EQUAL_FATAL (r->n_out, n);
	CU_ASSERT_EQUAL (r->out_bytes, (size_t) n * len);
	for (unsigned i = 0; i < n; i++)
		if (r->out[i].iov_base != guest_host (g, GUEST_DATA + i * len) || r->out[i].iov_len != len)
			CU_FAIL ("part");
}

/* From one descriptor to many more than the ring has. */
static void
tables_of_all_lengths (void)
{
	struct vh_request *r;
	struct guest g;

	begin (&g, 8);
	for (unsigned n = 1; n <= 1024; n += n < 20 ? 1 : 251) {
		ring_new_turn (g.ring, 1);
		guest_chain (&g, TABLE, 0, n, 64);
		guest_desc (&g, GUEST_DESC, 3, TABLE, n * 16, INDIRECT, 0);
		CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 3, &r), 1);
		check_parts (&g, r, n, 64);
		guest_give (&g, r, 0);
	}
	CU_ASSERT_EQUAL (g.broken, 0);
	guest_close (&g);
}

static void
both_directions (void)
{
	struct vh_request *r;
	struct guest g;

	begin (&g, 8);
	guest_desc (&g, TABLE, 0, GUEST_DATA, 16, NEXT, 2);
	guest_desc (&g, TABLE, 2, GUEST_DATA + 16, 32, NEXT | WRITE, 1);
	guest_desc (&g, TABLE, 1, GUEST_DATA + 48, 1, WRITE, 0);
	guest_desc (&g, GUEST_DESC, 0, TABLE, 48, INDIRECT | WRITE, 0);	/* WRITE means nothing here */
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	CU_ASSERT_EQUAL (r->n_out, 1);
	CU_ASSERT_EQUAL (r->n_in, 2);
	CU_ASSERT_EQUAL (r->in_bytes, 33);
	guest_close (&g);
}

/* Direct descriptors may come before, up to where the parts move to the arena, and on.  A request whose head is next to theirs keeps what it has. */
static void
behind_direct_descriptors (void)
{
	for (unsigned before = 1; before < 20; before++) {
		struct vh_request *r, *beside;
		struct guest g;

		begin (&g, 64);
		guest_desc (&g, GUEST_DESC, 1, GUEST_DATA, 7, 0, 0);
		CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 1, &beside), 1);
		for (unsigned i = 0; i < before; i++)
			guest_desc (&g, GUEST_DESC, i ? i + 1 : 0, GUEST_DATA + i * 8, 8, NEXT, i + 2);
		guest_desc (&g, GUEST_DESC, before + 1, TABLE, 10 * 16, INDIRECT, 0);
		for (unsigned i = 0; i < 10; i++)
			guest_desc (&g, TABLE, i, GUEST_DATA + (before + i) * 8, 8, i < 9 ? NEXT : 0, i + 1);
		CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
		check_parts (&g, r, before + 10, 8);
		check_parts (&g, beside, 1, 7);
		guest_close (&g);
	}
}

static void
direct_descriptors_for_writing_come_last (void)
{
	struct vh_request *r;
	struct guest g;

	begin (&g, 8);
	guest_desc (&g, GUEST_DESC, 0, GUEST_DATA, 8, NEXT | WRITE, 1);
	guest_desc (&g, GUEST_DESC, 1, TABLE, 16, INDIRECT, 0);
	guest_desc (&g, TABLE, 0, GUEST_DATA, 8, 0, 0);
	CU_ASSERT_EQUAL (guest_serve (&g, 0, &r), -EPROTO);
	guest_close (&g);
}

/* A chain of n in a table over the edge of two regions, its first entry and a half before it; the second region is elsewhere in the file. */
static int
serve_in_pieces (unsigned max_parts, unsigned entries, unsigned n)
{
	static const struct guest_region regions[] = { { 0, 0, 0x200000 }, { 0x200000, 0x300000, 0x100000 } };
	const uint64_t table = GUEST_BASE + 0x200000 - 24;
	struct vh_request *r;
	struct guest g;
	int err;

	guest_open (&g, 8, VH_BIT (VH_F_INDIRECT_DESC));
	guest_set_regions (&g, regions, 2);
	g.setup.max_parts = max_parts;
	CU_ASSERT_EQUAL_FATAL (guest_start (&g), 0);
	for (unsigned i = 0; i < n; i++) {
		guest_desc (&g, GUEST_DATA, 0, GUEST_DATA + i * 32, 32, i < n - 1 ? NEXT : 0, i + 1);
		CU_ASSERT_EQUAL (vh_memory_write (g.memory, table + 16 * i, guest_at (&g, GUEST_DATA), 16), 0);
	}
	guest_desc (&g, GUEST_DESC, 0, table, entries * 16, INDIRECT, 0);
	err = guest_serve (&g, 0, &r);
	if (err == 1)
		check_parts (&g, r, n, 32);
	guest_close (&g);
	return err;
}

static void
tables_over_two_regions (void)
{
	static const unsigned limits[] = { 2, 8, 9, 40, 1024 };

	for (unsigned i = 0; i < sizeof (limits) / sizeof (limits[0]); i++) {
		CU_ASSERT_EQUAL (serve_in_pieces (limits[i], limits[i], limits[i]), 1);
		CU_ASSERT_EQUAL (serve_in_pieces (limits[i], limits[i], 1), 1);
		CU_ASSERT_EQUAL (serve_in_pieces (limits[i], limits[i] + 1, 1), -EPROTO);
	}
}

/* The specification does not say that tables are aligned. */
static void
tables_at_odd_addresses (void)
{
	struct vh_request *r;
	struct guest g;

	begin (&g, 8);
	for (unsigned odd = 1; odd < 16; odd += 5) {
		guest_chain (&g, TABLE + odd, 0, 3, 16);
		guest_desc (&g, GUEST_DESC, odd % 8, TABLE + odd, 48, INDIRECT, 0);
		CU_ASSERT_EQUAL_FATAL (guest_serve (&g, odd % 8, &r), 1);
		check_parts (&g, r, 3, 16);
	}
	guest_close (&g);
}

/* --- rules --- */

struct table_case {
	uint64_t addr;
	uint32_t len;
	unsigned flags;
	int taken, error;
};

static void
check_table (const struct table_case *c, uint64_t features)
{
	struct vh_request *r;
	struct guest g;

	guest_begin (&g, 8, features);
	guest_desc (&g, TABLE, 0, GUEST_DATA, 8, 0, 0);
	guest_desc (&g, GUEST_DESC, 1, GUEST_DATA, 8, 0, 0);
	guest_desc (&g, GUEST_DESC, 0, c->addr, c->len, c->flags, 1);
	CU_ASSERT_EQUAL (guest_serve (&g, 0, &r), c->taken);
	CU_ASSERT_EQUAL (g.broken, c->taken < 0);
	if (c->taken == 1) {
		CU_ASSERT_EQUAL (r->error, c->error);
		CU_ASSERT_EQUAL (r->n_out, c->error ? 0 : 1);
		CU_ASSERT_EQUAL (r->n_in, 0);
		guest_give (&g, r, 5);
		CU_ASSERT_EQUAL (guest_used_idx (&g), 1);
		CU_ASSERT_EQUAL (guest_used_len (&g, 0), 0);
	}
	guest_close (&g);
}

static void
sizes_and_places (void)
{
	static const struct table_case cases[] = {
		{ TABLE, 16, INDIRECT, 1, 0 },
		{ TABLE, 0, INDIRECT, -EPROTO, 0 },
		{ TABLE, 15, INDIRECT, -EPROTO, 0 },
		{ TABLE, 50, INDIRECT, -EPROTO, 0 },
		{ TABLE, 0xfffffff0, INDIRECT, -EPROTO, 0 },
		{ TABLE, 65536 * 16, INDIRECT, 1, 0 },
		{ TABLE, 65537 * 16, INDIRECT, -EPROTO, 0 },
		{ TABLE, 16, INDIRECT | NEXT, -EPROTO, 0 },
		{ 0, 16, INDIRECT, 1, -EFAULT },
		{ UINT64_MAX - 15, 16, INDIRECT, 1, -EFAULT },
		{ GUEST_BASE + GUEST_SIZE - 16, 32, INDIRECT, 1, -EFAULT },
		{ GUEST_BASE - 16, 32, INDIRECT, 1, -EFAULT },
	};

	for (unsigned i = 0; i < sizeof (cases) / sizeof (cases[0]); i++)
		check_table (&cases[i], VH_BIT (VH_F_INDIRECT_DESC));
}

static void
not_negotiated (void)
{
	static const struct table_case c = { TABLE, 16, INDIRECT, -EPROTO, 0 };

	check_table (&c, 0);
}

static void
at_the_end_of_memory (void)
{
	struct vh_request *r;
	struct guest g;

	begin (&g, 8);
	guest_desc (&g, GUEST_BASE + GUEST_SIZE - 16, 0, GUEST_DATA, 8, 0, 0);
	guest_desc (&g, GUEST_DESC, 0, GUEST_BASE + GUEST_SIZE - 16, 16, INDIRECT, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	CU_ASSERT_EQUAL (r->n_out, 1);
	guest_close (&g);
}

/* What is wrong inside a table of four entries. */
static void
wrong_inside (void)
{
	static const struct {
		unsigned flags, next;
	} cases[] = {
		{ INDIRECT, 0 },	/* a table in a table */
		{ NEXT, 4 },		/* outside */
		{ NEXT, 0xffff },
		{ NEXT, 3 },		/* loops of one, of all */
		{ NEXT, 0 },
	};

	for (unsigned i = 0; i < sizeof (cases) / sizeof (cases[0]); i++)
		for (uint32_t len = 0; len <= 16; len += 16) {
			struct vh_request *r;
			struct guest g;

			begin (&g, 8);
			guest_chain (&g, TABLE, 0, 4, len);
			guest_desc (&g, TABLE, 3, cases[i].flags == INDIRECT ? TABLE : GUEST_DATA, 16, cases[i].flags, cases[i].next);
			guest_desc (&g, GUEST_DESC, 0, TABLE, 64, INDIRECT, 0);
			CU_ASSERT_EQUAL (guest_serve (&g, 0, &r), -EPROTO);
			CU_ASSERT_EQUAL (g.broken, 1);
			guest_close (&g);
		}
}

/* An indirect table at the place of the ring's own is one nevertheless. */
static void
over_the_ring_itself (void)
{
	struct vh_request *r;
	struct guest g;

	begin (&g, 8);
	guest_desc (&g, GUEST_DESC, 0, GUEST_DATA, 8, 0, 0);
	guest_desc (&g, GUEST_DESC, 1, GUEST_DESC, 128, INDIRECT, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 1, &r), 1);
	CU_ASSERT_EQUAL (r->n_out, 1);
	guest_desc (&g, GUEST_DESC, 0, GUEST_DESC, 128, INDIRECT, 0);
	CU_ASSERT_EQUAL (guest_serve (&g, 0, &r), -EPROTO);
	guest_close (&g);
}

static int
serve_table (unsigned max_parts, unsigned n, unsigned entries, uint32_t len)
{
	struct vh_request *r;
	struct guest g;
	int err;

	guest_open (&g, 2, VH_BIT (VH_F_INDIRECT_DESC));
	g.setup.max_parts = max_parts;
	CU_ASSERT_EQUAL_FATAL (guest_start (&g), 0);
	guest_chain (&g, TABLE, 0, n, len);
	guest_desc (&g, GUEST_DESC, 0, TABLE, entries * 16, INDIRECT, 0);
	err = guest_serve (&g, 0, &r);
	if (err == 1)
		CU_ASSERT_EQUAL (r->n_out, len ? n : 0);
	guest_close (&g);
	return err;
}

/* The device's limit counts, not the ring's size of two; in tables that are just as long, and in longer ones. */
static void
chains_at_their_limit (void)
{
	static const unsigned limits[] = { 1, 2, 7, 8, 9, 64, 1024, VH_MAX_RING_SIZE };

	for (unsigned i = 0; i < sizeof (limits) / sizeof (limits[0]); i++)
		for (uint32_t len = 0; len < 2; len++)
			for (unsigned spare = 0; spare < 3; spare++) {
				unsigned n = limits[i];

				CU_ASSERT_EQUAL (serve_table (n, n, n + spare, len), 1);
				CU_ASSERT_EQUAL (serve_table (n, n + 1, n + 1 + spare, len), -EPROTO);
			}
}

static void
data_outside_memory (void)
{
	struct vh_request *r;
	struct guest g;

	begin (&g, 8);
	guest_desc (&g, TABLE, 0, 0, 16, NEXT, 1);
	guest_desc (&g, TABLE, 1, GUEST_DATA, 1, WRITE, 0);
	guest_desc (&g, GUEST_DESC, 0, TABLE, 32, INDIRECT, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	CU_ASSERT_EQUAL (r->error, -EFAULT);
	CU_ASSERT_EQUAL_FATAL (r->n_in, 1);
	CU_ASSERT_PTR_EQUAL (r->in[0].iov_base, guest_host (&g, GUEST_DATA));
	guest_close (&g);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "tables of all lengths", tables_of_all_lengths },
		{ "both directions", both_directions },
		{ "behind direct descriptors", behind_direct_descriptors },
		{ "direct descriptors for writing come last", direct_descriptors_for_writing_come_last },
		{ "tables over two regions", tables_over_two_regions },
		{ "tables at odd addresses", tables_at_odd_addresses },
		{ "sizes and places", sizes_and_places },
		{ "not negotiated", not_negotiated },
		{ "at the end of memory", at_the_end_of_memory },
		{ "wrong inside", wrong_inside },
		{ "over the ring itself", over_the_ring_itself },
		{ "chains at their limit", chains_at_their_limit },
		{ "data outside memory", data_outside_memory },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("indirect", tests);
}
