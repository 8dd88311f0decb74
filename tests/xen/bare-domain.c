/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A Xen domain without a kernel; see bare-domain.h.
 */
#include "bare-domain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xenctrl.h>
#include <xenforeignmemory.h>
#include <xen/grant_table.h>

/* Beside its memory, Xen charges a domain for a few pages of its own; in KiB. */
#define SPARE_KIB 4096u

/* For the second-level page tables of a PVH domain: a 4 KiB page maps 2 MiB at worst, so this serves 512 MiB a MiB. */
#define PAGING_POOL_BYTES(pieces) ((uint64_t) (4u << 20) + (uint64_t) (pieces) * 2 * BARE_PAGE)

struct bare_domain {
	enum bare_kind kind;
	uint32_t id;
	bool exists;
	unsigned pages;
	xen_pfn_t *frames;		/* of every page */
	uint8_t *memory;
	unsigned refs;
	volatile grant_entry_v1_t *grants;
	xc_interface *xc;
	xenforeignmemory_handle *foreign;
	xenforeignmemory_resource_handle *grant_pages;
};

static int
fail (const char *what)
{
	int err = errno ? errno : EIO;

	fprintf (stderr, "bare-domain: %s: %s\n", what, strerror (err));
	return -err;
}

static int
create (struct bare_domain *d, unsigned pieces, unsigned grant_frames)
{
	struct xen_domctl_createdomain config = {
		.max_vcpus = 1,
		.max_evtchn_port = 1023,
		.max_grant_frames = (int) grant_frames,
		.max_maptrack_frames = 1,
		.grant_opts = XEN_DOMCTL_GRANT_version (1),
	};

	if (d->kind == BARE_PVH) {
		config.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
		config.arch.emulation_flags = XEN_X86_EMU_LAPIC;
	}
	if (xc_domain_create (d->xc, &d->id, &config))
		return fail ("xc_domain_create");
	d->exists = true;
	if (xc_domain_setmaxmem (d->xc, d->id, (uint64_t) pieces * 2048 + SPARE_KIB))
		return fail ("xc_domain_setmaxmem");
	if (d->kind == BARE_PVH && xc_set_paging_mempool_size (d->xc, d->id, PAGING_POOL_BYTES (pieces)))
		return fail ("xc_set_paging_mempool_size");
	return 0;
}

/* Fills the list of frames: for a PV domain Xen answers with the machine's own. */
static int
populate (struct bare_domain *d, unsigned pieces)
{
	xen_pfn_t first;
	unsigned i, k;

	for (i = 0; i < pieces; i++) {
		first = BARE_FIRST_GFN + i * BARE_PIECE_PAGES;
		if (xc_domain_populate_physmap_exact (d->xc, d->id, 1, 9, 0, &first))
			return fail ("xc_domain_populate_physmap");
		for (k = 0; k < BARE_PIECE_PAGES; k++)
			d->frames[i * BARE_PIECE_PAGES + k] = first + k;
	}
	return 0;
}

static int
map_memory (struct bare_domain *d)
{
	d->foreign = xenforeignmemory_open (NULL, 0);
	if (!d->foreign)
		return fail ("xenforeignmemory_open");
	d->memory = xenforeignmemory_map (d->foreign, d->id, PROT_READ | PROT_WRITE, d->pages, d->frames, NULL);
	if (!d->memory)
		return fail ("mapping the domain's memory");
	/* Xen was told not to scrub the machine's memory when it boots. */
	memset (d->memory, 0, (size_t) d->pages * BARE_PAGE);
	return 0;
}

static int
map_grant_table (struct bare_domain *d, unsigned grant_frames)
{
	void *at = NULL;

	d->grant_pages = xenforeignmemory_map_resource (d->foreign, (domid_t) d->id, XENMEM_resource_grant_table,
		XENMEM_resource_grant_table_id_shared, 0, grant_frames, &at, PROT_READ | PROT_WRITE, 0);
	if (!d->grant_pages)
		return fail ("mapping the domain's grant table");
	d->grants = at;
	d->refs = grant_frames * BARE_REFS_PER_FRAME;
	return 0;
}

static int
build (struct bare_domain *d, unsigned pieces, unsigned grant_frames)
{
	int ret;

	d->xc = xc_interface_open (NULL, NULL, 0);
	if (!d->xc)
		return fail ("xc_interface_open");
	ret = create (d, pieces, grant_frames);
	if (!ret)
		ret = populate (d, pieces);
	if (!ret)
		ret = map_memory (d);
	if (!ret)
		ret = map_grant_table (d, grant_frames);
	return ret;
}

