/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copies from, to and cuts of parts, beside the same done byte by byte on one long buffer.
 */
#include <string.h>

#include <vhost/queue.h>

#include "tests/suite.h"

#define TOTAL 32u

static const size_t sizes[] = { 3, 0, 1, 10, 0, 2, 16, 0 };
#define PARTS (sizeof (sizes) / sizeof (sizes[0]))

/* The buffer, in parts that follow each other in it. */
static void
make_parts (unsigned char *buf, struct iovec *parts)
{
	for (unsigned i = 0; i < PARTS; i++) {
		parts[i] = (struct iovec){ buf, sizes[i] };
		buf += sizes[i];
	}
}

static size_t
expected (size_t skip, size_t size)
{
	size_t left = skip < TOTAL ? TOTAL - skip : 0;

	return size < left ? size : left;
}

static void
reads (void)
{
	unsigned char buf[TOTAL], copy[TOTAL + 8];
	struct iovec parts[PARTS];

	for (unsigned i = 0; i < TOTAL; i++)
		buf[i] = (unsigned char) (i + 1);
	make_parts (buf, parts);
	for (size_t skip = 0; skip < TOTAL + 4; skip++)
		for (size_t size = 0; size < TOTAL + 4; size++) {
			size_t n = expected (skip, size);

			memset (copy, 0xee, sizeof (copy));
			CU_ASSERT_EQUAL (vh_parts_read (parts, PARTS, skip, copy, size), n);
			if (n > 0)
				CU_ASSERT_EQUAL (memcmp (copy, buf + skip, n), 0);
			CU_ASSERT_EQUAL (copy[n], 0xee);
		}
	CU_ASSERT_EQUAL (vh_parts_read (parts, 0, 0, copy, 1), 0);
	CU_ASSERT_EQUAL (vh_parts_read (NULL, 0, 0, copy, 1), 0);
	CU_ASSERT_EQUAL (vh_parts_read (parts, PARTS, SIZE_MAX, copy, SIZE_MAX), 0);
}

static void
writes (void)
{
	unsigned char buf[TOTAL], copy[TOTAL];
	struct iovec parts[PARTS];

	make_parts (buf, parts);
	for (unsigned i = 0; i < TOTAL; i++)
		copy[i] = (unsigned char) (i + 1);
	for (size_t skip = 0; skip < TOTAL + 4; skip++)
		for (size_t size = 0; size < TOTAL; size++) {
			size_t n = expected (skip, size);

			memset (buf, 0, sizeof (buf));
			CU_ASSERT_EQUAL (vh_parts_write (parts, PARTS, skip, copy, size), n);
			for (unsigned i = 0; i < TOTAL; i++)
				if (buf[i] != (i >= skip && i < skip + n ? copy[i - skip] : 0))
					CU_FAIL ("byte");
		}
}

static void
cuts (void)
{
	unsigned char buf[TOTAL], copy[TOTAL];
	struct iovec parts[PARTS], *cut;

	for (unsigned i = 0; i < TOTAL; i++)
		buf[i] = (unsigned char) (i + 1);
	for (size_t skip = 0; skip < TOTAL + 4; skip++)
		for (size_t size = 0; size < TOTAL + 4; size++) {
			size_t n = expected (skip, size);
			unsigned count;

			make_parts (buf, parts);
			count = vh_parts_cut (parts, PARTS, skip, size, &cut);
			CU_ASSERT (cut >= parts && cut + count <= parts + PARTS);
			CU_ASSERT_EQUAL (count == 0, n == 0);
			CU_ASSERT_EQUAL (vh_parts_read (cut, count, 0, copy, sizeof (copy)), n);
			if (n > 0)
				CU_ASSERT_EQUAL (memcmp (copy, buf + skip, n), 0);
		}
	CU_ASSERT_EQUAL (vh_parts_cut (parts, 0, 0, 1, &cut), 0);
	make_parts (buf, parts);
	CU_ASSERT_EQUAL (vh_parts_cut (parts, PARTS, SIZE_MAX, SIZE_MAX, &cut), 0);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "reads", reads },
		{ "writes", writes },
		{ "cuts", cuts },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("parts", tests);
}
