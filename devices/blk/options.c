/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options of a disk: what each one takes and sets.
 */
#include <string.h>

#include <vhost/protocol.h>

#include "devices/blk/options.h"
#include "devices/common/option-value.h"

#define SERIAL_LENGTH 20	/* virtio 1.2, 5.2.6: GET_ID */

static struct blk_options *
disk (const struct parser *p)
{
	return (struct blk_options *) p->device;
}

static bool
set_block_size (struct parser *p, const char *value)
{
	if (!strcmp (value, "512") || !strcmp (value, "4096"))
		return value_number (value, 10, 512, 4096, &disk (p)->block_size);
	return option_complain (p, "--block-size takes 512 or 4096, not \"%s\"", value);
}

static bool
set_serial (struct parser *p, const char *value)
{
	disk (p)->serial = value;
	return strlen (value) <= SERIAL_LENGTH || option_complain (p, "--serial takes up to %d bytes, not \"%s\"", SERIAL_LENGTH, value);
}

static bool
set_engine (struct parser *p, const char *value)
{
	if (!strcmp (value, "uring"))
		disk (p)->engine = ENGINE_URING;
	else if (!strcmp (value, "pool"))
		disk (p)->engine = ENGINE_POOL;
	else
		return option_complain (p, "--engine takes uring or pool, not \"%s\"", value);
	return true;
}

#define OF(member) .offset = offsetof (struct blk_options, member)

const struct option_row blk_option_rows[] = {
	{ "blk-file", "FILE", option_set_text, OPTION_ONE_DEVICE, OF (blk_file), .help = "the disk: a raw image or a block device" },
	{ "read-only", NULL, option_set_flag, OPTION_DEVICE, OF (read_only), .help = "refuse writes" },
	{ "direct", NULL, option_set_flag, OPTION_DEVICE, OF (direct), .help = "bypass the page cache (O_DIRECT)" },
	{ "write-through", NULL, option_set_flag, OPTION_DEVICE, OF (write_through), .help = "begin without a volatile write cache" },
	{ "block-size", "BYTES", set_block_size, OPTION_DEVICE, .help = "logical blocks: 512 or 4096" },
	{ "serial", "ID", set_serial, OPTION_ONE_DEVICE, .help = "serial number, up to 20 bytes" },
	{ "num-queues", "N", option_set_number, OPTION_DEVICE, OF (num_queues), .min = 1, .max = VH_MAX_RINGS, .help = "virtqueues, 1 to 256 [1]" },
	{ "engine", "uring|pool", set_engine, OPTION_DEVICE, .help = "how to do I/O [io_uring where it is allowed]" },
};

const unsigned n_blk_option_rows = sizeof (blk_option_rows) / sizeof (blk_option_rows[0]);

const struct blk_options blk_defaults = { .common = { .fd = -1 }, .num_queues = 1 };

bool
blk_options_check (const struct parser *p, const struct device_options *d)
{
	return ((const struct blk_options *) d)->blk_file || option_complain (p, "there is no --blk-file");
}
