/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ends of vsock connections, in order and otherwise; guests that pause, go, and begin anew.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/suite.h"
#include "tests/unit/vsock-rig.h"

/* --- ends --- */

/* The program says all, and ends: the guest gets all, then the end. */
static void
test_host_closes (void)
{
	struct service s;
	static struct got g;

	service_open (&s);
	rig_say (s.fd, "last words");
	service_hangs_up (&s);
	CU_ASSERT_TRUE_FATAL (rig_get_into (&s.rig, &g, 4));
	CU_ASSERT_EQUAL (g.p.op, OP (RW));
	CU_ASSERT_TRUE_FATAL (rig_get (&s.rig, &g));
	CU_ASSERT_EQUAL (g.p.length, 6);
	expect_end (&s.rig, RCV | SEND);
	rig_expect_nothing (&s.rig);
	/* What the guest sent before it knew does no harm. */
	rig_send (&s.rig, OP (RW), SERVICE, CLIENT, "too late", 8);
	rig_send (&s.rig, OP (RST), SERVICE, CLIENT, NULL, 0);
	rig_expect_nothing (&s.rig);
	CU_ASSERT_EQUAL (s.rig.mux->n_connections, 0);
	CU_ASSERT_EQUAL (s.rig.mux->stats.broken, 0);
	service_close (&s);
}

/* Only one direction ends. */
static void
test_host_sends_no_more (void)
{
	struct service s;
	static struct got g;

	service_open (&s);
	rig_say (s.fd, "question");
	shutdown (s.fd, SHUT_WR);
	CU_ASSERT_TRUE_FATAL (rig_get (&s.rig, &g));
	CU_ASSERT_EQUAL (g.p.length, 8);
	expect_end (&s.rig, SEND);
	rig_send (&s.rig, OP (RW), SERVICE, CLIENT, "answer", 6);
	CU_ASSERT_TRUE (rig_reads (s.fd, "answer"));
	shut (&s.rig, RCV | SEND, SERVICE, CLIENT);
	CU_ASSERT_TRUE (rig_at_end (s.fd));
	rig_expect (&s.rig, OP (RST), SERVICE, CLIENT);
	CU_ASSERT_EQUAL (s.rig.mux->n_connections, 0);
	service_close (&s);
}

static void
test_guest_sends_no_more (void)
{
	struct service s;
	static struct got g;

	service_open (&s);
	rig_send (&s.rig, OP (RW), SERVICE, CLIENT, "question", 8);
	shut (&s.rig, SEND, SERVICE, CLIENT);
	CU_ASSERT_TRUE (rig_reads (s.fd, "question"));
	CU_ASSERT_TRUE (rig_at_end (s.fd));
	rig_say (s.fd, "answer");
	CU_ASSERT_TRUE_FATAL (rig_get (&s.rig, &g));
	CU_ASSERT_EQUAL (g.p.length, 6);
	/* It must keep its word. */
	rig_send (&s.rig, OP (RW), SERVICE, CLIENT, "more", 4);
	rig_expect (&s.rig, OP (RST), SERVICE, CLIENT);
	service_close (&s);
}

