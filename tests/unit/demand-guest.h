/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest whose data is mapped on demand, by fake-map: what the tests of that share.
 */
#ifndef TESTS_UNIT_DEMAND_GUEST_H
#define TESTS_UNIT_DEMAND_GUEST_H

#include "tests/unit/fake-map.h"
#include "tests/unit/guest.h"

#define ON_DEMAND (VH_XEN_GRANT | VH_XEN_NO_ADVANCE_MAP)
#define MAPPED (GUEST_DATA - 0x10000)	/* a place for data in memory that is mapped in advance */
#define TABLE (GUEST_BASE + 0x300000)	/* one for an indirect table, on demand */

/* The ring is mapped in advance, what begins at GUEST_DATA on demand. */
extern const struct guest_region demand_regions[2];

/* A guest that has them.  No ring yet. */
void demand_open (struct guest *, unsigned ring_size);

/* With a ring. */
void demand_begin (struct guest *, unsigned ring_size);

/* Frees all; nothing may be left mapped. */
void demand_end (struct guest *);

/* Request number i: a header, a page to fill and a status byte, all on demand.  Its head is 3 * i; its data is at demand_data (i). */
uint64_t demand_data (unsigned i);
void demand_offer (struct guest *, unsigned i);

/* Checks it and does what a device would. */
void demand_serve (const struct guest *, struct vh_request *, unsigned i);

/* When something has been mapped the next time, the guest's memory on demand is lost. */
void demand_lose_memory (struct guest *);

#endif
