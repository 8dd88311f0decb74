/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Answers that a back-end should not give.  Whatever it does, a call of the front-end comes to an end, the connection is over when its bytes cannot be
 * believed any more, and nothing is written outside the caller's buffers.
 */
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/wire/frontend-peer.h"

/* What the script answers to the request of this test, and how. */
static const char *answer;
static unsigned answer_fds, pause_ms;

/* The connection is over: the back-end saw its end, and every later call says so. */
static void
expect_over (void)
{
	uint64_t features;

	CU_ASSERT_STRING_NOT_EQUAL (vh_frontend_error (frontend), "");
	CU_ASSERT_EQUAL (vh_frontend_get_features (frontend, &features), -ECONNRESET);
	CU_ASSERT_EQUAL (vh_frontend_set_owner (frontend), -ECONNRESET);
	CU_ASSERT_EQUAL (vh_frontend_dispatch (frontend), -ECONNRESET);
	frontend_end ();
}

/* --- answers to GET_FEATURES --- */

static void
script_get_features (void)
{
	peer_expect ("01000000 01000000 00000000", 0);
	if (pause_ms)
		peer_send_slowly (answer, pause_ms);
	else if (answer)
		peer_send_fds (PEER_MAIN, answer, answer_fds);
	peer_expect_end (PEER_MAIN);
}

static int
features_answered (const char *hex, unsigned timeout_ms, uint64_t *features)
{
	answer = hex;
	frontend_begin (script_get_features, timeout_ms);
	return vh_frontend_get_features (frontend, features);
}

static void
refuse_features (const char *hex, int err)
{
	uint64_t features = 42;

	CU_ASSERT_EQUAL (features_answered (hex, PATIENCE_MS, &features), err);
	CU_ASSERT_EQUAL (features, 42);
	CU_ASSERT_EQUAL (vh_frontend_offered_features (frontend), 0);
	expect_over ();
}

static void
test_wrong_header (void)
{
	refuse_features ("02000000 05000000 08000000 0000000000000000", -EPROTO);
	refuse_features ("00000000 05000000 08000000 0000000000000000", -EPROTO);
	refuse_features ("01000001 05000000 08000000 0000000000000000", -EPROTO);
	/* No version, versions to come. */
	refuse_features ("01000000 04000000 08000000 0000000000000000", -EBADMSG);
	refuse_features ("01000000 06000000 08000000 0000000000000000", -EBADMSG);
	refuse_features ("01000000 07000000 08000000 0000000000000000", -EBADMSG);
	/* REPLY is missing; NEED_REPLY is set; a bit that has no meaning. */
	refuse_features ("01000000 01000000 08000000 0000000000000000", -EPROTO);
	refuse_features ("01000000 0d000000 08000000 0000000000000000", -EPROTO);
	refuse_features ("01000000 15000000 08000000 0000000000000000", -EPROTO);
	refuse_features ("01000000 05000080 08000000 0000000000000000", -EPROTO);
}

static void
test_wrong_size (void)
{
	refuse_features ("01000000 05000000 00000000", -EBADMSG);
	refuse_features ("01000000 05000000 04000000 00000000", -EBADMSG);
	refuse_features ("01000000 05000000 10000000 00000000000000000000000000000000", -EBADMSG);
	refuse_features ("01000000 05000000 01100000", -EBADMSG);
	refuse_features ("01000000 05000000 ffffffff", -EBADMSG);
	refuse_features ("01000000 05000000 00000080 0000000000000000", -EBADMSG);
}

static void
test_single_bytes_are_fine (void)
{
	uint64_t features = 0;

	pause_ms = 1;
	CU_ASSERT_EQUAL (features_answered ("01000000 05000000 08000000 0000007001000000", PATIENCE_MS, &features), 0);
	CU_ASSERT_EQUAL (features, 0x170000000);
	frontend_end ();
	pause_ms = 0;
}

static void
time_out (const char *hex)
{
	uint64_t features = 42;

	CU_ASSERT_EQUAL (features_answered (hex, SHORT_MS, &features), -ETIMEDOUT);
	CU_ASSERT_EQUAL (features, 42);
	expect_over ();
}

