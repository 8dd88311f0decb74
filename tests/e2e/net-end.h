/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One end of a network: a driver by hand at a vhost-user-net, on the driver of the tools.  What goes wrong ends the program.
 */
#ifndef TESTS_E2E_NET_END_H
#define TESTS_E2E_NET_END_H

#include <linux/virtio_net.h>

#include "tests/e2e/must.h"

#define END_WAIT_MS 20000
#define END_RING 128		/* descriptors */
#define END_FRAME 66000		/* room for the longest frame and its header */

/* A receive buffer, or several that were merged. */
struct frame {
	struct virtio_net_hdr_v1 header;
	uint8_t bytes[END_FRAME];
	size_t size;
	unsigned pair;
};

struct end {
	struct driver driver;
	unsigned header_size;
	uint64_t out;			/* where frames to send are made: END_FRAME bytes */
	uint64_t in[2][END_RING];	/* receive buffers of each pair */
	uint32_t in_size[2][END_RING];
	unsigned posted[2];
	unsigned free[2];		/* sends that the ring has room for */
};

#define CHECK(condition) \
	do { \
		if (!(condition)) \
			die ("%s:%d: %s", __FILE__, __LINE__, #condition); \
	} while (0)

/* Connects and starts up to two pairs; in force are those of `features` that are offered, and VERSION_1. */
void end_open (struct end *, const char *socket, unsigned pairs, uint64_t features);
void end_close (struct end *);

/* Gives the device n more buffers of this size. */
void end_post (struct end *, unsigned pair, unsigned n, uint32_t size);

/* Sends a frame in pieces of `piece` bytes (0: header and frame), and waits until the device has used it. */
void end_send (struct end *, unsigned pair, const struct virtio_net_hdr_v1 *, const void *bytes, size_t size, size_t piece);

/* Sends the bytes as they are, without a header before them. */
void end_send_raw (struct end *, unsigned pair, const void *bytes, size_t size);

/* The same without waiting; false: the ring is full. */
bool end_try_send (struct end *, unsigned pair, const void *bytes, size_t size);

/* Reaps what was sent; how many are still under way. */
unsigned end_sending (struct end *, unsigned pair);

/* Waits for a frame on any pair, or for so long.  False: none came. */
bool end_receive (struct end *, struct frame *, int timeout_ms);

#endif
