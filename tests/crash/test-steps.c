/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A back-end that is stopped after every single instruction.  Whenever memory that outlives it has changed, a copy is made of it, and another back-end goes
 * on from the copy: as after a crash at any instruction from the start of a ring to its end, not only at those that somebody thought of.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/crash/world.h"
#include "tests/suite.h"

#define EXIT_SKIP 77

static struct world world, last, copy;
static unsigned steps, states, starts;

/* The driver and ever new back-ends go on from here until all is done. */
static void
go_on_from_a_copy (void)
{
	unsigned n = 0;

	world_copy (&copy, &world);
	while (world_drive (&copy) && n < 100) {
		/* What the dead one had begun to publish must not be seen behind what the next one publishes. */
		copy.gives_one = n++ == 0;
		if (world_live (&copy) < 0)
			copy.wrong = "a ring could not go on";
	}
	if (copy.wrong || copy.done != WORLD_REQUESTS)
		printf ("\n    instruction %u: %s, %u done of %u\n", steps, copy.wrong ? copy.wrong : "lost", copy.done, copy.made);
	CU_ASSERT (!copy.wrong && copy.done == WORLD_REQUESTS);
}

static void
look (void)
{
	steps++;
	if (!world_differs (&world, &last))
		return;
	states++;
	world_copy (&last, &world);
	go_on_from_a_copy ();
}

static pid_t
start_life (void)
{
	int status;
	pid_t pid = fork ();

	if (pid == 0) {
		if (ptrace (PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit (EXIT_SKIP);
		raise (SIGSTOP);
		_exit (world_live (&world) == 0 ? 0 : 1);
	}
	if (pid < 0 || waitpid (pid, &status, 0) != pid)
		abort ();
	if (WIFEXITED (status) && WEXITSTATUS (status) == EXIT_SKIP) {
		fprintf (stderr, "skipped: processes cannot be traced here\n");
		exit (EXIT_SKIP);
	}
	return pid;
}

/* One life, step by step. */
static void
step_through_a_life (void)
{
	pid_t pid = start_life ();
	int status = 0, signal_number = 0;

	starts++;
	for (;;) {
		if (ptrace (PTRACE_SINGLESTEP, pid, NULL, (void *) (long) signal_number) < 0 || waitpid (pid, &status, 0) != pid)
			break;
		if (!WIFSTOPPED (status))
			break;
		signal_number = WSTOPSIG (status) == SIGTRAP ? 0 : WSTOPSIG (status);
		look ();
	}
	CU_ASSERT (WIFEXITED (status) && WEXITSTATUS (status) == 0);
}

static void
every_instruction (bool packed)
{
	steps = states = starts = 0;
	world_open (&world, packed);
	world_open (&last, packed);
	world_open (&copy, packed);
	while (world_drive (&world) && starts < 100) {
		world_copy (&last, &world);
		step_through_a_life ();
	}
	CU_ASSERT_PTR_NULL (world.wrong);
	CU_ASSERT_EQUAL (world.done, WORLD_REQUESTS);
	/* Each request has six stores at the least. */
	CU_ASSERT (states > 6 * WORLD_REQUESTS);
	printf ("(%u instructions, %u states) ", steps, states);
	world_close (&world);
	world_close (&last);
	world_close (&copy);
}

static void
split_ring (void)
{
	every_instruction (false);
}

static void
packed_ring (void)
{
	every_instruction (true);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "split ring", split_ring },
		{ "packed ring", packed_ring },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("crashes at any instruction", tests);
}