int
bare_domain_new (enum bare_kind kind, unsigned pieces, unsigned grant_frames, struct bare_domain **ret)
{
	struct bare_domain *d = calloc (1, sizeof (*d));
	int err;

	if (!d)
		return -ENOMEM;
	d->kind = kind;
	d->pages = pieces * BARE_PIECE_PAGES;
	d->frames = calloc (d->pages, sizeof (*d->frames));
	err = d->frames ? build (d, pieces, grant_frames) : -ENOMEM;
	if (err) {
		bare_domain_free (d);
		return err;
	}
	*ret = d;
	return 0;
}

int
bare_domain_destroy (struct bare_domain *d)
{
	if (!d->exists)
		return 0;
	if (xc_domain_destroy (d->xc, d->id))
		return fail ("xc_domain_destroy");
	d->exists = false;
	return 0;
}

void
bare_domain_unmap (struct bare_domain *d)
{
	if (d->grant_pages)
		xenforeignmemory_unmap_resource (d->foreign, d->grant_pages);
	if (d->memory)
		xenforeignmemory_unmap (d->foreign, d->memory, d->pages);
	d->grant_pages = NULL;
	d->grants = NULL;
	d->memory = NULL;
}

void
bare_domain_free (struct bare_domain *d)
{
	if (!d)
		return;
	bare_domain_destroy (d);
	if (d->foreign) {
		bare_domain_unmap (d);
		xenforeignmemory_close (d->foreign);
	}
	if (d->xc)
		xc_interface_close (d->xc);
	free (d->frames);
	free (d);
}

bool
bare_domain_is_gone (const struct bare_domain *d)
{
	xc_dominfo_t info;
	unsigned i;

	/* Xen answers with the next higher domain when there is none of that id. */
	for (i = 0; i < 200; i++) {
		if (xc_domain_getinfo (d->xc, d->id, 1, &info) != 1 || info.domid != d->id)
			return true;
		usleep (10000);
	}
	return false;
}

uint16_t
bare_domain_id (const struct bare_domain *d)
{
	return (uint16_t) d->id;
}

unsigned
bare_domain_pages (const struct bare_domain *d)
{
	return d->pages;
}

unsigned
bare_domain_refs (const struct bare_domain *d)
{
	return d->refs;
}

uint8_t *
bare_domain_page (const struct bare_domain *d, unsigned page)
{
	return d->memory + (size_t) page * BARE_PAGE;
}

uint64_t
bare_domain_frame (const struct bare_domain *d, unsigned page)
{
	return d->frames[page];
}

void
bare_domain_grant (struct bare_domain *d, uint32_t ref, unsigned page, bool readonly)
{
	volatile grant_entry_v1_t *entry = &d->grants[ref];

	entry->domid = 0;
	entry->frame = (uint32_t) d->frames[page];
	/* Xen reads the flags first and then the rest: they are written last. */
	__atomic_store_n (&entry->flags, (uint16_t) (GTF_permit_access | (readonly ? GTF_readonly : 0)), __ATOMIC_RELEASE);
}

int
bare_domain_end_grant (struct bare_domain *d, uint32_t ref)
{
	volatile uint16_t *flags = &d->grants[ref].flags;
	uint16_t old = __atomic_load_n (flags, __ATOMIC_ACQUIRE);

	/* Xen sets the two bits when it maps: exchange, so that a mapping in between is noticed. */
	do {
		if (old & (GTF_reading | GTF_writing))
			return -EBUSY;
	} while (!__atomic_compare_exchange_n (flags, &old, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	return 0;
}

static bool
has_flag (const struct bare_domain *d, uint32_t ref, uint16_t flag)
{
	return __atomic_load_n (&d->grants[ref].flags, __ATOMIC_ACQUIRE) & flag;
}

bool
bare_domain_is_read (const struct bare_domain *d, uint32_t ref)
{
	return has_flag (d, ref, GTF_reading);
}

bool
bare_domain_is_written (const struct bare_domain *d, uint32_t ref)
{
	return has_flag (d, ref, GTF_writing);
}

unsigned
bare_domain_mapped_grants (const struct bare_domain *d)
{
	unsigned n = 0;
	uint32_t ref;

	for (ref = 0; ref < d->refs; ref++)
		n += has_flag (d, ref, GTF_reading | GTF_writing);
	return n;
}
