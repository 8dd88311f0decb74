/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the program was started with: standard input and output.  A terminal becomes raw, and Ctrl-] ends the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "devices/console/host.h"

#define ESCAPE 0x1d	/* Ctrl-] */

/*
 * Opened anew, so that O_NONBLOCK is ours alone: the old description is shared with whoever started us.  A file goes on where it is; what cannot be
 * opened that way is used as it is.
 */
static int
open_again (int fd, int flags)
{
	char path[32];
	off_t at = lseek (fd, 0, SEEK_CUR);
	int again;

	snprintf (path, sizeof (path), "/proc/self/fd/%d", fd);
	again = open (path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (again < 0)
		again = fcntl (fd, F_DUPFD_CLOEXEC, 3);
	else if (at > 0)
		lseek (again, at, SEEK_SET);
	return again < 0 ? -errno : again;
}

static void
make_raw (struct host *h)
{
	struct termios t;

	if (tcgetattr (h->in, &t) < 0)
		return;
	h->saved = t;
	h->has_saved = true;
	cfmakeraw (&t);
	tcsetattr (h->in, TCSANOW, &t);
}

static int
stdio_open (struct host *h, const char **what)
{
	int in = open_again (STDIN_FILENO, O_RDONLY);
	int out = open_again (STDOUT_FILENO, O_WRONLY | O_APPEND);

	host_set_fds (h, in < 0 ? -1 : in, out < 0 ? -1 : out);
	if (in < 0 || out < 0)
		return in < 0 ? in : out;
	h->connected = h->readable = h->writable = true;
	make_raw (h);
	return 0;
}

static size_t
stdio_filter (struct host *h, char *bytes, size_t n)
{
	char *escape = h->has_saved ? memchr (bytes, ESCAPE, n) : NULL;

	if (!escape)
		return n;
	kill (getpid (), SIGTERM);
	return escape - bytes;
}

static void
stdio_close (struct host *h)
{
	if (h->has_saved)
		tcsetattr (h->in, TCSANOW, &h->saved);
}

const struct host_kind host_stdio = {
	.name = "stdio",
	.argument = HOST_NO_ARGUMENT,
	.open = stdio_open,
	.filter = stdio_filter,
	.close = stdio_close,
};
