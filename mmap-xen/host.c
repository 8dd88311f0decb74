/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * This process's way to the hypervisor; see host.h.
 */
#include "mmap-xen/host.h"

#include <errno.h>
#include <pthread.h>

#include "mmap-xen/copy.h"

struct host host = { .calls = &xen_calls_real };

/* Guards opening and closing. */
static pthread_mutex_t host_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned host_users;

static void
drop_message (struct xentoollog_logger *logger, xentoollog_level level, int err, const char *context, const char *format, va_list arguments)
{
}

static void
drop_logger (struct xentoollog_logger *logger)
{
}

/* Without a logger the Xen libraries write to stderr. */
static struct xentoollog_logger silent = { .vmessage = drop_message, .destroy = drop_logger };

static void
open_grants (void)
{
	host.grants = host.calls->grant_open (&silent, 0);
	host.can_copy = host.grants && copy_probe ();
}

static int
open_part (enum host_part part)
{
	errno = 0;
	if (part == HOST_GRANTS && !host.grants)
		open_grants ();
	if (part == HOST_FOREIGN && !host.foreign)
		host.foreign = host.calls->foreign_open (&silent, 0);
	if (part == HOST_GRANTS ? !host.grants : !host.foreign)
		return errno ? -errno : -EIO;
	/* A domain without privileges maps grants all the same; it only cannot ask who is alive. */
	if (!host.control)
		host.control = host.calls->control_open (&silent, &silent, 0);
	return 0;
}

static void
close_all (void)
{
	if (host.grants)
		host.calls->grant_close (host.grants);
	if (host.foreign)
		host.calls->foreign_close (host.foreign);
	if (host.control)
		host.calls->control_close (host.control);
	copy_free_room ();
	host.grants = NULL;
	host.foreign = NULL;
	host.control = NULL;
}

int
host_enter (enum host_part part)
{
	int ret;

	pthread_mutex_lock (&host_lock);
	ret = open_part (part);
	if (ret == 0)
		host_users++;
	else if (host_users == 0)
		close_all ();
	pthread_mutex_unlock (&host_lock);
	return ret;
}

void
host_leave (void)
{
	pthread_mutex_lock (&host_lock);
	if (--host_users == 0)
		close_all ();
	pthread_mutex_unlock (&host_lock);
}

void
host_set_calls (const struct xen_calls *calls)
{
	host.calls = calls ? calls : &xen_calls_real;
}
