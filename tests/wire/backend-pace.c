/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hostile front-ends: messages that come in drops or in floods, are never finished, or whose answers are never read.
 */
#include "backend-hostile.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* One byte at a time, the fds with the first one. */
static enum outcome
dribble (uint32_t request, const struct bytes *body, const int *fds, unsigned n_fds)
{
	struct bytes b = { .n = 0 };

	bytes_header (&b, request, FLAG_VERSION | FLAG_NEED_REPLY, (uint32_t) body->n);
	bytes_append (&b, body->data, body->n);
	for (size_t i = 0; i < b.n; i++) {
		bytes_send (rig.socket, b.data + i, 1, fds, i == 0 ? n_fds : 0);
		rig_pump (&rig);
	}
	return rig_receive (&rig, request, NULL);
}

static enum outcome
dribble_numbers (uint32_t request, const uint64_t *values, unsigned n, int fd)
{
	struct bytes body = { .n = 0 };

	for (unsigned i = 0; i < n; i++)
		bytes_u64 (&body, values[i]);
	return dribble (request, &body, &fd, fd >= 0);
}

static void
hostile_14_one_byte_at_a_time (void)
{
	struct driver *d = &rig.drivers[0];
	const uint64_t table[] = { 1, GUEST_ADDR, GUEST_SIZE, GUEST_USER, 0 };
	const uint64_t index = 0, num = UINT64_C (64) << 32, enable = UINT64_C (1) << 32;
	uint64_t addr[5];

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	driver_open (d, &rig.guest, 0, 64);
	addr[0] = 0;
	addr[1] = GUEST_USER + driver_desc_at (d);
	addr[2] = GUEST_USER + driver_used_at (d);
	addr[3] = GUEST_USER + driver_avail_at (d);
	addr[4] = 0;
	CU_ASSERT_EQUAL (dribble_numbers (FE_SET_MEM_TABLE, table, 5, rig.guest.fd), ACK);
	CU_ASSERT_EQUAL (dribble_numbers (FE_SET_VRING_NUM, &num, 1, -1), ACK);
	CU_ASSERT_EQUAL (dribble_numbers (FE_SET_VRING_ADDR, addr, 5, -1), ACK);
	CU_ASSERT_EQUAL (dribble_numbers (FE_SET_VRING_KICK, &index, 1, d->kick), ACK);
	CU_ASSERT_EQUAL (dribble_numbers (FE_SET_VRING_ENABLE, &enable, 1, -1), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
}

static void
append_message (struct bytes *b, uint32_t request, uint64_t value)
{
	bytes_header (b, request, FLAG_VERSION | FLAG_NEED_REPLY, 8);
	bytes_u64 (b, value);
}

static void
hostile_15_many_messages_in_one_write (void)
{
	struct bytes b = { .n = 0 };

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	for (unsigned i = 0; i < 100; i++)
		append_message (&b, i % 2 ? FE_SET_VRING_BASE : FE_SET_VRING_NUM, UINT64_C (64) << 32);
	bytes_send (rig.socket, b.data, b.n, NULL, 0);
	for (unsigned i = 0; i < 100; i++)
		CU_ASSERT_EQUAL (rig_receive (&rig, i % 2 ? FE_SET_VRING_BASE : FE_SET_VRING_NUM, NULL), ACK);
	CU_ASSERT_EQUAL (rig_receive (&rig, 0, NULL), SILENCE);
}

static void
send_fd (uint32_t request, uint64_t index, int fd)
{
	rig_send (&rig, request, FLAG_VERSION, &index, sizeof (index), &fd, 1);
}

static void
hostile_15_a_set_up_with_fds_without_waiting (void)
{
	const uint32_t enable[2][2] = { { 0, 1 }, { 1, 1 } };

	CU_ASSERT_TRUE (rig_negotiate (&rig) && rig_give_memory (&rig));
	for (unsigned i = 0; i < 2; i++)
		CU_ASSERT_TRUE (rig_place_ring (&rig, i, 64, 0));
	for (unsigned i = 0; i < 2; i++) {
		send_fd (FE_SET_VRING_CALL, i, rig.drivers[i].call);
		send_fd (FE_SET_VRING_ERR, i, rig.drivers[i].err);
		send_fd (FE_SET_VRING_KICK, i, rig.drivers[i].kick);
		rig_send (&rig, FE_SET_VRING_ENABLE, FLAG_VERSION, enable[i], 8, NULL, 0);
	}
	rig_pump (&rig);
	/* Each ring hears its own kick and signals its own call. */
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_TRUE (rig_serve (&rig, i, 0));
		CU_ASSERT_TRUE (driver_signals (rig.drivers[i].call) > 0);
		CU_ASSERT_EQUAL (driver_signals (rig.drivers[1 - i].call), 0);
	}
}

