/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bits of the dirty log.
 */
#include <errno.h>

#include "memory/dirty-log.h"

int
dirty_log_mark (struct region *log, uint64_t addr, uint64_t size)
{
	int n = 0;

	if (unlikely (!dirty_log_covers (log->spec.size, addr, size)))
		return -EFAULT;
	for (uint64_t page = addr / DIRTY_PAGE, last = (addr + (size - 1)) / DIRTY_PAGE; page <= last; page++) {
		uint8_t *byte = log->host + page / 8, bit = (uint8_t) (1u << page % 8);

		if (__atomic_load_n (byte, __ATOMIC_RELAXED) & bit)
			continue;
		/* Atomic: the front-end takes bits out of the same word, and other rings set some. */
		__atomic_fetch_or (byte, bit, __ATOMIC_RELEASE);
		n++;
	}
	return n;
}
