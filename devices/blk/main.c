/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user-blk: serves disk images to vhost-user front-ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <jansson.h>
#include <vhost/daemon.h>
#include <vhost/error.h>
#include <vhost/memory.h>
#include <vhost/socket.h>
#include <vhost/version.h>

#include "devices/blk/device.h"
#include "devices/blk/log.h"
#include "devices/blk/options.h"

/* Exit statuses. */
#define EXIT_START 1
#define EXIT_USAGE 2

struct program {
	struct options options;
	struct log log;			/* ours */
	struct log library_log;		/* silent until all has started: a start that fails is one line, and that is ours */
	struct device **devices;
	unsigned n_devices;
	struct vh_daemon *daemon;
	int signal_fd;
	struct vh_source *signal_source;
};

static int
print_capabilities (void)
{
	json_t *o = json_pack ("{s:s, s:[s, s]}", "type", "block", "features", "read-only", "blk-file");
	int err = o ? json_dumpf (o, stdout, JSON_COMPACT) : -1;

	json_decref (o);
	return err == 0 && puts ("") >= 0 && fflush (stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- signals --- */

/* Those that are read from a file descriptor; blocked before any thread starts. */
static void
block_signals (sigset_t *ret)
{
	sigemptyset (ret);
	sigaddset (ret, SIGTERM);
	sigaddset (ret, SIGINT);
	sigaddset (ret, SIGHUP);
	sigaddset (ret, SIGUSR1);
	pthread_sigmask (SIG_BLOCK, ret, NULL);
	signal (SIGPIPE, SIG_IGN);
	signal (SIGXFSZ, SIG_IGN);	/* a write beyond a limit is an error of that write */
}

/* Where guests have memory that is no file; all devices together. */
static void
print_memory_stats (const struct log *log)
{
	struct log always = { .level = VH_LOG_ERROR, .name = log->name };
	struct vh_memory_counters c;

	vh_memory_get_counters (&c);
	if (!(c.map_calls | c.copy_calls | c.failures))
		return;
	log_say (&always, VH_LOG_ERROR, "memory: %llu map calls, %llu unmap calls, %llu copy calls, %llu grants mapped, %llu unmapped, %llu live, "
		 "%llu foreign frames, %llu failures",
		 (unsigned long long) c.map_calls, (unsigned long long) c.unmap_calls, (unsigned long long) c.copy_calls,
		 (unsigned long long) c.grants_mapped, (unsigned long long) c.grants_unmapped, (unsigned long long) c.grants_live,
		 (unsigned long long) c.foreign_frames, (unsigned long long) c.failures);
}

static void
print_stats (const struct program *p)
{
	for (unsigned i = 0; i < p->n_devices; i++)
		device_print_stats (p->devices[i]);
	print_memory_stats (&p->log);
}

static void
signal_came (void *opaque, uint32_t events)
{
	struct program *p = opaque;
	struct signalfd_siginfo info;

	while (read (p->signal_fd, &info, sizeof (info)) == sizeof (info)) {
		switch (info.ssi_signo) {
		case SIGUSR1:
			print_stats (p);
			break;
		case SIGHUP:
			for (unsigned i = 0; i < p->n_devices; i++)
				device_resize (p->devices[i]);
			break;
		default:
			vh_daemon_stop (p->daemon);
		}
	}
}

static int
watch_signals (struct program *p, const sigset_t *signals)
{
	p->signal_fd = signalfd (-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->signal_fd < 0)
		return -errno;
	return vh_loop_add_fd (vh_daemon_loop (p->daemon), p->signal_fd, EPOLLIN, signal_came, p, &p->signal_source);
}

/* --- start --- */

/* A queue has an io_uring and three eventfds, and a front-end up to 509 regions: as many descriptors as we may have. */
static void
raise_fd_limit (void)
{
	struct rlimit limit;

	if (getrlimit (RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit (RLIMIT_NOFILE, &limit);
	}
}

/* NULL, after a line, when the one that was asked for cannot be had. */
static const struct engine_ops *
choose_engine (const struct program *p)
{
	int err;

	if (p->options.engine == ENGINE_POOL)
		return &engine_pool;
	err = engine_uring.probe ();
	if (err == 0)
		return &engine_uring;
	if (p->options.engine == ENGINE_URING) {
		log_say (&p->log, VH_LOG_ERROR, "--engine=uring: io_uring cannot be had: %s", vh_strerror (err));
		return NULL;
	}
	log_say (&p->log, VH_LOG_INFO, "io_uring cannot be had (%s): threads are used", vh_strerror (err));
	return &engine_pool;
}

static int
make_devices (struct program *p)
{
	const struct engine_ops *engine = choose_engine (p);

	p->devices = calloc (p->options.n_devices, sizeof (p->devices[0]));
	if (!engine || !p->devices)
		return -ENOMEM;
	for (; p->n_devices < p->options.n_devices; p->n_devices++) {
		int err = device_new (&p->options.devices[p->n_devices], engine, &p->log, &p->devices[p->n_devices]);

		if (err < 0)
			return err;
	}
	return 0;
}

/* As many as there are queues for, and processors to run them. */
static unsigned
default_threads (const struct options *o)
{
	long processors = sysconf (_SC_NPROCESSORS_ONLN);
	unsigned queues = 0;

	for (unsigned i = 0; i < o->n_devices; i++)
		queues += o->devices[i].num_queues;
	return processors < 1 ? 1 : queues < processors ? queues : processors < 256 ? processors : 256;
}

static int
make_daemon (struct program *p, const sigset_t *signals)
{
	struct options *o = &p->options;
	unsigned n = o->threads ? o->threads : default_threads (o);
	const char **cpu_lists = calloc (n, sizeof (cpu_lists[0]));
	struct vh_daemon_options daemon_options = {
		.size = sizeof (daemon_options), .log = { log_library_line, &p->library_log, o->level }, .workers = n, .cpu_lists = cpu_lists,
	};
	int err = cpu_lists ? 0 : -ENOMEM;

	for (unsigned i = 0; err == 0 && i < n && o->n_cpu_lists; i++)
		cpu_lists[i] = o->cpu_lists[i % o->n_cpu_lists];
	if (err == 0)
		err = vh_daemon_new (&daemon_options, &p->daemon);
	free (cpu_lists);
	if (err == 0)
		err = watch_signals (p, signals);
	if (err < 0)
		log_say (&p->log, VH_LOG_ERROR, "the threads%s cannot be started: %s", o->n_cpu_lists ? " on --cpus" : "", vh_strerror (err));
	return err;
}

/* Devices without a socket of their own get those of the service manager, in order. */
static int
add_devices (struct program *p)
{
	int passed = vh_activation_fds (), next = 3;

	for (unsigned i = 0; i < p->n_devices; i++) {
		const struct device_options *o = &p->options.devices[i];
		struct vh_endpoint e = {
			.size = sizeof (e), .socket_path = o->socket_path, .fd = o->fd, .client = o->client, .mode = o->socket_mode,
			.ring_workers = o->queue_threads, .n_ring_workers = o->n_queue_threads,
		};
		int err;

		if (!e.socket_path && e.fd < 0) {
			if (next >= 3 + passed) {
				log_say (&p->log, VH_LOG_ERROR, "%s has no socket: give --socket-path or --fd", o->blk_file);
				return -EDESTADDRREQ;
			}
			e.fd = next++;
		}
		err = vh_daemon_add (p->daemon, &p->devices[i]->vh, &e);
		if (err < 0) {
			if (e.socket_path)
				log_say (&p->log, VH_LOG_ERROR, "%s: %s", e.socket_path, vh_strerror (err));
			else
				log_say (&p->log, VH_LOG_ERROR, "file descriptor %d: %s", e.fd, vh_strerror (err));
			return err;
		}
	}
	return 0;
}

static int
serve (struct program *p, const sigset_t *signals)
{
	int err = make_devices (p);

	if (err == 0)
		err = make_daemon (p, signals);
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
program_end (struct program *p)
{
	vh_source_remove (p->signal_source);
	if (p->signal_fd >= 0)
		close (p->signal_fd);
	/* Before the loops go that its threads tell what they did. */
	for (unsigned i = 0; i < p->n_devices; i++)
		device_end_pool (p->devices[i]);
	vh_daemon_free (p->daemon);
	for (unsigned i = 0; i < p->n_devices; i++)
		device_free (p->devices[i]);
	free (p->devices);
	options_free (&p->options);
}

static int
run (struct program *p)
{
	sigset_t signals;
	int status;

	p->log.level = p->options.level;
	p->library_log = (struct log){ .level = p->options.level, .silent = true };
	p->signal_fd = -1;
	block_signals (&signals);
	raise_fd_limit ();
	status = serve (p, &signals);
	program_end (p);
	return status;
}

int
main (int argc, char **argv)
{
	struct program program = { 0 };

	switch (options_parse (argc, argv, &program.options)) {
	case OPTIONS_RUN:
		return run (&program);
	case OPTIONS_CAPABILITIES:
		return print_capabilities ();
	case OPTIONS_HELP:
		options_print_help ();
		break;
	case OPTIONS_VERSION:
		printf (PROGRAM " %s\n", vh_version ());
		break;
	case OPTIONS_WRONG:
		options_free (&program.options);
		return EXIT_USAGE;
	}
	options_free (&program.options);
	return fflush (stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
