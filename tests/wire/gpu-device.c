/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's end of the vhost-user-gpu socket, byte for byte: what it sends and takes, and what it does not let through.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vhost/gpu.h>

#include "tests/wire/gpu-rig.h"

static struct vh_gpu *gpu;
static int answers, answer_err;
static union {
	uint64_t features;
	struct vh_gpu_display_info info;
	struct vh_gpu_edid edid;
} answer;
static size_t answer_size;

static void
answered (void *opaque, int err, const void *value)
{
	answers++;
	answer_err = err;
	if (err == 0 && value)
		memcpy (&answer, value, answer_size);
	CU_ASSERT_EQUAL (value == NULL, err < 0 || answer_size == 0);
}

static void
open_gpu (void)
{
	answers = answer_err = 0;
	CU_ASSERT_EQUAL_FATAL (vh_gpu_new (open_pair (), NULL, &gpu), 0);
}

static void
close_gpu (void)
{
	vh_gpu_free (gpu);
	close (far_end);
}

static void
device_features (void)
{
	open_gpu ();
	answer_size = sizeof (answer.features);
	CU_ASSERT_EQUAL (vh_gpu_get_protocol_features (gpu, answered, NULL), 0);
	CU_ASSERT_TRUE (expect ("01000000 00000000 00000000", 0));
	/* One at a time. */
	CU_ASSERT_EQUAL (vh_gpu_get_display_info (gpu, answered, NULL), -EAGAIN);
	CU_ASSERT_EQUAL (vh_gpu_dispatch (gpu), 0);
	CU_ASSERT_EQUAL (answers, 0);
	send_hex ("01000000 04000000 08000000 03000000 00000000", 0);
	CU_ASSERT_EQUAL (vh_gpu_dispatch (gpu), 0);
	CU_ASSERT_EQUAL (answers, 1);
	CU_ASSERT_EQUAL (answer.features, 3);
	/* EDID is bit 0 and DMABUF2 bit 1, so their masks are 1 and 2 (rust-vmm has 0 and 1). */
	CU_ASSERT_EQUAL (vh_gpu_set_protocol_features (gpu, 1u << VH_GPU_P_EDID), 0);
	CU_ASSERT_TRUE (expect ("02000000 00000000 08000000 01000000 00000000", 0));
	CU_ASSERT_EQUAL (vh_gpu_set_protocol_features (gpu, 1u << VH_GPU_P_DMABUF2), 0);
	CU_ASSERT_TRUE (expect ("02000000 00000000 08000000 02000000 00000000", 0));
	CU_ASSERT_EQUAL (vh_gpu_protocol_features (gpu), 2);
	CU_ASSERT_EQUAL (vh_gpu_set_protocol_features (gpu, 4), -EINVAL);
	close_gpu ();
}

static void
device_display_info (void)
{
	open_gpu ();
	answer_size = sizeof (answer.info);
	CU_ASSERT_EQUAL (vh_gpu_get_display_info (gpu, answered, NULL), 0);
	CU_ASSERT_TRUE (expect ("03000000 00000000 00000000", 0));
	send_hex (hex_display_info (), 0);
	CU_ASSERT_EQUAL (vh_gpu_dispatch (gpu), 0);
	CU_ASSERT_EQUAL (answers, 1);
	CU_ASSERT_EQUAL (answer.info.scanouts[0].enabled, 0);
	CU_ASSERT_EQUAL (answer.info.scanouts[1].x, 1);
	CU_ASSERT_EQUAL (answer.info.scanouts[1].y, 2);
	CU_ASSERT_EQUAL (answer.info.scanouts[1].width, 640);
	CU_ASSERT_EQUAL (answer.info.scanouts[1].height, 480);
	CU_ASSERT_EQUAL (answer.info.scanouts[1].enabled, 1);
	CU_ASSERT_EQUAL (answer.info.scanouts[1].flags, 7);
	close_gpu ();
}

