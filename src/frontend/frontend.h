/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The front-end's object, and what its parts offer each other.
 */
#ifndef FRONTEND_FRONTEND_H
#define FRONTEND_FRONTEND_H

#include <stdbool.h>

#include <vhost/frontend.h>

#include "util/error.h"
#include "wire/channel.h"
#include "wire/payload.h"

struct vh_frontend {
	struct error error;
	unsigned timeout_ms;
	void (*config_changed) (void *opaque);
	void *opaque;
	struct channel main;		/* our requests; its fd is -1 once the connection is over */
	struct channel backend;		/* the back-end's requests; its fd is -1 when there is none */
	uint64_t offered;		/* what GET_FEATURES said, 0 before */
	uint64_t features;		/* what SET_FEATURES set */
	uint64_t protocol_offered;	/* the same for the protocol's */
	uint64_t protocol;
};

/* --- call.c --- */

/*
 * Sends a request and waits for its answer, as its row says; serves the back-end's requests meanwhile.  The request's fds are borrowed.  *reply, which may
 * be NULL, is valid until the next call, with its size and number of fds checked against the row; NULL when nothing was answered.
 * The gate of the row is checked: -EOPNOTSUPP.
 */
int call (struct vh_frontend *, struct message *request, struct message **reply);

/* Calls of the plainest forms. */
int call_nothing (struct vh_frontend *, enum request request);
int call_u64 (struct vh_frontend *, enum request request, uint64_t value);
int call_for_u64 (struct vh_frontend *, enum request request, uint64_t *ret);

/* Makes a request's message. */
void call_init (struct message *, enum request request);

/* Ends the connection and keeps the words for it; returns err. */
int call_end (struct vh_frontend *, int err, const char *what);

/* Keeps the words for a call that was refused here, before anything was sent; returns err. */
int call_refuse (struct vh_frontend *, enum request request, int err);

/* --- serve.c --- */

/* Gives the back-end its channel (SET_BACKEND_REQ_FD). */
int serve_open (struct vh_frontend *);

/*
 * Answers what is there, without waiting, up to a bound.  How many requests were served, or a negative errno: then the channel is closed, and the
 * connection goes on without it.
 */
int serve_requests (struct vh_frontend *);

#endif
