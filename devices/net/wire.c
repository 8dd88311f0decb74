/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Wires and their references.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "devices/net/wire.h"

static void
wire_free (struct wire *w)
{
	for (unsigned i = 0; i < WIRE_FDS; i++)
		if (w->fd[i] >= 0)
			close (w->fd[i]);
	free (w);
}

int
wire_new (int fd, struct wire **ret)
{
	struct wire *w = calloc (1, sizeof (*w));
	int err = 0;

	if (!w) {
		close (fd);
		return -ENOMEM;
	}
	w->refs = 1;
	w->fd[0] = fd;
	for (unsigned i = 1; i < WIRE_FDS; i++) {
		w->fd[i] = fcntl (fd, F_DUPFD_CLOEXEC, 0);
		if (w->fd[i] < 0)
			err = -errno;
	}
	if (err == 0 && (fcntl (fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl (fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0))
		err = -errno;
	if (err < 0) {
		wire_free (w);
		return err;
	}
	*ret = w;
	return 0;
}

struct wire *
wire_ref (struct wire *w)
{
	if (w)
		__atomic_add_fetch (&w->refs, 1, __ATOMIC_RELAXED);
	return w;
}

void
wire_unref (struct wire *w)
{
	if (w && __atomic_sub_fetch (&w->refs, 1, __ATOMIC_ACQ_REL) == 0)
		wire_free (w);
}
