/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A request and its answer: the one place where the front-end sends, and where it waits.
 *
 * The answer must be the one of this request and of the form that the table gives; the back-end is not trusted.  One that answers something else, or too
 * late, is out of step: then no later answer could be believed, and the connection ends.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "frontend/frontend.h"
#include "util/fd.h"

void
call_init (struct message *m, enum request request)
{
	message_init (m, request, MESSAGE_VERSION);
}

int
call_end (struct vh_frontend *f, int err, const char *what)
{
	channel_close (&f->main);
	channel_close (&f->backend);
	return error_set (&f->error, err, "%s", what);
}

int
call_refuse (struct vh_frontend *f, enum request request, int err)
{
	return error_set (&f->error, err, "%s", request_rows[request].name);
}

/* --- waiting --- */

static int
time_left (int64_t deadline)
{
	int64_t left = deadline - clock_ms ();

	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int) left;
}

/*
 * Waits for events on the main channel.  Requests of the back-end are served meanwhile: it may be waiting for our answer before it gives its own.
 * However many it sends, the deadline stays.
 */
static int
wait_events (struct vh_frontend *f, short events, int64_t deadline)
{
	for (;;) {
		struct pollfd p[2] = {
			{ .fd = f->main.fd, .events = events },
			{ .fd = f->backend.fd, .events = POLLIN },
		};
		int timeout = time_left (deadline);
		int n = poll (p, 2, timeout);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && p[1].revents)
			serve_requests (f);
		if (n > 0 && p[0].revents)
			return 0;
		if (timeout == 0)
			return -ETIMEDOUT;
	}
}

static int
send_request (struct vh_frontend *f, const struct message *m, int64_t deadline)
{
	int err = channel_send (&f->main, m);

	while (err == 0 && channel_sending (&f->main)) {
		err = wait_events (f, POLLOUT, deadline);
		if (err < 0)
			return err;
		err = channel_flush (&f->main);
		if (err == -EAGAIN)
			err = 0;
	}
	return err;
}

static int
receive_answer (struct vh_frontend *f, struct message **ret, int64_t deadline)
{
	for (;;) {
		int err = channel_receive (&f->main, ret);

		if (err == 1)
			return 0;
		if (err == -EAGAIN)
			err = wait_events (f, POLLIN, deadline);
		if (err < 0)
			return err;
	}
}

/* --- checks --- */

/* Nobody asked for anything now, so nothing may be here: it would be taken for the answer to the next request. */
static int
check_silence (struct vh_frontend *f)
{
	struct message *m;
	int err = channel_receive (&f->main, &m);

	if (err == 1 || (err == -EAGAIN && channel_busy (&f->main)))
		return call_end (f, -EPROTO, "bytes that nobody asked for");
	return err == -EAGAIN ? 0 : call_end (f, err, "connection");
}

static int
check_answer (const struct message *request, const struct message_row *row, const struct message *reply)
{
	if (reply->request != request->request || reply->flags != (MESSAGE_VERSION | MESSAGE_REPLY))
		return -EPROTO;
	if (reply->size < row->reply_min || reply->size > row->reply_max || reply->n_fds > row->reply_fds)
		return -EBADMSG;
	return 0;
}

/* Is the answer only "done" or "failed"? */
static bool
is_ack (const struct message_row *row)
{
	return row->answer != ANSWER_PAYLOAD;
}

static bool
will_be_answered (const struct message *request, const struct message_row *row)
{
	return row->answer != ANSWER_ACK || request->flags & MESSAGE_NEED_REPLY;
}

/* --- calling --- */

static int
exchange (struct vh_frontend *f, const struct message *request, const struct message_row *row, struct message **reply)
{
	int64_t deadline = clock_ms () + f->timeout_ms;
	int err = send_request (f, request, deadline);

	*reply = NULL;
	if (err == 0 && will_be_answered (request, row)) {
		err = receive_answer (f, reply, deadline);
		if (err == 0)
			err = check_answer (request, row, *reply);
	}
	return err;
}

/* What was wrong may be ours (no fd left to duplicate, say), but the request may have left in part, so it ends the connection all the same. */
static int
exchange_or_end (struct vh_frontend *f, struct message *request, const struct message_row *row, struct message **reply)
{
	int err;

	if (row->answer == ANSWER_ACK && f->protocol & VH_BIT (VH_P_REPLY_ACK))
		request->flags |= MESSAGE_NEED_REPLY;
	error_log (&f->error, VH_LOG_DEBUG, "%s, %u bytes, %u fds", row->name, request->size, request->n_fds);
	err = exchange (f, request, row, reply);
	return err < 0 ? call_end (f, err, row->name) : 0;
}

int
call (struct vh_frontend *f, struct message *request, struct message **reply)
{
	const struct message_row *row = request_row (request->request);
	struct message *answer;
	uint64_t result;
	int err;

	if (f->main.fd < 0)
		return error_set (&f->error, -ECONNRESET, "%s", row->name);
	err = message_check_gate (row, f->offered, f->features, f->protocol);
	if (err < 0)
		return error_set (&f->error, err, "%s", row->name);
	err = check_silence (f);
	if (err < 0)
		return err;
	err = exchange_or_end (f, request, row, &answer);
	if (err < 0)
		return err;
	if (reply)
		*reply = answer;
	if (answer && is_ack (row) && (message_get_u64 (answer, &result) < 0 || result != 0))
		return error_set (&f->error, -EREMOTEIO, "%s", row->name);
	return 0;
}

int
call_nothing (struct vh_frontend *f, enum request request)
{
	struct message m;

	call_init (&m, request);
	return call (f, &m, NULL);
}

int
call_u64 (struct vh_frontend *f, enum request request, uint64_t value)
{
	struct message m;

	call_init (&m, request);
	message_put_u64 (&m, value);
	return call (f, &m, NULL);
}

int
call_for_u64 (struct vh_frontend *f, enum request request, uint64_t *ret)
{
	struct message m, *reply;
	int err;

	call_init (&m, request);
	err = call (f, &m, &reply);
	return err < 0 ? err : message_get_u64 (reply, ret);
}
