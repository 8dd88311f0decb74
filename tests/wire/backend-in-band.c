/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Notifications that are messages: kicks on the connection, calls and errors on the channel, and what comes first when there are eventfds as well.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "backend-rig.h"
#include "full-device.h"
#include "tests/suite.h"

#define PROTOCOL_IN_BAND (1u << 14)

#define BE_VRING_CALL 4
#define BE_VRING_ERR 5

static struct full_device device;
static struct rig rig;
static int channel;	/* the front-end's end */

/* Ring 0 is complete and enabled, and has no eventfd at all. */
static void
begin (void)
{
	full_device_init (&device);
	rig_open (&rig, &device.base, 0);
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL | PROTOCOL_IN_BAND), ACK);
	CU_ASSERT_TRUE_FATAL (rig_give_channel (&rig, &channel));
	CU_ASSERT_TRUE (rig_give_memory (&rig));
	CU_ASSERT_TRUE (rig_place_ring (&rig, 0, 64, 0));
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENABLE, 0, 1), ACK);
}

static void
end (void)
{
	close (channel);
	rig_close (&rig);
}

/* The next request on the channel is this one about ring `index`? */
static bool
heard (uint32_t request, uint32_t index)
{
	uint32_t got[5], wanted[5] = { request, 9, 8, index, 0 };

	rig_pump (&rig);
	return bytes_receive (channel, got, sizeof (got), NULL, NULL) == sizeof (got) && memcmp (got, wanted, sizeof (got)) == 0;
}

static bool
silent (void)
{
	uint8_t byte;

	rig_pump (&rig);
	return bytes_receive (channel, &byte, 1, NULL, NULL) == -EAGAIN;
}

static void
answer (uint32_t request, uint64_t value)
{
	struct {
		uint32_t header[3];
		uint32_t value[2];
	} reply = { { request, 5, 8 }, { (uint32_t) value, (uint32_t) (value >> 32) } };

	bytes_send (channel, &reply, sizeof (reply), NULL, 0);
	rig_pump (&rig);
}

static void
kicks_and_calls_are_messages (void)
{
	struct driver *d = &rig.drivers[0];

	begin ();
	driver_request (d, 0);
	CU_ASSERT_TRUE (silent ());
	CU_ASSERT_EQUAL (device.base.served, 0);
	/* The first one starts the ring; its acknowledgement says that the device has had its turn. */
	rig_send (&rig, FE_VRING_KICK, FLAG_VERSION | FLAG_NEED_REPLY, "\0\0\0\0\0\0\0\0", 8, NULL, 0);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_VRING_KICK, NULL), ACK);
	CU_ASSERT_EQUAL (device.base.served, 1);
	CU_ASSERT_TRUE (driver_served (d, 0));
	CU_ASSERT_TRUE (heard (BE_VRING_CALL, 0));
	answer (BE_VRING_CALL, 0);
	for (unsigned i = 1; i < 5; i++) {
		driver_request (d, i);
		/* Nobody polls this ring. */
		CU_ASSERT_TRUE (silent ());
		CU_ASSERT_EQUAL (device.base.served, i);
		CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_VRING_KICK, 0, 0), ACK);
		CU_ASSERT_TRUE (driver_served (d, i));
		CU_ASSERT_TRUE (heard (BE_VRING_CALL, 0));
		answer (BE_VRING_CALL, 0);
	}
	CU_ASSERT_TRUE (silent ());
	end ();
}

static void
calls_that_nobody_answers_become_one (void)
{
	struct driver *d = &rig.drivers[0];

	begin ();
	for (unsigned i = 0; i < 8; i++) {
		driver_request (d, i);
		CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_VRING_KICK, 0, 0), ACK);
		CU_ASSERT_TRUE (driver_served (d, i));
	}
	CU_ASSERT_TRUE (heard (BE_VRING_CALL, 0));
	CU_ASSERT_TRUE (silent ());
	answer (BE_VRING_CALL, 0);
	CU_ASSERT_TRUE (heard (BE_VRING_CALL, 0));
	answer (BE_VRING_CALL, 1);	/* the front-end may refuse, and that is its loss */
	CU_ASSERT_TRUE (silent ());
	CU_ASSERT_TRUE (rig_alive (&rig));
	end ();
}

static void
eventfds_are_preferred (void)
{
	struct driver *d = &rig.drivers[0];

	begin ();
	CU_ASSERT_TRUE (rig_start_ring (&rig, 0));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (driver_signals (d->call), 1);
	CU_ASSERT_TRUE (silent ());
	/* A message is a kick all the same. */
	driver_request (d, 1);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_VRING_KICK, 0, 0), ACK);
	CU_ASSERT_TRUE (driver_served (d, 1));
	CU_ASSERT_EQUAL (driver_signals (d->call), 1);
	CU_ASSERT_TRUE (silent ());
	end ();
}

