/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests by hand, on the driver of the tools.
 */
#include <endian.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/disk.h"

#define PAGE 4096
#define MAX_BUFFERS 64
#define WAIT_MS 20000

/* Features of the device, below those of rings and transport. */
#define DEVICE_BITS (VH_BIT (VH_F_NOTIFY_ON_EMPTY) - 1)

void
die (const char *format, ...)
{
	va_list args;

	va_start (args, format);
	vfprintf (stderr, format, args);
	va_end (args);
	fputs ("\n", stderr);
	exit (1);
}

static uint64_t
take (struct disk *d, size_t size, size_t align)
{
	uint64_t addr;

	if (guest_alloc (&d->driver.guest, size, align, true, &addr) < 0)
		die ("no guest memory");
	return addr;
}

void
disk_read_config (struct disk *d)
{
	if (vh_frontend_get_config (d->driver.frontend, 0, &d->config, sizeof (d->config)) < 0)
		die ("configuration: %s", vh_frontend_error (d->driver.frontend));
}

static uint64_t ring_features = VH_BIT (VH_F_INDIRECT_DESC) | VH_BIT (VH_F_EVENT_IDX);

void
disk_use_packed (void)
{
	ring_features |= VH_BIT (VH_F_RING_PACKED);
}

void
disk_open (struct disk *d, const char *socket, uint64_t without)
{
	struct driver_connection connection = { .connect_ms = WAIT_MS, .timeout_ms = WAIT_MS, .protocol_features = UINT64_MAX };
	struct driver_options options = { .queues = 1, .queue_size = 64, .indirect = MAX_BUFFERS, .regions = 1, .memory = DISK_ROOM + 8 * PAGE };

	if (driver_open (&d->driver, socket, &connection) < 0)
		die ("%s: %s", socket, d->driver.failed);
	/* Of the rings' features the usual ones, of the device's all. */
	options.features = vh_frontend_offered_features (d->driver.frontend) & ~without & DEVICE_BITS;
	options.features |= ring_features;
	if (ring_features & ~vh_frontend_offered_features (d->driver.frontend))
		die ("%s: rings of these features are not offered", socket);
	if (driver_start (&d->driver, &options) < 0)
		die ("%s: %s", socket, d->driver.failed);
	d->header_addr = take (d, sizeof (struct virtio_blk_outhdr), 16);
	d->status_addr = take (d, 1, 1);
	d->data_addr = take (d, DISK_ROOM + PAGE, PAGE);
	d->data = guest_at (&d->driver.guest, d->data_addr);
	disk_read_config (d);
}

void
disk_close (struct disk *d)
{
	if (driver_stop (&d->driver) < 0)
		die ("cannot stop: %s", d->driver.failed);
	driver_close (&d->driver);
}

/* What was given back, after waiting for it. */
static void
await (struct disk *d)
{
	struct queue *q = d->driver.queues[0];
	struct queue_done done;
	int n;

	while ((n = queue_reap (q, &done, 1)) == 0)
		if (queues_wait (&q, 1, WAIT_MS) <= 0)
			die ("no answer to a request");
	if (n < 0 || done.token != d)
		die ("the ring is broken");
}

uint8_t
disk_chain (struct disk *d, uint32_t type, uint64_t sector, const struct queue_buffer *buffers, unsigned n_out, unsigned n_in)
{
	struct virtio_blk_outhdr *header = guest_at (&d->driver.guest, d->header_addr);
	uint8_t *status = guest_at (&d->driver.guest, d->status_addr);

	*header = (struct virtio_blk_outhdr){ .type = htole32 (type), .sector = htole64 (sector) };
	*status = 0xff;
	if (queue_add (d->driver.queues[0], buffers, n_out, n_in, d) < 0 || queue_publish (d->driver.queues[0]) < 0)
		die ("a request cannot be made");
	await (d);
	return *(volatile uint8_t *) status;
}

uint8_t
disk_request (struct disk *d, uint32_t type, uint64_t sector, bool out, size_t skip, const uint32_t *parts)
{
	struct queue_buffer chain[MAX_BUFFERS] = { { d->header_addr, sizeof (struct virtio_blk_outhdr) } };
	unsigned n = 1;

	for (; *parts; parts++, n++) {
		chain[n] = (struct queue_buffer){ d->data_addr + skip, *parts };
		skip += *parts;
	}
	chain[n++] = (struct queue_buffer){ d->status_addr, 1 };
	return disk_chain (d, type, sector, chain, out ? n - 1 : 1, out ? 1 : n - 1);
}

uint8_t
disk_read (struct disk *d, uint64_t sector, uint32_t bytes)
{
	return disk_request (d, VIRTIO_BLK_T_IN, sector, false, 0, (const uint32_t[]){ bytes, 0 });
}

uint8_t
disk_write (struct disk *d, uint64_t sector, uint32_t bytes)
{
	return disk_request (d, VIRTIO_BLK_T_OUT, sector, true, 0, (const uint32_t[]){ bytes, 0 });
}

uint8_t
disk_flush (struct disk *d)
{
	return disk_request (d, VIRTIO_BLK_T_FLUSH, 0, true, 0, (const uint32_t[]){ 0 });
}
