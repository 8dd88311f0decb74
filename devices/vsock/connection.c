/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a connection: its states, their deadlines, its end.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "devices/vsock/connection.h"

#define BOTH (VIRTIO_VSOCK_SHUTDOWN_RCV | VIRTIO_VSOCK_SHUTDOWN_SEND)

int64_t
connection_clock (void)
{
	struct timespec now;

	clock_gettime (CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C (1000) + now.tv_nsec / 1000000;
}

/* --- making and end --- */

struct connection *
connection_new (struct mux *m, int fd, enum connection_state state)
{
	struct connection *c = calloc (1, sizeof (*c));

	if (!c)
		return NULL;
	c->mux = m;
	c->fd = fd;
	c->deadline = -1;
	c->credit.buf_alloc = m->options.buffer;
	backlog_init (&c->backlog, m->options.buffer);
	TAILQ_INSERT_TAIL (&m->all, c, in_all);
	m->n_connections++;
	connection_set_state (c, state);
	mux_update_door (m);
	return c;
}

/* Takes it out of what the guest can reach. */
static void
connection_forget_guest (struct connection *c)
{
	if (c->is_pending)
		TAILQ_REMOVE (&c->mux->pending, c, in_pending);
	c->is_pending = false;
	mux_remove (c->mux, c);
}

void
connection_end (struct connection *c, bool tell)
{
	struct mux *m = c->mux;
	struct packet p;

	if (tell) {
		connection_header (c, VIRTIO_VSOCK_OP_RST, &p);
		mux_reply (m, &p);
	}
	if (c->deadline >= 0)
		mux_set_timed (m, false);
	connection_forget_guest (c);
	TAILQ_REMOVE (&m->all, c, in_all);
	m->n_connections--;
	vh_source_remove (c->source);
	close (c->fd);
	backlog_free (&c->backlog);
	free (c);
	mux_update_door (m);
}

void
connection_linger (struct connection *c)
{
	connection_forget_guest (c);
	connection_set_state (c, CONNECTION_LINGER);
}

/* --- states --- */

static int64_t
state_ms (enum connection_state state)
{
	switch (state) {
	case CONNECTION_HELLO:
		return CONNECTION_HELLO_MS;
	case CONNECTION_ASKED:
		return CONNECTION_ASKED_MS;
	case CONNECTION_DIALING:
		return CONNECTION_DIAL_MS;
	case CONNECTION_LINGER:
		return CONNECTION_LINGER_MS;
	default:
		return -1;
	}
}

void
connection_set_state (struct connection *c, enum connection_state state)
{
	bool timed = c->deadline >= 0;
	int64_t ms = state_ms (state);

	c->state = state;
	c->deadline = ms < 0 ? -1 : connection_clock () + ms;
	if (timed != (ms >= 0))
		mux_set_timed (c->mux, !timed);
}

void
connection_header (const struct connection *c, uint16_t op, struct packet *ret)
{
	*ret = (struct packet){
		.src_cid = PACKET_HOST_CID,
		.dst_cid = c->mux->options.guest_cid,
		.src_port = c->host_port,
		.dst_port = c->guest_port,
		.type = VIRTIO_VSOCK_TYPE_STREAM,
		.op = op,
		.buf_alloc = c->credit.buf_alloc,
		.fwd_cnt = c->credit.fwd_cnt,
	};
}

void
connection_set_ports (struct connection *c, uint32_t host_port, uint32_t guest_port)
{
	c->host_port = host_port;
	c->guest_port = guest_port;
	mux_insert (c->mux, c);
}

static bool
wants_credit (const struct connection *c)
{
	return c->readable && !c->asked_credit && !(c->host_ended & VIRTIO_VSOCK_SHUTDOWN_SEND) &&
	       !(c->guest_ended & VIRTIO_VSOCK_SHUTDOWN_RCV) && credit_left (&c->credit) == 0;
}

void
connection_update (struct connection *c)
{
	struct mux *m = c->mux;

	if (c->state == CONNECTION_OPEN && wants_credit (c)) {
		c->asked_credit = true;
		c->owes |= OWES_QUESTION;
	}
	if (c->is_pending || !connection_has_packet (c))
		return;
	TAILQ_INSERT_TAIL (&m->pending, c, in_pending);
	c->is_pending = true;
	m->options.has_packets (m->options.opaque);
}

bool
connection_settle (struct connection *c)
{
	if (c->backlog.count == 0 && (c->state == CONNECTION_LINGER || c->guest_ended == BOTH)) {
		/* With a packet for a guest that ended both ways: it waits for that one. */
		connection_end (c, c->state != CONNECTION_LINGER);
		return false;
	}
	if (c->backlog.count == 0 && (c->guest_ended & VIRTIO_VSOCK_SHUTDOWN_SEND) && !c->passed_end) {
		c->passed_end = true;
		shutdown (c->fd, SHUT_WR);
	}
	if (c->state == CONNECTION_OPEN && credit_is_news (&c->credit))
		c->owes |= OWES_CREDIT;
	connection_update (c);
	return true;
}

/* --- time --- */

void
connection_tick (struct connection *c, int64_t now)
{
	if (c->state == CONNECTION_DIALING && !connection_dial (c))
		return;
	if (c->deadline < 0 || now < c->deadline)
		return;
	mux_count (c->state == CONNECTION_LINGER ? &c->mux->stats.broken : &c->mux->stats.refused, 1);
	/* The guest knows of it when it was asked, or asked itself. */
	connection_end (c, c->state == CONNECTION_ASKED || c->state == CONNECTION_DIALING);
}

void
connection_attach (struct connection *c)
{
	/* The time in which nothing could move does not count. */
	connection_set_state (c, c->state);
	if (c->state != CONNECTION_DIALING)
		connection_watch (c);
}

void
connection_detach (struct connection *c)
{
	vh_source_remove (c->source);
	c->source = NULL;
}
