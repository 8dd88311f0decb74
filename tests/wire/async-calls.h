/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls that do not wait, by their numbers, and how they ended.
 */
#ifndef TESTS_WIRE_ASYNC_CALLS_H
#define TESTS_WIRE_ASYNC_CALLS_H

#include "tests/wire/frontend-peer.h"

/* Those that have ended: their numbers, in order, and their results. */
#define MAX_ENDS 200
extern unsigned ends[MAX_ENDS], n_ends;
extern int results[MAX_ENDS];

/* frontend_begin, and none has ended. */
void begin (script_fn *, unsigned timeout_ms);

/* The next call is number `n`, and will be noted down; by this. */
struct vh_frontend *number (unsigned n);
void ended (void *number, int result);

/* What an event loop would do, until so many calls have ended.  Returns what the last dispatch did. */
int loop_until (unsigned n);

/* So many have ended, in the order of their numbers, with this result. */
void expect_ends (unsigned n, int result);

/* A back-end that answers nothing. */
void script_sink (void);

/* Nothing to do: the fd must be quiet, or the event loop would spin. */
void expect_quiet (void);

#endif
