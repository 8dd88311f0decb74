/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Network devices whose link has no other side, for fuzz-state.
 */
#include "devices/net/net.h"
#include "fuzz/state-devices.h"
#include "fuzz/verdict.h"

#define PAIRS 2

static const struct log quiet = { .silent = true };

/* It does not connect before it is attached, which it never is. */
static const struct vh_device *
make_net (bool has_mac)
{
	const struct net_options o = { .link_connect = "nobody", .pairs = PAIRS, .mac = { 2, 3, 4, 5, 6, 7 }, .has_mac = has_mac };
	const struct vh_device *d;

	must (net_new (&o.common, &quiet, &d));
	return d;
}

static const struct vh_device *
make_without_mac (void)
{
	return make_net (false);
}

static const struct vh_device *
make_with_mac (void)
{
	return make_net (true);
}

static void
use (const struct vh_device *vh)
{
	struct net *net = vh->opaque;

	net_change_mtu (net, 9000);
	net->config.fields.mac[5] = 8;
	net->pairs[0].receive.stats = (struct receive_stats){ .frames = 2, .bytes = 120 };
	net->pairs[1].transmit.stats = (struct transmit_stats){ .lost = 1 };
	net->totals.ended[3] = (struct vh_ring_counters){ .requests = 5, .kicks = 1 };
}

static void
check (const struct vh_device *vh)
{
	const struct net *net = vh->opaque;

	if (net->mtu < NET_MIN_MTU || net->mtu > net->max_mtu || le16toh (net->config.fields.mtu) != net->mtu)
		wrong ("an MTU that cannot be");
}

const struct state_device state_net = { "net", make_without_mac, use, check };
const struct state_device state_net_with_mac = { "net-with-mac", make_with_mac, use, check };
