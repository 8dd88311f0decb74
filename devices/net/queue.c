/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queues and the link: who learns what, in which thread.
 */
#include "devices/net/header.h"
#include "devices/net/net.h"
#include "devices/net/queue.h"

static void
queue_rewire (struct queue *q, struct wire *wire)
{
	struct wire *old = q->wire;

	q->wire = wire;
	if (wire != old)
		q->rewired (q);
	wire_unref (old);
}

/* The mail, which may also come when the ring has been stopped since, or started again. */
static void
queue_look (void *opaque)
{
	struct queue *q = opaque;
	struct net *net = q->pair->net;
	struct wire *wire = NULL;
	bool started;

	pthread_mutex_lock (&net->lock);
	q->mailed = false;
	started = q->loop != NULL;
	if (started)
		wire = net_wire (q);
	pthread_mutex_unlock (&net->lock);
	if (started)
		queue_rewire (q, wire);
}

void
queue_init (struct queue *q, struct pair *pair, bool receives, void (*rewired) (struct queue *))
{
	q->pair = pair;
	q->receives = receives;
	q->rewired = rewired;
	q->mail = (struct vh_mail){ .fn = queue_look, .opaque = q };
}

static unsigned
header_size (uint64_t features)
{
	return features & (VH_BIT (VH_F_VERSION_1) | VH_BIT (VIRTIO_NET_F_MRG_RXBUF)) ? HEADER_SIZE : HEADER_SIZE_SHORT;
}

void
queue_begin (struct queue *q, struct vh_ring *ring)
{
	struct net *net = q->pair->net;
	struct wire *wire;

	vh_ring_set_opaque (ring, q);
	q->ring = ring;
	q->header_size = header_size (vh_ring_features (ring));
	pthread_mutex_lock (&net->lock);
	q->loop = vh_ring_loop (ring);
	wire = net_wire (q);
	if (q->receives) {
		q->pair->used = true;
		net_tell (q->pair);
	}
	pthread_mutex_unlock (&net->lock);
	queue_rewire (q, wire);
}

void
queue_end (struct queue *q)
{
	struct net *net = q->pair->net;

	pthread_mutex_lock (&net->lock);
	q->loop = NULL;
	if (q->receives) {
		q->pair->used = false;
		net_tell (q->pair);
	}
	pthread_mutex_unlock (&net->lock);
	wire_unref (q->wire);
	q->wire = NULL;
	q->ring = NULL;
}

void
queue_wire_failed (struct queue *q)
{
	struct net *net = q->pair->net;

	pthread_mutex_lock (&net->lock);
	q->pair->failed = true;
	net_tell (q->pair);
	pthread_mutex_unlock (&net->lock);
}

void
queue_tell (struct queue *q)
{
	if (!q->loop || q->mailed)
		return;
	q->mailed = true;
	vh_loop_post (q->loop, &q->mail);
}
