/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pieces of guest memory that follow one another for the driver only: behind an IOMMU, a ring's area of several pages may be anywhere.  They are mapped a
 * second time, side by side, so that who uses the area knows nothing of it.
 *
 *	I/O addresses  | a | b | c |            regions  ... c ... a ... | ... b ...            joined  | a | b | c |
 */
#ifndef MEMORY_JOINED_H
#define MEMORY_JOINED_H

#include <stdbool.h>
#include <stdint.h>

#include "memory/region.h"

struct joined_piece {
	struct region *region;
	unsigned char *host;	/* in the region */
	uint64_t size;
};

struct joined;

/*
 * Maps n pieces, one behind the other; the first may begin and the last may end inside a page, the others are whole pages.  Holds the regions meanwhile, and
 * the SIGBUS guard covers it: what is lost here, a region has lost.  0 and *ret; -EFAULT: other ends, or memory that cannot be mapped twice (of huge pages, on
 * demand, or still to be filled by postcopy); -ENOMEM.
 */
int joined_new (const struct joined_piece *, unsigned n, struct joined **ret);

/* NULL is fine. */
void joined_free (struct joined *);

/* Where the first byte is. */
unsigned char *joined_host (const struct joined *);

/* Is it just these pieces? */
bool joined_is (const struct joined *, const struct joined_piece *, unsigned n);

#endif
