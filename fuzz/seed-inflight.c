/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seed-inflight: makes the corpus of fuzz-inflight: areas that a ring left behind at some moment, and some that none would leave.
 */
#include <stdint.h>
#include <string.h>

#include "fuzz/seed.h"

#define DESC 0x0
#define AVAIL 0x400
#define USED 0x500
#define DATA 0x800

#define NEXT 1
#define WRITE 2
#define PACKED_AVAIL 0x80

#define LOG_SIZE 3
#define SIZE 8u	/* of the ring, and entries of the area */

static uint8_t memory[0x900], area[0x140];

/* --- the guest's memory --- */

static void
desc (unsigned i, uint64_t addr, uint32_t len, unsigned third, unsigned fourth)
{
	store (memory + DESC + 16 * i, addr, 8);
	store (memory + DESC + 16 * i + 8, len, 4);
	store (memory + DESC + 16 * i + 12, third, 2);
	store (memory + DESC + 16 * i + 14, fourth, 2);
}

/* Chains of two, as many as there is room for, all available. */
static void
split_chains (void)
{
	store (memory + AVAIL + 2, SIZE / 2, 2);
	for (unsigned i = 0; i < SIZE; i += 2) {
		desc (i, DATA, 16, NEXT, i + 1);
		desc (i + 1, DATA + 32, 1, WRITE, 0);
		store (memory + AVAIL + 4 + i, i, 2);
	}
}

static void
packed_chains (void)
{
	for (unsigned i = 0; i < SIZE; i += 2) {
		desc (i, DATA, 16, i, NEXT | PACKED_AVAIL);
		desc (i + 1, DATA + 32, 1, i, WRITE | PACKED_AVAIL);
	}
}

/* --- the area --- */

static void
split_header (unsigned last_batch_head, unsigned used_idx)
{
	store (area + 8, 1, 2);
	store (area + 10, SIZE, 2);
	store (area + 12, last_batch_head, 2);
	store (area + 14, used_idx, 2);
}

static void
split_entry (unsigned head, unsigned inflight, unsigned next, uint64_t counter)
{
	store (area + 16 + 16 * head, inflight, 1);
	store (area + 16 + 16 * head + 6, next, 2);
	store (area + 16 + 16 * head + 8, counter, 8);
}

/* Entries from `free_head` on are free; used positions with their wrap counters in bit 15. */
static void
packed_header (unsigned free_head, unsigned old_free_head, unsigned used, unsigned old)
{
	store (area + 8, 1, 2);
	store (area + 10, SIZE, 2);
	store (area + 12, free_head, 2);
	store (area + 14, old_free_head, 2);
	store (area + 16, used & 0x7fff, 2);
	store (area + 18, old & 0x7fff, 2);
	store (area + 20, used >> 15, 1);
	store (area + 21, old >> 15, 1);
	for (unsigned i = 0; i < SIZE; i++)
		store (area + 32 + 32 * i + 2, i + 1, 2);
}

/* Entries first and first + 1 are a chain. */
static void
packed_chain (unsigned first, uint64_t counter)
{
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *e = area + 32 + 32 * (first + i);

		store (e + 16, first, 2);
		store (e + 18, i ? WRITE : NEXT, 2);
		store (e + 20, i ? 1 : 16, 4);
		store (e + 24, DATA + 32 * i, 8);
	}
	store (area + 32 + 32 * first, 1, 1);
	store (area + 32 + 32 * first + 4, first + 1, 2);
	store (area + 32 + 32 * first + 6, 2, 2);
	store (area + 32 + 32 * first + 8, counter, 8);
}

/* --- inputs --- */

static void
save (const char *name, unsigned packed, unsigned keep, unsigned area_size)
{
	uint8_t length = sizeof (memory) / 32 - 1, head[7] = { (uint8_t) packed, LOG_SIZE, 2, 0, (uint8_t) keep, 0, (uint8_t) (area_size / 32) };
	/* Nothing new three times, then into the area, for the process dies in the fourth. */
	uint8_t steps[] = { 0x80, 0x04, 0, 0, 0, 0, 0x80, 0x04, 0, 0, 0, 0, 0, 0x80, 0x04, 0, 0, 0, 0, 0, 0, 0x10, 0x80, 1, 0, 0, 0, 0, 0, 0 };
	const struct iovec parts[] = { { head, sizeof (head) }, { area, area_size }, { &length, 1 }, { memory, sizeof (memory) }, { steps, sizeof (steps) } };

	seed_parts (name, parts, 5);
	memset (memory, 0, sizeof (memory));
	memset (area, 0, sizeof (area));
}

static void
save_split (void)
{
	split_chains ();
	save ("split-new", 0, 3, 0);

	split_chains ();
	split_header (0, 0);
	split_entry (2, 1, 0, 7);
	split_entry (0, 1, 0, 6);
	save ("split-again", 0, 1, 0x100);

	split_chains ();	/* two were published, and only one of them was cleared up after */
	store (memory + USED + 2, 2, 2);
	split_header (2, 0);
	split_entry (2, 1, 0, 7);
	split_entry (0, 0, 0, 6);
	split_entry (4, 1, 0, 8);
	save ("split-published", 0, 2, 0x100);

	split_chains ();
	store (memory + USED + 2, 4, 2);
	split_header (2, 0);
	split_entry (2, 1, 2, 7);
	save ("split-cycle", 0, 0, 0x100);

	split_chains ();
	memset (area, 0xff, sizeof (area));
	split_header (3, 0);
	save ("split-ones", 0, 0, 0x100);
}

static void
save_packed (void)
{
	packed_chains ();
	save ("packed-new", 1, 3, 0);

	packed_chains ();
	packed_header (4, 4, 0x8000, 0x8000);
	packed_chain (0, 3);
	packed_chain (2, 2);
	save ("packed-again", 1, 1, sizeof (area));

	packed_chains ();	/* a chain is about to be used */
	packed_header (0, 4, 0x8002, 0x8000);
	packed_chain (0, 3);
	packed_chain (2, 2);
	store (area + 32 + 32 + 2, 4, 2);
	save ("packed-publishing", 1, 2, sizeof (area));

	packed_chains ();
	packed_header (4, 4, 0x8000, 0x8000);
	packed_chain (0, 3);
	store (area + 32 + 32 + 2, 0, 2);
	store (area + 32 + 32 * 4 + 2, 4, 2);
	save ("packed-cycle", 1, 0, sizeof (area));

	packed_chains ();
	memset (area, 0xff, sizeof (area));
	packed_header (4, 4, 0x8000, 0x8000);
	save ("packed-ones", 1, 0, sizeof (area));
}

void
seed_all (void)
{
	save_split ();
	save_packed ();
}
