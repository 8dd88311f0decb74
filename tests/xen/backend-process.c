/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user-blk as a process of its own; see backend-process.h.
 */
#include "backend-process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where the test and the program are. */
#define PROGRAM "./vhost-user-blk"

#define LOG_BYTES 16384
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

static void
use_log (void)
{
	int fd = open (BACKEND_LOG, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd >= 0)
		dup2 (fd, STDERR_FILENO);
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
	use_log ();
	if (getppid () == parent)
		execl (PROGRAM, PROGRAM, "--socket-path", BACKEND_SOCKET, "--blk-file", BACKEND_IMAGE, "--num-queues", "2", "--threads", "2", "--engine",
		       engine, "--stats", (char *) NULL);
	perror (PROGRAM);
	_exit (127);
}

/* The beginning of the log, which is all that a test looks at. */
static void
read_log (char text[LOG_BYTES])
{
	int fd = open (BACKEND_LOG, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read (fd, text, LOG_BYTES - 1);

	text[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close (fd);
}

int
backend_said (const char *words)
{
	char text[LOG_BYTES];

	read_log (text);
	return strstr (text, words) != NULL;
}

static void
print_log (void)
{
	char text[LOG_BYTES];

	read_log (text);
	printf ("\n%s", text);
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
		if (waitpid (pid, &status, WNOHANG) == pid) {
			print_log ();
			return exit_status (status);
		}
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
