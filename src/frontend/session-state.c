/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a session's user wants of the device as a whole, and how a connection is told: only what it was not told before, in the order that back-ends expect.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "frontend/frontend.h"
#include "frontend/session.h"
#include "util/fd.h"

/* --- features --- */

static bool
any_ring_runs (const struct vh_session *s)
{
	for (unsigned i = 0; i < VH_MAX_RINGS; i++)
		if (s->rings[i].running)
			return true;
	return false;
}

int
vh_session_set_features (struct vh_session *s, uint64_t features)
{
	if (!s->known)
		return error_set (&s->error, -EAGAIN, "no features were offered yet");
	if (features & ~vh_session_offered_features (s) || any_ring_runs (s))
		return error_set (&s->error, -EINVAL, "features %#llx", (unsigned long long) features);
	s->features = features;
	s->has_features = true;
	s->features_told = false;
	session_touch (s);
	return 0;
}

static int
tell_features (struct vh_session *s)
{
	if (s->features_told || !s->has_features)
		return 0;
	s->features_told = true;
	return vh_frontend_set_features (session_async (s), s->features | (s->offered & VH_BIT (VH_F_PROTOCOL_FEATURES)));
}

/* --- memory --- */

static bool
same_file (int a, int b)
{
	struct stat sa, sb;

	return fstat (a, &sa) == 0 && fstat (b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

static bool
same_region (const struct vh_region *a, const struct vh_region *b)
{
	return a->guest_addr == b->guest_addr && a->size == b->size && a->user_addr == b->user_addr && a->offset == b->offset &&
	       a->xen_flags == b->xen_flags && a->xen_domid == b->xen_domid && same_file (a->fd, b->fd);
}

/* Takes a region over; one that was there before keeps its fd and its id. */
static int
take_region (struct vh_session *s, const struct vh_region *given, struct session_region *ret)
{
	for (unsigned i = 0; i < s->regions.n; i++) {
		struct session_region *old = &s->regions.list[i];

		if (old->id && same_region (&old->region, given)) {
			*ret = *old;
			old->id = 0;	/* moved */
			return 0;
		}
	}
	*ret = (struct session_region){ .region = *given, .id = ++s->last_id };
	ret->region.fd = fd_dup (given->fd);
	return ret->region.fd < 0 ? ret->region.fd : 0;
}

static void
close_regions (struct session_regions *r)
{
	for (unsigned i = 0; i < r->n; i++)
		if (r->list[i].id)
			fd_close (&r->list[i].region.fd);
	r->n = 0;
}

int
vh_session_set_memory (struct vh_session *s, const struct vh_region *regions, unsigned n)
{
	struct session_regions *taken;
	int err = n > VH_MAX_REGIONS ? -E2BIG : regions_valid (regions, n) ? 0 : -EINVAL;

	if (err < 0)
		return error_set (&s->error, err, "memory");
	taken = calloc (1, sizeof (*taken));
	if (!taken)
		return -ENOMEM;
	/* On a failure in the middle, the regions that were taken over stay, and so does the failure: what is wanted is not what the user said. */
	for (; err == 0 && taken->n < n; taken->n++)
		err = take_region (s, &regions[taken->n], &taken->list[taken->n]);
	close_regions (&s->regions);
	s->regions = *taken;
	free (taken);
	session_touch (s);
	return err < 0 ? error_set (&s->error, err, "memory") : 0;
}

static const struct session_region *
find_region (const struct session_regions *r, uint64_t id)
{
	for (unsigned i = 0; i < r->n; i++)
		if (r->list[i].id == id)
			return &r->list[i];
	return NULL;
}

static bool
memory_told (const struct vh_session *s)
{
	if (s->regions.n != s->regions_told.n)
		return false;
	for (unsigned i = 0; i < s->regions.n; i++)
		if (!find_region (&s->regions_told, s->regions.list[i].id))
			return false;
	return true;
}

static int
tell_table (struct vh_session *s)
{
	struct vh_region table[VH_MAX_TABLE_REGIONS];

	if (s->regions.n > VH_MAX_TABLE_REGIONS)
		return error_set (&s->frontend->error, -E2BIG, "%u regions for a back-end without memory slots", s->regions.n);
	for (unsigned i = 0; i < s->regions.n; i++)
		table[i] = s->regions.list[i].region;
	return vh_frontend_set_mem_table (session_async (s), table, s->regions.n);
}

/* First those that are to go, so that there is room for others in their place. */
static int
tell_slots (struct vh_session *s)
{
	int err = 0;

	for (unsigned i = 0; err == 0 && i < s->regions_told.n; i++)
		if (!find_region (&s->regions, s->regions_told.list[i].id))
			err = vh_frontend_remove_mem_region (session_async (s), &s->regions_told.list[i].region);
	for (unsigned i = 0; err == 0 && i < s->regions.n; i++)
		if (!find_region (&s->regions_told, s->regions.list[i].id))
			err = vh_frontend_add_mem_region (session_async (s), &s->regions.list[i].region);
	return err;
}

static int
tell_memory (struct vh_session *s)
{
	int err;

	if (s->regions.n == 0 || memory_told (s))
		return 0;
	err = s->protocol & VH_BIT (VH_P_CONFIGURE_MEM_SLOTS) ? tell_slots (s) : tell_table (s);
	s->regions_told = s->regions;
	return err;
}

/* --- the in-flight area --- */

void
session_drop_inflight (struct vh_session *s)
{
	fd_close (&s->inflight.fd);
	s->inflight_told = false;
}

static void
inflight_got (void *opaque, int result)
{
	struct vh_session *s = opaque;

	/* It has the feature and no area: then it goes without. */
	s->inflight_refused = result == -EREMOTEIO;
	session_call_ended (s, s->inflight_refused ? 0 : result);
}

/* 1: the rings can be told; 0: an area was asked for. */
static int
tell_inflight (struct vh_session *s)
{
	int err;

	if (s->inflight_told || s->inflight_refused || !(s->protocol & VH_BIT (VH_P_INFLIGHT_SHMFD)))
		return 1;
	if (s->inflight.fd < 0)
		return vh_frontend_get_inflight (session_async_to (s, inflight_got, s), s->options.rings, s->options.ring_size, &s->inflight);
	s->inflight_told = true;
	err = vh_frontend_set_inflight (session_async (s), &s->inflight);
	return err < 0 ? err : 1;
}

/* --- all of it --- */

static int
tell_stops (struct vh_session *s)
{
	int err = 0;

	for (unsigned i = 0; err == 0 && i < VH_MAX_RINGS; i++)
		if (s->rings[i].stopping)
			err = session_stop_told_ring (&s->rings[i]);
	return err;
}

static int
tell_reset (struct vh_session *s)
{
	if (!s->reset)
		return 0;
	s->reset = false;
	if (!(s->protocol & VH_BIT (VH_P_RESET_DEVICE)))
		return 0;
	return vh_frontend_reset_device (session_async (s));
}

static int
tell_rings (struct vh_session *s)
{
	int err = any_ring_runs (s) ? tell_inflight (s) : 0;

	if (err <= 0)
		return err;
	err = 0;
	for (unsigned i = 0; err == 0 && i < VH_MAX_RINGS; i++)
		if (s->rings[i].running)
			err = session_tell_ring (&s->rings[i]);
	return err;
}

int
session_tell (struct vh_session *s)
{
	int err = tell_stops (s);

	if (err == 0)
		err = tell_reset (s);
	if (err == 0)
		err = tell_features (s);
	if (err == 0)
		err = tell_memory (s);
	return err < 0 ? err : tell_rings (s);
}

int
vh_session_reset (struct vh_session *s)
{
	for (unsigned i = 0; i < VH_MAX_RINGS; i++)
		session_ring_close (&s->rings[i]);
	session_drop_inflight (s);
	s->has_features = false;
	s->features = 0;
	/* A connection that is still to come begins with a device that is reset. */
	s->reset = s->state == SESSION_READY;
	session_touch (s);
	return 0;
}

void
session_forget_told (struct vh_session *s)
{
	s->features_told = false;
	s->regions_told.n = 0;
	s->inflight_told = s->inflight_refused = false;
	s->config_reading = s->config_stale = false;
	s->reset = false;
	for (unsigned i = 0; i < VH_MAX_RINGS; i++)
		session_ring_lost (&s->rings[i]);
}

void
session_free_state (struct vh_session *s)
{
	for (unsigned i = 0; i < VH_MAX_RINGS; i++)
		session_ring_close (&s->rings[i]);
	close_regions (&s->regions);
	session_drop_inflight (s);
}
