/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small event loop: what runs a connection or a set of rings.  It owns no thread.  A daemon runs each loop in a thread of its own; a program with an event
 * loop of its own polls vh_loop_fd for reading and calls vh_loop_dispatch (loop, 0) when it is ready.
 *
 * A loop is used by one thread at a time, but for vh_loop_post, which any thread may call.
 */
#ifndef VHOST_LOOP_H
#define VHOST_LOOP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct vh_loop;

/* 0 and *ret, or a negative errno (-EMFILE, -ENFILE, -ENOMEM). */
int vh_loop_new (struct vh_loop **ret);

/* Frees the loop.  Its sources must have been removed and its mail delivered.  NULL is fine. */
void vh_loop_free (struct vh_loop *);

/* An fd that is readable when there is something to dispatch; it belongs to the loop. */
int vh_loop_fd (const struct vh_loop *);

/*
 * Waits up to timeout_ms (-1: without limit; 0: not at all) for events and runs what is due.  Returns how many callbacks ran, or a negative errno of
 * epoll_wait; an interrupting signal is 0.
 */
int vh_loop_dispatch (struct vh_loop *, int timeout_ms);

/*
 * How long, in microseconds, a dispatch that may wait looks for work in rings before it sleeps, at most: the time becomes shorter while that is in vain.  A
 * ring's notifications are off meanwhile.  0, at first: not at all.  It takes a processor's time to answer sooner.  Before there are rings in the loop.
 */
void vh_loop_set_poll (struct vh_loop *, unsigned us);

/* A file descriptor under watch. */
struct vh_source;

/* events: what happened, EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR of <sys/epoll.h>. */
typedef void vh_source_fn (void *opaque, uint32_t events);

/*
 * Watches fd for `events` (EPOLLIN, EPOLLOUT, and EPOLLET if wished).  The fd is borrowed and must stay open until vh_source_remove.
 * 0 and *ret; -EPERM for an fd that cannot be watched (a regular file), -EEXIST, -ENOMEM.
 */
int vh_loop_add_fd (struct vh_loop *, int fd, uint32_t events, vh_source_fn *fn, void *opaque, struct vh_source **ret);

/* Changes the events.  0 or a negative errno. */
int vh_source_events (struct vh_source *, uint32_t events);

/* Stops watching, also from inside a callback; its callback is not called any more.  NULL is fine. */
void vh_source_remove (struct vh_source *);

/* A timer that fires once. */
struct vh_timer;
typedef void vh_timer_fn (void *opaque);

/* Makes a timer, at rest.  0 and *ret, or -ENOMEM. */
int vh_loop_add_timer (struct vh_loop *, vh_timer_fn *fn, void *opaque, struct vh_timer **ret);

/* Fires once after `ms` milliseconds, in place of an earlier setting; ms < 0: at rest. */
void vh_timer_set (struct vh_timer *, int64_t ms);
void vh_timer_remove (struct vh_timer *);

/*
 * A piece of mail: embedded in an object of the sender, who sets fn and opaque.  It may be posted again once its fn has been called, also by that fn.
 */
struct vh_mail {
	struct vh_mail *next;	/* the loop's */
	void (*fn) (void *opaque);
	void *opaque;
};

/* Has mail->fn called by the thread that dispatches the loop, soon.  Any thread; never blocks; cannot fail. */
void vh_loop_post (struct vh_loop *, struct vh_mail *mail);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
