/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The disk's state for a migration: what the driver has set, and what was counted.  What is in flight is not in it: when rings have stopped, nothing is.
 */
#ifndef BLK_STATE_H
#define BLK_STATE_H

#include <stddef.h>
#include <stdint.h>

/* The callbacks state_save and state_load. */
int blk_state_save (void *device, uint64_t offset, void *buf, size_t size);
int blk_state_load (void *device, uint64_t offset, const void *buf, size_t size);

#endif
