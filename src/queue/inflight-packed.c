/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In-flight records of a packed ring: a layout around the packed one.  Used descriptors overwrite those of chains that are in flight, so the records have
 * copies: a chain is a list of entries, which are taken from a list of free ones and put back there.
 *
 *	take      copies, number, inflight = 1, for each | old_free_head: they are not free any more | the device gets them
 *	publish   the chains' entries are free, used_idx is where it will be | used descriptors | inflight = 0, for each | the old_ fields follow
 *	start     old_ fields differ: if the first used descriptor is there, they follow now; else it did not happen, the others go back, and so do the used
 *	          descriptors behind the first one
 *
 * What is in a chain has been taken and is not used, so the next chain to read is as far behind the used position as the chains have entries.
 *
 * The lists have a copy here, so that nothing of them is read from the area once the ring runs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "queue/crash.h"
#include "queue/inflight-area.h"
#include "queue/packed.h"
#include "util/barrier.h"

/* What is in the area, as far as it leads from one thing to another; behind it the arrays. */
struct records {
	struct desc *chain;	/* room for the copy of one */
	uint16_t *next;		/* by entry */
	uint16_t *first, *last;	/* by request */
	uint16_t free_head;
	bool *seen;		/* by entry, at start */
};

static inline struct records *
records_own (const struct vh_ring *ring)
{
	return ring->inflight->own;
}

static inline struct packed_header *
records_header (const struct vh_ring *ring)
{
	return (struct packed_header *) ring->inflight->host;
}

static inline struct packed_entry *
records_entry (const struct vh_ring *ring, unsigned i)
{
	return (struct packed_entry *) (ring->inflight->host + sizeof (struct packed_header)) + i;
}

static inline void
entry_set (struct packed_entry *e, uint8_t inflight)
{
	area_put8 (&e->inflight, inflight);
}

static void
put_positions (struct vh_ring *ring, uint16_t used, uint16_t old)
{
	struct packed_positions p = {
		.used_idx = used & PLACE, .old_used_idx = old & PLACE, .used_wrap_counter = used >> 15, .old_used_wrap_counter = old >> 15,
	};
	uint64_t word;

	memcpy (&word, &p, sizeof (word));
	__atomic_store_n (&records_header (ring)->positions, word, __ATOMIC_RELEASE);
}

static inline unsigned
chain_length (const struct vh_ring *ring, unsigned index)
{
	return packed_own (ring)->origins[index].length;
}

/* --- taking --- */

/*
 * Copies a descriptor of the ring.  The driver may have changed it since it was read for the request: then this is the chain that it gets if we die, and it
 * is checked as any other.
 */
static void
copy_descriptor (struct vh_ring *ring, unsigned entry, unsigned place, bool more)
{
	const struct desc *d = &packed_desc (ring)[place];
	struct packed_entry *e = records_entry (ring, entry);
	uint64_t addr = desc_load (&d->addr), rest = desc_load (&d->rest);
	uint16_t flags = (uint16_t) ((rest >> 48 & (DESC_F_WRITE | DESC_F_INDIRECT)) | (more ? DESC_F_NEXT : 0));

	__atomic_store_n (&e->addr, addr, __ATOMIC_RELAXED);
	__atomic_store_n (&e->len, desc_len (rest), __ATOMIC_RELAXED);
	__atomic_store_n (&e->flags, flags, __ATOMIC_RELAXED);
	__atomic_store_n (&e->id, (uint16_t) (rest >> 32), __ATOMIC_RELAXED);
}

/* Notes down the request whose chain begins at a position; returns the position behind it. */
static uint16_t
records_note (struct vh_ring *ring, unsigned index, uint16_t at)
{
	struct records *own = records_own (ring);
	unsigned length = chain_length (ring, index);
	uint16_t head = own->free_head, entry = head;
	struct packed_entry *h = records_entry (ring, head);

	for (unsigned i = 0; i < length; i++) {
		copy_descriptor (ring, entry, at & PLACE, i + 1 < length);
		own->last[index] = entry;
		entry = own->next[entry];
		at = position_forward (ring, at, 1);
	}
	area_put16 (&records_entry (ring, own->last[index])->id, packed_own (ring)->origins[index].id);
	area_put16 (&h->last, own->last[index]);
	area_put16 (&h->num, (uint16_t) length);
	__atomic_store_n (&h->counter, ring->inflight->counter++, __ATOMIC_RELEASE);
	crash_point (CRASH_NUMBERED);
	entry_set (h, 1);
	area_put16 (&records_header (ring)->free_head, entry);
	area_put16 (&records_header (ring)->old_free_head, entry);
	crash_point (CRASH_NOTED);
	own->first[index] = head;
	own->free_head = entry;
	return at;
}

