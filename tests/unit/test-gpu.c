/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table and the payloads of the vhost-user-gpu socket, against numbers that were typed here from its specification: ids, sizes, masks of features, and
 * where the fields are.  gpu-device.c and gpu-display.c have whole messages.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "tests/suite.h"
#include "wire/gpu-message.h"

#define LENGTH(array) (sizeof (array) / sizeof ((array)[0]))

/* --- rows --- */

/* The specification's number, and the library's. */
struct number {
	uint64_t typed, ours;
};

#define GPU(name, number) { number, GPU_##name }

static const struct number ids[] = {
	GPU (GET_PROTOCOL_FEATURES, 1), GPU (SET_PROTOCOL_FEATURES, 2), GPU (GET_DISPLAY_INFO, 3), GPU (CURSOR_POS, 4), GPU (CURSOR_POS_HIDE, 5),
	GPU (CURSOR_UPDATE, 6), GPU (SCANOUT, 7), GPU (UPDATE, 8), GPU (DMABUF_SCANOUT, 9), GPU (DMABUF_UPDATE, 10), GPU (GET_EDID, 11),
	GPU (DMABUF_SCANOUT2, 12),
};

/* Size of a header and its flag; feature bits (numbers, not masks); scanouts, side of a cursor, bytes of an EDID. */
static const struct number numbers[] = {
	{ 12, GPU_HEADER_SIZE }, { 4, GPU_REPLY },
	{ 0, VH_GPU_P_EDID }, { 1, VH_GPU_P_DMABUF2 },
	{ 16, VH_GPU_MAX_SCANOUTS }, { 64, VH_GPU_CURSOR_SIZE }, { 1024, VH_GPU_MAX_EDID },
};

#define NO_REPLY (-1)

/* A row as it should be: bytes, whether pixels follow, most fds, bytes of the reply, and the mask of its feature (a mask: not the bit's number). */
struct expected {
	const char *name;
	unsigned size;
	bool pixels;
	unsigned fds;
	int reply;
	unsigned mask;
};

static const struct expected rows[] = {
	[1] = { "GET_PROTOCOL_FEATURES", 0, false, 0, 8, 0 },
	[2] = { "SET_PROTOCOL_FEATURES", 8, false, 0, NO_REPLY, 0 },
	[3] = { "GET_DISPLAY_INFO", 0, false, 0, 408, 0 },
	[4] = { "CURSOR_POS", 12, false, 0, NO_REPLY, 0 },
	[5] = { "CURSOR_POS_HIDE", 12, false, 0, NO_REPLY, 0 },
	[6] = { "CURSOR_UPDATE", 16404, false, 0, NO_REPLY, 0 },
	[7] = { "SCANOUT", 12, false, 0, NO_REPLY, 0 },
	[8] = { "UPDATE", 20, true, 0, NO_REPLY, 0 },
	[9] = { "DMABUF_SCANOUT", 40, false, 1, NO_REPLY, 0 },
	[10] = { "DMABUF_UPDATE", 20, false, 0, 0, 0 },
	[11] = { "GET_EDID", 4, false, 0, 1056, 1 },
	[12] = { "DMABUF_SCANOUT2", 48, false, 1, NO_REPLY, 2 },
};

static void
compare_row (const struct gpu_row *row, const struct expected *e)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL (row);
	CU_ASSERT_STRING_EQUAL (row->name, e->name);
	CU_ASSERT_EQUAL (row->size, e->size);
	CU_ASSERT_EQUAL (row->pixels, e->pixels);
	CU_ASSERT_EQUAL (row->max_fds, e->fds);
	CU_ASSERT_EQUAL (row->reply, e->reply != NO_REPLY);
	if (e->reply != NO_REPLY)
		CU_ASSERT_EQUAL (row->reply_size, (unsigned) e->reply);
	CU_ASSERT_EQUAL (row->feature, e->mask);
}

static void
rows_are_the_specifications (void)
{
	static const uint32_t none[] = { 0, 13, 14, 255, 256, 65537, 0x80000001, 0xffffffff };

	CU_ASSERT_EQUAL (LENGTH (ids), 12);
	for (size_t i = 0; i < LENGTH (ids); i++)
		CU_ASSERT_EQUAL (ids[i].typed, ids[i].ours);
	CU_ASSERT_EQUAL (GPU_REQUEST_END, 13);
	CU_ASSERT_EQUAL (LENGTH (rows), 13);
	for (uint32_t id = 1; id <= 12; id++)
		compare_row (gpu_row (id), &rows[id]);
	for (size_t i = 0; i < LENGTH (none); i++)
		CU_ASSERT_PTR_NULL (gpu_row (none[i]));
}

static void
numbers_are_the_specifications (void)
{
	for (size_t i = 0; i < LENGTH (numbers); i++)
		CU_ASSERT_EQUAL (numbers[i].typed, numbers[i].ours);
}

/* --- where fields are --- */

static uint8_t bytes[16404];	/* the largest payload without pixels of any number */

/* The number of so many bytes at an offset, little-endian: as are the hosts that the bytes of these tests are for. */
static uint64_t
at (unsigned offset, unsigned size)
{
	uint64_t n = 0;

	for (unsigned i = size; i-- > 0;)
		n = n << 8 | bytes[offset + i];
	return n;
}

static void
fill_bytes (void)
{
	for (size_t i = 0; i < sizeof (bytes); i++)
		bytes[i] = (uint8_t) (1 + i % 251);
}

