/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether the domain that owns a region still lives; see domain.h.
 */
#include "mmap-xen/domain.h"

#include <errno.h>

#include "memory/guard.h"
#include "mmap-xen/host.h"

int
domain_check (uint32_t domid)
{
	xc_domaininfo_t info;
	int n;

	if (domid >= DOMID_FIRST_RESERVED)
		return -EINVAL;
	if (!host.control)
		return 0;
	n = host.calls->control_domains (host.control, domid, 1, &info);
	if (n < 0)
		return 0;
	/* Xen answers with the next domain that there is. */
	if (n == 0 || info.domain != domid || (info.flags & XEN_DOMINF_dying))
		return -ESRCH;
	return 0;
}

bool
domain_check_region (struct region *r)
{
	if (domain_check (r->spec.xen_domid) != -ESRCH)
		return true;
	guard_lose (&r->lost);
	return false;
}