static void
test_never (void)
{
	time_out (NULL);
	time_out ("01");
	time_out ("01000000 05000000 08000000");
	time_out ("01000000 05000000 08000000 00000000000000");
	/* Something comes again and again, and it is never enough. */
	pause_ms = SHORT_MS / 2;
	time_out ("01000000 05000000 08000000 0000000000000000");
	pause_ms = 0;
}

static void
script_close (void)
{
	peer_expect ("01000000 01000000 00000000", 0);
	if (answer)
		peer_send (answer);
	peer_close (PEER_MAIN);
}

static void
test_end_anywhere (void)
{
	static const char whole[] = "0100000005000000080000000000007001000000";

	for (size_t n = 0; n < 20; n++) {
		char part[sizeof (whole)];
		uint64_t features;

		snprintf (part, sizeof (part), "%.*s", (int) (2 * n), whole);
		answer = n ? part : NULL;
		frontend_begin (script_close, PATIENCE_MS);
		CU_ASSERT_EQUAL (vh_frontend_get_features (frontend, &features), -ECONNRESET);
		expect_over ();
	}
}

static void
test_fds_where_none_belong (void)
{
	for (answer_fds = 1; answer_fds <= 9; answer_fds += 4)
		refuse_features ("01000000 05000000 08000000 0000000000000000", -EBADMSG);
	answer_fds = 0;
}

/* --- bytes that nobody asked for --- */

static void
script_unasked (void)
{
	peer_send (answer);
	peer_done ();
	peer_expect_end (PEER_MAIN);
}

static void
test_unasked_bytes (void)
{
	static const char *const bytes[] = { "00", "01000000 05000000 08000000 0000007001000000", "01000000 05000000 08000000 00" };

	for (unsigned i = 0; i < 3; i++) {
		uint64_t features;

		answer = bytes[i];
		frontend_begin (script_unasked, PATIENCE_MS);
		frontend_await_peer ();
		CU_ASSERT_EQUAL (vh_frontend_get_features (frontend, &features), -EPROTO);
		expect_over ();
	}
}

static void
script_two_answers (void)
{
	peer_handshake (P_REPLY_ACK);
	peer_expect ("08000000 09000000 08000000 00000000 00010000", 0);
	peer_send ("08000000 05000000 08000000 0000000000000000 08000000 05000000 08000000 0000000000000000");
	peer_expect_end (PEER_MAIN);
}

/* The second must not become the answer to the next request, though that is the same one. */
static void
test_two_answers (void)
{
	frontend_begin (script_two_answers, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_handshake (frontend, UINT64_MAX), 0);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_num (frontend, 0, 256), 0);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_num (frontend, 0, 256), -EPROTO);
	expect_over ();
}

static void
script_ack_unasked (void)
{
	peer_handshake (0);
	peer_expect ("08000000 01000000 08000000 00000000 00010000", 0);
	peer_send_u64 (8, 0);
	peer_done ();
	peer_expect_end (PEER_MAIN);
}

static void
test_ack_that_was_not_asked_for (void)
{
	frontend_begin (script_ack_unasked, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_handshake (frontend, UINT64_MAX), 0);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_num (frontend, 0, 256), 0);
	frontend_await_peer ();
	CU_ASSERT_EQUAL (vh_frontend_set_owner (frontend), -EPROTO);
	expect_over ();
}

/* --- numbers that cannot be --- */

static void
script_number (void)
{
	peer_handshake (P_MQ | P_MEM_SLOTS);
	/* GET_QUEUE_NUM or GET_MAX_MEM_SLOTS, as the answer begins. */
	peer_expect (answer[0] == '1' ? "11000000 01000000 00000000" : "24000000 01000000 00000000", 0);
	peer_send (answer);
	peer_expect_end (PEER_MAIN);
}

static int
number_answered (int (*ask) (struct vh_frontend *, unsigned *), const char *hex, unsigned *number)
{
	answer = hex;
	frontend_begin (script_number, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_handshake (frontend, UINT64_MAX), 0);
	return ask (frontend, number);
}

