/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parsing of virtio-blk requests.  The driver chooses the layout: the header may come in pieces, and the status byte is the last byte of whatever the
 * device may write, alone in its descriptor or not.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include <linux/virtio_blk.h>

#include "devices/blk/request.h"

#define SECTOR 512

/* The last device-writable byte; what is before it is data. */
static void
parse_status_byte (struct request *r, struct vh_request *chain)
{
	r->status = NULL;
	for (unsigned i = chain->n_in; i > 0 && !r->status; i--) {
		const struct iovec *part = &chain->in[i - 1];

		if (part->iov_len > 0)
			r->status = (uint8_t *) part->iov_base + part->iov_len - 1;
	}
}

/* Makes parts[0..n) cut to [skip, skip + size) the data. */
static void
set_data (struct request *r, struct iovec *parts, unsigned n, size_t skip, size_t size)
{
	r->n_parts = vh_parts_cut (parts, n, skip, size, &r->parts);
	r->left = r->bytes = size;
}

static uint8_t
answered (struct request *r, uint8_t status)
{
	r->kind = REQUEST_ANSWERED;
	return status;
}

static bool
range_is_good (const struct request_limits *l, uint64_t sector, uint64_t bytes)
{
	/* The division comes first: sector * 512 may wrap. */
	if (sector > l->capacity / SECTOR || bytes > l->capacity - sector * SECTOR)
		return false;
	return bytes > 0 && bytes % l->block_size == 0 && sector * SECTOR % l->block_size == 0;
}

static uint8_t
parse_transfer (struct request *r, const struct request_limits *l, enum request_kind kind, uint64_t sector, size_t bytes)
{
	if (!range_is_good (l, sector, bytes))
		return answered (r, VIRTIO_BLK_S_IOERR);
	r->kind = kind;
	r->offset = sector * SECTOR;
	return VIRTIO_BLK_S_OK;
}

static uint8_t
parse_read (struct request *r, struct vh_request *chain, const struct request_limits *l, uint64_t sector)
{
	size_t bytes = chain->in_bytes - 1;

	if (chain->out_bytes != sizeof (struct virtio_blk_outhdr))
		return answered (r, VIRTIO_BLK_S_IOERR);
	set_data (r, chain->in, chain->n_in, 0, bytes);
	return parse_transfer (r, l, REQUEST_READ, sector, bytes);
}

static uint8_t
parse_write (struct request *r, struct vh_request *chain, const struct request_limits *l, uint64_t sector)
{
	size_t bytes = chain->out_bytes - sizeof (struct virtio_blk_outhdr);

	if (l->read_only || chain->in_bytes != 1)
		return answered (r, VIRTIO_BLK_S_IOERR);
	set_data (r, chain->out, chain->n_out, sizeof (struct virtio_blk_outhdr), bytes);
	return parse_transfer (r, l, REQUEST_WRITE, sector, bytes);
}

static uint8_t
parse_flush (struct request *r, const struct request_limits *l)
{
	if (l->read_only)
		return answered (r, VIRTIO_BLK_S_OK);
	r->kind = REQUEST_FLUSH;
	return VIRTIO_BLK_S_OK;
}

static uint8_t
parse_get_id (struct request *r, struct vh_request *chain, const struct request_limits *l)
{
	char id[VIRTIO_BLK_ID_BYTES] = "";
	size_t room = chain->in_bytes - 1;

	memcpy (id, l->serial, strnlen (l->serial, sizeof (id)));
	vh_parts_write (chain->in, chain->n_in, 0, id, room < sizeof (id) ? room : sizeof (id));
	return answered (r, VIRTIO_BLK_S_OK);
}

