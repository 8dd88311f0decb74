/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The transmit queue of a pair: frames from the guest to the wire.
 */
#ifndef NET_TRANSMIT_H
#define NET_TRANSMIT_H

#include "devices/net/header.h"
#include "devices/net/queue.h"

struct transmit_stats {
	uint64_t frames, bytes;		/* that the wire took */
	uint64_t bad;			/* not, because their header or size was nonsense, */
	uint64_t too_long;		/* longer than the MTU allows, */
	uint64_t lost;			/* or because there was no wire, or it did not take them */
};

struct transmit {
	struct queue queue;
	struct offloads leaves;		/* what the guest may leave to others */
	bool limited;			/* the guest knows of the MTU */
	struct vh_source *source;	/* not NULL: the wire is full, and is waited for */
	struct vh_timer *patience;	/* for how long */
	bool impatient;			/* it is over: frames are dropped until the wire takes them again */
	struct transmit_stats stats;
};

void transmit_init (struct transmit *, struct pair *);

/* The callbacks of the ring. */
int transmit_start (struct transmit *, struct vh_ring *);
void transmit_process (struct transmit *);
void transmit_stop (struct transmit *);

/* Any thread; each number by itself is right. */
void transmit_get_stats (const struct transmit *, struct transmit_stats *ret);

#endif
