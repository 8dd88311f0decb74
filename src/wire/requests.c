/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of requests from front-end to back-end.
 */
#include "wire/message.h"

/* Sizes of payloads (vhost-user, "Message payload"). */
#define U64 8
#define STATE 8
#define ADDR 40
#define REGION 32
#define XEN_REGION 40
#define TABLE(n) (8 + (n) * REGION)
#define XEN_TABLE(n) (8 + (n) * XEN_REGION)
#define SINGLE (8 + REGION)
#define XEN_SINGLE (8 + XEN_REGION)
#define LOG 16
#define IOTLB 32
#define CONFIG(n) (12 + (n))
#define INFLIGHT_SPEC 20	/* as the specification draws it, without padding */
#define INFLIGHT 24		/* as every implementation sends it */
#define UUID 16
#define TRANSFER 8
#define CRYPTO 1072
#define SHMEM_CONFIG 2056

#define P(name) VH_BIT (VH_P_##name)
#define F(name) VH_BIT (VH_F_##name)

/* Rows of a common kind: no payload, a u64, a vring state. */
#define NOTHING .min_size = 0, .max_size = 0
#define SIZE(n) .min_size = (n), .max_size = (n)
#define FDS(min, max) .min_fds = (min), .max_fds = (max)
#define ACK .answer = ANSWER_ACK, .reply_min = U64, .reply_max = U64
#define U64_ANSWER .answer = ANSWER_U64, .reply_min = U64, .reply_max = U64
#define REPLY(min, max) .answer = ANSWER_PAYLOAD, .reply_min = (min), .reply_max = (max)

