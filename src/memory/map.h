/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a memory model provides: how guest memory comes into this process.  Exactly one implementation is linked, mmap-unix/ or mmap-xen/; nothing above
 * knows which.
 *
 * A region is either mapped in advance (region->host is set, and accesses are arithmetic: nothing here is called on the request path), or on demand
 * (region->host is NULL): then a ring maps the parts of a whole batch of requests with one map_ranges, and the lease it gets ends before the requests are
 * published as used.
 */
#ifndef MEMORY_MAP_H
#define MEMORY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory/region.h"

/* "unix" or "xen". */
extern const char map_model_name[];

/* Bits of the protocol that this model adds: VH_P_XEN_MMAP or 0. */
uint64_t map_protocol_features (void);

/*
 * Maps a region in advance where the model and the region's flags can, and sets region->host; keeps what it needs in region->model.  fd is borrowed.
 * On failure nothing is kept.  0; -EINVAL: flags or fd of a kind that cannot be guest memory; -EFAULT: beyond the end of the file; system errors.
 */
int map_region (struct region *, int fd);

/* Undoes map_region; never fails. */
void unmap_region (struct region *);

/* A piece of guest memory to map on demand: `size` bytes at `addr`, all inside `region`. */
struct range {
	struct region *region;
	uint64_t addr;		/* guest address, as in a descriptor */
	uint32_t size;
	bool write;		/* the device writes there: without it the mapping is read-only */
	void *host;		/* out: where it is now */
};

/* What map_ranges gave; the model's own. */
struct lease;

/*
 * Maps n ranges, with as few system calls as the model can, and sets each one's host.  All or nothing.  0 and *ret; -EAGAIN: too much is mapped now, by
 * whomever, try again when a lease has ended; -EFAULT: a range that the guest did not grant; -ENOMEM: so much can never be mapped, or there is no memory.
 */
int map_ranges (struct range *ranges, unsigned n, struct lease **ret);

/* Ends a lease: nothing of it may be touched any more. */
void unmap_lease (struct lease *);

/* What the model did since the process started, for statistics. */
struct map_counters {
	uint64_t map_calls, unmap_calls;
	uint64_t grants_mapped, grants_unmapped, grants_live;
	uint64_t foreign_frames;
	uint64_t failures;
};
void map_get_counters (struct map_counters *ret);

#endif
