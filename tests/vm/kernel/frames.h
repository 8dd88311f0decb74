/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A driver for network devices: Ethernet frames with a number and a pattern, sent on ring 1 and received on ring 0 of a rig.
 */
#ifndef TESTS_VM_KERNEL_FRAMES_H
#define TESTS_VM_KERNEL_FRAMES_H

#include "tests/vm/kernel/rig.h"

/* Our own EtherType, "for local experiments" (IEEE 802). */
#define FRAME_TYPE 0x88b5

/* A virtio-net header with VERSION_1, and the largest frame. */
#define FRAME_HEADER 12
#define FRAME_MAX 1514

struct frames {
	struct rig rig;
	uint64_t rx[RIG_QUEUE_SIZE / 2], tx[RIG_QUEUE_SIZE / 2];
	unsigned free_tx[RIG_QUEUE_SIZE / 2];
	unsigned n_free_tx;
	unsigned sent, received;
	unsigned next;		/* number of the next frame to come back */
	uint64_t sent_sum, received_sum;
};

/* The frame of a number: its length and bytes depend on it.  Returns the length. */
size_t frame_fill (uint8_t *frame, unsigned number);

/* The checksum of a frame. */
uint64_t frame_sum (const uint8_t *frame, size_t size);

/* Opens the rig and posts all receive buffers. */
void frames_open (struct frames *, uint64_t features);
void frames_close (struct frames *);

/* Sends one frame, waiting for room. */
void frames_send (struct frames *);

/* Takes what has come, and looks at it; waits for something if `wait`. */
void frames_take (struct frames *, bool wait);

/* Sends n frames and receives those that somebody sends back, a few at a time; all have to come, in order, with the same bytes. */
void frames_exchange (struct frames *, unsigned n);

/* Of a device that runs: turns on its dirty log, and looks for the received frames and the used ring in it; turns it off, and looks for nothing. */
void frames_expect_log (struct frames *, struct vh_dev *);

/* After the device was stopped: its rings stand where all sent and all received frames are behind. */
void frames_expect_bases (const struct frames *, struct vh_dev *);

#endif
