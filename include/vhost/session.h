/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A front-end that keeps going: it connects, and connects again when the back-end went away, and sets up there again what its user has set.
 *
 * What a VMM sets here (features, memory, rings) is what it wants to be in force.  The session makes it so at the back-end of the moment, without ever
 * waiting: at once when one is connected, else at the next one.  A ring that ran is started again where the last back-end stopped: with the in-flight area
 * nothing is lost and nothing done is answered again.
 *
 * One thread at a time.  vh_session_fd and vh_session_dispatch go into an event loop of any kind.
 */
#ifndef VHOST_SESSION_H
#define VHOST_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include <vhost/frontend.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct vh_session;

/* How a back-end that was connected again differs from what is in use, to its disadvantage. */
struct vh_session_change {
	uint64_t features;		/* features that were set, and are not offered any more */
	uint64_t protocol_features;	/* protocol features that were in force, and are not offered any more */
	unsigned queues, old_queues;	/* it has fewer; equal: it does not */
	unsigned slots, old_slots;	/* memory slots, likewise */
	unsigned unsure;		/* rings with requests in flight of which no in-flight area tells: they may be done twice, or never */
};

struct vh_session_options {
	size_t size;			/* sizeof (struct vh_session_options) */
	struct vh_log log;
	const char *path;		/* the back-end's socket */
	/*
	 * In place of `path`, an fd of a connected socket, which is the session's then; or a negative errno: asked again later.  For a VMM that listens.
	 * If NULL, connects to `path`.
	 */
	int (*connect) (void *opaque);
	unsigned timeout_ms;		/* for each answer; 0: 5000 */
	unsigned rings;			/* of the device: for the in-flight area.  0: there is none */
	unsigned ring_size;		/* most descriptors of one */
	uint32_t config_size;		/* bytes of the configuration space to keep a copy of; 0: none, at most VH_MAX_CONFIG_SIZE */

	/*
	 * All of these may be NULL.  They are called from inside vh_session_dispatch and vh_session_wait; they may call the session, not wait, and not free
	 * it.
	 */
	/* All that was set is in force: after each connection, and after changes. */
	void (*settled) (void *opaque);
	/* The connection is over, or none could be made (-EREMOTEIO: the back-end refused what was set); another one is tried, with growing pauses. */
	void (*lost) (void *opaque, int err);
	/* The back-end is worse than the one before.  0: go on with what is left; else it is left alone, and tried again later.  If NULL: left alone. */
	int (*decide) (void *opaque, const struct vh_session_change *);
	/* The copy of the configuration is another one than before; also after a connection. */
	void (*config_changed) (void *opaque);
	void *opaque;
	const struct vh_frontend_ops *ops;	/* what back-ends may ask for, see vh_frontend_options; called with `opaque` */
};

/* -EINVAL: no way to connect, sizes beyond limits; -ENOMEM, -EMFILE.  The first attempt is made by the first dispatch. */
int vh_session_new (const struct vh_session_options *, struct vh_session **ret);

/* Ends the connection.  NULL is fine. */
void vh_session_free (struct vh_session *);

/* Words for the last failure; "" when there was none. */
const char *vh_session_error (const struct vh_session *);

/* Readable when there is something to dispatch. */
int vh_session_fd (const struct vh_session *);

/* Does what there is to do, without waiting.  How much, or a negative errno of the system: a lost connection is none. */
int vh_session_dispatch (struct vh_session *);

/* Dispatches until all that was set is in force.  0; -ETIMEDOUT; timeout_ms -1: no limit. */
int vh_session_wait (struct vh_session *, int timeout_ms);

/* Is a back-end connected, and all that was set in force there? */
int vh_session_is_settled (const struct vh_session *);

/* The front-end of the moment, for messages that the session does not know of; NULL when there is none.  Only for calls that do not wait. */
struct vh_frontend *vh_session_frontend (struct vh_session *);

/* --- the device; 0 before the first connection --- */

/* What it offers, without the features that are not for a guest (VH_F_PROTOCOL_FEATURES, VH_F_LOG_ALL). */
uint64_t vh_session_offered_features (const struct vh_session *);
uint64_t vh_session_protocol_features (const struct vh_session *);

/* How many queues it says that it has (1 when it cannot say), and memory slots (0: only tables of VH_MAX_TABLE_REGIONS). */
unsigned vh_session_queues (const struct vh_session *);
unsigned vh_session_slots (const struct vh_session *);

/* Copies from the copy of the configuration.  -EAGAIN: there is none yet; -EINVAL: outside of it. */
int vh_session_get_config (const struct vh_session *, uint32_t offset, void *buf, uint32_t size);

/* Writes to the device's, and refreshes the copy.  The callback as for vh_frontend_async.  -ECONNRESET: none is connected; else as vh_frontend_set_config. */
int vh_session_set_config (struct vh_session *, uint32_t offset, const void *buf, uint32_t size, uint32_t flags, vh_frontend_done_fn *, void *opaque);

/* --- what is wanted --- */

/* The features that the driver accepted, of those that were offered: -EINVAL for others, and while rings run; -EAGAIN: none were yet. */
int vh_session_set_features (struct vh_session *, uint64_t features);

/*
 * The whole memory of the guest; changes are made by slots where the back-end has them, so that nothing else moves.  fds are borrowed for the call.  -EINVAL as
 * for vh_frontend_set_mem_table, or n is 0; -E2BIG: more than VH_MAX_REGIONS.
 */
int vh_session_set_memory (struct vh_session *, const struct vh_region *regions, unsigned n);

/* A ring, of which all is set at once. */
struct vh_session_ring {
	size_t size;			/* sizeof (struct vh_session_ring) */
	unsigned entries;		/* descriptors */
	struct vh_vring_addr addr;
	uint32_t base;			/* where it starts when it is started here: 0, or what vh_session_stop_ring said; packed: 0x80008000 */
	int kick, call, err;		/* borrowed for the call; -1 as for vh_frontend_set_vring_kick and its like */
};

/* Starts a ring, enabled.  -EINVAL; -EBUSY: it runs. */
int vh_session_start_ring (struct vh_session *, unsigned index, const struct vh_session_ring *);

/* Another eventfd for calls, while the ring runs: a VMM that masks interrupts. */
int vh_session_set_ring_call (struct vh_session *, unsigned index, int fd);

/* Disables a ring that runs, or enables it again. */
int vh_session_enable_ring (struct vh_session *, unsigned index, int enable);

/*
 * Stops a ring.  When it is at rest, `stopped` (may be NULL) is called with its base, from where it could be started again.  If the back-end dies before it
 * says that, the base is where that one has come to.  -EINVAL: it does not run.
 */
typedef void vh_session_stopped_fn (void *opaque, uint32_t base);
int vh_session_stop_ring (struct vh_session *, unsigned index, vh_session_stopped_fn *stopped, void *opaque);

/* The guest has reset the device: stops all rings, forgets features and the in-flight area, and resets the back-end's device where that can be. */
int vh_session_reset (struct vh_session *);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
