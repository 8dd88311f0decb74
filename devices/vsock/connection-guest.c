/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A connection's packets: those that come from the guest, and those that it gets.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <vhost/queue.h>

#include "devices/vsock/connection.h"

/* --- from the guest --- */

/* Somebody breaks the rules. */
static void
connection_break (struct connection *c)
{
	mux_count (&c->mux->stats.bad, 1);
	mux_count (&c->mux->stats.broken, 1);
	connection_end (c, true);
}

static void
receive_response (struct connection *c)
{
	if (c->state != CONNECTION_ASKED || (c->owes & OWES_REQUEST))
		connection_break (c);
	else
		connection_opened (c);
}

static void
receive_reset (struct connection *c)
{
	if (c->state < CONNECTION_OPEN)
		mux_count (&c->mux->stats.refused, 1);
	else if (!c->guest_ended && c->told_ended == 0)
		mux_count (&c->mux->stats.broken, 1);
	/* A guest that ended in order and does not wait any more for our answer: all that it sent gets there. */
	if (c->backlog.count > 0 && (c->guest_ended & VIRTIO_VSOCK_SHUTDOWN_SEND))
		connection_linger (c);
	else
		connection_end (c, false);
}

static void
receive_shutdown (struct connection *c, uint32_t flags)
{
	c->guest_ended |= flags & (VIRTIO_VSOCK_SHUTDOWN_RCV | VIRTIO_VSOCK_SHUTDOWN_SEND);
	if (c->state < CONNECTION_OPEN) {
		/* It gave up before there was anything. */
		mux_count (&c->mux->stats.refused, 1);
		connection_end (c, true);
		return;
	}
	/* The program finds out when it writes. */
	if (flags & VIRTIO_VSOCK_SHUTDOWN_RCV)
		shutdown (c->fd, SHUT_RD);
	connection_settle (c);
}

/* The bytes, as far as the host takes them now, from where they are; the rest is kept. */
static bool
pass_on (struct connection *c, struct iovec *parts, unsigned n, uint32_t length)
{
	size_t sent = c->backlog.count == 0 ? connection_send (c, parts, n) : 0;
	struct iovec *rest;

	if (c->gone) {
		c->credit.fwd_cnt = c->credit.received;
		return true;
	}
	c->credit.fwd_cnt += sent;
	if (sent == length)
		return true;
	n = vh_parts_cut (parts, n, sent, length - sent, &rest);
	return backlog_add (&c->backlog, rest, n) == 0;
}

static void
receive_data (struct connection *c, const struct packet *p, struct iovec *parts, unsigned n)
{
	if (c->state != CONNECTION_OPEN || (c->guest_ended & VIRTIO_VSOCK_SHUTDOWN_SEND) || !credit_allows (&c->credit, p->length)) {
		connection_break (c);
		return;
	}
	mux_count (&c->mux->stats.bytes_in, p->length);
	c->credit.received += p->length;
	if (pass_on (c, parts, n, p->length))
		connection_settle (c);
	else
		connection_break (c);
}

void
connection_receive (struct connection *c, const struct packet *p, struct iovec *parts, unsigned n)
{
	c->credit.peer_buf_alloc = p->buf_alloc;
	c->credit.peer_fwd_cnt = p->fwd_cnt;
	if (credit_left (&c->credit) > 0) {
		c->asked_credit = false;
		c->owes &= ~OWES_QUESTION;
	}
	switch (p->op) {
	case VIRTIO_VSOCK_OP_RESPONSE:
		receive_response (c);
		break;
	case VIRTIO_VSOCK_OP_RST:
		receive_reset (c);
		break;
	case VIRTIO_VSOCK_OP_SHUTDOWN:
		receive_shutdown (c, p->flags);
		break;
	case VIRTIO_VSOCK_OP_RW:
		receive_data (c, p, parts, n);
		break;
	case VIRTIO_VSOCK_OP_CREDIT_REQUEST:
		c->owes |= OWES_CREDIT;
		connection_update (c);
		break;
	case VIRTIO_VSOCK_OP_CREDIT_UPDATE:
		connection_update (c);
		break;
	default:
		connection_break (c);
	}
}

/* --- to the guest --- */

static bool
can_read (const struct connection *c)
{
	return c->readable && !(c->host_ended & VIRTIO_VSOCK_SHUTDOWN_SEND) && !(c->guest_ended & VIRTIO_VSOCK_SHUTDOWN_RCV) &&
	       credit_left (&c->credit) > 0;
}

bool
connection_has_packet (const struct connection *c)
{
	if (c->state == CONNECTION_OPEN)
		return c->owes || can_read (c) || (c->host_ended & ~c->told_ended);
	return c->state == CONNECTION_ASKED && (c->owes & OWES_REQUEST);
}

