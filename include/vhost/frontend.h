/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The front-end end of vhost-user: a VMM, or any program, that shares its virtqueues with a back-end.
 *
 * Calls are requests of the protocol.  Each waits for the answer that its request has, up to the deadline; one that has no answer of its own asks for an
 * acknowledgement when REPLY_ACK was negotiated.  A back-end that does not answer, or answers something else, makes the call fail and ends the
 * connection: every later call is -ECONNRESET.  One thread at a time.
 *
 * Any call can be made without waiting, see vh_frontend_async; then vh_frontend_fd and vh_frontend_dispatch go into the program's event loop.
 */
#ifndef VHOST_FRONTEND_H
#define VHOST_FRONTEND_H

#include <stddef.h>
#include <stdint.h>

#include <vhost/crypto.h>
#include <vhost/device.h>
#include <vhost/log.h>
#include <vhost/memory.h>
#include <vhost/protocol.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct vh_frontend;

/*
 * What a back-end may ask for beside the news of its configuration.  Each is called from inside vh_frontend_dispatch, or from a call that waits; it may make
 * calls that do not wait, and what it returns is the answer: 0, or a negative errno that refuses.  An entry that is NULL is refused; vh_frontend_handshake
 * does not set the features of entries that are NULL.
 */
struct vh_frontend_ops {
	size_t size;		/* sizeof (struct vh_frontend_ops) */

	/* The device calls the driver of a ring, or tells of an error, without an eventfd (VRING_CALL, VRING_ERR; INBAND_NOTIFICATIONS needs both). */
	int (*vring_call) (void *opaque, unsigned ring);
	int (*vring_err) (void *opaque, unsigned ring);

	/*
	 * The guest may kick a ring by writing to the page at `offset` of fd, which is the callback's if it returns 0; fd -1: not any more, also when the ring
	 * stops (VRING_HOST_NOTIFIER_MSG; HOST_NOTIFIER).
	 */
	int (*host_notifier) (void *opaque, unsigned ring, int fd, uint64_t offset);

	/* The device has an object that others may look up, or has it no more (SHARED_OBJECT needs all three). */
	int (*add_object) (void *opaque, const uint8_t uuid[VH_UUID_SIZE]);
	int (*remove_object) (void *opaque, const uint8_t uuid[VH_UUID_SIZE]);
	/* It wants one: an fd, which stays the callback's, or a negative errno.  Its owner is asked by vh_frontend_get_object. */
	int (*lookup_object) (void *opaque, const uint8_t uuid[VH_UUID_SIZE]);

	/*
	 * A piece of fd belongs into a shared memory region of the guest; fd is the callback's if it returns 0.  And out again; also at a reset of the device,
	 * and when the object is freed.  (SHMEM needs both.)  Ranges were checked: inside the region, whole pages, no overlap, up to 256 pieces.
	 */
	int (*map_shmem) (void *opaque, const struct vh_shmem_map *map, int fd);
	int (*unmap_shmem) (void *opaque, const struct vh_shmem_map *map);

	/*
	 * The device needs a translation of an I/O address (IOTLB_MSG; ACCESS_PLATFORM), for `access`: VH_ACCESS_*.  0: it was sent, or will be, by
	 * vh_frontend_iotlb_update, without waiting if from here; a negative errno: there is none.
	 */
	int (*iotlb_miss) (void *opaque, uint64_t iova, unsigned access);
};

struct vh_frontend_options {
	size_t size;			/* sizeof (struct vh_frontend_options) */
	struct vh_log log;
	unsigned timeout_ms;		/* for each answer; 0: 5000 */
	/*
	 * The back-end says that the device's configuration changed; called from inside vh_frontend_dispatch, or from a call that waits.  It must not
	 * wait (-EBUSY).  May be NULL.
	 */
	void (*config_changed) (void *opaque);
	void *opaque;
	unsigned pipeline;		/* most requests that may await their answers at a time; 0: 16; 1: never two */
	const struct vh_frontend_ops *ops;	/* borrowed for the life of the object; called with `opaque`.  May be NULL */
};

/* Common to all calls below: -ECONNRESET, -ETIMEDOUT, -EBADMSG, -EPROTO (the connection is over); -EREMOTEIO (the back-end refused; it goes on). */

/* Takes a connected stream socket; fd is the object's on success.  options may be NULL.  Nothing is sent.  0 and *ret, -EINVAL, -ENOMEM. */
int vh_frontend_new (int fd, const struct vh_frontend_options *options, struct vh_frontend **ret);

