/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What all kinds of ends share: reading, writing, events; see host.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vhost/error.h>

#include "devices/console/host.h"

static const struct host_kind *const kinds[] = { &host_pty, &host_file, &host_listen, &host_connect, &host_stdio };

#define N_KINDS (sizeof (kinds) / sizeof (kinds[0]))

/* --- names --- */

const char *
host_kinds (void)
{
	return "pty[:LINK], file:PATH, listen:PATH, connect:PATH or stdio";
}

bool
host_parse (const char *text, const struct host_kind **kind, const char **argument)
{
	size_t length = strcspn (text, ":");

	*argument = text[length] ? text + length + 1 : NULL;
	for (unsigned i = 0; i < N_KINDS; i++) {
		*kind = kinds[i];
		if (strncmp (text, kinds[i]->name, length) || kinds[i]->name[length])
			continue;
		if (*argument)
			return (*argument)[0] && kinds[i]->argument != HOST_NO_ARGUMENT;
		return kinds[i]->argument != HOST_NEEDS_ARGUMENT;
	}
	return false;
}

/* --- events --- */

static bool
is_socket (int fd)
{
	struct stat st;

	return fd >= 0 && fstat (fd, &st) == 0 && S_ISSOCK (st.st_mode);
}

void
host_set_fds (struct host *h, int in, int out)
{
	h->in = in;
	h->out = out;
	h->in_is_socket = is_socket (in);
	h->out_is_socket = is_socket (out);
}

static void
host_tell (struct host *h)
{
	if (h->changed)
		h->changed (h->opaque);
}

static void
in_ready (void *opaque, uint32_t events)
{
	struct host *h = opaque;

	h->readable |= !!(events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR));
	h->writable |= !!(events & EPOLLOUT);
	/* Who hangs up has a last word, perhaps, which is read first; then the read finds the end. */
	h->deaf |= h->in == h->out && (events & (EPOLLHUP | EPOLLERR));
	host_tell (h);
}

static void
out_ready (void *opaque, uint32_t events)
{
	struct host *h = opaque;

	h->writable = true;
	host_tell (h);
}

void
host_unwatch (struct host *h)
{
	vh_source_remove (h->in_source);
	vh_source_remove (h->out_source);
	h->in_source = h->out_source = NULL;
}

/* A file has no events: it is always ready. */
int
host_watch (struct host *h)
{
	uint32_t both = h->in == h->out ? EPOLLOUT : 0;
	int err = 0;

	if (!h->loop)
		return 0;
	if (h->in >= 0 && !h->always_ready)
		err = vh_loop_add_fd (h->loop, h->in, EPOLLIN | EPOLLRDHUP | EPOLLET | both, in_ready, h, &h->in_source);
	if (err == -EPERM) {
		h->always_ready = true;
		err = 0;
	}
	if (err == 0 && h->out >= 0 && h->out != h->in)
		err = vh_loop_add_fd (h->loop, h->out, EPOLLOUT | EPOLLET, out_ready, h, &h->out_source);
	return err == -EPERM ? 0 : err;
}

void
host_connected (struct host *h)
{
	bool was = h->connected;

	h->connected = h->readable = h->writable = true;
	h->deaf = h->ended = false;
	if (!h->in_source && !h->out_source && host_watch (h) < 0) {
		host_disconnected (h);
		return;
	}
	if (!was)
		log_say (h->log, VH_LOG_INFO, "somebody is there");
	host_tell (h);
}

void
host_disconnected (struct host *h)
{
	bool was = h->connected;

	h->connected = h->readable = false;
	h->writable = true;	/* what nobody reads needs no room */
	if (h->kind->gone) {
		host_unwatch (h);
		h->kind->gone (h);
	}
	if (!was)
		return;		/* a terminal that nobody has opened since */
	log_say (h->log, VH_LOG_INFO, "nobody is there");
	host_tell (h);
}

int
host_attach (struct host *h, struct vh_loop *loop)
{
	int err;

	h->loop = loop;
	err = host_watch (h);
	if (err == 0 && h->kind->attach)
		err = h->kind->attach (h);
	if (err < 0) {
		host_detach (h);
		return err;
	}
	/* Edges that nobody was told of. */
	h->readable = h->connected;
	h->writable = true;
	if (h->kind->look)
		h->kind->look (h);
	return 0;
}

