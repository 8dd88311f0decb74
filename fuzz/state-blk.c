/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Disks in memory, for fuzz-state.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "devices/blk/config-space.h"
#include "devices/blk/device.h"
#include "devices/blk/engine.h"
#include "fuzz/state-devices.h"
#include "fuzz/verdict.h"

#define IMAGE_SIZE 0x10000

static const struct log quiet = { .silent = true };

static const struct vh_device *
make_disk (bool read_only)
{
	static char path[2][32];
	struct blk_options o = { .blk_file = path[read_only], .read_only = read_only, .num_queues = 2 };
	int fd = must (memfd_create ("image", MFD_CLOEXEC));
	struct device *d;

	must (ftruncate (fd, IMAGE_SIZE));
	snprintf (path[read_only], sizeof (path[0]), "/proc/self/fd/%d", fd);
	must (device_new (&o, &engine_pool, &quiet, &d));
	close (fd);
	return &d->vh;
}

static const struct vh_device *
make_writable (void)
{
	return make_disk (false);
}

static const struct vh_device *
make_read_only (void)
{
	return make_disk (true);
}

static void
use (const struct vh_device *vh)
{
	struct device *d = vh->opaque;

	if (!d->image.read_only)
		config_set_wce (d, false);
	d->queues[0].stats = (struct queue_stats){ .reads = 3, .bytes_read = 12288 };
	d->queues[1].stats = (struct queue_stats){ .writes = 1, .bytes_written = 512, .errors = 1 };
	d->totals.ended[1] = (struct vh_ring_counters){ .requests = 4, .batches = 2, .kicks = 2, .calls = 1 };
}

const struct state_device state_disk = { "disk", make_writable, use, NULL };
const struct state_device state_read_only_disk = { "read-only-disk", make_read_only, use, NULL };
