/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines on stderr, each in one write, so that threads do not mix theirs.
 */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "devices/blk/log.h"

static void
write_line (const char *name, const char *text)
{
	char line[1024];
	int n;

	if (name)
		n = snprintf (line, sizeof (line), PROGRAM ": %s: %s\n", name, text);
	else
		n = snprintf (line, sizeof (line), PROGRAM ": %s\n", text);
	if (n >= (int) sizeof (line)) {
		n = sizeof (line);
		line[n - 1] = '\n';
	}
	/* Where stderr leads to is not ours; there is nobody to tell. */
	if (write (STDERR_FILENO, line, n) < 0)
		return;
}

void
log_say (const struct log *log, enum vh_log_level level, const char *format, ...)
{
	char text[1000];
	va_list args;

	if (log->silent || level > log->level)
		return;
	va_start (args, format);
	vsnprintf (text, sizeof (text), format, args);
	va_end (args);
	write_line (log->name, text);
}

void
log_library_line (void *opaque, enum vh_log_level level, const char *line)
{
	const struct log *log = opaque;

	if (!log->silent && level <= log->level)
		write_line (log->name, line);
}
