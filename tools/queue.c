/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What all ring layouts have in common: eventfds, kicking and waiting.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <vhost/queue.h>

#include "queue-layout.h"

/* Queues that one thread waits for. */
#define QUEUES_PER_WAIT VH_MAX_RINGS

/* A descriptor in an indirect table. */
#define DESCRIPTOR_SIZE 16

/* --- making --- */

static const struct queue_layout *
layout_for (const struct queue_options *o)
{
	if (o->size < 1 || o->size > VH_MAX_RING_SIZE || o->indirect > VH_MAX_RING_SIZE)
		return NULL;
	if (o->features & VH_BIT (VH_F_RING_PACKED))
		return &queue_packed;
	return (o->size & (o->size - 1)) == 0 ? &queue_split : NULL;
}

static int
open_fds (struct queue *q)
{
	q->kick_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
	q->err_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
	q->call_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
	return q->kick_fd < 0 || q->call_fd < 0 || q->err_fd < 0 ? -errno : 0;
}

int
queue_new (struct guest *g, const struct queue_options *options, struct queue **ret)
{
	const struct queue_layout *layout = layout_for (options);
	struct queue *q;
	int err;

	if (!layout)
		return -EINVAL;
	q = calloc (1, sizeof (*q));
	if (!q)
		return -ENOMEM;
	*q = (struct queue){ .layout = layout, .options = *options, .guest = g, .kick_fd = -1, .call_fd = -1, .err_fd = -1 };
	err = open_fds (q);
	if (err == 0)
		err = layout->open (q);
	if (err < 0) {
		queue_free (q);
		return err;
	}
	if (options->poll)
		layout->disarm (q);
	*ret = q;
	return 0;
}

static void
close_fd (int fd)
{
	if (fd >= 0)
		close (fd);
}

void
queue_free (struct queue *q)
{
	if (!q)
		return;
	if (q->ring)
		q->layout->close (q);
	close_fd (q->kick_fd);
	close_fd (q->call_fd);
	close_fd (q->err_fd);
	free (q);
}

size_t
queue_bytes (const struct queue_options *o)
{
	/* Three parts of a ring, each at most as large as the largest; tables; alignment. */
	return 3 * queue_largest_part (o) + (size_t) o->size * o->indirect * DESCRIPTOR_SIZE;
}

size_t
queue_largest_part (const struct queue_options *o)
{
	bool packed = o->features & VH_BIT (VH_F_RING_PACKED);
	size_t ring = packed ? queue_packed.ring_bytes (o->size) : queue_split.ring_bytes (o->size), table = (size_t) o->indirect * DESCRIPTOR_SIZE;

	return ring > table ? ring : table;
}

void
queue_addresses (const struct queue *q, struct vh_vring_addr *ret)
{
	q->layout->addresses (q, ret);
}

bool
queue_position (const struct queue *q, uint32_t *ret)
{
	return q->layout->position (q, ret);
}

unsigned
queue_size (const struct queue *q)
{
	return q->options.size;
}

int
queue_kick_fd (const struct queue *q)
{
	return q->kick_fd;
}

int
queue_call_fd (const struct queue *q)
{
	return q->call_fd;
}

int
queue_err_fd (const struct queue *q)
{
	return q->err_fd;
}

void
queue_get_counters (const struct queue *q, struct queue_counters *ret)
{
	*ret = q->counters;
}

/* --- using --- */

int
queue_add (struct queue *q, const struct queue_buffer *buffers, unsigned n_out, unsigned n_in, void *token)
{
	return q->layout->add (q, buffers, n_out, n_in, token);
}

int
queue_publish (struct queue *q)
{
	static const uint64_t one = 1;

	if (!q->layout->publish (q))
		return 0;
	q->counters.kicks++;
	/* EAGAIN: the counter is full, so the device has been kicked. */
	return write (q->kick_fd, &one, sizeof (one)) < 0 && errno != EAGAIN ? -errno : 0;
}

int
queue_reap (struct queue *q, struct queue_done *done, unsigned max)
{
	return q->layout->reap (q, done, max);
}

/* --- waiting --- */

static bool
arm_all (struct queue *const *queues, unsigned n)
{
	bool ready = false;

	for (unsigned i = 0; i < n; i++)
		ready |= queues[i]->layout->arm (queues[i]);
	return ready;
}

static void
take_call (struct queue *q)
{
	uint64_t count;

	if (read (q->call_fd, &count, sizeof (count)) > 0)
		q->counters.calls++;
}

/* Call and error of each queue, in p[2 * i] and p[2 * i + 1]. */
static int
take_events (struct queue *const *queues, unsigned n, const struct pollfd *p)
{
	for (unsigned i = 0; i < n; i++) {
		if (p[2 * i].revents)
			take_call (queues[i]);
		if (p[2 * i + 1].revents)
			return -EIO;
	}
	return 1;
}

int
queues_wait (struct queue *const *queues, unsigned n, int timeout_ms)
{
	struct pollfd p[2 * QUEUES_PER_WAIT];
	int events = 1;

	if (n > QUEUES_PER_WAIT)
		return -EINVAL;
	for (unsigned i = 0; i < n; i++) {
		p[2 * i] = (struct pollfd){ .fd = queues[i]->call_fd, .events = POLLIN };
		p[2 * i + 1] = (struct pollfd){ .fd = queues[i]->err_fd, .events = POLLIN };
	}
	if (!arm_all (queues, n)) {
		events = poll (p, 2 * n, timeout_ms);
		if (events < 0)
			events = errno == EINTR ? 0 : -errno;
		else if (events > 0)
			events = take_events (queues, n, p);
	}
	for (unsigned i = 0; i < n; i++)
		queues[i]->layout->disarm (queues[i]);
	return events;
}
