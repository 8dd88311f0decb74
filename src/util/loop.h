/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the library's own users of a loop have beside <vhost/loop.h>: pollers, whose work is looked for in memory before the loop sleeps.
 *
 *	vh_loop_dispatch   look, look, look ...  nothing for poll_us   rest        epoll_wait
 *	                     |                                           |
 *	                     work -> run, and this dispatch is over      from here on an fd or mail says that there is work
 */
#ifndef UTIL_LOOP_H
#define UTIL_LOOP_H

#include <stdbool.h>

#include <vhost/loop.h>

/* Embedded in an object of the user's, who sets the first fields. */
struct loop_poller {
	bool (*look) (void *opaque);	/* has something come since the last look?  As cheap as can be */
	void (*run) (void *opaque);	/* does it */
	bool (*rest) (void *opaque);	/* from now on an event has to tell; true: something has come already.  NULL: none ever tells, look for ever */
	void *opaque;
	struct vh_loop *loop;		/* NULL: not in one */
	struct loop_poller *next, **link;
	bool awake;			/* set by loop_poller_awake: `rest` is due before the loop sleeps */
};

/* Adds one that is in no loop; removes one, from wherever.  From the loop's thread. */
void loop_poller_add (struct vh_loop *, struct loop_poller *);
void loop_poller_remove (struct loop_poller *);

/* Does the loop look at all?  Otherwise only pollers without `rest` have a use. */
bool loop_may_poll (const struct vh_loop *);

/*
 * Is this a dispatch that looks before it sleeps?  Then a poller need not have events switched on when it has done its work, and says that by
 * loop_poller_awake.
 */
bool loop_polls (const struct vh_loop *);

static inline void
loop_poller_awake (struct loop_poller *p)
{
	p->awake = true;
}

#endif
