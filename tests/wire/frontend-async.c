/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls that do not wait: in order, several on their way, each with its own deadline and its own end, whatever the back-end does.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/wire/frontend-peer.h"

/* How the calls ended: their numbers, in order, and their results. */
#define MAX_ENDS 200
static unsigned ends[MAX_ENDS], n_ends;
static int results[MAX_ENDS];

/* Does the script close the connection? */
static bool running_ends;

static void
ended (void *opaque, int result)
{
	ends[n_ends] = (uintptr_t) opaque;
	results[n_ends++] = result;
}

/* The next call is number `n`. */
static struct vh_frontend *
number (unsigned n)
{
	return vh_frontend_async (frontend, ended, (void *) (uintptr_t) n);
}

static void
begin (script_fn *script, unsigned timeout_ms)
{
	n_ends = 0;
	frontend_begin (script, timeout_ms);
}

/* What an event loop would do, until so many calls have ended.  Returns what the last dispatch did. */
static int
loop_until (unsigned n)
{
	struct pollfd p = { .fd = vh_frontend_fd (frontend), .events = POLLIN };
	int ret = 0;

	CU_ASSERT_FATAL (p.fd >= 0);
	while (n_ends < n) {
		CU_ASSERT_EQUAL_FATAL (poll (&p, 1, PATIENCE_MS), 1);
		ret = vh_frontend_dispatch (frontend);
	}
	return ret;
}

static void
expect_ends (unsigned n, int result)
{
	CU_ASSERT_EQUAL (n_ends, n);
	for (unsigned i = 0; i < n_ends; i++) {
		CU_ASSERT_EQUAL (ends[i], i);
		CU_ASSERT_EQUAL (results[i], result);
	}
}

/* Nothing to do: the fd must be quiet, or the event loop would spin. */
static void
expect_quiet (void)
{
	struct pollfd p = { .fd = vh_frontend_fd (frontend), .events = POLLIN };

	CU_ASSERT_EQUAL (poll (&p, 1, 0), 0);
	CU_ASSERT_EQUAL (p.revents, 0);
}

/* --- in order --- */

static void
script_one (void)
{
	peer_expect ("01000000 01000000 00000000", 0);
	peer_await_test ();
	peer_send ("01000000 05000000 08000000 0000007001000000");
	peer_expect_end (PEER_MAIN);
}

static void
test_one_call (void)
{
	uint64_t features = 42;

	begin (script_one, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_get_features (number (0), &features), 0);
	expect_quiet ();
	CU_ASSERT_EQUAL (vh_frontend_dispatch (frontend), 0);
	CU_ASSERT_EQUAL (n_ends, 0);
	CU_ASSERT_EQUAL (features, 42);
	frontend_go_on ();
	CU_ASSERT_EQUAL (loop_until (1), 1);
	expect_ends (1, 0);
	CU_ASSERT_EQUAL (features, 0x170000000);
	CU_ASSERT_EQUAL (vh_frontend_offered_features (frontend), 0x170000000);
	expect_quiet ();
	frontend_end ();
}

static void
script_handshake (void)
{
	peer_handshake (P_REPLY_ACK | P_BACKEND_REQ | P_CONFIG);
	peer_expect_end (PEER_MAIN);
}

static void
test_handshake (void)
{
	begin (script_handshake, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_handshake (number (0), UINT64_MAX), 0);
	loop_until (1);
	expect_ends (1, 0);
	CU_ASSERT_EQUAL (vh_frontend_protocol_features (frontend), P_REPLY_ACK | P_BACKEND_REQ | P_CONFIG);
	expect_quiet ();
	frontend_end ();
}

static void
script_pipeline (void)
{
	peer_handshake (P_REPLY_ACK | P_CONFIG);
	/* All of them come before any is answered. */
	peer_expect ("08000000 09000000 08000000 00000000 00010000", 0);
	peer_expect ("0a000000 09000000 08000000 00000000 07000000", 0);
	peer_expect ("0c000000 09000000 08000000 0000000000000000", 1);
	peer_expect ("18000000 01000000 10000000 08000000 04000000 00000000 00000000", 0);
	peer_expect ("0b000000 01000000 08000000 00000000 00000000", 0);
	peer_send ("08000000 05000000 08000000 0000000000000000 0a000000 05000000 08000000 0000000000000000");
	peer_send ("0c000000 05000000 08000000 0000000000000000");
	peer_send ("18000000 05000000 10000000 08000000 04000000 00000000 11223344 0b000000 05000000 08000000 00000000 09000000");
	peer_expect_end (PEER_MAIN);
}

