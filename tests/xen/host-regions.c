/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Regions of Xen memory on a real host: foreign, and granted in advance, of PV and PVH domains, also of domains that are not there or go away.
 * Runs in dom0.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <xen/xen.h>

#include "mmap-xen/domain.h"
#include "memory/guard.h"
#include "model.h"
#include "suites.h"

#define PIECE_BYTES (BARE_PIECE_PAGES * BARE_PAGE)
#define REF 100u

/* Beyond all memory of the machine and of any test's domain. */
#define NOWHERE (UINT64_C (1) << 45)

static struct region
foreign_at (uint64_t frame, uint64_t size)
{
	return model_region (bare_domain_id (suite_domain), frame * BARE_PAGE, size, VH_XEN_FOREIGN);
}

static struct region
granted_at (uint32_t ref, uint64_t size)
{
	return model_region (bare_domain_id (suite_domain), MODEL_GRANTS + (uint64_t) ref * BARE_PAGE, size, VH_XEN_GRANT);
}

/* A byte that says which page of the domain it is in. */
static uint8_t
mark_of (unsigned page)
{
	return (uint8_t) (page * 7 + page / 256);
}

static void
mark_pages (unsigned first, unsigned n)
{
	unsigned i;

	for (i = first; i < first + n; i++)
		memset (bare_domain_page (suite_domain, i), mark_of (i), BARE_PAGE);
}

/* How many of n pages at `host` are not the domain's pages from `first` on. */
static unsigned
wrong_pages (const uint8_t *host, unsigned first, unsigned n)
{
	unsigned i, wrong = 0;

	for (i = 0; i < n; i++)
		wrong += host[i * BARE_PAGE] != mark_of (first + i) || host[i * BARE_PAGE + BARE_PAGE - 1] != mark_of (first + i);
	return wrong;
}

static void
a_foreign_region_is_the_domains_memory (void)
{
	struct region r = foreign_at (bare_domain_frame (suite_domain, BARE_PIECE_PAGES), PIECE_BYTES);

	model_begin ();
	mark_pages (BARE_PIECE_PAGES, BARE_PIECE_PAGES);
	CU_ASSERT_EQUAL_FATAL (map_region (&r, -1), 0);
	CU_ASSERT_EQUAL (wrong_pages (r.host, BARE_PIECE_PAGES, BARE_PIECE_PAGES), 0);
	memset (r.host + PIECE_BYTES - 10, 0xee, 10);
	CU_ASSERT_EQUAL (bare_domain_page (suite_domain, 2 * BARE_PIECE_PAGES - 1)[4095], 0xee);
	CU_ASSERT_EQUAL (model_counters ().foreign_frames, BARE_PIECE_PAGES);
	unmap_region (&r);
}

static void
a_foreign_region_may_begin_and_end_inside_pages (void)
{
	struct region r = foreign_at (bare_domain_frame (suite_domain, 8), BARE_PAGE);

	r.spec.guest_addr += 100;
	mark_pages (8, 2);
	CU_ASSERT_EQUAL_FATAL (map_region (&r, -1), 0);
	CU_ASSERT_EQUAL (r.host[0], mark_of (8));
	CU_ASSERT_EQUAL (r.host[BARE_PAGE - 100], mark_of (9));
	r.host[BARE_PAGE - 1] = 0x5c;
	CU_ASSERT_EQUAL (bare_domain_page (suite_domain, 9)[99], 0x5c);
	unmap_region (&r);
}

static void
frames_that_the_domain_does_not_have_are_refused (void)
{
	uint64_t last = bare_domain_frame (suite_domain, bare_domain_pages (suite_domain) - 1);

	CU_ASSERT_EQUAL (model_try (foreign_at (NOWHERE >> 12, BARE_PAGE)), -EFAULT);
	CU_ASSERT_EQUAL (model_try (foreign_at (NOWHERE >> 12, UINT64_C (1) << 40)), -EFAULT);
	/* The domain's memory ends there, or another's begins. */
	if (suite_kind == BARE_PVH)
		CU_ASSERT_EQUAL (model_try (foreign_at (last, 2 * BARE_PAGE)), -EFAULT);
	/* Address 0 is no memory of a domain that begins elsewhere. */
	CU_ASSERT_EQUAL (model_try (foreign_at (0, BARE_PAGE)), -EFAULT);
	/* What was refused has left nothing behind that is in the way. */
	CU_ASSERT_EQUAL (model_try (foreign_at (last, BARE_PAGE)), 0);
}

