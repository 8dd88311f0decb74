/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random reads and writes through a guest's block driver, on all its queues at once; what is read is compared with what was written.
 */
#ifndef TESTS_XEN_DISK_LOAD_H
#define TESTS_XEN_DISK_LOAD_H

#include "guest-disk.h"

/* Each slot of each queue has a part of the disk of its own, so that requests in flight never meet. */
#define LOAD_MAX_SLOTS 64u
#define LOAD_SLOT_BYTES (2 * DISK_MAX_BYTES)
#define LOAD_DISK_BYTES (DISK_QUEUES * LOAD_MAX_SLOTS * LOAD_SLOT_BYTES)

/* What the disk holds.  load_begin makes it zeroes. */
extern uint8_t load_expected[LOAD_DISK_BYTES];

/* What the requests since load_begin came to: wrong data, status or length, or nothing at all in time. */
extern unsigned load_wrong;

void load_begin (void);

/* Makes `requests` on each queue, `depth` of them in flight; ends when all but `unfinished` (of all queues) are done. */
void load_run (struct guest_disk *, unsigned requests, unsigned depth, unsigned unfinished);

#endif
