/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user-blk: serves disk images to vhost-user front-ends.
 */
#include <errno.h>

#include <vhost/error.h>

#include "devices/blk/device.h"
#include "devices/blk/engine.h"
#include "devices/blk/options.h"
#include "devices/common/program.h"

/* NULL, after a line, when the one that was asked for cannot be had. */
static const struct engine_ops *
choose_engine (enum engine_choice choice, const struct log *log)
{
	int err;

	if (choice == ENGINE_POOL)
		return &engine_pool;
	err = engine_uring.probe ();
	if (err == 0)
		return &engine_uring;
	if (choice == ENGINE_URING) {
		log_say (log, VH_LOG_ERROR, "--engine=uring: io_uring cannot be had: %s", vh_strerror (err));
		return NULL;
	}
	log_say (log, VH_LOG_INFO, "io_uring cannot be had (%s): threads are used", vh_strerror (err));
	return &engine_pool;
}

static int
make (const struct device_options *common, const struct log *log, const struct vh_device **ret)
{
	const struct blk_options *o = (const struct blk_options *) common;
	const struct engine_ops *engine = choose_engine (o->engine, log);
	struct device *d;
	int err = engine ? device_new (o, engine, log, &d) : -ENOSYS;

	if (err == 0)
		*ret = &d->vh;
	return err;
}

static void
print_stats (void *device)
{
	device_print_stats (device);
}

static void
hang_up (void *device)
{
	device_resize (device);
}

/* Before the loops go that its threads tell what they did. */
static void
detach (void *device)
{
	device_end_pool (device);
}

static void
free_device (void *device)
{
	device_free (device);
}

int
main (int argc, char **argv)
{
	static const char *const features[] = { "read-only", "blk-file", NULL };
	const struct program program = {
		.name = "vhost-user-blk",
		.arguments = "--socket-path=PATH --blk-file=FILE",
		.purpose = "Serves a disk image to a vhost-user front-end, such as a virtual machine.",
		.signals = "HUP looks at the image's size again, ",
		.type = "block",
		.features = features,
		.options = { blk_option_rows, n_blk_option_rows },
		.options_size = sizeof (struct blk_options),
		.defaults = &blk_defaults,
		.check = blk_options_check,
		.make = make,
		.print_stats = print_stats,
		.hang_up = hang_up,
		.detach = detach,
		.free = free_device,
	};

	return program_main (&program, argc, argv);
}