/* One range; its flags decide between "unsupported" and "wrong". */
static uint8_t
parse_range (struct request_range *range, const struct request_limits *l, enum request_kind kind, const struct virtio_blk_discard_write_zeroes *raw)
{
	uint64_t sector = le64toh (raw->sector), bytes = (uint64_t) le32toh (raw->num_sectors) * SECTOR;
	uint32_t flags = le32toh (raw->flags);
	uint32_t known = kind == REQUEST_ZEROES ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0;

	if (flags & ~known)
		return VIRTIO_BLK_S_UNSUPP;
	if (!range_is_good (l, sector, bytes) || bytes > (kind == REQUEST_ZEROES ? REQUEST_MAX_ZEROES : REQUEST_MAX_DISCARD))
		return VIRTIO_BLK_S_IOERR;
	*range = (struct request_range){ sector * SECTOR, bytes, flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP };
	return VIRTIO_BLK_S_OK;
}

static uint8_t
parse_ranges (struct request *r, struct vh_request *chain, const struct request_limits *l, enum request_kind kind)
{
	struct virtio_blk_discard_write_zeroes raw[REQUEST_MAX_RANGES];
	size_t bytes = chain->out_bytes - sizeof (struct virtio_blk_outhdr);
	uint8_t status;

	if (kind == REQUEST_DISCARD && !l->can_discard)
		return answered (r, VIRTIO_BLK_S_UNSUPP);
	if (l->read_only || bytes == 0 || bytes % sizeof (raw[0]) != 0 || bytes > sizeof (raw))
		return answered (r, VIRTIO_BLK_S_IOERR);
	if (vh_parts_read (chain->out, chain->n_out, sizeof (struct virtio_blk_outhdr), raw, bytes) != bytes)
		return answered (r, VIRTIO_BLK_S_IOERR);
	r->n_ranges = bytes / sizeof (raw[0]);
	for (unsigned i = 0; i < r->n_ranges; i++) {
		status = parse_range (&r->ranges[i], l, kind, &raw[i]);
		if (status != VIRTIO_BLK_S_OK)
			return answered (r, status);
	}
	r->kind = kind;
	return VIRTIO_BLK_S_OK;
}

uint8_t
request_parse (struct request *r, struct vh_request *chain, const struct request_limits *l)
{
	struct virtio_blk_outhdr header;

	r->chain = chain;
	r->durable = l->durable;
	r->bytes = r->left = 0;
	parse_status_byte (r, chain);
	if (chain->error || !r->status || vh_parts_read (chain->out, chain->n_out, 0, &header, sizeof (header)) != sizeof (header))
		return answered (r, VIRTIO_BLK_S_IOERR);
	switch (le32toh (header.type)) {
	case VIRTIO_BLK_T_IN:
		return parse_read (r, chain, l, le64toh (header.sector));
	case VIRTIO_BLK_T_OUT:
		return parse_write (r, chain, l, le64toh (header.sector));
	case VIRTIO_BLK_T_FLUSH:
		return parse_flush (r, l);
	case VIRTIO_BLK_T_GET_ID:
		return parse_get_id (r, chain, l);
	case VIRTIO_BLK_T_DISCARD:
		return parse_ranges (r, chain, l, REQUEST_DISCARD);
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return parse_ranges (r, chain, l, REQUEST_ZEROES);
	default:
		return answered (r, VIRTIO_BLK_S_UNSUPP);
	}
}

void
request_advance (struct request *r, size_t done)
{
	r->left -= done;
	r->offset += done;
	if (r->left == 0)	/* as nearly always */
		r->n_parts = 0;
	else
		r->n_parts = vh_parts_cut (r->parts, r->n_parts, done, r->left, &r->parts);
}

uint8_t
request_status (const struct request *r, int result)
{
	if (result == 0)
		return VIRTIO_BLK_S_OK;
	return r->kind == REQUEST_DISCARD && result == -EOPNOTSUPP ? VIRTIO_BLK_S_UNSUPP : VIRTIO_BLK_S_IOERR;
}

uint32_t
request_finish (struct request *r, uint8_t status)
{
	if (!r->status)
		return 0;
	*(volatile uint8_t *) r->status = status;
	/* All of it, though data may be missing: the status is behind it, and what is written must reach a migration's dirty log. */
	return r->chain->in_bytes;
}
