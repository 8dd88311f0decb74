/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A memory model for tests: like "unix", but regions with VH_XEN_NO_ADVANCE_MAP are mapped on demand, each range by a mapping of its own that is gone when its
 * lease is: who touches it later, or writes where it may only read, gets a fault.  Copies are such mappings, too, but of other memory.
 */
#ifndef TESTS_UNIT_FAKE_MAP_H
#define TESTS_UNIT_FAKE_MAP_H

#include "memory/map.h"

struct fake_map {
	unsigned calls, ended;		/* map_ranges that succeeded, unmap_lease */
	unsigned failed;		/* map_ranges that did not */
	unsigned leases, ranges;	/* live now */
	unsigned writable;		/* ranges for writing, of all calls */
	unsigned room;			/* most ranges at a time: -EAGAIN beyond that */
	unsigned most;			/* most ranges of a call: -ENOMEM beyond that */
	uint64_t refused, refused_size;	/* guest addresses that were not granted: -EFAULT */
	uint32_t copy_limit;		/* of a request; 0: all is mapped */
	unsigned copies;		/* ranges that were copied */
	unsigned written;		/* ranges that map_write_back wrote ... */
	unsigned write_backs;		/* ... and how often it was called */
	int error;			/* what every call fails with; 0: none */
	void (*mapped) (void *);	/* called at the end of a map_ranges that succeeded */
	void (*ending) (void *);	/* called before a lease ends */
	void *opaque;
};

extern struct fake_map fake_map;

/* Nothing mapped yet, room for everything. */
void fake_map_reset (void);

#endif