/* What is read with one message goes to the next: its bytes, and its fds. */
static void
hostile_15_questions_and_fds_without_waiting (void)
{
	const uint64_t index = 0;
	int call = eventfd (0, EFD_CLOEXEC);

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	for (unsigned i = 0; i < 20; i++) {
		rig_send (&rig, FE_GET_FEATURES, FLAG_VERSION, "", 0, NULL, 0);
		rig_send (&rig, FE_GET_QUEUE_NUM, FLAG_VERSION, "", 0, NULL, 0);
		rig_send (&rig, FE_SET_VRING_CALL, FLAG_VERSION | FLAG_NEED_REPLY, &index, sizeof (index), &call, 1);
		rig_send (&rig, FE_SET_VRING_ERR, FLAG_VERSION | FLAG_NEED_REPLY, &index, sizeof (index), &rig.guest.fd, 1);
	}
	for (unsigned i = 0; i < 20; i++) {
		CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_FEATURES, NULL), REFUSAL);	/* eight bytes, not all zero */
		CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_QUEUE_NUM, NULL), REFUSAL);
		CU_ASSERT_EQUAL (rig_receive (&rig, FE_SET_VRING_CALL, NULL), ACK);
		CU_ASSERT_EQUAL (rig_receive (&rig, FE_SET_VRING_ERR, NULL), REFUSAL);	/* guest memory is nothing to be told through */
	}
	close (call);
}

/* The first n bytes of a SET_MEM_TABLE with an fd, then the end. */
static void
cut_off_after (size_t n)
{
	struct bytes b = { .n = 0 };

	bytes_header (&b, FE_SET_MEM_TABLE, FLAG_VERSION, 40);
	bytes_fill (&b, 1, 40);
	bytes_send (rig.socket, b.data, n, &rig.guest.fd, 1);
	rig_pump (&rig);
	CU_ASSERT_FALSE (rig.ended);
	rig_hang_up (&rig);
	rig_pump (&rig);
	CU_ASSERT_TRUE (rig.ended);
	CU_ASSERT_STRING_NOT_EQUAL (vh_backend_error (rig.backend), "");
}

static void
hostile_16_half_a_header_then_close (void)
{
	static const size_t cuts[] = { 1, 6, 11, 12, 13, 51 };

	for (unsigned i = 0; i < sizeof (cuts) / sizeof (cuts[0]); i++) {
		cut_off_after (cuts[i]);
		rig_reopen (&rig);
	}
}

static void
hostile_17_half_a_header_then_silence (void)
{
	struct test_device other_device;
	struct rig slow;

	test_device_init (&other_device);
	rig_open (&slow, &other_device, 50);
	bytes_send (slow.socket, "\1\0\0\0\1\0", 6, NULL, 0);
	CU_ASSERT_TRUE (rig_pump (&slow));	/* it does not spin */
	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_TRUE (rig_wait_end (&slow));
	CU_ASSERT_PTR_NOT_NULL (strstr (vh_backend_error (slow.backend), "half a message"));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 1));
	rig_close (&slow);
}

