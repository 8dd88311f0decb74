/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The numbers of the protocol: what is typed here is from the specifications of vhost-user and virtio, and what the library calls by the same
 * name must be that number.  The rows of requests have a test of their own, test-message.c, and the GPU's socket has test-gpu.c.
 */
#include <stdbool.h>
#include <stdio.h>

#include <vhost/device.h>
#include <vhost/memory.h>

#include "memory/iotlb.h"
#include "tests/suite.h"
#include "wire/message.h"
#include "wire/payload.h"

#define LENGTH(array) (sizeof (array) / sizeof ((array)[0]))

/* A name, the specification's number, and the library's. */
struct number {
	const char *name;
	uint64_t typed, ours;
};

static void
compare (const struct number *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (numbers[i].typed != numbers[i].ours) {
			printf ("\n      %s is %llu, not %llu\n", numbers[i].name, (unsigned long long) numbers[i].typed, (unsigned long long) numbers[i].ours);
			CU_FAIL ("a number");
		}
}

/* --- ids --- */

#define FE(name, number) { #name, number, REQUEST_##name }
#define BE(name, number) { #name, number, BACKEND_REQUEST_##name }

static const struct number request_ids[] = {
	FE (GET_FEATURES, 1), FE (SET_FEATURES, 2), FE (SET_OWNER, 3), FE (RESET_OWNER, 4), FE (SET_MEM_TABLE, 5), FE (SET_LOG_BASE, 6), FE (SET_LOG_FD, 7),
	FE (SET_VRING_NUM, 8), FE (SET_VRING_ADDR, 9), FE (SET_VRING_BASE, 10), FE (GET_VRING_BASE, 11), FE (SET_VRING_KICK, 12), FE (SET_VRING_CALL, 13),
	FE (SET_VRING_ERR, 14), FE (GET_PROTOCOL_FEATURES, 15), FE (SET_PROTOCOL_FEATURES, 16), FE (GET_QUEUE_NUM, 17), FE (SET_VRING_ENABLE, 18),
	FE (SEND_RARP, 19), FE (NET_SET_MTU, 20), FE (SET_BACKEND_REQ_FD, 21), FE (IOTLB_MSG, 22), FE (SET_VRING_ENDIAN, 23), FE (GET_CONFIG, 24),
	FE (SET_CONFIG, 25), FE (CREATE_CRYPTO_SESSION, 26), FE (CLOSE_CRYPTO_SESSION, 27), FE (POSTCOPY_ADVISE, 28), FE (POSTCOPY_LISTEN, 29),
	FE (POSTCOPY_END, 30), FE (GET_INFLIGHT_FD, 31), FE (SET_INFLIGHT_FD, 32), FE (GPU_SET_SOCKET, 33), FE (RESET_DEVICE, 34), FE (VRING_KICK, 35),
	FE (GET_MAX_MEM_SLOTS, 36), FE (ADD_MEM_REG, 37), FE (REM_MEM_REG, 38), FE (SET_STATUS, 39), FE (GET_STATUS, 40), FE (GET_SHARED_OBJECT, 41),
	FE (SET_DEVICE_STATE_FD, 42), FE (CHECK_DEVICE_STATE, 43), FE (GET_SHMEM_CONFIG, 44), FE (GET_VRING_BASE_SKIP_DRAIN, 45),
};

static const struct number backend_request_ids[] = {
	BE (IOTLB_MSG, 1), BE (CONFIG_CHANGE_MSG, 2), BE (VRING_HOST_NOTIFIER_MSG, 3), BE (VRING_CALL, 4), BE (VRING_ERR, 5), BE (SHARED_OBJECT_ADD, 6),
	BE (SHARED_OBJECT_REMOVE, 7), BE (SHARED_OBJECT_LOOKUP, 8), BE (SHMEM_MAP, 9), BE (SHMEM_UNMAP, 10),
};

static void
ids (void)
{
	CU_ASSERT_EQUAL (LENGTH (request_ids), 45);
	CU_ASSERT_EQUAL (REQUEST_END, 46);
	compare (request_ids, LENGTH (request_ids));
	CU_ASSERT_EQUAL (LENGTH (backend_request_ids), 10);
	CU_ASSERT_EQUAL (BACKEND_REQUEST_END, 11);
	compare (backend_request_ids, LENGTH (backend_request_ids));
}

/* --- feature bits --- */

#define P(name, number) { #name, number, VH_P_##name }
#define F(name, number) { #name, number, VH_F_##name }

