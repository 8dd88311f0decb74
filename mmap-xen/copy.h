/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Granted memory that is copied instead of mapped: by the hypervisor, with one call for many pieces.
 */
#ifndef XEN_COPY_H
#define XEN_COPY_H

#include <stdbool.h>
#include <stddef.h>

#include "memory/map.h"

/*
 * What a request may copy.  A copy costs less than half of a mapping of a page, which is in calls and in page tables, not in bytes (bench/RESULTS.md); from a
 * few pages on the device's own work counts for more, and one mapping for several requests costs each of them little.
 */
#define COPY_LIMIT 16384u

/* Is the range a copy?  Where memory is mapped in advance nothing is copied. */
static inline bool
copy_wanted (const struct range *r)
{
	return r->copy && r->size > 0 && !r->region->host;
}

/* How many bytes the copies of n ranges take. */
size_t copy_measure (const struct range *ranges, unsigned n);

/* Gives each copy its place from `base` on, which is the beginning of a page. */
void copy_place (struct range *ranges, unsigned n, unsigned char *base);

/* Copies from the guest; or to it, what is in ranges to write.  0; -EFAULT: some of it was not granted so; system errors. */
int copy_in (const struct range *ranges, unsigned n);
int copy_out (const struct range *ranges, unsigned n);

/*
 * Room for copies: `size` bytes from the beginning of a page on, with whatever was there before.  NULL: no memory.  Some of it is kept when it is put back,
 * because fresh pages cost more than what is copied there; copy_free_room frees that.  Any thread.
 */
unsigned char *copy_get_room (size_t size);
void copy_put_room (unsigned char *, size_t size);
void copy_free_room (void);

/* Can this host do it? */
bool copy_probe (void);

#endif
