/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines on stderr, each in one write, so that threads do not mix theirs.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

static void
write_line (const struct log *log, const char *line)
{
	char text[1024];
	int n = snprintf (text, sizeof (text), PROGRAM ": %s%s%s\n", log->name ? log->name : "", log->name ? ": " : "", line);

	if (n >= (int) sizeof (text)) {
		n = sizeof (text);
		text[n - 1] = '\n';
	}
	/* Where stderr leads to is not ours; there is nobody to tell. */
	if (write (STDERR_FILENO, text, n) < 0)
		return;
}

/* May one more line pass?  Says first how many did not, when a new time begins. */
static bool
may_pass (struct log *log)
{
	struct timespec now;
	int64_t since = __atomic_load_n (&log->since, __ATOMIC_RELAXED);
	unsigned lines;
	char line[64];

	clock_gettime (CLOCK_MONOTONIC, &now);
	/* Of two threads that come here at once, one begins the new time. */
	if (now.tv_sec - since >= LOG_SECONDS &&
	    __atomic_compare_exchange_n (&log->since, &since, (int64_t) now.tv_sec, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
		lines = __atomic_exchange_n (&log->lines, 0, __ATOMIC_RELAXED);
		if (lines > LOG_LINES) {
			snprintf (line, sizeof (line), "%u lines were left out", lines - LOG_LINES);
			write_line (log, line);
		}
	}
	return __atomic_add_fetch (&log->lines, 1, __ATOMIC_RELAXED) <= LOG_LINES;
}

void
log_library_line (void *opaque, enum vh_log_level level, const char *line)
{
	struct log *log = opaque;

	if (level <= log->level && may_pass (log))
		write_line (log, line);
}

void
log_say (struct log *log, enum vh_log_level level, const char *format, ...)
{
	char line[900];
	va_list args;

	va_start (args, format);
	vsnprintf (line, sizeof (line), format, args);
	va_end (args);
	log_library_line (log, level, line);
}
