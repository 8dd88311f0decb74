/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seed-packed: makes the corpus of fuzz-packed: rings that are right, and some that are not.
 */
#include <stdint.h>
#include <string.h>

#include "fuzz/seed.h"

#define DESC 0x0
#define DATA 0x800
#define TABLE 0x1000

#define NEXT 1
#define WRITE 2
#define INDIRECT 4
#define AVAIL 0x80
#define USED 0x8000

static uint8_t memory[0x2000];

/* Descriptor i of a table; `wrap` is the counter that makes it available. */
static void
desc (size_t table, unsigned i, uint64_t addr, uint32_t len, unsigned id, unsigned flags, int wrap)
{
	store (memory + table + 16 * i, addr, 8);
	store (memory + table + 16 * i + 8, len, 4);
	store (memory + table + 16 * i + 12, id, 2);
	store (memory + table + 16 * i + 14, flags | (wrap ? AVAIL : USED), 2);
}

/* A request as of a disk: header, data, status. */
static void
chain (unsigned i, unsigned id, uint64_t data, uint32_t len, int wrap)
{
	desc (DESC, i, DATA, 16, id, NEXT, wrap);
	desc (DESC, i + 1, data, len, id, NEXT | WRITE, wrap);
	desc (DESC, i + 2, DATA + 32, 1, id, WRITE, wrap);
}

static void
save (const char *name, unsigned size, unsigned features, unsigned base, unsigned keep, size_t bytes)
{
	uint8_t head[6] = { (uint8_t) (size - 1), (uint8_t) features, (uint8_t) base, (uint8_t) base, (uint8_t) keep, (uint8_t) (bytes / 32 - 1) };
	/* Then one descriptor more, and both event areas. */
	uint8_t steps[] = { 0x0e, 0x00, 0x80, 0, 0, 0, 0x00, 0x04, 0x02, 0x80, 2, 0, 0, 0x00, 0x05, 0, 0, 1, 0, 0, 0 };
	const struct iovec parts[] = { { head, sizeof (head) }, { memory, bytes }, { steps, sizeof (steps) } };

	seed_parts (name, parts, 3);
	memset (memory, 0, sizeof (memory));
}

static void
rings_that_are_right (void)
{
	for (unsigned i = 0; i < 4; i++)
		chain (3 * i, 3 - i, DATA + 0x100, 512, 1);
	save ("chains", 13, 0, 0x80, 0, 0x500);

	/* Around the end: the last two places in one time around, the first in the next. */
	desc (DESC, 5, DATA, 16, 1, NEXT, 1);
	desc (DESC, 6, DATA + 0x100, 512, 1, NEXT | WRITE, 1);
	desc (DESC, 0, DATA + 32, 1, 1, WRITE, 0);
	desc (DESC, 1, DATA + 32, 1, 2, WRITE, 0);
	save ("wrap", 7, 2, 0x85, 1, 0x500);

	desc (TABLE, 0, DATA, 16, 0, 0, 1);
	desc (TABLE, 1, DATA + 0x100, 512, 0, WRITE, 1);
	desc (TABLE, 2, DATA + 32, 1, 0, WRITE, 1);
	desc (DESC, 0, TABLE, 48, 7, INDIRECT, 1);
	save ("indirect", 8, 3, 0x80, 0, 0x1100);

	for (unsigned i = 0; i < 4; i++)
		chain (3 * i, i, DATA + 0x100, 512, 1);
	save ("in-order", 13, 8, 0x80, 2, 0x500);
}

static void
rings_that_are_not (void)
{
	chain (0, 0, 0x1f00, 0x200, 0);	/* into the hole, in a second time around */
	save ("hole", 8, 2, 0x00, 0, 0x500);

	desc (DESC, 0, DATA, 16, 0, NEXT, 1);
	desc (DESC, 1, DATA, 16, 0, NEXT, 1);
	save ("endless", 2, 1, 0x80, 0, 0x500);

	chain (0, 3, 0x0, 0x800, 1);	/* the data is the ring itself */
	save ("itself", 4, 2, 0x80, 1, 0x500);

	desc (DESC, 0, DATA, 16, 2, WRITE, 1);
	desc (DESC, 1, DATA, 16, 2, WRITE, 1);
	save ("twice", 4, 0, 0x80, 4, 0x500);
}

void
seed_all (void)
{
	rings_that_are_right ();
	rings_that_are_not ();
}
