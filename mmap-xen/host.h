/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * This process's way to the hypervisor: handles of the Xen libraries, which all regions share, and the counters.  The handles are opened by the first
 * region that needs them and closed with the last.  One handle for all regions makes it possible to map the grants of several regions in one call, and
 * costs three file descriptors however many regions there are.  All writable global data of this memory model is here and in host.c.
 */
#ifndef XEN_HOST_H
#define XEN_HOST_H

#include "memory/map.h"
#include "mmap-xen/calls.h"

/* Xen's pages, whatever the size of this machine's own. */
#define XEN_PAGE_SHIFT 12
#define XEN_PAGE 4096u

/* How many pieces of room for copies are kept: one for each worker that is busy, and not many, since each may hold a megabyte. */
#define HOST_ROOMS 8

struct host {
	const struct xen_calls *calls;
	xengnttab_handle *grants;		/* NULL before host_enter (HOST_GRANTS) */
	xenforeignmemory_handle *foreign;	/* NULL before host_enter (HOST_FOREIGN) */
	bool can_copy;				/* grants can be copied; with grants */
	xc_interface *control;			/* NULL where we lack the privilege */
	struct vh_memory_counters counters;		/* atomic */
	unsigned char *rooms[HOST_ROOMS];	/* atomic: room for copies that nobody uses now, see copy.h */
	uint32_t leased;			/* atomic: grants that leases hold, pages of their copies, and what is about to be so */
};

/* Valid between host_enter and host_leave. */
extern struct host host;

enum host_part { HOST_GRANTS, HOST_FOREIGN };

/*
 * Called for each region before it uses the part's handle.  Any thread.  0; or the negative errno of opening the device: -ENOENT, -EACCES, ... when this
 * is no Xen host, or not for us.
 */
int host_enter (enum host_part);
void host_leave (void);

/* For tests: other calls than the real ones; NULL: the real ones.  Only while there is no region. */
void host_set_calls (const struct xen_calls *);

static inline void
host_count (uint64_t *counter, uint64_t n)
{
	__atomic_add_fetch (counter, n, __ATOMIC_RELAXED);
}

#endif
