/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Foreign regions: a guest's frames, mapped by the hypervisor's leave alone.
 */
#ifndef XEN_FOREIGN_H
#define XEN_FOREIGN_H

#include "memory/region.h"

/*
 * Maps the whole region and sets region->host.  0; -EFAULT: some of its frames are not the guest's memory; -ESRCH: no such domain; -EINVAL: not a guest's;
 * -EAGAIN: frames are paged out, and stay so; -ENOMEM; system errors.
 */
int foreign_map (struct region *);
void foreign_unmap (struct region *);

#endif
