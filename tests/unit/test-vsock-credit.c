/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Credit of vsock connections: who is slow makes the other side wait; and guests that break the rules.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/suite.h"
#include "tests/unit/vsock-rig.h"

/* --- credit --- */

/* Bytes that the host does not read are kept, up to what the guest was allowed; then told, when there is room again. */
static void
test_back_pressure_on_the_guest (void)
{
	struct service s;
	static uint8_t data[65536];
	static struct got g;
	uint32_t sent = 0, told = 0, received = 0;
	int bytes = 4096;

	service_open (&s);
	setsockopt (mux_find (s.rig.mux, SERVICE, CLIENT)->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof (bytes));
	/* As a guest does that is never wrong: until it has no credit. */
	for (;;) {
		uint32_t left = RIG_BUFFER - (sent - told);
		uint32_t size = left < 1000 ? left : 1000;

		if (size == 0 && !rig_get (&s.rig, &g))
			break;
		if (size == 0) {
			told = g.p.fwd_cnt;
			continue;
		}
		for (uint32_t i = 0; i < size; i++)
			data[i] = (sent + i) * 7 >> 3;
		rig_send (&s.rig, OP (RW), SERVICE, CLIENT, data, size);
		sent += size;
	}
	CU_ASSERT_EQUAL (s.rig.mux->n_connections, 1);
	CU_ASSERT (sent > RIG_BUFFER);
	CU_ASSERT_EQUAL (sent - told, RIG_BUFFER);
	/* The program reads it all, in order. */
	while (received < sent) {
		ssize_t n = read (s.fd, data, 777);

		rig_run (&s.rig);
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++, received++)
			if (data[i] != (uint8_t) (received * 7 >> 3))
				CU_FAIL_FATAL ("bytes that were kept came out different");
	}
	CU_ASSERT_EQUAL (received, sent);
	CU_ASSERT_TRUE_FATAL (rig_get (&s.rig, &g));
	CU_ASSERT_EQUAL (g.p.op, OP (CREDIT_UPDATE));
	CU_ASSERT_EQUAL (g.p.fwd_cnt, sent);
	rig_expect_nothing (&s.rig);
	service_close (&s);
}

/* The guest gets no more than it has room for. */
static void
test_back_pressure_on_the_host (void)
{
	struct service s;
	static struct got g;
	static char data[1000];

	service_open (&s);
	grant (&s.rig, 1500, 0);
	CU_ASSERT_EQUAL (write (s.fd, data, 1000), 1000);
	CU_ASSERT_TRUE_FATAL (rig_get (&s.rig, &g));
	CU_ASSERT_EQUAL (g.p.length, 1000);
	CU_ASSERT_EQUAL (write (s.fd, data, 1000), 1000);
	CU_ASSERT_TRUE_FATAL (rig_get (&s.rig, &g));
	CU_ASSERT_EQUAL (g.p.length, 500);
	/* It is asked for room, once. */
	rig_expect (&s.rig, OP (CREDIT_REQUEST), SERVICE, CLIENT);
	rig_expect_nothing (&s.rig);
	grant (&s.rig, 1500, 0);
	rig_expect_nothing (&s.rig);
	grant (&s.rig, 1500, 100);
	CU_ASSERT_TRUE_FATAL (rig_get (&s.rig, &g));
	CU_ASSERT_EQUAL (g.p.length, 100);
	grant (&s.rig, 100, 1600);	/* less than before, and all taken */
	CU_ASSERT_TRUE_FATAL (rig_get (&s.rig, &g));
	CU_ASSERT_EQUAL (g.p.length, 100);
	service_close (&s);
}

/* Nonsense about credit gives no credit, and does no harm. */
static void
test_bad_credit (void)
{
	static const uint32_t nonsense[][2] = { { 0, 0 }, { 500, 2000 }, { 1000, UINT32_MAX }, { 10, 0 }, { 1000, 0x80000000 }, { UINT32_MAX, 1001 } };
	struct service s;
	static struct got g;
	static char data[1000];

	service_open (&s);
	CU_ASSERT_EQUAL (write (s.fd, data, 1000), 1000);
	CU_ASSERT_TRUE_FATAL (rig_get (&s.rig, &g));
	CU_ASSERT_EQUAL (write (s.fd, data, 1000), 1000);
	for (unsigned i = 0; i < sizeof (nonsense) / sizeof (nonsense[0]); i++) {
		grant (&s.rig, nonsense[i][0], nonsense[i][1]);
		while (rig_get (&s.rig, &g))
			CU_ASSERT_NOT_EQUAL (g.p.op, OP (RW));
	}
	grant (&s.rig, 1001, 1000);
	CU_ASSERT_TRUE_FATAL (rig_get (&s.rig, &g));
	CU_ASSERT_EQUAL (g.p.length, 1000);
	service_close (&s);
}

