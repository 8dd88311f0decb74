/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the back-end answers, byte for byte: each message that it serves, with and without NEED_REPLY, with and without REPLY_ACK, and refused.  The
 * connection has a loop of its own, so this is also the use of vh_backend_fd and vh_backend_dispatch.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CUnit/CUnit.h>

#include "backend-device.h"
#include "backend-driver.h"
#include "backend-hex.h"
#include "tests/suite.h"

static struct test_device device;
static struct guest guest;
static struct driver driver;

/* --- the connection --- */

static void
open_connection (void)
{
	test_device_init (&device);
	guest_open (&guest);
	driver_open (&driver, &guest, 0, 64);
	hex_open (&device.device, NULL);
}

static void
close_connection (void)
{
	hex_close ();
	driver_close (&driver);
	guest_close (&guest);
}

/* --- a whole session, message by message --- */

enum attached { NO_FD, GUEST, KICK, CALL, ERR, CHANNEL };

/* Of a request with an acknowledgement: its id, and what follows the flags. */
struct step {
	const char *id, *rest;
	enum attached fd;
	const char *name;
};

static const struct step set_up[] = {
	{ "03000000", "00000000", NO_FD, "SET_OWNER" },
	{ "02000000", "08000000 00000040 01000000", NO_FD, "SET_FEATURES" },
	{ "05000000", "28000000 01000000 00000000 00000040 00000000 00001000 00000000 00000000 127f0000 00000000 00000000", GUEST, "SET_MEM_TABLE" },
	{ "26000000", "28000000 00000000 00000000 00000040 00000000 00001000 00000000 00000000 127f0000 00000000 00000000", NO_FD, "REM_MEM_REG" },
	{ "25000000", "28000000 00000000 00000000 00000040 00000000 00001000 00000000 00000000 127f0000 00000000 00000000", GUEST, "ADD_MEM_REG" },
	{ "08000000", "08000000 00000000 40000000", NO_FD, "SET_VRING_NUM" },
	{ "0a000000", "08000000 00000000 00000000", NO_FD, "SET_VRING_BASE" },
	{ "09000000", "28000000 00000000 00000000 00000000 127f0000 00140000 127f0000 00100000 127f0000 00000000 00000000", NO_FD, "SET_VRING_ADDR" },
	{ "0d000000", "08000000 00000000 00000000", CALL, "SET_VRING_CALL" },
	{ "0e000000", "08000000 00000000 00000000", ERR, "SET_VRING_ERR" },
	{ "0c000000", "08000000 00000000 00000000", KICK, "SET_VRING_KICK" },
	{ "12000000", "08000000 00000000 01000000", NO_FD, "SET_VRING_ENABLE" },
	{ "19000000", "0d000000 08000000 01000000 00000000 5a", NO_FD, "SET_CONFIG" },
	{ "15000000", "00000000", CHANNEL, "SET_BACKEND_REQ_FD" },
	{ "0d000000", "08000000 00010000 00000000", NO_FD, "SET_VRING_CALL without fd" },
	{ "0e000000", "08000000 00010000 00000000", NO_FD, "SET_VRING_ERR without fd" },
};

static const struct step set_down[] = {
	{ "04000000", "00000000", NO_FD, "RESET_OWNER" },
	{ "22000000", "00000000", NO_FD, "RESET_DEVICE" },
};

#define N(array) (sizeof (array) / sizeof (array[0]))

static int
attached (enum attached which, int channel)
{
	switch (which) {
	case GUEST:
		return guest.fd;
	case KICK:
		return driver.kick;
	case CALL:
		return driver.call;
	case ERR:
		return driver.err;
	case CHANNEL:
		return channel;
	default:
		return -1;
	}
}

/* Plays the steps with these flags; each is answered with an acknowledgement, or not at all. */
static void
play (const struct step *steps, size_t n, const char *flags, bool acknowledged)
{
	int pair[2];

	CU_ASSERT_EQUAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	for (size_t i = 0; i < n; i++) {
		char request[512], reply[64];

		snprintf (request, sizeof (request), "%s %s %s", steps[i].id, flags, steps[i].rest);
		snprintf (reply, sizeof (reply), "%s 05000000 08000000 00000000 00000000", steps[i].id);
		if (!exchange_hex (request, attached (steps[i].fd, pair[1]), acknowledged ? reply : "")) {
			printf ("      %s\n", steps[i].name);
			CU_FAIL ("not the bytes that were expected");
		}
	}
	close (pair[0]);
	close (pair[1]);
}

