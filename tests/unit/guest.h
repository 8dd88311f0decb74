/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest for tests of the queue: memory in a memfd, and a split ring in it that the test writes by hand, as a driver would or as none should.
 */
#ifndef TESTS_UNIT_GUEST_H
#define TESTS_UNIT_GUEST_H

#include <vhost/protocol.h>

#include "queue/ring.h"

/* Guest memory begins here; the ring's areas, for up to VH_MAX_RING_SIZE, are at its beginning. */
#define GUEST_BASE UINT64_C (0x40000000)
#define GUEST_DESC GUEST_BASE
#define GUEST_AVAIL (GUEST_BASE + 0x80000)
#define GUEST_USED (GUEST_BASE + 0xa0000)
#define GUEST_DATA (GUEST_BASE + 0x100000)
#define GUEST_SIZE 0x400000u

/* Descriptor flags, in the words of the specification. */
#define NEXT 1u
#define WRITE 2u
#define INDIRECT 4u

struct guest {
	int fd;				/* of the memory */
	unsigned char *bytes;		/* the test's own mapping of it */
	size_t size;
	struct vh_memory *memory;
	struct ring_setup setup;
	struct vh_ring *ring;
	uint16_t avail;			/* the driver's position */
	unsigned broken, woken, idle;	/* how often the ring said so */
	int err;			/* what it said */
	const char *why;
};

/* A guest with one region and no ring yet; setup is ready for guest_start. */
void guest_open (struct guest *, unsigned ring_size, uint64_t features);

/* The same with `size` bytes of memory. */
void guest_open_sized (struct guest *, unsigned ring_size, uint64_t features, size_t size);

/* Replaces the table in `memory` by one of n regions over the file: each has `size` bytes of the file from `offset` on, at GUEST_BASE + `at`. */
struct guest_region {
	uint64_t at, offset, size;
	uint32_t xen_flags;
};
void guest_set_regions (struct guest *, const struct guest_region *, unsigned n);

/* Makes the ring.  Returns what ring_new does. */
int guest_start (struct guest *);

/* guest_open and guest_start, for a ring that must be made. */
void guest_begin (struct guest *, unsigned ring_size, uint64_t features);

/* Frees all. */
void guest_close (struct guest *);

/* A pointer of the test's to guest memory. */
void *guest_at (const struct guest *, uint64_t addr);

/* Where the back-end has this byte; NULL when it is outside. */
void *guest_host (const struct guest *, uint64_t addr);

/* Writes descriptor number i of a table (GUEST_DESC: the ring's own). */
void guest_desc (struct guest *, uint64_t table, unsigned i, uint64_t addr, uint32_t len, unsigned flags, unsigned next);

/* Writes a chain of n descriptors from `first` on, each with `len` bytes of data of its own, for reading. */
void guest_chain (struct guest *, uint64_t table, unsigned first, unsigned n, uint32_t len);

/* Makes a head available. */
void guest_offer (struct guest *, unsigned head);

/* The same by hand: the slot at a position, and the index. */
void guest_set_head (struct guest *, uint16_t position, unsigned head);
void guest_set_avail (struct guest *, uint16_t idx);

/* The driver's flags and used_event; the device's flags, idx and avail_event. */
void guest_set_flags (struct guest *, uint16_t flags);
void guest_set_used_event (struct guest *, uint16_t event);
uint16_t guest_used_flags (const struct guest *);
uint16_t guest_used_idx (const struct guest *);
void guest_set_used_idx (struct guest *, uint16_t idx);
uint16_t guest_avail_event (const struct guest *);

/* The used element at a position. */
uint32_t guest_used_id (const struct guest *, uint16_t position);
uint32_t guest_used_len (const struct guest *, uint16_t position);

/* Takes one request: NULL when there is none or the ring broke. */
struct vh_request *guest_take (struct guest *);

/* Makes a head available, takes it, and returns what vh_ring_take did; *ret is the request. */
int guest_serve (struct guest *, unsigned head, struct vh_request **ret);

/* Gives one back, and flushes. */
void guest_give (struct guest *, struct vh_request *, uint32_t written);

/* Fails the test unless a part of the request is outside memory, so that nothing is left of it but n_in bytes of status, 0 or 1. */
void guest_check_fault (const struct vh_request *, unsigned n_in);

/* Fails the test unless the ring has stopped with this error: nothing can be taken any more, nobody waits for it, and the owner was told once. */
void guest_check_stopped (struct guest *, int err);

#endif
