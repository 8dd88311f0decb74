/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The channel: framing, fds, parts, and a peer that does not keep the rules.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/suite.h"
#include "util/fd.h"
#include "wire/channel.h"

/* More than fit into one message. */
#define MANY_FDS 16

static struct channel channel;
static int peer;
static int fds_before;

static void
begin (void)
{
	int ends[2];

	fds_before = suite_open_fds ();
	CU_ASSERT_FATAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	channel_init (&channel, ends[0], request_row);
	peer = ends[1];
}

/* No test may leave an fd behind. */
static void
end (void)
{
	channel_close (&channel);
	fd_close (&peer);
	CU_ASSERT_EQUAL (suite_open_fds (), fds_before);
}

/* --- the peer, by hand --- */

static void
header_bytes (uint8_t bytes[12], uint32_t request, uint32_t flags, uint32_t size)
{
	uint32_t fields[3] = { request, flags, size };

	memcpy (bytes, fields, sizeof (fields));
}

/* Sends bytes with copies of one fd. */
static void
peer_send (const void *bytes, size_t size, int fd, unsigned n_fds)
{
	struct iovec iov = { .iov_base = (void *) bytes, .iov_len = size };
	union {
		struct cmsghdr cmsg;
		char space[CMSG_SPACE (MANY_FDS * sizeof (int))];
	} control = { .space = { 0 } };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n_fds) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE (n_fds * sizeof (int));
		control.cmsg.cmsg_level = SOL_SOCKET;
		control.cmsg.cmsg_type = SCM_RIGHTS;
		control.cmsg.cmsg_len = CMSG_LEN (n_fds * sizeof (int));
		for (unsigned i = 0; i < n_fds; i++)
			memcpy (CMSG_DATA (&control.cmsg) + i * sizeof (int), &fd, sizeof (int));
	}
	CU_ASSERT_EQUAL_FATAL (sendmsg (peer, &msg, 0), (ssize_t) size);
}

static void
peer_send_header (uint32_t request, uint32_t flags, uint32_t size, int fd, unsigned n_fds)
{
	uint8_t bytes[12];

	header_bytes (bytes, request, flags, size);
	peer_send (bytes, sizeof (bytes), fd, n_fds);
}

static struct message *
expect_message (uint32_t request, uint32_t size, unsigned n_fds)
{
	struct message *m = NULL;

	CU_ASSERT_EQUAL_FATAL (channel_receive (&channel, &m), 1);
	CU_ASSERT_EQUAL (m->request, request);
	CU_ASSERT_EQUAL (m->size, size);
	CU_ASSERT_EQUAL (m->n_fds, n_fds);
	return m;
}

/* --- receiving --- */

static void
test_nothing_is_eagain (void)
{
	struct message *m;

	begin ();
	CU_ASSERT_EQUAL (channel_receive (&channel, &m), -EAGAIN);
	CU_ASSERT_FALSE (channel_busy (&channel));
	end ();
}

static void
test_message_in_single_bytes (void)
{
	uint8_t bytes[20] = { 0 };
	struct message *m;
	int fd = eventfd (0, EFD_CLOEXEC);

	begin ();
	header_bytes (bytes, 7, MESSAGE_VERSION, 8);
	bytes[12] = 0x5a;
	for (size_t i = 0; i < sizeof (bytes) - 1; i++) {
		peer_send (bytes + i, 1, fd, i == 0);
		CU_ASSERT_EQUAL (channel_receive (&channel, &m), -EAGAIN);
		CU_ASSERT_TRUE (channel_busy (&channel));
	}
	peer_send (bytes + 19, 1, -1, 0);
	m = expect_message (7, 8, 1);
	CU_ASSERT_EQUAL (m->body[0], 0x5a);
	CU_ASSERT_FALSE (channel_busy (&channel));
	end ();
	close (fd);
}

static void
test_messages_in_one_write (void)
{
	uint8_t bytes[3 * 12 + 8] = { 0 };

	begin ();
	header_bytes (bytes, 1, MESSAGE_VERSION, 0);
	header_bytes (bytes + 12, 2, MESSAGE_VERSION, 8);
	header_bytes (bytes + 32, 3, MESSAGE_VERSION, 0);
	peer_send (bytes, sizeof (bytes), -1, 0);
	expect_message (1, 0, 0);
	expect_message (2, 8, 0);
	expect_message (3, 0, 0);
	end ();
}

