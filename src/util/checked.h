/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arithmetic on numbers that a peer sent: it says when it wraps.
 */
#ifndef UTIL_CHECKED_H
#define UTIL_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

#define likely(x) __builtin_expect (!!(x), 1)
#define unlikely(x) __builtin_expect (!!(x), 0)

/* Sets *sum; false when it wraps. */
static inline bool
checked_add (uint64_t a, uint64_t b, uint64_t *sum)
{
	return !__builtin_add_overflow (a, b, sum);
}

static inline bool
checked_mul (uint64_t a, uint64_t b, uint64_t *product)
{
	return !__builtin_mul_overflow (a, b, product);
}

/* Is [start, start + size) inside [base, base + limit)?  Nothing here can wrap. */
static inline bool
range_inside (uint64_t start, uint64_t size, uint64_t base, uint64_t limit)
{
	return start >= base && start - base <= limit && size <= limit - (start - base);
}

/* Do two ranges share a byte?  Neither may wrap. */
static inline bool
ranges_overlap (uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static inline bool
is_power_of_two (uint64_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

#endif
