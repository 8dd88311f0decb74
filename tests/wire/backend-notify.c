/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the back-end tells the front-end by itself, over the channel of SET_BACKEND_REQ_FD; and what the library's interface of a connection refuses.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend-rig.h"
#include "tests/suite.h"

static struct test_device device;
static struct rig rig;
static int channel;	/* the front-end's end */

static const uint8_t config_change[12] = { 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0 };

static void
begin (void)
{
	test_device_init (&device);
	rig_open (&rig, &device, 0);
	CU_ASSERT_TRUE (rig_negotiate (&rig));
}

static void
give_channel (void)
{
	int pair[2];

	CU_ASSERT_EQUAL_FATAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_BACKEND_REQ_FD, "", 0, &pair[1], 1), ACK);
	close (pair[1]);
	channel = pair[0];
}

/* Reads config-change messages until there is nothing more; returns how many, or -1 for anything else. */
static int
changes (void)
{
	uint8_t data[12];
	ssize_t n;
	int count = 0;

	while ((n = bytes_receive (channel, data, sizeof (data), NULL, NULL)) == sizeof (data)) {
		if (memcmp (data, config_change, sizeof (data)) != 0)
			return -1;
		count++;
		rig_pump (&rig);
	}
	return n == -EAGAIN ? count : -1;
}

static void
a_change_is_one_message (void)
{
	begin ();
	give_channel ();
	CU_ASSERT_EQUAL (vh_backend_config_changed (rig.backend), 0);
	CU_ASSERT_EQUAL (changes (), 1);
	CU_ASSERT_EQUAL (vh_backend_config_changed (rig.backend), 0);
	CU_ASSERT_EQUAL (vh_backend_config_changed (rig.backend), 0);
	CU_ASSERT_TRUE (changes () >= 1);
	close (channel);
	rig_close (&rig);
}

static void
changes_that_nobody_reads_become_few (void)
{
	int got;

	begin ();
	give_channel ();
	for (unsigned i = 0; i < 20000; i++)
		CU_ASSERT_EQUAL (vh_backend_config_changed (rig.backend), 0);
	CU_ASSERT_TRUE (rig_pump (&rig));
	got = changes ();
	CU_ASSERT_TRUE (got >= 1 && got < 20000);
	/* The channel works on. */
	CU_ASSERT_EQUAL (vh_backend_config_changed (rig.backend), 0);
	CU_ASSERT_EQUAL (changes (), 1);
	close (channel);
	rig_close (&rig);
}

static void
no_channel_no_message (void)
{
	begin ();
	CU_ASSERT_EQUAL (vh_backend_config_changed (rig.backend), -EOPNOTSUPP);
	give_channel ();
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL & ~PROTOCOL_CONFIG), ACK);
	CU_ASSERT_EQUAL (vh_backend_config_changed (rig.backend), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (changes (), 0);
	close (channel);
	rig_close (&rig);
}

static void
a_channel_that_speaks_is_closed_alone (void)
{
	uint8_t byte;

	begin ();
	give_channel ();
	bytes_send (channel, config_change, sizeof (config_change), NULL, 0);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (bytes_receive (channel, &byte, 1, NULL, NULL), 0);
	CU_ASSERT_EQUAL (vh_backend_config_changed (rig.backend), -EOPNOTSUPP);
	CU_ASSERT_TRUE (rig_alive (&rig));
	close (channel);
	give_channel ();
	CU_ASSERT_EQUAL (vh_backend_config_changed (rig.backend), 0);
	CU_ASSERT_EQUAL (changes (), 1);
	close (channel);
	rig_close (&rig);
}

static void
a_channel_that_is_gone_is_no_harm (void)
{
	begin ();
	give_channel ();
	close (channel);
	/* It is not known yet: the message meets a closed socket, and no signal. */
	CU_ASSERT_TRUE (vh_backend_config_changed (rig.backend) < 0);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (vh_backend_config_changed (rig.backend), -EOPNOTSUPP);
	CU_ASSERT_TRUE (rig_alive (&rig));
	rig_close (&rig);
}

static void
the_channel_goes_with_the_connection (void)
{
	uint8_t byte;

	begin ();
	give_channel ();
	rig_hang_up (&rig);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (rig.ended);
	CU_ASSERT_EQUAL (bytes_receive (channel, &byte, 1, NULL, NULL), 0);
	CU_ASSERT_EQUAL (vh_backend_config_changed (rig.backend), -ECONNRESET);
	close (channel);
	rig_close (&rig);
}

/* --- the interface --- */

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

	begin ();
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
		if (bit != 30)
			CU_ASSERT_EQUAL (offered >> bit & 1, vh_backend_supported_ring_features () >> bit & 1);
	CU_ASSERT_EQUAL (offered >> 26 & 1, 0);	/* LOG_ALL */
	CU_ASSERT_EQUAL (offered >> 33 & 3, 0);	/* ACCESS_PLATFORM, RING_PACKED */
	CU_ASSERT_TRUE (rig_ask_u64 (&rig, FE_GET_PROTOCOL_FEATURES, &offered));
	CU_ASSERT_EQUAL (offered, vh_backend_supported_protocol_features ());
	rig_close (&rig);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "a change is one message", a_change_is_one_message },
		{ "changes that nobody reads become few", changes_that_nobody_reads_become_few },
		{ "no channel, no message", no_channel_no_message },
		{ "a channel that speaks is closed, alone", a_channel_that_speaks_is_closed_alone },
		{ "a channel that is gone is no harm", a_channel_that_is_gone_is_no_harm },
		{ "the channel goes with the connection", the_channel_goes_with_the_connection },
		{ "devices that are wrong", devices_that_are_wrong },
		{ "a connection that cannot be watched", a_connection_that_cannot_be_watched },
		{ "counters", counters },
		{ "features of rings are the library's", features_of_rings_are_the_librarys },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("what the back-end says by itself", tests);
}
