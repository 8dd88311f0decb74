/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct vh_dev on vDPA, and the memory of such devices: orders, what is mapped after each change, also one that fails anywhere.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <vhost/vdpa.h>

#include "kernel/kernel.h"
#include "tests/unit/kernel-fake.h"

#define FEATURES (VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_ACCESS_PLATFORM))
#define USER UINT64_C (0x7f0000000000)

static struct vh_kernel *k;
static struct vh_dev *dev;
static int event;

static struct vh_region
at (uint64_t page)
{
	return (struct vh_region){ .guest_addr = page << 12, .size = 0x10000, .user_addr = USER + (page << 12), .fd = -1 };
}

/* --- a model of what the device has mapped, from the messages --- */

static uint64_t mapped[32];
static unsigned n_mapped;
static bool in_batch;

static void
unmap (uint64_t iova, uint64_t size)
{
	for (unsigned i = 0; i < n_mapped;)
		if (mapped[i] < iova + size && iova < mapped[i] + 0x10000)
			mapped[i] = mapped[--n_mapped];
		else
			i++;
}

static void
apply (const struct fake_call *c)
{
	uint64_t iova, size, user;

	CU_ASSERT_EQUAL (c->size, 72);
	memcpy (&iova, c->bytes + 8, 8);
	memcpy (&size, c->bytes + 16, 8);
	memcpy (&user, c->bytes + 24, 8);
	switch (c->bytes[33]) {
	case VH_IOTLB_UPDATE:
		CU_ASSERT (size == 0x10000 && user == USER + iova && c->bytes[32] == VH_ACCESS_RW);
		mapped[n_mapped++] = iova;
		break;
	case VH_IOTLB_INVALIDATE:
		unmap (iova, size);
		break;
	case VH_IOTLB_BATCH_BEGIN:
		CU_ASSERT (!in_batch);
		in_batch = true;
		break;
	case VH_IOTLB_BATCH_END:
		in_batch = false;
		break;
	default:
		CU_FAIL ("an unknown message");
	}
}

/* Takes all messages that were written since the last time; number `failed` from 1 had no effect. */
static void
take_messages (unsigned failed)
{
	for (unsigned i = 0; i < fake_n_calls; i++)
		if (fake_calls[i].kind == FAKE_WRITE && i + 1 != failed)
			apply (&fake_calls[i]);
	fake_forget ();
}

static bool
is_mapped (uint64_t page)
{
	for (unsigned i = 0; i < n_mapped; i++)
		if (mapped[i] == page << 12)
			return true;
	return false;
}

/* Answers the question for the IOVA range, which each change asks. */
static void
answer_range (void)
{
	const uint64_t range[2] = { 0x1000, 0xffffffff };

	fake_answer (0, range, sizeof (range));
}

static void
begin_map (struct vh_vdpa_map **map, uint64_t backend)
{
	k = fake_device ();
	n_mapped = 0;
	in_batch = false;
	CU_ASSERT_EQUAL (vh_kernel_set_backend_features (k, backend), 0);
	CU_ASSERT_EQUAL_FATAL (vh_vdpa_map_new (k, 0, map), 0);
	fake_forget ();
}

static void
a_map_follows_its_table (void)
{
	const struct vh_region first[] = { at (0x10), at (0x20) }, second[] = { at (0x20), at (0x40), at (0x50) };
	struct vh_vdpa_map *map;

	begin_map (&map, VH_BIT (VH_BACKEND_IOTLB_MSG_V2) | VH_BIT (VH_BACKEND_IOTLB_BATCH));
	answer_range ();
	CU_ASSERT_EQUAL (vh_vdpa_map_set (map, first, 2), 0);
	CU_ASSERT_EQUAL (fake_n_calls, 5);	/* the range; begin, two maps, end */
	take_messages (0);
	CU_ASSERT (n_mapped == 2 && is_mapped (0x10) && is_mapped (0x20) && !in_batch);
	answer_range ();
	CU_ASSERT_EQUAL (vh_vdpa_map_set (map, second, 3), 0);
	CU_ASSERT_EQUAL (fake_n_calls, 6);	/* the range; begin, one unmap, two maps, end: what stays is not touched */
	take_messages (0);
	CU_ASSERT (n_mapped == 3 && is_mapped (0x20) && is_mapped (0x40) && is_mapped (0x50));
	vh_vdpa_map_free (map);
	take_messages (0);
	CU_ASSERT_EQUAL (n_mapped, 0);
	vh_vdpa_map_free (NULL);
	vh_kernel_free (k);
}

