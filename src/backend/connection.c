/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a connection: it reads messages while its rings are settled, holds half messages to a deadline, and ends in order: rings drain and stop,
 * then the device hears of it, then everything is released.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "backend/connection.h"
#include "util/fd.h"

#define DEFAULT_TIMEOUT_MS 10000

/* Messages of one connection before the other sources of the loop have their turn. */
#define MESSAGES_PER_TURN 32

/* --- the end --- */

void
backend_retire_fd (struct vh_backend *b, int fd)
{
	if (fd >= 0)
		b->retired[b->n_retired++] = fd;
}

void
backend_close_retired (struct vh_backend *b)
{
	for (unsigned i = 0; i < b->n_retired; i++)
		fd_close (&b->retired[i]);
	b->n_retired = 0;
}

static void
connection_release (struct vh_backend *b)
{
	vh_source_remove (b->source);
	b->source = NULL;
	vh_timer_remove (b->deadline);
	b->deadline = NULL;
	vh_timer_remove (b->watch);
	b->watch = NULL;
	channel_close (&b->channel);
	notify_close (b);
	vh_timer_remove (b->notices.deadline);
	b->notices.deadline = NULL;
	objects_close (b);
	device_state_cancel (b);
	backend_close_retired (b);
	postcopy_drop (b);
	vrings_close (b);
	inflight_area_drop (b);
	log_drop (b);
	iotlb_drop (b);
	vh_memory_unref (b->memory);
	b->memory = NULL;
}

static void
connection_end (struct vh_backend *b)
{
	void (*closed) (void *, struct vh_backend *) = b->closed;
	void *opaque = b->closed_opaque;

	connection_release (b);
	b->state = BACKEND_CLOSED;
	b->ops.disconnected (b->device->opaque, b);
	b->ops.reset (b->device->opaque);
	error_log (&b->error, VH_LOG_INFO, "connection closed");
	if (closed)
		closed (opaque, b);	/* may free b */
}

static void
connection_try_end (void *opaque)
{
	struct vh_backend *b = opaque;

	if (vrings_settle (b) == 0)
		connection_end (b);
}

static void
connection_begin_end (struct vh_backend *b)
{
	if (b->state != BACKEND_OPEN)
		return;
	b->state = BACKEND_CLOSING;
	postcopy_front_end_gone (b);	/* before rings are told to stop: one may wait for a page */
	vh_source_remove (b->source);
	b->source = NULL;
	vh_timer_set (b->deadline, -1);
	vh_timer_set (b->watch, -1);
	device_state_cancel (b);
	/* Rings want nothing any more; a letter under way is answered first, see backend_settled. */
	if (b->waiting == 0)
		vh_loop_post (b->loop, &b->ender);
}

void
backend_fail (struct vh_backend *b, int err)
{
	if (b->state != BACKEND_OPEN)
		return;
	b->result = err;
	connection_begin_end (b);
}

void
vh_backend_close (struct vh_backend *b)
{
	connection_begin_end (b);
}

/* --- guests that die --- */

void
backend_watch_memory (struct vh_backend *b)
{
	unsigned ms = map_watch_ms ();

	if (b->watching || ms == 0 || b->memory->n == 0)
		return;
	vh_timer_set (b->watch, ms);
	b->watching = true;
}

/* A guest that is gone makes its regions lost, so rings that are busy stop at once; the others stop with the connection. */
static void
watch_passed (void *opaque)
{
	struct vh_backend *b = opaque;

	b->watching = false;
	for (unsigned i = 0; i < b->memory->n; i++) {
		int err = map_check (b->memory->slots[i].region);

		if (err < 0) {
			backend_fail (b, error_set (&b->error, err, "its memory cannot be used any more"));
			return;
		}
	}
	backend_watch_memory (b);
}

/* --- reading --- */

static void
deadline_passed (void *opaque)
{
	struct vh_backend *b = opaque;

	b->deadline_set = false;
	backend_fail (b, error_set (&b->error, -ETIMEDOUT, "%s", channel_sending (&b->channel) ? "an answer is not read" : "half a message"));
}

/* A message on its way, in or out, has a deadline from the moment it stalls; served: an earlier one was dealt with meanwhile, so this one is another. */
static void
deadline_update (struct vh_backend *b, bool served)
{
	bool wanted = channel_busy (&b->channel);

	if (wanted == b->deadline_set && !(wanted && served))
		return;
	vh_timer_set (b->deadline, wanted ? (int64_t) b->timeout_ms : -1);
	b->deadline_set = wanted;
}

