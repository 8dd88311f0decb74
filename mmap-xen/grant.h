/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Granted memory: a guest's pages, each with the guest's leave.  A guest address in a grant region is
 *
 *	bit 63   62 .. 44   43 .. 12          11 .. 0
 *	  1         0       grant reference   offset in the page
 */
#ifndef XEN_GRANT_H
#define XEN_GRANT_H

#include <stdbool.h>

#include "memory/region.h"
#include "mmap-xen/host.h"

#define GRANT_ADDR_BIT (UINT64_C (1) << 63)
#define GRANT_ADDR_END (UINT64_C (1) << (32 + XEN_PAGE_SHIFT))

/*
 * Most grants of one map call, and of all leases together: what Linux' gntdev takes in one call (its parameter "limit"), and an eighth of the grants that
 * Xen lets dom0 map by default (max_maptrack_frames), so that several back-ends have room beside each other.
 */
#define GRANT_MAX 65536u

/* Adjacent mappings of grants, made by one call. */
struct grant_map {
	uint8_t *base;
	uint32_t pages;
};

/*
 * Maps grants refs[i] of domids[i], for reading or for both.  0; -EFAULT: one of them was not granted so; -ENOMEM, -EAGAIN; system errors.
 */
int grant_map (struct grant_map *, uint32_t *domids, uint32_t *refs, uint32_t n, bool write);
void grant_unmap (struct grant_map *);

/* The reference of a guest address. */
static inline uint32_t
grant_ref (uint64_t addr)
{
	return (uint32_t) ((addr & ~GRANT_ADDR_BIT) >> XEN_PAGE_SHIFT);
}

/* How many pages `size` bytes at a guest address touch. */
static inline uint64_t
grant_pages (uint64_t addr, uint64_t size)
{
	return (addr % XEN_PAGE + size + XEN_PAGE - 1) >> XEN_PAGE_SHIFT;
}

/*
 * Prepares a grant region: maps all of it when it is to be mapped in advance, else only checks it.  0; -EINVAL: the addresses are not grants, or more than
 * GRANT_MAX in advance; -EFAULT: not all of them granted; -ESRCH: no such domain; system errors.
 */
int grant_region_map (struct region *, bool advance);
void grant_region_unmap (struct region *);

#endif
