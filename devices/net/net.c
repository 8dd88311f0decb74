/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device as the library sees it, its making and end, and its side of the link.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <vhost/error.h>

#include "devices/net/frame.h"
#include "devices/net/net.h"
#include "devices/net/state.h"

#define OFFLOAD_FEATURES \
	(VH_BIT (VIRTIO_NET_F_CSUM) | VH_BIT (VIRTIO_NET_F_GUEST_CSUM) | VH_BIT (VIRTIO_NET_F_GUEST_TSO4) | VH_BIT (VIRTIO_NET_F_GUEST_TSO6) | \
	 VH_BIT (VIRTIO_NET_F_GUEST_ECN) | VH_BIT (VIRTIO_NET_F_HOST_TSO4) | VH_BIT (VIRTIO_NET_F_HOST_TSO6) | VH_BIT (VIRTIO_NET_F_HOST_ECN))

_Static_assert (sizeof (struct virtio_net_config) <= NET_CONFIG_SIZE, "NET_CONFIG_SIZE is too small for this kernel's virtio_net.h");

/* --- wires --- */

struct wire *
net_wire (const struct queue *q)
{
	const struct pair *pair = q->pair;

	/* The other side may have fewer pairs: what is sent finds its way all the same. */
	if (!pair->wire && !q->receives)
		pair = &pair->net->pairs[0];
	return wire_ref (pair->wire);
}

static void
tell_guest (struct net *net)
{
	uint16_t status = net->up ? VIRTIO_NET_S_LINK_UP : 0;

	net->config.fields.status = htole16 (status);
	log_say (&net->log, VH_LOG_INFO, "the link is %s", net->up ? "up" : "down");
	/* A front-end that gave no channel for it keeps the link up; frames are dropped. */
	if (net->totals.backend)
		vh_backend_config_changed (net->totals.backend);
}

void
net_set_wire (struct net *net, unsigned index, struct wire *wire)
{
	struct wire *old;
	bool up = index == 0 ? wire != NULL : net->up;

	pthread_mutex_lock (&net->lock);
	old = net->pairs[index].wire;
	net->pairs[index].wire = wire;
	for (unsigned i = 0; i < net->n_pairs; i++) {
		queue_tell (&net->pairs[i].receive.queue);
		queue_tell (&net->pairs[i].transmit.queue);
	}
	pthread_mutex_unlock (&net->lock);
	wire_unref (old);
	if (up == net->up)
		return;
	net->up = up;
	tell_guest (net);
}

/* In the control thread. */
static void
pair_look (void *opaque)
{
	struct pair *pair = opaque;
	struct net *net = pair->net;
	const struct link_ops *ops = net->link->ops;
	bool used, failed;

	pthread_mutex_lock (&net->lock);
	pair->mailed = false;
	used = pair->used;
	failed = pair->failed;
	pair->failed = false;
	pthread_mutex_unlock (&net->lock);
	if (failed && ops->wire_failed)
		ops->wire_failed (net->link, pair->index);
	/* Pair 0 always is: the link is there though no driver is. */
	if (pair->index > 0)
		ops->pair_used (net->link, pair->index, used);
}

void
net_tell (struct pair *pair)
{
	if (pair->mailed)
		return;
	pair->mailed = true;
	vh_loop_post (pair->net->control, &pair->mail);
}

/* --- the front-end --- */

static void
connected (void *opaque, struct vh_backend *backend)
{
	struct net *net = opaque;

	totals_connected (&net->totals, backend);
	/* A guest that came from elsewhere may have brought its own. */
	memcpy (net->config.fields.mac, net->mac, sizeof (net->mac));
}

static void
disconnected (void *opaque, struct vh_backend *backend)
{
	struct net *net = opaque;

	totals_disconnected (&net->totals);
	state_forget (&net->state);
}

static int
set_features (void *opaque, uint64_t f)
{
	struct net *net = opaque;
	const struct offloads takes = {
		.csum = f & VH_BIT (VIRTIO_NET_F_GUEST_CSUM),
		.tso4 = f & VH_BIT (VIRTIO_NET_F_GUEST_TSO4),
		.tso6 = f & VH_BIT (VIRTIO_NET_F_GUEST_TSO6),
		.ecn = f & VH_BIT (VIRTIO_NET_F_GUEST_ECN),
	};

	if (net->link->ops->set_offloads)
		net->link->ops->set_offloads (net->link, &takes);
	return 0;
}

