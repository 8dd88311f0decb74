/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the tests of the memory model rest on, by the Xen libraries alone: a bare domain's frames can be mapped, its grants too, and the flags of a grant
 * tell whether it is mapped.  When this fails, the rig is broken and not the library.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xenforeignmemory.h>
#include <xengnttab.h>

#include "suites.h"

#define REF BARE_FIRST_REF
#define NO_DOMAIN 0x7000u

static xengnttab_handle *grants;
static xenforeignmemory_handle *foreign;

static void
open_handles (void)
{
	grants = xengnttab_open (NULL, 0);
	foreign = xenforeignmemory_open (NULL, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL (grants);
	CU_ASSERT_PTR_NOT_NULL_FATAL (foreign);
}

static void
close_handles (void)
{
	xengnttab_close (grants);
	xenforeignmemory_close (foreign);
}

static void
foreign_frames_are_the_domains_memory (void)
{
	xen_pfn_t frames[3];
	int errors[3] = { 1, 1, 1 };
	uint8_t *at;
	unsigned i;

	open_handles ();
	for (i = 0; i < 3; i++) {
		frames[i] = bare_domain_frame (suite_domain, 700 + i);
		memset (bare_domain_page (suite_domain, 700 + i), 0x30 + (int) i, BARE_PAGE);
	}
	at = xenforeignmemory_map (foreign, bare_domain_id (suite_domain), PROT_READ | PROT_WRITE, 3, frames, errors);
	CU_ASSERT_PTR_NOT_NULL_FATAL (at);
	for (i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL (errors[i], 0);
		CU_ASSERT_EQUAL (at[i * BARE_PAGE + 4095], 0x30 + i);
	}
	at[BARE_PAGE] = 0xaa;
	CU_ASSERT_EQUAL (bare_domain_page (suite_domain, 701)[0], 0xaa);
	CU_ASSERT_EQUAL (xenforeignmemory_unmap (foreign, at, 3), 0);
	close_handles ();
}

static void
a_frame_that_is_not_there_is_reported (void)
{
	/* The last one lies beyond all memory of the machine and of the domain. */
	xen_pfn_t frames[2] = { bare_domain_frame (suite_domain, 0), 0x123456789 };
	int errors[2] = { 1, 1 };
	void *at;

	open_handles ();
	at = xenforeignmemory_map (foreign, bare_domain_id (suite_domain), PROT_READ, 2, frames, errors);
	CU_ASSERT_PTR_NOT_NULL_FATAL (at);
	CU_ASSERT_EQUAL (errors[0], 0);
	CU_ASSERT_TRUE (errors[1] < 0);
	CU_ASSERT_EQUAL (xenforeignmemory_unmap (foreign, at, 2), 0);
	close_handles ();
}

static void
a_grant_shows_that_it_is_mapped (void)
{
	uint32_t ref = REF;
	uint8_t *at;

	open_handles ();
	memset (bare_domain_page (suite_domain, 9), 0x77, BARE_PAGE);
	bare_domain_grant (suite_domain, REF, 9, false);
	at = xengnttab_map_domain_grant_refs (grants, 1, bare_domain_id (suite_domain), &ref, PROT_READ | PROT_WRITE);
	CU_ASSERT_PTR_NOT_NULL_FATAL (at);
	CU_ASSERT_EQUAL (at[4095], 0x77);
	at[5] = 0x78;
	CU_ASSERT_EQUAL (bare_domain_page (suite_domain, 9)[5], 0x78);
	CU_ASSERT_TRUE (bare_domain_is_read (suite_domain, REF));
	CU_ASSERT_TRUE (bare_domain_is_written (suite_domain, REF));
	CU_ASSERT_EQUAL (bare_domain_mapped_grants (suite_domain), 1);
	CU_ASSERT_EQUAL (bare_domain_end_grant (suite_domain, REF), -EBUSY);
	CU_ASSERT_EQUAL (xengnttab_unmap (grants, at, 1), 0);
	CU_ASSERT_EQUAL (bare_domain_mapped_grants (suite_domain), 0);
	CU_ASSERT_EQUAL (bare_domain_end_grant (suite_domain, REF), 0);
	CU_ASSERT_PTR_NULL (xengnttab_map_domain_grant_refs (grants, 1, bare_domain_id (suite_domain), &ref, PROT_READ));
	close_handles ();
}

static void
a_read_only_grant_maps_for_reading_alone (void)
{
	uint32_t ref = REF;
	uint8_t *at;

	open_handles ();
	bare_domain_page (suite_domain, 3)[0] = 0x42;
	bare_domain_grant (suite_domain, REF, 3, true);
	CU_ASSERT_PTR_NULL (xengnttab_map_domain_grant_refs (grants, 1, bare_domain_id (suite_domain), &ref, PROT_READ | PROT_WRITE));
	CU_ASSERT_EQUAL (bare_domain_mapped_grants (suite_domain), 0);
	at = xengnttab_map_domain_grant_refs (grants, 1, bare_domain_id (suite_domain), &ref, PROT_READ);
	CU_ASSERT_PTR_NOT_NULL_FATAL (at);
	CU_ASSERT_EQUAL (at[0], 0x42);
	CU_ASSERT_TRUE (bare_domain_is_read (suite_domain, REF));
	CU_ASSERT_FALSE (bare_domain_is_written (suite_domain, REF));
	CU_ASSERT_EQUAL (xengnttab_unmap (grants, at, 1), 0);
	close_handles ();
}

static void
an_unknown_domain_has_nothing_to_map (void)
{
	xen_pfn_t frame = BARE_FIRST_GFN;
	uint32_t ref = REF;
	int error = 0;
	void *at;

	open_handles ();
	at = xenforeignmemory_map (foreign, NO_DOMAIN, PROT_READ, 1, &frame, &error);
	if (at) {
		CU_ASSERT_EQUAL (error, -ESRCH);
		xenforeignmemory_unmap (foreign, at, 1);
	}
	errno = 0;
	CU_ASSERT_PTR_NULL (xenforeignmemory_map (foreign, NO_DOMAIN, PROT_READ, 1, &frame, NULL));
	CU_ASSERT_EQUAL (errno, ESRCH);
	CU_ASSERT_PTR_NULL (xengnttab_map_domain_grant_refs (grants, 1, NO_DOMAIN, &ref, PROT_READ));
	close_handles ();
}

static void
a_mapping_keeps_a_destroyed_domain (void)
{
	xen_pfn_t frame = bare_domain_frame (suite_domain, 1);
	uint8_t *at;

	open_handles ();
	at = xenforeignmemory_map (foreign, bare_domain_id (suite_domain), PROT_READ | PROT_WRITE, 1, &frame, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL (at);
	bare_domain_unmap (suite_domain);
	CU_ASSERT_EQUAL (bare_domain_destroy (suite_domain), 0);
	usleep (100000);
	at[0] = 1;
	CU_ASSERT_EQUAL (xenforeignmemory_unmap (foreign, at, 1), 0);
	CU_ASSERT_TRUE (bare_domain_is_gone (suite_domain));
	close_handles ();
}

static CU_TestInfo cases[] = {
	{ "foreign frames are the domain's memory", foreign_frames_are_the_domains_memory },
	{ "a frame that is not there is reported", a_frame_that_is_not_there_is_reported },
	{ "a grant shows that it is mapped", a_grant_shows_that_it_is_mapped },
	{ "a read-only grant maps for reading alone", a_read_only_grant_maps_for_reading_alone },
	{ "an unknown domain has nothing to map", an_unknown_domain_has_nothing_to_map },
	{ "a mapping keeps a destroyed domain", a_mapping_keeps_a_destroyed_domain },
	CU_TEST_INFO_NULL,
};

int
main (void)
{
	return suites_run (cases, SUITES_BOTH, 2, 1);
}