/* vh_connect, then vh_frontend_new. connect_ms: see vh_connect. */
int vh_frontend_connect (const char *path, int connect_ms, const struct vh_frontend_options *options, struct vh_frontend **ret);

/*
 * Closes the connection.  Calls that are under way end with -ECONNRESET: their callbacks are called from here.  Allowed in callbacks.  NULL is fine.
 */
void vh_frontend_free (struct vh_frontend *);

/* Words for the last failure; "" when there was none.  Valid until the next call. */
const char *vh_frontend_error (const struct vh_frontend *);

/*
 * The usual first steps: GET_FEATURES, the protocol features (offered by the back-end, known to this library, and in `protocol_features`), the
 * channel for requests of the back-end when BACKEND_REQ is among them, SET_OWNER.  protocol_features UINT64_MAX: all that ask nothing of the caller; so
 * not INFLIGHT_SHMFD, which some back-ends do not start a ring without being sent an area for.
 * SET_FEATURES is still to be sent.
 */
int vh_frontend_handshake (struct vh_frontend *, uint64_t protocol_features);

/* What the back-end offered to GET_FEATURES and GET_PROTOCOL_FEATURES, and what is in force, as far as it was asked and set. */
uint64_t vh_frontend_offered_features (const struct vh_frontend *);
uint64_t vh_frontend_offered_protocol_features (const struct vh_frontend *);
uint64_t vh_frontend_protocol_features (const struct vh_frontend *);

/* GET_FEATURES / SET_FEATURES.  -EINVAL for bits that were not offered. */
int vh_frontend_get_features (struct vh_frontend *, uint64_t *ret);
int vh_frontend_set_features (struct vh_frontend *, uint64_t features);

/* GET_PROTOCOL_FEATURES / SET_PROTOCOL_FEATURES.  -EOPNOTSUPP without VH_F_PROTOCOL_FEATURES offered. */
int vh_frontend_get_protocol_features (struct vh_frontend *, uint64_t *ret);
int vh_frontend_set_protocol_features (struct vh_frontend *, uint64_t features);

/* SET_OWNER; RESET_OWNER (deprecated by the specification); RESET_DEVICE (needs its feature). */
int vh_frontend_set_owner (struct vh_frontend *);
int vh_frontend_reset_owner (struct vh_frontend *);
int vh_frontend_reset_device (struct vh_frontend *);

/* GET_QUEUE_NUM: -EOPNOTSUPP without MQ; -EBADMSG for 0 or more than VH_MAX_RINGS. */
int vh_frontend_get_queue_num (struct vh_frontend *, unsigned *ret);

/* GET_MAX_MEM_SLOTS: -EOPNOTSUPP without CONFIGURE_MEM_SLOTS. */
int vh_frontend_get_max_mem_slots (struct vh_frontend *, unsigned *ret);

/*
 * SET_MEM_TABLE with 1..VH_MAX_TABLE_REGIONS regions; ADD_MEM_REG, REM_MEM_REG with one.  The fds are borrowed for the call.  -EINVAL: sizes, overlaps or
 * sums that wrap.  The Xen fields are sent when XEN_MMAP is in force.
 */
int vh_frontend_set_mem_table (struct vh_frontend *, const struct vh_region *regions, unsigned n);
int vh_frontend_add_mem_region (struct vh_frontend *, const struct vh_region *region);
int vh_frontend_remove_mem_region (struct vh_frontend *, const struct vh_region *region);

/* SET_VRING_NUM (descriptors), SET_VRING_ADDR, SET_VRING_BASE (next available index). */
int vh_frontend_set_vring_num (struct vh_frontend *, unsigned ring, unsigned size);
int vh_frontend_set_vring_addr (struct vh_frontend *, unsigned ring, const struct vh_vring_addr *addr);
int vh_frontend_set_vring_base (struct vh_frontend *, unsigned ring, uint32_t base);

/* GET_VRING_BASE: stops the ring, waits until the back-end has finished its requests.  -EBADMSG for an answer about another ring. */
int vh_frontend_get_vring_base (struct vh_frontend *, unsigned ring, uint32_t *ret);

/*
 * GET_VRING_BASE_SKIP_DRAIN: stops it without finishing them; they are in the in-flight area, for whoever takes the ring up again.  -EOPNOTSUPP without its
 * feature, which vh_frontend_handshake sets when it is named.
 */
int vh_frontend_get_vring_base_skip_drain (struct vh_frontend *, unsigned ring, uint32_t *ret);

