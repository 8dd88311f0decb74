/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the rings of fuzz targets call.  They have an int for their opaque pointer: 0, or the error for which they broke, which they may once.
 */
#ifndef FUZZ_RING_CALLS_H
#define FUZZ_RING_CALLS_H

void ring_call_broken (void *broken, int err, const char *why);

/* Wake, idle: the target sees for itself. */
void ring_call_nothing (void *broken);

#endif
