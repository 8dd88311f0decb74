/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packed rings whose driver breaks the rules: the ring stops, once and with a reason, or the request says what is wrong with it; at each limit and behind it.
 */
#include <errno.h>
#include <string.h>

#include "tests/suite.h"
#include "tests/unit/packed-guest.h"

#define TABLE (GUEST_BASE + 0x200000)

/* The ring stops, and has published nothing. */
static void
check_stopped (struct packed *p)
{
	struct packed_used u;

	guest_check_stopped (&p->g, -EPROTO);
	CU_ASSERT_FALSE (packed_reap (p, 1, &u));
}

/* --- what a ring can be --- */

static void
what_a_ring_can_be (void)
{
	const uint64_t end = GUEST_BASE + GUEST_SIZE;
	const struct {
		unsigned size;
		uint32_t base;
		uint64_t desc, avail, used;
		int err;
	} cases[] = {
		{ 0, 0, GUEST_DESC, GUEST_AVAIL, GUEST_USED, -EINVAL },
		{ 1, 0x80008000, GUEST_DESC, GUEST_AVAIL, GUEST_USED, 0 },
		{ 3, 0x80008000, GUEST_DESC, GUEST_AVAIL, GUEST_USED, 0 },
		{ 32767, 0xfffeffff, GUEST_DESC, GUEST_AVAIL, GUEST_USED, -EINVAL },
		{ 32767, 0xfffefffe, GUEST_DESC, GUEST_AVAIL, GUEST_USED, 0 },
		{ 32768, 0xffffffff, GUEST_DESC, GUEST_AVAIL, GUEST_USED, 0 },
		{ 32769, 0x80008000, GUEST_DESC, GUEST_AVAIL, GUEST_USED, -EINVAL },
		{ UINT32_MAX, 0x80008000, GUEST_DESC, GUEST_AVAIL, GUEST_USED, -EINVAL },
		/* bases: places in the ring, available no more than its size ahead of used */
		{ 8, 0x00000007, GUEST_DESC, GUEST_AVAIL, GUEST_USED, 0 },
		{ 8, 0x00000008, GUEST_DESC, GUEST_AVAIL, GUEST_USED, -EINVAL },
		{ 8, 0x80008007, GUEST_DESC, GUEST_AVAIL, GUEST_USED, 0 },
		{ 8, 0x80008008, GUEST_DESC, GUEST_AVAIL, GUEST_USED, -EINVAL },
		{ 8, 0x80088007, GUEST_DESC, GUEST_AVAIL, GUEST_USED, -EINVAL },
		{ 8, 0x80050005, GUEST_DESC, GUEST_AVAIL, GUEST_USED, 0 },
		{ 8, 0x80050006, GUEST_DESC, GUEST_AVAIL, GUEST_USED, -EINVAL },
		{ 8, 0x80058004, GUEST_DESC, GUEST_AVAIL, GUEST_USED, -EINVAL },
		{ 8, 0x00058004, GUEST_DESC, GUEST_AVAIL, GUEST_USED, 0 },
		/* places */
		{ 8, 0, GUEST_DESC + 8, GUEST_AVAIL, GUEST_USED, -EINVAL },
		{ 8, 0, GUEST_DESC + 16, GUEST_AVAIL, GUEST_USED, 0 },
		{ 8, 0, GUEST_DESC, GUEST_AVAIL + 2, GUEST_USED, -EINVAL },
		{ 8, 0, GUEST_DESC, GUEST_AVAIL + 4, GUEST_USED, 0 },
		{ 8, 0, GUEST_DESC, GUEST_AVAIL, GUEST_USED + 2, -EINVAL },
		{ 8, 0, GUEST_DESC, GUEST_AVAIL, GUEST_USED + 4, 0 },
		{ 8, 0, end - 128, end - 4, end - 4, 0 },
		{ 8, 0, end - 112, GUEST_AVAIL, GUEST_USED, -EFAULT },
		{ 8, 0, GUEST_DESC, end, GUEST_USED, -EFAULT },
		{ 8, 0, GUEST_DESC, GUEST_AVAIL, end, -EFAULT },
		{ 8, 0, 0, GUEST_AVAIL, GUEST_USED, -EFAULT },
	};

	for (unsigned i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
		struct packed p;

		packed_open (&p, cases[i].size, 0);
		p.g.setup.desc = cases[i].desc;
		p.g.setup.avail = cases[i].avail;
		p.g.setup.used = cases[i].used;
		CU_ASSERT_EQUAL (packed_start (&p, cases[i].base), cases[i].err);
		packed_close (&p);
	}
}