void
net_change_mtu (struct net *net, unsigned mtu)
{
	__atomic_store_n (&net->mtu, mtu, __ATOMIC_RELAXED);
	net->config.fields.mtu = htole16 (mtu);
}

static int
set_mtu (void *opaque, unsigned mtu)
{
	struct net *net = opaque;

	if (mtu > net->max_mtu)
		return -EINVAL;
	net_change_mtu (net, mtu);
	return 0;
}

/*
 * Reverse ARP, as RFC 903 has it: "this address is here, and asks for its own".  Switches learn from it where the guest is; nobody needs to answer.
 */
static int
send_rarp (void *opaque, const uint8_t mac[6])
{
	static const uint8_t request[] = { 0x80, 0x35, 0, 1, 8, 0, 6, 4, 0, 3 };	/* RARP; Ethernet, IPv4, sizes of both, "request reverse" */
	struct net *net = opaque;
	struct virtio_net_hdr_v1 header = { 0 };
	uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct iovec parts[] = { { &header, sizeof (header) }, { frame, sizeof (frame) } };
	struct wire *wire = net->pairs[0].wire;

	memcpy (frame + 6, mac, 6);
	memcpy (frame + 12, request, sizeof (request));
	memcpy (frame + 22, mac, 6);	/* of the sender, whose IPv4 address is 0, */
	memcpy (frame + 32, mac, 6);	/* and of whom it asks for */
	if (!wire)
		return -ENETDOWN;
	return writev (wire->fd[WIRE_WATCH], parts, 2) < 0 ? -errno : 0;
}

/* --- rings: each pair has one to receive and one to transmit --- */

static struct pair *
ring_pair (struct net *net, const struct vh_ring *ring)
{
	return &net->pairs[vh_ring_index (ring) / 2];
}

static bool
ring_receives (const struct vh_ring *ring)
{
	return vh_ring_index (ring) % 2 == 0;
}

static int
ring_start (void *opaque, struct vh_ring *ring)
{
	struct pair *pair = ring_pair (opaque, ring);

	return ring_receives (ring) ? receive_start (&pair->receive, ring) : transmit_start (&pair->transmit, ring);
}

static void
ring_process (void *opaque, struct vh_ring *ring)
{
	struct pair *pair = ring_pair (opaque, ring);

	if (ring_receives (ring))
		receive_process (&pair->receive);
	else
		transmit_process (&pair->transmit);
}

static void
ring_stop (void *opaque, struct vh_ring *ring)
{
	struct pair *pair = ring_pair (opaque, ring);

	if (ring_receives (ring))
		receive_stop (&pair->receive);
	else
		transmit_stop (&pair->transmit);
}

static const struct vh_device_ops device_ops = {
	.size = sizeof (device_ops),
	.set_features = set_features,
	.connected = connected,
	.disconnected = disconnected,
	.ring_start = ring_start,
	.ring_process = ring_process,
	.ring_stop = ring_stop,
	.send_rarp = send_rarp,
	.set_mtu = set_mtu,
	.state_save = net_state_save,
	.state_load = net_state_load,
};

/* --- statistics --- */

static void
print_ring (const struct net *net, unsigned ring, const char *what)
{
	struct vh_ring_counters c;

	totals_get (&net->totals, ring, &c);
	log_answer (&net->log, "pair %u: %s, %llu batches, %llu kicks, %llu calls", ring / 2, what, (unsigned long long) c.batches,
		    (unsigned long long) c.kicks, (unsigned long long) c.calls);
}

void
net_print_stats (void *opaque)
{
	struct net *net = opaque;
	char text[256];

	for (unsigned i = 0; i < net->n_pairs; i++) {
		struct receive_stats r;
		struct transmit_stats t;

		receive_get_stats (&net->pairs[i].receive, &r);
		snprintf (text, sizeof (text), "%llu received (%llu bytes), dropped %llu bad, %llu too long", (unsigned long long) r.frames,
			  (unsigned long long) r.bytes, (unsigned long long) r.bad, (unsigned long long) r.too_long);
		print_ring (net, 2 * i, text);
		transmit_get_stats (&net->pairs[i].transmit, &t);
		snprintf (text, sizeof (text), "%llu sent (%llu bytes), dropped %llu bad, %llu too long, %llu lost", (unsigned long long) t.frames,
			  (unsigned long long) t.bytes, (unsigned long long) t.bad, (unsigned long long) t.too_long, (unsigned long long) t.lost);
		print_ring (net, 2 * i + 1, text);
	}
}

