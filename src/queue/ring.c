/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rings, whatever their layout: their life, and what is asked of them.  Requests are in requests.c.
 */
#include <errno.h>
#include <stdlib.h>

#include "queue/demand.h"
#include "queue/desc.h"
#include "queue/layout.h"
#include "queue/notify.h"
#include "queue/order.h"
#include "util/fd.h"
#include "util/lines.h"

static const char lost_memory[] = "guest memory was lost";

/* --- life --- */

static const struct ring_layout *
layout_for (uint64_t features)
{
	return features & VH_BIT (VH_F_RING_PACKED) ? &packed_layout : &split_layout;
}

/* The variant of it that a setup wants; NULL: there is none. */
static const struct ring_layout *
layout_choose (const struct ring_setup *s)
{
	const struct ring_layout *layout = layout_for (s->features);

	if (s->big_endian && !(s->features & VH_BIT (VH_F_VERSION_1)))
		return layout == &split_layout && !s->inflight.region ? &split_swapped_layout : NULL;
	return s->inflight.region ? layout->recorded : layout;
}

static bool
size_valid (const struct ring_layout *layout, unsigned size)
{
	return size >= 1 && size <= VH_MAX_RING_SIZE && (layout->any_size || is_power_of_two (size));
}

bool
ring_size_valid (uint64_t features, unsigned size)
{
	return size_valid (layout_for (features), size);
}

struct ring_areas
ring_area_sizes (uint64_t features, unsigned size)
{
	const struct ring_layout *layout = layout_for (features);

	return (struct ring_areas){ layout->area_size (AREA_DESC, size), layout->area_size (AREA_AVAIL, size), layout->area_size (AREA_USED, size) };
}

uint32_t
ring_first_base (uint64_t features)
{
	return layout_for (features)->first_base;
}

static int
setup_check (const struct ring_layout *layout, const struct ring_setup *s)
{
	if (!size_valid (layout, s->size) || s->max_parts < 1 || s->max_parts > VH_MAX_RING_SIZE)
		return -EINVAL;
	return layout->check (s);
}

static void
ring_init (struct vh_ring *ring, const struct ring_layout *layout, const struct ring_setup *s)
{
	ring->layout = layout;
	ring->swapped = layout == &split_swapped_layout;
	ring->setup = *s;
	ring->size = s->size;
	ring->max_chain = s->max_parts;
	ring->max_own_chain = s->max_parts < s->size ? s->max_parts : s->size;
	ring->inline_parts = s->max_parts < INLINE_PARTS ? s->max_parts : INLINE_PARTS;
	ring->first_left = ring->max_own_chain < INLINE_PARTS ? ring->max_own_chain : INLINE_PARTS;
	ring->first_credit = ring->max_own_chain - ring->first_left;
	if (ring_has_feature (ring, VH_F_INDIRECT_DESC))
		ring->max_table = ring->max_chain * sizeof (struct desc);
	ring->budget = s->size;
	ring->call = -1;
	ring->guard_seen = guard_count ();
}

static int
ring_begin (struct vh_ring *ring)
{
	int err = request_pool_new (ring);

	if (err == 0)
		err = order_prepare (ring);
	if (err == 0)
		err = snapshot_push (ring, ring->setup.memory);
	if (err == 0)
		err = ring->layout->start (ring, ring->setup.base);
	if (err == 0)
		err = dirty_set (ring, &ring->setup.log);
	if (err == 0 && (snapshot_lost (ring) || inflight_lost (ring) || dirty_lost (ring)))	/* before the guard's count was looked at, perhaps */
		err = -EFAULT;
	return err;
}

int
ring_new (const struct ring_setup *setup, struct vh_ring **ret)
{
	const struct ring_layout *layout = layout_choose (setup);
	struct vh_ring *ring;
	int err;

	if (!layout)
		return -EOPNOTSUPP;
	err = setup_check (layout, setup);
	if (err < 0)
		return err;
	ring = lines_alloc (sizeof (*ring));
	if (!ring)
		return -ENOMEM;
	ring_init (ring, layout, setup);
	err = ring_begin (ring);
	if (err < 0) {
		ring_free (ring);
		return err;
	}
	*ret = ring;
	return 0;
}

void
ring_free (struct vh_ring *ring)
{
	if (!ring)
		return;
	ring->watched = false;	/* nobody waits any more */
	if (ring->n_done > 0)
		vh_ring_flush (ring);
	demand_free (ring);
	order_free (ring);
	inflight_close (ring);
	dirty_free (ring);
	snapshot_free_all (ring);
	request_pool_free (ring);
	free (ring);
}

/* Has the guard struck, and was it our memory? */
static bool
ring_memory_lost (struct vh_ring *ring)
{
	unsigned count = guard_count ();

	if (count == ring->guard_seen)
		return false;
	ring->guard_seen = count;
	return snapshot_lost (ring) || inflight_lost (ring) || dirty_lost (ring);
}

int
ring_break (struct vh_ring *ring, int err, const char *why)
{
	if (ring->broken)
		return ring->broken;
	if (ring_memory_lost (ring)) {	/* what looks like a driver's mistake may be the zeroes in place of its memory */
		err = -EFAULT;
		why = lost_memory;
	}
	ring->broken = err > 0 ? -err : err;
	ring->held = true;
	if (ring->setup.broken)
		ring->setup.broken (ring->setup.opaque, ring->broken, why);
	return ring->broken;
}

int
ring_check_memory (struct vh_ring *ring)
{
	return ring_memory_lost (ring) ? ring_break (ring, -EFAULT, lost_memory) : 0;
}

/* --- for devices --- */

void
vh_ring_wake (struct vh_ring *ring)
{
	if (ring->setup.wake)
		ring->setup.wake (ring->setup.opaque);
}

