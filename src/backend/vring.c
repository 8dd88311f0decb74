/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ring context: makes a ring be like the letter says, gives the device its turns, and answers when the old state is out of use.
 */
#include <errno.h>
#include <sys/epoll.h>

#include "backend/connection.h"
#include "util/fd.h"

/* How often the device is asked again within one turn when the driver keeps adding. */
#define ROUNDS_PER_TURN 4

/* --- turns --- */

static void
vring_again (struct vring *v)
{
	if (v->again_posted)
		return;
	v->again_posted = true;
	vh_loop_post (v->loop, &v->again);
}

static void
counter_show (uint64_t *shown, uint64_t past, uint64_t now)
{
	__atomic_store_n (shown, past + now, __ATOMIC_RELAXED);
}

static void
vring_show_counters (struct vring *v)
{
	struct vh_ring_counters now;

	vh_ring_get_counters (v->ring, &now);
	counter_show (&v->shown.requests, v->past.requests, now.requests);
	counter_show (&v->shown.batches, v->past.batches, now.batches);
	counter_show (&v->shown.kicks, v->past.kicks, now.kicks);
	counter_show (&v->shown.calls, v->past.calls, now.calls);
}

/* One turn: at most one ring's worth of requests, then other rings and the mail have theirs. */
static void
vring_turn (struct vring *v)
{
	struct vh_backend *b = v->backend;
	bool polled = v->now.poll || loop_polls (v->loop), more = true;

	if (ring_is_broken (v->ring))
		return;
	ring_new_turn (v->ring, v->now.size);
	for (unsigned round = 0; round < ROUNDS_PER_TURN && more; round++) {
		ring_kicks_off (v->ring);
		b->ops.ring_process (b->device->opaque, v->ring);
		more = polled ? ring_has_news (v->ring) : ring_kicks_on (v->ring);
	}
	vring_show_counters (v);
	if (polled)	/* kicks are off until the loop gives up looking */
		loop_poller_awake (&v->poller);
	if (more)
		vring_again (v);
}

/* --- polling --- */

static bool
vring_look (void *opaque)
{
	struct vring *v = opaque;

	return ring_has_news (v->ring);
}

static void
vring_poll (void *opaque)
{
	vring_turn (opaque);
}

static bool
vring_rest (void *opaque)
{
	struct vring *v = opaque;

	return ring_kicks_on (v->ring);
}

/* A ring that nothing tells of requests is polled for ever; others, if their loop does that. */
static void
vring_set_polling (struct vring *v)
{
	loop_poller_remove (&v->poller);
	v->poller.rest = v->now.poll ? NULL : vring_rest;
	if (!ring_is_broken (v->ring) && (v->now.poll || loop_may_poll (v->loop)))
		loop_poller_add (v->loop, &v->poller);
}

static void
vring_kicked (void *opaque, uint32_t events)
{
	struct vring *v = opaque;

	/*
	 * The kick is never read: the watch is edge-triggered, so each write of the driver is heard, and a peer that made its eventfd blocking, or reads it
	 * itself, can stop nobody.  An fd that hangs up has nothing more to say.
	 */
	if (events & (EPOLLHUP | EPOLLERR)) {
		vh_source_remove (v->kick_source);
		v->kick_source = NULL;
		return;
	}
	ring_count_kick (v->ring);
	vring_turn (v);
}

/* --- callbacks of the ring --- */

/* Leaves a mark for the control context, which has the channel. */
static void
vring_mark (struct vring *v, bool *due)
{
	__atomic_store_n (due, true, __ATOMIC_RELEASE);
	if (!__atomic_exchange_n (&v->caller_posted, true, __ATOMIC_ACQ_REL))
		vh_loop_post (v->backend->loop, &v->caller);
}

/* The driver is to be called and there is no eventfd. */
static void
vring_call (void *opaque)
{
	struct vring *v = opaque;

	if (v->now.call_in_band)
		vring_mark (v, &v->call_due);
}

static void
vring_broken (void *opaque, int err, const char *why)
{
	struct vring *v = opaque;

	loop_poller_remove (&v->poller);
	error_log (&v->backend->error, VH_LOG_ERROR, "ring %u stopped: %s (%s)", v->index, why, vh_strerror (err));
	if (v->now.err >= 0)
		fd_tell (v->now.err);
	else if (v->now.err_in_band)
		vring_mark (v, &v->err_due);
}

/* A translation is missing.  It may be the same letter once more, if the ring went on and parked again before it was read. */
static void
vring_parked (void *opaque, uint64_t iova, bool write)
{
	struct vring *v = opaque;

	__atomic_store_n (&v->missed_iova, iova, __ATOMIC_RELAXED);
	__atomic_store_n (&v->missed_write, write, __ATOMIC_RELAXED);
	if (!__atomic_exchange_n (&v->misser_posted, true, __ATOMIC_ACQ_REL))
		vh_loop_post (v->backend->loop, &v->misser);
}

static void
vring_woken (void *opaque)
{
	vring_again (opaque);
}

/* --- letters --- */

