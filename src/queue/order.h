/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VIRTIO_F_IN_ORDER: requests are published in the order in which they were taken, whatever the order in which the device gives them back.
 *
 *	take -> line ... give -> done[] -> flush: order_arrange -> done[] in order, and complete from the front -> publish
 *
 * A layout then publishes a row of them by one used element, that of the last (order_row).
 */
#ifndef QUEUE_ORDER_H
#define QUEUE_ORDER_H

#include "queue/layout.h"

/* Makes ring->order when the feature is in force.  0 or -ENOMEM. */
int order_prepare (struct vh_ring *);

/* NULL is fine for ring->order, here only. */
void order_free (struct vh_ring *);

/* n requests were taken, and the device is to get them.  n; negative, and the ring is broken, when one of them is waiting for others before it. */
int order_take (struct vh_ring *, struct vh_request **reqs, unsigned n);

/* Replaces done[] by what can be published now, which may be nothing. */
void order_arrange (struct vh_ring *);

/*
 * How many of done[], from `first` on, one used element stands for: all of these but the last were written to their end, since nothing says how much of them
 * was written.
 */
unsigned order_row (const struct vh_ring *, unsigned first);

#endif
