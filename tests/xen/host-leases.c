/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Grants mapped on demand, on a real host: chains, read-only grants, bad references, thousands of grants, several threads, domains that go away; and after
 * each that the guest gets every page back.  Runs in dom0.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "suites.h"

#define FIRST_REF 16u
#define GRANT_FRAMES 32u			/* 16384 references */
#define MANY 16000u
#define CHAIN_PARTS 34u				/* what a Linux guest's block driver may chain */
#define MAX_LEASES 64u
#define THREADS 3u

static struct region region;

/* A region of all references, none of them mapped in advance. */
static void
begin (void)
{
	region = model_region (bare_domain_id (suite_domain), MODEL_GRANTS, (uint64_t) bare_domain_refs (suite_domain) * BARE_PAGE, MODEL_ON_DEMAND);
	model_begin ();
	CU_ASSERT_EQUAL_FATAL (map_region (&region, -1), 0);
	CU_ASSERT_PTR_NULL (region.host);
}

/* Unmaps the region and looks for what was left mapped. */
static void
end (void)
{
	unmap_region (&region);
	CU_ASSERT_TRUE (model_is_balanced ());
	CU_ASSERT_EQUAL (bare_domain_mapped_grants (suite_domain), 0);
}

static struct range
range_of (uint32_t ref, uint32_t offset, uint32_t size, bool write)
{
	return model_range (&region, (uint64_t) ref * BARE_PAGE + offset, size, write);
}

/* As a block driver would grant a read: header, two pages of data, status. */
static void
grant_read_request (void)
{
	memset (bare_domain_page (suite_domain, 1), 0x11, BARE_PAGE);
	bare_domain_grant (suite_domain, FIRST_REF, 1, true);
	bare_domain_grant (suite_domain, FIRST_REF + 7, 200, false);
	bare_domain_grant (suite_domain, FIRST_REF + 8, 100, false);
	bare_domain_grant (suite_domain, FIRST_REF + 3, 1, false);
}

static void
a_chain_is_mapped_by_direction (void)
{
	struct range ranges[3];
	struct lease *lease;

	begin ();
	grant_read_request ();
	ranges[0] = range_of (FIRST_REF, 0x80, 16, false);
	ranges[1] = range_of (FIRST_REF + 7, 0x800, BARE_PAGE, true);
	ranges[2] = range_of (FIRST_REF + 3, 0x90, 1, true);
	CU_ASSERT_EQUAL_FATAL (map_ranges (ranges, 3, &lease), 0);
	CU_ASSERT_EQUAL (((uint8_t *) ranges[0].host)[15], 0x11);
	memset (ranges[1].host, 0x22, BARE_PAGE);
	*(uint8_t *) ranges[2].host = 0x33;
	CU_ASSERT_EQUAL (bare_domain_page (suite_domain, 200)[0x7ff], 0);
	CU_ASSERT_EQUAL (bare_domain_page (suite_domain, 200)[0x800], 0x22);
	CU_ASSERT_EQUAL (bare_domain_page (suite_domain, 100)[0x7ff], 0x22);
	CU_ASSERT_EQUAL (bare_domain_page (suite_domain, 100)[0x800], 0);
	CU_ASSERT_EQUAL (bare_domain_page (suite_domain, 1)[0x90], 0x33);
	CU_ASSERT_TRUE (bare_domain_is_read (suite_domain, FIRST_REF));
	CU_ASSERT_FALSE (bare_domain_is_written (suite_domain, FIRST_REF));
	CU_ASSERT_TRUE (bare_domain_is_written (suite_domain, FIRST_REF + 8));
	CU_ASSERT_EQUAL (bare_domain_mapped_grants (suite_domain), 4);
	CU_ASSERT_EQUAL (model_counters ().grants_live, 4);
	CU_ASSERT_EQUAL (model_counters ().map_calls, 2);
	unmap_lease (lease);
	CU_ASSERT_EQUAL (bare_domain_end_grant (suite_domain, FIRST_REF), 0);
	CU_ASSERT_EQUAL (bare_domain_end_grant (suite_domain, FIRST_REF + 7), 0);
	end ();
}