void
vh_ring_fail (struct vh_ring *ring, int err, const char *why)
{
	ring_break (ring, err ? err : -EINVAL, why);
}

unsigned
vh_ring_index (const struct vh_ring *ring)
{
	return ring->setup.index;
}

unsigned
vh_ring_size (const struct vh_ring *ring)
{
	return ring->size;
}

int
vh_ring_is_big_endian (const struct vh_ring *ring)
{
	return ring->swapped;
}

uint64_t
vh_ring_features (const struct vh_ring *ring)
{
	return ring->setup.features;
}

int
vh_ring_is_new (const struct vh_ring *ring)
{
	/* Some front-ends tell the position of what is available only: the lower half. */
	return (uint16_t) ring->setup.base == (uint16_t) ring->layout->first_base;
}

unsigned
vh_ring_in_flight (const struct vh_ring *ring)
{
	unsigned n = 0;

	for (const struct snapshot *s = ring->snapshot; s; s = s->older)
		n += s->in_flight;
	return n;
}

struct vh_memory *
vh_ring_memory (const struct vh_ring *ring)
{
	return ring->snapshot->memory;
}

void
vh_ring_set_opaque (struct vh_ring *ring, void *opaque)
{
	ring->opaque = opaque;
}

void *
vh_ring_opaque (const struct vh_ring *ring)
{
	return ring->opaque;
}

struct vh_loop *
vh_ring_loop (const struct vh_ring *ring)
{
	return ring->setup.loop;
}

void
vh_ring_get_counters (const struct vh_ring *ring, struct vh_ring_counters *ret)
{
	*ret = ring->counters;
}

/* --- for the ring's owner --- */

void
ring_set_call (struct vh_ring *ring, int fd)
{
	if (fd == ring->call)
		return;
	/* Somebody else listens now, who may have missed something. */
	ring->called_valid = false;
	ring->call = fd;
	ring->call_is_stream = fd >= 0 && fd_is_stream (fd);
	/* The process before us may have died between a publication and its call. */
	if (ring->inflight && ring->inflight->recovered)
		notify_call (ring);
}

void
ring_set_log (struct vh_ring *ring, const struct log_setup *log)
{
	int err = dirty_set (ring, log);

	if (err < 0)
		ring_break (ring, err, "there is no memory for the dirty log");
}

bool
ring_has_records (const struct vh_ring *ring)
{
	return ring->inflight;
}

void
ring_abandon (struct vh_ring *ring)
{
	vh_ring_flush (ring);
	/* A broken ring publishes nothing, and that is all that is wanted; nobody is told of an error. */
	if (!ring->broken)
		ring->broken = -ECANCELED;
	ring->held = true;
}

static bool
ring_is_denied (const struct vh_ring *ring, uint64_t addr)
{
	for (unsigned i = 0; i < ring->n_denied; i++)
		if ((addr ^ ring->denied[i]) < 4096)
			return true;
	return false;
}

int
ring_miss (struct vh_ring *ring, uint64_t addr, bool write)
{
	if (!ring->snapshot->memory->iova || !ring->setup.miss || ring_is_denied (ring, addr))
		return -EFAULT;
	ring->parked = ring->held = true;
	ring->setup.miss (ring->setup.opaque, addr, write);
	return -EAGAIN;
}

static void
ring_unpark (struct vh_ring *ring)
{
	if (!ring->parked)
		return;
	ring->parked = false;
	ring->held = ring->broken || ring->stopping;
	vh_ring_wake (ring);
}

void
ring_deny (struct vh_ring *ring, uint64_t iova)
{
	if (ring->n_denied == DENIALS)
		ring->n_denied = 0;
	ring->denied[ring->n_denied++] = iova;
	ring_unpark (ring);
}

int
ring_set_memory (struct vh_ring *ring, struct vh_memory *memory)
{
	int err = 0;

	if (memory == ring->snapshot->memory)
		return ring->broken;
	ring->n_denied = 0;
	ring_unpark (ring);
	if (!ring->broken)
		err = snapshot_push (ring, memory);
	if (err < 0)
		ring_break (ring, err, "its memory is gone");
	if (ring->broken)
		snapshot_push_bare (ring, memory);
	return ring->broken;
}

bool
ring_old_tables (const struct vh_ring *ring)
{
	return ring->snapshot->older != NULL;
}

uint32_t
ring_base (const struct vh_ring *ring)
{
	return ring->layout->base (ring);
}

void
ring_set_stopping (struct vh_ring *ring)
{
	ring->stopping = true;
	ring->held = true;
	ring->watched = true;
	demand_rest (ring);
}

void
ring_new_turn (struct vh_ring *ring, unsigned budget)
{
	ring->budget = budget;
}

void
ring_count_kick (struct vh_ring *ring)
{
	ring->counters.kicks++;
}

void
ring_kicks_off (struct vh_ring *ring)
{
	if (ring->broken)
		return;
	ring->layout->kicks_off (ring);
	if (unlikely (ring->dirty))
		dirty_kicks (ring);
}

bool
ring_kicks_on (struct vh_ring *ring)
{
	bool more;

	if (ring->broken)
		return false;
	more = ring->layout->kicks_on (ring);
	if (unlikely (ring->dirty))
		dirty_kicks (ring);
	return more && !ring->held && !demand_is_starved (ring);
}

bool
ring_has_news (struct vh_ring *ring)
{
	return !ring->held && ring->layout->has_news (ring) && !demand_is_starved (ring);
}

bool
ring_has_work (struct vh_ring *ring)
{
	return !ring->held && ring->layout->has_work (ring);
}

bool
ring_is_broken (const struct vh_ring *ring)
{
	return ring->broken != 0;
}
