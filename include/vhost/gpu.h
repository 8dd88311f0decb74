/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vhost-user-gpu socket: how a GPU device shows pictures on the display of a VMM.  It is a stream socket of its own, handed over by GPU_SET_SOCKET
 * (vh_frontend_set_gpu_socket, set_gpu_socket of struct vh_device_ops).  The device asks, the display answers.
 *
 * Both ends work the same way: nothing waits.  The fd is polled for vh_gpu_events, then vh_gpu_dispatch does what goes now; likewise for the display.  One
 * thread at a time uses an object.
 */
#ifndef VHOST_GPU_H
#define VHOST_GPU_H

#include <stddef.h>
#include <stdint.h>

#include <vhost/log.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Protocol features of this socket, by bit number. */
#define VH_GPU_P_EDID 0
#define VH_GPU_P_DMABUF2 1

#define VH_GPU_MAX_SCANOUTS 16
#define VH_GPU_CURSOR_SIZE 64		/* pixels, each way */
#define VH_GPU_MAX_EDID 1024		/* bytes */

/* Largest picture: 64 MiB of pixels, which is 4096 x 4096; and neither side longer than 16384. */
#define VH_GPU_MAX_PIXELS (1u << 24)
#define VH_GPU_MAX_SIDE 16384u

struct vh_gpu_scanout_info {
	uint32_t x, y, width, height;
	uint32_t enabled, flags;
};

struct vh_gpu_display_info {
	struct vh_gpu_scanout_info scanouts[VH_GPU_MAX_SCANOUTS];
};

struct vh_gpu_edid {
	uint32_t size;			/* bytes of data */
	uint8_t data[VH_GPU_MAX_EDID];
};

struct vh_gpu_cursor {
	uint32_t scanout, x, y;
	uint32_t hot_x, hot_y;		/* of the picture; not looked at when it only moves */
};

struct vh_gpu_rect {
	uint32_t scanout, x, y, width, height;
};

/* A picture in a dmabuf, shown from (x, y) on. */
struct vh_gpu_dmabuf {
	struct vh_gpu_rect rect;
	uint32_t fd_width, fd_height, fd_stride, fd_flags;
	int32_t fourcc;
	uint64_t modifier;		/* 0: linear; another needs VH_GPU_P_DMABUF2 */
};

/* --- the device's end --- */

struct vh_gpu;

/* fd: a connected stream socket, the object's on success.  log may be NULL.  0 and *ret; -EINVAL, -ENOMEM. */
int vh_gpu_new (int fd, const struct vh_log *log, struct vh_gpu **ret);

/* Closes the socket; answers that are awaited are -ECONNRESET.  NULL is fine. */
void vh_gpu_free (struct vh_gpu *);

/* What to poll (-1: the display is gone), and for which of POLLIN and POLLOUT. */
int vh_gpu_fd (const struct vh_gpu *);
short vh_gpu_events (const struct vh_gpu *);

/* Sends and receives what goes.  0, or the negative errno with which the socket was closed: -ECONNRESET, -EBADMSG, -EPROTO. */
int vh_gpu_dispatch (struct vh_gpu *);

/* Words for the last failure; "" when there was none. */
const char *vh_gpu_error (const struct vh_gpu *);

/* The features that were set. */
uint64_t vh_gpu_protocol_features (const struct vh_gpu *);

/*
 * Calls below: 0 when the message was taken: it has left, or leaves from vh_gpu_dispatch.  -EAGAIN: another one has not left yet, or an answer is awaited and
 * this would be the second; nothing was sent.  -EINVAL, -EOPNOTSUPP: its feature was not set; -ECONNRESET, -ENOMEM.
 */

/* An answer: err 0, or what closed the socket.  What `answer` points to is valid until the callback returns; it must not free the object. */
typedef void vh_gpu_answer_fn (void *opaque, int err, const void *answer);

/* GET_PROTOCOL_FEATURES: answer is a uint64_t.  SET_PROTOCOL_FEATURES: a subset of VH_GPU_P_*. */
int vh_gpu_get_protocol_features (struct vh_gpu *, vh_gpu_answer_fn *answered, void *opaque);
int vh_gpu_set_protocol_features (struct vh_gpu *, uint64_t features);

