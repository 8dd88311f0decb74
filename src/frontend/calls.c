/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests on their way to the back-end, and their answers: the one place where the front-end sends and receives.  Nothing here waits.
 *
 *	first -> call -> call -> call -> call        a call leaves the list at its front only, so calls end in the order in which they were made
 *	         settled  sent            unsent
 *
 * The answer must be the one of the oldest request and of the form that the table gives; the back-end is not trusted.  One that answers something else, or
 * too late, is out of step: then no later answer could be believed, and the connection ends.
 */
#include <errno.h>
#include <stdlib.h>

#include "frontend/frontend.h"
#include "util/fd.h"

static void
drop_fds (struct call *c)
{
	if (c->owns_fds)
		message_close_fds (c->request);
	c->request->n_fds = 0;
}

int
call_end (struct vh_frontend *f, int err, const char *what)
{
	int cause = error_set (&f->error, err, "%s", what);

	frontend_close (f, &f->main);
	frontend_close (f, &f->backend);
	for (struct call *c = f->first; c; c = c->next)
		if (!c->settled) {
			drop_fds (c);	/* it may never have left */
			c->settled = true;
			c->result = c == f->first ? cause : -ECONNRESET;
		}
	f->unsent = f->leaving = NULL;
	f->awaited = 0;
	f->held = false;
	return cause;
}

static void
call_settle (struct call *c, int result)
{
	c->settled = true;
	c->result = result;
}

/* --- sending --- */

/* Does this request change what later ones may do, or how they are sent?  Then they must wait for its answer. */
static bool
holds_others (const struct call *c)
{
	switch (c->request->request) {
	case REQUEST_GET_FEATURES:
	case REQUEST_SET_FEATURES:
	case REQUEST_GET_PROTOCOL_FEATURES:
	case REQUEST_SET_PROTOCOL_FEATURES:
		return true;
	default:
		return false;
	}
}

/* Whether SET_PROTOCOL_FEATURES would be answered when it changes REPLY_ACK itself is not agreed on; so ask only when it was and stays in force. */
static bool
asks_for_ack (const struct vh_frontend *f, const struct call *c)
{
	uint64_t features = f->protocol, wanted;

	if (c->request->request == REQUEST_SET_PROTOCOL_FEATURES && message_get_u64 (c->request, &wanted) == 0)
		features &= wanted;
	return c->row->answer == ANSWER_ACK && features & VH_BIT (VH_P_REPLY_ACK);
}

static bool
is_answered (const struct call *c)
{
	return (c->row->answer != ANSWER_ACK && c->row->answer != ANSWER_NONE) || c->request->flags & MESSAGE_NEED_REPLY;
}

/* Nobody asked for anything now, so nothing may be here: it would be taken for the answer to the next request. */
static int
check_silence (struct vh_frontend *f)
{
	int err = channel_check_silence (&f->main);

	if (err < 0)
		return call_end (f, err, err == -EPROTO ? "bytes that nobody asked for" : "connection");
	return 0;
}

/* The whole request has left. */
static void
call_left (struct vh_frontend *f, struct call *c)
{
	f->leaving = NULL;
	if (is_answered (c)) {
		c->sent = true;
		f->awaited++;
		f->held = holds_others (c);
	} else {
		call_settle (c, c->take ? c->take (f, c->request, NULL, c->ret) : 0);
	}
}

/* What was wrong may be ours (no fd left to duplicate, say), but the request may have left in part, so it ends the connection all the same. */
static void
send_request (struct vh_frontend *f, struct call *c)
{
	int err;

	if (asks_for_ack (f, c))
		c->request->flags |= MESSAGE_NEED_REPLY;
	error_log (&f->error, VH_LOG_DEBUG, "%s, %u bytes, %u fds", c->row->name, c->request->size, c->request->n_fds);
	err = channel_send (&f->main, c->request);
	drop_fds (c);
	if (err < 0)
		call_end (f, err, c->row->name);
	else if (channel_sending (&f->main))
		f->leaving = c;
	else
		call_left (f, c);
}

