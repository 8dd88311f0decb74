/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rings that begin again: with the guest, with its driver, or one of them alone; and rings of which little is said.
 */
#include "backend-hostile.h"

#include <string.h>

/* Rings 0 and 1 run. */
static void
two_rings (void)
{
	CU_ASSERT_TRUE_FATAL (rig_ready (&rig, 64));
	CU_ASSERT_TRUE_FATAL (rig_place_ring (&rig, 1, 64, 0) && rig_start_ring (&rig, 1));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0) && rig_serve (&rig, 1, 0));
}

/* --- a driver goes, and another one comes --- */

/* What the kernel of User Mode Linux sends when a driver goes: rings are disabled, last one first, and a request is waited for. */
static void
driver_goes (void)
{
	for (unsigned i = 2; i-- > 0;)
		CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENABLE, i, 0), ACK);
	CU_ASSERT_TRUE (rig_alive (&rig));
	memset (rig.guest.bytes, 0, GUEST_BUFFERS);
}

/* ... and when the next one comes.  No GET_VRING_BASE is among it. */
static void
driver_comes (unsigned size)
{
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, BIT_VERSION_1 | BIT30), ACK);
	CU_ASSERT_TRUE (rig_give_memory (&rig));
	for (unsigned i = 0; i < 2; i++) {
		struct driver *d = &rig.drivers[i];

		driver_close (d);
		driver_open (d, &rig.guest, i, size);
		CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_CALL, i, d->call), ACK);
		CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, i, size), ACK);
		CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_BASE, i, 0), ACK);
		CU_ASSERT_EQUAL (rig_tell_addr (&rig, i, 0, GUEST_USER + driver_desc_at (d), GUEST_USER + driver_avail_at (d),
						GUEST_USER + driver_used_at (d)),
				 ACK);
	}
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_KICK, i, rig.drivers[i].kick), ACK);
		CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENABLE, i, 1), ACK);
	}
}

static void
a_driver_is_bound_again (void)
{
	two_rings ();
	for (unsigned round = 1; round < 8; round++) {
		unsigned size = 16u << round % 3;

		for (unsigned n = 0; n < round; n++)
			CU_ASSERT_TRUE (rig_serve (&rig, n % 2, n % 8));
		driver_goes ();
		driver_comes (size);
		CU_ASSERT_EQUAL (device.starts, 2 + 2 * round);
	}
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0) && rig_serve (&rig, 1, 0));
	CU_ASSERT_EQUAL (device.broken, 0);
}

/* What the last driver left in flight is done before its rings are anybody else's. */
static void
a_driver_goes_with_requests_in_flight (void)
{
	two_rings ();
	device.hold = true;
	driver_ask (&rig.drivers[0], 1);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.n_held, 1);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENABLE, 0, 0), SILENCE);
	test_device_release (&device, 1);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_SET_VRING_ENABLE, NULL), ACK);
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 1));
	device.hold = false;
	driver_goes ();
	driver_comes (32);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0) && rig_serve (&rig, 1, 0));
}

/*
 * A ring that is not even disabled is in use: to put another one in its place would leave the requests of the one before in the air.  This is refused, and the
 * ring goes on.
 */
static void
a_ring_that_runs_is_not_replaced (void)
{
	struct driver *d = &rig.drivers[0];

	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, BIT_VERSION_1), ACK);
	CU_ASSERT_TRUE (rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 0));
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_CALL, 0, d->call), ACK);
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_KICK, 0, d->kick), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, 64), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_BASE, 0, 0), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, GUEST_USER + 0x4000, GUEST_USER + 0x5000, GUEST_USER + 0x5400), REFUSAL);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 1));
	CU_ASSERT_EQUAL (device.starts, 1);
}

/* --- a guest boots again --- */

