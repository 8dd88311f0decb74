/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Grants on demand on fake Xen libraries: how many calls a chain and a batch cost, and what becomes of failures that a real host cannot be made to have.
 * Needs no Xen.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include <CUnit/Basic.h>

#include "fake-calls.h"
#include "memory/guard.h"
#include "mmap-xen/domain.h"
#include "model.h"

#define DOMAIN 7u
#define GRANT_LIMIT 65536u	/* grants of all leases at most */

static void
begin (void)
{
	fake_begin ();
	fake.domain = DOMAIN;
	model_begin ();
}

static void
end (void)
{
	CU_ASSERT_TRUE (fake_end ());
	CU_ASSERT_TRUE (model_is_balanced ());
}

static struct region
region_at (uint64_t addr, uint64_t size, uint32_t flags)
{
	return model_region (DOMAIN, addr, size, flags);
}

static void
a_chain_is_one_map_call_for_each_direction (void)
{
	struct region r = region_at (MODEL_GRANTS, 1 << 30, MODEL_ON_DEMAND);
	struct range ranges[4];
	struct lease *lease;

	begin ();
	CU_ASSERT_EQUAL_FATAL (map_region (&r, -1), 0);
	CU_ASSERT_PTR_NULL (r.host);
	CU_ASSERT_EQUAL (fake.map_calls, 0);
	ranges[0] = model_range (&r, 0x10010, 16, false);
	ranges[1] = model_range (&r, 0x20ff0, 0x1020, true);	/* pages 20, 21 and 22 */
	ranges[2] = model_range (&r, 0x30000, 0x2000, false);
	ranges[3] = model_range (&r, 0x40fff, 1, true);
	CU_ASSERT_EQUAL_FATAL (map_ranges (ranges, 4, &lease), 0);
	CU_ASSERT_EQUAL (fake.map_calls, 2);
	/* The last call was for what the device writes. */
	CU_ASSERT_EQUAL (fake.n, 4);
	CU_ASSERT_EQUAL (fake.prot, PROT_READ | PROT_WRITE);
	CU_ASSERT_EQUAL (fake.refs[0], 0x20);
	CU_ASSERT_EQUAL (fake.refs[2], 0x22);
	CU_ASSERT_EQUAL (fake.refs[3], 0x40);
	CU_ASSERT_EQUAL ((uintptr_t) ranges[0].host % MODEL_PAGE, 0x10);
	CU_ASSERT_EQUAL ((uintptr_t) ranges[1].host % MODEL_PAGE, 0xff0);
	CU_ASSERT_PTR_EQUAL ((uint8_t *) ranges[2].host, (uint8_t *) ranges[0].host - 0x10 + MODEL_PAGE);
	CU_ASSERT_PTR_EQUAL ((uint8_t *) ranges[3].host, (uint8_t *) ranges[1].host - 0xff0 + 3 * MODEL_PAGE + 0xfff);
	*(volatile uint8_t *) ranges[3].host = 1;
	unmap_lease (lease);
	CU_ASSERT_EQUAL (fake.unmap_calls, 2);
	unmap_region (&r);
	end ();
}

static void
what_is_only_read_is_mapped_for_reading (void)
{
	struct region r = region_at (MODEL_GRANTS, 1 << 30, MODEL_ON_DEMAND);
	struct range range = model_range (&r, 0x10000, 0x3000, false);
	struct lease *lease;

	begin ();
	CU_ASSERT_EQUAL_FATAL (map_region (&r, -1), 0);
	CU_ASSERT_EQUAL_FATAL (map_ranges (&range, 1, &lease), 0);
	CU_ASSERT_EQUAL (fake.map_calls, 1);
	CU_ASSERT_EQUAL (fake.n, 3);
	CU_ASSERT_EQUAL (fake.prot, PROT_READ);
	unmap_lease (lease);
	unmap_region (&r);
	end ();
}