static void
without_batches (void)
{
	const struct vh_region first[] = { at (0x10) };
	struct vh_vdpa_map *map;

	begin_map (&map, VH_BIT (VH_BACKEND_IOTLB_MSG_V2));
	/* An old kernel does not tell the range. */
	fake_answer_always (0x78, -ENOTTY);
	CU_ASSERT_EQUAL (vh_vdpa_map_set (map, first, 1), 0);
	CU_ASSERT_EQUAL (fake_n_calls, 2);
	take_messages (0);
	CU_ASSERT_EQUAL (n_mapped, 1);
	vh_vdpa_map_forget (map);
	vh_vdpa_map_free (map);
	CU_ASSERT_EQUAL (fake_n_calls, 0);
	vh_kernel_free (k);
}

/* From {10, 20} to {20, 14, 50}, where 14 lies over 10: calls are the range, begin, unmap 10, map 14, map 50, end. */
static void
a_change_that_fails_changes_nothing (void)
{
	const struct vh_region first[] = { at (0x10), at (0x20) };
	const struct vh_region second[] = { at (0x20), { .guest_addr = 0x18000, .size = 0x8000, .user_addr = USER + 0x18000, .fd = -1 }, at (0x50) };

	for (unsigned nth = 1; nth <= 6; nth++) {
		struct vh_vdpa_map *map;

		begin_map (&map, VH_BIT (VH_BACKEND_IOTLB_MSG_V2) | VH_BIT (VH_BACKEND_IOTLB_BATCH));
		answer_range ();
		CU_ASSERT_EQUAL_FATAL (vh_vdpa_map_set (map, first, 2), 0);
		take_messages (0);
		answer_range ();
		fake_fail_nth (nth, -EFAULT);
		CU_ASSERT_EQUAL (vh_vdpa_map_set (map, second, 3), -EFAULT);
		for (unsigned i = 0; i < fake_n_calls; i++) {
			uint64_t size = 0;

			memcpy (&size, fake_calls[i].bytes + 16, 8);
			/* The model knows one size. */
			if (fake_calls[i].kind == FAKE_WRITE && size == 0x8000)
				fake_calls[i].kind = FAKE_IOCTL;
		}
		take_messages (nth);
		CU_ASSERT (n_mapped == 2 && is_mapped (0x10) && is_mapped (0x20) && !in_batch);
		/* And what it remembers is the same: going on from there maps only what is new. */
		answer_range ();
		CU_ASSERT_EQUAL (vh_vdpa_map_set (map, first, 1), 0);
		take_messages (0);
		CU_ASSERT (n_mapped == 1 && is_mapped (0x10));
		vh_vdpa_map_free (map);
		vh_kernel_free (k);
	}
}

