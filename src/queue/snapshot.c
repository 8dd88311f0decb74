/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory that a ring uses.  New requests are taken from the newest snapshot; older ones live for as long as a request that was taken from them is in
 * flight.  The ring's own areas are always those of the newest.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "queue/demand.h"
#include "queue/layout.h"

struct areas {
	unsigned char *host[AREAS];
	struct lease *lease;
};

/* --- the ring's areas --- */

/* Finds an area; one in a region on demand becomes one more of the ranges. */
static int
area_find (const struct vh_ring *ring, const struct vh_memory *m, unsigned area, uint64_t addr, struct areas *ret, struct range *ranges, unsigned *n)
{
	uint64_t size = ring->layout->area_size (area, ring->size);
	const struct slot *slot = memory_find (m, addr);
	bool write = ring->layout->written[area];
	unsigned char *host;

	if (addr % ring->layout->align[area])
		return -EINVAL;
	if (!slot || size > slot->size - (addr - slot->addr))
		return -EFAULT;
	host = memory_host (m, slot, write);
	if (!host && m->iova)	/* what has to be done there is not allowed */
		return -EFAULT;
	ret->host[area] = host ? host + (addr - slot->addr) : NULL;
	if (!host)
		ranges[(*n)++] = (struct range){ .region = slot->region, .addr = addr, .size = (uint32_t) size, .write = write };
	return 0;
}

/* Maps those that are on demand, all with one lease, for as long as the ring uses this memory. */
static int
areas_lease (struct areas *a, struct range *ranges, unsigned n)
{
	int err;

	a->lease = NULL;
	if (n == 0)
		return 0;
	err = map_ranges (ranges, n, &a->lease);
	for (unsigned area = 0, next = 0; err == 0 && area < AREAS; area++)
		if (!a->host[area])
			a->host[area] = ranges[next++].host;
	return err;
}

/* A region's bytes may lie anywhere in its file, so an address that is aligned in the guest may not be so here. */
static bool
areas_aligned (const struct vh_ring *ring, const struct areas *a)
{
	for (unsigned area = 0; area < AREAS; area++)
		if ((uintptr_t) a->host[area] % ring->layout->align[area])
			return false;
	return true;
}

static int
areas_map (const struct vh_ring *ring, const struct vh_memory *m, struct areas *ret)
{
	const uint64_t addrs[AREAS] = { ring->setup.desc, ring->setup.avail, ring->setup.used };
	struct range ranges[AREAS];
	unsigned n = 0;
	int err = 0;

	for (unsigned area = 0; err == 0 && area < AREAS; area++)
		err = area_find (ring, m, area, addrs[area], ret, ranges, &n);
	if (err == 0)
		err = areas_lease (ret, ranges, n);
	if (err < 0 || areas_aligned (ring, ret))
		return err;
	if (ret->lease)
		unmap_lease (ret->lease);
	return -EINVAL;
}

static void
areas_replace (struct vh_ring *ring, const struct areas *a)
{
	if (ring->areas_lease)
		unmap_lease (ring->areas_lease);
	memcpy (ring->areas, a->host, sizeof (ring->areas));
	ring->areas_lease = a->lease;
}

/* --- snapshots --- */

/* Where the first descriptor is looked for: in the first region that is mapped, or in none. */
static const struct slot *
first_slot (const struct vh_memory *m)
{
	static const struct slot none;

	for (unsigned i = 0; i < m->n; i++)
		if (m->slots[i].host)
			return &m->slots[i];
	return &none;
}

static bool
has_on_demand (const struct vh_memory *m)
{
	for (unsigned i = 0; i < m->n; i++)
		if (!m->slots[i].host)
			return !m->iova;
	return false;
}

static void
snapshot_free (struct snapshot *s)
{
	vh_memory_unref (s->memory);
	free (s);
}

void
snapshot_drop (struct vh_ring *ring, struct snapshot *s)
{
	struct snapshot **link = &ring->snapshot;

	demand_flush (ring);
	while (*link != s)
		link = &(*link)->older;
	*link = s->older;
	snapshot_free (s);
}

static void
snapshot_enter (struct vh_ring *ring, struct snapshot *s, struct vh_memory *m)
{
	struct snapshot *old = ring->snapshot;

	*s = (struct snapshot){ .memory = vh_memory_ref (m), .on_demand = has_on_demand (m), .older = old };
	s->special = s->on_demand;
	ring->snapshot = s;
	ring->slot = ring->other_slot = first_slot (m);
	if (!old)
		return;
	old->special = true;
	if (old->in_flight == 0)
		snapshot_drop (ring, old);
	else
		ring->holds_old = ring->watched = true;
}

int
snapshot_push (struct vh_ring *ring, struct vh_memory *m)
{
	struct snapshot *s = malloc (sizeof (*s));
	struct areas a;
	int err = s ? 0 : -ENOMEM;

	if (err == 0 && has_on_demand (m))
		err = demand_prepare (ring);
	if (err == 0)
		err = areas_map (ring, m, &a);
	if (err < 0) {
		free (s);
		return err;
	}
	areas_replace (ring, &a);
	snapshot_enter (ring, s, m);
	return 0;
}

int
snapshot_push_bare (struct vh_ring *ring, struct vh_memory *m)
{
	static const struct areas none;
	struct snapshot *s;

	areas_replace (ring, &none);
	if (ring->snapshot->in_flight == 0) {	/* the same one serves on */
		demand_flush (ring);
		vh_memory_ref (m);
		vh_memory_unref (ring->snapshot->memory);
		ring->snapshot->memory = m;
		ring->slot = ring->other_slot = first_slot (m);
		return 0;
	}
	s = malloc (sizeof (*s));
	if (!s)
		return -ENOMEM;
	snapshot_enter (ring, s, m);
	return 0;
}

void
snapshot_free_all (struct vh_ring *ring)
{
	struct snapshot *s, *older;

	if (ring->areas_lease)
		unmap_lease (ring->areas_lease);
	for (s = ring->snapshot; s; s = older) {
		older = s->older;
		snapshot_free (s);
	}
}

bool
snapshot_lost (const struct vh_ring *ring)
{
	for (const struct snapshot *s = ring->snapshot; s; s = s->older)
		if (memory_lost (s->memory))
			return true;
	return false;
}
