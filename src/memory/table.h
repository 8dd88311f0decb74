/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The region table, struct vh_memory: immutable, with a reference count, sorted by guest address.
 *
 *	low                                                high
 *	|  bucket 0  |  bucket 1  |  bucket 2  |  bucket 3  |      equal parts of the address span, a power of two of bytes each
 *	  [slot 0 ][slot 1]                [slot 2  ][ 3 ]          regions
 *
 * A bucket says which slots have bytes in its part: the first and the last of them.  Buckets are so small, within reason, that this is one slot; so a lookup
 * costs the same with 509 regions as with one.  Between several it searches by halves, so it never costs more than log2 of the regions.
 */
#ifndef MEMORY_TABLE_H
#define MEMORY_TABLE_H

#include <stdbool.h>
#include <sys/uio.h>

#include "memory/region.h"
#include "util/checked.h"

struct slot {
	uint64_t addr;		/* region->spec.guest_addr */
	uint64_t size;
	unsigned char *host;	/* region->host */
	struct region *region;
};

struct bucket {
	uint16_t first, last;
};

/* What a slot of a table of I/O addresses is beside: see memory_new_iova. */
struct iova {
	unsigned char *host;
	unsigned perm;		/* 1 to read, 2 to write */
};

struct vh_memory {
	uint64_t low;		/* first guest address of all */
	unsigned shift;		/* log2 of a bucket's bytes */
	unsigned n_buckets;	/* 0 when there are no regions */
	struct bucket *buckets;
	struct iova *iova;	/* by slot; NULL: addresses are the guest's physical ones */
	unsigned n;
	unsigned refs;		/* atomic */
	struct slot slots[];
};

/*
 * Builds a table of n regions (0..VH_MAX_REGIONS), taking a reference on each.  -EINVAL: too many; -EEXIST: two overlap, in guest or in user addresses;
 * -ENOMEM.  0 and *ret with one reference.
 * Regions on demand whose user address is 0 have none: front-ends that map nothing themselves send that for all of them.
 */
int memory_new (struct region *const *regions, unsigned n, struct vh_memory **ret);

/*
 * A table of I/O addresses: n pieces, sorted and without overlap.  A piece that may be read and written is a slot like any other; the others have no `host`,
 * so that only memory_host knows where they are.  -ENOMEM; 0 and *ret with one reference.
 */
struct iova_piece {
	uint64_t iova, size;
	struct region *region;
	unsigned char *host;
	unsigned perm;
};
int memory_new_iova (const struct iova_piece *, unsigned n, struct vh_memory **ret);

/* Where a slot begins, for reading or for writing; NULL: it is on demand, or in a table of I/O addresses that do not allow it. */
static inline unsigned char *
memory_host (const struct vh_memory *m, const struct slot *slot, bool write)
{
	const struct iova *i;

	if (slot->host || !m->iova)
		return slot->host;
	i = &m->iova[slot - m->slots];
	return i->perm & (write ? 2u : 1u) ? i->host : NULL;
}

/* The guest's physical address of one in a slot of a table of I/O addresses. */
static inline uint64_t
memory_physical (const struct vh_memory *m, const struct slot *slot, uint64_t iova)
{
	const struct region *r = slot->region;

	return r->spec.guest_addr + (uint64_t) (m->iova[slot - m->slots].host + (iova - slot->addr) - r->host);
}

/* Is a byte of [addr, addr + size) in no slot?  Sets *missing to the first such. */
bool memory_misses (const struct vh_memory *, uint64_t addr, uint64_t size, uint64_t *missing);

/* The slot that holds a guest address; NULL when there is none. */
static inline const struct slot *
memory_find (const struct vh_memory *m, uint64_t addr)
{
	uint64_t b = (addr - m->low) >> m->shift;	/* below low: wraps to a huge number */
	unsigned i, last;

	if (unlikely (b >= m->n_buckets))
		return NULL;
	i = m->buckets[b].first;
	last = m->buckets[b].last;
	while (unlikely (i < last)) {
		unsigned mid = (i + last + 1) / 2;

		if (m->slots[mid].addr <= addr)
			i = mid;
		else
			last = mid - 1;
	}
	return addr - m->slots[i].addr < m->slots[i].size ? &m->slots[i] : NULL;
}

/*
 * The slot that holds `size` bytes at a *user* address (ring addresses, see vhost-user "Vring address description"), and in *addr the guest address of the
 * first; NULL when they are not inside one region.
 */
const struct slot *memory_find_user (const struct vh_memory *, uint64_t user_addr, uint64_t size, uint64_t *addr);

/* Has the file behind one of the regions shrunk (see guard.h)? */
bool memory_lost (const struct vh_memory *);

#endif
