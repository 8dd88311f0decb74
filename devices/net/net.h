/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A network device: its pairs of queues, its configuration space and features, and the link behind it.
 *
 *	control thread                          the thread of a ring
 *	link --- net_set_wire ---> pair.wire --- mail ---> queue.wire ---> frames
 *	     <-- pair_used ------- pair.used <-- mail ---- a receive queue starts, stops
 *
 * Frames cross no lock: `lock` is taken where rings start and stop, and where the link changes.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <pthread.h>

#include <vhost/backend.h>

#include "devices/common/log.h"
#include "devices/common/program.h"
#include "devices/common/state.h"
#include "devices/common/totals.h"
#include "devices/net/link.h"
#include "devices/net/receive.h"
#include "devices/net/transmit.h"
#include "devices/net/wire.h"

/* Front-ends ask for as much as they know of.  What this device does not have reads as zeroes. */
#define NET_CONFIG_SIZE 64

/* The least that the configuration space can say (virtio 1.2, 5.1.4.1). */
#define NET_MIN_MTU 68

struct pair {
	struct net *net;
	unsigned index;
	struct receive receive;
	struct transmit transmit;
	struct vh_mail mail;		/* to the control thread, which is to look at the following */

	/* --- under the lock --- */
	struct wire *wire;		/* written by the control thread only, which reads it without the lock */
	bool used;			/* the receive queue is started */
	bool failed;			/* it cannot read from the wire */
	bool mailed;			/* mail is under way */
};

struct net {
	struct vh_device vh;
	struct log log;
	struct totals totals;
	struct link *link;
	struct vh_loop *control;
	struct pair *pairs;
	unsigned n_pairs;
	uint8_t mac[6];			/* as the options have it */
	unsigned max_mtu;
	unsigned mtu;			/* atomic: written by the control thread */
	bool up;			/* pair 0 has a wire */
	union {
		struct virtio_net_config fields;
		uint8_t bytes[NET_CONFIG_SIZE];
	} config;
	pthread_mutex_t lock;
	struct state state;
};

/* The hooks of struct program. */
int net_new (const struct device_options *, const struct log *, const struct vh_device **ret);
int net_attach (void *net, struct vh_loop *control);
void net_print_stats (void *net);
void net_detach (void *net);
void net_free (void *net);

/* For links: the pair has this wire now, and the reference is the device's; NULL: none.  Control thread. */
void net_set_wire (struct net *, unsigned pair, struct wire *);

/* What the guest sends is bounded by it, and it reads so.  At most max_mtu. */
void net_change_mtu (struct net *, unsigned mtu);

/* For queues: the one that this queue is to use now, with a reference for the caller; NULL: none.  Under the lock. */
struct wire *net_wire (const struct queue *);

/* For queues: has the control thread look at what the pair says.  Under the lock. */
void net_tell (struct pair *);

#endif
