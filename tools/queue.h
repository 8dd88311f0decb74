/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtqueue as a driver has it: buffers are added, published together, and reaped when the device has used them.  One thread at a time.
 *
 *	queue_add (q, buffers, n_out, n_in, token);	any number of times
 *	queue_publish (q);				the device sees them; kicks if it wants that
 *	n = queue_reap (q, done, max);			what is finished; if nothing:
 *	queues_wait (&q, 1, timeout_ms);		sleeps until there is something
 *
 * System calls: at most one write in queue_publish, the poll and the reads in queues_wait, and no others.
 */
#ifndef TOOLS_QUEUE_H
#define TOOLS_QUEUE_H

#include "guest.h"

struct queue;

struct queue_options {
	unsigned size;		/* descriptors */
	uint64_t features;	/* virtio features in force: RING_PACKED makes it a packed ring, of any size */
	unsigned indirect;	/* chains of 2..indirect buffers go through an indirect table; 0: none do */
	bool poll;		/* the device is asked not to notify: queue_reap is called until there is something */
};

/* Makes a queue in guest memory, with its eventfds.  0 and *ret; -EINVAL: a size or a feature that cannot be; -ENOMEM; errors of eventfd(2). */
int queue_new (struct guest *, const struct queue_options *, struct queue **ret);
void queue_free (struct queue *);

/* How many bytes of guest memory a queue takes at most, and its largest part that must lie in one region. */
size_t queue_bytes (const struct queue_options *);
size_t queue_largest_part (const struct queue_options *);

/* Where its rings are, for SET_VRING_ADDR. */
void queue_addresses (const struct queue *, struct vh_vring_addr *ret);

unsigned queue_size (const struct queue *);

/* The queue's state as GET_VRING_BASE has to answer it when the device has used all that was published; false while something is in flight. */
bool queue_position (const struct queue *, uint32_t *ret);

/*
 * Its eventfds: to the device, from it, and its cry for help.  The second is there when polling, too: a device may notify though it is asked not to, and
 * qemu-storage-daemon gives up when it then has none.
 */
int queue_kick_fd (const struct queue *);
int queue_call_fd (const struct queue *);
int queue_err_fd (const struct queue *);

/* A buffer in guest memory. */
struct queue_buffer {
	uint64_t addr;
	uint32_t size;
};

/* Adds a chain: n_out buffers for the device to read, then n_in for it to write.  `token` comes back when it was used.  0; -ENOSPC: the ring is full. */
int queue_add (struct queue *, const struct queue_buffer *buffers, unsigned n_out, unsigned n_in, void *token);

/* Shows the device all that was added.  0 or a negative errno of write(2). */
int queue_publish (struct queue *);

struct queue_done {
	void *token;
	uint32_t written;	/* bytes, as the device says; checked to be no more than it was given */
};

/* Takes up to `max` used chains.  Returns how many; -EPROTO when the device used what it was not given, or says that it wrote more than it could. */
int queue_reap (struct queue *, struct queue_done *done, unsigned max);

/*
 * Waits until one of the queues may have something to reap.  1; 0: nothing within the time; -EIO: the device says that a ring is broken; a negative errno.
 */
int queues_wait (struct queue *const *queues, unsigned n, int timeout_ms);

struct queue_counters {
	uint64_t kicks, calls;
};

void queue_get_counters (const struct queue *, struct queue_counters *ret);

#endif
