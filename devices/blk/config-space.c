/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a driver reads about the disk, and the one field that it may write.
 */
#include <endian.h>
#include <errno.h>
#include <stddef.h>

#include "devices/blk/config-space.h"
#include "devices/blk/device.h"

#define SECTOR 512

/* Parts of a transfer.  With header and status, a request fits into the rings that front-ends make: 128 descriptors. */
#define SEG_MAX 126

/* Bytes of one part; with SEG_MAX of them, well below what one system call moves. */
#define SIZE_MAX_BYTES (4u << 20)

#define WCE_OFFSET offsetof (struct virtio_blk_config, wce)

_Static_assert (sizeof (struct virtio_blk_config) <= DEVICE_CONFIG_SIZE, "DEVICE_CONFIG_SIZE is too small for this kernel's virtio_blk.h");

uint64_t
config_features (const struct device *d)
{
	uint64_t features = VH_BIT (VIRTIO_BLK_F_SIZE_MAX) | VH_BIT (VIRTIO_BLK_F_SEG_MAX) | VH_BIT (VIRTIO_BLK_F_BLK_SIZE) |
			    VH_BIT (VIRTIO_BLK_F_TOPOLOGY) | VH_BIT (VIRTIO_BLK_F_MQ);

	if (d->image.read_only)
		return features | VH_BIT (VIRTIO_BLK_F_RO);
	features |= VH_BIT (VIRTIO_BLK_F_FLUSH) | VH_BIT (VIRTIO_BLK_F_CONFIG_WCE) | VH_BIT (VIRTIO_BLK_F_WRITE_ZEROES);
	return features | (d->image.can_discard ? VH_BIT (VIRTIO_BLK_F_DISCARD) : 0);
}

static unsigned
exponent (unsigned power_of_two)
{
	return __builtin_ctz (power_of_two);
}

static void
set_topology (struct virtio_blk_config *c, const struct image *image)
{
	unsigned physical_blocks = image->physical_size / image->block_size;

	c->physical_block_exp = exponent (physical_blocks);
	c->min_io_size = htole16 (physical_blocks);
	c->opt_io_size = htole32 (image->optimal_size / image->block_size);
}

static void
set_limits (struct virtio_blk_config *c, const struct image *image)
{
	c->max_write_zeroes_sectors = htole32 (REQUEST_MAX_ZEROES / SECTOR);
	c->max_write_zeroes_seg = htole32 (REQUEST_MAX_RANGES);
	c->write_zeroes_may_unmap = image->can_discard;
	if (!image->can_discard)
		return;
	c->max_discard_sectors = htole32 (REQUEST_MAX_DISCARD / SECTOR);
	c->max_discard_seg = htole32 (REQUEST_MAX_RANGES);
	c->discard_sector_alignment = htole32 (image->hole_size / SECTOR);
}

void
config_init (struct device *d, unsigned queue_size)
{
	struct virtio_blk_config *c = &d->config.fields;
	unsigned seg_max = SEG_MAX;

	if (queue_size && queue_size - 2 < seg_max)
		seg_max = queue_size - 2;
	c->size_max = htole32 (SIZE_MAX_BYTES);
	c->seg_max = htole32 (seg_max);
	c->blk_size = htole32 (d->image.block_size);
	c->num_queues = htole16 (d->n_queues);
	set_topology (c, &d->image);
	if (!d->image.read_only)
		set_limits (c, &d->image);
	config_set_capacity (d);
	__atomic_store_n (&d->wce, d->write_back, __ATOMIC_RELAXED);
	c->wce = d->write_back;
}

void
config_set_capacity (struct device *d)
{
	d->config.fields.capacity = htole64 (d->image.capacity / SECTOR);
}

/* In a thread of the pool. */
static void
run_sync (struct job *job)
{
	struct device *d = (struct device *) ((char *) job - offsetof (struct device, sync));

	/* First: a change that comes while we are at it wants another one. */
	__atomic_store_n (&d->syncing, false, __ATOMIC_RELEASE);
	if (image_sync (&d->image) < 0)
		log_say (&d->log, VH_LOG_WARNING, "what was written before the change to write-through may not be on the disk");
}

/*
 * A driver that has switched to write-through does not flush any more: what it wrote before is to become durable too.  That may take long, so the pool does
 * it.
 */
static void
sync_soon (struct device *d)
{
	if (__atomic_exchange_n (&d->syncing, true, __ATOMIC_ACQUIRE))
		return;
	d->sync.run = run_sync;
	pool_submit (d->pool, &d->sync);
}

void
config_set_wce (struct device *d, bool write_back)
{
	bool before = d->wce;

	__atomic_store_n (&d->wce, write_back, __ATOMIC_RELAXED);
	d->config.fields.wce = write_back;
	if (before && !write_back)
		sync_soon (d);
}

int
config_write (void *device, uint32_t offset, const void *buf, uint32_t size, uint32_t flags)
{
	struct device *d = device;
	const uint8_t *bytes = buf;

	/* A migration restores the whole space: all but this field follows from the image, which is this side's. */
	if (flags == VH_CONFIG_RESTORE) {
		if (!d->image.read_only && offset <= WCE_OFFSET && WCE_OFFSET - offset < size)
			config_set_wce (d, bytes[WCE_OFFSET - offset] & 1);
		return 0;
	}
	if (d->image.read_only || offset != WCE_OFFSET || size != sizeof (d->config.fields.wce) || bytes[0] > 1)
		return -EPERM;
	config_set_wce (d, bytes[0]);
	return 0;
}
