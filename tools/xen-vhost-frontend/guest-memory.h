/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a back-end gets at the memory of a guest's device: what regions there are, with the fds that belong to them, and the little that this program itself
 * reads there.  Used by the device's link, in its thread.
 */
#ifndef XVF_GUEST_MEMORY_H
#define XVF_GUEST_MEMORY_H

#include "link.h"
#include "ram.h"

enum memory_mode { MEMORY_GRANT, MEMORY_FOREIGN };

struct guest_memory;

/*
 * on_demand: the flag for "no map in advance", see regions.h.  ram: the guest's, for MEMORY_FOREIGN, borrowed.  0 and *ret, or a negative errno.
 */
int guest_memory_new (uint32_t domid, enum memory_mode, uint32_t on_demand, struct ram *ram, struct guest_memory **ret);
void guest_memory_free (struct guest_memory *);

/* As the link wants it. */
struct link_memory guest_memory_for_link (struct guest_memory *);

#endif
