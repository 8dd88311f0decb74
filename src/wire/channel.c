/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages over a stream socket: bytes and fds in and out, in parts if need be, without ever blocking.
 *
 * The kernel hands fds over with the bytes they were sent with, and a read never goes past bytes that carried some.  So a receiver that reads no further
 * than the end of a message gets that message's fds and no others.  O_NONBLOCK is not set: the description may be shared with other processes.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "util/fd.h"
#include "wire/channel.h"

#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04	/* Linux 6.5 */
#endif

/* in_got after malformed bytes: where the next message begins is not known any more. */
#define BROKEN SIZE_MAX

_Static_assert (MESSAGE_HEADER_SIZE == 3 * sizeof (uint32_t), "the header is three numbers");

/* Room for the fds of one message; a peer that sends more gets MSG_CTRUNC set. */
union fd_space {
	struct cmsghdr align;
	char bytes[CMSG_SPACE (MESSAGE_MAX_FDS * sizeof (int))];
};

void
channel_init (struct channel *c, int fd)
{
	memset (c, 0, sizeof (*c));
	c->fd = fd;
}

void
channel_close (struct channel *c)
{
	message_close_fds (&c->in);
	message_close_fds (&c->out);
	fd_close (&c->fd);
	c->in_got = c->out_sent = c->out_total = 0;
}

/* A failed call on the socket, as an error code. */
static int
socket_error (int err)
{
	switch (err) {
	case EPIPE:
	case ENOTCONN:
		return -ECONNRESET;
	case EWOULDBLOCK:
		return -EAGAIN;
	default:
		return -err;
	}
}

/* --- receiving --- */

static void
take_fds (struct message *m, const struct cmsghdr *cmsg)
{
	unsigned n = (cmsg->cmsg_len - CMSG_LEN (0)) / sizeof (int);

	for (unsigned i = 0; i < n; i++) {
		int fd;

		memcpy (&fd, CMSG_DATA (cmsg) + i * sizeof (int), sizeof (int));
		if (m->n_fds < MESSAGE_MAX_FDS)
			m->fds[m->n_fds++] = fd;
		else
			close (fd);
	}
}

/*
 * A socket that a peer passed to us is the peer's, too: with SO_PASSPIDFD set on it, the kernel opens an fd of the sender's process for us with each
 * message, whether we want it or not.
 */
static void
drop_pidfd (const struct cmsghdr *cmsg)
{
	int fd;

	memcpy (&fd, CMSG_DATA (cmsg), sizeof (int));
	fd_close (&fd);
}

/* Reads what there is for the buffers, with the fds that come with it when `space` is given.  Returns how many bytes, 0 at the end. */
static ssize_t
read_bytes (struct channel *c, struct iovec *iov, int n_iov, union fd_space *space)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = n_iov };
	ssize_t n;

	if (space) {
		msg.msg_control = space;
		msg.msg_controllen = sizeof (*space);
	}
	do
		n = recvmsg (c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return socket_error (errno);
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR (&msg); cmsg; cmsg = CMSG_NXTHDR (&msg, cmsg))
		if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS)
			take_fds (&c->in, cmsg);
		else if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_PIDFD)
			drop_pidfd (cmsg);
	/* Too many fds, or fds behind the header's bytes, or none free in this process: the kernel has closed what did not fit. */
	return msg.msg_flags & MSG_CTRUNC ? -EBADMSG : n;
}

/* Reads once more, up to the end of the header or of `body` bytes behind it. */
static int
receive_more (struct channel *c, size_t body, union fd_space *space)
{
	size_t header = c->in_got < MESSAGE_HEADER_SIZE ? c->in_got : MESSAGE_HEADER_SIZE;
	size_t in_body = c->in_got - header;
	struct iovec iov[2] = {
		{ .iov_base = c->in_header + header, .iov_len = MESSAGE_HEADER_SIZE - header },
		{ .iov_base = c->in.body + in_body, .iov_len = body - in_body },
	};
	ssize_t n = read_bytes (c, iov, 2, space);

	if (n == 0) {
		c->ended = c->in_got == 0;
		return -ECONNRESET;
	}
	if (n < 0)
		return n;
	c->in_got += n;
	return 0;
}

static int
parse_header (struct channel *c)
{
	uint32_t fields[3];

	memcpy (fields, c->in_header, sizeof (fields));
	c->in.request = fields[0];
	c->in.flags = fields[1];
	c->in.size = fields[2];
	if ((c->in.flags & MESSAGE_VERSION_MASK) != MESSAGE_VERSION || c->in.size > MESSAGE_MAX_BODY)
		return -EBADMSG;
	return 0;
}

