/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hostile front-ends: features nobody offered, requests of features nobody accepted, and messages in orders nobody expects.
 */
#include "backend-hostile.h"

#include <string.h>

static void
hostile_30_a_feature_that_was_not_offered (void)
{
	uint64_t offered;

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_TRUE (rig_ask_u64 (&rig, FE_GET_FEATURES, &offered));
	for (unsigned bit = 0; bit < 64; bit++)
		if (!(offered & UINT64_C (1) << bit))
			CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, BIT30 | UINT64_C (1) << bit), REFUSAL);
	CU_ASSERT_EQUAL (vh_backend_features (rig.backend), BIT_VERSION_1 | BIT30);
	CU_ASSERT_EQUAL (device.features, BIT_VERSION_1);
}

static void
hostile_30_features_that_the_device_refuses (void)
{
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, BIT_VERSION_1 | BIT30 | 1u << DEVICE_BAD_FEATURE), REFUSAL);
	CU_ASSERT_EQUAL (vh_backend_features (rig.backend), BIT_VERSION_1 | BIT30);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, BIT_VERSION_1 | BIT30 | 1u << DEVICE_FEATURE), ACK);
}

static void
hostile_30_features_while_a_ring_runs (void)
{
	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, BIT30), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, BIT_VERSION_1), REFUSAL);
	/* The same once more is what QEMU does. */
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, BIT_VERSION_1 | BIT30), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
}

static void
hostile_31_a_protocol_feature_that_is_undefined (void)
{
	uint64_t offered;

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_TRUE (rig_ask_u64 (&rig, FE_GET_PROTOCOL_FEATURES, &offered));
	for (unsigned bit = 0; bit < 64; bit++)
		if (!(offered & UINT64_C (1) << bit))
			CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL | UINT64_C (1) << bit), REFUSAL);
	CU_ASSERT_EQUAL (vh_backend_protocol_features (rig.backend), PROTOCOL_ALL);
}

/* A request of a feature that is not in force, in a form that would be right.  fds: as many copies of the guest's memory. */
static const struct gated {
	uint32_t request, size;
	unsigned fds;
	enum outcome refusal;
} gated[] = {
	{ 6, 16, 1, CLOSED },	/* SET_LOG_BASE: without LOG_SHMFD; its answer cannot say "failed" */
	{ 7, 0, 1, REFUSAL },	/* SET_LOG_FD: without LOG_ALL */
	{ 19, 8, 0, REFUSAL },	/* SEND_RARP */
	{ 20, 8, 0, REFUSAL },	/* NET_SET_MTU */
	{ 22, 32, 0, REFUSAL },	/* IOTLB_MSG */
	{ 23, 8, 0, REFUSAL },	/* SET_VRING_ENDIAN */
	{ 26, 1072, 0, ANSWER },	/* CREATE_CRYPTO_SESSION: a session of -1 */
	{ 27, 8, 0, REFUSAL },	/* CLOSE_CRYPTO_SESSION */
	{ 28, 0, 0, ANSWER },	/* POSTCOPY_ADVISE: a reply without an fd */
	{ 29, 0, 0, REFUSAL },	/* POSTCOPY_LISTEN */
	{ 30, 0, 0, REFUSAL },	/* POSTCOPY_END */
	{ 31, 24, 0, ANSWER },	/* GET_INFLIGHT_FD: "none" */
	{ 32, 24, 1, REFUSAL },	/* SET_INFLIGHT_FD */
	{ 33, 0, 1, REFUSAL },	/* GPU_SET_SOCKET */
	{ 35, 8, 0, REFUSAL },	/* VRING_KICK */
	{ 39, 8, 0, REFUSAL },	/* SET_STATUS */
	{ 40, 0, 0, CLOSED },	/* GET_STATUS */
	{ 41, 16, 0, ANSWER },	/* GET_SHARED_OBJECT: no fd */
	{ 42, 8, 1, REFUSAL },	/* SET_DEVICE_STATE_FD: its own form */
	{ 43, 0, 0, REFUSAL },	/* CHECK_DEVICE_STATE: its own form */
	{ 44, 0, 0, CLOSED },	/* GET_SHMEM_CONFIG */
	{ 45, 8, 0, CLOSED },	/* GET_VRING_BASE_SKIP_DRAIN */
};

