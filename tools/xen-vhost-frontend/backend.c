/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The back-end of a link: connecting, asking what it is, noticing that it went away, and looking for it again.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vhost/error.h>
#include <vhost/socket.h>

#include "link-private.h"

/* Pauses between attempts: from the first, doubled up to the last. */
#define FIRST_PAUSE_MS 50
#define LAST_PAUSE_MS 2000

/*
 * What we use of the protocol.  Without memory slots: a table of eight regions, sent as one, is what a guest's memory takes here, and it changes as a whole.
 */
#define PROTOCOL_FEATURES                                                                                                                              \
	(VH_BIT (VH_P_MQ) | VH_BIT (VH_P_REPLY_ACK) | VH_BIT (VH_P_BACKEND_REQ) | VH_BIT (VH_P_CONFIG) | VH_BIT (VH_P_RESET_DEVICE) |                  \
	 VH_BIT (VH_P_INFLIGHT_SHMFD) | VH_BIT (VH_P_XEN_MMAP))

int
backend_result (struct link *l, int err)
{
	/* Refused by the back-end or by the library: the connection goes on. */
	if (err < 0 && err != -EREMOTEIO && err != -EINVAL && err != -EOPNOTSUPP)
		l->lost = true;
	return err;
}

/* --- the end of a connection --- */

void
backend_disconnect (struct link *l)
{
	vh_source_remove (l->watch_source);
	vh_source_remove (l->requests_source);
	l->watch_source = l->requests_source = NULL;
	vh_frontend_free (l->frontend);
	l->frontend = NULL;
	if (l->watch >= 0)
		close (l->watch);
	l->watch = -1;
	l->lost = l->config_stale = l->running = false;
}

static void
try_later (struct link *l)
{
	l->pause = l->pause ? l->pause * 2 : FIRST_PAUSE_MS;
	if (l->pause > LAST_PAUSE_MS)
		l->pause = LAST_PAUSE_MS;
	vh_timer_set (l->retry, l->pause);
}

static void
lose (struct link *l)
{
	bool was = l->backend.connected;

	backend_disconnect (l);
	l->backend.connected = false;
	if (was) {
		link_log (l, VH_LOG_WARNING, "its back-end at %s is gone", l->options.socket);
		link_tell (l, NEWS_CHANGED, NULL);
	}
	try_later (l);
}