static void
polling_can_be_asked_for (void)
{
	struct driver *d = &rig.drivers[0];

	begin ();
	/* The back-end polls the ring, and the front-end does. */
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_CALL, NO_FD, -1), ACK);
	rig_send (&rig, FE_SET_VRING_KICK, FLAG_VERSION, "\0\1\0\0\0\0\0\0", 8, NULL, 0);
	driver_request (d, 0);
	for (unsigned i = 0; i < 100 && driver_pending (d) == 0; i++)
		vh_loop_dispatch (rig.loop, 0);
	CU_ASSERT_TRUE (driver_served (d, 0));
	CU_ASSERT_EQUAL (bytes_receive (channel, &(uint8_t){ 0 }, 1, NULL, NULL), -EAGAIN);
	end ();
}

static void
errors_are_messages (void)
{
	struct driver *d = &rig.drivers[0];

	begin ();
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_VRING_KICK, 0, 0), ACK);
	driver_set_avail (d, 1000);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_VRING_KICK, 0, 0), ACK);
	CU_ASSERT_TRUE (heard (BE_VRING_ERR, 0));
	answer (BE_VRING_ERR, 0);
	CU_ASSERT_TRUE (silent ());
	end ();
}

static void
an_error_of_a_ring_outside_memory (void)
{
	struct piece half = rig_whole ();

	begin ();
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_VRING_KICK, 0, 0), ACK);
	half.guest += GUEST_SIZE / 2;
	half.user += GUEST_SIZE / 2;
	half.offset = half.size = GUEST_SIZE / 2;
	CU_ASSERT_EQUAL (rig_tell_table (&rig, &half, 1, &rig.guest.fd, 1), ACK);
	CU_ASSERT_TRUE (heard (BE_VRING_ERR, 0));
	end ();
}

static void
kicks_that_are_wrong (void)
{
	begin ();
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_VRING_KICK, 0, 1), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_VRING_KICK, DEVICE_RINGS, 0), REFUSAL);
	/* Of a ring that is nothing yet: it starts, and has nothing to do. */
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_VRING_KICK, 1, 0), ACK);
	CU_ASSERT_TRUE (rig_alive (&rig));
	CU_ASSERT_TRUE (silent ());
	end ();
}

static void
a_ring_that_stops_and_starts_again (void)
{
	struct driver *d = &rig.drivers[0];
	uint32_t base = 0;

	begin ();
	driver_request (d, 0);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_VRING_KICK, 0, 0), ACK);
	CU_ASSERT_TRUE (driver_served (d, 0));
	CU_ASSERT_TRUE (heard (BE_VRING_CALL, 0));
	answer (BE_VRING_CALL, 0);
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base));
	CU_ASSERT_EQUAL (base, 1);
	driver_request (d, 1);
	CU_ASSERT_TRUE (silent ());
	CU_ASSERT_EQUAL (device.base.served, 1);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_VRING_KICK, 0, 0), ACK);
	CU_ASSERT_TRUE (driver_served (d, 1));
	CU_ASSERT_TRUE (heard (BE_VRING_CALL, 0));
	end ();
}

/* Without a channel to call by, or acknowledgements to wait for, in-band notifications are against the protocol, and there is one way to say so. */
static void
in_band_needs_its_company (void)
{
	static const uint32_t lacking[] = { PROTOCOL_ALL & ~PROTOCOL_REPLY_ACK, PROTOCOL_ALL & ~PROTOCOL_BACKEND_REQ };

	for (unsigned i = 0; i < 2; i++) {
		full_device_init (&device);
		rig_open (&rig, &device.base, 0);
		CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, lacking[i] | PROTOCOL_IN_BAND), CLOSED);
		CU_ASSERT_TRUE (rig.ended);
		rig_close (&rig);
	}
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "VRING_KICK, VRING_CALL", kicks_and_calls_are_messages },
		{ "calls that nobody answers become one", calls_that_nobody_answers_become_one },
		{ "eventfds are preferred", eventfds_are_preferred },
		{ "polling can be asked for", polling_can_be_asked_for },
		{ "VRING_ERR", errors_are_messages },
		{ "VRING_ERR, of a ring outside memory", an_error_of_a_ring_outside_memory },
		{ "kicks that are wrong", kicks_that_are_wrong },
		{ "a ring that stops and starts again", a_ring_that_stops_and_starts_again },
		{ "in-band notifications need their company", in_band_needs_its_company },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("in-band notifications", tests);
}
