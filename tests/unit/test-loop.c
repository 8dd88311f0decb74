/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event loop: fds under watch, removed from inside a callback; and the loop itself, freed there.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <vhost/loop.h>

#include "tests/suite.h"

static struct vh_loop *loop;
static int fds_before;

static void
begin (void)
{
	fds_before = suite_open_fds ();
	CU_ASSERT_EQUAL_FATAL (vh_loop_new (&loop), 0);
}

static void
end (void)
{
	vh_loop_free (loop);
	CU_ASSERT_EQUAL (suite_open_fds (), fds_before);
}

static bool
readable (int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll (&p, 1, 0) == 1;
}

/* An fd with its source; counts what it hears. */
struct listener {
	int fd;
	struct vh_source *source;
	unsigned calls;
	uint32_t events;
	struct listener *victim;	/* to remove when called */
	bool drain;			/* read the eventfd when called */
};

static void
heard (void *opaque, uint32_t events)
{
	struct listener *l = opaque;
	uint64_t n;

	l->calls++;
	l->events = events;
	if (l->drain)
		CU_ASSERT_EQUAL (read (l->fd, &n, sizeof (n)), sizeof (n));
	if (l->victim) {
		vh_source_remove (l->victim->source);
		l->victim->source = NULL;
		l->victim = NULL;
	}
}

/* Listens to an eventfd that is ready if `count` is not 0. */
static void
listen_to (struct listener *l, unsigned count, uint32_t events)
{
	*l = (struct listener){ .fd = eventfd (count, EFD_CLOEXEC | EFD_NONBLOCK) };
	CU_ASSERT_EQUAL_FATAL (vh_loop_add_fd (loop, l->fd, events, heard, l, &l->source), 0);
}

static void
forget (struct listener *l)
{
	vh_source_remove (l->source);
	close (l->fd);
}

static void
ring (struct listener *l)
{
	uint64_t one = 1;

	CU_ASSERT_EQUAL (write (l->fd, &one, sizeof (one)), sizeof (one));
}

/* --- fds --- */

static void
the_loops_fd_says_when_to_dispatch (void)
{
	struct listener l;

	begin ();
	listen_to (&l, 0, EPOLLIN);
	CU_ASSERT_FALSE (readable (vh_loop_fd (loop)));
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 0), 0);
	ring (&l);
	CU_ASSERT_TRUE (readable (vh_loop_fd (loop)));
	l.drain = true;
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, -1), 1);
	CU_ASSERT_TRUE (l.calls == 1 && l.events == EPOLLIN);
	CU_ASSERT_FALSE (readable (vh_loop_fd (loop)));
	forget (&l);
	end ();
}

static void
level_and_edge (void)
{
	struct listener level, edge;

	begin ();
	listen_to (&level, 1, EPOLLIN);
	listen_to (&edge, 1, EPOLLIN | EPOLLET);
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 0), 2);
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 0), 1);
	CU_ASSERT_TRUE (level.calls == 2 && edge.calls == 1);
	/* Each write is an edge, though nobody has read. */
	ring (&edge);
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 0), 2);
	CU_ASSERT_EQUAL (edge.calls, 2);
	forget (&level);
	forget (&edge);
	end ();
}

static void
events_can_be_changed (void)
{
	struct listener l;

	begin ();
	listen_to (&l, 1, EPOLLIN);
	CU_ASSERT_EQUAL (vh_source_events (l.source, 0), 0);
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 0), 0);
	CU_ASSERT_EQUAL (vh_source_events (l.source, EPOLLOUT), 0);
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 0), 1);
	CU_ASSERT_EQUAL (l.events, EPOLLOUT);
	forget (&l);
	end ();
}

