/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device of fuzz-messages: it can do everything, echoes requests or keeps them, and looks at what it is told: it is wrong if that cannot be, or if a ring
 * is left when the connection is gone.
 */
#ifndef FUZZ_MESSAGES_DEVICE_H
#define FUZZ_MESSAGES_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <vhost/backend.h>

#define MOST_HELD 64

/* What its callbacks get. */
struct device {
	int object;		/* what it shares; borrowed */
	bool hold;		/* it keeps the requests that it takes from here on */
	struct vh_request *held[MOST_HELD];
	struct vh_ring *held_of[MOST_HELD];
	unsigned n_held, starts, stops, arrivals, departures;
	uint8_t config[24];
};

extern const struct vh_device_ops device_ops;

/* Gives back so many requests at the most, of this ring; NULL: of any. */
void device_release (struct device *, struct vh_ring *ring, unsigned most);

#endif
