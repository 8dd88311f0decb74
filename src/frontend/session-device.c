/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the back-end of a session is: asked after each handshake, compared with the one before, and shown to the user.  Its configuration is kept here, so
 * that a guest's read never waits.
 */
#include <errno.h>
#include <string.h>

#include "frontend/frontend.h"
#include "frontend/session.h"

/* --- the configuration --- */

static void
config_read (void *opaque, int result)
{
	struct vh_session *s = opaque;
	bool changed = !s->has_config || memcmp (s->config, s->new_config, s->options.config_size) != 0;

	s->config_reading = false;
	/* A device without configuration, or with less of it, is no reason to part. */
	if (result == 0) {
		memcpy (s->config, s->new_config, s->options.config_size);
		s->has_config = true;
	}
	if (s->frontend && s->config_stale)
		session_read_config (s);
	if (s->frontend && result == 0 && changed && s->options.config_changed)
		s->options.config_changed (s->options.opaque);
	session_call_ended (s, result == -EREMOTEIO ? 0 : result);
}

int
session_read_config (struct vh_session *s)
{
	int err;

	s->config_stale = s->config_reading;
	if (s->config_reading || s->options.config_size == 0 || !(s->frontend->protocol & VH_BIT (VH_P_CONFIG)))
		return 0;
	err = vh_frontend_get_config (session_async_to (s, config_read, s), 0, s->new_config, s->options.config_size);
	s->config_reading = err == 0;
	return err;
}

int
vh_session_get_config (const struct vh_session *s, uint32_t offset, void *buf, uint32_t size)
{
	if (!s->has_config)
		return -EAGAIN;
	if (size > s->options.config_size || offset > s->options.config_size - size)
		return -EINVAL;
	memcpy (buf, s->config + offset, size);
	return 0;
}

int
vh_session_set_config (struct vh_session *s, uint32_t offset, const void *buf, uint32_t size, uint32_t flags, vh_frontend_done_fn *done, void *opaque)
{
	int err;

	if (s->state != SESSION_READY)
		return error_set (&s->error, -ECONNRESET, "no back-end");
	err = vh_frontend_set_config (vh_frontend_async (s->frontend, done, opaque), offset, buf, size, flags);
	return err < 0 ? err : session_read_config (s);
}

/* --- what it is --- */

int
session_ask (struct vh_session *s)
{
	uint64_t protocol = s->frontend->protocol;
	int err = 0;

	s->new_queues = 1;
	s->new_slots = 0;
	if (protocol & VH_BIT (VH_P_MQ))
		err = vh_frontend_get_queue_num (session_async (s), &s->new_queues);
	if (err == 0 && protocol & VH_BIT (VH_P_CONFIGURE_MEM_SLOTS))
		err = vh_frontend_get_max_mem_slots (session_async (s), &s->new_slots);
	return err < 0 ? err : session_read_config (s);
}

/* Rings whose requests in flight the new back-end cannot know. */
static unsigned
count_unsure (const struct vh_session *s)
{
	bool known = s->inflight.fd >= 0 && s->frontend->protocol & VH_BIT (VH_P_INFLIGHT_SHMFD);
	unsigned n = 0;

	for (unsigned i = 0; !known && i < VH_MAX_RINGS; i++)
		n += s->rings[i].running && s->rings[i].outstanding;
	return n;
}

/* What is worse than before; false: nothing. */
static bool
compare (const struct vh_session *s, struct vh_session_change *c)
{
	*c = (struct vh_session_change){
		.features = s->features & ~s->frontend->offered,
		.protocol_features = s->protocol & ~s->frontend->protocol,
		.queues = s->new_queues,
		.old_queues = s->queues,
		.slots = s->new_slots,
		.old_slots = s->slots,
		.unsure = count_unsure (s),
	};
	return c->features || c->protocol_features || c->queues < c->old_queues || c->slots < c->old_slots || c->unsure;
}

/* Goes on without what the new one has not. */
static void
adopt (struct vh_session *s)
{
	s->known = true;
	s->offered = s->frontend->offered;
	s->protocol = s->frontend->protocol;
	s->features &= s->offered;
	s->queues = s->new_queues;
	s->slots = s->new_slots;
	/* An area that this one does not keep up to date would mislead the next one. */
	if (!(s->protocol & VH_BIT (VH_P_INFLIGHT_SHMFD)))
		session_drop_inflight (s);
}

/* A packed ring without in-flight area: no back-end can go on with it, only the guest by a reset. */
static bool
any_baseless (const struct vh_session *s)
{
	for (unsigned i = 0; i < VH_MAX_RINGS; i++)
		if (s->rings[i].running && s->rings[i].baseless)
			return true;
	return false;
}

int
session_judge (struct vh_session *s)
{
	struct vh_session_change change;

	if (s->known && compare (s, &change)) {
		error_log (&s->error, VH_LOG_WARNING, "back-end without features %#llx, protocol features %#llx; %u queues, %u slots; %u rings unsure",
			   (unsigned long long) change.features, (unsigned long long) change.protocol_features, change.queues, change.slots, change.unsure);
		if (!s->options.decide || s->options.decide (s->options.opaque, &change) != 0)
			return -EOPNOTSUPP;
	}
	if (any_baseless (s))
		return -EOPNOTSUPP;
	adopt (s);
	return 0;
}

/* --- shown to the user --- */

uint64_t
vh_session_offered_features (const struct vh_session *s)
{
	return s->offered & ~TRANSPORT_FEATURES;
}

uint64_t
vh_session_protocol_features (const struct vh_session *s)
{
	return s->protocol;
}

unsigned
vh_session_queues (const struct vh_session *s)
{
	return s->queues;
}

unsigned
vh_session_slots (const struct vh_session *s)
{
	return s->slots;
}
