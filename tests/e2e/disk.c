/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests by hand, on the driver of the tools.
 */
#include <endian.h>
#include <stddef.h>
#include <string.h>

#include "tests/e2e/disk.h"

#define PAGE 4096
#define MAX_BUFFERS 64
#define WAIT_MS 20000

/* Features of the device, below those of rings and transport. */
#define DEVICE_BITS (VH_BIT (VH_F_NOTIFY_ON_EMPTY) - 1)

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
	struct driver_options options = { .queues = 1, .queue_size = 64, .indirect = MAX_BUFFERS, .regions = 1, .memory = DISK_ROOM + 8 * PAGE };

	must_connect (&d->driver, socket, WAIT_MS);
	/* Of the rings' features the usual ones, of the device's all. */
	options.features = vh_frontend_offered_features (d->driver.frontend) & ~without & DEVICE_BITS;
	options.features |= ring_features;
	if (ring_features & ~vh_frontend_offered_features (d->driver.frontend))
		die ("%s: rings of these features are not offered", socket);
	must_start (&d->driver, &options);
	d->header_addr = must_alloc (&d->driver, sizeof (struct virtio_blk_outhdr), 16);
	d->status_addr = must_alloc (&d->driver, 1, 1);
	d->data_addr = must_alloc (&d->driver, DISK_ROOM + PAGE, PAGE);
	d->data = guest_at (&d->driver.guest, d->data_addr);
	disk_read_config (d);
}

void
disk_close (struct disk *d)
{
	must_stop (&d->driver);
}

uint8_t
disk_chain (struct disk *d, uint32_t type, uint64_t sector, const struct queue_buffer *buffers, unsigned n_out, unsigned n_in)
{
	struct virtio_blk_outhdr *header = guest_at (&d->driver.guest, d->header_addr);
	uint8_t *status = guest_at (&d->driver.guest, d->status_addr);
	struct queue_done done;

	*header = (struct virtio_blk_outhdr){ .type = htole32 (type), .sector = htole64 (sector) };
	*status = 0xff;
	if (queue_add (d->driver.queues[0], buffers, n_out, n_in, d) < 0 || queue_publish (d->driver.queues[0]) < 0)
		die ("a request cannot be made");
	if (!must_reap (&d->driver, 0, &done, WAIT_MS))
		die ("no answer to a request");
	if (done.token != d)
		die ("an answer to no request");
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
