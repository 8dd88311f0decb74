/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names of feature bits.
 */
#include <string.h>

#include <vhost/protocol.h>

#include "tests/suite.h"

/* Virtio device ids. */
enum {
	NET = 1,
	BLK = 2,
	ENTROPY = 4,
	VSOCK = 19,
};

static void
test_protocol_names (void)
{
	CU_ASSERT_STRING_EQUAL (vh_protocol_feature_name (VH_P_MQ), "MQ");
	CU_ASSERT_STRING_EQUAL (vh_protocol_feature_name (VH_P_REPLY_ACK), "REPLY_ACK");
	CU_ASSERT_STRING_EQUAL (vh_protocol_feature_name (VH_P_SHMEM), "SHMEM");
	CU_ASSERT_STRING_EQUAL (vh_protocol_feature_name (VH_P_GET_VRING_BASE_SKIP_DRAIN), "GET_VRING_BASE_SKIP_DRAIN");
	for (unsigned bit = 0; bit <= VH_P_GET_VRING_BASE_SKIP_DRAIN; bit++)
		CU_ASSERT_PTR_NOT_NULL (vh_protocol_feature_name (bit));
	CU_ASSERT_PTR_NULL (vh_protocol_feature_name (VH_P_GET_VRING_BASE_SKIP_DRAIN + 1));
	CU_ASSERT_PTR_NULL (vh_protocol_feature_name (63));
	CU_ASSERT_PTR_NULL (vh_protocol_feature_name (64));
	CU_ASSERT_PTR_NULL (vh_protocol_feature_name (~0u));
}

static void
test_device_names (void)
{
	CU_ASSERT_STRING_EQUAL (vh_virtio_feature_name (BLK, 9), "FLUSH");
	CU_ASSERT_STRING_EQUAL (vh_virtio_feature_name (NET, 9), "GUEST_ECN");
	CU_ASSERT_STRING_EQUAL (vh_virtio_feature_name (NET, 63), "SPEED_DUPLEX");
	CU_ASSERT_STRING_EQUAL (vh_virtio_feature_name (VSOCK, 1), "SEQPACKET");
	CU_ASSERT_PTR_NULL (vh_virtio_feature_name (0, 9));
	CU_ASSERT_PTR_NULL (vh_virtio_feature_name (ENTROPY, 9));
	CU_ASSERT_PTR_NULL (vh_virtio_feature_name (BLK, 63));
	CU_ASSERT_PTR_NULL (vh_virtio_feature_name (NET, 64));
	CU_ASSERT_PTR_NULL (vh_virtio_feature_name (~0u, 9));
}

static void
test_ring_names_for_all_devices (void)
{
	for (unsigned device = 0; device < 64; device++) {
		CU_ASSERT_STRING_EQUAL (vh_virtio_feature_name (device, VH_F_EVENT_IDX), "EVENT_IDX");
		CU_ASSERT_STRING_EQUAL (vh_virtio_feature_name (device, VH_F_VERSION_1), "VERSION_1");
		CU_ASSERT_STRING_EQUAL (vh_virtio_feature_name (device, VH_F_PROTOCOL_FEATURES), "PROTOCOL_FEATURES");
		CU_ASSERT_STRING_EQUAL (vh_virtio_feature_name (device, VH_F_RING_RESET), "RING_RESET");
	}
}

/* A name twice in one device would be a slip in the tables. */
static void
test_names_are_unique (void)
{
	unsigned names = 0;

	for (unsigned device = 0; device < 64; device++)
		for (unsigned a = 0; a < 64; a++)
			for (unsigned b = 0; b < a && vh_virtio_feature_name (device, a); b++)
				if (vh_virtio_feature_name (device, b)) {
					CU_ASSERT_STRING_NOT_EQUAL (vh_virtio_feature_name (device, a), vh_virtio_feature_name (device, b));
					names++;
				}
	CU_ASSERT_TRUE (names > 1000);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "protocol features", test_protocol_names },
		{ "features of devices", test_device_names },
		{ "features of rings, for all devices", test_ring_names_for_all_devices },
		{ "no name twice", test_names_are_unique },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("names", tests);
}
