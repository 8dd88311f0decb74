/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The size of a console, in the configuration space: a fixed one, or that of the terminal where it is looked at.  Control thread, but for size_announce.
 */
#ifndef CONSOLE_SIZE_H
#define CONSOLE_SIZE_H

#include <linux/virtio_console.h>

#include "devices/console/host.h"

struct size {
	struct virtio_console_config config;	/* little-endian */
	bool known;			/* it has a size; unchanged from size_init on */
	const struct host *host;	/* its size is ours; NULL: it stays as it is */
	struct vh_timer *timer;
	void (*changed) (void *opaque);
	void *opaque;
	struct vh_loop *loop;		/* of the control thread */
	struct vh_mail mail;
	bool posted;			/* the mail is */
};

/* cols 0: the terminal's behind host, if it is one.  A struct of zeroes has no size. */
void size_init (struct size *, const struct host *, unsigned cols, unsigned rows);
bool size_is_known (const struct size *);

/* Looks at the terminal now and then.  0 or a negative errno. */
int size_attach (struct size *, struct vh_loop *, void (*changed) (void *opaque), void *opaque);
void size_detach (struct size *);

/* Has `changed` called though nothing did: Linux does not look at the size before it is told of a change.  Any one thread. */
void size_announce (struct size *);

#endif
