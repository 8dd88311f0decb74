/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Saving and loading; see state.h.
 */
#include <errno.h>

#include <linux/virtio_ids.h>

#include "devices/blk/config-space.h"
#include "devices/blk/device.h"
#include "devices/blk/state.h"

enum tag {
	IMAGE,			/* what the guest takes for granted: bytes, block size, read-only, queues */
	CACHE,			/* write-back */
	QUEUE,			/* of each queue, as in struct queue_stats */
	RINGS,			/* of each queue */
	TAGS
};

enum { CAPACITY, BLOCK_SIZE, READ_ONLY, QUEUES, IMAGE_NUMBERS };

#define STATS (sizeof (struct queue_stats) / sizeof (uint64_t))

static void
fill (void *device, struct state *s)
{
	const struct device *d = device;
	const uint64_t image[IMAGE_NUMBERS] = { d->image.capacity, d->image.block_size, d->image.read_only, d->n_queues }, cache = d->wce;

	state_put_numbers (s, IMAGE, 0, image, IMAGE_NUMBERS);
	state_put_numbers (s, CACHE, 0, &cache, 1);
	for (unsigned i = 0; i < d->n_queues; i++) {
		struct queue_stats stats;

		queue_get_stats (&d->queues[i], &stats);
		state_put_numbers (s, QUEUE, i, (const uint64_t *) &stats, STATS);
	}
	totals_save (&d->totals, s, RINGS);
}

/* A disk that has grown since is fine; the guest is told. */
static int
check_image (const struct device *d, const uint64_t image[IMAGE_NUMBERS])
{
	if (image[BLOCK_SIZE] == d->image.block_size && image[READ_ONLY] == d->image.read_only && image[QUEUES] == d->n_queues &&
	    image[CAPACITY] <= d->image.capacity)
		return 0;
	log_say (&d->log, VH_LOG_ERROR, "the state is of another disk: %llu bytes, blocks of %llu, %llu queues%s", (unsigned long long) image[CAPACITY],
		 (unsigned long long) image[BLOCK_SIZE], (unsigned long long) image[QUEUES], image[READ_ONLY] ? ", read-only" : "");
	return -EINVAL;
}

static int
apply (void *device, const struct state *s)
{
	struct device *d = device;
	uint64_t image[IMAGE_NUMBERS], cache;
	int err;

	if (!state_get_numbers (s, IMAGE, 0, image, IMAGE_NUMBERS) || !state_get_numbers (s, CACHE, 0, &cache, 1) || cache > 1)
		return -EBADMSG;
	err = check_image (d, image);
	if (err < 0)
		return err;
	if (!state_has_numbers (s, QUEUE, d->n_queues, STATS) || !totals_found (&d->totals, s, RINGS))
		return -EBADMSG;
	if (!d->image.read_only)
		config_set_wce (d, cache);
	for (unsigned i = 0; i < d->n_queues; i++)
		state_get_numbers (s, QUEUE, i, (uint64_t *) &d->queues[i].stats, STATS);
	totals_load (&d->totals, s, RINGS);
	if (image[CAPACITY] < d->image.capacity && d->totals.backend)
		vh_backend_config_changed (d->totals.backend);
	return 0;
}

static const struct state_kind kind = { .id = VIRTIO_ID_BLOCK, .tags = TAGS, .fill = fill, .apply = apply };

int
blk_state_save (void *device, uint64_t offset, void *buf, size_t size)
{
	struct device *d = device;

	return state_save (&d->state, &kind, d, offset, buf, size);
}

int
blk_state_load (void *device, uint64_t offset, const void *buf, size_t size)
{
	struct device *d = device;

	return state_load (&d->state, &kind, d, offset, buf, size);
}
