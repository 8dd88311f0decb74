/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices behind an IOMMU on the wire: translations that are asked for, and such that do not come.
 */
#include "backend-iommu.h"

#include <unistd.h>

/* One request fails, after its deadline.  The misses are acknowledged, so the channel lives. */
static void
expect_deadline (void)
{
	uint64_t iova;
	unsigned perm;

	for (unsigned i = 0; i < 1000 && driver_pending (&rig.drivers[0]) == 0; i++) {
		if (iommu_next_miss (&iova, &perm))
			iommu_answer (0);
		usleep (10000);
	}
	iommu_expect_failed ();
}

/* Everything is known beforehand: front-ends of guests without an IOMMU of their own do that. */
static void
a_ring_of_io_addresses (void)
{
	uint64_t iova;
	unsigned perm;

	iommu_begin_placed (GUEST_SIZE);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0) && rig_serve (&rig, 0, 1));
	CU_ASSERT_FALSE (iommu_next_miss (&iova, &perm));
	iommu_end ();
}

/* Nothing is: the ring starts when its areas are known, and each request when its pages are. */
static void
all_of_it_is_asked_for (void)
{
	iommu_begin ();
	iommu_place_ring (0);
	CU_ASSERT_EQUAL (device.starts, 0);
	CU_ASSERT (iommu_serve () >= 2);
	CU_ASSERT_EQUAL (device.starts, 1);
	for (unsigned n = 0; n < 8; n++) {
		driver_ask (&rig.drivers[0], n);
		iommu_serve ();
		CU_ASSERT_TRUE (driver_served (&rig.drivers[0], n));
	}
	/* And not again. */
	driver_ask (&rig.drivers[0], 0);
	CU_ASSERT_EQUAL (iommu_serve (), 0);
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 0));
	iommu_end ();
}

/* A ring that waits for a translation does not hold up another one, nor messages. */
static void
others_go_on (void)
{
	uint64_t iova;
	unsigned perm;

	iommu_begin_placed (GUEST_BUFFERS);
	iommu_place_ring (1);
	driver_ask (&rig.drivers[0], 0);
	CU_ASSERT_TRUE_FATAL (iommu_next_miss (&iova, &perm));
	CU_ASSERT (iova >= GUEST_ADDR + GUEST_BUFFERS && perm == RO);
	CU_ASSERT_TRUE (rig_alive (&rig));
	CU_ASSERT_EQUAL (iommu_map (GUEST_BUFFERS + 0x40000, 0x40000, RW), ACK);
	/* Of ring 1, by hand: something to read and to write elsewhere. */
	driver_desc (&rig.drivers[1], 0, GUEST_ADDR + GUEST_BUFFERS + 0x40000, 16, DESC_NEXT, 1);
	driver_desc (&rig.drivers[1], 1, GUEST_ADDR + GUEST_BUFFERS + 0x41000, 17, DESC_WRITE, 0);
	driver_offer (&rig.drivers[1], 0);
	driver_kick (&rig.drivers[1]);
	rig_pump (&rig);
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[1]), 1);
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 0);
	CU_ASSERT_EQUAL (iommu_map (GUEST_BUFFERS, 0x40000, RW), ACK);
	iommu_answer (0);
	iommu_serve ();
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 0));
	iommu_end ();
}

/* The front-end has no translation, and says so: the request fails, and the ring goes on. */
static void
there_is_no_translation (void)
{
	uint64_t iova;
	unsigned perm, denied = 0;

	iommu_begin_waiting ();
	while (denied < 10 && iommu_next_miss (&iova, &perm)) {
		iommu_answer (1);
		denied++;
	}
	CU_ASSERT (denied >= 1 && denied < 10);
	iommu_expect_failed ();
	CU_ASSERT_EQUAL (iommu_map (GUEST_BUFFERS, GUEST_SIZE - GUEST_BUFFERS, RW), ACK);
	rig.drivers[0].next_used++;
	driver_ask (&rig.drivers[0], 1);
	iommu_serve ();
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 1));
	iommu_end ();
}

