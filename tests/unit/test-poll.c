/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loops that look for work before they sleep.  Nothing here depends on how long that takes: where time must be over it is a microsecond, where it must not
 * it is an hour.
 */
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/suite.h"
#include "util/loop.h"

#define HOUR 3600000000u

/* A source of work that counts what is asked of it. */
struct worker {
	struct loop_poller poller;
	unsigned work;		/* what there is to do */
	unsigned at_look;	/* there is some when it is looked at that often; 0: never */
	unsigned at_rest;	/* there is some when it is to rest that often; 0: never */
	unsigned looks, runs, rests;
	bool polls;		/* in the last run: loop_polls */
	bool leaves;		/* removes itself when it runs */
	struct worker *removes;	/* removes another when it runs */
};

static bool
worker_look (void *opaque)
{
	struct worker *w = opaque;

	if (++w->looks == w->at_look)
		w->work++;
	return w->work > 0;
}

static void
worker_run (void *opaque)
{
	struct worker *w = opaque;

	w->runs++;
	w->work = 0;
	w->polls = loop_polls (w->poller.loop);
	if (w->removes)
		loop_poller_remove (&w->removes->poller);
	if (w->leaves)
		loop_poller_remove (&w->poller);
}

static bool
worker_rest (void *opaque)
{
	struct worker *w = opaque;

	return ++w->rests == w->at_rest;
}

static struct vh_loop *loop;

static void
begin (struct worker *w, unsigned n, unsigned poll_us)
{
	CU_ASSERT_EQUAL_FATAL (vh_loop_new (&loop), 0);
	vh_loop_set_poll (loop, poll_us);
	CU_ASSERT_EQUAL (loop_may_poll (loop), poll_us > 0);
	for (unsigned i = 0; i < n; i++) {
		memset (&w[i], 0, sizeof (w[i]));
		w[i].poller = (struct loop_poller){ .look = worker_look, .run = worker_run, .rest = worker_rest, .opaque = &w[i] };
		loop_poller_add (loop, &w[i].poller);
	}
}

static void
end (struct worker *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		loop_poller_remove (&w[i].poller);
	vh_loop_free (loop);
}

static void
work_is_found_by_looking (void)
{
	struct worker w[2];

	begin (w, 2, HOUR);
	w[1].at_look = 5000;	/* more often than it looks between two looks at fds */
	while (w[1].runs == 0)
		CU_ASSERT_FATAL (vh_loop_dispatch (loop, -1) >= 0);
	CU_ASSERT_EQUAL (w[1].looks, 5000);
	CU_ASSERT (w[1].polls);
	CU_ASSERT_EQUAL (w[0].runs, 0);
	CU_ASSERT_EQUAL (w[0].rests + w[1].rests, 0);
	end (w, 2);
}

static void
runs_are_counted (void)
{
	struct worker w[3];

	begin (w, 3, HOUR);
	w[0].work = w[2].work = 1;
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, -1), 2);
	CU_ASSERT_EQUAL (w[0].runs + w[2].runs, 2);
	CU_ASSERT_EQUAL (w[1].runs, 0);
	end (w, 3);
}

/* Before it sleeps, each is to rest, once, until it has had work again. */
static void
it_rests_before_it_sleeps (void)
{
	struct worker w[2];

	begin (w, 2, 1);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 1), 0);
	CU_ASSERT_EQUAL (w[0].rests, 1);
	CU_ASSERT_EQUAL (w[1].rests, 1);
	w[0].work = 1;
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 1), 1);
	for (unsigned i = 0; i < 3; i++)
		vh_loop_dispatch (loop, 1);
	CU_ASSERT_EQUAL (w[0].rests, 2);
	CU_ASSERT_EQUAL (w[1].rests, 1);
	/* Work that it got by an event. */
	loop_poller_awake (&w[1].poller);
	for (unsigned i = 0; i < 3; i++)
		vh_loop_dispatch (loop, 1);
	CU_ASSERT_EQUAL (w[1].rests, 2);
	end (w, 2);
}

/* What comes while it is about to rest is run, and it does not sleep: without a timeout, this would hang. */
static void
work_at_the_last_moment (void)
{
	struct worker w;

	begin (&w, 1, 1);
	w.at_rest = 1;
	while (w.runs == 0)
		CU_ASSERT_FATAL (vh_loop_dispatch (loop, -1) >= 0);
	CU_ASSERT_EQUAL (w.rests, 1);
	end (&w, 1);
}

/* A loop that may not wait does not look for long either; its pollers rest when it returns. */
static void
without_waiting (void)
{
	struct worker w;

	begin (&w, 1, HOUR);
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 0), 0);
	CU_ASSERT_EQUAL (w.looks, 1);
	CU_ASSERT_EQUAL (w.rests, 1);
	w.work = 1;
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 0), 1);
	CU_ASSERT_FALSE (w.polls);
	CU_ASSERT_EQUAL (w.rests, 2);
	end (&w, 1);
}

