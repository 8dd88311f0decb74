/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Latencies, counted in buckets whose width grows with the value: a percentile is at most 1/64 too high.
 */
#ifndef TOOLS_HISTOGRAM_H
#define TOOLS_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEPS_LOG2 6
#define HISTOGRAM_STEPS (1u << HISTOGRAM_STEPS_LOG2)	/* buckets for each power of two */
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_STEPS_LOG2 + 1) * HISTOGRAM_STEPS)

struct histogram {
	uint64_t count, sum;
	uint64_t min, max;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* An empty one is all zeroes. */
void histogram_add (struct histogram *, uint64_t value);
void histogram_merge (struct histogram *, const struct histogram *more);

/* The value that `part` (0..1) of all values do not exceed; 0 when there are none. */
uint64_t histogram_percentile (const struct histogram *, double part);

#endif
