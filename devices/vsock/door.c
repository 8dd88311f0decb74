/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The socket at PATH; see door.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/un.h>

#include "devices/vsock/connection.h"
#include "devices/vsock/door.h"

/* Programs that are let in before others have their turn. */
#define PER_TURN 16

/* "_4294967295", and the zero at the end */
#define SUFFIX_BYTES 12

#define BACKLOG 128

int
door_open (struct mux *m)
{
	struct vh_listener_options options = { .size = sizeof (options), .mode = m->options.socket_mode, .backlog = BACKLOG };

	if (strlen (m->options.path) + SUFFIX_BYTES > sizeof (((struct sockaddr_un *) 0)->sun_path))
		return -ENAMETOOLONG;
	return vh_listener_new (m->options.path, &options, &m->listener);
}

static bool
has_room (const struct mux *m)
{
	return m->n_connections < m->options.max_connections && !mux_is_full (m);
}

void
mux_update_door (struct mux *m)
{
	if (!m->door || m->door_open == has_room (m))
		return;
	m->door_open = !m->door_open;
	vh_source_events (m->door, m->door_open ? EPOLLIN : 0);
}

static void
somebody_knocks (void *opaque, uint32_t events)
{
	struct mux *m = opaque;

	for (unsigned i = 0; i < PER_TURN && has_room (m); i++) {
		int fd = vh_listener_accept (m->listener);

		if (fd < 0)
			return;
		connection_from_host (m, fd);
	}
}

int
door_attach (struct mux *m, struct vh_loop *loop)
{
	int err = vh_loop_add_fd (loop, vh_listener_fd (m->listener), EPOLLIN, somebody_knocks, m, &m->door);

	if (err < 0)
		return err;
	m->door_open = true;
	mux_update_door (m);
	return 0;
}

void
door_detach (struct mux *m)
{
	vh_source_remove (m->door);
	m->door = NULL;
}
