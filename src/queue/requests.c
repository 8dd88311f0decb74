/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests of a ring, whatever its layout: taken, put back, given and published.  What costs more than usual is out of line.
 */
#include <errno.h>

#include "queue/crash.h"
#include "queue/demand.h"
#include "queue/layout.h"
#include "queue/notify.h"
#include "queue/order.h"

void
ring_untake (struct vh_ring *ring, struct vh_request **reqs, unsigned n)
{
	if (unlikely (ring->demand))
		demand_untake (ring, reqs, n);
	for (unsigned i = 0; i < n; i++)
		((struct request *) reqs[i])->snapshot = NULL;
	ring->snapshot->in_flight -= n;
	ring->budget += n;
	ring->layout->untake (ring, reqs, n);
}

/* What was read may have been the zeroes in place of lost memory: then nobody gets to see it. */
static int
take_in_lost_memory (struct vh_ring *ring, struct vh_request **reqs, unsigned n)
{
	int err = ring_check_memory (ring);

	if (err == 0)
		return (int) n;
	ring_untake (ring, reqs, n);
	return err;
}

/* Takes from memory on demand, or for a dirty log; out of the way of the others, like the functions below. */
__attribute__ ((noinline)) static int
take_aside (struct vh_ring *ring, struct vh_request **reqs, unsigned max)
{
	int n = ring->snapshot->on_demand ? demand_take (ring, reqs, max) : ring->layout->take (ring, reqs, max);

	if (ring->dirty && n > 0)
		dirty_take (ring, reqs, (unsigned) n);
	return n;
}

int
vh_ring_take (struct vh_ring *ring, struct vh_request **reqs, unsigned max)
{
	int n;

	if (unlikely (ring->held))
		return ring->broken;
	if (unlikely (ring->aside))
		n = take_aside (ring, reqs, max);
	else
		n = ring->layout->take (ring, reqs, max);
	if (unlikely (guard_count () != ring->guard_seen) && n >= 0)
		n = take_in_lost_memory (ring, reqs, (unsigned) n);
	if (unlikely (ring->order) && n > 0)
		return order_take (ring, reqs, (unsigned) n);
	return n;
}

void
vh_ring_untake (struct vh_ring *ring, struct vh_request **reqs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (unlikely (((struct request *) reqs[i])->snapshot != ring->snapshot)) {
			ring_break (ring, -EINVAL, "the device put back what it had not taken");
			return;
		}
	ring_untake (ring, reqs, n);
}

/* Gives back a request of a snapshot that is on demand or old. */
__attribute__ ((noinline)) static void
give_special (struct vh_ring *ring, struct snapshot *s, unsigned head, uint32_t written)
{
	if (ring->demand)
		demand_give (ring, head, written);
	else
		ring_done (ring, head, written);
	if (s != ring->snapshot && s->in_flight == 0)
		snapshot_drop (ring, s);
}

void
vh_ring_give (struct vh_ring *ring, struct vh_request *req, uint32_t written)
{
	struct request *r = (struct request *) req;
	struct snapshot *s = r->snapshot;

	if (unlikely (!s)) {
		ring_break (ring, -EINVAL, "the device gave a request back twice");
		return;
	}
	if (unlikely (written > req->in_bytes))
		written = (uint32_t) req->in_bytes;
	r->snapshot = NULL;
	s->in_flight--;
	if (unlikely (s->special))
		give_special (ring, s, request_index (ring, r), written);
	else
		ring_done (ring, request_index (ring, r), written);
}

/* What comes before a publication: what was written reaches the guest, and then the dirty log. */
__attribute__ ((noinline)) static void
flush_aside (struct vh_ring *ring)
{
	demand_flush (ring);
	if (ring->dirty)
		dirty_requests (ring);
}

__attribute__ ((noinline)) static bool
publish_logged (struct vh_ring *ring)
{
	uint16_t before = ring->next_used;
	bool call = ring->layout->publish (ring);

	ring->layout->dirty_used (ring, before);
	dirty_signal (ring);
	return call;
}

/* A ring that is broken publishes nothing: its areas may be gone, and the driver has to begin anew. */
static void
flush_done (struct vh_ring *ring)
{
	bool call;

	if (unlikely (ring->aside))
		flush_aside (ring);
	if (unlikely (guard_count () != ring->guard_seen))
		ring_check_memory (ring);
	if (unlikely (ring->order))
		order_arrange (ring);
	if (likely (!ring->broken && ring->n_done > 0)) {
		call = unlikely (ring->dirty) ? publish_logged (ring) : ring->layout->publish (ring);
		ring->counters.requests += ring->n_done;
		ring->counters.batches++;
		if (call)
			notify_call (ring);
		crash_point (CRASH_CALLED);
	}
	ring->n_done = 0;
}

void
vh_ring_flush (struct vh_ring *ring)
{
	if (ring->n_done > 0)
		flush_done (ring);
	if (unlikely (ring->watched))
		notify_idle (ring);
}
