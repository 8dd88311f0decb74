/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's end of a port: a pseudo-terminal, a file, a socket, or what the program was started with.
 *
 * It is made when the program starts.  A program of the host may come and go; while none is there, what is written is forgotten, as on a terminal that nobody
 * looks at.  Nothing here blocks.  Events come while a loop is attached.
 */
#ifndef CONSOLE_HOST_H
#define CONSOLE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <termios.h>

#include <vhost/loop.h>
#include <vhost/socket.h>

#include "devices/common/log.h"

/* How often host_tick is called while somebody wants it. */
#define HOST_TICK_MS 250

struct host;

/* What a kind's name may have behind its colon. */
enum host_argument {
	HOST_NO_ARGUMENT,
	HOST_MAY_HAVE_ARGUMENT,
	HOST_NEEDS_ARGUMENT,
};

struct host_kind {
	const char *name;
	enum host_argument argument;
	/* Makes it.  0; a negative errno, and *what is what could not be had.  Required. */
	int (*open) (struct host *, const char **what);
	/* Watches what brings a program, beside in and out.  0 or a negative errno.  If NULL, then there is nothing. */
	int (*attach) (struct host *);
	void (*detach) (struct host *);
	/* Looks whether a program is there now.  If NULL, then its coming is an event. */
	void (*look) (struct host *);
	/* The program is gone: closes in and out.  If NULL, then they stay. */
	void (*gone) (struct host *);
	/* host_reopen was called.  If NULL, then nothing. */
	void (*again) (struct host *);
	/* Looks at what was read, n bytes; returns how many are left.  If NULL, then all. */
	size_t (*filter) (struct host *, char *bytes, size_t n);
	/* Before in and out are closed.  If NULL, then nothing. */
	void (*close) (struct host *);
};

struct host {
	const struct host_kind *kind;
	const char *argument;	/* NULL: none */
	const struct log *log;
	void (*changed) (void *opaque);		/* something of the next four did */
	void *opaque;
	bool connected;		/* somebody is there */
	bool deaf;		/* but does not read any more; what he wrote may still be here */
	bool readable, writable;	/* as far as we know: events are edges */
	int in, out;		/* may be the same; -1: none */
	bool ended;		/* the last read found the end */
	bool in_is_socket, out_is_socket;
	bool always_ready;	/* of `in`: no events, never waits */
	bool failed;		/* writing; it was said */
	bool reopen;		/* asked for by another thread */
	struct vh_loop *loop;
	struct vh_source *in_source, *out_source;

	/* Of single kinds. */
	struct vh_listener *listener;
	struct vh_source *listener_source;
	struct termios saved;
	bool has_saved;
	bool made_link;
};

/* "KIND" or "KIND:ARGUMENT": true.  The argument points into text. */
bool host_parse (const char *text, const struct host_kind **kind, const char **argument);

/* Names of all kinds, for a message. */
const char *host_kinds (void);

/* Makes it; 0, or a negative errno after a line in the log.  Strings and log are borrowed. */
int host_open (struct host *, const struct host_kind *, const char *argument, const struct log *);
void host_close (struct host *);

int host_attach (struct host *, struct vh_loop *);
void host_detach (struct host *);

/* Is host_tick wanted?  It looks for what has no event. */
bool host_wants_tick (const struct host *);
void host_tick (struct host *);

/* Up to `size` bytes; 0: none now. */
size_t host_read (struct host *, char *bytes, size_t size);

/* Writes parts, as far as they go; returns how many bytes went, all of them when nobody is there. */
size_t host_write (struct host *, const struct iovec *parts, unsigned n);

/* Any thread: a file is opened again, by its name, before the next write. */
void host_reopen (struct host *);

/* The size of the terminal that somebody looks at, if it has one: true. */
bool host_size (const struct host *, unsigned short *cols, unsigned short *rows);

/* --- for the kinds --- */

extern const struct host_kind host_pty, host_file, host_listen, host_connect, host_stdio;

/* The host's, from now on. */
void host_set_fds (struct host *, int in, int out);

/* A program is there. */
void host_connected (struct host *);

/* It is gone. */
void host_disconnected (struct host *);

/* Around a change of what is behind in and out. */
void host_unwatch (struct host *);
int host_watch (struct host *);

#endif
