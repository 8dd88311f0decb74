/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices behind an IOMMU: the translations that the front-end sends, and those that it is asked for.
 *
 *	ring          parks, a letter -> |  control: notify_ask (miss) ---------------------> front-end
 *	              goes on  <- letter |  a table with it  <----- update -- (IOTLB_MSG) --- front-end
 *
 * What is asked for has a deadline; a front-end that has no translation says so, or nothing.  An update is acknowledged at once; an invalidation when no
 * request is left that was taken before, since it may use what is taken back.
 */
#include <errno.h>
#include <stdlib.h>

#include "backend/connection.h"
#include "memory/iotlb.h"
#include "util/fd.h"

bool
iotlb_in_force (const struct vh_backend *b)
{
	return b->features & VH_BIT (VH_F_ACCESS_PLATFORM);
}

void
iotlb_stop_vring (struct vring *v)
{
	v->miss.wanted = v->miss.due = false;
}

void
iotlb_drop (struct vh_backend *b)
{
	free (b->iotlb);
	b->iotlb = NULL;
	vh_memory_unref (b->iova);
	b->iova = NULL;
	vh_timer_remove (b->miss_timer);
	b->miss_timer = NULL;
	b->misses_timed = false;
	for (unsigned i = 0; i < b->n_vrings; i++)
		iotlb_stop_vring (&b->vrings[i]);
}

/* There is a new table: rings look again, also for what was denied. */
static void
miss_update (struct vring_miss *miss, const struct vh_memory *table)
{
	miss->denied = UINT64_MAX;
	if (miss->wanted && memory_find (table, miss->iova))
		miss->wanted = miss->due = false;
}

/* Makes the rings' table from what is known now.  gone: something of the old one must not be used any more. */
static int
iotlb_publish (struct vh_backend *b, bool gone)
{
	struct vh_memory *table;
	int err = iotlb_table (b->iotlb, b->memory, &table);

	if (err < 0)
		return err;
	vh_memory_unref (b->iova);
	b->iova = table;
	b->memory_goes |= gone;
	for (unsigned i = 0; i < b->n_vrings; i++)
		miss_update (&b->vrings[i].miss, table);
	return 0;
}

int
iotlb_memory_changed (struct vh_backend *b)
{
	return b->iotlb ? iotlb_publish (b, true) : 0;
}

/* --- what is missing --- */

static void
miss_deny (struct vring *v)
{
	iotlb_stop_vring (v);
	v->miss.denied = v->miss.iova;
	v->miss.denials++;
}

/* No answer came: it is asked for again when another one has its answer, or when there is another channel.  A front-end that leaves closes that one first. */
static void
miss_failed (struct vring *v, int err)
{
	struct vh_backend *b = v->backend;
	bool no_channel = err == -ECONNRESET || err == -EOPNOTSUPP;

	v->miss.due = err == -EBUSY || (no_channel && b->protocol & VH_BIT (VH_P_BACKEND_REQ));
	if (v->miss.due)
		return;
	miss_deny (v);
	backend_look_again (b);
}

static void
miss_answered (void *opaque, int result, int fd)
{
	struct vring *v = opaque;

	fd_close (&fd);
	if (v->backend->state != BACKEND_OPEN)
		return;
	v->miss.asked = false;
	/* What is not needed any more may well be refused: the guest has taken it back. */
	if (result < 0 && v->miss.wanted && !v->miss.due && v->miss.iova == v->miss.question)
		miss_failed (v, result);
	iotlb_ask_next (v->backend);
}

static void
misses_late (void *opaque)
{
	struct vh_backend *b = opaque;
	bool any = false;

	b->misses_timed = false;
	for (unsigned i = 0; i < b->n_vrings; i++) {
		struct vring *v = &b->vrings[i];

		if (!v->miss.wanted)
			continue;
		if (clock_ms () >= v->miss.deadline) {
			error_log (&b->error, VH_LOG_WARNING, "ring %u: no translation came", i);
			miss_deny (v);
			any = true;
		} else if (!b->misses_timed) {
			vh_timer_set (b->miss_timer, (int64_t) b->timeout_ms);
			b->misses_timed = true;
		}
	}
	if (any)
		backend_look_again (b);
}

static void
miss_send (struct vh_backend *b, struct vring *v)
{
	struct iotlb_message t = { .iova = v->miss.iova, .perm = v->miss.write ? IOTLB_WRITE : IOTLB_READ, .type = IOTLB_MISS };
	struct message m;
	int err;

	message_init (&m, BACKEND_REQUEST_IOTLB_MSG, MESSAGE_VERSION);
	message_put_iotlb (&m, &t);
	v->miss.question = v->miss.iova;
	v->miss.asked = true;
	v->miss.due = false;
	err = notify_ask (b, &m, miss_answered, v);	/* it may have been answered, when this returns, and another one asked */
	if (err == 0)
		return;
	v->miss.asked = false;
	miss_failed (v, err);
}

