/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Building region tables, and what is asked of them now and then.  The lookup of the request path is in table.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory/table.h"

/* Enough that regions of unlike size, too, rarely share a bucket; few enough that a table stays in the cache. */
#define MAX_BUCKETS 4096

#define CACHE_LINE 64

/* --- order and overlap --- */

static int
compare_u64 (uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int
compare_slots (const void *a, const void *b)
{
	return compare_u64 (((const struct slot *) a)->addr, ((const struct slot *) b)->addr);
}

static int
compare_users (const void *a, const void *b)
{
	const struct region *const *ra = a, *const *rb = b;

	return compare_u64 ((*ra)->spec.user_addr, (*rb)->spec.user_addr);
}

static bool
slots_overlap (const struct slot *slots, unsigned n)
{
	for (unsigned i = 1; i < n; i++)
		if (slots[i].addr - slots[i - 1].addr < slots[i - 1].size)
			return true;
	return false;
}

static bool
has_user_addr (const struct region *r)
{
	return r->host || r->spec.user_addr != 0;
}

static bool
users_overlap (struct region *const *regions, unsigned n)
{
	const struct region *sorted[VH_MAX_REGIONS];
	unsigned i, count = 0;

	for (i = 0; i < n; i++)
		if (has_user_addr (regions[i]))
			sorted[count++] = regions[i];
	qsort (sorted, count, sizeof (sorted[0]), compare_users);
	for (i = 1; i < count; i++)
		if (sorted[i]->spec.user_addr - sorted[i - 1]->spec.user_addr < sorted[i - 1]->spec.size)
			return true;
	return false;
}

/* --- buckets --- */

/* The last byte of a slot, counted from the table's first byte like all offsets here. */
static uint64_t
slot_end (const struct vh_memory *m, const struct slot *slot)
{
	return slot->addr - m->low + (slot->size - 1);
}

/* Would no bucket of 2^shift bytes hold parts of two regions? */
static bool
buckets_are_single (const struct vh_memory *m, const struct slot *slots, unsigned shift)
{
	for (unsigned i = 1; i < m->n; i++)
		if (slot_end (m, &slots[i - 1]) >> shift == (slots[i].addr - m->low) >> shift)
			return false;
	return true;
}

/* Sets low, shift and n_buckets: as few buckets as keep the regions apart; as many as allowed if none do. */
static void
memory_measure (struct vh_memory *m, const struct slot *slots)
{
	uint64_t end;

	if (m->n == 0)
		return;
	m->low = slots[0].addr;
	end = slot_end (m, &slots[m->n - 1]);
	while (end >> m->shift >= MAX_BUCKETS)
		m->shift++;
	while (m->shift < 63 && end >> m->shift > 0 && buckets_are_single (m, slots, m->shift + 1))
		m->shift++;
	m->n_buckets = (unsigned) (end >> m->shift) + 1;
}

static void
memory_fill_buckets (struct vh_memory *m)
{
	unsigned first = 0, last = 0;

	for (unsigned b = 0; b < m->n_buckets; b++) {
		uint64_t start = (uint64_t) b << m->shift;
		uint64_t end = start + ((UINT64_C (1) << m->shift) - 1);

		while (first + 1 < m->n && slot_end (m, &m->slots[first]) < start)
			first++;
		while (last + 1 < m->n && m->slots[last + 1].addr - m->low <= end)
			last++;
		/* Where there is none, either will do: the address is not in it. */
		m->buckets[b] = (struct bucket){ (uint16_t) (first < last ? first : last), (uint16_t) last };
	}
}

/* --- tables --- */

static size_t
round_up (size_t n, size_t unit)
{
	return (n + unit - 1) / unit * unit;
}

/* A table of the slots, one piece of memory; still without references on the regions. */
static struct vh_memory *
memory_alloc (const struct slot *slots, unsigned n, bool iova)
{
	struct vh_memory measures = { .n = n, .refs = 1 };
	size_t head = sizeof (struct vh_memory) + n * sizeof (struct slot), beside = iova ? n * sizeof (struct iova) : 0;
	struct vh_memory *m;

	memory_measure (&measures, slots);
	m = aligned_alloc (CACHE_LINE, round_up (head + beside + measures.n_buckets * sizeof (struct bucket), CACHE_LINE));
	if (!m)
		return NULL;
	*m = measures;
	memcpy (m->slots, slots, n * sizeof (struct slot));
	if (iova)
		m->iova = (struct iova *) ((char *) m + head);
	m->buckets = (struct bucket *) ((char *) m + head + beside);
	memory_fill_buckets (m);
	return m;
}

int
memory_new (struct region *const *regions, unsigned n, struct vh_memory **ret)
{
	struct slot slots[VH_MAX_REGIONS];
	struct vh_memory *m;
	unsigned i;

	if (n > VH_MAX_REGIONS)
		return -EINVAL;
	for (i = 0; i < n; i++)
		slots[i] = (struct slot){ regions[i]->spec.guest_addr, regions[i]->spec.size, regions[i]->host, regions[i] };
	qsort (slots, n, sizeof (slots[0]), compare_slots);
	if (slots_overlap (slots, n) || users_overlap (regions, n))
		return -EEXIST;
	m = memory_alloc (slots, n, false);
	if (!m)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		region_ref (regions[i]);
	*ret = m;
	return 0;
}

int
memory_new_iova (const struct iova_piece *pieces, unsigned n, struct vh_memory **ret)
{
	struct slot *slots = calloc (n + 1, sizeof (slots[0]));
	struct vh_memory *m;

	if (!slots)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		slots[i] = (struct slot){ pieces[i].iova, pieces[i].size, pieces[i].perm == 3 ? pieces[i].host : NULL, pieces[i].region };
	m = memory_alloc (slots, n, true);
	free (slots);
	if (!m)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		region_ref (pieces[i].region);
		m->iova[i] = (struct iova){ pieces[i].host, pieces[i].perm };
	}
	*ret = m;
	return 0;
}

