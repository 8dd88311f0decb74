/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Positions of a packed ring, and what the packed layout lends to layouts that are made of it.
 *
 * A position is a place in the ring, in bits 0-14, and the wrap counter in bit 15; on the wire of SET_VRING_BASE it has this form too.
 */
#ifndef QUEUE_PACKED_H
#define QUEUE_PACKED_H

#include "queue/desc.h"
#include "queue/layout.h"

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

static inline uint16_t
position_forward (const struct vh_ring *ring, uint16_t p, unsigned n)
{
	unsigned place = (p & PLACE) + n;

	return place < ring->size ? (uint16_t) (p + n) : (uint16_t) ((place - ring->size) | ((p ^ WRAP) & WRAP));
}

size_t packed_area_size (unsigned area, unsigned ring_size);
size_t packed_own_bytes (unsigned ring_size);
int packed_check (const struct ring_setup *);
void packed_kicks_off (struct vh_ring *);
uint32_t packed_base (const struct vh_ring *);

/* All but what requests that are taken again make a difference to. */
#define PACKED_COMMON                                                          \
	.align = { [AREA_DESC] = 16, [AREA_AVAIL] = 4, [AREA_USED] = 4 },      \
	.written = { [AREA_DESC] = true, [AREA_USED] = true },                 \
	.any_size = true, .first_base = PACKED_FIRST_BASE,                     \
	.area_size = packed_area_size, .own_bytes = packed_own_bytes,          \
	.check = packed_check, .kicks_off = packed_kicks_off,                  \
	.base = packed_base

/* Where both sides begin in a ring that is new: wrap counters are 1. */
#define PACKED_FIRST_BASE 0x80008000u

/* Is the descriptor at a position available, with its wrap counter? */
bool packed_is_available (const struct vh_ring *, uint16_t position);

/*
 * The request of a chain that is a copy elsewhere: `length` descriptors.  In flight, but not counted as such, nor as outstanding.  NULL: the ring is broken;
 * or it is not, and the chain cannot be read now (see packed_walk).
 */
struct vh_request *packed_take_copy (struct vh_ring *, const struct desc *, unsigned length);

/* The request, and its id, are free again; returns how many descriptors it was made of. */
unsigned packed_release (struct packed *, unsigned index);

#endif
