/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hostile guests, through the whole back-end: a ring that breaks the rules stops, alone, and can be started again.
 */
#include "backend-hostile.h"

#include <string.h>

/* Offsets of buffers that no good request uses. */
#define SPARE (GUEST_BUFFERS + 0x40000u)

/* Two rings, both at work. */
static void
two_rings (void)
{
	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_TRUE (rig_place_ring (&rig, 1, 64, 0) && rig_start_ring (&rig, 1));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0) && rig_serve (&rig, 1, 0));
}

/* Ring 0 has stopped and said so once; ring 1 and the connection go on; ring 0 starts again when it is set up again. */
static void
only_ring_0_stopped (void)
{
	struct driver *d = &rig.drivers[0];
	uint32_t base;

	driver_kick (d);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.broken, 1);
	CU_ASSERT_EQUAL (driver_signals (d->err), 1);
	CU_ASSERT_EQUAL (driver_signals (rig.drivers[1].err), 0);
	driver_kick (d);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (driver_signals (d->err), 0);
	CU_ASSERT_TRUE (rig_serve (&rig, 1, 1));
	CU_ASSERT_TRUE (rig_alive (&rig));
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base));
	CU_ASSERT_TRUE (rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0) && rig_serve (&rig, 0, 0));
}

static void
hostile_76_more_available_than_the_ring_holds (void)
{
	two_rings ();
	driver_set_avail (&rig.drivers[0], (uint16_t) (rig.drivers[0].next_avail + 1000));
	only_ring_0_stopped ();
}

static void
hostile_76_one_more_than_the_ring_holds (void)
{
	two_rings ();
	driver_set_avail (&rig.drivers[0], (uint16_t) (rig.drivers[0].next_avail + 65));
	only_ring_0_stopped ();
}

static void
hostile_76_the_index_goes_back (void)
{
	two_rings ();
	driver_set_avail (&rig.drivers[0], (uint16_t) (rig.drivers[0].next_avail - 1));
	only_ring_0_stopped ();
}

static void
hostile_77_a_head_that_is_not_there (void)
{
	two_rings ();
	driver_offer (&rig.drivers[0], 64);
	only_ring_0_stopped ();
}

static void
hostile_78_a_next_that_is_not_there (void)
{
	two_rings ();
	driver_desc (&rig.drivers[0], 10, GUEST_ADDR + SPARE, 16, DESC_NEXT, 0xffff);
	driver_offer (&rig.drivers[0], 10);
	only_ring_0_stopped ();
}

static void
loop_of (unsigned n)
{
	struct driver *d = &rig.drivers[0];

	two_rings ();
	for (unsigned i = 0; i < n; i++)
		driver_desc (d, i, GUEST_ADDR + SPARE, 16, DESC_NEXT, (uint16_t) ((i + 1) % n));
	driver_offer (d, 0);
	only_ring_0_stopped ();
}

static void
hostile_79_a_loop_of_one (void)
{
	loop_of (1);
}

static void
hostile_79_a_loop_of_two (void)
{
	loop_of (2);
}

static void
hostile_79_a_loop_of_all (void)
{
	loop_of (64);
}

static void
hostile_79_a_chain_longer_than_4_gigabytes (void)
{
	struct driver *d = &rig.drivers[0];

	two_rings ();
	driver_desc (d, 10, GUEST_ADDR + SPARE, 0xfffffe00, DESC_NEXT, 11);
	driver_desc (d, 11, GUEST_ADDR + SPARE, 0xfffffe00, DESC_NEXT, 12);
	driver_desc (d, 12, GUEST_ADDR + SPARE, 17, DESC_WRITE, 0);
	driver_offer (d, 10);
	driver_kick (d);
	CU_ASSERT_TRUE (rig_pump (&rig));
	/* Stopped, or given back as failed; not served. */
	CU_ASSERT_EQUAL (device.served, 2);
	CU_ASSERT_EQUAL (device.failed + device.broken, 1);
	CU_ASSERT_TRUE (rig_serve (&rig, 1, 1));
}

/* A request whose part `outside` (0: what the device reads, 1: data that it writes, 2: the status byte) is at `addr`; what the driver sees of it. */
static void
request_outside (unsigned outside, uint64_t addr, uint32_t *len, uint8_t *status)
{
	struct driver *d = &rig.drivers[0];
	uint64_t at[3] = { GUEST_ADDR + SPARE, GUEST_ADDR + SPARE + 64, GUEST_ADDR + SPARE + 128 };
	uint32_t id;

	at[outside] = addr;
	rig.guest.bytes[SPARE + 128] = 0xee;
	driver_desc (d, 20, at[0], 16, DESC_NEXT, 21);
	driver_desc (d, 21, at[1], 16, DESC_NEXT | DESC_WRITE, 22);
	driver_desc (d, 22, at[2], 1, DESC_WRITE, 0);
	driver_offer (d, 20);
	driver_kick (d);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (driver_used (d, &id, len) && id == 20);
	*status = rig.guest.bytes[SPARE + 128];
}

static const uint64_t outside[] = { 0, GUEST_ADDR - 1, GUEST_ADDR - 16, GUEST_ADDR + GUEST_SIZE, GUEST_USER, UINT64_MAX, UINT64_MAX - 8 };

static void
hostile_80_data_outside_memory (void)
{
	uint32_t len;
	uint8_t status;

	two_rings ();
	for (unsigned i = 0; i < sizeof (outside) / sizeof (outside[0]); i++)
		for (unsigned part = 0; part < 2; part++) {
			request_outside (part, outside[i], &len, &status);
			CU_ASSERT_EQUAL (status, 1);
			CU_ASSERT_EQUAL (len, 1);
		}
	CU_ASSERT_EQUAL (device.failed, 14);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 1));
	CU_ASSERT_EQUAL (driver_signals (rig.drivers[0].err), 0);
}

