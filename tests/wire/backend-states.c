/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rings and connections that start, stop and start again: what waits for requests in flight, and what is forgotten.
 */
#include "backend-hostile.h"

#include <string.h>

/* n requests, from number `first` on, that the device keeps. */
static void
put_in_flight (unsigned first, unsigned n)
{
	device.hold = true;
	for (unsigned i = 0; i < n; i++)
		driver_request (&rig.drivers[0], first + i);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.n_held, n);
}

static bool
base_is (const struct reply *reply, uint32_t index, uint32_t base)
{
	uint32_t numbers[2];

	memcpy (numbers, reply->body, sizeof (numbers));
	return reply->size == 8 && numbers[0] == index && numbers[1] == base;
}

static void
get_vring_base_waits_for_requests_in_flight (void)
{
	const uint32_t ring[2] = { 0, 0 };
	struct reply reply;

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	put_in_flight (1, 2);
	rig_send (&rig, FE_GET_VRING_BASE, FLAG_VERSION, ring, 8, NULL, 0);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_VRING_BASE, NULL), SILENCE);
	CU_ASSERT_EQUAL (device.drains, 1);
	test_device_release (&device, 1);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_VRING_BASE, NULL), SILENCE);
	CU_ASSERT_EQUAL (device.stops, 0);
	test_device_release (&device, 1);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_VRING_BASE, &reply), REFUSAL);	/* a base that is not 0 */
	CU_ASSERT_TRUE (base_is (&reply, 0, 3));
	CU_ASSERT_EQUAL (device.stops, 1);
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 1) && driver_served (&rig.drivers[0], 2));
}

static void
get_vring_base_asks_the_device_to_drain (void)
{
	uint32_t base;

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	device.drain = true;
	put_in_flight (0, 5);
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base) && base == 5);
	for (unsigned n = 0; n < 5; n++)
		CU_ASSERT_TRUE (driver_served (&rig.drivers[0], n));
}

static void
messages_behind_one_that_waits_wait_too (void)
{
	const uint32_t ring[2] = { 0, 0 };

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	put_in_flight (0, 1);
	rig_send (&rig, FE_GET_VRING_BASE, FLAG_VERSION, ring, 8, NULL, 0);
	for (unsigned i = 0; i < 50; i++)
		rig_send (&rig, FE_GET_FEATURES, FLAG_VERSION, "", 0, NULL, 0);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_VRING_BASE, NULL), SILENCE);
	test_device_release (&device, 1);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_VRING_BASE, NULL), REFUSAL);
	for (unsigned i = 0; i < 50; i++)
		CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_FEATURES, NULL), REFUSAL);
}

static void
disabling_waits_for_requests_in_flight (void)
{
	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	put_in_flight (0, 1);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENABLE, 0, 0), SILENCE);
	test_device_release (&device, 1);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_SET_VRING_ENABLE, NULL), ACK);
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 0));
	device.hold = false;
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENABLE, 0, 1), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 1));
}

static void
another_ring_works_while_one_drains (void)
{
	const uint32_t ring[2] = { 0, 0 };

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_TRUE (rig_place_ring (&rig, 1, 64, 0) && rig_start_ring (&rig, 1));
	put_in_flight (0, 1);
	device.hold = false;
	rig_send (&rig, FE_GET_VRING_BASE, FLAG_VERSION, ring, 8, NULL, 0);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_VRING_BASE, NULL), SILENCE);
	CU_ASSERT_TRUE (rig_serve (&rig, 1, 0));
	test_device_release (&device, 1);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_VRING_BASE, NULL), REFUSAL);
}

static void
a_guest_reboots (void)
{
	uint32_t base;

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	for (unsigned boot = 0; boot < 3; boot++) {
		for (unsigned n = 0; n < 7; n++)
			CU_ASSERT_TRUE (rig_serve (&rig, 0, n));
		CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base) && base == 7);
		CU_ASSERT_TRUE (rig_place_ring (&rig, 0, boot % 2 ? 64 : 32, 0) && rig_start_ring (&rig, 0));
	}
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
}

static void
a_ring_goes_on_where_it_stopped (void)
{
	struct driver *d = &rig.drivers[0];
	uint32_t base;

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base) && base == 1);
	driver_request (d, 1);
	driver_signals (d->kick);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_BASE, 0, base), ACK);
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_KICK, 0, d->kick), ACK);
	/* What is there already has had its kick, and the front-end has read that away. */
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (driver_served (d, 1));
}

