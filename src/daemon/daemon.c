/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A back-end process: a control loop, workers, services.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backend/connection.h"
#include "daemon/service.h"
#include "daemon/worker.h"
#include "util/fd.h"

#define MAX_WORKERS 256

struct vh_daemon {
	struct error error;
	struct vh_loop *loop;
	int stop_fd;
	struct vh_source *stop_source;
	bool stopping;
	struct service *services;
	unsigned n_workers;
	struct worker *workers;
	struct vh_loop **loops;		/* the workers' */
};

struct vh_loop *
daemon_loop (struct vh_daemon *d)
{
	return d->loop;
}

struct error *
daemon_error (struct vh_daemon *d)
{
	return &d->error;
}

/* --- stopping --- */

static void
daemon_begin_stop (struct vh_daemon *d)
{
	d->stopping = true;
	for (struct service *s = d->services; s; s = s->next)
		service_stop (s);
}

static void
daemon_stop_asked (void *opaque, uint32_t events)
{
	struct vh_daemon *d = opaque;
	uint64_t count;

	if (read (d->stop_fd, &count, sizeof (count)) == sizeof (count))
		daemon_begin_stop (d);
}

void
daemon_service_idle (struct vh_daemon *d)
{
	for (struct service *s = d->services; s; s = s->next)
		if (!s->over)
			return;
	d->stopping = true;
}

void
vh_daemon_stop (struct vh_daemon *d)
{
	static const uint64_t one = 1;
	int saved = errno;	/* this may be a signal handler */

	if (write (d->stop_fd, &one, sizeof (one)) < 0)
		errno = saved;
}

static bool
daemon_has_frontends (const struct vh_daemon *d)
{
	for (const struct service *s = d->services; s; s = s->next)
		if (s->backend)
			return true;
	return false;
}

int
vh_daemon_run (struct vh_daemon *d)
{
	int err = 0;

	d->stopping = false;
	if (!d->services)
		return -EINVAL;
	for (struct service *s = d->services; s; s = s->next)
		if (!s->backend && !s->source)
			service_start (s);
	daemon_service_idle (d);
	while (err >= 0 && (!d->stopping || daemon_has_frontends (d)))
		err = vh_loop_dispatch (d->loop, -1);
	return err < 0 ? error_set (&d->error, err, "the control loop failed") : 0;
}

/* --- making --- */

static int
workers_start (struct vh_daemon *d, const struct vh_daemon_options *o)
{
	unsigned n = o->workers ? o->workers : 1;

	d->workers = calloc (n, sizeof (d->workers[0]));
	d->loops = calloc (n, sizeof (d->loops[0]));
	if (!d->workers || !d->loops)
		return -ENOMEM;
	for (; d->n_workers < n; d->n_workers++) {
		const char *list = o->cpu_lists ? o->cpu_lists[d->n_workers] : NULL;
		cpu_set_t cpus;
		int err = list ? cpu_list_parse (list, &cpus) : 0;

		if (err == 0)
			err = worker_start (&d->workers[d->n_workers], d->n_workers, list ? &cpus : NULL, o->poll_us);
		if (err < 0)
			return error_set (&d->error, err, "worker %u%s%s", d->n_workers, list ? " on CPUs " : "", list ? list : "");
		d->loops[d->n_workers] = d->workers[d->n_workers].loop;
	}
	return 0;
}

static int
daemon_open (struct vh_daemon *d, const struct vh_daemon_options *o)
{
	int err = vh_memory_guard ();

	if (err == 0)
		err = vh_loop_new (&d->loop);
	if (err < 0)
		return err;
	d->stop_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->stop_fd < 0)
		return -errno;
	err = vh_loop_add_fd (d->loop, d->stop_fd, EPOLLIN, daemon_stop_asked, d, &d->stop_source);
	return err < 0 ? err : workers_start (d, o);
}

int
vh_daemon_new (const struct vh_daemon_options *options, struct vh_daemon **ret)
{
	struct vh_daemon_options o = { .size = sizeof (o) };
	struct vh_daemon *d;
	int err;

	if (options)
		memcpy (&o, options, options->size < sizeof (o) ? options->size : sizeof (o));
	if (o.workers > MAX_WORKERS)
		return -EINVAL;
	d = calloc (1, sizeof (*d));
	if (!d)
		return -ENOMEM;
	error_init (&d->error, &o.log, "daemon");
	d->stop_fd = -1;
	err = daemon_open (d, &o);
	if (err < 0) {
		vh_daemon_free (d);
		return err;
	}
	*ret = d;
	return 0;
}

int
vh_daemon_add (struct vh_daemon *d, const struct vh_device *device, const struct vh_endpoint *endpoint)
{
	struct vh_endpoint e = { .size = sizeof (e) };
	struct service *s, **last = &d->services;
	int err;

	if (!backend_device_valid (device))
		return error_set (&d->error, -EINVAL, "device");
	memcpy (&e, endpoint, endpoint->size < sizeof (e) ? endpoint->size : sizeof (e));
	err = service_new (d, device, &e, d->loops, d->n_workers, &s);
	if (err < 0)
		return error_set (&d->error, err, "%s", e.socket_path ? e.socket_path : "socket");
	while (*last)
		last = &(*last)->next;
	*last = s;
	return 0;
}

struct vh_loop *
vh_daemon_loop (struct vh_daemon *d)
{
	return d->loop;
}

const char *
vh_daemon_error (const struct vh_daemon *d)
{
	return d->error.text;
}

void
vh_daemon_free (struct vh_daemon *d)
{
	if (!d)
		return;
	while (d->services) {
		struct service *s = d->services;

		d->services = s->next;
		service_free (s);
	}
	while (d->n_workers > 0)
		worker_stop (&d->workers[--d->n_workers]);
	free (d->workers);
	free (d->loops);
	vh_source_remove (d->stop_source);
	fd_close (&d->stop_fd);
	vh_loop_free (d->loop);
	free (d);
}
