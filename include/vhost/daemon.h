/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A ready-made back-end process: one control loop in the caller's thread, worker threads for rings, any number of devices, each behind its own socket.
 * A front-end that goes away leaves nothing behind, and the next one is served.
 */
#ifndef VHOST_DAEMON_H
#define VHOST_DAEMON_H

#include <stddef.h>

#include <vhost/backend.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct vh_daemon;

struct vh_daemon_options {
	size_t size;		/* sizeof (struct vh_daemon_options) */
	struct vh_log log;
	unsigned workers;	/* threads for rings; 0: one.  Up to 256 */
	/*
	 * Where worker i runs: cpu_lists[i] is a list such as "0-3,8", NULL for anywhere.  cpu_lists NULL: anywhere.  Copied.
	 */
	const char *const *cpu_lists;
	unsigned poll_us;	/* how long a worker looks for requests before it sleeps, see vh_loop_set_poll; 0: not at all */
};

/* options may be NULL.  0 and *ret; -EINVAL for a CPU list that cannot be read; -ENOMEM, -EMFILE, -EAGAIN.  Installs vh_memory_guard. */
int vh_daemon_new (const struct vh_daemon_options *options, struct vh_daemon **ret);

/* How a device is reached. */
struct vh_endpoint {
	size_t size;			/* sizeof (struct vh_endpoint) */
	const char *socket_path;	/* listen here, or connect there; NULL: fd */
	int fd;				/* with socket_path NULL: a socket that listens or is connected; the daemon's on success */
	int client;			/* 1: connect to socket_path, again and again when the front-end goes away; 0: listen */
	int mode;			/* permissions of the socket's file; 0: as the umask leaves them */
	/*
	 * Which worker runs ring i: ring_workers[i % n_ring_workers].  n_ring_workers 0: ring i goes to worker i modulo the number of workers.  Copied.
	 */
	const unsigned *ring_workers;
	unsigned n_ring_workers;
};

/*
 * Adds a device behind a socket.  device is borrowed until vh_daemon_free.  One front-end at a time is served; while it is here, others wait in the
 * listener's backlog.  0; -EINVAL: a field of device or endpoint is wrong; or why the socket could not be had (see vh_listener_new).  The daemon's thread only.
 */
int vh_daemon_add (struct vh_daemon *, const struct vh_device *device, const struct vh_endpoint *endpoint);

/*
 * Serves until vh_daemon_stop, or until a device on a connected fd has no front-end any more and no other device is left.  Then all rings are
 * drained and stopped.  0 or a negative errno.
 */
int vh_daemon_run (struct vh_daemon *);

/* Makes vh_daemon_run return.  Any thread; async-signal-safe. */
void vh_daemon_stop (struct vh_daemon *);

/* The control loop, for fds and timers of the program's own (signalfd, ...). */
struct vh_loop *vh_daemon_loop (struct vh_daemon *);

/* Stops the worker threads and frees everything.  Not while vh_daemon_run runs.  NULL is fine. */
void vh_daemon_free (struct vh_daemon *);

/* Words for the last error of vh_daemon_new's successors on this object; "" when there was none. */
const char *vh_daemon_error (const struct vh_daemon *);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
