/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ethernet frames: what a sender left to do, done in software for a guest that does not take it.
 */
#ifndef NET_FRAME_H
#define NET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_ETHERNET 14	/* destination, source, type */
#define FRAME_TAGS 8		/* two VLAN tags */

/* The longest frame: what the length field of IPv4 can say, and what is before it. */
#define FRAME_MAX (FRAME_ETHERNET + FRAME_TAGS + 65535)

/* The longest headers of TCP over IPv4, with options; those of IPv6 are shorter. */
#define FRAME_MAX_HEADERS (FRAME_ETHERNET + FRAME_TAGS + 60 + 60)

/* Where a TCP frame has its parts: offsets from its beginning. */
struct frame_tcp {
	bool v6;
	unsigned ip, tcp;
	unsigned payload;	/* so many bytes of headers */
};

/* Finds them; false: this is no whole TCP segment over IPv4 or IPv6 without extension headers. */
bool frame_find_tcp (const uint8_t *frame, size_t size, struct frame_tcp *ret);

/* Completes a checksum over everything from `start` on, at start + offset; both were checked.  The pseudo header's sum is there already. */
void frame_finish_checksum (uint8_t *frame, size_t size, unsigned start, unsigned offset);

/* A frame that is to become several. */
struct segments {
	const uint8_t *frame;	/* borrowed */
	size_t size;
	struct frame_tcp at;
	unsigned segment_size;	/* payload bytes of each but the last */
	size_t done;		/* payload bytes so far */
	unsigned n;		/* segments so far */
	uint8_t headers[FRAME_MAX_HEADERS];	/* of the current one */
	const uint8_t *payload;
	size_t payload_size;
};

void segments_begin (struct segments *, const uint8_t *frame, size_t size, const struct frame_tcp *, unsigned segment_size);

/* The next one, with its checksums: at.payload bytes of headers, and its payload.  False: there is none. */
bool segments_next (struct segments *);

#endif