static void
a_read_only_grant_is_never_written (void)
{
	struct range range = { 0 };
	struct lease *lease;

	begin ();
	bare_domain_grant (suite_domain, FIRST_REF, 5, true);
	range = range_of (FIRST_REF, 0, BARE_PAGE, true);
	CU_ASSERT_EQUAL (map_ranges (&range, 1, &lease), -EFAULT);
	CU_ASSERT_EQUAL (bare_domain_mapped_grants (suite_domain), 0);
	range.write = false;
	CU_ASSERT_EQUAL_FATAL (map_ranges (&range, 1, &lease), 0);
	unmap_lease (lease);
	CU_ASSERT_EQUAL (region.lost, 0);
	end ();
}

/* Every kind of reference that is not good, among good ones: nothing is mapped then. */
static void
a_bad_reference_fails_the_chain_alone (void)
{
	uint32_t bad[] = { 0, FIRST_REF + 50, bare_domain_refs (suite_domain) - 1 };
	struct range ranges[3];
	struct lease *lease;
	unsigned i, k;

	begin ();
	grant_read_request ();
	for (i = 0; i < sizeof (bad) / sizeof (bad[0]); i++) {
		for (k = 0; k < 3; k++) {
			ranges[0] = range_of (FIRST_REF, 0, 16, false);
			ranges[1] = range_of (FIRST_REF + 7, 0, BARE_PAGE, true);
			ranges[2] = range_of (FIRST_REF + 3, 0, 1, true);
			ranges[k].addr = range_of (bad[i], 0, 1, true).addr;
			CU_ASSERT_EQUAL (map_ranges (ranges, 3, &lease), -EFAULT);
			CU_ASSERT_EQUAL (bare_domain_mapped_grants (suite_domain), 0);
		}
	}
	/* A grant that was ended is none any more. */
	CU_ASSERT_EQUAL (bare_domain_end_grant (suite_domain, FIRST_REF + 8), 0);
	ranges[0] = range_of (FIRST_REF + 7, 1, BARE_PAGE, true);
	CU_ASSERT_EQUAL (map_ranges (ranges, 1, &lease), -EFAULT);
	ranges[0].size = BARE_PAGE - 1;
	CU_ASSERT_EQUAL_FATAL (map_ranges (ranges, 1, &lease), 0);
	unmap_lease (lease);
	end ();
}

static void
one_reference_may_be_leased_twice (void)
{
	struct range a, b;
	struct lease *one, *two;

	begin ();
	bare_domain_grant (suite_domain, FIRST_REF, 9, false);
	a = range_of (FIRST_REF, 0, 8, true);
	b = range_of (FIRST_REF, 0, 8, false);
	CU_ASSERT_EQUAL_FATAL (map_ranges (&a, 1, &one), 0);
	CU_ASSERT_EQUAL_FATAL (map_ranges (&b, 1, &two), 0);
	*(uint8_t *) a.host = 0x44;
	CU_ASSERT_EQUAL (*(volatile uint8_t *) b.host, 0x44);
	unmap_lease (one);
	CU_ASSERT_FALSE (bare_domain_is_written (suite_domain, FIRST_REF));
	CU_ASSERT_TRUE (bare_domain_is_read (suite_domain, FIRST_REF));
	CU_ASSERT_EQUAL (bare_domain_end_grant (suite_domain, FIRST_REF), -EBUSY);
	unmap_lease (two);
	CU_ASSERT_EQUAL (bare_domain_end_grant (suite_domain, FIRST_REF), 0);
	end ();
}

/* All references but Xen's own grant pages in turn; the page says its number. */
static void
grant_many (void)
{
	unsigned i, pages = bare_domain_pages (suite_domain);

	for (i = 0; i < pages; i++)
		*(uint32_t *) bare_domain_page (suite_domain, i) = i;
	for (i = 0; i < MANY; i++)
		bare_domain_grant (suite_domain, FIRST_REF + i, i % pages, i % 2);
}

