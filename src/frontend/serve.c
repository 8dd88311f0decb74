/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the back-end asks of us, on a socket of its own.  A request that this library does not serve, or that is not in force, is answered "failed" when an
 * answer is due, and the channel goes on.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frontend/frontend.h"

/* Requests served in one turn: a back-end that sends without end must not keep us from our own work. */
#define REQUESTS_PER_TURN 32

/* What "failed" looks like; any number but 0 would do. */
#define FAILED 1

int
serve_open (struct vh_frontend *f)
{
	struct message m;
	int ends[2], err;

	if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return call_refuse (f, REQUEST_SET_BACKEND_REQ_FD, -errno);
	call_init (&m, REQUEST_SET_BACKEND_REQ_FD);
	m.fds[m.n_fds++] = ends[1];
	/* The back-end may use it before it has answered. */
	frontend_close (f, &f->backend);
	channel_init (&f->backend, ends[0]);
	err = call (f, &m, NULL, NULL);
	close (ends[1]);
	if (err < 0)
		frontend_close (f, &f->backend);
	return err;
}

/* --- the requests --- */

static int
serve_config_change (struct vh_frontend *f, struct message *m)
{
	if (!f->config_changed)
		return 0;
	f->in_callback++;
	f->config_changed (f->opaque);
	f->in_callback--;
	return 0;
}

typedef int serve_fn (struct vh_frontend *, struct message *);

/* By id; the others are refused. */
static serve_fn *const servers[BACKEND_REQUEST_END] = {
	[BACKEND_REQUEST_CONFIG_CHANGE_MSG] = serve_config_change,
};

static int
serve_request (struct vh_frontend *f, struct message *m, const struct message_row *row)
{
	int err = message_check_form (m, row);

	if (err == 0)
		err = message_check_gate (row, f->offered, f->features, f->protocol);
	if (err < 0)
		return err;
	return servers[m->request] ? servers[m->request](f, m) : -ENOSYS;
}

static bool
answer_is_due (const struct vh_frontend *f, const struct message *m, const struct message_row *row)
{
	if (row && row->answer != ANSWER_ACK)
		return true;
	return m->flags & MESSAGE_NEED_REPLY && f->protocol & VH_BIT (VH_P_REPLY_ACK);
}

static int
serve_and_answer (struct vh_frontend *f, struct message *m)
{
	const struct message_row *row = backend_request_row (m->request);
	struct message reply;
	int err;

	if (m->flags & ~(MESSAGE_VERSION | MESSAGE_NEED_REPLY))
		return -EPROTO;
	err = serve_request (f, m, row);
	if (err < 0)
		error_log (&f->error, VH_LOG_WARNING, "refused the back-end's request %s (%u): %s", row ? row->name : "unknown", m->request, vh_strerror (err));
	if (!answer_is_due (f, m, row))
		return 0;
	message_init_reply (&reply, m);
	message_put_u64 (&reply, err < 0 ? FAILED : 0);
	err = channel_send (&f->backend, &reply);
	/* Hundreds of answers fit: this back-end does not read them. */
	return err == 0 && channel_sending (&f->backend) ? -ETIMEDOUT : err;
}

/* --- the channel --- */

static int
serve_next (struct vh_frontend *f)
{
	struct message *m;
	int err = channel_receive (&f->backend, &m);

	if (err == 1) {
		err = serve_and_answer (f, m);
		message_close_fds (m);
	}
	return err;
}

int
serve_requests (struct vh_frontend *f)
{
	for (int n = 0; n < REQUESTS_PER_TURN; n++) {
		int err = serve_next (f);

		if (err == -EAGAIN)
			return n;
		if (err < 0) {
			frontend_close (f, &f->backend);
			return error_set (&f->error, err, "channel of the back-end");
		}
	}
	return REQUESTS_PER_TURN;
}