/* A chain of before, into own->chain.  Its entries are in the area, where anybody may have changed them. */
static void
copy_chain (struct vh_ring *ring, const struct inflight_record *r)
{
	struct records *own = records_own (ring);
	unsigned entry = r->head;

	for (unsigned i = 0; i < r->length; i++) {
		const struct packed_entry *e = records_entry (ring, entry);
		uint64_t flags = (area_get16 (&e->flags) & (DESC_F_WRITE | DESC_F_INDIRECT)) | (i + 1u < r->length ? DESC_F_NEXT : 0);
		uint64_t len = __atomic_load_n (&e->len, __ATOMIC_RELAXED);

		own->chain[i].addr = htole64 (__atomic_load_n (&e->addr, __ATOMIC_RELAXED));
		own->chain[i].rest = htole64 (len | (uint64_t) area_get16 (&e->id) << 32 | flags << 48);
		entry = own->next[entry];
	}
}

/* Takes one of before again; NULL as packed_take_copy. */
static struct vh_request *
take_record (struct vh_ring *ring, const struct inflight_record *r)
{
	struct records *own = records_own (ring);
	struct vh_request *req;
	unsigned index;

	copy_chain (ring, r);
	req = packed_take_copy (ring, own->chain, r->length);
	if (!req)
		return NULL;
	index = request_index (ring, (struct request *) req);
	own->first[index] = own->last[index] = r->head;
	for (unsigned i = 1; i < r->length; i++)
		own->last[index] = own->next[own->last[index]];
	if (chain_length (ring, index) != r->length)
		ring_break (ring, -EPROTO, "an in-flight record is no chain");
	return req;
}

static int
recorded_take (struct vh_ring *ring, struct vh_request **reqs, unsigned max)
{
	uint16_t at = ring->next_avail;
	int n;

	if (unlikely (inflight_has_old (ring->inflight)))
		return inflight_take_again (ring, reqs, max, take_record);
	n = packed_layout.take (ring, reqs, max);
	crash_point (CRASH_TAKEN);
	for (int i = 0; i < n; i++)
		at = records_note (ring, request_index (ring, (struct request *) reqs[i]), at);
	ring->inflight->fresh += n > 0 ? n : 0;
	crash_point (CRASH_HANDED_OUT);
	return n;
}

/* The last request that was noted down is not in flight: its entries are free again, as they were. */
static void
records_unnote (struct vh_ring *ring, unsigned index)
{
	uint16_t head = records_own (ring)->first[index];

	records_own (ring)->free_head = head;
	area_put16 (&records_header (ring)->free_head, head);
	area_put16 (&records_header (ring)->old_free_head, head);
	entry_set (records_entry (ring, head), 0);
}

/* Those of before stay noted down. */
static void
recorded_untake (struct vh_ring *ring, struct vh_request **reqs, unsigned n)
{
	struct inflight *f = ring->inflight;
	unsigned fresh = n < f->fresh ? n : f->fresh, old = n - fresh;

	for (unsigned i = n; i > old; i--)
		records_unnote (ring, request_index (ring, (struct request *) reqs[i - 1]));
	packed_layout.untake (ring, reqs + old, fresh);
	for (unsigned i = 0; i < old; i++)
		packed_release (packed_own (ring), request_index (ring, (struct request *) reqs[i]));
	f->fresh -= fresh;
	f->next_again -= old;
}

/* --- publication --- */

static inline unsigned
done_index (const struct vh_ring *ring, unsigned i)
{
	return le32toh (ring->done[i].id);
}

