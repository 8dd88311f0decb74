/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the program says, on stderr, a line at a time.
 */
#ifndef XVF_LOG_H
#define XVF_LOG_H

#include <stdint.h>

#include <vhost/log.h>

#define PROGRAM "xen-vhost-frontend"

/* The level of what was asked for: it is always said. */
#define LOG_ASKED VH_LOG_ERROR

/*
 * A guest can make its devices say something as often as it likes, so a struct log lets LOG_LINES lines pass in LOG_SECONDS seconds, and counts the others.
 */
#define LOG_LINES 60u
#define LOG_SECONDS 10

struct log {
	enum vh_log_level level;
	const char *name;	/* of a device or a guest; NULL: the program as a whole */
	/* The limit's, atomic. */
	int64_t since;
	unsigned lines;
};

/* One line, if the level is wanted.  Any thread. */
void log_say (struct log *, enum vh_log_level level, const char *format, ...) __attribute__ ((format (printf, 3, 4)));

/* A vh_log_fn; opaque: a struct log. */
void log_library_line (void *opaque, enum vh_log_level level, const char *line);

#endif