static void
receive_failed (struct vh_backend *b, int err)
{
	if (err == -ECONNRESET && b->channel.ended)
		connection_begin_end (b);
	else
		backend_fail (b, error_set (&b->error, err, "cannot read a message"));
}

/* Serves what has arrived. */
static void
connection_read (struct vh_backend *b)
{
	bool served = false;

	for (unsigned i = 0; i < MESSAGES_PER_TURN; i++) {
		struct message *m;
		int err;

		/* One answer at a time: a front-end that does not read is not listened to. */
		if (channel_sending (&b->channel)) {
			vh_source_events (b->source, EPOLLOUT);
			break;
		}
		err = channel_receive (&b->channel, &m);
		if (err == -EAGAIN)
			break;
		if (err < 0) {
			receive_failed (b, err);
			return;
		}
		served = true;
		b->answered = false;
		if (!backend_serve (b, m)) {
			/* Only a hang-up is heard now: see connection_ready. */
			vh_source_events (b->source, 0);
			break;
		}
		message_close_fds (m);
		if (b->state != BACKEND_OPEN)
			return;
		/*
		 * Most front-ends take their time with an answer: looking for the next request now would be in vain.  Unless some of it is here; or the answer
		 * has not left in whole, and room for it has to be waited for.
		 */
		if (b->answered && !channel_busy (&b->channel))
			break;
	}
	deadline_update (b, served);
}

static void
connection_ready (void *opaque, uint32_t events)
{
	struct vh_backend *b = opaque;

	if (b->waiting > 0) {
		/* A hang-up while rings settle, told again and again: what is left to read is read then.  They may be waiting for a page. */
		postcopy_front_end_gone (b);
		vh_source_remove (b->source);
		b->source = NULL;
		device_state_abort (b);
		return;
	}
	if (channel_sending (&b->channel)) {
		int err = channel_flush (&b->channel);

		if (err < 0 && err != -EAGAIN) {
			backend_fail (b, error_set (&b->error, err, "cannot answer"));
			return;
		}
		if (err == 0)
			vh_source_events (b->source, EPOLLIN);
	}
	connection_read (b);
}

void
backend_settled (struct vh_backend *b)
{
	/* A ring that had to stop before it can start elsewhere wants a second letter. */
	if (vrings_settle (b) > 0)
		return;
	if (b->state == BACKEND_CLOSING) {
		connection_end (b);
		return;
	}
	if (b->source)
		vh_source_events (b->source, EPOLLIN);
	else {
		int err = vh_loop_add_fd (b->loop, b->channel.fd, EPOLLIN, connection_ready, b, &b->source);

		if (err < 0) {
			backend_fail (b, error_set (&b->error, err, "cannot watch the connection"));
			return;
		}
	}
	if (b->waiting_handler)
		backend_serve_finish (b);
	if (b->state == BACKEND_OPEN)
		connection_read (b);
}

/* It counts as one of those that are waited for, so that no message comes between. */
void
backend_look_again (struct vh_backend *b)
{
	if (b->looking || b->state != BACKEND_OPEN)
		return;
	b->looking = true;
	b->waiting++;
	vh_loop_post (b->loop, &b->looker);
}

static void
connection_look (void *opaque)
{
	struct vh_backend *b = opaque;

	b->looking = false;
	if (--b->waiting == 0)
		backend_settled (b);	/* may free b */
}

/* --- the beginning --- */

static int
connection_open (struct vh_backend *b, const struct vh_backend_options *o)
{
	int err = 0;

	b->loop = o->loop;
	if (!b->loop) {
		err = vh_loop_new (&b->loop);
		b->own_loop = err == 0;
		if (b->own_loop)
			vh_loop_set_poll (b->loop, o->poll_us);
	}
	if (err == 0)
		err = memory_new (NULL, 0, &b->memory);
	if (err == 0)
		err = vh_loop_add_timer (b->loop, deadline_passed, b, &b->deadline);
	if (err == 0)
		err = vh_loop_add_timer (b->loop, watch_passed, b, &b->watch);
	if (err == 0)
		err = notify_open (b);
	if (err == 0)
		err = vh_loop_add_fd (b->loop, b->channel.fd, EPOLLIN, connection_ready, b, &b->source);
	return err;
}

