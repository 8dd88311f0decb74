/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Operations on an image that wait until they are done.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/falloc.h>
#include <linux/fs.h>

#include "devices/blk/image.h"

/* Bytes of a buffer between a guest's buffers and O_DIRECT. */
#define COPY_SIZE (1u << 20)

bool
image_must_copy (const struct image *image, const struct request *r)
{
	uintptr_t bits = 0;

	if (image->alignment == 1)
		return false;
	for (unsigned i = 0; i < r->n_parts; i++)
		bits |= (uintptr_t) r->parts[i].iov_base | r->parts[i].iov_len;
	return bits & (image->alignment - 1);
}

int
image_sync (const struct image *image)
{
	return fdatasync (image->fd) < 0 ? -errno : 0;
}

/* --- reading and writing --- */

/* One system call; what it returns. */
static ssize_t
transfer_some (const struct image *image, struct request *r)
{
	ssize_t n;

	if (r->kind == REQUEST_WRITE)
		n = pwritev2 (image->fd, r->parts, r->n_parts, r->offset, r->durable ? RWF_DSYNC : 0);
	else if (r->n_parts == 1)
		n = pread (image->fd, r->parts->iov_base, r->parts->iov_len, r->offset);
	else
		n = preadv (image->fd, r->parts, r->n_parts, r->offset);
	return n < 0 ? -errno : n;
}

static int
transfer (const struct image *image, struct request *r)
{
	while (r->left > 0) {
		ssize_t n = transfer_some (image, r);

		if (n == -EINTR)
			continue;
		if (n <= 0)	/* 0: somebody has cut the file */
			return n < 0 ? n : -EIO;
		request_advance (r, n);
	}
	return 0;
}

/* The same by way of an aligned buffer, `data` of `size` bytes. */
static int
transfer_copied (const struct image *image, struct request *r, void *data, size_t size)
{
	bool writes = r->kind == REQUEST_WRITE;

	while (r->left > 0) {
		struct iovec part = { data, r->left < size ? r->left : size };
		struct request piece = {
			.kind = r->kind, .durable = r->durable, .parts = &part, .n_parts = 1, .offset = r->offset, .left = part.iov_len,
		};
		size_t bytes = part.iov_len;
		int err;

		if (writes)
			vh_parts_read (r->parts, r->n_parts, 0, data, bytes);
		err = transfer (image, &piece);
		if (err < 0)
			return err;
		if (!writes)
			vh_parts_write (r->parts, r->n_parts, 0, data, bytes);
		request_advance (r, bytes);
	}
	return 0;
}

static int
image_transfer (const struct image *image, struct request *r)
{
	size_t size = r->left < COPY_SIZE ? r->left : COPY_SIZE;
	void *data;
	int err;

	if (!image_must_copy (image, r))
		return transfer (image, r);
	if (posix_memalign (&data, image->alignment < sizeof (void *) ? sizeof (void *) : image->alignment, size))
		return -ENOMEM;
	err = transfer_copied (image, r, data, size);
	free (data);
	return err;
}

int
image_read_cached (const struct image *image, struct request *r)
{
	while (r->left > 0) {
		ssize_t n = preadv2 (image->fd, r->parts, r->n_parts, r->offset, RWF_NOWAIT);

		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		request_advance (r, n);
	}
	return 0;
}

/* --- discard, zeroes --- */

static int
punch (const struct image *image, const struct request_range *range, int mode)
{
	int err;

	do
		err = fallocate (image->fd, mode | FALLOC_FL_KEEP_SIZE, range->offset, range->bytes) < 0 ? -errno : 0;
	while (err == -EINTR);
	return err;
}

static int
discard (const struct image *image, const struct request_range *range)
{
	uint64_t place[2] = { range->offset, range->bytes };

	if (image->is_device)
		return ioctl (image->fd, BLKDISCARD, place) < 0 ? -errno : 0;
	return punch (image, range, FALLOC_FL_PUNCH_HOLE);
}

/* The way that always works. */
static int
write_zeroes (const struct image *image, const struct request_range *range)
{
	size_t size = range->bytes < COPY_SIZE ? range->bytes : COPY_SIZE;
	uint64_t done = 0;
	void *zeroes;
	int err = 0;

	if (posix_memalign (&zeroes, 4096, size))
		return -ENOMEM;
	memset (zeroes, 0, size);
	while (err == 0 && done < range->bytes) {
		struct iovec part = { zeroes, range->bytes - done < size ? range->bytes - done : size };
		struct request piece = { .kind = REQUEST_WRITE, .parts = &part, .n_parts = 1, .offset = range->offset + done, .left = part.iov_len };

		done += part.iov_len;
		err = transfer (image, &piece);
	}
	free (zeroes);
	return err;
}

/* -EOPNOTSUPP, -EINVAL (a device whose blocks are larger), -ENOSYS: there is another way. */
static bool
is_unsupported (int err)
{
	return err == -EOPNOTSUPP || err == -EINVAL || err == -ENOSYS;
}

static int
zero (const struct image *image, const struct request_range *range)
{
	int err = -EOPNOTSUPP;

	if (range->unmap && image->can_discard)
		err = punch (image, range, FALLOC_FL_PUNCH_HOLE);	/* of a device too: holes read as zeroes */
	if (is_unsupported (err))
		err = punch (image, range, FALLOC_FL_ZERO_RANGE);
	if (is_unsupported (err) && image->is_device) {
		uint64_t place[2] = { range->offset, range->bytes };

		err = ioctl (image->fd, BLKZEROOUT, place) < 0 ? -errno : 0;
	}
	return is_unsupported (err) ? write_zeroes (image, range) : err;
}

static int
run_ranges (const struct image *image, const struct request *r)
{
	int err = 0;

	for (unsigned i = 0; err == 0 && i < r->n_ranges; i++)
		err = r->kind == REQUEST_ZEROES ? zero (image, &r->ranges[i]) : discard (image, &r->ranges[i]);
	return err == 0 && r->durable ? image_sync (image) : err;
}

int
image_run (const struct image *image, struct request *r)
{
	switch (r->kind) {
	case REQUEST_READ:
	case REQUEST_WRITE:
		return image_transfer (image, r);
	case REQUEST_FLUSH:
		return image_sync (image);
	case REQUEST_DISCARD:
	case REQUEST_ZEROES:
		return run_ranges (image, r);
	default:
		return 0;
	}
}
