/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory of a guest's device; see guest-memory.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xenforeignmemory.h>
#include <xengnttab.h>

#include "guest-memory.h"
#include "regions.h"

#define PAGE_SHIFT 12

struct guest_memory {
	uint32_t domid;
	enum memory_mode mode;
	uint32_t on_demand;
	struct ram *ram;
	xenforeignmemory_handle *foreign;
	xengnttab_handle *grants;
};

/* --- regions --- */

/* A back-end may use the fd it is sent, or open the device by itself; so each region has the device that its kind is mapped through. */
static int
open_fds (enum memory_mode mode, struct vh_region *regions, int n)
{
	const char *path = mode == MEMORY_GRANT ? "/dev/xen/gntdev" : "/dev/xen/privcmd";

	for (int i = 0; i < n; i++) {
		regions[i].fd = open (path, O_RDWR | O_CLOEXEC);
		if (regions[i].fd < 0) {
			int err = -errno;

			while (i-- > 0)
				close (regions[i].fd);
			return err;
		}
	}
	return n;
}

static unsigned
ring_areas (const struct link_driver *d, struct area *areas)
{
	bool packed = d->features & VH_BIT (VH_F_RING_PACKED);
	unsigned n = 0;

	for (unsigned i = 0; i < d->rings; i++) {
		const struct link_ring *r = &d->ring[i];

		if (!r->ready)
			continue;
		areas[n++] = (struct area){ r->desc, ring_area_size (packed, r->size, RING_DESC) };
		areas[n++] = (struct area){ r->driver, ring_area_size (packed, r->size, RING_DRIVER) };
		areas[n++] = (struct area){ r->device, ring_area_size (packed, r->size, RING_DEVICE) };
	}
	return n;
}

static int
grant_regions (struct guest_memory *m, const struct link_driver *driver, struct vh_region *regions, unsigned max)
{
	struct area areas[RING_AREAS * VH_MAX_RINGS];

	return regions_of_grants (m->domid, m->on_demand, areas, driver ? ring_areas (driver, areas) : 0, regions, max);
}

static int
foreign_regions (struct guest_memory *m, const struct link_driver *driver, struct vh_region *regions, unsigned max)
{
	struct area areas[RAM_MAX_AREAS];
	int n;

	/* It stays as it is when the rings go: no page is the back-end's more than another. */
	if (!driver)
		return 0;
	n = ram_areas (m->ram, areas);
	if (n == 0)
		return -EFAULT;
	return n < 0 ? n : regions_of_ram (m->domid, areas, n, regions, max);
}

static int
get_regions (void *opaque, const struct link_driver *driver, struct vh_region *regions, unsigned max)
{
	struct guest_memory *m = opaque;
	int n = m->mode == MEMORY_GRANT ? grant_regions (m, driver, regions, max) : foreign_regions (m, driver, regions, max);

	return n > 0 ? open_fds (m->mode, regions, n) : n;
}

/* --- reading --- */

static const void *
map_page (struct guest_memory *m, uint64_t addr)
{
	uint64_t page = (addr & ~GRANT_BIT) >> PAGE_SHIFT;
	xen_pfn_t gfn = page;

	if (m->mode == MEMORY_GRANT)
		return xengnttab_map_grant_ref (m->grants, m->domid, (uint32_t) page, PROT_READ);
	return xenforeignmemory_map (m->foreign, m->domid, PROT_READ, 1, &gfn, NULL);
}

static void
unmap_page (struct guest_memory *m, const void *page)
{
	if (m->mode == MEMORY_GRANT)
		xengnttab_unmap (m->grants, (void *) page, 1);
	else
		xenforeignmemory_unmap (m->foreign, (void *) page, 1);
}

static int
read_index (void *opaque, uint64_t addr, uint16_t *ret)
{
	struct guest_memory *m = opaque;
	unsigned offset = addr % GRANT_PAGE;
	const unsigned char *page;

	/* Its alignment keeps it inside a page. */
	if (offset % 2)
		return -EINVAL;
	page = map_page (m, addr);
	if (!page)
		return errno ? -errno : -EFAULT;
	*ret = __atomic_load_n ((const uint16_t *) (page + offset), __ATOMIC_ACQUIRE);
	unmap_page (m, page);
	return 0;
}

/* --- the object --- */

int
guest_memory_new (uint32_t domid, enum memory_mode mode, uint32_t on_demand, struct ram *ram, struct guest_memory **ret)
{
	struct guest_memory *m = calloc (1, sizeof (*m));

	if (!m)
		return -ENOMEM;
	*m = (struct guest_memory){ .domid = domid, .mode = mode, .on_demand = on_demand, .ram = ram };
	if (mode == MEMORY_GRANT)
		m->grants = xengnttab_open (NULL, 0);
	else
		m->foreign = xenforeignmemory_open (NULL, 0);
	if (!m->grants && !m->foreign) {
		int err = errno ? -errno : -EIO;

		free (m);
		return err;
	}
	*ret = m;
	return 0;
}

void
guest_memory_free (struct guest_memory *m)
{
	if (!m)
		return;
	if (m->grants)
		xengnttab_close (m->grants);
	if (m->foreign)
		xenforeignmemory_close (m->foreign);
	free (m);
}

struct link_memory
guest_memory_for_link (struct guest_memory *m)
{
	return (struct link_memory){ .opaque = m, .xen = true, .regions = get_regions, .read_index = read_index };
}
