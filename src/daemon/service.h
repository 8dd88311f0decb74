/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A service: one device of a daemon behind its socket, and the connection of the front-end that is here now.
 */
#ifndef DAEMON_SERVICE_H
#define DAEMON_SERVICE_H

#include <stdbool.h>

#include <vhost/daemon.h>
#include <vhost/socket.h>

#include "util/error.h"

struct service {
	struct service *next;
	struct vh_daemon *daemon;
	const struct vh_device *device;
	struct vh_loop **ring_loops;	/* of ring i modulo their number */
	unsigned n_ring_loops;
	struct vh_listener *listener;	/* one of three: a listener, ... */
	struct vh_source *source;
	char *connect_path;		/* ... a path to connect to, again and again, ... */
	struct vh_timer *retry;
	int retry_ms;			/* the pause before the next attempt; 0: none yet */
	int fd;				/* ... or a connected socket, until it is used */
	struct vh_backend *backend;	/* NULL: no front-end is here */
	bool over;			/* nothing will come any more */
};

/* Makes a service of an endpoint; `loops` are the workers'. */
int service_new (struct vh_daemon *, const struct vh_device *, const struct vh_endpoint *, struct vh_loop *const *loops, unsigned n_loops,
		 struct service **ret);

/* Frees it.  No front-end may be here. */
void service_free (struct service *);

/* Begins to serve. */
void service_start (struct service *);

/* Stops: no new front-end; the one that is here is let go (service->backend is NULL when it has gone). */
void service_stop (struct service *);

/* --- what a service needs of its daemon, in daemon.c --- */

struct vh_loop *daemon_loop (struct vh_daemon *);
struct error *daemon_error (struct vh_daemon *);

/* A front-end has gone, or will never come. */
void daemon_service_idle (struct vh_daemon *);

#endif
