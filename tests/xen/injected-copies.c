/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copies of granted memory on fake Xen libraries: what is asked of the hypervisor, with how many calls, and what becomes of refusals.  Needs no Xen.
 */
#include <errno.h>
#include <string.h>

#include "fake-calls.h"
#include "mmap-xen/copy.h"
#include "model.h"
#include "tests/suite.h"

#define DOMAIN 7u
#define GRANT_LIMIT 65536u	/* pages of all leases at most */
#define REF(ref) ((uint64_t) (ref) * MODEL_PAGE)

static struct region region;

static void
begin (void)
{
	fake_begin ();
	fake.domain = DOMAIN;
	model_begin ();
	region = model_region (DOMAIN, MODEL_GRANTS, UINT64_C (1) << 40, MODEL_ON_DEMAND);
	CU_ASSERT_EQUAL_FATAL (map_region (&region, -1), 0);
}

static void
end (void)
{
	unmap_region (&region);
	CU_ASSERT_TRUE (fake_end ());
	CU_ASSERT_TRUE (model_is_balanced ());
}

static struct range
copy_of (uint64_t offset, uint32_t size, bool write)
{
	struct range r = model_range (&region, offset, size, write);

	r.copy = true;
	return r;
}

/* Has a range what the guest has at its address? */
static bool
is_right (const struct range *r)
{
	for (uint32_t i = 0; i < r->size; i++) {
		uint64_t at = r->addr - MODEL_GRANTS + i;

		if (((uint8_t *) r->host)[i] != fake_guest_byte ((uint32_t) (at / MODEL_PAGE), at % MODEL_PAGE))
			return false;
	}
	return true;
}

static void
a_chain_is_one_copy_call (void)
{
	struct range ranges[3];
	struct lease *lease;

	begin ();
	CU_ASSERT_EQUAL (map_copy_limit (), COPY_LIMIT);
	ranges[0] = copy_of (REF (16) + 0x100, 16, false);
	ranges[1] = copy_of (REF (20) + 0x800, MODEL_PAGE, true);
	ranges[2] = copy_of (REF (30) + 0x118, 1, true);
	CU_ASSERT_EQUAL_FATAL (map_ranges (ranges, 3, &lease), 0);
	CU_ASSERT_EQUAL (fake.copy_calls, 1);
	CU_ASSERT_EQUAL (fake.map_calls, 0);
	/* A segment may not leave its page. */
	CU_ASSERT_EQUAL_FATAL (fake.n_segments, 4);
	CU_ASSERT_EQUAL (fake.segments[2].source.foreign.ref, 21);
	CU_ASSERT_EQUAL (fake.segments[2].source.foreign.offset, 0);
	CU_ASSERT_EQUAL (fake.segments[2].len, 0x800);
	CU_ASSERT_EQUAL (fake.segments[3].source.foreign.domid, DOMAIN);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_TRUE (is_right (&ranges[i]));
	CU_ASSERT_EQUAL (model_counters ().copy_calls, 1);
	unmap_lease (lease);
	CU_ASSERT_EQUAL (fake.copy_calls, 1);
	CU_ASSERT_EQUAL (fake.unmap_calls, 0);
	end ();
}

static void
what_was_written_is_written_back (void)
{
	struct range ranges[4];
	struct lease *lease;

	begin ();
	ranges[0] = copy_of (REF (16), 16, false);
	ranges[1] = copy_of (REF (17) + 8, 100, true);
	ranges[2] = model_range (&region, REF (18), MODEL_PAGE, true);	/* mapped: needs nothing */
	ranges[3] = copy_of (REF (19), 1, true);
	CU_ASSERT_EQUAL_FATAL (map_ranges (ranges, 4, &lease), 0);
	memset (ranges[1].host, 0x5a, 100);
	memset (ranges[3].host, 0x5b, 1);
	CU_ASSERT_EQUAL (map_write_back (ranges, 4), 0);
	CU_ASSERT_EQUAL (fake.copy_calls, 2);
	CU_ASSERT_EQUAL_FATAL (fake.n_segments, 2);
	CU_ASSERT_EQUAL (fake.segments[0].flags, GNTCOPY_dest_gref);
	CU_ASSERT_EQUAL (fake.segments[0].dest.foreign.ref, 17);
	CU_ASSERT_EQUAL (fake.segments[0].dest.foreign.offset, 8);
	CU_ASSERT_EQUAL (fake.segments[0].len, 100);
	CU_ASSERT_EQUAL (((uint8_t *) fake.segments[0].source.virt)[99], 0x5a);
	CU_ASSERT_EQUAL (*(uint8_t *) fake.segments[1].source.virt, 0x5b);
	/* Nothing to write is no call. */
	CU_ASSERT_EQUAL (map_write_back (ranges, 1), 0);
	CU_ASSERT_EQUAL (fake.copy_calls, 2);
	unmap_lease (lease);
	end ();
}

