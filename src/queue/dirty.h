/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a ring enters in the dirty log: the bytes that its requests wrote to the guest, and what it wrote itself.
 *
 *	take                       flush
 *	guest addresses of         what was written of them, after the data; then it is published;
 *	the parts to write         then what publishing wrote
 *
 * A device may do what it likes to the parts of its requests, and a packed ring's descriptors are overwritten; so addresses are noted down when a request is
 * taken.  Therefore a ring that begins to log must have nothing in flight.  Without a log nothing of this is there.
 */
#ifndef QUEUE_DIRTY_H
#define QUEUE_DIRTY_H

#include <stdbool.h>
#include <stdint.h>

struct region;
struct vh_request;
struct vh_ring;

/* The log that a ring is to have. */
struct log_setup {
	struct region *region;	/* NULL: none */
	bool own;		/* what the ring writes itself is entered, too */
	uint64_t used, desc;	/* and these are the addresses to enter its areas at; behind an IOMMU, I/O addresses */
	int fd;			/* to be signalled when bits were set; -1: none; borrowed until it is replaced */
};

/* Gives the ring another log, or none; to one without, when nothing is in flight.  0 or -ENOMEM. */
int dirty_set (struct vh_ring *, const struct log_setup *);

/* NULL is fine for ring->dirty, here and in dirty_lost. */
void dirty_free (struct vh_ring *);

/* Has the file behind the log shrunk? */
bool dirty_lost (const struct vh_ring *);

/* These are for rings with a log. */

/* Requests were taken. */
void dirty_take (struct vh_ring *, struct vh_request **reqs, unsigned n);

/* What is in done[] was written, and is about to be published. */
void dirty_requests (struct vh_ring *);

/* For layouts: bytes of an area, counted from its beginning, were written, and a full barrier came after that. */
void dirty_area (struct vh_ring *, unsigned area, uint64_t offset, uint64_t size);

/* The ring asked for kicks, or for none. */
void dirty_kicks (struct vh_ring *);

/* All of a publication was entered. */
void dirty_signal (struct vh_ring *);

#endif
