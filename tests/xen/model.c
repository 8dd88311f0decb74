/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the tests of the memory model share; see model.h.
 */
#include "model.h"

static struct vh_memory_counters before;

struct region
model_region (uint32_t domid, uint64_t addr, uint64_t size, uint32_t flags)
{
	return (struct region){ .spec = { .guest_addr = addr, .size = size, .fd = -1, .xen_flags = flags, .xen_domid = domid }, .refs = 1 };
}

int
model_try (struct region r)
{
	int ret = map_region (&r, -1);

	if (ret == 0)
		unmap_region (&r);
	return ret;
}

struct range
model_range (struct region *r, uint64_t offset, uint32_t size, bool write)
{
	return (struct range){ .region = r, .addr = r->spec.guest_addr + offset, .size = size, .write = write };
}

void
model_begin (void)
{
	map_get_counters (&before);
}

struct vh_memory_counters
model_counters (void)
{
	struct vh_memory_counters now;

	map_get_counters (&now);
	now.map_calls -= before.map_calls;
	now.unmap_calls -= before.unmap_calls;
	now.copy_calls -= before.copy_calls;
	now.grants_mapped -= before.grants_mapped;
	now.grants_unmapped -= before.grants_unmapped;
	now.grants_live -= before.grants_live;
	now.foreign_frames -= before.foreign_frames;
	now.failures -= before.failures;
	return now;
}

bool
model_is_balanced (void)
{
	struct vh_memory_counters c = model_counters ();

	return c.grants_live == 0 && c.grants_mapped == c.grants_unmapped;
}