static void
end_many (void)
{
	unsigned i, busy = 0;

	for (i = 0; i < MANY; i++)
		busy += bare_domain_end_grant (suite_domain, FIRST_REF + i) != 0;
	CU_ASSERT_EQUAL (busy, 0);
}

static void
thousands_of_grants_are_mapped_by_one_call (void)
{
	unsigned i, wrong = 0, pages = bare_domain_pages (suite_domain);
	struct range range;
	struct lease *lease;

	begin ();
	grant_many ();
	range = range_of (FIRST_REF, 0, MANY * BARE_PAGE, false);
	CU_ASSERT_EQUAL_FATAL (map_ranges (&range, 1, &lease), 0);
	CU_ASSERT_EQUAL (model_counters ().map_calls, 1);
	CU_ASSERT_EQUAL (bare_domain_mapped_grants (suite_domain), MANY);
	for (i = 0; i < MANY; i++)
		wrong += *(uint32_t *) ((uint8_t *) range.host + i * BARE_PAGE) != i % pages;
	CU_ASSERT_EQUAL (wrong, 0);
	unmap_lease (lease);
	CU_ASSERT_EQUAL (model_counters ().unmap_calls, 1);
	end_many ();
	end ();
}

/* A chain of parts anywhere; odd references are read-only. */
static unsigned
random_chain (unsigned *seed, struct range *ranges)
{
	unsigned i, n = 1 + (unsigned) rand_r (seed) % CHAIN_PARTS;
	uint32_t ref;

	for (i = 0; i < n; i++) {
		ref = (unsigned) rand_r (seed) % (MANY - 3);
		ranges[i] = range_of (FIRST_REF + ref, 0, (unsigned) rand_r (seed) % 2 ? BARE_PAGE : 3 * BARE_PAGE, false);
		if (ref % 2 == 0 && ranges[i].size == BARE_PAGE)
			ranges[i].write = (unsigned) rand_r (seed) % 2;
	}
	return n;
}

/* How many pages of a mapped chain are not the ones that were granted. */
static unsigned
wrong_pages (const struct range *ranges, unsigned n)
{
	unsigned i, at, wrong = 0, pages = bare_domain_pages (suite_domain);

	for (i = 0; i < n; i++) {
		for (at = 0; at < ranges[i].size; at += BARE_PAGE) {
			uint32_t ref = (uint32_t) ((ranges[i].addr - MODEL_GRANTS + at) / BARE_PAGE) - FIRST_REF;

			wrong += *(uint32_t *) ((uint8_t *) ranges[i].host + at) != ref % pages;
		}
	}
	return wrong;
}

/* Many leases that live at the same time and end in any order.  Returns what went wrong. */
static unsigned
churn (unsigned seed, unsigned rounds)
{
	struct lease *leases[MAX_LEASES] = { NULL };
	struct range ranges[CHAIN_PARTS];
	unsigned i, n, slot, wrong = 0;

	for (i = 0; i < rounds; i++) {
		slot = (unsigned) rand_r (&seed) % MAX_LEASES;
		if (leases[slot])
			unmap_lease (leases[slot]);
		leases[slot] = NULL;
		n = random_chain (&seed, ranges);
		if (map_ranges (ranges, n, &leases[slot]))
			wrong++;
		else
			wrong += wrong_pages (ranges, n);
	}
	for (slot = 0; slot < MAX_LEASES; slot++)
		if (leases[slot])
			unmap_lease (leases[slot]);
	return wrong;
}

static void
leases_end_in_any_order (void)
{
	begin ();
	grant_many ();
	CU_ASSERT_EQUAL (churn (1, 2000), 0);
	CU_ASSERT_TRUE (model_counters ().grants_mapped > MANY);
	end_many ();
	end ();
}

static void *
churn_thread (void *seed)
{
	return (void *) (uintptr_t) churn ((unsigned) (uintptr_t) seed, 500);
}

