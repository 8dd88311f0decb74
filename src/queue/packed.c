/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packed layout (virtio 1.2, 2.8):
 *
 *	desc      |addr len id flags| ...   `size` descriptors that both sides write: the driver makes chains available, we overwrite them by what is used
 *	avail     |off_wrap flags|          the driver's: when it wants to be called
 *	used      |off_wrap flags|          ours: when we want to be kicked
 *
 * A chain is the descriptors from its head on, in a row around the end of the ring; its id is in the last of them.  Whether a descriptor is available or
 * used is told by two bits of its flags, which change their meaning each time around; a position is a place in the ring and that meaning, the wrap counter.
 *
 * Ids are the driver's choice and come at the end of a chain, so a request is not the one at the index of its id: it comes from a stack of those that are
 * free, and remembers the id.  The driver can write everywhere at any time: each word is read once, and only that is checked and used.
 */
#include <errno.h>

#include "queue/demand.h"
#include "queue/packed.h"
#include "queue/walk.h"
#include "util/barrier.h"

/* --- start --- */

size_t
packed_area_size (unsigned area, unsigned ring_size)
{
	return area == AREA_DESC ? ring_size * sizeof (struct desc) : sizeof (uint32_t);
}

static bool
position_valid (const struct ring_setup *s, uint16_t p)
{
	return (p & PLACE) < s->size;
}

/*
 * The base has the position of what is available in its low half, and of what is used in its high half.  Front-ends that know only the first (DPDK's) send
 * 0 there: nothing is in flight then.
 */
static uint16_t
base_used (uint32_t base)
{
	return (uint16_t) (base >> 16 ? base >> 16 : base);
}

int
packed_check (const struct ring_setup *s)
{
	uint16_t avail = (uint16_t) s->base, used = base_used (s->base);

	if (!position_valid (s, avail) || !position_valid (s, used) || position_distance (s->size, used, avail) > s->size)
		return -EINVAL;
	return 0;
}

size_t
packed_own_bytes (unsigned n)
{
	return sizeof (struct packed) + n * (sizeof (struct origin) + sizeof (uint16_t) + sizeof (bool));
}

/* The arrays are behind the struct, in its piece of the pool. */
static void
packed_init_own (struct vh_ring *ring)
{
	struct packed *p = packed_own (ring);

	p->origins = (struct origin *) (p + 1);
	p->free = (uint16_t *) (p->origins + ring->size);
	p->busy = (bool *) (p->free + ring->size);
	p->n_free = ring->size;
	for (unsigned i = 0; i < ring->size; i++)
		p->free[i] = (uint16_t) (ring->size - 1 - i);
}

/* An event area is written by one store: its parts cannot be seen apart. */
static void
packed_store_event (struct vh_ring *ring, uint16_t position, uint32_t flags)
{
	__atomic_store_n ((uint32_t *) ring->areas[AREA_USED], htole32 (position | flags << 16), __ATOMIC_RELAXED);
}

/*
 * User Mode Linux (virtio_uml of Linux 6.1) says 0 of each ring that is new.  In a packed ring that is where a lap with another wrap counter begins; but then
 * each chain of the lap before has left its first descriptor marked as used.
 */
static uint32_t
packed_true_base (const struct vh_ring *ring, uint32_t base)
{
	for (unsigned i = 0; base == 0; i++) {
		if (i == ring->size)
			return PACKED_FIRST_BASE;
		if (packed_flags (packed_load_head (ring, (uint16_t) i)) & DESC_F_USED)
			break;
	}
	return base;
}

static int
packed_start (struct vh_ring *ring, uint32_t base)
{
	packed_init_own (ring);
	base = packed_true_base (ring, base);
	ring->setup.base = base;
	ring->next_avail = ring->seen = (uint16_t) base;
	ring->next_used = base_used (base);
	packed_store_event (ring, 0, EVENT_ENABLE);
	return 0;
}

uint32_t
packed_base (const struct vh_ring *ring)
{
	return ring->next_avail | (uint32_t) ring->next_used << 16;
}

/* --- chains --- */

/* A descriptor's second word as one of a split ring, of which it has all flags and no next. */
static inline uint64_t
rest_as_split (uint64_t rest)
{
	return (uint32_t) rest | (rest >> 48 << 32);
}

