/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A channel and its peer.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/channel-rig.h"
#include "util/fd.h"

struct channel channel;
int peer;

static int fds_before;

void
begin (void)
{
	int ends[2];

	fds_before = suite_open_fds ();
	CU_ASSERT_FATAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	channel_init (&channel, ends[0], request_row);
	peer = ends[1];
}

void
finish (void)
{
	channel_close (&channel);
	fd_close (&peer);
	CU_ASSERT_EQUAL (suite_open_fds (), fds_before);
}

void
header_bytes (uint8_t bytes[12], uint32_t request, uint32_t flags, uint32_t size)
{
	uint32_t fields[3] = { request, flags, size };

	memcpy (bytes, fields, sizeof (fields));
}

void
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

void
peer_send_header (uint32_t request, uint32_t flags, uint32_t size, int fd, unsigned n_fds)
{
	uint8_t bytes[12];

	header_bytes (bytes, request, flags, size);
	peer_send (bytes, sizeof (bytes), fd, n_fds);
}

struct message *
expect_message (uint32_t request, uint32_t size, unsigned n_fds)
{
	struct message *m = NULL;

	CU_ASSERT_EQUAL_FATAL (channel_receive (&channel, &m), 1);
	CU_ASSERT_EQUAL (m->request, request);
	CU_ASSERT_EQUAL (m->size, size);
	CU_ASSERT_EQUAL (m->n_fds, n_fds);
	return m;
}

void
expect_broken (void)
{
	struct message *m;

	CU_ASSERT_EQUAL (channel_receive (&channel, &m), -EBADMSG);
	/* What comes later is no message either. */
	peer_send_header (1, MESSAGE_VERSION, 0, -1, 0);
	CU_ASSERT_EQUAL (channel_receive (&channel, &m), -EBADMSG);
	finish ();
}
