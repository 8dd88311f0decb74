/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A descriptor as it is in guest memory, in the ring's own table and in indirect ones (virtio 1.2, 2.7.5 and 2.7.5.3).  All fields are little-endian and the
 * driver's: each is read exactly once.
 */
#ifndef QUEUE_DESC_H
#define QUEUE_DESC_H

#include <endian.h>
#include <stdint.h>

struct desc {
	uint64_t addr;
	uint64_t rest;	/* len, flags and next in one: bits 0-31, 32-47, 48-63 */
};

_Static_assert (sizeof (struct desc) == 16, "a descriptor has 16 bytes");

#define DESC_F_NEXT 0x1u	/* VIRTQ_DESC_F_NEXT */
#define DESC_F_WRITE 0x2u	/* VIRTQ_DESC_F_WRITE */
#define DESC_F_INDIRECT 0x4u	/* VIRTQ_DESC_F_INDIRECT */

/* The largest indirect table: `next` has 16 bits. */
#define MAX_TABLE_BYTES (65536u * 16)

static inline uint64_t
desc_load (const uint64_t *field)
{
	return le64toh (__atomic_load_n (field, __ATOMIC_RELAXED));
}

/* Of `rest`. */
static inline uint32_t
desc_len (uint64_t rest)
{
	return (uint32_t) rest;
}

/* The flags in the low half; above them is `next`, so one shift of the loaded word serves both. */
static inline uint32_t
desc_flags_next (uint64_t rest)
{
	return (uint32_t) (rest >> 32);
}

static inline unsigned
desc_next (uint32_t flags_next)
{
	return flags_next >> 16;
}

#endif
