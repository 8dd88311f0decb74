/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seed-demand FOLDER: makes the corpus of fuzz-demand: drivers that are right, on memory that can be mapped, and on memory that cannot.  Run by hand when
 * the form of the input changes.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define AVAIL 0x400u
#define TABLE 0x2400u

#define NEXT 1u
#define WRITE 2u
#define INDIRECT 4u

/* What a byte of the input says; numbers go above the lowest three bits. */
enum { MEMORY = 0, TAKE = 2, GIVE = 4, FLUSH = 5, LIMITS = 6, TABLES = 7 };

/* Of LIMITS. */
enum { ROOM = 1, MOST = 2, REFUSED = 4 };

static uint8_t program[4096];
static size_t length;

static void
byte (unsigned value)
{
	program[length++] = (uint8_t) value;
}

static void
step (unsigned what, unsigned number)
{
	byte (what | number << 3);
}

static void
bytes (uint64_t value, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		byte ((unsigned) (value >> 8 * i) & 0xff);
}

/* Writes `size` bytes, which follow, at an offset that is a multiple of four. */
static void
memory (unsigned offset, unsigned size)
{
	step (MEMORY, 0);
	bytes (offset / 2, 2);
	byte (size - 1);
}

static void
desc (unsigned table, unsigned i, uint64_t addr, uint32_t len, unsigned flags, unsigned next)
{
	memory (table + 16 * i, 16);
	bytes (addr, 8);
	bytes (len, 4);
	bytes (flags, 2);
	bytes (next, 2);
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
	bytes (0, 2);
	bytes (n, 2);
	for (unsigned i = 0; i < n; i++)
		bytes (stride * i, 2);
}

static void
limits (unsigned how, unsigned n)
{
	step (LIMITS, 0);
	byte (how);
	byte (n);
}

static void
begin (unsigned features)
{
	length = 0;
	byte (features);
	byte (15);	/* sixteen parts at most */
	byte (4);	/* sixteen descriptors */
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

static int
save (const char *folder, const char *name)
{
	char path[4096];
	FILE *file;
	int ok;

	snprintf (path, sizeof (path), "%s/%s", folder, name);
	file = fopen (path, "wb");
	if (!file)
		return -1;
	ok = fwrite (program, 1, length, file) == length;
	return fclose (file) == 0 && ok ? 0 : -1;
}

int
main (int argc, char **argv)
{
	const char *folder = argc == 2 ? argv[1] : NULL;
	int err = folder ? 0 : -1;

	begin (0);
	four_requests ();
	serve_all ();
	err |= save (folder, "chains");

	begin (4);	/* the used ring on demand, too */
	four_requests ();
	limits (ROOM, 9);
	serve_all ();
	serve_all ();
	err |= save (folder, "room");

	begin (0);
	four_requests ();
	limits (REFUSED, 0x38);
	serve_all ();
	err |= save (folder, "refused");

	begin (1);
	chain (TABLE, 0, 0x7ff8);	/* over the edge to memory that is mapped */
	desc (0, 0, TABLE, 48, INDIRECT, 0);
	avail (1, 0);
	serve_all ();
	err |= save (folder, "indirect");

	begin (2);
	four_requests ();
	step (TAKE, 1);
	step (TABLES, 1);
	serve_all ();
	step (TABLES, 0);
	serve_all ();
	err |= save (folder, "tables");

	if (err)
		fprintf (stderr, "usage: seed-demand FOLDER (that exists)\n");
	return err ? 1 : 0;
}
