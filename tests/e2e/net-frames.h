/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of net-frames share: the two ends, and frames between them.
 */
#ifndef TESTS_E2E_NET_FRAMES_H
#define TESTS_E2E_NET_FRAMES_H

#include "tests/e2e/net-end.h"

#define CSUM (VH_BIT (VIRTIO_NET_F_CSUM) | VH_BIT (VIRTIO_NET_F_GUEST_CSUM))
#define TSO (VH_BIT (VIRTIO_NET_F_HOST_TSO4) | VH_BIT (VIRTIO_NET_F_HOST_TSO6) | VH_BIT (VIRTIO_NET_F_GUEST_TSO4) | VH_BIT (VIRTIO_NET_F_GUEST_TSO6))
#define MERGE VH_BIT (VIRTIO_NET_F_MRG_RXBUF)
#define PLAIN 0

/* How long nothing must come for nothing to be under way. */
#define QUIET_MS 300

/* The sockets of the devices. */
struct test {
	const char *a, *b;
};

/* A header that says nothing, and room for a frame. */
extern const struct virtio_net_hdr_v1 plain;
extern uint8_t bytes[END_FRAME];

/* Fills in a frame to all, of an experimental type. */
void make_frame (uint8_t *, size_t size, unsigned seed);

/* The frame that comes next is this one, behind a header that says nothing; none comes. */
void expect (struct end *, const uint8_t *, size_t size);
void expect_nothing (struct end *);

/* In net-offloads.c: what a device does with frames that are left to it, and with headers that lie about them. */
void test_checksum (const struct test *);
void test_segments (const struct test *);
void test_lies (const struct test *);

#endif
