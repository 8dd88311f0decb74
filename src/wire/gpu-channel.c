/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages of the vhost-user-gpu socket, in and out, in parts if need be, without ever blocking.  As in channel.c, no read goes past the end of a message, so
 * that its fd is its own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "util/fd.h"
#include "wire/gpu-message.h"

/* got after malformed bytes: where the next message begins is not known any more. */
#define BROKEN SIZE_MAX

#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04	/* Linux 6.5 */
#endif

union fd_space {
	struct cmsghdr align;
	char bytes[CMSG_SPACE (sizeof (int))];
};

void
gpu_channel_init (struct gpu_channel *c, int fd, int (*check) (void *, const struct gpu_message *, uint32_t), void *opaque)
{
	*c = (struct gpu_channel){ .fd = fd, .check = check, .opaque = opaque, .in = { .fd = -1 }, .out_fd = -1 };
}

void
gpu_channel_close (struct gpu_channel *c)
{
	fd_close (&c->in.fd);
	fd_close (&c->out_fd);
	fd_close (&c->fd);
	free (c->room);
	free (c->out);
	c->room = c->out = NULL;
	c->room_size = c->out_size = c->got = c->sent = c->total = 0;
}

static int
socket_error (int err)
{
	return err == EPIPE || err == ENOTCONN ? -ECONNRESET : err == EWOULDBLOCK ? -EAGAIN : -err;
}

/* --- receiving --- */

/* Takes the one fd that a message may have.  Returns how many there were: padding has room for one more. */
static unsigned
take_rights (struct gpu_channel *c, const struct cmsghdr *cmsg)
{
	unsigned n = (unsigned) ((cmsg->cmsg_len - CMSG_LEN (0)) / sizeof (int));

	for (unsigned i = 0; i < n; i++) {
		int fd;

		memcpy (&fd, CMSG_DATA (cmsg) + i * sizeof (int), sizeof (int));
		if (c->in.fd < 0)
			c->in.fd = fd;
		else
			fd_close (&fd);
	}
	return n;
}

static unsigned
take_fds (struct gpu_channel *c, struct msghdr *msg)
{
	unsigned n = 0;
	int fd;

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR (msg); cmsg; cmsg = CMSG_NXTHDR (msg, cmsg))
		if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS)
			n += take_rights (c, cmsg);
		else if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_PIDFD) {
			/* It comes with an option that the peer can set by itself: see channel.c. */
			memcpy (&fd, CMSG_DATA (cmsg), sizeof (int));
			fd_close (&fd);
		}
	return n;
}

static ssize_t
read_bytes (struct gpu_channel *c, void *buf, size_t size, union fd_space *space)
{
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = space, .msg_controllen = space ? sizeof (*space) : 0 };
	ssize_t n;

	do
		n = recvmsg (c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return socket_error (errno);
	if (take_fds (c, &msg) > 1 || msg.msg_flags & MSG_CTRUNC)
		return -EBADMSG;
	return n == 0 ? -ECONNRESET : n;
}

/* Reads on until `got` is `goal`, of which buf holds the bytes from `start` on. */
static int
receive_until (struct gpu_channel *c, uint8_t *buf, size_t start, size_t goal, union fd_space *space)
{
	while (c->got < goal) {
		ssize_t n = read_bytes (c, buf + (c->got - start), goal - c->got, space);

		if (n < 0)
			return (int) n;
		c->got += (size_t) n;
	}
	return 0;
}

static int
make_room (struct gpu_channel *c, size_t size)
{
	uint8_t *room;

	if (size <= c->room_size)
		return 0;
	room = realloc (c->room, size);
	if (!room)
		return -ENOMEM;
	c->room = room;
	c->room_size = size;
	return 0;
}

