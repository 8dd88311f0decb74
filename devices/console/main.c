/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user-console: terminals, files and sockets of the host as consoles and ports of a guest, for vhost-user front-ends.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "devices/common/option-value.h"
#include "devices/console/device.h"

static bool
read_end (struct parser *p, const char *text, struct end_options *ret)
{
	return host_parse (text, &ret->kind, &ret->argument) ||
	       option_complain (p, "--%s: an end is %s, not \"%s\"", p->row->name, host_kinds (), text);
}

static bool
set_console (struct parser *p, const char *value)
{
	struct console_options *o = (struct console_options *) p->device;

	return read_end (p, value, &o->console);
}

/* NAME=END */
static bool
set_port (struct parser *p, const char *value)
{
	struct console_options *o = (struct console_options *) p->device;
	size_t length = strcspn (value, "=");
	char *name;

	if (length == 0 || length >= CONTROL_MAX_NAME || !value[length] || memchr (value, '/', length))
		return option_complain (p, "--port takes NAME=END, where NAME has no slash and less than %d bytes, not \"%s\"", CONTROL_MAX_NAME, value);
	if (o->n_ports == CONTROL_MAX_PORTS - 1)
		return option_complain (p, "more than %d times --port", CONTROL_MAX_PORTS - 1);
	name = strndup (value, length);
	if (!option_keep (p, name))
		return false;
	o->ports[o->n_ports].name = name;
	return read_end (p, value + length + 1, &o->ports[o->n_ports++]);
}

static bool
set_size (struct parser *p, const char *value)
{
	struct console_options *o = (struct console_options *) p->device;
	size_t length = strcspn (value, "x");
	char cols[8] = "";

	if (length < sizeof (cols))
		memcpy (cols, value, length);
	return (value[length] && value_number (cols, 10, 1, USHRT_MAX, &o->cols) && value_number (value + length + 1, 10, 1, USHRT_MAX, &o->rows)) ||
	       option_complain (p, "--size takes columns and rows, such as 80x24, not \"%s\"", value);
}

static bool
check (const struct parser *p, const struct device_options *common)
{
	const struct console_options *o = (const struct console_options *) common;

	if (!o->console.kind && o->n_ports == 0)
		return option_complain (p, "there is no --console and no --port");
	if (o->cols && o->n_ports > 0)
		return option_complain (p, "--size is for a console alone, without --port");
	if (common->n_queue_threads != 1)
		return option_complain (p, "--queue-threads takes one thread here: all queues of a device have the same");
	return true;
}

static const struct option_row rows[] = {
	{ "console", "END", set_console, OPTION_ONE_DEVICE, .help = "a console; END: pty[:LINK], file:PATH, listen:PATH, connect:PATH, stdio" },
	{ "port", "NAME=END", set_port, OPTION_ONE_DEVICE, .help = "a port, and another one each time" },
	{ "size", "COLSxROWS", set_size, OPTION_DEVICE, .help = "of the console [the terminal's]" },
};

int
main (int argc, char **argv)
{
	static const unsigned first_thread;
	const struct console_options defaults = { .common = { .fd = -1, .queue_threads = &first_thread, .n_queue_threads = 1 } };
	const struct program program = {
		.name = "vhost-user-console",
		.arguments = "--socket-path=PATH --console=END",
		.purpose = "Gives consoles and ports to a vhost-user front-end, such as a virtual machine.",
		.signals = "HUP opens files again, ",
		.type = "console",
		.options = OPTION_TABLE (rows),
		.options_size = sizeof (struct console_options),
		.defaults = &defaults,
		.check = check,
		.make = console_new,
		.attach = console_attach,
		.print_stats = console_print_stats,
		.hang_up = console_reopen,
		.detach = console_detach,
		.free = console_free,
	};

	return program_main (&program, argc, argv);
}