/* The next one in turn, unless what it needs is not in force. */
static void
send_next (struct vh_frontend *f)
{
	struct call *c = f->unsent;
	int err = message_check_gate (c->row, f->offered, f->features, f->protocol);

	f->unsent = c->next;
	if (err < 0) {
		drop_fds (c);
		call_settle (c, error_set (&f->error, err, "%s", c->row->name));
	} else if (f->awaited > 0 || check_silence (f) == 0) {
		send_request (f, c);
	}
}

static void
send_unsent (struct vh_frontend *f)
{
	while (f->unsent && !f->leaving && !f->held && f->awaited < f->pipeline)
		send_next (f);
}

static void
flush (struct vh_frontend *f)
{
	int err = channel_flush (&f->main);

	if (err == 0)
		call_left (f, f->leaving);
	else if (err != -EAGAIN)
		call_end (f, err, f->leaving->row->name);
}

/* --- receiving --- */

static int
check_answer (const struct call *c, const struct message *reply)
{
	if (reply->request != c->request->request || reply->flags != (MESSAGE_VERSION | MESSAGE_REPLY))
		return -EPROTO;
	if (reply->size < c->row->reply_min || reply->size > c->row->reply_max || reply->n_fds > c->row->reply_fds)
		return -EBADMSG;
	return 0;
}

/* Is the answer only "done" or "failed"? */
static bool
is_ack (const struct message_row *row)
{
	return row->answer != ANSWER_PAYLOAD;
}

/* The oldest call has its answer. */
static void
call_answered (struct vh_frontend *f, struct call *c, struct message *reply)
{
	uint64_t result;

	f->awaited--;
	f->held = false;
	if (is_ack (c->row) && (message_get_u64 (reply, &result) < 0 || result != 0))
		call_settle (c, error_set (&f->error, -EREMOTEIO, "%s", c->row->name));
	else
		call_settle (c, c->take ? c->take (f, c->request, reply, c->ret) : 0);
}

/* Receives the answer to the oldest call.  1; 0: not yet; a negative errno: the connection is over. */
static int
receive_answer (struct vh_frontend *f)
{
	struct call *c = f->first;
	struct message *reply;
	int err;

	if (!c || !c->sent)
		return check_silence (f);
	/* If another answer may follow, nothing of it must be read with this one. */
	err = channel_receive_answer (&f->main, f->awaited > 1 ? c->row->reply_min : c->row->reply_max, &reply);
	if (err == -EAGAIN)
		return 0;
	if (err == 1)
		err = check_answer (c, reply);
	if (err < 0)
		return call_end (f, err, c->row->name);
	call_answered (f, c, reply);
	message_close_fds (reply);
	return 1;
}

/* --- the list --- */

/* Of a call that becomes the first.  Few calls come near theirs, so it may be a little late, and costs little. */
static int64_t
deadline_of (const struct call *c)
{
	return clock_coarse_ms () + CLOCK_LAG_MS + c->timeout_ms;
}

void
calls_add (struct vh_frontend *f, struct call *c)
{
	if (f->first)
		f->last->next = c;
	else {
		f->first = c;
		f->deadline = deadline_of (c);
	}
	f->last = c;
	if (!f->unsent)
		f->unsent = c;
	send_unsent (f);
}

static struct call *
take_first (struct vh_frontend *f)
{
	struct call *c = f->first;

	f->first = c->next;
	if (f->first)
		f->deadline = deadline_of (f->first);
	return c;
}

int
calls_deliver (struct vh_frontend *f, int max)
{
	int n = 0;

	for (; n < max && f->first && f->first->settled; n++)
		call_finish (f, take_first (f));
	return n;
}

int
calls_run (struct vh_frontend *f)
{
	int n, more;

	if (f->leaving)
		flush (f);
	n = calls_deliver (f, CALLS_PER_TURN);
	do {
		more = f->main.fd < 0 ? 0 : receive_answer (f);
		send_unsent (f);
		n += calls_deliver (f, CALLS_PER_TURN - n);
	} while (more > 0 && f->first && n < CALLS_PER_TURN);
	return n;
}

void
calls_expire (struct vh_frontend *f)
{
	if (f->first && !f->first->settled && clock_ms () >= f->deadline)
		call_end (f, -ETIMEDOUT, f->first->row->name);
}
