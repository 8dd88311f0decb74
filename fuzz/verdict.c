/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is wrong, and what may be left; see verdict.h.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/verdict.h"

void
wrong (const char *what)
{
	fprintf (stderr, "%s: %s\n", program_invocation_short_name, what);
	abort ();
}

int
must (int result)
{
	if (result < 0)
		wrong ("no more fds or memory");
	return result;
}

unsigned
count_fds (void)
{
	DIR *dir = opendir ("/proc/self/fd");
	unsigned n = 0;

	if (!dir)
		wrong ("/proc/self/fd cannot be read");
	while (readdir (dir))
		n++;
	closedir (dir);
	return n;
}
