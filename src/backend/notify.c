/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests to the front-end, over the channel that SET_BACKEND_REQ_FD gave.  Nothing is ever waited for in a call: one request at a time awaits its answer,
 * with a deadline of its own, while the connection serves the front-end, which may be waiting for us at the same time.  Anything that is not the answer
 * ends the channel, not the connection.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "backend/connection.h"
#include "util/fd.h"

/* --- one request --- */

static void
notice_end (struct vh_backend *b, struct notice *n, int err, int fd)
{
	fd_close (&n->fd);
	if (err < 0 && n->request == BACKEND_REQUEST_SHARED_OBJECT_ADD)
		objects_refused (b, n->body);
	if (n->answered)
		n->answered (n->opaque, err, fd);
	else
		fd_close (&fd);
}

/* Does the front-end answer it? */
static bool
is_answered (const struct vh_backend *b, uint32_t request)
{
	/* Nobody waits for what comes of a changed configuration: the front-end asks for it when it likes. */
	if (request == BACKEND_REQUEST_CONFIG_CHANGE_MSG)
		return false;
	return backend_request_row (request)->answer != ANSWER_ACK || b->protocol & VH_BIT (VH_P_REPLY_ACK);
}

static bool
is_in_force (const struct vh_backend *b, uint32_t request)
{
	return b->notices.channel.fd >= 0 && message_check_gate (backend_request_row (request), b->offered, b->features, b->protocol) == 0;
}

/* --- the channel --- */

/* The watch goes before the fd: the peer has the description, too, so closing ours would not end the watch. */
static void
notify_shut (struct notices *n)
{
	vh_source_remove (n->source);
	n->source = NULL;
	channel_close (&n->channel);
	if (n->deadline)
		vh_timer_set (n->deadline, -1);
	n->config_change_due = false;
}

void
notify_close (struct vh_backend *b)
{
	struct notices *n = &b->notices;

	notify_shut (n);
	/* The channel is closed, so nothing is added meanwhile. */
	if (n->awaiting) {
		n->awaiting = false;
		notice_end (b, &n->asked, -ECONNRESET, -1);
	}
	while (n->n > 0) {
		struct notice *first = &n->queue[n->first];

		n->first = (n->first + 1) % NOTICES;
		n->n--;
		notice_end (b, first, -ECONNRESET, -1);
	}
}

/* The channel cannot go on; err tells why to the one whose answer is awaited. */
static void
notify_fail (struct vh_backend *b, int err, const char *why)
{
	struct notices *n = &b->notices;

	/* A front-end that leaves closes its two sockets in some order. */
	error_log (&b->error, err == -ECONNRESET ? VH_LOG_INFO : VH_LOG_WARNING, "the channel for requests to the front-end is closed: %s", why);
	if (n->awaiting) {
		struct notice asked = n->asked;

		n->awaiting = false;
		notify_shut (n);
		notice_end (b, &asked, err, -1);
	}
	notify_close (b);
}

static void
answer_late (void *opaque)
{
	notify_fail (opaque, -ETIMEDOUT, "no answer in time");
}

int
notify_open (struct vh_backend *b)
{
	return vh_loop_add_timer (b->loop, answer_late, b, &b->notices.deadline);
}

/* --- what is next --- */

static void
notice_plain (struct notice *ret, uint32_t request)
{
	*ret = (struct notice){ .request = request, .fd = -1 };
}

/* A mark of a ring: a call or an error. */
static bool
take_mark (struct vh_backend *b, struct notice *ret)
{
	for (unsigned i = 0; i < b->n_vrings; i++) {
		struct vring *v = &b->vrings[(b->notices.next_vring + i) % b->n_vrings];
		struct vring_state state = { .index = v->index };
		bool err = __atomic_exchange_n (&v->err_due, false, __ATOMIC_ACQ_REL);

		if (!err && !__atomic_exchange_n (&v->call_due, false, __ATOMIC_ACQ_REL))
			continue;
		notice_plain (ret, err ? BACKEND_REQUEST_VRING_ERR : BACKEND_REQUEST_VRING_CALL);
		memcpy (ret->body, &state, sizeof (state));
		ret->size = sizeof (state);
		b->notices.next_vring = v->index + !err;
		return true;
	}
	return false;
}

static bool
take_entry (struct vh_backend *b, struct notice *ret)
{
	struct notices *n = &b->notices;

	if (n->n == 0)
		return false;
	*ret = n->queue[n->first];
	n->first = (n->first + 1) % NOTICES;
	n->n--;
	return true;
}

static bool
take_next (struct vh_backend *b, struct notice *ret)
{
	struct notices *n = &b->notices;

	if (n->config_change_due) {
		n->config_change_due = false;
		notice_plain (ret, BACKEND_REQUEST_CONFIG_CHANGE_MSG);
		return true;
	}
	if (n->awaiting)
		return false;
	n->vrings_first = !n->vrings_first;
	return n->vrings_first ? take_mark (b, ret) || take_entry (b, ret) : take_entry (b, ret) || take_mark (b, ret);
}

/* --- sending --- */

