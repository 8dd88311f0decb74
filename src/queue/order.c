/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Publication in the order of taking.
 */
#include <errno.h>
#include "queue/order.h"
#include "util/lines.h"

struct order {
	unsigned first, n;	/* of the line: requests that were taken and are not published, oldest first */
	struct done *given;	/* by index: what was given back and waits for others */
	bool *waits;		/* by index: it is one of those */
	uint16_t line[];	/* their indexes; `size` of them, around the end */
};

int
order_prepare (struct vh_ring *ring)
{
	struct order *o;

	if (!ring_has_feature (ring, VH_F_IN_ORDER))
		return 0;
	o = lines_alloc (sizeof (*o) + ring->size * sizeof (o->line[0]));
	if (!o)
		return -ENOMEM;
	ring->order = o;
	o->given = lines_alloc (ring->size * sizeof (o->given[0]));
	o->waits = lines_alloc (ring->size * sizeof (o->waits[0]));
	return o->given && o->waits ? 0 : -ENOMEM;
}

void
order_free (struct vh_ring *ring)
{
	if (!ring->order)
		return;
	free (ring->order->given);
	free (ring->order->waits);
	free (ring->order);
}

/* One that was given back and waits: its request looks free, but the driver was not told. */
static bool
any_waits (const struct vh_ring *ring, struct vh_request **reqs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (ring->order->waits[request_index (ring, (struct request *) reqs[i])])
			return true;
	return false;
}

int
order_take (struct vh_ring *ring, struct vh_request **reqs, unsigned n)
{
	struct order *o = ring->order;

	if (any_waits (ring, reqs, n)) {
		ring_untake (ring, reqs, n);
		return ring_break (ring, -EPROTO, "a head was made available twice");
	}
	for (unsigned i = 0; i < n; i++, o->n++)
		o->line[(o->first + o->n) % ring->size] = (uint16_t) request_index (ring, (struct request *) reqs[i]);
	return (int) n;
}

void
order_arrange (struct vh_ring *ring)
{
	struct order *o = ring->order;

	for (unsigned i = 0; i < ring->n_done; i++) {
		unsigned index = le32toh (ring->done[i].id);

		o->given[index] = ring->done[i];
		o->waits[index] = true;
	}
	ring->n_done = 0;
	while (o->n > 0 && o->waits[o->line[o->first]]) {
		unsigned index = o->line[o->first];

		ring->done[ring->n_done++] = o->given[index];
		o->waits[index] = false;
		o->first = o->first + 1 == ring->size ? 0 : o->first + 1;
		o->n--;
	}
}

/* Was all written that the driver's buffers have room for?  Of a chain that leads outside memory that is not known any more. */
static bool
is_complete (const struct vh_ring *ring, const struct done *d)
{
	const struct vh_request *r = &ring->requests[le32toh (d->id)].pub;

	return !r->error && le32toh (d->written) == r->in_bytes;
}

unsigned
order_row (const struct vh_ring *ring, unsigned first)
{
	unsigned i = first;

	while (i + 1 < ring->n_done && is_complete (ring, &ring->done[i]))
		i++;
	return i + 1 - first;
}
