/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptors that are not one part in the region where the last one was; indirect tables; chains that lead outside memory.
 */
#include <errno.h>
#include <string.h>

#include "queue/chain.h"
#include "queue/demand.h"

/* --- parts --- */

/* How many more parts there is room for where they are. */
static unsigned
chain_room (const struct vh_ring *ring, const struct request *r, const struct iovec *part)
{
	return (r->pub.out == r->parts ? ring->inline_parts : ring->max_chain) - (unsigned) (part - r->pub.out);
}

/* Divides `allowed` descriptors into those that there is room for now, and the others. */
static void
chain_divide (struct vh_ring *ring, unsigned allowed, unsigned room)
{
	ring->left = allowed < room ? allowed : room;
	ring->credit = allowed - ring->left;
}

/* Makes room for one more part, if need be by moving all from the request to its piece of the arena.  NULL: there are too many. */
static struct iovec *
chain_grow (struct vh_ring *ring, struct request *r, struct iovec *part)
{
	unsigned n = (unsigned) (part - r->pub.out);

	if (chain_room (ring, r, part) > 0)
		return part;
	if (n >= ring->max_chain) {
		ring_break (ring, -EPROTO, "a chain has too many parts");
		return NULL;
	}
	r->pub.out = memcpy (ring->arena + (size_t) request_index (ring, r) * ring->max_chain, r->parts, n * sizeof (*part));
	return r->pub.out + n;
}

struct iovec *
chain_extend (struct vh_ring *ring, struct request *r, struct iovec *part)
{
	if (ring->credit == 0) {
		ring_break (ring, -EPROTO, "a chain is too long");
		return NULL;
	}
	part = chain_grow (ring, r, part);
	if (part)
		chain_divide (ring, ring->credit, chain_room (ring, r, part));
	return part;
}

/* A part inside one slot. */
static void
chain_set_part (struct vh_ring *ring, struct request *r, struct iovec *part, const struct slot *slot, uint64_t addr, bool write)
{
	if (slot->host) {
		part->iov_base = slot->host + (addr - slot->addr);
		ring->slot = slot;
	} else if (ring->snapshot->memory->iova) {
		unsigned char *host = memory_host (ring->snapshot->memory, slot, write);

		part->iov_base = host ? host + (addr - slot->addr) : NULL;
		if (!host)
			r->pub.error = -EFAULT;
	} else {
		part->iov_base = NULL;
		demand_want (ring, r, (unsigned) (part - r->pub.out), slot->region, addr, (uint32_t) part->iov_len, write);
	}
}

/* Appends the parts of [addr, addr + len).  NULL: they are too many, and the ring is broken; or the request's error is -EAGAIN. */
static struct iovec *
chain_split (struct vh_ring *ring, struct request *r, struct iovec *part, uint64_t addr, uint32_t len, bool write)
{
	while (len > 0) {
		const struct slot *slot = memory_find (ring->snapshot->memory, addr);
		uint64_t left;

		if (!slot) {
			if (r->pub.error == 0)	/* else nobody needs the others */
				r->pub.error = ring_miss (ring, addr, write);
			return r->pub.error == -EFAULT ? part : NULL;
		}
		part = chain_grow (ring, r, part);
		if (!part)
			return NULL;
		left = slot->size - (addr - slot->addr);
		part->iov_len = len < left ? len : (size_t) left;
		chain_set_part (ring, r, part, slot, addr, write);
		addr += part->iov_len;
		len -= (uint32_t) part->iov_len;
		part++;
	}
	return part;
}

struct iovec *
chain_add (struct vh_ring *ring, struct request *r, struct iovec *part, uint64_t addr, uint32_t len, bool write)
{
	unsigned allowed = ring->left + ring->credit;

	part = chain_split (ring, r, part, addr, len, write);
	/* One of those that are left is this descriptor, which has its parts already. */
	if (part)
		chain_divide (ring, allowed, chain_room (ring, r, part) + 1);
	return part;
}

/* --- indirect tables --- */

