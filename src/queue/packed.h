/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside the packed layout: descriptors, positions, what a ring notes down of its requests, and what is lent to layouts that are made of this one.
 * packed.c takes and is kicked, packed-publish.c publishes.
 */
#ifndef QUEUE_PACKED_H
#define QUEUE_PACKED_H

#include "queue/desc.h"
#include "queue/layout.h"

#define DESC_F_AVAIL 0x80u	/* VIRTQ_DESC_F_AVAIL */
#define DESC_F_USED 0x8000u	/* VIRTQ_DESC_F_USED */

/* Of the event areas. */
#define EVENT_ENABLE 0u		/* RING_EVENT_FLAGS_ENABLE */
#define EVENT_DISABLE 1u	/* RING_EVENT_FLAGS_DISABLE */
#define EVENT_DESC 2u		/* RING_EVENT_FLAGS_DESC */
#define EVENT_FLAGS 3u		/* the bits that they are in */

/* A position: the place in bits 0-14, as is the wrap counter in bit 15; on the wire of SET_VRING_BASE it has this form too. */
#define WRAP 0x8000u
#define PLACE 0x7fffu

/* What a request was made of, by its index. */
struct origin {
	uint16_t id;
	uint16_t length;	/* descriptors of the ring */
};

struct packed {
	struct origin *origins;
	uint16_t *free;		/* indexes of requests: a stack of n_free */
	unsigned n_free;
	bool *busy;		/* by id: it was taken, and the driver was not told that it is used */
	bool left;		/* requests that were seen are in the ring: `seen` is to be found behind them */
};

static inline struct packed *
packed_own (const struct vh_ring *ring)
{
	return ring->own;
}

static inline struct desc *
packed_desc (const struct vh_ring *ring)
{
	return (struct desc *) ring->areas[AREA_DESC];
}

/* --- positions --- */

static inline uint16_t
position_forward (const struct vh_ring *ring, uint16_t p, unsigned n)
{
	unsigned place = (p & PLACE) + n;

	return place < ring->size ? (uint16_t) (p + n) : (uint16_t) ((place - ring->size) | ((p ^ WRAP) & WRAP));
}

/* How far it is from one position to another, which is at most the ring's size ahead of it; more than that when it is not. */
static inline unsigned
position_distance (unsigned size, uint16_t from, uint16_t to)
{
	return (unsigned) (to & PLACE) - (from & PLACE) + ((from ^ to) & WRAP ? size : 0);
}

static inline uint16_t
position_back (const struct vh_ring *ring, uint16_t p, unsigned n)
{
	unsigned place = p & PLACE;

	return place >= n ? (uint16_t) (p - n) : (uint16_t) ((place + ring->size - n) | ((p ^ WRAP) & WRAP));
}

/* The flags of a descriptor, among all of its second word. */
static inline uint32_t
packed_flags (uint64_t rest)
{
	return (uint32_t) (rest >> 48);
}

static inline unsigned
packed_id (uint64_t rest)
{
	return (unsigned) (rest >> 32) & 0xffff;
}

/* Is a descriptor available, with these flags at a position with that wrap counter?  Its bit AVAIL is the counter, and USED is not. */
static inline bool
flags_available (uint32_t flags, uint16_t position)
{
	return (flags & (DESC_F_AVAIL | DESC_F_USED)) == (position & WRAP ? DESC_F_AVAIL : DESC_F_USED);
}

/* Acquire: what is in the chain behind its head's flags is read after them; the driver has a write barrier before it stores them. */
static inline uint64_t
packed_load_head (const struct vh_ring *ring, uint16_t position)
{
	return le64toh (__atomic_load_n (&packed_desc (ring)[position & PLACE].rest, __ATOMIC_ACQUIRE));
}

static inline bool
packed_is_available (const struct vh_ring *ring, uint16_t position)
{
	return flags_available (packed_flags (packed_load_head (ring, position)), position);
}

/* A request is free again, and so is its id; returns how many descriptors it was made of. */
static inline unsigned
packed_release (struct packed *p, unsigned index)
{
	p->busy[p->origins[index].id] = false;
	p->free[p->n_free++] = (uint16_t) index;
	return p->origins[index].length;
}

/* --- packed-publish.c: the entry of struct ring_layout --- */

bool packed_publish (struct vh_ring *);

/* --- packed.c: likewise, and more --- */

size_t packed_area_size (unsigned area, unsigned ring_size);
size_t packed_own_bytes (unsigned ring_size);
int packed_check (const struct ring_setup *);
void packed_dirty_used (struct vh_ring *, uint16_t before);
void packed_dirty_kicks (struct vh_ring *);
void packed_kicks_off (struct vh_ring *);
uint32_t packed_base (const struct vh_ring *);

/* All but what requests that are taken again make a difference to. */
#define PACKED_COMMON                                                          \
	.align = { [AREA_DESC] = 16, [AREA_AVAIL] = 4, [AREA_USED] = 4 },      \
	.written = { [AREA_DESC] = true, [AREA_USED] = true },                 \
	.any_size = true, .first_base = PACKED_FIRST_BASE,                     \
	.area_size = packed_area_size, .own_bytes = packed_own_bytes,          \
	.check = packed_check, .kicks_off = packed_kicks_off,                  \
	.dirty_used = packed_dirty_used, .dirty_kicks = packed_dirty_kicks,    \
	.base = packed_base

/* Where both sides begin in a ring that is new: wrap counters are 1. */
#define PACKED_FIRST_BASE 0x80008000u

/*
 * The request of a chain that is a copy elsewhere: `length` descriptors.  In flight, but not counted as such, nor as outstanding.  NULL: the ring is broken;
 * or it is not, and the chain cannot be read now (see packed_walk).
 */
struct vh_request *packed_take_copy (struct vh_ring *, const struct desc *, unsigned length);

#endif
