/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seed-split: makes the corpus of fuzz-split: rings that are right, and some that are not.
 */
#include <stdint.h>
#include <string.h>

#include "fuzz/seed.h"

#define DESC 0x0
#define AVAIL 0x400
#define DATA 0x800
#define TABLE 0x1000

#define NEXT 1
#define WRITE 2
#define INDIRECT 4

static uint8_t memory[0x2000];

static void
desc (size_t table, unsigned i, uint64_t addr, uint32_t len, unsigned flags, unsigned next)
{
	store (memory + table + 16 * i, addr, 8);
	store (memory + table + 16 * i + 8, len, 4);
	store (memory + table + 16 * i + 12, flags, 2);
	store (memory + table + 16 * i + 14, next, 2);
}

static void
avail (unsigned n, unsigned stride, unsigned base)
{
	store (memory + AVAIL + 2, base + n, 2);
	for (unsigned i = 0; i < n; i++)
		store (memory + AVAIL + 4 + 2 * i, stride * i, 2);
}

/* A request as of a disk: header, data, status. */
static void
chain (size_t table, unsigned i, uint64_t data, uint32_t len)
{
	desc (table, i, DATA, 16, NEXT, i + 1);
	desc (table, i + 1, data, len, NEXT | WRITE, i + 2);
	desc (table, i + 2, DATA + 32, 1, WRITE, 0);
}

static void
save (const char *name, unsigned log_size, unsigned features, unsigned base, unsigned keep, size_t bytes)
{
	uint8_t head[5] = { (uint8_t) log_size, (uint8_t) features, (uint8_t) base, (uint8_t) keep, (uint8_t) (bytes / 32 - 1) };
	uint8_t steps[] = { 0x02, 0x04, 9, 0, 0, 0, 0x00, 0x00, 0xff, 0xff, 0, 0, 0 };
	const struct iovec parts[] = { { head, sizeof (head) }, { memory, bytes }, { steps, sizeof (steps) } };

	seed_parts (name, parts, 3);
	memset (memory, 0, sizeof (memory));
}

static void
rings_that_are_right (void)
{
	for (unsigned i = 0; i < 4; i++)
		chain (DESC, 3 * i, DATA + 0x100, 512);
	avail (4, 3, 0);
	save ("chains", 4, 0, 0, 0, 0x500);

	chain (DESC, 0, DATA + 0x100, 512);
	avail (1, 0, 257 * 255);
	save ("wrap", 3, 2, 255, 1, 0x500);

	chain (TABLE, 0, DATA + 0x100, 512);
	desc (DESC, 0, TABLE, 48, INDIRECT, 0);
	avail (1, 0, 0);
	save ("indirect", 3, 3, 0, 0, 0x1100);

	for (unsigned i = 0; i < 4; i++)
		chain (DESC, 3 * i, DATA + 0x100, 512);
	avail (4, 3, 0);
	save ("in-order", 4, 8, 0, 2, 0x500);

	store (memory + AVAIL + 2, 0x0100, 2);	/* one request, at head 1, in the other byte order */
	store (memory + AVAIL + 4, 0x0100, 2);
	store (memory + DESC + 16, __builtin_bswap64 (DATA), 8);
	store (memory + DESC + 24, __builtin_bswap32 (16), 4);
	store (memory + DESC + 28, __builtin_bswap16 (WRITE), 2);
	save ("big-endian", 3, 17, 0, 0, 0x500);
}

static void
rings_that_are_not (void)
{
	chain (DESC, 0, 0x1f00, 0x200);	/* into the hole */
	avail (1, 0, 0);
	save ("hole", 3, 4, 0, 0, 0x500);

	desc (DESC, 0, DATA, 16, NEXT, 1);
	desc (DESC, 1, DATA, 16, NEXT, 0);
	avail (1, 0, 0);
	save ("loop", 1, 1, 0, 0, 0x500);

	chain (DESC, 0, 0x0, 0x800);	/* the data is the ring itself */
	avail (1, 0, 0);
	save ("itself", 2, 2, 0, 1, 0x500);
}

void
seed_all (void)
{
	rings_that_are_right ();
	rings_that_are_not ();
}
