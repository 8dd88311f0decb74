/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event loop: timers, and mail from other threads.
 */
#include <pthread.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
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

/* --- timers --- */

static unsigned order[8], n_order;

struct alarm {
	struct vh_timer *timer;
	unsigned number;
	struct alarm *victim;
	int again_ms;	/* sets itself anew; < 0: not */
};

static void
fired (void *opaque)
{
	struct alarm *a = opaque;

	if (n_order < 8)
		order[n_order++] = a->number;
	if (a->victim) {
		vh_timer_remove (a->victim->timer);
		a->victim->timer = NULL;
	}
	if (a->again_ms >= 0)
		vh_timer_set (a->timer, a->again_ms);
}

static void
set_alarm (struct alarm *a, unsigned number, int64_t ms)
{
	*a = (struct alarm){ .number = number, .again_ms = -1 };
	CU_ASSERT_EQUAL_FATAL (vh_loop_add_timer (loop, fired, a, &a->timer), 0);
	vh_timer_set (a->timer, ms);
}

static void
until_fired (unsigned n)
{
	for (unsigned i = 0; i < 1000 && n_order < n; i++)
		CU_ASSERT_TRUE (vh_loop_dispatch (loop, 1000) >= 0);
}

static void
timers_fire_once_and_in_order (void)
{
	struct alarm a, b, c;

	begin ();
	n_order = 0;
	set_alarm (&a, 1, 400);
	set_alarm (&b, 2, 0);
	set_alarm (&c, 3, 200);
	until_fired (3);
	CU_ASSERT_TRUE (n_order == 3 && order[0] == 2 && order[1] == 3 && order[2] == 1);
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 60), 0);
	vh_timer_remove (a.timer);
	vh_timer_remove (b.timer);
	vh_timer_remove (c.timer);
	end ();
}

static void
a_timer_is_set_anew_and_put_to_rest (void)
{
	struct alarm a, b;

	begin ();
	n_order = 0;
	set_alarm (&a, 1, 10);
	set_alarm (&b, 2, 20);
	vh_timer_set (a.timer, 1000000);
	until_fired (1);
	CU_ASSERT_TRUE (n_order == 1 && order[0] == 2);
	vh_timer_set (b.timer, 10);
	vh_timer_set (b.timer, -1);
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 30), 0);
	vh_timer_set (a.timer, 0);
	until_fired (2);
	CU_ASSERT_EQUAL (order[1], 1);
	vh_timer_remove (a.timer);
	vh_timer_remove (b.timer);
	vh_timer_remove (NULL);
	end ();
}

static void
a_timer_that_sets_itself_leaves_room_for_others (void)
{
	struct alarm a;

	begin ();
	n_order = 0;
	set_alarm (&a, 1, 0);
	a.again_ms = 0;
	/* Due again at once, it still fires once in a dispatch. */
	until_fired (1);
	CU_ASSERT_EQUAL (n_order, 1);
	until_fired (2);
	CU_ASSERT_EQUAL (n_order, 2);
	vh_timer_remove (a.timer);
	end ();
}

static void
timers_remove_themselves_and_each_other (void)
{
	struct alarm a, b, c;

	begin ();
	n_order = 0;
	set_alarm (&a, 1, 0);
	set_alarm (&b, 2, 5);
	set_alarm (&c, 3, 10);
	a.victim = &b;
	c.victim = &c;
	until_fired (2);
	CU_ASSERT_TRUE (n_order == 2 && order[0] == 1 && order[1] == 3);
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 20), 0);
	vh_timer_remove (a.timer);
	end ();
}

/* --- mail --- */

#define SENDERS 4
#define LETTERS 5000

struct letter {
	struct vh_mail mail;
	unsigned sender, number;
};

static struct letter letters[SENDERS][LETTERS];
static unsigned next_number[SENDERS], delivered, out_of_order;

static void
delivery (void *opaque)
{
	struct letter *l = opaque;

	out_of_order += l->number != next_number[l->sender];
	next_number[l->sender]++;
	delivered++;
}

static void *
send_letters (void *opaque)
{
	struct letter *l = opaque;

	for (unsigned i = 0; i < LETTERS; i++)
		vh_loop_post (loop, &l[i].mail);
	return NULL;
}

