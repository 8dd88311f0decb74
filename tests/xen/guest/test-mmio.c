/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The register file of a virtio-mmio device, driven as a driver does it and as no driver should.
 */
#include <string.h>

#include "tests/suite.h"
#include "tools/xen-vhost-frontend/mmio.h"

/* Offsets, from the specification's table once more. */
#define R_DEVICE_FEATURES 0x10
#define R_DEVICE_FEATURES_SEL 0x14
#define R_DRIVER_FEATURES 0x20
#define R_DRIVER_FEATURES_SEL 0x24
#define R_QUEUE_SEL 0x30
#define R_QUEUE_MAX 0x34
#define R_QUEUE_SIZE 0x38
#define R_QUEUE_READY 0x44
#define R_NOTIFY 0x50
#define R_INTERRUPT_STATUS 0x60
#define R_INTERRUPT_ACK 0x64
#define R_STATUS 0x70
#define R_GENERATION 0xfc

#define FEATURES (VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_EVENT_IDX) | VH_BIT (9))

static struct mmio m;
static unsigned last_queue;

static void
make (void)
{
	static const uint8_t config[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };

	memset (&m, 0, sizeof (m));
	m.device_id = 2;
	m.offered = FEATURES;
	m.required = VH_BIT (VH_F_VERSION_1);
	m.queues = 3;
	m.max_size = 256;
	mmio_set_config (&m, config, sizeof (config));
}

static uint32_t
get (unsigned offset)
{
	return mmio_read (&m, offset, 4);
}

static enum mmio_effect
put (unsigned offset, uint32_t value)
{
	last_queue = 999;
	return mmio_write (&m, offset, 4, value, &last_queue);
}

static void
set_features (uint64_t features)
{
	put (R_DRIVER_FEATURES_SEL, 1);
	put (R_DRIVER_FEATURES, features >> 32);
	put (R_DRIVER_FEATURES_SEL, 0);
	put (R_DRIVER_FEATURES, features);
}

static void
set_queue (unsigned queue, uint32_t size)
{
	put (R_QUEUE_SEL, queue);
	put (R_QUEUE_SIZE, size);
	put (0x80, 0x10000 * (queue + 1));
	put (0x84, 0x80000000);
	put (0x90, 0x10000 * (queue + 1) + 0x1000);
	put (0x94, 0x80000000);
	put (0xa0, 0x10000 * (queue + 1) + 0x2000);
	put (0xa4, 0x80000000);
	put (R_QUEUE_READY, 1);
}

