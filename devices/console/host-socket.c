/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Unix sockets: one that listens, for one program at a time; and one that connects, again and again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "devices/console/host.h"

static void
socket_begins (struct host *h, int fd)
{
	host_set_fds (h, fd, fd);
	host_connected (h);
}

static void
socket_gone (struct host *h)
{
	close (h->in);
	h->in = h->out = -1;
}

/* --- listening --- */

static int
listen_open (struct host *h, const char **what)
{
	h->writable = true;
	return vh_listener_new (h->argument, NULL, &h->listener);
}

static void
somebody_knocks (void *opaque, uint32_t events)
{
	struct host *h = opaque;
	int fd = vh_listener_accept (h->listener);

	if (fd < 0)
		return;
	fcntl (fd, F_SETFL, O_NONBLOCK);
	/* Others wait. */
	vh_source_events (h->listener_source, 0);
	socket_begins (h, fd);
}

static int
listen_attach (struct host *h)
{
	return vh_loop_add_fd (h->loop, vh_listener_fd (h->listener), h->connected ? 0 : EPOLLIN, somebody_knocks, h, &h->listener_source);
}

static void
listen_detach (struct host *h)
{
	vh_source_remove (h->listener_source);
	h->listener_source = NULL;
}

static void
listen_gone (struct host *h)
{
	socket_gone (h);
	if (h->listener_source)
		vh_source_events (h->listener_source, EPOLLIN);
}

static void
listen_close (struct host *h)
{
	vh_listener_free (h->listener);
}

const struct host_kind host_listen = {
	.name = "listen",
	.argument = HOST_NEEDS_ARGUMENT,
	.open = listen_open,
	.attach = listen_attach,
	.detach = listen_detach,
	.gone = listen_gone,
	.close = listen_close,
};

/* --- connecting --- */

static int
connect_open (struct host *h, const char **what)
{
	h->writable = true;
	return strlen (h->argument) < sizeof (((struct sockaddr_un *) 0)->sun_path) ? 0 : -ENAMETOOLONG;
}

static void
connect_look (struct host *h)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (h->connected)
		return;		/* deaf: what he wrote is still to be read */
	fd = socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	snprintf (addr.sun_path, sizeof (addr.sun_path), "%s", h->argument);
	/* Nobody listens, or has room: another time. */
	if (connect (fd, (struct sockaddr *) &addr, sizeof (addr)) < 0)
		close (fd);
	else
		socket_begins (h, fd);
}

const struct host_kind host_connect = {
	.name = "connect",
	.argument = HOST_NEEDS_ARGUMENT,
	.open = connect_open,
	.look = connect_look,
	.gone = socket_gone,
};
