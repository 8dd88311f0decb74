/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A message of the vhost-user protocol, and the table that says what each request looks like: one row per request, array index = id, for both directions.
 * Back-end and front-end use the same rows, tests and fuzzers walk them; there is no second list of names or sizes.
 */
#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vhost/protocol.h>

/* Header flags (vhost-user, "Header"). */
#define MESSAGE_VERSION 0x1u
#define MESSAGE_VERSION_MASK 0x3u
#define MESSAGE_REPLY 0x4u
#define MESSAGE_NEED_REPLY 0x8u

#define MESSAGE_HEADER_SIZE 12
#define MESSAGE_MAX_BODY 4096	/* the largest defined is SHMEM configuration, 2056 */
#define MESSAGE_MAX_FDS 8	/* a table of 8 regions has one each */

/* Front-end to back-end (vhost-user, "Front-end message types"). */
enum request {
	REQUEST_GET_FEATURES = 1,
	REQUEST_SET_FEATURES = 2,
	REQUEST_SET_OWNER = 3,
	REQUEST_RESET_OWNER = 4,
	REQUEST_SET_MEM_TABLE = 5,
	REQUEST_SET_LOG_BASE = 6,
	REQUEST_SET_LOG_FD = 7,
	REQUEST_SET_VRING_NUM = 8,
	REQUEST_SET_VRING_ADDR = 9,
	REQUEST_SET_VRING_BASE = 10,
	REQUEST_GET_VRING_BASE = 11,
	REQUEST_SET_VRING_KICK = 12,
	REQUEST_SET_VRING_CALL = 13,
	REQUEST_SET_VRING_ERR = 14,
	REQUEST_GET_PROTOCOL_FEATURES = 15,
	REQUEST_SET_PROTOCOL_FEATURES = 16,
	REQUEST_GET_QUEUE_NUM = 17,
	REQUEST_SET_VRING_ENABLE = 18,
	REQUEST_SEND_RARP = 19,
	REQUEST_NET_SET_MTU = 20,
	REQUEST_SET_BACKEND_REQ_FD = 21,
	REQUEST_IOTLB_MSG = 22,
	REQUEST_SET_VRING_ENDIAN = 23,
	REQUEST_GET_CONFIG = 24,
	REQUEST_SET_CONFIG = 25,
	REQUEST_CREATE_CRYPTO_SESSION = 26,
	REQUEST_CLOSE_CRYPTO_SESSION = 27,
	REQUEST_POSTCOPY_ADVISE = 28,
	REQUEST_POSTCOPY_LISTEN = 29,
	REQUEST_POSTCOPY_END = 30,
	REQUEST_GET_INFLIGHT_FD = 31,
	REQUEST_SET_INFLIGHT_FD = 32,
	REQUEST_GPU_SET_SOCKET = 33,
	REQUEST_RESET_DEVICE = 34,
	REQUEST_VRING_KICK = 35,
	REQUEST_GET_MAX_MEM_SLOTS = 36,
	REQUEST_ADD_MEM_REG = 37,
	REQUEST_REM_MEM_REG = 38,
	REQUEST_SET_STATUS = 39,
	REQUEST_GET_STATUS = 40,
	REQUEST_GET_SHARED_OBJECT = 41,
	REQUEST_SET_DEVICE_STATE_FD = 42,
	REQUEST_CHECK_DEVICE_STATE = 43,
	REQUEST_GET_SHMEM_CONFIG = 44,
	REQUEST_GET_VRING_BASE_SKIP_DRAIN = 45,
	REQUEST_END
};

/* Back-end to front-end (vhost-user, "Back-end message types"). */
enum backend_request {
	BACKEND_REQUEST_IOTLB_MSG = 1,
	BACKEND_REQUEST_CONFIG_CHANGE_MSG = 2,
	BACKEND_REQUEST_VRING_HOST_NOTIFIER_MSG = 3,
	BACKEND_REQUEST_VRING_CALL = 4,
	BACKEND_REQUEST_VRING_ERR = 5,
	BACKEND_REQUEST_SHARED_OBJECT_ADD = 6,
	BACKEND_REQUEST_SHARED_OBJECT_REMOVE = 7,
	BACKEND_REQUEST_SHARED_OBJECT_LOOKUP = 8,
	BACKEND_REQUEST_SHMEM_MAP = 9,
	BACKEND_REQUEST_SHMEM_UNMAP = 10,
	BACKEND_REQUEST_END
};