static bool
is_readable (int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int set = epoll_create1 (EPOLL_CLOEXEC), n;

	CU_ASSERT_EQUAL (epoll_ctl (set, EPOLL_CTL_ADD, fd, &event), 0);
	n = epoll_wait (set, &event, 1, 0);
	close (set);
	return n == 1;
}

/* One that no event wakes: a loop that has time looks for ever, and one that has not says by its fd that it must be dispatched again. */
static void
looking_for_ever (void)
{
	struct worker w;

	begin (&w, 1, 0);
	w.poller.rest = NULL;
	w.at_look = 100000;
	while (w.runs == 0)
		CU_ASSERT_FATAL (vh_loop_dispatch (loop, -1) >= 0);
	CU_ASSERT_FALSE (w.polls);
	for (unsigned i = 0; i < 3; i++) {
		vh_loop_dispatch (loop, 0);
		CU_ASSERT (is_readable (vh_loop_fd (loop)));
	}
	loop_poller_remove (&w.poller);
	vh_loop_dispatch (loop, 0);
	vh_loop_dispatch (loop, 0);
	CU_ASSERT_FALSE (is_readable (vh_loop_fd (loop)));
	end (&w, 0);
}

static unsigned heard;

static void
hear (void *opaque)
{
	heard++;
}

static void
hear_fd (void *opaque, uint32_t events)
{
	heard++;
}

/* A ring that is busy all the time does not keep the loop from its mail and its fds. */
static void
others_have_their_turn (void)
{
	struct vh_mail mail = { .fn = hear };
	struct vh_source *source;
	struct worker w;
	int fd = eventfd (1, EFD_CLOEXEC);

	begin (&w, 1, HOUR);
	heard = 0;
	vh_loop_post (loop, &mail);
	for (unsigned i = 0; i < 100 && heard == 0; i++) {
		w.work = 1;
		vh_loop_dispatch (loop, -1);
	}
	CU_ASSERT_EQUAL (heard, 1);
	CU_ASSERT_EQUAL (vh_loop_add_fd (loop, fd, EPOLLIN | EPOLLET, hear_fd, NULL, &source), 0);
	for (unsigned i = 0; i < 100 && heard == 1; i++) {
		w.work = 1;
		vh_loop_dispatch (loop, -1);
	}
	CU_ASSERT_EQUAL (heard, 2);
	/* Nor does one that has nothing, for the hour that the loop would look. */
	vh_loop_post (loop, &mail);
	CU_ASSERT (vh_loop_dispatch (loop, -1) >= 1);
	CU_ASSERT_EQUAL (heard, 3);
	vh_source_remove (source);
	end (&w, 1);
	close (fd);
}

static void
pollers_that_leave (void)
{
	struct worker w[3];

	begin (w, 3, HOUR);	/* the last one is looked at first */
	w[2].work = w[1].work = w[0].work = 1;
	w[2].leaves = true;
	w[1].removes = &w[0];
	while (w[1].runs == 0)
		CU_ASSERT_FATAL (vh_loop_dispatch (loop, -1) >= 0);
	CU_ASSERT_EQUAL (w[2].runs, 1);
	CU_ASSERT_PTR_NULL (w[2].poller.loop);
	CU_ASSERT_PTR_NULL (w[0].poller.loop);
	CU_ASSERT_EQUAL (w[0].runs, 0);
	end (w, 3);
}

/* A callback that dispatches the loop itself must not be run again by that, and all must have their events on. */
static void
dispatch_inside_a_callback (void *opaque)
{
	struct worker *w = opaque;

	w->runs++;
	w->work = 1;
	loop_poller_awake (&w->poller);
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 1), 0);
	w->work = 0;
}

static void
nested (void)
{
	struct worker w;

	begin (&w, 1, HOUR);
	w.poller.run = dispatch_inside_a_callback;
	w.work = 1;
	vh_loop_dispatch (loop, -1);
	CU_ASSERT_EQUAL (w.runs, 1);
	CU_ASSERT_EQUAL (w.rests, 1);
	end (&w, 1);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "work is found by looking", work_is_found_by_looking },
		{ "runs are counted", runs_are_counted },
		{ "it rests before it sleeps", it_rests_before_it_sleeps },
		{ "work at the last moment", work_at_the_last_moment },
		{ "without waiting", without_waiting },
		{ "looking for ever", looking_for_ever },
		{ "others have their turn", others_have_their_turn },
		{ "pollers that leave", pollers_that_leave },
		{ "nested", nested },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("poll", tests);
}