static int
receive_header (struct gpu_channel *c)
{
	union fd_space space;
	uint32_t fields[3];
	int err;

	if (c->got == 0)
		fd_close (&c->in.fd);	/* what the receiver of the last message left */
	err = receive_until (c, c->header, 0, GPU_HEADER_SIZE, &space);
	if (err < 0)
		return err;
	memcpy (fields, c->header, sizeof (fields));
	c->in.request = fields[0];
	c->in.flags = fields[1];
	c->in.size = fields[2];
	return c->check (c->opaque, &c->in, 0);
}

/* The body: first as much as a rectangle has, which says how much the rest may be. */
static int
receive_body (struct gpu_channel *c)
{
	uint32_t first = c->in.size < GPU_RECT_SIZE ? c->in.size : GPU_RECT_SIZE;
	int err = make_room (c, GPU_RECT_SIZE);

	if (err == 0)
		err = receive_until (c, c->room, GPU_HEADER_SIZE, GPU_HEADER_SIZE + first, NULL);
	c->in.body = c->room;
	if (err == 0 && c->in.size > first)
		err = c->check (c->opaque, &c->in, first);
	if (err == 0)
		err = make_room (c, c->in.size);
	if (err < 0)
		return err;
	c->in.body = c->room;
	return receive_until (c, c->room, GPU_HEADER_SIZE, GPU_HEADER_SIZE + (size_t) c->in.size, NULL);
}

int
gpu_channel_receive (struct gpu_channel *c, struct gpu_message **ret)
{
	int err;

	if (c->fd < 0)
		return -ECONNRESET;
	if (c->got == BROKEN)
		return -EBADMSG;
	err = receive_header (c);
	if (err == 0)
		err = receive_body (c);
	if (err == -EAGAIN)
		return err;
	c->got = err < 0 ? BROKEN : 0;
	*ret = &c->in;
	return err < 0 ? err : 1;
}

/* --- sending --- */

int
gpu_channel_prepare (struct gpu_channel *c, uint32_t request, uint32_t flags, uint32_t size, uint8_t **body)
{
	uint32_t header[3] = { request, flags, size };
	size_t total = GPU_HEADER_SIZE + (size_t) size;

	if (c->fd < 0)
		return -ECONNRESET;
	if (gpu_channel_sending (c))
		return -EAGAIN;
	if (total > c->out_size) {
		uint8_t *out = realloc (c->out, total);

		if (!out)
			return -ENOMEM;
		c->out = out;
		c->out_size = total;
	}
	memcpy (c->out, header, sizeof (header));
	*body = c->out + GPU_HEADER_SIZE;
	c->sent = c->total = 0;
	return 0;
}

static ssize_t
write_bytes (struct gpu_channel *c)
{
	struct iovec iov = { .iov_base = c->out + c->sent, .iov_len = c->total - c->sent };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union fd_space space;
	ssize_t n;

	if (c->out_fd >= 0) {
		struct cmsghdr *cmsg;

		memset (&space, 0, sizeof (space));
		msg.msg_control = &space;
		msg.msg_controllen = sizeof (space.bytes);
		cmsg = CMSG_FIRSTHDR (&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN (sizeof (int));
		memcpy (CMSG_DATA (cmsg), &c->out_fd, sizeof (int));
	}
	do
		n = sendmsg (c->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? socket_error (errno) : n;
}

int
gpu_channel_flush (struct gpu_channel *c)
{
	if (c->fd < 0)
		return -ECONNRESET;
	while (gpu_channel_sending (c)) {
		ssize_t n = write_bytes (c);

		if (n == -EAGAIN)
			return 0;
		if (n < 0)
			return (int) n;
		c->sent += (size_t) n;
		fd_close (&c->out_fd);
	}
	return 0;
}

int
gpu_channel_send (struct gpu_channel *c, int fd)
{
	uint32_t size;

	if (fd >= 0) {
		c->out_fd = fd_dup (fd);
		if (c->out_fd < 0) {
			int err = c->out_fd;

			c->out_fd = -1;
			return err;
		}
	}
	memcpy (&size, c->out + 8, sizeof (size));
	c->sent = 0;
	c->total = GPU_HEADER_SIZE + (size_t) size;
	return gpu_channel_flush (c);
}