/* GET_DISPLAY_INFO: answer is a struct vh_gpu_display_info.  GET_EDID: a struct vh_gpu_edid. */
int vh_gpu_get_display_info (struct vh_gpu *, vh_gpu_answer_fn *answered, void *opaque);
int vh_gpu_get_edid (struct vh_gpu *, uint32_t scanout, vh_gpu_answer_fn *answered, void *opaque);

/* CURSOR_POS, CURSOR_POS_HIDE; CURSOR_UPDATE with 64 x 64 pixels of a8r8g8b8, row by row. */
int vh_gpu_move_cursor (struct vh_gpu *, const struct vh_gpu_cursor *, int visible);
int vh_gpu_set_cursor (struct vh_gpu *, const struct vh_gpu_cursor *, const uint32_t *pixels);

/* SCANOUT: its size in pixels; 0 and 0: off. */
int vh_gpu_set_scanout (struct vh_gpu *, uint32_t scanout, uint32_t width, uint32_t height);

/* UPDATE: pixels of x8r8g8b8, rows `stride` bytes apart; copied. */
int vh_gpu_update (struct vh_gpu *, const struct vh_gpu_rect *, const void *pixels, size_t stride);

/* DMABUF_SCANOUT, DMABUF_SCANOUT2: fd is borrowed; -1: off.  DMABUF_UPDATE: `answered` (answer NULL) when it was drawn, and the buffer may change again. */
int vh_gpu_set_dmabuf (struct vh_gpu *, const struct vh_gpu_dmabuf *, int fd);
int vh_gpu_update_dmabuf (struct vh_gpu *, const struct vh_gpu_rect *, vh_gpu_answer_fn *answered, void *opaque);

/* --- the display's end --- */

struct vh_gpu_display;

/*
 * What a display does.  The device is not trusted: scanouts, sizes and rectangles were checked (inside the scanout, pixels as many as they should be).
 * What arguments point to is valid until the callback returns; it must not free the object.
 */
struct vh_gpu_display_ops {
	size_t size;			/* sizeof (struct vh_gpu_display_ops) */

	/* Required.  The scanouts, as the user has them. */
	void (*get_display_info) (void *opaque, struct vh_gpu_display_info *);

	/* The monitor of a scanout.  If NULL, then VH_GPU_P_EDID is not offered. */
	void (*get_edid) (void *opaque, uint32_t scanout, struct vh_gpu_edid *);

	/* If NULL, then nothing: there is no cursor.  pixels: as vh_gpu_set_cursor. */
	void (*move_cursor) (void *opaque, const struct vh_gpu_cursor *, int visible);
	void (*set_cursor) (void *opaque, const struct vh_gpu_cursor *, const uint32_t *pixels);

	/* Required.  A scanout has another size; 0 and 0: off. */
	void (*set_scanout) (void *opaque, uint32_t scanout, uint32_t width, uint32_t height);

	/* Required.  Pixels of x8r8g8b8, row by row without gaps. */
	void (*update) (void *opaque, const struct vh_gpu_rect *, const void *pixels);

	/* A dmabuf to show; fd is the callback's; -1: off.  If NULL, then it is closed.  Its size and stride are the device's word. */
	void (*set_dmabuf) (void *opaque, const struct vh_gpu_dmabuf *, int fd);

	/* Draw from it, then call vh_gpu_display_drawn, now or later; until then nothing more is read.  If NULL, then it is as good as drawn. */
	void (*update_dmabuf) (void *opaque, const struct vh_gpu_rect *);
};

/* fd: a connected stream socket, the object's on success.  ops are borrowed; log may be NULL.  0 and *ret; -EINVAL, -ENOMEM. */
int vh_gpu_display_new (int fd, const struct vh_gpu_display_ops *, void *opaque, const struct vh_log *log, struct vh_gpu_display **ret);
void vh_gpu_display_free (struct vh_gpu_display *);
int vh_gpu_display_fd (const struct vh_gpu_display *);
short vh_gpu_display_events (const struct vh_gpu_display *);

/* Serves what has arrived, up to some messages.  How many; or the negative errno with which the socket was closed. */
int vh_gpu_display_dispatch (struct vh_gpu_display *);
const char *vh_gpu_display_error (const struct vh_gpu_display *);
uint64_t vh_gpu_display_protocol_features (const struct vh_gpu_display *);

/* What update_dmabuf asked for is drawn.  0; -EINVAL: nothing was asked; -ECONNRESET. */
int vh_gpu_display_drawn (struct vh_gpu_display *);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
