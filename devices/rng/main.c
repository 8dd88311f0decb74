/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user-rng: gives random numbers to vhost-user front-ends.
 */
#include <limits.h>

#include "devices/rng/device.h"

/* The longest period: an hour. */
#define MAX_PERIOD 3600000

#define OF(member) .scope = OPTION_DEVICE, .offset = offsetof (struct rng_options, member)

static const struct option_row rows[] = {
	{ "source", "FILE", option_set_text, OF (source), .help = "a device or a pipe to read from [the kernel's generator]" },
	{ "max-bytes", "N", option_set_number, OF (max_bytes), .min = 1, .max = INT_MAX, .help = "give so many bytes in a period [no limit]" },
	{ "period", "MS", option_set_number, OF (period), .min = 1, .max = MAX_PERIOD, .help = "its length [1000]" },
};

static const struct rng_options defaults = { .common = { .fd = -1 }, .period = 1000 };

int
main (int argc, char **argv)
{
	const struct program program = {
		.name = "vhost-user-rng",
		.arguments = "--socket-path=PATH",
		.purpose = "Gives random numbers to a vhost-user front-end, such as a virtual machine.",
		.type = "rng",
		.options = OPTION_TABLE (rows),
		.options_size = sizeof (struct rng_options),
		.defaults = &defaults,
		.make = rng_new,
		.print_stats = rng_print_stats,
		.free = rng_free,
	};

	return program_main (&program, argc, argv);
}
