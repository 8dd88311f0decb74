/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hook.  A program that knows nothing of it is armed by the variable VHOST_CRASH: "POINT:PASS", two numbers.  Any thread of it may come along.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "queue/crash.h"
#include "tests/crash/crash.h"

static unsigned armed_point, passes_left;

void
crash_arm (unsigned point, unsigned pass)
{
	armed_point = point;
	passes_left = pass;
}

void
crash_point (enum crash_point point)
{
	if (passes_left == 0 || point != armed_point || __atomic_sub_fetch (&passes_left, 1, __ATOMIC_RELAXED) > 0)
		return;
	kill (getpid (), SIGKILL);
	pause ();
}

__attribute__ ((constructor)) static void
arm_by_environment (void)
{
	const char *words = getenv ("VHOST_CRASH");
	unsigned point, pass;

	if (words && sscanf (words, "%u:%u", &point, &pass) == 2)
		crash_arm (point, pass);
}
