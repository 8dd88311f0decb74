/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sending and receiving; see far-end.h.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz/far-end.h"
#include "fuzz/verdict.h"

union control {
	struct cmsghdr align;
	char space[CMSG_SPACE (FAR_END_FDS * sizeof (int))];
};

int
far_end_new (int *theirs)
{
	int pair[2];

	must (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	*theirs = pair[1];
	return pair[0];
}

/* --- out --- */

static void
attach_fds (struct msghdr *msg, union control *control, const int *fds, unsigned n)
{
	struct cmsghdr *cmsg;

	memset (control, 0, sizeof (*control));
	msg->msg_control = control;
	msg->msg_controllen = CMSG_SPACE (n * sizeof (int));
	cmsg = CMSG_FIRSTHDR (msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN (n * sizeof (int));
	memcpy (CMSG_DATA (cmsg), fds, n * sizeof (int));
}

static bool
send_parts (int socket, struct iovec *parts, unsigned n, const int *fds, unsigned n_fds)
{
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = n };
	union control control;

	if (n_fds > 0)
		attach_fds (&msg, &control, fds, n_fds);
	return sendmsg (socket, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
}

bool
far_end_send (int socket, const void *bytes, size_t n, const int *fds, unsigned n_fds)
{
	struct iovec part = { (void *) bytes, n };

	return send_parts (socket, &part, 1, fds, n_fds);
}

bool
far_end_send_message (int socket, const uint32_t header[HEADER_WORDS], const void *body, size_t n, const int *fds, unsigned n_fds)
{
	struct iovec parts[2] = { { (void *) header, HEADER_WORDS * sizeof (header[0]) }, { (void *) body, n } };

	return send_parts (socket, parts, 2, fds, n_fds);
}

/* --- in --- */

static void
take_fds (struct msghdr *msg, int *first)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR (msg); c; c = CMSG_NXTHDR (msg, c))
		for (size_t i = 0; CMSG_LEN ((i + 1) * sizeof (int)) <= c->cmsg_len; i++) {
			int fd;

			memcpy (&fd, CMSG_DATA (c) + i * sizeof (int), sizeof (int));
			if (first && *first < 0)
				*first = fd;
			else
				close (fd);
		}
}

ssize_t
far_end_receive (int socket, void *buf, size_t n, int *fd)
{
	union control control;
	struct iovec part = { buf, n };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof (control) };
	ssize_t got = recvmsg (socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (got > 0)
		take_fds (&msg, fd);
	return got;
}

bool
far_end_receive_message (int socket, struct far_message *m, uint32_t flags, uint32_t optional)
{
	m->fd = -1;
	if (far_end_receive (socket, m->header, sizeof (m->header), &m->fd) != sizeof (m->header))
		return false;
	if ((m->header[HEADER_FLAGS] & ~optional) != flags || m->header[HEADER_SIZE] > sizeof (m->body))
		wrong ("a message with a malformed header");
	if (m->header[HEADER_SIZE] > 0 && far_end_receive (socket, m->body, m->header[HEADER_SIZE], NULL) != (ssize_t) m->header[HEADER_SIZE])
		wrong ("half a message");
	return true;
}

bool
far_end_receive_u64 (int socket, uint64_t *ret)
{
	struct far_message m;

	if (!far_end_receive_message (socket, &m, FAR_END_ANSWER, 0))
		return false;
	if (m.fd >= 0 || m.header[HEADER_SIZE] != sizeof (*ret))
		wrong ("a malformed answer");
	memcpy (ret, m.body, sizeof (*ret));
	return true;
}
