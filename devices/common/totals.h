/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the rings of a device did, in all its connections.  Control thread.
 */
#ifndef COMMON_TOTALS_H
#define COMMON_TOTALS_H

#include <vhost/backend.h>

#include "devices/common/state.h"

struct totals {
	unsigned n;
	struct vh_ring_counters *ended;	/* of each ring, of the connections that ended */
	struct vh_backend *backend;	/* the connection that is here; NULL: none */
};

/* 0 or -ENOMEM.  A struct of zeroes has no ring. */
int totals_init (struct totals *, unsigned rings);
void totals_free (struct totals *);

/* For the callbacks of that name. */
void totals_connected (struct totals *, struct vh_backend *);
void totals_disconnected (struct totals *);

/* Ring `ring`, so far. */
void totals_get (const struct totals *, unsigned ring, struct vh_ring_counters *ret);

/* For a state: a record of `tag` for each ring.  And back: true when they are all there; then they may be taken over. */
void totals_save (const struct totals *, struct state *, unsigned tag);
bool totals_found (const struct totals *, const struct state *, unsigned tag);
void totals_load (struct totals *, const struct state *, unsigned tag);

#endif