static void
serve (unsigned n)
{
	driver_ask (&driver, n);
	hex_run ();
	CU_ASSERT_TRUE (driver_served (&driver, n));
}

/* protocol: SET_PROTOCOL_FEATURES as it is sent; answer: what comes back. */
static void
session (const char *protocol, const char *answer, const char *flags, bool acknowledged)
{
	open_connection ();
	CU_ASSERT_TRUE (exchange_hex (protocol, -1, answer));
	play (set_up, N (set_up), flags, acknowledged);
	CU_ASSERT_EQUAL (device.config[DEVICE_WRITABLE], 0x5a);
	serve (0);
	serve (1);
	/* GET_VRING_BASE is answered in any case. */
	CU_ASSERT_TRUE (exchange_hex ("0b000000 01000000 08000000 00000000 00000000", -1, "0b000000 05000000 08000000 00000000 02000000"));
	play (set_down, N (set_down), flags, acknowledged);
	CU_ASSERT_EQUAL (device.resets, 1);
	CU_ASSERT_EQUAL (result, 1);
	close_connection ();
}

static void
session_without_need_reply (void)
{
	session ("10000000 01000000 08000000 29a20000 00000000", "", "01000000", false);
}

static void
session_with_need_reply_and_without_reply_ack (void)
{
	session ("10000000 09000000 08000000 21a20000 00000000", "", "09000000", false);
}

static void
session_with_need_reply_and_reply_ack (void)
{
	/* The message that brings the feature is acknowledged too. */
	session ("10000000 09000000 08000000 29a20000 00000000", "10000000 05000000 08000000 00000000 00000000", "09000000", true);
}

/* --- requests with an answer of their own: NEED_REPLY makes no difference --- */

static void
both_flags (const char *id, const char *rest, const char *reply)
{
	static const char *const flags[] = { "01000000", "09000000" };
	char request[256];

	for (unsigned i = 0; i < 2; i++) {
		snprintf (request, sizeof (request), "%s %s %s", id, flags[i], rest);
		CU_ASSERT_TRUE (exchange_hex (request, -1, reply));
	}
}

static void
requests_with_answers (void)
{
	open_connection ();
	/* LOG_ALL, INDIRECT_DESC, EVENT_IDX, VERSION_1, ACCESS_PLATFORM (which the device names), bit 30, and the device's 1 and 2. */
	both_flags ("01000000", "00000000", "01000000 05000000 08000000 06000074 03000000");
	/* MQ, LOG_SHMFD, REPLY_ACK, BACKEND_REQ, CONFIG, RESET_DEVICE, CONFIGURE_MEM_SLOTS; bits 16 to 23 hang on the memory model. */
	both_flags ("0f000000", "00000000", "0f000000 05000000 08000000 2ba2??00 00000000");
	CU_ASSERT_TRUE (exchange_hex ("10000000 01000000 08000000 29a20000 00000000", -1, ""));
	both_flags ("11000000", "00000000", "11000000 05000000 08000000 04000000 00000000");
	both_flags ("24000000", "00000000", "24000000 05000000 08000000 fd010000 00000000");
	both_flags ("18000000", "10000000 04000000 04000000 00000000 00000000", "18000000 05000000 10000000 04000000 04000000 00000000 44454647");
	both_flags ("0b000000", "08000000 03000000 00000000", "0b000000 05000000 08000000 03000000 00000000");
	CU_ASSERT_TRUE (exchange_hex ("0a000000 01000000 08000000 03000000 39300000", -1, ""));
	both_flags ("0b000000", "08000000 03000000 00000000", "0b000000 05000000 08000000 03000000 39300000");
	close_connection ();
}

static void
the_number_of_queues_can_be_another (void)
{
	open_connection ();
	device.device.queue_num = 2;	/* pairs */
	CU_ASSERT_TRUE (exchange_hex ("10000000 01000000 08000000 01000000 00000000", -1, ""));
	CU_ASSERT_TRUE (exchange_hex ("11000000 01000000 00000000", -1, "11000000 05000000 08000000 02000000 00000000"));
	close_connection ();
}

