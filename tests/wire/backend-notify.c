/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the back-end tells the front-end by itself, over the channel of SET_BACKEND_REQ_FD.
 */
#include <errno.h>
#include <string.h>
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
	/* A device whose rings are all stopped says nothing, so one is started. */
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_KICK, NO_FD, -1), ACK);
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
	CU_ASSERT_TRUE_FATAL (rig_give_channel (&rig, &channel));
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
	CU_ASSERT_TRUE_FATAL (rig_give_channel (&rig, &channel));
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
	CU_ASSERT_TRUE_FATAL (rig_give_channel (&rig, &channel));
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
	CU_ASSERT_TRUE_FATAL (rig_give_channel (&rig, &channel));
	bytes_send (channel, config_change, sizeof (config_change), NULL, 0);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (bytes_receive (channel, &byte, 1, NULL, NULL), 0);
	CU_ASSERT_EQUAL (vh_backend_config_changed (rig.backend), -EOPNOTSUPP);
	CU_ASSERT_TRUE (rig_alive (&rig));
	close (channel);
	CU_ASSERT_TRUE_FATAL (rig_give_channel (&rig, &channel));
	CU_ASSERT_EQUAL (vh_backend_config_changed (rig.backend), 0);
	CU_ASSERT_EQUAL (changes (), 1);
	close (channel);
	rig_close (&rig);
}

static void
a_channel_that_is_gone_is_no_harm (void)
{
	begin ();
	CU_ASSERT_TRUE_FATAL (rig_give_channel (&rig, &channel));
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
	CU_ASSERT_TRUE_FATAL (rig_give_channel (&rig, &channel));
	rig_hang_up (&rig);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (rig.ended);
	CU_ASSERT_EQUAL (bytes_receive (channel, &byte, 1, NULL, NULL), 0);
	CU_ASSERT_EQUAL (vh_backend_config_changed (rig.backend), -ECONNRESET);
	close (channel);
	rig_close (&rig);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "CONFIG_CHANGE_MSG: a change is one message", a_change_is_one_message },
		{ "changes that nobody reads become few", changes_that_nobody_reads_become_few },
		{ "no channel, no message", no_channel_no_message },
		{ "a channel that speaks is closed, alone", a_channel_that_speaks_is_closed_alone },
		{ "a channel that is gone is no harm", a_channel_that_is_gone_is_no_harm },
		{ "the channel goes with the connection", the_channel_goes_with_the_connection },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("what the back-end says by itself", tests);
}
