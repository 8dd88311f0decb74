/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Grants on demand: what is to be mapped of all ranges of a call in at most two map calls, one for what is read and one for what is written, because a guest
 * grants what the device only reads as read-only; and what is to be copied in one copy call.
 *
 *	ranges    | r0 read, copy | r1 write | r2 read | r3 write |        pages of each, in the order of the ranges
 *	reading   | r2 |
 *	writing   | r1 | r3 |
 *	copies    | r0 |
 */
#include <errno.h>
#include <stdlib.h>

#include "memory/map.h"
#include "mmap-xen/copy.h"
#include "mmap-xen/domain.h"
#include "mmap-xen/grant.h"

/* Index of maps[] and the like: what the device does with the pages. */
enum { READING, WRITING, DIRECTIONS };

struct lease {
	uint32_t room;				/* pages, mapped and of copies */
	uint32_t total;				/* pages to map, of both directions */
	struct grant_map maps[DIRECTIONS];	/* pages 0: nothing mapped */
	unsigned char *copies;			/* NULL: there are none */
	size_t copied;				/* size of that room */
	uint32_t lists[];			/* for the map calls: references of one direction, then their domains */
};

/* A range of a region that is mapped in advance needs nothing, nor does a copy. */
static uint64_t
range_pages (const struct range *r)
{
	return r->region->host || r->size == 0 || copy_wanted (r) ? 0 : grant_pages (r->addr, r->size);
}

/* Reserves room below the limit.  -EAGAIN: when others have unmapped there will be; -ENOMEM: there never will. */
static int
take_room (uint64_t n)
{
	if (n > GRANT_MAX)
		return -ENOMEM;
	if (__atomic_add_fetch (&host.leased, (uint32_t) n, __ATOMIC_RELAXED) <= GRANT_MAX)
		return 0;
	__atomic_sub_fetch (&host.leased, (uint32_t) n, __ATOMIC_RELAXED);
	return -EAGAIN;
}

static void
give_room (uint32_t n)
{
	__atomic_sub_fetch (&host.leased, n, __ATOMIC_RELAXED);
}

/* The references of one direction's pages and their domains; returns how many. */
static uint32_t
list_grants (const struct range *ranges, unsigned n, bool write, uint32_t *refs, uint32_t *domids)
{
	uint32_t pages, i, count = 0;
	unsigned k;

	for (k = 0; k < n; k++) {
		if (ranges[k].write != write)
			continue;
		pages = (uint32_t) range_pages (&ranges[k]);
		for (i = 0; i < pages; i++, count++) {
			refs[count] = grant_ref (ranges[k].addr) + i;
			domids[count] = ranges[k].region->spec.xen_domid;
		}
	}
	return count;
}

/* Says where each range is, once all are mapped. */
static void
place_ranges (struct range *ranges, unsigned n, const struct lease *l)
{
	uint8_t *at[DIRECTIONS] = { l->maps[READING].base, l->maps[WRITING].base };
	unsigned k, d;

	for (k = 0; k < n; k++) {
		if (copy_wanted (&ranges[k]))
			continue;
		if (ranges[k].region->host) {
			ranges[k].host = ranges[k].region->host + (ranges[k].addr - ranges[k].region->spec.guest_addr);
			continue;
		}
		d = ranges[k].write ? WRITING : READING;
		ranges[k].host = ranges[k].size ? at[d] + ranges[k].addr % XEN_PAGE : NULL;
		at[d] += range_pages (&ranges[k]) * XEN_PAGE;
	}
}

/* Maps both directions, or nothing. */
static int
map_directions (const struct range *ranges, unsigned n, struct lease *l)
{
	uint32_t *refs = l->lists, *domids = refs + l->total, count;
	int d, ret;

	for (d = 0; d < DIRECTIONS; d++) {
		count = list_grants (ranges, n, d == WRITING, refs, domids);
		if (count == 0)
			continue;
		ret = grant_map (&l->maps[d], domids, refs, count, d == WRITING);
		if (ret == 0)
			continue;
		if (d == WRITING && l->maps[READING].pages)
			grant_unmap (&l->maps[READING]);
		return ret;
	}
	return 0;
}

/* When a guest is gone, nothing of it can be mapped: then the rings that use it are to stop. */
static void
check_domains (const struct range *ranges, unsigned n)
{
	unsigned k;

	for (k = 0; k < n; k++)
		if (k == 0 || ranges[k].region != ranges[k - 1].region)
			domain_check_region (ranges[k].region);
}

/* What a failed map call means to the caller. */
static int
explain (int ret, struct range *ranges, unsigned n, uint32_t mine)
{
	bool others = __atomic_load_n (&host.leased, __ATOMIC_RELAXED) > mine;

	if (ret == -EFAULT)
		check_domains (ranges, n);
	/* Where the kernel runs out of something, a lease that ends gives some back. */
	if (ret == -ENOMEM || ret == -ENOSPC || ret == -EAGAIN)
		return others ? -EAGAIN : -ENOMEM;
	return ret;
}

/* Makes copies of the ranges that are to have them. */
static int
make_copies (struct range *ranges, unsigned n, struct lease *l)
{
	size_t size = copy_measure (ranges, n);
	int ret;

	if (size == 0)
		return 0;
	l->copies = copy_get_room (size);
	l->copied = size;
	if (!l->copies)
		return -ENOMEM;
	copy_place (ranges, n, l->copies);
	ret = copy_in (ranges, n);
	if (ret) {
		copy_put_room (l->copies, size);
		l->copies = NULL;
	}
	return ret;
}

static int
fill_lease (struct range *ranges, unsigned n, struct lease *l)
{
	int ret = make_copies (ranges, n, l);

	if (ret)
		return ret;
	ret = map_directions (ranges, n, l);
	if (ret) {
		copy_put_room (l->copies, l->copied);
		return ret;
	}
	place_ranges (ranges, n, l);
	return 0;
}

/* pages: to map; room: with those of the copies. */
static int
new_lease (struct range *ranges, unsigned n, uint32_t pages, uint32_t room, struct lease **ret)
{
	struct lease *l = malloc (sizeof (*l) + 2 * (size_t) pages * sizeof (l->lists[0]));
	int err;

	if (!l)
		return -ENOMEM;
	*l = (struct lease){ .room = room, .total = pages };
	err = fill_lease (ranges, n, l);
	if (err) {
		free (l);
		return explain (err, ranges, n, room);
	}
	*ret = l;
	return 0;
}

uint32_t
map_copy_limit (void)
{
	return host.can_copy ? COPY_LIMIT : 0;
}

int
map_ranges (struct range *ranges, unsigned n, struct lease **ret)
{
	uint64_t pages = 0, room;
	unsigned k;
	int err;

	for (k = 0; k < n; k++)
		pages += range_pages (&ranges[k]);
	room = pages + (copy_measure (ranges, n) + XEN_PAGE - 1) / XEN_PAGE;
	err = take_room (room);
	if (err)
		return err;
	err = new_lease (ranges, n, (uint32_t) pages, (uint32_t) room, ret);
	if (err)
		give_room ((uint32_t) room);
	return err;
}

int
map_write_back (const struct range *ranges, unsigned n)
{
	int err = copy_out (ranges, n);

	if (err == 0)
		return 0;
	check_domains (ranges, n);
	return -EFAULT;
}

void
unmap_lease (struct lease *l)
{
	int d;

	for (d = 0; d < DIRECTIONS; d++)
		if (l->maps[d].pages)
			grant_unmap (&l->maps[d]);
	give_room (l->room);
	copy_put_room (l->copies, l->copied);
	free (l);
}
