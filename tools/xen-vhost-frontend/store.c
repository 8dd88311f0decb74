/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Xenstore; see store.h.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <xenstore.h>

#include "store.h"

#define TOKEN_SIZE 16

struct store_watch {
	struct store *store;
	struct store_watch *next;
	char path[STORE_PATH];
	char token[TOKEN_SIZE];	/* a number: an event that was under way when a watch ended finds nobody */
	void (*fn) (void *opaque);
	void *opaque;
};

struct store {
	struct xs_handle *xs;
	struct vh_source *source;
	struct store_watch *watches;
	unsigned last_token;
};

/* --- values --- */

static char *
read_path (struct store *s, const char *format, va_list args)
{
	char path[STORE_PATH];
	unsigned length;

	if (vsnprintf (path, sizeof (path), format, args) >= (int) sizeof (path))
		return NULL;
	return xs_read (s->xs, XBT_NULL, path, &length);	/* ends with a zero byte */
}

char *
store_read (struct store *s, const char *format, ...)
{
	va_list args;
	char *value;

	va_start (args, format);
	value = read_path (s, format, args);
	va_end (args);
	return value;
}

bool
store_has (struct store *s, const char *format, ...)
{
	va_list args;
	char *value;

	va_start (args, format);
	value = read_path (s, format, args);
	va_end (args);
	free (value);
	return value != NULL;
}

bool
store_write (struct store *s, const char *path, const char *value)
{
	return xs_write (s->xs, XBT_NULL, path, value, strlen (value));
}

char **
store_list (struct store *s, const char *path, unsigned *n)
{
	*n = 0;
	return xs_directory (s->xs, XBT_NULL, path, n);
}

/* --- watches --- */

static struct store_watch *
find_watch (const struct store *s, const char *token)
{
	struct store_watch *w;

	for (w = s->watches; w; w = w->next)
		if (strcmp (w->token, token) == 0)
			return w;
	return NULL;
}

static void
on_event (void *opaque, uint32_t events)
{
	struct store *s = opaque;
	char **event;

	while ((event = xs_check_watch (s->xs))) {
		struct store_watch *w = find_watch (s, event[XS_WATCH_TOKEN]);

		free (event);
		if (w)
			w->fn (w->opaque);
	}
}

int
store_watch (struct store *s, const char *path, void (*fn) (void *opaque), void *opaque, struct store_watch **ret)
{
	struct store_watch *w = calloc (1, sizeof (*w));

	if (!w)
		return -ENOMEM;
	w->store = s;
	w->fn = fn;
	w->opaque = opaque;
	snprintf (w->path, sizeof (w->path), "%s", path);
	snprintf (w->token, sizeof (w->token), "%u", ++s->last_token);
	if (!xs_watch (s->xs, w->path, w->token)) {
		int err = errno ? -errno : -EIO;

		free (w);
		return err;
	}
	w->next = s->watches;
	s->watches = w;
	*ret = w;
	return 0;
}

void
store_unwatch (struct store_watch *w)
{
	struct store_watch **link;

	if (!w)
		return;
	for (link = &w->store->watches; *link != w; link = &(*link)->next)
		;
	*link = w->next;
	xs_unwatch (w->store->xs, w->path, w->token);
	free (w);
}

/* --- the object --- */

int
store_new (struct vh_loop *loop, struct store **ret)
{
	struct store *s = calloc (1, sizeof (*s));
	int err = -ENOMEM;

	if (!s)
		return err;
	s->xs = xs_open (0);
	err = s->xs ? 0 : errno ? -errno : -EIO;
	if (err == 0)
		err = vh_loop_add_fd (loop, xs_fileno (s->xs), EPOLLIN, on_event, s, &s->source);
	if (err < 0) {
		store_free (s);
		return err;
	}
	*ret = s;
	return 0;
}

void
store_free (struct store *s)
{
	if (!s)
		return;
	while (s->watches)
		store_unwatch (s->watches);
	vh_source_remove (s->source);
	if (s->xs)
		xs_close (s->xs);
	free (s);
}
