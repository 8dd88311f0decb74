/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is behind a network device: where its wires come from.  Everything happens in the control thread.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include <vhost/loop.h>

#include "devices/common/log.h"
#include "devices/net/header.h"
#include "devices/net/options.h"

struct net;
struct link;

struct link_ops {
	/* The control loop is there: gives the device its wires by net_set_wire, now and later.  0; a negative errno after a line in the log. */
	int (*attach) (struct link *, struct net *, struct vh_loop *);

	/* The guest uses this pair of queues now, or does not.  At first it uses pair 0. */
	void (*pair_used) (struct link *, unsigned pair, bool used);

	/* A queue cannot read from the wire of this pair any more.  If NULL, then the link knows it by itself. */
	void (*wire_failed) (struct link *, unsigned pair);

	/* What the guest takes.  If NULL, then it does not matter. */
	void (*set_offloads) (struct link *, const struct offloads *);

	/* The loop is about to go; also without `attach` before. */
	void (*detach) (struct link *);
	void (*free) (struct link *);
};

/* First in every link. */
struct link {
	const struct link_ops *ops;
	unsigned max_mtu;	/* the largest that can be promised to a guest, */
	unsigned mtu;		/* and what there is now */
};

/* Each of these makes one, as the options say: 0 and *ret; a negative errno after a line in the log. */
int tap_new (const struct net_options *, const struct log *, struct link **ret);
int peer_new (const struct net_options *, const struct log *, struct link **ret);

#endif