/* A header to copy, data to map, a status byte to copy: one map call, whatever directions. */
static void
copies_and_mappings_are_one_call_each (void)
{
	struct range ranges[3];
	struct lease *lease;

	for (unsigned write = 0; write < 2; write++) {
		begin ();
		ranges[0] = copy_of (REF (16), 16, false);
		ranges[1] = model_range (&region, REF (17), 8 * MODEL_PAGE, write);
		ranges[2] = copy_of (REF (25), 1, true);
		CU_ASSERT_EQUAL_FATAL (map_ranges (ranges, 3, &lease), 0);
		CU_ASSERT_EQUAL (fake.map_calls, 1);
		CU_ASSERT_EQUAL (fake.n, 8);
		CU_ASSERT_EQUAL (fake.copy_calls, 1);
		CU_ASSERT_TRUE (is_right (&ranges[0]) && is_right (&ranges[2]));
		CU_ASSERT_EQUAL ((uintptr_t) ranges[1].host % MODEL_PAGE, 0);
		unmap_lease (lease);
		CU_ASSERT_EQUAL (fake.unmap_calls, 1);
		end ();
	}
}

/* Devices that read past the page cache need buffers of sectors where sectors may be; the others words. */
static void
copies_are_aligned_like_the_originals (void)
{
	static const uint64_t offsets[] = { 0x200, 0xe00, 0x3, 0x40, 0xfff, 0x7 };
	static const uint32_t sizes[] = { 512, 4096, 1, 24, 2, 700 };
	struct range ranges[6];
	struct lease *lease;

	begin ();
	for (unsigned i = 0; i < 6; i++)
		ranges[i] = copy_of (REF (10 * i) + offsets[i], sizes[i], true);
	CU_ASSERT_EQUAL_FATAL (map_ranges (ranges, 6, &lease), 0);
	for (unsigned i = 0; i < 6; i++) {
		uintptr_t at = (uintptr_t) ranges[i].host;

		CU_ASSERT_EQUAL (at % 64, offsets[i] % 64);
		CU_ASSERT_TRUE (sizes[i] < 512 || at % MODEL_PAGE == offsets[i]);
		CU_ASSERT_TRUE (is_right (&ranges[i]));
		for (unsigned k = 0; k < i; k++)
			CU_ASSERT_TRUE (at >= (uintptr_t) ranges[k].host + sizes[k] || at + sizes[i] <= (uintptr_t) ranges[k].host);
	}
	unmap_lease (lease);
	end ();
}

static void
many_segments_are_several_calls (void)
{
	struct range ranges[100];
	struct lease *lease;

	begin ();
	for (unsigned i = 0; i < 100; i++)
		ranges[i] = copy_of (REF (i), 8, true);
	CU_ASSERT_EQUAL_FATAL (map_ranges (ranges, 100, &lease), 0);
	CU_ASSERT_EQUAL (fake.copy_calls, 2);
	CU_ASSERT_EQUAL (fake.copied, 100);
	CU_ASSERT_TRUE (is_right (&ranges[99]));
	CU_ASSERT_EQUAL (map_write_back (ranges, 100), 0);
	CU_ASSERT_EQUAL (fake.copied, 200);
	unmap_lease (lease);
	end ();
}

static void
a_copy_that_is_not_granted_fails_the_chain (void)
{
	struct range ranges[3];
	struct lease *lease = NULL;

	begin ();
	ranges[0] = copy_of (REF (16), 16, false);
	ranges[1] = model_range (&region, REF (17), MODEL_PAGE, true);
	ranges[2] = copy_of (REF (18), 1, true);
	fake.bad_copy = 18;
	fake.copy_status = GNTST_bad_gntref;
	CU_ASSERT_EQUAL (map_ranges (ranges, 3, &lease), -EFAULT);
	CU_ASSERT_PTR_NULL (lease);
	CU_ASSERT_EQUAL (fake.live_maps, 0);
	CU_ASSERT_EQUAL (model_counters ().failures, 1);
	CU_ASSERT_EQUAL (region.lost, 0);
	/* Where the map call fails, the copies are worth nothing either. */
	fake.copy_status = GNTST_okay;
	fake.fail_map = 1;
	fake.fail_errno = EINVAL;
	CU_ASSERT_EQUAL (map_ranges (ranges, 3, &lease), -EFAULT);
	CU_ASSERT_PTR_NULL (lease);
	end ();
}