/* --- descriptors that are available --- */

/* Only one of the four patterns of the two bits means "available", for each wrap counter. */
static void
wrap_counters (void)
{
	static const unsigned bits[] = { 0, AVAIL_BIT, USED_BIT, AVAIL_BIT | USED_BIT };

	for (unsigned wrap = 0; wrap < 2; wrap++)
		for (unsigned i = 0; i < 4; i++) {
			struct vh_request *r;
			struct packed p;

			packed_open (&p, 4, 0);
			/* Not at the beginning, where 0 may mean something else. */
			CU_ASSERT_EQUAL_FATAL (packed_start (&p, wrap ? 0x80018001 : 0x00010001), 0);
			packed_write (&p, GUEST_DESC, 1, GUEST_DATA, 1, 0, bits[i]);
			CU_ASSERT_EQUAL (packed_take_one (&p, &r), bits[i] == (wrap ? AVAIL_BIT : USED_BIT));
			CU_ASSERT_EQUAL (p.g.broken, 0);
			packed_close (&p);
		}
}

/* A chain's head says that it is available; what those bits are in the others is not looked at. */
static void
bits_inside_a_chain_mean_nothing (void)
{
	struct vh_request *r;
	struct packed p;

	packed_begin (&p, 8, 0);
	packed_write (&p, GUEST_DESC, 0, GUEST_DATA, 1, 0, NEXT | AVAIL_BIT);
	packed_write (&p, GUEST_DESC, 1, GUEST_DATA, 1, 0, NEXT | USED_BIT);
	packed_write (&p, GUEST_DESC, 2, GUEST_DATA, 1, 0, NEXT | AVAIL_BIT | USED_BIT);
	packed_write (&p, GUEST_DESC, 3, GUEST_DATA, 1, 5, 0);
	CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
	CU_ASSERT_EQUAL (r->n_out, 4);
	guest_give (&p.g, r, 0);
	CU_ASSERT (packed_is_used (&p, 4, 5, 0));
	packed_close (&p);
}

static void
ids_outside (void)
{
	static const unsigned ids[] = { 8, 9, 0x7fff, 0xffff };

	for (unsigned i = 0; i < sizeof (ids) / sizeof (ids[0]); i++) {
		struct packed p;

		packed_begin (&p, 8, 0);
		packed_add (&p, GUEST_DATA, 1, 7, WRITE);
		packed_add (&p, GUEST_DATA, 1, ids[i], WRITE);
		/* What is before it in the same batch is not served either: the ring has stopped. */
		CU_ASSERT_EQUAL (vh_ring_take (p.g.ring, (struct vh_request *[2]){ NULL }, 2), -EPROTO);
		check_stopped (&p);
		CU_ASSERT_EQUAL (ring_base (p.g.ring), 0x80008000);
		packed_close (&p);
	}
}

/* In one batch, in flight, and given back but not published; then it may be used again. */
static void
an_id_twice (void)
{
	struct vh_request *reqs[2];
	struct packed p;

	packed_begin (&p, 8, 0);
	packed_add (&p, GUEST_DATA, 1, 3, WRITE);
	packed_add (&p, GUEST_DATA, 1, 3, WRITE);
	CU_ASSERT_EQUAL (vh_ring_take (p.g.ring, reqs, 2), -EPROTO);
	check_stopped (&p);
	packed_close (&p);

	for (unsigned given = 0; given < 2; given++) {
		packed_begin (&p, 8, 0);
		packed_add (&p, GUEST_DATA, 1, 3, WRITE);
		CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &reqs[0]), 1);
		if (given)
			vh_ring_give (p.g.ring, reqs[0], 1);
		packed_add (&p, GUEST_DATA, 1, 3, WRITE);
		CU_ASSERT_EQUAL (packed_take_one (&p, &reqs[1]), -EPROTO);
		if (!given)
			vh_ring_give (p.g.ring, reqs[0], 1);
		vh_ring_flush (p.g.ring);
		check_stopped (&p);
		packed_close (&p);
	}

	packed_begin (&p, 8, 0);
	for (unsigned i = 0; i < 5; i++) {
		packed_add (&p, GUEST_DATA, 1, 3, WRITE);
		CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &reqs[0]), 1);
		guest_give (&p.g, reqs[0], 1);
		CU_ASSERT (packed_is_used (&p, 1, 3, 1));
	}
	packed_close (&p);
}

