/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The signals of a program, in its control loop.
 */
#ifndef COMMON_SIGNALS_H
#define COMMON_SIGNALS_H

#include <vhost/loop.h>

struct signals {
	int fd;
	struct vh_source *source;
	void (*came) (void *opaque, unsigned number);
	void *opaque;
};

/* Blocks SIGTERM, SIGINT, SIGHUP and SIGUSR1, which are read from a descriptor; before any thread starts.  Others that would end the program are ignored. */
void signals_block (struct signals *);

/* Has `came` called for each of them from now on.  0 or a negative errno. */
int signals_watch (struct signals *, struct vh_loop *, void (*came) (void *opaque, unsigned number), void *opaque);

/* Before the loop goes.  Of signals that are not watched, too. */
void signals_end (struct signals *);

#endif
