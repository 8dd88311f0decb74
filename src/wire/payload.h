/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Payloads: the structures of the wire (packed, native byte order, used only in src/wire) and the decoded values that everyone else sees.  A decoder reads
 * from a message whose form was checked against its row and refuses with -EBADMSG what the specification calls invalid; an encoder sets body and size.
 */
#ifndef WIRE_PAYLOAD_H
#define WIRE_PAYLOAD_H

#include <vhost/crypto.h>
#include <vhost/memory.h>

#include "wire/message.h"

/* u64: features, numbers, acks. */
int message_get_u64 (const struct message *, uint64_t *ret);
void message_put_u64 (struct message *, uint64_t value);

/* Vring state: index and a number. */
struct vring_state {
	uint32_t index;
	uint32_t num;
};
int message_get_state (const struct message *, struct vring_state *ret);
void message_put_state (struct message *, const struct vring_state *);

/* The ring messages that carry a file descriptor: bits 0-7 the ring, bit 8 "no fd". */
struct vring_fd {
	unsigned index;
	bool no_fd;
};
/* -EBADMSG also when the bit and the number of fds disagree, or higher bits are set. */
int message_get_vring_fd (const struct message *, struct vring_fd *ret);
void message_put_vring_fd (struct message *, const struct vring_fd *);

/* Vring addresses.  The decoder checks flags and alignment (descriptors 16, avail 2, used 4). */
struct vring_addresses {
	uint32_t index;
	uint32_t flags;
	uint64_t desc, used, avail, log;
};
#define VRING_FLAG_LOG 0x1u
int message_get_vring_addresses (const struct message *, struct vring_addresses *ret);
void message_put_vring_addresses (struct message *, const struct vring_addresses *);

/*
 * Regions: `xen` says whether the layout is the extended one (XEN_MMAP in force).  The decoders check numbers and sizes of the message; the regions
 * themselves are checked where they are mapped.  The fd fields are set to -1: fd i of the message belongs to region i.
 */
int message_get_mem_table (const struct message *, bool xen, struct vh_region regions[VH_MAX_TABLE_REGIONS], unsigned *n);
void message_put_mem_table (struct message *, bool xen, const struct vh_region *regions, unsigned n);
int message_get_mem_region (const struct message *, bool xen, struct vh_region *ret);
void message_put_mem_region (struct message *, bool xen, const struct vh_region *);

/* Configuration space: offset, size, flags, and the bytes, which stay in the message. */
struct config_range {
	uint32_t offset, size, flags;
};
/* -EBADMSG when the size field and the payload disagree.  *data points into the message. */
int message_get_config (struct message *, struct config_range *ret, uint8_t **data);
/* Sets header fields of the payload and makes room for size bytes (zeroed): returns where they go. */
uint8_t *message_put_config (struct message *, const struct config_range *);

/* Log description: bytes, and where the first one is in the file. */
int message_get_log (const struct message *, uint64_t *size, uint64_t *offset);
void message_put_log (struct message *, uint64_t size, uint64_t offset);

/* IOTLB message: a translation (update), addresses without one (invalidate), an address that needs one (miss). */
struct iotlb_message {
	uint64_t iova, size, user;
	unsigned perm, type;
};
enum { IOTLB_MISS = 1, IOTLB_UPDATE = 2, IOTLB_INVALIDATE = 3, IOTLB_ACCESS_FAIL = 4 };
int message_get_iotlb (const struct message *, struct iotlb_message *ret);
void message_put_iotlb (struct message *, const struct iotlb_message *);

/* Inflight description: an area of `size` bytes at `offset` of the file, for that many rings of up to `entries` requests. */
struct inflight_area {
	uint64_t size, offset;
	unsigned rings, entries;
};
/*
 * The specification draws it with 20 bytes, and everybody sends the C structure, which has 24: both are taken, 24 are sent, and the answer to GET_INFLIGHT_FD
 * is as long as the request, because somebody who sends 20 reads as many.
 */
int message_get_inflight (const struct message *, struct inflight_area *ret);
void message_put_inflight (struct message *, const struct inflight_area *);
void message_answer_inflight (struct message *, const struct message *request, const struct inflight_area *);

/* --- payload-device.c: payloads of single kinds of devices --- */

/* Names of shared objects: 16 bytes as they are.  -EBADMSG for another size. */
#define UUID_SIZE 16
int message_get_uuid (const struct message *, uint8_t uuid[UUID_SIZE]);
void message_put_uuid (struct message *, const uint8_t uuid[UUID_SIZE]);

/* Device state (SET_DEVICE_STATE_FD): values are the wire's, unchecked. */
struct state_transfer {
	uint32_t direction;	/* TRANSFER_* */
	uint32_t phase;
};
#define TRANSFER_SAVE 0
#define TRANSFER_LOAD 1
#define TRANSFER_PHASE_STOPPED 0
int message_get_transfer (const struct message *, struct state_transfer *ret);
void message_put_transfer (struct message *, const struct state_transfer *);

/* The answer to it: bits 0-7 an error, bit 8 "no fd". */
#define TRANSFER_ERROR_MASK 0xffu
#define TRANSFER_NO_FD 0x100u

/* Shared memory: the sizes of the regions, 0 for those that are not there; and a piece of a file in one of them. */
void message_put_shmem_sizes (struct message *, const uint64_t sizes[VH_MAX_SHMEM]);
/* -EBADMSG when the number in front disagrees.  The padding behind it may hold anything: it is in an answer, where a peer that leaves it unset is no danger. */
int message_get_shmem_sizes (const struct message *, uint64_t sizes[VH_MAX_SHMEM]);
/* -EBADMSG: flags that are not defined, padding that is not 0 (rust-vmm does not look at it), an empty or wrapping range. */
int message_get_shmem_map (const struct message *, struct vh_shmem_map *ret);
void message_put_shmem_map (struct message *, const struct vh_shmem_map *);

/* Where a ring is kicked directly (VRING_HOST_NOTIFIER_MSG).  The decoder checks as message_get_vring_fd. */
struct notifier_area {
	struct vring_fd ring;
	uint64_t size, offset;
};
int message_get_area (const struct message *, struct notifier_area *ret);
void message_put_area (struct message *, const struct notifier_area *);

/* Crypto sessions.  -EBADMSG: an unknown operation, a length beyond its array.  The answer is a session's payload without keys. */
int message_get_crypto (const struct message *, struct vh_crypto_session *ret);
void message_put_crypto (struct message *, const struct vh_crypto_session *);
void message_put_crypto_id (struct message *, int64_t id);
int message_get_crypto_id (const struct message *, int64_t *ret);

#endif
