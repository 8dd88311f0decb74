/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine of io_uring: one io_uring a queue.  A batch of requests is one system call, which also brings what is done already (reads from the page cache
 * are); the rest is announced by an eventfd in the queue's loop.
 *
 * The eventfd and not the io_uring's own fd: with deferred completions, Linux does not wake those who poll the latter.  It is switched on only while there is
 * something to wait for, so that what is done at once costs no events.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <liburing.h>
#include <vhost/loop.h>

#include "devices/blk/device.h"
#include "devices/blk/engine.h"
#include "devices/blk/queue.h"

/* Submissions that fit; more than a batch of queue_process makes. */
#define SUBMISSIONS 128

/* Completions that are taken at a time. */
#define COMPLETIONS 64

/* Pause before a submission that the kernel had no memory for is tried again, ms. */
#define RETRY_MS 2

struct uring_engine {
	struct engine base;
	struct io_uring uring;
	bool deferred;			/* the kernel delivers completions when it is asked, not by interrupting this thread */
	bool fixed_file;
	bool announcing;		/* the eventfd is switched on */
	int fd;
	int event_fd;
	unsigned unsubmitted;
	unsigned in_flight;		/* not completed, submitted or not */
	struct vh_source *source;
	struct vh_timer *retry;
};

/* --- submission --- */

static void
prepare (struct uring_engine *e, struct io_uring_sqe *sqe, struct request *r)
{
	int fd = e->fixed_file ? 0 : e->fd;

	switch (r->kind) {
	case REQUEST_READ:
		if (r->n_parts == 1)
			io_uring_prep_read (sqe, fd, r->parts->iov_base, r->parts->iov_len, r->offset);
		else
			io_uring_prep_readv (sqe, fd, r->parts, r->n_parts, r->offset);
		break;
	case REQUEST_WRITE:
		io_uring_prep_writev2 (sqe, fd, r->parts, r->n_parts, r->offset, r->durable ? RWF_DSYNC : 0);
		break;
	default:
		io_uring_prep_fsync (sqe, fd, IORING_FSYNC_DATASYNC);
	}
	sqe->flags |= e->fixed_file ? IOSQE_FIXED_FILE : 0;
	io_uring_sqe_set_data (sqe, r);
}

/* Hands what was prepared to the kernel; with deferred completions, collects those too.  False: nothing was taken, it is tried again later. */
static bool
submit_prepared (struct uring_engine *e)
{
	int n = e->deferred ? io_uring_submit_and_get_events (&e->uring) : io_uring_submit (&e->uring);

	if (n <= 0) {
		vh_timer_set (e->retry, RETRY_MS);
		return false;
	}
	e->unsubmitted -= (unsigned) n < e->unsubmitted ? (unsigned) n : e->unsubmitted;
	return true;
}

static void
uring_submit (struct engine *engine, struct request *r)
{
	struct uring_engine *e = (struct uring_engine *) engine;
	struct io_uring_sqe *sqe = io_uring_get_sqe (&e->uring);

	if (!sqe) {
		submit_prepared (e);
		sqe = io_uring_get_sqe (&e->uring);
	}
	if (!sqe) {
		queue_offload (e->base.queue, r);
		return;
	}
	prepare (e, sqe, r);
	e->unsubmitted++;
	e->in_flight++;
}

/* --- completion --- */

/* What the kernel said about a request: it is done, or goes on. */
static void
complete (struct uring_engine *e, struct request *r, int result)
{
	struct queue *q = e->base.queue;

	if (result == -EAGAIN || result == -EINTR || result == -ECANCELED) {
		queue_offload (q, r);
		return;
	}
	if (result < 0 || r->kind == REQUEST_FLUSH) {
		queue_done (q, r, result);
		return;
	}
	if (result == 0) {	/* somebody has cut the file */
		queue_done (q, r, -EIO);
		return;
	}
	request_advance (r, result);
	if (r->left == 0)
		queue_done (q, r, 0);
	else
		uring_submit (&e->base, r);
}

static void
reap (struct uring_engine *e)
{
	struct io_uring_cqe *cqes[COMPLETIONS];
	unsigned n;

	while ((n = io_uring_peek_batch_cqe (&e->uring, cqes, COMPLETIONS)) > 0) {
		e->in_flight -= n;
		for (unsigned i = 0; i < n; i++)
			complete (e, io_uring_cqe_get_data (cqes[i]), cqes[i]->res);
		io_uring_cq_advance (&e->uring, n);
	}
}

