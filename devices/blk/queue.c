/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the ring to an engine and back.
 */
#include <string.h>

#include <linux/virtio_blk.h>
#include <vhost/error.h>

#include "devices/blk/device.h"
#include "devices/blk/queue.h"

/* Requests that are taken, begun and published together. */
#define BATCH 32

/* The largest transfer that the ring's thread does by itself, of an image in memory.  Larger ones would hold up the other rings. */
#define INLINE_MAX (256u << 10)

/* One writer, so a store is enough; relaxed, since each number is read for itself. */
static void
count (uint64_t *number, uint64_t n)
{
	__atomic_store_n (number, *number + n, __ATOMIC_RELAXED);
}

static void
count_request (struct queue_stats *s, const struct request *r, uint8_t status)
{
	switch (r->kind) {
	case REQUEST_READ:
		count (&s->reads, 1);
		count (&s->bytes_read, r->bytes - r->left);
		break;
	case REQUEST_WRITE:
		count (&s->writes, 1);
		count (&s->bytes_written, r->bytes - r->left);
		break;
	case REQUEST_FLUSH:
		count (&s->flushes, 1);
		break;
	default:
		count (&s->others, 1);
	}
	if (status != VIRTIO_BLK_S_OK)
		count (&s->errors, 1);
}

void
queue_get_stats (const struct queue *q, struct queue_stats *ret)
{
	const uint64_t *from = (const uint64_t *) &q->stats;
	uint64_t *to = (uint64_t *) ret;

	for (unsigned i = 0; i < sizeof (*ret) / sizeof (*to); i++)
		to[i] = __atomic_load_n (&from[i], __ATOMIC_RELAXED);
}

/* --- giving back --- */

static void
queue_give (struct queue *q, struct request *r, uint8_t status)
{
	count_request (&q->stats, r, status);
	vh_ring_give (q->ring, r->chain, request_finish (r, status));
}

void
queue_done (struct queue *q, struct request *r, int result)
{
	uint8_t status = request_status (r, result);

	/* Once: a full disk fails many requests. */
	if (status == VIRTIO_BLK_S_IOERR && !q->warned) {
		q->warned = true;
		log_say (&q->device->log, VH_LOG_WARNING, "queue %u: %s at %llu: %s", vh_ring_index (q->ring),
			 r->kind == REQUEST_READ ? "read" : r->kind == REQUEST_WRITE ? "write" : "request", (unsigned long long) r->offset,
			 vh_strerror (result));
	}
	queue_give (q, r, status);
}

void
queue_publish (struct queue *q)
{
	vh_ring_flush (q->ring);
}

/* --- taking --- */

void
queue_offload (struct queue *q, struct request *r)
{
	q->slow->ops->submit (q->slow, r);
}

/* The engine for transfers. */
static struct engine *
queue_fast (struct queue *q)
{
	const struct engine_ops *ops = q->device->engine;
	int err;

	if (q->fast)
		return q->fast;
	q->fast = q->slow;
	if (ops != q->slow->ops) {
		err = ops->open (q, &q->fast);
		if (err < 0)
			log_say (&q->device->log, VH_LOG_WARNING, "queue %u: %s: %s; threads are used instead", vh_ring_index (q->ring), ops->name,
				 vh_strerror (err));
	}
	return q->fast;
}

static bool
is_transfer (const struct request *r)
{
	return r->kind == REQUEST_READ || r->kind == REQUEST_WRITE;
}

/* Is doing it quicker than having it done? */
static bool
runs_inline (const struct image *image, const struct request *r)
{
	return image->in_memory && (r->kind == REQUEST_FLUSH || (is_transfer (r) && r->left <= INLINE_MAX));
}

static void
queue_serve (struct queue *q, struct vh_request *chain, const struct request_limits *limits)
{
	const struct image *image = &q->device->image;
	struct request *r = chain->user;
	uint8_t status = request_parse (r, chain, limits);
	struct engine *engine;

	if (r->kind == REQUEST_ANSWERED) {
		queue_give (q, r, status);
		return;
	}
	if (runs_inline (image, r)) {
		queue_done (q, r, image_run (image, r));
		return;
	}
	engine = r->kind == REQUEST_FLUSH || (is_transfer (r) && !image_must_copy (image, r)) ? queue_fast (q) : q->slow;
	engine->ops->submit (engine, r);
}

void
queue_process (struct queue *q)
{
	struct vh_request *chains[BATCH];
	struct request_limits limits;
	int n;

	device_get_limits (q->device, vh_ring_features (q->ring), &limits);
	while ((n = vh_ring_take (q->ring, chains, BATCH)) > 0) {
		for (int i = 0; i < n; i++)
			queue_serve (q, chains[i], &limits);
		if (q->fast)
			q->fast->ops->flush (q->fast);
		queue_publish (q);
	}
}

/* --- the ring --- */

int
queue_start (struct queue *q, struct vh_ring *ring)
{
	int err;

	q->ring = ring;
	q->warned = false;
	q->fast = NULL;
	err = engine_pool.open (q, &q->slow);
	if (err < 0)
		q->ring = NULL;
	return err;
}

void
queue_stop (struct queue *q)
{
	if (q->fast && q->fast != q->slow)
		q->fast->ops->close (q->fast);
	q->slow->ops->close (q->slow);
	q->fast = q->slow = NULL;
	q->ring = NULL;
}