static void
test_more_than_allowed (void)
{
	struct service s;
	static char data[RIG_BUFFER + 1];

	service_open (&s);
	rig_send (&s.rig, OP (RW), SERVICE, CLIENT, data, RIG_BUFFER + 1);
	rig_expect (&s.rig, OP (RST), SERVICE, CLIENT);
	CU_ASSERT_TRUE (rig_at_end (s.fd));
	CU_ASSERT_EQUAL (s.rig.mux->stats.bad, 1);
	service_close (&s);
}

static void
test_credit_is_asked_for (void)
{
	struct service s;

	service_open (&s);
	rig_send (&s.rig, OP (CREDIT_REQUEST), SERVICE, CLIENT, NULL, 0);
	rig_send (&s.rig, OP (CREDIT_REQUEST), SERVICE, CLIENT, NULL, 0);
	rig_expect (&s.rig, OP (CREDIT_UPDATE), SERVICE, CLIENT);
	rig_expect_nothing (&s.rig);
	service_close (&s);
}

/* A guest with buffers that have room for a header only. */
static void
test_small_buffers (void)
{
	struct service s;
	static struct got g;

	service_open (&s);
	rig_say (s.fd, "data");
	CU_ASSERT_TRUE_FATAL (rig_get_into (&s.rig, &g, 0));
	CU_ASSERT_EQUAL (g.p.op, OP (CREDIT_UPDATE));
	CU_ASSERT_TRUE_FATAL (rig_get_into (&s.rig, &g, 1));
	CU_ASSERT_EQUAL (g.p.op, OP (RW));
	CU_ASSERT_EQUAL (g.data[0], 'd');
	CU_ASSERT_TRUE_FATAL (rig_get (&s.rig, &g));
	CU_ASSERT_EQUAL (g.p.length, 3);
	service_close (&s);
}

/* Two connections that have more than a packet each have their turns. */
static void
test_turns (void)
{
	struct rig r;
	static struct got g;
	int listener, fds[2];

	rig_open (&r, 8);
	listener = rig_listen (SERVICE, 8);
	for (unsigned i = 0; i < 2; i++) {
		rig_guest_opens (&r, SERVICE, 1 + i);
		fds[i] = rig_accept (listener);
		rig_say (fds[i], "abcdefgh");
	}
	rig_run (&r);
	for (unsigned i = 0; i < 8; i++) {
		CU_ASSERT_TRUE_FATAL (rig_get_into (&r, &g, 2));
		CU_ASSERT_EQUAL (g.p.op, OP (RW));
		CU_ASSERT_EQUAL (g.p.dst_port, 1 + (i & 1));
	}
	close (fds[0]);
	close (fds[1]);
	close (listener);
	rig_close (&r);
}

/* --- against the rules --- */

static void
test_packets_without_a_connection (void)
{
	static const unsigned ops[] = { OP (INVALID), OP (RESPONSE), OP (SHUTDOWN), OP (RW), OP (CREDIT_UPDATE), OP (CREDIT_REQUEST), 8, 0xffff };
	struct rig r;

	rig_open (&r, 8);
	for (unsigned i = 0; i < sizeof (ops) / sizeof (ops[0]); i++) {
		rig_send (&r, ops[i], SERVICE, CLIENT, NULL, 0);
		rig_expect (&r, OP (RST), SERVICE, CLIENT);
	}
	rig_send (&r, OP (RST), SERVICE, CLIENT, NULL, 0);
	rig_expect_nothing (&r);
	rig_close (&r);
}

static void
test_bad_operations (void)
{
	static const unsigned ops[] = { OP (INVALID), OP (RESPONSE), 8, 0xffff };

	for (unsigned i = 0; i < sizeof (ops) / sizeof (ops[0]); i++) {
		struct service s;

		service_open (&s);
		rig_send (&s.rig, ops[i], SERVICE, CLIENT, NULL, 0);
		rig_expect (&s.rig, OP (RST), SERVICE, CLIENT);
		CU_ASSERT_TRUE (rig_at_end (s.fd));
		service_close (&s);
	}
}

