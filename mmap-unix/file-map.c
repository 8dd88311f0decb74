/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mapping a file that a front-end passed.  The mapping keeps the file alive, so the fd is not kept.
 *
 *	file      |           offset |<------- size ------->|           |
 *	mapping        |<- delta --->|<------- size ------->|pad|            both ends at page boundaries; huge pages on hugetlbfs
 *	               mapping       host
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory/guard.h"
#include "mmap-unix/file-map.h"
#include "util/checked.h"
#include "util/fd.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

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

/* --- the mapping --- */

/* The part of the file to map: from *offset, mapping_size bytes. */
static int
align_part (struct region *r, int fd, uint64_t *offset)
{
	const struct vh_region *spec = &r->spec;
	uint64_t page = 0, end;
	int err = fd_page_size (fd, &page);

	if (err < 0)
		return err;
	*offset = spec->offset & ~(page - 1);
	if (!checked_add (spec->offset - *offset + spec->size, page - 1, &end))
		return -EINVAL;
	if ((end & ~(page - 1)) > SIZE_MAX)
		return -ENOMEM;
	r->mapping_size = (size_t) (end & ~(page - 1));
	return 0;
}

static int
map_part (struct region *r, int fd, uint64_t offset)
{
	void *mapping = mmap (NULL, r->mapping_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, (off_t) offset);

	if (mapping == MAP_FAILED)
		return -errno;
	/* A guest's memory does not belong in our core dumps; where this fails they are only larger. */
	madvise (mapping, r->mapping_size, MADV_DONTDUMP);
	r->mapping = mapping;
	r->host = (unsigned char *) mapping + (r->spec.offset - offset);
	return 0;
}

int
file_map (struct region *r, int fd)
{
	uint64_t offset = 0;
	int err = check_file (&r->spec, fd);

	if (err == 0)
		err = align_part (r, fd, &offset);
	if (err == 0)
		err = map_part (r, fd, offset);
	if (err < 0)
		return err;
	err = guard_add (r->mapping, r->mapping_size, &r->lost);
	if (err < 0) {
		munmap (r->mapping, r->mapping_size);
		r->mapping = NULL;
		r->host = NULL;
	}
	return err;
}

void
file_unmap (struct region *r)
{
	guard_remove (r->mapping);
	munmap (r->mapping, r->mapping_size);
	r->mapping = NULL;
	r->host = NULL;
}
