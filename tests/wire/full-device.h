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
	uint8_t status;
	struct vh_crypto_session session;
	int64_t closed_session;
	int gpu_socket;			/* its own; -1: none */
	uint8_t uuid[VH_UUID_SIZE];

	/* what it has */
	int status_answer;		/* what set_status returns; -1: what it was told */
	int64_t session_id;
	int object;			/* get_object's answer: an fd or a negative errno */
	uint64_t shmem_size;		/* of region 3 */

	/* its state, and the one that is being loaded */
	uint8_t state[300000], loading[300000];
	size_t state_size, loaded;
	unsigned loads;			/* that ended well */
	unsigned save_calls;
};

/* Everything offered, with refusals as they are not asked for. */
void full_device_init (struct full_device *);

/* Closes what it was given. */
void full_device_close (struct full_device *);

#endif
