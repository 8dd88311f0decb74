/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Credit: how many bytes each side of a connection may still send (virtio 1.2, 5.10.6.3).  All counters run freely and wrap.
 *
 *	         fwd_cnt          received        fwd_cnt + buf_alloc
 *	from guest: |  in our hands  |     free      |
 *
 *	         peer_fwd_cnt       sent          peer_fwd_cnt + peer_buf_alloc
 *	to guest:   | in its hands   |     free      |
 */
#ifndef VSOCK_CREDIT_H
#define VSOCK_CREDIT_H

#include <stdbool.h>
#include <stdint.h>

struct credit {
	/* What comes from the guest. */
	uint32_t buf_alloc;		/* ours, constant */
	uint32_t received;
	uint32_t fwd_cnt;		/* of them, how many have left us */
	uint32_t told;			/* the fwd_cnt that the guest knows */
	/* What goes to the guest. */
	uint32_t peer_buf_alloc, peer_fwd_cnt;
	uint32_t sent;
};

/* Bytes that we keep for the host. */
static inline uint32_t
credit_held (const struct credit *c)
{
	return c->received - c->fwd_cnt;
}

/* May the guest have sent so many? */
static inline bool
credit_allows (const struct credit *c, uint32_t bytes)
{
	return bytes <= c->buf_alloc - credit_held (c);
}

/* Bytes that we may send.  A guest that says nonsense (less room than is filled, more forwarded than was sent) has no room. */
static inline uint32_t
credit_left (const struct credit *c)
{
	uint32_t held = c->sent - c->peer_fwd_cnt;

	return held >= c->peer_buf_alloc ? 0 : c->peer_buf_alloc - held;
}

/* Is it time to tell the guest of the room that it has?  After a quarter: so a guest that waits for room is always told, and one that does not seldom. */
static inline bool
credit_is_news (const struct credit *c)
{
	return c->fwd_cnt - c->told >= (c->buf_alloc + 3) / 4;
}

#endif