/* Data, and an answer, for a request that was not even sent. */
static void
test_answers_too_early (void)
{
	static const unsigned ops[] = { OP (RESPONSE), OP (RW), OP (SHUTDOWN) };

	for (unsigned i = 0; i < sizeof (ops) / sizeof (ops[0]); i++) {
		struct rig r;
		int fd;

		rig_open (&r, 8);
		fd = rig_connect ();
		rig_say (fd, "CONNECT 9\n");
		rig_run (&r);
		rig_send (&r, ops[i], 1u << 30, 9, NULL, 0);
		rig_expect (&r, OP (RST), 1u << 30, 9);
		CU_ASSERT_TRUE (rig_at_end (fd));
		close (fd);
		rig_close (&r);
	}
}

static void
test_forged_packets (void)
{
	struct service s;
	struct packet p = {
		.src_cid = RIG_CID, .dst_cid = PACKET_HOST_CID, .src_port = CLIENT, .dst_port = SERVICE, .length = 4,
		.type = VIRTIO_VSOCK_TYPE_STREAM, .op = OP (RW), .buf_alloc = RIG_CREDIT,
	}, forged = p;
	static struct got g;

	service_open (&s);
	forged.src_cid = RIG_CID + 1;
	rig_send_packet (&s.rig, &forged, "evil");
	forged.src_cid = RIG_CID | UINT64_C (1) << 32;
	rig_send_packet (&s.rig, &forged, "evil");
	rig_expect_nothing (&s.rig);
	CU_ASSERT_EQUAL (s.rig.mux->stats.bad, 2);
	/* To others than the host, and of a type that is not there: told so. */
	forged = p;
	forged.dst_cid = 77;
	rig_send_packet (&s.rig, &forged, "evil");
	CU_ASSERT_TRUE_FATAL (rig_get (&s.rig, &g));
	CU_ASSERT_EQUAL (g.p.op, OP (RST));
	CU_ASSERT_EQUAL (g.p.src_cid, 77);
	forged = p;
	forged.type = VIRTIO_VSOCK_TYPE_SEQPACKET;
	rig_send_packet (&s.rig, &forged, "evil");
	CU_ASSERT_TRUE_FATAL (rig_get (&s.rig, &g));
	CU_ASSERT_EQUAL (g.p.op, OP (RST));
	CU_ASSERT_EQUAL (g.p.type, VIRTIO_VSOCK_TYPE_SEQPACKET);
	rig_send_packet (&s.rig, &p, "good");
	CU_ASSERT_TRUE (rig_reads (s.fd, "good"));
	service_close (&s);
}

/* A packet that says it has more than there is, and one that is not even a header. */
static void
test_lengths (void)
{
	static const uint32_t lengths[] = { 5, 4096, 0x7fffffff, 0xffffffff };
	uint8_t header[PACKET_HEADER] = { 0 };
	struct iovec part = { header, sizeof (header) - 1 };

	for (unsigned i = 0; i < sizeof (lengths) / sizeof (lengths[0]); i++) {
		struct packet p = {
			.src_cid = RIG_CID, .dst_cid = PACKET_HOST_CID, .src_port = CLIENT, .dst_port = SERVICE, .length = lengths[i],
			.type = VIRTIO_VSOCK_TYPE_STREAM, .op = OP (RW), .buf_alloc = RIG_CREDIT,
		};
		uint8_t bytes[PACKET_HEADER + 4];
		struct iovec whole = { bytes, sizeof (bytes) };
		struct service s;

		service_open (&s);
		mux_receive (s.rig.mux, &part, 1, part.iov_len);
		mux_receive (s.rig.mux, &part, 0, 0);
		CU_ASSERT_EQUAL (s.rig.mux->stats.bad, 2);
		packet_encode (&p, bytes);
		mux_receive (s.rig.mux, &whole, 1, sizeof (bytes));
		rig_expect (&s.rig, OP (RST), SERVICE, CLIENT);
		CU_ASSERT_TRUE (rig_at_end (s.fd));
		service_close (&s);
	}
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "back-pressure on the guest", test_back_pressure_on_the_guest },
		{ "back-pressure on the host", test_back_pressure_on_the_host },
		{ "bad credit", test_bad_credit },
		{ "more than allowed", test_more_than_allowed },
		{ "credit is asked for", test_credit_is_asked_for },
		{ "small buffers", test_small_buffers },
		{ "turns", test_turns },
		{ "packets without a connection", test_packets_without_a_connection },
		{ "bad operations", test_bad_operations },
		{ "answers too early", test_answers_too_early },
		{ "forged packets", test_forged_packets },
		{ "lengths", test_lengths },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("vsock, credit", tests);
}
