/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user-vsock: joins a guest's vsock to Unix sockets of the host, for vhost-user front-ends.
 */
#include <limits.h>

#include "devices/common/option-value.h"
#include "devices/vsock/device.h"

/* From the first cid that is not special to the last before VMADDR_CID_ANY. */
#define MIN_CID 3
#define MAX_CID (UINT_MAX - 1)

/* Each has a socket. */
#define MAX_CONNECTIONS 65536

/* Less would be a packet at a time, more is not credit but a file. */
#define MIN_BUFFER 4096
#define MAX_BUFFER (64u << 20)

static bool
set_mode (struct parser *p, const char *value)
{
	struct vsock_options *o = (struct vsock_options *) p->device;

	return value_number (value, 8, 1, 0777, &o->uds_mode) ||
	       option_complain (p, "--uds-mode takes permissions in octal, such as 660, not \"%s\"", value);
}

static bool
set_buffer (struct parser *p, const char *value)
{
	struct vsock_options *o = (struct vsock_options *) p->device;

	return (value_number (value, 10, MIN_BUFFER, MAX_BUFFER, &o->buffer) && value_is_power_of_two (o->buffer)) ||
	       option_complain (p, "--buffer takes a power of two from %u to %u, not \"%s\"", MIN_BUFFER, MAX_BUFFER, value);
}

static bool
check (const struct parser *p, const struct device_options *common)
{
	const struct vsock_options *o = (const struct vsock_options *) common;

	if (!o->uds_path)
		return option_complain (p, "there is no --uds-path");
	if (common->n_queue_threads != 1)
		return option_complain (p, "--queue-threads takes one thread here: all queues of a device have the same");
	return true;
}

#define OF(member) .offset = offsetof (struct vsock_options, member)

static const struct option_row rows[] = {
	{ "guest-cid", "N", option_set_number, OPTION_ONE_DEVICE, OF (guest_cid), .min = MIN_CID, .max = MAX_CID, .help = "the guest's address [3]" },
	{ "uds-path", "PATH", option_set_text, OPTION_ONE_DEVICE, OF (uds_path), .help = "the host's sockets: PATH, and PATH_PORT" },
	{ "uds-mode", "OCTAL", set_mode, OPTION_DEVICE, .help = "permissions of PATH" },
	{ "max-connections", "N", option_set_number, OPTION_DEVICE, OF (max_connections), .min = 1, .max = MAX_CONNECTIONS,
	  .help = "at the same time [1024]" },
	{ "buffer", "BYTES", set_buffer, OPTION_DEVICE, .help = "of a connection, a power of two [262144]" },
};

int
main (int argc, char **argv)
{
	static const unsigned first_thread;
	const struct vsock_options defaults = {
		.common = { .fd = -1, .queue_threads = &first_thread, .n_queue_threads = 1 },
		.guest_cid = MIN_CID, .max_connections = 1024, .buffer = 256u << 10,
	};
	const struct program program = {
		.name = "vhost-user-vsock",
		.arguments = "--socket-path=PATH --uds-path=PATH",
		.purpose = "Joins the vsock of a vhost-user front-end, such as a virtual machine, to Unix sockets.",
		.type = "vsock",
		.options = OPTION_TABLE (rows),
		.options_size = sizeof (struct vsock_options),
		.defaults = &defaults,
		.check = check,
		.make = vsock_new,
		.print_stats = vsock_print_stats,
		.free = vsock_free,
	};

	return program_main (&program, argc, argv);
}
