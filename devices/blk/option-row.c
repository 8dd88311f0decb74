/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options: what each one takes and sets.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vhost/protocol.h>
#include <vhost/queue.h>

#include "devices/blk/log.h"
#include "devices/blk/option-row.h"
#include "devices/blk/option-value.h"

#define SERIAL_LENGTH 20	/* virtio 1.2, 5.2.6: GET_ID */

bool
option_complain (const char *format, ...)
{
	static const struct log log = { .level = VH_LOG_ERROR };
	char text[900];
	va_list args;

	va_start (args, format);
	vsnprintf (text, sizeof (text), format, args);
	va_end (args);
	log_say (&log, VH_LOG_ERROR, "%s", text);
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
		return option_complain ("out of memory");
	}
	kept[o->n_kept++] = memory;
	return true;
}

static bool
set_number (struct parser *p, const char *value, unsigned min, unsigned max, unsigned *ret)
{
	return value_number (value, 10, min, max, ret) || option_complain ("--%s takes a number from %u to %u, not \"%s\"", p->name, min, max, value);
}

/* --- one function an option --- */

static bool
set_socket_path (struct parser *p, const char *value)
{
	p->device->socket_path = value;
	return value[0] || option_complain ("--socket-path is empty");
}

static bool
set_fd (struct parser *p, const char *value)
{
	unsigned fd;

	if (!set_number (p, value, 0, INT_MAX, &fd))
		return false;
	p->device->fd = fd;
	return true;
}

static bool
set_client (struct parser *p, const char *value)
{
	return p->device->client = true;
}

static bool
set_socket_mode (struct parser *p, const char *value)
{
	return value_number (value, 8, 1, 0777, &p->device->socket_mode) ||
	       option_complain ("--socket-mode takes permissions in octal, such as 660, not \"%s\"", value);
}

static bool
set_blk_file (struct parser *p, const char *value)
{
	p->device->blk_file = value;
	return value[0] || option_complain ("--blk-file is empty");
}

static bool
set_read_only (struct parser *p, const char *value)
{
	return p->device->read_only = true;
}

static bool
set_direct (struct parser *p, const char *value)
{
	return p->device->direct = true;
}

static bool
set_write_through (struct parser *p, const char *value)
{
	return p->device->write_through = true;
}

static bool
set_block_size (struct parser *p, const char *value)
{
	if (!strcmp (value, "512") || !strcmp (value, "4096"))
		return value_number (value, 10, 512, 4096, &p->device->block_size);
	return option_complain ("--block-size takes 512 or 4096, not \"%s\"", value);
}

static bool
set_serial (struct parser *p, const char *value)
{
	p->device->serial = value;
	return strlen (value) <= SERIAL_LENGTH || option_complain ("--serial takes up to %d bytes, not \"%s\"", SERIAL_LENGTH, value);
}

static bool
set_num_queues (struct parser *p, const char *value)
{
	return set_number (p, value, 1, VH_MAX_RINGS, &p->device->num_queues);
}

static bool
set_queue_size (struct parser *p, const char *value)
{
	unsigned n;

	/* 4: the smallest ring that has room for a header, data and a status. */
	if (!value_number (value, 10, 4, VH_MAX_RING_SIZE, &n) || !value_is_power_of_two (n))
		return option_complain ("--queue-size takes a power of two from 4 to %u, not \"%s\"", VH_MAX_RING_SIZE, value);
	p->device->queue_size = n;
	return true;
}

static bool
set_queue_threads (struct parser *p, const char *value)
{
	unsigned *numbers, n;

	if (!value_numbers (value, OPTION_MAX_THREADS - 1, &numbers, &n))
		return option_complain ("--queue-threads takes numbers of threads, such as 0:1:0:1, not \"%s\"", value);
	p->device->queue_threads = numbers;
	p->device->n_queue_threads = n;
	return option_keep (p, numbers);
}

