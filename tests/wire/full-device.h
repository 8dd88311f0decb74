/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device of the back-end's tests with every callback that there is, which notes down what it was called with.
 */
#ifndef TESTS_WIRE_FULL_DEVICE_H
#define TESTS_WIRE_FULL_DEVICE_H

#include "backend-device.h"

struct full_device {
	struct test_device base;	/* first: it is the opaque pointer of both */

	int answer;			/* of every callback that can refuse */

	/* what it was called with last */
	uint8_t mac[6];
	unsigned mtu;
};

void full_device_init (struct full_device *);

#endif
