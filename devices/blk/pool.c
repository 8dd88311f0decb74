/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A queue of jobs and the threads that take from it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "devices/blk/pool.h"

struct pool {
	pthread_mutex_t lock;	/* of everything below */
	pthread_cond_t work;
	struct job *first, **last;
	unsigned waiting;	/* jobs in the queue */
	unsigned idle;		/* threads that wait for one */
	bool ending;
	unsigned n_threads, max_threads;
	pthread_t threads[];
};

int
pool_new (unsigned max_threads, struct pool **ret)
{
	struct pool *p = calloc (1, sizeof (*p) + max_threads * sizeof (p->threads[0]));

	if (!p)
		return -ENOMEM;
	pthread_mutex_init (&p->lock, NULL);
	pthread_cond_init (&p->work, NULL);
	p->last = &p->first;
	p->max_threads = max_threads;
	*ret = p;
	return 0;
}

/* With the lock held. */
static struct job *
pool_take (struct pool *p)
{
	struct job *job = p->first;

	if (!job)
		return NULL;
	p->first = job->next;
	if (!p->first)
		p->last = &p->first;
	p->waiting--;
	return job;
}

static void *
pool_thread (void *opaque)
{
	struct pool *p = opaque;
	struct job *job;

	pthread_mutex_lock (&p->lock);
	while ((job = pool_take (p)) || !p->ending) {
		if (!job) {
			p->idle++;
			pthread_cond_wait (&p->work, &p->lock);
			p->idle--;
			continue;
		}
		pthread_mutex_unlock (&p->lock);
		job->run (job);
		pthread_mutex_lock (&p->lock);
	}
	pthread_mutex_unlock (&p->lock);
	return NULL;
}

/* With the lock held: one more thread when those that are idle are not enough.  False: there is none at all. */
static bool
pool_grow (struct pool *p)
{
	if (p->waiting > p->idle && p->n_threads < p->max_threads && pthread_create (&p->threads[p->n_threads], NULL, pool_thread, p) == 0)
		p->n_threads++;
	return p->n_threads > 0;
}

void
pool_submit (struct pool *p, struct job *job)
{
	struct job *mine = NULL;

	job->next = NULL;
	pthread_mutex_lock (&p->lock);
	*p->last = job;
	p->last = &job->next;
	p->waiting++;
	if (!pool_grow (p))
		mine = pool_take (p);
	else if (p->idle > 0)
		pthread_cond_signal (&p->work);
	pthread_mutex_unlock (&p->lock);
	if (mine)
		mine->run (mine);
}

void
pool_free (struct pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock (&p->lock);
	p->ending = true;
	pthread_cond_broadcast (&p->work);
	pthread_mutex_unlock (&p->lock);
	for (unsigned i = 0; i < p->n_threads; i++)
		pthread_join (p->threads[i], NULL);
	pthread_cond_destroy (&p->work);
	pthread_mutex_destroy (&p->lock);
	free (p);
}