static void
device_edid (void)
{
	open_gpu ();
	answer_size = sizeof (answer.edid);
	CU_ASSERT_EQUAL (vh_gpu_get_edid (gpu, 2, answered, NULL), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_gpu_set_protocol_features (gpu, 1), 0);
	CU_ASSERT_TRUE (expect ("02000000 00000000 08000000 01000000 00000000", 0));
	CU_ASSERT_EQUAL (vh_gpu_get_edid (gpu, 16, answered, NULL), -EINVAL);
	CU_ASSERT_EQUAL (vh_gpu_get_edid (gpu, 2, answered, NULL), 0);
	CU_ASSERT_TRUE (expect ("0b000000 00000000 04000000 02000000", 0));
	send_hex (hex_edid ("00010000"), 0);
	CU_ASSERT_EQUAL (vh_gpu_dispatch (gpu), 0);
	CU_ASSERT_EQUAL (answers, 1);
	CU_ASSERT_EQUAL (answer.edid.size, 256);
	CU_ASSERT_EQUAL (answer.edid.data[255], 0x55);
	/* Larger than it can be. */
	CU_ASSERT_EQUAL (vh_gpu_get_edid (gpu, 2, answered, NULL), 0);
	CU_ASSERT_TRUE (expect ("0b000000 00000000 04000000 02000000", 0));
	send_hex (hex_edid ("01040000"), 0);
	CU_ASSERT_EQUAL (vh_gpu_dispatch (gpu), -EBADMSG);
	CU_ASSERT_EQUAL (answer_err, -EBADMSG);
	CU_ASSERT_EQUAL (vh_gpu_fd (gpu), -1);
	close_gpu ();
}

static void
device_cursor (void)
{
	static char hex[2 * 16500];
	struct vh_gpu_cursor c = { .scanout = 1, .x = 0x102, .y = 0x304, .hot_x = 5, .hot_y = 6 };
	uint32_t pixels[VH_GPU_CURSOR_SIZE * VH_GPU_CURSOR_SIZE];
	char *p;

	for (unsigned i = 0; i < VH_GPU_CURSOR_SIZE * VH_GPU_CURSOR_SIZE; i++)
		pixels[i] = 0x77777777;
	pixels[0] = 0xff010203;
	open_gpu ();
	CU_ASSERT_EQUAL (vh_gpu_move_cursor (gpu, &c, 1), 0);
	CU_ASSERT_TRUE (expect ("04000000 00000000 0c000000 01000000 02010000 04030000", 0));
	CU_ASSERT_EQUAL (vh_gpu_move_cursor (gpu, &c, 0), 0);
	CU_ASSERT_TRUE (expect ("05000000 00000000 0c000000 01000000 02010000 04030000", 0));
	CU_ASSERT_EQUAL (vh_gpu_set_cursor (gpu, &c, pixels), 0);
	p = hex + sprintf (hex, "06000000 00000000 14400000 01000000 02010000 04030000 05000000 06000000 030201ff");
	memset (p, '7', 2 * (16384 - 4));
	CU_ASSERT_TRUE (expect (hex, 0));
	c.scanout = 16;
	CU_ASSERT_EQUAL (vh_gpu_move_cursor (gpu, &c, 1), -EINVAL);
	CU_ASSERT_EQUAL (vh_gpu_set_cursor (gpu, &c, pixels), -EINVAL);
	close_gpu ();
}

static void
device_pictures (void)
{
	/* Two rows of a picture that is four wide, of which three are sent. */
	static const uint32_t pixels[8] = { 1, 2, 3, 99, 4, 5, 6, 99 };
	struct vh_gpu_rect r = { .scanout = 0, .x = 10, .y = 20, .width = 3, .height = 2 };

	open_gpu ();
	CU_ASSERT_EQUAL (vh_gpu_set_scanout (gpu, 3, 640, 480), 0);
	CU_ASSERT_TRUE (expect ("07000000 00000000 0c000000 03000000 80020000 e0010000", 0));
	CU_ASSERT_EQUAL (vh_gpu_set_scanout (gpu, 3, 0, 0), 0);
	CU_ASSERT_TRUE (expect ("07000000 00000000 0c000000 03000000 00000000 00000000", 0));
	CU_ASSERT_EQUAL (vh_gpu_update (gpu, &r, pixels, 16), 0);
	CU_ASSERT_TRUE (expect ("08000000 00000000 2c000000 00000000 0a000000 14000000 03000000 02000000"
				"01000000 02000000 03000000 04000000 05000000 06000000",
				0));
	CU_ASSERT_EQUAL (vh_gpu_update (gpu, &r, pixels, 8), -EINVAL);
	CU_ASSERT_EQUAL (vh_gpu_set_scanout (gpu, 16, 1, 1), -EINVAL);
	CU_ASSERT_EQUAL (vh_gpu_set_scanout (gpu, 0, 16385, 1), -EINVAL);
	CU_ASSERT_EQUAL (vh_gpu_set_scanout (gpu, 0, 8192, 8192), -EINVAL);
	close_gpu ();
}

