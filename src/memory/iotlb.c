/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Translations, and the table that rings see of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory/iotlb.h"

static uint64_t
entry_last (const struct iotlb_entry *e)
{
	return e->iova + (e->size - 1);
}

/* The first entry that ends at `iova` or behind. */
static unsigned
entry_from (const struct iotlb *t, uint64_t iova)
{
	unsigned low = 0, high = t->n;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (entry_last (&t->entries[mid]) < iova)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Takes out entries [first, end). */
static void
entries_remove (struct iotlb *t, unsigned first, unsigned end)
{
	memmove (&t->entries[first], &t->entries[end], (t->n - end) * sizeof (t->entries[0]));
	t->n -= end - first;
}

/* The entries that overlap [iova, last] are from *first on, up to the one that is returned. */
static unsigned
entries_in (const struct iotlb *t, uint64_t iova, uint64_t last, unsigned *first)
{
	unsigned end = *first = entry_from (t, iova);

	while (end < t->n && t->entries[end].iova <= last)
		end++;
	return end;
}

/* Does an older entry say the same of each of its bytes that the newer one has, and has it no others? */
static bool
says_the_same (const struct iotlb_entry *old, const struct iotlb_entry *e)
{
	return old->iova >= e->iova && entry_last (old) <= entry_last (e) && old->user - old->iova == e->user - e->iova && (old->perm & ~e->perm) == 0;
}

bool
iotlb_update (struct iotlb *t, const struct iotlb_entry *e)
{
	unsigned first, end = entries_in (t, e->iova, entry_last (e), &first);
	bool gone = false;

	for (unsigned i = first; i < end; i++)
		gone |= !says_the_same (&t->entries[i], e);
	entries_remove (t, first, end);
	if (t->n == IOTLB_MAX) {
		t->n = first = 0;
		gone = true;
	}
	memmove (&t->entries[first + 1], &t->entries[first], (t->n - first) * sizeof (t->entries[0]));
	t->entries[first] = *e;
	t->n++;
	return gone;
}

bool
iotlb_invalidate (struct iotlb *t, uint64_t iova, uint64_t last)
{
	unsigned first, end = entries_in (t, iova, last, &first);

	entries_remove (t, first, end);
	return end > first;
}

/* Where an entry's memory is; false: there is none, or none that is mapped in advance. */
static bool
piece_of (const struct iotlb_entry *e, const struct vh_memory *m, struct iova_piece *ret)
{
	uint64_t guest_addr = 0;
	const struct slot *slot = memory_find_user (m, e->user, e->size, &guest_addr);

	if (!slot || !slot->host)
		return false;
	*ret = (struct iova_piece){ e->iova, e->size, slot->region, slot->host + (guest_addr - slot->addr), e->perm };
	return true;
}

/* Two pieces side by side become one: an IOMMU has small pages, and a ring's areas must be in one piece. */
static bool
pieces_join (struct iova_piece *a, const struct iova_piece *b)
{
	if (a->iova + a->size != b->iova || a->region != b->region || a->host + a->size != b->host || a->perm != b->perm)
		return false;
	a->size += b->size;
	return true;
}

int
iotlb_table (const struct iotlb *t, const struct vh_memory *m, struct vh_memory **ret)
{
	struct iova_piece *pieces = calloc (t->n + 1, sizeof (pieces[0]));
	unsigned n = 0;
	int err;

	if (!pieces)
		return -ENOMEM;
	for (unsigned i = 0; i < t->n; i++)
		if (piece_of (&t->entries[i], m, &pieces[n]) && (n == 0 || !pieces_join (&pieces[n - 1], &pieces[n])))
			n++;
	err = memory_new_iova (pieces, n, ret);
	free (pieces);
	return err;
}
