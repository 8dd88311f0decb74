/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A way for frames to the network: a TAP queue or a socket, which takes and gives one frame with its header at a time.  Several threads use it, and it ends
 * when the last of them has let it go.
 */
#ifndef NET_WIRE_H
#define NET_WIRE_H

/* The same thing under three descriptors: each loop watches one of its own, since two of them may be one loop. */
enum { WIRE_RECEIVE, WIRE_SEND, WIRE_WATCH, WIRE_FDS };

struct wire {
	unsigned refs;		/* atomic */
	int fd[WIRE_FDS];
};

/* Makes fd, which becomes the wire's even on failure, a wire.  0 and *ret, or a negative errno. */
int wire_new (int fd, struct wire **ret);

struct wire *wire_ref (struct wire *);	/* NULL is fine here and below */
void wire_unref (struct wire *);

#endif
