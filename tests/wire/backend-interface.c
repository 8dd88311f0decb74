/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A connection as its user sees it: devices that are refused, counters, callbacks that end the connection, rings in another loop.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend-rig.h"
#include "tests/suite.h"

static struct test_device device;
static struct rig rig;

/* --- what is refused, offered, counted --- */

static int
new_connection (const struct vh_device *d)
{
	struct vh_backend *b = NULL;
	int pair[2], err;

	CU_ASSERT_EQUAL_FATAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	err = vh_backend_new (d, pair[1], NULL, &b);
	if (err < 0) {
		CU_ASSERT_PTR_NULL (b);
		/* The fd is still the caller's. */
		CU_ASSERT_EQUAL (close (pair[1]), 0);
	}
	vh_backend_free (b);
	close (pair[0]);
	return err;
}

#define WITH(field, value, expected) \
	do { \
		struct vh_device changed = device.device; \
		changed.field = (value); \
		CU_ASSERT_EQUAL (new_connection (&changed), (expected)); \
	} while (0)

static void
devices_that_are_wrong (void)
{
	struct vh_device_ops idle = { .size = sizeof (idle) };

	test_device_init (&device);
	CU_ASSERT_EQUAL (new_connection (&device.device), 0);
	WITH (size, 8, -EINVAL);
	WITH (ops, NULL, -EINVAL);
	WITH (ops, &idle, -EINVAL);
	WITH (rings, 0, -EINVAL);
	WITH (rings, VH_MAX_RINGS, 0);
	WITH (rings, VH_MAX_RINGS + 1, -EINVAL);
	WITH (queue_num, VH_MAX_RINGS + 1, -EINVAL);
	WITH (max_ring_size, 3, -EINVAL);
	WITH (max_ring_size, VH_MAX_RING_SIZE, 0);
	WITH (max_ring_size, VH_MAX_RING_SIZE * 2, -EINVAL);
	WITH (config_size, VH_MAX_CONFIG_SIZE + 1, -EINVAL);
	WITH (config, NULL, -EINVAL);
	WITH (name, NULL, 0);
}

static void
a_connection_that_cannot_be_watched (void)
{
	struct vh_backend *b = NULL;
	int before = suite_open_fds ();
	struct guest guest;

	test_device_init (&device);
	CU_ASSERT_EQUAL (vh_backend_new (&device.device, -1, NULL, &b), -EINVAL);
	guest_open (&guest);
	CU_ASSERT_EQUAL (vh_backend_new (&device.device, guest.fd, NULL, &b), -EPERM);
	CU_ASSERT_PTR_NULL (b);
	guest_close (&guest);
	CU_ASSERT_EQUAL (suite_open_fds (), before);
	vh_backend_free (NULL);
}

static void
counters (void)
{
	struct vh_ring_counters c;
	uint32_t base;

	test_device_init (&device);
	rig_open (&rig, &device, 0);
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_TRUE (rig_give_memory (&rig) && rig_place_ring (&rig, 1, 64, 0) && rig_start_ring (&rig, 1));
	for (unsigned n = 0; n < 5; n++)
		CU_ASSERT_TRUE (rig_serve (&rig, 1, n));
	CU_ASSERT_EQUAL (vh_backend_ring_counters (rig.backend, 1, &c), 0);
	CU_ASSERT_TRUE (c.requests == 5 && c.batches == 5 && c.kicks == 5 && c.calls == 5);
	/* A ring that is started again goes on counting. */
	CU_ASSERT_TRUE (rig_ask_base (&rig, 1, &base));
	CU_ASSERT_TRUE (rig_place_ring (&rig, 1, 64, 0) && rig_start_ring (&rig, 1) && rig_serve (&rig, 1, 0));
	CU_ASSERT_EQUAL (vh_backend_ring_counters (rig.backend, 1, &c), 0);
	CU_ASSERT_EQUAL (c.requests, 6);
	CU_ASSERT_EQUAL (vh_backend_ring_counters (rig.backend, 0, &c), 0);
	CU_ASSERT_EQUAL (c.requests, 0);
	CU_ASSERT_EQUAL (vh_backend_ring_counters (rig.backend, DEVICE_RINGS, &c), -EINVAL);
	rig_close (&rig);
}