static void
a_batch_may_span_regions_and_domains (void)
{
	struct region a = region_at (MODEL_GRANTS, 1 << 20, MODEL_ON_DEMAND), b = region_at (MODEL_GRANTS + (1 << 20), 1 << 20, 0xa);
	struct region mapped = region_at (MODEL_GRANTS + (1 << 21), MODEL_PAGE, VH_XEN_GRANT);
	struct range ranges[3];
	struct lease *lease;

	begin ();
	CU_ASSERT_EQUAL_FATAL (map_region (&a, -1), 0);
	CU_ASSERT_EQUAL_FATAL (map_region (&b, -1), 0);
	CU_ASSERT_EQUAL_FATAL (map_region (&mapped, -1), 0);
	b.spec.xen_domid = DOMAIN + 5;
	fake.map_calls = 0;
	ranges[0] = model_range (&a, 0, 100, false);
	ranges[1] = model_range (&mapped, 8, 100, false);
	ranges[2] = model_range (&b, 0, 100, false);
	CU_ASSERT_EQUAL_FATAL (map_ranges (ranges, 3, &lease), 0);
	CU_ASSERT_EQUAL (fake.map_calls, 1);
	CU_ASSERT_EQUAL (fake.n, 2);
	CU_ASSERT_EQUAL (fake.domids[0], DOMAIN);
	CU_ASSERT_EQUAL (fake.domids[1], DOMAIN + 5);
	CU_ASSERT_PTR_EQUAL (ranges[1].host, mapped.host + 8);
	unmap_lease (lease);
	unmap_region (&a);
	unmap_region (&b);
	unmap_region (&mapped);
	end ();
}

static void
when_one_direction_fails_nothing_stays_mapped (void)
{
	struct region r = region_at (MODEL_GRANTS, 1 << 30, MODEL_ON_DEMAND);
	struct range ranges[2] = { model_range (&r, 0, 1, false), model_range (&r, MODEL_PAGE, 1, true) };
	struct lease *lease = NULL;

	begin ();
	CU_ASSERT_EQUAL_FATAL (map_region (&r, -1), 0);
	fake.fail_map = 2;
	fake.fail_errno = EINVAL;
	CU_ASSERT_EQUAL (map_ranges (ranges, 2, &lease), -EFAULT);
	CU_ASSERT_PTR_NULL (lease);
	CU_ASSERT_EQUAL (fake.live_maps, 0);
	CU_ASSERT_EQUAL (r.lost, 0);
	unmap_region (&r);
	end ();
}

static void
too_many_grants_wait_for_a_lease_to_end (void)
{
	struct region r = region_at (MODEL_GRANTS, UINT64_C (1) << 40, MODEL_ON_DEMAND);
	struct range most = model_range (&r, 0, (GRANT_LIMIT - 1) * MODEL_PAGE, true), two = model_range (&r, 0, 2 * MODEL_PAGE, true);
	struct range one = model_range (&r, 0, MODEL_PAGE, true), excess = model_range (&r, 0, GRANT_LIMIT * MODEL_PAGE + 1, true);
	struct lease *lease, *last;

	begin ();
	CU_ASSERT_EQUAL_FATAL (map_region (&r, -1), 0);
	CU_ASSERT_EQUAL_FATAL (map_ranges (&most, 1, &lease), 0);
	CU_ASSERT_EQUAL (map_ranges (&two, 1, &last), -EAGAIN);
	CU_ASSERT_EQUAL_FATAL (map_ranges (&one, 1, &last), 0);
	CU_ASSERT_EQUAL (fake.map_calls, 2);
	unmap_lease (last);
	unmap_lease (lease);
	CU_ASSERT_EQUAL_FATAL (map_ranges (&two, 1, &last), 0);
	unmap_lease (last);
	/* This many there never will be. */
	CU_ASSERT_EQUAL (map_ranges (&excess, 1, &last), -ENOMEM);
	unmap_region (&r);
	end ();
}

