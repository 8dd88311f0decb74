/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the bytes of an input of fuzz-frontend mean: a row of steps, each a byte that says which (modulo their number) and the bytes that it takes.
 * Where an input ends in the middle of a step, what is missing are zeroes.
 */
#ifndef FUZZ_FRONTEND_INPUT_H
#define FUZZ_FRONTEND_INPUT_H

enum step {
	STEP_CALL,	/* which, modulo their number: a call that does not wait */
	STEP_ANSWER,	/* n, fds, then n bytes: answers the oldest request that was not answered, with this body */
	STEP_LONG,	/* size (two bytes, low one first), fds, value: answers with so many bytes of this value */
	STEP_OK,	/* n: answers the next n requests with eight zeroes each */
	STEP_MAIN,	/* n, fds, then n bytes as they are, on the connection */
	STEP_ASK,	/* id, flags, fds, n, then n bytes of body: a request on the channel */
	STEP_CHANNEL,	/* n, then n bytes as they are, on the channel */
	STEP_HANG_UP,	/* which: the connection, or (odd number) the channel */
	STEPS
};

/* fds: how many, modulo 10; all are one file. */

#endif
