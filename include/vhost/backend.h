/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The back-end end of vhost-user: a device that consumes virtqueues.
 *
 * A device is described by a struct vh_device and its callbacks; it outlives connections.  A struct vh_backend is one connection of a front-end to a
 * device.  It begins with everything reset and leaves nothing behind.
 *
 * Who calls what: the control callbacks (config, features, reset, connected, disconnected) come from the thread that dispatches the connection's loop; the
 * ring callbacks come from the thread that dispatches the loop of that ring.  No callback is made with a lock held.  Callbacks must not block for long:
 * a ring callback delays the other rings of its loop, a control callback the other connections of its loop.
 */
#ifndef VHOST_BACKEND_H
#define VHOST_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include <vhost/crypto.h>
#include <vhost/log.h>
#include <vhost/loop.h>
#include <vhost/memory.h>
#include <vhost/protocol.h>
#include <vhost/queue.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct vh_backend;

/* Callbacks of a device; `device` is struct vh_device's opaque.  The table is borrowed for the life of the device: make it const and static. */
struct vh_device_ops {
	size_t size;		/* sizeof (struct vh_device_ops) */

	/* --- control --- */

	/*
	 * Copies size bytes of the configuration space from `offset`; the range was checked against config_size.  0 or a negative errno.
	 * If NULL, then the configuration is what vh_device's config points to; without that, there is none.
	 */
	int (*get_config) (void *device, uint32_t offset, void *buf, uint32_t size);

	/*
	 * Writes to it; the range was checked.  flags: VH_CONFIG_WRITE or VH_CONFIG_RESTORE.  A read-only field in the range is refused with -EPERM, and
	 * then nothing is changed.  Front-ends of rust-vmm say VH_CONFIG_RESTORE when their guest writes: what that changes must be harmless if a guest
	 * changes it.  If NULL, then every write is refused.
	 */
	int (*set_config) (void *device, uint32_t offset, const void *buf, uint32_t size, uint32_t flags);

	/* The front-end accepted these virtio features, a subset of the offered ones; all rings are at rest.  0 or a negative errno.  If NULL, then fine. */
	int (*set_features) (void *device, uint64_t features);

	/* A front-end is here; its connection is valid until `disconnected`.  If NULL, then nothing. */
	void (*connected) (void *device, struct vh_backend *);

	/* It is gone; all rings were stopped before.  If NULL, then nothing. */
	void (*disconnected) (void *device, struct vh_backend *);

	/* The device is to forget what the guest set (RESET_DEVICE, and between two connections); all rings are stopped.  If NULL, then nothing. */
	void (*reset) (void *device);

	/* --- rings --- */

	/*
	 * The ring is complete and about to be served.  A negative errno refuses it: the ring stays broken until the front-end starts it again.
	 * If NULL, then fine.
	 */
	int (*ring_start) (void *device, struct vh_ring *);

	/* Required.  There may be requests to take.  See queue.h. */
	void (*ring_process) (void *device, struct vh_ring *);

	/*
	 * The ring is to stop: complete what is in flight, soon; nothing more can be taken.  The ring stops when the last request was given back.
	 * If NULL, then nothing: the requests in flight are awaited.
	 */
	void (*ring_drain) (void *device, struct vh_ring *);

	/* The counterpart of a successful ring_start: no request is in flight, the ring is about to go.  If NULL, then nothing. */
	void (*ring_stop) (void *device, struct vh_ring *);

	/*
	 * --- control: messages that only some devices have ---
	 *
	 * Each comes with a protocol feature that is offered if the callback is there.  If NULL, then the feature is not offered, and the message is refused.
	 * What they return is the answer: 0, or a negative errno that refuses.
	 */

	/* The guest moved here: broadcast a RARP packet for this address, so that switches learn the way (SEND_RARP; VH_P_RARP). */
	int (*send_rarp) (void *device, const uint8_t mac[6]);

	/* The largest packet that the guest is told, 68..65535 bytes (NET_SET_MTU; VH_P_MTU). */
	int (*set_mtu) (void *device, unsigned mtu);

	/*
	 * The driver's status register (SET_STATUS; VH_P_STATUS), but for 0, which is `reset`.  Returns what it reads from now on: the same, or without
	 * FEATURES_OK, say.
	 */
	int (*set_status) (void *device, uint8_t status);

	/*
	 * A crypto session (CREATE_CRYPTO_SESSION; VH_P_CRYPTO_SESSION): an id in *id, 0..INT64_MAX.  And its end.  Both or none.
	 */
	int (*create_crypto_session) (void *device, const struct vh_crypto_session *, int64_t *id);
	int (*close_crypto_session) (void *device, int64_t id);

	/* Sizes of the shared memory regions, multiples of the page size, the same at each call; 0: not there (GET_SHMEM_CONFIG; VH_P_SHMEM). */
	int (*get_shmem_config) (void *device, uint64_t sizes[VH_MAX_SHMEM]);

