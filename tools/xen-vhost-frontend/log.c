/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines on stderr, each in one write, so that threads do not mix theirs.
 */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "log.h"

void
log_library_line (void *opaque, enum vh_log_level level, const char *line)
{
	const struct log *log = opaque;
	char text[1024];
	int n;

	if (level > log->level)
		return;
	n = snprintf (text, sizeof (text), PROGRAM ": %s%s%s\n", log->name ? log->name : "", log->name ? ": " : "", line);
	if (n >= (int) sizeof (text)) {
		n = sizeof (text);
		text[n - 1] = '\n';
	}
	/* Where stderr leads to is not ours; there is nobody to tell. */
	if (write (STDERR_FILENO, text, n) < 0)
		return;
}

void
log_say (const struct log *log, enum vh_log_level level, const char *format, ...)
{
	char line[900];
	va_list args;

	va_start (args, format);
	vsnprintf (line, sizeof (line), format, args);
	va_end (args);
	log_library_line ((void *) log, level, line);
}