static void
hostile_32_requests_of_features_not_negotiated (void)
{
	static const uint8_t zeroes[4096];

	for (unsigned i = 0; i < sizeof (gated) / sizeof (gated[0]); i++) {
		enum outcome o;

		CU_ASSERT_TRUE (rig_negotiate (&rig));
		o = rig_tell (&rig, gated[i].request, zeroes, gated[i].size, &rig.guest.fd, gated[i].fds);
		CU_ASSERT_EQUAL (o, gated[i].refusal);
		CU_ASSERT_EQUAL (rig_alive (&rig), o != CLOSED);
		rig_reopen (&rig);
	}
}

static void
hostile_32_some_requests_are_always_answered (void)
{
	static const uint8_t zeroes[32];

	/* IOTLB_MSG and POSTCOPY_END: though neither NEED_REPLY nor REPLY_ACK is there. */
	rig_send (&rig, 22, FLAG_VERSION, zeroes, 32, NULL, 0);
	CU_ASSERT_EQUAL (rig_receive (&rig, 22, NULL), REFUSAL);
	rig_send (&rig, 30, FLAG_VERSION, zeroes, 0, NULL, 0);
	CU_ASSERT_EQUAL (rig_receive (&rig, 30, NULL), REFUSAL);
	CU_ASSERT_TRUE (rig_alive (&rig));
}

static void
hostile_32_requests_before_their_feature_was_accepted (void)
{
	static const uint8_t zeroes[64];
	struct piece whole = rig_whole ();

	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_REPLY_ACK), ACK);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &whole, rig.guest.fd), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_REM_MEM_REG, &whole, -1), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_BACKEND_REQ_FD, "", 0, &rig.socket, 1), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_CONFIG, zeroes, 13, NULL, 0), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_RESET_DEVICE), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_GET_MAX_MEM_SLOTS), CLOSED);
}

/* SET_VRING_ENABLE belongs to bit 30.  SET_FEATURES decides, but QEMU does not wait for it where SET_PROTOCOL_FEATURES has come. */
static void
hostile_32_rings_enabled_before_bit_30_was_accepted (void)
{
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_REPLY_ACK), ACK);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENABLE, 0, 1), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, BIT_VERSION_1), ACK);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENABLE, 0, 1), REFUSAL);
	rig_reopen (&rig);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENABLE, 0, 1), CLOSED);
}

/* QEMU shakes hands once for each pair of a network device's queues, over one connection, also when rings of the first pair run. */
static void
a_handshake_again_and_again (void)
{
	uint64_t offered;

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	for (unsigned i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL (rig_tell_nothing (&rig, FE_SET_OWNER), ACK);
		CU_ASSERT_TRUE (rig_ask_u64 (&rig, FE_GET_PROTOCOL_FEATURES, &offered));
		CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL), ACK);
		CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, BIT_VERSION_1 | BIT30), ACK);
		CU_ASSERT_TRUE (rig_serve (&rig, 0, i));
	}
	CU_ASSERT_EQUAL (device.starts, 1);
}

static void
hostile_33_started_before_anything_else (void)
{
	struct driver *d = &rig.drivers[0];

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	driver_open (d, &rig.guest, 0, 64);
	CU_ASSERT_TRUE (rig_start_ring (&rig, 0));
	driver_kick (d);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.starts, 0);
	/* What was missing comes: it runs, though the order is the wrong one. */
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, GUEST_USER + driver_desc_at (d), GUEST_USER + driver_avail_at (d), GUEST_USER + driver_used_at (d)),
			 ACK);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, 64), ACK);
	CU_ASSERT_EQUAL (device.starts, 0);
	CU_ASSERT_TRUE (rig_give_memory (&rig));
	CU_ASSERT_EQUAL (device.starts, 1);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
}