static void
hostile_80_a_status_outside_memory (void)
{
	uint32_t len;
	uint8_t status;

	two_rings ();
	for (unsigned i = 0; i < sizeof (outside) / sizeof (outside[0]); i++) {
		request_outside (2, outside[i], &len, &status);
		CU_ASSERT_EQUAL (status, 0xee);
		CU_ASSERT_EQUAL (len, 0);
	}
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 1));
}

static void
hostile_81_a_buffer_that_runs_past_the_end (void)
{
	uint32_t len;
	uint8_t status;

	two_rings ();
	request_outside (1, GUEST_ADDR + GUEST_SIZE - 15, &len, &status);
	CU_ASSERT_TRUE (len == 1 && status == 1);
	request_outside (1, GUEST_ADDR + GUEST_SIZE - 16, &len, &status);
	CU_ASSERT_TRUE (len == 17 && status == 0);
}

static void
hostile_90_one_head_twice (void)
{
	struct driver *d = &rig.drivers[0];

	two_rings ();
	device.hold = true;
	driver_request (d, 1);
	driver_offer (d, 2);
	driver_kick (d);
	CU_ASSERT_TRUE (rig_pump (&rig));
	/* Both were taken, or the ring stopped; none is given back twice. */
	CU_ASSERT_TRUE (device.n_held == 2 || (device.n_held <= 1 && device.broken == 1));
	device.hold = false;
	test_device_release (&device, 2);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (driver_pending (d) <= 2);
	CU_ASSERT_TRUE (rig_serve (&rig, 1, 1));
}

static void
hostile_90_the_guest_writes_the_used_index (void)
{
	struct driver *d = &rig.drivers[0];

	two_rings ();
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 1));
	rig.guest.bytes[driver_used_at (d) + 2] = 0xaa;
	rig.guest.bytes[driver_used_at (d) + 3] = 0x55;
	/* The back-end goes by its own count, and writes that over it. */
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 2));
	CU_ASSERT_EQUAL (rig.guest.bytes[driver_used_at (d) + 2], 3);
	CU_ASSERT_EQUAL (rig.guest.bytes[driver_used_at (d) + 3], 0);
}

static void
hostile_91_buffers_over_the_ring_itself (void)
{
	struct driver *d = &rig.drivers[0];
	const size_t areas[] = { driver_desc_at (d), driver_desc_at (d) + 0x1000, driver_desc_at (d) + 0x1400 };

	two_rings ();
	for (unsigned i = 0; i < 3; i++) {
		driver_desc (d, 20, GUEST_ADDR + SPARE, 16, DESC_NEXT, 21);
		driver_desc (d, 21, GUEST_ADDR + areas[i], 17, DESC_WRITE, 0);
		driver_offer (d, 20);
		driver_kick (d);
		CU_ASSERT_TRUE (rig_pump (&rig));
	}
	CU_ASSERT_TRUE (rig_alive (&rig));
	CU_ASSERT_TRUE (rig_serve (&rig, 1, 1));
}

static void
hostile_94_many_kicks (void)
{
	two_rings ();
	for (unsigned i = 0; i < 20000; i++) {
		driver_kick (&rig.drivers[0]);
		if (i % 100 == 0)
			CU_ASSERT_TRUE (rig_pump (&rig));
	}
	CU_ASSERT_TRUE (rig_serve (&rig, 1, 1));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 1));
}

static void
hostile_94_a_ring_full_of_bad_requests (void)
{
	struct driver *d = &rig.drivers[0];
	uint32_t id, len;

	two_rings ();
	for (unsigned i = 0; i < 64; i++) {
		driver_desc (d, i, UINT64_MAX - i, 0xffffff00, i % 2 ? DESC_WRITE : 0, 0);
		driver_offer (d, (uint16_t) i);
	}
	driver_ask (&rig.drivers[1], 1);
	driver_kick (d);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (driver_served (&rig.drivers[1], 1));
	CU_ASSERT_EQUAL (device.failed, 64);
	for (unsigned i = 0; i < 64; i++)
		CU_ASSERT_TRUE (driver_used (d, &id, &len) && id == i && len == 0);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 1));
}

static void
hostile_94_a_device_that_never_takes (void)
{
	two_rings ();
	device.stubborn = true;
	for (unsigned n = 1; n < 20; n++) {
		driver_ask (&rig.drivers[0], n);
	}
	/* What the device leaves in the ring is its own affair; nothing spins. */
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (rig_alive (&rig));
}

struct CU_TestInfo ring_cases[] = {
	CASE (hostile_76_more_available_than_the_ring_holds),
	CASE (hostile_76_one_more_than_the_ring_holds),
	CASE (hostile_76_the_index_goes_back),
	CASE (hostile_77_a_head_that_is_not_there),
	CASE (hostile_78_a_next_that_is_not_there),
	CASE (hostile_79_a_loop_of_one),
	CASE (hostile_79_a_loop_of_two),
	CASE (hostile_79_a_loop_of_all),
	CASE (hostile_79_a_chain_longer_than_4_gigabytes),
	CASE (hostile_80_data_outside_memory),
	CASE (hostile_80_a_status_outside_memory),
	CASE (hostile_81_a_buffer_that_runs_past_the_end),
	CASE (hostile_90_one_head_twice),
	CASE (hostile_90_the_guest_writes_the_used_index),
	CASE (hostile_91_buffers_over_the_ring_itself),
	CASE (hostile_94_many_kicks),
	CASE (hostile_94_a_ring_full_of_bad_requests),
	CASE (hostile_94_a_device_that_never_takes),
	CU_TEST_INFO_NULL,
};
