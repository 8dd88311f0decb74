/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The channel on which the back-end asks: what is served, what is refused and how, and that none of it stops the front-end's own work.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "tests/wire/frontend-peer.h"

#define FEATURES (P_REPLY_ACK | P_BACKEND_REQ | P_CONFIG)

static const char *const config_change = "02000000 01000000 00000000";
static const char *const config_change_need_reply = "02000000 09000000 00000000";

static void
begin (script_fn *script, unsigned timeout_ms)
{
	frontend_begin (script, timeout_ms);
	CU_ASSERT_EQUAL_FATAL (vh_frontend_handshake (frontend, UINT64_MAX), 0);
	CU_ASSERT_FATAL (vh_frontend_fd (frontend) >= 0);
	frontend_go_on ();
}

/* Then the back-end waits for the test: what it sends earlier could be served while the front-end waits for its last answer. */
static void
shake_hands (uint64_t features)
{
	peer_handshake (features);
	peer_await_test ();
}

/* Waits for requests of the back-end and serves them. */
static int
serve (void)
{
	struct pollfd p = { .fd = vh_frontend_fd (frontend), .events = POLLIN };

	CU_ASSERT_EQUAL (poll (&p, 1, PATIENCE_MS), 1);
	return vh_frontend_dispatch (frontend);
}

/* The rest of the front-end works as before. */
static void
answer_get_features (void)
{
	peer_expect ("01000000 01000000 00000000", 0);
	peer_send ("01000000 05000000 08000000 0000007001000000");
	peer_expect_end (PEER_MAIN);
}

static void
expect_alive (void)
{
	uint64_t features;

	CU_ASSERT_EQUAL (vh_frontend_get_features (frontend, &features), 0);
	frontend_end ();
}

/* --- served --- */

static void
script_config_change (void)
{
	shake_hands (FEATURES);
	peer_send_on (PEER_CHANNEL, config_change);
	peer_send_on (PEER_CHANNEL, config_change_need_reply);
	peer_expect_on (PEER_CHANNEL, "02000000 05000000 08000000 0000000000000000", 0);
	answer_get_features ();
}

static void
test_config_change (void)
{
	begin (script_config_change, PATIENCE_MS);
	while (config_changes < 2)
		CU_ASSERT_TRUE_FATAL (serve () >= 0);
	CU_ASSERT_EQUAL (vh_frontend_dispatch (frontend), 0);
	expect_alive ();
}

static void
script_no_reply_ack (void)
{
	shake_hands (P_BACKEND_REQ | P_CONFIG);
	/* NEED_REPLY has no meaning here. */
	peer_send_on (PEER_CHANNEL, config_change_need_reply);
	peer_send_on (PEER_CHANNEL, "63000000 09000000 00000000");
	answer_get_features ();
	peer_expect_end (PEER_CHANNEL);
}

static void
test_no_answer_without_reply_ack (void)
{
	unsigned served = 0;

	begin (script_no_reply_ack, PATIENCE_MS);
	while (served < 2) {
		int n = serve ();

		CU_ASSERT_TRUE_FATAL (n >= 0);
		served += n;
	}
	CU_ASSERT_EQUAL (config_changes, 1);
	expect_alive ();
}

/* --- refused --- */

struct refused {
	const char *request, *answer;
	unsigned fds;
};

