/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Features, asked and set, and the handshake that begins a connection.
 */
#include <errno.h>
#include <stdlib.h>

#include "frontend/frontend.h"

/* What the handshake may set: all that needs no more of its user than the calls of this library. */
#define HANDSHAKE_FEATURES                                                                                                                      \
	(VH_BIT (VH_P_MQ) | VH_BIT (VH_P_LOG_SHMFD) | VH_BIT (VH_P_REPLY_ACK) | VH_BIT (VH_P_BACKEND_REQ) | VH_BIT (VH_P_CONFIG) |              \
	 VH_BIT (VH_P_RESET_DEVICE) | VH_BIT (VH_P_CONFIGURE_MEM_SLOTS) | VH_BIT (VH_P_XEN_MMAP) | VH_BIT (VH_P_RARP) | VH_BIT (VH_P_MTU) |     \
	 VH_BIT (VH_P_STATUS) | VH_BIT (VH_P_CROSS_ENDIAN) | VH_BIT (VH_P_CRYPTO_SESSION) | VH_BIT (VH_P_INBAND_NOTIFICATIONS) |                \
	 VH_BIT (VH_P_BACKEND_SEND_FD) | VH_BIT (VH_P_HOST_NOTIFIER) | VH_BIT (VH_P_SHARED_OBJECT) | VH_BIT (VH_P_SHMEM) |                      \
	 VH_BIT (VH_P_DEVICE_STATE))

/* And what it sets for those who name it. */
#define NAMED_FEATURES                                                                                                                                 \
	(VH_BIT (VH_P_INFLIGHT_SHMFD) | VH_BIT (VH_P_GET_VRING_BASE_INFLIGHT) | VH_BIT (VH_P_GET_VRING_BASE_SKIP_DRAIN) | VH_BIT (VH_P_PAGEFAULT))

/* --- of the device --- */

static int
take_features (struct vh_frontend *f, struct message *request, struct message *reply, void *ret)
{
	int err = message_get_u64 (reply, &f->offered);

	*(uint64_t *) ret = f->offered;
	return err;
}

int
vh_frontend_get_features (struct vh_frontend *f, uint64_t *ret)
{
	return call_get (f, REQUEST_GET_FEATURES, take_features, ret);
}

static int
features_set (struct vh_frontend *f, struct message *request, struct message *reply, void *ret)
{
	return message_get_u64 (request, &f->features);
}

int
vh_frontend_set_features (struct vh_frontend *f, uint64_t features)
{
	struct message m;

	if (features & ~f->offered)
		return call_refuse (f, REQUEST_SET_FEATURES, -EINVAL);
	call_init (&m, REQUEST_SET_FEATURES);
	message_put_u64 (&m, features);
	return call (f, &m, features_set, NULL);
}

/* --- of the protocol --- */

static int
take_protocol_features (struct vh_frontend *f, struct message *request, struct message *reply, void *ret)
{
	int err = message_get_u64 (reply, &f->protocol_offered);

	*(uint64_t *) ret = f->protocol_offered;
	return err;
}

int
vh_frontend_get_protocol_features (struct vh_frontend *f, uint64_t *ret)
{
	return call_get (f, REQUEST_GET_PROTOCOL_FEATURES, take_protocol_features, ret);
}

/* Does the protocol define all of these? */
static bool
all_defined (uint64_t features)
{
	for (unsigned bit = 0; bit < 64; bit++)
		if (features & VH_BIT (bit) && !vh_protocol_feature_name (bit))
			return false;
	return true;
}

static int
protocol_features_set (struct vh_frontend *f, struct message *request, struct message *reply, void *ret)
{
	return message_get_u64 (request, &f->protocol);
}

int
vh_frontend_set_protocol_features (struct vh_frontend *f, uint64_t features)
{
	struct message m;

	if (features & ~f->protocol_offered || !all_defined (features))
		return call_refuse (f, REQUEST_SET_PROTOCOL_FEATURES, -EINVAL);
	call_init (&m, REQUEST_SET_PROTOCOL_FEATURES);
	message_put_u64 (&m, features);
	return call (f, &m, protocol_features_set, NULL);
}