/* The rings have nothing of before in them, and the device is as new. */
static void
a_guest_reboots_by_reset (void)
{
	two_rings ();
	for (unsigned boot = 1; boot <= 3; boot++) {
		for (unsigned n = 0; n < 5 * boot; n++)
			CU_ASSERT_TRUE (rig_serve (&rig, n % 2, n % 16));
		CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_RESET_DEVICE), ACK);
		CU_ASSERT_EQUAL (device.resets, boot);
		memset (rig.guest.bytes, 0, GUEST_BUFFERS);
		CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, BIT_VERSION_1 | BIT30), ACK);
		CU_ASSERT_TRUE (rig_give_memory (&rig));
		for (unsigned i = 0; i < 2; i++)
			CU_ASSERT_TRUE (rig_place_ring (&rig, i, boot % 2 ? 32 : 64, 0) && rig_start_ring (&rig, i));
		CU_ASSERT_TRUE (rig_serve (&rig, 0, 0) && rig_serve (&rig, 1, 0));
	}
}

/* VIRTIO_F_RING_RESET: one ring is disabled, stopped and set up again, from 0 on, while the other one works. */
static void
one_ring_begins_again_while_another_works (void)
{
	uint32_t base;

	two_rings ();
	for (unsigned round = 1; round <= 4; round++) {
		CU_ASSERT_TRUE (rig_serve (&rig, 1, 1));
		CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENABLE, 1, 0), ACK);
		CU_ASSERT_TRUE (rig_serve (&rig, 0, round));
		CU_ASSERT_TRUE (rig_ask_base (&rig, 1, &base) && base == 2);
		CU_ASSERT_TRUE (rig_serve (&rig, 0, round + 8));
		CU_ASSERT_TRUE (rig_place_ring (&rig, 1, 64, 0) && rig_start_ring (&rig, 1));
		CU_ASSERT_TRUE (rig_serve (&rig, 1, 0));
	}
	CU_ASSERT_EQUAL (device.starts, 2 + 4);	/* ring 0 never stopped */
}

/* --- rings of which little is said --- */

/* Neither a call nor an err, not even "none" (which DPDK waits for): the driver looks at the used area. */
static void
a_ring_without_a_call (void)
{
	struct driver *d = &rig.drivers[0];

	CU_ASSERT_TRUE (rig_negotiate (&rig) && rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 0));
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_KICK, 0, d->kick), ACK);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENABLE, 0, 1), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	/* One that comes later is used from then on. */
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_CALL, 0, d->call), ACK);
	driver_signals (d->call);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 1));
	CU_ASSERT_EQUAL (driver_signals (d->call), 1);
	CU_ASSERT_EQUAL (driver_signals (d->err), 0);
}

/* Nothing but places: polled by both, from the moment that it is enabled. */
static void
a_ring_without_any_eventfd (void)
{
	struct driver *d = &rig.drivers[0];
	uint32_t base;

	CU_ASSERT_TRUE (rig_negotiate (&rig) && rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 0));
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_KICK, NO_FD, -1), ACK);
	driver_request (d, 0);
	rig_pump (&rig);
	CU_ASSERT_EQUAL (driver_pending (d), 0);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENABLE, 0, 1), ACK);
	for (unsigned n = 1; n < 20; n++) {
		rig_pump (&rig);
		CU_ASSERT_TRUE (driver_served (d, n - 1));
		driver_request (d, n);
	}
	rig_pump (&rig);
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base) && base == 20);
	driver_request (d, 20);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (driver_signals (d->call) + driver_signals (d->err), 0);
}

struct CU_TestInfo restart_cases[] = {
	CASE (a_driver_is_bound_again),
	CASE (a_driver_goes_with_requests_in_flight),
	CASE (a_ring_that_runs_is_not_replaced),
	CASE (a_guest_reboots_by_reset),
	CASE (one_ring_begins_again_while_another_works),
	CASE (a_ring_without_a_call),
	CASE (a_ring_without_any_eventfd),
	CU_TEST_INFO_NULL,
};
