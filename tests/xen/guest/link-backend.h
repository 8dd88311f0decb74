/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A back-end in a process of its own, to be killed: what the tests of a link connect to.  Its device adds one to numbers, in order, and has eight bytes of
 * configuration.
 */
#ifndef TESTS_LINK_BACKEND_H
#define TESTS_LINK_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

/* A request for this number makes the device change its configuration by itself. */
#define LINK_BACKEND_CHANGE 1000u

/* A request for this number is taken and not answered, by a back-end that holds them. */
#define LINK_BACKEND_HOLD 2000u

struct link_backend_options {
	bool deaf;		/* it takes no requests */
	bool holds;
	bool records;		/* it notes down which requests it has taken (INFLIGHT_SHMFD) */
	uint64_t features;	/* offered, beside those of rings */
};

/* The program's main for the process: when argv says so, serves and does not return. */
void link_backend_main (int argc, char **argv);

/* Starts it on a socket.  Its process id; -1 on failure. */
int link_backend_start (const char *socket, const struct link_backend_options *);

/* Kills it at once, and waits for its end. */
void link_backend_kill (int pid);

#endif
