/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sessions: connecting, and what happens when a connection ends.
 *
 *	DOWN --timer, connected--> GREETING --handshake, session_ask, session_judge--> READY
 *	  ^                           |                                                 |
 *	  +---- session_lose ---------+-------------------------------------------------+
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <vhost/queue.h>

#include "frontend/frontend.h"
#include "frontend/session.h"
#include "util/fd.h"
#include "wire/address.h"

/* Pauses between attempts: from the first, doubled up to the last. */
#define FIRST_PAUSE_MS 10
#define LAST_PAUSE_MS 1000

/* What a session makes use of, or leaves to its user's calls. */
#define SESSION_FEATURES                                                                                                                               \
	(VH_BIT (VH_P_MQ) | VH_BIT (VH_P_REPLY_ACK) | VH_BIT (VH_P_BACKEND_REQ) | VH_BIT (VH_P_CONFIG) | VH_BIT (VH_P_RESET_DEVICE) |                  \
	 VH_BIT (VH_P_CONFIGURE_MEM_SLOTS) | VH_BIT (VH_P_XEN_MMAP) | VH_BIT (VH_P_RARP) | VH_BIT (VH_P_MTU) | VH_BIT (VH_P_CRYPTO_SESSION) |       \
	 VH_BIT (VH_P_BACKEND_SEND_FD) | VH_BIT (VH_P_HOST_NOTIFIER) | VH_BIT (VH_P_SHARED_OBJECT) | VH_BIT (VH_P_SHMEM) |                             \
	 VH_BIT (VH_P_DEVICE_STATE))

/* --- the end of a connection --- */

static void
try_later (struct vh_session *s)
{
	vh_timer_set (s->timer, s->pause);
	s->pause = s->pause ? s->pause * 2 : FIRST_PAUSE_MS;
	if (s->pause > LAST_PAUSE_MS)
		s->pause = LAST_PAUSE_MS;
}

/* Callbacks of calls that are under way find no connection any more. */
static void
disconnect (struct vh_session *s)
{
	struct vh_frontend *f = s->frontend;

	vh_source_remove (s->source);
	s->source = NULL;
	s->frontend = NULL;
	s->state = SESSION_DOWN;
	vh_frontend_free (f);
	s->pending = 0;
}

/* Gives the connection up and tries another one later.  what NULL: the front-end's words. */
static void
lose (struct vh_session *s, int err, const char *what)
{
	if (!s->frontend)
		return;
	if (what)
		error_set (&s->error, err, "%s", what);
	else
		error_copy (&s->error, &s->frontend->error);
	disconnect (s);
	session_forget_told (s);
	try_later (s);
	if (s->options.lost)
		s->options.lost (s->options.opaque, err);
}

/* --- from one step to the next --- */

static void
settle (struct vh_session *s)
{
	int err = session_tell (s);

	if (err < 0) {
		lose (s, err, NULL);
		return;
	}
	if (s->pending > 0 || !s->news)
		return;
	s->news = false;
	s->pause = FIRST_PAUSE_MS;	/* this back-end is a good one */
	if (s->options.settled)
		s->options.settled (s->options.opaque);
}

static void
touched (void *opaque)
{
	struct vh_session *s = opaque;

	s->posted = false;
	if (s->state == SESSION_READY)
		settle (s);
}

void
session_touch (struct vh_session *s)
{
	s->news = true;
	if (s->posted)
		return;
	s->posted = true;
	s->mail = (struct vh_mail){ .fn = touched, .opaque = s };
	vh_loop_post (s->loop, &s->mail);
}

/* All that the back-end was asked is answered. */
static void
greeted (struct vh_session *s)
{
	int err = session_judge (s);

	if (err < 0) {
		lose (s, err, "the back-end is not what it was");
		return;
	}
	s->state = SESSION_READY;
	s->news = true;
	settle (s);
}

void
session_call_ended (struct vh_session *s, int result)
{
	if (!s->frontend)
		return;
	if (result < 0)
		lose (s, result, NULL);
	else if (--s->pending > 0)
		return;
	else if (s->state == SESSION_GREETING)
		greeted (s);
	else
		settle (s);
}

static void
call_done (void *opaque, int result)
{
	session_call_ended (opaque, result);
}

struct vh_frontend *
session_async_to (struct vh_session *s, vh_frontend_done_fn *done, void *opaque)
{
	s->pending++;
	return vh_frontend_async (s->frontend, done, opaque);
}

struct vh_frontend *
session_async (struct vh_session *s)
{
	return session_async_to (s, call_done, s);
}

static void
handshake_done (void *opaque, int result)
{
	struct vh_session *s = opaque;
	int err = result;

	if (!s->frontend)
		return;
	if (err == 0)
		err = session_ask (s);
	/* This call counts, too: so there is an end also when there was nothing to ask. */
	session_call_ended (s, err);
}

/* --- connecting --- */

static void
on_frontend (void *opaque, uint32_t events)
{
	struct vh_session *s = opaque;

	vh_frontend_dispatch (s->frontend);
	/* Not the channel on which the back-end asks: without that one, the rest goes on. */
	if (s->frontend && s->frontend->main.fd < 0 && !s->frontend->first)
		lose (s, -ECONNRESET, NULL);
}

