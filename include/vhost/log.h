/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log hook that objects take at creation.  The library prints nothing by itself: an object without a hook is silent.
 */
#ifndef VHOST_LOG_H
#define VHOST_LOG_H

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum vh_log_level {
	VH_LOG_ERROR,	/* something failed and was given up */
	VH_LOG_WARNING,	/* a peer or a setting is wrong; the work goes on */
	VH_LOG_INFO,	/* connections, rings started and stopped */
	VH_LOG_DEBUG,	/* each message */
};

/*
 * Called with one line, without a newline, that is valid during the call only.  It may be called from any thread that uses the object and must not call
 * back into the object.
 */
typedef void vh_log_fn (void *opaque, enum vh_log_level level, const char *line);

/* Copied by the object that takes it.  fn NULL: silent.  Lines above `level` are not made. */
struct vh_log {
	vh_log_fn *fn;
	void *opaque;
	enum vh_log_level level;
};

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
