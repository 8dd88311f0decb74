/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Daemons: the ways to be reached - paths to listen at or to connect to, sockets that were passed on.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon-host.h"
#include "tests/suite.h"
#include "util/fd.h"

static struct test_device devices[2];
static struct host host;

static void
begin (void)
{
	host_open (&host, 1);
	test_device_init (&devices[0]);
	test_device_init (&devices[1]);
}

static int
add_fd (int fd)
{
	struct vh_endpoint e = { .size = sizeof (e), .fd = fd };

	return vh_daemon_add (host.daemon, &devices[0].device, &e);
}

static void
a_connected_socket (void)
{
	struct rig r;
	int pair[2];

	begin ();
	CU_ASSERT_EQUAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	CU_ASSERT_EQUAL (add_fd (pair[1]), 0);
	host_run (&host);
	rig_attach (&r, NULL, pair[0]);
	CU_ASSERT_TRUE (rig_ready (&r, 64) && rig_serve (&r, 0, 0));
	/* There will be no other one: the daemon ends by itself. */
	rig_close (&r);
	CU_ASSERT_TRUE (host_wait (&host));
	CU_ASSERT_EQUAL (host.result, 0);
	host_close (&host);
}

static void
a_connected_socket_and_another_device (void)
{
	struct rig r;
	int pair[2];

	begin ();
	CU_ASSERT_TRUE (host_listen (&host, &devices[0], "0"));
	CU_ASSERT_EQUAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	CU_ASSERT_EQUAL (vh_daemon_add (host.daemon, &devices[1].device, &(struct vh_endpoint){ .size = sizeof (struct vh_endpoint), .fd = pair[1] }), 0);
	host_run (&host);
	close (pair[0]);
	CU_ASSERT_TRUE (host_counted (&devices[1].departures, 1));
	host_connect (&host, &r, "0");
	CU_ASSERT_TRUE (rig_ready (&r, 64) && rig_serve (&r, 0, 0));
	rig_close (&r);
	host_close (&host);
}

static void
a_listening_socket (void)
{
	struct rig r;

	begin ();
	CU_ASSERT_EQUAL (add_fd (host_socket (&host, "inherited")), 0);
	host_run (&host);
	for (unsigned i = 0; i < 3; i++) {
		host_connect (&host, &r, "inherited");
		CU_ASSERT_TRUE (rig_ready (&r, 64) && rig_serve (&r, 0, 0));
		rig_close (&r);
	}
	/* The file is its maker's. */
	vh_daemon_stop (host.daemon);
	CU_ASSERT_TRUE (host_wait (&host));
	CU_ASSERT_EQUAL (unlink (host_path (&host, "inherited")), 0);
	host_close (&host);
}

static void
fds_that_are_no_sockets (void)
{
	int fds[] = { open ("/dev/null", O_RDWR | O_CLOEXEC), eventfd (0, EFD_CLOEXEC), socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) };

	begin ();
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_TRUE (add_fd (fds[i]) < 0);
		CU_ASSERT_STRING_NOT_EQUAL (vh_daemon_error (host.daemon), "");
	}
	CU_ASSERT_TRUE (add_fd (-1) < 0);
	host_close (&host);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL (close (fds[i]), 0);	/* still ours */
}

/* The daemon ends, and then its front-end, which listens. */
static void
stop_client (int listener)
{
	vh_daemon_stop (host.daemon);
	CU_ASSERT_TRUE (host_wait (&host));
	close (listener);
	CU_ASSERT_EQUAL (unlink (host_path (&host, "front-end")), 0);
	host_close (&host);
}

