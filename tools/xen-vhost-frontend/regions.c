/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Regions of guest memory; see regions.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "regions.h"

/* Of a ring's areas (virtio 1.2, 2.7, 2.8). */
#define DESC_SIZE 16
#define AVAIL_ELEMENT 2
#define USED_ELEMENT 8
#define SPLIT_HEADER 6	/* flags, index, and the event field at the end */
#define PACKED_EVENT 4

uint64_t
ring_area_size (bool packed, uint32_t size, enum ring_area area)
{
	if (area == RING_DESC)
		return (uint64_t) DESC_SIZE * size;
	if (packed)
		return PACKED_EVENT;
	return SPLIT_HEADER + (uint64_t) (area == RING_DRIVER ? AVAIL_ELEMENT : USED_ELEMENT) * size;
}

static int
compare_areas (const void *a, const void *b)
{
	const struct area *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* --- grants --- */

/* Widens an area to whole pages, without bit 63.  False: it is not in granted memory. */
static bool
area_of_pages (struct area *a)
{
	uint64_t start = a->addr & ~GRANT_BIT;

	if (!(a->addr & GRANT_BIT) || start >= GRANT_SPACE || a->size > GRANT_SPACE - start)
		return false;
	a->size = (start % GRANT_PAGE + a->size + GRANT_PAGE - 1) & ~(GRANT_PAGE - 1);
	a->addr = start & ~(GRANT_PAGE - 1);
	return true;
}

/* Makes one of areas that overlap or touch; they are sorted.  Returns how many are left. */
static unsigned
merge_areas (struct area *areas, unsigned n)
{
	unsigned last = 0;

	for (unsigned i = 1; i < n; i++) {
		uint64_t end = areas[last].addr + areas[last].size;

		if (areas[i].addr > end)
			areas[++last] = areas[i];
		else if (areas[i].addr + areas[i].size > end)
			areas[last].size = areas[i].addr + areas[i].size - areas[last].addr;
	}
	return n ? last + 1 : 0;
}

static struct vh_region
make_region (uint32_t domid, uint32_t flags, uint64_t addr, uint64_t size)
{
	/* The user address is only a key for ring addresses, so it is the guest address again. */
	return (struct vh_region){ .guest_addr = addr, .size = size, .user_addr = addr, .fd = -1, .xen_flags = flags, .xen_domid = domid };
}

/* One more region, when there is something in it.  False: there is no room. */
static bool
add_region (struct vh_region *regions, unsigned max, unsigned *n, struct vh_region region)
{
	if (region.size == 0)
		return true;
	if (*n == max)
		return false;
	regions[(*n)++] = region;
	return true;
}

/* Rings and what lies between them.  How many regions; 0 when there is no room for them. */
static unsigned
alternate (uint32_t domid, uint32_t on_demand, const struct area *areas, unsigned n_areas, struct vh_region *regions, unsigned max)
{
	uint64_t done = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < n_areas; i++) {
		const struct area *a = &areas[i];

		if (!add_region (regions, max, &n, make_region (domid, VH_XEN_GRANT | on_demand, GRANT_BIT | done, a->addr - done)) ||
		    !add_region (regions, max, &n, make_region (domid, VH_XEN_GRANT, GRANT_BIT | a->addr, a->size)))
			return 0;
		done = a->addr + a->size;
	}
	return add_region (regions, max, &n, make_region (domid, VH_XEN_GRANT | on_demand, GRANT_BIT | done, GRANT_SPACE - done)) ? n : 0;
}

int
regions_of_grants (uint32_t domid, uint32_t on_demand, struct area *areas, unsigned n, struct vh_region *regions, unsigned max)
{
	unsigned made;

	for (unsigned i = 0; i < n; i++)
		if (!area_of_pages (&areas[i]))
			return -EINVAL;
	if (n > 0)
		qsort (areas, n, sizeof (areas[0]), compare_areas);
	made = alternate (domid, on_demand, areas, merge_areas (areas, n), regions, max);
	return made ? made : alternate (domid, on_demand, NULL, 0, regions, max);
}

/* --- RAM --- */

/* The smallest of n regions. */
static unsigned
smallest (const struct vh_region *regions, unsigned n)
{
	unsigned found = 0;

	for (unsigned i = 1; i < n; i++)
		if (regions[i].size < regions[found].size)
			found = i;
	return found;
}

int
regions_of_ram (uint32_t domid, const struct area *ram, unsigned n, struct vh_region *regions, unsigned max)
{
	unsigned made = 0;

	for (unsigned i = 0; i < n; i++) {
		struct vh_region region = make_region (domid, VH_XEN_FOREIGN, ram[i].addr, ram[i].size);
		unsigned least;

		if (made < max) {
			regions[made++] = region;
			continue;
		}
		least = smallest (regions, made);
		if (regions[least].size < region.size)
			regions[least] = region;
	}
	return made;
}
