/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Opening connections between a guest's vsock and the host, from both sides, and what bounds them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/vsock/hello.h"
#include "tests/suite.h"
#include "tests/unit/vsock-rig.h"

/* --- the line of a program --- */

static int
parse (const char *text, uint32_t *port)
{
	return hello_parse (text, strlen (text), port);
}

static void
test_hello (void)
{
	static const char *const wrong[] = {
		"\n", "CONNECT\n", "CONNECT \n", "CONNECT -1\n", "CONNECT 4294967296\n", "CONNECT 99999999999999999999\n", "CONNECT 12x\n",
		"CONNECT 1 2\n", "CONNECTED 5\n", "CONNECT5\n", "HELLO 5\n", "CONN\n", "CONNECT 0x5\n", "CONNECT +5\n",
	};
	uint32_t port = 7;

	CU_ASSERT_EQUAL (parse ("CONNECT 52\n", &port), 11);
	CU_ASSERT_EQUAL (port, 52);
	CU_ASSERT_EQUAL (parse ("connect\t 4294967295 \r\nGET /", &port), 22);
	CU_ASSERT_EQUAL (port, UINT32_MAX);
	CU_ASSERT_EQUAL (parse ("CONNECT 52", &port), 0);
	CU_ASSERT_EQUAL (parse ("", &port), 0);
	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++)
		CU_ASSERT_EQUAL (parse (wrong[i], &port), -EPROTO);
}

/* --- opening --- */

static void
test_guest_opens (void)
{
	struct service s;
	static struct got g;

	service_open (&s);
	rig_send (&s.rig, OP (RW), SERVICE, CLIENT, "question", 8);
	CU_ASSERT_TRUE (rig_reads (s.fd, "question"));
	rig_say (s.fd, "answer");
	CU_ASSERT_TRUE_FATAL (rig_get (&s.rig, &g));
	CU_ASSERT_EQUAL (g.p.op, OP (RW));
	CU_ASSERT_EQUAL (g.p.length, 6);
	CU_ASSERT_EQUAL (g.p.buf_alloc, RIG_BUFFER);
	CU_ASSERT_EQUAL (g.p.fwd_cnt, 8);
	CU_ASSERT_EQUAL (memcmp (g.data, "answer", 6), 0);
	rig_expect_nothing (&s.rig);
	CU_ASSERT_EQUAL (s.rig.mux->stats.opened_by_guest, 1);
	service_close (&s);
}

static void
test_nobody_listens (void)
{
	struct rig r;

	rig_open (&r, 8);
	rig_send (&r, OP (REQUEST), SERVICE, CLIENT, NULL, 0);
	rig_expect (&r, OP (RST), SERVICE, CLIENT);
	CU_ASSERT_EQUAL (r.mux->n_connections, 0);
	CU_ASSERT_EQUAL (r.mux->stats.refused, 1);
	rig_close (&r);
}

/* A full backlog is waited for. */
static void
test_listener_without_room (void)
{
	struct rig r;
	int listener, fds[2];

	rig_open (&r, 8);
	listener = rig_listen (SERVICE, 0);
	rig_guest_opens (&r, SERVICE, 1);
	rig_send (&r, OP (REQUEST), SERVICE, 2, NULL, 0);
	rig_expect_nothing (&r);
	CU_ASSERT_EQUAL (r.mux->n_connections, 2);
	fds[0] = rig_accept (listener);
	rig_wait (&r);
	rig_expect (&r, OP (RESPONSE), SERVICE, 2);
	fds[1] = rig_accept (listener);
	/* Again, and this time it never has. */
	rig_guest_opens (&r, SERVICE, 3);
	rig_send (&r, OP (REQUEST), SERVICE, 4, NULL, 0);
	rig_expect_nothing (&r);
	mux_find (r.mux, SERVICE, 4)->deadline = 0;
	rig_wait (&r);
	rig_expect (&r, OP (RST), SERVICE, 4);
	close (fds[0]);
	close (fds[1]);
	close (listener);
	rig_close (&r);
}