const struct message_row request_rows[REQUEST_END] = {
	[REQUEST_GET_FEATURES] = { "GET_FEATURES", NOTHING, REPLY (U64, U64) },
	[REQUEST_SET_FEATURES] = { "SET_FEATURES", SIZE (U64), ACK },
	[REQUEST_SET_OWNER] = { "SET_OWNER", NOTHING, ACK },
	[REQUEST_RESET_OWNER] = { "RESET_OWNER", NOTHING, ACK },
	/* The empty and the u64 forms are the final ack of postcopy; the answer with regions is postcopy's too. */
	[REQUEST_SET_MEM_TABLE] = { "SET_MEM_TABLE", .min_size = 0, .max_size = XEN_TABLE (8), FDS (0, 8), ACK },
	/* libvhost-user answers 8 bytes, rust-vmm 16, DPDK none. */
	[REQUEST_SET_LOG_BASE] = { "SET_LOG_BASE", SIZE (LOG), FDS (1, 1), REPLY (0, LOG), .protocol = P (LOG_SHMFD) },
	[REQUEST_SET_LOG_FD] = { "SET_LOG_FD", NOTHING, FDS (1, 1), ACK, .virtio = F (LOG_ALL) },
	[REQUEST_SET_VRING_NUM] = { "SET_VRING_NUM", SIZE (STATE), ACK },
	[REQUEST_SET_VRING_ADDR] = { "SET_VRING_ADDR", SIZE (ADDR), ACK },
	[REQUEST_SET_VRING_BASE] = { "SET_VRING_BASE", SIZE (STATE), ACK },
	[REQUEST_GET_VRING_BASE] = { "GET_VRING_BASE", SIZE (STATE), REPLY (STATE, STATE) },
	[REQUEST_SET_VRING_KICK] = { "SET_VRING_KICK", SIZE (U64), FDS (0, 1), ACK },
	[REQUEST_SET_VRING_CALL] = { "SET_VRING_CALL", SIZE (U64), FDS (0, 1), ACK },
	[REQUEST_SET_VRING_ERR] = { "SET_VRING_ERR", SIZE (U64), FDS (0, 1), ACK },
	/* These two come before SET_FEATURES, so bit 30 need only be offered. */
	[REQUEST_GET_PROTOCOL_FEATURES] = { "GET_PROTOCOL_FEATURES", NOTHING, REPLY (U64, U64), .virtio = F (PROTOCOL_FEATURES), .offered = true },
	[REQUEST_SET_PROTOCOL_FEATURES] = { "SET_PROTOCOL_FEATURES", SIZE (U64), ACK, .virtio = F (PROTOCOL_FEATURES), .offered = true },
	[REQUEST_GET_QUEUE_NUM] = { "GET_QUEUE_NUM", NOTHING, REPLY (U64, U64), .protocol = P (MQ) },
	[REQUEST_SET_VRING_ENABLE] = { "SET_VRING_ENABLE", SIZE (STATE), ACK, .virtio = F (PROTOCOL_FEATURES) },
	[REQUEST_SEND_RARP] = { "SEND_RARP", SIZE (U64), ACK, .protocol = P (RARP) },
	[REQUEST_NET_SET_MTU] = { "NET_SET_MTU", SIZE (U64), ACK, .protocol = P (MTU) },
	[REQUEST_SET_BACKEND_REQ_FD] = { "SET_BACKEND_REQ_FD", NOTHING, FDS (1, 1), ACK, .protocol = P (BACKEND_REQ) },
	[REQUEST_IOTLB_MSG] = { "IOTLB_MSG", SIZE (IOTLB), U64_ANSWER, .virtio = F (ACCESS_PLATFORM) },
	[REQUEST_SET_VRING_ENDIAN] = { "SET_VRING_ENDIAN", SIZE (STATE), ACK, .protocol = P (CROSS_ENDIAN) },
	/* An error is a reply with an empty body, or (rust-vmm) with the 12 bytes before the data alone. */
	[REQUEST_GET_CONFIG] = { "GET_CONFIG", .min_size = CONFIG (0), .max_size = MESSAGE_MAX_BODY, REPLY (0, MESSAGE_MAX_BODY), .protocol = P (CONFIG) },
	[REQUEST_SET_CONFIG] = { "SET_CONFIG", .min_size = CONFIG (1), .max_size = MESSAGE_MAX_BODY, ACK, .protocol = P (CONFIG) },
	[REQUEST_CREATE_CRYPTO_SESSION] = { "CREATE_CRYPTO_SESSION", SIZE (CRYPTO), REPLY (CRYPTO, CRYPTO), .protocol = P (CRYPTO_SESSION) },
	[REQUEST_CLOSE_CRYPTO_SESSION] = { "CLOSE_CRYPTO_SESSION", SIZE (U64), ACK, .protocol = P (CRYPTO_SESSION) },
	[REQUEST_POSTCOPY_ADVISE] = { "POSTCOPY_ADVISE", NOTHING, REPLY (0, 0), .reply_fds = 1, .protocol = P (PAGEFAULT) },
	[REQUEST_POSTCOPY_LISTEN] = { "POSTCOPY_LISTEN", NOTHING, ACK, .protocol = P (PAGEFAULT) },
	[REQUEST_POSTCOPY_END] = { "POSTCOPY_END", NOTHING, U64_ANSWER, .protocol = P (PAGEFAULT) },
	[REQUEST_GET_INFLIGHT_FD] = { "GET_INFLIGHT_FD", .min_size = INFLIGHT_SPEC, .max_size = INFLIGHT, REPLY (INFLIGHT_SPEC, INFLIGHT), .reply_fds = 1,
		.protocol = P (INFLIGHT_SHMFD) },
	[REQUEST_SET_INFLIGHT_FD] = { "SET_INFLIGHT_FD", .min_size = INFLIGHT_SPEC, .max_size = INFLIGHT, FDS (1, 1), ACK, .protocol = P (INFLIGHT_SHMFD) },
	[REQUEST_GPU_SET_SOCKET] = { "GPU_SET_SOCKET", NOTHING, FDS (1, 1), ACK },
	[REQUEST_RESET_DEVICE] = { "RESET_DEVICE", NOTHING, ACK, .protocol = P (RESET_DEVICE) },
	[REQUEST_VRING_KICK] = { "VRING_KICK", SIZE (STATE), ACK, .protocol = P (INBAND_NOTIFICATIONS) },
	[REQUEST_GET_MAX_MEM_SLOTS] = { "GET_MAX_MEM_SLOTS", NOTHING, REPLY (U64, U64), .protocol = P (CONFIGURE_MEM_SLOTS) },
	[REQUEST_ADD_MEM_REG] = { "ADD_MEM_REG", .min_size = SINGLE, .max_size = XEN_SINGLE, FDS (1, 1), ACK, .protocol = P (CONFIGURE_MEM_SLOTS) },
	/* Older front-ends send an fd here; it is closed. */
	[REQUEST_REM_MEM_REG] = { "REM_MEM_REG", .min_size = SINGLE, .max_size = XEN_SINGLE, FDS (0, 1), ACK, .protocol = P (CONFIGURE_MEM_SLOTS) },
	[REQUEST_SET_STATUS] = { "SET_STATUS", SIZE (U64), ACK, .protocol = P (STATUS) },
	[REQUEST_GET_STATUS] = { "GET_STATUS", NOTHING, REPLY (U64, U64), .protocol = P (STATUS) },
	/* QEMU has sent it without its UUID. */
	[REQUEST_GET_SHARED_OBJECT] = { "GET_SHARED_OBJECT", .min_size = 0, .max_size = UUID, REPLY (0, UUID), .reply_fds = 1, .protocol = P (SHARED_OBJECT) },
	[REQUEST_SET_DEVICE_STATE_FD] = { "SET_DEVICE_STATE_FD", SIZE (TRANSFER), FDS (1, 1), REPLY (U64, U64), .reply_fds = 1, .protocol = P (DEVICE_STATE) },
	[REQUEST_CHECK_DEVICE_STATE] = { "CHECK_DEVICE_STATE", NOTHING, REPLY (U64, U64), .protocol = P (DEVICE_STATE) },
	[REQUEST_GET_SHMEM_CONFIG] = { "GET_SHMEM_CONFIG", NOTHING, REPLY (SHMEM_CONFIG, SHMEM_CONFIG), .protocol = P (SHMEM) },
	[REQUEST_GET_VRING_BASE_SKIP_DRAIN] = { "GET_VRING_BASE_SKIP_DRAIN", SIZE (STATE), REPLY (STATE, STATE),
		.protocol = P (GET_VRING_BASE_SKIP_DRAIN) | P (GET_VRING_BASE_INFLIGHT) | P (INFLIGHT_SHMFD) },
};

/* vhost-user, POSTCOPY_LISTEN: the same request, answered in another way, and then acknowledged by a second one of eight zero bytes. */
const struct message_row postcopy_table_row = { "SET_MEM_TABLE", .min_size = TABLE (1), .max_size = TABLE (8), FDS (1, 8), REPLY (TABLE (1), TABLE (8)),
	.protocol = P (PAGEFAULT) };
const struct message_row postcopy_known_row = { "SET_MEM_TABLE", SIZE (U64), .answer = ANSWER_NONE, .protocol = P (PAGEFAULT) };
