/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine of threads.  A request is a job of the image's pool; the thread that did it puts it on the engine's list and, when the list was empty, has the
 * queue's loop collect it.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include <vhost/loop.h>

#include "devices/blk/device.h"
#include "devices/blk/engine.h"
#include "devices/blk/queue.h"

/* The longest read that is tried at once: copying it is quicker than waking a thread. */
#define CACHED_READ_MAX (64u << 10)

struct pool_engine {
	struct engine base;
	struct pool *pool;
	const struct image *image;
	struct vh_loop *loop;
	bool no_cached_reads;	/* the file system cannot say whether it would wait */
	struct job *done;	/* a stack that the pool's threads push to */
	struct vh_mail mail;	/* posted by who finds it empty */
};

static struct request *
job_request (struct job *job)
{
	return (struct request *) ((char *) job - offsetof (struct request, job));
}

/* In the queue's thread. */
static void
collect (void *opaque)
{
	struct pool_engine *e = opaque;
	struct queue *queue = e->base.queue;
	/* Acquire: data and result of the push in run_job are seen.  Release: who finds the list empty may use the mail, which was delivered before. */
	struct job *job = __atomic_exchange_n (&e->done, NULL, __ATOMIC_ACQ_REL);

	while (job) {
		struct request *r = job_request (job);

		job = job->next;
		queue_done (queue, r, r->result);
	}
	queue_publish (queue);
}

/* In a thread of the pool. */
static void
run_job (struct job *job)
{
	struct request *r = job_request (job);
	struct pool_engine *e = r->engine;
	struct job *before = __atomic_load_n (&e->done, __ATOMIC_RELAXED);

	r->result = image_run (e->image, r);
	do
		job->next = before;
	while (!__atomic_compare_exchange_n (&e->done, &before, job, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	/* From here on the job is not ours; and the engine is there for us only if nobody collects before we post. */
	if (!before)
		vh_loop_post (e->loop, &e->mail);
}

static int
pool_engine_probe (void)
{
	return 0;
}

static int
pool_engine_open (struct queue *queue, struct engine **ret)
{
	struct pool_engine *e = calloc (1, sizeof (*e));

	if (!e)
		return -ENOMEM;
	e->base = (struct engine){ .ops = &engine_pool, .queue = queue };
	e->pool = queue->device->pool;
	e->image = &queue->device->image;
	e->loop = vh_ring_loop (queue->ring);
	e->mail = (struct vh_mail){ .fn = collect, .opaque = e };
	*ret = &e->base;
	return 0;
}

/* Reads what is in the page cache; true when that was all, or it failed. */
static bool
read_cached (struct pool_engine *e, struct request *r)
{
	int err;

	if (r->kind != REQUEST_READ || r->left > CACHED_READ_MAX || e->no_cached_reads || image_must_copy (e->image, r))
		return false;
	err = image_read_cached (e->image, r);
	e->no_cached_reads = err == -EOPNOTSUPP;
	if (err == -EAGAIN || err == -EINTR || err == -EOPNOTSUPP)
		return false;
	queue_done (e->base.queue, r, err);
	return true;
}

static void
pool_engine_submit (struct engine *engine, struct request *r)
{
	struct pool_engine *e = (struct pool_engine *) engine;

	if (read_cached (e, r))
		return;
	r->engine = e;
	r->job.run = run_job;
	pool_submit (e->pool, &r->job);
}

static void
pool_engine_flush (struct engine *engine)
{
}

static void
pool_engine_close (struct engine *engine)
{
	free (engine);
}

const struct engine_ops engine_pool = {
	.name = "pool",
	.probe = pool_engine_probe,
	.open = pool_engine_open,
	.submit = pool_engine_submit,
	.flush = pool_engine_flush,
	.close = pool_engine_close,
};
