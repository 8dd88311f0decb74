/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes of the next message, which a channel may have read with the one before; and answers, behind which there must be none.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/unit/channel-rig.h"
#include "util/fd.h"

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
				finish ();
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
	finish ();
	begin ();
	peer_send_two (REQUEST_SET_OWNER, 0, 8, true, fd, 1);
	expect_message (REQUEST_SET_OWNER, 0, 0);
	expect_message (2, 8, 1);
	finish ();
	begin ();
	peer_send_two (REQUEST_SET_VRING_KICK, 8, 8, true, fd, 1);
	expect_message (REQUEST_SET_VRING_KICK, 8, 1);
	expect_message (2, 8, 0);
	finish ();
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
	finish ();
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
	finish ();
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
	finish ();
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
		finish ();
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
	finish ();
	begin ();
	fd_close (&peer);
	CU_ASSERT_EQUAL (channel_check_silence (&channel), -ECONNRESET);
	channel_close (&channel);
	CU_ASSERT_EQUAL (channel_check_silence (&channel), -ECONNRESET);
	finish ();
	close (fd);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "messages that follow closely", test_messages_that_follow_closely },
		{ "fds of messages in one piece", test_fds_of_messages_in_one_piece },
		{ "the most fds, twice", test_most_fds_twice },
		{ "closed with the next message here", test_close_with_the_next_message_here },
		{ "the end behind a part of the next message", test_end_behind_a_part_of_the_next_message },
		{ "an answer in one read", test_answer_in_one_read },
		{ "bytes behind an answer", test_bytes_behind_an_answer },
		{ "silence", test_silence },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("channel, the next message", tests);
}
