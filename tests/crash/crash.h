/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Processes that end at a crash point (src/queue/crash.h), as if they were killed there.  The library's queue is compiled for them with another hook.
 */
#ifndef TESTS_CRASH_CRASH_H
#define TESTS_CRASH_CRASH_H

/* When the point was passed `pass` times, this process kills itself.  pass 0: it does not. */
void crash_arm (unsigned point, unsigned pass);

#endif