static void
regions_that_cannot_be_mapped (void)
{
	struct vh_region r = at (0x10);
	struct vh_vdpa_map *map;

	begin_map (&map, VH_BIT (VH_BACKEND_IOTLB_MSG_V2));
	r.size = 0;
	CU_ASSERT_EQUAL (vh_vdpa_map_set (map, &r, 1), -EINVAL);
	r = at (0x10);
	r.user_addr += 0x800;
	CU_ASSERT_EQUAL (vh_vdpa_map_set (map, &r, 1), -EINVAL);
	CU_ASSERT_EQUAL (fake_n_calls, 0);
	r = at (0xffff8);
	answer_range ();
	CU_ASSERT_EQUAL (vh_vdpa_map_set (map, &r, 1), -ERANGE);
	CU_ASSERT_STRING_EQUAL (vh_kernel_error (k), "memory at 0xffff8000 is outside of what the device can address, 0x1000 to 0xffffffff");
	answer_range ();
	r = at (0);
	CU_ASSERT_EQUAL (vh_vdpa_map_set (map, &r, 1), -ERANGE);
	r = at (0xffff0);
	answer_range ();
	CU_ASSERT_EQUAL (vh_vdpa_map_set (map, &r, 1), 0);
	vh_vdpa_map_free (map);
	vh_kernel_free (k);
}

/* --- the device --- */

static const char *
order (void)
{
	static char text[4 * FAKE_MAX_CALLS];
	size_t n = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < fake_n_calls; i++)
		if (fake_calls[i].kind == FAKE_WRITE)
			n += snprintf (text + n, sizeof (text) - n, " w%u", fake_calls[i].bytes[33]);
		else if (_IOC_NR (fake_calls[i].number) == 0x72)
			n += snprintf (text + n, sizeof (text) - n, " s%02x", fake_calls[i].bytes[0]);
		else if (_IOC_NR (fake_calls[i].number) != 0x71)
			n += snprintf (text + n, sizeof (text) - n, " %02x", (unsigned) _IOC_NR (fake_calls[i].number));
	fake_forget ();
	return text + 1;
}

static void
begin_device (void)
{
	event = eventfd (0, EFD_CLOEXEC);
	CU_ASSERT_EQUAL_FATAL (vh_dev_new_vdpa (fake_device (), &dev), 0);
	CU_ASSERT_STRING_EQUAL (vh_dev_kind (dev), "vDPA");
	fake_answer (0, NULL, 0);
	fake_answer_u64 (0x17e);	/* back-end features */
	fake_answer (0, NULL, 0);
	fake_answer (0, NULL, 0);
	fake_answer_u64 (FEATURES | VH_BIT (VH_F_RING_PACKED));
	fake_answer_u32 (3);		/* rings */
	CU_ASSERT_EQUAL_FATAL (vh_dev_set_owner (dev), 0);
}

static void
set_up (void)
{
	const struct vh_region r = at (0x10);
	const struct vh_vring_addr addr = { .desc = USER + 0x10000, .avail = USER + 0x11000, .used = USER + 0x12000 };

	CU_ASSERT_EQUAL (vh_dev_set_features (dev, VH_BIT (VH_F_VERSION_1)), 0);
	CU_ASSERT_EQUAL (vh_dev_set_memory (dev, &r, 1), 0);
	CU_ASSERT_EQUAL (vh_dev_set_vring_num (dev, 0, 256), 0);
	CU_ASSERT_EQUAL (vh_dev_set_vring_addr (dev, 0, &addr), 0);
	CU_ASSERT_EQUAL (vh_dev_set_vring_kick (dev, 0, event), 0);
	CU_ASSERT_EQUAL (vh_dev_set_vring_call (dev, 0, event), 0);
	fake_forget ();
	/* All that the simulators can address. */
	fake_answer_always (0x78, -ENOTTY);
}

static void
begin_running_device (void)
{
	begin_device ();
	set_up ();
	CU_ASSERT_EQUAL (vh_dev_start (dev), 0);
	fake_forget ();
}

static void
end_device (void)
{
	vh_dev_free (dev);
	close (event);
}

