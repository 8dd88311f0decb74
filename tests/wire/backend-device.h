/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device of the back-end's tests.  A request's answer is its own readable bytes with every bit turned over, in the writable parts but for the last
 * byte, which says how it went: 0, or 1 when a part was outside memory.  Requests can be held back to be in flight for as long as a test wants.
 */
#ifndef TESTS_WIRE_BACKEND_DEVICE_H
#define TESTS_WIRE_BACKEND_DEVICE_H

#include <stdbool.h>

#include <vhost/backend.h>

/* A feature bit that belongs to no device type, and one that the device refuses. */
#define DEVICE_FEATURE 1
#define DEVICE_BAD_FEATURE 2

#define DEVICE_RINGS 4
#define DEVICE_RING_SIZE 256	/* the largest that it takes */
#define DEVICE_CONFIG_SIZE 64
#define DEVICE_WRITABLE 8	/* the only byte of the configuration that a guest may write */

#define DEVICE_MAX_HELD 256

struct test_device {
	struct vh_device device;	/* what the library is told */
	struct vh_device_ops ops;
	uint8_t config[DEVICE_CONFIG_SIZE];

	/* what it is to do */
	bool hold;		/* keep requests until test_device_release */
	bool drain;		/* ... or until their ring is to stop */
	bool stubborn;		/* process nothing: requests stay in the ring */
	int refuse_start;	/* ring_start's answer */

	struct vh_request *held[DEVICE_MAX_HELD];
	struct vh_ring *held_of[DEVICE_MAX_HELD];
	unsigned n_held;

	/* what it met; atomic, because rings may have threads of their own */
	unsigned served, failed, broken;
	unsigned starts, stops, drains, aborts, resets, arrivals, departures, config_writes, feature_sets;
	uint64_t features;	/* of the last set_features */
	uint32_t config_flags;	/* of the last set_config */
	struct vh_backend *backend;	/* of the connection that is here */
};

void test_device_init (struct test_device *);

/* Serves up to n of the held requests, oldest first; returns how many. */
unsigned test_device_release (struct test_device *, unsigned n);

static inline unsigned
test_device_count (const unsigned *counter)
{
	return __atomic_load_n (counter, __ATOMIC_ACQUIRE);
}

#endif
