/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Unix sockets: either end of vhost-user may listen or connect.
 */
#ifndef VHOST_SOCKET_H
#define VHOST_SOCKET_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct vh_listener;

struct vh_listener_options {
	size_t size;	/* sizeof (struct vh_listener_options) */
	int mode;	/* permissions of the socket's file; 0: as the umask leaves them */
	int backlog;	/* of listen(2); 0: 16 */
};

/*
 * Binds and listens.  A socket file on which nobody listens any more is replaced; one with a live listener is -EADDRINUSE; a file that is not a socket is
 * never touched: -ENOTSOCK.  A path too long for sockaddr_un is -ENAMETOOLONG.  options NULL: defaults.  0 and *ret, or a negative errno.
 */
int vh_listener_new (const char *path, const struct vh_listener_options *options, struct vh_listener **ret);

/* Takes over an fd that listens already (systemd socket activation); it is closed by vh_listener_free, its file is not unlinked. -EINVAL: does not listen. */
int vh_listener_new_fd (int fd, struct vh_listener **ret);

/* Readable when a connection waits. */
int vh_listener_fd (const struct vh_listener *);

/*
 * The next connection: an fd with CLOEXEC and without O_NONBLOCK, the caller's; -EAGAIN when there is none.  When the process is out of fds the connection
 * is accepted on a reserved one and closed (-EMFILE), so that the listener does not stay readable for ever.
 */
int vh_listener_accept (struct vh_listener *);

/* Closes, and unlinks the socket's file if it is still the one that was bound.  NULL is fine. */
void vh_listener_free (struct vh_listener *);

/*
 * Connects to a listening socket.  timeout_ms: for how long to retry, with growing pauses, while nobody listens there (-ECONNREFUSED, -ENOENT); 0: one
 * attempt; -1: for ever.  Returns an fd with CLOEXEC that is the caller's, or a negative errno.
 */
int vh_connect (const char *path, int timeout_ms);

/*
 * The sockets that systemd passed (sd_listen_fds(3) protocol: LISTEN_PID, LISTEN_FDS): how many, beginning at fd 3; 0 when there are none for this process.
 * Sets CLOEXEC on them.
 */
int vh_activation_fds (void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