static void
test_fds_stay_with_their_message (void)
{
	int a = eventfd (0, EFD_CLOEXEC), b = eventfd (0, EFD_CLOEXEC);
	struct message *m;
	uint64_t count;
	int fd;

	begin ();
	peer_send_header (1, MESSAGE_VERSION, 0, -1, 0);
	peer_send_header (2, MESSAGE_VERSION, 0, a, 1);
	peer_send_header (3, MESSAGE_VERSION, 0, b, 3);
	expect_message (1, 0, 0);
	m = expect_message (2, 0, 1);
	fd = message_take_fd (m, 0);
	CU_ASSERT_EQUAL (eventfd_write (a, 5), 0);
	CU_ASSERT_EQUAL (eventfd_read (fd, &count), 0);
	CU_ASSERT_EQUAL (count, 5);
	expect_message (3, 0, 3);
	close (fd);
	end ();
	close (a);
	close (b);
}

static void
test_received_fds_are_cloexec (void)
{
	int fd = eventfd (0, 0);
	struct message *m;

	begin ();
	peer_send_header (1, MESSAGE_VERSION, 0, fd, MESSAGE_MAX_FDS);
	m = expect_message (1, 0, MESSAGE_MAX_FDS);
	for (unsigned i = 0; i < m->n_fds; i++)
		CU_ASSERT_TRUE (fcntl (m->fds[i], F_GETFD) & FD_CLOEXEC);
	end ();
	close (fd);
}

static void
test_fds_left_are_closed_by_the_next_receive (void)
{
	int fd = eventfd (0, EFD_CLOEXEC), before, taken;
	struct message *m;

	begin ();
	before = suite_open_fds ();
	peer_send_header (1, MESSAGE_VERSION, 0, fd, 3);
	m = expect_message (1, 0, 3);
	taken = message_take_fd (m, 1);
	CU_ASSERT_EQUAL (channel_receive (&channel, &m), -EAGAIN);
	CU_ASSERT_EQUAL (suite_open_fds (), before + 1);
	close (taken);
	end ();
	close (fd);
}

static void
expect_broken (void)
{
	struct message *m;

	CU_ASSERT_EQUAL (channel_receive (&channel, &m), -EBADMSG);
	/* What comes later is no message either. */
	peer_send_header (1, MESSAGE_VERSION, 0, -1, 0);
	CU_ASSERT_EQUAL (channel_receive (&channel, &m), -EBADMSG);
	end ();
}

static void
test_too_many_fds (void)
{
	int fd = eventfd (0, EFD_CLOEXEC);

	begin ();
	peer_send_header (1, MESSAGE_VERSION, 0, fd, MESSAGE_MAX_FDS + 1);
	expect_broken ();
	begin ();
	peer_send_header (1, MESSAGE_VERSION, 0, fd, MANY_FDS);
	expect_broken ();
	close (fd);
}

/* Fds that come in the middle of a message are its own, however it is read. */
static void
fds_with_the_body (size_t size, size_t before, bool in_parts)
{
	static uint8_t body[MESSAGE_MAX_BODY];
	int fd = eventfd (0, EFD_CLOEXEC);
	struct message *m;

	begin ();
	peer_send_header (1, MESSAGE_VERSION, size, -1, 0);
	if (before)
		peer_send (body, before, -1, 0);
	if (in_parts)
		CU_ASSERT_EQUAL (channel_receive (&channel, &m), -EAGAIN);
	peer_send (body, size - before, fd, 2);
	peer_send_header (2, MESSAGE_VERSION, 0, -1, 0);
	expect_message (1, size, 2);
	expect_message (2, 0, 0);
	end ();
	close (fd);
}

static void
test_fds_with_the_body (void)
{
	static const size_t sizes[] = { 2, 8, 40, MESSAGE_MAX_BODY };

	for (unsigned i = 0; i < sizeof (sizes) / sizeof (sizes[0]); i++)
		for (unsigned before = 0; before < 2; before++) {
			fds_with_the_body (sizes[i], before, false);
			fds_with_the_body (sizes[i], before, true);
		}
}