static void
the_base_of_a_ring_that_never_ran (void)
{
	uint32_t base;

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_TRUE (rig_ask_base (&rig, 2, &base) && base == 0);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_BASE, 2, 1234), ACK);
	CU_ASSERT_TRUE (rig_ask_base (&rig, 2, &base) && base == 1234);
}

static void
without_bit_30_all_rings_are_enabled (void)
{
	struct driver *d = &rig.drivers[0];

	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, BIT_VERSION_1), ACK);
	CU_ASSERT_TRUE (rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 0));
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_KICK, 0, d->kick), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	/* There is no SET_VRING_ENABLE then. */
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENABLE, 0, 0), REFUSAL);
}

static void
with_bit_30_no_ring_is_enabled_by_itself (void)
{
	CU_ASSERT_TRUE (rig_negotiate (&rig) && rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 0));
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_KICK, 0, rig.drivers[0].kick), ACK);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.starts, 0);
}

static void
reset_device_forgets_the_rings (void)
{
	uint32_t base;

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_RESET_DEVICE), ACK);
	CU_ASSERT_EQUAL (device.resets, 1);
	CU_ASSERT_EQUAL (device.stops, 1);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base) && base == 0);
	/* The session goes on. */
	CU_ASSERT_EQUAL (vh_backend_protocol_features (rig.backend), PROTOCOL_ALL);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, BIT_VERSION_1 | BIT30 | 1u << DEVICE_FEATURE), ACK);
	CU_ASSERT_TRUE (rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0) && rig_serve (&rig, 0, 0));
}

static void
reset_device_waits_for_requests_in_flight (void)
{
	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	put_in_flight (0, 2);
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_RESET_DEVICE), SILENCE);
	CU_ASSERT_EQUAL (device.resets, 0);
	test_device_release (&device, 2);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_RESET_DEVICE, NULL), ACK);
	CU_ASSERT_EQUAL (device.resets, 1);
}

static void
reset_owner_disables_the_rings_and_no_more (void)
{
	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_RESET_OWNER), ACK);
	driver_ask (&rig.drivers[0], 0);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.served, 0);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENABLE, 0, 1), ACK);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 0));
}

static void
a_ring_that_the_device_refuses (void)
{
	CU_ASSERT_TRUE (rig_negotiate (&rig) && rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 0));
	device.refuse_start = -12;
	CU_ASSERT_TRUE (rig_start_ring (&rig, 0));
	CU_ASSERT_EQUAL (driver_signals (rig.drivers[0].err), 1);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.starts, 0);
	CU_ASSERT_EQUAL (device.stops, 0);
	/* It stays so until the front-end starts it again. */
	device.refuse_start = 0;
	CU_ASSERT_TRUE (rig_alive (&rig));
	CU_ASSERT_EQUAL (device.starts, 0);
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_KICK, 0, rig.drivers[0].kick), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
}

static void
a_ring_without_a_kick_is_polled (void)
{
	struct driver *d = &rig.drivers[0];

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_KICK, NO_FD, -1), ACK);
	driver_request (d, 0);
	rig_pump (&rig);
	CU_ASSERT_TRUE (driver_served (d, 0));
	/* Back to kicks: it is quiet again. */
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_KICK, 0, d->kick), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 1));
}

static void
a_call_that_was_replaced_is_not_signalled (void)
{
	struct driver *d = &rig.drivers[0];

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_TRUE (driver_signals (d->call) > 0);
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_CALL, 0, d->err), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 1));
	CU_ASSERT_EQUAL (driver_signals (d->call), 0);
	CU_ASSERT_TRUE (driver_signals (d->err) > 0);
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_CALL, NO_FD, -1), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 2));
	CU_ASSERT_EQUAL (driver_signals (d->call) + driver_signals (d->err), 0);
}

static void
a_disconnect_waits_for_requests_in_flight (void)
{
	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	put_in_flight (0, 3);
	rig_hang_up (&rig);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.drains, 1);
	CU_ASSERT_FALSE (rig.ended);
	CU_ASSERT_EQUAL (device.departures, 0);
	test_device_release (&device, 3);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (rig.ended);
	CU_ASSERT_EQUAL (device.departures, 1);
	CU_ASSERT_EQUAL (device.stops, 1);
	for (unsigned n = 0; n < 3; n++)
		CU_ASSERT_TRUE (driver_served (&rig.drivers[0], n));
}