/* Walks an indirect table: all of its n > 0 descriptors in a row, of whose flags only WRITE means something (virtio 1.2, 2.8.7). */
walk_inline bool
packed_walk_table (struct vh_ring *ring, struct request *r, struct walk *w, const struct desc *d, unsigned n)
{
	for (const struct desc *end = d + n;;) {
		uint64_t rest = desc_load (&d->rest);

		w->addr = desc_load (&d->addr);
		w->len = desc_len (rest);
		if ((packed_flags (rest) ^ w->state) & DESC_F_WRITE && !walk_turn (ring, r, w))
			return false;
		if (unlikely (!walk_add (ring, r, w)))
			return false;
		if (++d == end)
			return true;
		if (unlikely (!walk_next (ring, r, w)))
			return false;
	}
}

/*
 * Walks the chain that begins at a place of a ring of `size` descriptors, where `rest` was found; *origin becomes what it says.  False: the ring is broken;
 * or it is not, and the request's error is -EAGAIN.
 */
walk_inline bool
packed_walk (struct vh_ring *ring, struct request *r, const struct desc *own, size_t size, size_t place, uint64_t rest, struct origin *origin)
{
	const struct desc *d = &own[place], *end = own + size, *table;
	unsigned length = 1;
	struct walk w;

	walk_begin (ring, r, &w);
	for (;; length++) {
		uint32_t flags = packed_flags (rest);

		w.addr = desc_load (&d->addr);
		w.len = desc_len (rest);
		if ((flags ^ w.state) & (DESC_F_WRITE | DESC_F_INDIRECT)) {
			if (flags & DESC_F_INDIRECT) {
				unsigned n = w.len / sizeof (struct desc);

				table = walk_enter (ring, r, &w, rest_as_split (rest), false);
				if (!table) {
					*origin = (struct origin){ (uint16_t) packed_id (rest), (uint16_t) length };
					return walk_table_failed (ring, r);
				}
				if (!packed_walk_table (ring, r, &w, table, n))
					return false;
				break;
			}
			if (!walk_turn (ring, r, &w))
				return false;
		}
		if (unlikely (!walk_add (ring, r, &w)))
			return false;
		if (!(flags & DESC_F_NEXT))
			break;
		if (unlikely (!walk_next (ring, r, &w)))
			return false;
		if (++d == end)
			d = own;
		rest = desc_load (&d->rest);
	}
	*origin = (struct origin){ (uint16_t) packed_id (rest), (uint16_t) length };
	return walk_end (ring, r, &w);
}

static const char too_many[] = "more descriptors are available than the ring has";

/* A free request for the chain at a place of a ring of `size` descriptors, which may have `room` of them.  NULL as packed_walk. */
walk_inline struct request *
packed_request (struct vh_ring *ring, struct packed *p, const struct desc *own, size_t size, size_t place, uint64_t rest, unsigned room)
{
	unsigned index = p->free[p->n_free - 1];
	struct request *r = &ring->requests[index];
	struct origin origin;

	if (unlikely (!packed_walk (ring, r, own, size, place, rest, &origin)))
		return NULL;
	if (unlikely (origin.length > room)) {
		walk_bad (ring, too_many);
		return NULL;
	}
	if (unlikely (origin.id >= ring->size)) {
		walk_bad (ring, "an id is not below the ring's size");
		return NULL;
	}
	if (unlikely (p->busy[origin.id])) {
		walk_bad (ring, "an id was made available twice");
		return NULL;
	}
	p->busy[origin.id] = true;
	p->origins[index] = origin;
	p->n_free--;
	return r;
}

struct vh_request *
packed_take_copy (struct vh_ring *ring, const struct desc *copy, unsigned length)
{
	struct request *r = packed_request (ring, packed_own (ring), copy, length, 0, desc_load (&copy->rest), length);

	if (!r)
		return NULL;
	r->snapshot = ring->snapshot;
	return &r->pub;
}

