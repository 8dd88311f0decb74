/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest's memory, told to the back-end: as a table, or region by region.
 */
#include <errno.h>

#include "device/device.h"
#include "frontend/frontend.h"
#include "util/checked.h"

static bool
xen_in_force (const struct vh_frontend *f)
{
	return f->protocol & VH_BIT (VH_P_XEN_MMAP);
}

static bool
region_valid (const struct vh_region *r)
{
	uint64_t end;

	return r->size > 0 && checked_add (r->guest_addr, r->size, &end) && checked_add (r->user_addr, r->size, &end) &&
	       checked_add (r->offset, r->size, &end);
}

bool
regions_valid (const struct vh_region *regions, unsigned n)
{
	if (n < 1)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (!region_valid (&regions[i]) || regions[i].fd < 0)
			return false;
	return dev_regions_valid (regions, n);
}

bool
memory_table_valid (const struct vh_region *regions, unsigned n)
{
	return n <= VH_MAX_TABLE_REGIONS && regions_valid (regions, n);
}

int
vh_frontend_set_mem_table (struct vh_frontend *f, const struct vh_region *regions, unsigned n)
{
	struct message m;

	if (!memory_table_valid (regions, n))
		return call_refuse (f, REQUEST_SET_MEM_TABLE, -EINVAL);
	call_init (&m, REQUEST_SET_MEM_TABLE);
	message_put_mem_table (&m, xen_in_force (f), regions, n);
	for (unsigned i = 0; i < n; i++)
		m.fds[m.n_fds++] = regions[i].fd;
	return call (f, &m, NULL, NULL);
}

int
vh_frontend_add_mem_region (struct vh_frontend *f, const struct vh_region *region)
{
	struct message m;

	if (!region_valid (region) || region->fd < 0)
		return call_refuse (f, REQUEST_ADD_MEM_REG, -EINVAL);
	call_init (&m, REQUEST_ADD_MEM_REG);
	message_put_mem_region (&m, xen_in_force (f), region);
	m.fds[m.n_fds++] = region->fd;
	return call (f, &m, NULL, NULL);
}

int
vh_frontend_remove_mem_region (struct vh_frontend *f, const struct vh_region *region)
{
	struct message m;

	if (!region_valid (region))
		return call_refuse (f, REQUEST_REM_MEM_REG, -EINVAL);
	call_init (&m, REQUEST_REM_MEM_REG);
	message_put_mem_region (&m, xen_in_force (f), region);
	return call (f, &m, NULL, NULL);
}
