/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is woken when: event indexes, and the call to the driver.
 */
#ifndef QUEUE_NOTIFY_H
#define QUEUE_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct vh_ring;

/*
 * Event indexes (virtio 1.2, 2.7.7.2): the other side asked to be told when position `event` is passed.  Is it, by a step from `before` to `now`?
 * Positions are modulo 2^16, and a step is less than that.
 */
static inline bool
event_passed (uint16_t event, uint16_t now, uint16_t before)
{
	return (uint16_t) (now - event - 1) < (uint16_t) (now - before);
}

/* Calls the driver, if there is anything to call it by. */
void notify_call (struct vh_ring *);

/* Tells the ring's owner when nothing is in flight or no old table is held; only for rings with `watched` set. */
void notify_idle (struct vh_ring *);

#endif