/* What was submitted, and what it brings along: the rest of transfers of which a part was done. */
static void
submit_and_reap (struct uring_engine *e)
{
	while (e->unsubmitted > 0 && submit_prepared (e))
		reap (e);
}

static void
announce (struct uring_engine *e, bool on)
{
	if (e->announcing == on)
		return;
	io_uring_cq_eventfd_toggle (&e->uring, on);
	e->announcing = on;
	if (!on)
		return;
	/* What was done before the switch is not announced.  The kernel queues, then looks at the switch; we look at the queue after the switch. */
	__atomic_thread_fence (__ATOMIC_SEQ_CST);
	io_uring_get_events (&e->uring);
	reap (e);
	submit_and_reap (e);
}

static void
uring_flush (struct engine *engine)
{
	struct uring_engine *e = (struct uring_engine *) engine;

	submit_and_reap (e);
	announce (e, e->in_flight > 0);
}

/* The eventfd says that there are completions. */
static void
uring_ready (void *opaque, uint32_t events)
{
	struct uring_engine *e = opaque;

	if (e->in_flight == 0)
		return;
	if (e->deferred)
		io_uring_get_events (&e->uring);
	reap (e);
	uring_flush (&e->base);
	queue_publish (e->base.queue);
}

static void
uring_retry (void *opaque)
{
	struct uring_engine *e = opaque;

	uring_flush (&e->base);
	queue_publish (e->base.queue);
}

/* --- the engine --- */

static int
uring_probe (void)
{
	struct io_uring uring;
	int err = io_uring_queue_init (2, &uring, 0);

	if (err == 0)
		io_uring_queue_exit (&uring);
	return err;
}

/* Room for the completions of all that can be in flight, and for those that go on while they are taken. */
static int
uring_init (struct uring_engine *e, unsigned ring_size)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
		.cq_entries = ring_size + SUBMISSIONS,
	};
	int err = io_uring_queue_init_params (SUBMISSIONS, &e->uring, &params);

	e->deferred = err == 0;
	if (err == -EINVAL) {	/* Linux before 6.1 */
		params.flags = IORING_SETUP_CQSIZE;
		err = io_uring_queue_init_params (SUBMISSIONS, &e->uring, &params);
	}
	return err;
}

static void
uring_close (struct engine *engine)
{
	struct uring_engine *e = (struct uring_engine *) engine;

	if (e->retry)
		vh_timer_remove (e->retry);
	vh_source_remove (e->source);
	io_uring_queue_exit (&e->uring);
	if (e->event_fd >= 0)
		close (e->event_fd);
	free (e);
}

/* The eventfd is edge-triggered in the loop: nobody needs to read it. */
static int
uring_watch (struct uring_engine *e, struct vh_loop *loop)
{
	int err;

	e->event_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (e->event_fd < 0)
		return -errno;
	err = io_uring_register_eventfd (&e->uring, e->event_fd);
	if (err == 0)
		err = io_uring_cq_eventfd_toggle (&e->uring, false);
	if (err == 0)
		err = vh_loop_add_timer (loop, uring_retry, e, &e->retry);
	return err < 0 ? err : vh_loop_add_fd (loop, e->event_fd, EPOLLIN | EPOLLET, uring_ready, e, &e->source);
}

static int
uring_open (struct queue *queue, struct engine **ret)
{
	struct uring_engine *e = calloc (1, sizeof (*e));
	int err;

	if (!e)
		return -ENOMEM;
	e->base = (struct engine){ .ops = &engine_uring, .queue = queue };
	e->fd = queue->device->image.fd;
	e->event_fd = -1;
	err = uring_init (e, vh_ring_size (queue->ring));
	if (err < 0) {
		free (e);
		return err;
	}
	/* Both save a little at each system call; neither is needed. */
	e->fixed_file = io_uring_register_files (&e->uring, &e->fd, 1) == 0;
	io_uring_register_ring_fd (&e->uring);
	err = uring_watch (e, vh_ring_loop (queue->ring));
	if (err < 0) {
		uring_close (&e->base);
		return err;
	}
	*ret = &e->base;
	return 0;
}

const struct engine_ops engine_uring = {
	.name = "io_uring",
	.probe = uring_probe,
	.open = uring_open,
	.submit = uring_submit,
	.flush = uring_flush,
	.close = uring_close,
};
