/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a device program.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <jansson.h>
#include <vhost/daemon.h>
#include <vhost/error.h>
#include <vhost/memory.h>
#include <vhost/socket.h>
#include <vhost/version.h>

#include "devices/common/program.h"
#include "devices/common/signals.h"

/* Exit statuses. */
#define EXIT_START 1
#define EXIT_USAGE 2

struct process {
	const struct program *program;
	struct options options;
	struct log log;			/* ours */
	struct log library_log;		/* silent until all has started: a start that fails is one line, and that is ours */
	const struct vh_device **devices;
	unsigned n_devices;
	struct vh_daemon *daemon;
	struct signals signals;
};

/* --- what is asked for by an option --- */

static json_t *
name_list (const char *const *names)
{
	json_t *list = json_array ();

	for (; names && *names; names++)
		json_array_append_new (list, json_string (*names));
	return list;
}

static int
print_capabilities (const struct program *program)
{
	json_t *o = json_pack ("{s:s, s:o}", "type", program->type, "features", name_list (program->features));
	int err = o ? json_dumpf (o, stdout, JSON_COMPACT) : -1;

	json_decref (o);
	return err == 0 && puts ("") >= 0 && fflush (stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Where guests have memory that is no file; all devices together. */
static void
print_memory_stats (const struct log *log)
{
	struct vh_memory_counters c;

	vh_memory_get_counters (&c);
	if (!(c.map_calls | c.copy_calls | c.failures))
		return;
	log_answer (log, "memory: %llu map calls, %llu unmap calls, %llu copy calls, %llu grants mapped, %llu unmapped, %llu live, "
		    "%llu foreign frames, %llu failures",
		    (unsigned long long) c.map_calls, (unsigned long long) c.unmap_calls, (unsigned long long) c.copy_calls,
		    (unsigned long long) c.grants_mapped, (unsigned long long) c.grants_unmapped, (unsigned long long) c.grants_live,
		    (unsigned long long) c.foreign_frames, (unsigned long long) c.failures);
}

static void
print_stats (const struct process *p)
{
	for (unsigned i = 0; i < p->n_devices; i++)
		p->program->print_stats (p->devices[i]->opaque);
	print_memory_stats (&p->log);
}

/* Optional hooks of all devices. */
static void
call_devices (const struct process *p, void (*hook) (void *device))
{
	for (unsigned i = 0; hook && i < p->n_devices; i++)
		hook (p->devices[i]->opaque);
}

static void
signal_came (void *opaque, unsigned number)
{
	struct process *p = opaque;

	switch (number) {
	case SIGUSR1:
		print_stats (p);
		break;
	case SIGHUP:
		call_devices (p, p->program->hang_up);
		break;
	default:
		vh_daemon_stop (p->daemon);
	}
}

/* --- start --- */

/* A queue has three eventfds and what its device needs, and a front-end up to 509 regions: as many descriptors as we may have. */
static void
raise_fd_limit (void)
{
	struct rlimit limit;

	if (getrlimit (RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit (RLIMIT_NOFILE, &limit);
	}
}

static int
make_devices (struct process *p)
{
	p->devices = calloc (p->options.n_devices, sizeof (p->devices[0]));
	if (!p->devices)
		return -ENOMEM;
	for (; p->n_devices < p->options.n_devices; p->n_devices++) {
		int err = p->program->make (options_device (p->program, &p->options, p->n_devices), &p->log, &p->devices[p->n_devices]);

		if (err < 0)
			return err;
	}
	return 0;
}

/* As many as there are queues for, and processors to run them. */
static unsigned
default_threads (const struct process *p)
{
	long processors = sysconf (_SC_NPROCESSORS_ONLN);
	unsigned queues = 0;

	for (unsigned i = 0; i < p->n_devices; i++)
		queues += p->devices[i]->rings;
	return processors < 1 ? 1 : queues < processors ? queues : processors < 256 ? processors : 256;
}

static int
make_daemon (struct process *p)
{
	struct options *o = &p->options;
	unsigned n = o->threads ? o->threads : default_threads (p);
	const char **cpu_lists = calloc (n, sizeof (cpu_lists[0]));
	struct vh_daemon_options daemon_options = {
		.size = sizeof (daemon_options), .log = { log_library_line, &p->library_log, o->level }, .workers = n, .cpu_lists = cpu_lists,
		.poll_us = o->poll_us,
	};
	int err = cpu_lists ? 0 : -ENOMEM;

	for (unsigned i = 0; err == 0 && i < n && o->n_cpu_lists; i++)
		cpu_lists[i] = o->cpu_lists[i % o->n_cpu_lists];
	if (err == 0)
		err = vh_daemon_new (&daemon_options, &p->daemon);
	free (cpu_lists);
	if (err == 0)
		err = signals_watch (&p->signals, vh_daemon_loop (p->daemon), signal_came, p);
	if (err < 0)
		log_say (&p->log, VH_LOG_ERROR, "the threads%s cannot be started: %s", o->n_cpu_lists ? " on --cpus" : "", vh_strerror (err));
	return err;
}

/* Devices without a socket of their own get those of the service manager, in order: *next of them, up to `end`. */
static int
add_device (struct process *p, unsigned i, int *next, int end)
{
	const struct device_options *o = options_device (p->program, &p->options, i);
	struct vh_endpoint e = {
		.size = sizeof (e), .socket_path = o->socket_path, .fd = o->fd, .client = o->client, .mode = o->socket_mode,
		.ring_workers = o->queue_threads, .n_ring_workers = o->n_queue_threads,
	};
	int err;

	if (!e.socket_path && e.fd < 0) {
		if (*next >= end) {
			log_say (&p->log, VH_LOG_ERROR, "%s has no socket: give --socket-path or --fd", p->devices[i]->name);
			return -EDESTADDRREQ;
		}
		e.fd = (*next)++;
	}
	err = vh_daemon_add (p->daemon, p->devices[i], &e);
	if (err < 0 && e.socket_path)
		log_say (&p->log, VH_LOG_ERROR, "%s: %s", e.socket_path, vh_strerror (err));
	else if (err < 0)
		log_say (&p->log, VH_LOG_ERROR, "file descriptor %d: %s", e.fd, vh_strerror (err));
	return err;
}

static int
add_devices (struct process *p)
{
	int next = 3, end = next + vh_activation_fds (), err = 0;

	for (unsigned i = 0; err == 0 && i < p->n_devices; i++) {
		if (p->program->attach)
			err = p->program->attach (p->devices[i]->opaque, vh_daemon_loop (p->daemon));
		if (err == 0)
			err = add_device (p, i, &next, end);
	}
	return err;
}

static int
serve (struct process *p)
{
	int err = make_devices (p);

	if (err == 0)
		err = make_daemon (p);
	if (err == 0)
		err = add_devices (p);
	if (err < 0)
		return err == -EDESTADDRREQ ? EXIT_USAGE : EXIT_START;
	p->library_log.silent = false;
	log_say (&p->log, VH_LOG_INFO, "ready");
	err = vh_daemon_run (p->daemon);
	if (p->options.stats)
		print_stats (p);
	return err < 0 ? EXIT_START : EXIT_SUCCESS;
}

static void
process_end (struct process *p)
{
	signals_end (&p->signals);
	call_devices (p, p->program->detach);
	vh_daemon_free (p->daemon);
	call_devices (p, p->program->free);
	free (p->devices);
	options_free (&p->options);
}

static int
run (struct process *p)
{
	int status;

	p->log = (struct log){ .program = p->program->name, .level = p->options.level };
	p->library_log = p->log;
	p->library_log.silent = true;
	signals_block (&p->signals);
	raise_fd_limit ();
	status = serve (p);
	process_end (p);
	return status;
}

int
program_main (const struct program *program, int argc, char **argv)
{
	struct process process = { .program = program };

	switch (options_parse (program, argc, argv, &process.options)) {
	case OPTIONS_RUN:
		return run (&process);
	case OPTIONS_CAPABILITIES:
		return print_capabilities (program);
	case OPTIONS_HELP:
		options_print_help (program);
		break;
	case OPTIONS_VERSION:
		printf ("%s %s\n", program->name, vh_version ());
		break;
	case OPTIONS_WRONG:
		options_free (&process.options);
		return EXIT_USAGE;
	}
	options_free (&process.options);
	return fflush (stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
