/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether the domain that owns a region still lives.
 */
#ifndef XEN_DOMAIN_H
#define XEN_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "memory/region.h"

/* 0: it lives, or we are not allowed to know; -ESRCH: there is no such domain, or it is dying; -EINVAL: no domain has such a number. */
int domain_check (uint32_t domid);

/*
 * Asks for the region's domain; when it is gone, the region counts as lost, like a file that shrank: rings that use it stop.  True while it lives.
 * Mappings that there are stay valid until they are undone.
 */
bool domain_check_region (struct region *);

#endif
