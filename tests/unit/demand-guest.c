/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest whose data is mapped on demand.
 */
#include <string.h>

#include "memory/guard.h"
#include "tests/suite.h"
#include "tests/unit/demand-guest.h"

const struct guest_region demand_regions[2] = {
	{ 0, 0, 0x100000, 0 },
	{ 0x100000, 0x100000, 0x300000, ON_DEMAND },
};

void
demand_open (struct guest *g, unsigned size)
{
	fake_map_reset ();
	guest_open (g, size, VH_BIT (VH_F_INDIRECT_DESC));
	guest_set_regions (g, demand_regions, 2);
}

void
demand_begin (struct guest *g, unsigned size)
{
	demand_open (g, size);
	CU_ASSERT_EQUAL_FATAL (guest_start (g), 0);
}

void
demand_end (struct guest *g)
{
	guest_close (g);
	CU_ASSERT_EQUAL (fake_map.leases, 0);
	CU_ASSERT_EQUAL (fake_map.ranges, 0);
	CU_ASSERT_EQUAL (fake_map.calls, fake_map.ended);
}

uint64_t
demand_data (unsigned i)
{
	return GUEST_DATA + 0x4000 * (uint64_t) i;
}

void
demand_offer (struct guest *g, unsigned i)
{
	unsigned head = 3 * i;

	guest_desc (g, GUEST_DESC, head, demand_data (i) + 5, 16, NEXT, head + 1);
	guest_desc (g, GUEST_DESC, head + 1, demand_data (i) + 0x800, 4096, NEXT | WRITE, head + 2);
	guest_desc (g, GUEST_DESC, head + 2, demand_data (i) + 0x3fff, 1, WRITE, 0);
	guest_offer (g, head);
}

void
demand_serve (const struct guest *g, struct vh_request *r, unsigned i)
{
	unsigned char *header = guest_at (g, demand_data (i) + 5);

	CU_ASSERT_EQUAL (r->error, 0);
	CU_ASSERT_EQUAL_FATAL (r->n_out, 1);
	CU_ASSERT_EQUAL_FATAL (r->n_in, 2);
	CU_ASSERT_EQUAL (r->in_bytes, 4097);
	memset (header, (int) i + 1, 16);
	CU_ASSERT_EQUAL (memcmp (r->out[0].iov_base, header, 16), 0);
	memset (r->in[0].iov_base, 0x40 + (int) i, r->in[0].iov_len);
	*(unsigned char *) r->in[1].iov_base = 0x21;
	CU_ASSERT_EQUAL (*(unsigned char *) guest_at (g, demand_data (i) + 0x800 + 4095), 0x40 + i);
	CU_ASSERT_EQUAL (*(unsigned char *) guest_at (g, demand_data (i) + 0x3fff), 0x21);
}

static void
lose_memory (void *opaque)
{
	struct guest *g = opaque;

	__atomic_store_n (&g->memory->slots[1].region->lost, 1, __ATOMIC_RELEASE);
	__atomic_add_fetch (&guard_hits, 1, __ATOMIC_ACQ_REL);
}

void
demand_lose_memory (struct guest *g)
{
	fake_map.mapped = lose_memory;
	fake_map.opaque = g;
}