	/*
	 * Another device asks for an object that is not among those of vh_backend_add_object (GET_SHARED_OBJECT; VH_P_SHARED_OBJECT): an fd, which stays the
	 * device's, or a negative errno.
	 */
	int (*get_object) (void *device, const uint8_t uuid[VH_UUID_SIZE]);

	/* The socket of a GPU's display, see gpu.h: the device's if this returns 0.  If NULL, then the message is refused; there is no feature for it. */
	int (*set_gpu_socket) (void *device, int fd);

	/*
	 * The device's state for a migration, while all rings are stopped (SET_DEVICE_STATE_FD; VH_P_DEVICE_STATE).  Both or none.
	 *
	 * state_save copies up to `size` bytes of it, from `offset` on: 0 begins, then each call goes on where the last one ended.  Returns how many bytes,
	 * 0 at the end, or a negative errno.  It changes nothing: a migration may fail, and the device runs on.
	 * state_load gets such bytes in pieces of any size, from offset 0 on; with size 0 that was all, and when that call returns 0 the state is in force.
	 * Until then nothing is changed: the pieces may end, or begin anew, at any time.  Any negative errno fails the migration.
	 */
	int (*state_save) (void *device, uint64_t offset, void *buf, size_t size);
	int (*state_load) (void *device, uint64_t offset, const void *buf, size_t size);

	/*
	 * A ring callback.  The ring is to stop at once (GET_VRING_BASE_SKIP_DRAIN; for devices with VH_P_INFLIGHT_SHMFD): cancel what is in flight and give it
	 * back.  Nothing of it is published: whoever takes this ring up again does these requests again.  If NULL, then ring_drain.
	 */
	void (*ring_abort) (void *device, struct vh_ring *);
};

/* A device, as the library must know it.  Borrowed by the connections, unchanged while there is one, but for *config. */
struct vh_device {
	size_t size;			/* sizeof (struct vh_device) */
	const struct vh_device_ops *ops;
	void *opaque;			/* the first argument of every callback */
	const char *name;		/* for log lines; NULL: "device" */
	uint64_t features;		/* virtio feature bits offered; the library removes those of rings it cannot do, and adds VH_F_PROTOCOL_FEATURES */
	/*
	 * Protocol features (VH_P_*) beside those that the library and the device's callbacks bring.  These are looked at: CROSS_ENDIAN, HOST_NOTIFIER,
	 * INBAND_NOTIFICATIONS, SHARED_OBJECT, STATUS; and INFLIGHT_SHMFD: a request may be done twice, by a process that takes again what one that died had
	 * taken.
	 * PAGEFAULT: postcopy live migration, offered where the kernel, the build and vh_memory_guard allow it and no ring runs in the connection's loop;
	 * CONFIGURE_MEM_SLOTS is not offered then, since the specification lets no front-end use both.
	 */
	uint64_t protocol_features;
	unsigned rings;			/* 1..VH_MAX_RINGS */
	unsigned queue_num;		/* the answer to GET_QUEUE_NUM; 0: `rings`.  Network devices count pairs */
	unsigned max_ring_size;		/* power of two up to VH_MAX_RING_SIZE; 0: 1024 */
	unsigned max_parts;		/* most parts of a request, both directions together; 0: VH_MAX_PARTS.  A longer chain stops its ring */
	size_t request_size;		/* bytes behind vh_request.user, zeroed at ring start; 0: none */
	void *config;			/* config_size bytes that get_config's default reads; may be NULL */
	unsigned config_size;		/* bytes, up to VH_MAX_CONFIG_SIZE; 0: no configuration space */
};

struct vh_backend_options {
	size_t size;			/* sizeof (struct vh_backend_options) */
	struct vh_log log;
	/*
	 * The loop that runs the connection.  NULL: one of its own, behind vh_backend_fd and vh_backend_dispatch, which runs the rings too.
	 */
	struct vh_loop *loop;
	/* Which loop runs ring i: ring_loops[i % n_ring_loops].  n_ring_loops 0: the connection's loop.  Copied. */
	struct vh_loop *const *ring_loops;
	unsigned n_ring_loops;
	/* A message that began must be complete, and a reply must be accepted, within this many ms; 0: 10000. */
	unsigned timeout_ms;
	/*
	 * Called once, when the connection has ended and all rings have stopped.  vh_backend_free is then allowed; also from here, if `loop` is the
	 * user's.  May be NULL.
	 */
	void (*closed) (void *opaque, struct vh_backend *);
	void *opaque;
	unsigned poll_us;	/* of a loop of its own: see vh_loop_set_poll */
};

/*
 * Begins to serve one front-end on a connected stream socket.  fd becomes the connection's on success.  device is borrowed until vh_backend_free and may
 * have one connection at a time.  options may be NULL.  0 and *ret; -EINVAL: a field of device is wrong; -ENOMEM, -EMFILE.
 */