static void
device_dmabufs (void)
{
	struct vh_gpu_dmabuf d = {
		.rect = { .scanout = 1, .x = 2, .y = 3, .width = 4, .height = 5 },
		.fd_width = 6, .fd_height = 7, .fd_stride = 8, .fd_flags = 9, .fourcc = 0x34325258,
	};
	int fd = eventfd (0, EFD_CLOEXEC);

	open_gpu ();
	answer_size = 0;
	CU_ASSERT_EQUAL (vh_gpu_set_dmabuf (gpu, &d, fd), 0);
	CU_ASSERT_TRUE (expect ("09000000 00000000 28000000 01000000 02000000 03000000 04000000 05000000 06000000 07000000 08000000 09000000 58523234", 1));
	d.modifier = UINT64_C (0x0102030405060708);
	CU_ASSERT_EQUAL (vh_gpu_set_dmabuf (gpu, &d, fd), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_gpu_set_protocol_features (gpu, 2), 0);
	CU_ASSERT_TRUE (expect ("02000000 00000000 08000000 02000000 00000000", 0));
	CU_ASSERT_EQUAL (vh_gpu_set_dmabuf (gpu, &d, fd), 0);
	CU_ASSERT_TRUE (expect ("0c000000 00000000 30000000 01000000 02000000 03000000 04000000 05000000 06000000 07000000 08000000 09000000 58523234"
				"08070605 04030201",
				1));
	memset (&d, 0, sizeof (d));
	CU_ASSERT_EQUAL (vh_gpu_set_dmabuf (gpu, &d, -1), 0);
	CU_ASSERT_TRUE (expect ("09000000 00000000 28000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000", 0));
	/* The buffer is the display's until it has answered; other messages may go meanwhile. */
	d.rect = (struct vh_gpu_rect){ 1, 2, 3, 4, 5 };
	CU_ASSERT_EQUAL (vh_gpu_update_dmabuf (gpu, &d.rect, answered, NULL), 0);
	CU_ASSERT_TRUE (expect ("0a000000 00000000 14000000 01000000 02000000 03000000 04000000 05000000", 0));
	CU_ASSERT_EQUAL (vh_gpu_update_dmabuf (gpu, &d.rect, answered, NULL), -EAGAIN);
	CU_ASSERT_EQUAL (vh_gpu_set_scanout (gpu, 0, 1, 1), 0);
	CU_ASSERT_TRUE (expect ("07000000 00000000 0c000000 00000000 01000000 01000000", 0));
	send_hex ("0a000000 04000000 00000000", 0);
	CU_ASSERT_EQUAL (vh_gpu_dispatch (gpu), 0);
	CU_ASSERT_EQUAL (answers, 1);
	close (fd);
	close_gpu ();
}

/* A display that does not read: a large picture leaves in pieces, and the next one has to wait. */
static void
device_and_a_display_that_does_not_read (void)
{
	static uint32_t pixels[1024 * 1024];
	static uint8_t got[1u << 16];
	struct vh_gpu_rect r = { .width = 1024, .height = 1024 };
	size_t total = 0;

	for (size_t i = 0; i < 1024 * 1024; i++)
		pixels[i] = (uint32_t) i;
	open_gpu ();
	CU_ASSERT_EQUAL (vh_gpu_events (gpu), POLLIN);
	CU_ASSERT_EQUAL (vh_gpu_update (gpu, &r, pixels, 4096), 0);
	CU_ASSERT_EQUAL (vh_gpu_events (gpu), POLLIN | POLLOUT);
	CU_ASSERT_EQUAL (vh_gpu_set_scanout (gpu, 0, 1, 1), -EAGAIN);
	while (total < 32 + 4u * 1024 * 1024) {
		ssize_t n = bytes_receive (far_end, got, sizeof (got), NULL, NULL);

		if (n == -EAGAIN) {
			CU_ASSERT_EQUAL_FATAL (vh_gpu_dispatch (gpu), 0);
			continue;
		}
		CU_ASSERT_TRUE_FATAL (n > 0);
		for (ssize_t i = 0; i < n; i++)
			if (total + (size_t) i >= 32 && got[i] != ((const uint8_t *) pixels)[total + (size_t) i - 32])
				CU_FAIL_FATAL ("another picture");
		total += (size_t) n;
	}
	CU_ASSERT_EQUAL (vh_gpu_events (gpu), POLLIN);
	CU_ASSERT_EQUAL (vh_gpu_set_scanout (gpu, 0, 1, 1), 0);
	close_gpu ();
}

