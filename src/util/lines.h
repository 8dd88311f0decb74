/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of objects that one thread writes all the time, while others have theirs beside it: no two of them share a cache line, or each write of one thread
 * would take the line from the other.
 */
#ifndef UTIL_LINES_H
#define UTIL_LINES_H

#include <stdlib.h>
#include <string.h>

#define CACHE_LINE 64

#define CACHE_ALIGNED __attribute__ ((aligned (CACHE_LINE)))

/* As calloc (1, size); it goes to free.  NULL: there is none. */
static inline void *
lines_alloc (size_t size)
{
	size_t rounded = (size + CACHE_LINE - 1) & ~(size_t) (CACHE_LINE - 1);
	void *p = rounded < size ? NULL : aligned_alloc (CACHE_LINE, rounded);

	return p ? memset (p, 0, rounded) : NULL;
}

#endif