/* Three fds with each of many pieces. */
static void
test_too_many_fds_in_pieces (void)
{
	int fd = eventfd (0, EFD_CLOEXEC);
	struct message *m;
	uint8_t byte = 1;

	begin ();
	for (unsigned i = 0; i < 2; i++) {
		peer_send (&byte, 1, fd, 3);
		CU_ASSERT_EQUAL (channel_receive (&channel, &m), -EAGAIN);
	}
	peer_send (&byte, 1, fd, 3);
	expect_broken ();
	close (fd);
}

/* --- bytes of the next message --- */

/* Sends two messages, whose bodies have these sizes, in one piece, or the second in a piece of its own with the fds. */
static void
peer_send_two (uint32_t first, size_t size, size_t size2, bool in_one, int fd, unsigned n_fds)
{
	static uint8_t bytes[2 * (12 + MESSAGE_MAX_BODY)];

	memset (bytes, 0xee, sizeof (bytes));
	header_bytes (bytes, first, MESSAGE_VERSION, size);
	header_bytes (bytes + 12 + size, 2, MESSAGE_VERSION, size2);
	if (in_one) {
		peer_send (bytes, 12 + size + 12 + size2, fd, n_fds);
		return;
	}
	peer_send (bytes, 12 + size, -1, 0);
	peer_send (bytes + 12 + size, 12 + size2, fd, n_fds);
}

/* Whatever the sizes: each message has its bytes and its fds, and that the second one has begun is known. */
static void
test_messages_that_follow_closely (void)
{
	static const size_t sizes[] = { 0, 4, 7, 8, 9, 40, 300, MESSAGE_MAX_BODY };
	int fd = eventfd (0, EFD_CLOEXEC);

	for (unsigned i = 0; i < 8; i++)
		for (unsigned k = 0; k < 8; k++)
			for (unsigned n_fds = 0; n_fds <= MESSAGE_MAX_FDS; n_fds += MESSAGE_MAX_FDS) {
				struct message *m;

				begin ();
				peer_send_two (1, sizes[i], sizes[k], n_fds == 0, fd, n_fds);
				expect_message (1, sizes[i], 0);
				m = expect_message (2, sizes[k], n_fds);
				for (unsigned b = 0; b < m->size; b++)
					CU_ASSERT_EQUAL_FATAL (m->body[b], 0xee);
				CU_ASSERT_FALSE (channel_busy (&channel));
				end ();
			}
	close (fd);
}

/* A sender that makes one piece of two messages: the first needs an fd, or has no use for one. */
static void
test_fds_of_messages_in_one_piece (void)
{
	int fd = eventfd (0, EFD_CLOEXEC);

	begin ();
	peer_send_two (REQUEST_SET_BACKEND_REQ_FD, 0, 8, true, fd, 1);
	expect_message (REQUEST_SET_BACKEND_REQ_FD, 0, 1);
	expect_message (2, 8, 0);
	end ();
	begin ();
	peer_send_two (REQUEST_SET_OWNER, 0, 8, true, fd, 1);
	expect_message (REQUEST_SET_OWNER, 0, 0);
	expect_message (2, 8, 1);
	end ();
	begin ();
	peer_send_two (REQUEST_SET_VRING_KICK, 8, 8, true, fd, 1);
	expect_message (REQUEST_SET_VRING_KICK, 8, 1);
	expect_message (2, 8, 0);
	end ();
	close (fd);
}

/* As many fds as a message may have with the first bytes of one, and as many with the next, read in one go. */
static void
test_most_fds_twice (void)
{
	int fd = eventfd (0, EFD_CLOEXEC);
	struct message *m;
	uint8_t bytes[12];

	begin ();
	header_bytes (bytes, 1, MESSAGE_VERSION, 0);
	peer_send (bytes, 5, fd, MESSAGE_MAX_FDS);
	CU_ASSERT_EQUAL (channel_receive (&channel, &m), -EAGAIN);
	peer_send (bytes + 5, 7, -1, 0);
	peer_send_header (2, MESSAGE_VERSION, 0, fd, MESSAGE_MAX_FDS);
	expect_message (1, 0, MESSAGE_MAX_FDS);
	expect_message (2, 0, MESSAGE_MAX_FDS);
	end ();
	close (fd);
}