static int
receive_header (struct channel *c, size_t least)
{
	union fd_space space;
	int err = 0;

	while (err == 0 && c->in_got < MESSAGE_HEADER_SIZE)
		err = receive_more (c, least, &space);
	if (err == 0)
		err = parse_header (c);
	/* What is beyond the end belongs to another message, and whose fds came with it is not known. */
	if (err == 0 && c->in_got > MESSAGE_HEADER_SIZE + c->in.size)
		err = -EBADMSG;
	return err;
}

static int
receive_message (struct channel *c, size_t least)
{
	int err;

	if (c->in_got == BROKEN)
		return -EBADMSG;
	if (c->in_got == 0)
		message_close_fds (&c->in);	/* what the receiver of the last message left */
	err = receive_header (c, least);
	while (err == 0 && c->in_got < MESSAGE_HEADER_SIZE + c->in.size)
		err = receive_more (c, c->in.size, NULL);
	return err;
}

int
channel_receive_answer (struct channel *c, size_t least, struct message **ret)
{
	int err;

	if (c->fd < 0)
		return -ECONNRESET;
	err = receive_message (c, least);
	if (err == -EAGAIN)
		return err;
	if (err < 0) {
		message_close_fds (&c->in);
		if (err == -EBADMSG)
			c->in_got = BROKEN;
		return err;
	}
	c->in_got = 0;
	*ret = &c->in;
	return 1;
}

int
channel_receive (struct channel *c, struct message **ret)
{
	return channel_receive_answer (c, 0, ret);
}

/* --- sending --- */

static void
attach_fds (struct msghdr *msg, union fd_space *space, const struct message *m)
{
	struct cmsghdr *cmsg;

	memset (space, 0, sizeof (*space));
	msg->msg_control = space;
	msg->msg_controllen = CMSG_SPACE (m->n_fds * sizeof (int));
	cmsg = CMSG_FIRSTHDR (msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN (m->n_fds * sizeof (int));
	memcpy (CMSG_DATA (cmsg), m->fds, m->n_fds * sizeof (int));
}

/* Writes what fits of a message whose first `sent` bytes have left; its fds go with the first byte, and are none later.  Returns how many bytes left. */
static ssize_t
write_bytes (struct channel *c, const struct message *m, size_t sent)
{
	uint32_t header[3] = { m->request, m->flags, m->size };
	size_t body = sent > MESSAGE_HEADER_SIZE ? sent - MESSAGE_HEADER_SIZE : 0;
	struct iovec iov[2] = {
		{ .iov_base = (uint8_t *) header + (sent - body), .iov_len = MESSAGE_HEADER_SIZE - (sent - body) },
		{ .iov_base = (uint8_t *) m->body + body, .iov_len = m->size - body },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	union fd_space space;
	ssize_t n;

	if (m->n_fds > 0)
		attach_fds (&msg, &space, m);
	do
		n = sendmsg (c->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? socket_error (errno) : n;
}

/* Keeps a message of which `sent` bytes have left. */
static int
keep_message (struct channel *c, const struct message *m, size_t sent)
{
	int err = message_copy (&c->out, m, sent == 0);

	if (err < 0)
		return err;
	c->out_sent = sent;
	c->out_total = MESSAGE_HEADER_SIZE + m->size;
	return 0;
}

int
channel_send (struct channel *c, const struct message *m)
{
	ssize_t n;

	if (c->fd < 0)
		return -ECONNRESET;
	if (channel_sending (c))
		return -EBUSY;
	n = write_bytes (c, m, 0);
	if (n < 0 && n != -EAGAIN)
		return n;
	if (n == (ssize_t) (MESSAGE_HEADER_SIZE + m->size))
		return 0;
	return keep_message (c, m, n < 0 ? 0 : n);
}

int
channel_flush (struct channel *c)
{
	if (c->fd < 0)
		return -ECONNRESET;
	while (channel_sending (c)) {
		ssize_t n = write_bytes (c, &c->out, c->out_sent);

		if (n < 0)
			return n;
		c->out_sent += n;
		message_close_fds (&c->out);
	}
	return 0;
}

/* --- waiting --- */

/* What is left until a deadline, for poll(2). */
static int
time_left (int64_t deadline)
{
	int64_t left;

	if (deadline < 0)
		return -1;
	left = deadline - clock_ms ();
	if (left < 0)
		return 0;
	return left < INT_MAX ? left : INT_MAX;
}

int
channel_wait (const struct channel *c, short events, int64_t deadline)
{
	struct pollfd p = { .fd = c->fd, .events = events };
	int n, timeout;

	if (c->fd < 0)
		return -ECONNRESET;
	do {
		timeout = time_left (deadline);
		n = poll (&p, 1, timeout);
	} while ((n < 0 && errno == EINTR) || (n == 0 && timeout != 0));
	if (n < 0)
		return -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}
