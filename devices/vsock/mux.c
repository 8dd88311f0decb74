/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The connections of a guest together: who a packet is for, whose turn it is, and what does not belong to any.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/un.h>

#include <vhost/queue.h>

#include "devices/vsock/connection.h"
#include "devices/vsock/door.h"

/* Ports of the host for its programs begin here, far from those that services have. */
#define FIRST_PORT (1u << 30)

/* How often connections with a deadline are looked at, and full listeners are tried again. */
#define TICK_MS 100

/* One writer, so a store is enough; relaxed, since each number is read for itself. */
void
mux_count (uint64_t *number, uint64_t n)
{
	__atomic_store_n (number, *number + n, __ATOMIC_RELAXED);
}

void
mux_get_stats (const struct mux *m, struct mux_stats *ret)
{
	const uint64_t *from = (const uint64_t *) &m->stats;
	uint64_t *to = (uint64_t *) ret;

	for (unsigned i = 0; i < sizeof (*ret) / sizeof (*to); i++)
		to[i] = __atomic_load_n (&from[i], __ATOMIC_RELAXED);
}

void
mux_set_stats (struct mux *m, const struct mux_stats *stats)
{
	m->stats = *stats;
}

/* --- the table --- */

static struct connection_list *
slot_of (const struct mux *m, uint32_t host_port, uint32_t guest_port)
{
	/* With a number that guests do not know, so that they cannot choose ports that all come to one slot. */
	uint64_t mixed = ((uint64_t) host_port << 32 | guest_port) ^ m->table_seed;

	mixed *= UINT64_C (0x9e3779b97f4a7c15);
	mixed ^= mixed >> 29;
	mixed *= UINT64_C (0xbf58476d1ce4e5b9);
	return &m->table[(mixed >> 32) & m->table_mask];
}

struct connection *
mux_find (const struct mux *m, uint32_t host_port, uint32_t guest_port)
{
	struct connection *c;

	TAILQ_FOREACH (c, slot_of (m, host_port, guest_port), in_table)
		if (c->host_port == host_port && c->guest_port == guest_port)
			return c;
	return NULL;
}

void
mux_insert (struct mux *m, struct connection *c)
{
	TAILQ_INSERT_HEAD (slot_of (m, c->host_port, c->guest_port), c, in_table);
	c->has_ports = true;
}

void
mux_remove (struct mux *m, struct connection *c)
{
	if (c->has_ports)
		TAILQ_REMOVE (slot_of (m, c->host_port, c->guest_port), c, in_table);
	c->has_ports = false;
}

uint32_t
mux_choose_port (struct mux *m, uint32_t guest_port)
{
	uint32_t port;

	/* There are fewer connections than ports. */
	do {
		port = m->next_port;
		m->next_port = port == UINT32_MAX - 1 ? FIRST_PORT : port + 1;
	} while (mux_find (m, port, guest_port));
	return port;
}

/* --- packets from the guest --- */

void
mux_reply (struct mux *m, const struct packet *reply)
{
	if (m->n_replies == m->max_replies)
		return;		/* cannot be: see mux_new */
	m->replies[(m->first_reply + m->n_replies++) % m->max_replies] = *reply;
	mux_update_door (m);
	m->options.has_packets (m->options.opaque);
}

static void
mux_refuse (struct mux *m, const struct packet *p)
{
	struct packet no;

	if (p->op == VIRTIO_VSOCK_OP_RST)
		return;
	packet_refusal (p, &no);
	mux_reply (m, &no);
}

static bool
is_for_us (const struct packet *p)
{
	return p->dst_cid == PACKET_HOST_CID && p->type == VIRTIO_VSOCK_TYPE_STREAM;
}

static void
mux_route (struct mux *m, const struct packet *p, struct iovec *parts, unsigned n)
{
	struct connection *c = mux_find (m, p->dst_port, p->src_port);

	if (p->op == VIRTIO_VSOCK_OP_REQUEST) {
		/* A guest that asks again has forgotten the connection of before. */
		if (c)
			connection_end (c, false);
		connection_from_guest (m, p);
	} else if (c) {
		connection_receive (c, p, parts, n);
	} else {
		mux_refuse (m, p);
	}
}

/* The payload is all there, and no more of the parts than that is left. */
static bool
cut_payload (const struct packet *p, struct iovec **parts, unsigned *n, size_t bytes)
{
	if (p->op != VIRTIO_VSOCK_OP_RW)
		*n = 0;
	else if (p->length > bytes - PACKET_HEADER)
		return false;
	else
		*n = vh_parts_cut (*parts, *n, PACKET_HEADER, p->length, parts);
	return true;
}

void
mux_receive (struct mux *m, struct iovec *parts, unsigned n, size_t bytes)
{
	uint8_t header[PACKET_HEADER];
	struct connection *c;
	struct packet p;

	mux_count (&m->stats.packets_in, 1);
	if (vh_parts_read (parts, n, 0, header, sizeof (header)) < sizeof (header)) {
		mux_count (&m->stats.bad, 1);
		return;
	}
	packet_decode (header, &p);
	if (p.src_cid != m->options.guest_cid) {
		mux_count (&m->stats.bad, 1);	/* nobody is there to be told */
	} else if (!is_for_us (&p)) {
		mux_refuse (m, &p);
	} else if (!cut_payload (&p, &parts, &n, bytes)) {
		mux_count (&m->stats.bad, 1);
		c = mux_find (m, p.dst_port, p.src_port);
		if (c)
			connection_end (c, true);
		else
			mux_refuse (m, &p);
	} else {
		mux_route (m, &p, parts, n);
	}
}

