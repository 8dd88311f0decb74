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

/* The back-end's pieces of shared memory (shmem.c). */
#define SHMEM_PIECES 256	/* each is a mapping of the VMM's */

struct shmem {
	uint64_t sizes[VH_MAX_SHMEM];
	struct vh_shmem_map pieces[SHMEM_PIECES];
	unsigned n;
};

/*
 * What becomes of a request that succeeded: decodes the answer to where the caller wants it, or notes down what is in force now.  reply is NULL when there
 * was none; its fds may be taken.  Returns 0 or a negative errno, which is then the call's result; call_end when the answer cannot be.
 */
typedef int take_fn (struct vh_frontend *, struct message *request, struct message *reply, void *ret);

/* A request on its way. */
struct call {
	struct call *next;
	struct message *request;
	const struct message_row *row;
	take_fn *take;			/* may be NULL */
	void *ret;			/* the caller's, for take */
	vh_frontend_done_fn *done;	/* NULL: somebody waits for `over`, and owns this */
	void *opaque;
	unsigned timeout_ms;
	int result;			/* valid when settled */
	bool owns_fds;			/* the request's */
	bool sent;			/* it has left, and an answer is due */
	bool settled;			/* it has its result, and waits for those before it */
	bool over;
};

/* What the next call is to do in place of waiting. */
struct later {
	vh_frontend_done_fn *done;	/* NULL: wait */
	void *opaque;
};

/* The fd that covers all that a dispatch is for: see watch.c. */
struct watch {
	int epoll_fd, timer_fd;		/* -1: nobody asked for it yet */
	uint32_t main_events;		/* of the main channel; 0: not under watch */
	bool backend;			/* is the back-end's channel under watch? */
	int64_t due;			/* what the timer is set to; -1: at rest */
};

struct vh_frontend {
	struct error error;
	unsigned timeout_ms;
	unsigned pipeline;		/* most requests that may await their answers */
	void (*config_changed) (void *opaque);
	void *config_opaque;		/* for config_changed: a session, or a struct vh_dev, listens itself */
	int (*iotlb_miss) (void *opaque, uint64_t iova, unsigned perm);	/* ops.iotlb_miss, or who listens in its place; may be NULL */
	void *iotlb_opaque;
	struct vh_frontend_ops ops;	/* the caller's; entries may be NULL */
	void *opaque;			/* for these */
	struct shmem shmem;
	uint64_t notifiers[VH_MAX_RINGS / 64];	/* rings that have a host notifier */
	struct channel main;		/* our requests; its fd is -1 once the connection is over */
	struct channel backend;		/* the back-end's requests; its fd is -1 when there is none */
	uint64_t offered;		/* what GET_FEATURES said, 0 before */
	uint64_t features;		/* what SET_FEATURES set */
	uint64_t protocol_offered;	/* the same for the protocol's */
	uint64_t protocol;

	struct call *first, *last;	/* the calls that have not ended, oldest first */
	struct call *unsent;		/* the oldest of those that wait to be sent */
	struct call *leaving;		/* the one whose request has left in part */
	unsigned awaited;		/* answers that are due */
	bool held;			/* the last one that was sent lets no other follow before its answer */
	int64_t deadline;		/* of `first`, since it is that */
	struct later later;
	unsigned entered, in_callback;
	bool end_told;			/* dispatch has said that the connection is over */
	bool freed;			/* who entered first frees it when leaving */
	struct watch watch;
};

/* --- frontend.c --- */

/* Around everything that runs callbacks, which may call vh_frontend_free: the object lives until the outermost leave. */
void frontend_enter (struct vh_frontend *);
void frontend_leave (struct vh_frontend *);

/* Closes one of its channels. */
void frontend_close (struct vh_frontend *, struct channel *);

/* --- call.c --- */

