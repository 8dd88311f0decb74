/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options of a network device.
 */
#ifndef NET_OPTIONS_H
#define NET_OPTIONS_H

#include <stdint.h>

#include "devices/common/option-row.h"

/* Queue pairs: a ring each way, and rings are up to VH_MAX_RINGS. */
#define NET_MAX_PAIRS 128

struct net_options {
	struct device_options common;
	const char *tap;		/* one of these five is the link */
	const unsigned *tap_fds;
	const char *link_listen;
	const char *link_connect;
	const unsigned *link_fds;
	unsigned n_fds;			/* of either list */
	unsigned pairs;			/* 0: as many as there are descriptors, or one */
	unsigned mtu;			/* 0: what the link has */
	uint8_t mac[6];
	bool has_mac;
	bool no_offload;
};

/* How many pairs there are. */
unsigned net_options_pairs (const struct net_options *);

/* Their table, and what they are when they are not given. */
extern const struct option_table net_option_table;
extern const struct net_options net_defaults;

/* Is there a link, and just one? */
bool net_options_check (const struct parser *, const struct device_options *);

#endif