static void
test_several_on_their_way (void)
{
	uint32_t config = 0, base = 0;
	int fd;

	begin (script_pipeline, PATIENCE_MS);
	fd = eventfd (0, EFD_CLOEXEC);
	CU_ASSERT_EQUAL (vh_frontend_handshake (frontend, UINT64_MAX), 0);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_num (number (0), 0, 256), 0);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_base (number (1), 0, 7), 0);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_kick (number (2), 0, fd), 0);
	close (fd);
	CU_ASSERT_EQUAL (vh_frontend_get_config (number (3), 8, &config, 4), 0);
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base (number (4), 0, &base), 0);
	loop_until (5);
	expect_ends (5, 0);
	CU_ASSERT_EQUAL (config, htobe32 (0x11223344));
	CU_ASSERT_EQUAL (base, 9);
	frontend_end ();
}

static void
script_strict (void)
{
	peer_expect ("01000000 01000000 00000000", 0);
	peer_send ("01000000 05000000 08000000 0000007001000000");
	for (unsigned ring = 0; ring < 2; ring++) {
		peer_expect (ring ? "0b000000 01000000 08000000 01000000 00000000" : "0b000000 01000000 08000000 00000000 00000000", 0);
		peer_expect_nothing ();
		peer_send (ring ? "0b000000 05000000 08000000 01000000 09000000" : "0b000000 05000000 08000000 00000000 08000000");
	}
	peer_expect_end (PEER_MAIN);
}

/* One request at a time, for back-ends that cannot take more; and requests that change features are like that for all. */
static void
test_one_at_a_time (void)
{
	uint64_t features;
	uint32_t base[2] = { 0 };

	frontend_pipeline = 1;
	begin (script_strict, PATIENCE_MS);
	frontend_pipeline = 0;
	CU_ASSERT_EQUAL (vh_frontend_get_features (number (0), &features), 0);
	for (unsigned i = 0; i < 2; i++)
		CU_ASSERT_EQUAL (vh_frontend_get_vring_base (number (1 + i), i, &base[i]), 0);
	loop_until (3);
	expect_ends (3, 0);
	CU_ASSERT_EQUAL (base[0], 8);
	CU_ASSERT_EQUAL (base[1], 9);
	frontend_end ();
}

static void
script_features_first (void)
{
	peer_handshake (P_REPLY_ACK);
	peer_expect ("02000000 09000000 08000000 0000004001000000", 0);
	peer_expect_nothing ();
	peer_send_u64 (2, 0);
	peer_expect ("12000000 09000000 08000000 00000000 01000000", 0);
	peer_send_u64 (18, 0);
	peer_expect_end (PEER_MAIN);
}

/* SET_VRING_ENABLE is legal only once bit 30 is accepted: it waits, and then it is. */
static void
test_features_come_first (void)
{
	begin (script_features_first, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_handshake (frontend, UINT64_MAX), 0);
	CU_ASSERT_EQUAL (vh_frontend_set_features (number (0), 0x140000000), 0);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_enable (number (1), 0, 1), 0);
	/* This one has no feature; it is refused, and in its turn. */
	CU_ASSERT_EQUAL (vh_frontend_reset_device (number (2)), 0);
	loop_until (3);
	CU_ASSERT_EQUAL (results[2], -EOPNOTSUPP);
	results[2] = 0;
	expect_ends (3, 0);
	frontend_end ();
}

/* --- calls that wait and calls that do not --- */

static void
script_mixed (void)
{
	peer_expect ("0b000000 01000000 08000000 00000000 00000000", 0);
	peer_expect ("0b000000 01000000 08000000 01000000 00000000", 0);
	peer_send ("0b000000 05000000 08000000 00000000 08000000 0b000000 05000000 08000000 01000000 09000000");
	peer_expect_end (PEER_MAIN);
}

static void
test_waiting_behind_others (void)
{
	uint32_t first = 0, second = 0;

	begin (script_mixed, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base (number (0), 0, &first), 0);
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base (frontend, 1, &second), 0);
	expect_ends (1, 0);
	CU_ASSERT_EQUAL (first, 8);
	CU_ASSERT_EQUAL (second, 9);
	frontend_end ();
}

static int waited;

static void
wait_inside (void *opaque, int result)
{
	uint64_t features;

	waited = vh_frontend_get_features (frontend, &features);
	CU_ASSERT_EQUAL (vh_frontend_handshake (frontend, UINT64_MAX), -EBUSY);
	/* Without waiting it goes. */
	CU_ASSERT_EQUAL (vh_frontend_set_owner (number (0)), 0);
}

static void
script_callback (void)
{
	peer_expect ("03000000 01000000 00000000", 0);
	peer_expect ("03000000 01000000 00000000", 0);
	peer_expect_end (PEER_MAIN);
}

