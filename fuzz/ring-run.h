/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the fuzz targets of rings share: guest memory that is the input, a device that looks at what it gets, and the turns of a ring.  The guest's memory is
 * small, so that random addresses hit it, the ring and each other:
 *
 *	0        0x400    0x500    0x800              0x2000     0x3000      0x5000
 *	| desc    | avail  | used   | data ...          | (hole)   | data ...   |
 *	  region 0                                        none       region 1
 */
#ifndef FUZZ_RING_RUN_H
#define FUZZ_RING_RUN_H

#include <stdint.h>

#include "fuzz/input.h"
#include "queue/ring.h"

#define MAX_RING 64

/*
 * Makes a ring of the size, features, base, byte order and in-flight records that are in `wanted`, whose device keeps up to `keep` requests.  From the input:
 * how much memory follows (in units of 32 bytes, less one); then that, from 0 on.  When it has been served, the rest are steps: an offset and bytes for it,
 * and another turn.  With records, the upper half of the offsets is in their area, and now and then the ring dies with what it has, and another one starts
 * from them.
 *
 * It is wrong if a part of a request lies outside the regions, if the sums disagree, if a request comes twice, or if a turn hands out more than the ring has.
 * Returns what ring_new did.
 */
int ring_run (struct input *, const struct ring_setup *wanted, unsigned keep);

/* The features that the low bits of a byte stand for, VERSION_1 and `more` beside them. */
uint64_t ring_run_features (uint8_t bits, uint64_t more);

#endif
