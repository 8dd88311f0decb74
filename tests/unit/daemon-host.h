/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A daemon that runs in a thread of its own while a test plays its front-ends.
 */
#ifndef TESTS_UNIT_DAEMON_HOST_H
#define TESTS_UNIT_DAEMON_HOST_H

#include <pthread.h>

#include <vhost/daemon.h>

#include "tests/wire/backend-rig.h"

struct host {
	struct vh_daemon *daemon;
	pthread_t thread;
	int result;		/* of vh_daemon_run */
	bool ended;		/* atomic */
	char folder[64];	/* for sockets */
	int fds_before;
};

/* A daemon that does not run yet. */
void host_open (struct host *, unsigned workers);

/* The path of the socket of this name in the host's folder; valid until the next call. */
const char *host_path (const struct host *, const char *name);

/* Adds a device behind a listening socket of this name; false if it could not be added. */
bool host_listen (struct host *, const struct test_device *, const char *name);

void host_run (struct host *);

/* Waits until vh_daemon_run has returned; false if it does not. */
bool host_wait (struct host *);

/* Stops the daemon if it runs, frees it; all fds must be gone. */
void host_close (struct host *);

/* A front-end that connects to the socket of this name. */
void host_connect (struct host *, struct rig *, const char *name);

/* An fd that listens at this name. */
int host_socket (struct host *, const char *name);

/* Waits until a counter is `n`, for some seconds at most; is it? */
bool host_counted (const unsigned *counter, unsigned n);

#endif