static void
test_host_opens (void)
{
	struct rig r;
	static struct got g;
	uint32_t first, second;
	int fd, other;

	rig_open (&r, 8);
	fd = rig_connect ();
	other = rig_connect ();
	first = rig_host_opens (&r, fd, CLIENT);
	second = rig_host_opens (&r, other, CLIENT);
	CU_ASSERT_NOT_EQUAL (first, second);
	rig_say (fd, "to the guest");
	CU_ASSERT_TRUE_FATAL (rig_get (&r, &g));
	CU_ASSERT_EQUAL (g.p.src_port, first);
	CU_ASSERT_EQUAL (g.p.length, 12);
	rig_send (&r, OP (RW), second, CLIENT, "to the other", 12);
	CU_ASSERT_TRUE (rig_reads (other, "to the other"));
	CU_ASSERT_EQUAL (r.mux->stats.opened_by_host, 2);
	close (fd);
	close (other);
	rig_close (&r);
}

/* In pieces, and with data right behind the line. */
static void
test_hello_in_pieces (void)
{
	struct rig r;
	static struct got g;
	int fd;

	rig_open (&r, 8);
	fd = rig_connect ();
	rig_say (fd, "CONN");
	rig_expect_nothing (&r);
	rig_say (fd, "ECT 9\nearly");
	CU_ASSERT_TRUE_FATAL (rig_get (&r, &g));
	CU_ASSERT_EQUAL (g.p.op, OP (REQUEST));
	rig_expect_nothing (&r);
	rig_send (&r, OP (RESPONSE), g.p.src_port, 9, NULL, 0);
	CU_ASSERT_TRUE_FATAL (rig_get (&r, &g));
	CU_ASSERT_EQUAL (g.p.op, OP (RW));
	CU_ASSERT_EQUAL (g.p.length, 5);
	CU_ASSERT_EQUAL (memcmp (g.data, "early", 5), 0);
	close (fd);
	rig_close (&r);
}

static void
test_hello_is_wrong (void)
{
	static const char *const lines[] = { "GET / HTTP/1.0\r\n", "CONNECT 99999999999\n", "CONNECT                                  5\n", "C" };
	struct rig r;

	rig_open (&r, 8);
	for (unsigned i = 0; i < sizeof (lines) / sizeof (lines[0]); i++) {
		int fd = rig_connect ();

		rig_say (fd, lines[i]);
		if (!lines[i][1])
			shutdown (fd, SHUT_WR);
		rig_expect_nothing (&r);
		CU_ASSERT_EQUAL (r.mux->n_connections, 0);
		/* What was not read may come back as an error. */
		CU_ASSERT (rig_at_end (fd) || errno == ECONNRESET);
		close (fd);
	}
	rig_close (&r);
}

static void
test_guest_refuses (void)
{
	struct rig r;
	static struct got g;
	int fd;

	rig_open (&r, 8);
	fd = rig_ask (9);
	CU_ASSERT_TRUE_FATAL (rig_get (&r, &g));
	rig_send (&r, OP (RST), g.p.src_port, 9, NULL, 0);
	CU_ASSERT_TRUE (rig_at_end (fd));
	rig_expect_nothing (&r);
	close (fd);
	rig_close (&r);
}

/* A program goes away before the guest has answered; with what it asked for, and without. */
static void
test_host_gives_up (void)
{
	struct rig r;
	static struct got g;
	int fd;

	rig_open (&r, 8);
	fd = rig_ask (9);
	rig_run (&r);
	close (fd);
	rig_expect_nothing (&r);
	fd = rig_ask (9);
	CU_ASSERT_TRUE_FATAL (rig_get (&r, &g));
	close (fd);
	rig_expect (&r, OP (RST), g.p.src_port, 9);
	CU_ASSERT_EQUAL (r.mux->n_connections, 0);
	rig_close (&r);
}

