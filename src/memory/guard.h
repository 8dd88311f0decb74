/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SIGBUS guard behind vh_memory_guard: what turns the shrinking of a file that is mapped as guest memory into an error of the rings that use it.
 * The memory models enter each file mapping here; on SIGBUS inside one, the whole mapping is replaced by zeroes, *lost is set and guard_hits grows.
 * This is the library's only global mutable state: a signal's disposition belongs to the process.
 */
#ifndef MEMORY_GUARD_H
#define MEMORY_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* How often the guard struck in this process (atomic).  A ring that sees it change asks memory_lost. */
extern unsigned guard_hits;

static inline unsigned
guard_count (void)
{
	return __atomic_load_n (&guard_hits, __ATOMIC_ACQUIRE);
}

/* Enters a mapping; *lost must stay valid until guard_remove.  0 or -ENOMEM. */
int guard_add (void *base, size_t size, int *lost);

/* Takes it out again, before it is unmapped. */
void guard_remove (void *base);

/* Says of a mapping that it is lost, for another reason than the guard's own. */
void guard_lose (int *lost);

/* Was vh_memory_guard called?  Without it SIGBUS ends the process. */
bool guard_is_installed (void);

#endif