static void
get_config_says_failed_with_an_empty_answer (void)
{
	open_connection ();
	both_flags ("18000000", "10000000 00000000 04000000 00000000 00000000", "18000000 05000000 00000000");	/* not negotiated */
	CU_ASSERT_TRUE (exchange_hex ("10000000 01000000 08000000 29a20000 00000000", -1, ""));
	both_flags ("18000000", "10000000 3d000000 04000000 00000000 00000000", "18000000 05000000 00000000");
	close_connection ();
}

/* --- refusals --- */

/* Requests that are whole but wrong, in a session where nothing was said but the protocol features. */
static const struct step wrong[] = {
	{ "02000000", "08000000 00000080 00000000", NO_FD, "SET_FEATURES: bit 31" },
	{ "02000000", "04000000 00000000", NO_FD, "SET_FEATURES: too short" },
	{ "05000000", "28000000 01000000 00000000 00000040 00000000 00001000 00000000 00000000 127f0000 00000000 00000000", NO_FD, "SET_MEM_TABLE: no fd" },
	{ "05000000", "28000000 01000000 00000000 00000040 00000000 01001000 00000000 00000000 127f0000 00000000 00000000", GUEST,
	  "SET_MEM_TABLE: a byte too long" },
	{ "08000000", "08000000 00000000 03000000", NO_FD, "SET_VRING_NUM: 3" },
	{ "08000000", "08000000 04000000 40000000", NO_FD, "SET_VRING_NUM: no such ring" },
	{ "09000000", "28000000 00000000 00000000 01000000 127f0000 00140000 127f0000 00100000 127f0000 00000000 00000000", NO_FD,
	  "SET_VRING_ADDR: not aligned" },
	{ "0a000000", "08000000 00000000 00000100", NO_FD, "SET_VRING_BASE: 65536" },
	{ "0c000000", "08000000 00000000 00000000", NO_FD, "SET_VRING_KICK: no fd" },
	{ "0c000000", "08000000 00000000 00000000", GUEST, "SET_VRING_KICK: memory" },
	{ "0d000000", "08000000 04000000 00000000", CALL, "SET_VRING_CALL: no such ring" },
	{ "0e000000", "08000000 00010000 00000000", ERR, "SET_VRING_ERR: fd and none" },
	{ "10000000", "08000000 00000000 00000080", NO_FD, "SET_PROTOCOL_FEATURES: bit 63" },
	{ "12000000", "08000000 00000000 02000000", NO_FD, "SET_VRING_ENABLE: neither on nor off" },
	{ "15000000", "00000000", GUEST, "SET_BACKEND_REQ_FD: memory" },
	{ "17000000", "08000000 00000000 00000000", NO_FD, "SET_VRING_ENDIAN: not negotiated" },
	{ "19000000", "0d000000 00000000 01000000 00000000 00", NO_FD, "SET_CONFIG: read-only" },
	{ "25000000", "28000000 00000000 00000000 00000040 00000000 00001000 00000000 00000000 127f0000 00000000 00000000", KICK,
	  "ADD_MEM_REG: an eventfd" },
	{ "26000000", "28000000 00000000 00000000 00000040 00000000 00001000 00000000 00000000 127f0000 00000000 00000000", NO_FD,
	  "REM_MEM_REG: not there" },
	{ "2e000000", "00000000", NO_FD, "request 46" },
};

/* Sends a wrong message; is what comes back this? */
static bool
refused (const struct step *s, const char *flags, const char *reply)
{
	char request[512];

	snprintf (request, sizeof (request), "%s %s %s", s->id, flags, s->rest);
	if (exchange_hex (request, attached (s->fd, -1), reply))
		return true;
	printf ("      %s\n", s->name);
	return false;
}

static void
refusals_with_need_reply (void)
{
	char reply[64];

	open_connection ();
	CU_ASSERT_TRUE (exchange_hex ("10000000 01000000 08000000 29a20000 00000000", -1, ""));
	for (size_t i = 0; i < N (wrong); i++) {
		/* A number that is not 0: the errno, so the upper bytes are zeroes. */
		snprintf (reply, sizeof (reply), "%s 05000000 08000000 ??000000 00000000", wrong[i].id);
		CU_ASSERT_TRUE (refused (&wrong[i], "09000000", reply));
		CU_ASSERT_EQUAL (result, 1);
	}
	CU_ASSERT_STRING_EQUAL (vh_backend_error (backend), "");
	close_connection ();
}

