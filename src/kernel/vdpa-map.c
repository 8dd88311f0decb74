/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of vDPA devices: single mappings, and the guest's regions kept in step with a table.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <vhost/vdpa.h>

#include "device/device.h"
#include "kernel/kernel.h"
#include "util/checked.h"

int
vh_vdpa_dma_map (struct vh_kernel *k, unsigned asid, uint64_t iova, uint64_t size, uint64_t user_addr, unsigned access)
{
	return vh_kernel_send_iotlb (k, &(struct vh_kernel_iotlb){
						.type = VH_IOTLB_UPDATE, .asid = asid, .iova = iova, .size = size, .user_addr = user_addr, .access = access,
					});
}

int
vh_vdpa_dma_unmap (struct vh_kernel *k, unsigned asid, uint64_t iova, uint64_t size)
{
	return vh_kernel_send_iotlb (k, &(struct vh_kernel_iotlb){ .type = VH_IOTLB_INVALIDATE, .asid = asid, .iova = iova, .size = size });
}

static int
send_batch (struct vh_kernel *k, unsigned asid, uint8_t type)
{
	if (!kernel_has (k, VH_BACKEND_IOTLB_BATCH))
		return 0;
	return vh_kernel_send_iotlb (k, &(struct vh_kernel_iotlb){ .type = type, .asid = asid });
}

int
vh_vdpa_dma_begin (struct vh_kernel *k, unsigned asid)
{
	return send_batch (k, asid, VH_IOTLB_BATCH_BEGIN);
}

int
vh_vdpa_dma_end (struct vh_kernel *k, unsigned asid)
{
	return send_batch (k, asid, VH_IOTLB_BATCH_END);
}

/* --- a table --- */

struct vh_vdpa_map {
	struct vh_kernel *kernel;
	unsigned asid;
	struct dev_memory mapped;	/* without fds */
};

int
vh_vdpa_map_new (struct vh_kernel *k, unsigned asid, struct vh_vdpa_map **ret)
{
	struct vh_vdpa_map *m = calloc (1, sizeof (*m));

	if (!m)
		return -ENOMEM;
	m->kernel = k;
	m->asid = asid;
	*ret = m;
	return 0;
}

/* Old kernels do not tell the range; then the device's limit is found out by trying. */
static int
check_range (struct vh_vdpa_map *m, const struct vh_region *regions, unsigned n)
{
	uint64_t first = 0, last = UINT64_MAX;
	int err = vh_vdpa_get_iova_range (m->kernel, &first, &last);

	if (err < 0 && err != -EOPNOTSUPP)
		return err;
	for (unsigned i = 0; i < n; i++)
		if (regions[i].guest_addr < first || regions[i].guest_addr + (regions[i].size - 1) > last)
			return error_words (&m->kernel->error, -ERANGE,
					    "memory at 0x%llx is outside of what the device can address, 0x%llx to 0x%llx",
					    (unsigned long long) regions[i].guest_addr, (unsigned long long) first, (unsigned long long) last);
	return 0;
}

static int
check_regions (struct vh_vdpa_map *m, const struct vh_region *regions, unsigned n)
{
	uint64_t page = sysconf (_SC_PAGESIZE);

	if (n > VH_MAX_REGIONS || !dev_regions_valid (regions, n))
		return error_words (&m->kernel->error, -EINVAL, "regions of memory that are empty, wrap or overlap");
	for (unsigned i = 0; i < n; i++)
		if ((regions[i].guest_addr | regions[i].size | regions[i].user_addr) % page)
			return error_words (&m->kernel->error, -EINVAL, "memory at 0x%llx does not consist of whole pages",
					    (unsigned long long) regions[i].guest_addr);
	return check_range (m, regions, n);
}

static int
unmap_one (struct vh_vdpa_map *m, const struct vh_region *r)
{
	return vh_vdpa_dma_unmap (m->kernel, m->asid, r->guest_addr, r->size);
}

static int
map_one (struct vh_vdpa_map *m, const struct vh_region *r)
{
	return vh_vdpa_dma_map (m->kernel, m->asid, r->guest_addr, r->size, r->user_addr, VH_ACCESS_RW);
}

/* First what goes, since what comes may lie there. */
static int
change (struct vh_vdpa_map *m, const struct dev_memory *from, const struct dev_memory *to)
{
	int err = 0;

	for (unsigned i = 0; err == 0 && i < from->n; i++)
		if (!dev_memory_has (to, &from->regions[i]))
			err = unmap_one (m, &from->regions[i]);
	for (unsigned i = 0; err == 0 && i < to->n; i++)
		if (!dev_memory_has (from, &to->regions[i]))
			err = map_one (m, &to->regions[i]);
	return err;
}

/* Back from a change that failed somewhere: to unmap what is not mapped does no harm. */
static void
restore (struct vh_vdpa_map *m, const struct dev_memory *from, const struct dev_memory *to)
{
	for (unsigned i = 0; i < to->n; i++)
		if (!dev_memory_has (from, &to->regions[i]))
			unmap_one (m, &to->regions[i]);
	for (unsigned i = 0; i < from->n; i++)
		if (!dev_memory_has (to, &from->regions[i])) {
			unmap_one (m, &from->regions[i]);
			map_one (m, &from->regions[i]);
		}
}

/* A device that takes batches may refuse at the end of one, and then gets another one to go back. */
static int
change_in_batch (struct vh_vdpa_map *m, const struct dev_memory *from, const struct dev_memory *to)
{
	struct error words;
	int err = vh_vdpa_dma_begin (m->kernel, m->asid);

	if (err < 0)
		return err;
	err = change (m, from, to);
	if (err == 0)
		err = vh_vdpa_dma_end (m->kernel, m->asid);
	if (err == 0)
		return 0;
	words = m->kernel->error;
	vh_vdpa_dma_end (m->kernel, m->asid);
	vh_vdpa_dma_begin (m->kernel, m->asid);
	restore (m, from, to);
	vh_vdpa_dma_end (m->kernel, m->asid);
	m->kernel->error = words;
	return err;
}

int
vh_vdpa_map_set (struct vh_vdpa_map *m, const struct vh_region *regions, unsigned n)
{
	struct dev_memory next = { .n = n }, before = m->mapped;
	int err = check_regions (m, regions, n);

	if (err < 0)
		return err;
	next.regions = calloc (n ? n : 1, sizeof (*regions));
	if (!next.regions)
		return error_set (&m->kernel->error, -ENOMEM, "regions of memory");
	for (unsigned i = 0; i < n; i++) {
		next.regions[i] = regions[i];
		next.regions[i].fd = -1;
	}
	err = change_in_batch (m, &before, &next);
	if (err == 0)
		m->mapped = next;
	free (err == 0 ? before.regions : next.regions);
	return err;
}

void
vh_vdpa_map_forget (struct vh_vdpa_map *m)
{
	dev_memory_drop (&m->mapped);
}

void
vh_vdpa_map_free (struct vh_vdpa_map *m)
{
	if (!m)
		return;
	if (m->mapped.n > 0)
		vh_vdpa_map_set (m, NULL, 0);
	dev_memory_drop (&m->mapped);
	free (m);
}