static const struct refused refused[] = {
	/* Unknown ones. */
	{ "00000000 09000000 00000000", "00000000 05000000 08000000 0100000000000000", 0 },
	{ "0b000000 09000000 00000000", "0b000000 05000000 08000000 0100000000000000", 0 },
	{ "63000000 09000000 08000000 0000000000000000", "63000000 05000000 08000000 0100000000000000", 0 },
	{ "ffffffff 09000000 00000000", "ffffffff 05000000 08000000 0100000000000000", 0 },
	/* CONFIG_CHANGE with a payload, with an fd. */
	{ "02000000 09000000 04000000 00000000", "02000000 05000000 08000000 0100000000000000", 0 },
	{ "02000000 09000000 00000000", "02000000 05000000 08000000 0100000000000000", 1 },
	/* IOTLB miss, without the feature. */
	{ "01000000 09000000 20000000 0000000000000000 0010000000000000 0000000000000000 0301000000000000",
	  "01000000 05000000 08000000 0100000000000000", 0 },
	/* Host notifier, in-band call and error. */
	{ "03000000 09000000 18000000 0000000000000000 0010000000000000 0000000000000000", "03000000 05000000 08000000 0100000000000000", 1 },
	{ "04000000 09000000 08000000 0000000000000000", "04000000 05000000 08000000 0100000000000000", 0 },
	{ "05000000 09000000 08000000 0000000000000000", "05000000 05000000 08000000 0100000000000000", 0 },
	/* Shared objects; a look-up is answered without being asked to. */
	{ "06000000 09000000 10000000 00112233445566778899aabbccddeeff", "06000000 05000000 08000000 0100000000000000", 0 },
	{ "07000000 09000000 10000000 00112233445566778899aabbccddeeff", "07000000 05000000 08000000 0100000000000000", 0 },
	{ "08000000 01000000 10000000 00112233445566778899aabbccddeeff", "08000000 05000000 08000000 0100000000000000", 0 },
	{ "08000000 01000000 02000000 0011", "08000000 05000000 08000000 0100000000000000", 0 },
	/* Shared memory: a mapping with its fd, without, with eight; an unmapping of what is not mapped. */
	{ "09000000 09000000 28000000 0000000000000000 0000000000000000 0000000000000000 0010000000000000 0100000000000000",
	  "09000000 05000000 08000000 0100000000000000", 1 },
	{ "09000000 09000000 28000000 0000000000000000 ffffffffffffffff ffffffffffffffff ffffffffffffffff ffffffffffffffff",
	  "09000000 05000000 08000000 0100000000000000", 0 },
	{ "09000000 09000000 28000000 0000000000000000 0000000000000000 0000000000000000 0010000000000000 0100000000000000",
	  "09000000 05000000 08000000 0100000000000000", 8 },
	{ "0a000000 09000000 28000000 0000000000000000 0000000000000000 0000000000000000 0010000000000000 0000000000000000",
	  "0a000000 05000000 08000000 0100000000000000", 0 },
};

#define N_REFUSED (sizeof (refused) / sizeof (refused[0]))

static void
script_refused (void)
{
	shake_hands (FEATURES);
	for (unsigned i = 0; i < N_REFUSED; i++) {
		peer_send_fds (PEER_CHANNEL, refused[i].request, refused[i].fds);
		peer_expect_on (PEER_CHANNEL, refused[i].answer, 0);
	}
	answer_get_features ();
}

static void
test_refused (void)
{
	unsigned served = 0;

	begin (script_refused, PATIENCE_MS);
	while (served < N_REFUSED) {
		int n = serve ();

		CU_ASSERT_TRUE_FATAL (n >= 0);
		served += n;
	}
	CU_ASSERT_EQUAL (config_changes, 0);
	expect_alive ();
}

/* --- a channel that cannot go on --- */

static const char *malformed;
static unsigned malformed_fds;

static void
script_malformed (void)
{
	shake_hands (FEATURES);
	peer_send_fds (PEER_CHANNEL, malformed, malformed_fds);
	peer_expect_end (PEER_CHANNEL);
	answer_get_features ();
}

static void
test_malformed (void)
{
	static const struct {
		const char *bytes;
		unsigned fds;
		int err;
	} cases[] = {
		{ "02000000 02000000 00000000", 0, -EBADMSG },
		{ "02000000 01000000 01100000", 0, -EBADMSG },
		{ "02000000 01000000 ffffffff", 0, -EBADMSG },
		{ "02000000 01000000 00000000", 9, -EBADMSG },
		/* A reply, though we asked for nothing; a flag that is none. */
		{ "02000000 05000000 08000000 0000000000000000", 0, -EPROTO },
		{ "02000000 11000000 00000000", 0, -EPROTO },
	};

	for (unsigned i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
		malformed = cases[i].bytes;
		malformed_fds = cases[i].fds;
		begin (script_malformed, PATIENCE_MS);
		CU_ASSERT_EQUAL (serve (), cases[i].err);
		CU_ASSERT_EQUAL (vh_frontend_dispatch (frontend), 0);
		CU_ASSERT_EQUAL (config_changes, 0);
		expect_alive ();
	}
}

static void
script_close_channel (void)
{
	shake_hands (FEATURES);
	peer_close (PEER_CHANNEL);
	answer_get_features ();
}

static void
test_closed_by_the_back_end (void)
{
	begin (script_close_channel, PATIENCE_MS);
	CU_ASSERT_EQUAL (serve (), -ECONNRESET);
	expect_alive ();
}

static void
script_refuse_channel (void)
{
	peer_expect ("01000000 01000000 00000000", 0);
	peer_send ("01000000 05000000 08000000 0000007001000000");
	peer_expect ("0f000000 01000000 00000000", 0);
	peer_send_u64 (15, FEATURES);
	peer_expect ("10000000 01000000 08000000 2802000000000000", 0);
	peer_expect ("15000000 09000000 00000000", 1);
	peer_send_u64 (21, 1);
	answer_get_features ();
}

