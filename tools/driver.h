/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A driver without a guest: the front-end of a back-end, and the driver of its device, in one program.  For our tools, tests and measurements.
 *
 *	driver_open (path, ...)		connects and negotiates the protocol; the device can be looked at
 *	driver_start (...)		sets features, shares memory, starts the queues
 *	queue_add (d->queues[i], ...)	see queue.h; each queue may have its own thread
 *	driver_stop ()			stops the queues
 *	driver_close ()
 */
#ifndef TOOLS_DRIVER_H
#define TOOLS_DRIVER_H

#include <vhost/frontend.h>

#include "queue.h"

struct driver {
	struct vh_frontend *frontend;
	uint64_t features;		/* in force, from driver_start on */
	struct guest guest;
	struct queue *queues[VH_MAX_RINGS];
	unsigned n_queues;
	bool logged;
	char failed[200];		/* words for what failed last */
};

struct driver_connection {
	int connect_ms;			/* see vh_connect */
	unsigned timeout_ms;		/* for each answer; 0: the library's */
	uint64_t protocol_features;	/* see vh_frontend_handshake */
	struct vh_log log;
};

struct driver_options {
	uint64_t features;		/* wanted: in force are those of them that are offered */
	unsigned queues;
	unsigned queue_size;
	unsigned indirect;		/* longest chain in an indirect table, when VH_F_INDIRECT_DESC is in force */
	bool poll;			/* no notifications from the device */
	bool log;			/* the device keeps a dirty log, which nobody looks at */
	unsigned regions;		/* how many regions the memory has */
	size_t memory;			/* bytes for buffers, beside the queues */
	size_t largest_buffer;		/* of those that are to lie in one region */
};

/* All of these return 0 or a negative errno, with the words in d->failed. */
int driver_open (struct driver *d, const char *path, const struct driver_connection *);
int driver_start (struct driver *d, const struct driver_options *);
int driver_stop (struct driver *d);

/* Can the back-end keep a dirty log?  After driver_open. */
bool driver_can_log (const struct driver *d);

/* Ends the connection, if there is one, and frees everything.  Harmless after a failed driver_open, and twice. */
void driver_close (struct driver *d);

/* Keeps words for a failure: "<what>: <meaning>".  Returns err. */
int driver_fail (struct driver *d, int err, const char *format, ...) __attribute__ ((format (printf, 3, 4)));

/* Keeps words for what cannot be done with this device.  Returns -EINVAL. */
int driver_refuse (struct driver *d, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

#endif
