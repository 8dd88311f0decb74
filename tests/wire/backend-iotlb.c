/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices behind an IOMMU on the wire: translations that are given and taken back, what they permit, and such that are none.
 */
#include "backend-iommu.h"

#include <sys/mman.h>
#include <unistd.h>

/* An invalidation is acknowledged when no request is left that may use what is taken back. */
static void
an_invalidation_waits_for_requests_in_flight (void)
{
	iommu_begin_placed (GUEST_SIZE);
	device.hold = true;
	driver_ask (&rig.drivers[0], 0);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL_FATAL (device.n_held, 1);
	/* More translations wait for nobody. */
	CU_ASSERT_EQUAL (iommu_tell (UPDATE, 0x10000000, PAGE, GUEST_USER, RO), ACK);
	CU_ASSERT_EQUAL (iommu_tell (INVALIDATE, 0x10000000, PAGE, 0, 0), SILENCE);
	device.hold = false;
	test_device_release (&device, 1);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_IOTLB_MSG, NULL), ACK);
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 0));
	/* What nobody has is taken back at once. */
	device.hold = true;
	driver_ask (&rig.drivers[0], 1);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (iommu_tell (INVALIDATE, 0x10000000, PAGE, 0, 0), ACK);
	device.hold = false;
	test_device_release (&device, 1);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 1));
	iommu_end ();
}

/* 75: a ring's own pages go while it runs: it stops, and starts again where they come back. */
static void
hostile_75_the_pages_of_a_ring (void)
{
	iommu_begin_placed (GUEST_SIZE);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (iommu_tell (INVALIDATE, GUEST_ADDR, UINT64_MAX, 0, 0), ACK);	/* the sum wraps: up to the last address */
	CU_ASSERT_EQUAL (device.stops, 1);
	driver_ask (&rig.drivers[0], 1);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 0);
	CU_ASSERT (iommu_serve () > 0);
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 1));
	iommu_end ();
}

/* 75: translations that are none; nothing of what is known changes. */
static void
hostile_75_updates (void)
{
	static const struct {
		unsigned type;
		uint64_t iova, size, user;
		unsigned perm;
		enum outcome outcome;
	} cases[] = {
		{ UPDATE, 0x1000, 0, GUEST_USER, RW, REFUSAL }, { UPDATE, UINT64_MAX - 10, PAGE, GUEST_USER, RW, REFUSAL },
		{ UPDATE, 0x1000, UINT64_MAX, GUEST_USER, RW, REFUSAL }, { UPDATE, 0x1000, PAGE, GUEST_USER - 1, RW, REFUSAL },
		{ UPDATE, 0x1000, PAGE, GUEST_USER + GUEST_SIZE - PAGE + 1, RW, REFUSAL }, { UPDATE, 0x1000, PAGE, UINT64_MAX - 10, RW, REFUSAL },
		{ UPDATE, 0x1000, PAGE, GUEST_USER, 0, REFUSAL }, { UPDATE, 0x1000, PAGE, GUEST_USER, 4, REFUSAL },
		{ MISS, 0x1000, PAGE, GUEST_USER, RW, REFUSAL }, { ACCESS_FAIL, 0x1000, PAGE, GUEST_USER, RW, REFUSAL },
		{ 0, 0x1000, PAGE, GUEST_USER, RW, REFUSAL }, { 5, 0, 0, 0, 0, REFUSAL }, { 255, 0x1000, PAGE, GUEST_USER, RW, REFUSAL },
		{ INVALIDATE, 0x1000, PAGE, 0, 0, ACK },
	};

	iommu_begin_placed (GUEST_SIZE);
	for (unsigned i = 0; i < sizeof (cases) / sizeof (cases[0]); i++)
		CU_ASSERT_EQUAL (iommu_tell (cases[i].type, cases[i].iova, cases[i].size, cases[i].user, cases[i].perm), cases[i].outcome);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (device.starts, 1);
	/* No size is all of them. */
	CU_ASSERT_EQUAL (iommu_tell (INVALIDATE, 0x1000, 0, 0, 0), ACK);
	CU_ASSERT_EQUAL (device.stops, 1);
	CU_ASSERT (iommu_serve () > 0);
	CU_ASSERT_EQUAL (device.starts, 2);
	iommu_end ();
}

/* More translations than there is room for: the ring asks again. */
static void
hostile_75_many_updates (void)
{
	iommu_begin_placed (GUEST_SIZE);
	for (uint64_t i = 0; i < 5000; i++)
		CU_ASSERT_EQUAL (iommu_tell (UPDATE, UINT64_C (0x200000000) + 2 * PAGE * i, PAGE, GUEST_USER, RO), ACK);
	driver_ask (&rig.drivers[0], 0);
	iommu_serve ();
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 0));
	iommu_end ();
}