/* What comes next when there are no data. */
static uint16_t
next_op (struct connection *c)
{
	if (c->owes & OWES_REQUEST)
		return VIRTIO_VSOCK_OP_REQUEST;
	if (c->owes & OWES_RESPONSE)
		return VIRTIO_VSOCK_OP_RESPONSE;
	if (c->host_ended & ~c->told_ended)
		return VIRTIO_VSOCK_OP_SHUTDOWN;
	if (c->owes & OWES_QUESTION)
		return VIRTIO_VSOCK_OP_CREDIT_REQUEST;
	return VIRTIO_VSOCK_OP_CREDIT_UPDATE;
}

static unsigned
owed_for (uint16_t op)
{
	switch (op) {
	case VIRTIO_VSOCK_OP_REQUEST:
		return OWES_REQUEST;
	case VIRTIO_VSOCK_OP_RESPONSE:
		return OWES_RESPONSE;
	case VIRTIO_VSOCK_OP_CREDIT_REQUEST:
		return OWES_QUESTION;
	default:
		return 0;
	}
}

static size_t
write_packet (struct connection *c, struct packet *p, const struct iovec *parts, unsigned n)
{
	uint8_t bytes[PACKET_HEADER];

	packet_encode (p, bytes);
	vh_parts_write (parts, n, 0, bytes, sizeof (bytes));
	/* Each packet tells our room. */
	c->owes &= ~(OWES_CREDIT | owed_for (p->op));
	c->credit.told = c->credit.fwd_cnt;
	mux_count (&c->mux->stats.packets_out, 1);
	mux_count (&c->mux->stats.bytes_out, p->length);
	return PACKET_HEADER + p->length;
}

static size_t
write_control (struct connection *c, const struct iovec *parts, unsigned n)
{
	struct packet p;

	connection_header (c, next_op (c), &p);
	if (p.op == VIRTIO_VSOCK_OP_SHUTDOWN)
		p.flags = c->told_ended = c->host_ended;
	return write_packet (c, &p, parts, n);
}

/* The program's end of the data. */
static void
host_ended (struct connection *c)
{
	c->host_ended |= VIRTIO_VSOCK_SHUTDOWN_SEND;
	if (c->gone)
		c->host_ended |= VIRTIO_VSOCK_SHUTDOWN_RCV;
}

/* Straight into the guest's buffer.  Bytes; 0: none now, or none any more; a negative errno: it is broken. */
static ssize_t
read_data (struct connection *c, const struct iovec *parts, unsigned n, size_t room)
{
	struct iovec copy[MUX_MAX_PARTS], *data;
	struct msghdr message = { 0 };
	size_t size = credit_left (&c->credit);
	ssize_t got;

	if (size > room - PACKET_HEADER)
		size = room - PACKET_HEADER;
	if (size > MUX_MAX_PAYLOAD)
		size = MUX_MAX_PAYLOAD;
	memcpy (copy, parts, n * sizeof (copy[0]));
	message.msg_iovlen = vh_parts_cut (copy, n, PACKET_HEADER, size, &data);
	message.msg_iov = data;
	got = recvmsg (c->fd, &message, MSG_DONTWAIT);
	/* Less than was asked for is all that there is, and an edge tells of more.  The end has had its edge. */
	if (got < (ssize_t) size && !c->hung_up)
		c->readable = false;
	if (got == 0 || (got < 0 && errno == ECONNRESET))
		host_ended (c);
	if (got >= 0 || errno == EAGAIN || errno == EINTR || errno == ECONNRESET)
		return got < 0 ? 0 : got;
	return -errno;
}

static size_t
write_data (struct connection *c, const struct iovec *parts, unsigned n, size_t room)
{
	ssize_t got = read_data (c, parts, n, room);
	struct packet p;

	if (got < 0) {
		mux_count (&c->mux->stats.broken, 1);
		connection_end (c, true);
		return 0;
	}
	/* The buffer is there, so it brings something. */
	if (got == 0)
		return write_control (c, parts, n);
	connection_header (c, VIRTIO_VSOCK_OP_RW, &p);
	p.length = got;
	c->credit.sent += got;
	return write_packet (c, &p, parts, n);
}

size_t
connection_produce (struct connection *c, const struct iovec *parts, unsigned n, size_t room)
{
	if (c->state == CONNECTION_OPEN && !(c->owes & OWES_RESPONSE) && can_read (c) && room > PACKET_HEADER && n <= MUX_MAX_PARTS)
		return write_data (c, parts, n, room);
	return write_control (c, parts, n);
}