/* How a request is answered when all is well. */
enum answer {
	ANSWER_ACK,	/* a u64, 0 or an error, when NEED_REPLY asks for it and REPLY_ACK is in force; else nothing */
	ANSWER_PAYLOAD,	/* always, with a payload of its own, whatever NEED_REPLY says; an error has the form that the request defines, or none */
	ANSWER_U64,	/* always, a u64 that is 0 or an error */
	ANSWER_NONE,	/* never */
};

/* One request as the protocol defines it. */
struct message_row {
	const char *name;		/* as the specification spells it, without prefix */
	uint16_t min_size, max_size;	/* bytes of payload in the request */
	uint8_t min_fds, max_fds;	/* file descriptors in the request */
	enum answer answer;
	uint16_t reply_min, reply_max;	/* bytes of payload in the reply; ANSWER_ACK and ANSWER_U64: 8 */
	uint8_t reply_fds;		/* most file descriptors in the reply */
	uint64_t protocol;		/* protocol feature bits that must be in force, all of them; 0: none */
	uint64_t virtio;		/* virtio feature bits that must be in force; VH_F_PROTOCOL_FEATURES: see below */
	bool offered;			/* `virtio` needs only be offered, not accepted (requests 15 and 16) */
};

extern const struct message_row request_rows[REQUEST_END];
extern const struct message_row backend_request_rows[BACKEND_REQUEST_END];

/* SET_MEM_TABLE as a front-end in postcopy sends it: with regions, to be told where the back-end has them; and without, when it knows. */
extern const struct message_row postcopy_table_row, postcopy_known_row;

/* The row of an id; NULL for one that is not defined. */
const struct message_row *request_row (uint32_t id);
const struct message_row *backend_request_row (uint32_t id);

/* A message in memory, header and body as they are on the wire.  It owns its fds until they are taken. */
struct message {
	unsigned n_fds;
	int fds[MESSAGE_MAX_FDS];	/* taken ones are -1 */
	union {
		uint8_t bytes[MESSAGE_HEADER_SIZE + MESSAGE_MAX_BODY];
		struct {
			uint32_t request;
			uint32_t flags;
			uint32_t size;	/* bytes of body */
			uint8_t body[MESSAGE_MAX_BODY];
		};
	};
} __attribute__ ((aligned (8)));

_Static_assert (offsetof (struct message, body) == offsetof (struct message, bytes) + MESSAGE_HEADER_SIZE, "the body follows the header");
_Static_assert (offsetof (struct message, body) % 8 == 0, "bodies have numbers of 64 bits");

/* Bytes on the wire. */
static inline size_t
message_total (const struct message *m)
{
	return MESSAGE_HEADER_SIZE + (size_t) m->size;
}

/* Makes an empty message with these header fields. */
void message_init (struct message *, uint32_t request, uint32_t flags);

/* The answer to `request`: same id, REPLY flag, empty body. */
void message_init_reply (struct message *, const struct message *request);

/* Takes fd number i out of the message: it is the caller's then; -1 when there is none. */
int message_take_fd (struct message *, unsigned i);

/* Makes *copy the same message, with fds of its own if `with_fds`, else without.  0, or a negative errno: then the copy has no fds. */
int message_copy (struct message *copy, const struct message *, bool with_fds);

/* Closes what was not taken. */
void message_close_all (struct message *);

static inline void
message_close_fds (struct message *m)
{
	if (m->n_fds > 0)
		message_close_all (m);
}

/*
 * Are size and number of fds of this request what its row says?  0 or -EBADMSG.  row NULL (not defined): -ENOSYS.
 */
int message_check_form (const struct message *, const struct message_row *row);

/* Is what the row needs in force?  0 or -EOPNOTSUPP. */
int message_check_gate (const struct message_row *row, uint64_t virtio_offered, uint64_t virtio, uint64_t protocol);

#endif
