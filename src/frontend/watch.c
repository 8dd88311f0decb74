/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One fd for an event loop of any kind: an epoll set with the two sockets and a timer.  It is only a bell; what is to be done is looked up in the object.
 *
 * It is made when somebody asks for it: whoever only makes calls that wait pays nothing.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "frontend/frontend.h"
#include "util/fd.h"

void
watch_init (struct watch *w)
{
	*w = (struct watch){ .epoll_fd = -1, .timer_fd = -1, .due = -1 };
}

void
watch_close (struct watch *w)
{
	fd_close (&w->timer_fd);
	fd_close (&w->epoll_fd);
}

static int
watch_add (struct watch *w, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events };

	return epoll_ctl (w->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

static int
watch_open (struct watch *w)
{
	int err;

	w->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
	if (w->epoll_fd < 0)
		return -errno;
	w->timer_fd = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	err = w->timer_fd < 0 ? -errno : watch_add (w, w->timer_fd, EPOLLIN);
	if (err < 0)
		watch_close (w);
	return err;
}

/* --- the sockets --- */

/* Always for reading: the end of the connection is news, too. */
static void
watch_main (struct vh_frontend *f)
{
	struct epoll_event ev = { .events = f->leaving ? EPOLLIN | EPOLLOUT : EPOLLIN };
	struct watch *w = &f->watch;

	if (f->main.fd < 0 || w->main_events == ev.events)
		return;
	if (epoll_ctl (w->epoll_fd, w->main_events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, f->main.fd, &ev) == 0)
		w->main_events = ev.events;
}

static void
watch_backend (struct vh_frontend *f)
{
	if (f->backend.fd >= 0 && !f->watch.backend)
		f->watch.backend = watch_add (&f->watch, f->backend.fd, EPOLLIN) == 0;
}

/* Told to the kernel, for the description may have other fds. */
void
watch_forget (struct vh_frontend *f, const struct channel *c)
{
	struct watch *w = &f->watch;

	if (w->epoll_fd < 0 || c->fd < 0)
		return;
	epoll_ctl (w->epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
	if (c == &f->main)
		w->main_events = 0;
	else
		w->backend = false;
}

/* --- time --- */

/* When there is something to do whatever the sockets say; 0: now; -1: never. */
static int64_t
next_due (const struct vh_frontend *f)
{
	if (f->first)
		return f->first->settled ? 0 : f->deadline;
	return f->main.fd < 0 && !f->end_told ? 0 : -1;
}

/*
 * Will the timer ring, though for nothing, before it has to?  Then it is set anew when it has rung: calls come and end all the time, and hardly one is late.
 * Not when it rings just now, for only setting it ends that.
 */
static bool
rings_early (const struct watch *w, int64_t due)
{
	return w->due > clock_coarse_ms () + CLOCK_LAG_MS && (due < 0 || due > w->due);
}

static void
watch_timer (struct vh_frontend *f)
{
	int64_t due = next_due (f);
	struct itimerspec spec = { 0 };

	if (due == f->watch.due || rings_early (&f->watch, due))
		return;
	f->watch.due = due;
	if (due >= 0) {
		spec.it_value.tv_sec = due / 1000;
		spec.it_value.tv_nsec = due % 1000 * 1000000 + 1;	/* 0 would disarm */
	}
	/* Setting it anew also forgets that it has fired. */
	timerfd_settime (f->watch.timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

void
watch_update (struct vh_frontend *f)
{
	if (f->watch.epoll_fd < 0)
		return;
	watch_main (f);
	watch_backend (f);
	watch_timer (f);
}

int
vh_frontend_fd (struct vh_frontend *f)
{
	int err = 0;

	if (f->watch.epoll_fd < 0)
		err = watch_open (&f->watch);
	if (err < 0)
		return error_set (&f->error, err, "an fd for the event loop");
	watch_update (f);
	return f->watch.epoll_fd;
}
