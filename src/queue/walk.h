/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk of one chain, as far as it is the same in all layouts: a descriptor becomes a part of the request.
 *
 * The request path's time is spent here.  What a walk goes by is in locals (a struct walk never leaves the registers, since all of this is inlined), each
 * descriptor is one part in the region where the last one was, and `left` counts descriptors and room for parts at once; all else is left to chain.c.
 */
#ifndef QUEUE_WALK_H
#define QUEUE_WALK_H

#include <errno.h>

#include "queue/chain.h"

struct walk {
	const struct slot *slot;	/* where the last descriptor was found */
	struct iovec *part;		/* where the next part goes */
	unsigned left;			/* as ring->left; that one is right only while chain.c has its turn */
	uint32_t state;			/* DESC_F_WRITE once there was one; the layout may keep other bits here that no descriptor has */
	uint64_t bytes;			/* of one direction */
	uint64_t addr;			/* the last descriptor's */
	uint32_t len;
};

#define walk_inline static inline __attribute__ ((always_inline))

__attribute__ ((noinline, cold, unused)) static bool
walk_bad (struct vh_ring *ring, const char *why)
{
	ring_break (ring, -EPROTO, why);
	return false;
}

walk_inline void
walk_begin (struct vh_ring *ring, struct request *r, struct walk *w)
{
	*w = (struct walk){ .slot = ring->slot, .part = r->parts, .left = ring->first_left };
	r->pub.error = 0;
	r->pub.out = r->parts;
	ring->credit = ring->first_credit;
}

/* What the device reads ends here.  Sums have 32 bits, as `written` has; false when it is more. */
walk_inline bool
walk_end_out (struct request *r, const struct walk *w)
{
	r->pub.n_out = (unsigned) (w->part - r->pub.out);
	r->pub.out_bytes = (size_t) w->bytes;
	return likely (w->bytes <= UINT32_MAX);
}

/* And what it writes. */
walk_inline bool
walk_end_in (struct request *r, const struct walk *w, uint64_t bytes)
{
	r->pub.in = r->pub.out + r->pub.n_out;
	r->pub.n_in = (unsigned) (w->part - r->pub.in);
	r->pub.in_bytes = (size_t) bytes;
	return likely (bytes <= UINT32_MAX);
}

/* From what the device reads to what it writes, or the other way, which may not be. */
walk_inline bool
walk_turn (struct vh_ring *ring, struct request *r, struct walk *w)
{
	if (w->state & DESC_F_WRITE)
		return walk_bad (ring, "a descriptor for reading behind one for writing");
	w->state |= DESC_F_WRITE;
	if (!walk_end_out (r, w))
		return walk_bad (ring, "a chain has too many bytes");
	w->bytes = 0;
	return true;
}

/* The descriptor at hand as one part in a slot.  False: it is not all there. */
walk_inline bool
walk_add_in (struct walk *w, const struct slot *slot)
{
	uint64_t offset = w->addr - slot->addr, last = offset + w->len - 1;	/* slot_holds, by hand: one instruction less for each descriptor */

	if (unlikely (last < offset || last >= slot->size))
		return false;
	w->part->iov_base = slot->host + offset;
	w->part->iov_len = w->len;
	w->part++;
	return true;
}

/* The same in any slot but the last one: headers and status bytes are often in one region and data in others, so the one before that comes first. */
walk_inline bool
walk_add_elsewhere (struct vh_ring *ring, struct walk *w)
{
	const struct slot *slot = ring->other_slot;

	if (!walk_add_in (w, slot)) {
		slot = memory_find (ring->snapshot->memory, w->addr);
		if (unlikely (!slot || !slot->host || !walk_add_in (w, slot)))
			return false;
	}
	ring->other_slot = w->slot;
	ring->slot = w->slot = slot;
	return true;
}

/* Adds the descriptor at hand, w->addr and w->len.  False: the ring is broken. */
walk_inline bool
walk_add (struct vh_ring *ring, struct request *r, struct walk *w)
{
	w->bytes += w->len;
	if (likely (walk_add_in (w, w->slot)) || walk_add_elsewhere (ring, w))
		return true;
	ring->left = w->left;
	w->part = chain_add (ring, r, w->part, w->addr, w->len, w->state & DESC_F_WRITE);
	w->left = ring->left;
	w->slot = ring->slot;
	return w->part != NULL;
}

/* Before each descriptor but the first.  False: the chain is too long, and the ring is broken. */
walk_inline bool
walk_next (struct vh_ring *ring, struct request *r, struct walk *w)
{
	if (likely (--w->left > 0))
		return true;
	w->part = chain_extend (ring, r, w->part);
	w->left = ring->left;
	return w->part != NULL;
}

/* Enters the indirect table of the descriptor at hand; `rest` as in split rings.  NULL: return what walk_table_failed does. */
walk_inline const struct desc *
walk_enter (struct vh_ring *ring, struct request *r, struct walk *w, uint64_t rest, bool nested)
{
	const struct desc *table = chain_enter (ring, r, w->part, w->slot, w->addr, rest, nested);

	w->left = ring->left;
	return table;
}

walk_inline bool
walk_table_failed (struct vh_ring *ring, struct request *r)
{
	return r->pub.error == -EFAULT && chain_fault (ring, r, 0, 0, false);
}

/* After the last descriptor.  False: the ring is broken. */
walk_inline bool
walk_end (struct vh_ring *ring, struct request *r, struct walk *w)
{
	bool write = w->state & DESC_F_WRITE;

	if (unlikely (r->pub.error))
		return chain_fault (ring, r, w->addr, w->len, write);
	if (write ? !walk_end_in (r, w, w->bytes) : !walk_end_out (r, w) || !walk_end_in (r, w, 0))
		return walk_bad (ring, "a chain has too many bytes");
	return true;
}

#endif
