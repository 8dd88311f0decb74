/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Access to memory that another processor writes at the same time: each access is one load or store, in the ring's byte order (little-endian), with the
 * ordering that its name says.
 */
#ifndef UTIL_BARRIER_H
#define UTIL_BARRIER_H

#include <endian.h>
#include <stdint.h>

static inline uint16_t
load_le16 (const uint16_t *p)
{
	return le16toh (__atomic_load_n (p, __ATOMIC_RELAXED));
}

/* Nothing after this load is done before it. */
static inline uint16_t
load_le16_acquire (const uint16_t *p)
{
	return le16toh (__atomic_load_n (p, __ATOMIC_ACQUIRE));
}

static inline void
store_le16 (uint16_t *p, uint16_t v)
{
	__atomic_store_n (p, htole16 (v), __ATOMIC_RELAXED);
}

/* Everything before this store is seen before it. */
static inline void
store_le16_release (uint16_t *p, uint16_t v)
{
	__atomic_store_n (p, htole16 (v), __ATOMIC_RELEASE);
}

/* Orders earlier stores before later loads: the one order that acquire and release do not give. */
static inline void
full_barrier (void)
{
	__atomic_thread_fence (__ATOMIC_SEQ_CST);
}

#endif
