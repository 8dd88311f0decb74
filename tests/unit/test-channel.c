/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receiving on a channel: framing, fds, and a peer that does not keep the rules.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/unit/channel-rig.h"
#include "util/fd.h"

static void
test_nothing_is_eagain (void)
{
	struct message *m;

	begin ();
	CU_ASSERT_EQUAL (channel_receive (&channel, &m), -EAGAIN);
	CU_ASSERT_FALSE (channel_busy (&channel));
	finish ();
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
	finish ();
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
	finish ();
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
	finish ();
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
	finish ();
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
	finish ();
	close (fd);
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
	finish ();
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
	finish ();
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
	finish ();
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
	finish ();
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
	finish ();
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
		{ "no free fd in the process", test_no_free_fd },
		{ "bad versions and sizes", test_bad_headers },
		{ "the largest body", test_largest_body },
		{ "end of the stream anywhere", test_end_of_stream },
		{ "a closed channel", test_closed_channel },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("channel", tests);
}
