/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the split layout lends to layouts that are made of it.
 */
#ifndef QUEUE_SPLIT_H
#define QUEUE_SPLIT_H

#include "queue/layout.h"

size_t split_area_size (unsigned area, unsigned ring_size);
size_t split_own_bytes (unsigned ring_size);
int split_check (const struct ring_setup *);
void split_dirty_used (struct vh_ring *, uint16_t before);
void split_dirty_kicks (struct vh_ring *);
void split_kicks_off (struct vh_ring *);
uint32_t split_base (const struct vh_ring *);

/* All but what requests that are taken again make a difference to. */
#define SPLIT_COMMON                                                           \
	.align = { [AREA_DESC] = 16, [AREA_AVAIL] = 2, [AREA_USED] = 4 },      \
	.written = { [AREA_USED] = true },                                     \
	.area_size = split_area_size, .own_bytes = split_own_bytes,            \
	.check = split_check,                                                  \
	.dirty_used = split_dirty_used, .dirty_kicks = split_dirty_kicks,      \
	.kicks_off = split_kicks_off, .base = split_base

/*
 * The request of the chain at a head, in flight but not counted as such.  NULL: the ring is broken; or it is not, and the chain cannot be read now (see
 * split_walk).
 */
struct vh_request *split_take_chain (struct vh_ring *, unsigned head);

#endif
