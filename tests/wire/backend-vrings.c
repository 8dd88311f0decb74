/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hostile front-ends: rings of wrong sizes, numbers, places.
 */
#include "backend-hostile.h"

#include <string.h>

static void
hostile_38_sizes (void)
{
	static const uint32_t wrong[] = { 0, 3, 63, 100, 255, DEVICE_RING_SIZE + 1, DEVICE_RING_SIZE * 2, 32768, 32769, 65536, 0x80000000, 0xffffffff };

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++)
		CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, wrong[i]), REFUSAL);
	for (uint32_t size = 1; size <= DEVICE_RING_SIZE; size *= 2)
		CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, size), ACK);
}

static void
hostile_38_the_largest_ring_of_all (void)
{
	device.device.max_ring_size = VH_MAX_RING_SIZE;
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, 32768), ACK);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, 32769), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, 65536), REFUSAL);
}

static void
hostile_39_ring_numbers (void)
{
	static const uint32_t wrong[] = { DEVICE_RINGS, 255, 256, 1024, 0x80000000, 0xffffffff };
	static const uint32_t requests[] = { FE_SET_VRING_NUM, FE_SET_VRING_BASE, FE_SET_VRING_ENABLE };
	const uint64_t desc = GUEST_USER, avail = GUEST_USER + 0x1000, used = GUEST_USER + 0x1400;

	CU_ASSERT_TRUE (rig_negotiate (&rig) && rig_give_memory (&rig));
	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++) {
		for (unsigned request = 0; request < 3; request++)
			CU_ASSERT_EQUAL (rig_tell_state (&rig, requests[request], wrong[i], 1), REFUSAL);
		CU_ASSERT_EQUAL (rig_tell_addr (&rig, wrong[i], 0, desc, avail, used), REFUSAL);
	}
	/* The last one that there is. */
	for (unsigned request = 0; request < 3; request++)
		CU_ASSERT_EQUAL (rig_tell_state (&rig, requests[request], DEVICE_RINGS - 1, 1), ACK);
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, DEVICE_RINGS - 1, 0, desc, avail, used), ACK);
	CU_ASSERT_TRUE (rig_alive (&rig));
}

static void
hostile_39_ring_numbers_of_get_vring_base (void)
{
	static const uint32_t wrong[] = { DEVICE_RINGS, 256, 0x80000000, 0xffffffff };

	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++) {
		CU_ASSERT_TRUE (rig_negotiate (&rig));
		CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_GET_VRING_BASE, wrong[i], 0), CLOSED);
		rig_reopen (&rig);
	}
}

static void
hostile_39_ring_numbers_beside_an_fd (void)
{
	static const uint32_t requests[] = { FE_SET_VRING_KICK, FE_SET_VRING_CALL, FE_SET_VRING_ERR };
	struct driver *d = &rig.drivers[0];

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	driver_open (d, &rig.guest, 0, 64);
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL (rig_tell_fd (&rig, requests[i], DEVICE_RINGS, d->kick), REFUSAL);
		CU_ASSERT_EQUAL (rig_tell_fd (&rig, requests[i], 255, d->kick), REFUSAL);
		CU_ASSERT_EQUAL (rig_tell_fd (&rig, requests[i], 255 | NO_FD, -1), REFUSAL);
		CU_ASSERT_EQUAL (rig_tell_fd (&rig, requests[i], DEVICE_RINGS - 1, d->kick), ACK);
	}
}

static void
hostile_40_addresses_outside_memory (void)
{
	static const uint64_t outside[] = { 0, 0x1000, GUEST_USER - 16, GUEST_USER + GUEST_SIZE, GUEST_ADDR, UINT64_MAX & ~UINT64_C (15),
					    UINT64_C (1) << 63 };
	const uint64_t desc = GUEST_USER, avail = GUEST_USER + 0x1000, used = GUEST_USER + 0x1400;

	CU_ASSERT_TRUE (rig_negotiate (&rig) && rig_give_memory (&rig));
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, 64), ACK);
	CU_ASSERT_TRUE (rig_place_ring (&rig, 0, 64, 0));
	for (unsigned i = 0; i < sizeof (outside) / sizeof (outside[0]); i++) {
		CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, outside[i], avail, used), REFUSAL);
		CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, desc, outside[i], used), REFUSAL);
		CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, desc, avail, outside[i]), REFUSAL);
	}
	/* What was said before holds. */
	CU_ASSERT_TRUE (rig_start_ring (&rig, 0) && rig_serve (&rig, 0, 0));
}

