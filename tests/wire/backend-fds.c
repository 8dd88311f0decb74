/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hostile front-ends: file descriptors too many, too few, and of kinds that nobody wants.
 */
#include "backend-hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

static const uint32_t ring_fd_requests[] = { FE_SET_VRING_KICK, FE_SET_VRING_CALL, FE_SET_VRING_ERR };

/* n copies of one fd on a request without payload. */
static enum outcome
laden (uint32_t request, unsigned n)
{
	int fds[253];

	for (unsigned i = 0; i < n; i++)
		fds[i] = rig.guest.fd;
	return rig_tell (&rig, request, "", 0, fds, n);
}

static void
hostile_21_fds_on_a_request_without (void)
{
	for (unsigned i = 0; i < 20; i++) {
		CU_ASSERT_EQUAL (laden (FE_GET_FEATURES, 8), CLOSED);
		rig_reopen (&rig);
	}
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_EQUAL (laden (FE_SET_OWNER, 1), REFUSAL);
	CU_ASSERT_EQUAL (laden (46, 8), REFUSAL);
	CU_ASSERT_TRUE (rig_alive (&rig));
}

static void
hostile_22_more_fds_than_there_is_room_for (void)
{
	static const unsigned numbers[] = { 9, 16, 253 };

	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_TRUE (rig_negotiate (&rig));
		CU_ASSERT_EQUAL (laden (FE_SET_OWNER, numbers[i]), CLOSED);
		rig_reopen (&rig);
	}
}

/* SET_VRING_CALL with its fds at some byte, read in one go or, with a pump between, in two. */
static enum outcome
call_fds_at (size_t at, bool pump, const int *fds, unsigned n_fds)
{
	struct bytes b = { .n = 0 };

	bytes_header (&b, FE_SET_VRING_CALL, FLAG_VERSION | FLAG_NEED_REPLY, 8);
	bytes_u64 (&b, 0);
	bytes_send (rig.socket, b.data, at, NULL, 0);
	if (pump)
		rig_pump (&rig);
	bytes_send (rig.socket, b.data + at, b.n - at, fds, n_fds);
	return rig_receive (&rig, FE_SET_VRING_CALL, NULL);
}

/* They are fds of that message, as many as it may have. */
static void
hostile_22_fds_in_the_middle_of_a_message (void)
{
	int fds[9], call = eventfd (0, EFD_CLOEXEC);

	for (unsigned i = 0; i < 9; i++)
		fds[i] = call;
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	for (size_t at = 1; at < 20; at++)
		for (int pump = 0; pump < 2; pump++) {
			CU_ASSERT_EQUAL (call_fds_at (at, pump, fds, 1), ACK);
			CU_ASSERT_EQUAL (call_fds_at (at, pump, fds, 2), REFUSAL);
			CU_ASSERT_EQUAL (call_fds_at (at, pump, &rig.guest.fd, 1), REFUSAL);
		}
	CU_ASSERT_EQUAL (call_fds_at (16, true, fds, 9), CLOSED);
	close (call);
}

static void
hostile_22_no_fd_left_in_the_process (void)
{
	struct rlimit old, none;
	struct piece whole = rig_whole ();

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	getrlimit (RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = 3;
	setrlimit (RLIMIT_NOFILE, &none);
	/* The kernel drops what it cannot hand over, and the message is not whole then. */
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &whole, rig.guest.fd), CLOSED);
	setrlimit (RLIMIT_NOFILE, &old);
}

static void
hostile_23_regions_and_fds_differ_in_number (void)
{
	struct piece two[2] = { rig_whole (), rig_whole () };
	int fds[3] = { rig.guest.fd, rig.guest.fd, rig.guest.fd };

	two[0].size = two[1].size = two[1].offset = GUEST_SIZE / 2;
	two[1].guest += GUEST_SIZE / 2;
	two[1].user += GUEST_SIZE / 2;
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	for (unsigned n = 0; n <= 3; n++)
		CU_ASSERT_EQUAL (rig_tell_table (&rig, two, 2, fds, n), n == 2 ? ACK : REFUSAL);
	CU_ASSERT_TRUE (rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0) && rig_serve (&rig, 0, 0));
}

