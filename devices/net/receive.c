/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frame is read into memory of ours, checked there, made what the guest takes, and copied into as many buffers as it needs.  They are taken when the frame
 * is there, and put back when they do not suffice, so that the queue holds nothing of the guest's between two calls; the frame waits instead, and behind it
 * others in the wire, until that is full and stops whoever sends.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include "devices/net/net.h"
#include "devices/net/receive.h"

/* Most buffers for one frame: those of 64 bytes would do for the longest, and nobody has smaller ones. */
#define MAX_BUFFERS 1024

/* What a peer may have left to do; whatever that is, it can be done here. */
static const struct offloads all_offloads = { .csum = true, .tso4 = true, .tso6 = true, .ecn = true };

/* --- the wire --- */

static void
receive_unwatch (struct receive *rx)
{
	vh_source_remove (rx->source);
	rx->source = NULL;
	rx->readable = false;
}

/* Edge-triggered: it is read until it is empty, or the guest has no buffers, and then the guest's kick goes on. */
static void
wire_readable (void *opaque, uint32_t events)
{
	struct receive *rx = opaque;

	rx->readable = true;
	vh_ring_wake (rx->queue.ring);
}

static void
receive_rewired (struct queue *q)
{
	struct receive *rx = (struct receive *) q;

	receive_unwatch (rx);
	if (!q->wire)
		return;
	if (vh_loop_add_fd (vh_ring_loop (q->ring), q->wire->fd[WIRE_RECEIVE], EPOLLIN | EPOLLET, wire_readable, rx, &rx->source) < 0)
		log_say (&q->pair->net->log, VH_LOG_ERROR, "pair %u: its wire cannot be watched", q->pair->index);
	rx->readable = true;
	vh_ring_wake (q->ring);
}

/* Bytes of frame and header; 0: there is none. */
static size_t
wire_read (struct receive *rx, struct virtio_net_hdr_v1 *header)
{
	struct iovec parts[] = { { header, sizeof (*header) }, { rx->frame, FRAME_MAX + 1 } };
	ssize_t n;

	do
		n = readv (rx->queue.wire->fd[WIRE_RECEIVE], parts, 2);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		rx->readable = false;
	else if (n <= 0) {
		receive_unwatch (rx);
		queue_wire_failed (&rx->queue);
	}
	return n > 0 ? n : 0;
}

/* --- the frame --- */

/* Makes the frame at hand what the guest takes; false: its header is not true. */
static bool
frame_prepare (struct receive *rx)
{
	struct net_header *h = &rx->header;
	struct frame_tcp at;

	rx->cut = false;
	rx->headers = 0;
	if (h->gso != VIRTIO_NET_HDR_GSO_NONE) {
		if (!frame_find_tcp (rx->frame, rx->size, &at) || at.v6 != (h->gso == VIRTIO_NET_HDR_GSO_TCPV6) || h->csum_start != at.tcp ||
		    h->csum_offset != 16)
			return false;
		rx->headers = at.payload;
	}
	if (header_is_fine (h, &rx->takes)) {
		h->valid = h->valid && rx->takes.csum;
	} else if (h->gso != VIRTIO_NET_HDR_GSO_NONE) {
		segments_begin (&rx->segments, rx->frame, rx->size, &at, h->gso_size);
		rx->cut = segments_next (&rx->segments);
		*h = (struct net_header){ 0 };
	} else {
		frame_finish_checksum (rx->frame, rx->size, h->csum_start, h->csum_offset);
		*h = (struct net_header){ 0 };
	}
	return true;
}

/* Reads the next frame; *bytes is what was read.  False: there is none, or it was dropped. */
static bool
frame_load (struct receive *rx, size_t *bytes)
{
	struct virtio_net_hdr_v1 header;

	*bytes = wire_read (rx, &header);
	if (*bytes == 0)
		return false;
	rx->size = *bytes < HEADER_SIZE ? 0 : *bytes - HEADER_SIZE;
	rx->loaded = rx->size >= FRAME_ETHERNET && rx->size <= FRAME_MAX && header_read (&header, &all_offloads, rx->size, &rx->header) &&
		     frame_prepare (rx);
	if (!rx->loaded)
		count (&rx->stats.bad, 1);
	return rx->loaded;
}

/* The frame at hand, or its current segment, is dealt with. */
static void
frame_next (struct receive *rx)
{
	rx->loaded = rx->cut && segments_next (&rx->segments);
}

/* --- the guest's buffers --- */

/* Header, headers and payload: what is to be copied, in order. */
struct stream {
	struct iovec pieces[3];
	unsigned at;
	size_t size;
};

static void
stream_begin (struct stream *s, struct receive *rx, struct virtio_net_hdr_v1 *header)
{
	s->at = 0;
	s->pieces[0] = (struct iovec){ header, rx->queue.header_size };
	if (rx->cut) {
		s->pieces[1] = (struct iovec){ rx->segments.headers, rx->segments.at.payload };
		s->pieces[2] = (struct iovec){ (void *) rx->segments.payload, rx->segments.payload_size };
	} else {
		s->pieces[1] = (struct iovec){ rx->frame, rx->size };
		s->pieces[2] = (struct iovec){ NULL, 0 };
	}
	s->size = s->pieces[0].iov_len + s->pieces[1].iov_len + s->pieces[2].iov_len;
}

