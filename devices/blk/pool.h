/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads for what may wait.  They are started when they are needed, up to a limit, and stay.
 */
#ifndef BLK_POOL_H
#define BLK_POOL_H

struct pool;

/* A piece of work, embedded in an object of the sender. */
struct job {
	struct job *next;	/* the pool's */
	void (*run) (struct job *);	/* in one of its threads; the job is the sender's again as soon as it is called */
};

/* 0 and *ret, or a negative errno.  Starts no thread yet. */
int pool_new (unsigned max_threads, struct pool **ret);

/* Any thread.  Jobs begin in the order of submission.  Cannot fail: without any thread, the caller runs the job. */
void pool_submit (struct pool *, struct job *);

/* Waits for the jobs that were submitted, and ends the threads.  NULL is fine. */
void pool_free (struct pool *);

#endif