/* A driver that goes around the ring before it was given anything back: one chain more, and one whose end is over what is not used yet. */
static void
more_descriptors_than_the_ring_has (void)
{
	struct vh_request *reqs[8];
	struct packed p;

	packed_begin (&p, 8, 0);
	for (unsigned i = 0; i < 8; i++)
		packed_add (&p, GUEST_DATA, 1, i, WRITE);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (p.g.ring, reqs, 8), 8);
	packed_put (&p, p.next, GUEST_DATA, 1, 0, WRITE);
	ring_new_turn (p.g.ring, 8);
	CU_ASSERT_FALSE (ring_kicks_on (p.g.ring));
	CU_ASSERT_EQUAL (vh_ring_take (p.g.ring, reqs, 1), -EPROTO);
	packed_close (&p);

	for (unsigned length = 5; length <= 6; length++) {
		packed_begin (&p, 8, 0);
		packed_add_chain (&p, 3, 16, 0);
		CU_ASSERT_EQUAL_FATAL (vh_ring_take (p.g.ring, reqs, 1), 1);
		packed_add_chain (&p, length, 16, 1);
		CU_ASSERT_EQUAL (vh_ring_take (p.g.ring, reqs, 1), length == 5 ? 1 : -EPROTO);
		CU_ASSERT_EQUAL (p.g.broken, length == 6);
		packed_close (&p);
	}
}

/* --- chains --- */

/* With data, and without: empty descriptors are no parts. */
static void
every_descriptor_goes_on (void)
{
	static const unsigned sizes[] = { 1, 2, 7, 128, VH_MAX_RING_SIZE };

	for (unsigned i = 0; i < sizeof (sizes) / sizeof (sizes[0]); i++)
		for (uint32_t len = 0; len < 2; len++) {
			struct vh_request *r;
			struct packed p;

			packed_open (&p, sizes[i], 0);
			p.g.setup.max_parts = VH_MAX_RING_SIZE;
			CU_ASSERT_EQUAL_FATAL (packed_start (&p, 0x80008000), 0);
			for (unsigned k = 0; k < sizes[i]; k++)
				packed_add (&p, GUEST_DATA, len, 0, NEXT);
			CU_ASSERT_EQUAL (packed_take_one (&p, &r), -EPROTO);
			check_stopped (&p);
			packed_close (&p);
		}
}

/* n descriptors in a ring of `size` whose device takes up to max_parts of them. */
static int
serve_chain (unsigned size, unsigned max_parts, unsigned n, uint32_t len)
{
	struct vh_request *r;
	struct packed p;
	int err;

	packed_open (&p, size, 0);
	p.g.setup.max_parts = max_parts;
	CU_ASSERT_EQUAL_FATAL (packed_start (&p, 0x80008000), 0);
	packed_add_chain (&p, n, len, 0);
	err = packed_take_one (&p, &r);
	if (err == 1) {
		CU_ASSERT_EQUAL (r->n_out, len ? n : 0);
	} else
		check_stopped (&p);
	packed_close (&p);
	return err;
}

static void
chains_at_their_limit (void)
{
	static const unsigned limits[] = { 1, 2, 7, 8, 9, 64, 127, 1024 };

	for (unsigned i = 0; i < sizeof (limits) / sizeof (limits[0]); i++)
		for (uint32_t len = 0; len < 2; len++) {
			CU_ASSERT_EQUAL (serve_chain (2000, limits[i], limits[i], len), 1);
			CU_ASSERT_EQUAL (serve_chain (2000, limits[i], limits[i] + 1, len), -EPROTO);
		}
	CU_ASSERT_EQUAL (serve_chain (100, 1024, 100, 1), 1);
	CU_ASSERT_EQUAL (serve_chain (VH_MAX_RING_SIZE, VH_MAX_RING_SIZE, VH_MAX_RING_SIZE, 1), 1);
}