static void
test_channel_refused (void)
{
	frontend_begin (script_refuse_channel, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_handshake (frontend, UINT64_MAX), -EREMOTEIO);
	expect_alive ();
}

/* --- floods --- */

static unsigned flooded;

static void
script_flood (void)
{
	shake_hands (FEATURES);
	flooded = peer_flood (PEER_CHANNEL, config_change);
	peer_done ();
	answer_get_features ();
}

/* A turn serves some and comes back. */
static void
test_flood_is_served_in_turns (void)
{
	unsigned served = 0;

	begin (script_flood, PATIENCE_MS);
	frontend_await_peer ();
	CU_ASSERT_TRUE (flooded > 32);
	while (served < flooded) {
		int n = vh_frontend_dispatch (frontend);

		CU_ASSERT_TRUE_FATAL (n > 0 && n <= 32);
		served += n;
	}
	CU_ASSERT_EQUAL (vh_frontend_dispatch (frontend), 0);
	CU_ASSERT_EQUAL (config_changes, flooded);
	expect_alive ();
}

static void
script_flood_without_reading (void)
{
	shake_hands (FEATURES);
	while (!peer_is_over (PEER_CHANNEL))
		peer_flood (PEER_CHANNEL, config_change_need_reply);
	answer_get_features ();
}

/* Answers that nobody reads are not kept for ever. */
static void
test_flood_without_reading_answers (void)
{
	int n = 0;

	begin (script_flood_without_reading, PATIENCE_MS);
	while (n >= 0)
		n = serve ();
	CU_ASSERT_EQUAL (n, -ETIMEDOUT);
	expect_alive ();
}

/* --- both sides ask --- */

static void
script_ask_before_answering (void)
{
	shake_hands (FEATURES);
	peer_expect ("0b000000 01000000 08000000 00000000 00000000", 0);
	for (int i = 0; i < 100; i++) {
		peer_send_on (PEER_CHANNEL, config_change_need_reply);
		peer_expect_on (PEER_CHANNEL, "02000000 05000000 08000000 0000000000000000", 0);
	}
	peer_send ("0b000000 05000000 08000000 00000000 07000000");
	answer_get_features ();
}

static void
test_back_end_asks_before_it_answers (void)
{
	uint32_t base = 0;

	begin (script_ask_before_answering, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base (frontend, 0, &base), 0);
	CU_ASSERT_EQUAL (base, 7);
	CU_ASSERT_EQUAL (config_changes, 100);
	expect_alive ();
}

static void
script_ask_and_never_answer (void)
{
	shake_hands (FEATURES);
	peer_expect ("01000000 01000000 00000000", 0);
	while (!peer_is_over (PEER_MAIN))
		peer_flood (PEER_CHANNEL, config_change);
}

static void
test_back_end_asks_and_never_answers (void)
{
	uint64_t features;

	begin (script_ask_and_never_answer, SHORT_MS);
	CU_ASSERT_EQUAL (vh_frontend_get_features (frontend, &features), -ETIMEDOUT);
	CU_ASSERT_TRUE (config_changes > 0);
	frontend_end ();
}

static void
script_break_channel_in_call (void)
{
	shake_hands (FEATURES);
	peer_expect ("0b000000 01000000 08000000 00000000 00000000", 0);
	peer_send_on (PEER_CHANNEL, "02000000 03000000 00000000");
	peer_expect_end (PEER_CHANNEL);
	peer_send ("0b000000 05000000 08000000 00000000 07000000");
	answer_get_features ();
}

static void
test_channel_breaks_during_a_call (void)
{
	uint32_t base = 0;

	begin (script_break_channel_in_call, PATIENCE_MS);
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base (frontend, 0, &base), 0);
	CU_ASSERT_EQUAL (base, 7);
	expect_alive ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "CONFIG_CHANGE_MSG", test_config_change },
		{ "no answer without REPLY_ACK", test_no_answer_without_reply_ack },
		{ "requests that are refused", test_refused },
		{ "malformed requests", test_malformed },
		{ "closed by the back-end", test_closed_by_the_back_end },
		{ "refused by the back-end", test_channel_refused },
		{ "a flood is served in turns", test_flood_is_served_in_turns },
		{ "a flood without reading answers", test_flood_without_reading_answers },
		{ "the back-end asks before it answers", test_back_end_asks_before_it_answers },
		{ "the back-end asks and never answers", test_back_end_asks_and_never_answers },
		{ "the channel breaks during a call", test_channel_breaks_during_a_call },
		CU_TEST_INFO_NULL,
	};

	if (htole16 (1) != 1)
		return 77;	/* the bytes are written down for little-endian hosts */
	return suite_run ("front-end, the back-end's channel", tests);
}
