/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams of bytes that a peer handed over; see pipe.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fd.h"
#include "util/pipe.h"

/* A description of our own, so that O_NONBLOCK is ours; without /proc, the one that is shared. */
static int
reopen_pipe (int fd, bool writing)
{
	char path[32];
	int own;

	snprintf (path, sizeof (path), "/proc/self/fd/%d", fd);
	own = open (path, (writing ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_CLOEXEC);
	if (own >= 0 || errno != ENOENT)
		return own < 0 ? -errno : own;
	own = fd_dup (fd);
	if (own >= 0 && fcntl (own, F_SETFL, O_NONBLOCK) < 0) {
		int err = -errno;

		close (own);
		return err;
	}
	return own;
}

int
pipe_adopt (int fd, bool writing)
{
	struct stat st;
	int mode = fcntl (fd, F_GETFL);

	if (fd_is_stream (fd))
		return fd_dup (fd);
	if (mode < 0 || fstat (fd, &st) < 0 || !S_ISFIFO (st.st_mode))
		return -EINVAL;
	mode &= O_ACCMODE;
	if (mode != O_RDWR && mode != (writing ? O_WRONLY : O_RDONLY))
		return -EINVAL;
	return reopen_pipe (fd, writing);
}

ssize_t
pipe_read (int fd, void *buf, size_t size)
{
	ssize_t n;

	do {
		n = recv (fd, buf, size, MSG_DONTWAIT);
		if (n < 0 && errno == ENOTSOCK)
			n = read (fd, buf, size);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* A pipe has no MSG_NOSIGNAL: the signal is kept from this thread, and taken back if it was raised. */
static ssize_t
write_quietly (int fd, const void *buf, size_t size)
{
	static const struct timespec at_once;
	sigset_t signals, old, pending;
	ssize_t n;
	int err;

	sigemptyset (&signals);
	sigaddset (&signals, SIGPIPE);
	sigpending (&pending);
	pthread_sigmask (SIG_BLOCK, &signals, &old);
	n = write (fd, buf, size);
	err = errno;
	if (n < 0 && err == EPIPE && !sigismember (&pending, SIGPIPE))
		sigtimedwait (&signals, NULL, &at_once);
	pthread_sigmask (SIG_SETMASK, &old, NULL);
	return n < 0 ? -err : n;
}

ssize_t
pipe_write (int fd, const void *buf, size_t size)
{
	ssize_t n;

	do {
		n = send (fd, buf, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		n = n < 0 ? -errno : n;
		if (n == -ENOTSOCK)
			n = write_quietly (fd, buf, size);
	} while (n == -EINTR);
	return n;
}
