/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event loop: one epoll set with the users' fds, an eventfd for mail, and a timerfd for timers.
 *
 * Mail is a stack that any thread pushes to (newest first) and the loop takes as a whole and reverses, so letters of one sender arrive in order.  Sources
 * that are removed while events are being delivered are only marked, and freed when the delivery is over.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/lines.h"
#include "util/loop-private.h"

#define EVENTS_PER_WAIT 64

struct vh_timer {
	struct vh_loop *loop;
	struct vh_timer *next, **link;
	vh_timer_fn *fn;
	void *opaque;
	int64_t due;		/* clock_ms; -1: at rest */
};

/* --- mail --- */

void
vh_loop_post (struct vh_loop *loop, struct vh_mail *mail)
{
	static const uint64_t one = 1;
	struct vh_mail *old = __atomic_load_n (&loop->mail, __ATOMIC_RELAXED);
	ssize_t n;

	do
		mail->next = old;
	while (!__atomic_compare_exchange_n (&loop->mail, &old, mail, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
	/* The one who found it empty rings the bell; the eventfd is ours alone, so it cannot be full. */
	if (!old)
		do
			n = write (loop->mail_fd, &one, sizeof (one));
		while (n < 0 && errno == EINTR);
}

static void
mail_deliver (void *opaque, uint32_t events)
{
	struct vh_loop *loop = opaque;
	struct vh_mail *stack, *queue = NULL;
	uint64_t count;

	/* Read the bell before taking the mail: who posts in between rings again. */
	if (read (loop->mail_fd, &count, sizeof (count)) < 0 && errno != EAGAIN)
		return;
	stack = __atomic_exchange_n (&loop->mail, NULL, __ATOMIC_ACQUIRE);
	while (stack) {
		struct vh_mail *mail = stack;

		stack = mail->next;
		mail->next = queue;
		queue = mail;
	}
	while (queue) {
		struct vh_mail *mail = queue;

		queue = mail->next;	/* first: fn may post it again */
		mail->fn (mail->opaque);
		loop->ran++;
	}
}

/* --- timers --- */

static void
timers_arm (struct vh_loop *loop)
{
	int64_t first = -1;
	struct itimerspec spec = { 0 };

	for (struct vh_timer *t = loop->timers; t; t = t->next)
		if (t->due >= 0 && (first < 0 || t->due < first))
			first = t->due;
	if (first == loop->timer_armed)
		return;
	loop->timer_armed = first;
	if (first >= 0) {
		spec.it_value.tv_sec = first / 1000;
		spec.it_value.tv_nsec = first % 1000 * 1000000 + 1;	/* 0 would disarm */
	}
	timerfd_settime (loop->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

/* The one that has been due for longest. */
static struct vh_timer *
timers_due (struct vh_loop *loop, int64_t now)
{
	struct vh_timer *first = NULL;

	for (struct vh_timer *t = loop->timers; t; t = t->next)
		if (t->due >= 0 && t->due <= now && (!first || t->due < first->due))
			first = t;
	return first;
}

static void
timers_fire (void *opaque, uint32_t events)
{
	struct vh_loop *loop = opaque;
	struct vh_timer *t;
	uint64_t count;
	int64_t now = clock_ms ();

	if (read (loop->timer_fd, &count, sizeof (count)) < 0 && errno != EAGAIN)
		return;
	loop->timer_armed = -1;
	/* A callback may remove any timer, so begin again after each; one that sets itself anew is due later than now. */
	while ((t = timers_due (loop, now))) {
		t->due = -1;
		t->fn (t->opaque);
		loop->ran++;
	}
	timers_arm (loop);
}

int
vh_loop_add_timer (struct vh_loop *loop, vh_timer_fn *fn, void *opaque, struct vh_timer **ret)
{
	struct vh_timer *t = calloc (1, sizeof (*t));

	if (!t)
		return -ENOMEM;
	t->loop = loop;
	t->fn = fn;
	t->opaque = opaque;
	t->due = -1;
	t->next = loop->timers;
	t->link = &loop->timers;
	if (t->next)
		t->next->link = &t->next;
	loop->timers = t;
	*ret = t;
	return 0;
}

void
vh_timer_set (struct vh_timer *t, int64_t ms)
{
	t->due = ms < 0 ? -1 : clock_ms () + ms + 1;
	timers_arm (t->loop);
}

void
vh_timer_remove (struct vh_timer *t)
{
	if (!t)
		return;
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	timers_arm (t->loop);
	free (t);
}

/* --- sources --- */

static int
source_watch (struct vh_loop *loop, struct vh_source *s, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };

	return epoll_ctl (loop->epoll_fd, EPOLL_CTL_ADD, s->fd, &ev) < 0 ? -errno : 0;
}

int
vh_loop_add_fd (struct vh_loop *loop, int fd, uint32_t events, vh_source_fn *fn, void *opaque, struct vh_source **ret)
{
	struct vh_source *s = calloc (1, sizeof (*s));
	int err;

	if (!s)
		return -ENOMEM;
	*s = (struct vh_source){ .loop = loop, .fd = fd, .fn = fn, .opaque = opaque };
	err = source_watch (loop, s, events);
	if (err < 0) {
		free (s);
		return err;
	}
	*ret = s;
	return 0;
}

int
vh_source_events (struct vh_source *s, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };

	return epoll_ctl (s->loop->epoll_fd, EPOLL_CTL_MOD, s->fd, &ev) < 0 ? -errno : 0;
}

static void
sources_free_removed (struct vh_loop *loop)
{
	while (loop->removed) {
		struct vh_source *s = loop->removed;

		loop->removed = s->next_removed;
		free (s);
	}
}

void
vh_source_remove (struct vh_source *s)
{
	if (!s)
		return;
	epoll_ctl (s->loop->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
	s->fn = NULL;
	s->next_removed = s->loop->removed;
	s->loop->removed = s;
	if (s->loop->depth == 0)
		sources_free_removed (s->loop);
}

/* --- the loop --- */

static int
loop_open (struct vh_loop *loop)
{
	loop->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return -errno;
	loop->mail_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->mail_fd < 0)
		return -errno;
	loop->timer_fd = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (loop->timer_fd < 0)
		return -errno;
	loop->mail_source = (struct vh_source){ .loop = loop, .fd = loop->mail_fd, .fn = mail_deliver, .opaque = loop };
	loop->timer_source = (struct vh_source){ .loop = loop, .fd = loop->timer_fd, .fn = timers_fire, .opaque = loop };
	return source_watch (loop, &loop->mail_source, EPOLLIN) ?: source_watch (loop, &loop->timer_source, EPOLLIN);
}

int
vh_loop_new (struct vh_loop **ret)
{
	struct vh_loop *loop = lines_alloc (sizeof (*loop));
	int err;

	if (!loop)
		return -ENOMEM;
	loop->epoll_fd = loop->mail_fd = loop->timer_fd = -1;
	loop->timer_armed = -1;
	err = loop_open (loop);
	if (err < 0) {
		vh_loop_free (loop);
		return err;
	}
	*ret = loop;
	return 0;
}

void
vh_loop_free (struct vh_loop *loop)
{
	if (!loop)
		return;
	loop->freed = true;
	if (loop->depth > 0)
		return;
	sources_free_removed (loop);
	fd_close (&loop->timer_fd);
	fd_close (&loop->mail_fd);
	fd_close (&loop->epoll_fd);
	free (loop);
}

int
vh_loop_fd (const struct vh_loop *loop)
{
	return loop->epoll_fd;
}

static void
loop_deliver (struct vh_loop *loop, const struct epoll_event *events, int n)
{
	for (int i = 0; i < n; i++) {
		struct vh_source *s = events[i].data.ptr;

		if (!s->fn)
			continue;
		if (s != &loop->mail_source && s != &loop->timer_source)
			loop->ran++;
		s->fn (s->opaque, events[i].events);
	}
}

int
vh_loop_dispatch (struct vh_loop *loop, int timeout_ms)
{
	struct epoll_event events[EVENTS_PER_WAIT];
	int n = 0, wait_ms, ran;

	loop->depth++;
	loop->ran = 0;
	wait_ms = polling_before_wait (loop, timeout_ms);
	if (wait_ms != POLL_DONE)
		n = epoll_wait (loop->epoll_fd, events, EVENTS_PER_WAIT, wait_ms);
	if (n > 0)
		polling_after_wait (&loop->polling);
	if (n < 0)
		ran = errno == EINTR ? 0 : -errno;
	else {
		loop_deliver (loop, events, n);
		ran = loop->ran;
	}
	if (timeout_ms == 0)
		polling_after_dispatch (loop);
	if (--loop->depth == 0) {
		sources_free_removed (loop);
		if (loop->freed)
			vh_loop_free (loop);
	}
	return ran;
}
