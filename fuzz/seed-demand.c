/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seed-demand: makes the corpus of fuzz-demand: drivers that are right, on memory that can be mapped, and on memory that cannot.
 */
#include <stdint.h>

#include "fuzz/seed.h"

#define AVAIL 0x400u
#define TABLE 0x2400u

#define NEXT 1u
#define WRITE 2u
#define INDIRECT 4u

/* What a byte of the input says; numbers go above the lowest three bits. */
enum { MEMORY = 0, TAKE = 2, GIVE = 4, FLUSH = 5, LIMITS = 6, TABLES = 7 };

/* Of LIMITS. */
enum { ROOM = 1, MOST = 2, REFUSED = 4 };

static void
step (unsigned what, unsigned number)
{
	put (what | number << 3, 1);
}

/* Writes `size` bytes, which follow, at an offset that is a multiple of four. */
static void
memory (unsigned offset, unsigned size)
{
	step (MEMORY, 0);
	put (offset / 2, 2);
	put (size - 1, 1);
}

static void
desc (unsigned table, unsigned i, uint64_t addr, uint32_t len, unsigned flags, unsigned next)
{
	memory (table + 16 * i, 16);
	put (addr, 8);
	put (len, 4);
	put (flags, 2);
	put (next, 2);
}

/* Header, data and status of request i at `data`. */
static void
chain (unsigned table, unsigned i, uint64_t data)
{
	desc (table, i, data, 16, NEXT, i + 1);
	desc (table, i + 1, data + 16, 0x300, NEXT | WRITE, i + 2);
	desc (table, i + 2, data + 0x400, 1, WRITE, 0);
}

static void
avail (unsigned n, unsigned stride)
{
	memory (AVAIL, 4 + 2 * n);
	put (0, 2);
	put (n, 2);
	for (unsigned i = 0; i < n; i++)
		put (stride * i, 2);
}

static void
limits (unsigned how, unsigned n)
{
	step (LIMITS, 0);
	put (how, 1);
	put (n, 1);
}

static void
begin (const char *name, unsigned features)
{
	seed_begin (name);
	put (features, 1);
	put (15, 1);	/* sixteen parts at most */
	put (4, 1);	/* sixteen descriptors */
}

static void
four_requests (void)
{
	for (unsigned i = 0; i < 4; i++)
		chain (0, 3 * i, 0x3000 + 0x800 * i);
	avail (4, 3);
}

static void
serve_all (void)
{
	step (TAKE, 7);
	for (unsigned i = 0; i < 4; i++)
		step (GIVE, i);
	step (FLUSH, 0);
}

static void
chains (void)
{
	begin ("chains", 0);
	four_requests ();
	serve_all ();
	seed_end ();
}

static void
room (void)
{
	begin ("room", 4);	/* the used ring on demand, too */
	four_requests ();
	limits (ROOM, 9);
	serve_all ();
	serve_all ();
	seed_end ();
}

static void
refused (void)
{
	begin ("refused", 0);
	four_requests ();
	limits (REFUSED, 0x38);
	serve_all ();
	seed_end ();
}

static void
indirect (void)
{
	begin ("indirect", 1);
	chain (TABLE, 0, 0x7ff8);	/* over the edge to memory that is mapped */
	desc (0, 0, TABLE, 48, INDIRECT, 0);
	avail (1, 0);
	serve_all ();
	seed_end ();
}

static void
tables (void)
{
	begin ("tables", 2);
	four_requests ();
	step (TAKE, 1);
	step (TABLES, 1);
	serve_all ();
	step (TABLES, 0);
	serve_all ();
	seed_end ();
}

void
seed_all (void)
{
	chains ();
	room ();
	refused ();
	indirect ();
	tables ();
}