/* SET_VRING_KICK / CALL / ERR: an eventfd, borrowed for the call, or -1: the back-end polls the ring / the front-end polls / none. */
int vh_frontend_set_vring_kick (struct vh_frontend *, unsigned ring, int fd);
int vh_frontend_set_vring_call (struct vh_frontend *, unsigned ring, int fd);
int vh_frontend_set_vring_err (struct vh_frontend *, unsigned ring, int fd);

/* SET_VRING_ENABLE: -EOPNOTSUPP unless VH_F_PROTOCOL_FEATURES was accepted by SET_FEATURES. */
int vh_frontend_set_vring_enable (struct vh_frontend *, unsigned ring, int enable);

/*
 * SET_LOG_BASE: the dirty log, `size` bytes from `offset` of a file; bit n % 8 of byte n / 8 is the page of 4096 bytes at guest address 4096 * n.  It is kept
 * while VH_F_LOG_ALL is among the features, and for what a ring writes itself, while its address has flag 0; it must have a bit for all of memory, and is
 * replaced before memory grows.  When this returns, no older log is written to any more.  The fd is borrowed.  -EOPNOTSUPP without LOG_SHMFD; -EINVAL.
 */
int vh_frontend_set_log_base (struct vh_frontend *, int fd, uint64_t size, uint64_t offset);

/* SET_LOG_FD: an eventfd that the back-end signals when it has set bits; borrowed.  -EOPNOTSUPP unless VH_F_LOG_ALL is in force. */
int vh_frontend_set_log_fd (struct vh_frontend *, int fd);

/*
 * IOTLB_MSG, for devices behind an IOMMU (VH_F_ACCESS_PLATFORM): the addresses of rings and descriptors are I/O addresses then.  An update says where `size`
 * bytes from `iova` are, as a user address of the region table, and what the device may do there (VH_ACCESS_*).  With an invalidation they are nowhere any
 * more, and when that returns no request uses them.
 * -EOPNOTSUPP without ACCESS_PLATFORM; -EINVAL: sums that wrap.
 */
int vh_frontend_iotlb_update (struct vh_frontend *, uint64_t iova, uint64_t size, uint64_t user_addr, unsigned access);
int vh_frontend_iotlb_invalidate (struct vh_frontend *, uint64_t iova, uint64_t size);

/*
 * The in-flight area (INFLIGHT_SHMFD): memory in which the back-end notes down what it has taken from the rings, so that the next one can go on after it died.
 */
struct vh_inflight {
	uint64_t size;		/* bytes, of which the first one is at ... */
	uint64_t offset;	/* ... in the file */
	unsigned rings;		/* how many it is for, and how many descriptors each has at most */
	unsigned ring_size;
	int fd;
};

/*
 * GET_INFLIGHT_FD: a new area, for a device that starts from its beginning; only its rings and ring_size are asked with.  ret->fd is the caller's then.
 * -EOPNOTSUPP without INFLIGHT_SHMFD; -EREMOTEIO: the back-end has none for so much; -EBADMSG: what it gave is none.
 */
int vh_frontend_get_inflight (struct vh_frontend *, unsigned rings, unsigned ring_size, struct vh_inflight *ret);

/*
 * SET_INFLIGHT_FD: the area that the back-end is to use, before its rings start; on each connection, until the device is reset.  The fd is borrowed for the
 * call.  -EOPNOTSUPP; -EINVAL: nothing in it, or sums that wrap.
 */
int vh_frontend_set_inflight (struct vh_frontend *, const struct vh_inflight *area);

/*
 * GET_CONFIG / SET_CONFIG: `size` bytes from `offset`, size 1..VH_MAX_CONFIG_SIZE.  flags: VH_CONFIG_*.  -EOPNOTSUPP without CONFIG; -EREMOTEIO when the
 * back-end refuses the range.
 */
int vh_frontend_get_config (struct vh_frontend *, uint32_t offset, void *buf, uint32_t size);
int vh_frontend_set_config (struct vh_frontend *, uint32_t offset, const void *buf, uint32_t size, uint32_t flags);

/*
 * Of network devices.  SEND_RARP: the back-end is to tell the network that this address is here now; -EOPNOTSUPP without RARP.
 * NET_SET_MTU: bytes, 68..65535; -EOPNOTSUPP without MTU.
 */
int vh_frontend_send_rarp (struct vh_frontend *, const uint8_t mac[6]);
int vh_frontend_set_mtu (struct vh_frontend *, unsigned mtu);

/* SET_STATUS, GET_STATUS: the driver's status register; 0 resets the device.  -EOPNOTSUPP without STATUS; -EBADMSG for an answer beyond 255. */
int vh_frontend_set_status (struct vh_frontend *, uint8_t status);
int vh_frontend_get_status (struct vh_frontend *, uint8_t *ret);

