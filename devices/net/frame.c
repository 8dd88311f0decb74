/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Headers of Ethernet, IP and TCP, their checksums, and segmentation.  All in memory of ours that nobody else writes to.
 */
#include <string.h>

#include "devices/net/frame.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8
#define PROTOCOL_TCP 6

#define IPV4_SIZE 20
#define IPV6_SIZE 40
#define TCP_SIZE 20

/* Offsets in headers. */
#define IPV4_LENGTH 2
#define IPV4_ID 4
#define IPV4_FRAGMENT 6
#define IPV4_PROTOCOL 9
#define IPV4_CHECKSUM 10
#define IPV4_ADDRESSES 12
#define IPV6_LENGTH 4
#define IPV6_NEXT 6
#define IPV6_ADDRESSES 8
#define TCP_SEQUENCE 4
#define TCP_HEADER 12
#define TCP_FLAGS 13
#define TCP_CHECKSUM 16

#define TCP_FIN 0x01
#define TCP_PSH 0x08
#define TCP_CWR 0x80

static unsigned
get16 (const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static void
put16 (uint8_t *p, unsigned n)
{
	p[0] = n >> 8;
	p[1] = n;
}

static uint32_t
get32 (const uint8_t *p)
{
	return (uint32_t) get16 (p) << 16 | get16 (p + 2);
}

static void
put32 (uint8_t *p, uint32_t n)
{
	put16 (p, n >> 16);
	put16 (p + 2, n & 0xffff);
}

/* --- checksums --- */

/* Adds bytes to a sum, as words in network order; only the last piece of a sum may have an odd size. */
static uint64_t
sum_bytes (uint64_t sum, const uint8_t *p, size_t n)
{
	for (; n > 1; p += 2, n -= 2)
		sum += get16 (p);
	return n ? sum + (p[0] << 8) : sum;
}

static unsigned
sum_fold (uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

void
frame_finish_checksum (uint8_t *frame, size_t size, unsigned start, unsigned offset)
{
	unsigned sum = ~sum_fold (sum_bytes (0, frame + start, size - start)) & 0xffff;

	put16 (frame + start + offset, sum ? sum : 0xffff);	/* 0 would mean "none" to UDP */
}

/* --- TCP --- */

static bool
find_ipv4 (const uint8_t *ip, size_t size, unsigned *header)
{
	*header = (ip[0] & 15) * 4;
	return size >= IPV4_SIZE && ip[0] >> 4 == 4 && *header >= IPV4_SIZE && *header <= size && ip[IPV4_PROTOCOL] == PROTOCOL_TCP &&
	       (get16 (ip + IPV4_FRAGMENT) & 0x3fff) == 0;
}

static bool
find_ipv6 (const uint8_t *ip, size_t size, unsigned *header)
{
	*header = IPV6_SIZE;
	return size >= IPV6_SIZE && ip[0] >> 4 == 6 && ip[IPV6_NEXT] == PROTOCOL_TCP;
}

/* Where the type of the innermost tag stands. */
static unsigned
find_type (const uint8_t *frame, size_t size)
{
	unsigned at = FRAME_ETHERNET - 2;

	for (unsigned tags = 0; tags < 2 && at + 6 <= size; tags++, at += 4)
		if (get16 (frame + at) != ETHERTYPE_VLAN && get16 (frame + at) != ETHERTYPE_QINQ)
			break;
	return at;
}

bool
frame_find_tcp (const uint8_t *frame, size_t size, struct frame_tcp *ret)
{
	unsigned type = find_type (frame, size), header, tcp_header;
	size_t left;

	if (size < type + 2 + IPV4_SIZE)
		return false;
	ret->ip = type + 2;
	left = size - ret->ip;
	ret->v6 = get16 (frame + type) == ETHERTYPE_IPV6;
	if (ret->v6 ? !find_ipv6 (frame + ret->ip, left, &header)
		    : get16 (frame + type) != ETHERTYPE_IPV4 || !find_ipv4 (frame + ret->ip, left, &header))
		return false;
	ret->tcp = ret->ip + header;
	if (size - ret->tcp < TCP_SIZE)
		return false;
	tcp_header = (frame[ret->tcp + TCP_HEADER] >> 4) * 4;
	ret->payload = ret->tcp + tcp_header;
	return tcp_header >= TCP_SIZE && ret->payload <= size;
}

/* --- segments --- */

void
segments_begin (struct segments *s, const uint8_t *frame, size_t size, const struct frame_tcp *at, unsigned segment_size)
{
	s->frame = frame;
	s->size = size;
	s->at = *at;
	s->segment_size = segment_size;
	s->done = 0;
	s->n = 0;
}

/* The parts of the IP header that differ; returns the sum of the pseudo header. */
static uint64_t
write_ip (struct segments *s)
{
	uint8_t *ip = s->headers + s->at.ip;
	unsigned length = s->at.payload - s->at.tcp + s->payload_size;

	if (s->at.v6) {
		put16 (ip + IPV6_LENGTH, length);
		return sum_bytes (length + PROTOCOL_TCP, ip + IPV6_ADDRESSES, 32);
	}
	put16 (ip + IPV4_LENGTH, s->at.tcp - s->at.ip + length);
	put16 (ip + IPV4_ID, get16 (ip + IPV4_ID) + s->n);
	put16 (ip + IPV4_CHECKSUM, 0);
	put16 (ip + IPV4_CHECKSUM, ~sum_fold (sum_bytes (0, ip, s->at.tcp - s->at.ip)));
	return sum_bytes (length + PROTOCOL_TCP, ip + IPV4_ADDRESSES, 8);
}

static void
write_tcp (struct segments *s, bool last, uint64_t sum)
{
	uint8_t *tcp = s->headers + s->at.tcp;

	put32 (tcp + TCP_SEQUENCE, get32 (tcp + TCP_SEQUENCE) + s->done);
	if (!last)
		tcp[TCP_FLAGS] &= ~(TCP_FIN | TCP_PSH);
	if (s->n > 0)
		tcp[TCP_FLAGS] &= ~TCP_CWR;
	put16 (tcp + TCP_CHECKSUM, 0);
	sum = sum_bytes (sum, tcp, s->at.payload - s->at.tcp);
	put16 (tcp + TCP_CHECKSUM, ~sum_fold (sum_bytes (sum, s->payload, s->payload_size)));
}

bool
segments_next (struct segments *s)
{
	size_t left = s->size - s->at.payload - s->done;

	if (left == 0 && s->n > 0)
		return false;
	memcpy (s->headers, s->frame, s->at.payload);
	s->payload = s->frame + s->at.payload + s->done;
	s->payload_size = left < s->segment_size ? left : s->segment_size;
	write_tcp (s, s->payload_size == left, write_ip (s));
	s->done += s->payload_size;
	s->n++;
	return true;
}
