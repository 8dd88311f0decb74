/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The size of a console; see size.h.
 */
#include <endian.h>
#include <unistd.h>

#include "devices/console/size.h"

/* A terminal tells its own programs when it changes, and not who is at its other end. */
#define LOOK_MS 500

/* Of a terminal that has none, as long as nobody has set it. */
#define DEFAULT_COLS 80
#define DEFAULT_ROWS 24

bool
size_is_known (const struct size *s)
{
	return s->known;
}

/* Did it change? */
static bool
size_set (struct size *s, unsigned cols, unsigned rows)
{
	struct virtio_console_config *c = &s->config;

	if (c->cols == htole16 (cols) && c->rows == htole16 (rows))
		return false;
	c->cols = htole16 (cols);
	c->rows = htole16 (rows);
	return true;
}

void
size_init (struct size *s, const struct host *host, unsigned cols, unsigned rows)
{
	unsigned short c = DEFAULT_COLS, r = DEFAULT_ROWS;

	if (cols) {
		s->known = size_set (s, cols, rows);
	} else if (host->out >= 0 && isatty (host->out)) {
		s->host = host;
		host_size (host, &c, &r);
		s->known = size_set (s, c, r);
	}
}

static void
look (void *opaque)
{
	struct size *s = opaque;
	unsigned short cols, rows;

	if (host_size (s->host, &cols, &rows) && size_set (s, cols, rows))
		s->changed (s->opaque);
	vh_timer_set (s->timer, LOOK_MS);
}

static void
announce (void *opaque)
{
	struct size *s = opaque;

	__atomic_store_n (&s->posted, false, __ATOMIC_RELEASE);
	s->changed (s->opaque);
}

void
size_announce (struct size *s)
{
	if (size_is_known (s) && !__atomic_exchange_n (&s->posted, true, __ATOMIC_ACQ_REL))
		vh_loop_post (s->loop, &s->mail);
}

int
size_attach (struct size *s, struct vh_loop *loop, void (*changed) (void *opaque), void *opaque)
{
	int err;

	s->loop = loop;
	s->changed = changed;
	s->opaque = opaque;
	s->mail = (struct vh_mail){ .fn = announce, .opaque = s };
	if (!s->host)
		return 0;
	err = vh_loop_add_timer (loop, look, s, &s->timer);
	if (err == 0)
		vh_timer_set (s->timer, LOOK_MS);
	return err;
}

void
size_detach (struct size *s)
{
	vh_timer_remove (s->timer);
	s->timer = NULL;
}
