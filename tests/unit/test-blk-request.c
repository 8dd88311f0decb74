/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parsing of virtio-blk requests: layouts, limits, and what a hostile driver may put into a chain.
 */
#include <errno.h>
#include <string.h>

#include "tests/suite.h"
#include "tests/unit/blk-chain.h"

/* --- layouts --- */

static void
test_usual_read (void)
{
	struct chain c;

	chain_usual (&c, VIRTIO_BLK_T_IN, 3, 4096);
	chain_parse (&c, &writable);
	CU_ASSERT_EQUAL (c.request.kind, REQUEST_READ);
	CU_ASSERT_EQUAL (c.request.offset, 3 * 512);
	CU_ASSERT_EQUAL (c.request.left, 4096);
	CU_ASSERT_EQUAL (c.request.n_parts, 1);
	CU_ASSERT_PTR_EQUAL (c.request.parts[0].iov_base, c.data);
	CU_ASSERT_EQUAL (c.request.parts[0].iov_len, 4096);
	CU_ASSERT_EQUAL (request_finish (&c.request, VIRTIO_BLK_S_OK), 4097);
	CU_ASSERT_EQUAL (c.status, VIRTIO_BLK_S_OK);
}

static void
test_usual_write (void)
{
	struct chain c;

	chain_usual (&c, VIRTIO_BLK_T_OUT, 3, 4096);
	chain_parse (&c, &writable);
	CU_ASSERT_EQUAL (c.request.kind, REQUEST_WRITE);
	CU_ASSERT_EQUAL (c.request.n_parts, 1);
	CU_ASSERT_PTR_EQUAL (c.request.parts[0].iov_base, c.data);
	CU_ASSERT_FALSE (c.request.durable);
	CU_ASSERT_EQUAL (request_finish (&c.request, VIRTIO_BLK_S_OK), 1);
}

static void
test_header_in_parts (void)
{
	struct chain c;

	chain_begin (&c, VIRTIO_BLK_T_OUT, 9);
	chain_add_out (&c, &c.header, 7);
	chain_add_out (&c, (char *) &c.header + 7, sizeof (c.header) - 7);
	chain_add_out (&c, c.data, 512);
	chain_add_in (&c, &c.status, 1);
	chain_parse (&c, &writable);
	CU_ASSERT_EQUAL (c.request.kind, REQUEST_WRITE);
	CU_ASSERT_EQUAL (c.request.offset, 9 * 512);
	CU_ASSERT_EQUAL (c.request.n_parts, 1);
	CU_ASSERT_PTR_EQUAL (c.request.parts[0].iov_base, c.data);
}

/* Header and data in one descriptor, and data and status in one. */
static void
test_data_beside_header_and_status (void)
{
	struct chain c;

	chain_begin (&c, VIRTIO_BLK_T_OUT, 1);
	memcpy (c.data, &c.header, sizeof (c.header));
	chain_add_out (&c, c.data, sizeof (c.header) + 1024);
	chain_add_in (&c, &c.status, 1);
	chain_parse (&c, &writable);
	CU_ASSERT_EQUAL (c.request.kind, REQUEST_WRITE);
	CU_ASSERT_PTR_EQUAL (c.request.parts[0].iov_base, c.data + sizeof (c.header));
	CU_ASSERT_EQUAL (c.request.left, 1024);

	chain_begin (&c, VIRTIO_BLK_T_IN, 1);
	chain_add_out (&c, &c.header, sizeof (c.header));
	chain_add_in (&c, c.data, 1025);
	chain_parse (&c, &writable);
	CU_ASSERT_EQUAL (c.request.kind, REQUEST_READ);
	CU_ASSERT_EQUAL (c.request.left, 1024);
	CU_ASSERT_EQUAL (c.request.parts[0].iov_len, 1024);
	CU_ASSERT_EQUAL (request_finish (&c.request, VIRTIO_BLK_S_OK), 1025);
	CU_ASSERT_EQUAL (c.data[1024], VIRTIO_BLK_S_OK);
	CU_ASSERT_EQUAL (c.data[1025], UNTOUCHED);
}

static void
test_many_buffers (void)
{
	struct chain c;

	chain_begin (&c, VIRTIO_BLK_T_IN, 0);
	chain_add_out (&c, &c.header, sizeof (c.header));
	for (unsigned i = 0; i < 16; i++)
		chain_add_in (&c, c.data + i * 512, 512);
	chain_add_in (&c, &c.status, 1);
	chain_parse (&c, &writable);
	CU_ASSERT_EQUAL (c.request.kind, REQUEST_READ);
	CU_ASSERT_EQUAL (c.request.n_parts, 16);
	CU_ASSERT_EQUAL (c.request.left, 16 * 512);
}

