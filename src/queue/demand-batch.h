/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside demand: batches, the requests that have a lease in common.
 *
 * A batch of which something is mapped ends with the last of its requests, and they are published together: a guest takes its memory back when it sees a
 * request used.  A batch of copies holds nothing of the guest's, so each of its requests is published when it was given back and its copies were; those of a
 * whole publication by one call, whatever batches they are of.
 */
#ifndef QUEUE_DEMAND_BATCH_H
#define QUEUE_DEMAND_BATCH_H

#include "queue/demand.h"

#define NOBODY UINT32_MAX

/* Whose part a range is. */
struct owner {
	uint16_t head;
	uint16_t part;
};

/* Requests that were given back, by their heads, in their order; linked by given.next. */
struct line {
	uint32_t first, last;
};

/* Requests with one lease. */
struct batch {
	struct lease *lease;
	struct range *ranges;
	unsigned live;		/* requests that hold it */
	bool copies;		/* no range is mapped: nobody waits for anybody */
	struct line line;	/* those that wait for the others */
	struct batch *next;	/* free batches */
};

/* What a request has of its batch. */
struct share {
	struct batch *batch;	/* NULL: nothing */
	unsigned first, n;	/* its ranges there */
};

/* A request that was given back, and of which the guest may not know yet. */
struct given {
	uint32_t written;
	uint32_t next;
	bool waits;
};

struct demand {
	struct range *ranges;		/* of the batch that is being taken, in the order of its requests; or a place to collect others */
	struct owner *owners;		/* of the ranges */
	unsigned n_ranges, max_ranges;
	unsigned max_batch;
	struct batch *batches, *free_batch;
	unsigned leases;
	struct share *shares;		/* by head */
	struct given *given;		/* by head */
	struct line line;		/* those in done[] whose copies are not written back */
	struct vh_timer *retry;		/* NULL when the ring has no loop */
	bool starved;
	void *pool;			/* all arrays are in here */
	size_t pool_size;
};

static const struct line line_empty = { NOBODY, NOBODY };

/* demand.c: a lease has ended, so there may be room. */
void demand_retry (void *ring);

/* Maps the n > 0 ranges from `first` on, and makes the requests that have them a batch.  As map_ranges. */
int batch_new (struct vh_ring *, unsigned first, unsigned n);

#endif
