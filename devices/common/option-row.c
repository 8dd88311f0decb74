/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options that all programs have: what each one takes and sets.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vhost/queue.h>

#include "devices/common/log.h"
#include "devices/common/option-row.h"
#include "devices/common/option-value.h"
#include "devices/common/program.h"

bool
option_complain (const struct parser *p, const char *format, ...)
{
	const struct log log = { .program = p->program->name };
	char text[900];
	va_list args;

	va_start (args, format);
	vsnprintf (text, sizeof (text), format, args);
	va_end (args);
	log_answer (&log, "%s", text);
	return false;
}

bool
option_keep (struct parser *p, void *memory)
{
	struct options *o = p->o;
	void **kept = realloc (o->kept, (o->n_kept + 1) * sizeof (kept[0]));

	if (kept)
		o->kept = kept;
	if (!kept || !memory) {
		free (memory);
		return option_complain (p, "out of memory");
	}
	kept[o->n_kept++] = memory;
	return true;
}

/* --- for any option --- */

static void *
member (const struct parser *p)
{
	return (p->row->scope == OPTION_PROGRAM ? (char *) p->o : (char *) p->device) + p->row->offset;
}

bool
option_set_flag (struct parser *p, const char *value)
{
	return *(bool *) member (p) = true;
}

bool
option_set_text (struct parser *p, const char *value)
{
	*(const char **) member (p) = value;
	return value[0] || option_complain (p, "--%s is empty", p->row->name);
}

bool
option_set_number (struct parser *p, const char *value)
{
	const struct option_row *row = p->row;

	return value_number (value, 10, row->min, row->max, member (p)) ||
	       option_complain (p, "--%s takes a number from %u to %u, not \"%s\"", row->name, row->min, row->max, value);
}

/* --- one function an option --- */

static bool
set_fd (struct parser *p, const char *value)
{
	unsigned fd;

	if (!value_number (value, 10, 0, INT_MAX, &fd))
		return option_complain (p, "--fd takes a number from 0 to %d, not \"%s\"", INT_MAX, value);
	p->device->fd = fd;
	return true;
}

static bool
set_socket_mode (struct parser *p, const char *value)
{
	return value_number (value, 8, 1, 0777, &p->device->socket_mode) ||
	       option_complain (p, "--socket-mode takes permissions in octal, such as 660, not \"%s\"", value);
}

static bool
set_queue_size (struct parser *p, const char *value)
{
	unsigned n;

	/* 4: the smallest ring that has room for a header, data and a status. */
	if (!value_number (value, 10, 4, VH_MAX_RING_SIZE, &n) || !value_is_power_of_two (n))
		return option_complain (p, "--queue-size takes a power of two from 4 to %u, not \"%s\"", VH_MAX_RING_SIZE, value);
	p->device->queue_size = n;
	return true;
}

static bool
set_queue_threads (struct parser *p, const char *value)
{
	unsigned *numbers, n;

	if (!value_numbers (value, OPTION_MAX_THREADS - 1, &numbers, &n))
		return option_complain (p, "--queue-threads takes numbers of threads, such as 0:1:0:1, not \"%s\"", value);
	p->device->queue_threads = numbers;
	p->device->n_queue_threads = n;
	return option_keep (p, numbers);
}

static bool
set_device (struct parser *p, const char *value)
{
	if (p->n_device_texts == OPTION_MAX_DEVICES)
		return option_complain (p, "more than %d times --device", OPTION_MAX_DEVICES);
	p->device_texts[p->n_device_texts++] = value;
	return true;
}

static bool
add_cpu_list (void *opaque, char *list)
{
	struct options *o = opaque;

	o->cpu_lists[o->n_cpu_lists++] = list;
	return value_is_cpu_list (list);
}

