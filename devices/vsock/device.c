/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the rings to the mux and back.  All rings of a device run in one thread, and the host's sockets with them; while the guest does not run, nothing does.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_ids.h>
#include <vhost/error.h>

#include "devices/common/state.h"
#include "devices/common/totals.h"
#include "devices/vsock/device.h"
#include "devices/vsock/mux.h"

/* Virtqueues (virtio 1.2, 5.10.2). */
enum {
	RX,			/* to the guest */
	TX,			/* from it */
	EVENT,			/* QEMU keeps this one to itself */
	RINGS
};

struct vsock {
	struct vh_device vh;
	struct log log;
	struct totals totals;
	struct mux *mux;
	uint64_t config;		/* struct virtio_vsock_config: the guest's cid, little-endian */
	struct vh_ring *rings[RINGS];	/* NULL: not started */
	bool attached;			/* the mux is: RX and TX run */
	bool in_rx;			/* the guest is being given packets */
	bool known;			/* the guest that is here has been here before, since its front-end came */
	bool owes_reset;		/* it has to be told that its connections are gone */
	struct state state;
};

/* --- the guest --- */

static void
wake (struct vsock *d, unsigned ring)
{
	if (d->rings[ring])
		vh_ring_wake (d->rings[ring]);
}

static void
has_packets (void *opaque)
{
	struct vsock *d = opaque;

	if (!d->in_rx)
		wake (d, RX);
}

static void
has_room (void *opaque)
{
	wake (opaque, TX);
}

/* RX and TX are there: who is it that has started them? */
static void
meet_guest (struct vsock *d)
{
	if (vh_ring_is_new (d->rings[RX]) && vh_ring_is_new (d->rings[TX])) {
		/* A driver that begins has no connections. */
		mux_reset (d->mux);
	} else if (!d->known) {
		/* It had another back-end, and its connections ended with that one. */
		d->owes_reset = true;
		wake (d, EVENT);
	}
	d->known = true;
}

static int
begin (struct vsock *d)
{
	int err = mux_attach (d->mux, vh_ring_loop (d->rings[RX]));

	if (err < 0)
		return err;
	d->attached = true;
	meet_guest (d);
	return 0;
}

static int
ring_start (void *opaque, struct vh_ring *ring)
{
	struct vsock *d = opaque;
	unsigned i = vh_ring_index (ring);
	int err = 0;

	d->rings[i] = ring;
	if (!d->attached && d->rings[RX] && d->rings[TX])
		err = begin (d);
	if (err < 0)
		d->rings[i] = NULL;
	return err;
}

static void
ring_stop (void *opaque, struct vh_ring *ring)
{
	struct vsock *d = opaque;
	unsigned i = vh_ring_index (ring);

	d->rings[i] = NULL;
	if (d->attached && i != EVENT) {
		mux_detach (d->mux);
		d->attached = false;
	}
}

/* --- packets --- */

/* A buffer is taken only when there is something to put into it. */
static void
process_rx (struct vsock *d, struct vh_ring *ring)
{
	struct vh_request *r;

	d->in_rx = true;
	while (mux_has_packet (d->mux) && vh_ring_take (ring, &r, 1) > 0) {
		bool fits = !r->error && r->in_bytes >= PACKET_HEADER;

		vh_ring_give (ring, r, fits ? mux_produce (d->mux, r->in, r->n_in, r->in_bytes) : 0);
	}
	d->in_rx = false;
	vh_ring_flush (ring);
}

static void
process_tx (struct vsock *d, struct vh_ring *ring)
{
	struct vh_request *reqs[MUX_BATCH];
	int n;

	while (!mux_is_full (d->mux) && (n = vh_ring_take (ring, reqs, MUX_BATCH)) > 0) {
		for (int i = 0; i < n; i++) {
			mux_receive (d->mux, reqs[i]->out, reqs[i]->n_out, reqs[i]->out_bytes);
			vh_ring_give (ring, reqs[i], 0);
		}
		vh_ring_flush (ring);
	}
}

static void
process_event (struct vsock *d, struct vh_ring *ring)
{
	const struct virtio_vsock_event event = { .id = htole32 (VIRTIO_VSOCK_EVENT_TRANSPORT_RESET) };
	struct vh_request *r;

	if (!d->owes_reset || vh_ring_take (ring, &r, 1) <= 0)
		return;
	vh_ring_give (ring, r, vh_parts_write (r->in, r->n_in, 0, &event, sizeof (event)));
	d->owes_reset = false;
	vh_ring_flush (ring);
}

static void
ring_process (void *opaque, struct vh_ring *ring)
{
	struct vsock *d = opaque;

	switch (vh_ring_index (ring)) {
	case RX:
		if (d->attached)
			process_rx (d, ring);
		break;
	case TX:
		if (d->attached)
			process_tx (d, ring);
		break;
	default:
		process_event (d, ring);
	}
}

/* --- the front-end; no ring runs --- */

static void
connected (void *opaque, struct vh_backend *backend)
{
	struct vsock *d = opaque;

	totals_connected (&d->totals, backend);
	d->known = d->owes_reset = false;
}

static void
disconnected (void *opaque, struct vh_backend *backend)
{
	struct vsock *d = opaque;

	totals_disconnected (&d->totals);
	state_forget (&d->state);
}

static void
reset (void *opaque)
{
	struct vsock *d = opaque;

	mux_reset (d->mux);
}

/* --- the state: connections are not in it, for they are sockets of this host; the guest is told that they are gone --- */

enum tag {
	GUEST,			/* cid, connections that it had */
	STATS,			/* as in struct mux_stats */
	RING_TOTALS,
	TAGS
};

