/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading and writing the header of a frame.
 */
#include <endian.h>
#include <string.h>

#include "devices/net/header.h"

static bool
takes_gso (const struct offloads *o, uint8_t gso, bool ecn)
{
	if (ecn && !o->ecn)
		return false;
	return (gso == VIRTIO_NET_HDR_GSO_TCPV4 && o->tso4) || (gso == VIRTIO_NET_HDR_GSO_TCPV6 && o->tso6);
}

static bool
read_csum (const struct virtio_net_hdr_v1 *h, size_t size, struct net_header *ret)
{
	ret->csum = true;
	ret->csum_start = le16toh (h->csum_start);
	ret->csum_offset = le16toh (h->csum_offset);
	return (size_t) ret->csum_start + ret->csum_offset + 2 <= size;
}

static bool
read_gso (const struct virtio_net_hdr_v1 *h, struct net_header *ret)
{
	ret->gso = h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;
	ret->ecn = h->gso_type & VIRTIO_NET_HDR_GSO_ECN;
	ret->gso_size = le16toh (h->gso_size);
	return ret->csum && ret->gso_size >= HEADER_MIN_SEGMENT;
}

bool
header_read (const struct virtio_net_hdr_v1 *h, const struct offloads *may, size_t size, struct net_header *ret)
{
	*ret = (struct net_header){ .valid = h->flags & VIRTIO_NET_HDR_F_DATA_VALID };
	if ((h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) && (!may->csum || !read_csum (h, size, ret)))
		return false;
	return h->gso_type == VIRTIO_NET_HDR_GSO_NONE || (read_gso (h, ret) && takes_gso (may, ret->gso, ret->ecn));
}

void
header_write (const struct net_header *h, unsigned headers, unsigned buffers, struct virtio_net_hdr_v1 *ret)
{
	memset (ret, 0, sizeof (*ret));
	ret->num_buffers = htole16 (buffers);
	if (h->csum) {
		ret->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		ret->csum_start = htole16 (h->csum_start);
		ret->csum_offset = htole16 (h->csum_offset);
	} else if (h->valid) {
		ret->flags = VIRTIO_NET_HDR_F_DATA_VALID;
	}
	if (h->gso == VIRTIO_NET_HDR_GSO_NONE)
		return;
	ret->gso_type = h->gso | (h->ecn ? VIRTIO_NET_HDR_GSO_ECN : 0);
	ret->gso_size = htole16 (h->gso_size);
	ret->hdr_len = htole16 (headers);
}

bool
header_is_fine (const struct net_header *h, const struct offloads *takes)
{
	if (h->gso != VIRTIO_NET_HDR_GSO_NONE)
		return takes->csum && takes_gso (takes, h->gso, h->ecn);
	return !h->csum || takes->csum;
}
