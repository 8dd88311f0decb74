/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What our CUnit programs share: running a list of tests, and looking after fds.
 */
#ifndef TESTS_SUITE_H
#define TESTS_SUITE_H

#include <stdint.h>

#include <CUnit/CUnit.h>

/* Runs the tests (the array ends with CU_TEST_INFO_NULL), says what failed.  Returns the exit status: 0 only if all ran and none failed. */
int suite_run (const char *name, CU_TestInfo *tests);

/* The same, with something before and after each test. */
int suite_run_around (const char *name, void (*begin) (void), void (*end) (void), CU_TestInfo *tests);

/* How many fds this process has open. */
int suite_open_fds (void);

/* What an eventfd without blocking was signalled since the last look. */
uint64_t suite_signals (int fd);

#endif