/* Frees the chains' entries; returns where the used position will be. */
static uint16_t
records_free (struct vh_ring *ring)
{
	struct records *own = records_own (ring);
	unsigned length = 0;

	for (unsigned i = 0; i < ring->n_done; i++) {
		unsigned index = done_index (ring, i);
		uint16_t last = own->last[index];

		length += chain_length (ring, index);
		own->next[last] = own->free_head;
		own->free_head = own->first[index];
		area_put16 (&records_entry (ring, last)->next, own->next[last]);
		area_put16 (&records_header (ring)->free_head, own->free_head);
		crash_point (CRASH_LINKED);
	}
	return position_forward (ring, ring->next_used, length);
}

static void
records_clear (struct vh_ring *ring)
{
	for (unsigned i = 0; i < ring->n_done; i++) {
		entry_set (records_entry (ring, records_own (ring)->first[done_index (ring, i)]), 0);
		crash_point (CRASH_CLEARED);
	}
}

static bool
recorded_publish (struct vh_ring *ring)
{
	uint16_t used;
	bool call;

	crash_point (CRASH_GIVEN);
	used = records_free (ring);
	put_positions (ring, used, ring->next_used);
	crash_point (CRASH_LISTED);
	call = packed_layout.publish (ring);
	crash_point (CRASH_PUBLISHED);
	records_clear (ring);
	crash_point (CRASH_ALL_CLEARED);
	area_put16 (&records_header (ring)->old_free_head, records_own (ring)->free_head);
	put_positions (ring, used, used);
	crash_point (CRASH_CONFIRMED);
	return call;
}

/* --- start --- */

static int
records_open (struct vh_ring *ring)
{
	unsigned entries = ring->setup.inflight.entries;
	struct records *own;
	int err = inflight_open (ring, sizeof (struct packed_header), sizeof (struct packed_entry));

	if (err < 0)
		return err;
	own = calloc (1, sizeof (*own) + ring->size * (sizeof (struct desc) + 2 * sizeof (uint16_t)) + entries * (sizeof (uint16_t) + sizeof (bool)));
	if (!own)
		return -ENOMEM;
	own->chain = (struct desc *) (own + 1);
	own->next = (uint16_t *) (own->chain + ring->size);
	own->first = own->next + entries;
	own->last = own->first + ring->size;
	own->seen = (bool *) (own->last + ring->size);
	ring->inflight->own = own;
	return 0;
}

/* Nobody wrote here yet. */
static void
records_begin (struct vh_ring *ring)
{
	struct packed_header *h = records_header (ring);
	unsigned entries = ring->inflight->part.entries;

	for (unsigned i = 0; i < entries; i++) {
		records_own (ring)->next[i] = (uint16_t) (i + 1);
		area_put16 (&records_entry (ring, i)->next, (uint16_t) (i + 1));
		entry_set (records_entry (ring, i), 0);
	}
	area_put16 (&h->desc_num, (uint16_t) entries);
	area_put16 (&h->free_head, 0);
	area_put16 (&h->old_free_head, 0);
	put_positions (ring, ring->next_used, ring->next_used);
	area_put16 (&h->version, INFLIGHT_VERSION);
}

/* Ends what was under way: either it happened, or it did not.  False: a position is none. */
static bool
records_settle (struct vh_ring *ring)
{
	struct packed_header *h = records_header (ring);
	uint64_t word = __atomic_load_n (&h->positions, __ATOMIC_RELAXED);
	struct packed_positions p;
	uint16_t used, old;

	memcpy (&p, &word, sizeof (p));
	if (p.used_idx >= ring->size || p.old_used_idx >= ring->size || p.used_wrap_counter > 1 || p.old_used_wrap_counter > 1)
		return false;
	used = (uint16_t) (p.used_idx | p.used_wrap_counter << 15);
	old = (uint16_t) (p.old_used_idx | p.old_used_wrap_counter << 15);
	if (used != old && !packed_is_available (ring, old)) {
		area_put16 (&h->old_free_head, area_get16 (&h->free_head));
		crash_point (CRASH_RECOVERING);
		old = used;
	}
	put_positions (ring, old, old);
	area_put16 (&h->free_head, area_get16 (&h->old_free_head));
	crash_point (CRASH_RECOVERING);
	ring->next_used = old;
	return true;
}

