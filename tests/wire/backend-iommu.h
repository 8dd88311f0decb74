/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An IOMMU between the guest of the hostile cases and the device: the front-end tells translations, and is asked for them on a channel.
 *
 * I/O addresses are those that the tests' driver writes, GUEST_ADDR and behind; the guest's physical ones are elsewhere.
 */
#ifndef TESTS_WIRE_BACKEND_IOMMU_H
#define TESTS_WIRE_BACKEND_IOMMU_H

#include "backend-hostile.h"

#define ACCESS_PLATFORM (UINT64_C (1) << 33)
#define LOG_ALL (UINT64_C (1) << 26)
#define FEATURES (BIT_VERSION_1 | BIT30 | ACCESS_PLATFORM)
#define PAGE 4096u
#define PHYSICAL UINT64_C (0x180000000)

enum { MISS = 1, UPDATE = 2, INVALIDATE = 3, ACCESS_FAIL = 4 };
enum { RO = 1, WO = 2, RW = 3 };

/* A connection with features, channel and memory; with ring 0 as well, and so much of the guest told; and one where a request waits for its buffers' pages. */
void iommu_begin (void);
void iommu_begin_placed (uint64_t known);
void iommu_begin_waiting (void);

/* Closes the channel; gives another one. */
void iommu_end (void);
void iommu_give_channel (void);

/* Sets up and starts a ring at I/O addresses. */
void iommu_place_ring (unsigned index);

/* A message of these fields; and one that maps pages of the guest where the driver thinks that they are. */
enum outcome iommu_tell (unsigned type, uint64_t iova, uint64_t size, uint64_t user, unsigned perm);
enum outcome iommu_map (uint64_t offset, uint64_t size, unsigned perm);

/* The next miss on the channel, false when there is none; and its answer. */
bool iommu_next_miss (uint64_t *iova, unsigned *perm);
void iommu_answer (uint64_t result);

/* Answers misses by pages until there are none; returns how many there were. */
unsigned iommu_serve (void);

/* One request was given back, and it failed. */
void iommu_expect_failed (void);

#endif
