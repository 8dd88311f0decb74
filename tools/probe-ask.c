/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Asking a back-end: nothing is set but the protocol features that the questions need.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <vhost/error.h>
#include <vhost/frontend.h>

#include "probe.h"

#define QUESTIONS (VH_BIT (VH_P_MQ) | VH_BIT (VH_P_CONFIG) | VH_BIT (VH_P_CONFIGURE_MEM_SLOTS))

/* A question that the back-end offers to answer.  It may refuse; if the connection breaks, there is no more to ask. */
static int
ask_number (struct vh_frontend *f, unsigned feature, int (*ask) (struct vh_frontend *, unsigned *), unsigned *number, bool *answered)
{
	int err;

	*answered = false;
	if (!(vh_frontend_protocol_features (f) & VH_BIT (feature)))
		return 0;
	err = ask (f, number);
	*answered = err == 0;
	return err == -EREMOTEIO ? 0 : err;
}

static void
choose_device (const struct probe_options *o, struct answers *a)
{
	a->device = o->device;
	if (!a->device) {
		a->device = device_by_features (a->features);
		a->guessed = a->device != NULL;
	}
}

static int
ask_config (struct vh_frontend *f, struct answers *a)
{
	unsigned size = a->device ? config_size (a->device, a->features) : 0;
	int err;

	if (!(vh_frontend_protocol_features (f) & VH_BIT (VH_P_CONFIG)))
		a->config_missing = "the back-end does not offer it";
	else if (!a->device)
		a->config_missing = "what kind of device it is, --device can tell";
	else if (size == 0)
		a->config_missing = "this device has none";
	if (a->config_missing)
		return 0;
	err = vh_frontend_get_config (f, 0, a->config, size);
	if (err == 0)
		a->config_size = size;
	else if (err == -EREMOTEIO)
		a->config_missing = "the back-end refused to read it";
	return err == -EREMOTEIO ? 0 : err;
}

static int
ask_all (struct vh_frontend *f, const struct probe_options *o, struct answers *a)
{
	int err = vh_frontend_handshake (f, QUESTIONS);

	if (err < 0)
		return err;
	a->features = vh_frontend_offered_features (f);
	a->protocol_features = vh_frontend_offered_protocol_features (f);
	choose_device (o, a);
	err = ask_number (f, VH_P_MQ, vh_frontend_get_queue_num, &a->queues, &a->has_queues);
	if (err == 0)
		err = ask_number (f, VH_P_CONFIGURE_MEM_SLOTS, vh_frontend_get_max_mem_slots, &a->slots, &a->has_slots);
	return err < 0 ? err : ask_config (f, a);
}

int
probe_ask (const struct probe_options *o, struct answers *a, char *failed, size_t size)
{
	struct vh_frontend_options options = { .size = sizeof (options), .timeout_ms = o->timeout * 1000 };
	struct vh_frontend *f;
	int err;

	memset (a, 0, sizeof (*a));
	a->socket = o->socket;
	err = vh_frontend_connect (o->socket, 0, &options, &f);
	if (err < 0) {
		snprintf (failed, size, "cannot connect to %s: %s", o->socket, vh_strerror (err));
		return err;
	}
	err = ask_all (f, o, a);
	if (err < 0)
		snprintf (failed, size, "%s%s", vh_frontend_error (f), err == -ETIMEDOUT ? "; does it serve somebody else now?" : "");
	vh_frontend_free (f);
	return err;
}
