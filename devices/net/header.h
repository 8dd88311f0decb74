/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The header before each frame (virtio 1.2, 5.1.6): what it asks for, checked, and made anew.  Nothing that a guest or a peer wrote is passed on as it came.
 */
#ifndef NET_HEADER_H
#define NET_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/virtio_net.h>

/* Bytes on the link; a guest without VERSION_1 and MRG_RXBUF leaves out the last two. */
#define HEADER_SIZE 12
#define HEADER_SIZE_SHORT 10

_Static_assert (sizeof (struct virtio_net_hdr_v1) == HEADER_SIZE, "the header of virtio 1.0");

/* The least bytes of a segment that a driver may ask for: Linux makes no smaller ones. */
#define HEADER_MIN_SEGMENT 8

/* What may be left to the other side to do. */
struct offloads {
	bool csum;		/* checksums, and with it: */
	bool tso4, tso6, ecn;	/* segments of TCP */
};

struct net_header {
	bool csum;		/* a checksum is missing */
	uint16_t csum_start;
	uint16_t csum_offset;
	bool valid;		/* the checksums were verified */
	uint8_t gso;		/* VIRTIO_NET_HDR_GSO_NONE, _TCPV4 or _TCPV6 */
	bool ecn;
	uint16_t gso_size;
};

/* What this header says of a frame of `size` bytes; false when it asks for what is not in `may`, or for nonsense. */
bool header_read (const struct virtio_net_hdr_v1 *, const struct offloads *may, size_t size, struct net_header *ret);

/* headers: bytes of the frame before its TCP payload, when gso says that there is one.  buffers: what a driver reads as num_buffers. */
void header_write (const struct net_header *, unsigned headers, unsigned buffers, struct virtio_net_hdr_v1 *ret);

/* May it stay as it is, for somebody who takes this? */
bool header_is_fine (const struct net_header *, const struct offloads *takes);

#endif