/* Neither a program that says nothing, nor a guest that does not answer, is waited for without end. */
static void
test_deadlines (void)
{
	struct rig r;
	static struct got g;
	int fd;

	rig_open (&r, 8);
	fd = rig_connect ();
	rig_run (&r);
	CU_ASSERT_EQUAL_FATAL (r.mux->n_connections, 1);
	expire (&r, TAILQ_FIRST (&r.mux->all));
	CU_ASSERT_TRUE (rig_at_end (fd));
	close (fd);
	fd = rig_ask (9);
	CU_ASSERT_TRUE_FATAL (rig_get (&r, &g));
	expire (&r, TAILQ_FIRST (&r.mux->all));
	rig_expect (&r, OP (RST), g.p.src_port, 9);
	CU_ASSERT_TRUE (rig_at_end (fd));
	CU_ASSERT_EQUAL (r.mux->n_timed, 0);
	close (fd);
	rig_close (&r);
}

/* --- bounds --- */

static void
test_at_most_so_many (void)
{
	struct rig r;
	int listener, fds[3];

	rig_open (&r, 2);
	listener = rig_listen (SERVICE, 8);
	rig_guest_opens (&r, SERVICE, 1);
	fds[0] = rig_accept (listener);
	rig_guest_opens (&r, SERVICE, 2);
	fds[1] = rig_accept (listener);
	rig_send (&r, OP (REQUEST), SERVICE, 3, NULL, 0);
	rig_expect (&r, OP (RST), SERVICE, 3);
	/* A program waits outside until there is room. */
	fds[2] = rig_ask (9);
	rig_expect_nothing (&r);
	CU_ASSERT_EQUAL (r.mux->n_connections, 2);
	rig_send (&r, OP (RST), SERVICE, 1, NULL, 0);
	CU_ASSERT_TRUE (rig_at_end (fds[0]));
	rig_expect (&r, OP (REQUEST), 1u << 30, 9);
	for (unsigned i = 0; i < 3; i++)
		close (fds[i]);
	close (listener);
	rig_close (&r);
}

/* Refusals wait for the guest, and then its packets do. */
static void
test_refusals_are_bounded (void)
{
	struct rig r;
	unsigned n = 0;
	int fd;

	rig_open (&r, 8);
	while (!mux_is_full (r.mux)) {
		rig_send (&r, OP (RW), SERVICE, n++, NULL, 0);
		CU_ASSERT_FATAL (n <= MUX_REPLIES);
	}
	CU_ASSERT_EQUAL (n, MUX_REPLIES);
	fd = rig_connect ();
	rig_run (&r);
	CU_ASSERT_EQUAL (r.mux->n_connections, 0);
	/* The last batch, of a guest that goes on. */
	for (unsigned i = 0; i < MUX_BATCH + 8 + 100; i++)
		rig_send (&r, OP (RW), SERVICE, n + i, NULL, 0);
	CU_ASSERT_EQUAL (r.mux->n_replies, MUX_REPLIES + MUX_BATCH + 8);
	CU_ASSERT_EQUAL (r.has_room, 0);
	for (unsigned i = 0; i < MUX_BATCH + 8 + 1; i++)
		rig_expect (&r, OP (RST), SERVICE, i);
	CU_ASSERT_EQUAL (r.has_room, 1);
	rig_run (&r);
	CU_ASSERT_EQUAL (r.mux->n_connections, 1);
	close (fd);
	rig_close (&r);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "the line of a program", test_hello },
		{ "the guest opens", test_guest_opens },
		{ "nobody listens", test_nobody_listens },
		{ "a listener without room", test_listener_without_room },
		{ "the host opens", test_host_opens },
		{ "a line in pieces", test_hello_in_pieces },
		{ "a line that is wrong", test_hello_is_wrong },
		{ "the guest refuses", test_guest_refuses },
		{ "the host gives up", test_host_gives_up },
		{ "deadlines", test_deadlines },
		{ "at most so many", test_at_most_so_many },
		{ "refusals are bounded", test_refusals_are_bounded },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("vsock, open", tests);
}
