/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One device behind its socket: front-ends come one after the other.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/service.h"
#include "util/fd.h"

/* Pauses between attempts to connect, in ms. */
#define RETRY_FIRST 100
#define RETRY_MOST 5000

static void
service_closed (void *opaque, struct vh_backend *b)
{
	struct service *s = opaque;

	if (vh_backend_error (b)[0])
		error_log (daemon_error (s->daemon), VH_LOG_WARNING, "connection lost: %s", vh_backend_error (b));
	vh_backend_free (b);
	s->backend = NULL;
	if (!s->over)
		service_start (s);
	daemon_service_idle (s->daemon);
}

/* Serves the front-end behind fd, which becomes the connection's. */
static int
service_serve (struct service *s, int fd)
{
	struct vh_backend_options o = {
		.size = sizeof (o), .log = daemon_error (s->daemon)->log, .loop = daemon_loop (s->daemon), .ring_loops = s->ring_loops,
		.n_ring_loops = s->n_ring_loops, .closed = service_closed, .opaque = s,
	};
	int err = vh_backend_new (s->device, fd, &o, &s->backend);

	if (err < 0) {
		error_set (daemon_error (s->daemon), err, "cannot serve a front-end");
		close (fd);
	}
	return err;
}

/* --- listening --- */

static void
service_knock (void *opaque, uint32_t events)
{
	struct service *s = opaque;
	int fd = vh_listener_accept (s->listener);

	if (fd < 0) {
		if (fd != -EAGAIN)
			error_set (daemon_error (s->daemon), fd, "cannot accept");
		return;
	}
	if (service_serve (s, fd) < 0)
		return;
	/* Others wait in the backlog until this one has gone. */
	vh_source_remove (s->source);
	s->source = NULL;
}

static void
service_listen (struct service *s)
{
	int err = vh_loop_add_fd (daemon_loop (s->daemon), vh_listener_fd (s->listener), EPOLLIN, service_knock, s, &s->source);

	if (err < 0)
		error_set (daemon_error (s->daemon), err, "cannot watch a listening socket");
}

/* --- connecting --- */

static void
service_connect (void *opaque)
{
	struct service *s = opaque;
	int fd = vh_connect (s->connect_path, 0);

	if (fd >= 0 && service_serve (s, fd) == 0) {
		/* A front-end that leaves at once is not run after at full speed. */
		s->retry_ms = RETRY_FIRST;
		return;
	}
	s->retry_ms = s->retry_ms == 0 ? RETRY_FIRST : s->retry_ms * 2 < RETRY_MOST ? s->retry_ms * 2 : RETRY_MOST;
	vh_timer_set (s->retry, s->retry_ms);
}

/* --- the service --- */

void
service_start (struct service *s)
{
	int fd = s->fd;

	if (s->listener)
		service_listen (s);
	else if (s->connect_path)
		vh_timer_set (s->retry, s->retry_ms);
	else if (fd >= 0) {
		s->fd = -1;
		s->over = service_serve (s, fd) < 0;
	} else
		s->over = true;
}

void
service_stop (struct service *s)
{
	s->over = true;
	vh_source_remove (s->source);
	s->source = NULL;
	if (s->retry)
		vh_timer_set (s->retry, -1);
	if (s->backend)
		vh_backend_close (s->backend);
}

void
service_free (struct service *s)
{
	if (!s)
		return;
	vh_source_remove (s->source);
	vh_timer_remove (s->retry);
	vh_listener_free (s->listener);
	fd_close (&s->fd);
	free (s->connect_path);
	free (s->ring_loops);
	free (s);
}

static bool
is_listening (int fd)
{
	int listening = 0;
	socklen_t size = sizeof (listening);

	return getsockopt (fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening;
}

static int
service_open (struct service *s, const struct vh_endpoint *e)
{
	struct vh_listener_options o = { .size = sizeof (o), .mode = e->mode };

	if (!e->socket_path) {
		if (is_listening (e->fd))
			return vh_listener_new_fd (e->fd, &s->listener);
		if (!fd_is_stream (e->fd))
			return -ENOTSOCK;
		s->fd = e->fd;
		return 0;
	}
	if (!e->client)
		return vh_listener_new (e->socket_path, &o, &s->listener);
	s->connect_path = strdup (e->socket_path);
	return s->connect_path ? vh_loop_add_timer (daemon_loop (s->daemon), service_connect, s, &s->retry) : -ENOMEM;
}

static int
service_map_rings (struct service *s, const struct vh_endpoint *e, struct vh_loop *const *loops, unsigned n_loops)
{
	s->n_ring_loops = e->n_ring_workers ? e->n_ring_workers : n_loops;
	s->ring_loops = calloc (s->n_ring_loops, sizeof (s->ring_loops[0]));
	if (!s->ring_loops)
		return -ENOMEM;
	for (unsigned i = 0; i < s->n_ring_loops; i++) {
		unsigned worker = e->n_ring_workers ? e->ring_workers[i] : i;

		if (worker >= n_loops)
			return -EINVAL;
		s->ring_loops[i] = loops[worker];
	}
	return 0;
}

int
service_new (struct vh_daemon *d, const struct vh_device *device, const struct vh_endpoint *endpoint, struct vh_loop *const *loops, unsigned n_loops,
	     struct service **ret)
{
	struct service *s = calloc (1, sizeof (*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->daemon = d;
	s->device = device;
	s->fd = -1;
	err = service_map_rings (s, endpoint, loops, n_loops);
	if (err == 0)
		err = service_open (s, endpoint);
	if (err < 0) {
		service_free (s);
		return err;
	}
	*ret = s;
	return 0;
}
