/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A session's object, and what its parts offer each other.
 *
 *	what is wanted                 what this connection was told
 *	--------------                 -----------------------------
 *	features                       features_told
 *	regions                        regions_told        memory that is in force there, in slots or as one table
 *	rings[i].running, ...          rings[i].told
 *	inflight                       inflight_told
 *
 * session_settle sends what makes the right side like the left one.  Nothing is told to a connection that was only just made, so setting up a new back-end
 * and changing something at the old one are the same.
 */
#ifndef FRONTEND_SESSION_H
#define FRONTEND_SESSION_H

#include <stdbool.h>

#include <vhost/loop.h>
#include <vhost/session.h>

#include "util/error.h"

/* Features that are the transport's and not the guest's. */
#define TRANSPORT_FEATURES (VH_BIT (VH_F_PROTOCOL_FEATURES) | VH_BIT (VH_F_LOG_ALL))

/* A region with an fd of the session's.  Those of the same id are the same, also when one of them is closed. */
struct session_region {
	struct vh_region region;
	uint64_t id;
};

struct session_regions {
	unsigned n;
	struct session_region list[VH_MAX_REGIONS];
};

struct session_ring {
	struct vh_session *session;
	unsigned index;
	bool running;			/* wanted, with what is below */
	bool enabled;
	bool told;			/* this connection has it */
	bool call_told, enabled_told;	/* this connection has the call fd and the state that are wanted */
	bool stopping, stop_told;	/* this connection had it, and is to say where it stopped; was asked */
	bool resumes;			/* an earlier back-end has run it */
	bool outstanding;		/* when that one left it, it had requests in flight */
	bool baseless;			/* and nothing tells where to go on */
	unsigned entries;
	struct vh_vring_addr addr;
	uint32_t base;
	int kick, call, err;		/* the session's own */
	uint32_t stop_base;
	vh_session_stopped_fn *stopped;	/* not NULL: to be called when it has stopped */
	void *stopped_opaque;
	struct vh_mail mail;		/* has it called */
};

enum session_state {
	SESSION_DOWN,			/* no connection; the timer is set */
	SESSION_GREETING,		/* handshake, and what the back-end is */
	SESSION_READY,			/* it can be told what is wanted */
};

struct vh_session {
	struct error error;
	struct vh_session_options options;	/* path is the session's copy */
	struct vh_loop *loop;
	struct vh_timer *timer;			/* the next attempt */
	int pause;				/* ms before it */
	enum session_state state;
	struct vh_frontend *frontend;
	struct vh_source *source;		/* its fd */
	unsigned pending;			/* calls under way whose end is waited for */
	bool news;				/* something changed since `settled` was called */
	bool posted;				/* the mail is under way */
	struct vh_mail mail;			/* has session_tell called */

	/* What the back-end is; of the last one when there is none now. */
	bool known;
	uint64_t offered, protocol;
	unsigned queues, slots;
	unsigned new_queues, new_slots;		/* of the one that is being greeted */

	bool has_config, config_reading, config_stale;
	uint8_t config[VH_MAX_CONFIG_SIZE], new_config[VH_MAX_CONFIG_SIZE];

	/* What is wanted, and told. */
	bool has_features, features_told;
	uint64_t features;
	struct session_regions regions, regions_told;
	uint64_t last_id;			/* of a region */
	bool reset;				/* the device shall be reset */
	struct vh_inflight inflight;		/* fd -1: none */
	bool inflight_told, inflight_refused;
	struct session_ring rings[VH_MAX_RINGS];
};

/* --- session.c --- */

/* The next call of the connection is counted: when no such call is under way any more, the session goes on. */
struct vh_frontend *session_async (struct vh_session *);

/* The same for a call with a callback of its own, which ends with session_call_ended. */
struct vh_frontend *session_async_to (struct vh_session *, vh_frontend_done_fn *done, void *opaque);
void session_call_ended (struct vh_session *, int result);

/* What is wanted has changed: the next dispatch tells the connection. */
void session_touch (struct vh_session *);

/* --- session-device.c --- */

/* Asks the back-end what it is.  0 or a negative errno. */
int session_ask (struct vh_session *);

/* It has answered.  Takes it as the device; or a negative errno: it is not good enough. */
int session_judge (struct vh_session *);

/* Reads the configuration again, if it is kept.  0 or a negative errno. */
int session_read_config (struct vh_session *);

/* --- session-state.c --- */

/* Tells the connection what it has not been told.  0 or a negative errno. */
int session_tell (struct vh_session *);

/* The connection is gone: nothing is told. */
void session_forget_told (struct vh_session *);

void session_free_state (struct vh_session *);
void session_drop_inflight (struct vh_session *);

/* --- session-ring.c --- */

/* Tells the connection what is wanted of a ring: to stop it; to run it, or what changed.  0 or a negative errno. */
int session_stop_told_ring (struct session_ring *);
int session_tell_ring (struct session_ring *);

/* The connection is gone: finds out where the ring goes on. */
void session_ring_lost (struct session_ring *);

/* It is not wanted any more. */
void session_ring_close (struct session_ring *);

/* --- session-base.c --- */

/*
 * Where a ring that its back-end left goes on: at the used index in the guest's memory (split), or where the in-flight area says (packed).  *outstanding: it
 * has requests that are not used yet.  0, or a negative errno: nothing says it.
 */
int session_find_base (const struct session_ring *, uint32_t *base, bool *outstanding);

#endif
