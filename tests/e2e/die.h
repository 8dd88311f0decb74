/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end of a program whose test has failed.
 */
#ifndef TESTS_E2E_DIE_H
#define TESTS_E2E_DIE_H

/* Ends it, with a line of these words. */
void die (const char *format, ...) __attribute__ ((format (printf, 1, 2), noreturn));

#endif