static void
several_threads_lease_at_once (void)
{
	pthread_t threads[THREADS];
	void *wrong;
	uintptr_t i;

	begin ();
	grant_many ();
	for (i = 0; i < THREADS; i++)
		CU_ASSERT_EQUAL_FATAL (pthread_create (&threads[i], NULL, churn_thread, (void *) (i + 1)), 0);
	for (i = 0; i < THREADS; i++) {
		pthread_join (threads[i], &wrong);
		CU_ASSERT_PTR_NULL (wrong);
	}
	end_many ();
	end ();
}

/* --- copies --- */

static struct range
copy_of (uint32_t ref, uint32_t offset, uint32_t size, bool write)
{
	struct range r = range_of (ref, offset, size, write);

	r.copy = true;
	return r;
}

/* The same request as above, without any mapping. */
static void
a_chain_is_copied_by_one_call (void)
{
	struct range ranges[3];
	struct lease *lease;
	uint8_t *data = bare_domain_page (suite_domain, 200);

	begin ();
	CU_ASSERT_TRUE (map_copy_limit () > 0);
	grant_read_request ();
	memset (data, 0x77, BARE_PAGE);
	ranges[0] = copy_of (FIRST_REF, 0x80, 16, false);
	ranges[1] = copy_of (FIRST_REF + 7, 0x800, BARE_PAGE, true);
	ranges[2] = copy_of (FIRST_REF + 3, 0x90, 1, true);
	CU_ASSERT_EQUAL_FATAL (map_ranges (ranges, 3, &lease), 0);
	CU_ASSERT_EQUAL (((uint8_t *) ranges[0].host)[15], 0x11);
	CU_ASSERT_EQUAL (((uint8_t *) ranges[1].host)[0x7ff], 0x77);
	CU_ASSERT_EQUAL (((uint8_t *) ranges[1].host)[0x800], 0);
	CU_ASSERT_EQUAL (bare_domain_mapped_grants (suite_domain), 0);
	memset (ranges[1].host, 0x22, BARE_PAGE - 1);
	*(uint8_t *) ranges[2].host = 0x33;
	CU_ASSERT_EQUAL (data[0x800], 0x77);
	CU_ASSERT_EQUAL (map_write_back (ranges, 3), 0);
	CU_ASSERT_EQUAL (data[0x7ff], 0x77);
	CU_ASSERT_EQUAL (data[0x800], 0x22);
	CU_ASSERT_EQUAL (bare_domain_page (suite_domain, 100)[0x7fe], 0x22);
	CU_ASSERT_EQUAL (bare_domain_page (suite_domain, 100)[0x7ff], 0);
	CU_ASSERT_EQUAL (bare_domain_page (suite_domain, 1)[0x90], 0x33);
	CU_ASSERT_EQUAL (bare_domain_page (suite_domain, 1)[0x91], 0x11);
	unmap_lease (lease);
	CU_ASSERT_EQUAL (model_counters ().copy_calls, 2);
	CU_ASSERT_EQUAL (model_counters ().map_calls, 0);
	end ();
}

static void
what_is_not_granted_is_not_copied (void)
{
	struct range ranges[2];
	struct lease *lease;

	begin ();
	grant_read_request ();
	ranges[0] = copy_of (FIRST_REF + 7, 0, 8, true);
	ranges[1] = copy_of (FIRST_REF + 50, 0, 8, true);
	CU_ASSERT_EQUAL (map_ranges (ranges, 2, &lease), -EFAULT);
	/* Granted for reading only. */
	ranges[1] = copy_of (FIRST_REF, 0, 8, true);
	CU_ASSERT_EQUAL_FATAL (map_ranges (ranges, 2, &lease), 0);
	memset (ranges[0].host, 0x44, 8);
	memset (ranges[1].host, 0x44, 8);
	CU_ASSERT_EQUAL (map_write_back (ranges, 2), -EFAULT);
	CU_ASSERT_EQUAL (bare_domain_page (suite_domain, 200)[7], 0x44);
	CU_ASSERT_EQUAL (bare_domain_page (suite_domain, 1)[0], 0x11);
	unmap_lease (lease);
	CU_ASSERT_EQUAL (region.lost, 0);
	end ();
}

