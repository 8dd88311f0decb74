/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's state as a stream: saved, loaded, cut off on the way, and asked after; byte for byte.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend-hex.h"
#include "full-device.h"
#include "tests/suite.h"

#define SAVE "2a000000 01000000 08000000 00000000 00000000"
#define LOAD "2a000000 01000000 08000000 01000000 00000000"
#define BEGUN "2a000000 05000000 08000000 00010000 00000000"
#define NOT_BEGUN "2a000000 05000000 08000000 01010000 00000000"
#define CHECK "2b000000 01000000 00000000"
#define WELL "2b000000 05000000 08000000 00000000 00000000"
#define FAILED "2b000000 05000000 08000000 01000000 00000000"

#define STATE_SIZE 250001

static struct full_device device;
static uint8_t bytes[300000];

static uint8_t
byte_at (size_t i)
{
	return (uint8_t) (i * 7 + i / 251);
}

static void
begin (void)
{
	full_device_init (&device);
	device.state_size = STATE_SIZE;
	for (size_t i = 0; i < STATE_SIZE; i++)
		device.state[i] = byte_at (i);
	hex_open (&device.base.device, NULL);
	CU_ASSERT_TRUE_FATAL (exchange_hex ("10000000 01000000 08000000 08000800 00000000", -1, ""));
}

static bool
is_state (const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != byte_at (i))
			return false;
	return true;
}

/* A pipe or a socket: [0] is read, [1] is written; none blocks on our side. */
static void
make_stream (int ends[2], bool sockets)
{
	CU_ASSERT_EQUAL_FATAL (sockets ? socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) : pipe2 (ends, O_CLOEXEC), 0);
}

/* Reads what the back-end writes until it has closed its end. */
static size_t
read_all (int fd)
{
	size_t got = 0;

	fcntl (fd, F_SETFL, O_NONBLOCK);
	for (;;) {
		ssize_t n = read (fd, bytes + got, sizeof (bytes) - got);

		if (n > 0)
			got += (size_t) n;
		else if (n == 0)
			return got;
		hex_run ();
	}
}

/* Writes n bytes of a state. */
static void
write_all (int fd, size_t n)
{
	fcntl (fd, F_SETFL, O_NONBLOCK);
	for (size_t i = 0; i < n; i++)
		bytes[i] = byte_at (i + 1);
	for (size_t put = 0; put < n;) {
		ssize_t part = write (fd, bytes + put, n - put < 1000 ? n - put : 1000);

		if (part > 0)
			put += (size_t) part;
		hex_run ();
	}
}

static void
save (bool sockets)
{
	int ends[2];

	begin ();
	make_stream (ends, sockets);
	CU_ASSERT_TRUE (exchange_hex (SAVE, ends[1], BEGUN));
	CU_ASSERT_EQUAL (hex_fds, 0);
	close (ends[1]);
	/* The connection is served while nobody reads the state. */
	CU_ASSERT_TRUE (exchange_hex ("0b000000 01000000 08000000 03000000 00000000", -1, "0b000000 05000000 08000000 03000000 00000000"));
	CU_ASSERT_EQUAL (read_all (ends[0]), STATE_SIZE);
	CU_ASSERT_TRUE (is_state (bytes, STATE_SIZE));
	CU_ASSERT_TRUE (exchange_hex (CHECK, -1, WELL));
	close (ends[0]);
	hex_close ();
}

static void
a_state_is_saved (void)
{
	save (false);
	save (true);
}

static void
load (bool sockets)
{
	int ends[2];

	begin ();
	make_stream (ends, sockets);
	CU_ASSERT_TRUE (exchange_hex (LOAD, ends[0], BEGUN));
	close (ends[0]);
	write_all (ends[1], 123456);
	/* The answer waits for the end of the stream. */
	CU_ASSERT_TRUE (exchange_hex (CHECK, -1, ""));
	CU_ASSERT_EQUAL (device.loads, 0);
	CU_ASSERT_TRUE (is_state (device.state, STATE_SIZE));
	close (ends[1]);
	hex_run ();
	CU_ASSERT_TRUE (hex_expect (far_end, WELL));
	CU_ASSERT_EQUAL (device.loads, 1);
	CU_ASSERT_EQUAL (device.state_size, 123456);
	CU_ASSERT_EQUAL (memcmp (device.state, bytes, 123456), 0);
	/* Asked again, it says the same; the connection goes on. */
	CU_ASSERT_TRUE (exchange_hex (CHECK, -1, WELL));
	CU_ASSERT_EQUAL (result, 1);
	hex_close ();
}

