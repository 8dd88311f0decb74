/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A back-end in the middle of a fuzz target, whose front-end is the target.
 */
#ifndef FUZZ_BACK_END_H
#define FUZZ_BACK_END_H

#include <stdbool.h>

#include <vhost/backend.h>

struct back_end {
	int socket;	/* the front-end's; the target's to close */
	struct vh_loop *loop;
	struct vh_backend *backend;
	bool ended;	/* the connection has, and the front-end may still be there */
};

void back_end_open (struct back_end *, const struct vh_device *);

/* True: it came to rest in that many turns of its loop. */
bool back_end_rests (struct back_end *, unsigned turns);

void back_end_free (struct back_end *);

#endif
