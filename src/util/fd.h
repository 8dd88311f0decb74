/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * File descriptors: closing, and what kind a peer sent.
 */
#ifndef UTIL_FD_H
#define UTIL_FD_H

#include <stdbool.h>
#include <stdint.h>

/* Closes *fd if it is one, and makes it -1. */
void fd_close (int *fd);

/* A copy with CLOEXEC; or a negative errno. */
int fd_dup (int fd);

/* Is this an fd that can carry notifications: an eventfd (or another anonymous inode) - not a file, a pipe, a socket? */
bool fd_can_notify (int fd);

/* Is this a stream socket? */
bool fd_is_stream (int fd);

/* To what mappings of this file are aligned: a page, or the size of its huge pages.  0, or a negative errno. */
int fd_page_size (int fd, uint64_t *ret);

/* Can a peer hear through it?  What can carry notifications; or a stream socket, which User Mode Linux has in the place of an eventfd for calls. */
bool fd_can_be_told (int fd);

/*
 * Notifies: adds one to an eventfd, and does not block, whatever the peer did to the description.  A full one counts as notified.  0, or a negative errno.
 */
int fd_notify (int fd);

/* The same through a stream socket: eight bytes.  And through either. */
int fd_notify_stream (int fd);
int fd_tell (int fd);

/* Monotonic time in milliseconds, for deadlines. */
int64_t clock_ms (void);

/* The same in nanoseconds. */
int64_t clock_ns (void);

/* The same in milliseconds, for a tenth of the price, but up to CLOCK_LAG_MS behind: a tick of the kernel, of which there are 100 a second or more. */
#define CLOCK_LAG_MS 10
int64_t clock_coarse_ms (void);

#endif