/* --- making --- */

static int
make_pairs (struct net *net, unsigned n)
{
	int err = totals_init (&net->totals, 2 * n);

	net->pairs = calloc (n, sizeof (net->pairs[0]));
	if (err < 0 || !net->pairs)
		return -ENOMEM;
	for (; net->n_pairs < n; net->n_pairs++) {
		struct pair *pair = &net->pairs[net->n_pairs];

		pair->net = net;
		pair->index = net->n_pairs;
		pair->mail = (struct vh_mail){ .fn = pair_look, .opaque = pair };
		transmit_init (&pair->transmit, pair);
		err = receive_init (&pair->receive, pair);
		if (err < 0)
			return err;
	}
	return 0;
}

static void
describe (struct net *net, const struct net_options *o)
{
	uint64_t features = VH_BIT (VIRTIO_NET_F_MTU) | VH_BIT (VIRTIO_NET_F_STATUS) | VH_BIT (VIRTIO_NET_F_MRG_RXBUF);

	features |= o->no_offload ? 0 : OFFLOAD_FEATURES;
	features |= o->has_mac ? VH_BIT (VIRTIO_NET_F_MAC) : 0;
	features |= net->n_pairs > 1 ? VH_BIT (VIRTIO_NET_F_MQ) : 0;
	net->vh = (struct vh_device){
		.size = sizeof (net->vh),
		.ops = &device_ops,
		.opaque = net,
		.name = net->log.name,
		.features = features | options_ring_features (&o->common),
		.rings = 2 * net->n_pairs,
		.queue_num = net->n_pairs,
		.protocol_features = options_protocol_features (&o->common),
		.max_ring_size = o->common.queue_size,
		.max_parts = MAX_PARTS,
		.config = net->config.bytes,
		.config_size = sizeof (net->config),
	};
}

static void
fill_config (struct net *net, const struct net_options *o)
{
	struct virtio_net_config *c = &net->config.fields;

	net->max_mtu = o->mtu ? o->mtu : net->link->max_mtu;
	net->mtu = o->mtu ? o->mtu : net->link->mtu;
	memcpy (net->mac, o->mac, sizeof (net->mac));
	memcpy (c->mac, o->mac, sizeof (c->mac));
	c->max_virtqueue_pairs = htole16 (net->n_pairs);
	c->mtu = htole16 (net->mtu);
}

static const char *
link_name (const struct net_options *o)
{
	return o->tap ? o->tap : o->link_listen ? o->link_listen : o->link_connect ? o->link_connect : "net";
}

int
net_new (const struct device_options *common, const struct log *log, const struct vh_device **ret)
{
	const struct net_options *o = (const struct net_options *) common;
	struct net *net = calloc (1, sizeof (*net));
	int err = net ? 0 : -ENOMEM;

	if (err == 0) {
		pthread_mutex_init (&net->lock, NULL);
		net->log = *log;
		net->log.name = link_name (o);
		err = make_pairs (net, net_options_pairs (o));
	}
	if (err < 0)
		log_say (log, VH_LOG_ERROR, "%s", vh_strerror (err));
	else
		err = (o->tap || o->tap_fds ? tap_new : peer_new) (o, &net->log, &net->link);
	if (err < 0) {
		net_free (net);
		return err;
	}
	fill_config (net, o);
	describe (net, o);
	*ret = &net->vh;
	return 0;
}

int
net_attach (void *opaque, struct vh_loop *control)
{
	struct net *net = opaque;

	net->control = control;
	return net->link->ops->attach (net->link, net, control);
}

void
net_detach (void *opaque)
{
	struct net *net = opaque;

	net->link->ops->detach (net->link);
}

void
net_free (void *opaque)
{
	struct net *net = opaque;

	if (!net)
		return;
	if (net->link)
		net->link->ops->free (net->link);
	for (unsigned i = 0; i < net->n_pairs; i++) {
		wire_unref (net->pairs[i].wire);
		receive_free (&net->pairs[i].receive);
	}
	totals_free (&net->totals);
	state_forget (&net->state);
	pthread_mutex_destroy (&net->lock);
	free (net->pairs);
	free (net);
}