static const char *
table_complaint (const struct vh_ring *ring, uint64_t rest, bool nested)
{
	uint32_t len = desc_len (rest);

	if (!ring_has_feature (ring, VH_F_INDIRECT_DESC))
		return "an indirect descriptor, which was not negotiated";
	if (nested)
		return "an indirect table in an indirect table";
	if (desc_flags_next (rest) & DESC_F_NEXT)
		return "an indirect descriptor with a next one";
	if (len == 0 || len % sizeof (struct desc) || len > MAX_TABLE_BYTES)
		return "an indirect table of an impossible size";
	return NULL;
}

/* The table where it is, when it is there in one piece and words can be read from it; else NULL. */
static const struct desc *
table_in_place (const struct vh_memory *m, uint64_t addr, uint32_t len)
{
	const struct slot *slot = memory_find (m, addr);
	unsigned char *host = slot ? memory_host (m, slot, false) : NULL;

	if (!host || len > slot->size - (addr - slot->addr))
		return NULL;
	host += addr - slot->addr;
	return (uintptr_t) host % sizeof (uint64_t) == 0 ? (const struct desc *) host : NULL;
}

/*
 * Reads a table that is not in one piece, or is mapped on demand, into the ring's own memory.  One that is longer than a chain may be is refused here:
 * nobody has such tables, and a driver could have much copied for nothing.  NULL as chain_enter.
 */
static const struct desc *
table_copy (struct vh_ring *ring, struct request *r, uint64_t addr, uint32_t len)
{
	uint64_t missing;
	int err;

	if (len > ring->max_chain * sizeof (struct desc)) {
		ring_break (ring, -EPROTO, "an indirect table in pieces is longer than a chain may be");
		return NULL;
	}
	if (ring->snapshot->memory->iova && memory_misses (ring->snapshot->memory, addr, len, &missing)) {
		r->pub.error = ring_miss (ring, missing, false);
		return NULL;
	}
	err = vh_memory_read (ring->snapshot->memory, addr, ring->bounce, len);
	if (err == 0)
		return ring->bounce;
	if (err == -EFAULT || err == -EAGAIN)
		r->pub.error = err;
	else
		ring_break (ring, err, "an indirect table cannot be mapped");
	if (err == -EAGAIN)
		demand_starve (ring, r);
	return NULL;
}

const struct desc *
chain_enter_slow (struct vh_ring *ring, struct request *r, struct iovec *part, uint64_t addr, uint64_t rest, bool nested)
{
	const char *complaint = table_complaint (ring, rest, nested);
	uint32_t len = desc_len (rest), n = len / sizeof (struct desc);
	const struct desc *table;

	if (complaint) {
		ring_break (ring, -EPROTO, complaint);
		return NULL;
	}
	/* The ring's size is no limit here, the table's is. */
	chain_divide (ring, n < ring->max_chain ? n : ring->max_chain, chain_room (ring, r, part));
	table = table_in_place (ring->snapshot->memory, addr, len);
	return table ? table : table_copy (ring, r, addr, len);
}

/* --- chains that lead outside --- */

bool
chain_fault (struct vh_ring *ring, struct request *r, uint64_t addr, uint32_t len, bool write)
{
	struct iovec *end = r->pub.out = r->parts;

	if (ring->demand)
		demand_forget (ring, r);
	r->pub.error = 0;
	if (write)
		end = chain_split (ring, r, end, addr, len, true);
	if (!end)
		return false;
	if (r->pub.error) {	/* it is the one that is outside */
		if (ring->demand)
			demand_forget (ring, r);
		end = r->pub.out;
	}
	r->pub.error = -EFAULT;
	r->pub.in = r->pub.out;
	r->pub.n_out = 0;
	r->pub.n_in = (unsigned) (end - r->pub.out);
	r->pub.out_bytes = 0;
	r->pub.in_bytes = end > r->pub.out ? len : 0;
	ring->n_denied = 0;	/* the guest may map it for another one */
	return true;
}
