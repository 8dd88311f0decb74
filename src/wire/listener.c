/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Listening at a path, or on a socket that somebody else made.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vhost/socket.h>

#include "util/fd.h"
#include "wire/address.h"

#define DEFAULT_BACKLOG 16

/* How often a stale file is removed before we say that somebody else wants this path, too. */
#define BIND_ATTEMPTS 3

/* Connections that are given up by the peer before accept sees them, in one call. */
#define ACCEPT_ATTEMPTS 16

struct vh_listener {
	int fd;
	int reserve;		/* given up for a moment to accept a connection when no fd is free; -1: could not be had */
	char *path;		/* to unlink; NULL: not ours */
	dev_t dev;		/* the file that was bound: the path may name another one later */
	ino_t ino;
};

/* Takes the options of a caller that may be older or newer than this library. */
static int
take_options (struct vh_listener_options *taken, const struct vh_listener_options *given)
{
	memset (taken, 0, sizeof (*taken));
	if (given) {
		if (given->size < sizeof (given->size))
			return -EINVAL;
		memcpy (taken, given, given->size < sizeof (*taken) ? given->size : sizeof (*taken));
	}
	if (taken->backlog == 0)
		taken->backlog = DEFAULT_BACKLOG;
	return taken->backlog < 0 || taken->mode & ~07777 ? -EINVAL : 0;
}

static void
take_reserve (struct vh_listener *l)
{
	if (l->reserve < 0)
		l->reserve = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* --- the path --- */

/* Removes the file at the path if it is a socket on which nobody listens.  0: the path is free now. */
static int
remove_stale (const struct sockaddr_un *address)
{
	struct stat before, after;
	int fd, err;

	if (lstat (address->sun_path, &before) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK (before.st_mode))
		return -ENOTSOCK;
	fd = address_connect (address);
	if (fd >= 0) {
		close (fd);
		return -EADDRINUSE;
	}
	err = fd;
	if (err == -ENOENT)
		return 0;
	if (err != -ECONNREFUSED)	/* alive: a full backlog, or a socket of another type; or not ours to try */
		return err == -EAGAIN || err == -EPROTOTYPE ? -EADDRINUSE : err;
	if (lstat (address->sun_path, &after) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (after.st_dev != before.st_dev || after.st_ino != before.st_ino)
		return -EADDRINUSE;
	return unlink (address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

static int
bind_path (int fd, const struct sockaddr_un *address)
{
	for (int i = 0; i < BIND_ATTEMPTS; i++) {
		int err;

		if (bind (fd, (const struct sockaddr *) address, sizeof (*address)) == 0)
			return 0;
		if (errno != EADDRINUSE)
			return -errno;
		err = remove_stale (address);
		if (err < 0)
			return err;
	}
	return -EADDRINUSE;
}

/* Remembers which file was bound, so that only that one is removed. */
static int
remember_path (struct vh_listener *l, const char *path)
{
	struct stat st;

	if (lstat (path, &st) < 0)
		return -errno;
	l->path = strdup (path);
	if (!l->path)
		return -ENOMEM;
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return 0;
}

/* To be called while the socket is open: until then the inode's number is not given to another file. */
static void
forget_path (struct vh_listener *l)
{
	struct stat st;

	if (!l->path)
		return;
	if (lstat (l->path, &st) == 0 && S_ISSOCK (st.st_mode) && st.st_dev == l->dev && st.st_ino == l->ino)
		unlink (l->path);
	free (l->path);
	l->path = NULL;
}

static int
open_path (struct vh_listener *l, const struct sockaddr_un *address, const struct vh_listener_options *options)
{
	int err;

	l->fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return -errno;
	/* The file gets the socket's own mode less the umask: so it never allows more than was asked for, and chmod adds what the umask took. */
	if (options->mode && fchmod (l->fd, options->mode) < 0)
		return -errno;
	err = bind_path (l->fd, address);
	if (err < 0)
		return err;
	err = remember_path (l, address->sun_path);
	if (err < 0) {
		unlink (address->sun_path);
		return err;
	}
	if (options->mode && chmod (address->sun_path, options->mode) < 0)
		return -errno;
	return listen (l->fd, options->backlog) < 0 ? -errno : 0;
}

/* --- the object --- */

static struct vh_listener *
listener_alloc (void)
{
	struct vh_listener *l = calloc (1, sizeof (*l));

	if (l) {
		l->fd = -1;
		l->reserve = -1;
	}
	return l;
}

int
vh_listener_new (const char *path, const struct vh_listener_options *options, struct vh_listener **ret)
{
	struct vh_listener_options taken;
	struct sockaddr_un address;
	struct vh_listener *l;
	int err = take_options (&taken, options);

	if (err == 0)
		err = address_init (&address, path);
	if (err < 0)
		return err;
	l = listener_alloc ();
	if (!l)
		return -ENOMEM;
	err = open_path (l, &address, &taken);
	if (err < 0) {
		vh_listener_free (l);
		return err;
	}
	take_reserve (l);
	*ret = l;
	return 0;
}

static int
socket_option (int fd, int name)
{
	int value = 0;
	socklen_t size = sizeof (value);

	return getsockopt (fd, SOL_SOCKET, name, &value, &size) < 0 ? -1 : value;
}

int
vh_listener_new_fd (int fd, struct vh_listener **ret)
{
	struct vh_listener *l;
	int flags;

	if (socket_option (fd, SO_DOMAIN) != AF_UNIX || socket_option (fd, SO_TYPE) != SOCK_STREAM || socket_option (fd, SO_ACCEPTCONN) != 1)
		return -EINVAL;
	flags = fcntl (fd, F_GETFL);
	if (flags < 0 || fcntl (fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl (fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	l = listener_alloc ();
	if (!l)
		return -ENOMEM;
	l->fd = fd;
	take_reserve (l);
	*ret = l;
	return 0;
}

int
vh_listener_fd (const struct vh_listener *l)
{
	return l->fd;
}

/* Out of fds: takes the connection with the reserved one and closes it, so that its peer is told and we are not called for it again and again. */
static void
drop_connection (struct vh_listener *l)
{
	int fd;

	fd_close (&l->reserve);
	fd = accept4 (l->fd, NULL, NULL, SOCK_CLOEXEC);
	fd_close (&fd);
	take_reserve (l);
}

int
vh_listener_accept (struct vh_listener *l)
{
	take_reserve (l);
	for (int i = 0; i < ACCEPT_ATTEMPTS; i++) {
		int fd = accept4 (l->fd, NULL, NULL, SOCK_CLOEXEC);
		int err = errno;

		if (fd >= 0)
			return fd;
		if (err == EMFILE || err == ENFILE) {
			drop_connection (l);
			return -EMFILE;
		}
		if (err != EINTR && err != ECONNABORTED)
			return err == EWOULDBLOCK ? -EAGAIN : -err;
	}
	return -EAGAIN;
}

void
vh_listener_free (struct vh_listener *l)
{
	if (!l)
		return;
	forget_path (l);
	fd_close (&l->fd);
	fd_close (&l->reserve);
	free (l);
}
