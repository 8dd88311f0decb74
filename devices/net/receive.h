/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The receive queue of a pair: frames from the wire to the guest.
 */
#ifndef NET_RECEIVE_H
#define NET_RECEIVE_H

#include "devices/net/frame.h"
#include "devices/net/header.h"
#include "devices/net/queue.h"

struct receive_stats {
	uint64_t frames, bytes;		/* that the guest got */
	uint64_t bad;			/* not, because their header was nonsense */
	uint64_t too_long;		/* because its buffers had no room */
};

struct receive {
	struct queue queue;
	struct offloads takes;		/* what the guest does by itself */
	unsigned most_buffers;		/* for one frame */
	struct vh_source *source;	/* NULL: nothing is watched */
	bool readable;			/* the wire may have a frame */

	/* The frame at hand, which waits for buffers. */
	bool loaded;
	struct net_header header;
	size_t size;
	unsigned headers;		/* for hdr_len */
	bool cut;			/* it is several: */
	struct segments segments;	/* the current one is next */
	uint8_t *frame;			/* FRAME_MAX bytes and one */

	struct receive_stats stats;
};

/* 0 or -ENOMEM. */
int receive_init (struct receive *, struct pair *);
void receive_free (struct receive *);

/* The callbacks of the ring. */
int receive_start (struct receive *, struct vh_ring *);
void receive_process (struct receive *);
void receive_stop (struct receive *);

/* Any thread; each number by itself is right. */
void receive_get_stats (const struct receive *, struct receive_stats *ret);

#endif
