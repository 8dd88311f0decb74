/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of requests from a GPU device to its display (vhost-user-gpu), and their payloads.  Answers are structures of virtio-gpu, little-endian by
 * virtio's rules; everything else is in the host's order.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "wire/gpu-message.h"

/* Bits, not masks: rust-vmm's crate has 0 and 1 as masks, so that its EDID is nothing and its DMABUF2 is EDID. */
#define F(name) (UINT64_C (1) << VH_GPU_P_##name)
#define REPLY(n) .reply = true, .reply_size = (n)

const struct gpu_row gpu_rows[GPU_REQUEST_END] = {
	[GPU_GET_PROTOCOL_FEATURES] = { "GET_PROTOCOL_FEATURES", 0, REPLY (8) },
	[GPU_SET_PROTOCOL_FEATURES] = { "SET_PROTOCOL_FEATURES", 8 },
	[GPU_GET_DISPLAY_INFO] = { "GET_DISPLAY_INFO", 0, REPLY (GPU_DISPLAY_INFO_SIZE) },
	[GPU_CURSOR_POS] = { "CURSOR_POS", GPU_POS_SIZE },
	[GPU_CURSOR_POS_HIDE] = { "CURSOR_POS_HIDE", GPU_POS_SIZE },
	[GPU_CURSOR_UPDATE] = { "CURSOR_UPDATE", GPU_CURSOR_HEAD + GPU_CURSOR_BYTES },
	[GPU_SCANOUT] = { "SCANOUT", GPU_SCANOUT_SIZE },
	[GPU_UPDATE] = { "UPDATE", GPU_RECT_SIZE, .pixels = true },
	[GPU_DMABUF_SCANOUT] = { "DMABUF_SCANOUT", GPU_DMABUF_SIZE, .max_fds = 1 },
	[GPU_DMABUF_UPDATE] = { "DMABUF_UPDATE", GPU_RECT_SIZE, REPLY (0) },
	[GPU_GET_EDID] = { "GET_EDID", GPU_EDID_REQUEST_SIZE, REPLY (GPU_EDID_SIZE), .feature = F (EDID) },
	[GPU_DMABUF_SCANOUT2] = { "DMABUF_SCANOUT2", GPU_DMABUF2_SIZE, .max_fds = 1, .feature = F (DMABUF2) },
};

const struct gpu_row *
gpu_row (uint32_t id)
{
	return id < GPU_REQUEST_END && gpu_rows[id].name ? &gpu_rows[id] : NULL;
}

bool
gpu_size_valid (uint32_t width, uint32_t height)
{
	return width <= VH_GPU_MAX_SIDE && height <= VH_GPU_MAX_SIDE && (uint64_t) width * height <= VH_GPU_MAX_PIXELS;
}

/* --- the structures of the wire --- */

struct wire_cursor {
	uint32_t scanout, x, y, hot_x, hot_y;
} __attribute__ ((packed));
_Static_assert (sizeof (struct wire_cursor) == GPU_CURSOR_HEAD, "cursor update");

struct wire_rect {
	uint32_t scanout, x, y, width, height;
} __attribute__ ((packed));
_Static_assert (sizeof (struct wire_rect) == GPU_RECT_SIZE, "update");

struct wire_dmabuf {
	struct wire_rect rect;
	uint32_t fd_width, fd_height, fd_stride, fd_flags;
	int32_t fourcc;
	uint64_t modifier;
} __attribute__ ((packed));
_Static_assert (sizeof (struct wire_dmabuf) == GPU_DMABUF2_SIZE, "dmabuf scanout");
_Static_assert (offsetof (struct wire_dmabuf, modifier) == GPU_DMABUF_SIZE, "dmabuf scanout without modifier");

/* virtio_gpu_ctrl_hdr (virtio 1.2, 5.7.6.7). */
struct wire_control {
	uint32_t type, flags;
	uint64_t fence;
	uint32_t context;
	uint8_t ring, padding[3];
} __attribute__ ((packed));
_Static_assert (sizeof (struct wire_control) == 24, "control header");

#define RESP_OK_DISPLAY_INFO 0x1101u
#define RESP_OK_EDID 0x1104u

struct wire_display_info {
	struct wire_control control;
	uint32_t scanouts[VH_GPU_MAX_SCANOUTS][6];
} __attribute__ ((packed));
_Static_assert (sizeof (struct wire_display_info) == GPU_DISPLAY_INFO_SIZE, "display info");

struct wire_edid {
	struct wire_control control;
	uint32_t size, padding;
	uint8_t data[VH_GPU_MAX_EDID];
} __attribute__ ((packed));
_Static_assert (sizeof (struct wire_edid) == GPU_EDID_SIZE, "EDID");

/* --- bytes to values and back --- */