static int
send_notice (struct vh_backend *b, struct notice *next)
{
	struct notices *n = &b->notices;
	bool answered = is_answered (b, next->request);
	struct message m;
	int err;

	/* The features may have changed since it was asked for. */
	if (!is_in_force (b, next->request)) {
		notice_end (b, next, -EOPNOTSUPP, -1);
		return 0;
	}
	message_init (&m, next->request, MESSAGE_VERSION | (answered ? MESSAGE_NEED_REPLY : 0));
	memcpy (m.body, next->body, next->size);
	m.size = next->size;
	if (next->fd >= 0)
		m.fds[m.n_fds++] = next->fd;
	err = channel_send (&n->channel, &m);
	if (err < 0 || !answered) {
		notice_end (b, next, err, -1);
		return err;
	}
	n->awaiting = true;
	n->asked = *next;
	fd_close (&n->asked.fd);
	vh_timer_set (n->deadline, (int64_t) b->timeout_ms);
	return 0;
}

static int
send_due (struct vh_backend *b)
{
	struct notices *n = &b->notices;
	struct notice next;
	int err = channel_sending (&n->channel) ? channel_flush (&n->channel) : 0;

	while (err == 0 && !channel_sending (&n->channel) && take_next (b, &next))
		err = send_notice (b, &next);
	return err == -EAGAIN ? 0 : err;
}

static int
notify_send (struct vh_backend *b)
{
	struct notices *n = &b->notices;
	int err;

	if (n->channel.fd < 0 || b->state != BACKEND_OPEN || vrings_stopped (b))
		return 0;
	err = send_due (b);
	if (err < 0)
		notify_fail (b, err, vh_strerror (err));
	else if (n->source)
		vh_source_events (n->source, channel_sending (&n->channel) ? EPOLLIN | EPOLLOUT : EPOLLIN);
	return err;
}

void
notify_go_on (struct vh_backend *b)
{
	notify_send (b);
}

void
vring_called (void *opaque)
{
	struct vring *v = opaque;

	__atomic_store_n (&v->caller_posted, false, __ATOMIC_RELEASE);
	notify_go_on (v->backend);
}

int
notify_ask (struct vh_backend *b, const struct message *m, vh_backend_answer_fn *answered, void *opaque)
{
	struct notices *n = &b->notices;
	struct notice *last;
	int fd = -1;

	if (b->state != BACKEND_OPEN)
		return -ECONNRESET;
	if (!is_in_force (b, m->request))
		return -EOPNOTSUPP;
	if (n->n == NOTICES)
		return -EBUSY;
	if (m->n_fds > 0)
		fd = fd_dup (m->fds[0]);
	if (m->n_fds > 0 && fd < 0)
		return fd;
	last = &n->queue[(n->first + n->n++) % NOTICES];
	*last = (struct notice){ .request = m->request, .size = m->size, .fd = fd, .answered = answered, .opaque = opaque };
	memcpy (last->body, m->body, m->size);
	notify_go_on (b);
	return 0;
}

/* --- receiving --- */

static int
check_answer (const struct notices *n, const struct message *m)
{
	const struct message_row *row = backend_request_row (n->asked.request);

	if (!n->awaiting || m->request != n->asked.request || m->flags != (MESSAGE_VERSION | MESSAGE_REPLY))
		return -EPROTO;
	return m->size < row->reply_min || m->size > row->reply_max || m->n_fds > row->reply_fds ? -EBADMSG : 0;
}

static void
take_answer (struct vh_backend *b, struct message *m)
{
	struct notices *n = &b->notices;
	struct notice asked = n->asked;
	bool wants_fd = backend_request_row (asked.request)->reply_fds > 0;
	uint64_t result;
	int fd = -1, err = message_get_u64 (m, &result);

	n->awaiting = false;
	vh_timer_set (n->deadline, -1);
	if (err == 0 && (result != 0 || (wants_fd && m->n_fds == 0)))
		err = -EREMOTEIO;
	if (err == 0)
		fd = message_take_fd (m, 0);
	message_close_fds (m);
	if (err < 0)
		error_log (&b->error, VH_LOG_WARNING, "the front-end refused the request %s", backend_request_row (asked.request)->name);
	notice_end (b, &asked, err, fd);
}

static void
notify_ready (void *opaque, uint32_t events)
{
	struct vh_backend *b = opaque;
	struct notices *n = &b->notices;
	struct message *m;
	int err = channel_sending (&n->channel) ? channel_flush (&n->channel) : 0;

	if (err == 0 || err == -EAGAIN)
		err = channel_receive (&n->channel, &m);
	if (err == 1)
		err = check_answer (n, m);
	else if (err != -EAGAIN) {
		notify_fail (b, err, vh_strerror (err));
		return;
	}
	if (err == -EPROTO || err == -EBADMSG) {
		notify_fail (b, err, n->awaiting ? "it said something else than its answer" : "it said something unasked");
		return;
	}
	if (err == 0)
		take_answer (b, m);
	notify_go_on (b);
}

int
notify_set_channel (struct vh_backend *b, struct message *m)
{
	struct vh_source *source;
	int fd = m->fds[0];
	int err;

	if (!fd_is_stream (fd))
		return -EINVAL;
	err = vh_loop_add_fd (b->loop, fd, EPOLLIN, notify_ready, b, &source);
	if (err < 0)
		return err;
	notify_close (b);
	channel_init (&b->notices.channel, message_take_fd (m, 0), NULL);
	b->notices.source = source;
	iotlb_ask_next (b);
	return 0;
}

int
vh_backend_config_changed (struct vh_backend *b)
{
	if (b->state != BACKEND_OPEN)
		return -ECONNRESET;
	if (!is_in_force (b, BACKEND_REQUEST_CONFIG_CHANGE_MSG))
		return -EOPNOTSUPP;
	b->notices.config_change_due = true;
	return notify_send (b);
}
