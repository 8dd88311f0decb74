/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls to the driver, and to the ring's owner.
 */
#include "queue/layout.h"
#include "queue/notify.h"
#include "util/fd.h"

void
notify_call (struct vh_ring *ring)
{
	/* What fails here is the peer's fd: it polls, or it waits for ever. */
	if (ring->call >= 0 && (unlikely (ring->call_is_stream) ? fd_notify_stream (ring->call) : fd_notify (ring->call)) == 0)
		ring->counters.calls++;
	if (ring->call < 0 && ring->setup.call)
		ring->setup.call (ring->setup.opaque);
}

void
notify_idle (struct vh_ring *ring)
{
	bool old = ring_old_tables (ring), released = ring->holds_old && !old;

	ring->holds_old = old;
	ring->watched = old || ring->stopping;
	if (ring->setup.idle && (released || vh_ring_in_flight (ring) == 0))
		ring->setup.idle (ring->setup.opaque);
}