static void
fds_that_cannot_be_watched (void)
{
	struct vh_source *source = NULL;
	int file = memfd_create ("file", MFD_CLOEXEC);
	struct listener l;

	begin ();
	listen_to (&l, 0, EPOLLIN);
	CU_ASSERT_EQUAL (vh_loop_add_fd (loop, file, EPOLLIN, heard, NULL, &source), -EPERM);
	CU_ASSERT_EQUAL (vh_loop_add_fd (loop, l.fd, EPOLLIN, heard, NULL, &source), -EEXIST);
	CU_ASSERT_EQUAL (vh_loop_add_fd (loop, -1, EPOLLIN, heard, NULL, &source), -EBADF);
	CU_ASSERT_PTR_NULL (source);
	vh_source_remove (NULL);
	forget (&l);
	end ();
	close (file);
}

#define MANY 300

static void
more_fds_than_one_wait_returns (void)
{
	static struct listener many[MANY];
	unsigned calls = 0;

	begin ();
	for (unsigned i = 0; i < MANY; i++) {
		listen_to (&many[i], 1, EPOLLIN);
		many[i].drain = true;
	}
	for (unsigned i = 0; i < MANY; i++)
		vh_loop_dispatch (loop, 0);
	for (unsigned i = 0; i < MANY; i++) {
		calls += many[i].calls == 1;
		forget (&many[i]);
	}
	CU_ASSERT_EQUAL (calls, MANY);
	end ();
}

static void
a_source_removes_itself (void)
{
	struct listener l;

	begin ();
	listen_to (&l, 1, EPOLLIN);
	l.victim = &l;
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 0), 1);
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 0), 0);
	CU_ASSERT_EQUAL (l.calls, 1);
	close (l.fd);
	end ();
}

static void
a_source_removes_another_that_is_ready_too (void)
{
	struct listener a, b;

	begin ();
	listen_to (&a, 1, EPOLLIN);
	listen_to (&b, 1, EPOLLIN);
	a.victim = &b;
	b.victim = &a;
	/* Whoever comes first is the only one. */
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 0), 1);
	CU_ASSERT_EQUAL (a.calls + b.calls, 1);
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 0), 1);
	forget (&a);
	forget (&b);
	end ();
}

static void
replaced (void *opaque, uint32_t events)
{
	struct listener *l = opaque;

	l->calls++;
	vh_source_remove (l->source);
	CU_ASSERT_EQUAL (vh_loop_add_fd (loop, l->fd, EPOLLIN, heard, l, &l->source), 0);
}

static void
a_source_is_replaced_by_another_on_the_same_fd (void)
{
	struct listener l = { .fd = -1 };

	begin ();
	l.fd = eventfd (1, EFD_CLOEXEC | EFD_NONBLOCK);
	CU_ASSERT_EQUAL (vh_loop_add_fd (loop, l.fd, EPOLLIN, replaced, &l, &l.source), 0);
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 0), 1);
	l.drain = true;
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 0), 1);
	CU_ASSERT_EQUAL (l.calls, 2);
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 0), 0);
	forget (&l);
	end ();
}

static void
dispatch_again (void *opaque, uint32_t events)
{
	struct listener *l = opaque;

	l->calls++;
	vh_source_remove (l->source);
	vh_loop_dispatch (loop, 0);
}

static void
a_callback_dispatches (void)
{
	struct listener inner, outer = { .fd = -1 };
	int fd;

	begin ();
	outer.fd = fd = eventfd (1, EFD_CLOEXEC | EFD_NONBLOCK);
	CU_ASSERT_EQUAL (vh_loop_add_fd (loop, outer.fd, EPOLLIN, dispatch_again, &outer, &outer.source), 0);
	listen_to (&inner, 1, EPOLLIN);
	inner.victim = &inner;
	CU_ASSERT_TRUE (vh_loop_dispatch (loop, 0) >= 1);
	CU_ASSERT_TRUE (outer.calls == 1 && inner.calls == 1);
	close (inner.fd);
	close (fd);
	end ();
}

/* --- the loop itself --- */

static struct listener last_listener;
static struct vh_timer *last_timer;

static void
free_all (void)
{
	vh_source_remove (last_listener.source);
	vh_timer_remove (last_timer);
	vh_loop_free (loop);
}