/* SET_VRING_ENDIAN: the byte order of a legacy ring, before it starts; big 1 or 0.  -EOPNOTSUPP without CROSS_ENDIAN. */
int vh_frontend_set_vring_endian (struct vh_frontend *, unsigned ring, int big);

/* VRING_KICK: kicks a ring without its eventfd, and starts it.  -EOPNOTSUPP without INBAND_NOTIFICATIONS. */
int vh_frontend_kick_vring (struct vh_frontend *, unsigned ring);

/*
 * CREATE_CRYPTO_SESSION, CLOSE_CRYPTO_SESSION.  -EOPNOTSUPP without CRYPTO_SESSION; -EINVAL: a length beyond its array.
 */
int vh_frontend_create_crypto_session (struct vh_frontend *, const struct vh_crypto_session *session, int64_t *id);
int vh_frontend_close_crypto_session (struct vh_frontend *, int64_t id);

/* GPU_SET_SOCKET: the device's end of the display's socket, see gpu.h; borrowed for the call. */
int vh_frontend_set_gpu_socket (struct vh_frontend *, int fd);

/* GET_SHARED_OBJECT: an fd of the caller's in *fd.  -EOPNOTSUPP without SHARED_OBJECT; -EREMOTEIO: the device has no such object. */
int vh_frontend_get_object (struct vh_frontend *, const uint8_t uuid[VH_UUID_SIZE], int *fd);

/*
 * SET_DEVICE_STATE_FD: has the back-end write the device's state to a pipe or stream socket, or read it from one, while all rings are stopped; fd is the
 * back-end's end, borrowed for the call.  The end of the stream is the end of the state.  *other is -1, or an fd of the caller's that is to be used in place
 * of the caller's own end.  Then CHECK_DEVICE_STATE: waits for the end of the transfer, within the deadline of an answer, and tells how it went.
 * -EOPNOTSUPP without DEVICE_STATE; -EREMOTEIO: it failed, and the device is as before.
 */
int vh_frontend_save_state (struct vh_frontend *, int fd, int *other);
int vh_frontend_load_state (struct vh_frontend *, int fd, int *other);
int vh_frontend_check_state (struct vh_frontend *);

/*
 * GET_SHMEM_CONFIG: sizes[id] of the shared memory regions, 0 for those that are not there.  To be called before the back-end can map anything.
 * -EOPNOTSUPP without SHMEM; -EBADMSG for sizes that are not whole pages.
 */
int vh_frontend_get_shmem_config (struct vh_frontend *, uint64_t sizes[VH_MAX_SHMEM]);

/*
 * How a call ended that did not wait: 0, or a negative errno as the call would have returned it.  Called from inside vh_frontend_dispatch, from a call that
 * waits, or from vh_frontend_free; never from inside the call itself.  It may make further calls that do not wait (one that waits is -EBUSY), and may free
 * the object.
 */
typedef void vh_frontend_done_fn (void *opaque, int result);

/*
 * The next call does not wait: vh_frontend_get_config (vh_frontend_async (f, done, opaque), 0, buf, size).  It checks its arguments and returns 0 when it is
 * on its way, and then `done` is called once; or a negative errno, and then it is not.  What the call is to fill in must be valid until `done` (and is
 * untouched when that says that it failed); all else is borrowed for the call only.
 *
 * Calls end in the order in which they were made, also those that wait.  Several requests may be on their way at a time; whether a feature is in force is
 * looked at when a request is sent, when all before it that change features have ended.  The deadline of a call begins when the one before it ended.
 *
 * Returns its argument.
 */
struct vh_frontend *vh_frontend_async (struct vh_frontend *f, vh_frontend_done_fn *done, void *opaque);

/* Time for each answer to the calls that are made from now on, in ms; 0: 5000. */
void vh_frontend_set_timeout (struct vh_frontend *, unsigned timeout_ms);

/*
 * An fd of the object's, readable when vh_frontend_dispatch has something to do: the back-end answered or asks something, a deadline is over, the connection
 * is.  Now and then also when there is nothing: a dispatch ends that.  The same for as long as the object lives.  A negative errno when it cannot be made
 * (-EMFILE).
 */
int vh_frontend_fd (struct vh_frontend *);

/*
 * Does what there is to do, without waiting: ends calls, answers what the back-end asks, up to a bound.  Returns how many calls ended and requests were
 * served; -ECONNRESET: the connection is over, no call is left; a negative errno: the channel on which the back-end asks was closed, the connection goes on.
 */
int vh_frontend_dispatch (struct vh_frontend *);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