bool
mux_is_full (const struct mux *m)
{
	return m->n_replies >= MUX_REPLIES;
}

/* --- packets to the guest --- */

bool
mux_has_packet (const struct mux *m)
{
	return m->n_replies > 0 || !TAILQ_EMPTY (&m->pending);
}

static size_t
produce_reply (struct mux *m, const struct iovec *parts, unsigned n)
{
	uint8_t bytes[PACKET_HEADER];
	bool was_full = mux_is_full (m);

	packet_encode (&m->replies[m->first_reply], bytes);
	m->first_reply = (m->first_reply + 1) % m->max_replies;
	m->n_replies--;
	mux_count (&m->stats.packets_out, 1);
	if (was_full && !mux_is_full (m)) {
		mux_update_door (m);
		m->options.has_room (m->options.opaque);
	}
	return vh_parts_write (parts, n, 0, bytes, sizeof (bytes));
}

static size_t
produce_next (struct mux *m, const struct iovec *parts, unsigned n, size_t room)
{
	struct connection *c = TAILQ_FIRST (&m->pending);
	size_t bytes;

	TAILQ_REMOVE (&m->pending, c, in_pending);
	c->is_pending = false;
	bytes = connection_produce (c, parts, n, room);
	if (bytes > 0)
		connection_update (c);	/* to the end of the queue, if it has more */
	return bytes;
}

size_t
mux_produce (struct mux *m, const struct iovec *parts, unsigned n, size_t room)
{
	size_t bytes = 0;

	while (bytes == 0 && mux_has_packet (m))
		bytes = m->n_replies > 0 ? produce_reply (m, parts, n) : produce_next (m, parts, n, room);
	return bytes;
}

/* --- time --- */

static void
mux_tick (void *opaque)
{
	struct mux *m = opaque;
	int64_t now = connection_clock ();
	struct connection *c, *next;

	for (c = TAILQ_FIRST (&m->all); c; c = next) {
		next = TAILQ_NEXT (c, in_all);
		connection_tick (c, now);
	}
	if (m->n_timed > 0)
		vh_timer_set (m->timer, TICK_MS);
}

void
mux_set_timed (struct mux *m, bool more)
{
	m->n_timed += more ? 1 : -1;
	if (more && m->n_timed == 1 && m->timer)
		vh_timer_set (m->timer, TICK_MS);
}

/* --- life --- */

int
mux_attach (struct mux *m, struct vh_loop *loop)
{
	struct connection *c, *next;
	int err = vh_loop_add_timer (loop, mux_tick, m, &m->timer);

	if (err == 0)
		err = door_attach (m, loop);
	if (err < 0) {
		vh_timer_remove (m->timer);
		m->timer = NULL;
		return err;
	}
	m->loop = loop;
	for (c = TAILQ_FIRST (&m->all); c; c = next) {
		next = TAILQ_NEXT (c, in_all);
		connection_attach (c);
	}
	if (m->n_timed > 0)
		vh_timer_set (m->timer, TICK_MS);
	return 0;
}

void
mux_detach (struct mux *m)
{
	struct connection *c;

	TAILQ_FOREACH (c, &m->all, in_all)
		connection_detach (c);
	door_detach (m);
	vh_timer_remove (m->timer);
	m->timer = NULL;
	m->loop = NULL;
}

void
mux_reset (struct mux *m)
{
	struct connection *c;

	while ((c = TAILQ_FIRST (&m->all)))
		connection_end (c, false);
	m->first_reply = m->n_replies = 0;
	mux_update_door (m);
}

static int
mux_make_table (struct mux *m)
{
	unsigned slots = 1;

	while (slots < m->options.max_connections)
		slots *= 2;
	m->table_mask = slots - 1;
	if (getrandom (&m->table_seed, sizeof (m->table_seed), GRND_NONBLOCK) < 0)
		m->table_seed = connection_clock ();
	m->table = calloc (slots, sizeof (m->table[0]));
	for (unsigned i = 0; m->table && i < slots; i++)
		TAILQ_INIT (&m->table[i]);
	/*
	 * When MUX_REPLIES wait, neither the guest nor the host can open a connection.  So what can still come is the last batch, and the end of each
	 * connection that is there.
	 */
	m->max_replies = MUX_REPLIES + MUX_BATCH + m->options.max_connections;
	m->replies = calloc (m->max_replies, sizeof (m->replies[0]));
	return m->table && m->replies ? 0 : -ENOMEM;
}

int
mux_new (const struct mux_options *o, struct mux **ret)
{
	struct mux *m = calloc (1, sizeof (*m));
	int err;

	if (!m)
		return -ENOMEM;
	m->options = *o;
	m->next_port = FIRST_PORT;
	TAILQ_INIT (&m->all);
	TAILQ_INIT (&m->pending);
	err = mux_make_table (m);
	if (err == 0)
		err = door_open (m);
	if (err < 0) {
		mux_free (m);
		return err;
	}
	*ret = m;
	return 0;
}

void
mux_free (struct mux *m)
{
	if (!m)
		return;
	if (m->table)
		mux_reset (m);
	vh_listener_free (m->listener);
	free (m->table);
	free (m->replies);
	free (m);
}