static bool
set_cpus (struct parser *p, const char *value)
{
	char *text = strdup (value);

	if (!option_keep (p, text))
		return false;
	p->o->n_cpu_lists = 0;
	p->o->cpu_lists = calloc (strlen (value) + 1, sizeof (p->o->cpu_lists[0]));
	if (!option_keep (p, p->o->cpu_lists))
		return false;
	return value_split (text, ':', false, add_cpu_list, p->o) ||
	       option_complain (p, "--cpus takes lists of processors, such as 0-3,8:4-7, not \"%s\"", value);
}

static bool
set_verbose (struct parser *p, const char *value)
{
	p->o->level = p->o->level < VH_LOG_INFO ? VH_LOG_INFO : VH_LOG_DEBUG;
	return true;
}

static bool
set_quiet (struct parser *p, const char *value)
{
	p->o->level = VH_LOG_ERROR;
	return true;
}

/* These three are dealt with before others are set. */
static bool
set_nothing (struct parser *p, const char *value)
{
	return true;
}

#define OF_DEVICE(member) .scope = OPTION_DEVICE, .offset = offsetof (struct device_options, member)
#define OF_ONE_DEVICE(member) .scope = OPTION_ONE_DEVICE, .offset = offsetof (struct device_options, member)
#define OF_PROGRAM(member) .offset = offsetof (struct options, member)

static const struct option_row socket_rows[] = {
	{ "socket-path", "PATH", option_set_text, OF_ONE_DEVICE (socket_path), .help = "listen on this Unix socket" },
	{ "fd", "N", set_fd, OF_ONE_DEVICE (fd), .help = "use this open socket: connected, or listening" },
	{ "client", NULL, option_set_flag, OF_DEVICE (client), .help = "connect to --socket-path instead, again and again" },
	{ "socket-mode", "OCTAL", set_socket_mode, OF_DEVICE (socket_mode), .help = "permissions of the socket's file" },
};

static const struct option_row program_rows[] = {
	{ "postcopy", NULL, option_set_flag, OF_DEVICE (postcopy), .help = "offer postcopy live migration, and no memory slots" },
	{ "iommu", NULL, option_set_flag, OF_DEVICE (iommu), .help = "may be behind an IOMMU of the guest" },
	{ "queue-size", "N", set_queue_size, OF_DEVICE (queue_size), .help = "longest virtqueue, a power of two [1024]" },
	{ "queue-threads", "LIST", set_queue_threads, OF_DEVICE (queue_threads), .help = "the thread of each queue, such as 0:1:0:1" },
	{ "device", "OPTION[=VALUE],...", set_device, .help = "one of several devices, with the options above; a comma is doubled" },
	{ "threads", "N", option_set_number, OF_PROGRAM (threads), .min = 1, .max = OPTION_MAX_THREADS,
	  .help = "threads that serve queues [as many as queues and processors]" },
	{ "cpus", "LIST[:LIST...]", set_cpus, .help = "processors of each thread, such as 0-3,8:4-7" },
	{ "poll-us", "N", option_set_number, OF_PROGRAM (poll_us), .min = 0, .max = OPTION_MAX_POLL_US,
	  .help = "look for requests this long before a thread sleeps, in microseconds [0]" },
	{ "stats", NULL, option_set_flag, OF_PROGRAM (stats), .help = "statistics at exit, as for SIGUSR1" },
	{ "verbose", NULL, set_verbose, .letter = 'v', .help = "say what happens; twice: each message" },
	{ "quiet", NULL, set_quiet, .letter = 'q', .help = "errors only" },
	{ "print-capabilities", NULL, set_nothing, .result = OPTIONS_CAPABILITIES, .help = "what management software wants to know, in JSON" },
	{ "help", NULL, set_nothing, .letter = 'h', .result = OPTIONS_HELP, .help = "this text" },
	{ "version", NULL, set_nothing, .letter = 'V', .result = OPTIONS_VERSION, .help = "the version" },
};

const struct option_table option_socket_table = OPTION_TABLE (socket_rows);
const struct option_table option_program_table = OPTION_TABLE (program_rows);
