/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Making a call: a request that is put on its way, and then either waited for or left to its callback.  Waiting is nothing but running what dispatch would
 * run, until the call has ended.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/frontend.h"
#include "util/fd.h"

void
call_init (struct message *m, enum request request)
{
	message_init (m, request, MESSAGE_VERSION);
}

struct vh_frontend *
vh_frontend_async (struct vh_frontend *f, vh_frontend_done_fn *done, void *opaque)
{
	f->later = (struct later){ .done = done, .opaque = opaque };
	return f;
}

/* Takes what vh_frontend_async left for this call. */
struct later
take_later (struct vh_frontend *f)
{
	struct later later = f->later;

	f->later = (struct later){ 0 };
	return later;
}

int
call_refuse (struct vh_frontend *f, enum request request, int err)
{
	take_later (f);
	return error_set (&f->error, err, "%s", request_rows[request].name);
}

/* --- waiting --- */

/* Until a deadline, or a little longer. */
static int
time_left (int64_t deadline)
{
	int64_t left = deadline - clock_coarse_ms ();

	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int) left;
}

/*
 * Waits until there is something to do, and does it.  Requests of the back-end are served meanwhile: it may be waiting for our answer before it gives its
 * own.  However many it sends, the deadline stays.
 */
static void
wait_once (struct vh_frontend *f)
{
	struct pollfd p[2] = {
		{ .fd = f->main.fd, .events = f->leaving ? POLLIN | POLLOUT : POLLIN },
		{ .fd = f->backend.fd, .events = POLLIN },
	};
	int n = poll (p, 2, time_left (f->deadline));

	if (n > 0 && p[1].revents)
		serve_requests (f);
	if (n > 0 && p[0].revents)
		calls_run (f);
	calls_expire (f);
}

int
call_check_waiting (struct vh_frontend *f, const char *what)
{
	return f->in_callback > 0 ? error_set (&f->error, -EBUSY, "%s, which waits, from a callback", what) : 0;
}

void
call_wait (struct vh_frontend *f, const bool *over)
{
	frontend_enter (f);
	/* A back-end that runs on this processor has often answered before the request's sending was over. */
	if (f->awaited > 0)
		calls_run (f);
	while (!*over)
		if (!f->first->settled)
			wait_once (f);
		else
			calls_deliver (f, CALLS_PER_TURN);
	frontend_leave (f);
}

/* --- calling --- */

void
call_finish (struct vh_frontend *f, struct call *c)
{
	if (!c->done) {
		c->over = true;		/* the waiter's */
		return;
	}
	f->in_callback++;
	c->done (c->opaque, c->result);
	f->in_callback--;
	free (c);
}

static int
call_and_wait (struct vh_frontend *f, struct call *c)
{
	int err = call_check_waiting (f, c->row->name);

	if (err < 0)
		return err;
	calls_add (f, c);
	call_wait (f, &c->over);
	return c->result;
}

/* A call that outlives the caller's. */
struct queued_call {
	struct call call;
	struct message request;
};

static int
call_later (struct vh_frontend *f, const struct call *call, struct later later)
{
	struct queued_call *q = malloc (sizeof (*q));
	int err;

	if (!q)
		return error_set (&f->error, -ENOMEM, "%s", call->row->name);
	q->call = *call;
	q->call.request = &q->request;
	q->call.done = later.done;
	q->call.opaque = later.opaque;
	err = message_copy (&q->request, call->request, true);
	if (err < 0) {
		free (q);
		return error_set (&f->error, err, "%s", call->row->name);
	}
	q->call.owns_fds = true;
	calls_add (f, &q->call);
	watch_update (f);
	return 0;
}

int
call_as (struct vh_frontend *f, struct message *request, const struct message_row *row, take_fn *take, void *ret)
{
	struct later later = take_later (f);
	struct call c = { .request = request, .row = row, .take = take, .ret = ret, .timeout_ms = f->timeout_ms };

	if (f->main.fd < 0)
		return error_set (&f->error, -ECONNRESET, "%s", c.row->name);
	return later.done ? call_later (f, &c, later) : call_and_wait (f, &c);
}

int
call (struct vh_frontend *f, struct message *request, take_fn *take, void *ret)
{
	return call_as (f, request, request_row (request->request), take, ret);
}

int
call_get (struct vh_frontend *f, enum request request, take_fn *take, void *ret)
{
	struct message m;

	call_init (&m, request);
	return call (f, &m, take, ret);
}

int
call_nothing (struct vh_frontend *f, enum request request)
{
	return call_get (f, request, NULL, NULL);
}

int
call_u64 (struct vh_frontend *f, enum request request, uint64_t value)
{
	struct message m;

	call_init (&m, request);
	message_put_u64 (&m, value);
	return call (f, &m, NULL, NULL);
}

static int
take_u64 (struct vh_frontend *f, struct message *request, struct message *reply, void *ret)
{
	return message_get_u64 (reply, ret);
}

int
call_for_u64 (struct vh_frontend *f, enum request request, uint64_t *ret)
{
	return call_get (f, request, take_u64, ret);
}
