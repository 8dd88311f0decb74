/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A connection's socket of the host: how it comes to be, its events, what is written to it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "devices/vsock/connection.h"
#include "devices/vsock/hello.h"

#define EVENTS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

/* --- writing --- */

void
connection_host_is_gone (struct connection *c)
{
	c->gone = true;
	c->host_ended |= VIRTIO_VSOCK_SHUTDOWN_RCV;
	backlog_consume (&c->backlog, c->backlog.count);
	c->credit.fwd_cnt = c->credit.received;
}

size_t
connection_send (struct connection *c, struct iovec *parts, unsigned n)
{
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = n };
	size_t all = 0;
	ssize_t sent;

	for (unsigned i = 0; i < n; i++)
		all += parts[i].iov_len;
	if (c->gone)
		return all;
	if (!c->writable)
		return 0;
	sent = sendmsg (c->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS) {
		connection_host_is_gone (c);
		return all;
	}
	/* An edge comes when there is room again. */
	c->writable = sent == (ssize_t) all;
	return sent < 0 ? 0 : sent;
}

static void
connection_flush (struct connection *c)
{
	struct iovec parts[2];
	unsigned n;

	while (c->writable && (n = backlog_parts (&c->backlog, parts)) > 0) {
		size_t sent = connection_send (c, parts, n);

		if (c->gone)
			return;
		backlog_consume (&c->backlog, sent);
		c->credit.fwd_cnt += sent;
		if (sent > 0 && c->state == CONNECTION_LINGER)
			connection_set_state (c, CONNECTION_LINGER);
	}
}

/* --- programs that connect to PATH --- */

void
connection_from_host (struct mux *m, int fd)
{
	struct connection *c = connection_new (m, fd, CONNECTION_HELLO);

	if (c)
		connection_watch (c);
	else
		close (fd);
}

static void
hello_failed (struct connection *c)
{
	mux_count (&c->mux->stats.refused, 1);
	connection_end (c, false);
}

/* Looks at what has come, and takes the line out when it is complete: what follows is for the guest. */
static void
connection_read_hello (struct connection *c)
{
	char text[CONNECTION_MAX_HELLO];
	ssize_t n = recv (c->fd, text, sizeof (text), MSG_PEEK | MSG_DONTWAIT);
	uint32_t port;
	int length;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	length = n <= 0 ? -EPROTO : hello_parse (text, n, &port);
	if (length == 0 && n < (ssize_t) sizeof (text) && !c->hung_up)
		return;		/* half a line */
	if (length <= 0 || recv (c->fd, text, length, MSG_DONTWAIT) != length) {
		hello_failed (c);
		return;
	}
	c->readable = n > length || c->hung_up;
	connection_set_ports (c, mux_choose_port (c->mux, port), port);
	connection_set_state (c, CONNECTION_ASKED);
	c->owes = OWES_REQUEST;
	connection_update (c);
}

void
connection_opened (struct connection *c)
{
	char text[CONNECTION_MAX_HELLO];
	int n = snprintf (text, sizeof (text), "OK %u\n", c->host_port);
	struct iovec line = { text, n };

	c->writable = true;	/* nothing was ever written to it */
	connection_set_state (c, CONNECTION_OPEN);
	mux_count (&c->mux->stats.opened_by_host, 1);
	if (connection_send (c, &line, 1) != (size_t) n)
		connection_host_is_gone (c);
	connection_settle (c);
}

/* --- programs that listen at PATH_P --- */

/* 0, or a negative errno; -EAGAIN: the listener's backlog is full. */
static int
connect_to_port (const struct mux *m, int fd, uint32_t port)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	/* There is room: mux_new looked. */
	snprintf (addr.sun_path, sizeof (addr.sun_path), "%s_%u", m->options.path, port);
	return connect (fd, (struct sockaddr *) &addr, sizeof (addr)) < 0 ? -errno : 0;
}

bool
connection_dial (struct connection *c)
{
	int err = connect_to_port (c->mux, c->fd, c->host_port);

	if (err == -EAGAIN)
		return true;
	if (err < 0) {
		mux_count (&c->mux->stats.refused, 1);
		connection_end (c, true);
		return false;
	}
	c->writable = true;
	c->owes = OWES_RESPONSE;
	connection_set_state (c, CONNECTION_OPEN);
	mux_count (&c->mux->stats.opened_by_guest, 1);
	if (!connection_watch (c))
		return false;
	connection_update (c);
	return true;
}

void
connection_from_guest (struct mux *m, const struct packet *p)
{
	struct connection *c = NULL;
	struct packet no;
	int fd = -1;

	if (m->n_connections < m->options.max_connections)
		fd = socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		c = connection_new (m, fd, CONNECTION_DIALING);
	if (!c) {
		if (fd >= 0)
			close (fd);
		mux_count (&m->stats.refused, 1);
		packet_refusal (p, &no);
		mux_reply (m, &no);
		return;
	}
	connection_set_ports (c, p->dst_port, p->src_port);
	c->credit.peer_buf_alloc = p->buf_alloc;
	c->credit.peer_fwd_cnt = p->fwd_cnt;
	connection_dial (c);
}

/* --- events --- */

/* Before it is open: the program may go away again. */
static void
ready_before_open (struct connection *c, uint32_t events)
{
	if (c->state == CONNECTION_HELLO)
		connection_read_hello (c);
	else if (events & (EPOLLHUP | EPOLLERR)) {
		mux_count (&c->mux->stats.refused, 1);
		connection_end (c, !(c->owes & OWES_REQUEST));
	}
}

static void
connection_ready (void *opaque, uint32_t events)
{
	struct connection *c = opaque;

	c->readable |= !!(events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR));
	c->writable |= !!(events & EPOLLOUT);
	c->hung_up |= !!(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
	if (c->state < CONNECTION_OPEN) {
		ready_before_open (c, events);
		return;
	}
	connection_flush (c);
	if (events & (EPOLLHUP | EPOLLERR))
		connection_host_is_gone (c);
	connection_settle (c);
}

bool
connection_watch (struct connection *c)
{
	if (!c->mux->loop || vh_loop_add_fd (c->mux->loop, c->fd, EVENTS, connection_ready, c, &c->source) == 0)
		return true;
	mux_count (&c->mux->stats.broken, 1);
	connection_end (c, c->state == CONNECTION_ASKED || c->state == CONNECTION_OPEN);
	return false;
}
