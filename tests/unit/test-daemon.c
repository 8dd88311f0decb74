/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Daemons: front-ends that come and go, devices that do not disturb each other, and all the ways to be stopped.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon-host.h"
#include "tests/suite.h"

static struct test_device devices[3];
static struct host host;

static void
begin (unsigned n, unsigned workers)
{
	static const char *const names[] = { "0", "1", "2" };

	host_open (&host, workers);
	for (unsigned i = 0; i < n; i++) {
		test_device_init (&devices[i]);
		CU_ASSERT_TRUE_FATAL (host_listen (&host, &devices[i], names[i]));
	}
}

/* --- front-ends --- */

static void
a_front_end_is_served (void)
{
	struct rig r;
	uint32_t base;

	begin (1, 1);
	host_run (&host);
	host_connect (&host, &r, "0");
	CU_ASSERT_TRUE (rig_ready (&r, 64));
	for (unsigned n = 0; n < 30; n++)
		CU_ASSERT_TRUE (rig_serve (&r, 0, n));
	CU_ASSERT_TRUE (rig_ask_base (&r, 0, &base) && base == 30);
	rig_close (&r);
	CU_ASSERT_TRUE (host_counted (&devices[0].departures, 1));
	host_close (&host);
}

static void
front_ends_come_and_go_200_times (void)
{
	struct rig r;
	int fds;

	begin (1, 2);
	host_run (&host);
	fds = suite_open_fds ();
	for (unsigned i = 0; i < 200; i++) {
		host_connect (&host, &r, "0");
		CU_ASSERT_TRUE (rig_ready (&r, 64) && rig_serve (&r, 0, 0));
		/* Every other one leaves in the middle of something. */
		if (i % 2)
			driver_kick (&r.drivers[0]);
		rig_close (&r);
		CU_ASSERT_TRUE (host_counted (&devices[0].departures, i + 1));
	}
	CU_ASSERT_EQUAL (suite_open_fds (), fds);
	CU_ASSERT_EQUAL (test_device_count (&devices[0].starts), test_device_count (&devices[0].stops));
	host_close (&host);
}

static void
connections_closed_at_once (void)
{
	struct rig r;

	begin (1, 1);
	host_run (&host);
	for (unsigned i = 0; i < 200; i++) {
		host_connect (&host, &r, "0");
		rig_close (&r);
	}
	host_connect (&host, &r, "0");
	CU_ASSERT_TRUE (rig_ready (&r, 64) && rig_serve (&r, 0, 0));
	rig_close (&r);
	host_close (&host);
}

static void
a_second_front_end_waits (void)
{
	struct rig first, second;
	struct pollfd p = { .events = POLLIN };

	begin (1, 1);
	host_run (&host);
	host_connect (&host, &first, "0");
	CU_ASSERT_TRUE (rig_ready (&first, 64));
	host_connect (&host, &second, "0");
	rig_send (&second, FE_GET_FEATURES, FLAG_VERSION, "", 0, NULL, 0);
	for (unsigned n = 0; n < 20; n++)
		CU_ASSERT_TRUE (rig_serve (&first, 0, n));
	p.fd = second.socket;
	CU_ASSERT_EQUAL (poll (&p, 1, 0), 0);
	CU_ASSERT_EQUAL (test_device_count (&devices[0].arrivals), 1);
	/* Its turn comes, and what it said is not lost. */
	rig_close (&first);
	CU_ASSERT_EQUAL (rig_receive (&second, FE_GET_FEATURES, NULL), REFUSAL);
	CU_ASSERT_TRUE (rig_ready (&second, 64) && rig_serve (&second, 0, 0));
	rig_close (&second);
	host_close (&host);
}

static void
devices_do_not_disturb_each_other (void)
{
	struct rig r[3];

	begin (3, 2);
	host_run (&host);
	host_connect (&host, &r[0], "0");
	host_connect (&host, &r[1], "1");
	host_connect (&host, &r[2], "2");
	/* Half a header, and silence. */
	bytes_send (r[0].socket, "\1\0\0\0\1\0", 6, NULL, 0);
	CU_ASSERT_TRUE (rig_ready (&r[1], 64) && rig_ready (&r[2], 64));
	/* A guest that breaks its ring. */
	driver_set_avail (&r[2].drivers[0], 9999);
	driver_kick (&r[2].drivers[0]);
	for (unsigned n = 0; n < 30; n++)
		CU_ASSERT_TRUE (rig_serve (&r[1], 0, n));
	CU_ASSERT_TRUE (host_counted (&devices[2].broken, 1));
	CU_ASSERT_TRUE (rig_alive (&r[2]));
	for (unsigned i = 0; i < 3; i++)
		rig_close (&r[i]);
	host_close (&host);
}

static void
memory_that_is_torn_stops_one_device_only (void)
{
	struct rig r[2];

	begin (2, 1);
	host_run (&host);
	host_connect (&host, &r[0], "0");
	host_connect (&host, &r[1], "1");
	CU_ASSERT_TRUE (rig_ready (&r[0], 64) && rig_ready (&r[1], 64));
	CU_ASSERT_EQUAL (ftruncate (r[0].guest.fd, 0), 0);
	driver_kick (&r[0].drivers[0]);
	CU_ASSERT_TRUE (host_counted (&devices[0].broken, 1));
	CU_ASSERT_TRUE (rig_serve (&r[1], 0, 0));
	CU_ASSERT_TRUE (rig_alive (&r[0]));
	rig_close (&r[0]);
	rig_close (&r[1]);
	host_close (&host);
}