static void
test_sector_over_odd_buffers (void)
{
	struct chain c;

	chain_begin (&c, VIRTIO_BLK_T_IN, 0);
	chain_add_out (&c, &c.header, sizeof (c.header));
	chain_add_in (&c, c.data, 1);
	chain_add_in (&c, c.data + 1, 510);
	chain_add_in (&c, c.data + 511, 2);
	chain_parse (&c, &writable);
	CU_ASSERT_EQUAL (c.request.kind, REQUEST_READ);
	CU_ASSERT_EQUAL (c.request.n_parts, 3);
	CU_ASSERT_EQUAL (c.request.parts[2].iov_len, 1);
	CU_ASSERT_PTR_EQUAL (c.request.status, c.data + 512);
}

static void
test_advance (void)
{
	struct chain c;

	chain_begin (&c, VIRTIO_BLK_T_IN, 4);
	chain_add_out (&c, &c.header, sizeof (c.header));
	chain_add_in (&c, c.data, 512);
	chain_add_in (&c, c.data + 512, 512);
	chain_add_in (&c, &c.status, 1);
	chain_parse (&c, &writable);
	request_advance (&c.request, 700);
	CU_ASSERT_EQUAL (c.request.left, 324);
	CU_ASSERT_EQUAL (c.request.bytes, 1024);
	CU_ASSERT_EQUAL (c.request.offset, 4 * 512 + 700);
	CU_ASSERT_EQUAL (c.request.n_parts, 1);
	CU_ASSERT_PTR_EQUAL (c.request.parts[0].iov_base, c.data + 700);
	CU_ASSERT_EQUAL (c.request.parts[0].iov_len, 324);
}

/* --- chains that are no requests --- */

static void
test_header_only (void)
{
	struct chain c;

	chain_begin (&c, VIRTIO_BLK_T_IN, 0);
	chain_add_out (&c, &c.header, sizeof (c.header));
	chain_answered (&c, &writable, VIRTIO_BLK_S_IOERR);
	CU_ASSERT_EQUAL (c.vh.in_bytes, 0);
}

static void
test_status_only (void)
{
	struct chain c;

	chain_begin (&c, VIRTIO_BLK_T_IN, 0);
	chain_add_in (&c, &c.status, 1);
	chain_refused (&c, &writable, VIRTIO_BLK_S_IOERR);
}

static void
test_short_header (void)
{
	struct chain c;

	chain_begin (&c, VIRTIO_BLK_T_IN, 0);
	chain_add_out (&c, &c.header, 8);
	chain_add_in (&c, c.data, 512);
	chain_add_in (&c, &c.status, 1);
	chain_refused (&c, &writable, VIRTIO_BLK_S_IOERR);
	CU_ASSERT_EQUAL (c.data[0], UNTOUCHED);
}

static void
test_empty_chain (void)
{
	struct chain c;

	chain_begin (&c, VIRTIO_BLK_T_IN, 0);
	chain_answered (&c, &writable, VIRTIO_BLK_S_IOERR);
}

static void
test_unmapped_with_status (void)
{
	struct chain c;

	chain_begin (&c, VIRTIO_BLK_T_IN, 0);
	chain_add_in (&c, &c.status, 1);
	c.vh.error = -EFAULT;
	chain_refused (&c, &writable, VIRTIO_BLK_S_IOERR);
}

static void
test_unmapped_without_status (void)
{
	struct chain c;

	chain_begin (&c, VIRTIO_BLK_T_IN, 0);
	c.vh.error = -EFAULT;
	chain_answered (&c, &writable, VIRTIO_BLK_S_IOERR);
	CU_ASSERT_EQUAL (c.status, UNTOUCHED);
}

/* A part without bytes has no last byte: the status is before it. */
static void
test_empty_last_part (void)
{
	struct chain c;

	chain_begin (&c, VIRTIO_BLK_T_FLUSH, 0);
	chain_add_out (&c, &c.header, sizeof (c.header));
	chain_add_in (&c, &c.status, 1);
	chain_add_in (&c, c.data, 0);
	chain_parse (&c, &writable);
	CU_ASSERT_PTR_EQUAL (c.request.status, &c.status);
}