/* Up to the last step before DRIVER_OK, with queue 0. */
static void
prepare (void)
{
	make ();
	put (R_STATUS, STATUS_ACKNOWLEDGE);
	put (R_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	set_features (FEATURES);
	put (R_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	set_queue (0, 64);
}

static enum mmio_effect
start (void)
{
	return put (R_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
}

static void
test_identity (void)
{
	make ();
	CU_ASSERT_EQUAL (get (0x00), 0x74726976);
	CU_ASSERT_EQUAL (get (0x04), 2);
	CU_ASSERT_EQUAL (get (0x08), 2);
	CU_ASSERT_EQUAL (get (0xb0), UINT32_MAX);
	CU_ASSERT_EQUAL (get (0xbc), UINT32_MAX);
}

static void
test_features_are_read_in_halves (void)
{
	make ();
	put (R_DEVICE_FEATURES_SEL, 0);
	CU_ASSERT_EQUAL (get (R_DEVICE_FEATURES), (uint32_t) FEATURES);
	put (R_DEVICE_FEATURES_SEL, 1);
	CU_ASSERT_EQUAL (get (R_DEVICE_FEATURES), 1);
	put (R_DEVICE_FEATURES_SEL, 2);
	CU_ASSERT_EQUAL (get (R_DEVICE_FEATURES), 0);
}

static void
test_initialization_starts_the_device_once (void)
{
	prepare ();
	CU_ASSERT_EQUAL (get (R_STATUS), STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	CU_ASSERT_EQUAL (m.driver_features, FEATURES);
	CU_ASSERT_EQUAL (get (R_QUEUE_READY), 1);
	CU_ASSERT_FALSE (mmio_is_running (&m));
	CU_ASSERT_EQUAL (start (), MMIO_START);
	CU_ASSERT_TRUE (mmio_is_running (&m));
	CU_ASSERT_EQUAL (start (), MMIO_NOTHING);
	CU_ASSERT_EQUAL (m.queue[0].size, 64);
	CU_ASSERT_EQUAL (m.queue[0].desc, UINT64_C (0x8000000000010000));
	CU_ASSERT_EQUAL (m.queue[0].driver, UINT64_C (0x8000000000011000));
	CU_ASSERT_EQUAL (m.queue[0].device, UINT64_C (0x8000000000012000));
}

static void
test_features_that_were_not_offered_are_refused (void)
{
	make ();
	put (R_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	set_features (FEATURES | VH_BIT (40));
	put (R_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	CU_ASSERT_EQUAL (get (R_STATUS), STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	/* A driver that goes on regardless does not get a running device. */
	CU_ASSERT_EQUAL (put (R_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK), MMIO_NOTHING);
	CU_ASSERT_FALSE (mmio_is_running (&m));
}

static void
test_required_features_must_be_taken (void)
{
	make ();
	put (R_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	set_features (FEATURES & ~VH_BIT (VH_F_VERSION_1));
	put (R_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	CU_ASSERT_EQUAL (get (R_STATUS) & STATUS_FEATURES_OK, 0);
	set_features (FEATURES);
	put (R_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	CU_ASSERT_EQUAL (get (R_STATUS) & STATUS_FEATURES_OK, STATUS_FEATURES_OK);
}

static void
test_features_are_settled_by_features_ok (void)
{
	prepare ();
	set_features (0);
	CU_ASSERT_EQUAL (m.driver_features, FEATURES);
}

static void
test_kicks_reach_ready_queues_of_a_running_device (void)
{
	prepare ();
	CU_ASSERT_EQUAL (put (R_NOTIFY, 0), MMIO_NOTHING);
	start ();
	CU_ASSERT_EQUAL (put (R_NOTIFY, 0), MMIO_KICK);
	CU_ASSERT_EQUAL (last_queue, 0);
	CU_ASSERT_EQUAL (put (R_NOTIFY, 1), MMIO_NOTHING);
	CU_ASSERT_EQUAL (put (R_NOTIFY, 3), MMIO_NOTHING);
	CU_ASSERT_EQUAL (put (R_NOTIFY, 0xffff), MMIO_NOTHING);
	/* With NOTIFICATION_DATA the upper half would say more. */
	CU_ASSERT_EQUAL (put (R_NOTIFY, 0x12340000), MMIO_KICK);
}

static void
test_queues_that_are_not_there (void)
{
	make ();
	put (R_QUEUE_SEL, 2);
	CU_ASSERT_EQUAL (get (R_QUEUE_MAX), 256);
	put (R_QUEUE_SEL, 3);
	CU_ASSERT_EQUAL (get (R_QUEUE_MAX), 0);
	set_queue (3, 64);
	CU_ASSERT_EQUAL (get (R_QUEUE_READY), 0);
	CU_ASSERT_FALSE (m.queue[3].ready);
	put (R_QUEUE_SEL, UINT32_MAX);
	put (R_QUEUE_READY, 1);
	CU_ASSERT_EQUAL (get (R_QUEUE_READY), 0);
}

static void
test_sizes_that_make_no_sense (void)
{
	static const uint32_t sizes[] = { 0, 3, 512, 257, UINT32_MAX };

	for (unsigned i = 0; i < sizeof (sizes) / sizeof (sizes[0]); i++) {
		make ();
		set_queue (0, sizes[i]);
		CU_ASSERT_EQUAL (get (R_QUEUE_READY), 0);
	}
	make ();
	set_queue (0, 256);
	CU_ASSERT_EQUAL (get (R_QUEUE_READY), 1);
}

static void
test_packed_rings_have_any_size (void)
{
	make ();
	m.offered |= VH_BIT (VH_F_RING_PACKED);
	set_features (FEATURES | VH_BIT (VH_F_RING_PACKED));
	set_queue (0, 100);
	CU_ASSERT_EQUAL (get (R_QUEUE_READY), 1);
}

static void
test_alignment_of_queues (void)
{
	make ();
	put (R_QUEUE_SIZE, 64);
	put (0x80, 0x10008);
	put (R_QUEUE_READY, 1);
	CU_ASSERT_EQUAL (get (R_QUEUE_READY), 0);
	put (0x80, 0x10000);
	put (0x90, 0x11001);
	put (R_QUEUE_READY, 1);
	CU_ASSERT_EQUAL (get (R_QUEUE_READY), 0);
	put (0x90, 0x11002);
	put (0xa0, 0x12002);
	put (R_QUEUE_READY, 1);
	CU_ASSERT_EQUAL (get (R_QUEUE_READY), 0);
	put (0xa0, 0x12004);
	put (R_QUEUE_READY, 1);
	CU_ASSERT_EQUAL (get (R_QUEUE_READY), 1);
}

static void
test_a_ready_queue_does_not_move (void)
{
	prepare ();
	put (0x80, 0);
	put (R_QUEUE_SIZE, 128);
	CU_ASSERT_EQUAL (m.queue[0].desc, UINT64_C (0x8000000000010000));
	CU_ASSERT_EQUAL (m.queue[0].size, 64);
}

static void
test_a_queue_of_a_running_device_can_be_stopped (void)
{
	prepare ();
	CU_ASSERT_EQUAL (put (R_QUEUE_READY, 0), MMIO_NOTHING);
	put (R_QUEUE_READY, 1);
	start ();
	put (R_QUEUE_SEL, 0);
	CU_ASSERT_EQUAL (put (R_QUEUE_READY, 0), MMIO_STOP_QUEUE);
	CU_ASSERT_EQUAL (last_queue, 0);
	CU_ASSERT_EQUAL (put (R_NOTIFY, 0), MMIO_NOTHING);
	CU_ASSERT_EQUAL (put (R_QUEUE_READY, 0), MMIO_NOTHING);
	/* It comes too late. */
	put (R_QUEUE_READY, 1);
	CU_ASSERT_EQUAL (get (R_QUEUE_READY), 0);
}

static void
test_reset_forgets_the_driver_and_keeps_the_device (void)
{
	prepare ();
	start ();
	mmio_interrupt (&m, INTERRUPT_RING);
	CU_ASSERT_EQUAL (put (R_STATUS, 0), MMIO_RESET);
	CU_ASSERT_EQUAL (get (R_STATUS), 0);
	CU_ASSERT_EQUAL (get (R_INTERRUPT_STATUS), 0);
	CU_ASSERT_EQUAL (get (R_QUEUE_READY), 0);
	CU_ASSERT_EQUAL (m.driver_features, 0);
	CU_ASSERT_EQUAL (get (0x08), 2);
	CU_ASSERT_EQUAL (mmio_read (&m, 0x100, 1), 1);
	prepare ();
	CU_ASSERT_EQUAL (start (), MMIO_START);
}

static void
test_a_driver_that_failed_gets_no_device (void)
{
	prepare ();
	CU_ASSERT_EQUAL (put (R_STATUS, get (R_STATUS) | STATUS_FAILED), MMIO_NOTHING);
	CU_ASSERT_EQUAL (start (), MMIO_NOTHING);
	CU_ASSERT_EQUAL (put (R_NOTIFY, 0), MMIO_NOTHING);
}

static void
test_interrupts_are_acknowledged_bit_by_bit (void)
{
	prepare ();
	start ();
	mmio_interrupt (&m, INTERRUPT_RING);
	mmio_interrupt (&m, INTERRUPT_CONFIG);
	CU_ASSERT_EQUAL (get (R_INTERRUPT_STATUS), INTERRUPT_RING | INTERRUPT_CONFIG);
	CU_ASSERT_EQUAL (put (R_INTERRUPT_ACK, INTERRUPT_RING), MMIO_ACKNOWLEDGE);
	CU_ASSERT_EQUAL (get (R_INTERRUPT_STATUS), INTERRUPT_CONFIG);
	put (R_INTERRUPT_ACK, UINT32_MAX);
	CU_ASSERT_EQUAL (get (R_INTERRUPT_STATUS), 0);
}

static void
test_interrupts_that_the_kernel_raises (void)
{
	prepare ();
	m.unseen_interrupts = true;
	start ();
	CU_ASSERT_EQUAL (get (R_INTERRUPT_STATUS), INTERRUPT_RING);
	put (R_INTERRUPT_ACK, INTERRUPT_RING);
	CU_ASSERT_EQUAL (get (R_INTERRUPT_STATUS), INTERRUPT_RING);
}

static void
test_needs_reset (void)
{
	make ();
	CU_ASSERT_FALSE (mmio_need_reset (&m));
	prepare ();
	CU_ASSERT_TRUE (mmio_need_reset (&m));
	CU_ASSERT_EQUAL (get (R_INTERRUPT_STATUS), 0);
	prepare ();
	start ();
	CU_ASSERT_TRUE (mmio_need_reset (&m));
	CU_ASSERT_FALSE (mmio_need_reset (&m));
	CU_ASSERT_EQUAL (get (R_STATUS) & STATUS_NEEDS_RESET, STATUS_NEEDS_RESET);
	CU_ASSERT_EQUAL (get (R_INTERRUPT_STATUS), INTERRUPT_CONFIG);
	/* A driver cannot set or clear it, but by a reset. */
	put (R_STATUS, STATUS_ACKNOWLEDGE);
	CU_ASSERT_EQUAL (get (R_STATUS) & STATUS_NEEDS_RESET, STATUS_NEEDS_RESET);
	put (R_STATUS, 0);
	put (R_STATUS, STATUS_NEEDS_RESET);
	CU_ASSERT_EQUAL (get (R_STATUS), 0);
}

static void
test_config_space (void)
{
	uint32_t generation;
	uint8_t other[4] = { 9, 9, 9, 9 };

	make ();
	generation = get (R_GENERATION);
	CU_ASSERT_EQUAL (mmio_read (&m, 0x100, 1), 1);
	CU_ASSERT_EQUAL (mmio_read (&m, 0x101, 1), 2);
	CU_ASSERT_EQUAL (mmio_read (&m, 0x102, 2), 0x0403);
	CU_ASSERT_EQUAL (mmio_read (&m, 0x104, 4), 0x08070605);
	CU_ASSERT_EQUAL (mmio_read (&m, 0x100, 8), UINT64_C (0x0807060504030201));
	/* Beyond its end. */
	CU_ASSERT_EQUAL (mmio_read (&m, 0x108, 4), 0x0a09);
	CU_ASSERT_EQUAL (mmio_read (&m, 0x1f8, 8), 0);
	CU_ASSERT_FALSE (mmio_set_config (&m, m.config, m.config_size));
	CU_ASSERT_EQUAL (get (R_GENERATION), generation);
	CU_ASSERT_TRUE (mmio_set_config (&m, other, sizeof (other)));
	CU_ASSERT_NOT_EQUAL (get (R_GENERATION), generation);
	CU_ASSERT_EQUAL (mmio_read (&m, 0x100, 4), 0x09090909);
}

static void
test_config_writes_inside_only (void)
{
	make ();
	CU_ASSERT_EQUAL (mmio_write (&m, 0x100, 1, 5, &last_queue), MMIO_WRITE_CONFIG);
	CU_ASSERT_EQUAL (mmio_write (&m, 0x106, 4, 5, &last_queue), MMIO_WRITE_CONFIG);
	CU_ASSERT_EQUAL (mmio_write (&m, 0x107, 4, 5, &last_queue), MMIO_NOTHING);
	CU_ASSERT_EQUAL (mmio_write (&m, 0x1ff, 8, 5, &last_queue), MMIO_NOTHING);
	/* What it becomes is for the back-end to say. */
	CU_ASSERT_EQUAL (mmio_read (&m, 0x100, 1), 1);
}

static void
test_accesses_of_other_widths_do_nothing (void)
{
	prepare ();
	CU_ASSERT_EQUAL (mmio_read (&m, 0x00, 2), 0);
	CU_ASSERT_EQUAL (mmio_read (&m, 0x01, 4), 0);
	CU_ASSERT_EQUAL (mmio_read (&m, 0x00, 8), 0);
	CU_ASSERT_EQUAL (mmio_write (&m, R_STATUS, 1, 0, &last_queue), MMIO_NOTHING);
	CU_ASSERT_NOT_EQUAL (get (R_STATUS), 0);
}

static void
test_no_device (void)
{
	memset (&m, 0, sizeof (m));
	CU_ASSERT_EQUAL (get (0x00), 0x74726976);
	CU_ASSERT_EQUAL (get (0x08), 0);
	CU_ASSERT_EQUAL (put (R_STATUS, STATUS_ACKNOWLEDGE), MMIO_NOTHING);
	CU_ASSERT_EQUAL (get (R_STATUS), 0);
	CU_ASSERT_EQUAL (put (R_STATUS, 0), MMIO_NOTHING);
}

/* Nothing that a driver writes, in any order, leads out of the registers. */
static void
test_random_drivers (void)
{
	uint64_t seed = 0x9e3779b97f4a7c15;
	unsigned effects[MMIO_ACKNOWLEDGE + 1] = { 0 };

	make ();
	/* So that a blind driver gets somewhere. */
	m.offered = UINT64_MAX;
	m.required = 0;
	for (unsigned i = 0; i < 2000000; i++) {
		static const uint32_t values[] = { 0, 1, 2, 3, 7, 8, 15, 64, 0x10000, UINT32_MAX };
		unsigned queue = 0, offset, size;
		enum mmio_effect effect;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		offset = (seed >> 33) % MMIO_SIZE & (seed >> 60 & 1 ? ~0u : ~3u);
		size = seed >> 50 & 7 ? 4 : 1u << (seed >> 53 & 3);
		if (offset + size > MMIO_SIZE)
			continue;
		effect = mmio_write (&m, offset, size, values[(seed >> 40) % 10], &queue);
		effects[effect]++;
		if (effect == MMIO_KICK || effect == MMIO_STOP_QUEUE)
			CU_ASSERT_FATAL (queue < m.queues);
		mmio_read (&m, offset, size);
	}
	for (unsigned i = 0; i <= MMIO_ACKNOWLEDGE; i++)
		CU_ASSERT_TRUE (effects[i] > 0);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "identity", test_identity },
		{ "features are read in halves", test_features_are_read_in_halves },
		{ "initialization starts the device once", test_initialization_starts_the_device_once },
		{ "features that were not offered are refused", test_features_that_were_not_offered_are_refused },
		{ "required features must be taken", test_required_features_must_be_taken },
		{ "features are settled by FEATURES_OK", test_features_are_settled_by_features_ok },
		{ "kicks reach ready queues of a running device", test_kicks_reach_ready_queues_of_a_running_device },
		{ "queues that are not there", test_queues_that_are_not_there },
		{ "sizes that make no sense", test_sizes_that_make_no_sense },
		{ "packed rings have any size", test_packed_rings_have_any_size },
		{ "alignment of queues", test_alignment_of_queues },
		{ "a ready queue does not move", test_a_ready_queue_does_not_move },
		{ "a queue of a running device can be stopped", test_a_queue_of_a_running_device_can_be_stopped },
		{ "reset forgets the driver and keeps the device", test_reset_forgets_the_driver_and_keeps_the_device },
		{ "a driver that failed gets no device", test_a_driver_that_failed_gets_no_device },
		{ "interrupts are acknowledged bit by bit", test_interrupts_are_acknowledged_bit_by_bit },
		{ "interrupts that the kernel raises", test_interrupts_that_the_kernel_raises },
		{ "needs reset", test_needs_reset },
		{ "configuration space", test_config_space },
		{ "configuration writes inside only", test_config_writes_inside_only },
		{ "accesses of other widths do nothing", test_accesses_of_other_widths_do_nothing },
		{ "no device", test_no_device },
		{ "random drivers", test_random_drivers },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("virtio-mmio registers", tests);
}