/* Enters the free entries; returns how many there are. */
static unsigned
records_read_free (struct vh_ring *ring, unsigned entries)
{
	struct records *own = records_own (ring);
	uint16_t *link = &own->free_head;
	unsigned n = 0;

	*link = area_get16 (&records_header (ring)->old_free_head);
	while (*link < entries && !own->seen[*link]) {
		struct packed_entry *e = records_entry (ring, *link);

		own->seen[*link] = true;
		entry_set (e, 0);
		link = &own->next[*link];
		*link = area_get16 (&e->next);
		n++;
	}
	*link = (uint16_t) entries;	/* some other back-end's list may end otherwise */
	return n;
}

/* Enters the chain that begins at an entry; returns how long it is, 0: it is none. */
static unsigned
records_read_chain (struct vh_ring *ring, unsigned entries, uint16_t head)
{
	struct records *own = records_own (ring);
	const struct packed_entry *h = records_entry (ring, head);
	unsigned length = area_get16 (&h->num), entry = head, last = head;

	if (length > ring->size)
		return 0;
	for (unsigned i = 0; i < length; i++) {
		if (entry >= entries || own->seen[entry])
			return 0;
		own->seen[last = entry] = true;
		entry = own->next[last] = area_get16 (&records_entry (ring, last)->next);
	}
	inflight_add (ring->inflight, (struct inflight_record){ __atomic_load_n (&h->counter, __ATOMIC_RELAXED), head, (uint16_t) length });
	return last == area_get16 (&h->last) ? length : 0;
}

/* Each entry is free or in one chain.  Sets `outstanding`; false: it is not so. */
static bool
records_read (struct vh_ring *ring, unsigned entries)
{
	unsigned n = records_read_free (ring, entries), length;

	for (unsigned i = 0; i < entries; i++) {
		if (records_own (ring)->seen[i] || __atomic_load_n (&records_entry (ring, i)->inflight, __ATOMIC_RELAXED) != 1)
			continue;
		if (ring->outstanding == ring->size)
			return false;
		length = records_read_chain (ring, entries, (uint16_t) i);
		if (length == 0 || length > ring->size - ring->outstanding)
			return false;
		ring->outstanding += length;
		n += length;
	}
	return n == entries;
}

/*
 * A publication that did not happen has left the used descriptors behind its first one: the driver would take them for ours as soon as it comes there.  They
 * become available again.  What they were is in the records, and nobody reads it here any more but for that.
 */
static void
records_unpublish (struct vh_ring *ring)
{
	uint16_t at = ring->next_used;

	for (unsigned i = 0; i < ring->outstanding; i++, at = position_forward (ring, at, 1)) {
		uint64_t flags = at & WRAP ? DESC_F_AVAIL : DESC_F_USED;

		if (packed_is_available (ring, at))
			continue;
		__atomic_store_n (&packed_desc (ring)[at & PLACE].rest, htole64 (flags << 48), __ATOMIC_RELAXED);
		crash_point (CRASH_RECOVERING);
	}
}

static int
records_recover (struct vh_ring *ring)
{
	unsigned entries = area_get16 (&records_header (ring)->desc_num);

	if (entries < ring->size || entries > ring->inflight->part.entries || !records_settle (ring) || !records_read (ring, entries))
		return -EPROTO;
	inflight_sort (ring->inflight);
	records_unpublish (ring);
	ring->inflight->recovered = true;
	ring->next_avail = ring->seen = position_forward (ring, ring->next_used, ring->outstanding);
	crash_point (CRASH_RECOVERED);
	return 0;
}

static int
recorded_start (struct vh_ring *ring, uint32_t base)
{
	int err = records_open (ring);
	uint16_t version;

	if (err < 0)
		return err;
	packed_layout.start (ring, base);
	version = area_get16 (&records_header (ring)->version);
	if (version == 0) {
		records_begin (ring);
		return 0;
	}
	return version == INFLIGHT_VERSION ? records_recover (ring) : -EPROTO;
}

const struct ring_layout packed_recorded_layout = {
	PACKED_COMMON,
	.plain = &packed_layout,
	.start = recorded_start,
	.take = recorded_take,
	.untake = recorded_untake,
	.publish = recorded_publish,
	.kicks_on = inflight_kicks_on,
	.has_news = inflight_has_news,
	.has_work = inflight_has_work,
};
