/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TAP devices, and somebody at their other end.
 */
#ifndef TESTS_VM_KERNEL_TAP_H
#define TESTS_VM_KERNEL_TAP_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Makes a TAP of this name, with headers of 12 bytes, and sets it up.  Its fd; a failure ends the test. */
int tap_open (const char *name);

/* A packet socket on an interface, for our own EtherType. */
int tap_socket (const char *name);

/* Sends back whatever comes on an interface, in a thread. */
struct tap_echo {
	int fd;
	int stop;	/* atomic */
	pthread_t thread;
	unsigned frames;
};

void tap_echo_start (struct tap_echo *, const char *name);
void tap_echo_stop (struct tap_echo *);

#endif
