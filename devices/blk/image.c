/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Opening an image, and what it is: size, block sizes, what it can do.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/magic.h>

#include "devices/blk/image.h"

#define SMALLEST_BLOCK 512
#define LARGEST_BLOCK 4096

/* Bytes of the file or device. */
static int
image_bytes (const struct image *image, uint64_t *ret)
{
	struct stat st;

	if (image->is_device)
		return ioctl (image->fd, BLKGETSIZE64, ret) < 0 ? -errno : 0;
	if (fstat (image->fd, &st) < 0)
		return -errno;
	*ret = st.st_size;
	return 0;
}

/* A number in a file of sysfs about the device's queue; 0 when there is none.  Partitions have it in the folder above theirs. */
static uint64_t
device_attribute (dev_t device, const char *name)
{
	static const char *const places[] = { "", "../" };
	unsigned long long value = 0;

	for (unsigned i = 0; i < 2; i++) {
		char path[128];
		FILE *file;
		int found;

		snprintf (path, sizeof (path), "/sys/dev/block/%u:%u/%squeue/%s", major (device), minor (device), places[i], name);
		file = fopen (path, "re");
		if (!file)
			continue;
		found = fscanf (file, "%llu", &value);
		fclose (file);
		if (found == 1)
			return value;
	}
	return 0;
}

static bool
is_power_of_two (uint64_t n)
{
	return n && !(n & (n - 1));
}

static void
image_describe_device (struct image *image, const struct stat *st)
{
	int logical = 0;
	unsigned physical = 0, optimal = 0;

	if (ioctl (image->fd, BLKSSZGET, &logical) == 0 && logical > SMALLEST_BLOCK)
		image->block_size = logical;
	if (ioctl (image->fd, BLKPBSZGET, &physical) == 0 && is_power_of_two (physical))
		image->physical_size = physical;
	if (ioctl (image->fd, BLKIOOPT, &optimal) == 0)
		image->optimal_size = optimal;
	image->can_discard = device_attribute (st->st_rdev, "discard_max_bytes") > 0;
	image->hole_size = device_attribute (st->st_rdev, "discard_granularity");
}

/* A hole behind the end changes nothing, and tells whether the file system makes holes. */
static bool
file_can_discard (const struct image *image, const struct stat *st)
{
	if (image->read_only)
		return false;
	return fallocate (image->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (st->st_size + LARGEST_BLOCK) & -(off_t) LARGEST_BLOCK, LARGEST_BLOCK) == 0;
}

static void
image_describe_file (struct image *image, const struct stat *st)
{
	struct statfs fs;

	if (is_power_of_two (st->st_blksize))
		image->physical_size = st->st_blksize < LARGEST_BLOCK ? st->st_blksize : LARGEST_BLOCK;
	image->hole_size = st->st_blksize;
	image->can_discard = file_can_discard (image, st);
	if (fstatfs (image->fd, &fs) == 0)
		image->in_memory = fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC;
}

/*
 * The smallest transfer that O_DIRECT takes.  Devices say it; for files it is tried, since not every file system can be asked.  Of an empty file nothing can
 * be read: the largest.
 */
static int
direct_block (const struct image *image, unsigned *ret)
{
	void *buffer;
	uint64_t bytes = 0;
	ssize_t n = -1;
	int err = image_bytes (image, &bytes);

	*ret = image->is_device ? image->block_size : LARGEST_BLOCK;
	if (err < 0 || image->is_device || bytes < LARGEST_BLOCK)
		return err;
	if (posix_memalign (&buffer, LARGEST_BLOCK, 2 * LARGEST_BLOCK))
		return -ENOMEM;
	for (unsigned size = SMALLEST_BLOCK; n < 0 && size <= LARGEST_BLOCK; size *= 2) {
		/* At `size` into the page, so that the buffer has no better alignment than the transfer. */
		n = pread (image->fd, (char *) buffer + size, size, 0);
		err = n < 0 ? -errno : 0;
		*ret = size;
	}
	free (buffer);
	return err;
}

static int
image_choose_block (struct image *image, const struct image_options *o, const char **why)
{
	unsigned least = image->block_size;

	if (o->direct) {
		int err = direct_block (image, &image->alignment);

		*why = "cannot be read with O_DIRECT";
		if (err < 0)
			return err;
		if (image->alignment > least)
			least = image->alignment;
	}
	*why = "needs a larger --block-size";
	if (o->block_size && o->block_size < least)
		return -EINVAL;
	image->block_size = o->block_size ? o->block_size : least;
	if (image->physical_size < image->block_size)
		image->physical_size = image->block_size;
	if (image->hole_size < image->block_size)
		image->hole_size = image->block_size;
	return 0;
}

static int
image_describe (struct image *image, const struct image_options *o, const char **why)
{
	struct stat st;

	*why = "cannot be examined";
	if (fstat (image->fd, &st) < 0)
		return -errno;
	*why = "is neither a file nor a block device";
	if (!S_ISREG (st.st_mode) && !S_ISBLK (st.st_mode))
		return S_ISDIR (st.st_mode) ? -EISDIR : -EINVAL;
	image->is_device = S_ISBLK (st.st_mode);
	if (image->is_device)
		image_describe_device (image, &st);
	else
		image_describe_file (image, &st);
	return image_choose_block (image, o, why);
}

int
image_resize (struct image *image)
{
	uint64_t bytes = 0;
	int err = image_bytes (image, &bytes);

	if (err < 0)
		return err;
	bytes -= bytes % image->block_size;
	if (bytes == image->capacity)
		return 0;
	__atomic_store_n (&image->capacity, bytes, __ATOMIC_RELAXED);
	return 1;
}

int
image_open (const struct image_options *o, struct image *ret, const char **why)
{
	struct image image = {
		.path = o->path, .read_only = o->read_only, .block_size = SMALLEST_BLOCK, .physical_size = SMALLEST_BLOCK, .alignment = 1,
	};
	int err;

	*why = "cannot be opened";
	/* O_NONBLOCK for a moment: a FIFO must not hold us up before it is refused. */
	image.fd = open (o->path, (o->read_only ? O_RDONLY : O_RDWR) | (o->direct ? O_DIRECT : 0) | O_CLOEXEC | O_NONBLOCK);
	if (image.fd < 0)
		return -errno;
	err = fcntl (image.fd, F_SETFL, o->direct ? O_DIRECT : 0) < 0 ? -errno : image_describe (&image, o, why);
	if (err == 0) {
		*why = "has no size";
		err = image_resize (&image);
	}
	if (err < 0) {
		image_close (&image);
		return err;
	}
	*ret = image;
	return 0;
}

void
image_close (struct image *image)
{
	if (image->fd >= 0)
		close (image->fd);
	image->fd = -1;
}
