/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mapping a file that a front-end passed.  The mapping keeps the file alive, so the fd is not kept.
 *
 *	file      |           offset |<------- size ------->|           |
 *	mapping        |<- delta --->|<------- size ------->|pad|            both ends at page boundaries; huge pages on hugetlbfs
 *	               base          host
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "memory/guard.h"
#include "mmap-unix/file-map.h"
#include "util/checked.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

/* What region->model points to. */
struct file_mapping {
	void *base;
	size_t length;
};

/* --- what was passed --- */

static bool
is_writable (int fd)
{
	int flags = fcntl (fd, F_GETFL);
	int seals = fcntl (fd, F_GET_SEALS);

	if (flags < 0 || (flags & O_ACCMODE) != O_RDWR)
		return false;
	/* Files that cannot be sealed answer -1. */
	return seals < 0 || !(seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE));
}

/* A region that the file does not cover would be a SIGBUS later. */
static int
check_file (const struct vh_region *spec, int fd)
{
	struct stat st;
	uint64_t end;

	if (fstat (fd, &st) < 0)
		return -errno;
	if (!S_ISREG (st.st_mode) || !is_writable (fd) || !checked_add (spec->offset, spec->size, &end))
		return -EINVAL;
	return st.st_size < 0 || end > (uint64_t) st.st_size ? -EFAULT : 0;
}

/* To what a mapping of this file must be aligned. */
static int
file_page_size (int fd, uint64_t *ret)
{
	struct statfs fs;

	if (fstatfs (fd, &fs) < 0)
		return -errno;
	*ret = fs.f_type == HUGETLBFS_MAGIC ? (uint64_t) fs.f_bsize : (uint64_t) sysconf (_SC_PAGESIZE);
	return is_power_of_two (*ret) ? 0 : -EINVAL;
}

/* --- the mapping --- */

/* The part of the file to map: from *offset, map->length bytes. */
static int
align_part (const struct vh_region *spec, int fd, struct file_mapping *map, uint64_t *offset)
{
	uint64_t page = 0, end;
	int err = file_page_size (fd, &page);

	if (err < 0)
		return err;
	*offset = spec->offset & ~(page - 1);
	if (!checked_add (spec->offset - *offset + spec->size, page - 1, &end))
		return -EINVAL;
	if ((end & ~(page - 1)) > SIZE_MAX)
		return -ENOMEM;
	map->length = (size_t) (end & ~(page - 1));
	return 0;
}

static int
map_part (struct file_mapping *map, int fd, uint64_t offset)
{
	map->base = mmap (NULL, map->length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, (off_t) offset);
	if (map->base == MAP_FAILED)
		return -errno;
	/* A guest's memory does not belong in our core dumps; where this fails they are only larger. */
	madvise (map->base, map->length, MADV_DONTDUMP);
	return 0;
}

static int
map_guarded (struct region *r, struct file_mapping *map, int fd)
{
	uint64_t offset = 0;
	int err = align_part (&r->spec, fd, map, &offset);

	if (err == 0)
		err = map_part (map, fd, offset);
	if (err < 0)
		return err;
	r->host = (unsigned char *) map->base + (r->spec.offset - offset);
	err = guard_add (map->base, map->length, &r->lost);
	if (err < 0)
		munmap (map->base, map->length);
	return err;
}

int
file_map (struct region *r, int fd)
{
	struct file_mapping *map;
	int err = check_file (&r->spec, fd);

	if (err < 0)
		return err;
	map = malloc (sizeof (*map));
	if (!map)
		return -ENOMEM;
	err = map_guarded (r, map, fd);
	if (err < 0) {
		r->host = NULL;
		free (map);
		return err;
	}
	r->model = map;
	return 0;
}

void
file_unmap (struct region *r)
{
	struct file_mapping *map = r->model;

	guard_remove (map->base);
	munmap (map->base, map->length);
	free (map);
	r->model = NULL;
	r->host = NULL;
}
