/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rings as the front-end describes them, and what follows from that for each: vrings_settle compares what a ring should be like with what it is like,
 * and writes letters about the difference.  The messages themselves only note things down.
 */
#include <errno.h>

#include "backend/connection.h"
#include "util/fd.h"

#define DEFAULT_MAX_RING_SIZE 1024

static int
vring_get (struct vh_backend *b, uint32_t index, struct vring **ret)
{
	if (index >= b->n_vrings)
		return -EINVAL;
	*ret = &b->vrings[index];
	return 0;
}

/* --- what should be --- */

/* Where the ring's areas are in the addresses of its table.  -EFAULT: not wholly inside a region, or refused a translation; -EAGAIN: that is not known yet. */
static int
vring_translate (struct vring *v, struct vring_want *w)
{
	const struct vh_memory *memory = v->backend->memory;
	struct ring_areas sizes = ring_area_sizes (v->backend->features, v->size);

	if (iotlb_in_force (v->backend))
		return iotlb_place_vring (v, sizes, w);
	if (!memory_find_user (memory, v->addr.desc, sizes.desc, &w->desc) || !memory_find_user (memory, v->addr.avail, sizes.avail, &w->avail) ||
	    !memory_find_user (memory, v->addr.used, sizes.used, &w->used))
		return -EFAULT;
	return 0;
}

/* What SET_VRING_BASE said, or where the ring stopped; where it begins, if neither. */
static uint32_t
vring_base (const struct vring *v)
{
	return v->have_base ? v->base : ring_first_base (v->backend->features);
}

static bool
in_band (const struct vh_backend *b)
{
	return b->protocol & VH_BIT (VH_P_INBAND_NOTIFICATIONS);
}

void
vring_tell_error (struct vring *v)
{
	if (v->err >= 0)
		fd_tell (v->err);
	else if (in_band (v->backend) && !v->no_err)
		__atomic_store_n (&v->err_due, true, __ATOMIC_RELEASE);	/* it leaves when this message is served */
}

bool
vrings_stopped (const struct vh_backend *b)
{
	for (unsigned i = 0; i < b->n_vrings; i++)
		if (b->vrings[i].started)
			return false;
	return true;
}

static bool
vring_complete (const struct vring *v)
{
	return v->started && v->size > 0 && v->have_addr && vh_memory_count (v->backend->memory) > 0;
}

static void
vring_wanted (struct vring *v, struct vring_want *w)
{
	struct vh_backend *b = v->backend;
	int err;

	*w = (struct vring_want){ .kick = -1, .call = -1, .err = -1, .abandon = v->abandon };
	w->run = b->state == BACKEND_OPEN && v->enabled && !v->failed && vring_complete (v);
	err = w->run ? vring_translate (v, w) : 0;
	if (err == -EAGAIN)
		w->run = false;
	else if (err < 0) {
		error_log (&b->error, VH_LOG_WARNING, "ring %u is not inside guest memory", v->index);
		vring_tell_error (v);
		v->failed = true;
		w->run = false;
	}
	if (!w->run)
		return;
	w->size = v->size;
	w->base = vring_base (v);
	/* That there is a log is nothing that a ring or its device must stop for. */
	w->features = b->features & ~VH_BIT (VH_F_LOG_ALL);
	w->big_endian = v->big_endian;
	w->log = log_of_vring (b, v, w);
	w->memory = iotlb_in_force (b) ? b->iova : b->memory;
	w->strict = !iotlb_in_force (b) || b->memory_goes;
	w->denied = v->miss.denied;
	w->denials = v->miss.denials;
	w->inflight = inflight_area_part (b, v->index);
	w->kick = v->kick;
	w->call = v->call;
	w->err = v->err;
	/* Without an eventfd a ring is polled, unless kicks are messages and the front-end did not ask for polling all the same. */
	w->poll = v->kick < 0 && (v->no_kick || !in_band (b));
	w->call_in_band = v->call < 0 && !v->no_call && in_band (b);
	w->err_in_band = v->err < 0 && !v->no_err && in_band (b);
	w->kicks = v->kicks;
}

static bool
same_place (const struct vring_want *a, const struct vring_want *b)
{
	return a->desc == b->desc && a->avail == b->avail && a->used == b->used && a->size == b->size && a->features == b->features &&
	       a->big_endian == b->big_endian;
}

static bool
same_log (const struct log_setup *a, const struct log_setup *b)
{
	return a->region == b->region && a->own == b->own && a->used == b->used && a->fd == b->fd;
}

/* Must a ring that is to be like `w` stop before?  It does not move while it runs, and begins a log with nothing in flight. */
static bool
must_stop (const struct vring_want *has, const struct vring_want *w)
{
	return has->run && w->run && (!same_place (w, has) || (w->log.region && !has->log.region));
}

static bool
same_want (const struct vring_want *a, const struct vring_want *b)
{
	if (!a->run || !b->run)
		return a->run == b->run;
	return same_place (a, b) && same_log (&a->log, &b->log) && a->memory == b->memory && a->kick == b->kick && a->call == b->call &&
	       a->err == b->err && a->poll == b->poll && a->call_in_band == b->call_in_band && a->err_in_band == b->err_in_band && a->kicks == b->kicks &&
	       a->denials == b->denials;
}