static void
hostile_24_the_no_fd_bit_and_an_fd (void)
{
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	driver_open (&rig.drivers[0], &rig.guest, 0, 64);
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL (rig_tell_fd (&rig, ring_fd_requests[i], NO_FD, rig.drivers[0].call), REFUSAL);
		CU_ASSERT_EQUAL (rig_tell_fd (&rig, ring_fd_requests[i], 0, -1), REFUSAL);
		CU_ASSERT_EQUAL (rig_tell_fd (&rig, ring_fd_requests[i], 0x200, rig.drivers[0].call), REFUSAL);
		CU_ASSERT_EQUAL (rig_tell_fd (&rig, ring_fd_requests[i], UINT64_C (1) << 63, rig.drivers[0].call), REFUSAL);
	}
	CU_ASSERT_EQUAL (laden (FE_SET_VRING_CALL, 2), REFUSAL);
	CU_ASSERT_TRUE (rig_alive (&rig));
}

/* One fd too many is one, whatever the bit says, and none of them stays open. */
static void
hostile_24_the_no_fd_bit_and_two_fds (void)
{
	uint64_t bodies[2] = { 0, NO_FD };
	int fds[2], before;

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	driver_open (&rig.drivers[0], &rig.guest, 0, 64);
	fds[0] = rig.drivers[0].call;
	fds[1] = rig.drivers[0].err;
	before = suite_open_fds ();
	for (unsigned i = 0; i < 3; i++)
		for (unsigned body = 0; body < 2; body++)
			CU_ASSERT_EQUAL (rig_tell (&rig, ring_fd_requests[i], &bodies[body], 8, fds, 2), REFUSAL);
	CU_ASSERT_EQUAL (suite_open_fds (), before);
	CU_ASSERT_TRUE (rig_alive (&rig));
}

/* --- kinds of fds --- */

#define MAX_KINDS 16

/* One of each kind that is no eventfd; returns how many. */
static unsigned
odd_fds (int *fds)
{
	int pair[2], pipes[2];
	unsigned n = 0;

	fds[n++] = memfd_create ("odd", MFD_CLOEXEC);
	fds[n++] = open ("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fds[n++] = open ("/dev/null", O_RDWR | O_CLOEXEC);
	fds[n++] = open ("/proc/self/exe", O_PATH | O_CLOEXEC);
	fds[n++] = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	fds[n++] = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CU_ASSERT_EQUAL_FATAL (pipe2 (pipes, O_CLOEXEC), 0);
	close (pipes[0]);
	fds[n++] = pipes[1];	/* nobody reads */
	CU_ASSERT_EQUAL_FATAL (pipe2 (pipes, O_CLOEXEC), 0);
	close (pipes[1]);
	fds[n++] = pipes[0];	/* nobody writes: hung up */
	CU_ASSERT_EQUAL_FATAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	close (pair[0]);
	fds[n++] = pair[1];
	return n;
}

static void
close_all (int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		close (fds[i]);
}

/* The socket pair that User Mode Linux has in the place of the eventfds for calls and errors. */
static void
calls_through_a_socket (void)
{
	static const char zeroes[4096];
	int call[2], err[2];

	CU_ASSERT_EQUAL_FATAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, call), 0);
	CU_ASSERT_EQUAL_FATAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, err), 0);
	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_CALL, 0, call[1]), ACK);
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_ERR, 0, err[1]), ACK);
	close (err[1]);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (driver_signals (call[0]), 1);
	/* One that is full, or whose reader is gone, stops nobody and ends nobody. */
	while (send (call[1], zeroes, sizeof (zeroes), MSG_DONTWAIT) > 0)
		;
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 1));
	close (call[0]);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 2));
	close (call[1]);
	driver_set_avail (&rig.drivers[0], 5000);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (driver_signals (err[0]), 1);
	CU_ASSERT_TRUE (rig_alive (&rig));
	close (err[0]);
}

