/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sending on a channel, and waiting for its peer.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/unit/channel-rig.h"
#include "util/fd.h"

static void
make_message (struct message *m, uint32_t request, unsigned size, int fd)
{
	message_init (m, request, MESSAGE_VERSION);
	m->size = size;
	for (unsigned i = 0; i < size; i++)
		m->body[i] = request + i;
	if (fd >= 0)
		m->fds[m->n_fds++] = fd;
}

/* One receive of the peer gets everything, fds included: header and body left together. */
static void
test_sent_in_one_piece (void)
{
	static uint8_t bytes[64];
	struct iovec iov = { .iov_base = bytes, .iov_len = sizeof (bytes) };
	char control[CMSG_SPACE (sizeof (int))] __attribute__ ((aligned (8)));
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof (control) };
	uint32_t header[3];
	struct message m;
	int fd = eventfd (0, EFD_CLOEXEC), received;

	begin ();
	make_message (&m, 9, 16, fd);
	CU_ASSERT_EQUAL (channel_send (&channel, &m), 0);
	CU_ASSERT_FALSE (channel_sending (&channel));
	CU_ASSERT_EQUAL (recvmsg (peer, &msg, 0), 12 + 16);
	memcpy (header, bytes, sizeof (header));
	CU_ASSERT_EQUAL (header[0], 9);
	CU_ASSERT_EQUAL (header[1], MESSAGE_VERSION);
	CU_ASSERT_EQUAL (header[2], 16);
	CU_ASSERT_EQUAL (memcmp (bytes + 12, m.body, 16), 0);
	CU_ASSERT_EQUAL_FATAL (msg.msg_controllen, sizeof (control));
	memcpy (&received, CMSG_DATA ((struct cmsghdr *) control), sizeof (int));
	close (received);
	finish ();
	close (fd);
}

/* Sends until a message has to wait.  Returns how many were sent, that one included. */
static unsigned
fill_socket (int fd)
{
	struct message m;
	unsigned n = 0;

	while (!channel_sending (&channel)) {
		make_message (&m, n++, MESSAGE_MAX_BODY - 5, fd);
		CU_ASSERT_EQUAL_FATAL (channel_send (&channel, &m), 0);
		CU_ASSERT_FATAL (n < 10000);
	}
	return n;
}

/* Receives message `request` at the peer's end. */
static void
drain_one (struct channel *reader, uint32_t request)
{
	struct message expected, *m;
	int got = channel_receive (reader, &m);

	while (got == -EAGAIN) {
		int err = channel_flush (&channel);

		CU_ASSERT_FATAL (err == 0 || err == -EAGAIN);
		got = channel_receive (reader, &m);
	}
	CU_ASSERT_EQUAL_FATAL (got, 1);
	make_message (&expected, request, MESSAGE_MAX_BODY - 5, -1);
	CU_ASSERT_EQUAL (m->request, request);
	CU_ASSERT_EQUAL (m->size, expected.size);
	CU_ASSERT_EQUAL (memcmp (m->body, expected.body, expected.size), 0);
	CU_ASSERT_EQUAL (m->n_fds, 1);
}

static void
test_full_socket_keeps_message_and_fds (void)
{
	struct channel reader;
	struct message m;
	unsigned n;
	int fd;

	begin ();
	fd = eventfd (0, EFD_CLOEXEC);
	n = fill_socket (fd);
	close (fd);	/* it was borrowed */
	make_message (&m, 1, 8, -1);
	CU_ASSERT_EQUAL (channel_send (&channel, &m), -EBUSY);
	CU_ASSERT_TRUE (channel_busy (&channel));
	CU_ASSERT_EQUAL (channel_flush (&channel), -EAGAIN);
	channel_init (&reader, peer, NULL);
	for (unsigned i = 0; i < n; i++)
		drain_one (&reader, i);
	CU_ASSERT_FALSE (channel_sending (&channel));
	CU_ASSERT_EQUAL (channel_send (&channel, &m), 0);
	channel_close (&reader);
	peer = -1;
	finish ();
}

static void
test_close_with_a_message_waiting (void)
{
	int fd = eventfd (0, EFD_CLOEXEC);

	begin ();
	fill_socket (fd);
	finish ();
	close (fd);
}

static void
test_peer_gone_is_no_signal (void)
{
	struct message m;

	begin ();
	signal (SIGPIPE, SIG_DFL);
	fd_close (&peer);
	make_message (&m, 1, 8, -1);
	CU_ASSERT_EQUAL (channel_send (&channel, &m), -ECONNRESET);
	finish ();
}

static void
test_peer_gone_while_sending (void)
{
	begin ();
	fill_socket (-1);
	fd_close (&peer);
	CU_ASSERT_EQUAL (channel_flush (&channel), -ECONNRESET);
	finish ();
}

/* --- waiting --- */

static void
on_alarm (int signal)
{
}

static void
test_wait (void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval often = { .it_interval.tv_usec = 2000, .it_value.tv_usec = 2000 }, off = { 0 };

	begin ();
	CU_ASSERT_EQUAL (channel_wait (&channel, POLLIN, clock_ms ()), -ETIMEDOUT);
	CU_ASSERT_EQUAL (channel_wait (&channel, POLLOUT, -1), 0);
	/* Signals do not end it. */
	sigaction (SIGALRM, &action, NULL);
	setitimer (ITIMER_REAL, &often, NULL);
	CU_ASSERT_EQUAL (channel_wait (&channel, POLLIN, clock_ms () + 20), -ETIMEDOUT);
	setitimer (ITIMER_REAL, &off, NULL);
	peer_send_header (1, MESSAGE_VERSION, 0, -1, 0);
	CU_ASSERT_EQUAL (channel_wait (&channel, POLLIN, clock_ms () + 10000), 0);
	expect_message (1, 0, 0);
	fd_close (&peer);
	CU_ASSERT_EQUAL (channel_wait (&channel, POLLIN, clock_ms () + 10000), 0);
	finish ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "sent in one piece", test_sent_in_one_piece },
		{ "a full socket keeps message and fds", test_full_socket_keeps_message_and_fds },
		{ "closed with a message waiting", test_close_with_a_message_waiting },
		{ "a peer that is gone raises no signal", test_peer_gone_is_no_signal },
		{ "a peer that goes while we send", test_peer_gone_while_sending },
		{ "waiting with a deadline", test_wait },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("channel, sending", tests);
}