static void
cursors (void)
{
	struct vh_gpu_cursor c = { .scanout = 1, .x = 2, .y = 3, .hot_x = 4, .hot_y = 5 };

	fill_bytes ();
	gpu_put_cursor (bytes, true, &c);
	for (unsigned i = 0; i < 5; i++)
		CU_ASSERT_EQUAL (at (4 * i, 4), i + 1);
	CU_ASSERT_EQUAL (bytes[20], 21);
	fill_bytes ();
	gpu_get_cursor (bytes, true, &c);
	CU_ASSERT_TRUE (c.scanout == at (0, 4) && c.x == at (4, 4) && c.y == at (8, 4) && c.hot_x == at (12, 4) && c.hot_y == at (16, 4));
	/* One that only moves has 12 bytes. */
	gpu_put_cursor (bytes, false, &c);
	CU_ASSERT_EQUAL (bytes[12], 13);
	gpu_get_cursor (bytes, false, &c);
	CU_ASSERT_TRUE (c.y == at (8, 4) && c.hot_x == 0 && c.hot_y == 0);
	CU_ASSERT_EQUAL (GPU_CURSOR_HEAD + GPU_CURSOR_BYTES, 16404);
}

static void
rectangles (void)
{
	struct vh_gpu_rect r = { .scanout = 1, .x = 2, .y = 3, .width = 4, .height = 5 };

	fill_bytes ();
	gpu_put_rect (bytes, &r);
	for (unsigned i = 0; i < 5; i++)
		CU_ASSERT_EQUAL (at (4 * i, 4), i + 1);
	CU_ASSERT_EQUAL (bytes[20], 21);
	fill_bytes ();
	gpu_get_rect (bytes, &r);
	CU_ASSERT_TRUE (r.scanout == at (0, 4) && r.x == at (4, 4) && r.y == at (8, 4) && r.width == at (12, 4) && r.height == at (16, 4));
}

static void
dmabufs (void)
{
	struct vh_gpu_dmabuf d;

	fill_bytes ();
	gpu_get_dmabuf (bytes, true, &d);
	CU_ASSERT_TRUE (d.rect.scanout == at (0, 4) && d.rect.x == at (4, 4) && d.rect.y == at (8, 4));
	CU_ASSERT_TRUE (d.rect.width == at (12, 4) && d.rect.height == at (16, 4) && d.fd_width == at (20, 4));
	CU_ASSERT_TRUE (d.fd_height == at (24, 4) && d.fd_stride == at (28, 4) && d.fd_flags == at (32, 4));
	CU_ASSERT_TRUE ((uint32_t) d.fourcc == at (36, 4) && d.modifier == at (40, 8));
	d.modifier = 0x1122334455667788;
	d.fourcc = -2;
	gpu_put_dmabuf (bytes, true, &d);
	CU_ASSERT_TRUE (at (36, 4) == 0xfffffffe && at (40, 8) == 0x1122334455667788 && bytes[48] == 49);
	/* Without a modifier there are 40 bytes. */
	fill_bytes ();
	gpu_put_dmabuf (bytes, false, &d);
	CU_ASSERT_TRUE (at (36, 4) == 0xfffffffe && bytes[40] == 41);
	gpu_get_dmabuf (bytes, false, &d);
	CU_ASSERT_EQUAL (d.modifier, 0);
}

/* The answers have a header of virtio-gpu, 24 bytes that begin with the kind of answer. */
static void
display_infos (void)
{
	struct vh_gpu_display_info info;

	fill_bytes ();
	gpu_get_display_info (bytes, &info);
	for (unsigned i = 0; i < 16; i++) {
		const struct vh_gpu_scanout_info *s = &info.scanouts[i];
		unsigned first = 24 + 24 * i;

		CU_ASSERT_TRUE (s->x == at (first, 4) && s->y == at (first + 4, 4) && s->width == at (first + 8, 4));
		CU_ASSERT_TRUE (s->height == at (first + 12, 4) && s->enabled == at (first + 16, 4) && s->flags == at (first + 20, 4));
	}
	info.scanouts[15].flags = 0x11223344;
	gpu_put_display_info (bytes, &info);
	CU_ASSERT_TRUE (at (0, 4) == 0x1101 && at (4, 8) == 0 && at (12, 8) == 0 && at (20, 4) == 0);
	CU_ASSERT_TRUE (at (24, 4) == info.scanouts[0].x && at (404, 4) == 0x11223344 && bytes[408] == (1 + 408 % 251));
}

static void
edids (void)
{
	struct vh_gpu_edid e = { .size = 0 };

	fill_bytes ();
	CU_ASSERT_EQUAL (gpu_get_edid (bytes, &e), -EBADMSG);	/* as large as these bytes say */
	memset (bytes + 24, 0, 8);
	bytes[25] = 4;
	CU_ASSERT_EQUAL (gpu_get_edid (bytes, &e), 0);
	CU_ASSERT_EQUAL (e.size, 1024);
	CU_ASSERT_EQUAL (memcmp (e.data, bytes + 32, 1024), 0);
	e.size = 1000;
	gpu_put_edid (bytes, &e);
	CU_ASSERT_TRUE (at (0, 4) == 0x1104 && at (4, 8) == 0 && at (12, 8) == 0 && at (20, 4) == 0);
	CU_ASSERT_TRUE (at (24, 4) == 1000 && at (28, 4) == 0 && bytes[32] == 33 && bytes[32 + 999] == e.data[999]);
	CU_ASSERT_TRUE (bytes[32 + 1000] == 0 && bytes[32 + 1023] == 0 && bytes[1056] == (1 + 1056 % 251));
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "rows are the specification's", rows_are_the_specifications },
		{ "numbers are the specification's", numbers_are_the_specifications },
		{ "cursors", cursors },
		{ "rectangles", rectangles },
		{ "dmabufs", dmabufs },
		{ "display information", display_infos },
		{ "EDIDs", edids },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("the GPU's table and payloads", tests);
}