/* --- the handshake --- */

/* One under way: calls that follow one another, each from the callback of the one before. */
struct handshake {
	struct vh_frontend *frontend;
	uint64_t wanted;	/* protocol features */
	uint64_t answer;
	unsigned step;
	struct later later;	/* what the caller wants; its done NULL: `over` is waited for */
	int result;
	bool over;
};

static void handshake_next (void *opaque, int result);

/* A step makes a call and returns 0, or returns 1 when there is nothing to do. */
typedef int step_fn (struct handshake *);

static int
ask_features (struct handshake *h)
{
	return vh_frontend_get_features (vh_frontend_async (h->frontend, handshake_next, h), &h->answer);
}

static int
ask_protocol_features (struct handshake *h)
{
	if (!(h->frontend->offered & VH_BIT (VH_F_PROTOCOL_FEATURES)))
		return 1;
	return vh_frontend_get_protocol_features (vh_frontend_async (h->frontend, handshake_next, h), &h->answer);
}

static int
set_protocol_features (struct handshake *h)
{
	uint64_t wanted = h->wanted == UINT64_MAX ? HANDSHAKE_FEATURES : h->wanted & (HANDSHAKE_FEATURES | NAMED_FEATURES);

	if (!(h->frontend->offered & VH_BIT (VH_F_PROTOCOL_FEATURES)))
		return 1;
	wanted = serve_choose (h->frontend, h->frontend->protocol_offered & wanted);
	return vh_frontend_set_protocol_features (vh_frontend_async (h->frontend, handshake_next, h), wanted);
}

static void
channel_given (void *opaque, int result)
{
	struct handshake *h = opaque;

	if (result < 0)
		frontend_close (h->frontend, &h->frontend->backend);
	handshake_next (h, result);
}

static int
open_channel (struct handshake *h)
{
	if (!(h->frontend->protocol & VH_BIT (VH_P_BACKEND_REQ)))
		return 1;
	return serve_open (vh_frontend_async (h->frontend, channel_given, h));
}

static int
set_owner (struct handshake *h)
{
	return vh_frontend_set_owner (vh_frontend_async (h->frontend, handshake_next, h));
}

static step_fn *const steps[] = { ask_features, ask_protocol_features, set_protocol_features, open_channel, set_owner };

#define N_STEPS (sizeof (steps) / sizeof (steps[0]))

static void
handshake_end (struct handshake *h, int result)
{
	h->result = result;
	h->over = true;
	if (!h->later.done)
		return;		/* the waiter's */
	h->later.done (h->later.opaque, result);
	free (h);
}

static void
handshake_next (void *opaque, int result)
{
	struct handshake *h = opaque;
	int err = result < 0 ? result : 1;

	while (err == 1 && h->step < N_STEPS)
		err = steps[h->step++](h);
	if (err != 0)
		handshake_end (h, err < 0 ? err : 0);
}

/* The first step makes a call, so nothing has ended yet when this returns 0. */
static int
handshake_begin (struct handshake *h)
{
	h->step = 1;
	return steps[0](h);
}

static int
handshake_later (const struct handshake *handshake)
{
	struct handshake *h = malloc (sizeof (*h));
	int err;

	if (!h)
		return -ENOMEM;
	*h = *handshake;
	err = handshake_begin (h);
	if (err < 0)
		free (h);
	return err;
}

int
vh_frontend_handshake (struct vh_frontend *f, uint64_t protocol_features)
{
	struct handshake h = { .frontend = f, .wanted = protocol_features, .later = take_later (f) };
	int err;

	if (h.later.done)
		return handshake_later (&h);
	err = call_check_waiting (f, "handshake") ?: handshake_begin (&h);
	if (err < 0)
		return err;
	call_wait (f, &h.over);
	return h.result;
}
