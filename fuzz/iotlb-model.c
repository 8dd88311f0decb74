/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A list of translations; see iotlb-model.h.
 */
#include "fuzz/iotlb-model.h"
#include "util/checked.h"

static uint64_t
last_of (const struct iotlb_body *b)
{
	uint64_t last;

	return checked_add (b->iova, b->size - 1, &last) ? last : UINT64_MAX;
}

static void
model_remove (struct model *m, uint64_t first, uint64_t last)
{
	for (unsigned i = 0; i < m->n;)
		if (m->entries[i].iova <= last && first <= last_of (&m->entries[i]))
			m->entries[i] = m->entries[--m->n];
		else
			i++;
}

bool
model_apply (struct model *m, const struct iotlb_body *b)
{
	uint64_t last;

	switch (b->type) {
	case INVALIDATE:
		model_remove (m, b->size ? b->iova : 0, b->size ? last_of (b) : UINT64_MAX);
		return true;
	case UPDATE:
		if (b->size == 0 || !checked_add (b->iova, b->size - 1, &last) || b->perm < 1 || b->perm > 3)
			return false;
		if (!range_inside (b->user, b->size, USER_PAGE (0), REGION_PAGES * PAGE) &&
		    !range_inside (b->user, b->size, USER_PAGE (REGION_PAGES), REGION_PAGES * PAGE))
			return false;
		model_remove (m, b->iova, last);
		m->entries[m->n++] = *b;
		return true;
	default:
		return false;
	}
}

bool
model_allows (const struct model *m, uint64_t user, uint64_t size, unsigned perm)
{
	while (size > 0) {
		uint64_t there = 0;

		for (unsigned i = 0; i < m->n; i++)
			if (m->entries[i].perm & perm && user - m->entries[i].user < m->entries[i].size)
				there = m->entries[i].size - (user - m->entries[i].user);
		if (there == 0)
			return false;
		if (there >= size)
			return true;
		user += there;
		size -= there;
	}
	return true;
}
