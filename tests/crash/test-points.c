/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A back-end that is killed at each numbered crash point, at each pass of it, and once more at each point in the life after: nothing is lost, nothing is
 * used twice, and what is taken again is taken in its order.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "queue/crash.h"
#include "tests/crash/crash.h"
#include "tests/crash/world.h"
#include "tests/suite.h"

static unsigned kills[CRASH_POINTS];
static bool packed;

/* One life in a process of its own.  True: it was killed at the point. */
static bool
life (struct world *w, unsigned point, unsigned pass)
{
	int status;
	pid_t pid = fork ();

	if (pid == 0) {
		crash_arm (point, pass);
		_exit (world_live (w) == 0 ? 0 : 1);
	}
	if (pid < 0 || waitpid (pid, &status, 0) != pid)
		abort ();
	if (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL) {
		kills[point]++;
		return true;
	}
	if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
		w->wrong = "a ring could not go on";
	return false;
}

/* The driver's and the back-end's turns, until all is done; the lives number `first` and `first + 1` are killed.  Was the first kill reached? */
static bool
run (unsigned first, unsigned point, unsigned pass, unsigned second_point)
{
	struct world w;
	bool reached = false;

	world_open (&w, packed);
	for (unsigned n = 0; world_drive (&w) && n < 1000; n++) {
		w.gives_one = n == first + 1;
		if (n == first)
			reached = life (&w, point, pass);
		else if (n == first + 1)
			life (&w, second_point, second_point == point ? 1 + pass % 2 : 1);
		else
			life (&w, 0, 0);
	}
	if (w.wrong || w.done != WORLD_REQUESTS)
		printf ("\n    killed at point %u, pass %u, then at %u: %s, %u done of %u\n", point, pass, second_point, w.wrong ? w.wrong : "lost", w.done,
			w.made);
	CU_ASSERT (!w.wrong && w.done == WORLD_REQUESTS);
	world_close (&w);
	return reached;
}

static void
split_rings (void)
{
	packed = false;
	memset (kills, 0, sizeof (kills));
}

static void
packed_rings (void)
{
	packed = true;
	memset (kills, 0, sizeof (kills));
}

static void
killed_at_every_point (void)
{
	for (unsigned point = 0; point < CRASH_POINTS; point++)
		for (unsigned pass = 1; run (1, point, pass, CRASH_POINTS); pass++)
			;
}

static void
killed_again_in_the_next_life (void)
{
	for (unsigned point = 0; point < CRASH_POINTS; point++)
		for (unsigned second = 0; second < CRASH_POINTS; second++)
			for (unsigned pass = 1; pass <= 2; pass++)
				run (1, point, pass, second);
}

static void
every_point_was_reached (void)
{
	for (unsigned point = 0; point < CRASH_POINTS; point++) {
		if (kills[point] == 0)
			printf ("\n    point %u was never reached\n", point);
		CU_ASSERT (kills[point] > 0);
	}
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "split rings", split_rings },
		{ "killed at every point", killed_at_every_point },
		{ "killed again in the next life", killed_again_in_the_next_life },
		{ "every point was reached", every_point_was_reached },
		{ "packed rings", packed_rings },
		{ "packed, killed at every point", killed_at_every_point },
		{ "packed, killed again in the next life", killed_again_in_the_next_life },
		{ "packed, every point was reached", every_point_was_reached },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("crash points", tests);
}