static int
vring_start (struct vring *v)
{
	const struct vring_want *w = &v->now;
	struct vh_backend *b = v->backend;
	struct ring_setup s = {
		.index = v->index, .size = w->size, .features = w->features, .desc = w->desc, .avail = w->avail, .used = w->used, .base = w->base,
		.big_endian = w->big_endian,
		.memory = w->memory, .log = w->log, .inflight = w->inflight, .max_parts = b->device->max_parts ? b->device->max_parts : VH_MAX_PARTS,
		.request_size = b->device->request_size, .loop = v->loop, .broken = vring_broken, .call = vring_call, .wake = vring_woken, .idle = vring_woken,
		.miss = vring_parked, .opaque = v,
	};
	int err = ring_new (&s, &v->ring);

	if (err < 0)
		return err;
	ring_set_call (v->ring, w->call);
	err = b->ops.ring_start (b->device->opaque, v->ring);
	if (err < 0) {
		ring_free (v->ring);
		v->ring = NULL;
		return err;
	}
	vring_again (v);	/* what is there already has had its kick long ago */
	return 0;
}

static void
vring_begin_stop (struct vring *v)
{
	struct vh_backend *b = v->backend;

	vh_source_remove (v->kick_source);
	v->kick_source = NULL;
	loop_poller_remove (&v->poller);
	ring_set_stopping (v->ring);
	/* Without records, what was dropped would be lost to the guest. */
	if (v->now.abandon && ring_has_records (v->ring)) {
		ring_abandon (v->ring);
		b->ops.ring_abort (b->device->opaque, v->ring);
	} else
		b->ops.ring_drain (b->device->opaque, v->ring);
}

static void
vring_finish_stop (struct vring *v)
{
	struct vh_backend *b = v->backend;

	b->ops.ring_stop (b->device->opaque, v->ring);
	v->stopped_base = ring_base (v->ring);
	vring_show_counters (v);
	v->past = v->shown;
	ring_free (v->ring);
	v->ring = NULL;
}

static void
vring_watch_kick (struct vring *v, int old_kick)
{
	int err;

	if (v->kick_source && old_kick == v->now.kick)
		return;
	vring_set_polling (v);
	vh_source_remove (v->kick_source);
	v->kick_source = NULL;
	if (v->now.poll)
		vring_again (v);
	if (v->now.kick < 0)
		return;
	err = vh_loop_add_fd (v->loop, v->now.kick, EPOLLIN | EPOLLET, vring_kicked, v, &v->kick_source);
	if (err < 0)
		vh_ring_fail (v->ring, err, "its kick cannot be watched");
}

/* Answers when nothing is left of the old state: no request of a stopping ring, no request in memory that is to go, no letter to itself. */
static void
vring_try_answer (struct vring *v)
{
	if (!v->answering)
		return;
	if (v->ring && v->now.run && v->now.strict && ring_old_tables (v->ring))
		return;
	if (!v->now.run && v->again_posted)
		return;
	if (!v->now.run && v->ring) {
		if (vh_ring_in_flight (v->ring) > 0)
			return;
		vring_finish_stop (v);
	}
	v->answering = false;
	vh_loop_post (v->backend->loop, &v->answer);
}

static void
vring_letter (void *opaque)
{
	struct vring *v = opaque;
	uint32_t old_kicks = v->now.kicks, old_denials = v->now.denials;
	int old_kick = v->now.kick;
	int err = 0;

	v->now = v->want;	/* the control context may write `want` again once this is answered, while the ring has its turns */
	v->answering = true;
	if (v->now.run)
		v->failed = false;
	if (v->now.run && !v->ring) {
		err = vring_start (v);
		if (err < 0) {
			v->failed = true;
			vring_broken (v, err, "it cannot start");
		}
	} else if (v->now.run) {
		ring_set_call (v->ring, v->now.call);
		ring_set_log (v->ring, &v->now.log);
		ring_set_memory (v->ring, v->now.memory);	/* if it fails, the ring is broken and has said so */
		if (v->now.denials != old_denials)
			ring_deny (v->ring, v->now.denied);
	} else if (v->ring)
		vring_begin_stop (v);
	if (v->ring && v->now.run)
		vring_watch_kick (v, old_kick);
	/* An in-band kick is acknowledged when the device has had its turn. */
	if (v->ring && v->now.run && v->now.kicks != old_kicks) {
		ring_count_kick (v->ring);
		vring_turn (v);
	}
	vring_try_answer (v);
}

static void
vring_look_again (void *opaque)
{
	struct vring *v = opaque;

	v->again_posted = false;
	if (v->ring && v->now.run)
		vring_turn (v);
	vring_try_answer (v);
}

void
vring_init (struct vring *v, struct vh_backend *b, unsigned index, struct vh_loop *loop)
{
	*v = (struct vring){
		.backend = b, .index = index, .loop = loop, .kick = -1, .call = -1, .err = -1, .now = { .kick = -1, .call = -1, .err = -1 },
	};
	v->answer = (struct vh_mail){ .fn = vring_answered, .opaque = v };
	v->letter = (struct vh_mail){ .fn = vring_letter, .opaque = v };
	v->again = (struct vh_mail){ .fn = vring_look_again, .opaque = v };
	v->caller = (struct vh_mail){ .fn = vring_called, .opaque = v };
	v->misser = (struct vh_mail){ .fn = vring_missed, .opaque = v };
	v->big_endian = VRING_BIG_ENDIAN;
	v->poller = (struct loop_poller){ .look = vring_look, .run = vring_poll, .opaque = v };
	v->has = (struct vring_want){ .kick = -1, .call = -1, .err = -1 };
}