static void
no_fd_is_left_for_a_front_end (void)
{
	struct rlimit old, tight;
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct pollfd p = { .events = POLLIN };
	int client, lowest;
	struct rig r;
	char byte;

	begin (1, 1);
	client = p.fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	host_run (&host);
	host_connect (&host, &r, "0");
	CU_ASSERT_TRUE (rig_alive (&r));
	rig_close (&r);
	CU_ASSERT_TRUE (host_counted (&devices[0].departures, 1));
	snprintf (a.sun_path, sizeof (a.sun_path), "%s", host_path (&host, "0"));
	lowest = dup (client);
	close (lowest);
	getrlimit (RLIMIT_NOFILE, &old);
	tight = old;
	tight.rlim_cur = (rlim_t) lowest;
	setrlimit (RLIMIT_NOFILE, &tight);
	CU_ASSERT_EQUAL (connect (client, (struct sockaddr *) &a, sizeof (a)), 0);
	/* It is turned away, not left waiting. */
	CU_ASSERT_EQUAL (poll (&p, 1, 20000), 1);
	CU_ASSERT_EQUAL (recv (client, &byte, 1, MSG_DONTWAIT), 0);
	setrlimit (RLIMIT_NOFILE, &old);
	close (client);
	host_connect (&host, &r, "0");
	CU_ASSERT_TRUE (rig_ready (&r, 64) && rig_serve (&r, 0, 0));
	rig_close (&r);
	host_close (&host);
}

/* --- stopping --- */

static void
stopped_while_a_front_end_is_here (void)
{
	struct rig r;
	struct reply reply;

	begin (2, 2);
	host_run (&host);
	host_connect (&host, &r, "0");
	CU_ASSERT_TRUE (rig_ready (&r, 64) && rig_serve (&r, 0, 0));
	vh_daemon_stop (host.daemon);
	CU_ASSERT_TRUE (host_wait (&host));
	CU_ASSERT_EQUAL (host.result, 0);
	CU_ASSERT_EQUAL (rig_receive (&r, FE_GET_FEATURES, &reply), CLOSED);
	CU_ASSERT_EQUAL (test_device_count (&devices[0].stops), 1);
	CU_ASSERT_EQUAL (test_device_count (&devices[0].departures), 1);
	rig_close (&r);
	host_close (&host);
}

static void
stopped_before_it_ran (void)
{
	begin (1, 1);
	vh_daemon_stop (host.daemon);
	CU_ASSERT_EQUAL (vh_daemon_run (host.daemon), 0);
	host_close (&host);
}

static struct vh_daemon *daemon_of_signal;

static void
stop_by_signal (int number)
{
	vh_daemon_stop (daemon_of_signal);
}

static void
stopped_by_a_signal_handler (void)
{
	struct itimerval soon = { .it_interval.tv_usec = 20000, .it_value.tv_usec = 20000 }, never = { 0 };
	struct sigaction action = { .sa_handler = stop_by_signal }, old;

	begin (2, 4);
	daemon_of_signal = host.daemon;
	sigaction (SIGALRM, &action, &old);
	setitimer (ITIMER_REAL, &soon, NULL);
	CU_ASSERT_EQUAL (vh_daemon_run (host.daemon), 0);
	setitimer (ITIMER_REAL, &never, NULL);
	sigaction (SIGALRM, &old, NULL);
	host_close (&host);
}

static void
never_run (void)
{
	begin (3, 3);
	host_close (&host);
}

static void
run_without_a_device (void)
{
	begin (0, 1);
	CU_ASSERT_EQUAL (vh_daemon_run (host.daemon), -EINVAL);
	host_close (&host);
	vh_daemon_free (NULL);
}

static void
something_of_our_own (void *opaque, uint32_t events)
{
	vh_daemon_stop (opaque);
}

static void
the_control_loop_takes_fds_of_ours (void)
{
	struct vh_source *source;
	int fd = -1;

	begin (1, 1);
	fd = eventfd (1, EFD_CLOEXEC);
	CU_ASSERT_EQUAL (vh_loop_add_fd (vh_daemon_loop (host.daemon), fd, EPOLLIN, something_of_our_own, host.daemon, &source), 0);
	CU_ASSERT_EQUAL (vh_daemon_run (host.daemon), 0);
	vh_source_remove (source);
	close (fd);
	host_close (&host);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "a front-end is served", a_front_end_is_served },
		{ "front-ends come and go 200 times", front_ends_come_and_go_200_times },
		{ "connections closed at once", connections_closed_at_once },
		{ "a second front-end waits", a_second_front_end_waits },
		{ "devices do not disturb each other", devices_do_not_disturb_each_other },
		{ "memory that is torn stops one device only", memory_that_is_torn_stops_one_device_only },
		{ "no fd is left for a front-end", no_fd_is_left_for_a_front_end },
		{ "stopped while a front-end is here", stopped_while_a_front_end_is_here },
		{ "stopped before it ran", stopped_before_it_ran },
		{ "stopped by a signal handler", stopped_by_a_signal_handler },
		{ "never run", never_run },
		{ "run without a device", run_without_a_device },
		{ "the control loop takes fds of ours", the_control_loop_takes_fds_of_ours },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("daemon", tests);
}
