/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Words for errors, and the log hook.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/error.h"

static const struct {
	int code;
	const char *words;
} meanings[] = {
	{ 0, "success" },
	{ EINVAL, "invalid argument" },
	{ EBADMSG, "malformed message" },
	{ EPROTO, "against the protocol" },
	{ EOPNOTSUPP, "feature was not negotiated" },
	{ ENOSYS, "unknown request" },
	{ ECONNRESET, "the peer is gone" },
	{ EREMOTEIO, "the peer answered that it failed" },
	{ EFAULT, "outside guest memory" },
	{ ETIMEDOUT, "the peer was too slow" },
	{ EAGAIN, "would block" },
	{ ESRCH, "the guest is gone" },
	{ EBUSY, "already in use" },
};

const char *
vh_strerror (int err)
{
	const char *system;

	if (err < 0)
		err = err == INT_MIN ? INT_MAX : -err;
	for (size_t i = 0; i < sizeof (meanings) / sizeof (meanings[0]); i++)
		if (meanings[i].code == err)
			return meanings[i].words;
	system = strerrordesc_np (err);
	return system ? system : "unknown error";
}

void
error_init (struct error *e, const struct vh_log *log, const char *name)
{
	memset (e, 0, sizeof (*e));
	if (log)
		e->log = *log;
	snprintf (e->name, sizeof (e->name), "%s", name);
}

static void
log_line (const struct error *e, enum vh_log_level level, const char *text)
{
	char line[ERROR_TEXT_SIZE + sizeof (e->name) + 2];

	snprintf (line, sizeof (line), "%s: %s", e->name, text);
	e->log.fn (e->log.opaque, level, line);
}

int
error_set (struct error *e, int err, const char *format, ...)
{
	char what[ERROR_TEXT_SIZE / 2];
	va_list args;

	if (err > 0)
		err = -err;
	va_start (args, format);
	vsnprintf (what, sizeof (what), format, args);
	va_end (args);
	snprintf (e->text, sizeof (e->text), "%s: %s", what, vh_strerror (err));
	if (e->log.fn)
		log_line (e, VH_LOG_ERROR, e->text);
	return err;
}

int
error_words (struct error *e, int err, const char *format, ...)
{
	va_list args;

	va_start (args, format);
	vsnprintf (e->text, sizeof (e->text), format, args);
	va_end (args);
	if (e->log.fn)
		log_line (e, VH_LOG_ERROR, e->text);
	return err < 0 ? err : -err;
}

void
error_copy (struct error *to, const struct error *from)
{
	memcpy (to->text, from->text, sizeof (to->text));
}

void
error_log_line (const struct error *e, enum vh_log_level level, const char *format, ...)
{
	char text[ERROR_TEXT_SIZE];
	va_list args;

	va_start (args, format);
	vsnprintf (text, sizeof (text), format, args);
	va_end (args);
	log_line (e, level, text);
}
