/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a ring layout provides to a queue, and what the queue has for it.  There is one for the split ring.
 */
#ifndef TOOLS_QUEUE_LAYOUT_H
#define TOOLS_QUEUE_LAYOUT_H

#include "queue.h"

struct queue_layout {
	size_t (*ring_bytes) (unsigned size);	/* of the largest part of the ring */
	int (*open) (struct queue *);		/* makes q->ring, in q->guest */
	void (*close) (struct queue *);
	void (*addresses) (const struct queue *, struct vh_vring_addr *);
	bool (*position) (const struct queue *, uint32_t *);
	int (*add) (struct queue *, const struct queue_buffer *, unsigned n_out, unsigned n_in, void *token);
	bool (*publish) (struct queue *);	/* does the device want a kick? */
	int (*reap) (struct queue *, struct queue_done *, unsigned max);
	bool (*arm) (struct queue *);		/* asks for a notification; true: there is something already */
	void (*disarm) (struct queue *);	/* asks for none */
};

extern const struct queue_layout queue_split;

/* The ring of a layout. */
struct queue_ring;

struct queue {
	const struct queue_layout *layout;
	struct queue_options options;
	struct guest *guest;
	struct queue_ring *ring;
	int kick_fd, call_fd, err_fd;
	struct queue_counters counters;
};

/* Is a virtio feature in force? */
static inline bool
queue_has (const struct queue *q, unsigned feature)
{
	return q->options.features & VH_BIT (feature);
}

#endif
