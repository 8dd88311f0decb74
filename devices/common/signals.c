/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals as events.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "devices/common/signals.h"

static void
fill_set (sigset_t *ret)
{
	sigemptyset (ret);
	sigaddset (ret, SIGTERM);
	sigaddset (ret, SIGINT);
	sigaddset (ret, SIGHUP);
	sigaddset (ret, SIGUSR1);
}

void
signals_block (struct signals *s)
{
	sigset_t set;

	*s = (struct signals){ .fd = -1 };
	fill_set (&set);
	pthread_sigmask (SIG_BLOCK, &set, NULL);
	signal (SIGPIPE, SIG_IGN);
	signal (SIGXFSZ, SIG_IGN);	/* a write beyond a limit is an error of that write */
}

static void
readable (void *opaque, uint32_t events)
{
	struct signals *s = opaque;
	struct signalfd_siginfo info;

	while (read (s->fd, &info, sizeof (info)) == sizeof (info))
		s->came (s->opaque, info.ssi_signo);
}

int
signals_watch (struct signals *s, struct vh_loop *loop, void (*came) (void *opaque, unsigned number), void *opaque)
{
	sigset_t set;

	fill_set (&set);
	s->came = came;
	s->opaque = opaque;
	s->fd = signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->fd < 0)
		return -errno;
	return vh_loop_add_fd (loop, s->fd, EPOLLIN, readable, s, &s->source);
}

void
signals_end (struct signals *s)
{
	vh_source_remove (s->source);
	if (s->fd >= 0)
		close (s->fd);
}
