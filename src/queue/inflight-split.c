/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In-flight records of a split ring: a layout around the split one.
 *
 *	take      chains are read | number, inflight = 1, for each | the device gets them
 *	publish   next, last_batch_head, for each | used elements, used.idx | inflight = 0, for each | used_idx
 *	start     used_idx is not used.idx: the crash came after used.idx, so inflight = 0 for as many as they differ by, from last_batch_head on
 *
 * What is noted down as in flight has been taken and is not used, so the next chain to read is as far behind used.idx as there are such.  Each store is
 * ordered after the one before it: a process that dies at any instruction leaves what this file can make sense of.
 */
#include <errno.h>

#include "queue/crash.h"
#include "queue/inflight-area.h"
#include "queue/split.h"
#include "util/barrier.h"

static inline struct split_header *
records_header (const struct vh_ring *ring)
{
	return (struct split_header *) ring->inflight->host;
}

static inline struct split_entry *
records_entry (const struct vh_ring *ring, unsigned head)
{
	return (struct split_entry *) (ring->inflight->host + sizeof (struct split_header)) + head;
}

static inline void
entry_set (struct split_entry *e, uint8_t inflight)
{
	area_put8 (&e->inflight, inflight);
}

/* --- taking --- */

static void
records_note (struct vh_ring *ring, unsigned head)
{
	struct split_entry *e = records_entry (ring, head);

	__atomic_store_n (&e->counter, ring->inflight->counter++, __ATOMIC_RELEASE);
	crash_point (CRASH_NUMBERED);
	entry_set (e, 1);
	crash_point (CRASH_NOTED);
}

static struct vh_request *
take_record (struct vh_ring *ring, const struct inflight_record *r)
{
	return split_take_chain (ring, r->head);
}

static int
recorded_take (struct vh_ring *ring, struct vh_request **reqs, unsigned max)
{
	int n;

	if (unlikely (inflight_has_old (ring->inflight)))
		return inflight_take_again (ring, reqs, max, take_record);
	n = split_layout.take (ring, reqs, max);
	crash_point (CRASH_TAKEN);
	for (int i = 0; i < n; i++)
		records_note (ring, request_index (ring, (struct request *) reqs[i]));
	ring->inflight->fresh += n > 0 ? n : 0;
	crash_point (CRASH_HANDED_OUT);
	return n;
}

/*
 * What goes back into the ring stays noted down.  It is what the driver made available next, so a ring that starts from the records takes it again, and the
 * ones behind it from the right place.
 */
static void
recorded_untake (struct vh_ring *ring, struct vh_request **reqs, unsigned n)
{
	struct inflight *f = ring->inflight;
	unsigned fresh = n < f->fresh ? n : f->fresh;

	split_layout.untake (ring, reqs + n - fresh, fresh);
	f->fresh -= fresh;
	f->next_again -= n - fresh;
}

/* --- publication --- */

/* Makes the list of what is about to be published. */
static void
records_list (struct vh_ring *ring)
{
	struct split_header *h = records_header (ring);
	uint16_t last = area_get16 (&h->last_batch_head);

	for (unsigned i = 0; i < ring->n_done; i++) {
		uint16_t head = (uint16_t) le32toh (ring->done[i].id);

		area_put16 (&records_entry (ring, head)->next, last);
		area_put16 (&h->last_batch_head, head);
		last = head;
		crash_point (CRASH_LINKED);
	}
}

static void
records_clear (struct vh_ring *ring)
{
	for (unsigned i = 0; i < ring->n_done; i++) {
		entry_set (records_entry (ring, le32toh (ring->done[i].id)), 0);
		crash_point (CRASH_CLEARED);
	}
}

static bool
recorded_publish (struct vh_ring *ring)
{
	bool call;

	crash_point (CRASH_GIVEN);
	records_list (ring);
	crash_point (CRASH_LISTED);
	call = split_layout.publish (ring);
	crash_point (CRASH_PUBLISHED);
	records_clear (ring);
	crash_point (CRASH_ALL_CLEARED);
	area_put16 (&records_header (ring)->used_idx, ring->next_used);
	crash_point (CRASH_CONFIRMED);
	return call;
}

