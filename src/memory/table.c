/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Building region tables, and what is asked of them now and then.  The lookup of the request path is in table.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory/table.h"

/* Enough that regions of unlike size, too, rarely share a bucket; and all buckets of a table stay in a first-level cache. */
#define BUCKETS_PER_REGION 64
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

/* Sets low, shift and n_buckets: the smallest buckets of which there are not too many. */
static void
memory_measure (struct vh_memory *m, const struct slot *slots)
{
	unsigned limit = m->n * BUCKETS_PER_REGION < MAX_BUCKETS ? m->n * BUCKETS_PER_REGION : MAX_BUCKETS;
	uint64_t last;

	if (m->n == 0)
		return;
	m->low = slots[0].addr;
	last = slots[m->n - 1].addr + (slots[m->n - 1].size - 1) - m->low;
	while (last >> m->shift >= limit)
		m->shift++;
	m->n_buckets = (unsigned) (last >> m->shift) + 1;
}

/* The last slot, from i on, that begins at or before `offset` from the table's first byte. */
static unsigned
slot_at (const struct vh_memory *m, unsigned i, uint64_t offset)
{
	while (i + 1 < m->n && m->slots[i + 1].addr - m->low <= offset)
		i++;
	return i;
}

static void
memory_fill_buckets (struct vh_memory *m)
{
	unsigned i = 0;

	for (unsigned b = 0; b < m->n_buckets; b++) {
		uint64_t start = (uint64_t) b << m->shift;

		m->buckets[b].first = (uint16_t) (i = slot_at (m, i, start));
		m->buckets[b].last = (uint16_t) (i = slot_at (m, i, start + ((UINT64_C (1) << m->shift) - 1)));
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
memory_alloc (const struct slot *slots, unsigned n)
{
	struct vh_memory measures = { .n = n, .refs = 1 };
	size_t head = sizeof (struct vh_memory) + n * sizeof (struct slot);
	struct vh_memory *m;

	memory_measure (&measures, slots);
	m = aligned_alloc (CACHE_LINE, round_up (head + measures.n_buckets * sizeof (struct bucket), CACHE_LINE));
	if (!m)
		return NULL;
	*m = measures;
	memcpy (m->slots, slots, n * sizeof (struct slot));
	m->buckets = (struct bucket *) ((char *) m + head);
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
	m = memory_alloc (slots, n);
	if (!m)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		region_ref (regions[i]);
	*ret = m;
	return 0;
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
