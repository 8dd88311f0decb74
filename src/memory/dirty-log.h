/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dirty log: a bitmap that is shared with the front-end, which copies the pages of a guest that migrates until no bit comes up any more.  Page n of guest
 * physical memory is bit n % 8 of byte n / 8; a page has 4096 bytes, whatever it has here.
 *
 * A bit means that the page is to be copied again, so it is set after the page was written; the front-end takes bits and copies afterwards.
 */
#ifndef MEMORY_DIRTY_LOG_H
#define MEMORY_DIRTY_LOG_H

#include "memory/region.h"
#include "util/checked.h"

#define DIRTY_PAGE 4096u

/* Has a log of this many bytes a bit for every page of [addr, addr + size)?  size is not 0. */
static inline bool
dirty_log_covers (uint64_t bytes, uint64_t addr, uint64_t size)
{
	uint64_t last;

	return checked_add (addr, size - 1, &last) && last / DIRTY_PAGE / 8 < bytes;
}

/*
 * Sets the bits of [addr, addr + size), size > 0, with a full barrier between the writes to these pages and this call: then a bit that is set already need not
 * be set again, since who takes it copies what is there now.  Returns how many were not set; -EFAULT when the log does not cover the range: none was touched.
 */
int dirty_log_mark (struct region *log, uint64_t addr, uint64_t size);

#endif