static void
hostile_41_areas_that_run_past_their_region (void)
{
	const uint64_t end = GUEST_USER + GUEST_SIZE, desc = GUEST_USER, avail = GUEST_USER + 0x1000, used = GUEST_USER + 0x1400;

	CU_ASSERT_TRUE (rig_negotiate (&rig) && rig_give_memory (&rig));
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, 64), ACK);
	/* The areas of 64 descriptors are 1024, 134 and 518 bytes. */
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, end - 1024 + 16, avail, used), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, desc, end - 134 + 2, used), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, desc, avail, end - 518 + 2), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, end - 1024, avail, used), ACK);
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, desc, end - 134, used), ACK);
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, desc, avail, end - 520), ACK);
}

/* The last byte of the used area is the last one of its region, and the next region is a page further on. */
static void
a_ring_that_ends_where_its_region_does (void)
{
	struct driver *d = &rig.drivers[0];
	struct piece pieces[2] = { rig_whole (), rig_whole () };
	int fds[2] = { rig.guest.fd, rig.guest.fd };

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	driver_open (d, &rig.guest, 0, 64);
	pieces[0].size = driver_used_at (d) + 518;
	pieces[1].guest += GUEST_BUFFERS;
	pieces[1].user += GUEST_BUFFERS;
	pieces[1].offset = GUEST_BUFFERS;
	pieces[1].size = GUEST_SIZE - GUEST_BUFFERS;
	CU_ASSERT_EQUAL (rig_tell_table (&rig, pieces, 2, fds, 2), ACK);
	CU_ASSERT_TRUE (rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0));
	for (unsigned n = 0; n < 100; n++)
		CU_ASSERT_TRUE (rig_serve (&rig, 0, n % 32));
	/* One byte less, and it is not in there any more. */
	pieces[0].size--;
	CU_ASSERT_EQUAL (rig_tell_table (&rig, pieces, 2, fds, 2), ACK);
	CU_ASSERT_EQUAL (driver_signals (d->err), 1);
	CU_ASSERT_TRUE (rig_alive (&rig));
}

static void
hostile_41_a_size_that_makes_the_ring_run_past (void)
{
	struct driver *d = &rig.drivers[0];
	uint32_t before;

	CU_ASSERT_TRUE (rig_negotiate (&rig) && rig_give_memory (&rig));
	driver_open (d, &rig.guest, 0, 64);
	/* Addresses that hold one descriptor, then more of them. */
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, 1), ACK);
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, GUEST_USER + GUEST_SIZE - 16, GUEST_USER + 0x1000, GUEST_USER + 0x1400), ACK);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, 64), ACK);
	before = d->guest->bytes[GUEST_SIZE - 1];
	rig_start_ring (&rig, 0);
	driver_kick (d);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.starts, 0);
	CU_ASSERT_EQUAL (driver_signals (d->err), 1);
	CU_ASSERT_EQUAL (d->guest->bytes[GUEST_SIZE - 1], before);
}

static void
hostile_42_areas_that_are_not_aligned (void)
{
	const uint64_t desc = GUEST_USER, avail = GUEST_USER + 0x1000, used = GUEST_USER + 0x1400;

	CU_ASSERT_TRUE (rig_negotiate (&rig) && rig_give_memory (&rig));
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, 64), ACK);
	for (unsigned off = 1; off < 16; off++) {
		CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, desc + off, avail, used), REFUSAL);
		CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, desc, avail + off, used), off % 2 ? REFUSAL : ACK);
		CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, desc, avail, used + off), off % 4 ? REFUSAL : ACK);
	}
}

static void
hostile_42_flags_nobody_knows (void)
{
	const uint64_t desc = GUEST_USER, avail = GUEST_USER + 0x1000, used = GUEST_USER + 0x1400;

	CU_ASSERT_TRUE (rig_negotiate (&rig) && rig_give_memory (&rig));
	for (unsigned bit = 1; bit < 32; bit++)
		CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 1u << bit, desc, avail, used), REFUSAL);
}

static void
hostile_43_changes_while_the_ring_runs (void)
{
	struct driver *d = &rig.drivers[0];
	uint32_t base;

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, 128), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, 32), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_BASE, 0, 5), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, GUEST_USER + 0x2000, GUEST_USER + 0x3000, GUEST_USER + 0x3400), REFUSAL);
	/* The same place once more is how a front-end switches the log on. */
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, GUEST_USER + driver_desc_at (d), GUEST_USER + driver_avail_at (d), GUEST_USER + driver_used_at (d)),
			 ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base) && base == 1);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, 128), ACK);
}

/* Started, but not enabled: it is at rest, and what it begins with is what was said last. */
static void
hostile_43_changes_between_kick_and_enable (void)
{
	struct driver *d = &rig.drivers[0];

	CU_ASSERT_TRUE (rig_negotiate (&rig) && rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 7));
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_KICK, 0, d->kick), ACK);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, 3), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, 128), ACK);
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, GUEST_USER + GUEST_SIZE - 1024, GUEST_USER + driver_avail_at (d), GUEST_USER + driver_used_at (d)),
			 REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, 64), ACK);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_BASE, 0, 0), ACK);
	CU_ASSERT_EQUAL (device.starts, 0);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENABLE, 0, 1), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, 128), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_BASE, 0, 5), REFUSAL);
}

