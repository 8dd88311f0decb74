/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which regions a back-end is told of, so that it reaches the guest's memory: arithmetic only.
 *
 * foreign: the guest's RAM, in as many pieces as it has.
 * grant: a guest address is bit 63, a grant reference and the offset in its page.  The rings' pages are granted for as long as the rings are there, so they
 * are mapped in advance; all other references come and go with requests:
 *
 *	bit 63 | 0                                                                 2^44
 *	       |  on demand  | rings, in advance | on demand | rings |  on demand   |
 */
#ifndef XVF_REGIONS_H
#define XVF_REGIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <vhost/memory.h>

/* Grants are pages of 4 KiB, whatever pages the guest and we have. */
#define GRANT_PAGE UINT64_C (4096)
#define GRANT_BIT (UINT64_C (1) << 63)
#define GRANT_SPACE (UINT64_C (1) << 44)

struct area {
	uint64_t addr;
	uint64_t size;
};

/* Sizes of a ring's three areas, of `size` descriptors (virtio 1.2, 2.7 and 2.8). */
enum ring_area { RING_DESC, RING_DRIVER, RING_DEVICE, RING_AREAS };
uint64_t ring_area_size (bool packed, uint32_t size, enum ring_area);

/*
 * The regions of a guest that grants its memory: n areas of rings (sorted by this call; n may be 0), at most `max` regions.  When they would be more, all
 * is one region on demand.  on_demand: the flag for that, VH_XEN_NO_ADVANCE_MAP or what the back-end takes for it.  Their fds are -1.
 * Returns how many regions there are, or -EINVAL when an area is not in granted memory.
 */
int regions_of_grants (uint32_t domid, uint32_t on_demand, struct area *areas, unsigned n, struct vh_region *regions, unsigned max);

/* The regions of a guest whose RAM lies at n areas; of more than `max` the largest are taken.  Returns how many regions there are. */
int regions_of_ram (uint32_t domid, const struct area *ram, unsigned n, struct vh_region *regions, unsigned max);

#endif
