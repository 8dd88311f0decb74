/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls that do not wait: each has its own deadline and its own end, whatever the back-end does.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/wire/async-calls.h"

/* --- the end --- */

/* Does the script close the connection? */
static bool running_ends;

static void
script_answer_one (void)
{
	peer_expect ("0b000000 01000000 08000000 00000000 00000000", 0);
	peer_expect ("0b000000 01000000 08000000 01000000 00000000", 0);
	peer_expect ("0b000000 01000000 08000000 02000000 00000000", 0);
	peer_send ("0b000000 05000000 08000000 00000000 08000000");
	if (running_ends)
		peer_close (PEER_MAIN);
	else
		peer_expect_end (PEER_MAIN);
}

/* Three calls, of which the first is answered; then they end with `first` and -ECONNRESET, and what they would have filled in is left alone. */
static void
end_with (int first, unsigned timeout_ms)
{
	uint32_t base[3] = { 42, 42, 42 };

	begin (script_answer_one, timeout_ms);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL (vh_frontend_get_vring_base (number (i), i, &base[i]), 0);
	CU_ASSERT_EQUAL (loop_until (3), -ECONNRESET);
	CU_ASSERT_EQUAL (results[0], 0);
	CU_ASSERT_EQUAL (results[1], first);
	CU_ASSERT_EQUAL (results[2], -ECONNRESET);
	CU_ASSERT_EQUAL (base[0], 8);
	CU_ASSERT_EQUAL (base[1], 42);
	CU_ASSERT_EQUAL (base[2], 42);
	/* It was said; the fd must not say it for ever. */
	expect_quiet ();
	CU_ASSERT_EQUAL (vh_frontend_dispatch (frontend), -ECONNRESET);
	frontend_end ();
}

static void
test_never_answered (void)
{
	running_ends = false;
	end_with (-ETIMEDOUT, SHORT_MS);
}

static void
test_closed (void)
{
	running_ends = true;
	end_with (-ECONNRESET, PATIENCE_MS);
}

static void
script_leave (void)
{
	peer_await_test ();
	peer_close (PEER_MAIN);
}

static void
test_closed_at_rest (void)
{
	struct pollfd p = { .events = POLLIN };

	begin (script_leave, PATIENCE_MS);
	p.fd = vh_frontend_fd (frontend);
	expect_quiet ();
	frontend_go_on ();
	CU_ASSERT_EQUAL (poll (&p, 1, PATIENCE_MS), 1);
	CU_ASSERT_EQUAL (vh_frontend_dispatch (frontend), -ECONNRESET);
	expect_quiet ();
	frontend_end ();
}

static void
script_unasked (void)
{
	peer_expect ("0b000000 01000000 08000000 00000000 00000000", 0);
	peer_send ("0b000000 05000000 08000000 00000000 08000000 0b000000 05000000 08000000 00000000 08000000");
	peer_expect_end (PEER_MAIN);
}

/* The event loop hears of bytes that nobody asked for, before they could be taken for an answer. */
static void
test_unasked_at_rest (void)
{
	struct pollfd p = { .events = POLLIN };
	uint32_t base;

	begin (script_unasked, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base (number (0), 0, &base), 0);
	p.fd = vh_frontend_fd (frontend);
	while (vh_frontend_dispatch (frontend) >= 0)
		CU_ASSERT_EQUAL_FATAL (poll (&p, 1, PATIENCE_MS), 1);
	expect_ends (1, 0);
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base (number (0), 0, &base), -ECONNRESET);
	frontend_end ();
}

static void
script_deaf (void)
{
	peer_await_test ();
}

/* Calls that cannot leave are kept, with their fds, and end when the time of the first is over. */
static void
test_deaf_back_end (void)
{
	unsigned n;
	int fd, err = 0;

	begin (script_deaf, SHORT_MS);
	fd = eventfd (0, EFD_CLOEXEC);
	for (n = 0; err == 0 && n < MAX_ENDS; n++)
		err = vh_frontend_set_vring_call (number (n), 0, fd);
	close (fd);
	CU_ASSERT_EQUAL (err, 0);
	/* Sending fds is limited by the kernel sooner than bytes are. */
	loop_until (n);
	for (unsigned i = 0; i < n; i++) {
		CU_ASSERT_EQUAL (ends[i], i);
		CU_ASSERT_TRUE (results[i] == 0 || results[i] == -ETIMEDOUT || results[i] == -ECONNRESET);
	}
	frontend_end ();
}

static void
free_inside (void *opaque, int result)
{
	ended (opaque, result);
	vh_frontend_free (frontend);
	frontend = NULL;
}

static void
test_freed_in_a_callback (void)
{
	uint32_t base = 42;

	running_ends = false;
	begin (script_answer_one, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base (vh_frontend_async (frontend, free_inside, NULL), 0, &base), 0);
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base (number (1), 1, &base), 0);
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base (frontend, 2, &base), -ECONNRESET);
	CU_ASSERT_EQUAL (n_ends, 2);
	CU_ASSERT_EQUAL (results[0], 0);
	CU_ASSERT_EQUAL (results[1], -ECONNRESET);
	CU_ASSERT_EQUAL (base, 8);
	frontend_end ();
}

