/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parsing of the ranges of virtio-blk requests: discard and write zeroes.
 */
#include <endian.h>
#include <string.h>

#include "tests/suite.h"
#include "tests/unit/blk-chain.h"

static void
set_range (struct chain *c, unsigned index, uint64_t sector, uint32_t sectors, uint32_t flags)
{
	struct virtio_blk_discard_write_zeroes range = { htole64 (sector), htole32 (sectors), htole32 (flags) };

	memcpy (c->data + index * sizeof (range), &range, sizeof (range));
}

static void
chain_range (struct chain *c, uint32_t type, uint64_t sector, uint32_t sectors, uint32_t flags)
{
	chain_usual (c, type, 0, sizeof (struct virtio_blk_discard_write_zeroes));
	set_range (c, 0, sector, sectors, flags);
}

static void
test_ranges (void)
{
	struct chain c;

	chain_range (&c, VIRTIO_BLK_T_DISCARD, 8, 16, 0);
	chain_parse (&c, &writable);
	CU_ASSERT_EQUAL (c.request.kind, REQUEST_DISCARD);
	CU_ASSERT_EQUAL (c.request.n_ranges, 1);
	CU_ASSERT_EQUAL (c.request.ranges[0].offset, 8 * 512);
	CU_ASSERT_EQUAL (c.request.ranges[0].bytes, 16 * 512);

	chain_range (&c, VIRTIO_BLK_T_WRITE_ZEROES, 0, SECTORS, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
	chain_parse (&c, &writable);
	CU_ASSERT_EQUAL (c.request.kind, REQUEST_ZEROES);
	CU_ASSERT_TRUE (c.request.ranges[0].unmap);
	CU_ASSERT_EQUAL (c.request.ranges[0].bytes, SECTORS * 512);

	chain_range (&c, VIRTIO_BLK_T_WRITE_ZEROES, 0, 1, 0);
	chain_parse (&c, &writable);
	CU_ASSERT_EQUAL (c.request.kind, REQUEST_ZEROES);
	CU_ASSERT_FALSE (c.request.ranges[0].unmap);
}

static void
test_most_ranges (void)
{
	const size_t size = sizeof (struct virtio_blk_discard_write_zeroes);
	struct chain c;

	chain_usual (&c, VIRTIO_BLK_T_DISCARD, 0, REQUEST_MAX_RANGES * size);
	for (unsigned i = 0; i < REQUEST_MAX_RANGES; i++)
		set_range (&c, i, 8 * i, 8, 0);
	chain_parse (&c, &writable);
	CU_ASSERT_EQUAL (c.request.kind, REQUEST_DISCARD);
	CU_ASSERT_EQUAL (c.request.n_ranges, REQUEST_MAX_RANGES);
	CU_ASSERT_EQUAL (c.request.ranges[REQUEST_MAX_RANGES - 1].offset, (REQUEST_MAX_RANGES - 1) * 4096);

	/* One of them is wrong. */
	chain_usual (&c, VIRTIO_BLK_T_DISCARD, 0, REQUEST_MAX_RANGES * size);
	for (unsigned i = 0; i < REQUEST_MAX_RANGES; i++)
		set_range (&c, i, i == 5 ? SECTORS : 0, 8, 0);
	chain_refused (&c, &writable, VIRTIO_BLK_S_IOERR);

	/* One too many. */
	chain_usual (&c, VIRTIO_BLK_T_DISCARD, 0, (REQUEST_MAX_RANGES + 1) * size);
	for (unsigned i = 0; i <= REQUEST_MAX_RANGES; i++)
		set_range (&c, i, 0, 8, 0);
	chain_refused (&c, &writable, VIRTIO_BLK_S_IOERR);
}

static void
test_range_payloads (void)
{
	static const size_t wrong[] = { 0, 8, 15, 17, 24 };
	struct chain c;

	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++) {
		chain_usual (&c, VIRTIO_BLK_T_WRITE_ZEROES, 0, wrong[i]);
		set_range (&c, 0, 0, 8, 0);
		chain_refused (&c, &writable, VIRTIO_BLK_S_IOERR);
	}
}

static void
test_range_places (void)
{
	struct request_limits large = writable;
	struct chain c;

	chain_range (&c, VIRTIO_BLK_T_DISCARD, SECTORS - 8, 9, 0);
	chain_refused (&c, &writable, VIRTIO_BLK_S_IOERR);
	chain_range (&c, VIRTIO_BLK_T_DISCARD, UINT64_MAX, 8, 0);
	chain_refused (&c, &writable, VIRTIO_BLK_S_IOERR);
	chain_range (&c, VIRTIO_BLK_T_DISCARD, 0, UINT32_MAX, 0);
	chain_refused (&c, &writable, VIRTIO_BLK_S_IOERR);
	chain_range (&c, VIRTIO_BLK_T_DISCARD, 0, 0, 0);
	chain_refused (&c, &writable, VIRTIO_BLK_S_IOERR);

	/* More than the limits of the configuration, at a place that exists. */
	large.capacity = UINT64_MAX / 512 * 512;
	chain_range (&c, VIRTIO_BLK_T_DISCARD, 0, UINT32_MAX, 0);
	chain_refused (&c, &large, VIRTIO_BLK_S_IOERR);
	chain_range (&c, VIRTIO_BLK_T_DISCARD, 0, REQUEST_MAX_DISCARD / 512, 0);
	chain_parse (&c, &large);
	CU_ASSERT_EQUAL (c.request.kind, REQUEST_DISCARD);
	chain_range (&c, VIRTIO_BLK_T_DISCARD, 0, REQUEST_MAX_DISCARD / 512 + 1, 0);
	chain_refused (&c, &large, VIRTIO_BLK_S_IOERR);
	chain_range (&c, VIRTIO_BLK_T_WRITE_ZEROES, 0, REQUEST_MAX_ZEROES / 512 + 1, 0);
	chain_refused (&c, &large, VIRTIO_BLK_S_IOERR);
}

static void
test_range_flags (void)
{
	struct chain c;

	chain_range (&c, VIRTIO_BLK_T_DISCARD, 0, 8, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
	chain_refused (&c, &writable, VIRTIO_BLK_S_UNSUPP);
	chain_range (&c, VIRTIO_BLK_T_DISCARD, 0, 8, 0x80000000);
	chain_refused (&c, &writable, VIRTIO_BLK_S_UNSUPP);
	chain_range (&c, VIRTIO_BLK_T_WRITE_ZEROES, 0, 8, 2);
	chain_refused (&c, &writable, VIRTIO_BLK_S_UNSUPP);
}

static void
test_discard_that_cannot_be (void)
{
	struct request_limits limits = writable;
	struct chain c;

	limits.can_discard = false;
	chain_range (&c, VIRTIO_BLK_T_DISCARD, 0, 8, 0);
	chain_refused (&c, &limits, VIRTIO_BLK_S_UNSUPP);
	chain_range (&c, VIRTIO_BLK_T_WRITE_ZEROES, 0, 8, 0);
	chain_parse (&c, &limits);
	CU_ASSERT_EQUAL (c.request.kind, REQUEST_ZEROES);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "ranges of discard and write zeroes", test_ranges },
		{ "as many ranges as are allowed, and one more", test_most_ranges },
		{ "payloads that are no ranges", test_range_payloads },
		{ "ranges outside and too large", test_range_places },
		{ "flags of ranges", test_range_flags },
		{ "discard where it cannot be", test_discard_that_cannot_be },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("blk-ranges", tests);
}
