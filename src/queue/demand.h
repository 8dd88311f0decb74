/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parts in regions that are mapped on demand.  While a batch of requests is taken its ranges are only collected; then one map_ranges maps them all.  The
 * lease is the batch's: it ends when the last of its requests was given back, and only then are they published, because a guest takes its memory back when
 * it sees a request used.
 *
 *	take -> ranges of a batch -> map_ranges -> lease ... give, give, give -> unmap_lease -> done[] -> flush
 */
#ifndef QUEUE_DEMAND_H
#define QUEUE_DEMAND_H

#include "queue/layout.h"

/* Makes what is needed, once per ring.  0 or -ENOMEM. */
int demand_prepare (struct vh_ring *);

/* NULL is fine for ring->demand, here and in demand_rest. */
void demand_free (struct vh_ring *);

/* vh_ring_take for memory that has regions on demand. */
int demand_take (struct vh_ring *, struct vh_request **reqs, unsigned max);

/* vh_ring_give, for a request of any memory: enters it into done[], or lets it wait for the others of its batch. */
void demand_give (struct vh_ring *, unsigned head, uint32_t written);

/* Ends what n requests that are put back have mapped. */
void demand_untake (struct vh_ring *, struct vh_request **reqs, unsigned n);

/* For the walk of a chain: part number `part` of the request is to be mapped. */
void demand_want (struct vh_ring *, struct request *, unsigned part, struct region *, uint64_t addr, uint32_t size, bool write);

/* Nothing of this request, the last one of the batch so far, is to be mapped. */
void demand_forget (struct vh_ring *, const struct request *);

/* Too much is mapped now for this request, the last one of the batch so far: it stays in the ring until there is room. */
void demand_starve (struct vh_ring *, const struct request *);

/* Are requests waiting in the ring for room?  Then setup.wake will be called when it is worth trying again. */
bool demand_is_starved (const struct vh_ring *);

/* Nothing will be taken any more: no more waking. */
void demand_rest (struct vh_ring *);

#endif
