/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copies of granted memory; see copy.h.
 */
#include "mmap-xen/copy.h"

#include <errno.h>
#include <stdlib.h>

#include "mmap-xen/grant.h"

/* Segments of one call.  Linux hands them to Xen by 16. */
#define MAX_SEGMENTS 64

/* Smaller copies are aligned to a cache line, larger ones to a page: who reads a file past the page cache needs that. */
#define SECTOR 512u
#define CACHE_LINE 64u

/* What room is kept in: a batch of 64 requests of COPY_LIMIT, which is more than the rings ask for at a time. */
#define ROOM_BYTES (1u << 20)

/* A call that is being put together. */
struct copier {
	bool out;		/* to the guest */
	int err;		/* the first one */
	unsigned n;
	xengnttab_grant_copy_segment_t segments[MAX_SEGMENTS];
};

/* --- places --- */

/* The first place from `at` on that is aligned as the range is in the guest. */
static size_t
place_after (size_t at, const struct range *r)
{
	size_t align = r->size >= SECTOR ? XEN_PAGE : CACHE_LINE;

	return at + (((size_t) r->addr - at) & (align - 1));
}

size_t
copy_measure (const struct range *ranges, unsigned n)
{
	size_t at = 0;

	for (unsigned i = 0; i < n; i++)
		if (copy_wanted (&ranges[i]))
			at = place_after (at, &ranges[i]) + ranges[i].size;
	return at;
}

void
copy_place (struct range *ranges, unsigned n, unsigned char *base)
{
	size_t at = 0;

	for (unsigned i = 0; i < n; i++) {
		if (!copy_wanted (&ranges[i]))
			continue;
		at = place_after (at, &ranges[i]);
		ranges[i].host = base + at;
		at += ranges[i].size;
	}
}

/* --- room --- */

unsigned char *
copy_get_room (size_t size)
{
	unsigned char *room;

	if (size > ROOM_BYTES)
		return aligned_alloc (XEN_PAGE, (size + XEN_PAGE - 1) / XEN_PAGE * XEN_PAGE);
	for (unsigned i = 0; i < HOST_ROOMS; i++) {
		room = __atomic_exchange_n (&host.rooms[i], NULL, __ATOMIC_ACQUIRE);
		if (room)
			return room;
	}
	/* Memory only where it is touched. */
	return aligned_alloc (XEN_PAGE, ROOM_BYTES);
}

void
copy_put_room (unsigned char *room, size_t size)
{
	for (unsigned i = 0; room && size <= ROOM_BYTES && i < HOST_ROOMS; i++) {
		unsigned char *none = NULL;

		if (__atomic_compare_exchange_n (&host.rooms[i], &none, room, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
			return;
	}
	free (room);
}

void
copy_free_room (void)
{
	for (unsigned i = 0; i < HOST_ROOMS; i++) {
		free (host.rooms[i]);
		host.rooms[i] = NULL;
	}
}

/* --- calls --- */

static int
segments_status (const struct copier *c)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->segments[i].status != GNTST_okay)
			return -EFAULT;
	return 0;
}

static void
copier_call (struct copier *c)
{
	int err = 0;

	if (c->n == 0)
		return;
	host_count (&host.counters.copy_calls, 1);
	errno = 0;
	if (host.calls->grant_copy (host.grants, c->n, c->segments))
		err = errno ? -errno : -EIO;
	else
		err = segments_status (c);
	if (err)
		host_count (&host.counters.failures, 1);
	if (!c->err)
		c->err = err;
	c->n = 0;
}

/* Adds a piece inside one page of the guest. */
static void
copier_add (struct copier *c, const struct range *r, uint32_t done, uint32_t size)
{
	xengnttab_grant_copy_segment_t *s = &c->segments[c->n++];
	uint64_t addr = r->addr + done;
	union xengnttab_copy_ptr guest = { .foreign = { grant_ref (addr), (uint16_t) (addr % XEN_PAGE), (uint16_t) r->region->spec.xen_domid } };
	union xengnttab_copy_ptr ours = { .virt = (unsigned char *) r->host + done };

	*s = (xengnttab_grant_copy_segment_t){
		.source = c->out ? ours : guest,
		.dest = c->out ? guest : ours,
		.len = (uint16_t) size,
		.flags = c->out ? GNTCOPY_dest_gref : GNTCOPY_source_gref,
	};
	if (c->n == MAX_SEGMENTS)
		copier_call (c);
}

static void
copier_add_range (struct copier *c, const struct range *r)
{
	uint32_t done, size;

	for (done = 0; done < r->size; done += size) {
		size = XEN_PAGE - (uint32_t) ((r->addr + done) % XEN_PAGE);
		size = size < r->size - done ? size : r->size - done;
		copier_add (c, r, done, size);
	}
}

static int
copy_all (const struct range *ranges, unsigned n, bool out)
{
	struct copier c;

	c.out = out;
	c.err = 0;
	c.n = 0;
	for (unsigned i = 0; i < n; i++)
		if (copy_wanted (&ranges[i]) && (ranges[i].write || !out))
			copier_add_range (&c, &ranges[i]);
	copier_call (&c);
	return c.err;
}

int
copy_in (const struct range *ranges, unsigned n)
{
	return copy_all (ranges, n, false);
}

int
copy_out (const struct range *ranges, unsigned n)
{
	return copy_all (ranges, n, true);
}

bool
copy_probe (void)
{
	xengnttab_grant_copy_segment_t none;

	return host.calls->grant_copy (host.grants, 0, &none) == 0;
}
