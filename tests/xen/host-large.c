/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A foreign region of 1 GiB on a real host: every page of it, in bounded memory; prints the time for 1000 frames.  Runs in dom0, on a machine with 3 GiB.
 */
#include <stdio.h>
#include <time.h>

#include "model.h"
#include "suites.h"

#define PIECES 512u
/* The lists of a batch take 768 KiB; lists of all frames would take 3072. */
#define MIN_GROWTH_KIB 512
#define MAX_GROWTH_KIB 1536

/* Makes the present memory the peak; see proc(5), clear_refs. */
static void
reset_peak (void)
{
	FILE *f = fopen ("/proc/self/clear_refs", "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL (f);
	CU_ASSERT_TRUE (fputs ("5", f) >= 0);
	CU_ASSERT_EQUAL (fclose (f), 0);
}

static long
peak_kib (void)
{
	FILE *f = fopen ("/proc/self/status", "r");
	char line[128];
	long kib = -1;

	CU_ASSERT_PTR_NOT_NULL_FATAL (f);
	while (kib < 0 && fgets (line, sizeof (line), f))
		if (sscanf (line, "VmHWM: %ld kB", &kib) != 1)
			kib = -1;
	fclose (f);
	CU_ASSERT_TRUE_FATAL (kib > 0);
	return kib;
}

static double
seconds (void)
{
	struct timespec now;

	clock_gettime (CLOCK_MONOTONIC, &now);
	return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static void
mark_pages (void)
{
	unsigned i;

	for (i = 0; i < bare_domain_pages (suite_domain); i++)
		*(uint32_t *) bare_domain_page (suite_domain, i) = ~i;
}

static unsigned
wrong_pages (const struct region *r)
{
	unsigned i, wrong = 0;

	for (i = 0; i < bare_domain_pages (suite_domain); i++)
		wrong += *(uint32_t *) (r->host + (size_t) i * BARE_PAGE) != ~i;
	return wrong;
}

static void
a_gibibyte_is_mapped_in_bounded_memory (void)
{
	unsigned pages = bare_domain_pages (suite_domain);
	struct region r = model_region (bare_domain_id (suite_domain), BARE_FIRST_GFN * BARE_PAGE, (uint64_t) pages * BARE_PAGE, VH_XEN_FOREIGN);
	double start;
	long before, growth;

	mark_pages ();
	reset_peak ();
	before = peak_kib ();
	start = seconds ();
	CU_ASSERT_EQUAL_FATAL (map_region (&r, -1), 0);
	printf ("1 GiB mapped: %.3f ms for 1000 frames, ", (seconds () - start) * 1e6 / pages);
	growth = peak_kib () - before;
	printf ("peak memory grew by %ld KiB\n", growth);
	/* Less than the lists of a batch would mean that nothing was measured. */
	CU_ASSERT_TRUE (growth >= MIN_GROWTH_KIB && growth <= MAX_GROWTH_KIB);
	CU_ASSERT_EQUAL (wrong_pages (&r), 0);
	start = seconds ();
	unmap_region (&r);
	printf ("1 GiB unmapped: %.3f ms for 1000 frames\n", (seconds () - start) * 1e6 / pages);
}

static CU_TestInfo cases[] = {
	{ "a gibibyte is mapped in bounded memory", a_gibibyte_is_mapped_in_bounded_memory },
	CU_TEST_INFO_NULL,
};

int
main (void)
{
	/* A PV domain's frames are not consecutive beyond a piece. */
	return suites_run (cases, SUITES_PVH, PIECES, 1);
}