void
iotlb_ask_next (struct vh_backend *b)
{
	for (unsigned i = 0; i < b->n_vrings && b->state == BACKEND_OPEN; i++)
		if (b->vrings[i].miss.due && !b->vrings[i].miss.asked)
			miss_send (b, &b->vrings[i]);
}

static void
miss_note (struct vring *v, uint64_t iova, bool write)
{
	struct vh_backend *b = v->backend;

	if (v->miss.wanted && v->miss.iova == iova)
		return;
	v->miss.iova = iova;
	v->miss.write = write;
	v->miss.wanted = v->miss.due = true;
	v->miss.deadline = clock_ms () + b->timeout_ms;
	if (!b->misses_timed)
		vh_timer_set (b->miss_timer, (int64_t) b->timeout_ms);
	b->misses_timed = true;
}

/* The ring context parked. */
void
vring_missed (void *opaque)
{
	struct vring *v = opaque;
	struct vh_backend *b = v->backend;
	uint64_t iova;

	/* The ring may park again from here on. */
	__atomic_store_n (&v->misser_posted, false, __ATOMIC_RELEASE);
	if (b->state != BACKEND_OPEN || !v->started || !iotlb_in_force (b) || !b->iova)
		return;
	iova = __atomic_load_n (&v->missed_iova, __ATOMIC_RELAXED);
	/* It may have come meanwhile; then the letter is under way. */
	if (memory_find (b->iova, iova))
		return;
	miss_note (v, iova, __atomic_load_n (&v->missed_write, __ATOMIC_RELAXED));
	iotlb_ask_next (b);
	backend_look_again (b);
}

/* --- rings --- */

int
iotlb_place_vring (struct vring *v, struct ring_areas sizes, struct vring_want *w)
{
	struct vh_backend *b = v->backend;
	uint64_t missing;
	bool write = false;

	w->desc = v->addr.desc;
	w->avail = v->addr.avail;
	w->used = v->addr.used;
	if (!b->iova)
		return -EAGAIN;
	if (!memory_misses (b->iova, w->desc, sizes.desc, &missing) && !memory_misses (b->iova, w->avail, sizes.avail, &missing)) {
		write = true;
		if (!memory_misses (b->iova, w->used, sizes.used, &missing))
			return 0;
	}
	if (v->miss.denials > 0 && v->miss.denied == missing)
		return -EFAULT;
	miss_note (v, missing, write);
	iotlb_ask_next (b);
	return v->miss.denials > 0 && v->miss.denied == missing ? -EFAULT : -EAGAIN;
}

/* --- the front-end's messages --- */

static int
iotlb_prepare (struct vh_backend *b)
{
	int err;

	if (b->iotlb)
		return 0;
	err = vh_loop_add_timer (b->loop, misses_late, b, &b->miss_timer);
	if (err < 0)
		return err;
	b->iotlb = calloc (1, sizeof (*b->iotlb));
	err = b->iotlb ? iotlb_publish (b, false) : -ENOMEM;
	if (err < 0)
		iotlb_drop (b);
	return err;
}

/* Between two drivers the addresses get another meaning (firmware goes without an IOMMU, say), and front-ends take nothing back for that. */
void
iotlb_forget (struct vh_backend *b)
{
	if (!b->iotlb || !vrings_stopped (b))
		return;
	b->iotlb->n = 0;
	if (iotlb_publish (b, true) < 0)
		iotlb_drop (b);
}

int
iotlb_features_set (struct vh_backend *b)
{
	if (!iotlb_in_force (b)) {
		iotlb_drop (b);
		return 0;
	}
	iotlb_forget (b);
	return iotlb_prepare (b);
}

static int
iotlb_handle_update (struct vh_backend *b, const struct iotlb_message *t)
{
	struct iotlb_entry e = { .iova = t->iova, .size = t->size, .user = t->user, .perm = t->perm };
	uint64_t last, guest_addr;

	if (t->size == 0 || !checked_add (t->iova, t->size - 1, &last) || t->perm < IOTLB_READ || t->perm > (IOTLB_READ | IOTLB_WRITE))
		return -EINVAL;
	if (!memory_find_user (b->memory, t->user, t->size, &guest_addr))
		return -EFAULT;
	return iotlb_publish (b, iotlb_update (b->iotlb, &e));
}

static int
iotlb_handle_invalidate (struct vh_backend *b, const struct iotlb_message *t)
{
	uint64_t first = t->size ? t->iova : 0, last;

	/* A size of 0 is how QEMU's sum for all addresses comes out. */
	if (!checked_add (first, t->size - 1, &last))
		last = UINT64_MAX;
	return iotlb_invalidate (b->iotlb, first, last) ? iotlb_publish (b, true) : 0;
}

int
iotlb_handle (struct vh_backend *b, struct message *m)
{
	struct iotlb_message t;
	int err = message_get_iotlb (m, &t);

	if (err < 0)
		return err;
	switch (t.type) {
	case IOTLB_UPDATE:
		return iotlb_handle_update (b, &t);
	case IOTLB_INVALIDATE:
		return iotlb_handle_invalidate (b, &t);
	default:
		return -EINVAL;
	}
}