static void
a_device_starts_and_stops_in_order (void)
{
	uint64_t features = 0;
	unsigned n = 0;

	begin_device ();
	/* Owner, backend features, reset, features, rings, config call. */
	CU_ASSERT_STRING_EQUAL (order (), "01 26 25 s00 00 80 77");
	CU_ASSERT_EQUAL (vh_dev_get_features (dev, &features), 0);
	CU_ASSERT_EQUAL (features, VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_RING_PACKED));
	CU_ASSERT_EQUAL (vh_dev_get_rings (dev, &n), 0);
	CU_ASSERT_EQUAL (n, 3);
	set_up ();
	CU_ASSERT_EQUAL (vh_dev_start (dev), 0);
	/* Features with ACCESS_PLATFORM; addresses of the guest. */
	CU_ASSERT_EQUAL (fake_calls[3].bytes[4], 3);
	CU_ASSERT_STRING_EQUAL (order (), "s03 00 s0b 78 w5 w2 w6 10 12 11 21 20 75 s0f");
	CU_ASSERT_EQUAL (vh_dev_stop (dev), 0);
	CU_ASSERT_STRING_EQUAL (order (), "7d 12 78 w5 w3 w6 s00");
	end_device ();
}

static void
rings_are_told_by_guest_addresses (void)
{
	struct vh_vring_addr addr = { .desc = USER + 0x1f000, .avail = USER + 0x11000, .used = USER + 0x12000 };

	begin_device ();
	set_up ();
	CU_ASSERT_EQUAL (vh_dev_start (dev), 0);
	for (unsigned i = 0; i < fake_n_calls; i++)
		if (fake_calls[i].kind == FAKE_IOCTL && _IOC_NR (fake_calls[i].number) == 0x11)
			fake_expect_at (__LINE__, i, SETS, 0x11, 40,
					"00000000 00000000 0000010000000000 0020010000000000 0010010000000000 0000000000000000");
	CU_ASSERT_EQUAL (vh_dev_stop (dev), 0);
	/* 256 descriptors are a page: the last one of the region, and then 16 bytes too many. */
	CU_ASSERT_EQUAL (vh_dev_set_vring_addr (dev, 0, &addr), 0);
	CU_ASSERT_EQUAL (vh_dev_start (dev), 0);
	CU_ASSERT_EQUAL (vh_dev_stop (dev), 0);
	addr.desc += 16;
	CU_ASSERT_EQUAL (vh_dev_set_vring_addr (dev, 0, &addr), 0);
	CU_ASSERT_EQUAL (vh_dev_start (dev), -EFAULT);
	CU_ASSERT_STRING_EQUAL (vh_dev_error (dev), "ring 0 is not in the memory");
	CU_ASSERT_EQUAL (fake_status, 0);
	end_device ();
}

static void
a_device_that_refuses_features (void)
{
	begin_device ();
	set_up ();
	fake_refuses_features = true;
	CU_ASSERT_EQUAL (vh_dev_start (dev), -EOPNOTSUPP);
	CU_ASSERT_STRING_EQUAL (vh_dev_error (dev), "the device refused the features 0x300000000");
	CU_ASSERT_EQUAL (fake_status, 0);
	CU_ASSERT (!vh_dev_running (dev));
	end_device ();
}

/* Whatever fails at the start, the device is reset and has nothing mapped. */
static void
a_start_that_fails_resets (void)
{
	begin_device ();
	set_up ();
	n_mapped = 0;
	in_batch = false;
	for (unsigned nth = 1; nth <= 20; nth++) {
		fake_forget ();
		fake_fail_nth (nth, -EIO);
		CU_ASSERT (vh_dev_start (dev) < 0);
		take_messages (nth);
		CU_ASSERT_EQUAL (n_mapped, 0);
		CU_ASSERT_EQUAL (fake_status, 0);
	}
	CU_ASSERT_EQUAL (vh_dev_start (dev), 0);
	end_device ();
}

static void
memory_changes_while_it_runs (void)
{
	const struct vh_region regions[] = { at (0x10), at (0x40) };

	begin_running_device ();
	CU_ASSERT_EQUAL (vh_dev_set_memory (dev, regions, 2), 0);
	CU_ASSERT_STRING_EQUAL (order (), "78 w5 w2 w6");
	fake_fail_nth (3, -EFAULT);
	CU_ASSERT_EQUAL (vh_dev_set_memory (dev, regions, 1), -EFAULT);
	fake_forget ();
	/* It is as it was, so this is no change. */
	CU_ASSERT_EQUAL (vh_dev_set_memory (dev, regions, 2), 0);
	CU_ASSERT_STRING_EQUAL (order (), "78 w5 w6");
	end_device ();
}

