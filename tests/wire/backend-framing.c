/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hostile front-ends: messages cut, stretched, mislabelled or never finished.
 */
#include "backend-hostile.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Sends a header alone and reads what comes. */
static enum outcome
header (uint32_t request, uint32_t flags, uint32_t size)
{
	struct bytes b = { .n = 0 };

	bytes_header (&b, request, flags, size);
	bytes_send (rig.socket, b.data, b.n, NULL, 0);
	return rig_receive (&rig, request, NULL);
}

/* Header and so many bytes of body, with NEED_REPLY, though the header may say another size. */
static enum outcome
filled (uint32_t request, uint32_t size)
{
	struct bytes b = { .n = 0 };

	bytes_header (&b, request, FLAG_VERSION | FLAG_NEED_REPLY, size);
	bytes_fill (&b, 0, size);
	bytes_send (rig.socket, b.data, b.n, NULL, 0);
	return rig_receive (&rig, request, NULL);
}

static void
hostile_01_a_version_that_is_not_1 (void)
{
	static const uint32_t versions[] = { 0, 2, 3 };

	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL (header (FE_GET_FEATURES, versions[i], 0), CLOSED);
		CU_ASSERT_EQUAL (header (FE_GET_FEATURES, versions[i] | FLAG_NEED_REPLY, 0), CLOSED);
		rig_reopen (&rig);
	}
}

static void
hostile_02_a_reply_nobody_asked_for (void)
{
	CU_ASSERT_EQUAL (header (FE_GET_FEATURES, FLAG_VERSION | FLAG_REPLY, 0), CLOSED);
	CU_ASSERT_TRUE (rig.ended);
}

static void
hostile_03_reserved_flags_are_never_echoed (void)
{
	for (unsigned bit = 4; bit < 32; bit++) {
		enum outcome o = header (FE_GET_FEATURES, FLAG_VERSION | 1u << bit, 0);

		/* A well-formed reply has the flags 5 and no others. */
		CU_ASSERT_TRUE (o == ACK || o == REFUSAL || o == CLOSED);
		if (o == CLOSED)
			rig_reopen (&rig);
	}
}

static void
hostile_04_requests_that_do_not_exist (void)
{
	static const uint32_t ids[] = { 0, 46, 100, 255, 256, 65536, 0x7fffffff, 0xffffffff };

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	for (unsigned i = 0; i < sizeof (ids) / sizeof (ids[0]); i++) {
		CU_ASSERT_EQUAL (rig_tell_nothing (&rig, ids[i]), REFUSAL);
		CU_ASSERT_EQUAL (filled (ids[i], 64), REFUSAL);
	}
	CU_ASSERT_TRUE (rig_alive (&rig));
}

static void
hostile_05_an_unknown_request_that_wants_no_answer_gets_none (void)
{
	enum outcome o;

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	o = header (46, FLAG_VERSION, 0);
	CU_ASSERT_TRUE (o == SILENCE || o == CLOSED);
}

static void
hostile_06_a_payload_of_four_gigabytes (void)
{
	CU_ASSERT_EQUAL (header (FE_SET_FEATURES, FLAG_VERSION, 0xffffffff), CLOSED);
	rig_reopen (&rig);
	CU_ASSERT_EQUAL (header (FE_SET_FEATURES, FLAG_VERSION, 0x80000000), CLOSED);
}

static void
hostile_07_a_large_payload_is_not_read_as_messages (void)
{
	struct bytes b = { .n = 0 };

	bytes_header (&b, FE_SET_FEATURES, FLAG_VERSION, 65532);
	for (unsigned i = 0; i < 65532 / 12; i++)
		bytes_header (&b, FE_GET_FEATURES, FLAG_VERSION, 0);
	bytes_send (rig.socket, b.data, b.n, NULL, 0);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_SET_FEATURES, NULL), CLOSED);
}

static void
hostile_07_payload_limit (void)
{
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_EQUAL (filled (FE_SET_CONFIG, 4096), REFUSAL);
	CU_ASSERT_TRUE (rig_alive (&rig));
	CU_ASSERT_EQUAL (filled (FE_SET_CONFIG, 4097), CLOSED);
}

static void
hostile_08_a_payload_where_there_is_none (void)
{
	static const uint32_t gets[] = { FE_GET_FEATURES, FE_GET_PROTOCOL_FEATURES, FE_GET_QUEUE_NUM, FE_GET_MAX_MEM_SLOTS };

	for (unsigned i = 0; i < sizeof (gets) / sizeof (gets[0]); i++) {
		CU_ASSERT_TRUE (rig_negotiate (&rig));
		CU_ASSERT_EQUAL (filled (gets[i], 8), CLOSED);
		rig_reopen (&rig);
	}
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_EQUAL (filled (FE_SET_OWNER, 1), REFUSAL);
	CU_ASSERT_EQUAL (filled (FE_RESET_DEVICE, 8), REFUSAL);
}

static const uint32_t numbers[] = {
	FE_SET_FEATURES,   FE_SET_PROTOCOL_FEATURES, FE_SET_VRING_NUM,	FE_SET_VRING_BASE,
	FE_SET_VRING_KICK, FE_SET_VRING_ENABLE,	     FE_SET_VRING_CALL, FE_SET_VRING_ERR,
};