static void
mail_from_many_threads_arrives_in_each_ones_order (void)
{
	pthread_t threads[SENDERS];

	begin ();
	delivered = out_of_order = 0;
	for (unsigned s = 0; s < SENDERS; s++) {
		next_number[s] = 0;
		for (unsigned i = 0; i < LETTERS; i++)
			letters[s][i] = (struct letter){ .mail = { .fn = delivery, .opaque = &letters[s][i] }, .sender = s, .number = i };
		CU_ASSERT_EQUAL_FATAL (pthread_create (&threads[s], NULL, send_letters, letters[s]), 0);
	}
	while (delivered < SENDERS * LETTERS)
		CU_ASSERT_TRUE_FATAL (vh_loop_dispatch (loop, 10000) > 0);
	for (unsigned s = 0; s < SENDERS; s++)
		pthread_join (threads[s], NULL);
	CU_ASSERT_EQUAL (delivered, SENDERS * LETTERS);
	CU_ASSERT_EQUAL (out_of_order, 0);
	/* The bell may have rung once more than there was mail. */
	vh_loop_dispatch (loop, 0);
	CU_ASSERT_EQUAL (vh_loop_dispatch (loop, 0), 0);
	end ();
}

struct echo {
	struct vh_mail mail;
	unsigned left, calls;
};

static void
echoed (void *opaque)
{
	struct echo *e = opaque;

	e->calls++;
	if (e->left-- > 0)
		vh_loop_post (loop, &e->mail);
}

static void
heard (void *opaque, uint32_t events)
{
	++*(unsigned *) opaque;
}

static void
mail_that_is_posted_again_by_its_own_delivery (void)
{
	struct echo e = { .mail = { .fn = echoed, .opaque = &e }, .left = 10 };
	struct vh_source *source;
	unsigned heard_calls = 0;
	int fd;

	begin ();
	fd = eventfd (1, EFD_CLOEXEC);
	CU_ASSERT_EQUAL (vh_loop_add_fd (loop, fd, EPOLLIN, heard, &heard_calls, &source), 0);
	vh_loop_post (loop, &e.mail);
	/* It does not keep others out. */
	CU_ASSERT_TRUE (vh_loop_dispatch (loop, 0) >= 1);
	CU_ASSERT_TRUE (e.calls >= 1 && e.calls < 10);
	for (unsigned i = 0; i < 20; i++)
		vh_loop_dispatch (loop, 0);
	CU_ASSERT_EQUAL (e.calls, 11);
	CU_ASSERT_TRUE (heard_calls >= 10);
	vh_source_remove (source);
	close (fd);
	end ();
}

static void
mail_to_a_loop_that_waits (void)
{
	pthread_t thread;

	begin ();
	delivered = 0;
	next_number[0] = 0;
	letters[0][0] = (struct letter){ .mail = { .fn = delivery, .opaque = &letters[0][0] } };
	for (unsigned i = 1; i < LETTERS; i++)
		letters[0][i] = (struct letter){ .mail = { .fn = delivery, .opaque = &letters[0][i] }, .number = i };
	CU_ASSERT_EQUAL_FATAL (pthread_create (&thread, NULL, send_letters, letters[0]), 0);
	/* Without limit: mail that did not wake the loop would hang here. */
	while (delivered < LETTERS)
		CU_ASSERT_TRUE_FATAL (vh_loop_dispatch (loop, -1) >= 0);
	pthread_join (thread, NULL);
	end ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "timers fire once, and in order", timers_fire_once_and_in_order },
		{ "a timer is set anew, and put to rest", a_timer_is_set_anew_and_put_to_rest },
		{ "a timer that sets itself leaves room for others", a_timer_that_sets_itself_leaves_room_for_others },
		{ "timers remove themselves and each other", timers_remove_themselves_and_each_other },
		{ "mail from many threads arrives in each one's order", mail_from_many_threads_arrives_in_each_ones_order },
		{ "mail that is posted again by its own delivery", mail_that_is_posted_again_by_its_own_delivery },
		{ "mail to a loop that waits", mail_to_a_loop_that_waits },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("timers and mail", tests);
}