static void
test_numbers (void)
{
	unsigned n = 42;

	CU_ASSERT_EQUAL (number_answered (vh_frontend_get_queue_num, "11000000 05000000 08000000 0000000000000000", &n), -EBADMSG);
	expect_over ();
	CU_ASSERT_EQUAL (number_answered (vh_frontend_get_queue_num, "11000000 05000000 08000000 0101000000000000", &n), -EBADMSG);
	expect_over ();
	CU_ASSERT_EQUAL (number_answered (vh_frontend_get_queue_num, "11000000 05000000 08000000 0000000000010000", &n), -EBADMSG);
	expect_over ();
	CU_ASSERT_EQUAL (number_answered (vh_frontend_get_max_mem_slots, "24000000 05000000 08000000 0000000000000000", &n), -EBADMSG);
	expect_over ();
	CU_ASSERT_EQUAL (n, 42);
	CU_ASSERT_EQUAL (number_answered (vh_frontend_get_queue_num, "11000000 05000000 08000000 0001000000000000", &n), 0);
	CU_ASSERT_EQUAL (n, 256);
	frontend_end ();
	CU_ASSERT_EQUAL (number_answered (vh_frontend_get_max_mem_slots, "24000000 05000000 08000000 0000000000010000", &n), 0);
	CU_ASSERT_EQUAL (n, UINT_MAX);
	frontend_end ();
}

static void
script_base (void)
{
	peer_handshake (P_REPLY_ACK);
	peer_expect ("0b000000 01000000 08000000 02000000 00000000", 0);
	peer_send (answer);
	peer_expect_end (PEER_MAIN);
}

static void
test_base_of_another_ring (void)
{
	static const char *const bytes[] = { "0b000000 05000000 08000000 03000000 00000000", "0b000000 05000000 08000000 02000001 00000000" };
	uint32_t base = 42;

	for (unsigned i = 0; i < 2; i++) {
		answer = bytes[i];
		frontend_begin (script_base, PATIENCE_MS);
		CU_ASSERT_EQUAL (vh_frontend_handshake (frontend, UINT64_MAX), 0);
		CU_ASSERT_EQUAL (vh_frontend_get_vring_base (frontend, 2, &base), -EBADMSG);
		CU_ASSERT_EQUAL (base, 42);
		expect_over ();
	}
}

/* --- configuration --- */

static void
script_config (void)
{
	peer_handshake (P_CONFIG);
	peer_expect ("18000000 01000000 10000000 08000000 04000000 00000000 00000000", 0);
	peer_send (answer);
	peer_expect_end (PEER_MAIN);
}

static void
test_config (void)
{
	static const char *const bytes[] = {
		/* Another offset; longer; shorter; sizes that disagree, both ways; not even a size. */
		"18000000 05000000 10000000 0c000000 04000000 00000000 aaaaaaaa",
		"18000000 05000000 14000000 08000000 08000000 00000000 aaaaaaaaaaaaaaaa",
		"18000000 05000000 0e000000 08000000 02000000 00000000 aaaa",
		"18000000 05000000 10000000 08000000 08000000 00000000 aaaaaaaa",
		"18000000 05000000 10000000 08000000 ffffffff 00000000 aaaaaaaa",
		"18000000 05000000 14000000 08000000 04000000 00000000 aaaaaaaaaaaaaaaa",
		"18000000 05000000 04000000 08000000",
	};
	uint8_t buf[16];

	for (unsigned i = 0; i < sizeof (bytes) / sizeof (bytes[0]); i++) {
		memset (buf, 0x55, sizeof (buf));
		answer = bytes[i];
		frontend_begin (script_config, PATIENCE_MS);
		CU_ASSERT_EQUAL (vh_frontend_handshake (frontend, UINT64_MAX), 0);
		CU_ASSERT_EQUAL (vh_frontend_get_config (frontend, 8, buf, 4), -EBADMSG);
		for (unsigned k = 0; k < sizeof (buf); k++)
			CU_ASSERT_EQUAL (buf[k], 0x55);
		expect_over ();
	}
}

/* --- a back-end that does not read, or is gone --- */

static void
script_deaf (void)
{
	peer_handshake (0);
}