static void
a_state_is_loaded (void)
{
	load (false);
	load (true);
}

static void
an_empty_state (void)
{
	int ends[2];

	begin ();
	device.state_size = 0;
	make_stream (ends, false);
	CU_ASSERT_TRUE (exchange_hex (SAVE, ends[1], BEGUN));
	close (ends[1]);
	CU_ASSERT_EQUAL (read_all (ends[0]), 0);
	CU_ASSERT_TRUE (exchange_hex (CHECK, -1, WELL));
	close (ends[0]);
	make_stream (ends, false);
	CU_ASSERT_TRUE (exchange_hex (LOAD, ends[0], BEGUN));
	close (ends[0]);
	close (ends[1]);
	CU_ASSERT_TRUE (exchange_hex (CHECK, -1, WELL));
	CU_ASSERT_EQUAL (device.loads, 1);
	hex_close ();
}

/* --- on the way --- */

static void
nobody_reads_any_more (void)
{
	for (unsigned sockets = 0; sockets < 2; sockets++) {
		int ends[2];

		begin ();
		make_stream (ends, sockets);
		CU_ASSERT_TRUE (exchange_hex (SAVE, ends[1], BEGUN));
		close (ends[1]);
		CU_ASSERT_EQUAL (read (ends[0], bytes, 1000), 1000);
		/* No signal comes of it, and the device is as it was. */
		close (ends[0]);
		hex_run ();
		CU_ASSERT_TRUE (exchange_hex (CHECK, -1, FAILED));
		CU_ASSERT_EQUAL (result, 1);
		make_stream (ends, sockets);
		CU_ASSERT_TRUE (exchange_hex (SAVE, ends[1], BEGUN));
		close (ends[1]);
		CU_ASSERT_EQUAL (read_all (ends[0]), STATE_SIZE);
		CU_ASSERT_TRUE (exchange_hex (CHECK, -1, WELL));
		close (ends[0]);
		hex_close ();
	}
}

static void
a_device_that_refuses (void)
{
	int ends[2];

	begin ();
	device.answer = -EIO;
	make_stream (ends, false);
	CU_ASSERT_TRUE (exchange_hex (SAVE, ends[1], BEGUN));
	close (ends[1]);
	CU_ASSERT_EQUAL (read_all (ends[0]), 0);
	CU_ASSERT_TRUE (exchange_hex (CHECK, -1, FAILED));
	close (ends[0]);
	make_stream (ends, false);
	CU_ASSERT_TRUE (exchange_hex (LOAD, ends[0], BEGUN));
	close (ends[0]);
	write_all (ends[1], 1000);
	close (ends[1]);
	CU_ASSERT_TRUE (exchange_hex (CHECK, -1, FAILED));
	CU_ASSERT_EQUAL (device.loads, 0);
	CU_ASSERT_TRUE (is_state (device.state, STATE_SIZE));
	CU_ASSERT_EQUAL (result, 1);
	hex_close ();
}

static void
a_new_transfer_ends_the_old_one (void)
{
	int one[2], two[2];

	begin ();
	make_stream (one, false);
	make_stream (two, false);
	CU_ASSERT_TRUE (exchange_hex (LOAD, one[0], BEGUN));
	close (one[0]);
	write_all (one[1], 5000);
	CU_ASSERT_TRUE (exchange_hex (SAVE, two[1], BEGUN));
	close (two[1]);
	CU_ASSERT_EQUAL (read_all (two[0]), STATE_SIZE);
	CU_ASSERT_TRUE (is_state (bytes, STATE_SIZE));
	CU_ASSERT_TRUE (exchange_hex (CHECK, -1, WELL));
	CU_ASSERT_EQUAL (device.loads, 0);
	close (one[1]);
	close (two[0]);
	hex_close ();
}

static void
a_ring_that_starts_ends_it (void)
{
	int ends[2];

	begin ();
	make_stream (ends, false);
	CU_ASSERT_TRUE (exchange_hex (SAVE, ends[1], BEGUN));
	close (ends[1]);
	CU_ASSERT_TRUE (exchange_hex ("0c000000 01000000 08000000 00010000 00000000", -1, ""));
	CU_ASSERT_TRUE (read_all (ends[0]) < STATE_SIZE);
	CU_ASSERT_TRUE (exchange_hex (CHECK, -1, FAILED));
	close (ends[0]);
	/* And none begins. */
	make_stream (ends, false);
	CU_ASSERT_TRUE (exchange_hex (SAVE, ends[1], NOT_BEGUN));
	close (ends[0]);
	close (ends[1]);
	hex_close ();
}

