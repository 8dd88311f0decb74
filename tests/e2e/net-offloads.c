/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checksums and segments that a driver leaves to the device.
 */
#include <endian.h>
#include <string.h>

#include "tests/e2e/net-frames.h"

static void
put16 (uint8_t *p, unsigned n)
{
	p[0] = n >> 8;
	p[1] = n;
}

static unsigned
get16 (const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static uint32_t
sum (uint32_t s, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s += i & 1 ? p[i] : p[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

#define TCP4 34
#define TCP6 54

/* The sum over a TCP segment that ends at `size`, with its pseudo header: 0xffff when the checksum is right. */
static uint32_t
tcp_sum (const uint8_t *f, size_t size, bool v6)
{
	unsigned tcp = v6 ? TCP6 : TCP4;
	uint32_t pseudo = sum (6 + (size - tcp), f + (v6 ? 22 : 26), v6 ? 32 : 8);

	return sum (pseudo, f + tcp, size - tcp);
}

/* A TCP frame with its pseudo header's sum where the checksum belongs, as a driver leaves it to the device. */
static size_t
make_tcp (uint8_t *f, size_t payload, bool v6, struct virtio_net_hdr_v1 *h)
{
	unsigned tcp = v6 ? TCP6 : TCP4;
	size_t size = tcp + 20 + payload;

	make_frame (f, size, 1);
	put16 (f + 12, v6 ? 0x86dd : 0x0800);
	if (v6) {
		memcpy (f + 14, "\x60\0\0\0", 4);
		put16 (f + 18, 20 + payload);
		f[20] = 6;
	} else {
		memcpy (f + 14, "\x45\0\0\0\0\1\x40\0\x40\6\0\0", 12);
		put16 (f + 16, 40 + payload);
		put16 (f + 18, 0xfffe); /* the identification wraps */
	}
	memcpy (f + tcp + 4, "\xff\xff\xfc\0", 4); /* so does the sequence number */
	f[tcp + 12] = 0x50;
	f[tcp + 13] = 0x80 | 0x10 | 0x08 | 0x01; /* CWR, ACK, PSH, FIN */
	put16 (f + tcp + 16, sum (6 + (size - tcp), f + (v6 ? 22 : 26), v6 ? 32 : 8));
	*h = (struct virtio_net_hdr_v1){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = htole16 (tcp), .csum_offset = htole16 (16) };
	return size;
}

/* --- tests --- */

void
test_checksum (const struct test *t)
{
	static struct frame f;
	struct virtio_net_hdr_v1 h;
	struct end a, b;
	size_t size;

	end_open (&a, t->a, 1, CSUM);
	end_open (&b, t->b, 1, CSUM);
	for (unsigned v6 = 0; v6 < 2; v6++) {
		size = make_tcp (bytes, 101, v6, &h);
		end_post (&b, 0, 1, 2048);
		end_send (&a, 0, &h, bytes, size, 0);
		CHECK (end_receive (&b, &f, END_WAIT_MS) && f.size == size && !memcmp (f.bytes, bytes, size));
		CHECK (f.header.flags == VIRTIO_NET_HDR_F_NEEDS_CSUM && f.header.csum_start == h.csum_start && f.header.csum_offset == h.csum_offset);
	}
	end_close (&b);
	end_open (&b, t->b, 1, PLAIN);
	for (unsigned v6 = 0; v6 < 2; v6++) {
		size = make_tcp (bytes, 101, v6, &h);
		end_post (&b, 0, 1, 2048);
		end_send (&a, 0, &h, bytes, size, 0);
		CHECK (end_receive (&b, &f, END_WAIT_MS) && f.size == size && f.header.flags == 0);
		CHECK (tcp_sum (f.bytes, size, v6) == 0xffff);
	}
	end_close (&a);
	end_close (&b);
}

/* One of the frames that a long one became. */
static void
check_segment (const struct frame *f, unsigned i, unsigned payload, bool v6, bool last)
{
	unsigned tcp = v6 ? TCP6 : TCP4;
	const uint8_t *h = f->bytes + tcp;

	CHECK (f->size == tcp + 20 + payload && f->header.flags == 0 && f->header.gso_type == VIRTIO_NET_HDR_GSO_NONE);
	CHECK (tcp_sum (f->bytes, f->size, v6) == 0xffff);
	CHECK (((uint32_t) get16 (h + 4) << 16 | get16 (h + 6)) == 0xfffffc00 + 1000 * i);
	CHECK (h[13] == (0x10 | (i == 0 ? 0x80 : 0) | (last ? 0x08 | 0x01 : 0)));
	CHECK (!memcmp (h + 20, bytes + tcp + 20 + 1000 * i, payload));
	if (v6) {
		CHECK (get16 (f->bytes + 18) == 20 + payload);
	} else {
		CHECK (get16 (f->bytes + 16) == 40 + payload && get16 (f->bytes + 18) == ((0xfffe + i) & 0xffff));
		CHECK (sum (0, f->bytes + 14, 20) == 0xffff);
	}
}

void
test_segments (const struct test *t)
{
	static const uint64_t takers[] = { CSUM | TSO | MERGE, CSUM | MERGE, PLAIN };
	static struct frame f;
	struct virtio_net_hdr_v1 h;
	struct end a, b;

	end_open (&a, t->a, 1, CSUM | TSO);
	for (unsigned i = 0; i < 3; i++) {
		end_open (&b, t->b, 1, takers[i]);
		for (unsigned v6 = 0; v6 < 2; v6++) {
			size_t size = make_tcp (bytes, 3500, v6, &h);

			h.gso_type = v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
			h.gso_size = htole16 (1000);
			end_post (&b, 0, 4, 2048);
			end_send (&a, 0, &h, bytes, size, 0);
			if (i > 0) {
				for (unsigned k = 0; k < 4; k++) {
					CHECK (end_receive (&b, &f, END_WAIT_MS));
					check_segment (&f, k, k < 3 ? 1000 : 500, v6, k == 3);
				}
				continue;
			}
			CHECK (end_receive (&b, &f, END_WAIT_MS) && f.size == size && !memcmp (f.bytes, bytes, size));
			CHECK (f.header.gso_type == h.gso_type && f.header.gso_size == h.gso_size && f.header.csum_start == h.csum_start);
			CHECK (le16toh (f.header.hdr_len) == (v6 ? TCP6 : TCP4) + 20);
		}
		end_close (&b);
	}
	end_close (&a);
}

/* Headers that say what is not so, or was not agreed upon: the frame is dropped, and the next one is not. */
void
test_lies (const struct test *t)
{
	struct end a, b;
	struct virtio_net_hdr_v1 h;
	uint8_t small[64] = { 0 };
	size_t size;

	end_open (&a, t->a, 1, CSUM | TSO);
	end_open (&b, t->b, 1, CSUM | TSO | MERGE);
	end_post (&b, 0, 100, 2048);
	for (unsigned lie = 0; lie < 16; lie++) {
		size = make_tcp (bytes, 3000, false, &h);
		h.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
		h.gso_size = htole16 (1000);
		switch (lie) {
		case 0:
			h.csum_start = htole16 (0xffff);
			break;
		case 1:
			h.csum_start = htole16 (size - 17);
			break;
		case 2:
			h.csum_offset = htole16 (0xffff);
			break;
		case 3:
			h.flags = 0;
			break;
		case 4:
			h.gso_size = 0;
			break;
		case 5:
			h.gso_size = htole16 (7);
			break;
		case 6:
			h.gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
			break;
		case 7:
			h.gso_type = VIRTIO_NET_HDR_GSO_UDP;
			break;
		case 8:
			h.gso_type = 0x7f;
			break;
		case 9:
			h.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
			break; /* was not agreed upon */
		case 10:
			h.csum_start = htole16 (TCP4 + 1);
			break;
		case 11:
			h.csum_offset = htole16 (6);
			break;
		case 12:
			bytes[TCP4 + 12] = 0x40;
			break; /* a short TCP header */
		case 13:
			bytes[TCP4 + 12] = 0xf0, size = TCP4 + 24;
			break; /* one that is not there */
		case 14:
			bytes[14] = 0x44;
			break; /* a short IP header */
		case 15:
			bytes[20] = 0x20;
			break; /* a fragment */
		}
		end_send (&a, 0, &h, bytes, size, 0);
	}
	/* No frame; no whole header; nothing but a header; too long. */
	for (size_t n = 1; n < 12 + 14; n++)
		end_send_raw (&a, 0, small, n);
	memset (bytes, 0, sizeof (bytes));
	end_send_raw (&a, 0, bytes, 12 + 65557 + 1);
	make_frame (bytes, 60, 9);
	end_send (&a, 0, &plain, bytes, 60, 0);
	expect (&b, bytes, 60);
	expect_nothing (&b);
	end_close (&a);
	/* Who did not say that it would leave anything to others must not. */
	end_open (&a, t->a, 1, PLAIN);
	size = make_tcp (bytes, 100, false, &h);
	end_send (&a, 0, &h, bytes, size, 0);
	h.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	make_frame (bytes, 61, 9);
	end_send (&a, 0, &h, bytes, 61, 0);
	expect (&b, bytes, 61);
	end_close (&a);
	end_close (&b);
}
