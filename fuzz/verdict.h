/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a fuzz target says that something is wrong, beside what a sanitizer sees.
 */
#ifndef FUZZ_VERDICT_H
#define FUZZ_VERDICT_H

/* Says it and crashes, by which the input is kept. */
void wrong (const char *what) __attribute__ ((noreturn));

/* What the target itself cannot do without: returns `result`, which is not negative. */
int must (int result);

/* Descriptors of this process. */
unsigned count_fds (void);

#endif
