/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A driver for block devices (virtio 1.2, 5.2): its configuration, and requests on a queue of a driver.
 *
 * Each queue has a fixed number of slots: guest memory for one request with its data.  A slot is free, or filled by its user, or in flight.
 */
#ifndef TOOLS_BLK_DRIVER_H
#define TOOLS_BLK_DRIVER_H

#include "driver.h"

#define BLK_SECTOR 512

/* Most parts that the data of one request is cut into. */
#define BLK_MAX_SEGMENTS 256

/* Features of the device that this driver understands. */
uint64_t blk_features (void);

struct blk_config {
	uint64_t capacity;	/* bytes */
	uint32_t block_size;	/* bytes; at least a sector */
	uint32_t seg_max;	/* most parts of the data; UINT32_MAX when the device sets no limit */
	uint32_t size_max;	/* bytes of one part; likewise */
	unsigned queues;
	bool read_only;
	bool flush;
};

/* Reads the configuration, after driver_open.  0 or a negative errno, with words in d->failed. */
int blk_read_config (struct driver *d, struct blk_config *ret);

struct blk_slot {
	uint8_t *data;		/* the user's, while the slot is not in flight */
	void *user;		/* whatever the user keeps here */
	int error;		/* of the last request: 0; -EIO; -EOPNOTSUPP: the device does not know it; -EPROTO: it wrote no status */
	/* --- the driver's --- */
	struct blk_slot *next_free;
	uint64_t header_addr, data_addr, status_addr;
};

struct blk_queue {
	struct queue *queue;
	struct guest *guest;
	struct blk_slot *slots;
	struct blk_slot *free;
	unsigned n_slots;
	unsigned in_flight;
};

/* Bytes of guest memory that a queue's slots take at most. */
size_t blk_queue_bytes (unsigned slots, size_t data_size);

/*
 * Gives a started queue `slots` slots of `data_size` bytes.  across: data may lie across an edge of regions (not all back-ends take that).  0; -ENOMEM.
 */
int blk_queue_init (struct blk_queue *, struct driver *, unsigned index, unsigned slots, size_t data_size, bool across);
void blk_queue_free (struct blk_queue *);

/* A slot that is not in flight; NULL when all are. */
struct blk_slot *blk_take_slot (struct blk_queue *);
void blk_put_slot (struct blk_queue *, struct blk_slot *);

enum blk_op {
	BLK_READ,
	BLK_WRITE,
	BLK_FLUSH,
};

/*
 * Adds a request for `size` bytes at byte `offset`, its data in `segments` parts; queue_publish makes it visible.  0; -ENOSPC: the ring is full;
 * -EINVAL: no such request.
 */
int blk_submit (struct blk_queue *, struct blk_slot *, enum blk_op, uint64_t offset, uint32_t size, unsigned segments);

/* Takes up to `max` finished requests; their slots are the user's again.  How many; -EPROTO: the device broke the ring's rules. */
int blk_reap (struct blk_queue *, struct blk_slot **slots, unsigned max);

#endif
