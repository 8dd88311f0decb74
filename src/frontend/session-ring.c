/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rings of a session.
 */
#include <errno.h>

#include <vhost/queue.h>

#include "frontend/frontend.h"
#include "frontend/session.h"
#include "util/fd.h"

/* --- wanted --- */

void
session_ring_close (struct session_ring *r)
{
	fd_close (&r->kick);
	fd_close (&r->call);
	fd_close (&r->err);
	r->stopping |= r->told;
	r->running = r->told = r->resumes = r->outstanding = r->baseless = false;
}

static int
dup_or_none (int fd)
{
	return fd < 0 ? -1 : fd_dup (fd);
}

static int
take_fds (struct session_ring *r, const struct vh_session_ring *given)
{
	const int from[] = { given->kick, given->call, given->err };
	int *const to[] = { &r->kick, &r->call, &r->err };

	for (unsigned i = 0; i < 3; i++) {
		*to[i] = dup_or_none (from[i]);
		if (from[i] >= 0 && *to[i] < 0)
			return *to[i];
	}
	return 0;
}

static bool
ring_valid (const struct vh_session_ring *g)
{
	return g->size >= sizeof (*g) && g->entries >= 1 && g->entries <= VH_MAX_RING_SIZE && vring_addr_valid (&g->addr);
}

int
vh_session_start_ring (struct vh_session *s, unsigned index, const struct vh_session_ring *given)
{
	struct session_ring *r;
	int err;

	if (index >= VH_MAX_RINGS || !ring_valid (given) || !s->has_features || (s->options.rings > 0 && index >= s->options.rings))
		return error_set (&s->error, -EINVAL, "ring %u", index);
	r = &s->rings[index];
	if (r->running || r->stopped)
		return error_set (&s->error, -EBUSY, "ring %u", index);
	err = take_fds (r, given);
	if (err < 0) {
		session_ring_close (r);
		return error_set (&s->error, err, "ring %u", index);
	}
	r->running = r->enabled = true;
	r->entries = given->entries;
	r->addr = given->addr;
	r->base = given->base;
	session_touch (s);
	return 0;
}

/* The ring of this number if it runs. */
static struct session_ring *
find_running (struct vh_session *s, unsigned index)
{
	return index < VH_MAX_RINGS && s->rings[index].running ? &s->rings[index] : NULL;
}

int
vh_session_set_ring_call (struct vh_session *s, unsigned index, int fd)
{
	struct session_ring *r = find_running (s, index);
	int copy = dup_or_none (fd);

	if (!r || (fd >= 0 && copy < 0)) {
		fd_close (&copy);
		return error_set (&s->error, r ? copy : -EINVAL, "ring %u", index);
	}
	fd_close (&r->call);
	r->call = copy;
	r->call_told = false;
	session_touch (s);
	return 0;
}

int
vh_session_enable_ring (struct vh_session *s, unsigned index, int enable)
{
	struct session_ring *r = find_running (s, index);

	if (!r)
		return error_set (&s->error, -EINVAL, "ring %u", index);
	r->enabled_told &= r->enabled == (enable != 0);
	r->enabled = enable != 0;
	session_touch (s);
	return 0;
}

/* --- stopping --- */

static void
deliver_stopped (void *opaque)
{
	struct session_ring *r = opaque;
	vh_session_stopped_fn *stopped = r->stopped;

	/* Before the call, which may start it again. */
	r->stopped = NULL;
	stopped (r->stopped_opaque, r->stop_base);
}

/* It rests, at this base. */
static void
ring_rests (struct session_ring *r, uint32_t base)
{
	r->stop_base = base;
	if (!r->stopped)
		return;
	r->mail = (struct vh_mail){ .fn = deliver_stopped, .opaque = r };
	vh_loop_post (r->session->loop, &r->mail);
}

static void
base_got (void *opaque, int result)
{
	struct session_ring *r = opaque;

	/* Lost on the way: session_ring_lost finds the base. */
	if (result == 0) {
		r->stopping = r->stop_told = false;
		ring_rests (r, r->stop_base);
	}
	session_call_ended (r->session, result);
}

int
session_stop_told_ring (struct session_ring *r)
{
	struct vh_session *s = r->session;

	if (r->stop_told)
		return 0;
	r->stop_told = true;
	return vh_frontend_get_vring_base (session_async_to (s, base_got, r), r->index, &r->stop_base);
}

int
vh_session_stop_ring (struct vh_session *s, unsigned index, vh_session_stopped_fn *stopped, void *opaque)
{
	struct session_ring *r = find_running (s, index);

	if (!r)
		return error_set (&s->error, -EINVAL, "ring %u", index);
	r->stopped = stopped;
	r->stopped_opaque = opaque;
	session_ring_close (r);
	/* No back-end has it now. */
	if (!r->stopping)
		ring_rests (r, r->base);
	session_touch (s);
	return 0;
}

/* --- told --- */

static int
tell_enabled (struct session_ring *r)
{
	struct vh_session *s = r->session;

	r->enabled_told = true;
	if (!(s->offered & VH_BIT (VH_F_PROTOCOL_FEATURES)))
		return 0;
	return vh_frontend_set_vring_enable (session_async (s), r->index, r->enabled);
}

static int
tell_call (struct session_ring *r)
{
	r->call_told = true;
	return vh_frontend_set_vring_call (session_async (r->session), r->index, r->call);
}

/* The call fd comes before the kick fd: qemu-storage-daemon gives up a ring that starts without one. */
static int
tell_all (struct session_ring *r)
{
	struct vh_session *s = r->session;
	int err = vh_frontend_set_vring_num (session_async (s), r->index, r->entries);

	r->told = true;
	if (err == 0)
		err = vh_frontend_set_vring_base (session_async (s), r->index, r->base);
	if (err == 0)
		err = vh_frontend_set_vring_addr (session_async (s), r->index, &r->addr);
	if (err == 0 && r->err >= 0)
		err = vh_frontend_set_vring_err (session_async (s), r->index, r->err);
	if (err == 0)
		err = tell_call (r);
	if (err == 0)
		err = vh_frontend_set_vring_kick (session_async (s), r->index, r->kick);
	return err < 0 ? err : tell_enabled (r);
}

int
session_tell_ring (struct session_ring *r)
{
	int err = 0;

	if (!r->told) {
		err = tell_all (r);
		/* What is available by now was kicked for in vain, and what was used last was perhaps not called for. */
		if (r->kick >= 0)
			fd_notify (r->kick);
		if (r->resumes && r->call >= 0)
			fd_notify (r->call);
		return err;
	}
	if (!r->call_told)
		err = tell_call (r);
	if (err == 0 && !r->enabled_told)
		err = tell_enabled (r);
	return err;
}

/* --- lost --- */

void
session_ring_lost (struct session_ring *r)
{
	uint32_t base = r->base;

	if (!r->told && !r->stopping)
		return;
	r->resumes = true;
	r->baseless = session_find_base (r, &base, &r->outstanding) < 0;
	r->base = base;
	if (r->stopping)
		ring_rests (r, base);
	r->stopping = r->stop_told = false;
	r->told = r->call_told = r->enabled_told = false;
}
