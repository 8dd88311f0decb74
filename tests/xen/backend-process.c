/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user-blk as a process of its own; see backend-process.h.
 */
#include "backend-process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where the test and the program are. */
#define PROGRAM "./vhost-user-blk"

#define STOP_TRIES 1000
#define STOP_PAUSE_US 10000

int
backend_make_image (uint64_t size)
{
	int fd = open (BACKEND_IMAGE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (ftruncate (fd, (off_t) size))
		ret = -errno;
	close (fd);
	return ret;
}

pid_t
backend_start (const char *engine)
{
	pid_t parent = getpid (), pid;

	unlink (BACKEND_SOCKET);
	pid = fork ();
	if (pid < 0)
		return -errno;
	if (pid > 0)
		return pid;
	/* A test that dies takes it along. */
	prctl (PR_SET_PDEATHSIG, SIGKILL);
	if (getppid () == parent)
		execl (PROGRAM, PROGRAM, "--socket-path", BACKEND_SOCKET, "--blk-file", BACKEND_IMAGE, "--num-queues", "2", "--threads", "2", "--engine",
		       engine, (char *) NULL);
	perror (PROGRAM);
	_exit (127);
}

static int
exit_status (int status)
{
	return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

int
backend_stop (pid_t pid)
{
	int status, i;

	kill (pid, SIGTERM);
	for (i = 0; i < STOP_TRIES; i++) {
		if (waitpid (pid, &status, WNOHANG) == pid)
			return exit_status (status);
		usleep (STOP_PAUSE_US);
	}
	backend_kill (pid);
	return -1;
}

void
backend_kill (pid_t pid)
{
	kill (pid, SIGKILL);
	waitpid (pid, NULL, 0);
}

int
backend_lives (pid_t pid)
{
	siginfo_t info = { 0 };

	return waitid (P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}
