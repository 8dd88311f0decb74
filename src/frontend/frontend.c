/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The front-end's object, the handshake, and the requests that concern the whole device.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vhost/socket.h>

#include "frontend/frontend.h"

#define DEFAULT_TIMEOUT_MS 5000

/* What the handshake may set: all that needs no more of its user than the calls of this library. */
#define HANDSHAKE_FEATURES                                                                                                                             \
	(VH_BIT (VH_P_MQ) | VH_BIT (VH_P_REPLY_ACK) | VH_BIT (VH_P_BACKEND_REQ) | VH_BIT (VH_P_CONFIG) | VH_BIT (VH_P_RESET_DEVICE) |                  \
	 VH_BIT (VH_P_CONFIGURE_MEM_SLOTS) | VH_BIT (VH_P_XEN_MMAP) | VH_BIT (VH_P_RARP) | VH_BIT (VH_P_MTU))

/* And what it sets for those who name it. */
#define NAMED_FEATURES VH_BIT (VH_P_INFLIGHT_SHMFD)

/* --- the object --- */

/* Takes the options of a caller that may be older or newer than this library. */
static int
take_options (struct vh_frontend_options *taken, const struct vh_frontend_options *given)
{
	memset (taken, 0, sizeof (*taken));
	if (given) {
		if (given->size < sizeof (given->size))
			return -EINVAL;
		memcpy (taken, given, given->size < sizeof (*taken) ? given->size : sizeof (*taken));
	}
	if (taken->timeout_ms == 0)
		taken->timeout_ms = DEFAULT_TIMEOUT_MS;
	return 0;
}

int
vh_frontend_new (int fd, const struct vh_frontend_options *options, struct vh_frontend **ret)
{
	struct vh_frontend_options taken;
	struct vh_frontend *f;
	int err = take_options (&taken, options);

	if (err < 0 || fd < 0)
		return -EINVAL;
	f = calloc (1, sizeof (*f));
	if (!f)
		return -ENOMEM;
	error_init (&f->error, &taken.log, "front-end");
	f->timeout_ms = taken.timeout_ms;
	f->config_changed = taken.config_changed;
	f->opaque = taken.opaque;
	channel_init (&f->main, fd);
	channel_init (&f->backend, -1);
	*ret = f;
	return 0;
}

int
vh_frontend_connect (const char *path, int connect_ms, const struct vh_frontend_options *options, struct vh_frontend **ret)
{
	int fd = vh_connect (path, connect_ms);
	int err;

	if (fd < 0)
		return fd;
	err = vh_frontend_new (fd, options, ret);
	if (err < 0)
		close (fd);
	return err;
}

void
vh_frontend_free (struct vh_frontend *f)
{
	if (!f)
		return;
	channel_close (&f->main);
	channel_close (&f->backend);
	free (f);
}

const char *
vh_frontend_error (const struct vh_frontend *f)
{
	return f->error.text;
}

uint64_t
vh_frontend_offered_features (const struct vh_frontend *f)
{
	return f->offered;
}

uint64_t
vh_frontend_offered_protocol_features (const struct vh_frontend *f)
{
	return f->protocol_offered;
}

uint64_t
vh_frontend_protocol_features (const struct vh_frontend *f)
{
	return f->protocol;
}

/* --- features --- */

int
vh_frontend_get_features (struct vh_frontend *f, uint64_t *ret)
{
	int err = call_for_u64 (f, REQUEST_GET_FEATURES, ret);

	if (err == 0)
		f->offered = *ret;
	return err;
}

int
vh_frontend_set_features (struct vh_frontend *f, uint64_t features)
{
	int err;

	if (features & ~f->offered)
		return call_refuse (f, REQUEST_SET_FEATURES, -EINVAL);
	err = call_u64 (f, REQUEST_SET_FEATURES, features);
	if (err == 0)
		f->features = features;
	return err;
}

int
vh_frontend_get_protocol_features (struct vh_frontend *f, uint64_t *ret)
{
	int err = call_for_u64 (f, REQUEST_GET_PROTOCOL_FEATURES, ret);

	if (err == 0)
		f->protocol_offered = *ret;
	return err;
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

int
vh_frontend_set_protocol_features (struct vh_frontend *f, uint64_t features)
{
	uint64_t before = f->protocol;
	int err;

	if (features & ~f->protocol_offered || !all_defined (features))
		return call_refuse (f, REQUEST_SET_PROTOCOL_FEATURES, -EINVAL);
	/* Whether it would be answered when this request changes REPLY_ACK is not agreed on; so ask only when it was and stays in force. */
	f->protocol &= features;
	err = call_u64 (f, REQUEST_SET_PROTOCOL_FEATURES, features);
	f->protocol = err < 0 ? before : features;
	return err;
}

int
vh_frontend_handshake (struct vh_frontend *f, uint64_t protocol_features)
{
	uint64_t wanted = protocol_features == UINT64_MAX ? HANDSHAKE_FEATURES : protocol_features & (HANDSHAKE_FEATURES | NAMED_FEATURES);
	uint64_t offered;
	int err = vh_frontend_get_features (f, &offered);

	if (err == 0 && offered & VH_BIT (VH_F_PROTOCOL_FEATURES)) {
		err = vh_frontend_get_protocol_features (f, &offered);
		if (err == 0)
			err = vh_frontend_set_protocol_features (f, offered & wanted);
	}
	if (err == 0 && f->protocol & VH_BIT (VH_P_BACKEND_REQ))
		err = serve_open (f);
	if (err == 0)
		err = vh_frontend_set_owner (f);
	return err;
}

/* --- the device --- */

int
vh_frontend_set_owner (struct vh_frontend *f)
{
	return call_nothing (f, REQUEST_SET_OWNER);
}

int
vh_frontend_reset_owner (struct vh_frontend *f)
{
	return call_nothing (f, REQUEST_RESET_OWNER);
}

int
vh_frontend_reset_device (struct vh_frontend *f)
{
	return call_nothing (f, REQUEST_RESET_DEVICE);
}

int
vh_frontend_get_queue_num (struct vh_frontend *f, unsigned *ret)
{
	uint64_t n;
	int err = call_for_u64 (f, REQUEST_GET_QUEUE_NUM, &n);

	if (err < 0)
		return err;
	if (n == 0 || n > VH_MAX_RINGS)
		return call_end (f, -EBADMSG, "GET_QUEUE_NUM: not a number of queues");
	*ret = n;
	return 0;
}

int
vh_frontend_get_max_mem_slots (struct vh_frontend *f, unsigned *ret)
{
	uint64_t n;
	int err = call_for_u64 (f, REQUEST_GET_MAX_MEM_SLOTS, &n);

	if (err < 0)
		return err;
	if (n == 0)
		return call_end (f, -EBADMSG, "GET_MAX_MEM_SLOTS: none");
	*ret = n < UINT_MAX ? n : UINT_MAX;
	return 0;
}