static int
packed_take (struct vh_ring *ring, struct vh_request **reqs, unsigned max)
{
	struct packed *p = packed_own (ring);
	struct snapshot *snapshot = ring->snapshot;
	unsigned outstanding = ring->outstanding, i;
	uint16_t at = ring->next_avail;

	max = max < ring->budget ? max : ring->budget;
	p->left = true;
	for (i = 0; i < max; i++) {
		uint64_t rest = packed_load_head (ring, at);
		struct request *r;

		if (!flags_available (packed_flags (rest), at)) {
			p->left = false;
			break;
		}
		if (unlikely (outstanding == ring->size))
			return ring_break (ring, -EPROTO, too_many);
		r = packed_request (ring, p, packed_desc (ring), ring->size, at & PLACE, rest, ring->size - outstanding);
		if (unlikely (!r))
			break;
		r->snapshot = snapshot;
		reqs[i] = &r->pub;
		at = position_forward (ring, at, p->origins[request_index (ring, r)].length);
		outstanding += p->origins[request_index (ring, r)].length;
	}
	if (unlikely (ring->broken))	/* then those before in this batch will not be served either */
		return ring->broken;
	if (p->left)
		p->left = packed_is_available (ring, at);
	ring->next_avail = ring->seen = at;
	ring->outstanding = outstanding;
	ring->budget -= i;
	snapshot->in_flight += i;
	return (int) i;
}

static void
packed_untake (struct vh_ring *ring, struct vh_request **reqs, unsigned n)
{
	unsigned length = 0;

	for (unsigned i = 0; i < n; i++)
		length += packed_release (packed_own (ring), request_index (ring, (struct request *) reqs[i]));
	ring->next_avail = position_back (ring, ring->next_avail, length);
	ring->outstanding -= length;
	packed_own (ring)->left = n > 0 || packed_own (ring)->left;
}

/* --- kicks --- */

/* With event indexes `kicks_suppressed` says that the driver waits for one position, which is behind it or will be: nothing needs to be stored then. */
void
packed_kicks_off (struct vh_ring *ring)
{
	if (ring->kicks_suppressed)
		return;
	ring->kicks_suppressed = true;
	packed_store_event (ring, 0, EVENT_DISABLE);
}

/* Behind all that is available. */
static uint16_t
packed_look_ahead (const struct vh_ring *ring)
{
	uint16_t at = ring->next_avail;

	for (unsigned n = ring->size - ring->outstanding; n > 0 && packed_is_available (ring, at); n--)
		at = position_forward (ring, at, 1);
	return at;
}

static void
packed_ask_for_kicks (struct vh_ring *ring)
{
	if (ring_has_feature (ring, VH_F_EVENT_IDX)) {
		packed_store_event (ring, ring->seen, EVENT_DESC);
		ring->kicks_suppressed = true;
	} else if (ring->kicks_suppressed) {
		packed_store_event (ring, 0, EVENT_ENABLE);
		ring->kicks_suppressed = false;
	}
}

/* What a device left is no news: `seen` is behind that.  When its turn was over it left nothing; it is asked again. */
static void
packed_see (struct vh_ring *ring)
{
	if (likely (!packed_own (ring)->left) || ring->budget == 0)
		return;
	ring->seen = packed_look_ahead (ring);
	packed_own (ring)->left = false;
}

static bool
packed_news (struct vh_ring *ring)
{
	if (ring->outstanding < ring->size && packed_is_available (ring, ring->seen))
		return packed_own (ring)->left = true;	/* if they stay there they are no news the next time */
	return ring->budget == 0 && ring->seen != ring->next_avail;
}

static bool
packed_has_news (struct vh_ring *ring)
{
	packed_see (ring);
	return packed_news (ring);
}

static bool
packed_kicks_on (struct vh_ring *ring)
{
	packed_see (ring);
	packed_ask_for_kicks (ring);
	/* Full: what we ask is stored before flags are loaded; the driver stores flags before it loads what we ask. */
	full_barrier ();
	return packed_news (ring);
}

static bool
packed_has_work (struct vh_ring *ring)
{
	return packed_is_available (ring, ring->next_avail);
}

const struct ring_layout packed_layout = {
	PACKED_COMMON,
	.recorded = &packed_recorded_layout,
	.start = packed_start,
	.take = packed_take,
	.untake = packed_untake,
	.publish = packed_publish,
	.kicks_on = packed_kicks_on,
	.has_news = packed_has_news,
	.has_work = packed_has_work,
};
