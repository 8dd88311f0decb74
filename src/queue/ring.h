/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A ring in use: the data plane behind <vhost/queue.h>.  One interface over the layouts of a virtqueue, split.c and packed.c.  The layout is chosen when the
 * ring is made; per batch there is one indirect call, per descriptor none.
 *
 * A struct vh_ring is made when its front-end has started it and everything it needs is there, is used by one thread, and is freed when it stops.
 */
#ifndef QUEUE_RING_H
#define QUEUE_RING_H

#include <stdbool.h>
#include <stdint.h>

#include <vhost/queue.h>

#include "memory/map.h"
#include "memory/table.h"
#include "queue/dirty.h"
#include "queue/inflight.h"

/* What is needed to make a ring.  Addresses are guest addresses (the back-end has translated user addresses). */
struct ring_setup {
	unsigned index;
	unsigned size;			/* descriptors */
	uint64_t features;		/* virtio features in force */
	uint64_t desc, avail, used;	/* guest addresses of its three areas */
	uint32_t base;			/* SET_VRING_BASE's number */
	bool big_endian;		/* SET_VRING_ENDIAN; without VERSION_1 the areas are in the guest's byte order */
	struct vh_memory *memory;	/* borrowed: the ring takes its own reference */
	struct log_setup log;		/* where to enter what is written to the guest */
	struct inflight_part inflight;	/* where to note down what is in flight; the ring takes its own reference on the region */
	unsigned max_parts;		/* 1..VH_MAX_RING_SIZE */
	size_t request_size;
	struct vh_loop *loop;		/* for vh_ring_loop */
	/* The driver broke the rules, or memory was lost: called once, in the ring's thread. */
	void (*broken) (void *opaque, int err, const char *why);
	/* The driver is to be called and there is no eventfd for it.  May be NULL. */
	void (*call) (void *opaque);
	/* Another ring_process is wanted, see vh_ring_wake. */
	void (*wake) (void *opaque);
	/*
	 * Called at the end of a vh_ring_flush after which nothing is in flight, or no old table is held any more - only while the ring is stopping or holds
	 * an old table.  It must not free the ring.
	 */
	void (*idle) (void *opaque);
	/*
	 * With a table of I/O addresses: one that it does not have is needed, to read or to write there.  The ring takes nothing until it gets another table,
	 * or ring_deny.
	 */
	void (*miss) (void *opaque, uint64_t iova, bool write);
	void *opaque;
};

/* Of a ring with these features: its number of descriptors is possible; the bytes of its three areas; the base that it begins with. */
bool ring_size_valid (uint64_t features, unsigned size);
struct ring_areas {
	uint64_t desc, avail, used;
};
struct ring_areas ring_area_sizes (uint64_t features, unsigned size);
uint32_t ring_first_base (uint64_t features);

/*
 * Makes a ring, with one turn of `size` requests.  0 and *ret; -EINVAL: size, alignment, base; -EFAULT: an area is not wholly inside one region (in a table of
 * I/O addresses, nor in pieces that can be joined), or the memory was lost; -EOPNOTSUPP: a layout that is not there; -EPROTO: its in-flight records make no
 * sense; -ENOMEM; what map_ranges returns, where the areas are in memory on demand.
 * With in-flight records of an earlier ring, `base` is not used: the records and the ring's own index say where it goes on.
 */
int ring_new (const struct ring_setup *, struct vh_ring **ret);

/* Frees it, and publishes what was given back and not flushed.  No request may be in flight.  NULL is fine. */
void ring_free (struct vh_ring *);

/* The eventfd for calls, borrowed until it is replaced; -1: the driver polls. */
void ring_set_call (struct vh_ring *, int fd);

/*
 * Uses another dirty log, or none: the old one is not touched any more.  A ring without one gets its first when nothing is in flight.  If there is no memory
 * for that, it is broken.
 */
void ring_set_log (struct vh_ring *, const struct log_setup *);

/*
 * Uses another region table for what is taken from now on; translates the ring's own areas again.  0; -EFAULT: they are not inside, or another error of
 * ring_new: the ring is broken then, and lets go of the old table all the same.  For a ring that is broken already: its error.
 * The old table is let go when its last request was given back: ring_old_tables says whether one is still held.
 */
int ring_set_memory (struct vh_ring *, struct vh_memory *);
bool ring_old_tables (const struct vh_ring *);

/* There is no translation for the page of this I/O address: the chain that waits for it fails, and the ring goes on. */
void ring_deny (struct vh_ring *, uint64_t iova);

/* The next number of SET_VRING_BASE, for GET_VRING_BASE; exact when nothing is in flight. */
uint32_t ring_base (const struct vh_ring *);

/* From now on vh_ring_take returns 0. */
void ring_set_stopping (struct vh_ring *);

/*
 * What was given back so far is published, and nothing from here on: what is in flight is dropped when it comes back, and stays in the in-flight records.
 * For a ring with records that is stopping.
 */
void ring_abandon (struct vh_ring *);

/* Does it have in-flight records? */
bool ring_has_records (const struct vh_ring *);

/* Lets vh_ring_take hand out up to this many requests until the next call: the bound of one turn. */
void ring_new_turn (struct vh_ring *, unsigned budget);

/* Counts a kick. */
void ring_count_kick (struct vh_ring *);

/* Tells the driver that kicks are not needed (a hint), because the ring is being looked at. */
void ring_kicks_off (struct vh_ring *);

/*
 * Tells the driver to kick again; returns true when requests came meanwhile, or the turn's budget ended with requests left: then there may be no kick, and
 * ring_process is due again.
 */
bool ring_kicks_on (struct vh_ring *);

/* The same question without asking for kicks, for a ring that is polled. */
bool ring_has_news (struct vh_ring *);

/* Is there something to take? */
bool ring_has_work (struct vh_ring *);

/* Is it stopped for good (the driver broke the rules)? */
bool ring_is_broken (const struct vh_ring *);

#endif
