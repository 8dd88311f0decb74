/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines on stderr, each in one write, so that threads do not mix theirs.
 */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "devices/common/log.h"

static void
write_line (const struct log *log, const char *text)
{
	char line[1024];
	int n;

	if (log->name)
		n = snprintf (line, sizeof (line), "%s: %s: %s\n", log->program, log->name, text);
	else
		n = snprintf (line, sizeof (line), "%s: %s\n", log->program, text);
	if (n >= (int) sizeof (line)) {
		n = sizeof (line);
		line[n - 1] = '\n';
	}
	/* Where stderr leads to is not ours; there is nobody to tell. */
	if (write (STDERR_FILENO, line, n) < 0)
		return;
}

static void
write_formatted (const struct log *log, const char *format, va_list args)
{
	char text[1000];

	vsnprintf (text, sizeof (text), format, args);
	write_line (log, text);
}

void
log_say (const struct log *log, enum vh_log_level level, const char *format, ...)
{
	va_list args;

	if (log->silent || level > log->level)
		return;
	va_start (args, format);
	write_formatted (log, format, args);
	va_end (args);
}

void
log_answer (const struct log *log, const char *format, ...)
{
	va_list args;

	va_start (args, format);
	write_formatted (log, format, args);
	va_end (args);
}

void
log_library_line (void *opaque, enum vh_log_level level, const char *line)
{
	const struct log *log = opaque;

	if (!log->silent && level <= log->level)
		write_line (log, line);
}