static void
vring_post (struct vring *v, const struct vring_want *w)
{
	v->want = *w;
	if (w->memory)
		vh_memory_ref (w->memory);
	v->waiting = true;
	v->backend->waiting++;
	vh_loop_post (v->loop, &v->letter);
}

unsigned
vrings_settle (struct vh_backend *b)
{
	for (unsigned i = 0; i < b->n_vrings; i++) {
		struct vring *v = &b->vrings[i];
		struct vring_want w;

		vring_wanted (v, &w);
		/* The next call starts it again. */
		if (must_stop (&v->has, &w))
			w = (struct vring_want){ .kick = -1, .call = -1, .err = -1 };
		if (!same_want (&w, &v->has))
			vring_post (v, &w);
	}
	return b->waiting;
}

/* The ring context has done what the letter said. */
void
vring_answered (void *opaque)
{
	struct vring *v = opaque;
	struct vh_backend *b = v->backend;

	vh_memory_unref (v->has.memory);
	if (v->has.run && !v->want.run) {
		v->base = v->stopped_base;
		v->have_base = true;
	}
	v->has = v->want;
	if (v->failed) {
		vh_memory_unref (v->has.memory);
		v->has = (struct vring_want){ .kick = -1, .call = -1, .err = -1 };
	}
	v->waiting = false;
	if (--b->waiting == 0)
		backend_settled (b);	/* may free b */
}

/* --- the messages --- */

/*
 * The size, place and base of a ring that runs, or would if it could, are fixed.  One that is disabled is at rest, though GET_VRING_BASE did not stop it: when
 * the driver of a guest of User Mode Linux goes (virtio_uml), its rings are disabled and no more, and the next driver's take their place.
 */
static int
vring_check_rest (struct vring *v)
{
	if (!vring_complete (v) || !v->enabled)
		return 0;
	error_log (&v->backend->error, VH_LOG_WARNING, "ring %u runs: GET_VRING_BASE stops it, SET_VRING_ENABLE disables it", v->index);
	return -EBUSY;
}

static int
vring_get_resting (struct vh_backend *b, uint32_t index, struct vring **ret)
{
	return vring_get (b, index, ret) ?: vring_check_rest (*ret);
}

int
vrings_set_num (struct vh_backend *b, struct message *m)
{
	unsigned max = b->device->max_ring_size ? b->device->max_ring_size : DEFAULT_MAX_RING_SIZE;
	struct vring_state s;
	struct vring *v = NULL;
	int err = message_get_state (m, &s) ?: vring_get_resting (b, s.index, &v);

	if (err < 0)
		return err;
	if (s.num > max || !ring_size_valid (b->features, s.num))
		return -EINVAL;
	v->size = s.num;
	return 0;
}

static bool
same_addr (const struct vring_addresses *a, const struct vring_addresses *b)
{
	return a->desc == b->desc && a->avail == b->avail && a->used == b->used;
}

int
vrings_set_addr (struct vh_backend *b, struct message *m)
{
	struct vring_addresses a, old;
	struct vring_want w;
	struct vring *v = NULL;
	int err = message_get_vring_addresses (m, &a) ?: vring_get (b, a.index, &v);

	if (err < 0)
		return err;
	if (!same_addr (&a, &v->addr))
		err = vring_check_rest (v);
	if (err < 0)
		return err;
	old = v->addr;
	v->addr = a;
	/* Addresses may come before memory and the log; if they are there, they must be in them. */
	if (!iotlb_in_force (b) && vh_memory_count (b->memory) > 0 && vring_translate (v, &w) < 0)
		err = -EFAULT;
	else if (!log_fits_vring (v))
		err = -EINVAL;
	if (err < 0) {
		v->addr = old;
		return err;
	}
	v->have_addr = true;
	return 0;
}

int
vrings_set_base (struct vh_backend *b, struct message *m)
{
	struct vring_state s;
	struct vring *v = NULL;
	int err = message_get_state (m, &s) ?: vring_get_resting (b, s.index, &v);

	if (err < 0)
		return err;
	/* A packed ring's has two positions with their wrap counters; whether they are inside the ring is looked at when it starts. */
	if (s.num > UINT16_MAX && !(b->features & VH_BIT (VH_F_RING_PACKED)))
		return -EINVAL;
	v->base = s.num;
	v->have_base = true;
	return 0;
}

static void
vring_stop (struct vring *v)
{
	v->started = v->abandon = false;
	v->failed = false;
	backend_retire_fd (v->backend, v->kick);
	v->kick = -1;
	v->no_kick = false;
	iotlb_stop_vring (v);
}

/* GET_VRING_BASE, first half: the ring is to stop, and finishes what it has. */
int
vrings_stop (struct vh_backend *b, struct message *m)
{
	struct vring_state s;
	struct vring *v = NULL;
	int err = message_get_state (m, &s) ?: vring_get (b, s.index, &v);

	if (err == 0)
		vring_stop (v);
	return err;
}