static bool
is_stream (int fd)
{
	int type = 0;
	socklen_t size = sizeof (type);

	return getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

static void
hostile_25_a_kick_that_is_no_eventfd (void)
{
	int fds[MAX_KINDS];
	unsigned n = odd_fds (fds);

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	for (unsigned i = 0; i < n; i++)
		for (unsigned request = 0; request < 3; request++) {
			CU_ASSERT_TRUE (fds[i] >= 0);
			if (request > 0 && is_stream (fds[i]))
				continue;	/* see above */
			CU_ASSERT_EQUAL (rig_tell_fd (&rig, ring_fd_requests[request], 0, fds[i]), REFUSAL);
		}
	CU_ASSERT_TRUE (rig_pump (&rig));
	/* The eventfds that were there before are still in use. */
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_TRUE (driver_signals (rig.drivers[0].call) > 0);
	close_all (fds, n);
}

/* What fstat shows like an eventfd, but is none; as many as this kernel gives us. */
static unsigned
likely_fds (int *fds)
{
	static const uint64_t access = 1;	/* LANDLOCK_ACCESS_FS_EXECUTE */
	struct epoll_event always = { .events = EPOLLIN | EPOLLOUT };
	struct itimerspec often = { .it_interval.tv_nsec = 1000000, .it_value.tv_nsec = 1 };
	unsigned n = 0;
	long fd;

	fds[n++] = epoll_create1 (EPOLL_CLOEXEC);
	fds[n] = epoll_create1 (EPOLL_CLOEXEC);
	epoll_ctl (fds[n++], EPOLL_CTL_ADD, rig.socket, &always);
	fds[n] = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC);
	timerfd_settime (fds[n++], 0, &often, NULL);
	fd = syscall (SYS_userfaultfd, O_CLOEXEC);	/* says EPOLLERR, always */
	if (fd >= 0)
		fds[n++] = (int) fd;
	fd = syscall (SYS_landlock_create_ruleset, &access, sizeof (access), 0);	/* cannot be watched */
	if (fd >= 0)
		fds[n++] = (int) fd;
	return n;
}

static void
hostile_25_a_kick_that_only_looks_like_an_eventfd (void)
{
	int fds[MAX_KINDS];
	unsigned n;

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	n = likely_fds (fds);
	for (unsigned i = 0; i < n; i++) {
		for (unsigned request = 0; request < 3; request++) {
			enum outcome o = rig_tell_fd (&rig, ring_fd_requests[request], 0, fds[i]);

			CU_ASSERT_TRUE (o == ACK || o == REFUSAL);
		}
		CU_ASSERT_TRUE (rig_pump (&rig));
		driver_request (&rig.drivers[0], 0);
		CU_ASSERT_TRUE (rig_pump (&rig));
	}
	CU_ASSERT_TRUE (rig_alive (&rig));
	close_all (fds, n);
}

static void
fill (int fd)
{
	uint64_t most = UINT64_MAX - 1;

	CU_ASSERT_EQUAL (write (fd, &most, sizeof (most)), sizeof (most));
}

static void
hostile_26_a_call_that_is_full_and_blocks (void)
{
	int call = eventfd (0, EFD_CLOEXEC), err = eventfd (0, EFD_CLOEXEC);

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	fill (call);
	fill (err);
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_CALL, 0, call), ACK);
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_ERR, 0, err), ACK);
	for (unsigned n = 0; n < 10; n++)
		CU_ASSERT_TRUE (rig_serve (&rig, 0, n));
	driver_set_avail (&rig.drivers[0], 5000);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.broken, 1);
	CU_ASSERT_TRUE (rig_alive (&rig));
	close (call);
	close (err);
}

static void
hostile_26_a_kick_that_is_full_and_blocks (void)
{
	int kick = eventfd (0, EFD_CLOEXEC);

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	fill (kick);
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_KICK, 0, kick), ACK);
	driver_request (&rig.drivers[0], 0);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (rig_alive (&rig));
	close (kick);
}

static void
hostile_27_a_call_again_and_again (void)
{
	int before;

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	before = suite_open_fds ();
	for (unsigned i = 0; i < 256; i++)
		CU_ASSERT_EQUAL (rig_tell_fd (&rig, ring_fd_requests[i % 3], 0, rig.drivers[0].call), ACK);
	CU_ASSERT_EQUAL (suite_open_fds (), before);
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_CALL, NO_FD, -1), ACK);
	CU_ASSERT_EQUAL (suite_open_fds (), before - 1);
}

static void
hostile_28_an_fd_on_rem_mem_reg (void)
{
	struct piece whole = rig_whole ();
	int before;

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	before = suite_open_fds ();
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &whole, rig.guest.fd), ACK);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_REM_MEM_REG, &whole, rig.guest.fd), ACK);
	CU_ASSERT_EQUAL (suite_open_fds (), before);
}

static void
hostile_29_a_channel_without_an_fd (void)
{
	int pair[2];

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_SET_BACKEND_REQ_FD), REFUSAL);
	CU_ASSERT_EQUAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_BACKEND_REQ_FD, "", 0, pair, 2), REFUSAL);
	close_all (pair, 2);
}