static void
features_of_rings_are_the_librarys (void)
{
	uint64_t offered;

	/* Whatever a device claims of rings that the library cannot do is not offered. */
	test_device_init (&device);
	device.device.features = UINT64_MAX;
	device.device.protocol_features = UINT64_MAX;
	rig_open (&rig, &device, 0);
	CU_ASSERT_TRUE (rig_ask_u64 (&rig, FE_GET_FEATURES, &offered));
	for (unsigned bit = 28; bit < 42; bit++)
		if (bit != 30 && bit != 33)
			CU_ASSERT_EQUAL (offered >> bit & 1, vh_backend_supported_ring_features () >> bit & 1);
	CU_ASSERT_EQUAL (offered >> 26 & 1, 1);	/* LOG_ALL is the library's */
	CU_ASSERT_TRUE (rig_ask_u64 (&rig, FE_GET_PROTOCOL_FEATURES, &offered));
	/* What a device may ask for: CROSS_ENDIAN, BACKEND_SEND_FD, HOST_NOTIFIER, INBAND_NOTIFICATIONS, INFLIGHT_SHMFD and two, STATUS, SHARED_OBJECT. */
	CU_ASSERT_EQUAL (offered, vh_backend_supported_protocol_features () | 0x955c40);
	rig_close (&rig);
}

/* --- what a device may leave out, and do itself --- */

/* Gives everything back at once. */
static void
only_process (void *opaque, struct vh_ring *ring)
{
	struct vh_request *r;

	while (vh_ring_take (ring, &r, 1) > 0)
		vh_ring_give (ring, r, 0);
	vh_ring_flush (ring);
}

static void
a_device_of_one_callback (void)
{
	struct vh_device_ops only = { .size = sizeof (only), .ring_process = only_process };
	uint32_t base, id, len;

	test_device_init (&device);
	device.ops = only;
	device.device.max_ring_size = 0;	/* the library's: 1024 */
	rig_open (&rig, &device, 0);
	CU_ASSERT_TRUE (rig_negotiate (&rig) && rig_give_memory (&rig));
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 1, 1024), ACK);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 1, 2048), REFUSAL);
	CU_ASSERT_TRUE (rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0));
	driver_ask (&rig.drivers[0], 0);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (driver_used (&rig.drivers[0], &id, &len) && id == 0 && len == 0);
	CU_ASSERT_EQUAL (rig_tell_config (&rig, 0, 1, 1, "x"), REFUSAL);	/* it can only be read */
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_RESET_DEVICE), ACK);
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base) && base == 0);
	rig_close (&rig);
}

/* Knows the first half of its configuration only. */
static int
half_config (void *opaque, uint32_t offset, void *buf, uint32_t size)
{
	if (offset + size > DEVICE_CONFIG_SIZE / 2)
		return -EIO;
	memset (buf, 0x77, size);
	return 0;
}

static void
a_device_that_makes_its_configuration (void)
{
	struct reply reply;

	test_device_init (&device);
	device.ops.get_config = half_config;
	device.device.config = NULL;
	rig_open (&rig, &device, 0);
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	rig_send (&rig, FE_GET_CONFIG, FLAG_VERSION, "\4\0\0\0\2\0\0\0\0\0\0\0..", 14, NULL, 0);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_CONFIG, &reply), ANSWER);
	CU_ASSERT_TRUE (reply.size == 14 && reply.body[12] == 0x77 && reply.body[13] == 0x77);
	rig_send (&rig, FE_GET_CONFIG, FLAG_VERSION, "\37\0\0\0\2\0\0\0\0\0\0\0..", 14, NULL, 0);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_CONFIG, &reply), ANSWER);
	CU_ASSERT_EQUAL (reply.size, 0);
	rig_close (&rig);
}

/* --- callbacks that end the connection, and rings in another loop --- */

static void (*served_ring) (void *opaque, struct vh_ring *ring);

static void
close_and_process (void *opaque, struct vh_ring *ring)
{
	vh_backend_close (device.backend);
	vh_backend_close (device.backend);
	served_ring (opaque, ring);
}

static void
a_ring_callback_closes (void)
{
	test_device_init (&device);
	served_ring = device.ops.ring_process;
	device.ops.ring_process = close_and_process;
	rig_open (&rig, &device, 0);
	rig_ready (&rig, 64);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (rig.ended);
	CU_ASSERT_TRUE (device.starts == 1 && device.stops == 1 && device.departures == 1);
	CU_ASSERT_STRING_EQUAL (vh_backend_error (rig.backend), "");
	rig_close (&rig);
}

static int
close_and_refuse (void *opaque, uint32_t offset, const void *buf, uint32_t size, uint32_t flags)
{
	vh_backend_close (device.backend);
	return -EPERM;
}

static void
a_control_callback_closes (void)
{
	test_device_init (&device);
	device.ops.set_config = close_and_refuse;
	rig_open (&rig, &device, 0);
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	rig_tell_config (&rig, DEVICE_WRITABLE, 1, 0, "x");
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (rig.ended);
	rig_close (&rig);
}

static void
close_at_once (void *opaque, struct vh_backend *b)
{
	vh_backend_close (b);
}

static void
a_connection_is_closed_when_it_comes (void)
{
	test_device_init (&device);
	device.ops.connected = close_at_once;
	rig_open (&rig, &device, 0);
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_GET_FEATURES), CLOSED);
	CU_ASSERT_TRUE (rig.ended);
	CU_ASSERT_EQUAL (device.departures, 1);
	rig_close (&rig);
}

