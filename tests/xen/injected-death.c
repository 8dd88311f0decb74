/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest that dies under a whole back-end, on fake Xen libraries: busy or at rest, its rings stop, nothing stays mapped, and the connection says why it
 * ended.  Needs no Xen.
 */
#include <string.h>

#include "fake-calls.h"
#include "model.h"
#include "tests/suite.h"
#include "tests/wire/backend-rig.h"

#define DOMAIN 7u
#define RING_SIZE 8u
#define XEN_MMAP (1u << 17)	/* as a protocol feature */
#define GRANT 0x2u
#define NO_ADVANCE_MAP 0x100u
#define LARGE 0x8000u		/* more than is copied */

static struct test_device device;
static struct rig rig;

/* A description of memory in the extended layout: the guest's file, and all of its grants on demand. */
static enum outcome
tell_memory (void)
{
	static struct bytes b;
	int fds[2] = { rig.guest.fd, rig.guest.fd };

	b.n = 0;
	bytes_u32 (&b, 2);
	bytes_u32 (&b, 0);
	bytes_u64 (&b, GUEST_ADDR);
	bytes_u64 (&b, GUEST_SIZE);
	bytes_u64 (&b, GUEST_USER);
	bytes_u64 (&b, 0);
	bytes_u32 (&b, 0);
	bytes_u32 (&b, 0);
	bytes_u64 (&b, MODEL_GRANTS);
	bytes_u64 (&b, UINT64_C (1) << 40);
	bytes_u64 (&b, 0);
	bytes_u64 (&b, 0);
	bytes_u32 (&b, GRANT | NO_ADVANCE_MAP);
	bytes_u32 (&b, DOMAIN);
	return rig_tell (&rig, FE_SET_MEM_TABLE, b.data, (uint32_t) b.n, fds, 2);
}

static bool
negotiate (void)
{
	return rig_negotiate (&rig) && rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL | XEN_MMAP) == ACK;
}

static void
begin (void)
{
	fake_begin ();
	fake.domain = DOMAIN;
	model_begin ();
	test_device_init (&device);
	rig_open (&rig, &device, 0);
	CU_ASSERT_TRUE_FATAL (negotiate ());
}

static void
begin_ring (void)
{
	begin ();
	CU_ASSERT_EQUAL_FATAL (tell_memory (), ACK);
	CU_ASSERT_TRUE_FATAL (rig_place_ring (&rig, 0, RING_SIZE, 0) && rig_start_ring (&rig, 0));
	CU_ASSERT_TRUE_FATAL (rig_serve (&rig, 0, 0));
}

static void
end (void)
{
	rig_close (&rig);
	CU_ASSERT_TRUE (fake_end ());
	CU_ASSERT_TRUE (model_is_balanced ());
}

/* Has the connection ended for that reason? */
static bool
ended_by_death (void)
{
	return rig_wait_end (&rig) && strstr (vh_backend_error (rig.backend), "the guest is gone") &&
	       rig_receive (&rig, 0, NULL) == CLOSED && device.departures == 1;
}

/* A request for the device to fill granted memory with, made available. */
static void
offer_large_read (void)
{
	struct driver *d = &rig.drivers[0];

	driver_desc (d, 2, GUEST_ADDR + GUEST_BUFFERS, 16, DESC_NEXT, 3);
	driver_desc (d, 3, MODEL_GRANTS + 0x10000, LARGE, DESC_WRITE, 0);
	driver_offer (d, 2);
	driver_kick (d);
	rig_pump (&rig);
}

static void
a_connection_at_rest_ends (void)
{
	begin_ring ();
	fake.dying = true;
	CU_ASSERT_TRUE (ended_by_death ());
	CU_ASSERT_NOT_EQUAL (strstr (rig.log, "the guest is gone"), NULL);
	CU_ASSERT_EQUAL (device.stops, 1);
	end ();
}

/* The device has a request: it is waited for, what it wrote to is valid meanwhile, and nobody is told of it. */
static void
requests_in_flight_are_awaited (void)
{
	struct vh_memory_counters c;

	begin_ring ();
	device.hold = true;
	offer_large_read ();
	CU_ASSERT_EQUAL_FATAL (device.n_held, 1);
	CU_ASSERT_EQUAL (fake.live_maps, 1);
	fake.dying = true;
	for (unsigned i = 0; i < 1000 && device.drains == 0; i++)
		vh_loop_dispatch (rig.loop, 10);
	CU_ASSERT_EQUAL (device.drains, 1);
	CU_ASSERT_FALSE (rig.ended);
	CU_ASSERT_NOT_EQUAL (strstr (rig.log, "the guest is gone"), NULL);
	CU_ASSERT_EQUAL (test_device_release (&device, 1), 1);
	CU_ASSERT_TRUE (ended_by_death ());
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 0);
	CU_ASSERT_EQUAL (fake.live_maps, 0);
	vh_memory_get_counters (&c);
	CU_ASSERT_EQUAL (c.grants_live, 0);
	end ();
}

/* A ring that wants to map something finds out at once. */
static void
a_busy_ring_stops_before_that (void)
{
	begin_ring ();
	fake.dying = true;
	fake.fail_map = 1;
	fake.fail_errno = 22;	/* EINVAL: not granted */
	offer_large_read ();
	CU_ASSERT_EQUAL (driver_signals (rig.drivers[0].err), 1);
	CU_ASSERT_EQUAL (device.broken, 1);
	CU_ASSERT_NOT_EQUAL (strstr (rig.log, "guest memory was lost"), NULL);
	CU_ASSERT_TRUE (ended_by_death ());
	end ();
}

static void
a_guest_that_lives_is_left_alone (void)
{
	begin_ring ();
	fake.domain_calls = 0;
	for (unsigned i = 0; i < 1000 && fake.domain_calls < 3; i++)
		vh_loop_dispatch (rig.loop, 10);
	CU_ASSERT_EQUAL (fake.domain_calls, 3);
	CU_ASSERT_TRUE (rig_alive (&rig));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 1));
	end ();
}

/* Who may not ask who lives serves all the same. */
static void
without_privilege_nobody_is_taken_for_dead (void)
{
	begin ();
	fake.no_control = true;
	fake.dying = true;
	CU_ASSERT_EQUAL (tell_memory (), ACK);
	CU_ASSERT_EQUAL (fake.domain_calls, 0);
	CU_ASSERT_TRUE (rig_alive (&rig));
	end ();
}

static void
memory_of_the_dead_is_refused (void)
{
	begin ();
	fake.dying = true;
	CU_ASSERT_EQUAL (tell_memory (), REFUSAL);
	CU_ASSERT_NOT_EQUAL (strstr (rig.log, "the guest is gone"), NULL);
	CU_ASSERT_TRUE (rig_alive (&rig));
	end ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "a connection at rest ends", a_connection_at_rest_ends },
		{ "requests in flight are awaited", requests_in_flight_are_awaited },
		{ "a busy ring stops before that", a_busy_ring_stops_before_that },
		{ "a guest that lives is left alone", a_guest_that_lives_is_left_alone },
		{ "without privilege nobody is taken for dead", without_privilege_nobody_is_taken_for_dead },
		{ "memory of the dead is refused", memory_of_the_dead_is_refused },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("death on fake calls", tests);
}