static void
unknown_domains_are_refused (void)
{
	static const uint32_t ids[] = { 0x6fff, 0x7fef };
	static const uint32_t no_ids[] = { DOMID_SELF, DOMID_XEN, 0x10001, 0xffffffff };
	struct region foreign = foreign_at (BARE_FIRST_GFN, BARE_PAGE), granted = granted_at (REF, BARE_PAGE);
	unsigned i;

	for (i = 0; i < 2; i++) {
		foreign.spec.xen_domid = granted.spec.xen_domid = ids[i];
		CU_ASSERT_EQUAL (model_try (foreign), -ESRCH);
		CU_ASSERT_EQUAL (model_try (granted), -ESRCH);
	}
	for (i = 0; i < 4; i++) {
		foreign.spec.xen_domid = granted.spec.xen_domid = no_ids[i];
		CU_ASSERT_EQUAL (model_try (foreign), -EINVAL);
		CU_ASSERT_EQUAL (model_try (granted), -EINVAL);
	}
	/* One less than a domain that there is: Xen answers with that one. */
	foreign.spec.xen_domid = granted.spec.xen_domid = bare_domain_id (suite_domain) - 1u;
	if (foreign.spec.xen_domid != 0) {
		CU_ASSERT_EQUAL (model_try (foreign), -ESRCH);
		CU_ASSERT_EQUAL (model_try (granted), -ESRCH);
	}
}

static void
dom0_memory_is_refused (void)
{
	struct region r = foreign_at (256, BARE_PAGE);

	r.spec.xen_domid = 0;
	CU_ASSERT_EQUAL (model_try (r), -EINVAL);
}

static void
grants_in_advance_are_the_domains_pages (void)
{
	struct region r = granted_at (REF, 16 * BARE_PAGE);
	unsigned i;

	model_begin ();
	mark_pages (40, 16);
	for (i = 0; i < 16; i++)
		bare_domain_grant (suite_domain, REF + i, 40 + i, false);
	CU_ASSERT_EQUAL_FATAL (map_region (&r, -1), 0);
	CU_ASSERT_EQUAL (wrong_pages (r.host, 40, 16), 0);
	r.host[15 * BARE_PAGE + 1] = 0x99;
	CU_ASSERT_EQUAL (bare_domain_page (suite_domain, 55)[1], 0x99);
	CU_ASSERT_EQUAL (bare_domain_mapped_grants (suite_domain), 16);
	unmap_region (&r);
	CU_ASSERT_EQUAL (bare_domain_mapped_grants (suite_domain), 0);
	CU_ASSERT_TRUE (model_is_balanced ());
}

static void
a_ring_area_inside_a_page_is_granted_by_its_page (void)
{
	struct region r = granted_at (REF, 70);

	r.spec.guest_addr += 0xfe0;
	mark_pages (3, 1);
	mark_pages (77, 1);
	bare_domain_grant (suite_domain, REF, 3, false);
	bare_domain_grant (suite_domain, REF + 1, 77, false);
	CU_ASSERT_EQUAL_FATAL (map_region (&r, -1), 0);
	CU_ASSERT_EQUAL (r.host[0], mark_of (3));
	CU_ASSERT_EQUAL (r.host[32], mark_of (77));
	unmap_region (&r);
	CU_ASSERT_EQUAL (bare_domain_mapped_grants (suite_domain), 0);
}