static unsigned ends;

static void
free_when_closed (void *opaque, struct vh_backend *b)
{
	ends++;
	vh_backend_free (b);
}

static void
run_loop (struct vh_loop *loop)
{
	for (unsigned i = 0; i < 1000 && vh_loop_dispatch (loop, 0) > 0; i++)
		continue;
}

/* SET_MEM_TABLE, SET_VRING_ADDR and SET_VRING_KICK of ring 0. */
static void
send_memory_and_addresses (void)
{
	struct driver *d = &rig.drivers[0];
	struct bytes b = { .n = 0 };
	uint64_t index = 0;

	bytes_u64 (&b, 1);
	bytes_u64 (&b, GUEST_ADDR);
	bytes_u64 (&b, GUEST_SIZE);
	bytes_u64 (&b, GUEST_USER);
	bytes_u64 (&b, 0);
	rig_send (&rig, FE_SET_MEM_TABLE, FLAG_VERSION, b.data, (uint32_t) b.n, &rig.guest.fd, 1);
	b.n = 0;
	bytes_u64 (&b, 0);
	bytes_u64 (&b, GUEST_USER + driver_desc_at (d));
	bytes_u64 (&b, GUEST_USER + driver_used_at (d));
	bytes_u64 (&b, GUEST_USER + driver_avail_at (d));
	bytes_u64 (&b, 0);
	rig_send (&rig, FE_SET_VRING_ADDR, FLAG_VERSION, b.data, (uint32_t) b.n, NULL, 0);
	rig_send (&rig, FE_SET_VRING_KICK, FLAG_VERSION, &index, 8, &d->kick, 1);
}

static void
rings_in_a_loop_of_their_own (void)
{
	struct vh_loop *control, *ring_loop;
	struct vh_backend_options o = { .size = sizeof (o), .closed = free_when_closed, .ring_loops = &ring_loop, .n_ring_loops = 1 };
	struct vh_backend *b;
	int pair[2];
	uint8_t byte;

	test_device_init (&device);
	CU_ASSERT_EQUAL_FATAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	CU_ASSERT_TRUE_FATAL (vh_loop_new (&control) == 0 && vh_loop_new (&ring_loop) == 0);
	o.loop = control;
	CU_ASSERT_EQUAL_FATAL (vh_backend_new (&device.device, pair[1], &o, &b), 0);
	rig_attach (&rig, &device, pair[0]);
	/* As the front-end of the rig waits for answers, everything is sent first. */
	for (unsigned step = 0; step < 4; step++) {
		static const uint64_t bodies[] = { BIT_VERSION_1 | BIT30, 0, UINT64_C (16) << 32, UINT64_C (1) << 32 };
		static const uint32_t requests[] = { FE_SET_FEATURES, FE_SET_VRING_BASE, FE_SET_VRING_NUM, FE_SET_VRING_ENABLE };

		rig_send (&rig, requests[step], FLAG_VERSION, &bodies[step], 8, NULL, 0);
	}
	driver_open (&rig.drivers[0], &rig.guest, 0, 16);
	send_memory_and_addresses ();
	run_loop (control);
	/* The message that starts the ring waits for the ring's loop. */
	CU_ASSERT_EQUAL (device.starts, 0);
	run_loop (ring_loop);
	run_loop (control);
	CU_ASSERT_EQUAL (device.starts, 1);
	driver_ask (&rig.drivers[0], 0);
	run_loop (control);
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 0);
	run_loop (ring_loop);
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 0));
	/* So does the end. */
	ends = 0;
	vh_backend_close (b);
	run_loop (control);
	CU_ASSERT_EQUAL (ends, 0);
	CU_ASSERT_EQUAL (bytes_receive (rig.socket, &byte, 1, NULL, NULL), -EAGAIN);
	run_loop (ring_loop);
	run_loop (control);
	CU_ASSERT_EQUAL (ends, 1);
	CU_ASSERT_EQUAL (bytes_receive (rig.socket, &byte, 1, NULL, NULL), 0);
	rig_close (&rig);
	vh_loop_free (ring_loop);
	vh_loop_free (control);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "devices that are wrong", devices_that_are_wrong },
		{ "a connection that cannot be watched", a_connection_that_cannot_be_watched },
		{ "counters", counters },
		{ "features of rings are the library's", features_of_rings_are_the_librarys },
		{ "a device of one callback", a_device_of_one_callback },
		{ "a device that makes its configuration", a_device_that_makes_its_configuration },
		{ "a ring callback closes", a_ring_callback_closes },
		{ "a control callback closes", a_control_callback_closes },
		{ "a connection is closed when it comes", a_connection_is_closed_when_it_comes },
		{ "rings in a loop of their own", rings_in_a_loop_of_their_own },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("connections", tests);
}
