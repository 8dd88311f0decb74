/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams of bytes that a peer handed over: pipes and stream sockets, read and written without ever blocking and without SIGPIPE, whatever the peer does to
 * the description that it shares with us.
 */
#ifndef UTIL_PIPE_H
#define UTIL_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * An fd of our own for the same stream; `fd` stays the caller's.  -EINVAL: neither a pipe, open in this direction, nor a stream socket; or a negative errno.
 */
int pipe_adopt (int fd, bool writing);

/* Reads or writes what goes now.  How many bytes, 0 at the end of what is read; -EAGAIN; -EPIPE: nobody reads; or another negative errno. */
ssize_t pipe_read (int fd, void *buf, size_t size);
ssize_t pipe_write (int fd, const void *buf, size_t size);

#endif
