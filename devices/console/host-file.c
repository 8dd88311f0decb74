/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file that grows, or what a name in the file system stands for (a pipe, a device): only written.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "devices/console/host.h"

#define MODE 0666	/* and the umask */

static int
file_fd (const struct host *h)
{
	/* A pipe is opened for reading, too: so it can be opened before somebody reads it. */
	int fd = open (h->argument, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, MODE);

	if (fd < 0 && errno == ENXIO)
		fd = open (h->argument, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int
file_open (struct host *h, const char **what)
{
	int fd = file_fd (h);

	if (fd < 0)
		return fd;
	host_set_fds (h, -1, fd);
	h->connected = h->writable = true;
	return 0;
}

/* Somebody moved the file away: the next one.  If that fails, the old one is better than none. */
static void
file_again (struct host *h)
{
	int fd = file_fd (h);

	if (fd < 0) {
		log_say (h->log, VH_LOG_WARNING, "cannot be opened again");
		return;
	}
	host_unwatch (h);
	close (h->out);
	host_set_fds (h, -1, fd);
	host_watch (h);		/* if that fails, a pipe that is full stays full */
}

const struct host_kind host_file = {
	.name = "file",
	.argument = HOST_NEEDS_ARGUMENT,
	.open = file_open,
	.again = file_again,
};