static void
a_kernel_without_room_is_tried_again_while_leases_live (void)
{
	static const int errors[] = { ENOMEM, ENOSPC, EAGAIN };
	struct region r = region_at (MODEL_GRANTS, 1 << 30, MODEL_ON_DEMAND);
	struct range a = model_range (&r, 0, 1, true), b = model_range (&r, MODEL_PAGE, 1, true);
	struct lease *lease, *other;
	unsigned i;

	for (i = 0; i < sizeof (errors) / sizeof (errors[0]); i++) {
		begin ();
		CU_ASSERT_EQUAL_FATAL (map_region (&r, -1), 0);
		CU_ASSERT_EQUAL_FATAL (map_ranges (&a, 1, &lease), 0);
		fake.fail_errno = errors[i];
		fake.fail_map = 1;
		CU_ASSERT_EQUAL (map_ranges (&b, 1, &other), -EAGAIN);
		unmap_lease (lease);
		fake.fail_map = 1;
		CU_ASSERT_EQUAL (map_ranges (&b, 1, &other), -ENOMEM);
		unmap_region (&r);
		end ();
	}
}

static void
a_dead_domain_makes_its_region_lost (void)
{
	struct region r = region_at (MODEL_GRANTS, 1 << 30, MODEL_ON_DEMAND), other = region_at (MODEL_GRANTS + (1 << 30), 1 << 30, MODEL_ON_DEMAND);
	struct range range = model_range (&r, 0, 1, true);
	struct lease *lease;
	unsigned hits = guard_count ();

	begin ();
	CU_ASSERT_EQUAL_FATAL (map_region (&r, -1), 0);
	CU_ASSERT_EQUAL_FATAL (map_region (&other, -1), 0);
	CU_ASSERT_TRUE (domain_check_region (&r));
	fake.dying = true;
	fake.fail_map = 1;
	fake.fail_errno = EINVAL;
	CU_ASSERT_EQUAL (map_ranges (&range, 1, &lease), -EFAULT);
	CU_ASSERT_EQUAL (r.lost, 1);
	CU_ASSERT_EQUAL (other.lost, 0);
	CU_ASSERT_EQUAL (guard_count (), hits + 1);
	/* Once is enough. */
	CU_ASSERT_FALSE (domain_check_region (&r));
	CU_ASSERT_EQUAL (guard_count (), hits + 1);
	unmap_region (&r);
	unmap_region (&other);
	end ();
}

static void
an_unmap_that_fails_is_counted (void)
{
	struct region r = region_at (MODEL_GRANTS, 1 << 30, MODEL_ON_DEMAND);
	struct range range = model_range (&r, 0, 1, true);
	struct lease *lease;

	begin ();
	CU_ASSERT_EQUAL_FATAL (map_region (&r, -1), 0);
	CU_ASSERT_EQUAL_FATAL (map_ranges (&range, 1, &lease), 0);
	fake.unmap_errno = EINVAL;
	unmap_lease (lease);
	CU_ASSERT_EQUAL (model_counters ().failures, 1);
	CU_ASSERT_EQUAL (model_counters ().grants_live, 1);
	unmap_region (&r);
	CU_ASSERT_TRUE (fake_end ());
}

static CU_TestInfo cases[] = {
	{ "a chain is one map call for each direction", a_chain_is_one_map_call_for_each_direction },
	{ "what is only read is mapped for reading", what_is_only_read_is_mapped_for_reading },
	{ "a batch may span regions and domains", a_batch_may_span_regions_and_domains },
	{ "when one direction fails nothing stays mapped", when_one_direction_fails_nothing_stays_mapped },
	{ "too many grants wait for a lease to end", too_many_grants_wait_for_a_lease_to_end },
	{ "a kernel without room is tried again while leases live", a_kernel_without_room_is_tried_again_while_leases_live },
	{ "a dead domain makes its region lost", a_dead_domain_makes_its_region_lost },
	{ "an unmap that fails is counted", an_unmap_that_fails_is_counted },
	CU_TEST_INFO_NULL,
};

int
main (void)
{
	CU_SuiteInfo suites[] = { { "leases on fake calls", NULL, NULL, NULL, NULL, cases }, CU_SUITE_INFO_NULL };
	unsigned failed;

	if (CU_initialize_registry () != CUE_SUCCESS || CU_register_suites (suites) != CUE_SUCCESS) {
		fprintf (stderr, "%s\n", CU_get_error_msg ());
		return 1;
	}
	CU_basic_set_mode (CU_BRM_VERBOSE);
	CU_basic_run_tests ();
	failed = CU_get_number_of_tests_failed () + (CU_get_number_of_tests_run () == 0);
	CU_cleanup_registry ();
	return failed ? 1 : 0;
}