/* Four gigabytes, less a byte, in descriptors of one gigabyte over the same memory; then one byte more. */
static int
serve_gigabytes (unsigned flags, uint32_t last)
{
	static const struct guest_region whole = { 0, 0, 0x50000000 };
	struct vh_request *r;
	struct packed p;
	int err;

	packed_open (&p, 8, 0);
	guest_close (&p.g);
	guest_open_sized (&p.g, 8, VH_BIT (VH_F_RING_PACKED), whole.size);
	CU_ASSERT_EQUAL_FATAL (packed_start (&p, 0x80008000), 0);
	for (unsigned i = 0; i < 4; i++)
		packed_add (&p, GUEST_DATA, i == 3 ? last : 0x40000000, 0, flags | (i < 3 ? NEXT : 0));
	err = packed_take_one (&p, &r);
	if (err == 1)
		CU_ASSERT_EQUAL (flags ? r->in_bytes : r->out_bytes, 0xc0000000 + (size_t) last);
	packed_close (&p);
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
	struct packed p;

	packed_begin (&p, 8, 0);
	packed_add (&p, GUEST_DATA, 1, 0, NEXT | WRITE);
	packed_add (&p, GUEST_DATA, 1, 0, 0);
	CU_ASSERT_EQUAL (packed_take_one (&p, &r), -EPROTO);
	check_stopped (&p);
	packed_close (&p);

	packed_begin (&p, 8, VH_BIT (VH_F_INDIRECT_DESC));
	packed_write (&p, TABLE, 0, GUEST_DATA, 1, 0, WRITE);
	packed_write (&p, TABLE, 1, GUEST_DATA, 1, 0, 0);
	packed_add_table (&p, TABLE, 32, 0);
	CU_ASSERT_EQUAL (packed_take_one (&p, &r), -EPROTO);
	check_stopped (&p);
	packed_close (&p);
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
	{ 0, GUEST_BASE - 1, 0xfffffe00, 1 },
	{ 1, GUEST_BASE + GUEST_SIZE - 4095, 4096, 1 },
	{ 1, UINT64_MAX - 4095, 4096, 1 },
	{ 1, UINT64_C (1) << 63, 1, 1 },
	{ 2, GUEST_BASE + GUEST_SIZE, 1, 0 },
	{ 2, 0, 1, 0 },
};

/* The same in the ring and in a table. */
static void
parts_outside_memory (void)
{
	for (unsigned i = 0; i < 2 * sizeof (outside) / sizeof (outside[0]); i++) {
		bool table = i % 2;
		struct vh_request *r;
		struct packed p;

		packed_begin (&p, 8, VH_BIT (VH_F_INDIRECT_DESC));
		for (unsigned k = 0; k < 3; k++) {
			bool it = k == outside[i / 2].which;
			uint64_t addr = it ? outside[i / 2].addr : GUEST_DATA + 4096 * k;
			uint32_t len = it ? outside[i / 2].len : k == 2 ? 1 : 16;

			if (table)
				packed_write (&p, TABLE, k, addr, len, 0, k ? WRITE : 0);
			else
				packed_add (&p, addr, len, 6, (k ? WRITE : 0) | (k < 2 ? NEXT : 0));
		}
		if (table)
			packed_add_table (&p, TABLE, 48, 6);
		CU_ASSERT_EQUAL_FATAL (packed_take_one (&p, &r), 1);
		guest_check_fault (r, outside[i / 2].n_in);
		if (r->n_in)
			CU_ASSERT_PTR_EQUAL (r->in[0].iov_base, guest_host (&p.g, GUEST_DATA + 8192));
		guest_give (&p.g, r, 100);
		CU_ASSERT (packed_is_used (&p, table ? 1 : 3, 6, outside[i / 2].n_in));
		CU_ASSERT_EQUAL (p.g.broken, 0);
		packed_close (&p);
	}
}

