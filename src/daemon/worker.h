/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker: a thread that runs a loop, and nothing else.
 */
#ifndef DAEMON_WORKER_H
#define DAEMON_WORKER_H

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#include <vhost/loop.h>

struct worker {
	pthread_t thread;
	struct vh_loop *loop;
	struct vh_mail stop;
	bool stopping;		/* the thread's */
};

/* Reads a list such as "0-3,8".  0 or -EINVAL. */
int cpu_list_parse (const char *list, cpu_set_t *ret);

/*
 * Starts the thread; cpus NULL: anywhere; poll_us as vh_loop_set_poll.  All signals are blocked in it but those that a fault raises.  0 or a negative errno.
 */
int worker_start (struct worker *, unsigned index, const cpu_set_t *cpus, unsigned poll_us);

/* Ends the thread and frees its loop. */
void worker_stop (struct worker *);

#endif
