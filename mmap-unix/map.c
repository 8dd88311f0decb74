/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory model "unix": every region is a file that the front-end passed, mapped as a whole when it arrives.
 */
#include <errno.h>
#include <string.h>

#include "memory/map.h"
#include "mmap-unix/file-map.h"

const char map_model_name[] = "unix";

uint64_t
map_protocol_features (void)
{
	return 0;
}

int
map_region (struct region *r, int fd)
{
	/* Xen's kinds of region are another model's. */
	return r->spec.xen_flags == 0 ? file_map (r, fd) : -EINVAL;
}

void
unmap_region (struct region *r)
{
	file_unmap (r);
}

uint32_t
map_copy_limit (void)
{
	return 0;
}

int
map_ranges (struct range *ranges, unsigned n, struct lease **ret)
{
	/* Never called: every region of this model has its host address, so there is no range to map. */
	return -EFAULT;
}

int
map_write_back (const struct range *ranges, unsigned n)
{
	return 0;
}

void
unmap_lease (struct lease *lease)
{
	/* There are none. */
}

unsigned
map_watch_ms (void)
{
	/* A file outlives the guest that it was the memory of. */
	return 0;
}

int
map_check (struct region *r)
{
	return 0;
}

void
map_get_counters (struct vh_memory_counters *ret)
{
	memset (ret, 0, sizeof (*ret));
}
