/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frame goes from the guest's buffers into the wire, by one system call, behind a header that was read once, checked and made anew.  A wire that is full
 * stops the queue: what was taken and did not go is put back, and waits in the ring as the guest does.  But not for ever, for at the other end is somebody
 * who may never read.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include "devices/net/frame.h"
#include "devices/net/net.h"
#include "devices/net/transmit.h"

/* Frames that are taken at a time. */
#define BATCH 32

/* How long a guest is stopped, in ms, by a wire that takes nothing at all. */
#define PATIENCE_MS 1000

/* --- the wire --- */

static void
transmit_go_on (struct transmit *tx)
{
	vh_source_remove (tx->source);
	tx->source = NULL;
	tx->impatient = false;
	vh_timer_set (tx->patience, -1);
	vh_ring_wake (tx->queue.ring);
}

static void
wire_writable (void *opaque, uint32_t events)
{
	transmit_go_on (opaque);
}

static void
lose_patience (void *opaque)
{
	struct transmit *tx = opaque;

	tx->impatient = true;
	vh_ring_wake (tx->queue.ring);
}

static void
transmit_rewired (struct queue *q)
{
	transmit_go_on ((struct transmit *) q);
}

/* The wire is full: false, once it is watched; else frames are lost for want of memory. */
static bool
wire_full (struct transmit *tx)
{
	if (tx->impatient)
		return true;
	if (vh_loop_add_fd (vh_ring_loop (tx->queue.ring), tx->queue.wire->fd[WIRE_SEND], EPOLLOUT, wire_writable, tx, &tx->source) < 0)
		return true;
	vh_timer_set (tx->patience, PATIENCE_MS);
	return false;
}

/* Puts n parts, `size` bytes, into the wire or drops them.  False: not yet. */
static bool
wire_write (struct transmit *tx, const struct iovec *parts, unsigned n, size_t size)
{
	ssize_t written;

	if (!tx->queue.wire) {
		count (&tx->stats.lost, 1);
		return true;
	}
	do
		written = writev (tx->queue.wire->fd[WIRE_SEND], parts, n);
	while (written < 0 && errno == EINTR);
	if (written < 0 && errno == EAGAIN && !wire_full (tx))
		return false;
	if (written < 0) {
		count (&tx->stats.lost, 1);
		return true;
	}
	count (&tx->stats.frames, 1);
	count (&tx->stats.bytes, size);
	return true;
}

/* --- frames --- */

static bool
is_too_long (const struct transmit *tx, const struct net_header *h, size_t size)
{
	const struct net *net = tx->queue.pair->net;
	unsigned mtu = __atomic_load_n (&net->mtu, __ATOMIC_RELAXED);

	if (size > FRAME_MAX)
		return true;
	return tx->limited && h->gso == VIRTIO_NET_HDR_GSO_NONE && size > mtu + FRAME_ETHERNET + FRAME_TAGS;
}

/* Where the payload of TCP begins, as far as the header says it. */
static unsigned
guess_headers (const struct net_header *h, size_t size)
{
	unsigned headers = h->csum_start + 20;

	return headers < size ? headers : size;
}

/* False: it is to be sent again later. */
static bool
frame_send (struct transmit *tx, struct vh_request *r)
{
	struct iovec parts[MAX_PARTS + 1], *rest;
	struct virtio_net_hdr_v1 header = { 0 };
	struct net_header h;
	size_t size = r->out_bytes < tx->queue.header_size ? 0 : r->out_bytes - tx->queue.header_size;
	unsigned n;

	vh_parts_read (r->out, r->n_out, 0, &header, tx->queue.header_size);
	if (r->error || size < FRAME_ETHERNET || !header_read (&header, &tx->leaves, size, &h)) {
		count (&tx->stats.bad, 1);
		return true;
	}
	if (is_too_long (tx, &h, size)) {
		count (&tx->stats.too_long, 1);
		return true;
	}
	h.valid = false;	/* not a driver's to say */
	header_write (&h, guess_headers (&h, size), 0, &header);
	memcpy (parts + 1, r->out, r->n_out * sizeof (parts[0]));
	n = vh_parts_cut (parts + 1, r->n_out, tx->queue.header_size, size, &rest);
	rest[-1] = (struct iovec){ &header, sizeof (header) };
	return wire_write (tx, rest - 1, n + 1, size);
}

/* --- the ring --- */

int
transmit_start (struct transmit *tx, struct vh_ring *ring)
{
	uint64_t f = vh_ring_features (ring);
	int err = vh_loop_add_timer (vh_ring_loop (ring), lose_patience, tx, &tx->patience);

	if (err < 0)
		return err;
	tx->leaves = (struct offloads){
		.csum = f & VH_BIT (VIRTIO_NET_F_CSUM),
		.tso4 = f & VH_BIT (VIRTIO_NET_F_HOST_TSO4),
		.tso6 = f & VH_BIT (VIRTIO_NET_F_HOST_TSO6),
		.ecn = f & VH_BIT (VIRTIO_NET_F_HOST_ECN),
	};
	tx->limited = f & VH_BIT (VIRTIO_NET_F_MTU);
	queue_begin (&tx->queue, ring);
	return 0;
}

/* Takes a batch and sends it; its number, 0: there was nothing, or the wire is full. */
static unsigned
send_batch (struct transmit *tx, size_t *bytes)
{
	struct vh_request *reqs[BATCH];
	int n = vh_ring_take (tx->queue.ring, reqs, BATCH);

	for (int i = 0; i < n; i++) {
		if (!frame_send (tx, reqs[i])) {
			vh_ring_untake (tx->queue.ring, reqs + i, n - i);
			return 0;
		}
		*bytes += reqs[i]->out_bytes;
		vh_ring_give (tx->queue.ring, reqs[i], 0);
	}
	return n > 0 ? n : 0;
}

void
transmit_process (struct transmit *tx)
{
	size_t bytes = 0;
	unsigned frames = 0, n = 1;

	while (n > 0 && frames < TURN_FRAMES && bytes < TURN_BYTES && (!tx->source || tx->impatient)) {
		n = send_batch (tx, &bytes);
		frames += n;
	}
	vh_ring_flush (tx->queue.ring);
	if (n > 0 && (!tx->source || tx->impatient))
		vh_ring_wake (tx->queue.ring);
}

void
transmit_stop (struct transmit *tx)
{
	vh_source_remove (tx->source);
	tx->source = NULL;
	vh_timer_remove (tx->patience);
	tx->impatient = false;
	queue_end (&tx->queue);
}

/* --- making --- */

void
transmit_init (struct transmit *tx, struct pair *pair)
{
	queue_init (&tx->queue, pair, false, transmit_rewired);
}

void
transmit_get_stats (const struct transmit *tx, struct transmit_stats *ret)
{
	const struct transmit_stats *s = &tx->stats;

	*ret = (struct transmit_stats){ counted (&s->frames), counted (&s->bytes), counted (&s->bad), counted (&s->too_long), counted (&s->lost) };
}