static void
hostile_09_less_than_eight_bytes_and_no_stale_ones (void)
{
	uint32_t base;

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	for (unsigned i = 0; i < sizeof (numbers) / sizeof (numbers[0]); i++) {
		/* Bytes that would be welcome are what a careless reader would find in its buffer. */
		CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_BASE, 1, 77), ACK);
		CU_ASSERT_EQUAL (filled (numbers[i], 0), REFUSAL);
		CU_ASSERT_EQUAL (filled (numbers[i], 4), REFUSAL);
	}
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base) && base == 0);
	CU_ASSERT_TRUE (rig_ask_base (&rig, 1, &base) && base == 77);
	CU_ASSERT_EQUAL (vh_backend_features (rig.backend), BIT_VERSION_1 | BIT30);
	CU_ASSERT_EQUAL (vh_backend_protocol_features (rig.backend), PROTOCOL_ALL);
	/* It has no form that says "failed". */
	CU_ASSERT_EQUAL (filled (FE_GET_VRING_BASE, 4), CLOSED);
}

static void
hostile_10_eight_bytes_where_forty_are_due (void)
{
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_EQUAL (filled (FE_SET_VRING_ADDR, 8), REFUSAL);
	CU_ASSERT_EQUAL (filled (FE_SET_VRING_ADDR, 39), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell (&rig, FE_ADD_MEM_REG, "12345678", 8, &rig.guest.fd, 1), REFUSAL);
	CU_ASSERT_TRUE (rig_alive (&rig));
}

static void
hostile_11_more_than_the_request_has (void)
{
	static const uint32_t requests[] = { FE_SET_FEATURES, FE_SET_VRING_NUM, FE_SET_VRING_BASE, FE_SET_VRING_ENABLE };

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	for (unsigned i = 0; i < sizeof (requests) / sizeof (requests[0]); i++) {
		CU_ASSERT_EQUAL (filled (requests[i], 9), REFUSAL);
		CU_ASSERT_EQUAL (filled (requests[i], 4096), REFUSAL);
	}
	CU_ASSERT_EQUAL (filled (FE_SET_VRING_ADDR, 41), REFUSAL);
	CU_ASSERT_EQUAL (filled (FE_SET_VRING_ADDR, 48), REFUSAL);
	CU_ASSERT_TRUE (rig_alive (&rig));
}

static void
hostile_12_need_reply_before_it_was_negotiated (void)
{
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_SET_OWNER), SILENCE);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, BIT30), SILENCE);
	CU_ASSERT_TRUE (rig_alive (&rig));
}

static void
hostile_13_need_reply_on_a_get_is_answered_once (void)
{
	static const uint32_t gets[] = { FE_GET_FEATURES, FE_GET_PROTOCOL_FEATURES, FE_GET_QUEUE_NUM, FE_GET_MAX_MEM_SLOTS };

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	for (unsigned i = 0; i < sizeof (gets) / sizeof (gets[0]); i++) {
		CU_ASSERT_EQUAL (rig_tell_nothing (&rig, gets[i]), REFUSAL);	/* eight bytes, not all zero */
		CU_ASSERT_EQUAL (rig_receive (&rig, gets[i], NULL), SILENCE);
	}
}

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

struct CU_TestInfo framing_cases[] = {
	CASE (hostile_01_a_version_that_is_not_1),
	CASE (hostile_02_a_reply_nobody_asked_for),
	CASE (hostile_03_reserved_flags_are_never_echoed),
	CASE (hostile_04_requests_that_do_not_exist),
	CASE (hostile_05_an_unknown_request_that_wants_no_answer_gets_none),
	CASE (hostile_06_a_payload_of_four_gigabytes),
	CASE (hostile_07_a_large_payload_is_not_read_as_messages),
	CASE (hostile_07_payload_limit),
	CASE (hostile_08_a_payload_where_there_is_none),
	CASE (hostile_09_less_than_eight_bytes_and_no_stale_ones),
	CASE (hostile_10_eight_bytes_where_forty_are_due),
	CASE (hostile_11_more_than_the_request_has),
	CASE (hostile_12_need_reply_before_it_was_negotiated),
	CASE (hostile_13_need_reply_on_a_get_is_answered_once),
	CASE (hostile_14_one_byte_at_a_time),
	CASE (hostile_15_many_messages_in_one_write),
	CASE (hostile_15_a_set_up_with_fds_without_waiting),
	CASE (hostile_16_half_a_header_then_close),
	CASE (hostile_17_half_a_header_then_silence),
	CASE (hostile_18_a_peer_that_never_reads),
	CASE (hostile_18_a_peer_that_never_reads_is_let_go),
	CASE (hostile_18_a_peer_that_reads_late_gets_every_answer),
	CASE (hostile_19_the_peer_says_no_more),
	CASE (hostile_19_close_with_replies_pending),
	CASE (hostile_20_many_connections_closed_at_once),
	CU_TEST_INFO_NULL,
};
