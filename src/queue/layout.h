/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside a ring: what its parts share.  ring.c and requests.c are common to all layouts, split.c and packed.c are layouts, the others serve both:
 *
 *	ring.c  --->  requests.c  --->  split.c, packed.c  --->  walk.h, chain.c  --->  demand.c
 *	its life      take, give        read heads               descriptors            parts that are
 *	   |          and flush         and chains               into parts             mapped on demand
 *	   |
 *	   +--> pool.c (requests)  snapshot.c (memory)  ->  areas.c  order.c (IN_ORDER)  notify.c (calls)
 *
 * With in-flight records, inflight-split.c and inflight-packed.c are the layouts, and are made of those.
 */
#ifndef QUEUE_LAYOUT_H
#define QUEUE_LAYOUT_H

#include <endian.h>

#include <vhost/protocol.h>

#include "memory/guard.h"
#include "queue/ring.h"

/* Parts that a request has room for by itself; more go to the ring's arena.  Eight: header, status and up to six pages of data. */
#define INLINE_PARTS 8

/* Translations of one chain that may be refused: the first that is, and then that of the status it is to get.  No others are asked for. */
#define DENIALS 2

/* The memory that requests are in: one for each table that the ring has met and that is in use. */
struct snapshot {
	struct vh_memory *memory;	/* a reference of ours */
	unsigned in_flight;		/* requests; not those that are published, nor those that wait for it */
	bool on_demand;			/* some region is mapped on demand */
	bool special;			/* giving back takes more than usual: on_demand, or not the ring's newest */
	struct snapshot *older;
};

/* A request.  Its index in the array is its head in a split ring, so two chains with one head cannot be in flight; in a packed ring it is any that is free. */
struct request {
	struct vh_request pub;			/* first: the device's pointer is ours */
	struct snapshot *snapshot;		/* NULL: not in flight */
	struct iovec parts[INLINE_PARTS];	/* out, then in */
} __attribute__ ((aligned (64)));

/* One that is given back and not published. */
struct done {
	uint32_t id;		/* the request's index, as in a split ring; little-endian */
	uint32_t written;	/* little-endian */
};

enum { AREA_DESC, AREA_AVAIL, AREA_USED, AREAS };

/* How a ring is laid out in memory.  Functions that touch the areas are called only while the ring is not broken. */
struct ring_layout {
	/* Alignment and size in bytes of an area. */
	unsigned align[AREAS];
	size_t (*area_size) (unsigned area, unsigned ring_size);
	bool written[AREAS];	/* by us */
	bool any_size;		/* need not be a power of two */

	/* The same with in-flight records; the recorded one has the one that it is around in `plain`.  The others are NULL. */
	const struct ring_layout *recorded, *plain;

	/* Where a ring begins that no front-end has given a base. */
	uint32_t first_base;

	/* Bytes that ring->own has for a ring of this size. */
	size_t (*own_bytes) (unsigned ring_size);

	/* 0, or -EINVAL for a size, a base or such that this layout cannot have. */
	int (*check) (const struct ring_setup *);

	/* The areas are there: takes the positions from `base` and from memory.  0 or an error of ring_new. */
	int (*start) (struct vh_ring *, uint32_t base);

	/* As vh_ring_take; on success the requests count as in flight and what they are made of as outstanding. */
	int (*take) (struct vh_ring *, struct vh_request **reqs, unsigned max);

	/* Puts the last n requests back, as if they had not been taken; they are outstanding no more. */
	void (*untake) (struct vh_ring *, struct vh_request **reqs, unsigned n);

	/* Publishes done[0..n_done), n_done > 0; they are outstanding no more.  Does the driver want to be called?  A full barrier is behind what it writes. */
	bool (*publish) (struct vh_ring *);

	/* For rings with a dirty log: what publish wrote, since next_used was `before`; what kicks_off and kicks_on write. */
	void (*dirty_used) (struct vh_ring *, uint16_t before);
	void (*dirty_kicks) (struct vh_ring *);

	void (*kicks_off) (struct vh_ring *);
	bool (*kicks_on) (struct vh_ring *);
	bool (*has_news) (struct vh_ring *);
	bool (*has_work) (struct vh_ring *);
	uint32_t (*base) (const struct vh_ring *);
};

extern const struct ring_layout split_layout, packed_layout;
extern const struct ring_layout split_swapped_layout;	/* fields in the other byte order */
extern const struct ring_layout split_recorded_layout, packed_recorded_layout;	/* with in-flight records */

struct desc;
struct demand;
struct order;

struct vh_ring {
	/* What take reads. */
	const struct ring_layout *layout;
	struct request *requests;		/* by index */
	unsigned char *areas[AREAS];		/* all NULL once the ring is broken for lack of them */
	unsigned size;
	unsigned max_chain;			/* descriptors, and parts, of one request */
	unsigned max_own_chain;			/* the same within the ring's own table: no more than `size` */
	unsigned inline_parts;			/* INLINE_PARTS, or max_chain when that is less */
	unsigned first_left, first_credit;	/* left and credit, below, at the head of a chain */
	uint32_t max_table;			/* bytes of an indirect table that is itself the limit of its chain; 0: there are no such tables */
	uint16_t next_avail;			/* position of the next request to take */
	uint16_t next_used;			/* of the next one to publish: our own, whatever the driver writes there */
	uint16_t seen;				/* the driver's position when it was last looked at */
	bool held;				/* nothing can be taken: broken, stopping or parked */
	bool parked;				/* a translation is missing, which was asked for */
	uint8_t n_denied;			/* there is none for the pages of `denied`: what of this chain leads there is outside memory */
	bool stopping;
	bool aside;				/* taking and publishing are more than usual: demand or dirty is there */
	bool called_valid;			/* the driver's event index means something: it was decided upon since the start, or the last new call fd */
	bool kicks_suppressed;
	bool swapped;				/* the areas' fields are big-endian: a guest of old */
	bool holds_old;				/* an old table, when it was last looked at */
	bool watched;				/* stopping, or holds_old: setup.idle may have to be told */
	unsigned outstanding;			/* taken and not published: heads, or descriptors of a packed ring; a driver has no more than `size` of them */
	unsigned budget;			/* requests that this turn may still take */
	int broken;				/* negative errno; 0: it is well */
	unsigned guard_seen;
	struct snapshot *snapshot;		/* the newest */

