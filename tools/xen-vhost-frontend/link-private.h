/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside of a link: link.c has the two threads and what passes between them, backend.c the connection and the calls.
 */
#ifndef XVF_LINK_PRIVATE_H
#define XVF_LINK_PRIVATE_H

#include <pthread.h>

#include <vhost/frontend.h>

#include "link.h"

enum order { ORDER_NONE, ORDER_START, ORDER_STOP, ORDER_STOP_RING, ORDER_WRITE_CONFIG };

/* News for the owner, as bits. */
#define NEWS_CHANGED 1u
#define NEWS_RESUMED 2u
#define NEWS_FAILED 4u
#define NEWS_DONE 8u
#define NEWS_CLOSED 16u

struct link {
	struct link_options options;
	const struct link_ops *ops;
	void *opaque;
	struct vh_loop *owner;
	pthread_t thread;

	/* The owner's: what it orders.  It is the link's from vh_loop_post to NEWS_DONE. */
	struct vh_mail order_mail, close_mail;
	enum order order;
	unsigned order_ring;
	unsigned config_offset, config_size;
	uint8_t config[8];
	struct link_driver order_driver;

	/* The way back, under the lock. */
	pthread_mutex_t lock;
	struct vh_mail news_mail;
	bool posted;
	unsigned news;
	const char *why;
	struct link_backend told;

	/* The link's thread's. */
	struct vh_loop *loop;
	bool closing;
	struct vh_timer *retry;
	int64_t pause;			/* before the next attempt, ms */
	int last_error;			/* of attempts: said once */
	struct vh_frontend *frontend;	/* NULL: not connected */
	int watch;			/* a duplicate of its socket, to see it end */
	struct vh_source *watch_source, *requests_source;
	bool lost;			/* a call ended the connection */
	bool config_stale;		/* a change was announced */
	bool has_driver;		/* the driver is ready: its rings are to run */
	bool running;			/* ... and were set up at this back-end */
	struct link_driver driver;
	/* What the back-ends of this driver note their requests down in, one after the other; fd -1: they do not. */
	struct vh_inflight inflight;
	struct link_backend backend;
};

/* --- link.c --- */

/* Tells the owner. */
void link_tell (struct link *, unsigned news, const char *why);

/* One line for the log. */
void link_log (struct link *, enum vh_log_level, const char *format, ...) __attribute__ ((format (printf, 3, 4)));

/* --- backend.c: the connection --- */

/* Tries to connect; what comes of it is told. */
void backend_connect (struct link *);

/* Ends the connection without a word to the back-end.  The link's loop is left as it was before. */
void backend_disconnect (struct link *);

/* Every result of a call of the front-end goes through this: it notes whether the connection is over.  Returns err. */
int backend_result (struct link *, int err);

/* After calls: if they ended the connection, or a change of the configuration space was announced meanwhile, does what follows from that. */
void backend_settle (struct link *);

/* Reads the configuration space again; 0 or a negative errno. */
int backend_read_config (struct link *);

/* --- rings.c: what the driver set up --- */

/*
 * Sets up link->driver at the back-end.  again: it ran at an earlier one.  0 or a negative errno; if the connection is not lost by it, the driver cannot
 * go on.
 */
int rings_start (struct link *, bool again);

/* Forgets what was in flight: the driver is gone, or starts from the beginning. */
void rings_forget (struct link *);

/* Stops the rings there and takes their memory back.  What fails is logged: the driver's rings are over in any case. */
void rings_stop (struct link *);
void rings_stop_one (struct link *, unsigned ring);

#endif
