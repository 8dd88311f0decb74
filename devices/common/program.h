/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device program: one kind of device, any number of them in a process, each behind its own socket.  What differs between programs is in a table; the
 * command line, the sockets, threads, signals and the order of start and end are the same for all.
 */
#ifndef COMMON_PROGRAM_H
#define COMMON_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#include <vhost/backend.h>
#include <vhost/loop.h>

#include "devices/common/log.h"
#include "devices/common/option-row.h"
#include "devices/common/options.h"

/* `device` is the opaque of the vh_device that `make` returned.  All in the control thread. */
struct program {
	const char *name;		/* such as vhost-user-blk */
	const char *arguments;		/* for --help: which there must be at least */
	const char *purpose;		/* for --help: a sentence */
	const char *signals;		/* for --help: what SIGHUP does, as "HUP does so, "; NULL: it is ignored */
	const char *type;		/* for --print-capabilities: the kind of device, */
	const char *const *features;	/* and what of it, NULL at the end; NULL: nothing */
	struct option_table options;	/* the program's own */
	size_t options_size;		/* of the struct that they set, which begins with a struct device_options */
	const void *defaults;		/* options_size bytes */

	/* Are the options of a device complete?  False after option_complain.  If NULL, then yes. */
	bool (*check) (const struct parser *, const struct device_options *);

	/*
	 * Makes a device.  options, log and their strings outlive it.  0 and *ret, whose `name` is not NULL; a negative errno after a line in the log.
	 * Required.
	 */
	int (*make) (const struct device_options *options, const struct log *log, const struct vh_device **ret);

	/* The loops are there, no front-end is yet; `control` is that of the control thread.  0; a negative errno after a line.  If NULL, then fine. */
	int (*attach) (void *device, struct vh_loop *control);

	/* Prints statistics by log_answer.  Required. */
	void (*print_stats) (void *device);

	/* SIGHUP.  If NULL, then nothing. */
	void (*hang_up) (void *device);

	/* No ring will be started any more: ends what uses the loops, and leaves them; also where `attach` was not called.  If NULL, then nothing. */
	void (*detach) (void *device);

	/* Once no connection and no loop refers to it.  Required. */
	void (*free) (void *device);
};

/* The whole of main. */
int program_main (const struct program *, int argc, char **argv);

#endif
