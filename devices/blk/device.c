/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The disk as the library sees it, its making and end.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vhost/error.h>

#include "devices/blk/config-space.h"
#include "devices/blk/device.h"
#include "devices/blk/state.h"

/* Threads for what may wait, of one disk: about as many operations as a disk likes to have at once. */
#define POOL_THREADS 16

/* Requests end in any order. */
#define NOT_OFFERED VH_BIT (VH_F_IN_ORDER)

void
device_get_limits (const struct device *d, uint64_t features, struct request_limits *ret)
{
	bool flushes = features & VH_BIT (VIRTIO_BLK_F_FLUSH);

	*ret = (struct request_limits){
		.capacity = image_capacity (&d->image),
		.block_size = d->image.block_size,
		.read_only = d->image.read_only,
		.can_discard = d->image.can_discard,
		/* A driver that cannot flush takes what is done for durable (virtio 1.2, 5.2.5.2). */
		.durable = !flushes || !__atomic_load_n (&d->wce, __ATOMIC_RELAXED),
		.serial = d->serial,
	};
}

/* --- the front-end --- */

static void
device_connected (void *opaque, struct vh_backend *backend)
{
	struct device *d = opaque;

	totals_connected (&d->totals, backend);
}

static void
device_disconnected (void *opaque, struct vh_backend *backend)
{
	struct device *d = opaque;

	totals_disconnected (&d->totals);
	state_forget (&d->state);
}

static void
device_reset (void *opaque)
{
	struct device *d = opaque;

	config_set_wce (d, d->write_back);
}

void
device_resize (struct device *d)
{
	int changed = image_resize (&d->image);

	if (changed < 0) {
		log_say (&d->log, VH_LOG_WARNING, "its size cannot be read: %s", vh_strerror (changed));
		return;
	}
	if (changed == 0)
		return;
	config_set_capacity (d);
	log_say (&d->log, VH_LOG_INFO, "has %llu bytes now", (unsigned long long) d->image.capacity);
	if (d->totals.backend && vh_backend_config_changed (d->totals.backend) == -EOPNOTSUPP)
		log_say (&d->log, VH_LOG_WARNING, "the front-end cannot be told of the new size");
}

/* --- rings --- */

static int
device_ring_start (void *opaque, struct vh_ring *ring)
{
	struct device *d = opaque;
	struct queue *q = &d->queues[vh_ring_index (ring)];

	vh_ring_set_opaque (ring, q);
	return queue_start (q, ring);
}

static void
device_ring_process (void *opaque, struct vh_ring *ring)
{
	queue_process (vh_ring_opaque (ring));
}

static void
device_ring_stop (void *opaque, struct vh_ring *ring)
{
	queue_stop (vh_ring_opaque (ring));
}

static const struct vh_device_ops device_ops = {
	.size = sizeof (device_ops),
	.set_config = config_write,
	.connected = device_connected,
	.disconnected = device_disconnected,
	.reset = device_reset,
	.ring_start = device_ring_start,
	.ring_process = device_ring_process,
	.ring_stop = device_ring_stop,
	.state_save = blk_state_save,
	.state_load = blk_state_load,
};

/* --- statistics --- */

void
device_print_stats (const struct device *d)
{
	for (unsigned i = 0; i < d->n_queues; i++) {
		struct vh_ring_counters sum;
		struct queue_stats s;

		queue_get_stats (&d->queues[i], &s);
		totals_get (&d->totals, i, &sum);
		log_answer (&d->log,
			    "queue %u: %llu reads (%llu bytes), %llu writes (%llu bytes), %llu flushes, %llu others, %llu errors, "
			    "%llu batches, %llu kicks, %llu calls",
			    i, (unsigned long long) s.reads, (unsigned long long) s.bytes_read, (unsigned long long) s.writes,
			    (unsigned long long) s.bytes_written, (unsigned long long) s.flushes, (unsigned long long) s.others,
			    (unsigned long long) s.errors, (unsigned long long) sum.batches, (unsigned long long) sum.kicks,
			    (unsigned long long) sum.calls);
	}
}

/* --- making --- */

static int
device_open_image (struct device *d, const struct blk_options *o)
{
	struct image_options io = { .path = o->blk_file, .read_only = o->read_only, .direct = o->direct, .block_size = o->block_size };
	const char *why;
	int err = image_open (&io, &d->image, &why);

	if (err < 0)
		log_say (&d->log, VH_LOG_ERROR, "%s: %s", why, vh_strerror (err));
	return err;
}

static int
device_make_queues (struct device *d, unsigned n)
{
	/* Each on cache lines of its own: threads count in them. */
	if (posix_memalign ((void **) &d->queues, __alignof__ (struct queue), n * sizeof (d->queues[0])))
		return -ENOMEM;
	memset (d->queues, 0, n * sizeof (d->queues[0]));
	for (unsigned i = 0; i < n; i++)
		d->queues[i].device = d;
	d->n_queues = n;
	return totals_init (&d->totals, n) < 0 ? -ENOMEM : pool_new (POOL_THREADS, &d->pool);
}

static void
device_describe (struct device *d, const struct blk_options *o)
{
	d->vh = (struct vh_device){
		.size = sizeof (d->vh),
		.ops = &device_ops,
		.opaque = d,
		.name = d->log.name,
		.features = config_features (d) | (options_ring_features (&o->common) & ~NOT_OFFERED),
		.rings = d->n_queues,
		.protocol_features = options_protocol_features (&o->common) | VH_BIT (VH_P_INFLIGHT_SHMFD),
		.max_ring_size = o->common.queue_size,
		.request_size = sizeof (struct request),
		.config = d->config.bytes,
		.config_size = sizeof (d->config),
	};
}

int
device_new (const struct blk_options *o, const struct engine_ops *engine, const struct log *log, struct device **ret)
{
	struct device *d = calloc (1, sizeof (*d));
	int err;

	if (!d)
		return -ENOMEM;
	d->log = *log;
	d->log.name = o->blk_file;
	d->engine = engine;
	d->write_back = !o->write_through && !o->read_only;
	d->image.fd = -1;
	snprintf (d->serial, sizeof (d->serial), "%s", o->serial ? o->serial : "");
	err = device_open_image (d, o);
	if (err == 0) {
		err = device_make_queues (d, o->num_queues);
		if (err < 0)
			log_say (&d->log, VH_LOG_ERROR, "%s", vh_strerror (err));
	}
	if (err < 0) {
		device_free (d);
		return err;
	}
	config_init (d, o->common.queue_size);
	device_describe (d, o);
	*ret = d;
	return 0;
}

void
device_end_pool (struct device *d)
{
	pool_free (d->pool);
	d->pool = NULL;
}

void
device_free (struct device *d)
{
	if (!d)
		return;
	device_end_pool (d);
	image_close (&d->image);
	free (d->queues);
	totals_free (&d->totals);
	state_forget (&d->state);
	free (d);
}
