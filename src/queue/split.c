/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The split layout (virtio 1.2, 2.7):
 *
 *	desc      |addr len flags next| ...              a table of `size` descriptors, the driver's
 *	avail     |flags|idx|head head ... |used_event|  the driver's: heads of chains to take, up to idx
 *	used      |flags|idx|id len ...    |avail_event| ours: heads that are done, up to idx
 *
 * Positions (idx, next_avail, next_used) run freely modulo 2^16; the slot is the position modulo size.  The driver can write everywhere at any time: each field
 * is read once, into a local, and only that is checked and used.
 */
#include <errno.h>
#include <string.h>

#include "queue/crash.h"
#include "queue/demand.h"
#include "queue/notify.h"
#include "queue/order.h"
#include "queue/split.h"
#include "queue/walk.h"
#include "util/barrier.h"

#define AVAIL_F_NO_INTERRUPT 0x1u	/* VIRTQ_AVAIL_F_NO_INTERRUPT */
#define USED_F_NO_NOTIFY 0x1u		/* VIRTQ_USED_F_NO_NOTIFY */

struct avail {
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[];	/* size, then used_event */
};

struct used {
	uint16_t flags;
	uint16_t idx;
	struct done ring[];	/* size, then avail_event */
};

static inline const struct desc *
split_desc (const struct vh_ring *ring)
{
	return (const struct desc *) ring->areas[AREA_DESC];
}

static inline const struct avail *
split_avail (const struct vh_ring *ring)
{
	return (const struct avail *) ring->areas[AREA_AVAIL];
}

static inline struct used *
split_used (const struct vh_ring *ring)
{
	return (struct used *) ring->areas[AREA_USED];
}

/* With event indexes: the position of `used` that the driver waits for, and the one of `avail` that we wait for. */
static inline const uint16_t *
split_used_event (const struct vh_ring *ring)
{
	return &split_avail (ring)->ring[ring->size];
}

static inline uint16_t *
split_avail_event (const struct vh_ring *ring)
{
	return (uint16_t *) &split_used (ring)->ring[ring->size];
}

/* --- the driver's byte order --- */

/* 16 bits of an area, in a ring whose order is known only at run time. */
static inline uint16_t
split_load (const struct vh_ring *ring, const uint16_t *p)
{
	uint16_t v = load_le16 (p);

	return unlikely (ring->swapped) ? __builtin_bswap16 (v) : v;
}

static inline void
split_store (const struct vh_ring *ring, uint16_t *p, uint16_t v)
{
	store_le16 (p, unlikely (ring->swapped) ? __builtin_bswap16 (v) : v);
}

/* A descriptor's second word, in which each field is swapped by itself: len, flags, next. */
static inline uint64_t
rest_swapped (uint64_t rest)
{
	return __builtin_bswap32 ((uint32_t) rest) | (uint64_t) __builtin_bswap16 ((uint16_t) (rest >> 32)) << 32
	       | (uint64_t) __builtin_bswap16 ((uint16_t) (rest >> 48)) << 48;
}

/* --- start --- */

size_t
split_area_size (unsigned area, unsigned ring_size)
{
	switch (area) {
	case AREA_DESC:
		return ring_size * sizeof (struct desc);
	case AREA_AVAIL:
		return sizeof (struct avail) + ring_size * sizeof (uint16_t) + sizeof (uint16_t);
	default:
		return sizeof (struct used) + ring_size * sizeof (struct done) + sizeof (uint16_t);
	}
}

size_t
split_own_bytes (unsigned ring_size)
{
	return 0;
}

int
split_check (const struct ring_setup *s)
{
	return s->base <= UINT16_MAX ? 0 : -EINVAL;
}

static int
split_start (struct vh_ring *ring, uint32_t base)
{
	ring->next_avail = ring->seen = (uint16_t) base;
	ring->next_used = split_load (ring, &split_used (ring)->idx);
	split_store (ring, &split_used (ring)->flags, 0);
	return 0;
}

uint32_t
split_base (const struct vh_ring *ring)
{
	return ring->next_avail;
}

/* --- chains --- */

/* With DESC_F_WRITE, where a walk is: in an indirect table.  That may lie where the ring's own table is, so its address does not tell. */
#define IN_TABLE 0x8u

/*
 * Walks the chain that begins at `head`: in the ring's table, and at its end perhaps in an indirect one.  False: the ring is broken; or it is not, and the
 * request's error is -EAGAIN.  swapped: known when this is compiled.
 */
