/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers of the vhost-user protocol and of virtio that users of this library need: feature bits by bit number.
 */
#ifndef VHOST_PROTOCOL_H
#define VHOST_PROTOCOL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define VH_BIT(n) (UINT64_C (1) << (n))

/* Virtio feature bits of rings and transport (virtio 1.2, 6 "Reserved Feature Bits"; vhost). */
#define VH_F_NOTIFY_ON_EMPTY 24
#define VH_F_LOG_ALL 26			/* vhost: dirty log; never shown to a guest */
#define VH_F_INDIRECT_DESC 28
#define VH_F_EVENT_IDX 29
#define VH_F_PROTOCOL_FEATURES 30	/* vhost-user: never shown to a guest */
#define VH_F_VERSION_1 32
#define VH_F_ACCESS_PLATFORM 33
#define VH_F_RING_PACKED 34
#define VH_F_IN_ORDER 35
#define VH_F_ORDER_PLATFORM 36
#define VH_F_NOTIFICATION_DATA 38
#define VH_F_RING_RESET 40

/* vhost-user protocol feature bits (vhost-user, "Protocol features"). */
#define VH_P_MQ 0
#define VH_P_LOG_SHMFD 1
#define VH_P_RARP 2
#define VH_P_REPLY_ACK 3
#define VH_P_MTU 4
#define VH_P_BACKEND_REQ 5
#define VH_P_CROSS_ENDIAN 6
#define VH_P_CRYPTO_SESSION 7
#define VH_P_PAGEFAULT 8
#define VH_P_CONFIG 9
#define VH_P_BACKEND_SEND_FD 10
#define VH_P_HOST_NOTIFIER 11
#define VH_P_INFLIGHT_SHMFD 12
#define VH_P_RESET_DEVICE 13
#define VH_P_INBAND_NOTIFICATIONS 14
#define VH_P_CONFIGURE_MEM_SLOTS 15
#define VH_P_STATUS 16
#define VH_P_XEN_MMAP 17
#define VH_P_SHARED_OBJECT 18
#define VH_P_DEVICE_STATE 19
#define VH_P_GET_VRING_BASE_INFLIGHT 20
#define VH_P_GPA_ADDRESSES 21
#define VH_P_SHMEM 22
#define VH_P_GET_VRING_BASE_SKIP_DRAIN 23

/* Flags of SET_CONFIG (vhost-user, "Virtio device config space"). */
#define VH_CONFIG_WRITE 0	/* the guest writes: read-only fields are refused */
#define VH_CONFIG_RESTORE 1	/* migration restores: all fields */

/* Largest part of the configuration space that one message carries. */
#define VH_MAX_CONFIG_SIZE 256

/* Most rings of a device (vhost-user: eight bits in the ring messages). */
#define VH_MAX_RINGS 256

/* The name of a shared object: a UUID in the byte order of RFC 4122. */
#define VH_UUID_SIZE 16

/* Shared memory regions of a device (virtio 1.2, 2.10): so many ids. */
#define VH_MAX_SHMEM 256

/* A piece of a file in a shared memory region (vhost-user, "VIRTIO shared memory mapping"). */
#define VH_SHMEM_WRITABLE 0x1u
struct vh_shmem_map {
	uint8_t id;		/* of the region */
	unsigned flags;		/* VH_SHMEM_* */
	uint64_t fd_offset;	/* in the file, where the piece begins */
	uint64_t offset;	/* in the region */
	uint64_t size;		/* bytes, not 0 */
};

/*
 * The name of a bit, as the specifications spell it without prefix ("EVENT_IDX", "REPLY_ACK"); NULL when it has none here.
 * vh_virtio_feature_name knows the bits of rings and transport, and those of a device when `device_id` (virtio device id) is not 0.
 */
const char *vh_virtio_feature_name (unsigned device_id, unsigned bit);
const char *vh_protocol_feature_name (unsigned bit);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
