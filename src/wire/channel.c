/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages over a stream socket: bytes and fds in and out, in parts if need be, without ever blocking.
 *
 * The kernel hands fds over with the bytes they were sent with, and a read ends behind bytes that carried some.  So a read that goes no further than the end
 * of a message brings that message's fds and no others.  One that goes on into the next message, see CHANNEL_AHEAD, may bring fds of either; but those of the
 * first, sent with its own bytes, would have ended the read at its end.
 *
 *	read 1: header, 8 bytes more         size 8: whole        size 0: whole, and 8 bytes of the next        size 40: read 2: 32 bytes
 *
 * O_NONBLOCK is not set: the description may be shared with other processes.
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

/* Room for the fds of one message; a peer that sends more gets MSG_CTRUNC set. */
union fd_space {
	struct cmsghdr align;
	char bytes[CMSG_SPACE (MESSAGE_MAX_FDS * sizeof (int))];
};

void
channel_init (struct channel *c, int fd, const struct message_row *(*row) (uint32_t id))
{
	memset (c, 0, sizeof (*c));
	c->fd = fd;
	c->row = row;
}

static void
close_ahead (struct channel *c)
{
	for (unsigned i = 0; i < c->ahead.n_fds; i++)
		close (c->ahead.fds[i]);
	c->ahead.n_fds = 0;
}

void
channel_close (struct channel *c)
{
	message_close_fds (&c->in);
	message_close_fds (&c->out);
	close_ahead (c);
	fd_close (&c->fd);
	c->in_got = c->out_sent = c->out_total = 0;
	c->received = false;
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

/* Puts the fds to the `n` that are there.  -EBADMSG, and closes them: more than a message has. */
static int
take_fds (const struct cmsghdr *cmsg, int fds[MESSAGE_MAX_FDS], unsigned *n)
{
	unsigned came = (cmsg->cmsg_len - CMSG_LEN (0)) / sizeof (int);
	int err = 0;

	for (unsigned i = 0; i < came; i++) {
		int fd;

		memcpy (&fd, CMSG_DATA (cmsg) + i * sizeof (int), sizeof (int));
		if (*n < MESSAGE_MAX_FDS)
			fds[(*n)++] = fd;
		else {
			close (fd);
			err = -EBADMSG;
		}
	}
	return err;
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

/*
 * Do fds that came just now belong to the message behind this one?  Its first bytes came, too.  A peer that sends several messages as one, with the fds of
 * the first, is understood as well: this one has no body, and its row tells whether it lacks fds.
 */
static bool
fds_are_ahead (const struct channel *c)
{
	const struct message_row *row = c->row ? c->row (c->in.request) : NULL;

	if (c->in_got <= MESSAGE_HEADER_SIZE || c->in_got <= message_total (&c->in))
		return false;
	return !row || c->in.n_fds >= row->min_fds;
}

/* What came beside the bytes. */
static int
receive_control (struct channel *c, struct msghdr *msg)
{
	/* Too many fds, or none free in this process: the kernel has closed what did not fit. */
	int err = msg->msg_flags & MSG_CTRUNC ? -EBADMSG : 0;

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR (msg); cmsg; cmsg = CMSG_NXTHDR (msg, cmsg))
		if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_PIDFD)
			drop_pidfd (cmsg);
		else if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS) {
			bool ahead = fds_are_ahead (c);

			err = take_fds (cmsg, ahead ? c->ahead.fds : c->in.fds, ahead ? &c->ahead.n_fds : &c->in.n_fds) ?: err;
		}
	return err;
}

/* Reads once more, at most up to byte `end` of the message. */
static int
receive_more (struct channel *c, size_t end)
{
	struct iovec iov = { .iov_base = c->in.bytes + c->in_got, .iov_len = end - c->in_got };
	union fd_space space;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &space, .msg_controllen = sizeof (space) };
	ssize_t n;

	do
		n = recvmsg (c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return socket_error (errno);
	if (n == 0) {
		c->ended = c->in_got == 0;
		return -ECONNRESET;
	}
	c->in_got += n;
	return msg.msg_controllen > 0 || msg.msg_flags & MSG_CTRUNC ? receive_control (c, &msg) : 0;
}

