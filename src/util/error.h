/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How an object keeps the words for its last failure, and hands them to its log.
 */
#ifndef UTIL_ERROR_H
#define UTIL_ERROR_H

#include <stdbool.h>

#include <vhost/error.h>
#include <vhost/log.h>

#define ERROR_TEXT_SIZE 200

struct error {
	struct vh_log log;
	char name[32];			/* the object, in front of each log line */
	char text[ERROR_TEXT_SIZE];	/* "" when there was no failure */
};

/* Prepares an object's error; log may be NULL. */
void error_init (struct error *, const struct vh_log *log, const char *name);

/* Keeps the words "<what failed>: <meaning of err>", logs them as an error, returns err (made negative). */
int error_set (struct error *, int err, const char *format, ...) __attribute__ ((cold, format (printf, 3, 4)));

/* The same for words that need no meaning of err behind them. */
int error_words (struct error *, int err, const char *format, ...) __attribute__ ((cold, format (printf, 3, 4)));

/* Takes over the words of an object below, which has logged them. */
void error_copy (struct error *to, const struct error *from);

/* Does somebody listen at this level? */
static inline bool
error_is_logged (const struct error *e, enum vh_log_level level)
{
	return e->log.fn && level <= e->log.level;
}

/* Writes a log line at a level.  A macro, so that its arguments cost nothing when nobody listens. */
#define error_log(e, level, ...) (error_is_logged (e, level) ? error_log_line (e, level, __VA_ARGS__) : (void) 0)

void error_log_line (const struct error *, enum vh_log_level level, const char *format, ...) __attribute__ ((cold, format (printf, 3, 4)));

#endif
