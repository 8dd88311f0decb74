/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One connection of a front-end to a device, and its rings.
 *
 * Two contexts meet here.  The *control* context (the thread that dispatches the connection's loop) owns the socket, the messages and everything in struct
 * vh_backend; the *ring* context (the thread that dispatches the ring's loop) owns the `ring` part of each struct vring.  They talk by two letters per ring:
 *
 *	control                                      ring
 *	  |  writes vring->want, posts vring->letter   |
 *	  |------------------------------------------->|  makes the ring be like `want`: starts it, drains and stops it, changes its memory, its fds
 *	  |                                            |
 *	  |<-------------------------------------------|  posts vring->answer when it is like that, and no request uses the old state any more
 *
 * While a letter is under way the control context leaves `want` alone and reads no further message from this socket; other connections go on.
 */
#ifndef BACKEND_CONNECTION_H
#define BACKEND_CONNECTION_H

#include <endian.h>

#include <vhost/backend.h>

#include "queue/ring.h"
#include "util/error.h"
#include "util/lines.h"
#include "util/loop.h"
#include "wire/channel.h"
#include "wire/payload.h"

/* What a ring is to be like. */
struct vring_want {
	bool run;
	bool strict;			/* answer when no request uses an older table */
	unsigned size;
	uint32_t base;
	uint64_t features;
	bool big_endian;
	uint64_t desc, avail, used;	/* guest addresses */
	struct vh_memory *memory;	/* a reference, when run */
	struct log_setup log;		/* borrowed; a ring has a reference of its own */
	struct inflight_part inflight;	/* borrowed from the control context, which changes it only while no ring runs */
	int kick, call, err;		/* borrowed from the control context; -1: none */
	bool poll;			/* there is no kick to wait for */
	bool call_in_band, err_in_band;	/* in place of the eventfd: a message (INBAND_NOTIFICATIONS) */
	uint32_t kicks;			/* in-band kicks so far; another number is another kick */
	bool abandon;			/* when not run: stop without finishing, if there are in-flight records */
	uint32_t denials;		/* translations that there are none of, so far; the last one is for the page of ... */
	uint64_t denied;
};

/*
 * A translation that a ring needs.  The front-end is asked one thing at a time for each ring, so an answer is to the question it belongs to; meanwhile the
 * ring may have got what it needs, or need something else.
 */
struct vring_miss {
	bool wanted;			/* until it is there, or `deadline` (clock_ms) */
	uint64_t iova;
	bool write;
	int64_t deadline;
	bool due;			/* the front-end has not been asked for it yet */
	bool asked;			/* an answer is awaited, to `question` */
	uint64_t question;
	uint64_t denied;		/* see struct vring_want */
	uint32_t denials;
};

/* The byte order of a guest whose front-end says nothing about it. */
#define VRING_BIG_ENDIAN (__BYTE_ORDER == __BIG_ENDIAN)

struct vring {
	struct vh_backend *backend;
	unsigned index;
	struct vh_loop *loop;		/* the ring context's */

	/* control context: what the front-end said */
	bool started, enabled;		/* two states, independent of each other (vhost-user, "Ring states") */
	bool have_addr;
	bool abandon;			/* GET_VRING_BASE_SKIP_DRAIN stops it */
	unsigned size;			/* SET_VRING_NUM; 0: not yet */
	uint32_t base;			/* SET_VRING_BASE, or where the ring stopped; 0 while neither is known */
	bool have_base;
	bool big_endian;		/* SET_VRING_ENDIAN; without it, as this machine */
	struct vring_addresses addr;	/* user addresses, as they came */
	int kick, call, err;		/* -1: none */
	bool no_kick, no_call, no_err;	/* the front-end said so: an eventfd of -1 before that is one that is not there yet */
	uint32_t kicks;			/* VRING_KICK messages */
	struct vring_miss miss;

	/* control context: the letters */
	struct vring_want want, has;	/* has: what the ring context answered last */
	bool waiting;			/* a letter is under way */
	struct vh_mail letter, answer;

	/* written by the ring context, read by the control context after an answer */
	bool failed;			/* it could not start */
	uint32_t stopped_base;

	/* ring context */
	struct vh_ring *ring;		/* NULL: at rest */
	struct vh_source *kick_source;
	struct loop_poller poller;	/* in the loop when that polls, or when there is no kick */
	bool answering;			/* an answer is due */
	struct vh_mail again;		/* to itself: another turn, or a look whether the answer can go */
	bool again_posted;
	struct vring_want now;		/* the letter it acts by; its memory belongs to the letter */
	struct vh_ring_counters past;	/* of earlier starts */
	struct vh_ring_counters shown;	/* atomic fields: for any thread */

	/* from the ring context to the control context: a call or an error for the front-end, in-band */
	bool call_due, err_due, caller_posted;	/* atomic */
	struct vh_mail caller;

	/* likewise: it is parked, because it needs this translation */
	uint64_t missed_iova;		/* atomic */
	bool missed_write, misser_posted;	/* atomic */
	struct vh_mail misser;
} CACHE_ALIGNED;

/*
 * Requests to the front-end (notify.c).  One at a time awaits its answer; the others wait here for their turn.  Calls, errors and changes of the configuration
 * are marks and not entries, so they cannot be too many.
 */
#define NOTICE_BODY 40	/* the largest: SHMEM_MAP */
#define NOTICES 64	/* waiting at a time: more than a device has reason for, and it is told when they are too many */

struct notice {
	uint32_t request;
	uint32_t size;
	uint8_t body[NOTICE_BODY];
	int fd;				/* its own; -1: none */
	vh_backend_answer_fn *answered;	/* may be NULL */
	void *opaque;
};

struct notices {
	struct channel channel;		/* SET_BACKEND_REQ_FD's; its fd is -1 when there is none */
	struct vh_source *source;
	struct vh_timer *deadline;	/* for the answer */
	bool config_change_due;
	bool awaiting;			/* an answer, to `asked` */
	struct notice asked;
	struct notice queue[NOTICES];
	unsigned first, n;
	unsigned next_vring;		/* whose mark is looked at first */
	bool vrings_first;		/* marks and entries take turns */
};

/* The device's state on its way (device-state.c). */
struct transfer {
	int fd;				/* -1: there is none */
	struct vh_source *source;
	bool loading;			/* in place of saving */
	unsigned char *buf;		/* NULL: none is under way */
	size_t at, size;		/* what is in buf and has not left */
	uint64_t offset;		/* in the state */
	int result;			/* of the last one: 0 or a negative errno */
	bool checking;			/* CHECK_DEVICE_STATE waits, and counts among `waiting` */
};

/* Objects that other devices may ask for (shared.c). */
#define SHARED_OBJECTS 64	/* one fd each, of a process that may have 1024 */

struct shared_object {
	uint8_t uuid[VH_UUID_SIZE];
	int fd;				/* our own; -1: this place is free */
};

enum backend_state {
	BACKEND_OPEN,
	BACKEND_CLOSING,	/* rings drain */
	BACKEND_CLOSED,		/* all is released but the object */
};

#define BACKEND_MAX_RETIRED 2

/* The in-flight area in force. */
struct backend_inflight {
	struct region *region;	/* NULL: there is none */
	unsigned rings, entries;
};

struct vh_backend {
	const struct vh_device *device;
	struct vh_device_ops ops;	/* the device's, with defaults for what it left out */
	struct error error;
	enum backend_state state;
	int result;			/* how it ended: 0 or a negative errno */

	struct vh_loop *loop;
	bool own_loop;
	struct channel channel;
	struct vh_source *source;
	struct vh_timer *deadline;
	bool deadline_set;
	struct vh_timer *watch;		/* for guests that die */
	bool watching;
	unsigned timeout_ms;
	struct message reply;		/* being made */
	bool answered;			/* the message that was served last has its answer on its way */

	const struct backend_handler *waiting_handler;	/* of channel.in, while rings settle */
	unsigned waiting;		/* letters under way, and a state transfer that is being checked */
	bool looking;
	struct vh_mail looker;		/* to itself: see backend_look_again; counts among `waiting` */
	struct vh_mail ender;		/* to itself: the end is never inside a call of someone who still uses the object */
	int retired[BACKEND_MAX_RETIRED];	/* fds that rings may use until they have settled */
	unsigned n_retired;

	uint64_t offered, features;	/* virtio bits, VH_F_PROTOCOL_FEATURES included */
	uint64_t protocol_offered, protocol;
	bool protocol_spoken;		/* SET_PROTOCOL_FEATURES came, and no SET_FEATURES after it */
	struct vh_memory *memory;	/* never NULL: empty at first */
	struct backend_inflight inflight;
	struct iotlb *iotlb;		/* NULL: without ACCESS_PLATFORM */
	struct vh_memory *iova;		/* what rings see of it */
	bool memory_goes;		/* by the message that is being served: something of the rings' memory must not be used any more */
	struct vh_timer *miss_timer;
	bool misses_timed;
	struct region *log;		/* SET_LOG_BASE; NULL: there was none */
	int log_fd;			/* SET_LOG_FD; -1 */

	struct postcopy *postcopy;	/* POSTCOPY_ADVISE to POSTCOPY_END; else NULL */
	bool listening;			/* POSTCOPY_LISTEN came */
	struct vh_memory *announced;	/* the front-end was told where it is, and has not said that it knows: not to be touched */

	uint8_t status;			/* SET_STATUS's */
	struct transfer transfer;

	struct notices notices;
	struct shared_object objects[SHARED_OBJECTS];

	void (*closed) (void *opaque, struct vh_backend *);
	void *closed_opaque;

	unsigned n_vrings;
	struct vring vrings[];
};

/* How the back-end serves one request of the table. */
struct backend_handler {
	/* Acts on the message.  0 or a negative errno; then nothing was changed.  NULL: nothing to do before the rings have settled. */
	int (*handle) (struct vh_backend *, struct message *);
	/* When the rings are as the message wants them: fills the reply (payload requests), or does what needs rings at rest.  0 or a negative errno. */
	int (*finish) (struct vh_backend *, struct message *, struct message *reply);
	/* Fills the reply that says "failed", for payload requests that have such a form; NULL: the connection is closed. */
	void (*refuse) (struct vh_backend *, struct message *, struct message *reply);
};

extern const struct backend_handler backend_handlers[REQUEST_END];

/* --- connection.c --- */

/* Ends the connection with an error; the words are in b->error already. */
void backend_fail (struct vh_backend *, int err);

/* There is other memory: its guest is looked after from now on, where that is called for. */
void backend_watch_memory (struct vh_backend *);

/* All letters were answered. */
void backend_settled (struct vh_backend *);

/* Something that rings hang on has changed, and not by a message: letters, if need be. */
void backend_look_again (struct vh_backend *);

/* Keeps an fd open until the rings have settled; closes those that were kept. */
void backend_retire_fd (struct vh_backend *, int fd);
void backend_close_retired (struct vh_backend *);

/* --- device.c --- */

/* Has a device all that it must have, within the limits? */
bool backend_device_valid (const struct vh_device *);

/* The device's table with defaults for what it leaves out. */
void backend_fill_ops (struct vh_device_ops *, const struct vh_device_ops *theirs);

/* Protocol features to offer: the library's own, and those of the device's callbacks (filled table). */
uint64_t backend_offered_protocol_features (const struct vh_device *, const struct vh_device_ops *, bool rings_elsewhere);

/* --- dispatch.c --- */

/* Serves one message.  Returns false when the rest waits for rings. */
bool backend_serve (struct vh_backend *, struct message *);

/* Goes on with the message that waited. */
void backend_serve_finish (struct vh_backend *);

/* --- the handlers, by file --- */

#define HANDLER(name) int name (struct vh_backend *, struct message *)
#define FINISHER(name) int name (struct vh_backend *, struct message *, struct message *)

/* negotiate.c */
uint64_t backend_offered_features (const struct vh_device *);
FINISHER (negotiate_get_features);
HANDLER (negotiate_set_features);
FINISHER (negotiate_get_protocol_features);
HANDLER (negotiate_set_protocol_features);
FINISHER (negotiate_get_queue_num);
HANDLER (negotiate_set_owner);
HANDLER (negotiate_reset);
FINISHER (negotiate_reset_device);
void negotiate_stop_device (struct vh_backend *);

/* memory-table.c */
HANDLER (memory_table_set);
FINISHER (memory_table_answer);
HANDLER (memory_table_add);
HANDLER (memory_table_remove);
FINISHER (memory_table_get_max_slots);

/* vrings.c */
HANDLER (vrings_set_num);
HANDLER (vrings_set_addr);
HANDLER (vrings_set_base);
HANDLER (vrings_stop);
HANDLER (vrings_abandon);
FINISHER (vrings_get_base);
HANDLER (vrings_set_kick);
HANDLER (vrings_set_call);
HANDLER (vrings_set_err);
HANDLER (vrings_set_enable);
HANDLER (vrings_kick);
HANDLER (vrings_set_endian);
/* Are all of them stopped?  Then the device is suspended, and says nothing by itself (vhost-user, "Suspended device state"). */
bool vrings_stopped (const struct vh_backend *);
void vrings_reset (struct vh_backend *);
bool vrings_any_runs (const struct vh_backend *);
void vrings_close (struct vh_backend *);
/* An error of a ring is for the front-end to hear: through its eventfd, or in-band. */
void vring_tell_error (struct vring *);
/* A mark of the ring context came, see struct vring. */
void vring_called (void *vring);
/* Posts letters to the rings that are not as they should be; returns how many. */
unsigned vrings_settle (struct vh_backend *);
/* The ring context's answer to a letter. */
void vring_answered (void *vring);

/* inflight.c */
FINISHER (inflight_area_get);
void inflight_area_refuse (struct vh_backend *, struct message *, struct message *);
HANDLER (inflight_area_set);
void inflight_area_drop (struct vh_backend *);
/* The part of a ring; its region is NULL when there is no area. */
struct inflight_part inflight_area_part (const struct vh_backend *, unsigned ring);

/* postcopy-walk.c */
HANDLER (postcopy_advise);
FINISHER (postcopy_send_fd);
void postcopy_refuse (struct vh_backend *, struct message *, struct message *);
HANDLER (postcopy_listen);
HANDLER (postcopy_end);
/* While listening: SET_MEM_TABLE with regions makes b->announced and is answered with our addresses ... */
int postcopy_announce (struct vh_backend *, struct region *const *regions, unsigned n);
int postcopy_fill_addresses (struct vh_backend *, const struct message *, struct message *reply);
/* ... and the next one, without, says that they are known: *ret is the table to put in force, and its reference the caller's. */
int postcopy_accept (struct vh_backend *, const struct message *, struct vh_memory **ret);
bool postcopy_is_announced (const struct vh_backend *);
/* Ends it, however far it came. */
void postcopy_drop (struct vh_backend *);
/* The front-end will bring no more pages: nobody waits for them. */
void postcopy_front_end_gone (struct vh_backend *);

/* log.c */
HANDLER (log_set_base);
FINISHER (log_answer_base);
HANDLER (log_set_fd);
void log_drop (struct vh_backend *);
/* Is it kept, with these features? */
bool log_in_force (uint64_t features);
/* Has the log, if it is kept with these features, a bit for each page of this memory, and for what rings write themselves? */
bool log_fits (const struct vh_backend *, uint64_t features, const struct vh_memory *);
bool log_fits_vring (const struct vring *);
/* The log that a ring is to have now. */
struct log_setup log_of_vring (const struct vh_backend *, const struct vring *, const struct vring_want *);

/* iotlb.c */
HANDLER (iotlb_handle);
bool iotlb_in_force (const struct vh_backend *);
/* SET_FEATURES was accepted; there is another region table.  0 or -ENOMEM. */
int iotlb_features_set (struct vh_backend *);
int iotlb_memory_changed (struct vh_backend *);
/* Where a ring's areas are in I/O addresses.  0; -EAGAIN: translations are missing, and were asked for; -EFAULT: there are none. */
int iotlb_place_vring (struct vring *, struct ring_areas sizes, struct vring_want *);
void vring_missed (void *vring);
/* Asks for what is due. */
void iotlb_ask_next (struct vh_backend *);
/* It needs no translation any more; an answer that is awaited is nothing to it. */
void iotlb_stop_vring (struct vring *);
void iotlb_drop (struct vh_backend *);
/* If all rings are stopped: nothing of what was known holds for those that will start. */
void iotlb_forget (struct vh_backend *);

/* config.c */
HANDLER (config_check);
FINISHER (config_get);
void config_refuse (struct vh_backend *, struct message *, struct message *);
HANDLER (config_set);

/* net.c */
HANDLER (net_send_rarp);
HANDLER (net_set_mtu);

/* notify.c */
HANDLER (notify_set_channel);
int notify_open (struct vh_backend *);
void notify_close (struct vh_backend *);

/*
 * Sends a request to the front-end, now or when it is its turn; its fd, if any, is borrowed.  `answered` is called once, unless this fails.  -EOPNOTSUPP: no
 * channel, or what the row needs is not in force; -EBUSY: too many wait; -ECONNRESET: the connection is closing; -EMFILE, -ENFILE.
 */
int notify_ask (struct vh_backend *, const struct message *, vh_backend_answer_fn *answered, void *opaque);

/* Sends what is due and may be sent now. */
void notify_go_on (struct vh_backend *);

/* shared.c */
FINISHER (objects_get);
void objects_refuse (struct vh_backend *, struct message *, struct message *);
/* The front-end does not want this one. */
void objects_refused (struct vh_backend *, const uint8_t uuid[VH_UUID_SIZE]);
void objects_init (struct vh_backend *);
void objects_close (struct vh_backend *);
FINISHER (shmem_get_config);

/* device-state.c */
FINISHER (device_state_begin);
void device_state_refuse_begin (struct vh_backend *, struct message *, struct message *);
HANDLER (device_state_check);
FINISHER (device_state_checked);
void device_state_refuse_check (struct vh_backend *, struct message *, struct message *);
/* Ends a transfer, whoever waits for it: the connection ends, or the device is reset. */
void device_state_cancel (struct vh_backend *);
/* The front-end is gone, so nobody will end it: what waits for it goes on.  May free b. */
void device_state_abort (struct vh_backend *);

/* status.c */
HANDLER (status_set);
FINISHER (status_is_set);
FINISHER (status_get);

/* crypto.c, gpu.c */
FINISHER (crypto_create_session);
void crypto_refuse_session (struct vh_backend *, struct message *, struct message *);
HANDLER (crypto_close_session);
HANDLER (gpu_set_socket);

/* --- vring.c: the ring context --- */

void vring_init (struct vring *, struct vh_backend *, unsigned index, struct vh_loop *);

#endif