static void
freed_by_fd (void *opaque, uint32_t events)
{
	free_all ();
}

static void
freed_by_call (void *opaque)
{
	free_all ();
}

static void
the_loop_is_freed_by_a_source (void)
{
	begin ();
	last_listener.fd = eventfd (1, EFD_CLOEXEC);
	CU_ASSERT_EQUAL (vh_loop_add_fd (loop, last_listener.fd, EPOLLIN, freed_by_fd, NULL, &last_listener.source), 0);
	CU_ASSERT_EQUAL (vh_loop_add_timer (loop, freed_by_call, NULL, &last_timer), 0);
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, -1), 1);
	close (last_listener.fd);
	CU_ASSERT_EQUAL (suite_open_fds (), fds_before);
}

static void
the_loop_is_freed_by_a_timer (void)
{
	begin ();
	last_listener.source = NULL;
	CU_ASSERT_EQUAL (vh_loop_add_timer (loop, freed_by_call, NULL, &last_timer), 0);
	vh_timer_set (last_timer, 0);
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, -1), 1);
	CU_ASSERT_EQUAL (suite_open_fds (), fds_before);
}

static void
the_loop_is_freed_by_mail (void)
{
	struct vh_mail mail = { .fn = freed_by_call };

	begin ();
	last_listener.source = NULL;
	last_timer = NULL;
	vh_loop_post (loop, &mail);
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, -1), 1);
	CU_ASSERT_EQUAL (suite_open_fds (), fds_before);
}

static void
nothing (int number)
{
}

static void
a_signal_interrupts (void)
{
	struct itimerval often = { .it_interval.tv_usec = 1000, .it_value.tv_usec = 1000 }, never = { 0 };
	struct sigaction action = { .sa_handler = nothing }, old;

	begin ();
	sigaction (SIGALRM, &action, &old);
	setitimer (ITIMER_REAL, &often, NULL);
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, -1), 0);
	setitimer (ITIMER_REAL, &never, NULL);
	sigaction (SIGALRM, &old, NULL);
	end ();
}

static void
no_fd_is_left_for_a_loop (void)
{
	struct rlimit old, tight;
	struct vh_loop *none = NULL;
	int open_fds = suite_open_fds (), lowest = dup (0);

	close (lowest);
	getrlimit (RLIMIT_NOFILE, &old);
	tight = old;
	/* At each of the fds that it takes. */
	for (unsigned spare = 0; spare < 3; spare++) {
		tight.rlim_cur = (rlim_t) lowest + spare;
		setrlimit (RLIMIT_NOFILE, &tight);
		CU_ASSERT_EQUAL (vh_loop_new (&none), -EMFILE);
		setrlimit (RLIMIT_NOFILE, &old);
		CU_ASSERT_PTR_NULL (none);
		CU_ASSERT_EQUAL (suite_open_fds (), open_fds);
	}
	vh_loop_free (NULL);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "the loop's fd says when to dispatch", the_loops_fd_says_when_to_dispatch },
		{ "level and edge", level_and_edge },
		{ "events can be changed", events_can_be_changed },
		{ "fds that cannot be watched", fds_that_cannot_be_watched },
		{ "more fds than one wait returns", more_fds_than_one_wait_returns },
		{ "a source removes itself", a_source_removes_itself },
		{ "a source removes another that is ready, too", a_source_removes_another_that_is_ready_too },
		{ "a source is replaced by another on the same fd", a_source_is_replaced_by_another_on_the_same_fd },
		{ "a callback dispatches", a_callback_dispatches },
		{ "the loop is freed by a source", the_loop_is_freed_by_a_source },
		{ "the loop is freed by a timer", the_loop_is_freed_by_a_timer },
		{ "the loop is freed by mail", the_loop_is_freed_by_mail },
		{ "a signal interrupts", a_signal_interrupts },
		{ "no fd is left for a loop", no_fd_is_left_for_a_loop },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("event loop", tests);
}
