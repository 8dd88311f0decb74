/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line: what all device programs have in common.
 */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <vhost/log.h>

struct program;

/* Of one device.  A program's own options begin with this. */
struct device_options {
	const char *socket_path;	/* NULL: fd */
	int fd;				/* -1: one that the service manager passes */
	bool client;
	unsigned socket_mode;		/* 0: as the umask leaves it */
	unsigned queue_size;		/* 0: the library's default */
	const unsigned *queue_threads;	/* a worker for each queue, from the first again when there are more queues; NULL: in turn */
	unsigned n_queue_threads;
	bool postcopy;
	bool iommu;
};

struct options {
	void *devices;			/* n_devices times the program's options of a device */
	unsigned n_devices;
	unsigned threads;		/* 0: as many as there are queues and processors */
	const char **cpu_lists;		/* of worker i: cpu_lists[i % n_cpu_lists]; with n_cpu_lists 0, anywhere */
	unsigned n_cpu_lists;
	unsigned poll_us;		/* how long a thread looks for requests before it sleeps */
	bool stats;
	enum vh_log_level level;
	void **kept;			/* what the pointers above point to, where that is not argv */
	unsigned n_kept;
};

/* What the command line asks for. */
enum options_result {
	OPTIONS_RUN,
	OPTIONS_WRONG,		/* a line on stderr says why */
	OPTIONS_CAPABILITIES,
	OPTIONS_HELP,
	OPTIONS_VERSION,
};

/* Strings in *ret point into argv or are freed by options_free, which is called whatever the result. */
enum options_result options_parse (const struct program *, int argc, char **argv, struct options *ret);
void options_free (struct options *);

/* What they add to the protocol features of their device, and the features of its rings. */
uint64_t options_protocol_features (const struct device_options *);
uint64_t options_ring_features (const struct device_options *);

/* The options of device i. */
struct device_options *options_device (const struct program *, const struct options *, unsigned i);

/* The text of --help, on stdout. */
void options_print_help (const struct program *);

#endif