static void
test_deaf_back_end (void)
{
	int fd = eventfd (0, EFD_CLOEXEC), err = 0;
	unsigned sent;

	frontend_begin (script_deaf, SHORT_MS);
	CU_ASSERT_EQUAL (vh_frontend_handshake (frontend, UINT64_MAX), 0);
	for (sent = 0; err == 0 && sent < 100000; sent++)
		err = vh_frontend_set_vring_call (frontend, 0, fd);
	CU_ASSERT_EQUAL (err, -ETIMEDOUT);
	expect_over ();
	close (fd);
}

static void
script_gone (void)
{
	peer_handshake (0);
	peer_close (PEER_MAIN);
	peer_done ();
}

static void
test_gone_back_end (void)
{
	frontend_begin (script_gone, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_handshake (frontend, UINT64_MAX), 0);
	frontend_await_peer ();
	CU_ASSERT_EQUAL (vh_frontend_set_vring_num (frontend, 0, 256), -ECONNRESET);
	expect_over ();
}

/* --- answers to GET_INFLIGHT_FD --- */

static size_t file_size;

static void
script_inflight (void)
{
	peer_handshake (P_INFLIGHT);
	peer_expect ("1f000000 01000000 18000000 0000000000000000 0000000000000000 0100 8000 00000000", 0);
	if (file_size)
		peer_send_file (answer, file_size);
	else
		peer_send_fds (PEER_MAIN, answer, answer_fds);
	peer_expect_end (PEER_MAIN);
}

/* size: of the file that comes along; 0: n_fds eventfds. */
static void
refuse_inflight (const char *hex, size_t size, unsigned n_fds)
{
	struct vh_inflight area = { .fd = -42 };

	answer = hex;
	answer_fds = n_fds;
	file_size = size;
	frontend_begin (script_inflight, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_handshake (frontend, P_INFLIGHT), 0);
	CU_ASSERT_EQUAL (vh_frontend_get_inflight (frontend, 1, 128, &area), -EBADMSG);
	CU_ASSERT_EQUAL (area.fd, -42);
	expect_over ();
	answer_fds = 0;
}

static void
test_inflight (void)
{
	static const char good[] = "1f000000 05000000 18000000 0010000000000000 0010000000000000 0100 8000 00000000";

	refuse_inflight (good, 0, 0);
	refuse_inflight (good, 0, 1);	/* an eventfd */
	refuse_inflight (good, 0, 2);
	refuse_inflight (good, 0x1fff, 0);
	refuse_inflight ("1f000000 05000000 16000000 0010000000000000 0010000000000000 0100 8000 0000", 0x2000, 0);
	refuse_inflight ("1f000000 05000000 18000000 0000000000000000 0000000000000000 0100 8000 00000000", 0x2000, 0);
	refuse_inflight ("1f000000 05000000 18000000 0010000000000000 0100000000000000 0000 8000 00000000", 0x2000, 0);
	refuse_inflight ("1f000000 05000000 18000000 0010000000000000 0100000000000000 0100 0000 00000000", 0x2000, 0);
	refuse_inflight ("1f000000 05000000 18000000 0010000000000000 00f8ffffffffffff 0100 8000 00000000", 0x2000, 0);
	refuse_inflight ("1f000000 05000000 18000000 ffffffffffffffff 0000000000000000 0100 8000 00000000", 0x2000, 0);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "an answer to another request, wrong flags", test_wrong_header },
		{ "too short, too long, 4 GiB", test_wrong_size },
		{ "in single bytes", test_single_bytes_are_fine },
		{ "never, or never whole", test_never },
		{ "the end, anywhere in an answer", test_end_anywhere },
		{ "fds where none belong", test_fds_where_none_belong },
		{ "bytes before any request", test_unasked_bytes },
		{ "two answers to one request", test_two_answers },
		{ "an acknowledgement that was not asked for", test_ack_that_was_not_asked_for },
		{ "impossible numbers of queues and slots", test_numbers },
		{ "the base of another ring", test_base_of_another_ring },
		{ "another range of the configuration", test_config },
		{ "a back-end that does not read", test_deaf_back_end },
		{ "a back-end that is gone", test_gone_back_end },
		{ "in-flight areas that are none", test_inflight },
		CU_TEST_INFO_NULL,
	};

	if (htole16 (1) != 1)
		return 77;	/* the bytes are written down for little-endian hosts */
	return suite_run ("front-end, hostile answers", tests);
}
