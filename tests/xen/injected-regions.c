/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Regions of Xen memory on fake Xen libraries: which calls they make, and what becomes of failures that a real host cannot be made to have.  Needs no Xen.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <CUnit/Basic.h>

#include <vhost/protocol.h>

#include "fake-calls.h"
#include "model.h"

#define DOMAIN 7u
#define BATCH 65536u		/* frames of one foreign map call at most */
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

/* Does anybody have these addresses? */
static bool
is_free (void *at, size_t bytes)
{
	void *got = mmap (at, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (got != MAP_FAILED)
		munmap (got, bytes);
	return got == at;
}

static void
the_model_says_what_it_is (void)
{
	CU_ASSERT_STRING_EQUAL (map_model_name, "xen");
	CU_ASSERT_EQUAL (map_protocol_features (), VH_BIT (VH_P_XEN_MMAP));
}

static void
flags_name_one_kind_of_region (void)
{
	static const uint32_t good[] = { 0x1, 0x2, 0x102, 0xa, 0x10a };
	static const uint32_t bad[] = { 0x3, 0x4, 0x8, 0x9, 0xb, 0x10, 0x100, 0x101, 0x103, 0x108, 0x202, 0x10000001, 0x80000002, 0xffffffff };
	unsigned i;

	begin ();
	for (i = 0; i < sizeof (good) / sizeof (good[0]); i++)
		CU_ASSERT_EQUAL (model_try (region_at (good[i] == 1 ? 0 : MODEL_GRANTS, MODEL_PAGE, good[i])), 0);
	for (i = 0; i < sizeof (bad) / sizeof (bad[0]); i++)
		CU_ASSERT_EQUAL (model_try (region_at (MODEL_GRANTS, MODEL_PAGE, bad[i])), -EINVAL);
	end ();
}

static void
no_flags_are_an_ordinary_file (void)
{
	struct region r = region_at (0x1000, 2 * MODEL_PAGE, 0);
	int fd = memfd_create ("memory", MFD_CLOEXEC);
	uint64_t word = 0x1122334455667788;

	begin ();
	CU_ASSERT_EQUAL_FATAL (ftruncate (fd, 2 * MODEL_PAGE), 0);
	CU_ASSERT_EQUAL (pwrite (fd, &word, sizeof (word), MODEL_PAGE), sizeof (word));
	CU_ASSERT_EQUAL_FATAL (map_region (&r, fd), 0);
	CU_ASSERT_EQUAL (*(uint64_t *) (r.host + MODEL_PAGE), word);
	unmap_region (&r);
	CU_ASSERT_EQUAL (fake.opened, 0);
	close (fd);
	end ();
}

static void
handles_are_shared_and_closed_with_the_last_region (void)
{
	struct region r[3] = {
		region_at (0, MODEL_PAGE, VH_XEN_FOREIGN),
		region_at (MODEL_GRANTS, MODEL_PAGE, VH_XEN_GRANT),
		region_at (MODEL_GRANTS + MODEL_PAGE, MODEL_PAGE, MODEL_ON_DEMAND),
	};
	unsigned i;

	begin ();
	for (i = 0; i < 3; i++)
		CU_ASSERT_EQUAL_FATAL (map_region (&r[i], -1), 0);
	CU_ASSERT_EQUAL (fake.opened, 3);
	unmap_region (&r[0]);
	unmap_region (&r[1]);
	CU_ASSERT_EQUAL (fake.closed, 0);
	unmap_region (&r[2]);
	CU_ASSERT_EQUAL (fake.closed, 3);
	end ();
}

static void
no_xen_host_is_an_error (void)
{
	begin ();
	fake.open_errno = ENOENT;
	CU_ASSERT_EQUAL (model_try (region_at (0, MODEL_PAGE, VH_XEN_FOREIGN)), -ENOENT);
	CU_ASSERT_EQUAL (model_try (region_at (MODEL_GRANTS, MODEL_PAGE, MODEL_ON_DEMAND)), -ENOENT);
	fake.open_errno = 0;
	CU_ASSERT_EQUAL (model_try (region_at (0, MODEL_PAGE, VH_XEN_FOREIGN)), 0);
	end ();
}

static void
the_domain_must_live (void)
{
	struct region r = region_at (MODEL_GRANTS, MODEL_PAGE, MODEL_ON_DEMAND);

	begin ();
	/* Xen answers with the next one when there is no such domain. */
	r.spec.xen_domid = DOMAIN - 1;
	CU_ASSERT_EQUAL (model_try (r), -ESRCH);
	r.spec.xen_domid = DOMAIN + 1;
	CU_ASSERT_EQUAL (model_try (r), -ESRCH);
	fake.dying = true;
	CU_ASSERT_EQUAL (model_try (region_at (0, MODEL_PAGE, VH_XEN_FOREIGN)), -ESRCH);
	CU_ASSERT_EQUAL (model_try (region_at (MODEL_GRANTS, MODEL_PAGE, VH_XEN_GRANT)), -ESRCH);
	CU_ASSERT_EQUAL (fake.map_calls + fake.foreign_calls, 0);
	end ();
}

static void
without_privilege_grants_work_all_the_same (void)
{
	begin ();
	fake.no_control = true;
	CU_ASSERT_EQUAL (model_try (region_at (MODEL_GRANTS, MODEL_PAGE, VH_XEN_GRANT)), 0);
	CU_ASSERT_EQUAL (model_try (region_at (MODEL_GRANTS, MODEL_PAGE, MODEL_ON_DEMAND)), 0);
	CU_ASSERT_EQUAL (fake.domain_calls, 0);
	end ();
}

static void
the_hosts_own_memory_is_no_guest_memory (void)
{
	struct region r = region_at (0, MODEL_PAGE, VH_XEN_FOREIGN);

	begin ();
	fake.domain = 0;
	r.spec.xen_domid = 0;
	CU_ASSERT_EQUAL (model_try (r), -EINVAL);
	r.spec.xen_domid = DOMID_SELF;
	CU_ASSERT_EQUAL (model_try (r), -EINVAL);
	r.spec.xen_domid = 0x10000 + DOMAIN;
	CU_ASSERT_EQUAL (model_try (r), -EINVAL);
	CU_ASSERT_EQUAL (fake.foreign_calls, 0);
	end ();
}

static void
an_offset_makes_no_sense_in_xen_memory (void)
{
	struct region r = region_at (0, MODEL_PAGE, VH_XEN_FOREIGN);

	begin ();
	r.spec.offset = MODEL_PAGE;
	CU_ASSERT_EQUAL (model_try (r), -EINVAL);
	r = region_at (MODEL_GRANTS, MODEL_PAGE, VH_XEN_GRANT);
	r.spec.offset = MODEL_PAGE;
	CU_ASSERT_EQUAL (model_try (r), -EINVAL);
	end ();
}

static void
a_foreign_region_is_its_frames (void)
{
	struct region r = region_at (0x12345 * UINT64_C (4096) + 0x123, 3 * MODEL_PAGE, VH_XEN_FOREIGN);

	begin ();
	CU_ASSERT_EQUAL_FATAL (map_region (&r, -1), 0);
	/* Neither end is on a page's edge: four frames. */
	CU_ASSERT_EQUAL (fake.frames, 4);
	CU_ASSERT_EQUAL (fake.first_frame, 0x12345);
	CU_ASSERT_EQUAL (fake.frames_sum, 4 * 0x12345 + 6);
	CU_ASSERT_EQUAL ((uintptr_t) r.host % MODEL_PAGE, 0x123);
	r.host[0] = 1;
	r.host[3 * MODEL_PAGE - 1] = 1;
	unmap_region (&r);
	CU_ASSERT_EQUAL (fake.foreign_unmaps, 1);
	end ();
}

static void
a_large_foreign_region_is_mapped_in_batches (void)
{
	uint64_t frames = 4 * BATCH + 5, sum = frames * (frames - 1) / 2;
	struct region r = region_at (0, frames * MODEL_PAGE, VH_XEN_FOREIGN);
	begin ();
	CU_ASSERT_EQUAL_FATAL (map_region (&r, -1), 0);
	CU_ASSERT_EQUAL (fake.foreign_calls, 5);
	CU_ASSERT_EQUAL (fake.largest_batch, BATCH);
	CU_ASSERT_EQUAL (fake.frames, frames);
	CU_ASSERT_EQUAL (fake.frames_sum, sum);
	r.host[0] = 1;
	r.host[frames * MODEL_PAGE - 1] = 1;
	unmap_region (&r);
	CU_ASSERT_EQUAL (model_counters ().foreign_frames, frames);
	end ();
}

/* A region of three batches whose second fails in a way that the caller set up; what map_region said. */
static int
fail_second_batch (void)
{
	struct region r = region_at (0, 3 * BATCH * (uint64_t) MODEL_PAGE, VH_XEN_FOREIGN);
	int ret = map_region (&r, -1);

	if (ret == 0)
		unmap_region (&r);
	else
		CU_ASSERT_TRUE (is_free (fake.first_at, r.spec.size));
	return ret;
}

static void
one_bad_frame_refuses_the_region (void)
{
	static const int errors[] = { -EINVAL, -EPERM, -EFAULT };
	unsigned i;

	for (i = 0; i < sizeof (errors) / sizeof (errors[0]); i++) {
		begin ();
		fake.good_calls = 1;
		fake.bad_calls = 1;
		fake.bad_entry = BATCH - 1;
		fake.bad_error = errors[i];
		CU_ASSERT_EQUAL (fail_second_batch (), -EFAULT);
		CU_ASSERT_EQUAL (fake.foreign_calls, 2);
		end ();
	}
}

static void
a_domain_that_dies_meanwhile_is_no_such_domain (void)
{
	begin ();
	fake.good_calls = 1;
	fake.bad_calls = 1;
	fake.bad_error = -ESRCH;
	CU_ASSERT_EQUAL (fail_second_batch (), -ESRCH);
	end ();
}

static void
frames_that_are_paged_out_are_awaited (void)
{
	static const int errors[] = { -ENOENT, -EAGAIN };
	unsigned i;

	for (i = 0; i < 2; i++) {
		begin ();
		fake.good_calls = 1;
		fake.bad_calls = 3;
		fake.bad_entry = 77;
		fake.bad_error = errors[i];
		CU_ASSERT_EQUAL (fail_second_batch (), 0);
		CU_ASSERT_EQUAL (fake.foreign_calls, 6);
		end ();
	}
}

static void
frames_that_stay_paged_out_are_given_up (void)
{
	begin ();
	fake.good_calls = 1;
	fake.bad_calls = 1000000;
	fake.bad_error = -ENOENT;
	CU_ASSERT_EQUAL (fail_second_batch (), -EAGAIN);
	CU_ASSERT_TRUE (fake.foreign_calls > 10 && fake.foreign_calls < 1000);
	end ();
}

static void
a_call_that_fails_as_a_whole_is_repeated_when_it_may_help (void)
{
	begin ();
	fake.good_calls = 1;
	fake.null_calls = 2;
	fake.null_errno = EAGAIN;
	fake.null_unmaps = true;
	CU_ASSERT_EQUAL (fail_second_batch (), 0);
	CU_ASSERT_EQUAL (fake.foreign_calls, 5);
	end ();
}

/* The failed call left its addresses taken, by whom cannot be known: they are neither mapped over nor unmapped. */
static void
addresses_that_may_be_anothers_are_left_alone (void)
{
	struct region r = region_at (0, 3 * BATCH * (uint64_t) MODEL_PAGE, VH_XEN_FOREIGN);
	size_t batch = (size_t) BATCH * MODEL_PAGE;
	uint8_t *at;

	begin ();
	fake.good_calls = 1;
	fake.null_calls = 1;
	fake.null_errno = EAGAIN;
	CU_ASSERT_EQUAL_FATAL (map_region (&r, -1), -EAGAIN);
	CU_ASSERT_EQUAL (fake.foreign_calls, 2);
	at = fake.first_at;
	CU_ASSERT_TRUE (is_free (at, batch));
	CU_ASSERT_FALSE (is_free (at + batch, batch));
	CU_ASSERT_TRUE (is_free (at + 2 * batch, batch));
	munmap (at + batch, batch);
	end ();
}

static void
a_call_that_fails_as_a_whole_leaves_nothing_mapped (void)
{
	begin ();
	fake.good_calls = 1;
	fake.null_calls = 1;
	fake.null_errno = ENOMEM;
	fake.null_unmaps = true;
	CU_ASSERT_EQUAL (fail_second_batch (), -ENOMEM);
	end ();
}

static void
grants_in_advance_are_consecutive_references (void)
{
	struct region r = region_at (MODEL_GRANTS + 0x55000 + 0xf00, 2 * MODEL_PAGE, VH_XEN_GRANT);
	unsigned i;

	begin ();
	CU_ASSERT_EQUAL_FATAL (map_region (&r, -1), 0);
	CU_ASSERT_EQUAL (fake.map_calls, 1);
	CU_ASSERT_EQUAL (fake.n, 3);
	CU_ASSERT_EQUAL (fake.prot, PROT_READ | PROT_WRITE);
	for (i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL (fake.refs[i], 0x55 + i);
		CU_ASSERT_EQUAL (fake.domids[i], DOMAIN);
	}
	CU_ASSERT_EQUAL ((uintptr_t) r.host % MODEL_PAGE, 0xf00);
	r.host[2 * MODEL_PAGE - 1] = 1;
	unmap_region (&r);
	end ();
}

static void
addresses_beyond_all_references_are_refused (void)
{
	uint64_t end_of_refs = UINT64_C (1) << 44;

	begin ();
	CU_ASSERT_EQUAL (model_try (region_at (MODEL_GRANTS, end_of_refs, MODEL_ON_DEMAND)), 0);
	CU_ASSERT_EQUAL (model_try (region_at (MODEL_GRANTS, end_of_refs + 1, MODEL_ON_DEMAND)), -EINVAL);
	CU_ASSERT_EQUAL (model_try (region_at (MODEL_GRANTS + end_of_refs, MODEL_PAGE, MODEL_ON_DEMAND)), -EINVAL);
	CU_ASSERT_EQUAL (model_try (region_at (MODEL_GRANTS + (UINT64_C (1) << 62), MODEL_PAGE, VH_XEN_GRANT)), -EINVAL);
	CU_ASSERT_EQUAL (model_try (region_at (MODEL_GRANTS, (uint64_t) GRANT_LIMIT * MODEL_PAGE, VH_XEN_GRANT)), 0);
	CU_ASSERT_EQUAL (model_try (region_at (MODEL_GRANTS, (uint64_t) GRANT_LIMIT * MODEL_PAGE + 1, VH_XEN_GRANT)), -EINVAL);
	end ();
}

static CU_TestInfo cases[] = {
	{ "the model says what it is", the_model_says_what_it_is },
	{ "flags name one kind of region", flags_name_one_kind_of_region },
	{ "no flags are an ordinary file", no_flags_are_an_ordinary_file },
	{ "handles are shared and closed with the last region", handles_are_shared_and_closed_with_the_last_region },
	{ "no Xen host is an error", no_xen_host_is_an_error },
	{ "the domain must live", the_domain_must_live },
	{ "without privilege grants work all the same", without_privilege_grants_work_all_the_same },
	{ "the host's own memory is no guest memory", the_hosts_own_memory_is_no_guest_memory },
	{ "an offset makes no sense in Xen memory", an_offset_makes_no_sense_in_xen_memory },
	{ "a foreign region is its frames", a_foreign_region_is_its_frames },
	{ "a large foreign region is mapped in batches", a_large_foreign_region_is_mapped_in_batches },
	{ "one bad frame refuses the region", one_bad_frame_refuses_the_region },
	{ "a domain that dies meanwhile is no such domain", a_domain_that_dies_meanwhile_is_no_such_domain },
	{ "frames that are paged out are awaited", frames_that_are_paged_out_are_awaited },
	{ "frames that stay paged out are given up", frames_that_stay_paged_out_are_given_up },
	{ "a call that fails as a whole is repeated when it may help", a_call_that_fails_as_a_whole_is_repeated_when_it_may_help },
	{ "addresses that may be another's are left alone", addresses_that_may_be_anothers_are_left_alone },
	{ "a call that fails as a whole leaves nothing mapped", a_call_that_fails_as_a_whole_leaves_nothing_mapped },
	{ "grants in advance are consecutive references", grants_in_advance_are_consecutive_references },
	{ "addresses beyond all references are refused", addresses_beyond_all_references_are_refused },
	CU_TEST_INFO_NULL,
};

int
main (void)
{
	CU_SuiteInfo suites[] = { { "regions on fake calls", NULL, NULL, NULL, NULL, cases }, CU_SUITE_INFO_NULL };
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