/* What is here of a message after the one that was received last: the channel is busy, and closes its fds. */
static void
test_close_with_the_next_message_here (void)
{
	int fd = eventfd (0, EFD_CLOEXEC);

	begin ();
	peer_send_two (1, 0, 8, false, fd, 2);
	expect_message (1, 0, 0);
	CU_ASSERT_TRUE (channel_busy (&channel));
	end ();
	close (fd);
}

static void
test_end_behind_a_part_of_the_next_message (void)
{
	int fd = eventfd (0, EFD_CLOEXEC);
	struct message *m;
	uint8_t bytes[12];

	begin ();
	peer_send_header (1, MESSAGE_VERSION, 0, -1, 0);
	header_bytes (bytes, 2, MESSAGE_VERSION, 0);
	peer_send (bytes, 5, fd, 2);
	fd_close (&peer);
	expect_message (1, 0, 0);
	CU_ASSERT_EQUAL (channel_receive (&channel, &m), -ECONNRESET);
	CU_ASSERT_FALSE (channel.ended);
	end ();
	close (fd);
}

/* --- answers --- */

static void
test_answer_in_one_read (void)
{
	static uint8_t body[60];
	struct message *m;

	for (size_t most = 0; most <= MESSAGE_MAX_BODY; most = most ? 4 * most : 4) {
		begin ();
		peer_send_header (1, MESSAGE_VERSION, sizeof (body), -1, 0);
		peer_send (body, sizeof (body), -1, 0);
		CU_ASSERT_EQUAL_FATAL (channel_receive_answer (&channel, most, &m), 1);
		CU_ASSERT_EQUAL (m->size, sizeof (body));
		CU_ASSERT_EQUAL (channel_check_silence (&channel), 0);
		end ();
	}
}

/* Nothing may follow an answer that is read with all that it can have; fds that come with it are closed. */
static void
test_bytes_behind_an_answer (void)
{
	int fd = eventfd (0, EFD_CLOEXEC);
	struct message *m;

	for (unsigned n_fds = 0; n_fds < 3; n_fds++) {
		begin ();
		peer_send_two (1, 8, 8, false, fd, n_fds);
		CU_ASSERT_EQUAL (channel_receive_answer (&channel, 9, &m), -EBADMSG);
		expect_broken ();
	}
	close (fd);
}

static void
test_silence (void)
{
	int fd = eventfd (0, EFD_CLOEXEC);
	struct message *m;
	uint8_t byte = 1;

	begin ();
	CU_ASSERT_EQUAL (channel_check_silence (&channel), 0);
	peer_send (&byte, 1, fd, 1);
	CU_ASSERT_EQUAL (channel_check_silence (&channel), -EPROTO);
	CU_ASSERT_EQUAL (channel_receive (&channel, &m), -EAGAIN);
	CU_ASSERT_EQUAL (channel_check_silence (&channel), -EPROTO);
	end ();
	begin ();
	fd_close (&peer);
	CU_ASSERT_EQUAL (channel_check_silence (&channel), -ECONNRESET);
	channel_close (&channel);
	CU_ASSERT_EQUAL (channel_check_silence (&channel), -ECONNRESET);
	end ();
	close (fd);
}

