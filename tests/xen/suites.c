/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Running the same cases on a PV and on a PVH bare domain; see suites.h.
 */
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <CUnit/Basic.h>

#include <vhost/memory.h>

enum bare_kind suite_kind;
struct bare_domain *suite_domain;

static unsigned domain_pieces;
static unsigned domain_grant_frames;

static int
use_pv (void)
{
	suite_kind = BARE_PV;
	return 0;
}

static int
use_pvh (void)
{
	suite_kind = BARE_PVH;
	return 0;
}

static void
make_domain (void)
{
	/* CUnit knows no failure of this function. */
	if (bare_domain_new (suite_kind, domain_pieces, domain_grant_frames, &suite_domain))
		exit (1);
}

static void
free_domain (void)
{
	bare_domain_free (suite_domain);
	suite_domain = NULL;
}

static void
print_grants (void)
{
	struct vh_memory_counters c;

	vh_memory_get_counters (&c);
	printf ("grants: %llu mapped, %llu unmapped, %llu live\n", (unsigned long long) c.grants_mapped, (unsigned long long) c.grants_unmapped,
		(unsigned long long) c.grants_live);
}

int
suites_run (CU_TestInfo *cases, unsigned kinds, unsigned pieces, unsigned grant_frames)
{
	CU_SuiteInfo pv[] = { { "PV domain", use_pv, NULL, make_domain, free_domain, cases }, CU_SUITE_INFO_NULL };
	CU_SuiteInfo pvh[] = { { "PVH domain", use_pvh, NULL, make_domain, free_domain, cases }, CU_SUITE_INFO_NULL };
	unsigned ran, failed;

	domain_pieces = pieces;
	domain_grant_frames = grant_frames;
	setvbuf (stdout, NULL, _IOLBF, 0);
	if (CU_initialize_registry () != CUE_SUCCESS || ((kinds & SUITES_PV) && CU_register_suites (pv) != CUE_SUCCESS) ||
	    ((kinds & SUITES_PVH) && CU_register_suites (pvh) != CUE_SUCCESS)) {
		fprintf (stderr, "suites: %s\n", CU_get_error_msg ());
		return 1;
	}
	CU_basic_set_mode (CU_BRM_VERBOSE);
	CU_basic_run_tests ();
	ran = CU_get_number_of_tests_run ();
	failed = CU_get_number_of_tests_failed () + CU_get_number_of_suites_failed ();
	printf ("cases: %u run, %u failed\n", ran, failed);
	print_grants ();
	CU_cleanup_registry ();
	return ran > 0 && failed == 0 ? 0 : 1;
}
