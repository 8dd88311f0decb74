/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For programs of tests: the process ends at the point that it was told (see tests/crash/crash.h).
 */
#ifndef QUEUE_CRASH_HOOK_H
#define QUEUE_CRASH_HOOK_H

void crash_point (enum crash_point point);

#endif
