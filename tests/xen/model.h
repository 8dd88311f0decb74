/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the tests of the memory model share, on fake calls and on a real host: describing regions and ranges, and the balance of the counters.
 */
#ifndef TESTS_XEN_MODEL_H
#define TESTS_XEN_MODEL_H

#include "memory/map.h"

/* Addresses of grants begin here. */
#define MODEL_GRANTS (UINT64_C (1) << 63)

#define MODEL_PAGE 4096u
#define MODEL_ON_DEMAND (VH_XEN_GRANT | VH_XEN_NO_ADVANCE_MAP)

/* A region that is not mapped yet. */
struct region model_region (uint32_t domid, uint64_t addr, uint64_t size, uint32_t flags);

/* Maps a region and unmaps it again; what map_region said. */
int model_try (struct region);

/* `size` bytes at an offset in a region. */
struct range model_range (struct region *, uint64_t offset, uint32_t size, bool write);

/* Remembers the counters. */
void model_begin (void);

/* Whether all that was mapped since model_begin was unmapped. */
bool model_is_balanced (void);

/* The counters, less what they were at model_begin. */
struct vh_memory_counters model_counters (void);

#endif
