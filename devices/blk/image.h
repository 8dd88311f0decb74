/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file or block device behind a disk: what it can do, and operations on it that may wait.
 */
#ifndef BLK_IMAGE_H
#define BLK_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "devices/blk/request.h"

struct image_options {
	const char *path;
	bool read_only;
	bool direct;		/* O_DIRECT */
	unsigned block_size;	/* 512 or 4096; 0: what fits */
};

struct image {
	const char *path;	/* borrowed from the options */
	int fd;
	bool read_only;
	bool is_device;
	bool in_memory;		/* tmpfs and the like: an operation never waits for a disk */
	bool can_discard;
	unsigned block_size;	/* logical: positions and sizes are multiples of it */
	unsigned physical_size;	/* a multiple of block_size that is written without reading */
	unsigned optimal_size;	/* for streams; 0: not known */
	unsigned hole_size;	/* what can be deallocated is a multiple of it, in size and position */
	unsigned alignment;	/* of buffers, with O_DIRECT; 1 without */
	uint64_t capacity;	/* bytes, a multiple of block_size; changes only in the control thread, read in others with image_capacity */
};

/* 0, or a negative errno and in *why what could not be done, a few static words. */
int image_open (const struct image_options *, struct image *ret, const char **why);

/* Of an image that was not opened too. */
void image_close (struct image *);

static inline uint64_t
image_capacity (const struct image *image)
{
	return __atomic_load_n (&image->capacity, __ATOMIC_RELAXED);
}

/* Looks at the size again: 1 when it changed, 0, or a negative errno. */
int image_resize (struct image *);

/* Must the data of this READ or WRITE be copied, because O_DIRECT does not take its buffers? */
bool image_must_copy (const struct image *, const struct request *);

/* Does what a request asks for, all of it, and waits for it.  Any thread.  0 or a negative errno. */
int image_run (const struct image *, struct request *);

/*
 * What can be read without waiting for a disk, at once: advances the request.  Returns 0 when nothing is left, a negative errno, -EAGAIN when the rest has to
 * wait, -EOPNOTSUPP when the file system cannot say.
 */
int image_read_cached (const struct image *, struct request *);

/* Everything that was written is on stable storage.  May wait.  0 or a negative errno. */
int image_sync (const struct image *);

#endif