bool
memory_misses (const struct vh_memory *m, uint64_t addr, uint64_t size, uint64_t *missing)
{
	while (size > 0) {
		const struct slot *slot = memory_find (m, addr);
		uint64_t left;

		if (!slot) {
			*missing = addr;
			return true;
		}
		left = slot->size - (addr - slot->addr);
		if (left >= size)
			return false;
		addr += left;
		size -= left;
	}
	return false;
}

struct vh_memory *
vh_memory_ref (struct vh_memory *m)
{
	__atomic_add_fetch (&m->refs, 1, __ATOMIC_RELAXED);
	return m;
}

void
vh_memory_unref (struct vh_memory *m)
{
	if (!m || __atomic_sub_fetch (&m->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (unsigned i = 0; i < m->n; i++)
		region_unref (m->slots[i].region);
	free (m);
}

unsigned
vh_memory_count (const struct vh_memory *m)
{
	return m->n;
}

int
vh_memory_region (const struct vh_memory *m, unsigned index, struct vh_region *ret)
{
	if (index >= m->n)
		return -EINVAL;
	*ret = m->slots[index].region->spec;
	return 0;
}

const struct slot *
memory_find_user (const struct vh_memory *m, uint64_t user_addr, uint64_t size, uint64_t *addr)
{
	for (unsigned i = 0; i < m->n; i++) {
		const struct vh_region *spec = &m->slots[i].region->spec;

		if (!has_user_addr (m->slots[i].region) || !range_inside (user_addr, size, spec->user_addr, spec->size))
			continue;
		*addr = spec->guest_addr + (user_addr - spec->user_addr);
		return &m->slots[i];
	}
	return NULL;
}

bool
memory_lost (const struct vh_memory *m)
{
	for (unsigned i = 0; i < m->n; i++)
		if (__atomic_load_n (&m->slots[i].region->lost, __ATOMIC_ACQUIRE))
			return true;
	return false;
}