static const struct number protocol_bits[] = {
	P (MQ, 0), P (LOG_SHMFD, 1), P (RARP, 2), P (REPLY_ACK, 3), P (MTU, 4), P (BACKEND_REQ, 5), P (CROSS_ENDIAN, 6), P (CRYPTO_SESSION, 7),
	P (PAGEFAULT, 8), P (CONFIG, 9), P (BACKEND_SEND_FD, 10), P (HOST_NOTIFIER, 11), P (INFLIGHT_SHMFD, 12), P (RESET_DEVICE, 13),
	P (INBAND_NOTIFICATIONS, 14), P (CONFIGURE_MEM_SLOTS, 15), P (STATUS, 16), P (XEN_MMAP, 17), P (SHARED_OBJECT, 18), P (DEVICE_STATE, 19),
	P (GET_VRING_BASE_INFLIGHT, 20), P (GPA_ADDRESSES, 21), P (SHMEM, 22), P (GET_VRING_BASE_SKIP_DRAIN, 23),
};

/* Of rings and transport; vhost has two of its own among them. */
static const struct number virtio_bits[] = {
	F (NOTIFY_ON_EMPTY, 24), F (LOG_ALL, 26), F (INDIRECT_DESC, 28), F (EVENT_IDX, 29), F (PROTOCOL_FEATURES, 30), F (VERSION_1, 32),
	F (ACCESS_PLATFORM, 33), F (RING_PACKED, 34), F (IN_ORDER, 35), F (ORDER_PLATFORM, 36), F (NOTIFICATION_DATA, 38), F (RING_RESET, 40),
};

static void
protocol_features (void)
{
	CU_ASSERT_EQUAL (LENGTH (protocol_bits), 24);
	compare (protocol_bits, LENGTH (protocol_bits));
	for (unsigned bit = 0; bit < 24; bit++) {
		CU_ASSERT_EQUAL (protocol_bits[bit].typed, bit);
		CU_ASSERT_PTR_NOT_NULL_FATAL (vh_protocol_feature_name (bit));
		CU_ASSERT_STRING_EQUAL (vh_protocol_feature_name (bit), protocol_bits[bit].name);
	}
	for (unsigned bit = 24; bit < 64; bit++)
		CU_ASSERT_PTR_NULL (vh_protocol_feature_name (bit));
}

static void
virtio_features (void)
{
	compare (virtio_bits, LENGTH (virtio_bits));
	for (size_t i = 0; i < LENGTH (virtio_bits); i++)
		CU_ASSERT_STRING_EQUAL (vh_virtio_feature_name (0, (unsigned) virtio_bits[i].typed), virtio_bits[i].name);
}

/* --- what is inside messages --- */

static const struct number others[] = {
	{ "size of a header", 12, MESSAGE_HEADER_SIZE }, { "version", 1, MESSAGE_VERSION }, { "mask of the version", 3, MESSAGE_VERSION_MASK },
	{ "REPLY", 4, MESSAGE_REPLY }, { "NEED_REPLY", 8, MESSAGE_NEED_REPLY },
	{ "flag of a ring that is logged", 1, VRING_FLAG_LOG },
	{ "regions of one table", 8, VH_MAX_TABLE_REGIONS }, { "rings", 256, VH_MAX_RINGS }, { "bytes of a UUID", 16, UUID_SIZE },
	{ "shared memory regions", 256, VH_MAX_SHMEM }, { "flag of shared memory that may be written", 1, VH_SHMEM_WRITABLE },
	{ "foreign", 1, VH_XEN_FOREIGN }, { "grant", 2, VH_XEN_GRANT }, { "no advance map", 256, VH_XEN_NO_ADVANCE_MAP },
	{ "miss", 1, IOTLB_MISS }, { "update", 2, IOTLB_UPDATE }, { "invalidate", 3, IOTLB_INVALIDATE }, { "access fail", 4, IOTLB_ACCESS_FAIL },
	{ "miss", 1, VH_IOTLB_MISS }, { "update", 2, VH_IOTLB_UPDATE }, { "invalidate", 3, VH_IOTLB_INVALIDATE },
	{ "access fail", 4, VH_IOTLB_ACCESS_FAIL }, { "batch begin", 5, VH_IOTLB_BATCH_BEGIN }, { "batch end", 6, VH_IOTLB_BATCH_END },
	{ "may be read", 1, IOTLB_READ }, { "may be written", 2, IOTLB_WRITE },
	{ "a guest's write to the configuration", 0, VH_CONFIG_WRITE }, { "a migration's", 1, VH_CONFIG_RESTORE },
	{ "save", 0, TRANSFER_SAVE }, { "load", 1, TRANSFER_LOAD }, { "phase: stopped", 0, TRANSFER_PHASE_STOPPED },
	{ "error of a transfer", 255, TRANSFER_ERROR_MASK }, { "a transfer without fd", 256, TRANSFER_NO_FD },
};

static void
other_numbers (void)
{
	compare (others, LENGTH (others));
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "ids of requests", ids },
		{ "protocol features", protocol_features },
		{ "features of rings and transport", virtio_features },
		{ "what is inside messages", other_numbers },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("numbers", tests);
}
