/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In-flight records, whatever the layout: the area, and the order in which requests are taken again.
 */
#include <errno.h>
#include <stdlib.h>

#include "queue/crash.h"
#include "queue/inflight-area.h"
#include "queue/layout.h"

/* Parts begin at multiples of this, as libvhost-user's and DPDK's do; the specification leaves it to the back-end. */
#define PART_ALIGN 64

uint64_t
inflight_part_size (bool packed, unsigned entries)
{
	uint64_t header = packed ? sizeof (struct packed_header) : sizeof (struct split_header);
	uint64_t entry = packed ? sizeof (struct packed_entry) : sizeof (struct split_entry);

	return (header + entries * entry + PART_ALIGN - 1) & ~(uint64_t) (PART_ALIGN - 1);
}

int
inflight_open (struct vh_ring *ring, size_t header, size_t entry)
{
	const struct inflight_part *part = &ring->setup.inflight;
	uint64_t size = header + (uint64_t) part->entries * entry;
	struct inflight *f;

	if (part->entries < ring->size || !range_inside (part->offset, size, 0, part->region->spec.size))
		return -EINVAL;
	if ((uintptr_t) (part->region->host + part->offset) % sizeof (uint64_t))
		return -EINVAL;
	f = calloc (1, sizeof (*f));
	if (!f)
		return -ENOMEM;
	f->again = calloc (ring->size, sizeof (f->again[0]));
	if (!f->again) {
		free (f);
		return -ENOMEM;
	}
	f->part = *part;
	region_ref (part->region);
	f->host = part->region->host + part->offset;
	ring->inflight = f;
	return 0;
}

void
inflight_close (struct vh_ring *ring)
{
	struct inflight *f = ring->inflight;

	if (!f)
		return;
	region_unref (f->part.region);
	free (f->again);
	free (f->own);
	free (f);
}

bool
inflight_lost (const struct vh_ring *ring)
{
	return ring->inflight && __atomic_load_n (&ring->inflight->part.region->lost, __ATOMIC_ACQUIRE);
}

void
inflight_add (struct inflight *f, struct inflight_record record)
{
	f->again[f->n_again++] = record;
}

static int
compare_records (const void *a, const void *b)
{
	const struct inflight_record *ra = a, *rb = b;

	if (ra->number != rb->number)
		return ra->number < rb->number ? -1 : 1;
	return ra->head < rb->head ? -1 : ra->head > rb->head;
}

void
inflight_sort (struct inflight *f)
{
	/* Numbers wrap, so what counts is how far each is from one of them: by less than half of what there are, if they are ours. */
	uint64_t origin = f->n_again > 0 ? f->again[0].number - (UINT64_C (1) << 63) : 0;

	if (f->n_again == 0)
		return;
	for (unsigned i = 0; i < f->n_again; i++)
		f->again[i].number -= origin;
	qsort (f->again, f->n_again, sizeof (f->again[0]), compare_records);
	f->counter = f->again[f->n_again - 1].number + origin + 1;
}

int
inflight_take_again (struct vh_ring *ring, struct vh_request **reqs, unsigned max, inflight_take_fn *take)
{
	struct inflight *f = ring->inflight;
	unsigned n = 0;

	max = max < ring->budget ? max : ring->budget;
	while (n < max && inflight_has_old (f)) {
		reqs[n] = take (ring, &f->again[f->next_again]);
		if (!reqs[n] || ring->broken)
			break;
		f->next_again++;
		n++;
	}
	if (ring->broken)
		return ring->broken;
	f->fresh = 0;
	ring->budget -= n;
	ring->snapshot->in_flight += n;
	crash_point (CRASH_TAKEN_AGAIN);
	return (int) n;
}

bool
inflight_kicks_on (struct vh_ring *ring)
{
	bool more = ring->layout->plain->kicks_on (ring);

	/* A device that leaves them in the ring has its reason; one whose turn is over has not. */
	return more || (ring->budget == 0 && inflight_has_old (ring->inflight));
}

bool
inflight_has_news (struct vh_ring *ring)
{
	bool more = ring->layout->plain->has_news (ring);

	return more || inflight_has_old (ring->inflight);
}

bool
inflight_has_work (struct vh_ring *ring)
{
	return inflight_has_old (ring->inflight) || ring->layout->plain->has_work (ring);
}
