/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A driver's queue and the memory that it is in, for a test that plays the device: what is the same for split rings and packed ones.
 */
#ifndef TESTS_UNIT_QUEUE_RIG_H
#define TESTS_UNIT_QUEUE_RIG_H

#include "tests/suite.h"
#include "tools/queue.h"

extern struct guest guest;
extern struct queue *queue;

/* Makes the memory of so many regions, and the queue; *areas is where the ring is, as pointers of this process. */
void rig_open (const struct queue_options *, unsigned regions, struct vh_vring_addr *areas);

/* Frees both; no fd may be left. */
void rig_close (void);

/* Adds a chain of n buffers, the first of which the device reads: number i has 16 + i bytes at GUEST_BASE + 0x100 * i.  Returns what queue_add does. */
int add (unsigned n, void *token);

/* How often the queue kicked since the last time. */
uint64_t kicks (void);

#endif