/* Fills one buffer, or what is needed of it; returns the bytes. */
static size_t
stream_copy (struct stream *s, const struct vh_request *r)
{
	size_t done = 0;

	while (s->at < 3 && done < r->in_bytes) {
		struct iovec *piece = &s->pieces[s->at];
		size_t n = vh_parts_write (r->in, r->n_in, done, piece->iov_base, piece->iov_len);

		done += n;
		piece->iov_base = (uint8_t *) piece->iov_base + n;
		piece->iov_len -= n;
		s->at += piece->iov_len == 0;
	}
	return done;
}

enum outcome { GIVEN, NO_BUFFERS, TOO_LONG };

/* Takes buffers for `size` bytes; a first one that cannot be used is given back at once. */
static enum outcome
take_buffers (struct receive *rx, size_t size, struct vh_request **reqs, unsigned *n)
{
	enum outcome outcome = GIVEN;
	size_t room = 0;

	for (*n = 0; room < size; *n += 1) {
		outcome = *n == rx->most_buffers ? TOO_LONG : NO_BUFFERS;
		if (outcome == TOO_LONG || vh_ring_take (rx->queue.ring, &reqs[*n], 1) <= 0)
			break;
		while (*n == 0 && reqs[0]->in_bytes == 0) {
			vh_ring_give (rx->queue.ring, reqs[0], 0);
			if (vh_ring_take (rx->queue.ring, &reqs[0], 1) <= 0)
				return NO_BUFFERS;
		}
		room += reqs[*n]->in_bytes;
	}
	if (room >= size)
		return GIVEN;
	vh_ring_untake (rx->queue.ring, reqs, *n);
	return outcome;
}

/* Gives the guest the frame at hand, or its current segment. */
static enum outcome
frame_give (struct receive *rx)
{
	struct vh_request *reqs[MAX_BUFFERS];
	struct virtio_net_hdr_v1 header;
	struct stream s;
	enum outcome outcome;
	unsigned n;

	stream_begin (&s, rx, &header);
	outcome = take_buffers (rx, s.size, reqs, &n);
	if (outcome != GIVEN)
		return outcome;
	header_write (&rx->header, rx->headers, n, &header);
	count (&rx->stats.frames, 1);
	count (&rx->stats.bytes, s.size - rx->queue.header_size);
	for (unsigned i = 0; i < n; i++)
		vh_ring_give (rx->queue.ring, reqs[i], stream_copy (&s, reqs[i]));
	return GIVEN;
}

/* --- the ring --- */

static bool
feature (uint64_t features, unsigned bit)
{
	return features & VH_BIT (bit);
}

int
receive_start (struct receive *rx, struct vh_ring *ring)
{
	uint64_t f = vh_ring_features (ring);

	rx->takes = (struct offloads){
		.csum = feature (f, VIRTIO_NET_F_GUEST_CSUM),
		.tso4 = feature (f, VIRTIO_NET_F_GUEST_TSO4),
		.tso6 = feature (f, VIRTIO_NET_F_GUEST_TSO6),
		.ecn = feature (f, VIRTIO_NET_F_GUEST_ECN),
	};
	rx->most_buffers = feature (f, VIRTIO_NET_F_MRG_RXBUF) ? MAX_BUFFERS : 1;
	rx->loaded = false;
	queue_begin (&rx->queue, ring);
	return 0;
}

void
receive_process (struct receive *rx)
{
	size_t bytes = 0, n;
	unsigned frames = 0;

	for (; frames < TURN_FRAMES && bytes < TURN_BYTES && (rx->loaded || rx->readable); frames++, bytes += n) {
		enum outcome outcome;

		n = 0;
		if (!rx->loaded && !frame_load (rx, &n))
			continue;
		outcome = frame_give (rx);
		if (outcome == NO_BUFFERS)
			break;
		if (outcome == TOO_LONG)
			count (&rx->stats.too_long, 1);
		frame_next (rx);
	}
	vh_ring_flush (rx->queue.ring);
	if (frames == TURN_FRAMES || bytes >= TURN_BYTES)
		vh_ring_wake (rx->queue.ring);
}

void
receive_stop (struct receive *rx)
{
	receive_unwatch (rx);
	queue_end (&rx->queue);
}

/* --- making --- */

int
receive_init (struct receive *rx, struct pair *pair)
{
	queue_init (&rx->queue, pair, true, receive_rewired);
	rx->frame = malloc (FRAME_MAX + 1);
	return rx->frame ? 0 : -ENOMEM;
}

void
receive_free (struct receive *rx)
{
	free (rx->frame);
}

void
receive_get_stats (const struct receive *rx, struct receive_stats *ret)
{
	const struct receive_stats *s = &rx->stats;

	*ret = (struct receive_stats){ counted (&s->frames), counted (&s->bytes), counted (&s->bad), counted (&s->too_long) };
}
