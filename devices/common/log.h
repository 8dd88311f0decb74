/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a program says, on stderr, a line at a time.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>

#include <vhost/log.h>

struct log {
	const char *program;
	enum vh_log_level level;
	const char *name;	/* of a device; NULL: the program as a whole */
	bool silent;
};

/* One line, if the level is wanted.  Any thread. */
void log_say (const struct log *, enum vh_log_level level, const char *format, ...) __attribute__ ((format (printf, 3, 4)));

/* One line, whatever the level: the answer to somebody who asked. */
void log_answer (const struct log *, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

/* A vh_log_fn; opaque: a struct log. */
void log_library_line (void *opaque, enum vh_log_level level, const char *line);

#endif
