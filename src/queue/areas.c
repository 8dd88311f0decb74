/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ring's own areas: where they are in a table of memory, as one piece each.  Behind an IOMMU one may be in several pieces, which are joined then; what is
 * on demand is mapped for as long as the ring uses this memory.
 */
#include <errno.h>
#include <string.h>

#include "memory/joined.h"
#include "queue/desc.h"
#include "queue/layout.h"

/* The largest area is a table of descriptors; a piece is a page, and not a whole one at either end. */
#define PIECES_MAX (VH_MAX_RING_SIZE * sizeof (struct desc) / 4096 + 2)

/* --- areas in pieces --- */

/* Finds the pieces of [addr, addr + size).  How many; -EFAULT: too many, or one where what has to be done is not allowed. */
static int
area_pieces (const struct vh_memory *m, uint64_t addr, uint64_t size, bool write, struct joined_piece pieces[PIECES_MAX])
{
	unsigned n = 0;

	for (; size > 0; n++) {
		const struct slot *slot = memory_find (m, addr);
		unsigned char *host = slot ? memory_host (m, slot, write) : NULL;
		uint64_t left;

		if (!host || n == PIECES_MAX)
			return -EFAULT;
		left = slot->size - (addr - slot->addr);
		pieces[n] = (struct joined_piece){ slot->region, host + (addr - slot->addr), size < left ? size : left };
		addr += pieces[n].size;
		size -= pieces[n].size;
	}
	return (int) n;
}

/* Translations change all the time, and hardly ever those of the areas: what is joined already stays so. */
static int
area_join (const struct vh_ring *ring, const struct vh_memory *m, unsigned area, uint64_t addr, struct areas *ret)
{
	struct joined *now = ring->areas_joined[area];
	struct joined_piece pieces[PIECES_MAX];
	int n = area_pieces (m, addr, ring->layout->area_size (area, ring->size), ring->layout->written[area], pieces);
	int err = n < 0 ? n : 0;

	if (err == 0 && now && joined_is (now, pieces, (unsigned) n))
		ret->joined[area] = now;
	else if (err == 0)
		err = joined_new (pieces, (unsigned) n, &ret->joined[area]);
	if (err == 0)
		ret->host[area] = joined_host (ret->joined[area]);
	return err;
}

/* --- areas in one piece --- */

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
	if (!slot)
		return -EFAULT;
	if (size > slot->size - (addr - slot->addr))
		return m->iova ? area_join (ring, m, area, addr, ret) : -EFAULT;
	host = memory_host (m, slot, write);
	if (!host && m->iova)	/* what has to be done there is not allowed */
		return -EFAULT;
	ret->host[area] = host ? host + (addr - slot->addr) : NULL;
	if (!host)
		ranges[(*n)++] = (struct range){ .region = slot->region, .addr = addr, .size = (uint32_t) size, .write = write };
	return 0;
}

/* Maps those that are on demand, all with one lease. */
static int
areas_lease (struct areas *a, struct range *ranges, unsigned n)
{
	int err;

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

/* --- all three --- */

/* Lets go of what `kept` has not got as well. */
static void
areas_release (struct lease *lease, struct joined *const joined[AREAS], struct joined *const kept[AREAS])
{
	if (lease)
		unmap_lease (lease);
	for (unsigned area = 0; area < AREAS; area++)
		if (joined[area] != kept[area])
			joined_free (joined[area]);
}

int
areas_map (const struct vh_ring *ring, const struct vh_memory *m, struct areas *ret)
{
	const uint64_t addrs[AREAS] = { ring->setup.desc, ring->setup.avail, ring->setup.used };
	struct range ranges[AREAS];
	unsigned n = 0;
	int err = 0;

	*ret = (struct areas){ .lease = NULL };
	for (unsigned area = 0; err == 0 && area < AREAS; area++)
		err = area_find (ring, m, area, addrs[area], ret, ranges, &n);
	if (err == 0)
		err = areas_lease (ret, ranges, n);
	if (err == 0 && !areas_aligned (ring, ret))
		err = -EINVAL;
	if (err < 0)
		areas_release (ret->lease, ret->joined, ring->areas_joined);
	return err;
}

void
areas_replace (struct vh_ring *ring, const struct areas *a)
{
	areas_release (ring->areas_lease, ring->areas_joined, a->joined);
	memcpy (ring->areas, a->host, sizeof (ring->areas));
	memcpy (ring->areas_joined, a->joined, sizeof (ring->areas_joined));
	ring->areas_lease = a->lease;
}