static void
test_guest_reads_no_more (void)
{
	struct service s;

	service_open (&s);
	shut (&s.rig, RCV, SERVICE, CLIENT);
	CU_ASSERT (send (s.fd, "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE);
	rig_expect_nothing (&s.rig);
	rig_send (&s.rig, OP (RW), SERVICE, CLIENT, "still", 5);
	CU_ASSERT_TRUE (rig_reads (s.fd, "still"));
	service_close (&s);
}

/* Fills what the socket takes, and then some of our own. */
static void
fill (struct service *s)
{
	static uint8_t data[RIG_BUFFER];
	int bytes = 4096;

	setsockopt (mux_find (s->rig.mux, SERVICE, CLIENT)->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof (bytes));
	rig_send (&s->rig, OP (RW), SERVICE, CLIENT, data, RIG_BUFFER / 2);
	rig_send (&s->rig, OP (RW), SERVICE, CLIENT, data, RIG_BUFFER / 2);
	CU_ASSERT_FATAL (mux_find (s->rig.mux, SERVICE, CLIENT)->backlog.count > 0);
}

static unsigned
read_all (struct service *s)
{
	static uint8_t data[1000];
	unsigned all = 0;
	ssize_t n;

	while ((n = read (s->fd, data, sizeof (data))) > 0) {
		all += n;
		rig_run (&s->rig);
	}
	return n == 0 ? all : 0;
}

/* A guest that closes after it has sent gets its RST when all is through. */
static void
test_guest_closes_with_bytes_under_way (void)
{
	struct service s;
	static struct got g;

	service_open (&s);
	fill (&s);
	shut (&s.rig, RCV | SEND, SERVICE, CLIENT);
	while (rig_get (&s.rig, &g))
		CU_ASSERT_EQUAL (g.p.op, OP (CREDIT_UPDATE));
	CU_ASSERT_EQUAL (read_all (&s), RIG_BUFFER);
	while (rig_get (&s.rig, &g) && g.p.op == OP (CREDIT_UPDATE))
		;
	CU_ASSERT_EQUAL (g.p.op, OP (RST));
	CU_ASSERT_EQUAL (s.rig.mux->n_connections, 0);
	service_close (&s);
}

/* ... and even when it does not wait for that. */
static void
test_last_bytes_linger (void)
{
	struct service s;

	service_open (&s);
	fill (&s);
	shut (&s.rig, RCV | SEND, SERVICE, CLIENT);
	rig_send (&s.rig, OP (RST), SERVICE, CLIENT, NULL, 0);
	CU_ASSERT_EQUAL (s.rig.mux->n_connections, 1);
	/* Its ports are free. */
	rig_guest_opens (&s.rig, SERVICE, CLIENT);
	CU_ASSERT_EQUAL (read_all (&s), RIG_BUFFER);
	CU_ASSERT_EQUAL (s.rig.mux->n_connections, 1);
	service_close (&s);
}

/* ... but not for ever. */
static void
test_lingering_ends (void)
{
	struct service s;

	service_open (&s);
	fill (&s);
	shut (&s.rig, SEND, SERVICE, CLIENT);
	rig_send (&s.rig, OP (RST), SERVICE, CLIENT, NULL, 0);
	expire (&s.rig, TAILQ_FIRST (&s.rig.mux->all));
	rig_expect_nothing (&s.rig);
	service_close (&s);
}

/* A reset without an end takes what is under way with it. */
static void
test_guest_resets (void)
{
	struct service s;

	service_open (&s);
	fill (&s);
	rig_send (&s.rig, OP (RST), SERVICE, CLIENT, NULL, 0);
	CU_ASSERT_EQUAL (s.rig.mux->n_connections, 0);
	CU_ASSERT_EQUAL (s.rig.mux->stats.broken, 1);
	service_close (&s);
}

/* The program is gone: what the guest still sends is forgotten, what the program said gets there. */
static void
test_host_is_gone (void)
{
	struct service s;
	static struct got g;

	service_open (&s);
	rig_say (s.fd, "last words");
	service_hangs_up (&s);
	rig_send (&s.rig, OP (RW), SERVICE, CLIENT, "nobody", 6);
	CU_ASSERT_TRUE_FATAL (rig_get (&s.rig, &g));
	CU_ASSERT_EQUAL (g.p.op, OP (RW));
	CU_ASSERT_EQUAL (g.p.length, 10);
	CU_ASSERT_EQUAL (g.p.fwd_cnt, 6);
	expect_end (&s.rig, RCV | SEND);
	service_close (&s);
}

/* --- the guest goes, pauses, and begins anew --- */

static void
test_guest_begins_anew (void)
{
	struct service s;

	service_open (&s);
	/* It has forgotten, and asks again. */
	rig_guest_opens (&s.rig, SERVICE, CLIENT);
	CU_ASSERT_TRUE (rig_at_end (s.fd));
	CU_ASSERT_EQUAL (s.rig.mux->n_connections, 1);
	close (s.fd);
	s.fd = rig_accept (s.listener);
	mux_reset (s.rig.mux);
	CU_ASSERT_TRUE (rig_at_end (s.fd));
	rig_expect_nothing (&s.rig);
	service_close (&s);
}

static void
test_pause (void)
{
	struct service s;
	static struct got g;
	int fd;

	service_open (&s);
	fd = rig_connect ();
	rig_run (&s.rig);
	mux_detach (s.rig.mux);
	rig_say (s.fd, "meanwhile");
	rig_expect_nothing (&s.rig);
	CU_ASSERT_EQUAL_FATAL (mux_attach (s.rig.mux, s.rig.loop), 0);
	CU_ASSERT_TRUE_FATAL (rig_get (&s.rig, &g));
	CU_ASSERT_EQUAL (g.p.length, 9);
	rig_host_opens (&s.rig, fd, 5);
	close (fd);
	service_close (&s);
}

static void
test_path_is_too_long (void)
{
	char path[108];
	struct mux_options o = { .guest_cid = RIG_CID, .path = path, .max_connections = 1, .buffer = RIG_BUFFER };
	struct mux *m = NULL;
	int fds = suite_open_fds ();

	memset (path, 'x', sizeof (path));
	path[97] = '\0';
	CU_ASSERT_EQUAL (mux_new (&o, &m), -ENAMETOOLONG);
	CU_ASSERT_PTR_NULL (m);
	CU_ASSERT_EQUAL (suite_open_fds (), fds);
}

static void
test_nothing_is_left (void)
{
	int fds = suite_open_fds ();
	struct service s;
	int fd;

	service_open (&s);
	fd = rig_connect ();
	rig_host_opens (&s.rig, fd, 9);
	fill (&s);
	service_close (&s);
	close (fd);
	CU_ASSERT_EQUAL (suite_open_fds (), fds);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "the host closes", test_host_closes },
		{ "the host sends no more", test_host_sends_no_more },
		{ "the guest sends no more", test_guest_sends_no_more },
		{ "the guest reads no more", test_guest_reads_no_more },
		{ "the guest closes with bytes under way", test_guest_closes_with_bytes_under_way },
		{ "last bytes linger", test_last_bytes_linger },
		{ "lingering ends", test_lingering_ends },
		{ "the guest resets", test_guest_resets },
		{ "the host is gone", test_host_is_gone },
		{ "the guest begins anew", test_guest_begins_anew },
		{ "pause", test_pause },
		{ "a path that is too long", test_path_is_too_long },
		{ "nothing is left", test_nothing_is_left },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("vsock, ends", tests);
}