static void
hostile_44_bases (void)
{
	static const uint32_t wrong[] = { 0x10000, 0x80008000, 0xffffffff };
	uint32_t base;

	CU_ASSERT_TRUE (rig_negotiate (&rig) && rig_give_memory (&rig));
	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++)
		CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_BASE, 0, wrong[i]), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_BASE, 0, 0xffff), ACK);
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base) && base == 0xffff);
}

static void
hostile_44_the_index_wraps (void)
{
	struct driver *d = &rig.drivers[0];
	uint32_t base;

	CU_ASSERT_TRUE (rig_negotiate (&rig) && rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 0xfffe));
	d->next_used = 0xfffe;
	driver_set_avail (d, 0xfffe);
	rig.guest.bytes[driver_used_at (d) + 2] = 0xfe;
	rig.guest.bytes[driver_used_at (d) + 3] = 0xff;
	CU_ASSERT_TRUE (rig_start_ring (&rig, 0));
	for (unsigned n = 0; n < 4; n++)
		CU_ASSERT_TRUE (rig_serve (&rig, 0, n));
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base) && base == 2);
}

/* Two halves of the guest's memory, adjacent in guest addresses, apart in user addresses. */
static bool
give_halves (void)
{
	struct piece halves[2] = { rig_whole (), rig_whole () };
	int fds[2] = { rig.guest.fd, rig.guest.fd };

	halves[0].size = halves[1].size = halves[1].offset = GUEST_SIZE / 2;
	halves[1].guest += GUEST_SIZE / 2;
	halves[1].user += GUEST_SIZE;
	return rig_tell_table (&rig, halves, 2, fds, 2) == ACK;
}

static void
hostile_45_areas_in_two_regions (void)
{
	struct driver *d = &rig.drivers[0];

	CU_ASSERT_TRUE (rig_negotiate (&rig) && give_halves ());
	CU_ASSERT_TRUE (rig_place_ring (&rig, 0, 64, 0));
	/* One area that begins in one region and would end in the next has no address there. */
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, GUEST_USER + GUEST_SIZE / 2 - 16, GUEST_USER + driver_avail_at (d), GUEST_USER + driver_used_at (d)),
			 REFUSAL);
	/* Descriptors in the other region than the rest. */
	memcpy (rig.guest.bytes + GUEST_SIZE / 2, rig.guest.bytes, 1024);
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, GUEST_USER + GUEST_SIZE, GUEST_USER + driver_avail_at (d), GUEST_USER + driver_used_at (d)), ACK);
	CU_ASSERT_TRUE (rig_start_ring (&rig, 0));
	driver_request (d, 0);
	memcpy (rig.guest.bytes + GUEST_SIZE / 2, rig.guest.bytes, 1024);
	driver_kick (d);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (driver_served (d, 0));
}

static void
hostile_45_two_rings_at_one_place (void)
{
	struct driver *d = &rig.drivers[0];

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 1, 64), ACK);
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 1, 0, GUEST_USER + driver_desc_at (d), GUEST_USER + driver_avail_at (d), GUEST_USER + driver_used_at (d)),
			 ACK);
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_KICK, 1, d->kick), ACK);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENABLE, 1, 1), ACK);
	for (unsigned n = 0; n < 20; n++) {
		driver_ask (d, n);
		CU_ASSERT_TRUE (rig_pump (&rig));
	}
	CU_ASSERT_TRUE (rig_alive (&rig));
}

struct CU_TestInfo vring_cases[] = {
	CASE (hostile_38_sizes),
	CASE (hostile_38_the_largest_ring_of_all),
	CASE (hostile_39_ring_numbers),
	CASE (hostile_39_ring_numbers_of_get_vring_base),
	CASE (hostile_39_ring_numbers_beside_an_fd),
	CASE (hostile_40_addresses_outside_memory),
	CASE (hostile_41_areas_that_run_past_their_region),
	CASE (a_ring_that_ends_where_its_region_does),
	CASE (hostile_41_a_size_that_makes_the_ring_run_past),
	CASE (hostile_42_areas_that_are_not_aligned),
	CASE (hostile_42_flags_nobody_knows),
	CASE (hostile_43_changes_while_the_ring_runs),
	CASE (hostile_43_changes_between_kick_and_enable),
	CASE (hostile_44_bases),
	CASE (hostile_44_the_index_wraps),
	CASE (hostile_45_areas_in_two_regions),
	CASE (hostile_45_two_rings_at_one_place),
	CU_TEST_INFO_NULL,
};
