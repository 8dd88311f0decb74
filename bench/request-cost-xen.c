/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kinds of memory of the Xen model, on a bare domain; and, to compare, a device that maps and unmaps each descriptor by itself.
 */
#include "request-cost.h"

#include <endian.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "mmap-xen/host.h"
#include "tests/xen/bare-domain.h"

#define GRANTS (UINT64_C (1) << 63)
#define PAGES (GUEST_BYTES / PAGE)
#define GRANT_FRAMES (PAGES / BARE_REFS_PER_FRAME + 1)

static struct bare_domain *domain;

static void
make_domain (struct guest *g)
{
	if (bare_domain_new (BARE_PVH, PAGES / BARE_PIECE_PAGES, GRANT_FRAMES, &domain) < 0)
		stop ("cannot make a domain");
	g->memory = bare_domain_page (domain, 0);
}

/* Page i has the reference BARE_FIRST_REF + i, for as long as the guest lives: what granting costs is the guest's. */
static void
grant_pages (struct guest *g)
{
	unsigned i;

	for (i = 0; i < PAGES; i++)
		bare_domain_grant (domain, BARE_FIRST_REF + i, i, i == HEADERS_AT / PAGE);
	g->base = GRANTS + (uint64_t) BARE_FIRST_REF * PAGE;
}

static void
make_region (struct guest *g, uint32_t flags)
{
	struct vh_region spec = {
		.guest_addr = g->base,
		.user_addr = g->base,
		.size = GUEST_BYTES,
		.xen_flags = flags,
		.xen_domid = bare_domain_id (domain),
	};

	if (region_new (&spec, -1, &g->region) < 0)
		stop ("cannot map the guest's memory");
}

/* Xen destroys it with the last mapping. */
static void
end_domain (struct guest *g)
{
	bare_domain_free (domain);
}

/* --- foreign memory --- */

static void
foreign_make (struct guest *g)
{
	make_domain (g);
	g->base = BARE_FIRST_GFN * (uint64_t) PAGE;
	make_region (g, VH_XEN_FOREIGN);
}

static const struct guest_kind guest_foreign = { "foreign", .make = foreign_make, .count = map_get_counters, .end = end_domain };

/* --- grants on demand --- */

static void
grant_make (struct guest *g)
{
	make_domain (g);
	grant_pages (g);
	make_region (g, VH_XEN_GRANT | VH_XEN_NO_ADVANCE_MAP);
}

static const struct guest_kind guest_grant = { "grant", .make = grant_make, .count = map_get_counters, .end = end_domain };

/* Where the kernel cannot copy. */
static void
grant_map_make (struct guest *g)
{
	grant_make (g);
	host.can_copy = false;
}

static const struct guest_kind guest_grant_map = { "grant-map", .make = grant_map_make, .count = map_get_counters, .end = end_domain };

/* --- grants, each descriptor by itself --- */

static xengnttab_handle *handle;
static struct vh_memory_counters each_counters;
static uint16_t taken;

static void
each_make (struct guest *g)
{
	make_domain (g);
	grant_pages (g);
	handle = xengnttab_open (NULL, 0);
	if (!handle)
		stop ("cannot open the grant device");
}

static void
each_end (struct guest *g)
{
	xengnttab_close (handle);
	end_domain (g);
}

static uint32_t
each_descriptor (const struct vring_desc *d)
{
	uint64_t addr = le64toh (d->addr) & ~GRANTS;
	uint32_t len = le32toh (d->len), refs[64], n = (uint32_t) ((addr % PAGE + len + PAGE - 1) / PAGE), i;
	bool write = le16toh (d->flags) & VRING_DESC_F_WRITE;
	unsigned char *at;

	for (i = 0; i < n; i++)
		refs[i] = (uint32_t) (addr / PAGE) + i;
	at = xengnttab_map_domain_grant_refs (handle, n, bare_domain_id (domain), refs, write ? PROT_READ | PROT_WRITE : PROT_READ);
	if (!at)
		stop ("cannot map a descriptor");
	if (write)
		device_write (at + addr % PAGE, len);
	else
		device_read (at + addr % PAGE, len);
	if (xengnttab_unmap (handle, at, n))
		stop ("cannot unmap a descriptor");
	each_counters.map_calls++;
	each_counters.unmap_calls++;
	return write ? len : 0;
}

/* The ring itself is mapped all the time. */
static void
each_serve (struct guest *g, unsigned n)
{
	const struct vring_desc *desc = (const void *) (g->memory + DESC_AT);
	const struct vring_avail *avail = (const void *) (g->memory + AVAIL_AT);
	struct vring_used *used = (struct vring_used *) (g->memory + USED_AT);
	uint16_t head, at;
	uint32_t written;

	for (; n > 0; n--, taken++) {
		head = at = le16toh (avail->ring[taken % RING_SIZE]);
		written = each_descriptor (&desc[at]);
		while (le16toh (desc[at].flags) & VRING_DESC_F_NEXT) {
			at = le16toh (desc[at].next);
			written += each_descriptor (&desc[at]);
		}
		used->ring[taken % RING_SIZE] = (struct vring_used_elem){ htole32 (head), htole32 (written) };
		__atomic_store_n (&used->idx, htole16 ((uint16_t) (taken + 1)), __ATOMIC_RELEASE);
	}
}

static void
each_count (struct vh_memory_counters *ret)
{
	*ret = each_counters;
}

static const struct guest_kind guest_each = { "each", .make = each_make, .serve = each_serve, .count = each_count, .end = each_end };

const struct guest_kind *const guest_kinds[] = { &guest_file, &guest_foreign, &guest_grant, &guest_grant_map, &guest_each, NULL };
