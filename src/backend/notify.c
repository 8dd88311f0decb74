/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests to the front-end, over the channel that SET_BACKEND_REQ_FD gave.  They ask for no answer, so nothing is ever waited for; anything that comes back
 * ends the channel, not the connection.
 */
#include <errno.h>
#include <sys/epoll.h>

#include "backend/connection.h"
#include "util/fd.h"

void
notify_close (struct vh_backend *b)
{
	vh_source_remove (b->requests_source);
	b->requests_source = NULL;
	channel_close (&b->requests);
	b->config_change_due = false;
}

static int
notify_flush (struct vh_backend *b)
{
	struct message m;
	int err = channel_sending (&b->requests) ? channel_flush (&b->requests) : 0;

	if (err == 0 && b->config_change_due) {
		b->config_change_due = false;
		message_init (&m, BACKEND_REQUEST_CONFIG_CHANGE_MSG, MESSAGE_VERSION);
		err = channel_send (&b->requests, &m);
	}
	return err;
}

static void
notify_ready (void *opaque, uint32_t events)
{
	struct vh_backend *b = opaque;
	struct message *m;
	int err = events & EPOLLOUT ? notify_flush (b) : 0;

	if (err == 0 || err == -EAGAIN)
		err = channel_receive (&b->requests, &m);
	if (err != -EAGAIN) {
		/* A front-end that leaves closes its two sockets in some order. */
		error_log (&b->error, err == -ECONNRESET ? VH_LOG_INFO : VH_LOG_WARNING, "the channel for requests to the front-end is closed: %s",
			   err > 0 ? "it said something unasked" : vh_strerror (err));
		notify_close (b);
		return;
	}
	vh_source_events (b->requests_source, channel_sending (&b->requests) ? EPOLLIN | EPOLLOUT : EPOLLIN);
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
	channel_init (&b->requests, message_take_fd (m, 0));
	b->requests_source = source;
	return 0;
}

int
vh_backend_config_changed (struct vh_backend *b)
{
	int err;

	if (b->state != BACKEND_OPEN)
		return -ECONNRESET;
	if (b->requests.fd < 0 || message_check_gate (backend_request_row (BACKEND_REQUEST_CONFIG_CHANGE_MSG), b->offered, b->features, b->protocol) < 0)
		return -EOPNOTSUPP;
	b->config_change_due = true;
	if (channel_sending (&b->requests))
		return 0;
	err = notify_flush (b);
	if (err < 0 && err != -EAGAIN) {
		notify_close (b);
		return err;
	}
	if (channel_sending (&b->requests))
		vh_source_events (b->requests_source, EPOLLIN | EPOLLOUT);
	return 0;
}
