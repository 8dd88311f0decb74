/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The translations of a device behind an IOMMU (VIRTIO_F_ACCESS_PLATFORM): intervals of I/O addresses, which the front-end tells and takes back.  A cache: what
 * is not here is asked for.
 *
 * Rings do not look here.  They use a region table like any other, made from this one, whose addresses are I/O addresses; and like any other it is immutable,
 * so a change of translations is a change of memory.
 */
#ifndef MEMORY_IOTLB_H
#define MEMORY_IOTLB_H

#include "memory/table.h"

/* More than a guest has in use at a time: descriptors, rings, and what a busy disk transfers.  Searched by halves, and made into a table at each change. */
#define IOTLB_MAX 2048

/* As the protocol has them. */
#define IOTLB_READ 1u
#define IOTLB_WRITE 2u

struct iotlb_entry {
	uint64_t iova, size;	/* at least one byte; the last one does not wrap */
	uint64_t user;		/* user address, as in the region table */
	unsigned perm;
};

struct iotlb {
	unsigned n;
	struct iotlb_entry entries[IOTLB_MAX];	/* sorted, without overlap */
};

/*
 * Enters a translation.  What it overlaps goes: true when something did that said something else, so that nobody may use that any more.  So does everything
 * when there is no room: true, too.
 */
bool iotlb_update (struct iotlb *, const struct iotlb_entry *);

/* Takes out all that overlaps [iova, last]; true when there was something. */
bool iotlb_invalidate (struct iotlb *, uint64_t iova, uint64_t last);

/* A table of the translations whose memory is mapped, with I/O addresses.  0 and *ret with one reference, or -ENOMEM. */
int iotlb_table (const struct iotlb *, const struct vh_memory *, struct vh_memory **ret);

#endif