static bool
set_device (struct parser *p, const char *value)
{
	if (p->n_device_texts == OPTION_MAX_DEVICES)
		return option_complain ("more than %d times --device", OPTION_MAX_DEVICES);
	p->device_texts[p->n_device_texts++] = value;
	return true;
}

static bool
set_threads (struct parser *p, const char *value)
{
	return set_number (p, value, 1, OPTION_MAX_THREADS, &p->o->threads);
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
	       option_complain ("--cpus takes lists of processors, such as 0-3,8:4-7, not \"%s\"", value);
}

static bool
set_engine (struct parser *p, const char *value)
{
	if (!strcmp (value, "uring"))
		p->o->engine = ENGINE_URING;
	else if (!strcmp (value, "pool"))
		p->o->engine = ENGINE_POOL;
	else
		return option_complain ("--engine takes uring or pool, not \"%s\"", value);
	return true;
}

static bool
set_stats (struct parser *p, const char *value)
{
	return p->o->stats = true;
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

#define OF_DEVICE .of_device = true
#define OF_ONE_DEVICE .of_device = true, .of_one_device = true

const struct option_row option_rows[] = {
	{ "socket-path", "PATH", set_socket_path, OF_ONE_DEVICE, .help = "listen on this Unix socket" },
	{ "fd", "N", set_fd, OF_ONE_DEVICE, .help = "use this open socket: connected, or listening" },
	{ "client", NULL, set_client, OF_DEVICE, .help = "connect to --socket-path instead, again and again" },
	{ "socket-mode", "OCTAL", set_socket_mode, OF_DEVICE, .help = "permissions of the socket's file" },
	{ "blk-file", "FILE", set_blk_file, OF_ONE_DEVICE, .help = "the disk: a raw image or a block device" },
	{ "read-only", NULL, set_read_only, OF_DEVICE, .help = "refuse writes" },
	{ "direct", NULL, set_direct, OF_DEVICE, .help = "bypass the page cache (O_DIRECT)" },
	{ "write-through", NULL, set_write_through, OF_DEVICE, .help = "begin without a volatile write cache" },
	{ "block-size", "BYTES", set_block_size, OF_DEVICE, .help = "logical blocks: 512 or 4096" },
	{ "serial", "ID", set_serial, OF_ONE_DEVICE, .help = "serial number, up to 20 bytes" },
	{ "num-queues", "N", set_num_queues, OF_DEVICE, .help = "virtqueues, 1 to 256 [1]" },
	{ "queue-size", "N", set_queue_size, OF_DEVICE, .help = "longest virtqueue, a power of two [1024]" },
	{ "queue-threads", "LIST", set_queue_threads, OF_DEVICE, .help = "the thread of each queue, such as 0:1:0:1" },
	{ "device", "OPTION[=VALUE],...", set_device, .help = "one of several disks, with the options above; a comma is doubled" },
	{ "threads", "N", set_threads, .help = "threads that serve queues [as many as queues and processors]" },
	{ "cpus", "LIST[:LIST...]", set_cpus, .help = "processors of each thread, such as 0-3,8:4-7" },
	{ "engine", "uring|pool", set_engine, .help = "how to do I/O [io_uring where it is allowed]" },
	{ "stats", NULL, set_stats, .help = "statistics at exit, as for SIGUSR1" },
	{ "verbose", NULL, set_verbose, .letter = 'v', .help = "say what happens; twice: each message" },
	{ "quiet", NULL, set_quiet, .letter = 'q', .help = "errors only" },
	{ "print-capabilities", NULL, set_nothing, .result = OPTIONS_CAPABILITIES, .help = "what management software wants to know, in JSON" },
	{ "help", NULL, set_nothing, .letter = 'h', .result = OPTIONS_HELP, .help = "this text" },
	{ "version", NULL, set_nothing, .letter = 'V', .result = OPTIONS_VERSION, .help = "the version" },
};

const unsigned n_option_rows = sizeof (option_rows) / sizeof (option_rows[0]);