static void
test_calls_from_a_callback (void)
{
	begin (script_callback, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_set_owner (vh_frontend_async (frontend, wait_inside, NULL)), 0);
	CU_ASSERT_EQUAL (n_ends, 0);
	loop_until (1);
	CU_ASSERT_EQUAL (waited, -EBUSY);
	expect_ends (1, 0);
	expect_quiet ();
	frontend_end ();
}

static void
again (void *opaque, int result)
{
	unsigned *left = opaque;

	n_ends++;
	if (result == 0 && --*left > 0)
		CU_ASSERT_EQUAL (vh_frontend_set_owner (vh_frontend_async (frontend, again, left)), 0);
}

static void
script_sink (void)
{
	peer_await_test ();
}

/* Each callback makes the next call, which ends at once: the event loop must get its turn all the same. */
static void
test_callbacks_end_their_turn (void)
{
	unsigned left = 150;

	begin (script_sink, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_set_owner (vh_frontend_async (frontend, again, &left)), 0);
	while (left > 0) {
		int n = vh_frontend_dispatch (frontend);

		CU_ASSERT_TRUE_FATAL (n > 0 && n < 100);
	}
	CU_ASSERT_EQUAL (n_ends, 150);
	CU_ASSERT_EQUAL (vh_frontend_dispatch (frontend), 0);
	frontend_end ();
}

static void
test_refused_at_once (void)
{
	uint64_t features;

	begin (script_sink, SHORT_MS);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_num (number (0), 0, 0), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_dispatch (frontend), 0);
	CU_ASSERT_EQUAL (n_ends, 0);
	/* And the one after it waits. */
	CU_ASSERT_EQUAL (vh_frontend_get_features (frontend, &features), -ETIMEDOUT);
	CU_ASSERT_EQUAL (vh_frontend_get_features (number (0), &features), -ECONNRESET);
	CU_ASSERT_EQUAL (n_ends, 0);
	frontend_end ();
}

/* --- what the back-end refuses --- */

static void
script_refuse_second (void)
{
	peer_handshake (P_REPLY_ACK);
	peer_expect ("08000000 09000000 08000000 00000000 00010000", 0);
	peer_expect ("08000000 09000000 08000000 01000000 00010000", 0);
	peer_expect ("08000000 09000000 08000000 02000000 00010000", 0);
	peer_send_u64 (8, 0);
	peer_send_u64 (8, 1);
	peer_send_u64 (8, 0);
	peer_expect_end (PEER_MAIN);
}

static void
test_refused_by_the_back_end (void)
{
	begin (script_refuse_second, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_handshake (frontend, UINT64_MAX), 0);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL (vh_frontend_set_vring_num (number (i), i, 256), 0);
	loop_until (3);
	CU_ASSERT_EQUAL (results[1], -EREMOTEIO);
	results[1] = 0;
	expect_ends (3, 0);
	frontend_end ();
}

/* --- the end --- */

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

	begin (script_answer_one, PATIENCE_MS);
	running_ends = false;
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

/* --- the back-end asks meanwhile --- */

static void
script_both (void)
{
	peer_handshake (P_REPLY_ACK | P_BACKEND_REQ | P_CONFIG);
	peer_await_test ();
	peer_expect ("0b000000 01000000 08000000 00000000 00000000", 0);
	for (int i = 0; i < 10; i++) {
		peer_send_on (PEER_CHANNEL, "02000000 09000000 00000000");
		peer_expect_on (PEER_CHANNEL, "02000000 05000000 08000000 0000000000000000", 0);
	}
	peer_send ("0b000000 05000000 08000000 00000000 08000000");
	peer_expect_end (PEER_MAIN);
}

static void
test_back_end_asks_meanwhile (void)
{
	uint32_t base;

	begin (script_both, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_handshake (frontend, UINT64_MAX), 0);
	frontend_go_on ();
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base (number (0), 0, &base), 0);
	loop_until (1);
	expect_ends (1, 0);
	CU_ASSERT_EQUAL (config_changes, 10);
	frontend_end ();
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

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "one call", test_one_call },
		{ "the handshake", test_handshake },
		{ "several on their way", test_several_on_their_way },
		{ "one at a time", test_one_at_a_time },
		{ "features come first", test_features_come_first },
		{ "a call that waits, behind others", test_waiting_behind_others },
		{ "calls from a callback", test_calls_from_a_callback },
		{ "callbacks end their turn", test_callbacks_end_their_turn },
		{ "refused at once", test_refused_at_once },
		{ "refused by the back-end", test_refused_by_the_back_end },
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
		{ "the back-end asks meanwhile", test_back_end_asks_meanwhile },
		{ "closed with fds that were not sent", test_closed_with_fds_unsent },
		CU_TEST_INFO_NULL,
	};

	if (htole16 (1) != 1)
		return 77;	/* the bytes are written down for little-endian hosts */
	return suite_run ("front-end, calls that do not wait", tests);
}