/* What may only be read is not written to, and the other way. */
static void
permissions (void)
{
	for (unsigned perm = RO; perm <= WO; perm++) {
		iommu_begin ();
		CU_ASSERT_EQUAL (iommu_map (0, GUEST_BUFFERS, RW), ACK);
		CU_ASSERT_EQUAL (iommu_map (GUEST_BUFFERS, GUEST_SIZE - GUEST_BUFFERS, perm), ACK);
		iommu_place_ring (0);
		driver_ask (&rig.drivers[0], 0);
		CU_ASSERT_TRUE (rig_pump (&rig));
		CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 1);
		CU_ASSERT_EQUAL (test_device_count (&device.failed), perm);
		iommu_end ();
		rig_reopen (&rig);
	}
	/* A buffer to read in a page to read, and one to write in a page to write. */
	iommu_begin ();
	CU_ASSERT_EQUAL (iommu_map (0, GUEST_BUFFERS, RW), ACK);
	CU_ASSERT_EQUAL (iommu_map (GUEST_BUFFERS + 0x40000, PAGE, RO), ACK);
	CU_ASSERT_EQUAL (iommu_map (GUEST_BUFFERS + 0x42000, PAGE, WO), ACK);
	iommu_place_ring (0);
	driver_desc (&rig.drivers[0], 0, GUEST_ADDR + GUEST_BUFFERS + 0x40000, 16, DESC_NEXT, 1);
	driver_desc (&rig.drivers[0], 1, GUEST_ADDR + GUEST_BUFFERS + 0x42000, 17, DESC_WRITE, 0);
	driver_offer (&rig.drivers[0], 0);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 1);
	CU_ASSERT_EQUAL (test_device_count (&device.failed), 2);
	iommu_end ();
}

/* A driver may let the device do with each area of its ring what it has to do there, and no more. */
static void
permissions_of_a_ring (void)
{
	static const unsigned kept[] = { RO, RO, RW }, missing[] = { RO, WO, RW };

	for (unsigned i = 0; i < 2; i++) {
		const unsigned *perm = i == 0 ? kept : missing;
		struct driver *d = &rig.drivers[0];

		iommu_begin ();
		CU_ASSERT_EQUAL (iommu_map (GUEST_BUFFERS, GUEST_SIZE - GUEST_BUFFERS, RW), ACK);
		CU_ASSERT_EQUAL (iommu_map (0, driver_avail_at (d), perm[0]), ACK);
		CU_ASSERT_EQUAL (iommu_map (driver_avail_at (d), driver_used_at (d) - driver_avail_at (d), perm[1]), ACK);
		CU_ASSERT_EQUAL (iommu_map (driver_used_at (d), GUEST_BUFFERS - driver_used_at (d), perm[2]), ACK);
		iommu_place_ring (0);
		CU_ASSERT_EQUAL (rig_serve (&rig, 0, 0), i == 0);
		iommu_end ();
		rig_reopen (&rig);
	}
}

/* A region that goes takes its translations with it. */
static void
memory_that_goes (void)
{
	struct piece piece = { PHYSICAL, GUEST_SIZE, GUEST_USER, 0 }, small = { PHYSICAL, GUEST_BUFFERS, GUEST_USER, 0 };
	uint64_t iova;
	unsigned perm;

	iommu_begin ();
	CU_ASSERT_EQUAL (iommu_map (0, GUEST_BUFFERS, RW), ACK);
	CU_ASSERT_EQUAL (iommu_map (GUEST_BUFFERS, GUEST_SIZE - GUEST_BUFFERS, RW), ACK);
	iommu_place_ring (0);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (rig_tell_table (&rig, &small, 1, &rig.guest.fd, 1), ACK);
	driver_ask (&rig.drivers[0], 1);
	CU_ASSERT_TRUE (iommu_next_miss (&iova, &perm));
	CU_ASSERT_EQUAL (rig_tell_table (&rig, &piece, 1, &rig.guest.fd, 1), ACK);
	iommu_answer (0);
	iommu_serve ();
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 1));
	iommu_end ();
}

/* Bits of the dirty log are the guest's physical pages, whatever addresses the ring has. */
static void
the_dirty_log_behind_an_iommu (void)
{
	uint64_t size = (PHYSICAL + GUEST_SIZE) / PAGE / 8;
	int fd = memfd_create ("log", MFD_CLOEXEC);
	struct bytes b = { .n = 0 };
	uint8_t *bits;
	unsigned n = 0;

	CU_ASSERT_EQUAL_FATAL (ftruncate (fd, (off_t) size), 0);
	bits = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	iommu_begin ();
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL | 1u << 1), ACK);
	CU_ASSERT_EQUAL (iommu_map (0, GUEST_SIZE, RW), ACK);
	iommu_place_ring (0);
	bytes_u64 (&b, size);
	bytes_u64 (&b, 0);
	rig_send (&rig, FE_SET_LOG_BASE, FLAG_VERSION, b.data, (uint32_t) b.n, &fd, 1);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_SET_LOG_BASE, NULL), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES | LOG_ALL), ACK);
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 1, GUEST_ADDR + driver_desc_at (&rig.drivers[0]), GUEST_ADDR + driver_avail_at (&rig.drivers[0]),
					GUEST_ADDR + driver_used_at (&rig.drivers[0])), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	for (uint64_t i = 0; i < size; i++)
		n += (unsigned) __builtin_popcount (bits[i]) << 16 * (i < PHYSICAL / PAGE / 8);
	CU_ASSERT_EQUAL (n, 2);	/* the data and the used area, and nothing below */
	iommu_end ();
	munmap (bits, size);
	close (fd);
}

CU_TestInfo iotlb_cases[] = {
	CASE (an_invalidation_waits_for_requests_in_flight),
	CASE (hostile_75_the_pages_of_a_ring),
	CASE (hostile_75_updates),
	CASE (hostile_75_many_updates),
	CASE (permissions),
	CASE (permissions_of_a_ring),
	CASE (memory_that_goes),
	CASE (the_dirty_log_behind_an_iommu),
	CU_TEST_INFO_NULL,
};
