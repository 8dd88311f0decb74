/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest memory in a memfd.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

static size_t
round_up (size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

int
guest_init (struct guest *g, size_t size, unsigned regions, size_t least)
{
	size_t page = sysconf (_SC_PAGESIZE);
	void *host;

	memset (g, 0, sizeof (*g));
	g->regions = regions;
	g->region_size = round_up (size / regions + 1 > least ? size / regions + 1 : least, page);
	g->size = g->region_size * regions;
	g->fd = memfd_create ("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (g->fd < 0 || ftruncate (g->fd, g->size) < 0) {
		guest_free (g);
		return -errno;
	}
	host = mmap (NULL, g->size, PROT_READ | PROT_WRITE, MAP_SHARED, g->fd, 0);
	if (host == MAP_FAILED) {
		guest_free (g);
		return -errno;
	}
	g->host = host;
	return 0;
}

void
guest_free (struct guest *g)
{
	int err = errno;

	if (g->host)
		munmap (g->host, g->size);
	if (g->fd >= 0)
		close (g->fd);
	g->host = NULL;
	g->fd = -1;
	errno = err;
}

int
guest_alloc (struct guest *g, size_t size, size_t align, bool whole, uint64_t *addr)
{
	size_t start = round_up (g->taken, align);

	if (whole && start / g->region_size != (start + size - 1) / g->region_size)
		start = round_up (start, g->region_size);	/* a multiple of the page size, so still aligned */
	if (size > g->size || start > g->size - size || (whole && size > g->region_size))
		return -ENOMEM;
	g->taken = start + size;
	*addr = GUEST_BASE + start;
	return 0;
}

/* --- sharing --- */

static void
describe_region (const struct guest *g, unsigned i, struct vh_region *r)
{
	size_t start = g->region_size * i;

	*r = (struct vh_region){
		.guest_addr = GUEST_BASE + start, .size = g->region_size, .user_addr = (uintptr_t) g->host + start, .offset = start, .fd = g->fd,
	};
}

static int
share_table (const struct guest *g, struct vh_frontend *f)
{
	struct vh_region regions[VH_MAX_TABLE_REGIONS];

	if (g->regions > VH_MAX_TABLE_REGIONS)
		return -E2BIG;
	for (unsigned i = 0; i < g->regions; i++)
		describe_region (g, i, &regions[i]);
	return vh_frontend_set_mem_table (f, regions, g->regions);
}

static int
share_slots (const struct guest *g, struct vh_frontend *f)
{
	struct vh_region region;
	unsigned slots;
	int err = vh_frontend_get_max_mem_slots (f, &slots);

	if (err == 0 && g->regions > slots)
		err = -E2BIG;
	for (unsigned i = 0; err == 0 && i < g->regions; i++) {
		describe_region (g, i, &region);
		err = vh_frontend_add_mem_region (f, &region);
	}
	return err;
}

int
guest_share (const struct guest *g, struct vh_frontend *f)
{
	return vh_frontend_protocol_features (f) & VH_BIT (VH_P_CONFIGURE_MEM_SLOTS) ? share_slots (g, f) : share_table (g, f);
}