static int
check_header (const struct message *m)
{
	return (m->flags & MESSAGE_VERSION_MASK) != MESSAGE_VERSION || m->size > MESSAGE_MAX_BODY ? -EBADMSG : 0;
}

/* Goes over to the next message, part of which may have been read with the last one. */
static void
next_message (struct channel *c)
{
	message_close_fds (&c->in);	/* what the receiver left */
	c->received = false;
	if (c->in_got == 0)
		return;
	memcpy (c->in.bytes, c->ahead.bytes, c->in_got);
	memcpy (c->in.fds, c->ahead.fds, c->ahead.n_fds * sizeof (int));
	c->in.n_fds = c->ahead.n_fds;
	c->ahead.n_fds = 0;
}

/* Reads on until the message is whole, and with its header up to `ahead` bytes more. */
static int
receive_message (struct channel *c, size_t ahead)
{
	int err = 0;

	if (c->fd < 0)
		return -ECONNRESET;
	if (c->in_got == BROKEN)
		return -EBADMSG;
	if (c->received)
		next_message (c);
	while (err == 0 && c->in_got < MESSAGE_HEADER_SIZE)
		err = receive_more (c, MESSAGE_HEADER_SIZE + ahead);
	if (err == 0)
		err = check_header (&c->in);
	while (err == 0 && c->in_got < message_total (&c->in))
		err = receive_more (c, message_total (&c->in));
	return err;
}

/* What receive_message returned, told to the receiver. */
static int
receive_end (struct channel *c, int err, struct message **ret)
{
	if (err == -EAGAIN)
		return err;
	if (err < 0) {
		message_close_fds (&c->in);
		close_ahead (c);
		if (err == -EBADMSG)
			c->in_got = BROKEN;
		return err;
	}
	/* What was read behind it is the beginning of the next one. */
	c->in_got -= message_total (&c->in);
	if (c->in_got > 0)
		memcpy (c->ahead.bytes, c->in.bytes + message_total (&c->in), c->in_got);
	c->received = true;
	*ret = &c->in;
	return 1;
}

int
channel_receive (struct channel *c, struct message **ret)
{
	return receive_end (c, receive_message (c, CHANNEL_AHEAD), ret);
}

int
channel_receive_answer (struct channel *c, size_t most, struct message **ret)
{
	int err = receive_message (c, most);

	if (err == 0 && c->in_got > message_total (&c->in))
		err = -EBADMSG;
	return receive_end (c, err, ret);
}

int
channel_check_silence (const struct channel *c)
{
	uint8_t byte;
	ssize_t n;

	if (c->fd < 0)
		return -ECONNRESET;
	if (c->in_got > 0)
		return -EPROTO;
	do
		n = recv (c->fd, &byte, sizeof (byte), MSG_PEEK | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : socket_error (errno);
	return n == 0 ? -ECONNRESET : -EPROTO;
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

/*
 * Writes what fits of a message whose first `sent` bytes have left; its fds go with the first byte, and are none later.  Returns how many bytes left.
 */
static ssize_t
write_bytes (struct channel *c, const struct message *m, size_t sent)
{
	struct iovec iov = { .iov_base = (uint8_t *) m->bytes + sent, .iov_len = message_total (m) - sent };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union fd_space space;
	ssize_t n;

	if (m->n_fds > 0)
		attach_fds (&msg, &space, m);
	do
		/* Most have none, and this call is the cheaper one. */
		n = m->n_fds == 0 ? send (c->fd, iov.iov_base, iov.iov_len, MSG_DONTWAIT | MSG_NOSIGNAL) :
				    sendmsg (c->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
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
	c->out_total = message_total (m);
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
	if (n == (ssize_t) message_total (m))
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
