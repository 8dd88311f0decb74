/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests of a block device.
 */
#include <endian.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "blk-driver.h"

/* What the device has not written. */
#define NO_STATUS 0xff

/* Data begins on a page, as a kernel's would: some back-ends open their file with O_DIRECT. */
#define DATA_ALIGN 4096

/* Requests reaped in one go. */
#define REAP_BATCH 64

/* --- configuration --- */

uint64_t
blk_features (void)
{
	return VH_BIT (VIRTIO_BLK_F_SIZE_MAX) | VH_BIT (VIRTIO_BLK_F_SEG_MAX) | VH_BIT (VIRTIO_BLK_F_RO) | VH_BIT (VIRTIO_BLK_F_BLK_SIZE) |
	       VH_BIT (VIRTIO_BLK_F_FLUSH) | VH_BIT (VIRTIO_BLK_F_MQ);
}

/* A limit that the device offers, and sets.  qemu-storage-daemon offers SIZE_MAX and leaves it 0. */
static uint32_t
limit (uint64_t features, unsigned bit, uint32_t value)
{
	return features & VH_BIT (bit) && value > 0 ? value : UINT32_MAX;
}

static void
decode_config (const struct virtio_blk_config *c, uint64_t features, struct blk_config *ret)
{
	*ret = (struct blk_config){
		.capacity = le64toh (c->capacity) * BLK_SECTOR,
		.block_size = features & VH_BIT (VIRTIO_BLK_F_BLK_SIZE) ? le32toh (c->blk_size) : BLK_SECTOR,
		.seg_max = limit (features, VIRTIO_BLK_F_SEG_MAX, le32toh (c->seg_max)),
		.size_max = limit (features, VIRTIO_BLK_F_SIZE_MAX, le32toh (c->size_max)),
		.queues = features & VH_BIT (VIRTIO_BLK_F_MQ) ? le16toh (c->num_queues) : 1,
		.read_only = features & VH_BIT (VIRTIO_BLK_F_RO),
		.flush = features & VH_BIT (VIRTIO_BLK_F_FLUSH),
	};
}

static bool
config_plausible (const struct blk_config *c, uint64_t sectors)
{
	return sectors <= UINT64_MAX / BLK_SECTOR && c->block_size >= BLK_SECTOR && c->block_size <= 1 << 20 &&
	       (c->block_size & (c->block_size - 1)) == 0 && c->queues >= 1 && c->queues <= VH_MAX_RINGS;
}

int
blk_read_config (struct driver *d, struct blk_config *ret)
{
	/* Up to num_queues: what every back-end has, and all that is looked at. */
	const uint32_t size = offsetof (struct virtio_blk_config, num_queues) + sizeof (__virtio16);
	struct virtio_blk_config c = { 0 };
	int err = vh_frontend_get_config (d->frontend, 0, &c, size);

	if (err < 0)
		return driver_fail (d, err, "the device's configuration");
	decode_config (&c, vh_frontend_offered_features (d->frontend), ret);
	if (!config_plausible (ret, le64toh (c.capacity)))
		return driver_fail (d, -EBADMSG, "the configuration is not that of a block device");
	return 0;
}

/* --- slots --- */

/* Headers and status bytes lie apart from the data. */
struct slot_memory {
	struct virtio_blk_outhdr header;
	uint8_t status;
};

size_t
blk_queue_bytes (unsigned slots, size_t data_size)
{
	return slots * (sizeof (struct slot_memory) + 16 + (data_size + DATA_ALIGN - 1) / DATA_ALIGN * DATA_ALIGN) + 2 * DATA_ALIGN;
}

static int
alloc_slot (struct guest *g, struct blk_slot *s)
{
	int err = guest_alloc (g, sizeof (struct slot_memory), 16, true, &s->header_addr);

	s->status_addr = s->header_addr + offsetof (struct slot_memory, status);
	return err;
}

static int
alloc_data (struct guest *g, struct blk_slot *s, size_t size, bool across)
{
	int err = guest_alloc (g, size, DATA_ALIGN, !across, &s->data_addr);

	if (err == 0)
		s->data = guest_at (g, s->data_addr);
	return err;
}