walk_inline bool
split_walk (struct vh_ring *ring, struct request *r, size_t head, bool swapped)
{
	const struct desc *table = split_desc (ring);
	size_t at = head, size = ring->size;
	struct walk w;

	walk_begin (ring, r, &w);
	for (;;) {
		uint64_t rest = swapped ? rest_swapped (desc_load (&table[at].rest)) : desc_load (&table[at].rest);
		uint32_t flags = desc_flags_next (rest) ^ w.state;

		w.addr = swapped ? __builtin_bswap64 (desc_load (&table[at].addr)) : desc_load (&table[at].addr);
		w.len = desc_len (rest);
		if (flags & (DESC_F_WRITE | DESC_F_INDIRECT)) {
			if (flags & DESC_F_INDIRECT) {
				table = walk_enter (ring, r, &w, rest, w.state & IN_TABLE);
				w.state |= IN_TABLE;
				if (!table)
					return walk_table_failed (ring, r);
				size = w.len / sizeof (struct desc);
				at = 0;
				continue;
			}
			if (!walk_turn (ring, r, &w))
				return false;
		}
		if (unlikely (!walk_add (ring, r, &w)))
			return false;
		if (!(flags & DESC_F_NEXT))
			break;
		at = desc_next (flags);
		if (unlikely (at >= size))
			return walk_bad (ring, "a descriptor's next is outside its table");
		if (unlikely (!walk_next (ring, r, &w)))
			return false;
	}
	return walk_end (ring, r, &w);
}

/* The request of a chain; NULL as split_walk. */
walk_inline struct request *
split_request (struct vh_ring *ring, size_t head, bool swapped)
{
	struct request *r = &ring->requests[head];

	if (unlikely (head >= ring->size)) {
		walk_bad (ring, "a head is outside the table");
		return NULL;
	}
	if (unlikely (r->snapshot)) {
		walk_bad (ring, "a head was made available twice");
		return NULL;
	}
	if (unlikely (!split_walk (ring, r, head, swapped)))
		return NULL;
	return r;
}

struct vh_request *
split_take_chain (struct vh_ring *ring, unsigned head)
{
	struct request *r = split_request (ring, head, false);

	if (!r)
		return NULL;
	r->snapshot = ring->snapshot;
	return &r->pub;
}

walk_inline int
split_take_chains (struct vh_ring *ring, struct vh_request **reqs, unsigned max, bool swapped)
{
	/* Acquire: the heads and descriptors below idx are read after it; the driver has a write barrier before it stores idx. */
	uint16_t loaded = load_le16_acquire (&split_avail (ring)->idx), idx = swapped ? __builtin_bswap16 (loaded) : loaded;
	unsigned n = (uint16_t) (idx - ring->next_avail), i;
	const struct avail *avail = split_avail (ring);
	struct snapshot *snapshot = ring->snapshot;
	size_t first = ring->next_avail, mask = ring->size - 1;

	if (unlikely (n > ring->size - ring->outstanding))
		return ring_break (ring, -EPROTO, "the available index jumped");
	ring->seen = idx;
	n = n < max ? n : max;
	n = n < ring->budget ? n : ring->budget;
	for (i = 0; i < n; i++) {
		uint16_t head = load_le16 (&avail->ring[(first + i) & mask]);
		struct request *r = split_request (ring, swapped ? __builtin_bswap16 (head) : head, swapped);

		if (unlikely (!r))
			break;
		r->snapshot = snapshot;
		reqs[i] = &r->pub;
	}
	if (unlikely (ring->broken))	/* then those before in this batch will not be served either */
		return ring->broken;
	ring->next_avail = (uint16_t) (ring->next_avail + i);
	ring->budget -= i;
	ring->outstanding += i;
	ring->snapshot->in_flight += i;
	return (int) i;
}

static int
split_take (struct vh_ring *ring, struct vh_request **reqs, unsigned max)
{
	return split_take_chains (ring, reqs, max, false);
}

static int
split_swapped_take (struct vh_ring *ring, struct vh_request **reqs, unsigned max)
{
	return split_take_chains (ring, reqs, max, true);
}

static void
split_untake (struct vh_ring *ring, struct vh_request **reqs, unsigned n)
{
	ring->next_avail = (uint16_t) (ring->next_avail - n);
	ring->outstanding -= n;
}

/* --- publication --- */

/* NOTIFY_ON_EMPTY: the driver wants to know when it is owed nothing, whatever else it says. */
static bool
split_is_empty (const struct vh_ring *ring)
{
	return ring_has_feature (ring, VH_F_NOTIFY_ON_EMPTY) && vh_ring_in_flight (ring) == 0 &&
	       split_load (ring, &split_avail (ring)->idx) == ring->next_avail;
}

/* After used.idx went from `before` to next_used. */
static bool
split_call_wanted (struct vh_ring *ring, uint16_t before)
{
	bool valid = ring->called_valid;

	ring->called_valid = true;
	if (unlikely (split_is_empty (ring)))
		return true;
	if (ring_has_feature (ring, VH_F_EVENT_IDX))
		return !valid || event_passed (split_load (ring, split_used_event (ring)), ring->next_used, before);
	return !(split_load (ring, &split_avail (ring)->flags) & AVAIL_F_NO_INTERRUPT);
}

