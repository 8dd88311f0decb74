/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How requests reach the image without the ring's thread waiting for it.  A queue has its engines to itself, and uses them in its own thread only.  A request
 * that is done is given to queue_done, and whoever calls that outside queue_process calls queue_publish afterwards.
 */
#ifndef BLK_ENGINE_H
#define BLK_ENGINE_H

struct queue;
struct request;
struct engine;

struct engine_ops {
	const char *name;

	/* Does this machine let us have it?  0 or a negative errno. */
	int (*probe) (void);

	/* For a queue that has started.  0 and *ret, or a negative errno. */
	int (*open) (struct queue *, struct engine **ret);

	/* Takes a request on.  It may be done at once, at `flush`, or later. */
	void (*submit) (struct engine *, struct request *);

	/* The end of a batch: what was submitted gets under way, together. */
	void (*flush) (struct engine *);

	/* No request is in it. */
	void (*close) (struct engine *);
};

/* The common part, first in every engine. */
struct engine {
	const struct engine_ops *ops;
	struct queue *queue;
};

/* Threads that call preadv and its like: takes every kind of request. */
extern const struct engine_ops engine_pool;

/* io_uring: READ, WRITE and FLUSH, with buffers as the image wants them.  Where the build has no liburing, probe fails with -ENOSYS. */
extern const struct engine_ops engine_uring;

#endif