/* The guest took its leave back: the other ranges are written all the same. */
static void
a_refusal_to_be_written_is_told (void)
{
	struct range ranges[2];
	struct lease *lease;

	begin ();
	ranges[0] = copy_of (REF (16), 8, true);
	ranges[1] = copy_of (REF (17), 8, true);
	CU_ASSERT_EQUAL_FATAL (map_ranges (ranges, 2, &lease), 0);
	fake.bad_copy = 16;
	fake.copy_status = GNTST_permission_denied;
	CU_ASSERT_EQUAL (map_write_back (ranges, 2), -EFAULT);
	CU_ASSERT_EQUAL (fake.segments[1].status, GNTST_okay);
	CU_ASSERT_EQUAL (region.lost, 0);
	/* The guest itself may be the reason. */
	fake.dying = true;
	CU_ASSERT_EQUAL (map_write_back (ranges, 2), -EFAULT);
	CU_ASSERT_EQUAL (region.lost, 1);
	unmap_lease (lease);
	end ();
}

static void
a_call_that_fails_as_a_whole_is_told (void)
{
	struct range range;
	struct lease *lease = NULL;

	begin ();
	range = copy_of (REF (16), 8, true);
	fake.copy_errno = EFAULT;
	CU_ASSERT_EQUAL (map_ranges (&range, 1, &lease), -EFAULT);
	fake.copy_errno = ENOMEM;
	CU_ASSERT_EQUAL (map_ranges (&range, 1, &lease), -ENOMEM);
	CU_ASSERT_PTR_NULL (lease);
	fake.copy_errno = 0;
	CU_ASSERT_EQUAL_FATAL (map_ranges (&range, 1, &lease), 0);
	fake.copy_errno = EIO;
	CU_ASSERT_EQUAL (map_write_back (&range, 1), -EFAULT);
	unmap_lease (lease);
	end ();
}

static void
copies_take_room_like_mappings (void)
{
	struct range most, copy;
	struct lease *lease, *other;

	begin ();
	most = model_range (&region, 0, (GRANT_LIMIT - 1) * MODEL_PAGE, true);
	copy = copy_of (REF (16), MODEL_PAGE + 1, true);
	CU_ASSERT_EQUAL_FATAL (map_ranges (&most, 1, &lease), 0);
	CU_ASSERT_EQUAL (map_ranges (&copy, 1, &other), -EAGAIN);
	copy.size = MODEL_PAGE;
	CU_ASSERT_EQUAL_FATAL (map_ranges (&copy, 1, &other), 0);
	unmap_lease (other);
	unmap_lease (lease);
	copy.size = GRANT_LIMIT * MODEL_PAGE + 1;
	CU_ASSERT_EQUAL (map_ranges (&copy, 1, &other), -ENOMEM);
	end ();
}

/* A kernel without the call: everything is mapped, as if there were no copies. */
static void
a_host_may_be_unable_to_copy (void)
{
	fake_begin ();
	fake.domain = DOMAIN;
	fake.copy_errno = ENOTTY;
	model_begin ();
	region = model_region (DOMAIN, MODEL_GRANTS, UINT64_C (1) << 40, MODEL_ON_DEMAND);
	CU_ASSERT_EQUAL_FATAL (map_region (&region, -1), 0);
	CU_ASSERT_EQUAL (map_copy_limit (), 0);
	end ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "a chain is one copy call", a_chain_is_one_copy_call },
		{ "what was written is written back", what_was_written_is_written_back },
		{ "copies and mappings are one call each", copies_and_mappings_are_one_call_each },
		{ "copies are aligned like the originals", copies_are_aligned_like_the_originals },
		{ "many segments are several calls", many_segments_are_several_calls },
		{ "a copy that is not granted fails the chain", a_copy_that_is_not_granted_fails_the_chain },
		{ "a refusal to be written is told", a_refusal_to_be_written_is_told },
		{ "a call that fails as a whole is told", a_call_that_fails_as_a_whole_is_told },
		{ "copies take room like mappings", copies_take_room_like_mappings },
		{ "a host may be unable to copy", a_host_may_be_unable_to_copy },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("copies on fake calls", tests);
}
