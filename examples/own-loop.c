/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A back-end in an event loop of the program's own: own-loop SOCKET.  Everything runs in one thread around poll(2): the listener, the one front-end that
 * is served at a time, its rings, and signals, which stand here for whatever else the program watches.  The device is that of random.c.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <vhost/vhost.h>

static void
process (void *device, struct vh_ring *ring)
{
	struct vh_request *r;
	char bytes[256];

	while (vh_ring_take (ring, &r, 1) > 0)
		vh_ring_give (ring, r, getentropy (bytes, sizeof (bytes)) < 0 ? 0 :
			      vh_parts_write (r->in, r->n_in, 0, bytes, sizeof (bytes)));
	vh_ring_flush (ring);
}

static const struct vh_device_ops ops = { .size = sizeof (ops), .ring_process = process };

static void
print_line (void *opaque, enum vh_log_level level, const char *line)
{
	fprintf (stderr, "own-loop: %s\n", line);
}

/* Begins to serve the front-end that waits.  NULL: it had gone again. */
static struct vh_backend *
front_end_came (struct vh_listener *listener, const struct vh_device *device)
{
	struct vh_backend_options options = { .size = sizeof (options), .log = { .fn = print_line, .level = VH_LOG_WARNING } };
	struct vh_backend *backend = NULL;
	int fd = vh_listener_accept (listener);

	if (fd >= 0 && vh_backend_new (device, fd, &options, &backend) < 0)
		close (fd);
	return backend;
}

/* Does what is due on its connection and its rings.  NULL: the connection has ended. */
static struct vh_backend *
front_end_spoke (struct vh_backend *backend)
{
	if (vh_backend_dispatch (backend, 0) > 0)
		return backend;
	vh_backend_free (backend);
	return NULL;
}

static void
serve (struct vh_listener *listener, const struct vh_device *device, int signals)
{
	struct vh_backend *backend = NULL;
	struct pollfd watch[3] = { { .fd = signals, .events = POLLIN }, { .events = POLLIN }, { .events = POLLIN } };

	do {
		/* While one is here, the next one waits in the listener's backlog. */
		watch[1].fd = backend ? -1 : vh_listener_fd (listener);
		watch[2].fd = backend ? vh_backend_fd (backend) : -1;
		if (poll (watch, 3, -1) < 0)
			break;
		if (watch[1].revents)
			backend = front_end_came (listener, device);
		if (watch[2].revents)
			backend = front_end_spoke (backend);
	} while (!watch[0].revents);
	vh_backend_free (backend);
}

int
main (int argc, char **argv)
{
	const struct vh_device device = { .size = sizeof (device), .ops = &ops, .rings = 1, .features = vh_backend_supported_ring_features () };
	struct vh_listener *listener;
	sigset_t ends;
	int err = argc == 2 ? vh_listener_new (argv[1], NULL, &listener) : -1;

	if (err < 0)
		return fprintf (stderr, "own-loop: %s\n", argc == 2 ? vh_strerror (err) : "usage: own-loop SOCKET"), 2;
	sigemptyset (&ends);
	sigaddset (&ends, SIGINT);
	sigaddset (&ends, SIGTERM);
	sigprocmask (SIG_BLOCK, &ends, NULL);
	vh_memory_guard ();
	serve (listener, &device, signalfd (-1, &ends, SFD_CLOEXEC));
	vh_listener_free (listener);
	return 0;
}
