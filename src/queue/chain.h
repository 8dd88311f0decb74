/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From descriptors to parts: what a layout's own loop leaves to others, because it is rare.  These functions read and set ring->left, credit and slot; an
 * end of the parts that they return is where the next one goes, which may be in the arena now.
 */
#ifndef QUEUE_CHAIN_H
#define QUEUE_CHAIN_H

#include "queue/desc.h"
#include "queue/layout.h"

/* Are the `len` bytes from `offset` (which may have wrapped) all in the slot?  An empty range is not: its last byte is before its first. */
static inline bool
slot_holds (const struct slot *slot, uint64_t offset, uint32_t len)
{
	uint64_t last = offset + len - 1;

	return last >= offset && last < slot->size;
}

/*
 * Appends the parts of a descriptor that is not one part in mapped memory: nothing when it is empty, several when it lies in adjacent regions.  When some of
 * it is outside memory, the request's error is set, and the parts are worth nothing.  Returns the end of the parts; NULL when they are too many: the ring
 * is broken then; or when a translation is missing: the request's error is -EAGAIN.
 */
struct iovec *chain_add (struct vh_ring *, struct request *, struct iovec *part, uint64_t addr, uint32_t len, bool write);

/* Lets a chain go on whose `left` is used up.  Returns the end of the parts; NULL when it is too long: the ring is broken then. */
struct iovec *chain_extend (struct vh_ring *, struct request *, struct iovec *part);

/*
 * Makes a request of which some part is outside memory, given its last descriptor: no parts, but for that one when it can be written.  False: the ring is
 * broken.
 */
bool chain_fault (struct vh_ring *, struct request *, uint64_t addr, uint32_t len, bool write);

/* chain_enter for tables that are longer than a chain may be, or elsewhere than the last descriptor, or behind other parts, or wrong. */
const struct desc *chain_enter_slow (struct vh_ring *, struct request *, struct iovec *part, uint64_t addr, uint64_t rest, bool nested);

/*
 * Enters the indirect table of a descriptor, which has desc_len (rest) / sizeof (struct desc) entries then; sets ring->left and credit.  There is room for
 * one part more at `part`.  slot: where the last descriptor was; nested: this one is in such a table itself.  NULL: the ring is broken; or the request's
 * error is set, -EFAULT: it has no parts, or -EAGAIN: it cannot be read now.
 */
static inline const struct desc *
chain_enter (struct vh_ring *ring, struct request *r, struct iovec *part, const struct slot *slot, uint64_t addr, uint64_t rest, bool nested)
{
	uint32_t len = desc_len (rest), n = len / sizeof (struct desc);
	uint64_t offset = addr - slot->addr;
	uintptr_t host = (uintptr_t) slot->host + (uintptr_t) offset;

	if (unlikely (len > ring->max_table || !slot_holds (slot, offset, len) || nested || desc_flags_next (rest) & DESC_F_NEXT || part != r->parts ||
		      (len | host << 1) % sizeof (struct desc)))
		return chain_enter_slow (ring, r, part, addr, rest, nested);
	ring->left = n < ring->inline_parts ? n : ring->inline_parts;
	ring->credit = n - ring->left;
	return (const struct desc *) host;
}

#endif
