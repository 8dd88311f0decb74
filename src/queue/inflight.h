/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In-flight records (vhost-user, "Inflight I/O tracking"): which requests a ring has taken and not published, in memory that is shared with the front-end
 * and so outlives this process.  A ring that starts with records takes what is noted down there again, oldest first, before anything else.
 *
 * An area is an array of parts, one a ring, each with room for as many requests as GET_INFLIGHT_FD asked for:
 *
 *	| header, entries ... | header, entries ... | ...      a part begins at a multiple of 64 bytes
 *
 * Its bytes are only for back-ends, but one of ours may be replaced by another one, so they are as the specification has them.  The front-end can write
 * there at any time: every number is read once and checked.
 */
#ifndef QUEUE_INFLIGHT_H
#define QUEUE_INFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory/region.h"

struct vh_request;
struct vh_ring;

/* A ring's part of an area. */
struct inflight_part {
	struct region *region;	/* the area, mapped; NULL: there are no records */
	uint64_t offset;	/* of the part */
	unsigned entries;	/* how many requests the part has room for */
};

/* Bytes of a part. */
uint64_t inflight_part_size (bool packed, unsigned entries);

/* One request that was in flight when the ring before this one ended. */
struct inflight_record {
	uint64_t number;
	uint16_t head;		/* of a packed ring: its entry, and how many follow */
	uint16_t length;
};

/* What a ring with records has of its own. */
struct inflight {
	struct inflight_part part;
	unsigned char *host;		/* of the part */
	uint64_t counter;		/* the number of the next request */
	bool recovered;			/* the records are those of an earlier ring, whose last call the driver may have missed */
	struct inflight_record *again;	/* to take again, oldest first */
	unsigned n_again, next_again;
	uint64_t fresh;			/* how many others were taken after the last of these */
	void *own;			/* the layout's; freed with this */
};

/* --- for layouts, when they start and take --- */

/* Makes ring->inflight from the setup's part, which has `header` bytes and then entries of `entry` bytes.  0; -EINVAL: too small for this ring; -ENOMEM. */
int inflight_open (struct vh_ring *, size_t header, size_t entry);

/* Notes down for this start that a request is to be taken again; in any order.  There is room for as many as the ring has descriptors. */
void inflight_add (struct inflight *, struct inflight_record);

/* Sorts those, and makes `counter` come after them. */
void inflight_sort (struct inflight *);

/* Are there some left to take again? */
static inline bool
inflight_has_old (const struct inflight *f)
{
	return f->next_again < f->n_again;
}

/*
 * Those of before come first: takes them as vh_ring_take, each by a function of the layout that returns NULL where the layout's take would end.  They count
 * as outstanding since the start.
 */
typedef struct vh_request *inflight_take_fn (struct vh_ring *, const struct inflight_record *);
int inflight_take_again (struct vh_ring *, struct vh_request **reqs, unsigned max, inflight_take_fn *);

/* Of a recorded layout, by the plain one's. */
bool inflight_kicks_on (struct vh_ring *);
bool inflight_has_news (struct vh_ring *);
bool inflight_has_work (struct vh_ring *);

/* --- for ring.c --- */

/* NULL is fine for ring->inflight in all of these. */
void inflight_close (struct vh_ring *);

/* Has the file behind the records shrunk? */
bool inflight_lost (const struct vh_ring *);

#endif
