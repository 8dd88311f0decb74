/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vhost-user network device that sends back what it is sent, in a thread of this process.
 */
#ifndef TESTS_VM_KERNEL_ECHO_BACKEND_H
#define TESTS_VM_KERNEL_ECHO_BACKEND_H

#include <pthread.h>

#include <vhost/backend.h>

struct echo_backend {
	struct vh_device device;
	struct vh_ring *rings[2];
	struct vh_backend *backend;
	pthread_t thread;
	uint8_t packet[2048];
	size_t pending;		/* bytes of a packet that waits for a receive buffer; 0: none waits */
};

/* Starts it.  Returns the front-end's end of its socket; a failure ends the test. */
int echo_backend_start (struct echo_backend *);

/* Waits until it has ended, which it does when the front-end's end is closed. */
void echo_backend_join (struct echo_backend *);

#endif