static void
the_client_connects_again_and_again (void)
{
	struct vh_endpoint e = { .size = sizeof (e), .client = 1 };
	int listener;

	begin ();
	e.socket_path = host_path (&host, "front-end");
	CU_ASSERT_EQUAL (vh_daemon_add (host.daemon, &devices[0].device, &e), 0);
	/* Nobody listens there yet. */
	host_run (&host);
	usleep (50000);
	listener = host_socket (&host, "front-end");
	for (unsigned i = 0; i < 5; i++) {
		struct rig r;

		rig_attach (&r, NULL, accept4 (listener, NULL, NULL, SOCK_CLOEXEC));
		CU_ASSERT_TRUE (rig_ready (&r, 64) && rig_serve (&r, 0, 0));
		rig_close (&r);
	}
	stop_client (listener);
}

static void
the_client_does_not_run_after_a_front_end_that_hangs_up (void)
{
	struct vh_endpoint e = { .size = sizeof (e), .client = 1 };
	int64_t begun;
	int listener;

	begin ();
	listener = host_socket (&host, "front-end");
	e.socket_path = host_path (&host, "front-end");
	CU_ASSERT_EQUAL (vh_daemon_add (host.daemon, &devices[0].device, &e), 0);
	host_run (&host);
	begun = clock_ms ();
	for (unsigned i = 0; i < 3; i++)
		close (accept4 (listener, NULL, NULL, SOCK_CLOEXEC));
	/* Two pauses were made; a machine that is slow makes them longer. */
	CU_ASSERT_TRUE (clock_ms () - begun > 150);
	stop_client (listener);
}

static void
a_client_that_nobody_listens_to_can_be_stopped (void)
{
	struct vh_endpoint e = { .size = sizeof (e), .client = 1 };

	begin ();
	e.socket_path = host_path (&host, "nobody");
	CU_ASSERT_EQUAL (vh_daemon_add (host.daemon, &devices[0].device, &e), 0);
	host_run (&host);
	usleep (10000);
	host_close (&host);
}

static void
paths_that_cannot_be (void)
{
	struct vh_endpoint e = { .size = sizeof (e) };
	char longest[300];

	begin ();
	CU_ASSERT_TRUE (host_listen (&host, &devices[0], "0"));
	e.socket_path = host_path (&host, "0");
	CU_ASSERT_EQUAL (vh_daemon_add (host.daemon, &devices[1].device, &e), -EADDRINUSE);
	memset (longest, 'x', sizeof (longest) - 1);
	longest[0] = '/';
	longest[sizeof (longest) - 1] = '\0';
	e.socket_path = longest;
	CU_ASSERT_EQUAL (vh_daemon_add (host.daemon, &devices[1].device, &e), -ENAMETOOLONG);
	e.socket_path = "/";
	CU_ASSERT_TRUE (vh_daemon_add (host.daemon, &devices[1].device, &e) < 0);
	e.socket_path = "";
	CU_ASSERT_TRUE (vh_daemon_add (host.daemon, &devices[1].device, &e) < 0);
	host_close (&host);
}

static void
the_mode_of_the_sockets_file (void)
{
	struct vh_endpoint e = { .size = sizeof (e), .mode = 0620 };
	struct stat st;

	begin ();
	e.socket_path = host_path (&host, "mode");
	CU_ASSERT_EQUAL (vh_daemon_add (host.daemon, &devices[0].device, &e), 0);
	CU_ASSERT_EQUAL (stat (host_path (&host, "mode"), &st), 0);
	CU_ASSERT_EQUAL (st.st_mode & 0777, 0620);
	host_close (&host);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "a connected socket", a_connected_socket },
		{ "a connected socket, and another device", a_connected_socket_and_another_device },
		{ "a listening socket", a_listening_socket },
		{ "fds that are no sockets", fds_that_are_no_sockets },
		{ "the client connects again and again", the_client_connects_again_and_again },
		{ "the client does not run after a front-end that hangs up", the_client_does_not_run_after_a_front_end_that_hangs_up },
		{ "a client that nobody listens to can be stopped", a_client_that_nobody_listens_to_can_be_stopped },
		{ "paths that cannot be", paths_that_cannot_be },
		{ "the mode of the socket's file", the_mode_of_the_sockets_file },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("endpoints", tests);
}