static void
hostile_29_a_channel_again_closes_the_one_before (void)
{
	int before;
	uint8_t byte;

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	before = suite_open_fds ();
	for (unsigned i = 0; i < 50; i++) {
		int pair[2];

		CU_ASSERT_EQUAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
		CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_BACKEND_REQ_FD, "", 0, &pair[1], 1), ACK);
		CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_BACKEND_REQ_FD, "", 0, &rig.guest.fd, 1), REFUSAL);
		close (pair[1]);
		CU_ASSERT_EQUAL (suite_open_fds (), before + 2);
		/* A refusal leaves the one that is there in place. */
		CU_ASSERT_EQUAL (bytes_receive (pair[0], &byte, 1, NULL, NULL), -EAGAIN);
		close (pair[0]);
	}
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (suite_open_fds (), before);
}

static void
hostile_29_a_channel_of_another_kind (void)
{
	struct sockaddr_un unnamed = { .sun_family = AF_UNIX };
	int fds[MAX_KINDS];
	unsigned n = odd_fds (fds);

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_KICK, NO_FD, -1), ACK);	/* a device with no ring started says nothing */
	fds[n] = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bind (fds[n], (struct sockaddr *) &unnamed, sizeof (unnamed.sun_family));
	CU_ASSERT_EQUAL (listen (fds[n], 1), 0);
	n++;
	for (unsigned i = 0; i < n; i++) {
		/* A stream that leads nowhere is taken, and closed when it says so. */
		CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_BACKEND_REQ_FD, "", 0, &fds[i], 1), is_stream (fds[i]) ? ACK : REFUSAL);
		CU_ASSERT_TRUE (rig_pump (&rig));
		CU_ASSERT_TRUE (vh_backend_config_changed (rig.backend) < 0);
	}
	/* The far end of the connection itself: the back-end talks to itself, and may read its own answer. */
	rig_tell (&rig, FE_SET_BACKEND_REQ_FD, "", 0, &rig.socket, 1);
	vh_backend_config_changed (rig.backend);
	CU_ASSERT_TRUE (rig_pump (&rig));
	close_all (fds, n);
}

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

/* The socket belongs to the front-end, too, and so do its options: this one has the kernel put an fd of the sender's process beside each message. */
static void
hostile_29_a_channel_that_brings_fds_by_itself (void)
{
	int on = 1, before;

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	before = suite_open_fds ();
	for (unsigned i = 0; i < 10; i++) {
		int pair[2];

		CU_ASSERT_EQUAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
		/* Older kernels do not know it. */
		setsockopt (pair[1], SOL_SOCKET, SO_PASSPIDFD, &on, sizeof (on));
		if (i % 2)
			setsockopt (pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof (on));
		CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_BACKEND_REQ_FD, "", 0, &pair[1], 1), ACK);
		bytes_send (pair[0], "\2\0\0\0\5\0\0\0\0\0\0\0", 12, NULL, 0);
		CU_ASSERT_TRUE (rig_pump (&rig));
		close_all (pair, 2);
		CU_ASSERT_TRUE (rig_pump (&rig));
		CU_ASSERT_EQUAL (suite_open_fds (), before);
	}
	CU_ASSERT_TRUE (rig_alive (&rig));
}

struct CU_TestInfo fd_cases[] = {
	CASE (hostile_21_fds_on_a_request_without),
	CASE (hostile_22_more_fds_than_there_is_room_for),
	CASE (hostile_22_fds_in_the_middle_of_a_message),
	CASE (hostile_22_no_fd_left_in_the_process),
	CASE (hostile_23_regions_and_fds_differ_in_number),
	CASE (hostile_24_the_no_fd_bit_and_an_fd),
	CASE (hostile_24_the_no_fd_bit_and_two_fds),
	CASE (calls_through_a_socket),
	CASE (hostile_25_a_kick_that_is_no_eventfd),
	CASE (hostile_25_a_kick_that_only_looks_like_an_eventfd),
	CASE (hostile_26_a_call_that_is_full_and_blocks),
	CASE (hostile_26_a_kick_that_is_full_and_blocks),
	CASE (hostile_27_a_call_again_and_again),
	CASE (hostile_28_an_fd_on_rem_mem_reg),
	CASE (hostile_29_a_channel_without_an_fd),
	CASE (hostile_29_a_channel_again_closes_the_one_before),
	CASE (hostile_29_a_channel_of_another_kind),
	CASE (hostile_29_a_channel_that_brings_fds_by_itself),
	CU_TEST_INFO_NULL,
};