int
blk_queue_init (struct blk_queue *q, struct driver *d, unsigned index, unsigned slots, size_t data_size, bool across)
{
	int err = 0;

	*q = (struct blk_queue){ .queue = d->queues[index], .guest = &d->guest, .n_slots = slots };
	q->slots = calloc (slots, sizeof (*q->slots));
	if (!q->slots)
		return -ENOMEM;
	for (unsigned i = 0; err == 0 && i < slots; i++)
		err = alloc_slot (q->guest, &q->slots[i]);
	for (unsigned i = 0; err == 0 && i < slots; i++) {
		err = alloc_data (q->guest, &q->slots[i], data_size, across);
		blk_put_slot (q, &q->slots[i]);
	}
	return err;
}

void
blk_queue_free (struct blk_queue *q)
{
	free (q->slots);
	q->slots = q->free = NULL;
}

struct blk_slot *
blk_take_slot (struct blk_queue *q)
{
	struct blk_slot *s = q->free;

	if (s)
		q->free = s->next_free;
	return s;
}

void
blk_put_slot (struct blk_queue *q, struct blk_slot *s)
{
	s->next_free = q->free;
	q->free = s;
}

/* --- requests --- */

static uint32_t
request_type (enum blk_op op)
{
	switch (op) {
	case BLK_READ:
		return VIRTIO_BLK_T_IN;
	case BLK_WRITE:
		return VIRTIO_BLK_T_OUT;
	default:
		return VIRTIO_BLK_T_FLUSH;
	}
}

/* Cuts the data into `n` parts of whole sectors, the last of which takes what is left. */
static void
cut_data (const struct blk_slot *s, uint32_t size, unsigned n, struct queue_buffer *parts)
{
	uint32_t each = size / n / BLK_SECTOR * BLK_SECTOR;

	for (unsigned i = 0; i < n; i++)
		parts[i] = (struct queue_buffer){ .addr = s->data_addr + (uint64_t) each * i, .size = i + 1 < n ? each : size - each * i };
}

static void
fill_header (struct blk_queue *q, struct blk_slot *s, enum blk_op op, uint64_t offset)
{
	struct slot_memory *m = guest_at (q->guest, s->header_addr);

	m->header = (struct virtio_blk_outhdr){ .type = htole32 (request_type (op)), .sector = htole64 (offset / BLK_SECTOR) };
	m->status = NO_STATUS;
}

int
blk_submit (struct blk_queue *q, struct blk_slot *s, enum blk_op op, uint64_t offset, uint32_t size, unsigned segments)
{
	struct queue_buffer chain[1 + BLK_MAX_SEGMENTS + 1];
	unsigned n_data = op == BLK_FLUSH ? 0 : segments, n_out = op == BLK_WRITE ? 1 + n_data : 1;
	int err;

	if (n_data > BLK_MAX_SEGMENTS || (op != BLK_FLUSH && (segments < 1 || size / segments < BLK_SECTOR)))
		return -EINVAL;
	chain[0] = (struct queue_buffer){ .addr = s->header_addr, .size = sizeof (struct virtio_blk_outhdr) };
	if (n_data)
		cut_data (s, size, n_data, chain + 1);
	chain[1 + n_data] = (struct queue_buffer){ .addr = s->status_addr, .size = 1 };
	fill_header (q, s, op, offset);
	err = queue_add (q->queue, chain, n_out, 2 + n_data - n_out, s);
	if (err == 0)
		q->in_flight++;
	return err;
}

/* How many bytes were written is not asked: the device may say less than it did. */
static int
take_result (const struct blk_queue *q, const struct blk_slot *s)
{
	const struct slot_memory *m = guest_at (q->guest, s->header_addr);

	switch (m->status) {
	case VIRTIO_BLK_S_OK:
		return 0;
	case VIRTIO_BLK_S_IOERR:
		return -EIO;
	case VIRTIO_BLK_S_UNSUPP:
		return -EOPNOTSUPP;
	default:
		return -EPROTO;
	}
}

int
blk_reap (struct blk_queue *q, struct blk_slot **slots, unsigned max)
{
	struct queue_done done[REAP_BATCH];
	int n = queue_reap (q->queue, done, max < REAP_BATCH ? max : REAP_BATCH);

	for (int i = 0; i < n; i++) {
		slots[i] = done[i].token;
		slots[i]->error = take_result (q, slots[i]);
		q->in_flight--;
	}
	return n;
}