static void
without_suspend_rings_are_disabled (void)
{
	begin_running_device ();
	fake_answer_always (0x7d, -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_dev_stop (dev), 0);
	CU_ASSERT_STRING_EQUAL (order (), "7d 75 12 78 w5 w3 w6 s00");
	end_device ();
}

/* With an IOMMU of the guest's own, the VMM maps, and rings have I/O virtual addresses. */
static void
an_iommu_of_the_guest (void)
{
	begin_device ();
	set_up ();
	CU_ASSERT_EQUAL (vh_dev_set_features (dev, FEATURES), 0);
	CU_ASSERT_EQUAL (vh_dev_iotlb_update (dev, 0x5000, 0x1000, USER, VH_ACCESS_RO), 0);
	CU_ASSERT_STRING_EQUAL (order (), "w2");
	CU_ASSERT_EQUAL (vh_dev_start (dev), 0);
	CU_ASSERT_STRING_EQUAL (order (), "s03 00 s0b 10 12 11 21 20 75 s0f");
	CU_ASSERT_EQUAL (vh_dev_iotlb_invalidate (dev, 0x5000, 0x1000), 0);
	CU_ASSERT_STRING_EQUAL (order (), "w3");
	end_device ();
}

static unsigned changes;

static void
count_change (void *opaque)
{
	(void) opaque;
	changes++;
}

static void
configuration (void)
{
	const struct vh_dev_events events = { .size = sizeof (events), .config_changed = count_change };
	uint8_t bytes[4] = { 0 };

	begin_device ();
	fake_forget ();
	CU_ASSERT_EQUAL (vh_dev_get_config (dev, 4, bytes, sizeof (bytes)), 0);
	EXPECT (GETS, 0x73, 8, "04000000 04000000 00000000");
	CU_ASSERT_EQUAL (vh_dev_set_config (dev, 4, bytes, 2, VH_CONFIG_WRITE), 0);
	EXPECT (SETS, 0x74, 8, "04000000 02000000 0000");
	CU_ASSERT_EQUAL (vh_dev_get_config (dev, 0, bytes, 0), -EINVAL);
	CU_ASSERT_EQUAL (vh_dev_set_events (dev, &events), 0);
	CU_ASSERT_EQUAL (vh_dev_dispatch (dev), 0);
	CU_ASSERT_EQUAL (eventfd_write (vh_dev_fd (dev), 1), 0);
	CU_ASSERT_EQUAL (vh_dev_dispatch (dev), 1);
	CU_ASSERT_EQUAL (changes, 1);
	CU_ASSERT_EQUAL (vh_dev_set_log (dev, &(struct vh_dev_log){ .size = 1, .base = bytes, .fd = -1 }), -EOPNOTSUPP);
	end_device ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "a map follows its table", a_map_follows_its_table },
		{ "without batches", without_batches },
		{ "a change that fails changes nothing", a_change_that_fails_changes_nothing },
		{ "regions that cannot be mapped", regions_that_cannot_be_mapped },
		{ "a device starts and stops in order", a_device_starts_and_stops_in_order },
		{ "rings are told by guest addresses", rings_are_told_by_guest_addresses },
		{ "a device that refuses features", a_device_that_refuses_features },
		{ "a start that fails resets", a_start_that_fails_resets },
		{ "memory changes while it runs", memory_changes_while_it_runs },
		{ "without suspend rings are disabled", without_suspend_rings_are_disabled },
		{ "an IOMMU of the guest", an_iommu_of_the_guest },
		{ "configuration", configuration },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("vDPA devices", tests);
}