/* --- indirect tables --- */

static void
tables_that_cannot_be (void)
{
	static const struct {
		uint64_t features, addr;
		uint32_t len;
		unsigned flags;
		int taken, error;
	} cases[] = {
		{ 1, TABLE, 16, INDIRECT, 1, 0 },
		{ 0, TABLE, 16, INDIRECT, -EPROTO, 0 },
		{ 1, TABLE, 0, INDIRECT, -EPROTO, 0 },
		{ 1, TABLE, 15, INDIRECT, -EPROTO, 0 },
		{ 1, TABLE, 50, INDIRECT, -EPROTO, 0 },
		{ 1, TABLE, 0xfffffff0, INDIRECT, -EPROTO, 0 },
		{ 1, TABLE, 16, INDIRECT | NEXT, -EPROTO, 0 },
		{ 1, 0, 16, INDIRECT, 1, -EFAULT },
		{ 1, UINT64_MAX - 15, 16, INDIRECT, 1, -EFAULT },
		{ 1, GUEST_BASE + GUEST_SIZE - 16, 32, INDIRECT, 1, -EFAULT },
		{ 1, GUEST_BASE - 16, 32, INDIRECT, 1, -EFAULT },
	};

	for (unsigned i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
		struct vh_request *r;
		struct packed p;

		packed_begin (&p, 8, cases[i].features ? VH_BIT (VH_F_INDIRECT_DESC) : 0);
		packed_write (&p, TABLE, 0, GUEST_DATA, 8, 0, 0);
		packed_add (&p, cases[i].addr, cases[i].len, 2, cases[i].flags);
		CU_ASSERT_EQUAL (packed_take_one (&p, &r), cases[i].taken);
		CU_ASSERT_EQUAL (p.g.broken, cases[i].taken < 0);
		if (cases[i].taken == 1) {
			CU_ASSERT_EQUAL (r->error, cases[i].error);
			CU_ASSERT_EQUAL (r->n_out, cases[i].error ? 0 : 1);
			guest_give (&p.g, r, 5);
			CU_ASSERT (packed_is_used (&p, 1, 2, 0));
		}
		packed_close (&p);
	}
}

/* All of a table's descriptors are the chain, so a device's limit is one of the table. */
static void
tables_at_their_limit (void)
{
	static const unsigned limits[] = { 1, 2, 7, 8, 9, 64, 1024, VH_MAX_RING_SIZE };

	for (unsigned i = 0; i < sizeof (limits) / sizeof (limits[0]); i++)
		for (unsigned more = 0; more < 2; more++)
			for (uint32_t len = 0; len < 2; len++) {
				unsigned n = limits[i] + more;
				struct vh_request *r;
				struct packed p;

				packed_open (&p, 3, VH_BIT (VH_F_INDIRECT_DESC));
				p.g.setup.max_parts = limits[i];
				CU_ASSERT_EQUAL_FATAL (packed_start (&p, 0x80008000), 0);
				packed_write_table (&p, TABLE, n, len);
				packed_add_table (&p, TABLE, n * 16, 0);
				CU_ASSERT_EQUAL (packed_take_one (&p, &r), more ? -EPROTO : 1);
				if (!more)
					CU_ASSERT_EQUAL (r->n_out, len ? n : 0);
				packed_close (&p);
			}
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "what a ring can be", what_a_ring_can_be },
		{ "wrap counters", wrap_counters },
		{ "bits inside a chain mean nothing", bits_inside_a_chain_mean_nothing },
		{ "ids outside", ids_outside },
		{ "an id twice", an_id_twice },
		{ "more descriptors than the ring has", more_descriptors_than_the_ring_has },
		{ "every descriptor goes on", every_descriptor_goes_on },
		{ "chains at their limit", chains_at_their_limit },
		{ "bytes at their limit", bytes_at_their_limit },
		{ "reading behind writing", reading_behind_writing },
		{ "parts outside memory", parts_outside_memory },
		{ "tables that cannot be", tables_that_cannot_be },
		{ "tables at their limit", tables_at_their_limit },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("packed-rules", tests);
}
