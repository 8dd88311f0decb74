/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The calls into the Xen libraries, as a table: a test puts its own in place of those that it wants to fail.  Each entry is the library's function of the
 * like name, with the library's contract (failures are NULL or -1, with errno).
 */
#ifndef XEN_CALLS_H
#define XEN_CALLS_H

#include <stdint.h>

#include <xenctrl.h>
#include <xenforeignmemory.h>
#include <xengnttab.h>

struct xen_calls {
	xengnttab_handle *(*grant_open) (struct xentoollog_logger *, unsigned flags);
	int (*grant_close) (xengnttab_handle *);
	void *(*grant_map) (xengnttab_handle *, uint32_t n, uint32_t *domids, uint32_t *refs, int prot);
	int (*grant_unmap) (xengnttab_handle *, void *, uint32_t n);
	int (*grant_copy) (xengnttab_handle *, uint32_t n, xengnttab_grant_copy_segment_t *);

	xenforeignmemory_handle *(*foreign_open) (struct xentoollog_logger *, unsigned flags);
	int (*foreign_close) (xenforeignmemory_handle *);
	void *(*foreign_map) (xenforeignmemory_handle *, uint32_t domid, void *at, int prot, int flags, size_t n, const xen_pfn_t *gfns, int *errors);
	int (*foreign_unmap) (xenforeignmemory_handle *, void *, size_t n);

	xc_interface *(*control_open) (xentoollog_logger *, xentoollog_logger *, unsigned flags);
	int (*control_close) (xc_interface *);
	int (*control_domains) (xc_interface *, uint32_t first, unsigned max, xc_domaininfo_t *);
};

/* The libraries themselves. */
extern const struct xen_calls xen_calls_real;

#endif
