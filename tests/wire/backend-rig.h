/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A back-end under test and the front-end that the test plays, in one thread: the test writes bytes, lets the back-end's loop run until it is quiet, and
 * reads what came back.  Nothing here depends on time.
 */
#ifndef TESTS_WIRE_BACKEND_RIG_H
#define TESTS_WIRE_BACKEND_RIG_H

#include "backend-device.h"
#include "backend-driver.h"
#include "bytes.h"

/* Requests (vhost-user, "Front-end message types"). */
enum {
	FE_GET_FEATURES = 1,
	FE_SET_FEATURES = 2,
	FE_SET_OWNER = 3,
	FE_RESET_OWNER = 4,
	FE_SET_MEM_TABLE = 5,
	FE_SET_LOG_BASE = 6,
	FE_SET_LOG_FD = 7,
	FE_SET_VRING_NUM = 8,
	FE_SET_VRING_ADDR = 9,
	FE_SET_VRING_BASE = 10,
	FE_GET_VRING_BASE = 11,
	FE_SET_VRING_KICK = 12,
	FE_SET_VRING_CALL = 13,
	FE_SET_VRING_ERR = 14,
	FE_GET_PROTOCOL_FEATURES = 15,
	FE_SET_PROTOCOL_FEATURES = 16,
	FE_GET_QUEUE_NUM = 17,
	FE_SET_VRING_ENABLE = 18,
	FE_SEND_RARP = 19,
	FE_NET_SET_MTU = 20,
	FE_SET_BACKEND_REQ_FD = 21,
	FE_IOTLB_MSG = 22,
	FE_SET_VRING_ENDIAN = 23,
	FE_GET_CONFIG = 24,
	FE_SET_CONFIG = 25,
	FE_GET_INFLIGHT_FD = 31,
	FE_SET_INFLIGHT_FD = 32,
	FE_RESET_DEVICE = 34,
	FE_VRING_KICK = 35,
	FE_GET_MAX_MEM_SLOTS = 36,
	FE_ADD_MEM_REG = 37,
	FE_REM_MEM_REG = 38,
	FE_SET_STATUS = 39,
	FE_GET_STATUS = 40,
	FE_SET_DEVICE_STATE_FD = 42,
	FE_GET_VRING_BASE_SKIP_DRAIN = 45,
};

/* Header flags. */
#define FLAG_VERSION 0x1u
#define FLAG_REPLY 0x4u
#define FLAG_NEED_REPLY 0x8u

/* "No fd" in SET_VRING_KICK, CALL, ERR. */
#define NO_FD 0x100u

/* Feature bits by their numbers. */
#define BIT30 (UINT64_C (1) << 30)
#define BIT_VERSION_1 (UINT64_C (1) << 32)
#define PROTOCOL_MQ (1u << 0)
#define PROTOCOL_REPLY_ACK (1u << 3)
#define PROTOCOL_BACKEND_REQ (1u << 5)
#define PROTOCOL_CONFIG (1u << 9)
#define PROTOCOL_RESET_DEVICE (1u << 13)
#define PROTOCOL_SLOTS (1u << 15)
#define PROTOCOL_ALL (PROTOCOL_MQ | PROTOCOL_REPLY_ACK | PROTOCOL_BACKEND_REQ | PROTOCOL_CONFIG | PROTOCOL_RESET_DEVICE | PROTOCOL_SLOTS)

struct rig {
	struct test_device *device;
	struct vh_loop *loop;	/* NULL: the back-end runs elsewhere, see rig_attach */
	struct vh_backend *backend;
	int socket;		/* the front-end's end; -1: closed */
	bool ended;		/* the back-end said so */
	struct guest guest;
	struct driver drivers[DEVICE_RINGS];
	char log[256];		/* the last line that is worse than a remark */
};

/* A connection to the device; the bench that it stands on is new, the device is not.  timeout_ms 0: the library's. */
void rig_open (struct rig *, struct test_device *, unsigned timeout_ms);

