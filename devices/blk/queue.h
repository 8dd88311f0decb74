/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtqueue of the disk: takes requests, hands them to an engine, gives them back.  Everything but the statistics belongs to the ring's thread.
 */
#ifndef BLK_QUEUE_H
#define BLK_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <vhost/queue.h>

#include "devices/blk/engine.h"
#include "devices/blk/request.h"

struct device;

/* Counted in the ring's thread, read in others with queue_get_stats. */
struct queue_stats {
	uint64_t reads, writes, flushes, others;
	uint64_t bytes_read, bytes_written;
	uint64_t errors;	/* requests whose status was not OK */
};

struct queue {
	struct device *device;
	struct vh_ring *ring;	/* NULL: not started */
	struct engine *slow;	/* takes every request */
	struct engine *fast;	/* for READ, WRITE, FLUSH; opened when it is first needed; may be `slow` */
	bool warned;		/* of an error of the image, since the ring was started */
	struct queue_stats stats;
} __attribute__ ((aligned (64)));

/* The callbacks of the ring. */
int queue_start (struct queue *, struct vh_ring *);
void queue_process (struct queue *);
void queue_stop (struct queue *);

/* For engines: the request is done, with 0 or a negative errno. */
void queue_done (struct queue *, struct request *, int result);

/* For engines: the driver may see what was done. */
void queue_publish (struct queue *);

/* For engines: somebody else is to do it. */
void queue_offload (struct queue *, struct request *);

/* Any thread; each number by itself is right. */
void queue_get_stats (const struct queue *, struct queue_stats *ret);

#endif
