/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A disk: the image, its configuration space and features, and its virtqueues.
 */
#ifndef BLK_DEVICE_H
#define BLK_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_blk.h>
#include <vhost/backend.h>

#include "devices/blk/image.h"
#include "devices/blk/options.h"
#include "devices/blk/pool.h"
#include "devices/blk/queue.h"
#include "devices/common/log.h"
#include "devices/common/state.h"
#include "devices/common/totals.h"

/* Front-ends ask for as much as they know of; virtio 1.3 knows 96 bytes.  What this disk does not have reads as zeroes. */
#define DEVICE_CONFIG_SIZE 96

struct device {
	struct vh_device vh;
	struct log log;
	struct image image;
	struct pool *pool;
	const struct engine_ops *engine;	/* for transfers */
	char serial[VIRTIO_BLK_ID_BYTES + 1];
	bool write_back;			/* at first */
	uint8_t wce;				/* now; written in the control thread, read in others */
	union {
		struct virtio_blk_config fields;
		uint8_t bytes[DEVICE_CONFIG_SIZE];
	} config;
	struct job sync;			/* after a change to write-through */
	bool syncing;				/* sync is in the pool */
	unsigned n_queues;
	struct queue *queues;
	struct totals totals;			/* and the front-end that is here */
	struct state state;
};

/* Opens the image and makes the disk.  log, options and the strings of both are borrowed.  0; a negative errno after a line in the log. */
int device_new (const struct blk_options *, const struct engine_ops *, const struct log *, struct device **ret);

/* Ends the pool's threads, while the loops of the rings are still there.  No ring may be started any more. */
void device_end_pool (struct device *);

/* Once no connection refers to it.  NULL is fine. */
void device_free (struct device *);

/* What a request may ask for now, on a ring with these features. */
void device_get_limits (const struct device *, uint64_t features, struct request_limits *ret);

/* Looks at the image's size again, and tells the front-end when it changed.  Control thread. */
void device_resize (struct device *);

/* A line for each queue about what was done so far, on stderr.  Control thread. */
void device_print_stats (const struct device *);

#endif
