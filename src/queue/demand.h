/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parts in regions that are mapped on demand.  While requests are taken their ranges are only collected; then those of several are mapped by one map_ranges,
 * or copied where the model finds that better (see map.h).  A request that holds mapped memory is published after its lease has ended, and its lease ends
 * when all that share it were given back; one that has only copies is published like any other.
 *
 *	take -> ranges -> map_ranges -> lease ... give, give, give -> map_write_back, unmap_lease -> done[] -> flush
 *	                                         give -> done[] -> flush: map_write_back
 */
#ifndef QUEUE_DEMAND_H
#define QUEUE_DEMAND_H

#include "queue/layout.h"

/* Makes what is needed, once per ring.  0 or -ENOMEM. */
int demand_prepare (struct vh_ring *);

/* NULL is fine for ring->demand, here, in demand_flush and in demand_rest. */
void demand_free (struct vh_ring *);

/* vh_ring_take for memory that has regions on demand. */
int demand_take (struct vh_ring *, struct vh_request **reqs, unsigned max);

/* vh_ring_give, for a request of any memory: enters it into done[], or lets it wait for the others of its batch. */
void demand_give (struct vh_ring *, unsigned head, uint32_t written);

/* Before done[] is published, and before memory goes: gives the guest what the device wrote to copies. */
void demand_flush (struct vh_ring *);

/* Ends what n requests that are put back have mapped. */
void demand_untake (struct vh_ring *, struct vh_request **reqs, unsigned n);

/* For the walk of a chain: part number `part` of the request is to be mapped. */
void demand_want (struct vh_ring *, struct request *, unsigned part, struct region *, uint64_t addr, uint32_t size, bool write);

/* Nothing of this request, the last one of the batch so far, is to be mapped. */
void demand_forget (struct vh_ring *, const struct request *);

/* The guest address of a part that is on demand, given where it is now; false: there is none, or the guest granted it, which no dirty log knows of. */
bool demand_addr (const struct vh_ring *, unsigned index, const void *host, uint64_t *addr);

/* Too much is mapped now for this request, the last one of the batch so far: it stays in the ring until there is room. */
void demand_starve (struct vh_ring *, const struct request *);

/* Are requests waiting in the ring for room?  Then setup.wake will be called when it is worth trying again. */
bool demand_is_starved (const struct vh_ring *);

/* Nothing will be taken any more: no more waking. */
void demand_rest (struct vh_ring *);

#endif