static void
a_front_end_that_leaves_while_it_waits (void)
{
	int ends[2];

	begin ();
	make_stream (ends, false);
	CU_ASSERT_TRUE (exchange_hex (LOAD, ends[0], BEGUN));
	close (ends[0]);
	CU_ASSERT_TRUE (exchange_hex (CHECK, -1, ""));
	shutdown (far_end, SHUT_RDWR);
	hex_run ();
	CU_ASSERT_TRUE (result <= 0);
	CU_ASSERT_EQUAL (device.base.departures, 1);
	close (ends[1]);
	hex_close ();
}

static void
a_back_end_that_leaves_meanwhile (void)
{
	for (unsigned check = 0; check < 2; check++) {
		int ends[2];

		begin ();
		make_stream (ends, false);
		CU_ASSERT_TRUE (exchange_hex (LOAD, ends[0], BEGUN));
		close (ends[0]);
		if (check)
			CU_ASSERT_TRUE (exchange_hex (CHECK, -1, ""));
		vh_backend_close (backend);
		hex_run ();
		CU_ASSERT_EQUAL (result, 0);
		CU_ASSERT_EQUAL (device.base.departures, 1);
		close (ends[1]);
		hex_close ();
	}
}

/* --- refusals --- */

static void
streams_that_are_none (void)
{
	int ends[2], file = memfd_create ("state", MFD_CLOEXEC);

	begin ();
	make_stream (ends, false);
	CU_ASSERT_TRUE (exchange_hex (CHECK, -1, FAILED));	/* nothing has begun */
	CU_ASSERT_TRUE (exchange_hex ("2a000000 01000000 08000000 02000000 00000000", ends[1], NOT_BEGUN));
	CU_ASSERT_TRUE (exchange_hex ("2a000000 09000000 08000000 00000000 01000000", ends[1], NOT_BEGUN));
	CU_ASSERT_TRUE (exchange_hex (SAVE, ends[0], NOT_BEGUN));	/* the wrong end */
	CU_ASSERT_TRUE (exchange_hex (LOAD, ends[1], NOT_BEGUN));
	CU_ASSERT_TRUE (exchange_hex (SAVE, file, NOT_BEGUN));
	CU_ASSERT_TRUE (exchange_hex (SAVE, -1, NOT_BEGUN));
	CU_ASSERT_TRUE (exchange_hex ("2a000000 01000000 04000000 00000000", ends[1], NOT_BEGUN));
	CU_ASSERT_EQUAL (device.save_calls, 0);
	close (ends[0]);
	/* Nobody can ever read it. */
	CU_ASSERT_TRUE (exchange_hex (SAVE, ends[1], BEGUN));
	CU_ASSERT_TRUE (exchange_hex (CHECK, -1, FAILED));
	close (ends[1]);
	close (file);
	CU_ASSERT_EQUAL (result, 1);
	hex_close ();
}

static void
fds_are_where_they_were (void)
{
	int before = suite_open_fds ();

	a_state_is_saved ();
	a_state_is_loaded ();
	nobody_reads_any_more ();
	a_new_transfer_ends_the_old_one ();
	a_front_end_that_leaves_while_it_waits ();
	a_back_end_that_leaves_meanwhile ();
	CU_ASSERT_EQUAL (suite_open_fds (), before);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "SET_DEVICE_STATE_FD, save", a_state_is_saved },
		{ "SET_DEVICE_STATE_FD, load; CHECK_DEVICE_STATE", a_state_is_loaded },
		{ "an empty state", an_empty_state },
		{ "nobody reads any more", nobody_reads_any_more },
		{ "a device that refuses", a_device_that_refuses },
		{ "a new transfer ends the old one", a_new_transfer_ends_the_old_one },
		{ "a ring that starts ends it", a_ring_that_starts_ends_it },
		{ "a front-end that leaves while it waits", a_front_end_that_leaves_while_it_waits },
		{ "a back-end that leaves meanwhile", a_back_end_that_leaves_meanwhile },
		{ "streams that are none", streams_that_are_none },
		{ "fds are where they were", fds_are_where_they_were },
		CU_TEST_INFO_NULL,
	};

	if (htole16 (1) != 1)
		return 77;	/* the bytes are written down for little-endian hosts */
	return suite_run ("the device's state", tests);
}
