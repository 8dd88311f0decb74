/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Granted memory: map calls, and regions.  What is mapped on demand is in lease.c.
 */
#include "mmap-xen/grant.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "mmap-xen/domain.h"

int
grant_map (struct grant_map *m, uint32_t *domids, uint32_t *refs, uint32_t n, bool write)
{
	host_count (&host.counters.map_calls, 1);
	errno = 0;
	m->base = host.calls->grant_map (host.grants, n, domids, refs, write ? PROT_READ | PROT_WRITE : PROT_READ);
	if (!m->base) {
		host_count (&host.counters.failures, 1);
		/* What Linux says when Xen refused one of the references. */
		return errno == EINVAL ? -EFAULT : errno ? -errno : -EIO;
	}
	m->pages = n;
	host_count (&host.counters.grants_mapped, n);
	host_count (&host.counters.grants_live, n);
	return 0;
}

void
grant_unmap (struct grant_map *m)
{
	host_count (&host.counters.unmap_calls, 1);
	if (host.calls->grant_unmap (host.grants, m->base, m->pages)) {
		host_count (&host.counters.failures, 1);
		return;
	}
	host_count (&host.counters.grants_unmapped, m->pages);
	host_count (&host.counters.grants_live, -(uint64_t) m->pages);
}

static int
check_spec (const struct vh_region *spec)
{
	uint64_t addr = spec->guest_addr & ~GRANT_ADDR_BIT;

	if (spec->offset != 0 || addr >= GRANT_ADDR_END || spec->size > GRANT_ADDR_END - addr)
		return -EINVAL;
	return domain_check (spec->xen_domid);
}

static int
map_all (struct region *r)
{
	uint64_t n = grant_pages (r->spec.guest_addr, r->spec.size);
	struct grant_map *m;
	uint32_t *refs, i;
	int ret;

	if (n > GRANT_MAX)
		return -EINVAL;
	m = malloc (sizeof (*m));
	refs = calloc (2 * n, sizeof (*refs));
	if (!m || !refs) {
		ret = -ENOMEM;
		goto out;
	}
	for (i = 0; i < n; i++) {
		refs[i] = grant_ref (r->spec.guest_addr) + i;
		refs[n + i] = r->spec.xen_domid;
	}
	ret = grant_map (m, refs + n, refs, (uint32_t) n, true);
	if (ret == 0) {
		r->host = m->base + r->spec.guest_addr % XEN_PAGE;
		r->model = m;
		m = NULL;
	}
out:
	free (refs);
	free (m);
	return ret;
}

int
grant_region_map (struct region *r, bool advance)
{
	int ret = host_enter (HOST_GRANTS);

	if (ret)
		return ret;
	ret = check_spec (&r->spec);
	if (ret == 0 && advance)
		ret = map_all (r);
	if (ret)
		host_leave ();
	return ret;
}

void
grant_region_unmap (struct region *r)
{
	if (r->model)
		grant_unmap (r->model);
	free (r->model);
	r->model = NULL;
	r->host = NULL;
	host_leave ();
}