/* More than one call takes, in pages of any order. */
static void
thousands_of_pages_are_copied (void)
{
	unsigned i, wrong = 0, pages = bare_domain_pages (suite_domain);
	static struct range ranges[2048];
	struct lease *lease;

	begin ();
	grant_many ();
	for (i = 0; i < 2048; i++)
		ranges[i] = copy_of (FIRST_REF + 4093 * i % MANY, 0, 512, false);
	CU_ASSERT_EQUAL_FATAL (map_ranges (ranges, 2048, &lease), 0);
	for (i = 0; i < 2048; i++)
		wrong += *(uint32_t *) ranges[i].host != 4093 * i % MANY % pages;
	CU_ASSERT_EQUAL (wrong, 0);
	CU_ASSERT_EQUAL (model_counters ().copy_calls, 2048 / 64);
	unmap_lease (lease);
	end_many ();
	end ();
}

/* --- the end --- */

static void
a_domain_destroyed_under_a_lease_goes_with_it (void)
{
	struct range a, b;
	struct lease *lease, *none;

	begin ();
	grant_read_request ();
	a = range_of (FIRST_REF + 7, 0, BARE_PAGE, true);
	b = range_of (FIRST_REF + 8, 0, BARE_PAGE, true);
	CU_ASSERT_EQUAL_FATAL (map_ranges (&a, 1, &lease), 0);
	bare_domain_unmap (suite_domain);
	CU_ASSERT_EQUAL (bare_domain_destroy (suite_domain), 0);
	memset (a.host, 1, BARE_PAGE);
	CU_ASSERT_EQUAL (map_ranges (&b, 1, &none), -EFAULT);
	CU_ASSERT_EQUAL (region.lost, 1);
	unmap_lease (lease);
	unmap_region (&region);
	CU_ASSERT_TRUE (model_is_balanced ());
	CU_ASSERT_TRUE (bare_domain_is_gone (suite_domain));
}

static void
a_domain_destroyed_under_copies_is_lost (void)
{
	struct range range;
	struct lease *lease;

	begin ();
	grant_read_request ();
	range = copy_of (FIRST_REF + 7, 0, BARE_PAGE, true);
	CU_ASSERT_EQUAL_FATAL (map_ranges (&range, 1, &lease), 0);
	bare_domain_unmap (suite_domain);
	CU_ASSERT_EQUAL (bare_domain_destroy (suite_domain), 0);
	/* Nothing of it is held, so it is gone at once. */
	CU_ASSERT_TRUE (bare_domain_is_gone (suite_domain));
	CU_ASSERT_EQUAL (map_write_back (&range, 1), -EFAULT);
	CU_ASSERT_EQUAL (region.lost, 1);
	CU_ASSERT_EQUAL (map_check (&region), -ESRCH);
	unmap_lease (lease);
	unmap_region (&region);
	CU_ASSERT_TRUE (model_is_balanced ());
}

static CU_TestInfo cases[] = {
	{ "a chain is mapped by direction", a_chain_is_mapped_by_direction },
	{ "a read-only grant is never written", a_read_only_grant_is_never_written },
	{ "a bad reference fails the chain alone", a_bad_reference_fails_the_chain_alone },
	{ "one reference may be leased twice", one_reference_may_be_leased_twice },
	{ "thousands of grants are mapped by one call", thousands_of_grants_are_mapped_by_one_call },
	{ "leases end in any order", leases_end_in_any_order },
	{ "several threads lease at once", several_threads_lease_at_once },
	{ "a chain is copied by one call", a_chain_is_copied_by_one_call },
	{ "what is not granted is not copied", what_is_not_granted_is_not_copied },
	{ "thousands of pages are copied", thousands_of_pages_are_copied },
	{ "a domain destroyed under copies is lost", a_domain_destroyed_under_copies_is_lost },
	{ "a domain destroyed under a lease goes with it", a_domain_destroyed_under_a_lease_goes_with_it },
	CU_TEST_INFO_NULL,
};

int
main (void)
{
	return suites_run (cases, SUITES_BOTH, 2, GRANT_FRAMES);
}
