/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages of the vhost-user-gpu socket: their table, and a channel for them.  The header is vhost-user's but for the flags, which have no version and no
 * NEED_REPLY; messages may carry pictures, so a body is as large as its row and its rectangle allow and no larger.
 */
#ifndef WIRE_GPU_MESSAGE_H
#define WIRE_GPU_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vhost/gpu.h>

#define GPU_HEADER_SIZE 12
#define GPU_REPLY 0x4u	/* the only flag */

enum gpu_request {
	GPU_GET_PROTOCOL_FEATURES = 1,
	GPU_SET_PROTOCOL_FEATURES = 2,
	GPU_GET_DISPLAY_INFO = 3,
	GPU_CURSOR_POS = 4,
	GPU_CURSOR_POS_HIDE = 5,
	GPU_CURSOR_UPDATE = 6,
	GPU_SCANOUT = 7,
	GPU_UPDATE = 8,
	GPU_DMABUF_SCANOUT = 9,
	GPU_DMABUF_UPDATE = 10,
	GPU_GET_EDID = 11,
	GPU_DMABUF_SCANOUT2 = 12,
	GPU_REQUEST_END
};

struct gpu_row {
	const char *name;	/* as the specification spells it, without prefix */
	uint32_t size;		/* bytes of the request, pixels not counted */
	bool pixels;		/* 4 bytes for each of the rectangle follow */
	uint8_t max_fds;
	bool reply;
	uint32_t reply_size;	/* bytes, when `reply` */
	uint64_t feature;	/* VH_GPU_P_* bits that must have been set; 0: none */
};

extern const struct gpu_row gpu_rows[GPU_REQUEST_END];

/* The row of an id; NULL for one that is not defined. */
const struct gpu_row *gpu_row (uint32_t id);

/* --- payloads, decoded from and encoded to bytes --- */

#define GPU_CURSOR_BYTES (4u * VH_GPU_CURSOR_SIZE * VH_GPU_CURSOR_SIZE)
#define GPU_POS_SIZE 12
#define GPU_CURSOR_HEAD 20	/* in front of the cursor's pixels */
#define GPU_SCANOUT_SIZE 12
#define GPU_RECT_SIZE 20
#define GPU_DMABUF_SIZE 40
#define GPU_DMABUF2_SIZE 48
#define GPU_EDID_REQUEST_SIZE 4
#define GPU_DISPLAY_INFO_SIZE 408
#define GPU_EDID_SIZE 1056

void gpu_get_rect (const uint8_t *, struct vh_gpu_rect *);
void gpu_put_rect (uint8_t *, const struct vh_gpu_rect *);
void gpu_get_cursor (const uint8_t *, bool hot, struct vh_gpu_cursor *);
void gpu_put_cursor (uint8_t *, bool hot, const struct vh_gpu_cursor *);
void gpu_get_dmabuf (const uint8_t *, bool modifier, struct vh_gpu_dmabuf *);
void gpu_put_dmabuf (uint8_t *, bool modifier, const struct vh_gpu_dmabuf *);
void gpu_get_display_info (const uint8_t *, struct vh_gpu_display_info *);
void gpu_put_display_info (uint8_t *, const struct vh_gpu_display_info *);
/* -EBADMSG: more bytes than an EDID has. */
int gpu_get_edid (const uint8_t *, struct vh_gpu_edid *);
void gpu_put_edid (uint8_t *, const struct vh_gpu_edid *);

/* Are sides and area of a picture within the limits? */
bool gpu_size_valid (uint32_t width, uint32_t height);

/* --- gpu-channel.c --- */

struct gpu_message {
	uint32_t request, flags, size;
	uint8_t *body;		/* `size` bytes, the channel's */
	int fd;			/* the message's until it is taken; -1: none */
};

struct gpu_channel {
	int fd;			/* the channel's; -1: closed */
	/*
	 * Is a body of this size fine, of which the first `size` or GPU_RECT_SIZE bytes are here?  Called when the header is here (bytes 0) and again when the
	 * rectangle is (bytes GPU_RECT_SIZE), before room is made for the rest.
	 */
	int (*check) (void *opaque, const struct gpu_message *, uint32_t bytes);
	void *opaque;

	struct gpu_message in;
	uint8_t header[GPU_HEADER_SIZE];
	size_t got;		/* bytes of header and body */
	uint8_t *room;		/* for bodies, and how large it is */
	size_t room_size;

	uint8_t *out;		/* what has not left: bytes [sent, total) */
	size_t out_size, sent, total;
	int out_fd;		/* goes with the first byte; -1: none, or gone */
};

void gpu_channel_init (struct gpu_channel *, int fd, int (*check) (void *, const struct gpu_message *, uint32_t), void *opaque);
void gpu_channel_close (struct gpu_channel *);

/* 1: *ret is a whole message, valid until the next call; -EAGAIN; -ECONNRESET; -EBADMSG; what `check` returned; -ENOMEM. */
int gpu_channel_receive (struct gpu_channel *, struct gpu_message **ret);

/*
 * Room for a message with a body of `size` bytes: *body is where they go.  Then gpu_channel_send it; fd is borrowed, -1: none.  -EAGAIN: the one before has
 * not left; -ECONNRESET, -ENOMEM, -EMFILE.
 */
int gpu_channel_prepare (struct gpu_channel *, uint32_t request, uint32_t flags, uint32_t size, uint8_t **body);
int gpu_channel_send (struct gpu_channel *, int fd);

/* Sends on.  0: all has left, or waits for the socket; -ECONNRESET or another negative errno. */
int gpu_channel_flush (struct gpu_channel *);

static inline bool
gpu_channel_sending (const struct gpu_channel *c)
{
	return c->sent < c->total;
}

#endif
