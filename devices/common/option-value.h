/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values of options: text to numbers.
 */
#ifndef COMMON_OPTION_VALUE_H
#define COMMON_OPTION_VALUE_H

#include <stdbool.h>

/* The whole text is a number (base 8 or 10) between min and max: true, and *ret. */
bool value_number (const char *text, int base, unsigned min, unsigned max, unsigned *ret);

bool value_is_power_of_two (unsigned n);

/*
 * Numbers up to max with commas or colons between them: true, and an array of *n that the caller frees.  False: the text is something else, or there is no
 * memory.
 */
bool value_numbers (const char *text, unsigned max, unsigned **ret, unsigned *n);

/*
 * Cuts the text at `separator`, in place: calls `each` with every piece; a doubled separator stands for itself when `escapes` is set.  False as soon as
 * `each` says so.
 */
bool value_split (char *text, char separator, bool escapes, bool (*each) (void *opaque, char *piece), void *opaque);

/* Is this a list of processors, such as 0-3,8? */
bool value_is_cpu_list (const char *text);

#endif