static void
device_and_answers_that_are_none (void)
{
	static const struct {
		const char *hex;
		int err;
		unsigned fds;
	} wrong[] = {
		{ "03000000 04000000 08000000 00000000 00000000", -EPROTO, 0 },	/* to another request */
		{ "01000000 00000000 08000000 00000000 00000000", -EPROTO, 0 },	/* no REPLY */
		{ "01000000 05000000 08000000 00000000 00000000", -EPROTO, 0 },	/* a version, as vhost-user has it */
		{ "01000000 04000000 04000000 00000000", -EBADMSG, 0 },
		{ "01000000 04000000 00000000", -EBADMSG, 0 },
		{ "01000000 04000000 ffffffff 00000000", -EBADMSG, 0 },
		{ "01000000 04000000 08000000 00000000 00000000", -EPROTO, 1 },
		{ "01000000 04000000 08000000 00000000 00000000", -EBADMSG, 2 },
	};
	int before = suite_open_fds ();

	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++) {
		open_gpu ();
		answer_size = 8;
		CU_ASSERT_EQUAL (vh_gpu_get_protocol_features (gpu, answered, NULL), 0);
		send_hex (wrong[i].hex, wrong[i].fds);
		CU_ASSERT_EQUAL (vh_gpu_dispatch (gpu), wrong[i].err);
		CU_ASSERT_EQUAL (answers, 1);
		CU_ASSERT_EQUAL (answer_err, wrong[i].err);
		CU_ASSERT_STRING_NOT_EQUAL (vh_gpu_error (gpu), "");
		CU_ASSERT_EQUAL (vh_gpu_set_scanout (gpu, 0, 1, 1), -ECONNRESET);
		close_gpu ();
	}
	/* Nothing was asked. */
	open_gpu ();
	send_hex ("0a000000 04000000 00000000", 0);
	CU_ASSERT_EQUAL (vh_gpu_dispatch (gpu), -EPROTO);
	CU_ASSERT_EQUAL (answers, 0);
	close_gpu ();
	/* The display goes. */
	open_gpu ();
	CU_ASSERT_EQUAL (vh_gpu_get_protocol_features (gpu, answered, NULL), 0);
	shutdown (far_end, SHUT_RDWR);
	CU_ASSERT_EQUAL (vh_gpu_dispatch (gpu), -ECONNRESET);
	CU_ASSERT_EQUAL (answer_err, -ECONNRESET);
	close_gpu ();
	/* We go. */
	open_gpu ();
	CU_ASSERT_EQUAL (vh_gpu_get_protocol_features (gpu, answered, NULL), 0);
	close_gpu ();
	CU_ASSERT_EQUAL (answers, 1);
	CU_ASSERT_EQUAL (answer_err, -ECONNRESET);
	CU_ASSERT_EQUAL (suite_open_fds (), before);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "device: GET_PROTOCOL_FEATURES, SET_PROTOCOL_FEATURES", device_features },
		{ "device: GET_DISPLAY_INFO", device_display_info },
		{ "device: GET_EDID", device_edid },
		{ "device: CURSOR_POS, CURSOR_POS_HIDE, CURSOR_UPDATE", device_cursor },
		{ "device: SCANOUT, UPDATE", device_pictures },
		{ "device: DMABUF_SCANOUT, DMABUF_SCANOUT2, DMABUF_UPDATE", device_dmabufs },
		{ "device: a display that does not read", device_and_a_display_that_does_not_read },
		{ "device: answers that are none", device_and_answers_that_are_none },
		CU_TEST_INFO_NULL,
	};

	if (htole16 (1) != 1)
		return 77;	/* the bytes are written down for little-endian hosts */
	return suite_run ("vhost-user-gpu, the device", tests);
}
