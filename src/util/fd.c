/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * File descriptors that a peer sent, and the clock.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "util/checked.h"
#include "util/fd.h"

void
fd_close (int *fd)
{
	if (*fd >= 0)
		close (*fd);
	*fd = -1;
}

int
fd_dup (int fd)
{
	int copy = fcntl (fd, F_DUPFD_CLOEXEC, 0);

	return copy < 0 ? -errno : copy;
}

bool
fd_can_notify (int fd)
{
	struct stat st;

	if (fstat (fd, &st) < 0)
		return false;
	/* Anonymous inodes have no type.  A pipe or a socket would do, but writing to one whose reader has gone raises SIGPIPE. */
	return (st.st_mode & S_IFMT) == 0;
}

bool
fd_is_stream (int fd)
{
	int type;
	socklen_t size = sizeof (type);

	return getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

bool
fd_can_be_told (int fd)
{
	return fd_can_notify (fd) || fd_is_stream (fd);
}

static const uint64_t one = 1;

int
fd_page_size (int fd, uint64_t *ret)
{
	struct statfs fs;

	if (fstatfs (fd, &fs) < 0)
		return -errno;
	*ret = fs.f_type == HUGETLBFS_MAGIC ? (uint64_t) fs.f_bsize : (uint64_t) sysconf (_SC_PAGESIZE);
	return is_power_of_two (*ret) ? 0 : -EINVAL;
}

int
fd_notify (int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int flags = fcntl (fd, F_GETFL);

	if (flags < 0)
		return -errno;
	/* The description is shared with the peer, so O_NONBLOCK is not ours to set: ask first. */
	if (!(flags & O_NONBLOCK) && poll (&p, 1, 0) == 0)
		return 0;
	if (write (fd, &one, sizeof (one)) < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	return 0;
}

int
fd_notify_stream (int fd)
{
	/* A peer that is gone must not end us by SIGPIPE, nor one that does not read make us wait. */
	ssize_t n = send (fd, &one, sizeof (one), MSG_DONTWAIT | MSG_NOSIGNAL);

	return n < 0 && errno != EAGAIN && errno != EINTR ? -errno : 0;
}

int
fd_tell (int fd)
{
	return fd_is_stream (fd) ? fd_notify_stream (fd) : fd_notify (fd);
}

int64_t
clock_ns (void)
{
	struct timespec t;

	clock_gettime (CLOCK_MONOTONIC, &t);
	return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t
clock_ms (void)
{
	return clock_ns () / 1000000;
}

int64_t
clock_coarse_ms (void)
{
	struct timespec t;

	clock_gettime (CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
