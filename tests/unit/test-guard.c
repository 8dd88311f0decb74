/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SIGBUS guard: real faults, in memory that is guarded and in memory that is not.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vhost/memory.h>

#include "memory/guard.h"
#include "tests/suite.h"

#define PAGE 4096u
#define HUGE_PAGE (2u << 20)

/* A mapping of a file that has no bytes: each access is a SIGBUS. */
static volatile unsigned char *
map_nothing (size_t size)
{
	int fd = memfd_create ("test-guard", MFD_CLOEXEC);
	void *p = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd < 0 || p == MAP_FAILED) {
		perror ("mmap");
		exit (EXIT_FAILURE);
	}
	close (fd);
	return p;
}

/* What a signal handler wrote. */
static int
is_set (const int *lost)
{
	return __atomic_load_n (lost, __ATOMIC_ACQUIRE);
}

static void
unmap (volatile unsigned char *p, size_t size)
{
	munmap ((void *) p, size);
}

/* --- without the guard, and what it leaves to others; each in a process of its own --- */

/* How the child ended: its signal, or its status + 1000. */
static int
child (void (*fn) (void))
{
	int status = 0;
	pid_t pid = fork ();

	if (pid == 0) {
		/* No handler of a sanitizer, and no core file. */
		signal (SIGBUS, SIG_DFL);
		fn ();
		_exit (7);
	}
	CU_ASSERT_FATAL (pid > 0);
	CU_ASSERT_EQUAL_FATAL (waitpid (pid, &status, 0), pid);
	return WIFSIGNALED (status) ? WTERMSIG (status) : WEXITSTATUS (status) + 1000;
}

static void
touch_unguarded (void)
{
	vh_memory_guard ();
	*map_nothing (PAGE) = 1;
}

static void
touch_removed (void)
{
	volatile unsigned char *p = map_nothing (PAGE);
	int lost = 0;

	vh_memory_guard ();
	guard_add ((void *) p, PAGE, &lost);
	guard_remove ((void *) p);
	*p = 1;
}

static void
touch_behind (void)
{
	volatile unsigned char *p = map_nothing (3 * PAGE);
	int lost = 0;

	vh_memory_guard ();
	guard_add ((void *) (p + PAGE), PAGE, &lost);
	p[PAGE] = 1;
	if (is_set (&lost))
		p[2 * PAGE] = 1;
}

static void
send_signal (void)
{
	vh_memory_guard ();
	raise (SIGBUS);
}

static void
send_ignored (void)
{
	signal (SIGBUS, SIG_IGN);
	vh_memory_guard ();
	raise (SIGBUS);
	_exit (3);
}

static void
touch_ignored (void)
{
	signal (SIGBUS, SIG_IGN);
	vh_memory_guard ();
	*map_nothing (PAGE) = 1;
}

static void
exit_by_signal (int number)
{
	_exit (5);
}

static void
touch_with_simple_handler (void)
{
	signal (SIGBUS, exit_by_signal);
	vh_memory_guard ();
	vh_memory_guard ();	/* must not chain to itself */
	*map_nothing (PAGE) = 1;
}

static void
other_faults_take_their_course (void)
{
	CU_ASSERT_EQUAL (child (touch_unguarded), SIGBUS);
	CU_ASSERT_EQUAL (child (touch_removed), SIGBUS);
	CU_ASSERT_EQUAL (child (touch_behind), SIGBUS);
	CU_ASSERT_EQUAL (child (send_signal), SIGBUS);
	CU_ASSERT_EQUAL (child (send_ignored), 1003);
	CU_ASSERT_EQUAL (child (touch_ignored), SIGBUS);
	CU_ASSERT_EQUAL (child (touch_with_simple_handler), 1005);
}

/* --- with it; from here on it is installed in this process, behind a handler of the test's --- */

static sigjmp_buf jump;
static volatile sig_atomic_t chained;

static void
previous_handler (int number, siginfo_t *info, void *context)
{
	chained++;
	siglongjmp (jump, 1);
}

static void
install (void)
{
	struct sigaction action = { .sa_sigaction = previous_handler, .sa_flags = SA_SIGINFO | SA_NODEFER };

	CU_ASSERT_EQUAL_FATAL (sigaction (SIGBUS, &action, NULL), 0);
	CU_ASSERT_EQUAL_FATAL (vh_memory_guard (), 0);
	CU_ASSERT_EQUAL (vh_memory_guard (), 0);
}

static void
the_handler_before_is_called (void)
{
	volatile unsigned char *p = map_nothing (PAGE);
	unsigned hits = guard_count ();

	install ();
	if (sigsetjmp (jump, 1) == 0)
		*p = 1;
	CU_ASSERT_EQUAL (chained, 1);
	CU_ASSERT_EQUAL (guard_count (), hits);
	unmap (p, PAGE);
}

