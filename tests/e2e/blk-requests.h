/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of blk-requests share: checks, patterns, a look into the image.
 */
#ifndef TESTS_E2E_BLK_REQUESTS_H
#define TESTS_E2E_BLK_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/e2e/disk.h"

#define SECTOR 512
#define MIB (1u << 20)
#define IN_MIB(n) ((uint64_t) (n) * MIB / SECTOR)

struct test {
	const char *socket, *path;
	int fd;			/* the file, opened for reading */
	unsigned checks;
};

#define CHECK(t, condition) \
	do { \
		(t)->checks++; \
		if (!(condition)) \
			die ("%s:%d: %s", __FILE__, __LINE__, #condition); \
	} while (0)

/* Bytes that depend on place and seed, never 0. */
void fill (uint8_t *data, size_t size, unsigned seed);

/* The same bytes are in the file at this place. */
bool file_holds (const struct test *t, uint64_t place, const uint8_t *data, size_t size);

/* Writes two pages; they are in the file. */
void check_writing (struct test *t, struct disk *d, unsigned seed);

/* Writes a pattern, has two ranges of it made zeroes, and looks at all of it. */
void check_ranges (struct test *t, struct disk *d, uint32_t type, uint32_t flags, unsigned seed);

/* In blk-cache.c: the write cache, its switch, and the size. */
void test_cache (struct test *);
void test_no_flush (struct test *);
void test_durable (struct test *);
void test_resize (struct test *);

#endif