enum { CID, CONNECTIONS, GUEST_NUMBERS };

#define STATS_NUMBERS (sizeof (struct mux_stats) / sizeof (uint64_t))

static void
fill_state (void *device, struct state *s)
{
	const struct vsock *d = device;
	const uint64_t guest[GUEST_NUMBERS] = { le64toh (d->config), d->mux->n_connections };
	struct mux_stats stats;

	mux_get_stats (d->mux, &stats);
	state_put_numbers (s, GUEST, 0, guest, GUEST_NUMBERS);
	state_put_numbers (s, STATS, 0, (const uint64_t *) &stats, STATS_NUMBERS);
	totals_save (&d->totals, s, RING_TOTALS);
}

/* Another cid is no obstacle: a driver reads it again when it hears that its connections are gone (virtio 1.2, 5.10.6.7). */
static int
apply_state (void *device, const struct state *s)
{
	struct vsock *d = device;
	uint64_t guest[GUEST_NUMBERS];
	struct mux_stats stats;

	if (!state_get_numbers (s, GUEST, 0, guest, GUEST_NUMBERS) || !state_get_numbers (s, STATS, 0, (uint64_t *) &stats, STATS_NUMBERS) ||
	    !totals_found (&d->totals, s, RING_TOTALS))
		return -EBADMSG;
	mux_set_stats (d->mux, &stats);
	totals_load (&d->totals, s, RING_TOTALS);
	d->known = false;
	log_say (&d->log, VH_LOG_INFO, "a guest comes from elsewhere, where it was %llu and had %llu connections", (unsigned long long) guest[CID],
		 (unsigned long long) guest[CONNECTIONS]);
	return 0;
}

static const struct state_kind state_kind = { .id = VIRTIO_ID_VSOCK, .tags = TAGS, .fill = fill_state, .apply = apply_state };

static int
save (void *opaque, uint64_t offset, void *buf, size_t size)
{
	struct vsock *d = opaque;

	return state_save (&d->state, &state_kind, d, offset, buf, size);
}

static int
load (void *opaque, uint64_t offset, const void *buf, size_t size)
{
	struct vsock *d = opaque;

	return state_load (&d->state, &state_kind, d, offset, buf, size);
}

static const struct vh_device_ops device_ops = {
	.size = sizeof (device_ops),
	.connected = connected,
	.disconnected = disconnected,
	.reset = reset,
	.ring_start = ring_start,
	.ring_process = ring_process,
	.ring_stop = ring_stop,
	.state_save = save,
	.state_load = load,
};

void
vsock_print_stats (void *vsock)
{
	struct vsock *d = vsock;
	struct vh_ring_counters rx, tx;
	struct mux_stats s;

	mux_get_stats (d->mux, &s);
	totals_get (&d->totals, RX, &rx);
	totals_get (&d->totals, TX, &tx);
	log_answer (&d->log,
		    "%llu connections of the guest, %llu of the host, %llu refused, %llu broken; from the guest %llu packets (%llu bytes), %llu bad, "
		    "%llu batches; to the guest %llu packets (%llu bytes), %llu batches; %llu kicks, %llu calls",
		    (unsigned long long) s.opened_by_guest, (unsigned long long) s.opened_by_host, (unsigned long long) s.refused,
		    (unsigned long long) s.broken, (unsigned long long) s.packets_in, (unsigned long long) s.bytes_in, (unsigned long long) s.bad,
		    (unsigned long long) tx.batches, (unsigned long long) s.packets_out, (unsigned long long) s.bytes_out,
		    (unsigned long long) rx.batches, (unsigned long long) (rx.kicks + tx.kicks), (unsigned long long) (rx.calls + tx.calls));
}

/* --- making --- */

static int
make_mux (struct vsock *d, const struct vsock_options *o)
{
	const struct mux_options options = {
		.guest_cid = o->guest_cid, .path = o->uds_path, .socket_mode = o->uds_mode, .max_connections = o->max_connections, .buffer = o->buffer,
		.has_packets = has_packets, .has_room = has_room, .opaque = d,
	};

	return mux_new (&options, &d->mux);
}

static void
describe (struct vsock *d, const struct vsock_options *o)
{
	d->config = htole64 (o->guest_cid);
	d->vh = (struct vh_device){
		.size = sizeof (d->vh),
		.ops = &device_ops,
		.opaque = d,
		.name = d->log.name,
		.features = options_ring_features (&o->common),
		.rings = RINGS,
		.protocol_features = options_protocol_features (&o->common),
		.max_ring_size = o->common.queue_size,
		.max_parts = MUX_MAX_PARTS,
		.config = &d->config,
		.config_size = sizeof (d->config),
	};
}

int
vsock_new (const struct device_options *common, const struct log *log, const struct vh_device **ret)
{
	const struct vsock_options *o = (const struct vsock_options *) common;
	struct log ours = *log;
	struct vsock *d = calloc (1, sizeof (*d));
	int err = d ? totals_init (&d->totals, RINGS) : -ENOMEM;

	ours.name = o->uds_path;
	if (err == 0)
		err = make_mux (d, o);
	if (err < 0) {
		log_say (&ours, VH_LOG_ERROR, "%s", vh_strerror (err));
		if (d)
			vsock_free (d);
		return err;
	}
	d->log = ours;
	describe (d, o);
	*ret = &d->vh;
	return 0;
}

void
vsock_free (void *vsock)
{
	struct vsock *d = vsock;

	mux_free (d->mux);
	totals_free (&d->totals);
	state_forget (&d->state);
	free (d);
}
