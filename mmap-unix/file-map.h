/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest memory that is a file: memfd, tmpfs, hugetlbfs, any regular file.  The memory model "unix" knows nothing else; "xen" has it for regions without
 * Xen flags.
 */
#ifndef MMAP_UNIX_FILE_MAP_H
#define MMAP_UNIX_FILE_MAP_H

#include "memory/region.h"

/*
 * Maps the region's bytes of the file, sets region->host and region->mapping, and enters the mapping in the SIGBUS guard.  fd is borrowed.  On failure
 * nothing is kept.  0; -EINVAL: not a regular file, not open for reading and writing, sealed against writing, or sums that wrap; -EFAULT: beyond the end of the
 * file; -ENOMEM; errors of fstat, fstatfs and mmap.
 */
int file_map (struct region *, int fd);

/* Undoes file_map. */
void file_unmap (struct region *);

#endif
