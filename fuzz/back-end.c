/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Making and running a back-end; see back-end.h.
 */
#include "fuzz/back-end.h"
#include "fuzz/far-end.h"
#include "fuzz/verdict.h"

static void
closed (void *opaque, struct vh_backend *b)
{
	struct back_end *e = opaque;

	e->ended = true;
}

void
back_end_open (struct back_end *e, const struct vh_device *device)
{
	struct vh_backend_options o = { .size = sizeof (o), .closed = closed, .opaque = e };
	int theirs;

	*e = (struct back_end){ .socket = far_end_new (&theirs) };
	must (vh_loop_new (&e->loop));
	o.loop = e->loop;
	must (vh_backend_new (device, theirs, &o, &e->backend));
}

bool
back_end_rests (struct back_end *e, unsigned turns)
{
	while (turns > 0 && must (vh_loop_dispatch (e->loop, 0)) > 0)
		turns--;
	return turns > 0;
}

void
back_end_free (struct back_end *e)
{
	vh_backend_free (e->backend);
	vh_loop_free (e->loop);
}
