/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Headers to bytes and back; see packet.h.
 */
#include <endian.h>
#include <string.h>

#include "devices/vsock/packet.h"

_Static_assert (sizeof (struct virtio_vsock_hdr) == PACKET_HEADER, "the header is packed");

void
packet_decode (const uint8_t bytes[PACKET_HEADER], struct packet *ret)
{
	struct virtio_vsock_hdr h;

	memcpy (&h, bytes, sizeof (h));
	*ret = (struct packet){
		.src_cid = le64toh (h.src_cid),
		.dst_cid = le64toh (h.dst_cid),
		.src_port = le32toh (h.src_port),
		.dst_port = le32toh (h.dst_port),
		.length = le32toh (h.len),
		.type = le16toh (h.type),
		.op = le16toh (h.op),
		.flags = le32toh (h.flags),
		.buf_alloc = le32toh (h.buf_alloc),
		.fwd_cnt = le32toh (h.fwd_cnt),
	};
}

void
packet_encode (const struct packet *p, uint8_t bytes[PACKET_HEADER])
{
	struct virtio_vsock_hdr h = {
		.src_cid = htole64 (p->src_cid),
		.dst_cid = htole64 (p->dst_cid),
		.src_port = htole32 (p->src_port),
		.dst_port = htole32 (p->dst_port),
		.len = htole32 (p->length),
		.type = htole16 (p->type),
		.op = htole16 (p->op),
		.flags = htole32 (p->flags),
		.buf_alloc = htole32 (p->buf_alloc),
		.fwd_cnt = htole32 (p->fwd_cnt),
	};

	memcpy (bytes, &h, sizeof (h));
}

void
packet_refusal (const struct packet *p, struct packet *ret)
{
	*ret = (struct packet){
		.src_cid = p->dst_cid,
		.dst_cid = p->src_cid,
		.src_port = p->dst_port,
		.dst_port = p->src_port,
		.type = p->type,
		.op = VIRTIO_VSOCK_OP_RST,
	};
}
