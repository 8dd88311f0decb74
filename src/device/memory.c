/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest's memory as it was told to a device.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device/device.h"
#include "util/checked.h"
#include "util/fd.h"

/* Guest memory that one byte of the log is for (vhost-user, "Migration"). */
#define LOG_BYTE_COVERS (UINT64_C (4096) * 8)

static bool
region_valid (const struct vh_region *r)
{
	uint64_t end;

	return r->size > 0 && checked_add (r->guest_addr, r->size, &end) && checked_add (r->user_addr, r->size, &end);
}

static bool
regions_collide (const struct vh_region *a, const struct vh_region *b)
{
	return ranges_overlap (a->guest_addr, a->size, b->guest_addr, b->size) || ranges_overlap (a->user_addr, a->size, b->user_addr, b->size);
}

bool
dev_regions_valid (const struct vh_region *regions, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (!region_valid (&regions[i]))
			return false;
		for (unsigned k = 0; k < i; k++)
			if (regions_collide (&regions[i], &regions[k]))
				return false;
	}
	return true;
}

int
dev_memory_copy (struct dev_memory *m, const struct vh_region *regions, unsigned n)
{
	*m = (struct dev_memory){ .regions = calloc (n, sizeof (*regions)) };
	if (!m->regions)
		return -ENOMEM;
	for (; m->n < n; m->n++) {
		struct vh_region *r = &m->regions[m->n];

		*r = regions[m->n];
		r->fd = regions[m->n].fd < 0 ? -1 : fd_dup (regions[m->n].fd);
		if (r->fd < 0 && regions[m->n].fd >= 0) {
			int err = r->fd;

			dev_memory_drop (m);
			return err;
		}
	}
	return 0;
}

void
dev_memory_drop (struct dev_memory *m)
{
	for (unsigned i = 0; i < m->n; i++)
		fd_close (&m->regions[i].fd);
	free (m->regions);
	*m = (struct dev_memory){ 0 };
}

bool
dev_same_region (const struct vh_region *a, const struct vh_region *b)
{
	return a->guest_addr == b->guest_addr && a->size == b->size && a->user_addr == b->user_addr && a->offset == b->offset &&
	       a->xen_flags == b->xen_flags && a->xen_domid == b->xen_domid;
}

bool
dev_memory_has (const struct dev_memory *m, const struct vh_region *r)
{
	for (unsigned i = 0; i < m->n; i++)
		if (dev_same_region (&m->regions[i], r))
			return true;
	return false;
}

bool
dev_memory_guest (const struct dev_memory *m, uint64_t user_addr, uint64_t size, uint64_t *ret)
{
	for (unsigned i = 0; i < m->n; i++) {
		const struct vh_region *r = &m->regions[i];

		if (range_inside (user_addr, size, r->user_addr, r->size)) {
			*ret = r->guest_addr + (user_addr - r->user_addr);
			return true;
		}
	}
	return false;
}

bool
dev_log_covers (const struct vh_dev_log *log, const struct dev_memory *m)
{
	for (unsigned i = 0; i < m->n; i++) {
		uint64_t last = m->regions[i].guest_addr + m->regions[i].size - 1;

		if (last / LOG_BYTE_COVERS >= log->size)
			return false;
	}
	return true;
}
