/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory model of Xen: what a region's flags say decides how it is mapped.
 */
#include "memory/map.h"

#include <errno.h>

#include <vhost/protocol.h>

#include "mmap-unix/file-map.h"
#include "mmap-xen/domain.h"
#include "mmap-xen/foreign.h"
#include "mmap-xen/grant.h"

/*
 * "Do not map in advance" is 0x100 by the specification and 0x8 in rust-vmm's vm-memory, which xen-vhost-frontend uses: both are taken, and nothing else
 * is ever in their place.
 */
#define NO_ADVANCE_MAP (VH_XEN_NO_ADVANCE_MAP | 0x8u)

/* A guest that dies keeps its pages for as long as we have them mapped, and its toolstack waits for that; asking costs a hypercall. */
#define WATCH_MS 500

enum kind { KIND_FILE, KIND_FOREIGN, KIND_GRANT, KIND_GRANT_ON_DEMAND, KIND_INVALID };

const char map_model_name[] = "xen";

uint64_t
map_protocol_features (void)
{
	return VH_BIT (VH_P_XEN_MMAP);
}

static enum kind
kind_of (uint32_t flags)
{
	bool on_demand = flags & NO_ADVANCE_MAP;

	switch (flags & ~NO_ADVANCE_MAP) {
	case 0:
		return on_demand ? KIND_INVALID : KIND_FILE;
	case VH_XEN_FOREIGN:
		return on_demand ? KIND_INVALID : KIND_FOREIGN;
	case VH_XEN_GRANT:
		return on_demand ? KIND_GRANT_ON_DEMAND : KIND_GRANT;
	default:
		return KIND_INVALID;
	}
}

int
map_region (struct region *r, int fd)
{
	/* For Xen's own kinds the front-end sends a device's fd; the Xen libraries open their own. */
	switch (kind_of (r->spec.xen_flags)) {
	case KIND_FILE:
		return file_map (r, fd);
	case KIND_FOREIGN:
		return foreign_map (r);
	case KIND_GRANT:
		return grant_region_map (r, true);
	case KIND_GRANT_ON_DEMAND:
		return grant_region_map (r, false);
	default:
		return -EINVAL;
	}
}

void
unmap_region (struct region *r)
{
	switch (kind_of (r->spec.xen_flags)) {
	case KIND_FILE:
		file_unmap (r);
		break;
	case KIND_FOREIGN:
		foreign_unmap (r);
		break;
	default:
		grant_region_unmap (r);
		break;
	}
}

unsigned
map_watch_ms (void)
{
	return WATCH_MS;
}

int
map_check (struct region *r)
{
	return kind_of (r->spec.xen_flags) == KIND_FILE || domain_check_region (r) ? 0 : -ESRCH;
}

void
map_get_counters (struct vh_memory_counters *ret)
{
	const struct vh_memory_counters *c = &host.counters;

	*ret = (struct vh_memory_counters){
		.map_calls = __atomic_load_n (&c->map_calls, __ATOMIC_RELAXED),
		.unmap_calls = __atomic_load_n (&c->unmap_calls, __ATOMIC_RELAXED),
		.copy_calls = __atomic_load_n (&c->copy_calls, __ATOMIC_RELAXED),
		.grants_mapped = __atomic_load_n (&c->grants_mapped, __ATOMIC_RELAXED),
		.grants_unmapped = __atomic_load_n (&c->grants_unmapped, __ATOMIC_RELAXED),
		.grants_live = __atomic_load_n (&c->grants_live, __ATOMIC_RELAXED),
		.foreign_frames = __atomic_load_n (&c->foreign_frames, __ATOMIC_RELAXED),
		.failures = __atomic_load_n (&c->failures, __ATOMIC_RELAXED),
	};
}
