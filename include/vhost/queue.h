/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests: what a device sees of a virtqueue.  A ring is handed to the device's callbacks (see backend.h) and used only in the thread that runs that
 * ring.  Requests are taken in the order in which the driver made them available, and given back in any order (with IN_ORDER in force, the
 * library lets those wait that were given back too early).
 *
 *	while ((n = vh_ring_take (ring, reqs, 32)) > 0)
 *		for (i = 0; i < n; i++)
 *			vh_ring_give (ring, reqs[i], serve (reqs[i]));
 *	vh_ring_flush (ring);
 *
 * Nothing here allocates, locks or enters the kernel, but for the notification that vh_ring_flush sends when the driver wants one.
 */
#ifndef VHOST_QUEUE_H
#define VHOST_QUEUE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <vhost/memory.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Largest ring (virtio 1.2, 2.7: Queue Size). */
#define VH_MAX_RING_SIZE 32768

/* Most parts of one request, whatever the driver chains; a device may ask for fewer (struct vh_device). */
#define VH_MAX_PARTS 1024

struct vh_ring;

/*
 * One descriptor chain: checked, copied and mapped.  Valid from vh_ring_take until vh_ring_give.
 * What the parts point to is the guest's, and may change at any time: read once, then check what was read.
 */
struct vh_request {
	struct iovec *out;	/* n_out parts that the driver wrote for the device: read only */
	struct iovec *in;	/* n_in parts that the device may write */
	unsigned n_out;
	unsigned n_in;
	size_t out_bytes;	/* sums of the parts; each below 2^32 */
	size_t in_bytes;
	/*
	 * 0, or -EFAULT: some part lies outside guest memory.  Then there are no parts but, when it could be mapped, the last device-writable one, where
	 * many devices keep a status byte.
	 */
	int error;
	void *user;		/* the device's own bytes for this request: request_size of struct vh_device, preallocated; NULL when that is 0 */
};

/*
 * Takes up to `max` requests into reqs[].  Returns how many; 0 when there are none now (or this ring's turn is over: it will be called again), or when the
 * ring is stopping; a negative errno when the driver broke the rules and the ring is stopped (-EPROTO, -EFAULT; the words are in the log, the error
 * eventfd was signalled).  Requests taken before stay valid and are still to be given back.
 * Where guest memory is mapped on demand (Xen grants), the requests of one call are mapped together and are published together, when the last of them was
 * given back: take no more than will be done soon.
 */
int vh_ring_take (struct vh_ring *, struct vh_request **reqs, unsigned max);

/*
 * Puts back the n requests that were taken last, in the order in which they were taken, as if they had not been: they are taken again next.  None of them
 * was given back, nothing was flushed since, and this is still the callback that took them.  For a device that cannot serve them now, and would else hold
 * them until it can: a ring stops, and a change of memory is done, when no request is held any more.  vh_ring_wake says when to try again.
 */
void vh_ring_untake (struct vh_ring *, struct vh_request **reqs, unsigned n);

/*
 * Gives a request back; `written` is how many bytes were written to its `in` parts, counted from the first one: what is behind counts as not written, also
 * for a guest that migrates.  The driver sees it after vh_ring_flush.
 */
void vh_ring_give (struct vh_ring *, struct vh_request *, uint32_t written);

/* Publishes everything given so far, at once, and notifies the driver if it wants that. */
void vh_ring_flush (struct vh_ring *);

/*
 * Asks for another call of the device's ring_process, soon, though the driver may not kick: for a device that left requests in the ring.
 */
void vh_ring_wake (struct vh_ring *);

/*
 * For a device that writes to guest memory beside its requests (vh_memory_write): these bytes were written, and must reach a migration's dirty log, if there
 * is one.  What is given back with vh_ring_give needs nothing more.
 */
void vh_ring_mark_dirty (struct vh_ring *, uint64_t guest_addr, uint64_t size);

/* Stops the ring, as if the driver had broken its rules.  err: the negative errno for the log; why: a few words. */
void vh_ring_fail (struct vh_ring *, int err, const char *why);

/* Its number in the device, its size in descriptors, the virtio features in force (those of SET_FEATURES). */
unsigned vh_ring_index (const struct vh_ring *);
unsigned vh_ring_size (const struct vh_ring *);
uint64_t vh_ring_features (const struct vh_ring *);

/*
 * Without VERSION_1, what the device and its driver say to each other (headers, configuration) is in the guest's byte order.  1: the front-end said that it
 * is big-endian; 0: it is little-endian, as everything is with VERSION_1.
 */
int vh_ring_is_big_endian (const struct vh_ring *);

/*
 * 1 when the ring was started at the position where drivers begin, 0 when it goes on from another one: a driver that was stopped for a while, or that had
 * another back-end before.
 */
int vh_ring_is_new (const struct vh_ring *);

/* Requests taken and not given back. */
unsigned vh_ring_in_flight (const struct vh_ring *);

/* The memory that requests taken now refer to; borrowed, valid until the callback returns. */
struct vh_memory *vh_ring_memory (const struct vh_ring *);

/* A pointer of the device's, kept with the ring while it is started.  NULL at first. */
void vh_ring_set_opaque (struct vh_ring *, void *opaque);
void *vh_ring_opaque (const struct vh_ring *);

struct vh_loop;

/* The loop that runs this ring: a device adds its own file descriptors there. */
struct vh_loop *vh_ring_loop (const struct vh_ring *);

/* What a ring did since it was started. */
struct vh_ring_counters {
	uint64_t requests;	/* given back */
	uint64_t batches;	/* publications */
	uint64_t kicks;		/* notifications from the driver */
	uint64_t calls;		/* notifications to the driver */
};

/* Copies the counters; only in the ring's thread. */
void vh_ring_get_counters (const struct vh_ring *, struct vh_ring_counters *ret);

/*
 * Help with parts: copies between `buf` and parts[0..n), beginning `skip` bytes in; returns how many bytes were copied (fewer than `size` when the parts end).
 */
size_t vh_parts_read (const struct iovec *parts, unsigned n, size_t skip, void *buf, size_t size);
size_t vh_parts_write (const struct iovec *parts, unsigned n, size_t skip, const void *buf, size_t size);

/*
 * Cuts parts[0..n) to the bytes [skip, skip + size), in place.  Returns how many parts are left; they begin at *ret, which points into parts[].
 * size beyond the end is cut to what there is.
 */
unsigned vh_parts_cut (struct iovec *parts, unsigned n, size_t skip, size_t size, struct iovec **ret);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
