/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The calls into the Xen libraries; see calls.h.
 */
#include "mmap-xen/calls.h"

const struct xen_calls xen_calls_real = {
	.grant_open = xengnttab_open,
	.grant_close = xengnttab_close,
	.grant_map = xengnttab_map_grant_refs,
	.grant_unmap = xengnttab_unmap,
	.grant_copy = xengnttab_grant_copy,
	.foreign_open = xenforeignmemory_open,
	.foreign_close = xenforeignmemory_close,
	.foreign_map = xenforeignmemory_map2,
	.foreign_unmap = xenforeignmemory_unmap,
	.control_open = xc_interface_open,
	.control_close = xc_interface_close,
	.control_domains = xc_domain_getinfolist,
};
