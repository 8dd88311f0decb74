/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A daemon that runs in a thread of its own; see daemon-host.h.
 */
#include "daemon-host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/suite.h"

#define MOST_SECONDS 20

void
host_open (struct host *h, unsigned workers)
{
	struct vh_daemon_options o = { .size = sizeof (o), .workers = workers };

	*h = (struct host){ .folder = "/tmp/libvhost-daemon-XXXXXX", .fds_before = suite_open_fds () };
	CU_ASSERT_PTR_NOT_NULL_FATAL (mkdtemp (h->folder));
	CU_ASSERT_EQUAL_FATAL (vh_daemon_new (&o, &h->daemon), 0);
}

const char *
host_path (const struct host *h, const char *name)
{
	static char path[100];

	snprintf (path, sizeof (path), "%s/%s", h->folder, name);
	return path;
}

bool
host_listen (struct host *h, const struct test_device *device, const char *name)
{
	struct vh_endpoint e = { .size = sizeof (e), .socket_path = host_path (h, name) };

	return vh_daemon_add (h->daemon, &device->device, &e) == 0;
}

static void *
run (void *opaque)
{
	struct host *h = opaque;

	h->result = vh_daemon_run (h->daemon);
	__atomic_store_n (&h->ended, true, __ATOMIC_RELEASE);
	return NULL;
}

void
host_run (struct host *h)
{
	CU_ASSERT_EQUAL_FATAL (pthread_create (&h->thread, NULL, run, h), 0);
}

bool
host_wait (struct host *h)
{
	for (unsigned i = 0; i < MOST_SECONDS * 1000; i++) {
		if (__atomic_load_n (&h->ended, __ATOMIC_ACQUIRE)) {
			if (h->thread)
				pthread_join (h->thread, NULL);
			h->thread = 0;
			return true;
		}
		usleep (1000);
	}
	return false;
}

void
host_close (struct host *h)
{
	if (h->thread) {
		vh_daemon_stop (h->daemon);
		CU_ASSERT_TRUE_FATAL (host_wait (h));
		CU_ASSERT_EQUAL (h->result, 0);
	}
	vh_daemon_free (h->daemon);
	/* The sockets' files are gone with their listeners. */
	CU_ASSERT_EQUAL (rmdir (h->folder), 0);
	CU_ASSERT_EQUAL (suite_open_fds (), h->fds_before);
}

static struct sockaddr_un
address_of (const struct host *h, const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf (a.sun_path, sizeof (a.sun_path), "%s", host_path (h, name));
	return a;
}

void
host_connect (struct host *h, struct rig *r, const char *name)
{
	struct sockaddr_un a = address_of (h, name);
	int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CU_ASSERT_EQUAL_FATAL (connect (fd, (struct sockaddr *) &a, sizeof (a)), 0);
	rig_attach (r, NULL, fd);
}

int
host_socket (struct host *h, const char *name)
{
	struct sockaddr_un a = address_of (h, name);
	int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CU_ASSERT_EQUAL_FATAL (bind (fd, (struct sockaddr *) &a, sizeof (a)), 0);
	CU_ASSERT_EQUAL_FATAL (listen (fd, 16), 0);
	return fd;
}

bool
host_counted (const unsigned *counter, unsigned n)
{
	for (unsigned i = 0; i < MOST_SECONDS * 1000 && test_device_count (counter) != n; i++)
		usleep (1000);
	return test_device_count (counter) == n;
}