static void
hostile_34_addresses_before_memory (void)
{
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_TRUE (rig_place_ring (&rig, 0, 64, 0));
	CU_ASSERT_TRUE (rig_give_memory (&rig));
	CU_ASSERT_TRUE (rig_start_ring (&rig, 0) && rig_serve (&rig, 0, 0));
}

static void
hostile_34_addresses_before_memory_that_does_not_hold_them (void)
{
	struct driver *d = &rig.drivers[0];

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	driver_open (d, &rig.guest, 0, 64);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, 64), ACK);
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, 0x1000, 0x2000, 0x3000), ACK);
	CU_ASSERT_TRUE (rig_start_ring (&rig, 0));
	CU_ASSERT_TRUE (rig_give_memory (&rig));
	CU_ASSERT_EQUAL (device.starts, 0);
	CU_ASSERT_EQUAL (driver_signals (d->err), 1);
	CU_ASSERT_TRUE (rig_alive (&rig));
}

static void
hostile_34_memory_before_features (void)
{
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL), ACK);
	CU_ASSERT_TRUE (rig_give_memory (&rig));
	CU_ASSERT_TRUE (rig_place_ring (&rig, 0, 64, 0));
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, BIT_VERSION_1 | BIT30), ACK);
	CU_ASSERT_TRUE (rig_start_ring (&rig, 0) && rig_serve (&rig, 0, 0));
}

static void
hostile_35_inflight_before_any_ring (void)
{
	struct bytes b = { .n = 0 };

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	bytes_u64 (&b, 4096);
	bytes_u64 (&b, 0);
	bytes_u16 (&b, 1);
	bytes_u16 (&b, 64);
	bytes_u32 (&b, 0);
	CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_INFLIGHT_FD, b.data, (uint32_t) b.n, &rig.guest.fd, 1), REFUSAL);
	CU_ASSERT_TRUE (rig_give_memory (&rig) && rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0) && rig_serve (&rig, 0, 0));
}

static void
hostile_36_a_disabled_ring_has_no_effect (void)
{
	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENABLE, 0, 0), ACK);
	driver_ask (&rig.drivers[0], 0);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.served, 0);
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 0);
	driver_signals (rig.drivers[0].kick);
	/* Enabled again, it is looked at without another kick. */
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENABLE, 0, 1), ACK);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 0));
}

static void
hostile_36_enable_takes_0_and_1_only (void)
{
	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENABLE, 0, 2), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENABLE, 0, 0xffffffff), REFUSAL);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
}

static void
hostile_37_a_kick_after_get_vring_base (void)
{
	uint32_t base;

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base) && base == 1);
	driver_ask (&rig.drivers[0], 1);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.served, 1);
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 0);
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base) && base == 1);
}

struct CU_TestInfo order_cases[] = {
	CASE (hostile_30_a_feature_that_was_not_offered),
	CASE (hostile_30_features_that_the_device_refuses),
	CASE (hostile_30_features_while_a_ring_runs),
	CASE (hostile_31_a_protocol_feature_that_is_undefined),
	CASE (hostile_32_requests_of_features_not_negotiated),
	CASE (hostile_32_some_requests_are_always_answered),
	CASE (hostile_32_requests_before_their_feature_was_accepted),
	CASE (hostile_32_rings_enabled_before_bit_30_was_accepted),
	CASE (a_handshake_again_and_again),
	CASE (hostile_33_started_before_anything_else),
	CASE (hostile_34_addresses_before_memory),
	CASE (hostile_34_addresses_before_memory_that_does_not_hold_them),
	CASE (hostile_34_memory_before_features),
	CASE (hostile_35_inflight_before_any_ring),
	CASE (hostile_36_a_disabled_ring_has_no_effect),
	CASE (hostile_36_enable_takes_0_and_1_only),
	CASE (hostile_37_a_kick_after_get_vring_base),
	CU_TEST_INFO_NULL,
};