static void
on_config_changed (void *opaque)
{
	/* An error ends the connection, which on_frontend hears. */
	session_read_config (opaque);
}

static int
open_socket (struct vh_session *s)
{
	struct sockaddr_un address;
	int err;

	if (s->options.connect)
		return s->options.connect (s->options.opaque);
	err = address_init (&address, s->options.path);
	return err < 0 ? err : address_connect (&address);
}

static int
open_frontend (struct vh_session *s)
{
	struct vh_frontend_options options = {
		.size = sizeof (options),
		.log = s->options.log,
		.timeout_ms = s->options.timeout_ms,
		.config_changed = on_config_changed,
		.opaque = s->options.opaque,
		.ops = s->options.ops,
	};
	int fd = open_socket (s);
	int err = fd < 0 ? fd : vh_frontend_new (fd, &options, &s->frontend);

	if (fd >= 0 && err < 0)
		close (fd);
	if (err == 0)
		s->frontend->config_opaque = s;
	return err;
}

static int
greet (struct vh_session *s)
{
	uint64_t wanted = SESSION_FEATURES;
	int err = vh_frontend_fd (s->frontend);

	if (s->options.rings > 0)
		wanted |= VH_BIT (VH_P_INFLIGHT_SHMFD);
	if (err >= 0)
		err = vh_loop_add_fd (s->loop, err, EPOLLIN, on_frontend, s, &s->source);
	if (err >= 0)
		err = vh_frontend_handshake (session_async_to (s, handshake_done, s), wanted);
	return err;
}

static void
on_timer (void *opaque)
{
	struct vh_session *s = opaque;
	int err = open_frontend (s);

	if (err < 0) {
		error_log (&s->error, VH_LOG_DEBUG, "no connection: %s", vh_strerror (err));
		try_later (s);
		return;
	}
	s->state = SESSION_GREETING;
	err = greet (s);
	if (err < 0)
		lose (s, err, "connection");
}

/* --- the object --- */

static int
take_options (struct vh_session *s, const struct vh_session_options *given)
{
	struct vh_session_options *o = &s->options;

	if (given->size < offsetof (struct vh_session_options, opaque) + sizeof (given->opaque))
		return -EINVAL;
	memcpy (o, given, given->size < sizeof (*o) ? given->size : sizeof (*o));
	error_init (&s->error, &o->log, "session");
	if ((!o->path && !o->connect) || o->rings > VH_MAX_RINGS || o->config_size > VH_MAX_CONFIG_SIZE)
		return -EINVAL;
	if (o->rings > 0 && (o->ring_size < 1 || o->ring_size > VH_MAX_RING_SIZE))
		return -EINVAL;
	if (o->path) {
		o->path = strdup (o->path);
		if (!o->path)
			return -ENOMEM;
	}
	return 0;
}

static void
init_rings (struct vh_session *s)
{
	for (unsigned i = 0; i < VH_MAX_RINGS; i++)
		s->rings[i] = (struct session_ring){ .session = s, .index = i, .kick = -1, .call = -1, .err = -1 };
	s->inflight.fd = -1;
}

int
vh_session_new (const struct vh_session_options *options, struct vh_session **ret)
{
	struct vh_session *s = calloc (1, sizeof (*s));
	int err;

	if (!s)
		return -ENOMEM;
	init_rings (s);
	err = take_options (s, options);
	if (err < 0) {
		free (s);
		return err;
	}
	err = vh_loop_new (&s->loop);
	if (err == 0)
		err = vh_loop_add_timer (s->loop, on_timer, s, &s->timer);
	if (err < 0) {
		vh_session_free (s);
		return err;
	}
	try_later (s);
	*ret = s;
	return 0;
}

void
vh_session_free (struct vh_session *s)
{
	if (!s)
		return;
	disconnect (s);
	session_free_state (s);
	vh_timer_remove (s->timer);
	vh_loop_free (s->loop);
	free ((char *) s->options.path);
	free (s);
}

const char *
vh_session_error (const struct vh_session *s)
{
	return s->error.text;
}

struct vh_frontend *
vh_session_frontend (struct vh_session *s)
{
	return s->frontend;
}

/* --- the event loop's side --- */

int
vh_session_fd (const struct vh_session *s)
{
	return vh_loop_fd (s->loop);
}

int
vh_session_dispatch (struct vh_session *s)
{
	return vh_loop_dispatch (s->loop, 0);
}

int
vh_session_is_settled (const struct vh_session *s)
{
	return s->state == SESSION_READY && s->pending == 0 && !s->news;
}

int
vh_session_wait (struct vh_session *s, int timeout_ms)
{
	int64_t deadline = timeout_ms < 0 ? -1 : clock_ms () + timeout_ms;
	int err = 0;

	while (err >= 0 && !vh_session_is_settled (s)) {
		int64_t left = deadline < 0 ? -1 : deadline - clock_ms ();

		if (deadline >= 0 && left <= 0)
			return -ETIMEDOUT;
		err = vh_loop_dispatch (s->loop, left < INT_MAX ? left : INT_MAX);
	}
	return err < 0 ? err : 0;
}