/* GET_VRING_BASE_SKIP_DRAIN, first half: the ring is to stop with requests unfinished, which stay in the in-flight records. */
int
vrings_abandon (struct vh_backend *b, struct message *m)
{
	struct vring_state s;
	struct vring *v = NULL;
	int err = message_get_state (m, &s) ?: vring_get (b, s.index, &v);

	if (err < 0)
		return err;
	vring_stop (v);
	v->abandon = true;
	return 0;
}

int
vrings_get_base (struct vh_backend *b, struct message *m, struct message *reply)
{
	struct vring_state s;
	struct vring *v = NULL;
	int err = message_get_state (m, &s) ?: vring_get (b, s.index, &v);

	if (err < 0)
		return err;
	s.num = vring_base (v);
	v->abandon = false;
	iotlb_forget (b);
	message_put_state (reply, &s);
	return 0;
}

/* Puts the fd of a KICK, CALL or ERR message in place of the one in *which (of ring v); *none: there is to be none. */
static int
vring_take_fd (struct vring *v, struct message *m, int *which, bool *none)
{
	int fd = -1;

	if (m->n_fds == 1) {
		if (which == &v->kick ? !fd_can_notify (m->fds[0]) : !fd_can_be_told (m->fds[0]))
			return -EINVAL;
		fd = message_take_fd (m, 0);
	}
	backend_retire_fd (v->backend, *which);
	*which = fd;
	*none = fd < 0;
	return 0;
}

int
vrings_set_kick (struct vh_backend *b, struct message *m)
{
	struct vring_fd f;
	struct vring *v = NULL;
	int err = message_get_vring_fd (m, &f) ?: vring_get (b, f.index, &v) ?: vring_take_fd (v, m, &v->kick, &v->no_kick);

	if (err < 0)
		return err;
	v->started = true;
	v->failed = false;
	return 0;
}

int
vrings_set_call (struct vh_backend *b, struct message *m)
{
	struct vring_fd f;
	struct vring *v = NULL;

	return message_get_vring_fd (m, &f) ?: vring_get (b, f.index, &v) ?: vring_take_fd (v, m, &v->call, &v->no_call);
}

int
vrings_set_err (struct vh_backend *b, struct message *m)
{
	struct vring_fd f;
	struct vring *v = NULL;

	return message_get_vring_fd (m, &f) ?: vring_get (b, f.index, &v) ?: vring_take_fd (v, m, &v->err, &v->no_err);
}

int
vrings_set_enable (struct vh_backend *b, struct message *m)
{
	struct vring_state s;
	struct vring *v = NULL;
	int err = message_get_state (m, &s) ?: vring_get (b, s.index, &v);

	if (err < 0)
		return err;
	if (s.num > 1)
		return -EINVAL;
	v->enabled = s.num;
	return 0;
}

bool
vrings_any_runs (const struct vh_backend *b)
{
	for (unsigned i = 0; i < b->n_vrings; i++)
		if (b->vrings[i].has.run)
			return true;
	return false;
}

/* VRING_KICK: starts a ring, and is a kick. */
int
vrings_kick (struct vh_backend *b, struct message *m)
{
	struct vring_state s;
	struct vring *v = NULL;
	int err = message_get_state (m, &s) ?: vring_get (b, s.index, &v);

	if (err < 0)
		return err;
	if (s.num != 0)
		return -EINVAL;
	if (!v->started)
		v->failed = false;
	v->started = true;
	v->kicks++;
	return 0;
}

/* The byte order of a legacy ring: 0 little, 1 big.  One of VERSION_1 is little-endian whatever is said here. */
int
vrings_set_endian (struct vh_backend *b, struct message *m)
{
	struct vring_state s;
	struct vring *v = NULL;
	int err = message_get_state (m, &s) ?: vring_get_resting (b, s.index, &v);

	if (err < 0)
		return err;
	if (s.num > 1)
		return -EINVAL;
	v->big_endian = s.num;
	return 0;
}

/* What was said about a ring is forgotten.  It is at rest. */
static void
vring_reset (struct vring *v)
{
	fd_close (&v->kick);
	v->started = v->enabled = v->have_addr = v->have_base = v->failed = v->no_kick = false;
	v->call_due = v->err_due = false;
	v->size = v->base = v->kicks = 0;
	v->big_endian = VRING_BIG_ENDIAN;
	iotlb_stop_vring (v);
}

/*
 * The device is reset.  Calls and errors go where they went: a front-end that masks interrupts gave its eventfd once, when it came (QEMU), and would miss what
 * is completed before it gives another.
 */
void
vrings_reset (struct vh_backend *b)
{
	for (unsigned i = 0; i < b->n_vrings; i++)
		vring_reset (&b->vrings[i]);
}

void
vrings_close (struct vh_backend *b)
{
	for (unsigned i = 0; i < b->n_vrings; i++) {
		struct vring *v = &b->vrings[i];

		vring_reset (v);
		fd_close (&v->call);
		fd_close (&v->err);
		v->no_call = v->no_err = false;
	}
}