static void
test_data_in_the_wrong_direction (void)
{
	struct chain c;

	/* A read whose buffer is for the device to read. */
	chain_begin (&c, VIRTIO_BLK_T_IN, 0);
	chain_add_out (&c, &c.header, sizeof (c.header));
	chain_add_out (&c, c.data, 512);
	chain_add_in (&c, &c.status, 1);
	chain_refused (&c, &writable, VIRTIO_BLK_S_IOERR);

	/* A write whose buffer is for the device to write. */
	chain_begin (&c, VIRTIO_BLK_T_OUT, 0);
	chain_add_out (&c, &c.header, sizeof (c.header));
	chain_add_in (&c, c.data, 512);
	chain_add_in (&c, &c.status, 1);
	chain_refused (&c, &writable, VIRTIO_BLK_S_IOERR);
	CU_ASSERT_EQUAL (c.data[0], UNTOUCHED);

	/* Both. */
	chain_begin (&c, VIRTIO_BLK_T_OUT, 0);
	chain_add_out (&c, &c.header, sizeof (c.header));
	chain_add_out (&c, c.data, 512);
	chain_add_in (&c, c.data + 512, 512);
	chain_add_in (&c, &c.status, 1);
	chain_refused (&c, &writable, VIRTIO_BLK_S_IOERR);
}

/* --- sizes and places --- */

static void
test_sizes (void)
{
	static const size_t wrong[] = { 0, 1, 511, 513, 1000, 4097 };
	struct chain c;

	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++) {
		chain_usual (&c, VIRTIO_BLK_T_IN, 0, wrong[i]);
		chain_refused (&c, &writable, VIRTIO_BLK_S_IOERR);
		chain_usual (&c, VIRTIO_BLK_T_OUT, 0, wrong[i]);
		chain_refused (&c, &writable, VIRTIO_BLK_S_IOERR);
	}
}

static void
test_end_of_the_disk (void)
{
	static const uint64_t wrong[] = { SECTORS - 7, SECTORS - 1, SECTORS, SECTORS + 1, UINT64_C (1) << 40, UINT64_MAX / 512, UINT64_MAX / 512 + 1,
					  UINT64_MAX - 7, UINT64_MAX };
	struct chain c;

	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++) {
		chain_usual (&c, VIRTIO_BLK_T_IN, wrong[i], 4096);
		chain_refused (&c, &writable, VIRTIO_BLK_S_IOERR);
		chain_usual (&c, VIRTIO_BLK_T_OUT, wrong[i], 4096);
		chain_refused (&c, &writable, VIRTIO_BLK_S_IOERR);
	}
	chain_usual (&c, VIRTIO_BLK_T_IN, SECTORS - 8, 4096);
	chain_parse (&c, &writable);
	CU_ASSERT_EQUAL (c.request.kind, REQUEST_READ);
}

static void
test_large_blocks (void)
{
	struct request_limits limits = writable;
	struct chain c;

	limits.block_size = 4096;
	chain_usual (&c, VIRTIO_BLK_T_IN, 0, 512);
	chain_refused (&c, &limits, VIRTIO_BLK_S_IOERR);
	chain_usual (&c, VIRTIO_BLK_T_IN, 1, 4096);
	chain_refused (&c, &limits, VIRTIO_BLK_S_IOERR);
	chain_usual (&c, VIRTIO_BLK_T_IN, 8, 4096);
	chain_parse (&c, &limits);
	CU_ASSERT_EQUAL (c.request.kind, REQUEST_READ);
}

static void
test_empty_disk (void)
{
	struct request_limits limits = writable;
	struct chain c;

	limits.capacity = 0;
	chain_usual (&c, VIRTIO_BLK_T_IN, 0, 512);
	chain_refused (&c, &limits, VIRTIO_BLK_S_IOERR);
}

/* --- types --- */

static void
test_unknown_types (void)
{
	static const uint32_t types[] = { 0xdead, 2, 3, 5, 7, 9, 10, 12, VIRTIO_BLK_T_SECURE_ERASE, 0x80000000, 0x80000001, UINT32_MAX };
	struct chain c;

	for (unsigned i = 0; i < sizeof (types) / sizeof (types[0]); i++) {
		chain_usual (&c, types[i], 0, 512);
		chain_refused (&c, &writable, VIRTIO_BLK_S_UNSUPP);
	}
}

static void
test_flush (void)
{
	struct chain c;

	chain_usual (&c, VIRTIO_BLK_T_FLUSH, 0, 0);
	chain_parse (&c, &writable);
	CU_ASSERT_EQUAL (c.request.kind, REQUEST_FLUSH);
}

