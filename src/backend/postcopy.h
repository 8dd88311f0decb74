/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What postcopy live migration adds to the back-end: pages of guest memory that are not there yet, and that the front-end brings when they are touched.
 * Exactly one implementation is linked: postcopy/, which knows userfaultfd, or postcopy-none.c.  The order of the messages is walk.c's.
 */
#ifndef BACKEND_POSTCOPY_H
#define BACKEND_POSTCOPY_H

#include <stdint.h>

#include "memory/table.h"

/* Bits of the protocol that it adds: VH_P_PAGEFAULT where the kernel has what it takes and this process may use it, else 0.  A few system calls. */
uint64_t postcopy_protocol_features (void);

/* One migration by postcopy, from POSTCOPY_ADVISE to POSTCOPY_END. */
struct postcopy;

/* 0 and *ret; -ENOMEM; -EOPNOTSUPP, -EPERM or another negative errno when the kernel has no userfaultfd for us. */
int postcopy_new (struct postcopy **ret);

/* The fd on which the front-end hears of missing pages; the object's. */
int postcopy_fd (const struct postcopy *);

/*
 * From now on whoever touches a missing page of the table's regions waits until the front-end has brought it.  To be called before anybody has access to them.
 * Keeps them until the next call but one, so that postcopy_abandon reaches those that rings may still use.  0, or a negative errno; then some of the regions
 * may be registered, and the table must not be used.
 */
int postcopy_register (struct postcopy *, struct vh_memory *);

/*
 * The front-end is gone, and with it the pages that are missing: all regions become lost (see region.h), and whoever waits for a page goes on, with a
 * SIGBUS that the guard takes, or an I/O error.  May be called again.
 */
void postcopy_abandon (struct postcopy *);

/* All pages are there: whoever waits still goes on.  NULL is fine. */
void postcopy_free (struct postcopy *);

#endif