void
host_detach (struct host *h)
{
	host_unwatch (h);
	if (h->kind->detach)
		h->kind->detach (h);
	h->loop = NULL;
}

bool
host_wants_tick (const struct host *h)
{
	/* A terminal that is full again and again does not always tell when it has room. */
	return h->kind->look && (!h->connected || h->deaf || !h->writable);
}

void
host_tick (struct host *h)
{
	if (!host_wants_tick (h))
		return;
	if (!h->connected || h->deaf) {
		h->kind->look (h);
		return;
	}
	h->writable = true;
	host_tell (h);
}

/* --- bytes --- */

/* Somebody writes no more, and is gone if he does not read any more either. */
static void
read_ended (struct host *h, bool broken)
{
	h->readable = false;
	h->ended = true;
	if (h->in == h->out && (broken || h->deaf))
		host_disconnected (h);
}

size_t
host_read (struct host *h, char *bytes, size_t size)
{
	ssize_t n;

	if (h->in < 0 || !h->readable)
		return 0;
	n = h->in_is_socket ? recv (h->in, bytes, size, MSG_DONTWAIT) : read (h->in, bytes, size);
	if (n < 0 && errno == EAGAIN)
		h->readable = false;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		read_ended (h, n < 0);
		return 0;
	}
	return h->kind->filter ? h->kind->filter (h, bytes, n) : (size_t) n;
}

static ssize_t
write_parts (struct host *h, const struct iovec *parts, unsigned n)
{
	struct msghdr message = { .msg_iov = (struct iovec *) parts, .msg_iovlen = n };
	ssize_t sent;

	do
		sent = h->out_is_socket ? sendmsg (h->out, &message, MSG_DONTWAIT | MSG_NOSIGNAL) : writev (h->out, parts, n);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

static void
write_failed (struct host *h, int err)
{
	/* Somebody who went away is found by reading; a file stays, and it is said once that it fails. */
	h->deaf = h->kind->gone || h->kind->look;
	if (h->deaf && h->ended)
		host_disconnected (h);
	if (!h->deaf && !h->failed)
		log_say (h->log, VH_LOG_WARNING, "cannot be written: %s", vh_strerror (err));
	h->failed = true;
}

size_t
host_write (struct host *h, const struct iovec *parts, unsigned n)
{
	size_t all = 0;
	ssize_t sent;

	for (unsigned i = 0; i < n; i++)
		all += parts[i].iov_len;
	if (!h->connected || h->deaf || h->out < 0)
		return all;
	if (!h->writable)
		return 0;
	if (__atomic_load_n (&h->reopen, __ATOMIC_RELAXED) && __atomic_exchange_n (&h->reopen, false, __ATOMIC_RELAXED))
		h->kind->again (h);
	sent = write_parts (h, parts, n);
	if (sent == -EAGAIN) {
		h->writable = false;
		return 0;
	}
	if (sent < 0) {
		write_failed (h, sent);
		return all;
	}
	h->failed = false;
	return sent;
}

void
host_reopen (struct host *h)
{
	if (h->kind->again)
		__atomic_store_n (&h->reopen, true, __ATOMIC_RELAXED);
}

bool
host_size (const struct host *h, unsigned short *cols, unsigned short *rows)
{
	struct winsize size;

	if (h->out < 0 || ioctl (h->out, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 || size.ws_row == 0)
		return false;
	*cols = size.ws_col;
	*rows = size.ws_row;
	return true;
}

/* --- life --- */

int
host_open (struct host *h, const struct host_kind *kind, const char *argument, const struct log *log)
{
	const char *what = argument ? argument : kind->name;
	int err;

	h->kind = kind;
	h->argument = argument;
	h->log = log;
	h->in = h->out = -1;
	err = kind->open (h, &what);
	if (err < 0)
		log_say (log, VH_LOG_ERROR, "%s: %s", what, vh_strerror (err));
	return err;
}

void
host_close (struct host *h)
{
	if (h->kind && h->kind->close)
		h->kind->close (h);
	if (h->out >= 0 && h->out != h->in)
		close (h->out);
	if (h->kind && h->in >= 0)
		close (h->in);
	h->in = h->out = -1;
}
