/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writing a corpus; see seed.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fuzz/seed.h"

static const char *folder;
static FILE *file;	/* NULL: it cannot be written */
static int failed;

void
seed_begin (const char *name)
{
	char path[4096];

	snprintf (path, sizeof (path), "%s/%s", folder, name);
	file = fopen (path, "wb");
	if (file)
		return;
	fprintf (stderr, "%s: %s\n", path, strerror (errno));
	failed = 1;
}

void
seed_end (void)
{
	if (file && fclose (file) != 0)
		failed = 1;
	file = NULL;
}

void
put_bytes (const void *bytes, size_t size)
{
	if (file && fwrite (bytes, 1, size, file) != size)
		failed = 1;
}

void
put (uint64_t value, unsigned n)
{
	for (; n > 0; n--, value >>= 8) {
		uint8_t byte = (uint8_t) value;

		put_bytes (&byte, 1);
	}
}

void
seed_parts (const char *name, const struct iovec *parts, unsigned n)
{
	seed_begin (name);
	for (unsigned i = 0; i < n; i++)
		put_bytes (parts[i].iov_base, parts[i].iov_len);
	seed_end ();
}

void
seed_table (const struct seed *seeds, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		seed_begin (seeds[i].name);
		seeds[i].put ();
		seed_end ();
	}
}

void
store (uint8_t *to, uint64_t value, unsigned n)
{
	for (unsigned i = 0; i < n; i++, value >>= 8)
		to[i] = (uint8_t) value;
}

int
main (int argc, char **argv)
{
	if (argc != 2) {
		fprintf (stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	folder = argv[1];
	seed_all ();
	return failed;
}