static int64_t
now_ms (void)
{
	struct timespec t;

	clock_gettime (CLOCK_MONOTONIC, &t);
	return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#define DEADLINE_MS 400

/* Two messages, each of which is half here for less than the deadline, together for longer.  -1: this machine was too slow to tell. */
static int
two_halves (void)
{
	static const uint8_t get_features[12] = { 1, 0, 0, 0, 1 };
	int64_t begun = now_ms (), changed;

	bytes_send (rig.socket, get_features, 6, NULL, 0);
	rig_pump (&rig);
	usleep (DEADLINE_MS * 600);
	bytes_send (rig.socket, get_features + 6, 6, NULL, 0);
	bytes_send (rig.socket, get_features, 6, NULL, 0);
	changed = now_ms ();
	rig_pump (&rig);
	if (now_ms () - begun >= DEADLINE_MS)
		return -1;
	usleep (DEADLINE_MS * 600);
	rig_pump (&rig);
	if (now_ms () - changed >= DEADLINE_MS)
		return -1;
	return !rig.ended;
}

static void
hostile_17_each_half_message_has_a_deadline_of_its_own (void)
{
	int alive = -1;

	for (unsigned i = 0; i < 10 && alive < 0; i++) {
		rig_close (&rig);
		rig_open (&rig, &device, DEADLINE_MS);
		alive = two_halves ();
	}
	CU_ASSERT_NOT_EQUAL (alive, 0);
}

/* The kilobytes of memory that the process has in use. */
static long
resident (void)
{
	long size = 0, pages = 0;
	FILE *f = fopen ("/proc/self/statm", "r");

	CU_ASSERT_TRUE (f && fscanf (f, "%ld %ld", &size, &pages) == 2 && pages > 0);
	if (f)
		fclose (f);
	return pages * (sysconf (_SC_PAGESIZE) / 1024);
}

/* Sends requests until none is taken any more, letting the back-end run in between; returns how many were taken. */
static unsigned
flood (unsigned most)
{
	struct bytes b = { .n = 0 };
	unsigned n;

	bytes_header (&b, FE_GET_FEATURES, FLAG_VERSION, 0);
	for (n = 0; n < most; n++) {
		if (bytes_send (rig.socket, b.data, b.n, NULL, 0) == (ssize_t) b.n)
			continue;
		rig_pump (&rig);
		if (bytes_send (rig.socket, b.data, b.n, NULL, 0) != (ssize_t) b.n)
			break;
	}
	return n;
}

static void
hostile_18_a_peer_that_never_reads (void)
{
	long before = resident ();

	/* What is not read is not answered, what is not answered is not listened to: the peer itself is held up. */
	CU_ASSERT_TRUE (flood (20000) < 20000);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (resident () - before < 4096);
	CU_ASSERT_FALSE (rig.ended);
}

static void
hostile_18_a_peer_that_never_reads_is_let_go (void)
{
	rig_close (&rig);
	rig_open (&rig, &device, 50);
	CU_ASSERT_TRUE (flood (20000) < 20000);
	CU_ASSERT_TRUE (rig_wait_end (&rig));
	CU_ASSERT_PTR_NOT_NULL (strstr (vh_backend_error (rig.backend), "not read"));
}

static void
hostile_18_a_peer_that_reads_late_gets_every_answer (void)
{
	unsigned n = flood (20000), answers = 0;

	while (answers < n && rig_receive (&rig, FE_GET_FEATURES, NULL) == REFUSAL)
		answers++;
	CU_ASSERT_EQUAL (answers, n);
	CU_ASSERT_TRUE (rig_alive (&rig));
}

/* Asks until an answer finds no room, and then says nothing more: the answer leaves all the same when there is room. */
static void
hostile_18_the_last_answer_leaves_late (void)
{
	unsigned n = 0, answers = 0;
	int before, here = 0;

	do {
		before = here;
		rig_send (&rig, FE_GET_FEATURES, FLAG_VERSION, "", 0, NULL, 0);
		n++;
		CU_ASSERT_TRUE (rig_pump (&rig));
		CU_ASSERT_EQUAL_FATAL (ioctl (rig.socket, FIONREAD, &here), 0);
	} while (here > before && n < 20000);
	CU_ASSERT_EQUAL (here, before);
	while (answers < n && rig_receive (&rig, FE_GET_FEATURES, NULL) == REFUSAL)
		answers++;
	CU_ASSERT_EQUAL (answers, n);
}

static void
hostile_19_the_peer_says_no_more (void)
{
	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	shutdown (rig.socket, SHUT_WR);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (rig.ended);
	CU_ASSERT_STRING_EQUAL (vh_backend_error (rig.backend), "");
}

static void
hostile_19_close_with_replies_pending (void)
{
	CU_ASSERT_PTR_EQUAL (signal (SIGPIPE, SIG_DFL), SIG_DFL);
	flood (20000);
	rig_hang_up (&rig);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (rig.ended);
}

static void
hostile_20_many_connections_closed_at_once (void)
{
	for (unsigned i = 0; i < 200; i++)
		rig_reopen (&rig);
	CU_ASSERT_EQUAL (device.arrivals, 201);
	CU_ASSERT_EQUAL (device.departures, 200);
}

struct CU_TestInfo pace_cases[] = {
	CASE (hostile_14_one_byte_at_a_time),
	CASE (hostile_15_many_messages_in_one_write),
	CASE (hostile_15_a_set_up_with_fds_without_waiting),
	CASE (hostile_15_questions_and_fds_without_waiting),
	CASE (hostile_16_half_a_header_then_close),
	CASE (hostile_17_half_a_header_then_silence),
	CASE (hostile_17_each_half_message_has_a_deadline_of_its_own),
	CASE (hostile_18_a_peer_that_never_reads),
	CASE (hostile_18_a_peer_that_never_reads_is_let_go),
	CASE (hostile_18_a_peer_that_reads_late_gets_every_answer),
	CASE (hostile_18_the_last_answer_leaves_late),
	CASE (hostile_19_the_peer_says_no_more),
	CASE (hostile_19_close_with_replies_pending),
	CASE (hostile_20_many_connections_closed_at_once),
	CU_TEST_INFO_NULL,
};