	/* What give writes. */
	struct done *done;			/* `size` of them */
	unsigned n_done;

	/*
	 * The walk of one chain: what the fast path in the layout shares with the slow one in chain.c.  `left` counts descriptors, with the one at hand, that
	 * can go on without looking, because there is room for a part each and the chain may be as long; `credit` is how many more it may have behind those.
	 */
	unsigned left, credit;
	const struct slot *slot;		/* where the last descriptor was found; never one on demand */
	const struct slot *other_slot;		/* where others were before; likewise */

	struct iovec *arena;			/* size * max_chain; nothing when INLINE_PARTS are always enough */
	struct desc *bounce;			/* max_chain: where an indirect table is copied to that is not in one piece */
	void *own;				/* the layout's: own_bytes of it, zeroes at first */
	struct demand *demand;			/* NULL until memory has a region on demand */
	struct order *order;			/* NULL: requests may be used in any order */
	struct inflight *inflight;		/* NULL: without records */
	struct dirty *dirty;			/* NULL: without a dirty log */
	struct lease *areas_lease;		/* see struct areas */
	struct joined *areas_joined[AREAS];
	int call;
	bool call_is_stream;		/* a socket, and no eventfd */
	struct vh_ring_counters counters;
	void *opaque;				/* the device's */
	uint64_t denied[DENIALS];
	struct ring_setup setup;		/* its `memory` is not used after ring_new */
	void *pool;				/* requests, done, arena, bounce, own and the devices' bytes are in here */
	size_t pool_size;
};

/* --- ring.c --- */

/* Stops the ring for good and tells its owner, once.  Returns err made negative. */
int ring_break (struct vh_ring *, int err, const char *why);

/* After the guard struck somewhere: 0, or the error of the ring, which is stopped if it was our memory. */
int ring_check_memory (struct vh_ring *);

/*
 * A chain leads to an address that the ring's table does not have.  -EFAULT: it is outside memory; -EAGAIN: its translation was asked for, and the chain stays
 * in the ring, with those behind it, until there is another table.
 */
int ring_miss (struct vh_ring *, uint64_t addr, bool write);

/* --- requests.c --- */

/* Puts the last n requests back, which layout->take gave. */
void ring_untake (struct vh_ring *, struct vh_request **reqs, unsigned n);

/* Enters a request into done[]. */
static inline void
ring_done (struct vh_ring *ring, unsigned index, uint32_t written)
{
	ring->done[ring->n_done++] = (struct done){ htole32 (index), htole32 (written) };
}

static inline bool
ring_has_feature (const struct vh_ring *ring, unsigned bit)
{
	return ring->setup.features >> bit & 1;
}

static inline unsigned
request_index (const struct vh_ring *ring, const struct request *r)
{
	return (unsigned) (r - ring->requests);
}

/* --- pool.c --- */

/* Makes requests, done, arena, bounce and own, all zero, in one piece of address space that costs memory only where it is touched.  0, -ENOMEM or -EINVAL. */
int request_pool_new (struct vh_ring *);
void request_pool_free (struct vh_ring *);

/* --- areas.c --- */

/* The ring's areas in a table of memory, and what keeps them where they are. */
struct areas {
	unsigned char *host[AREAS];
	struct joined *joined[AREAS];	/* those that are in several pieces in the guest's memory; the others are NULL */
	struct lease *lease;		/* of those that are on demand; NULL: none is */
};

/* Finds them; what the ring has joined now may be in *ret, too.  0; -EINVAL, -EFAULT as ring_new; -EAGAIN and others of map_ranges; -ENOMEM. */
int areas_map (const struct vh_ring *, const struct vh_memory *, struct areas *ret);

/* Makes these the ring's, and lets go of those that it had; all NULL: it has none then. */
void areas_replace (struct vh_ring *, const struct areas *);

/* --- snapshot.c --- */

/* Makes `memory` the newest snapshot and maps the areas in it.  0; -EINVAL, -EFAULT as ring_new; -ENOMEM; then nothing has changed. */
int snapshot_push (struct vh_ring *, struct vh_memory *memory);

/* Like that, but without areas, for a ring that is broken.  It needs no memory when the newest one is not in use; else 0 or -ENOMEM. */
int snapshot_push_bare (struct vh_ring *, struct vh_memory *memory);

/* Frees a snapshot that is neither the newest nor in use. */
void snapshot_drop (struct vh_ring *, struct snapshot *);

/* Frees all, and the areas. */
void snapshot_free_all (struct vh_ring *);

/* Has memory that the ring uses been lost? */
bool snapshot_lost (const struct vh_ring *);

#endif