/* The kernel drops fds for which the process has no room, and says so. */
static void
test_no_free_fd (void)
{
	int fd = eventfd (0, EFD_CLOEXEC);
	struct rlimit old, low;

	begin ();
	peer_send_header (1, MESSAGE_VERSION, 0, fd, 4);
	CU_ASSERT_EQUAL (getrlimit (RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = peer + 2;
	CU_ASSERT_EQUAL (setrlimit (RLIMIT_NOFILE, &low), 0);
	CU_ASSERT_EQUAL (channel_receive (&channel, &(struct message *){ NULL }), -EBADMSG);
	CU_ASSERT_EQUAL (setrlimit (RLIMIT_NOFILE, &old), 0);
	end ();
	close (fd);
}

static void
test_bad_headers (void)
{
	static const struct {
		uint32_t flags, size;
	} bad[] = {
		{ 0, 0 },
		{ 2, 0 },
		{ 3, 0 },
		{ MESSAGE_VERSION, MESSAGE_MAX_BODY + 1 },
		{ MESSAGE_VERSION, 65536 },
		{ MESSAGE_VERSION, UINT32_MAX },
	};

	for (size_t i = 0; i < sizeof (bad) / sizeof (bad[0]); i++) {
		begin ();
		peer_send_header (1, bad[i].flags, bad[i].size, -1, 0);
		expect_broken ();
	}
}

static void
test_largest_body (void)
{
	static uint8_t body[MESSAGE_MAX_BODY];
	struct message *m;

	begin ();
	memset (body, 0xa5, sizeof (body));
	peer_send_header (1, MESSAGE_VERSION, sizeof (body), -1, 0);
	peer_send (body, sizeof (body), -1, 0);
	m = expect_message (1, sizeof (body), 0);
	CU_ASSERT_EQUAL (memcmp (m->body, body, sizeof (body)), 0);
	end ();
}

/* The end of the stream after `size` bytes of a message with a body. */
static void
end_after (size_t size, bool between)
{
	uint8_t bytes[20] = { 0 };
	struct message *m;
	int fd = eventfd (0, EFD_CLOEXEC);

	begin ();
	header_bytes (bytes, 1, MESSAGE_VERSION, 8);
	if (size)
		peer_send (bytes, size, fd, 2);
	fd_close (&peer);
	CU_ASSERT_EQUAL (channel_receive (&channel, &m), -ECONNRESET);
	CU_ASSERT_EQUAL (channel.ended, between);
	end ();
	close (fd);
}

static void
test_end_of_stream (void)
{
	end_after (0, true);
	for (size_t size = 1; size < 20; size++)
		end_after (size, false);
}

static void
test_closed_channel (void)
{
	struct message m, *received;

	begin ();
	channel_close (&channel);
	channel_close (&channel);
	message_init (&m, 1, MESSAGE_VERSION);
	CU_ASSERT_EQUAL (channel_receive (&channel, &received), -ECONNRESET);
	CU_ASSERT_EQUAL (channel_send (&channel, &m), -ECONNRESET);
	CU_ASSERT_EQUAL (channel_flush (&channel), -ECONNRESET);
	CU_ASSERT_EQUAL (channel_wait (&channel, POLLIN, -1), -ECONNRESET);
	end ();
}

/* --- sending --- */

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
	end ();
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
	end ();
}

static void
test_close_with_a_message_waiting (void)
{
	int fd = eventfd (0, EFD_CLOEXEC);

	begin ();
	fill_socket (fd);
	end ();
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
	end ();
}

static void
test_peer_gone_while_sending (void)
{
	begin ();
	fill_socket (-1);
	fd_close (&peer);
	CU_ASSERT_EQUAL (channel_flush (&channel), -ECONNRESET);
	end ();
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
	end ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "nothing there is EAGAIN", test_nothing_is_eagain },
		{ "a message in single bytes", test_message_in_single_bytes },
		{ "several messages in one write", test_messages_in_one_write },
		{ "fds stay with their message", test_fds_stay_with_their_message },
		{ "received fds are close-on-exec", test_received_fds_are_cloexec },
		{ "fds left are closed by the next receive", test_fds_left_are_closed_by_the_next_receive },
		{ "too many fds", test_too_many_fds },
		{ "fds with the body", test_fds_with_the_body },
		{ "too many fds in pieces", test_too_many_fds_in_pieces },
		{ "messages that follow closely", test_messages_that_follow_closely },
		{ "fds of messages in one piece", test_fds_of_messages_in_one_piece },
		{ "the most fds, twice", test_most_fds_twice },
		{ "closed with the next message here", test_close_with_the_next_message_here },
		{ "the end behind a part of the next message", test_end_behind_a_part_of_the_next_message },
		{ "an answer in one read", test_answer_in_one_read },
		{ "bytes behind an answer", test_bytes_behind_an_answer },
		{ "silence", test_silence },
		{ "no free fd in the process", test_no_free_fd },
		{ "bad versions and sizes", test_bad_headers },
		{ "the largest body", test_largest_body },
		{ "end of the stream anywhere", test_end_of_stream },
		{ "a closed channel", test_closed_channel },
		{ "sent in one piece", test_sent_in_one_piece },
		{ "a full socket keeps message and fds", test_full_socket_keeps_message_and_fds },
		{ "closed with a message waiting", test_close_with_a_message_waiting },
		{ "a peer that is gone raises no signal", test_peer_gone_is_no_signal },
		{ "a peer that goes while we send", test_peer_gone_while_sending },
		{ "waiting with a deadline", test_wait },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("channel", tests);
}
