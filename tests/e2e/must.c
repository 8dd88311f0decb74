/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Steps of a driver that must work.
 */
#include "tests/e2e/must.h"

void
must_connect (struct driver *d, const char *socket, int patience_ms)
{
	struct driver_connection connection = { .connect_ms = patience_ms, .timeout_ms = patience_ms, .protocol_features = UINT64_MAX };

	if (driver_open (d, socket, &connection) < 0)
		die ("%s: %s", socket, d->failed);
}

void
must_start (struct driver *d, const struct driver_options *options)
{
	if (driver_start (d, options) < 0)
		die ("cannot start: %s", d->failed);
}

void
must_stop (struct driver *d)
{
	if (driver_stop (d) < 0)
		die ("cannot stop: %s", d->failed);
	driver_close (d);
}

uint64_t
must_alloc (struct driver *d, size_t size, size_t align)
{
	uint64_t addr;

	if (guest_alloc (&d->guest, size, align, true, &addr) < 0)
		die ("no guest memory");
	return addr;
}

void
must_give (struct driver *d, unsigned ring, uint64_t addr, uint32_t size)
{
	struct queue *q = d->queues[ring];

	if (queue_add (q, &(struct queue_buffer){ addr, size }, 0, 1, guest_at (&d->guest, addr)) < 0 || queue_publish (q) < 0)
		die ("no room in ring %u", ring);
}

bool
must_reap (struct driver *d, unsigned ring, struct queue_done *done, int patience_ms)
{
	struct queue *q = d->queues[ring];
	int n;

	while ((n = queue_reap (q, done, 1)) == 0)
		if (queues_wait (&q, 1, patience_ms) <= 0)
			return false;
	if (n < 0)
		die ("ring %u is broken", ring);
	return true;
}