static void
a_file_that_shrinks (void)
{
	int lost = 0, fd = memfd_create ("test-guard", MFD_CLOEXEC);
	unsigned hits = guard_count ();
	volatile unsigned char *p;

	CU_ASSERT_FATAL (fd >= 0 && ftruncate (fd, 8 * PAGE) == 0);
	p = mmap (NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CU_ASSERT_FATAL (p != MAP_FAILED);
	CU_ASSERT_EQUAL_FATAL (guard_add ((void *) p, 8 * PAGE, &lost), 0);
	for (unsigned i = 0; i < 8; i++)
		p[i * PAGE] = (unsigned char) (i + 1);
	CU_ASSERT_EQUAL_FATAL (ftruncate (fd, PAGE), 0);
	p[0] = 77;
	CU_ASSERT_EQUAL (is_set (&lost), 0);	/* what is left is still there */
	errno = 12345;
	p[5 * PAGE] = 9;
	CU_ASSERT_EQUAL (errno, 12345);
	CU_ASSERT_EQUAL (is_set (&lost), 1);
	CU_ASSERT_EQUAL (guard_count (), hits + 1);
	CU_ASSERT_EQUAL (p[5 * PAGE], 9);
	for (unsigned i = 0; i < 8; i++)	/* all of it is zeroes now, but what was written since */
		CU_ASSERT_EQUAL (p[i * PAGE], i == 5 ? 9 : 0);
	CU_ASSERT_EQUAL (guard_count (), hits + 1);
	guard_remove ((void *) p);
	unmap (p, 8 * PAGE);
	close (fd);
}

/* A mapping of huge pages can only be replaced as a whole; there need be none free for this. */
static void
huge_pages (void)
{
	int lost = 0, fd = memfd_create ("test-guard", MFD_CLOEXEC | MFD_HUGETLB | (21u << MAP_HUGE_SHIFT));
	volatile unsigned char *p;

	p = mmap (NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (fd < 0 || p == MAP_FAILED) {
		printf ("(no huge pages of 2 MiB in this kernel) ");
		return;
	}
	CU_ASSERT_EQUAL_FATAL (guard_add ((void *) p, 2 * HUGE_PAGE, &lost), 0);
	p[HUGE_PAGE + 5] = 1;	/* beyond the end of the file, which is empty */
	CU_ASSERT_EQUAL (is_set (&lost), 1);
	CU_ASSERT_EQUAL (p[0], 0);
	guard_remove ((void *) p);
	unmap (p, 2 * HUGE_PAGE);
	close (fd);
}

/* More mappings than one chunk of slots has; each is its own, and slots are used again. */
static void
many_mappings (void)
{
	enum { N = 300 };
	static volatile unsigned char *maps[N];
	static int lost[N];

	for (unsigned round = 0; round < 3; round++) {
		memset (lost, 0, sizeof (lost));
		for (unsigned i = 0; i < N; i++) {
			maps[i] = map_nothing (PAGE);
			CU_ASSERT_EQUAL_FATAL (guard_add ((void *) maps[i], PAGE, &lost[i]), 0);
		}
		for (unsigned i = 0; i < N; i += 7)
			maps[i][i] = 1;
		for (unsigned i = 0; i < N; i++) {
			CU_ASSERT_EQUAL (is_set (&lost[i]), i % 7 == 0);
			guard_remove ((void *) maps[i]);
			unmap (maps[i], PAGE);
		}
	}
	guard_remove ((void *) maps[0]);	/* one that is not there */
}

/* Threads that enter and remove mappings while others fault in theirs. */
static void *
run_thread (void *opaque)
{
	unsigned *wrong = opaque;

	for (unsigned i = 0; i < 300; i++) {
		volatile unsigned char *p = map_nothing (4 * PAGE);
		int lost = 0;

		if (guard_add ((void *) p, 4 * PAGE, &lost) < 0)
			*wrong += 1;
		if (i % 2) {
			p[i * 17 % (4 * PAGE)] = 1;
			*wrong += !is_set (&lost);
		} else
			*wrong += is_set (&lost);
		guard_remove ((void *) p);
		unmap (p, 4 * PAGE);
	}
	return NULL;
}

static void
many_threads (void)
{
	unsigned wrong[4] = { 0 }, hits = guard_count ();
	pthread_t threads[4];

	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_EQUAL_FATAL (pthread_create (&threads[i], NULL, run_thread, &wrong[i]), 0);
	for (unsigned i = 0; i < 4; i++) {
		pthread_join (threads[i], NULL);
		CU_ASSERT_EQUAL (wrong[i], 0);
	}
	CU_ASSERT_EQUAL (guard_count (), hits + 4 * 150);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "other faults take their course", other_faults_take_their_course },
		{ "the handler before is called", the_handler_before_is_called },
		{ "a file that shrinks", a_file_that_shrinks },
		{ "huge pages", huge_pages },
		{ "many mappings", many_mappings },
		{ "many threads", many_threads },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("guard", tests);
}
