/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Xen libraries as a test wants them: mappings are plain anonymous memory, every call is recorded, and the failures that a real host cannot be made to
 * have come when the test says so.
 */
#ifndef TESTS_XEN_FAKE_CALLS_H
#define TESTS_XEN_FAKE_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "mmap-xen/calls.h"

#define FAKE_MAX_GRANTS 65536u
#define FAKE_MAX_SEGMENTS 64u

struct fake {
	/* What happened. */
	unsigned opened, closed;		/* handles of all kinds */
	unsigned map_calls, unmap_calls;	/* of grants */
	unsigned foreign_calls, foreign_unmaps;
	unsigned domain_calls;
	unsigned live_maps;			/* grant maps that were not unmapped */
	unsigned copy_calls, copied;		/* of grants: calls, and segments of all of them */
	unsigned n_segments;			/* of the last copy call: */
	xengnttab_grant_copy_segment_t segments[FAKE_MAX_SEGMENTS];
	uint32_t n;				/* of the last grant map call: */
	uint32_t refs[FAKE_MAX_GRANTS];
	uint32_t domids[FAKE_MAX_GRANTS];
	int prot;
	size_t largest_batch;			/* of foreign frames */
	uint64_t frames_sum;			/* of all frame numbers asked for */
	uint64_t frames;			/* how many were asked for */
	uint64_t first_frame;			/* of the last foreign map call */
	void *first_at;				/* where the first foreign map call was to map */

	/* What is to happen. */
	int open_errno;				/* opening grants and foreign memory fails with it */
	bool no_control;			/* there is no privilege to ask for domains */
	unsigned fail_map;			/* the nth grant map call from now fails (1: the next) ... */
	int fail_errno;				/* ... with this */
	int unmap_errno;			/* unmapping grants fails with it */
	int copy_errno;				/* copying, and the question whether that is possible, fails with it */
	uint32_t bad_copy;			/* this reference was not granted so: what a copy says of it */
	int16_t copy_status;			/* 0: all were */
	unsigned good_calls;			/* so many foreign map calls from now work; after them: */
	unsigned bad_calls;			/* so many ... */
	size_t bad_entry;			/* ... report for this frame of the call ... */
	int bad_error;				/* ... this error; negative, as Linux does */
	unsigned null_calls;			/* so many fail as a whole ... */
	int null_errno;				/* ... with this */
	bool null_unmaps;			/* ... after the mapping was replaced and removed, as the library does */
	uint32_t domain;			/* the one domain that there is */
	bool dying;
};

extern struct fake fake;

/* What a guest has at a byte that is copied.  What is copied to it is nowhere but in the segments. */
uint8_t fake_guest_byte (uint32_t ref, unsigned offset);

/* Forgets everything and makes the library use the fake calls. */
void fake_begin (void);

/* Back to the real ones.  Returns whether every handle was closed and every map undone. */
bool fake_end (void);

#endif
