/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads for rings.
 */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/worker.h"

/* Reads a number below CPU_SETSIZE and moves *p behind it. */
static int
cpu_parse (const char **p, unsigned *ret)
{
	unsigned long n;
	char *end;

	if (!isdigit ((unsigned char) **p))
		return -EINVAL;
	n = strtoul (*p, &end, 10);
	if (n >= CPU_SETSIZE)
		return -EINVAL;
	*p = end;
	*ret = n;
	return 0;
}

int
cpu_list_parse (const char *list, cpu_set_t *ret)
{
	const char *p = list;

	CPU_ZERO (ret);
	for (;;) {
		unsigned first, last;
		int err = cpu_parse (&p, &first);

		last = first;
		if (err == 0 && *p == '-') {
			p++;
			err = cpu_parse (&p, &last);
		}
		if (err < 0 || last < first)
			return -EINVAL;
		for (unsigned cpu = first; cpu <= last; cpu++)
			CPU_SET (cpu, ret);
		if (*p == '\0')
			return 0;
		if (*p++ != ',')
			return -EINVAL;
	}
}

static void
worker_stop_now (void *opaque)
{
	struct worker *w = opaque;

	w->stopping = true;
}

static void *
worker_run (void *opaque)
{
	struct worker *w = opaque;

	while (!w->stopping)
		vh_loop_dispatch (w->loop, -1);
	return NULL;
}

/* A program's signals are for its control thread; faults are delivered where they happen. */
static void
signals_of_worker (sigset_t *ret)
{
	sigfillset (ret);
	sigdelset (ret, SIGBUS);
	sigdelset (ret, SIGSEGV);
	sigdelset (ret, SIGFPE);
	sigdelset (ret, SIGILL);
	sigdelset (ret, SIGTRAP);
}

static int
thread_start (struct worker *w, const cpu_set_t *cpus)
{
	sigset_t blocked, old;
	pthread_attr_t attr;
	int err = pthread_attr_init (&attr);

	if (err)
		return -err;
	if (cpus)
		err = pthread_attr_setaffinity_np (&attr, sizeof (*cpus), cpus);
	signals_of_worker (&blocked);
	pthread_sigmask (SIG_SETMASK, &blocked, &old);
	if (err == 0)
		err = pthread_create (&w->thread, &attr, worker_run, w);
	pthread_sigmask (SIG_SETMASK, &old, NULL);
	pthread_attr_destroy (&attr);
	return -err;
}

int
worker_start (struct worker *w, unsigned index, const cpu_set_t *cpus, unsigned poll_us)
{
	char name[16];
	int err;

	*w = (struct worker){ .stop = { .fn = worker_stop_now, .opaque = w } };
	err = vh_loop_new (&w->loop);
	if (err < 0)
		return err;
	vh_loop_set_poll (w->loop, poll_us);
	err = thread_start (w, cpus);
	if (err < 0) {
		vh_loop_free (w->loop);
		return err;
	}
	snprintf (name, sizeof (name), "vhost-worker-%u", index % 100);
	pthread_setname_np (w->thread, name);
	return 0;
}

void
worker_stop (struct worker *w)
{
	vh_loop_post (w->loop, &w->stop);
	pthread_join (w->thread, NULL);
	vh_loop_free (w->loop);
}
