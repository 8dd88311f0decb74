/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A pseudo-terminal, with a symbolic link to it if one is wanted.  It is raw: what editing there is belongs to the guest.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/console/host.h"

#define NAME_SIZE 64

/*
 * Raw, by its other side.  Closing that makes the terminal hang up until somebody opens it: so it can be told whether somebody is there.
 */
static int
make_raw (const char *name)
{
	int fd = open (name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios t;

	if (fd < 0)
		return -errno;
	if (tcgetattr (fd, &t) == 0) {
		cfmakeraw (&t);
		tcsetattr (fd, TCSANOW, &t);
	}
	close (fd);
	return 0;
}

/* In place of a link that an earlier run left, and of nothing else. */
static int
make_link (const char *name, const char *link)
{
	struct stat st;

	if (lstat (link, &st) == 0 && S_ISLNK (st.st_mode))
		unlink (link);
	return symlink (name, link) < 0 ? -errno : 0;
}

static int
pty_open (struct host *h, const char **what)
{
	char name[NAME_SIZE];
	int fd = posix_openpt (O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	int err;

	host_set_fds (h, fd, fd);
	if (fd < 0 || grantpt (fd) < 0 || unlockpt (fd) < 0 || ptsname_r (fd, name, sizeof (name)) != 0) {
		*what = "a pseudo-terminal";
		return -errno;
	}
	err = make_raw (name);
	if (err < 0)
		return err;
	if (h->argument)
		err = make_link (name, h->argument);
	h->made_link = err == 0 && h->argument;
	/* Somebody has to know where it is. */
	if (err == 0)
		log_say (h->log, h->argument ? VH_LOG_INFO : VH_LOG_WARNING, "is %s", name);
	return err;
}

/* Opening it is no event. */
static void
pty_look (struct host *h)
{
	struct pollfd p = { .fd = h->in };

	if (poll (&p, 1, 0) >= 0 && !(p.revents & (POLLHUP | POLLERR)))
		host_connected (h);
}

static void
pty_close (struct host *h)
{
	if (h->made_link)
		unlink (h->argument);
}

const struct host_kind host_pty = {
	.name = "pty",
	.argument = HOST_MAY_HAVE_ARGUMENT,
	.open = pty_open,
	.look = pty_look,
	.close = pty_close,
};