/* A chain whose descriptors are all in other pages, of which there is none: it fails when the first one and the last one are refused. */
static void
there_are_several_without (void)
{
	uint64_t iova;
	unsigned perm, denied = 0;

	iommu_begin_placed (GUEST_BUFFERS);
	for (uint16_t i = 0; i < 6; i++)
		driver_desc (&rig.drivers[0], i, GUEST_ADDR + GUEST_BUFFERS + 0x40000 + PAGE * i, 16, DESC_NEXT | DESC_WRITE * (i > 3), i + 1);
	driver_desc (&rig.drivers[0], 6, GUEST_ADDR + GUEST_BUFFERS + 0x40000 + PAGE * 6, 17, DESC_WRITE, 0);
	driver_offer (&rig.drivers[0], 0);
	driver_kick (&rig.drivers[0]);
	for (; denied < 20 && iommu_next_miss (&iova, &perm); denied++)
		iommu_answer (1);
	CU_ASSERT_EQUAL (denied, 2);
	iommu_expect_failed ();
	/* What was refused is asked for again when a request has it again; the guest may have mapped it meanwhile. */
	driver_offer (&rig.drivers[0], 0);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (iommu_next_miss (&iova, &perm));
	CU_ASSERT_EQUAL (iova, GUEST_ADDR + GUEST_BUFFERS + 0x40000);
	iommu_end ();
}

/* The table of another ring's translation makes a parked ring look again, but the front-end has been asked already. */
static void
each_is_asked_for_once (void)
{
	uint64_t iova;
	unsigned perm;

	iommu_begin_waiting ();
	CU_ASSERT_TRUE_FATAL (iommu_next_miss (&iova, &perm));
	for (unsigned i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL (iommu_tell (UPDATE, 0x10000000 + 2 * i * PAGE, PAGE, GUEST_USER, RO), ACK);
		CU_ASSERT_EQUAL (iommu_tell (INVALIDATE, 0x10000000 + 2 * i * PAGE, PAGE, 0, 0), ACK);
	}
	/* The answer may come before the translation, too. */
	iommu_answer (0);
	CU_ASSERT_EQUAL (iommu_tell (UPDATE, 0x20000000, PAGE, GUEST_USER, RO), ACK);
	CU_ASSERT_FALSE (iommu_next_miss (&iova, &perm));
	CU_ASSERT_EQUAL (iommu_map (GUEST_BUFFERS, GUEST_SIZE - GUEST_BUFFERS, RW), ACK);
	CU_ASSERT_FALSE (iommu_next_miss (&iova, &perm));
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 0));
	iommu_end ();
}

/* A translation comes without the answer, and the ring needs another one when the first is refused, since the guest has taken it back. */
static void
a_refusal_of_what_was_needed_before (void)
{
	uint64_t first = GUEST_ADDR + GUEST_BUFFERS + 0x40000, iova;
	unsigned perm;

	iommu_begin ();
	CU_ASSERT_EQUAL (iommu_map (0, GUEST_BUFFERS, RW), ACK);
	CU_ASSERT_EQUAL (iommu_tell (UPDATE, first + PAGE, PAGE, GUEST_USER + GUEST_BUFFERS, RW), ACK);
	iommu_place_ring (0);
	driver_desc (&rig.drivers[0], 10, first, 16, DESC_NEXT, 11);
	driver_desc (&rig.drivers[0], 11, first + PAGE, 17, DESC_WRITE, 0);
	driver_desc (&rig.drivers[0], 12, first + 2 * PAGE, 16, DESC_NEXT, 11);
	driver_offer (&rig.drivers[0], 10);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE_FATAL (iommu_next_miss (&iova, &perm));
	CU_ASSERT_EQUAL (iova, first);
	CU_ASSERT_EQUAL (iommu_tell (UPDATE, first, PAGE, GUEST_USER + GUEST_BUFFERS, RO), ACK);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 1);
	CU_ASSERT_EQUAL (iommu_tell (INVALIDATE, first, PAGE, 0, 0), ACK);
	driver_offer (&rig.drivers[0], 12);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_FALSE (iommu_next_miss (&iova, &perm));	/* one thing at a time */
	iommu_answer (1);
	CU_ASSERT_TRUE (iommu_next_miss (&iova, &perm));
	CU_ASSERT_EQUAL (iova, first + 2 * PAGE);
	CU_ASSERT_EQUAL (iommu_tell (UPDATE, iova, PAGE, GUEST_USER + GUEST_BUFFERS, RO), ACK);
	iommu_answer (0);
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 2);
	CU_ASSERT_EQUAL (test_device_count (&device.failed), 0);
	/* Nor is what is not needed any more remembered as refused. */
	driver_offer (&rig.drivers[0], 10);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (iommu_next_miss (&iova, &perm));
	CU_ASSERT_EQUAL (iova, first);
	CU_ASSERT_EQUAL (iommu_tell (UPDATE, first, PAGE, GUEST_USER + GUEST_BUFFERS, RO), ACK);
	CU_ASSERT_EQUAL (iommu_tell (INVALIDATE, first, PAGE, 0, 0), ACK);
	iommu_answer (1);
	driver_offer (&rig.drivers[0], 10);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (iommu_next_miss (&iova, &perm));
	CU_ASSERT_EQUAL (iova, first);
	CU_ASSERT_EQUAL (test_device_count (&device.failed), 0);
	iommu_end ();
}

