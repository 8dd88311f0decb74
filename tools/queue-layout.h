/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a ring layout provides to a queue, and what the queue has for it.  There is one for the split ring and one for the packed ring.
 */
#ifndef TOOLS_QUEUE_LAYOUT_H
#define TOOLS_QUEUE_LAYOUT_H

#include <linux/virtio_ring.h>

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

extern const struct queue_layout queue_split, queue_packed;

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

/* Flags of buffer i of n in a chain. */
static inline uint16_t
queue_buffer_flags (unsigned i, unsigned n_out, unsigned n)
{
	return (i >= n_out ? VRING_DESC_F_WRITE : 0) | (i + 1 < n ? VRING_DESC_F_NEXT : 0);
}

static inline uint32_t
queue_buffer_bytes (const struct queue_buffer *b, unsigned n)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += b[i].size;
	return sum;
}

/* Our store before their field: the device does the same the other way round, so one of us sees the other. */
static inline void
queue_store_before_load (void)
{
	__atomic_thread_fence (__ATOMIC_SEQ_CST);
}

#endif
