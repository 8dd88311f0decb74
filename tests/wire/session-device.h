/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A VMM's device with one ring, which a session looks after: what the VMM wants of it, and what each back-end must be told of that, byte by byte.
 */
#ifndef TESTS_WIRE_SESSION_DEVICE_H
#define TESTS_WIRE_SESSION_DEVICE_H

#include "tests/wire/session-rig.h"

#define CONFIG "0102030405060708"

extern struct device {
	int kick, call;			/* eventfds of the ring */
	int area;			/* a file for in-flight records */
	unsigned stops;			/* how often the ring stopped, and where last */
	uint32_t base;
} device;

/* Opens the rig and these; with patience or a timeout for each answer; closes them. */
void begin (void);
void begin_with (unsigned timeout_ms);
void finish (void);

/* What the guest's ring says: so many made available, so many used. */
void set_indexes (uint16_t avail, uint16_t used);

/* --- what the VMM wants --- */

void want_memory (unsigned n);		/* the first n regions of the guest */
int want_ring (uint32_t base);		/* returns what vh_session_start_ring does */
void want_all (void);			/* features, the first region, the ring from 0 on */

/* Has the ring stopped; it is some time later that it is_stopped. */
void stop (void);
bool is_stopped (void);

/* --- what the back-end is told --- */

#define REGION_1 "00000000 00000000 00000040 00000000 00000100 00000000 00000000 007f0000 00000000 00000000"
#define REGION_2 "00000000 00000000 00000140 00000000 00000100 00000000 00000100 007f0000 00000100 00000000"
#define AREA "00040000 00000000 00000000 00000000 0100 4000 00000000"

/* Features and the first region, in one go. */
void expect_device (const char *features);

/* Is there an area?  Follows at once when there is none yet. */
void expect_question (void);

/* All of the ring, also in one go. */
void expect_ring (const char *base);

/* All three, for a device that begins. */
void expect_first_set_up (void);

/* --- beginnings --- */

/* A back-end is there, and nothing is wanted yet. */
void begin_settled (void);

/* The device runs at its first back-end. */
void begin_running (void);

#endif
