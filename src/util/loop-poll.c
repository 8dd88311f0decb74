/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Looking for work before sleeping, for a bounded time.
 *
 * The time adapts: it is halved when it passed in vain, and it is doubled when work came soon after it - within the time that the loop may look at most.  So
 * a loop whose work comes seldom costs little, and one whose work comes often does not sleep.
 */
#include "util/loop-private.h"

#include "util/fd.h"

/* Looks between two readings of the clock, and between two looks at the fds: these take far longer. */
#define LOOKS_PER_CLOCK 16
#define LOOKS_PER_WAIT 256

/* Dispatches that only ran pollers before one that looks at the fds, too. */
#define BUSY_DISPATCHES 16

/* The time does not become shorter than this part of what is allowed, or it would never become longer. */
#define LEAST_PART 16

void
vh_loop_set_poll (struct vh_loop *loop, unsigned us)
{
	loop->polling.most_ns = loop->polling.now_ns = (int64_t) us * 1000;
}

/* --- pollers --- */

void
loop_poller_add (struct vh_loop *loop, struct loop_poller *p)
{
	struct loop_poller **first = &loop->polling.pollers;

	p->loop = loop;
	p->awake = true;
	p->next = *first;
	p->link = first;
	if (p->next)
		p->next->link = &p->next;
	*first = p;
}

void
loop_poller_remove (struct loop_poller *p)
{
	if (!p->loop)
		return;
	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
	p->loop = NULL;
}

bool
loop_may_poll (const struct vh_loop *loop)
{
	return loop->polling.most_ns > 0;
}

bool
loop_polls (const struct vh_loop *loop)
{
	return loop->polling.active && loop->polling.most_ns > 0;
}

/* Is there one that no event wakes? */
static bool
polling_for_ever (const struct loop_polling *polling)
{
	for (const struct loop_poller *p = polling->pollers; p; p = p->next)
		if (!p->rest)
			return true;
	return false;
}

/* --- looking --- */

static inline void
cpu_relax (void)
{
#if defined __x86_64__ || defined __i386__
	__builtin_ia32_pause ();
#elif defined __aarch64__
	__asm__ volatile("yield");
#endif
}

/* Runs all that have something; a callback may remove any of them, so the next one is had after each. */
static int
polling_look (struct loop_polling *polling)
{
	int ran = 0;

	for (struct loop_poller *p = polling->pollers, *next; p; p = next) {
		if (p->look (p->opaque)) {
			p->awake = true;
			p->run (p->opaque);
			ran++;
		}
		next = p->loop ? p->next : NULL;
	}
	return ran;
}

/* Events are to tell from now on.  True: one has something already, and has run. */
static bool
polling_rest (struct loop_polling *polling)
{
	bool more = false;

	for (struct loop_poller *p = polling->pollers, *next; p; p = next) {
		if (p->rest && p->awake) {
			p->awake = false;
			if (p->rest (p->opaque)) {
				p->awake = true;
				p->run (p->opaque);
				more = true;
			}
		}
		next = p->loop ? p->next : NULL;
	}
	return more;
}

static void
polling_in_vain (struct loop_polling *polling, int64_t now)
{
	polling->until = 0;
	polling->slept_at = now;
	polling->now_ns /= 2;
	if (polling->now_ns < polling->most_ns / LEAST_PART)
		polling->now_ns = polling->most_ns / LEAST_PART;
}

void
polling_after_wait (struct loop_polling *polling)
{
	if (!polling->slept_at)
		return;
	/* Something came soon after looking was given up: it pays to look longer. */
	if (clock_ns () - polling->slept_at < polling->most_ns)
		polling->now_ns = polling->now_ns * 2 < polling->most_ns ? polling->now_ns * 2 : polling->most_ns;
	polling->slept_at = 0;
}

/* Some have run: fds are looked at only now and then. */
static int
polling_found (struct vh_loop *loop, int ran)
{
	struct loop_polling *polling = &loop->polling;

	loop->ran += ran;
	polling->until = 0;
	if (++polling->busy < BUSY_DISPATCHES)
		return POLL_DONE;
	polling->busy = 0;
	return 0;
}

/* Is the time over?  It began when something was last found. */
static bool
polling_is_over (struct loop_polling *polling)
{
	int64_t now = clock_ns ();

	if (!polling->until)
		polling->until = now + polling->now_ns;
	if (now < polling->until || polling_for_ever (polling))
		return false;
	polling_in_vain (polling, now);
	return true;
}

static int
polling_spin (struct vh_loop *loop, int timeout_ms)
{
	struct loop_polling *polling = &loop->polling;

	for (unsigned looks = 0; looks < LOOKS_PER_WAIT; looks++) {
		int ran = polling_look (polling);

		if (ran > 0)
			return polling_found (loop, ran);
		if (__atomic_load_n (&loop->mail, __ATOMIC_RELAXED))
			return 0;
		if (looks % LOOKS_PER_CLOCK == 0 && polling_is_over (polling))
			return polling_rest (polling) ? POLL_DONE : timeout_ms;
		cpu_relax ();
	}
	return 0;	/* for the fds; then it goes on */
}

static void
bell_heard (void *opaque)
{
	((struct vh_loop *) opaque)->polling.bell_rung = false;
}

/* A look without waiting. */
static int
polling_glance (struct vh_loop *loop)
{
	loop->ran += polling_look (&loop->polling);
	polling_rest (&loop->polling);
	return 0;
}

int
polling_before_wait (struct vh_loop *loop, int timeout_ms)
{
	/* Not inside a callback: its own poller may be the one that has something. */
	loop->polling.active = loop->depth == 1 && timeout_ms != 0;
	if (!loop->polling.pollers)
		return timeout_ms;
	if (loop->polling.active)
		return polling_spin (loop, timeout_ms);
	if (loop->depth == 1)
		return polling_glance (loop);
	return polling_rest (&loop->polling) ? 0 : timeout_ms;
}

void
polling_after_dispatch (struct vh_loop *loop)
{
	struct loop_polling *polling = &loop->polling;

	if (polling->bell_rung || !polling_for_ever (polling))
		return;
	polling->bell_rung = true;
	polling->bell = (struct vh_mail){ .fn = bell_heard, .opaque = loop };
	vh_loop_post (loop, &polling->bell);
}
