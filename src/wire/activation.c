/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sockets that a service manager opened for us (sd_listen_fds(3)): LISTEN_PID says whether they are for this process, LISTEN_FDS how many there are.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <vhost/socket.h>

/* SD_LISTEN_FDS_START: the first one. */
#define FIRST_FD 3

/* A number of the environment; -1 when it is missing or something else. */
static long
environment_number (const char *name)
{
	const char *text = getenv (name);
	char *end;
	long value;

	if (!text || *text == '\0')
		return -1;
	errno = 0;
	value = strtol (text, &end, 10);
	return errno || *end != '\0' || value < 0 ? -1 : value;
}

int
vh_activation_fds (void)
{
	long n = environment_number ("LISTEN_FDS");

	if (environment_number ("LISTEN_PID") != getpid () || n < 1 || n > INT_MAX - FIRST_FD)
		return 0;
	for (int i = 0; i < n; i++)
		if (fcntl (FIRST_FD + i, F_SETFD, FD_CLOEXEC) < 0)
			return i;	/* not open: the environment promised too much */
	return n;
}
