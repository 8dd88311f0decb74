/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user-net: connects vhost-user front-ends to a network.
 */
#include "devices/common/program.h"
#include "devices/net/net.h"

int
main (int argc, char **argv)
{
	const struct program program = {
		.name = "vhost-user-net",
		.arguments = "--socket-path=PATH --tap=NAME",
		.purpose = "Connects a vhost-user front-end, such as a virtual machine, to a network.",
		.type = "net",
		.options = net_option_table,
		.options_size = sizeof (struct net_options),
		.defaults = &net_defaults,
		.check = net_options_check,
		.make = net_new,
		.attach = net_attach,
		.print_stats = net_print_stats,
		.detach = net_detach,
		.free = net_free,
	};

	return program_main (&program, argc, argv);
}
