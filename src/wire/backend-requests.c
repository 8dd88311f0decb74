/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of requests from back-end to front-end.
 */
#include "wire/message.h"

#define P(name) VH_BIT (VH_P_##name)
#define SIZE(n) .min_size = (n), .max_size = (n)
#define FDS(min, max) .min_fds = (min), .max_fds = (max)
#define ACK .answer = ANSWER_ACK, .reply_min = 8, .reply_max = 8

const struct message_row backend_request_rows[BACKEND_REQUEST_END] = {
	[BACKEND_REQUEST_IOTLB_MSG] = { "IOTLB_MSG", SIZE (32), ACK, .protocol = P (BACKEND_REQ), .virtio = VH_BIT (VH_F_ACCESS_PLATFORM) },
	[BACKEND_REQUEST_CONFIG_CHANGE_MSG] = { "CONFIG_CHANGE_MSG", SIZE (0), ACK, .protocol = P (BACKEND_REQ) | P (CONFIG) },
	[BACKEND_REQUEST_VRING_HOST_NOTIFIER_MSG] = { "VRING_HOST_NOTIFIER_MSG", SIZE (24), FDS (0, 1), ACK,
		.protocol = P (BACKEND_REQ) | P (HOST_NOTIFIER) | P (BACKEND_SEND_FD) },
	[BACKEND_REQUEST_VRING_CALL] = { "VRING_CALL", SIZE (8), ACK, .protocol = P (BACKEND_REQ) | P (REPLY_ACK) | P (INBAND_NOTIFICATIONS) },
	[BACKEND_REQUEST_VRING_ERR] = { "VRING_ERR", SIZE (8), ACK, .protocol = P (BACKEND_REQ) | P (REPLY_ACK) | P (INBAND_NOTIFICATIONS) },
	[BACKEND_REQUEST_SHARED_OBJECT_ADD] = { "SHARED_OBJECT_ADD", SIZE (16), ACK, .protocol = P (BACKEND_REQ) | P (SHARED_OBJECT) },
	[BACKEND_REQUEST_SHARED_OBJECT_REMOVE] = { "SHARED_OBJECT_REMOVE", SIZE (16), ACK, .protocol = P (BACKEND_REQ) | P (SHARED_OBJECT) },
	[BACKEND_REQUEST_SHARED_OBJECT_LOOKUP] = { "SHARED_OBJECT_LOOKUP", SIZE (16), .answer = ANSWER_PAYLOAD, .reply_min = 8, .reply_max = 8,
		.reply_fds = 1, .protocol = P (BACKEND_REQ) | P (SHARED_OBJECT) },
	[BACKEND_REQUEST_SHMEM_MAP] = { "SHMEM_MAP", SIZE (40), FDS (1, 1), ACK, .protocol = P (BACKEND_REQ) | P (SHMEM) | P (BACKEND_SEND_FD) },
	[BACKEND_REQUEST_SHMEM_UNMAP] = { "SHMEM_UNMAP", SIZE (40), ACK, .protocol = P (BACKEND_REQ) | P (SHMEM) },
};
