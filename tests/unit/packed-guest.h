/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest for tests of packed rings: the memory of guest.h, and a packed ring in it that the test writes by hand, as a driver would or as none should.
 * Positions are places with the wrap counter in bit 15.
 */
#ifndef TESTS_UNIT_PACKED_GUEST_H
#define TESTS_UNIT_PACKED_GUEST_H

#include "tests/unit/guest.h"

#define AVAIL_BIT 0x80u
#define USED_BIT 0x8000u
#define WRAP 0x8000u

/* Flags of the event areas. */
enum { EVENT_ENABLE, EVENT_DISABLE, EVENT_DESC };

struct packed {
	struct guest g;
	uint16_t next;	/* the driver's: where the next descriptor is made available */
	uint16_t used;	/* where the next used one is looked for */
};

/* A guest with one region and no ring yet; and one with a ring, which must be made. */
void packed_open (struct packed *, unsigned ring_size, uint64_t features);
void packed_begin (struct packed *, unsigned ring_size, uint64_t features);
void packed_close (struct packed *);

/* Makes the ring at a base, for a driver that is there too.  Returns what ring_new does. */
int packed_start (struct packed *, uint32_t base);

uint16_t packed_forward (const struct packed *, uint16_t position, unsigned n);

/* Writes a descriptor: by hand; and as available at a position, with `flags` beside those that say so. */
void packed_write (struct packed *, uint64_t table, unsigned i, uint64_t addr, uint32_t len, unsigned id, unsigned flags);
void packed_put (struct packed *, uint16_t position, uint64_t addr, uint32_t len, unsigned id, unsigned flags);

/* Makes one more descriptor available, or a chain of n, each with `len` bytes of data of its own for reading; the id is only in the last of them. */
void packed_add (struct packed *, uint64_t addr, uint32_t len, unsigned id, unsigned flags);
void packed_add_chain (struct packed *, unsigned n, uint32_t len, unsigned id);

/* A read of a block device: header, a page of data, status. */
void packed_add_read (struct packed *, unsigned id);

/* Writes the n descriptors of an indirect table like that, and makes one available that leads there. */
void packed_write_table (struct packed *, uint64_t table, unsigned n, uint32_t len);
void packed_add_table (struct packed *, uint64_t table, uint32_t bytes, unsigned id);

/* A used descriptor. */
struct packed_used {
	unsigned id;
	uint32_t len;
	unsigned flags;	/* without those that say so */
};

/* The next one, of a chain with n descriptors; false when there is none. */
bool packed_reap (struct packed *, unsigned n, struct packed_used *);

/* Is the next used descriptor this one? */
bool packed_is_used (struct packed *, unsigned n, unsigned id, uint32_t len);

/* The driver's event area; the device's. */
void packed_set_event (struct packed *, uint16_t position, unsigned flags);
uint16_t packed_event_position (const struct packed *);
unsigned packed_event_flags (const struct packed *);

/* Takes one request, and returns what vh_ring_take did. */
int packed_take_one (struct packed *, struct vh_request **);

#endif
