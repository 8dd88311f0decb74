/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters of rings, added up over connections.
 */
#include <errno.h>
#include <stdlib.h>

#include "devices/common/totals.h"

int
totals_init (struct totals *t, unsigned rings)
{
	t->ended = calloc (rings, sizeof (t->ended[0]));
	if (!t->ended)
		return -ENOMEM;
	t->n = rings;
	return 0;
}

void
totals_free (struct totals *t)
{
	free (t->ended);
}

static void
add_live (const struct totals *t, unsigned ring, struct vh_ring_counters *sum)
{
	struct vh_ring_counters c;

	if (!t->backend || vh_backend_ring_counters (t->backend, ring, &c) < 0)
		return;
	sum->requests += c.requests;
	sum->batches += c.batches;
	sum->kicks += c.kicks;
	sum->calls += c.calls;
}

void
totals_connected (struct totals *t, struct vh_backend *backend)
{
	t->backend = backend;
}

void
totals_disconnected (struct totals *t)
{
	for (unsigned i = 0; i < t->n; i++)
		add_live (t, i, &t->ended[i]);
	t->backend = NULL;
}

void
totals_get (const struct totals *t, unsigned ring, struct vh_ring_counters *ret)
{
	*ret = t->ended[ring];
	add_live (t, ring, ret);
}

#define NUMBERS 4

void
totals_save (const struct totals *t, struct state *s, unsigned tag)
{
	for (unsigned i = 0; i < t->n; i++) {
		struct vh_ring_counters c;

		totals_get (t, i, &c);
		state_put_numbers (s, tag, i, (const uint64_t[NUMBERS]){ c.requests, c.batches, c.kicks, c.calls }, NUMBERS);
	}
}

bool
totals_found (const struct totals *t, const struct state *s, unsigned tag)
{
	return state_has_numbers (s, tag, t->n, NUMBERS);
}

void
totals_load (struct totals *t, const struct state *s, unsigned tag)
{
	for (unsigned i = 0; i < t->n; i++) {
		struct vh_ring_counters *ended = &t->ended[i], live = { 0 };
		uint64_t n[NUMBERS] = { 0 };

		/* What the connection that is here has counted is in totals_get again. */
		add_live (t, i, &live);
		state_get_numbers (s, tag, i, n, NUMBERS);
		*ended = (struct vh_ring_counters){
			.requests = n[0] - live.requests, .batches = n[1] - live.batches, .kicks = n[2] - live.kicks, .calls = n[3] - live.calls,
		};
	}
}
