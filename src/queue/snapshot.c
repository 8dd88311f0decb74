/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory that a ring uses.  New requests are taken from the newest snapshot; older ones live for as long as a request that was taken from them is in
 * flight.  The ring's own areas are always those of the newest: see areas.c.
 */
#include <errno.h>
#include <stdlib.h>

#include "queue/demand.h"
#include "queue/layout.h"

/* Where the first descriptor is looked for: in the first region that is mapped, or in none. */
static const struct slot *
first_slot (const struct vh_memory *m)
{
	static const struct slot none;

	for (unsigned i = 0; i < m->n; i++)
		if (m->slots[i].host)
			return &m->slots[i];
	return &none;
}

static bool
has_on_demand (const struct vh_memory *m)
{
	for (unsigned i = 0; i < m->n; i++)
		if (!m->slots[i].host)
			return !m->iova;
	return false;
}

static void
snapshot_free (struct snapshot *s)
{
	vh_memory_unref (s->memory);
	free (s);
}

void
snapshot_drop (struct vh_ring *ring, struct snapshot *s)
{
	struct snapshot **link = &ring->snapshot;

	demand_flush (ring);
	while (*link != s)
		link = &(*link)->older;
	*link = s->older;
	snapshot_free (s);
}

static void
snapshot_enter (struct vh_ring *ring, struct snapshot *s, struct vh_memory *m)
{
	struct snapshot *old = ring->snapshot;

	*s = (struct snapshot){ .memory = vh_memory_ref (m), .on_demand = has_on_demand (m), .older = old };
	s->special = s->on_demand;
	ring->snapshot = s;
	ring->slot = ring->other_slot = first_slot (m);
	if (!old)
		return;
	old->special = true;
	if (old->in_flight == 0)
		snapshot_drop (ring, old);
	else
		ring->holds_old = ring->watched = true;
}

int
snapshot_push (struct vh_ring *ring, struct vh_memory *m)
{
	struct snapshot *s = malloc (sizeof (*s));
	struct areas a;
	int err = s ? 0 : -ENOMEM;

	if (err == 0 && has_on_demand (m))
		err = demand_prepare (ring);
	if (err == 0)
		err = areas_map (ring, m, &a);
	if (err < 0) {
		free (s);
		return err;
	}
	areas_replace (ring, &a);
	snapshot_enter (ring, s, m);
	return 0;
}

int
snapshot_push_bare (struct vh_ring *ring, struct vh_memory *m)
{
	static const struct areas none;
	struct snapshot *s;

	areas_replace (ring, &none);
	if (ring->snapshot->in_flight == 0) {	/* the same one serves on */
		demand_flush (ring);
		vh_memory_ref (m);
		vh_memory_unref (ring->snapshot->memory);
		ring->snapshot->memory = m;
		ring->slot = ring->other_slot = first_slot (m);
		return 0;
	}
	s = malloc (sizeof (*s));
	if (!s)
		return -ENOMEM;
	snapshot_enter (ring, s, m);
	return 0;
}

void
snapshot_free_all (struct vh_ring *ring)
{
	static const struct areas none;
	struct snapshot *s, *older;

	areas_replace (ring, &none);
	for (s = ring->snapshot; s; s = older) {
		older = s->older;
		snapshot_free (s);
	}
}

bool
snapshot_lost (const struct vh_ring *ring)
{
	for (const struct snapshot *s = ring->snapshot; s; s = s->older)
		if (memory_lost (s->memory))
			return true;
	return false;
}