/* Writes done[] behind the used elements. */
static inline void
split_write (struct vh_ring *ring)
{
	struct used *used = split_used (ring);
	unsigned slot = ring->next_used & (ring->size - 1), n = ring->n_done;
	unsigned first = n < ring->size - slot ? n : ring->size - slot;

	memcpy (&used->ring[slot], ring->done, first * sizeof (struct done));
	if (unlikely (first < n))
		memcpy (used->ring, ring->done + first, (n - first) * sizeof (struct done));
}

/* Likewise in the other byte order, or in order: then the last one of a row is in the place of its first, and the others go unwritten. */
__attribute__ ((noinline)) static void
split_write_rows (struct vh_ring *ring)
{
	unsigned n;

	for (unsigned i = 0; i < ring->n_done; i += n) {
		struct done d;

		n = ring->order ? order_row (ring, i) : 1;
		d = ring->done[i + n - 1];
		if (ring->swapped)
			d = (struct done){ __builtin_bswap32 (d.id), __builtin_bswap32 (d.written) };
		split_used (ring)->ring[(ring->next_used + i) & (ring->size - 1)] = d;
	}
}

static bool
split_publish (struct vh_ring *ring)
{
	struct used *used = split_used (ring);
	uint16_t before = ring->next_used;
	unsigned n = ring->n_done;

	if (unlikely (ring->order || ring->swapped))
		split_write_rows (ring);
	else
		split_write (ring);
	ring->next_used = (uint16_t) (before + n);
	ring->outstanding -= n;
	crash_point (CRASH_USED_WRITTEN);
	/* Release: the elements are there before the index; the driver has a read barrier after it loads idx. */
	store_le16_release (&used->idx, unlikely (ring->swapped) ? __builtin_bswap16 (ring->next_used) : ring->next_used);
	/* Full: used.idx is stored before used_event or flags are loaded; the driver does it the other way round, so one of us sees the other. */
	full_barrier ();
	return split_call_wanted (ring, before);
}

void
split_dirty_used (struct vh_ring *ring, uint16_t before)
{
	unsigned slot = before & (ring->size - 1), n = (uint16_t) (ring->next_used - before);
	unsigned first = n < ring->size - slot ? n : ring->size - slot;

	dirty_area (ring, AREA_USED, offsetof (struct used, idx), sizeof (uint16_t));
	dirty_area (ring, AREA_USED, offsetof (struct used, ring) + slot * sizeof (struct done), first * sizeof (struct done));
	if (first < n)
		dirty_area (ring, AREA_USED, offsetof (struct used, ring), (n - first) * sizeof (struct done));
}

void
split_dirty_kicks (struct vh_ring *ring)
{
	if (ring_has_feature (ring, VH_F_EVENT_IDX))
		dirty_area (ring, AREA_USED, offsetof (struct used, ring) + ring->size * sizeof (struct done), sizeof (uint16_t));
	else
		dirty_area (ring, AREA_USED, offsetof (struct used, flags), sizeof (uint16_t));
}

/* --- kicks --- */

void
split_kicks_off (struct vh_ring *ring)
{
	/* With event indexes there is nothing to do: the driver waits for a position that is behind it. */
	if (ring->kicks_suppressed || ring_has_feature (ring, VH_F_EVENT_IDX))
		return;
	ring->kicks_suppressed = true;
	split_store (ring, &split_used (ring)->flags, USED_F_NO_NOTIFY);
}

static bool
split_has_news (struct vh_ring *ring)
{
	uint16_t before = ring->seen;

	ring->seen = split_load (ring, &split_avail (ring)->idx);
	return ring->seen != before || (ring->budget == 0 && ring->seen != ring->next_avail);
}

static bool
split_kicks_on (struct vh_ring *ring)
{
	if (ring_has_feature (ring, VH_F_EVENT_IDX))
		split_store (ring, split_avail_event (ring), ring->seen);
	else if (ring->kicks_suppressed)
		split_store (ring, &split_used (ring)->flags, 0);
	ring->kicks_suppressed = false;
	/* Full: what we ask is stored before idx is loaded; the driver stores idx before it loads what we ask. */
	full_barrier ();
	return split_has_news (ring);
}

static bool
split_has_work (struct vh_ring *ring)
{
	return split_load (ring, &split_avail (ring)->idx) != ring->next_avail;
}

const struct ring_layout split_layout = {
	SPLIT_COMMON,
	.recorded = &split_recorded_layout,
	.start = split_start,
	.take = split_take,
	.untake = split_untake,
	.publish = split_publish,
	.kicks_on = split_kicks_on,
	.has_news = split_has_news,
	.has_work = split_has_work,
};

const struct ring_layout split_swapped_layout = {
	SPLIT_COMMON,
	.start = split_start,
	.take = split_swapped_take,
	.untake = split_untake,
	.publish = split_publish,
	.kicks_on = split_kicks_on,
	.has_news = split_has_news,
	.has_work = split_has_work,
};