int vh_backend_new (const struct vh_device *device, int fd, const struct vh_backend_options *options, struct vh_backend **ret);

/* For a connection with a loop of its own: readable when vh_backend_dispatch has work. */
int vh_backend_fd (const struct vh_backend *);

/*
 * Runs what is ready, waiting up to timeout_ms for it (see vh_loop_dispatch).  1 while the connection lives, 0 when it has ended in order and the rings
 * are stopped, a negative errno when it ended with an error (once the rings are stopped).
 */
int vh_backend_dispatch (struct vh_backend *, int timeout_ms);

/* Ends the connection: rings drain and stop, then the loop calls `closed`.  May be called more than once, and from callbacks of the connection's thread. */
void vh_backend_close (struct vh_backend *);

/*
 * Frees a connection.  One that still lives is closed first; with rings in other loops that is only allowed once `closed` was called.  NULL is fine.
 */
void vh_backend_free (struct vh_backend *);

/* Why the connection ended: "" while it lives or when it ended in order.  Valid until the next call on the object. */
const char *vh_backend_error (const struct vh_backend *);

/* The features in force: what SET_FEATURES, SET_PROTOCOL_FEATURES accepted. */
uint64_t vh_backend_features (const struct vh_backend *);
uint64_t vh_backend_protocol_features (const struct vh_backend *);

/*
 * Tells the front-end that the configuration space changed (BACKEND_CONFIG_CHANGE_MSG).  Without waiting; several changes may become one message.
 * 0; -EOPNOTSUPP when the front-end gave no channel for it; -ECONNRESET.  The connection's thread only.
 */
int vh_backend_config_changed (struct vh_backend *);

/*
 * What the front-end made of a request of the back-end's.  err: 0; -EREMOTEIO: it refused; -ETIMEDOUT, -EPROTO, -EBADMSG, -ECONNRESET: there was no answer and
 * the channel is gone.  fd: the callback's, in the answer to vh_backend_lookup_object; else -1.  It may be made before the call returns if the front-end
 * gives no answers (REPLY_ACK is not in force): err is 0 then.
 */
typedef void vh_backend_answer_fn (void *opaque, int err, int fd);

/*
 * Requests to the front-end.  None waits: `answered`, which may be NULL, is called once unless the call fails.  While all rings are stopped nothing is sent,
 * and what was asked leaves when one starts.  Common: 0; -EINVAL; -EOPNOTSUPP: the feature is not in force, or the front-end gave no channel; -EBUSY: too
 * many are waiting; -ECONNRESET; -EMFILE.  The connection's thread only.
 *
 * An object that other devices may ask for by its name (SHARED_OBJECT_ADD, REMOVE): fd is borrowed, a copy is kept until it is removed or the connection
 * ends.  -EEXIST, -ENOSPC: up to 64 at a time; -ENOENT.  An object that the front-end refused is removed before `answered`.
 */
int vh_backend_add_object (struct vh_backend *, const uint8_t uuid[VH_UUID_SIZE], int fd, vh_backend_answer_fn *answered, void *opaque);
int vh_backend_remove_object (struct vh_backend *, const uint8_t uuid[VH_UUID_SIZE], vh_backend_answer_fn *answered, void *opaque);

/* Asks for another device's object (SHARED_OBJECT_LOOKUP). */
int vh_backend_lookup_object (struct vh_backend *, const uint8_t uuid[VH_UUID_SIZE], vh_backend_answer_fn *answered, void *opaque);

/*
 * Puts a piece of a file into a shared memory region of the guest, and takes it out again (SHMEM_MAP, SHMEM_UNMAP).  Offsets and size are multiples of the
 * page size.  The front-end takes all out when the device is reset.
 */
int vh_backend_map_shmem (struct vh_backend *, const struct vh_shmem_map *, int fd, vh_backend_answer_fn *answered, void *opaque);
int vh_backend_unmap_shmem (struct vh_backend *, const struct vh_shmem_map *, vh_backend_answer_fn *answered, void *opaque);

/*
 * Lets the guest kick a ring directly, by writing to a page of this file (VRING_HOST_NOTIFIER_MSG); fd -1: not any more.  The front-end takes it away when
 * the ring stops.
 */
int vh_backend_set_host_notifier (struct vh_backend *, unsigned ring, int fd, uint64_t offset, vh_backend_answer_fn *answered, void *opaque);

/*
 * What this build's back-end offers of the protocol by itself (VH_P_* bits), and of virtio rings (VH_F_* bits).  A device adds VH_F_ACCESS_PLATFORM where its
 * user says that the guest has an IOMMU: not every front-end keeps it from other guests.
 */
uint64_t vh_backend_supported_protocol_features (void);
uint64_t vh_backend_supported_ring_features (void);

/* What a ring of this connection did, summed over its starts; 0, or -EINVAL for an index that is not there.  The connection's thread only. */
int vh_backend_ring_counters (const struct vh_backend *, unsigned ring, struct vh_ring_counters *ret);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
