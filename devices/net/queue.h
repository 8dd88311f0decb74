/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What both kinds of queue of a pair have: the ring, and the wire that the link gave it.  Belongs to the thread of the ring.
 */
#ifndef NET_QUEUE_H
#define NET_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include <vhost/loop.h>
#include <vhost/queue.h>

#include "devices/net/wire.h"

/*
 * A turn: so much, then the others of the loop have theirs.  In frames, what 32 batches are; in bytes, some 16 of the largest frames.  The back-end gives up
 * to four of them in a row to a guest that goes on adding.
 */
#define TURN_FRAMES 1024
#define TURN_BYTES (1u << 20)

/* Most parts of a frame with its header.  Linux has 19, DPDK one for each of its buffers. */
#define MAX_PARTS 256

struct pair;

struct queue {
	struct pair *pair;
	bool receives;
	struct vh_ring *ring;		/* NULL: not started */
	struct wire *wire;		/* a reference; NULL: frames have no way */
	unsigned header_size;		/* of the guest's headers */
	void (*rewired) (struct queue *);	/* `wire` is another one; the old one is still there */
	struct vh_mail mail;		/* to this thread: the link changed */

	/* --- under the lock of the device --- */
	struct vh_loop *loop;		/* NULL: not started */
	bool mailed;			/* mail is under way */
};

void queue_init (struct queue *, struct pair *, bool receives, void (*rewired) (struct queue *));

/* In ring_start and ring_stop; before the latter, nothing watches the wire any more. */
void queue_begin (struct queue *, struct vh_ring *);
void queue_end (struct queue *);

/* It cannot be read from any more, and is not watched: the link is to know. */
void queue_wire_failed (struct queue *);

/* The link changed: the queue is to look.  Under the lock, any thread. */
void queue_tell (struct queue *);

/* A counter that its thread writes and others read. */
static inline void
count (uint64_t *counter, uint64_t n)
{
	__atomic_store_n (counter, *counter + n, __ATOMIC_RELAXED);
}

static inline uint64_t
counted (const uint64_t *counter)
{
	return __atomic_load_n (counter, __ATOMIC_RELAXED);
}

#endif