static bool
rings_are_elsewhere (const struct vh_backend_options *o)
{
	for (unsigned i = 0; i < o->n_ring_loops; i++)
		if (o->ring_loops[i] == o->loop)
			return false;
	return o->n_ring_loops > 0;
}

int
vh_backend_new (const struct vh_device *device, int fd, const struct vh_backend_options *options, struct vh_backend **ret)
{
	struct vh_backend_options o = { .size = sizeof (o) };
	struct vh_backend *b;
	int err;

	if (!backend_device_valid (device) || fd < 0)
		return -EINVAL;
	if (options)
		memcpy (&o, options, options->size < sizeof (o) ? options->size : sizeof (o));
	b = lines_alloc (sizeof (*b) + device->rings * sizeof (b->vrings[0]));
	if (!b)
		return -ENOMEM;
	b->device = device;
	backend_fill_ops (&b->ops, device->ops);
	b->ender = (struct vh_mail){ .fn = connection_try_end, .opaque = b };
	b->looker = (struct vh_mail){ .fn = connection_look, .opaque = b };
	error_init (&b->error, &o.log, device->name ? device->name : "device");
	b->timeout_ms = o.timeout_ms ? o.timeout_ms : DEFAULT_TIMEOUT_MS;
	b->offered = backend_offered_features (device);
	b->protocol_offered = backend_offered_protocol_features (device, &b->ops, rings_are_elsewhere (&o));
	b->closed = o.closed;
	b->closed_opaque = o.opaque;
	channel_init (&b->channel, fd, request_row);
	channel_init (&b->notices.channel, -1, NULL);
	objects_init (b);
	b->transfer = (struct transfer){ .fd = -1, .result = -EINVAL };	/* asked how it went before there was one: not well */
	b->log_fd = -1;
	err = connection_open (b, &o);
	if (err < 0) {
		b->channel.fd = -1;	/* still the caller's */
		connection_release (b);
		if (b->own_loop)
			vh_loop_free (b->loop);
		free (b);
		return err;
	}
	for (b->n_vrings = 0; b->n_vrings < device->rings; b->n_vrings++)
		vring_init (&b->vrings[b->n_vrings], b, b->n_vrings, o.n_ring_loops ? o.ring_loops[b->n_vrings % o.n_ring_loops] : b->loop);
	error_log (&b->error, VH_LOG_INFO, "front-end connected");
	*ret = b;
	b->ops.connected (device->opaque, b);
	return 0;
}

void
vh_backend_free (struct vh_backend *b)
{
	if (!b)
		return;
	b->closed = NULL;
	vh_backend_close (b);
	while (b->state != BACKEND_CLOSED)
		vh_loop_dispatch (b->loop, -1);
	if (b->own_loop)
		vh_loop_free (b->loop);
	free (b);
}

/* --- what users ask --- */

int
vh_backend_fd (const struct vh_backend *b)
{
	return vh_loop_fd (b->loop);
}

int
vh_backend_dispatch (struct vh_backend *b, int timeout_ms)
{
	int err = b->state == BACKEND_CLOSED ? 0 : vh_loop_dispatch (b->loop, timeout_ms);

	if (err < 0)
		return err;
	return b->state == BACKEND_CLOSED ? b->result : 1;
}

const char *
vh_backend_error (const struct vh_backend *b)
{
	return b->result < 0 ? b->error.text : "";
}

uint64_t
vh_backend_features (const struct vh_backend *b)
{
	return b->features;
}

uint64_t
vh_backend_protocol_features (const struct vh_backend *b)
{
	return b->protocol;
}

int
vh_backend_ring_counters (const struct vh_backend *b, unsigned ring, struct vh_ring_counters *ret)
{
	const struct vh_ring_counters *c;

	if (ring >= b->n_vrings)
		return -EINVAL;
	c = &b->vrings[ring].shown;
	*ret = (struct vh_ring_counters){
		.requests = __atomic_load_n (&c->requests, __ATOMIC_RELAXED),
		.batches = __atomic_load_n (&c->batches, __ATOMIC_RELAXED),
		.kicks = __atomic_load_n (&c->kicks, __ATOMIC_RELAXED),
		.calls = __atomic_load_n (&c->calls, __ATOMIC_RELAXED),
	};
	return 0;
}
