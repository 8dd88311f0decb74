/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seed-frontend: makes the corpus of fuzz-frontend, a few sessions that go far, from which a fuzzer finds its way; see frontend-input.h.
 */
#include <stdint.h>

#include "fuzz/frontend-input.h"
#include "fuzz/seed.h"

/* --- steps --- */

static void
call (uint8_t which)
{
	put (STEP_CALL, 1);
	put (which, 1);
}

static void
answer (uint8_t n, uint8_t fds)
{
	put (STEP_ANSWER, 1);
	put (n, 1);
	put (fds, 1);
}

static void
answer_u64 (uint64_t value)
{
	answer (8, 0);
	put (value, 8);
}

static void
answer_long (uint16_t size, uint8_t fds, uint8_t value)
{
	put (STEP_LONG, 1);
	put (size, 2);
	put (fds, 1);
	put (value, 1);
}

static void
ask (uint8_t id, uint8_t fds, uint8_t n)
{
	put (STEP_ASK, 1);
	put (id, 1);
	put (9, 1);
	put (fds, 1);
	put (n, 1);
}

static void
ask_u64s (uint8_t id, uint8_t fds, uint8_t n, const uint64_t *body)
{
	ask (id, fds, n * 8);
	for (uint8_t i = 0; i < n; i++)
		put (body[i], 8);
}

/* --- parts of sessions --- */

/* The handshake with every protocol feature, and SET_FEATURES. */
static void
handshake (void)
{
	call (0);
	answer_u64 (0x370000000);
	answer_u64 (0xffffff);
	put (STEP_OK, 1);	/* SET_PROTOCOL_FEATURES is not acknowledged, the channel and SET_OWNER are */
	put (3, 1);
}

/* The same by single calls, without the channel. */
static void
negotiate (void)
{
	call (1);
	answer_u64 (0x170000000);
	call (3);
	answer_u64 (0xffffff);
	call (4);
}

/* --- sessions --- */

static void
seed_handshake (void)
{
	handshake ();
	call (2);
	answer_u64 (0);
	call (5);
	answer_u64 (4);
	call (6);
	answer_u64 (509);
}

static void
seed_single_steps (void)
{
	negotiate ();
	for (uint8_t which = 7; which < 23; which++) {
		call (which);
		answer_u64 (0);
	}
}

static void
seed_with_fds (void)
{
	negotiate ();
	call (23);
	answer (0, 1);
	call (24);
	answer (8, 1);
	put (0, 8);
	call (25);
	answer (0, 1);
	call (26);
	answer (24, 1);
	put (4096, 8);
	put (0, 8);
	put (2, 2);
	put (64, 2);
	put (0, 4);
}

static void
seed_long_answers (void)
{
	negotiate ();
	call (15);
	answer_long (1072, 0, 0);
	call (16);
	answer_long (2056, 0, 0);
	call (12);
	answer (0, 0);
}

static void
seed_asked (void)
{
	handshake ();
	ask (2, 0, 0);
	ask_u64s (4, 0, 1, (const uint64_t[]){ 1 });
	ask_u64s (5, 0, 1, (const uint64_t[]){ 1 });
	ask_u64s (6, 0, 2, (const uint64_t[]){ 1, 0 });
	ask_u64s (8, 0, 2, (const uint64_t[]){ 1, 0 });
	ask_u64s (3, 1, 3, (const uint64_t[]){ 1, 4096, 0 });
	ask_u64s (9, 1, 5, (const uint64_t[]){ 3, 0, 0, 4096, 0 });
	ask (77, 0, 0);
}

/* Regions of 2 MiB with the ids 0 to 28, so that pieces can be mapped. */
static void
seed_shared_memory (void)
{
	handshake ();
	call (16);
	put (STEP_MAIN, 1);
	put (252, 1);
	put (0, 1);
	put (44, 4);
	put (5, 4);
	put (2056, 4);
	put (29, 8);
	for (unsigned i = 0; i < 29; i++)
		put (0x200000, 8);
	for (unsigned i = 29; i < 256; i++) {
		put (STEP_MAIN, 1);
		put (8, 1);
		put (0, 1);
		put (0, 8);
	}
	for (uint8_t id = 9; id <= 10; id++)
		ask_u64s (id, id == 9, 5, (const uint64_t[]){ 3, 0, 4096, 8192, 1 });
}

static void
seed_hang_up (void)
{
	call (1);
	call (1);
	put (STEP_HANG_UP, 1);
	put (0, 1);
}

static const struct seed seeds[] = {
	{ "handshake", seed_handshake },
	{ "single-steps", seed_single_steps },
	{ "with-fds", seed_with_fds },
	{ "long-answers", seed_long_answers },
	{ "asked", seed_asked },
	{ "shared-memory", seed_shared_memory },
	{ "hang-up", seed_hang_up },
};

void
seed_all (void)
{
	seed_table (seeds, sizeof (seeds) / sizeof (seeds[0]));
}
