/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Buckets: below HISTOGRAM_STEPS one for each value; then HISTOGRAM_STEPS for each power of two.
 */
#include "histogram.h"

static unsigned
bucket_of (uint64_t value)
{
	unsigned exponent;

	if (value < HISTOGRAM_STEPS)
		return value;
	exponent = 63 - __builtin_clzll (value) - HISTOGRAM_STEPS_LOG2;
	return (exponent + 1) * HISTOGRAM_STEPS + (value >> exponent) - HISTOGRAM_STEPS;
}

/* The largest value of a bucket. */
static uint64_t
bucket_end (unsigned bucket)
{
	unsigned exponent;

	if (bucket < HISTOGRAM_STEPS)
		return bucket;
	exponent = bucket / HISTOGRAM_STEPS - 1;
	return (((uint64_t) bucket % HISTOGRAM_STEPS + HISTOGRAM_STEPS + 1) << exponent) - 1;
}

void
histogram_add (struct histogram *h, uint64_t value)
{
	if (h->count == 0 || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->count++;
	h->sum += value;
	h->buckets[bucket_of (value)]++;
}

void
histogram_merge (struct histogram *h, const struct histogram *more)
{
	if (more->count == 0)
		return;
	if (h->count == 0 || more->min < h->min)
		h->min = more->min;
	if (more->max > h->max)
		h->max = more->max;
	h->count += more->count;
	h->sum += more->sum;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		h->buckets[i] += more->buckets[i];
}

uint64_t
histogram_percentile (const struct histogram *h, double part)
{
	double exact = part * (double) h->count;
	uint64_t wanted = exact, seen = 0;

	if ((double) wanted < exact)
		wanted++;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen > 0 && seen >= wanted)
			return bucket_end (i) < h->max ? bucket_end (i) : h->max;
	}
	return 0;
}
