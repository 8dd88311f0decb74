/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who may have a userfaultfd, and what becomes of postcopy where only one for user mode is to be had.  Each question is put in a process of its own, without
 * privileges.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vhost/memory.h>

#include "postcopy/uffd.h"
#include "src/backend/postcopy.h"
#include "tests/suite.h"

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

#define PAGE 4096u
#define NOBODY 65534
#define MOST_SECONDS 20

/* What `question` says as a user without privileges, 0..250; -1: nothing. */
static int
ask_unprivileged (int (*question) (void))
{
	int status;
	pid_t child = fork ();

	if (child == 0) {
		alarm (MOST_SECONDS);
		if (getuid () == 0 && (setgid (NOBODY) < 0 || setuid (NOBODY) < 0))
			_Exit (251);
		_Exit (question ());
	}
	if (child < 0 || waitpid (child, &status, 0) != child || !WIFEXITED (status) || WEXITSTATUS (status) > 250)
		return -1;
	return WEXITSTATUS (status);
}

/* --- questions --- */

static int
is_refused (void)
{
	int fd = uffd_open ();

	return fd >= 0 ? 0 : -fd;
}

static int
may_open_device (void)
{
	return access ("/dev/userfaultfd", R_OK | W_OK) == 0;
}

static int
has_pagefault (void)
{
	return vh_memory_guard () == 0 && postcopy_protocol_features () != 0;
}

static int
open_user_mode (void)
{
	uint64_t features;
	int fd = syscall (SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);

	return fd < 0 ? -errno : uffd_handshake (fd, &features) < 0 ? -EIO : fd;
}

static int
may_have_user_mode (void)
{
	return open_user_mode () >= 0;
}

static int uffd;

/* The front-end: brings one page. */
static void *
bring (void *page)
{
	static const char bytes[PAGE] = "brought";
	struct pollfd p = { uffd, POLLIN, 0 };
	struct uffd_msg m;

	if (poll (&p, 1, MOST_SECONDS * 1000) == 1 && read (uffd, &m, sizeof (m)) == sizeof (m))
		uffd_copy (uffd, page, bytes, PAGE);
	return NULL;
}

/* What a read into a missing page fails with, when only our own faults are told; 250: something else went wrong. */
static int
reads_fail_with (void)
{
	int memfd = memfd_create ("guest", MFD_CLOEXEC), ends[2], err;
	char *memory = ftruncate (memfd, 2 * PAGE) < 0 ? MAP_FAILED : mmap (NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	pthread_t thread;

	uffd = open_user_mode ();
	if (memory == MAP_FAILED || uffd < 0 || uffd_register (uffd, memory, 2 * PAGE) < 0 || pipe (ends) < 0 || write (ends[1], "x", 1) != 1)
		return 250;
	err = read (ends[0], memory, 1) < 0 ? errno : 0;
	/* It is that page and that fd, and nothing else: our own fault is served. */
	if (pthread_create (&thread, NULL, bring, memory + PAGE) || *(volatile char *) (memory + PAGE) != 'b' || pthread_join (thread, NULL))
		return 250;
	return err;
}

/* --- answers --- */

/* Does the administrator let everybody have one? */
static bool
everybody_may (void)
{
	FILE *f = fopen ("/proc/sys/vm/unprivileged_userfaultfd", "r");
	int c = f ? getc (f) : EOF;

	if (f)
		fclose (f);
	return c == '1' || ask_unprivileged (may_open_device) == 1;
}

static void
not_offered_without_privileges (void)
{
	bool may = everybody_may ();

	CU_ASSERT_EQUAL (ask_unprivileged (is_refused), may ? 0 : EPERM);
	CU_ASSERT_EQUAL (ask_unprivileged (has_pagefault), may);
}

static void
user_mode_does_not_do (void)
{
	CU_ASSERT_EQUAL (ask_unprivileged (reads_fail_with), EFAULT);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "not offered without privileges", not_offered_without_privileges },
		{ "user mode does not do", user_mode_does_not_do },
		CU_TEST_INFO_NULL,
	};

	if (ask_unprivileged (may_have_user_mode) != 1) {
		puts ("this kernel has no userfaultfd for everybody's user mode (Linux 5.11 has)");
		return 77;
	}
	return suite_run ("userfaultfd", tests);
}