/*
 * Makes a call: checks the row's gate (-EOPNOTSUPP), sends the request, whose fds are borrowed, and gives what is answered, with its form checked against the
 * row, to `take` (may be NULL).  Waits for that and returns the result; after vh_frontend_async, returns at once.  `ret` must be valid until the call ends.
 */
int call (struct vh_frontend *, struct message *request, take_fn *take, void *ret);

/* The same, by another row than its id's. */
int call_as (struct vh_frontend *, struct message *request, const struct message_row *row, take_fn *take, void *ret);

/* Are these regions a table that can be told? */
bool memory_table_valid (const struct vh_region *regions, unsigned n);

/* Calls of the plainest forms. */
int call_nothing (struct vh_frontend *, enum request request);
int call_u64 (struct vh_frontend *, enum request request, uint64_t value);
int call_for_u64 (struct vh_frontend *, enum request request, uint64_t *ret);
int call_get (struct vh_frontend *, enum request request, take_fn *take, void *ret);

/* Makes a request's message. */
void call_init (struct message *, enum request request);

/* Keeps the words for a call that was refused here, before anything was sent; returns err. */
int call_refuse (struct vh_frontend *, enum request request, int err);

/* Takes what vh_frontend_async left for the next call. */
struct later take_later (struct vh_frontend *);

/* May a call wait now?  0; -EBUSY: not inside a callback. */
int call_check_waiting (struct vh_frontend *, const char *what);

/* Runs the connection until *over, which a call that is under way will set. */
void call_wait (struct vh_frontend *, const bool *over);

/* Tells the caller that a call has ended.  It is gone then. */
void call_finish (struct vh_frontend *, struct call *);

/* --- calls.c --- */

/* Calls that end in one turn: callbacks that make new calls must not keep us here for ever. */
#define CALLS_PER_TURN 64

/* Puts a call behind the others and sends what may be sent. */
void calls_add (struct vh_frontend *, struct call *);

/* Ends the calls at the front that have their results, up to `max`.  How many. */
int calls_deliver (struct vh_frontend *, int max);

/* Sends and receives what goes without waiting, and ends calls.  How many ended. */
int calls_run (struct vh_frontend *);

/* Ends the connection if the oldest call has been without an answer for too long. */
void calls_expire (struct vh_frontend *);

/* Ends the connection, and all calls with it, and keeps the words for it; returns err. */
int call_end (struct vh_frontend *, int err, const char *what);

/* --- watch.c --- */

void watch_init (struct watch *);
void watch_close (struct watch *);

/* Makes the fd readable for what is due now.  Does nothing as long as nobody asked for it. */
void watch_update (struct vh_frontend *);

/* A channel's fd is about to be closed. */
void watch_forget (struct vh_frontend *, const struct channel *);

/* --- shmem.c --- */

/* SHMEM_MAP, SHMEM_UNMAP. */
int shmem_map (struct vh_frontend *, struct message *);
int shmem_unmap (struct vh_frontend *, struct message *);

/* Takes all pieces out: the device is reset, or gone. */
void shmem_forget (struct vh_frontend *);

/* --- memory.c, vring.c --- */

/* Are these at least one region, each with an fd, none of which overlap?  Could these be a ring's addresses? */
bool regions_valid (const struct vh_region *regions, unsigned n);
bool vring_addr_valid (const struct vh_vring_addr *);

/* --- serve.c --- */

/* Which of these protocol features make sense together, and with the callbacks that the caller has. */
uint64_t serve_choose (const struct vh_frontend *, uint64_t features);

/* The ring stops, and with it its host notifier. */
void serve_forget_notifier (struct vh_frontend *, unsigned ring);

/* Gives the back-end its channel (SET_BACKEND_REQ_FD). */
int serve_open (struct vh_frontend *);

/*
 * Answers what is there, without waiting, up to a bound.  How many requests were served, or a negative errno: then the channel is closed, and the
 * connection goes on without it.
 */
int serve_requests (struct vh_frontend *);

#endif