static void
test_get_id (void)
{
	static const char id[VIRTIO_BLK_ID_BYTES] = "disk-1";
	struct chain c;

	chain_usual (&c, VIRTIO_BLK_T_GET_ID, 0, sizeof (id));
	chain_refused (&c, &writable, VIRTIO_BLK_S_OK);
	CU_ASSERT_EQUAL (memcmp (c.data, id, sizeof (id)), 0);
	CU_ASSERT_EQUAL (c.data[sizeof (id)], UNTOUCHED);

	/* More room, less room, no room. */
	chain_usual (&c, VIRTIO_BLK_T_GET_ID, 0, 100);
	chain_refused (&c, &writable, VIRTIO_BLK_S_OK);
	CU_ASSERT_EQUAL (c.data[sizeof (id)], UNTOUCHED);
	chain_usual (&c, VIRTIO_BLK_T_GET_ID, 0, 4);
	chain_refused (&c, &writable, VIRTIO_BLK_S_OK);
	CU_ASSERT_EQUAL (memcmp (c.data, "disk", 4), 0);
	CU_ASSERT_EQUAL (c.data[4], UNTOUCHED);
	chain_usual (&c, VIRTIO_BLK_T_GET_ID, 0, 0);
	chain_refused (&c, &writable, VIRTIO_BLK_S_OK);
}

/* A serial number of 20 bytes has no NUL on the wire. */
static void
test_long_id (void)
{
	struct request_limits limits = writable;
	struct chain c;

	limits.serial = "12345678901234567890";
	chain_usual (&c, VIRTIO_BLK_T_GET_ID, 0, 20);
	chain_refused (&c, &limits, VIRTIO_BLK_S_OK);
	CU_ASSERT_EQUAL (memcmp (c.data, limits.serial, 20), 0);
}

static void
test_read_only (void)
{
	static const uint32_t writes[] = { VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES };
	struct request_limits limits = writable;
	struct chain c;

	limits.read_only = true;
	for (unsigned i = 0; i < 3; i++) {
		chain_usual (&c, writes[i], 0, 512);
		chain_refused (&c, &limits, VIRTIO_BLK_S_IOERR);
	}
	chain_usual (&c, VIRTIO_BLK_T_FLUSH, 0, 0);
	chain_refused (&c, &limits, VIRTIO_BLK_S_OK);
	chain_usual (&c, VIRTIO_BLK_T_IN, 0, 512);
	chain_parse (&c, &limits);
	CU_ASSERT_EQUAL (c.request.kind, REQUEST_READ);
}

static void
test_write_through (void)
{
	struct request_limits limits = writable;
	struct chain c;

	limits.durable = true;
	chain_usual (&c, VIRTIO_BLK_T_OUT, 0, 512);
	chain_parse (&c, &limits);
	CU_ASSERT_TRUE (c.request.durable);
}

/* --- results --- */

static void
test_status_of_results (void)
{
	struct request r = { .kind = REQUEST_WRITE };

	CU_ASSERT_EQUAL (request_status (&r, 0), VIRTIO_BLK_S_OK);
	CU_ASSERT_EQUAL (request_status (&r, -EIO), VIRTIO_BLK_S_IOERR);
	CU_ASSERT_EQUAL (request_status (&r, -ENOSPC), VIRTIO_BLK_S_IOERR);
	CU_ASSERT_EQUAL (request_status (&r, -EOPNOTSUPP), VIRTIO_BLK_S_IOERR);
	r.kind = REQUEST_DISCARD;
	CU_ASSERT_EQUAL (request_status (&r, -EOPNOTSUPP), VIRTIO_BLK_S_UNSUPP);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "a read as drivers make it", test_usual_read },
		{ "a write as drivers make it", test_usual_write },
		{ "a header in two parts", test_header_in_parts },
		{ "data in the descriptors of header and status", test_data_beside_header_and_status },
		{ "sixteen buffers", test_many_buffers },
		{ "a sector over odd buffers", test_sector_over_odd_buffers },
		{ "going on in the middle of a part", test_advance },
		{ "a header only", test_header_only },
		{ "a status only", test_status_only },
		{ "a header of 8 bytes", test_short_header },
		{ "nothing at all", test_empty_chain },
		{ "unmapped parts, a status that can be reached", test_unmapped_with_status },
		{ "unmapped parts, no status", test_unmapped_without_status },
		{ "a last part without bytes", test_empty_last_part },
		{ "data in the wrong direction", test_data_in_the_wrong_direction },
		{ "sizes that are no sectors", test_sizes },
		{ "the end of the disk", test_end_of_the_disk },
		{ "blocks of 4096 bytes", test_large_blocks },
		{ "a disk without capacity", test_empty_disk },
		{ "types that are unknown", test_unknown_types },
		{ "flush", test_flush },
		{ "the serial number, by room for it", test_get_id },
		{ "a serial number of 20 bytes", test_long_id },
		{ "a disk that is read-only", test_read_only },
		{ "write-through", test_write_through },
		{ "results and status", test_status_of_results },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("blk-request", tests);
}