/* --- start --- */

/* Nobody wrote here yet, or only about another life of the ring. */
static void
records_begin (struct vh_ring *ring)
{
	struct split_header *h = records_header (ring);

	area_put16 (&h->version, 0);
	for (unsigned i = 0; i < ring->inflight->part.entries; i++)
		entry_set (records_entry (ring, i), 0);
	area_put16 (&h->desc_num, (uint16_t) ring->inflight->part.entries);
	area_put16 (&h->last_batch_head, 0);
	area_put16 (&h->used_idx, ring->next_used);
	area_put16 (&h->version, INFLIGHT_VERSION);
}

/* The last publication was not cleared up after: `n` requests, from last_batch_head on.  False: there cannot be so many, or they are none. */
static bool
records_clear_published (struct vh_ring *ring, unsigned n)
{
	struct split_header *h = records_header (ring);
	uint16_t head = area_get16 (&h->last_batch_head);

	if (n > ring->size)
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (head >= ring->size)
			return false;
		entry_set (records_entry (ring, head), 0);
		head = area_get16 (&records_entry (ring, head)->next);
		crash_point (CRASH_RECOVERING);
	}
	area_put16 (&h->used_idx, ring->next_used);
	return true;
}

static void
records_collect (struct vh_ring *ring)
{
	for (unsigned head = 0; head < ring->size; head++) {
		const struct split_entry *e = records_entry (ring, head);

		if (__atomic_load_n (&e->inflight, __ATOMIC_RELAXED) == 1)
			inflight_add (ring->inflight, (struct inflight_record){ __atomic_load_n (&e->counter, __ATOMIC_RELAXED), (uint16_t) head, 1 });
	}
	inflight_sort (ring->inflight);
}

/* Records say something of heads that this ring does not have. */
static bool
records_beyond (const struct vh_ring *ring, unsigned entries)
{
	for (unsigned head = ring->size; head < entries; head++)
		if (__atomic_load_n (&records_entry (ring, head)->inflight, __ATOMIC_RELAXED))
			return true;
	return false;
}

static int
records_recover (struct vh_ring *ring)
{
	struct split_header *h = records_header (ring);
	unsigned entries = area_get16 (&h->desc_num), n = (uint16_t) (ring->next_used - area_get16 (&h->used_idx));

	if (entries < ring->size || entries > ring->inflight->part.entries || records_beyond (ring, entries))
		return -EPROTO;
	if (!records_clear_published (ring, n))
		return -EPROTO;
	records_collect (ring);
	ring->inflight->recovered = true;
	ring->outstanding = ring->inflight->n_again;
	ring->next_avail = ring->seen = (uint16_t) (ring->next_used + ring->outstanding);
	crash_point (CRASH_RECOVERED);
	return 0;
}

/* A ring at its very beginning, over records of one that was further: a guest that was started anew, by a front-end that kept the area. */
static bool
is_newborn (const struct vh_ring *ring)
{
	return ring->next_used == 0 && ring->next_avail == 0 && (uint16_t) -area_get16 (&records_header (ring)->used_idx) > ring->size;
}

static int
recorded_start (struct vh_ring *ring, uint32_t base)
{
	int err = inflight_open (ring, sizeof (struct split_header), sizeof (struct split_entry));
	uint16_t version;

	if (err < 0)
		return err;
	split_layout.start (ring, base);
	version = area_get16 (&records_header (ring)->version);
	if (version == 0 || (version == INFLIGHT_VERSION && is_newborn (ring))) {
		records_begin (ring);
		return 0;
	}
	return version == INFLIGHT_VERSION ? records_recover (ring) : -EPROTO;
}

const struct ring_layout split_recorded_layout = {
	SPLIT_COMMON,
	.plain = &split_layout,
	.start = recorded_start,
	.take = recorded_take,
	.untake = recorded_untake,
	.publish = recorded_publish,
	.kicks_on = inflight_kicks_on,
	.has_news = inflight_has_news,
	.has_work = inflight_has_work,
};