static void
a_refusal_is_not_zero (void)
{
	open_connection ();
	CU_ASSERT_TRUE (exchange_hex ("10000000 01000000 08000000 29a20000 00000000", -1, ""));
	for (size_t i = 0; i < N (wrong); i++) {
		struct bytes b = { .n = 0 };
		uint8_t data[20];
		int fd = attached (wrong[i].fd, -1);

		bytes_hex (&b, wrong[i].id);
		bytes_hex (&b, "09000000");
		bytes_hex (&b, wrong[i].rest);
		bytes_send (far_end, b.data, b.n, &fd, fd >= 0);
		hex_run ();
		CU_ASSERT_EQUAL (bytes_receive (far_end, data, sizeof (data), NULL, NULL), 20);
		CU_ASSERT_NOT_EQUAL (data[12], 0);
	}
	close_connection ();
}

static void
refusals_without_need_reply_end_the_connection (void)
{
	for (size_t i = 0; i < N (wrong); i++) {
		open_connection ();
		CU_ASSERT_TRUE (exchange_hex ("10000000 01000000 08000000 29a20000 00000000", -1, ""));
		CU_ASSERT_TRUE (refused (&wrong[i], "01000000", ""));
		CU_ASSERT_TRUE (result < 0);
		CU_ASSERT_STRING_NOT_EQUAL (vh_backend_error (backend), "");
		CU_ASSERT_EQUAL (device.departures, 1);
		close_connection ();
	}
}

static void
refusals_without_reply_ack_end_the_connection (void)
{
	for (size_t i = 0; i < N (wrong); i++) {
		open_connection ();
		CU_ASSERT_TRUE (exchange_hex ("10000000 01000000 08000000 21a20000 00000000", -1, ""));
		CU_ASSERT_TRUE (refused (&wrong[i], "09000000", ""));
		CU_ASSERT_TRUE (result < 0);
		close_connection ();
	}
}

/* --- the end, as dispatch tells it --- */

static void
the_end_of_a_connection (void)
{
	open_connection ();
	CU_ASSERT_EQUAL (device.arrivals, 1);
	shutdown (far_end, SHUT_RDWR);
	hex_run ();
	CU_ASSERT_EQUAL (result, 0);
	CU_ASSERT_EQUAL (vh_backend_dispatch (backend, 0), 0);
	CU_ASSERT_STRING_EQUAL (vh_backend_error (backend), "");
	CU_ASSERT_EQUAL (device.departures, 1);
	close_connection ();
}

static void
fds_are_where_they_were (void)
{
	int before = suite_open_fds ();

	session_with_need_reply_and_reply_ack ();
	refusals_with_need_reply ();
	refusals_without_need_reply_end_the_connection ();
	CU_ASSERT_EQUAL (suite_open_fds (), before);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "a session without NEED_REPLY", session_without_need_reply },
		{ "a session with NEED_REPLY, without REPLY_ACK", session_with_need_reply_and_without_reply_ack },
		{ "a session with NEED_REPLY and REPLY_ACK", session_with_need_reply_and_reply_ack },
		{ "GET_FEATURES, GET_PROTOCOL_FEATURES, GET_QUEUE_NUM, GET_MAX_MEM_SLOTS, GET_CONFIG, GET_VRING_BASE", requests_with_answers },
		{ "the number of queues can be another than that of rings", the_number_of_queues_can_be_another },
		{ "GET_CONFIG says \"failed\" with an empty answer", get_config_says_failed_with_an_empty_answer },
		{ "refusals with NEED_REPLY", refusals_with_need_reply },
		{ "a refusal is not zero", a_refusal_is_not_zero },
		{ "refusals without NEED_REPLY end the connection", refusals_without_need_reply_end_the_connection },
		{ "refusals without REPLY_ACK end the connection", refusals_without_reply_ack_end_the_connection },
		{ "the end of a connection", the_end_of_a_connection },
		{ "fds are where they were", fds_are_where_they_were },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("what the back-end answers", tests);
}