/* It says nothing at all: there is a deadline. */
static void
no_translation_comes (void)
{
	rig_close (&rig);
	rig_open (&rig, &device, 200);
	iommu_begin_waiting ();
	expect_deadline ();
	CU_ASSERT_TRUE (rig_alive (&rig));
	iommu_end ();
}

/* A driver stops while it waits, and the next one has no IOMMU; the one behind that has its own deadline. */
static void
no_translation_comes_for_the_next_driver (void)
{
	uint64_t iova;
	unsigned perm;
	uint32_t base;

	rig_close (&rig);
	rig_open (&rig, &device, 200);
	iommu_begin_waiting ();
	CU_ASSERT_TRUE (iommu_next_miss (&iova, &perm));
	iommu_answer (0);
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base));
	driver_close (&rig.drivers[0]);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES & ~ACCESS_PLATFORM), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES), ACK);
	CU_ASSERT_EQUAL (iommu_map (0, GUEST_BUFFERS, RW), ACK);
	iommu_place_ring (0);
	driver_ask (&rig.drivers[0], 0);
	expect_deadline ();
	iommu_end ();
}

/* The connection ends while a ring is parked. */
static void
an_end_while_parked (void)
{
	iommu_begin_waiting ();
	CU_ASSERT_TRUE (rig_pump (&rig));
	rig_hang_up (&rig);
	CU_ASSERT_TRUE (rig_wait_end (&rig));
	iommu_end ();
}

static void
park_without_channel (void)
{
	iommu_begin_waiting ();
	CU_ASSERT_TRUE (rig_pump (&rig));
	iommu_end ();
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 0);
}

/* The channel ends: what was asked for is not coming. */
static void
the_channel_ends (void)
{
	rig_close (&rig);
	rig_open (&rig, &device, 200);
	park_without_channel ();
	for (unsigned i = 0; i < 1000 && driver_pending (&rig.drivers[0]) == 0; i++) {
		CU_ASSERT_TRUE (rig_pump (&rig));
		usleep (10000);
	}
	iommu_expect_failed ();
	CU_ASSERT_TRUE (rig_alive (&rig));
}

/* There is another one in time, and it is asked there. */
static void
another_channel_comes (void)
{
	park_without_channel ();
	iommu_give_channel ();
	CU_ASSERT (iommu_serve () >= 1);
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 0));
	iommu_end ();
}

/* The front-end dies while a ring waits: the request stays in the ring, as the guest may live and have another front-end. */
static void
nothing_fails_when_the_front_end_leaves (void)
{
	park_without_channel ();
	rig_hang_up (&rig);
	CU_ASSERT_TRUE (rig_wait_end (&rig));
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 0);
	CU_ASSERT_EQUAL (test_device_count (&device.failed), 0);
}

CU_TestInfo miss_cases[] = {
	CASE (a_ring_of_io_addresses),
	CASE (all_of_it_is_asked_for),
	CASE (others_go_on),
	CASE (there_is_no_translation),
	CASE (there_are_several_without),
	CASE (each_is_asked_for_once),
	CASE (a_refusal_of_what_was_needed_before),
	CASE (no_translation_comes),
	CASE (no_translation_comes_for_the_next_driver),
	CASE (an_end_while_parked),
	CASE (the_channel_ends),
	CASE (another_channel_comes),
	CASE (nothing_fails_when_the_front_end_leaves),
	CU_TEST_INFO_NULL,
};
