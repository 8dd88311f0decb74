/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A link: its thread, orders and news; see link.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vhost/error.h>

#include "link-private.h"

void
link_log (struct link *l, enum vh_log_level level, const char *format, ...)
{
	char line[512];
	va_list args;

	if (!l->options.log.fn || level > l->options.log.level)
		return;
	va_start (args, format);
	vsnprintf (line, sizeof (line), format, args);
	va_end (args);
	l->options.log.fn (l->options.log.opaque, level, line);
}

/* --- news --- */

void
link_tell (struct link *l, unsigned news, const char *why)
{
	bool post;

	pthread_mutex_lock (&l->lock);
	l->news |= news;
	if (news & NEWS_CHANGED)
		l->told = l->backend;
	if (news & NEWS_FAILED)
		l->why = why;
	post = !l->posted;
	l->posted = true;
	pthread_mutex_unlock (&l->lock);
	if (post)
		vh_loop_post (l->owner, &l->news_mail);
}

/* In the owner's thread.  "Closed" comes last: the owner frees the link then. */
static void
deliver_news (void *opaque)
{
	struct link *l = opaque;
	struct link_backend backend;
	const char *why;
	unsigned news;

	pthread_mutex_lock (&l->lock);
	news = l->news;
	why = l->why;
	backend = l->told;
	l->news = 0;
	l->posted = false;
	pthread_mutex_unlock (&l->lock);
	if (news & NEWS_CHANGED)
		l->ops->changed (l->opaque, &backend);
	if (news & NEWS_RESUMED)
		l->ops->resumed (l->opaque);
	if (news & NEWS_FAILED)
		l->ops->failed (l->opaque, why);
	if (news & NEWS_DONE)
		l->ops->done (l->opaque);
	if (news & NEWS_CLOSED)
		l->ops->closed (l->opaque);
}

/* --- orders, in the link's thread --- */

/* At a back-end that is not there the rings are set up when it comes. */
static void
do_start (struct link *l)
{
	int err;

	l->driver = l->order_driver;
	l->has_driver = true;
	rings_forget (l);
	if (!l->frontend)
		return;
	err = rings_start (l, false);
	if (err == 0 || l->lost)
		return;
	l->has_driver = false;
	link_tell (l, NEWS_FAILED, "its rings could not be set up");
}

static void
do_stop (struct link *l)
{
	if (l->frontend && l->running)
		rings_stop (l);
	rings_forget (l);
	l->has_driver = l->running = false;
}

static void
do_stop_ring (struct link *l)
{
	unsigned ring = l->order_ring;

	if (ring >= l->driver.rings)
		return;
	if (l->frontend && l->running)
		rings_stop_one (l, ring);
	l->driver.ring[ring].ready = false;
}

static void
do_write_config (struct link *l)
{
	int err;

	if (!l->frontend || !l->backend.has_config)
		return;
	err = backend_result (l, vh_frontend_set_config (l->frontend, l->config_offset, l->config, l->config_size, VH_CONFIG_WRITE));
	if (err < 0)
		link_log (l, VH_LOG_WARNING, "the back-end did not take a change of the configuration space: %s", vh_strerror (err));
	/* What it made of it; other fields may have changed, too. */
	if (!l->lost && backend_read_config (l) == 0)
		link_tell (l, NEWS_CHANGED, NULL);
}

static void
carry_out (void *opaque)
{
	struct link *l = opaque;

	switch (l->order) {
	case ORDER_START:
		do_start (l);
		break;
	case ORDER_STOP:
		do_stop (l);
		break;
	case ORDER_STOP_RING:
		do_stop_ring (l);
		break;
	case ORDER_WRITE_CONFIG:
		do_write_config (l);
		break;
	default:
		break;
	}
	backend_settle (l);
	l->order = ORDER_NONE;
	link_tell (l, NEWS_DONE, NULL);
}

static void
carry_out_close (void *opaque)
{
	struct link *l = opaque;

	l->closing = true;
}

static void
retry_now (void *opaque)
{
	backend_connect (opaque);
}

static void *
run (void *opaque)
{
	struct link *l = opaque;

	backend_connect (l);
	while (!l->closing)
		vh_loop_dispatch (l->loop, -1);
	backend_disconnect (l);
	rings_forget (l);
	link_tell (l, NEWS_CLOSED, NULL);
	return NULL;
}

/* --- the owner's side --- */

static int
start_thread (struct link *l)
{
	sigset_t all, before;
	int err;

	/* Signals are for the thread that waits for them. */
	sigfillset (&all);
	pthread_sigmask (SIG_SETMASK, &all, &before);
	err = pthread_create (&l->thread, NULL, run, l);
	pthread_sigmask (SIG_SETMASK, &before, NULL);
	return -err;
}

int
link_new (struct vh_loop *owner, const struct link_options *options, const struct link_ops *ops, void *opaque, struct link **ret)
{
	struct link *l = calloc (1, sizeof (*l));
	int err;

	if (!l)
		return -ENOMEM;
	l->options = *options;
	l->ops = ops;
	l->opaque = opaque;
	l->owner = owner;
	l->watch = -1;
	l->inflight.fd = -1;
	l->news_mail = (struct vh_mail){ .fn = deliver_news, .opaque = l };
	l->order_mail = (struct vh_mail){ .fn = carry_out, .opaque = l };
	l->close_mail = (struct vh_mail){ .fn = carry_out_close, .opaque = l };
	pthread_mutex_init (&l->lock, NULL);
	err = vh_loop_new (&l->loop);
	if (err == 0)
		err = vh_loop_add_timer (l->loop, retry_now, l, &l->retry);
	if (err == 0)
		err = start_thread (l);
	if (err < 0) {
		vh_timer_remove (l->retry);
		vh_loop_free (l->loop);
		pthread_mutex_destroy (&l->lock);
		free (l);
		return err;
	}
	*ret = l;
	return 0;
}

static void
give_order (struct link *l, enum order order)
{
	l->order = order;
	vh_loop_post (l->loop, &l->order_mail);
}

void
link_start (struct link *l, const struct link_driver *driver)
{
	l->order_driver = *driver;
	give_order (l, ORDER_START);
}

void
link_stop (struct link *l)
{
	give_order (l, ORDER_STOP);
}

void
link_stop_ring (struct link *l, unsigned ring)
{
	l->order_ring = ring;
	give_order (l, ORDER_STOP_RING);
}

void
link_write_config (struct link *l, unsigned offset, const void *bytes, unsigned size)
{
	l->config_offset = offset;
	l->config_size = size < sizeof (l->config) ? size : sizeof (l->config);
	memcpy (l->config, bytes, l->config_size);
	give_order (l, ORDER_WRITE_CONFIG);
}

void
link_close (struct link *l)
{
	vh_loop_post (l->loop, &l->close_mail);
}

void
link_free (struct link *l)
{
	if (!l)
		return;
	pthread_join (l->thread, NULL);
	vh_timer_remove (l->retry);
	vh_loop_free (l->loop);
	pthread_mutex_destroy (&l->lock);
	free (l);
}