static void
a_disconnect_while_a_message_waits (void)
{
	const uint32_t ring[2] = { 0, 0 };

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	put_in_flight (0, 1);
	rig_send (&rig, FE_GET_VRING_BASE, FLAG_VERSION, ring, 8, NULL, 0);
	CU_ASSERT_TRUE (rig_pump (&rig));
	rig_hang_up (&rig);
	CU_ASSERT_TRUE (rig_pump (&rig));	/* a hang-up is told again and again: it must not spin */
	CU_ASSERT_FALSE (rig.ended);
	test_device_release (&device, 1);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (rig.ended);
}

static void
the_next_connection_begins_with_nothing (void)
{
	uint32_t base;

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	put_in_flight (0, 2);
	rig_reopen (&rig);
	CU_ASSERT_EQUAL (device.resets, 1);
	CU_ASSERT_EQUAL (vh_backend_features (rig.backend), 0);
	CU_ASSERT_EQUAL (vh_backend_protocol_features (rig.backend), 0);
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base) && base == 0);
	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
}

/* Ring 0 with two requests in flight, and then an index that cannot be. */
static void
break_with_requests_in_flight (void)
{
	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	put_in_flight (0, 2);
	driver_set_avail (&rig.drivers[0], 1000);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.broken, 1);
	CU_ASSERT_EQUAL (device.n_held, 2);
}

static void
a_broken_ring_waits_for_requests_in_flight (void)
{
	const uint32_t ring[2] = { 0, 0 };

	break_with_requests_in_flight ();
	rig_send (&rig, FE_GET_VRING_BASE, FLAG_VERSION, ring, 8, NULL, 0);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_VRING_BASE, NULL), SILENCE);
	test_device_release (&device, 2);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_VRING_BASE, NULL), REFUSAL);
	device.hold = false;
	CU_ASSERT_TRUE (rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0) && rig_serve (&rig, 0, 0));
}

static void
memory_goes_under_a_broken_ring (void)
{
	break_with_requests_in_flight ();
	CU_ASSERT_EQUAL (rig_tell_table (&rig, NULL, 0, NULL, 0), SILENCE);
	test_device_release (&device, 2);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_SET_MEM_TABLE, NULL), ACK);
	CU_ASSERT_EQUAL (device.stops, 1);
}

static void
a_disconnect_of_a_broken_ring (void)
{
	break_with_requests_in_flight ();
	rig_hang_up (&rig);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_FALSE (rig.ended);
	test_device_release (&device, 2);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (rig.ended);
}

static void
a_ring_breaks_without_anybody_to_tell (void)
{
	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_ERR, NO_FD, -1), ACK);
	driver_set_avail (&rig.drivers[0], 1000);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.broken, 1);
	CU_ASSERT_EQUAL (driver_signals (rig.drivers[0].err), 0);
	CU_ASSERT_TRUE (rig_alive (&rig));
}

struct CU_TestInfo state_cases[] = {
	CASE (get_vring_base_waits_for_requests_in_flight),
	CASE (get_vring_base_asks_the_device_to_drain),
	CASE (messages_behind_one_that_waits_wait_too),
	CASE (disabling_waits_for_requests_in_flight),
	CASE (another_ring_works_while_one_drains),
	CASE (a_guest_reboots),
	CASE (a_ring_goes_on_where_it_stopped),
	CASE (the_base_of_a_ring_that_never_ran),
	CASE (without_bit_30_all_rings_are_enabled),
	CASE (with_bit_30_no_ring_is_enabled_by_itself),
	CASE (reset_device_forgets_the_rings),
	CASE (reset_device_waits_for_requests_in_flight),
	CASE (reset_owner_disables_the_rings_and_no_more),
	CASE (a_ring_that_the_device_refuses),
	CASE (a_ring_without_a_kick_is_polled),
	CASE (a_call_that_was_replaced_is_not_signalled),
	CASE (a_disconnect_waits_for_requests_in_flight),
	CASE (a_disconnect_while_a_message_waits),
	CASE (a_broken_ring_waits_for_requests_in_flight),
	CASE (memory_goes_under_a_broken_ring),
	CASE (a_disconnect_of_a_broken_ring),
	CASE (a_ring_breaks_without_anybody_to_tell),
	CASE (the_next_connection_begins_with_nothing),
	CU_TEST_INFO_NULL,
};
