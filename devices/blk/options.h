/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line.
 */
#ifndef BLK_OPTIONS_H
#define BLK_OPTIONS_H

#include <stdbool.h>

#include <vhost/log.h>

struct device_options {
	const char *socket_path;	/* NULL: fd */
	int fd;				/* -1: one that the service manager passes */
	bool client;
	unsigned socket_mode;		/* 0: as the umask leaves it */
	const char *blk_file;
	bool read_only;
	bool direct;
	bool write_through;
	unsigned block_size;		/* 0: what the image needs */
	unsigned num_queues;
	unsigned queue_size;		/* 0: the library's default */
	const char *serial;		/* NULL: none */
	const unsigned *queue_threads;	/* a worker for each queue, from the first again when there are more queues; NULL: in turn */
	unsigned n_queue_threads;
};

enum engine_choice {
	ENGINE_BEST,
	ENGINE_URING,
	ENGINE_POOL,
};

struct options {
	struct device_options *devices;
	unsigned n_devices;
	unsigned threads;		/* 0: as many as there are queues and processors */
	const char **cpu_lists;		/* of worker i: cpu_lists[i % n_cpu_lists]; with n_cpu_lists 0, anywhere */
	unsigned n_cpu_lists;
	enum engine_choice engine;
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
enum options_result options_parse (int argc, char **argv, struct options *ret);
void options_free (struct options *);

/* The text of --help, on stdout. */
void options_print_help (void);

#endif
