/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hostile front-ends: messages cut, stretched, mislabelled.
 */
#include "backend-hostile.h"

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
	CU_TEST_INFO_NULL,
};