/* Nothing comes on this socket between calls, but its end. */
static void
on_socket (void *opaque, uint32_t events)
{
	struct link *l = opaque;
	char byte;

	if (recv (l->watch, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	lose (l);
}

/* --- requests of the back-end --- */

static void
config_changed (void *opaque)
{
	struct link *l = opaque;

	l->config_stale = true;
}

static void
on_request (void *opaque, uint32_t events)
{
	struct link *l = opaque;

	if (vh_frontend_dispatch (l->frontend) < 0)
		link_log (l, VH_LOG_WARNING, "the back-end's channel for requests: %s", vh_frontend_error (l->frontend));
	backend_settle (l);
}

void
backend_settle (struct link *l)
{
	if (!l->frontend)
		return;
	if (l->config_stale && !l->lost) {
		l->config_stale = false;
		if (backend_read_config (l) == 0)
			link_tell (l, NEWS_CHANGED, NULL);
	}
	if (l->lost) {
		lose (l);
		return;
	}
	/* The library closes this channel when it is misused. */
	if (l->requests_source && vh_frontend_fd (l->frontend) < 0) {
		vh_source_remove (l->requests_source);
		l->requests_source = NULL;
	}
}

/* --- what it is --- */

int
backend_read_config (struct link *l)
{
	uint8_t bytes[VH_MAX_CONFIG_SIZE];
	unsigned size = l->backend.config_size;
	int err;

	if (!l->backend.has_config)
		return -EOPNOTSUPP;
	err = backend_result (l, vh_frontend_get_config (l->frontend, 0, bytes, size));
	if (err == 0)
		memcpy (l->backend.config, bytes, size);
	else
		link_log (l, VH_LOG_WARNING, "cannot read the configuration space: %s", vh_strerror (err));
	return err;
}

/* How large the back-end's configuration space is, is for us to find out: it refuses to read more. */
static void
find_config (struct link *l)
{
	const unsigned *size = l->options.config_sizes;
	int err = -EREMOTEIO;

	l->backend.has_config = false;
	l->backend.config_size = 0;
	if (!(vh_frontend_protocol_features (l->frontend) & VH_BIT (VH_P_CONFIG)))
		return;
	for (; *size && err == -EREMOTEIO; size++) {
		err = backend_result (l, vh_frontend_get_config (l->frontend, 0, l->backend.config, *size));
		if (err == 0) {
			l->backend.has_config = true;
			l->backend.config_size = *size;
		}
	}
}

static int
find_rings (struct link *l)
{
	l->backend.rings = 0;
	if (!(vh_frontend_protocol_features (l->frontend) & VH_BIT (VH_P_MQ)))
		return 0;
	return backend_result (l, vh_frontend_get_queue_num (l->frontend, &l->backend.rings));
}

/* Asks for everything.  NULL, or why this back-end is none for us. */
static const char *
introduce (struct link *l)
{
	if (backend_result (l, vh_frontend_handshake (l->frontend, PROTOCOL_FEATURES)) < 0)
		return vh_frontend_error (l->frontend);
	if (l->options.memory.xen && !(vh_frontend_protocol_features (l->frontend) & VH_BIT (VH_P_XEN_MMAP)))
		return "it cannot map the memory of Xen domains (no XEN_MMAP)";
	if (find_rings (l) < 0)
		return vh_frontend_error (l->frontend);
	find_config (l);
	if (l->lost)
		return vh_frontend_error (l->frontend);
	l->backend.features = vh_frontend_offered_features (l->frontend);
	return NULL;
}

/* --- the beginning of a connection --- */

static int
open_frontend (struct link *l, int fd)
{
	struct vh_frontend_options options = { .size = sizeof (options),
					       .log = l->options.log,
					       .timeout_ms = l->options.timeout_ms,
					       .config_changed = config_changed,
					       .opaque = l };

	/* The library shows only the channel for requests of the back-end, and there may be none. */
	l->watch = fcntl (fd, F_DUPFD_CLOEXEC, 3);
	if (l->watch < 0)
		return -errno;
	return vh_frontend_new (fd, &options, &l->frontend);
}

static int
watch_frontend (struct link *l)
{
	int err = vh_loop_add_fd (l->loop, l->watch, EPOLLIN | EPOLLRDHUP, on_socket, l, &l->watch_source);

	if (err == 0 && vh_frontend_fd (l->frontend) >= 0)
		err = vh_loop_add_fd (l->loop, vh_frontend_fd (l->frontend), EPOLLIN, on_request, l, &l->requests_source);
	return err;
}

/* The back-end is there: tells the owner, and sets up again what the driver had set up. */
static void
welcome (struct link *l)
{
	l->backend.connected = true;
	l->pause = 0;
	l->last_error = 0;
	link_log (l, VH_LOG_INFO, "connected to its back-end at %s", l->options.socket);
	if (l->has_driver) {
		if (rings_start (l, true) == 0) {
			link_tell (l, NEWS_RESUMED, NULL);
		} else if (!l->lost) {
			l->has_driver = false;
			link_tell (l, NEWS_FAILED, "it cannot go on at the back-end that came");
		}
	}
	if (!l->lost)
		link_tell (l, NEWS_CHANGED, NULL);
	backend_settle (l);
}

/* Says an error of connecting once, not at every attempt. */
static void
connect_failed (struct link *l, int err, const char *what)
{
	if (err != l->last_error)
		link_log (l, VH_LOG_WARNING, "back-end at %s: %s; trying again", l->options.socket, what);
	l->last_error = err;
	backend_disconnect (l);
	try_later (l);
}

void
backend_connect (struct link *l)
{
	const char *why;
	int err, fd = vh_connect (l->options.socket, 0);

	if (fd < 0) {
		connect_failed (l, fd, vh_strerror (fd));
		return;
	}
	err = open_frontend (l, fd);
	if (err < 0) {
		close (fd);
		connect_failed (l, err, vh_strerror (err));
		return;
	}
	why = introduce (l);
	err = why ? -EREMOTEIO : watch_frontend (l);
	if (err < 0)
		connect_failed (l, err, why ? why : vh_strerror (err));
	else
		welcome (l);
}
