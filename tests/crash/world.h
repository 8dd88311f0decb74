/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All that outlives a back-end that dies: the guest's memory with a ring, the in-flight area, and a ledger of what was done.  The test is the driver and
 * knows which requests it is owed; a life is what one back-end process does.
 */
#ifndef TESTS_CRASH_WORLD_H
#define TESTS_CRASH_WORLD_H

#include "tests/unit/packed-guest.h"

#define WORLD_REQUESTS 20u	/* that the driver makes in all */
#define WORLD_SLOTS 4u		/* of which so many can be in flight */

/* Shared with the lives. */
struct ledger {
	unsigned executed[WORLD_REQUESTS];	/* how often the device did it */
	unsigned out_of_order;			/* requests that were taken before an older one, in one life */
};

struct world {
	bool is_packed;
	struct packed packed;			/* has the guest, of either kind of ring */
	struct guest *guest;
	int area_fd;
	unsigned char *area;
	struct ledger *ledger;

	/* the driver's own */
	unsigned made, done;			/* requests */
	int request_of[WORLD_SLOTS];		/* the request in flight; -1: none */
	uint16_t seen;				/* used elements of a split ring */
	const char *wrong;			/* NULL: all is well */

	bool gives_one;				/* the next life ends, as if killed, when it has published one request */
};

void world_open (struct world *, bool packed);
void world_close (struct world *);

/* Makes *to a copy of *from, except for processes. */
void world_copy (struct world *to, const struct world *from);

/* Has what is shared changed since it was copied? */
bool world_differs (const struct world *, const struct world *);

/* The driver: takes what is used, makes requests as long as there is room.  False when all requests were made and used, or something is wrong. */
bool world_drive (struct world *);

/* A back-end's life: serves what is there.  Returns 0, or the error of a ring that could not start or broke. */
int world_live (struct world *);

#endif
