/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values on a command line.
 */
#ifndef TOOLS_ARGUMENTS_H
#define TOOLS_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

/* Says what is wrong with the command line, in one line on stderr, and where help is.  Returns 2, the exit status. */
int usage_error (const char *program, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

/* Reads a whole number, with a suffix K, M, G or T (powers of 1024) if `suffix`.  False when it is something else or not in [min, max]. */
bool parse_number (const char *text, bool suffix, uint64_t min, uint64_t max, uint64_t *ret);

/* The index of `text` in a list that ends with NULL; -1 when it is not there. */
int parse_choice (const char *text, const char *const *choices);

#endif
