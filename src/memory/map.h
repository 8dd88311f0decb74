/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a memory model provides: how guest memory comes into this process.  Exactly one implementation is linked, one of the folders mmap-*; nothing
 * above knows which.
 *
 * A region is either mapped in advance (region->host is set, and accesses are arithmetic: nothing here is called on the request path), or on demand
 * (region->host is NULL): then a ring maps the parts of several requests with one map_ranges, and the lease it gets ends before the requests are published
 * as used.
 */
#ifndef MEMORY_MAP_H
#define MEMORY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory/region.h"

/* Its name, for people: "unix", say. */
extern const char map_model_name[];

/* Bits of the protocol that this model adds; 0: none. */
uint64_t map_protocol_features (void);

/*
 * Maps a region in advance where the model and the region's flags can, and sets region->host; keeps what it needs in region->model.  fd is borrowed.
 * On failure nothing is kept.  0; -EINVAL: flags or fd of a kind that cannot be guest memory; -EFAULT: beyond the end of the file; system errors.
 */
int map_region (struct region *, int fd);

/* Undoes map_region; never fails. */
void unmap_region (struct region *);

/*
 * A piece of guest memory to have on demand: `size` bytes at `addr`, all inside `region`.
 *
 * Where map_copy_limit allows it, a range may be a copy instead of a mapping: its host has what the guest had there when map_ranges was called, and what is
 * written to it reaches the guest by map_write_back.  In place of that, nothing of the guest's is held meanwhile.  A copy is aligned like the original: to
 * 64 bytes, and from a sector's size on to a page.
 */
struct range {
	struct region *region;
	uint64_t addr;		/* guest address, as in a descriptor */
	uint32_t size;
	bool write;		/* the device writes there: without it the mapping is read-only */
	bool copy;
	void *host;		/* out: where it is now */
};

/* What map_ranges gave; the model's own. */
struct lease;

/* Up to how many bytes of a request, together, are better copied than mapped; 0: this model has no copies.  It does not change while there are regions. */
uint32_t map_copy_limit (void);

/*
 * Maps or copies n ranges, with as few system calls as the model can, and sets each one's host.  All or nothing.  0 and *ret; -EAGAIN: too much is mapped
 * now, by whomever, try again when a lease has ended; -EFAULT: a range that the guest did not grant; -ENOMEM: so much can never be mapped, or there is no
 * memory.
 */
int map_ranges (struct range *ranges, unsigned n, struct lease **ret);

/* Gives the guest what was written to copies among the ranges, with as few system calls as the model can.  0; -EFAULT: not all of it could be given. */
int map_write_back (const struct range *ranges, unsigned n);

/* Ends a lease: nothing of it may be touched any more. */
void unmap_lease (struct lease *);

/*
 * How often, in milliseconds, whoever uses regions is to ask whether their guest still lives; 0: that need not be asked.
 * map_check asks for one: 0; -ESRCH: the guest is gone, and the region counts as lost from now on (see region.h).
 */
unsigned map_watch_ms (void);
int map_check (struct region *);

/* See vh_memory_get_counters. */
void map_get_counters (struct vh_memory_counters *ret);

#endif