static void
one_page_that_is_not_granted_refuses_the_region (void)
{
	unsigned i;

	model_begin ();
	for (i = 0; i < 8; i++)
		if (i != 5)
			bare_domain_grant (suite_domain, REF + i, i, false);
	CU_ASSERT_EQUAL (model_try (granted_at (REF, 8 * BARE_PAGE)), -EFAULT);
	CU_ASSERT_EQUAL (bare_domain_mapped_grants (suite_domain), 0);
	bare_domain_grant (suite_domain, REF + 5, 5, true);
	CU_ASSERT_EQUAL (model_try (granted_at (REF, 8 * BARE_PAGE)), -EFAULT);
	CU_ASSERT_EQUAL (bare_domain_mapped_grants (suite_domain), 0);
	bare_domain_grant (suite_domain, REF + 5, 5, false);
	CU_ASSERT_EQUAL (model_try (granted_at (REF, 8 * BARE_PAGE)), 0);
	/* References that no frame of the grant table holds. */
	CU_ASSERT_EQUAL (model_try (granted_at (bare_domain_refs (suite_domain), BARE_PAGE)), -EFAULT);
	CU_ASSERT_EQUAL (model_try (granted_at (0xffffffff, BARE_PAGE)), -EFAULT);
	CU_ASSERT_EQUAL (bare_domain_mapped_grants (suite_domain), 0);
	CU_ASSERT_TRUE (model_is_balanced ());
}

/* Only the regions hold the domain from here on; whether the model sees that it dies. */
static void
destroy_under (struct region *r)
{
	unsigned hits = guard_count ();

	CU_ASSERT_TRUE (domain_check_region (r));
	bare_domain_unmap (suite_domain);
	CU_ASSERT_EQUAL (bare_domain_destroy (suite_domain), 0);
	CU_ASSERT_FALSE (domain_check_region (r));
	CU_ASSERT_EQUAL (r->lost, 1);
	CU_ASSERT_EQUAL (guard_count (), hits + 1);
}

static void
a_domain_destroyed_under_a_foreign_region_goes_with_it (void)
{
	struct region r = foreign_at (bare_domain_frame (suite_domain, 0), PIECE_BYTES);

	mark_pages (0, BARE_PIECE_PAGES);
	CU_ASSERT_EQUAL_FATAL (map_region (&r, -1), 0);
	destroy_under (&r);
	/* What is mapped stays, and harms nobody. */
	CU_ASSERT_EQUAL (wrong_pages (r.host, 0, BARE_PIECE_PAGES), 0);
	r.host[PIECE_BYTES - 1] = 1;
	CU_ASSERT_EQUAL (model_try (foreign_at (bare_domain_frame (suite_domain, 0), BARE_PAGE)), -ESRCH);
	unmap_region (&r);
	CU_ASSERT_TRUE (bare_domain_is_gone (suite_domain));
}

static void
a_domain_destroyed_under_granted_memory_goes_with_it (void)
{
	struct region r = granted_at (REF, 2 * BARE_PAGE);

	model_begin ();
	mark_pages (20, 2);
	bare_domain_grant (suite_domain, REF, 20, false);
	bare_domain_grant (suite_domain, REF + 1, 21, false);
	CU_ASSERT_EQUAL_FATAL (map_region (&r, -1), 0);
	destroy_under (&r);
	CU_ASSERT_EQUAL (wrong_pages (r.host, 20, 2), 0);
	CU_ASSERT_EQUAL (model_try (granted_at (REF, BARE_PAGE)), -ESRCH);
	unmap_region (&r);
	CU_ASSERT_TRUE (model_is_balanced ());
	CU_ASSERT_TRUE (bare_domain_is_gone (suite_domain));
}

static CU_TestInfo cases[] = {
	{ "a foreign region is the domain's memory", a_foreign_region_is_the_domains_memory },
	{ "a foreign region may begin and end inside pages", a_foreign_region_may_begin_and_end_inside_pages },
	{ "frames that the domain does not have are refused", frames_that_the_domain_does_not_have_are_refused },
	{ "unknown domains are refused", unknown_domains_are_refused },
	{ "dom0's memory is refused", dom0_memory_is_refused },
	{ "grants in advance are the domain's pages", grants_in_advance_are_the_domains_pages },
	{ "a ring area inside a page is granted by its page", a_ring_area_inside_a_page_is_granted_by_its_page },
	{ "one page that is not granted refuses the region", one_page_that_is_not_granted_refuses_the_region },
	{ "a domain destroyed under a foreign region goes with it", a_domain_destroyed_under_a_foreign_region_goes_with_it },
	{ "a domain destroyed under granted memory goes with it", a_domain_destroyed_under_granted_memory_goes_with_it },
	CU_TEST_INFO_NULL,
};

int
main (void)
{
	return suites_run (cases, SUITES_BOTH, 2, 2);
}
