/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end of a program whose test has failed.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/e2e/die.h"

void
die (const char *format, ...)
{
	va_list args;

	va_start (args, format);
	vfprintf (stderr, format, args);
	va_end (args);
	fputs ("\n", stderr);
	exit (1);
}
