/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entering into the dirty log.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "memory/dirty-log.h"
#include "queue/demand.h"
#include "queue/dirty.h"
#include "queue/layout.h"
#include "util/barrier.h"
#include "util/fd.h"

/* A part that may be written. */
struct dirty_range {
	uint64_t addr;
	uint32_t size;		/* 0: not in the log */
};

struct dirty {
	struct log_setup log;		/* with a reference */
	unsigned hint;			/* the number of the slot where the last part was */
	bool marked;			/* bits were set since the last signal */
	uint16_t *n_ranges;		/* by request */
	struct dirty_range *few, *many;	/* INLINE_PARTS and max_chain by request; in one piece of address space */
	size_t size;
};

/* --- life --- */

static size_t
round_up (size_t n)
{
	return (n + 4095) & ~(size_t) 4095;
}

static int
dirty_open (struct vh_ring *ring)
{
	size_t counts = round_up (ring->size * sizeof (uint16_t)), few = round_up (ring->size * INLINE_PARTS * sizeof (struct dirty_range));
	size_t many = (size_t) ring->size * ring->max_chain * sizeof (struct dirty_range);
	struct dirty *d = calloc (1, sizeof (*d));
	void *p;

	if (!d)
		return -ENOMEM;
	d->size = counts + few + many;
	p = mmap (NULL, d->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED) {
		free (d);
		return -ENOMEM;
	}
	d->n_ranges = p;
	d->few = (struct dirty_range *) ((char *) p + counts);
	d->many = (struct dirty_range *) ((char *) p + counts + few);
	ring->dirty = d;
	ring->aside = true;
	return 0;
}

void
dirty_free (struct vh_ring *ring)
{
	struct dirty *d = ring->dirty;

	if (!d)
		return;
	if (d->log.region)
		region_unref (d->log.region);
	munmap (d->n_ranges, d->size);
	free (d);
	ring->dirty = NULL;
	ring->aside = ring->demand != NULL;
}

int
dirty_set (struct vh_ring *ring, const struct log_setup *log)
{
	int err;

	if (!log->region) {
		dirty_free (ring);
		return 0;
	}
	err = ring->dirty ? 0 : dirty_open (ring);
	if (err < 0)
		return err;
	region_ref (log->region);
	if (ring->dirty->log.region)
		region_unref (ring->dirty->log.region);
	ring->dirty->log = *log;
	return 0;
}

bool
dirty_lost (const struct vh_ring *ring)
{
	return ring->dirty && __atomic_load_n (&ring->dirty->log.region->lost, __ATOMIC_ACQUIRE);
}

/* --- what may be written --- */

static struct dirty_range *
dirty_ranges (const struct vh_ring *ring, unsigned index, unsigned n)
{
	const struct dirty *d = ring->dirty;

	return n <= INLINE_PARTS ? d->few + index * INLINE_PARTS : d->many + (size_t) index * ring->max_chain;
}

static inline bool
region_has (const struct region *r, const unsigned char *host)
{
	return r->host && host >= r->host && (uint64_t) (host - r->host) < r->spec.size;
}

/* The region that a part lies in, which is mapped in advance; NULL: it is on demand. */
static const struct region *
region_of (struct dirty *d, const struct vh_memory *m, const unsigned char *host)
{
	if (likely (d->hint < m->n && region_has (m->slots[d->hint].region, host)))
		return m->slots[d->hint].region;
	for (unsigned i = 0; i < m->n; i++)
		if (region_has (m->slots[i].region, host))
			return m->slots[d->hint = i].region;
	return NULL;
}

static void
dirty_note (struct vh_ring *ring, const struct vh_request *req, unsigned index)
{
	struct dirty_range *range = dirty_ranges (ring, index, req->n_in);

	ring->dirty->n_ranges[index] = (uint16_t) req->n_in;
	for (const struct iovec *part = req->in, *end = part + req->n_in; part < end; part++, range++) {
		const struct region *r = region_of (ring->dirty, ring->snapshot->memory, part->iov_base);

		range->size = (uint32_t) part->iov_len;
		if (likely (r))	/* the guest's physical address, whatever addresses the ring has */
			range->addr = r->spec.guest_addr + (uint64_t) ((unsigned char *) part->iov_base - r->host);
		else if (!ring->demand || !demand_addr (ring, index, part->iov_base, &range->addr))
			range->size = 0;
	}
}

void
dirty_take (struct vh_ring *ring, struct vh_request **reqs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		dirty_note (ring, reqs[i], request_index (ring, (struct request *) reqs[i]));
}

/* --- what was written --- */

static void
dirty_mark (struct vh_ring *ring, uint64_t addr, uint64_t size)
{
	int n = dirty_log_mark (ring->dirty->log.region, addr, size);

	if (unlikely (n < 0))
		ring_break (ring, n, "it writes where the dirty log has no bit");
	else if (n > 0)
		ring->dirty->marked = true;
}

static void
dirty_request (struct vh_ring *ring, unsigned index, uint32_t written)
{
	unsigned n = ring->dirty->n_ranges[index];
	const struct dirty_range *range = dirty_ranges (ring, index, n);

	for (const struct dirty_range *end = range + n; range < end && written > 0; range++) {
		uint32_t size = range->size < written ? range->size : written;

		if (size > 0)
			dirty_mark (ring, range->addr, size);
		written -= size;
	}
}

void
dirty_requests (struct vh_ring *ring)
{
	/* What requests wrote comes before bits are looked at: see dirty_log_mark. */
	full_barrier ();
	for (unsigned i = 0; i < ring->n_done; i++)
		dirty_request (ring, le32toh (ring->done[i].id), le32toh (ring->done[i].written));
}

/* Bytes of an area behind an IOMMU, which is in the ring's table, perhaps in pieces. */
static void
dirty_translated (struct vh_ring *ring, uint64_t iova, uint64_t size)
{
	const struct vh_memory *m = ring->snapshot->memory;

	while (size > 0) {
		const struct slot *slot = memory_find (m, iova);
		uint64_t left = slot->size - (iova - slot->addr), n = size < left ? size : left;

		dirty_mark (ring, memory_physical (m, slot, iova), n);
		iova += n;
		size -= n;
	}
}

void
dirty_area (struct vh_ring *ring, unsigned area, uint64_t offset, uint64_t size)
{
	const struct log_setup *log = &ring->dirty->log;
	uint64_t addr = (area == AREA_USED ? log->used : log->desc) + offset;

	if (!log->own)
		return;
	if (ring->snapshot->memory->iova)
		dirty_translated (ring, addr, size);
	else
		dirty_mark (ring, addr, size);
}

void
dirty_kicks (struct vh_ring *ring)
{
	full_barrier ();
	ring->layout->dirty_kicks (ring);
	dirty_signal (ring);
}

void
dirty_signal (struct vh_ring *ring)
{
	struct dirty *d = ring->dirty;

	if (d->marked && d->log.fd >= 0)
		fd_notify (d->log.fd);
	d->marked = false;
}

void
vh_ring_mark_dirty (struct vh_ring *ring, uint64_t guest_addr, uint64_t size)
{
	if (!ring->dirty || size == 0)
		return;
	full_barrier ();
	dirty_mark (ring, guest_addr, size);
	dirty_signal (ring);
}
