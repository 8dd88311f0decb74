/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets of virtio-vsock: the header, as it lies in guest memory and as we use it (virtio 1.2, 5.10.6).
 */
#ifndef VSOCK_PACKET_H
#define VSOCK_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_vsock.h>

/* struct virtio_vsock_hdr, packed */
#define PACKET_HEADER 44

/* VMADDR_CID_HOST: the host's address, as guests know it. */
#define PACKET_HOST_CID 2

struct packet {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port;
	uint32_t length;	/* of what follows */
	uint16_t type;		/* VIRTIO_VSOCK_TYPE_* */
	uint16_t op;		/* VIRTIO_VSOCK_OP_* */
	uint32_t flags;
	uint32_t buf_alloc, fwd_cnt;
};

void packet_decode (const uint8_t bytes[PACKET_HEADER], struct packet *ret);
void packet_encode (const struct packet *, uint8_t bytes[PACKET_HEADER]);

/* The packet that tells the sender of this one that there is no such connection. */
void packet_refusal (const struct packet *, struct packet *ret);

#endif
