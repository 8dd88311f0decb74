/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bytes of in-flight records, as the specification has them (vhost-user, "Inflight I/O tracking"), in the host's byte order.  Each field is shared with
 * the front-end, and is loaded and stored atomically.
 */
#ifndef QUEUE_INFLIGHT_AREA_H
#define QUEUE_INFLIGHT_AREA_H

#include <stddef.h>
#include <stdint.h>

#define INFLIGHT_VERSION 1	/* 0: nothing was written here yet */

struct split_header {
	uint64_t features;	/* 0 */
	uint16_t version;
	uint16_t desc_num;	/* entries */
	uint16_t last_batch_head;	/* the requests of the last publication, the newest first, linked by `next` */
	uint16_t used_idx;	/* the last publication that was cleared up after */
};

struct split_entry {	/* by head */
	uint8_t inflight;
	uint8_t padding[5];
	uint16_t next;
	uint64_t counter;
};

_Static_assert (sizeof (struct split_header) == 16 && sizeof (struct split_entry) == 16, "records of a split ring");
_Static_assert (offsetof (struct split_entry, next) == 6, "records of a split ring");

struct packed_header {
	uint64_t features;
	uint16_t version;
	uint16_t desc_num;
	uint16_t free_head;	/* entries that are in no chain, linked by `next` */
	uint16_t old_free_head;	/* before the publication that is under way, or the request that is being noted down */
	uint64_t positions;	/* struct packed_positions, in one piece, so that it is never seen half written */
	uint64_t padding;
};

struct packed_positions {
	uint16_t used_idx;	/* after the publication that is under way */
	uint16_t old_used_idx;	/* before it */
	uint8_t used_wrap_counter;
	uint8_t old_used_wrap_counter;
	uint8_t padding[2];
};

struct packed_entry {		/* a descriptor; at the head of a chain, all of it */
	uint8_t inflight;
	uint8_t padding;
	uint16_t next;
	uint16_t last, num;	/* of a head: the chain's last entry, and how many it has */
	uint64_t counter;
	uint16_t id, flags;
	uint32_t len;
	uint64_t addr;
};

_Static_assert (offsetof (struct packed_header, positions) == 16 && sizeof (struct packed_positions) == 8, "records of a packed ring");
_Static_assert (sizeof (struct packed_header) == 32 && sizeof (struct packed_entry) == 32, "records of a packed ring");

static inline uint16_t
area_get16 (const uint16_t *p)
{
	return __atomic_load_n (p, __ATOMIC_RELAXED);
}

/* After all stores before it; so is the next one. */
static inline void
area_put16 (uint16_t *p, uint16_t v)
{
	__atomic_store_n (p, v, __ATOMIC_RELEASE);
}

static inline void
area_put8 (uint8_t *p, uint8_t v)
{
	__atomic_store_n (p, v, __ATOMIC_RELEASE);
}

#endif