/*
 * A front-end on a connected socket, which becomes the rig's, to a back-end that runs in another thread: then answers are waited for, for at most some
 * seconds, and SILENCE takes as long.  device: whom it belongs to; may be NULL.
 */
void rig_attach (struct rig *, struct test_device *device, int socket);

/* Ends it, whatever state it is in, and releases everything. */
void rig_close (struct rig *);

/* rig_close and rig_open. */
void rig_reopen (struct rig *);

/* Closes the front-end's end only. */
void rig_hang_up (struct rig *);

/* Runs the back-end until it is quiet.  False: it never was. */
bool rig_pump (struct rig *);

/* Runs the back-end until the connection has ended, for at most some seconds. */
bool rig_wait_end (struct rig *);

/* --- messages --- */

struct reply {
	uint32_t request, flags, size;
	uint8_t body[4096];
	int fds[BYTES_MAX_FDS];
	unsigned n_fds;
};

enum outcome {
	SILENCE,	/* no answer */
	ACK,		/* a well-formed answer that says 0 */
	REFUSAL,	/* a well-formed answer that says something else */
	ANSWER,		/* another well-formed reply to this request */
	CLOSED,		/* the connection has ended, without an answer */
	MALFORMED,	/* bytes that are no reply to this request */
};

/* Sends without running the back-end. */
void rig_send (struct rig *, uint32_t request, uint32_t flags, const void *body, uint32_t size, const int *fds, unsigned n_fds);

/* Runs the back-end, then reads one reply to `request`.  reply may be NULL. */
enum outcome rig_receive (struct rig *, uint32_t request, struct reply *reply);

/* Both, with NEED_REPLY. */
enum outcome rig_tell (struct rig *, uint32_t request, const void *body, uint32_t size, const int *fds, unsigned n_fds);
enum outcome rig_tell_nothing (struct rig *, uint32_t request);
enum outcome rig_tell_u64 (struct rig *, uint32_t request, uint64_t value);
enum outcome rig_tell_state (struct rig *, uint32_t request, uint32_t index, uint32_t num);
enum outcome rig_tell_fd (struct rig *, uint32_t request, uint64_t value, int fd);	/* fd -1: none */
enum outcome rig_tell_addr (struct rig *, uint32_t index, uint32_t flags, uint64_t desc, uint64_t avail, uint64_t used);

struct piece {		/* a region of memory, as it is on the wire */
	uint64_t guest, size, user, offset;
};
enum outcome rig_tell_table (struct rig *, const struct piece *, uint32_t n, const int *fds, unsigned n_fds);
enum outcome rig_tell_region (struct rig *, uint32_t request, const struct piece *, int fd);	/* ADD_MEM_REG, REM_MEM_REG */
enum outcome rig_tell_config (struct rig *, uint32_t offset, uint32_t size, uint32_t flags, const void *data);

/* Requests with an answer of their own; false when it is not such. */
bool rig_ask_u64 (struct rig *, uint32_t request, uint64_t *ret);
bool rig_ask_base (struct rig *, uint32_t index, uint32_t *ret);

/* Is the front-end still served? */
bool rig_alive (struct rig *);

/* --- a well-behaved front-end; each step is false when one of its messages was not acknowledged --- */

bool rig_negotiate (struct rig *);		/* VERSION_1 and bit 30; PROTOCOL_ALL */
bool rig_give_memory (struct rig *);		/* the whole guest, one region */
bool rig_place_ring (struct rig *, unsigned index, unsigned size, uint32_t base);	/* opens drivers[index]; NUM, BASE, ADDR */
bool rig_start_ring (struct rig *, unsigned index);	/* CALL, ERR, KICK, ENABLE */
bool rig_ready (struct rig *, unsigned size);	/* all of it, for ring 0 */
bool rig_give_channel (struct rig *, int *channel);	/* SET_BACKEND_REQ_FD; *channel is the front-end's end, for the caller to close */

/* Request number n through ring `index`: offered, kicked, served, and answered right? */
bool rig_serve (struct rig *, unsigned index, unsigned n);

/* The region that is the whole guest. */
struct piece rig_whole (void);

#endif
