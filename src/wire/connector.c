/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connecting to a path, again and again until somebody listens there.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vhost/socket.h>

#include "util/fd.h"
#include "wire/address.h"

/* Pauses between attempts: from the first, doubled up to the last. */
#define FIRST_PAUSE_MS 10
#define LAST_PAUSE_MS 1000

/* Could a later attempt succeed?  The listener is not there yet, or is too busy to take us. */
static bool
worth_waiting (int err)
{
	return err == -ECONNREFUSED || err == -ENOENT || err == -EAGAIN;
}

static int
connect_once (const struct sockaddr_un *address)
{
	int fd = address_connect (address);
	struct stat st;

	/* A file that is no socket refuses, too, and will for ever. */
	if (fd == -ECONNREFUSED && stat (address->sun_path, &st) == 0 && !S_ISSOCK (st.st_mode))
		return -ENOTSOCK;
	return fd;
}

/* How long to pause before the next attempt; 0: the time is over. */
static int
next_pause (int pause, int64_t deadline)
{
	int64_t left;

	if (deadline < 0)
		return pause;
	left = deadline - clock_ms ();
	if (left <= 0)
		return 0;
	return left < pause ? left : pause;
}

int
vh_connect (const char *path, int timeout_ms)
{
	int64_t deadline = timeout_ms < 0 ? -1 : clock_ms () + timeout_ms;
	struct sockaddr_un address;
	int pause = FIRST_PAUSE_MS;
	int err = address_init (&address, path);

	if (err < 0)
		return err;
	for (;;) {
		int fd = connect_once (&address), wait;

		if (fd >= 0 || !worth_waiting (fd))
			return fd;
		wait = next_pause (pause, deadline);
		if (wait == 0)
			return fd;
		/* A signal ends it: a program that was asked to stop must not wait here for ever. */
		if (poll (NULL, 0, wait) < 0 && errno == EINTR)
			return -EINTR;
		pause = pause * 2 < LAST_PAUSE_MS ? pause * 2 : LAST_PAUSE_MS;
	}
}