static void
test_freed_with_calls (void)
{
	uint64_t features;

	begin (script_sink, PATIENCE_MS);
	for (unsigned i = 0; i < 40; i++)
		CU_ASSERT_EQUAL (vh_frontend_get_features (number (i), &features), 0);
	frontend_end ();
	expect_ends (40, -ECONNRESET);
}

/* A call that waits behind another one keeps its fd for itself, and never gets to send it. */
static void
script_closed_at_once (void)
{
	peer_expect ("01000000 01000000 00000000", 0);
	peer_close (PEER_MAIN);
}

static void
test_closed_with_fds_unsent (void)
{
	int fd = eventfd (0, EFD_CLOEXEC);

	begin (script_closed_at_once, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_handshake (number (0), UINT64_MAX), 0);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_kick (number (1), 0, fd), 0);
	loop_until (2);
	frontend_end ();	/* no fd is left */
	close (fd);
}

/* --- own deadlines --- */

static void
script_slow (void)
{
	peer_expect ("0b000000 01000000 08000000 00000000 00000000", 0);
	peer_expect ("0b000000 01000000 08000000 01000000 00000000", 0);
	peer_await_test ();
	peer_send ("0b000000 05000000 08000000 00000000 08000000");
	peer_expect_end (PEER_MAIN);
}

/* The second one's time is short, but it does not run before the first is answered. */
static void
test_own_deadlines (void)
{
	uint32_t base[2];

	begin (script_slow, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base (number (0), 0, &base[0]), 0);
	vh_frontend_set_timeout (frontend, SHORT_MS);
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base (number (1), 1, &base[1]), 0);
	poll (NULL, 0, 2 * SHORT_MS);
	CU_ASSERT_EQUAL (vh_frontend_dispatch (frontend), 0);
	frontend_go_on ();
	loop_until (2);
	CU_ASSERT_EQUAL (results[0], 0);
	CU_ASSERT_EQUAL (results[1], -ETIMEDOUT);
	frontend_end ();
}

static void
script_once (void)
{
	peer_expect ("0b000000 01000000 08000000 00000000 00000000", 0);
	peer_offer ("0b000000 05000000 08000000 00000000 08000000");
	peer_drain (PEER_MAIN);
}

/* A call that is answered in time.  Returns for how long it could have waited. */
static unsigned
answered_in_time (uint32_t *base)
{
	unsigned timeout_ms = SHORT_MS;

	for (;; timeout_ms *= 2) {
		begin (script_once, timeout_ms);
		CU_ASSERT_EQUAL (vh_frontend_get_vring_base (number (0), 0, base), 0);
		loop_until (1);
		if (results[0] == 0)
			return timeout_ms;
		frontend_end ();	/* a machine that is very busy */
	}
}

/* The timer may ring for a call that has ended: once, and without harm. */
static void
test_deadline_of_an_answered_call (void)
{
	struct pollfd p = { .events = POLLIN };
	unsigned rounds = 0;
	uint32_t base[2];

	answered_in_time (&base[0]);
	p.fd = vh_frontend_fd (frontend);
	CU_ASSERT_EQUAL (poll (&p, 1, PATIENCE_MS), 1);
	CU_ASSERT_EQUAL (vh_frontend_dispatch (frontend), 0);
	expect_quiet ();
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base (number (1), 1, &base[1]), 0);
	while (n_ends < 2 && rounds++ < 100) {
		CU_ASSERT_EQUAL_FATAL (poll (&p, 1, PATIENCE_MS), 1);
		vh_frontend_dispatch (frontend);
	}
	CU_ASSERT_EQUAL (results[1], -ETIMEDOUT);
	frontend_end ();
}

/* Nor is the next call's deadline lost, for which the timer was not set anew. */
static void
test_deadline_of_the_next_call (void)
{
	uint32_t base[2];

	vh_frontend_set_timeout (frontend, 2 * answered_in_time (&base[0]));
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base (number (1), 1, &base[1]), 0);
	loop_until (2);
	CU_ASSERT_EQUAL (results[1], -ETIMEDOUT);
	frontend_end ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "never answered", test_never_answered },
		{ "closed by the back-end", test_closed },
		{ "closed at rest", test_closed_at_rest },
		{ "unasked bytes at rest", test_unasked_at_rest },
		{ "a back-end that does not read", test_deaf_back_end },
		{ "freed in a callback", test_freed_in_a_callback },
		{ "freed with calls on their way", test_freed_with_calls },
		{ "own deadlines", test_own_deadlines },
		{ "the deadline of an answered call", test_deadline_of_an_answered_call },
		{ "the deadline of the next call", test_deadline_of_the_next_call },
		{ "closed with fds that were not sent", test_closed_with_fds_unsent },
		CU_TEST_INFO_NULL,
	};

	if (htole16 (1) != 1)
		return 77;	/* the bytes are written down for little-endian hosts */
	return suite_run ("front-end, the end of calls that do not wait", tests);
}
