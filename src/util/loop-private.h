/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside a loop: what loop.c and loop-poll.c share.
 */
#ifndef UTIL_LOOP_PRIVATE_H
#define UTIL_LOOP_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

#include "util/loop.h"

struct vh_source {
	struct vh_loop *loop;
	int fd;
	vh_source_fn *fn;	/* NULL: removed */
	void *opaque;
	struct vh_source *next_removed;
};

/* How a loop looks before it sleeps. */
struct loop_polling {
	struct loop_poller *pollers;
	int64_t most_ns;	/* vh_loop_set_poll; 0: not at all */
	int64_t now_ns;		/* how long it does so at present: less when that was in vain */
	int64_t until;		/* it does so now until then; 0: it has just found something */
	int64_t slept_at;	/* when it last gave up; 0: there were events since */
	unsigned busy;		/* dispatches in a row that did not look at fds */
	bool active;		/* in a dispatch that looks before it sleeps */
	struct vh_mail bell;	/* to the loop itself: there is a poller that must be looked at for ever, and nobody looks */
	bool bell_rung;
};

struct vh_loop {
	int epoll_fd, mail_fd, timer_fd;
	struct vh_mail *mail;		/* atomic; newest first */
	struct vh_source *removed;
	struct vh_timer *timers;
	int64_t timer_armed;		/* what the timerfd is set to; -1: nothing */
	int depth;			/* of nested dispatching */
	int ran;			/* callbacks in this dispatch */
	bool freed;			/* inside a dispatch: the end of it frees the loop */
	struct loop_polling polling;
	struct vh_source mail_source, timer_source;
};

/*
 * Looks at the pollers, for their time when there is a timeout, and runs those that have something.  Returns the timeout for epoll_wait; POLL_DONE when this
 * dispatch has done enough.  polling_after_wait: there were events.
 */
#define POLL_DONE (-2)
int polling_before_wait (struct vh_loop *, int timeout_ms);
void polling_after_wait (struct loop_polling *);

/* After a dispatch that could not wait: whoever waits for the loop's fd is told at once when there is a poller that no event wakes. */
void polling_after_dispatch (struct vh_loop *);

#endif