void
gpu_get_rect (const uint8_t *p, struct vh_gpu_rect *r)
{
	struct wire_rect w;

	memcpy (&w, p, sizeof (w));
	*r = (struct vh_gpu_rect){ .scanout = w.scanout, .x = w.x, .y = w.y, .width = w.width, .height = w.height };
}

void
gpu_put_rect (uint8_t *p, const struct vh_gpu_rect *r)
{
	struct wire_rect w = { .scanout = r->scanout, .x = r->x, .y = r->y, .width = r->width, .height = r->height };

	memcpy (p, &w, sizeof (w));
}

void
gpu_get_cursor (const uint8_t *p, bool hot, struct vh_gpu_cursor *c)
{
	struct wire_cursor w = { 0 };

	memcpy (&w, p, hot ? GPU_CURSOR_HEAD : GPU_POS_SIZE);
	*c = (struct vh_gpu_cursor){ .scanout = w.scanout, .x = w.x, .y = w.y, .hot_x = w.hot_x, .hot_y = w.hot_y };
}

void
gpu_put_cursor (uint8_t *p, bool hot, const struct vh_gpu_cursor *c)
{
	struct wire_cursor w = { .scanout = c->scanout, .x = c->x, .y = c->y, .hot_x = c->hot_x, .hot_y = c->hot_y };

	memcpy (p, &w, hot ? GPU_CURSOR_HEAD : GPU_POS_SIZE);
}

void
gpu_get_dmabuf (const uint8_t *p, bool modifier, struct vh_gpu_dmabuf *d)
{
	struct wire_dmabuf w = { .modifier = 0 };

	memcpy (&w, p, modifier ? GPU_DMABUF2_SIZE : GPU_DMABUF_SIZE);
	gpu_get_rect (p, &d->rect);
	d->fd_width = w.fd_width;
	d->fd_height = w.fd_height;
	d->fd_stride = w.fd_stride;
	d->fd_flags = w.fd_flags;
	d->fourcc = w.fourcc;
	d->modifier = w.modifier;
}

void
gpu_put_dmabuf (uint8_t *p, bool modifier, const struct vh_gpu_dmabuf *d)
{
	struct wire_dmabuf w = {
		.fd_width = d->fd_width, .fd_height = d->fd_height, .fd_stride = d->fd_stride, .fd_flags = d->fd_flags, .fourcc = d->fourcc,
		.modifier = d->modifier,
	};

	memcpy (p, &w, modifier ? GPU_DMABUF2_SIZE : GPU_DMABUF_SIZE);
	gpu_put_rect (p, &d->rect);
}

void
gpu_get_display_info (const uint8_t *p, struct vh_gpu_display_info *info)
{
	struct wire_display_info w;

	memcpy (&w, p, sizeof (w));
	for (unsigned i = 0; i < VH_GPU_MAX_SCANOUTS; i++)
		info->scanouts[i] = (struct vh_gpu_scanout_info){
			.x = le32toh (w.scanouts[i][0]), .y = le32toh (w.scanouts[i][1]), .width = le32toh (w.scanouts[i][2]),
			.height = le32toh (w.scanouts[i][3]), .enabled = le32toh (w.scanouts[i][4]), .flags = le32toh (w.scanouts[i][5]),
		};
}

void
gpu_put_display_info (uint8_t *p, const struct vh_gpu_display_info *info)
{
	struct wire_display_info w = { .control = { .type = htole32 (RESP_OK_DISPLAY_INFO) } };

	for (unsigned i = 0; i < VH_GPU_MAX_SCANOUTS; i++) {
		const struct vh_gpu_scanout_info *s = &info->scanouts[i];

		w.scanouts[i][0] = htole32 (s->x);
		w.scanouts[i][1] = htole32 (s->y);
		w.scanouts[i][2] = htole32 (s->width);
		w.scanouts[i][3] = htole32 (s->height);
		w.scanouts[i][4] = htole32 (s->enabled);
		w.scanouts[i][5] = htole32 (s->flags);
	}
	memcpy (p, &w, sizeof (w));
}

int
gpu_get_edid (const uint8_t *p, struct vh_gpu_edid *e)
{
	struct wire_edid w;

	memcpy (&w, p, sizeof (w));
	e->size = le32toh (w.size);
	memcpy (e->data, w.data, sizeof (e->data));
	return e->size <= VH_GPU_MAX_EDID ? 0 : -EBADMSG;
}

void
gpu_put_edid (uint8_t *p, const struct vh_gpu_edid *e)
{
	struct wire_edid w = { .control = { .type = htole32 (RESP_OK_EDID) }, .size = htole32 (e->size) };

	memcpy (w.data, e->data, e->size);
	memcpy (p, &w, sizeof (w));
}
