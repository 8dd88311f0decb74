/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's end of the vhost-user-gpu socket: it asks, and takes one answer at a time.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "util/error.h"
#include "util/fd.h"
#include "wire/gpu-message.h"

#define KNOWN_FEATURES ((UINT64_C (1) << VH_GPU_P_EDID) | (UINT64_C (1) << VH_GPU_P_DMABUF2))

struct vh_gpu {
	struct error error;
	struct gpu_channel channel;
	uint64_t features;
	uint32_t awaited;		/* the request whose answer is due; 0: none */
	vh_gpu_answer_fn *answered;
	void *opaque;
};

/* --- the end --- */

static void
answer (struct vh_gpu *g, int err, const void *value)
{
	vh_gpu_answer_fn *answered = g->answered;

	/* First, so that the callback can ask for the next one. */
	g->awaited = 0;
	g->answered = NULL;
	if (answered)
		answered (g->opaque, err, value);
}

static int
gpu_end (struct vh_gpu *g, int err, const char *what)
{
	gpu_channel_close (&g->channel);
	error_set (&g->error, err, "%s", what);
	if (g->awaited)
		answer (g, err, NULL);
	return err;
}

/* --- the object --- */

/* Only the answer that is due, and only in its size. */
static int
check_answer (void *opaque, const struct gpu_message *m, uint32_t bytes)
{
	const struct vh_gpu *g = opaque;

	if (g->awaited == 0 || m->request != g->awaited || m->flags != GPU_REPLY || m->fd >= 0)
		return -EPROTO;
	return m->size == gpu_rows[g->awaited].reply_size ? 0 : -EBADMSG;
}

int
vh_gpu_new (int fd, const struct vh_log *log, struct vh_gpu **ret)
{
	struct vh_gpu *g;

	if (!fd_is_stream (fd))
		return -EINVAL;
	g = calloc (1, sizeof (*g));
	if (!g)
		return -ENOMEM;
	error_init (&g->error, log, "gpu");
	gpu_channel_init (&g->channel, fd, check_answer, g);
	*ret = g;
	return 0;
}

void
vh_gpu_free (struct vh_gpu *g)
{
	if (!g)
		return;
	gpu_channel_close (&g->channel);
	if (g->awaited)
		answer (g, -ECONNRESET, NULL);
	free (g);
}

int
vh_gpu_fd (const struct vh_gpu *g)
{
	return g->channel.fd;
}

short
vh_gpu_events (const struct vh_gpu *g)
{
	return gpu_channel_sending (&g->channel) ? POLLIN | POLLOUT : POLLIN;
}

const char *
vh_gpu_error (const struct vh_gpu *g)
{
	return g->error.text;
}

uint64_t
vh_gpu_protocol_features (const struct vh_gpu *g)
{
	return g->features;
}

/* --- receiving --- */

static int
take_answer (struct vh_gpu *g, const struct gpu_message *m)
{
	struct vh_gpu_display_info info;
	struct vh_gpu_edid edid;
	uint64_t features;

	switch (m->request) {
	case GPU_GET_PROTOCOL_FEATURES:
		memcpy (&features, m->body, sizeof (features));
		answer (g, 0, &features);
		return 0;
	case GPU_GET_DISPLAY_INFO:
		gpu_get_display_info (m->body, &info);
		answer (g, 0, &info);
		return 0;
	case GPU_GET_EDID:
		if (gpu_get_edid (m->body, &edid) < 0)
			return -EBADMSG;
		answer (g, 0, &edid);
		return 0;
	default:
		answer (g, 0, NULL);
		return 0;
	}
}

int
vh_gpu_dispatch (struct vh_gpu *g)
{
	struct gpu_message *m;
	int err = gpu_channel_flush (&g->channel);

	while (err == 0) {
		err = gpu_channel_receive (&g->channel, &m);
		if (err == -EAGAIN)
			return 0;
		if (err == 1)
			err = take_answer (g, m);
	}
	return g->channel.fd < 0 ? -ECONNRESET : gpu_end (g, err, "display");
}

/* --- sending --- */

/* Makes room for a request, if it may be sent now. */
static int
begin (struct vh_gpu *g, enum gpu_request request, uint32_t size, uint8_t **body)
{
	const struct gpu_row *row = &gpu_rows[request];

	if (row->feature & ~g->features)
		return -EOPNOTSUPP;
	if (row->reply && g->awaited)
		return -EAGAIN;
	return gpu_channel_prepare (&g->channel, request, 0, size, body);
}

static int
finish (struct vh_gpu *g, int fd)
{
	int err = gpu_channel_send (&g->channel, fd);

	return err < 0 && err != -EMFILE && err != -ENFILE ? gpu_end (g, err, "display") : err;
}

static int
finish_asking (struct vh_gpu *g, enum gpu_request request, vh_gpu_answer_fn *answered, void *opaque)
{
	int err = finish (g, -1);

	if (err < 0)
		return err;
	g->awaited = request;
	g->answered = answered;
	g->opaque = opaque;
	return 0;
}

int
vh_gpu_get_protocol_features (struct vh_gpu *g, vh_gpu_answer_fn *answered, void *opaque)
{
	uint8_t *body;
	int err = begin (g, GPU_GET_PROTOCOL_FEATURES, 0, &body);

	return err < 0 ? err : finish_asking (g, GPU_GET_PROTOCOL_FEATURES, answered, opaque);
}

int
vh_gpu_set_protocol_features (struct vh_gpu *g, uint64_t features)
{
	uint8_t *body;
	int err = features & ~KNOWN_FEATURES ? -EINVAL : begin (g, GPU_SET_PROTOCOL_FEATURES, sizeof (features), &body);

	if (err < 0)
		return err;
	memcpy (body, &features, sizeof (features));
	err = finish (g, -1);
	if (err == 0)
		g->features = features;
	return err;
}

int
vh_gpu_get_display_info (struct vh_gpu *g, vh_gpu_answer_fn *answered, void *opaque)
{
	uint8_t *body;
	int err = begin (g, GPU_GET_DISPLAY_INFO, 0, &body);

	return err < 0 ? err : finish_asking (g, GPU_GET_DISPLAY_INFO, answered, opaque);
}

int
vh_gpu_get_edid (struct vh_gpu *g, uint32_t scanout, vh_gpu_answer_fn *answered, void *opaque)
{
	uint8_t *body;
	int err = scanout >= VH_GPU_MAX_SCANOUTS ? -EINVAL : begin (g, GPU_GET_EDID, GPU_EDID_REQUEST_SIZE, &body);

	if (err < 0)
		return err;
	memcpy (body, &scanout, sizeof (scanout));
	return finish_asking (g, GPU_GET_EDID, answered, opaque);
}

int
vh_gpu_move_cursor (struct vh_gpu *g, const struct vh_gpu_cursor *c, int visible)
{
	uint8_t *body;
	int err = c->scanout >= VH_GPU_MAX_SCANOUTS ? -EINVAL : begin (g, visible ? GPU_CURSOR_POS : GPU_CURSOR_POS_HIDE, GPU_POS_SIZE, &body);

	if (err < 0)
		return err;
	gpu_put_cursor (body, false, c);
	return finish (g, -1);
}

int
vh_gpu_set_cursor (struct vh_gpu *g, const struct vh_gpu_cursor *c, const uint32_t *pixels)
{
	uint8_t *body;
	int err = c->scanout >= VH_GPU_MAX_SCANOUTS ? -EINVAL : begin (g, GPU_CURSOR_UPDATE, GPU_CURSOR_HEAD + GPU_CURSOR_BYTES, &body);

	if (err < 0)
		return err;
	gpu_put_cursor (body, true, c);
	memcpy (body + GPU_CURSOR_HEAD, pixels, GPU_CURSOR_BYTES);
	return finish (g, -1);
}

int
vh_gpu_set_scanout (struct vh_gpu *g, uint32_t scanout, uint32_t width, uint32_t height)
{
	uint32_t fields[3] = { scanout, width, height };
	uint8_t *body;
	int err = scanout >= VH_GPU_MAX_SCANOUTS || !gpu_size_valid (width, height) ? -EINVAL : begin (g, GPU_SCANOUT, sizeof (fields), &body);

	if (err < 0)
		return err;
	memcpy (body, fields, sizeof (fields));
	return finish (g, -1);
}

static bool
rect_valid (const struct vh_gpu_rect *r)
{
	return r->scanout < VH_GPU_MAX_SCANOUTS && gpu_size_valid (r->width, r->height);
}

int
vh_gpu_update (struct vh_gpu *g, const struct vh_gpu_rect *r, const void *pixels, size_t stride)
{
	size_t row = 4 * (size_t) r->width;
	uint8_t *body;
	int err;

	if (!rect_valid (r) || stride < row)
		return -EINVAL;
	err = begin (g, GPU_UPDATE, (uint32_t) (GPU_RECT_SIZE + row * r->height), &body);
	if (err < 0)
		return err;
	gpu_put_rect (body, r);
	for (uint32_t y = 0; y < r->height; y++)
		memcpy (body + GPU_RECT_SIZE + y * row, (const uint8_t *) pixels + y * stride, row);
	return finish (g, -1);
}

int
vh_gpu_set_dmabuf (struct vh_gpu *g, const struct vh_gpu_dmabuf *d, int fd)
{
	bool modifier = d->modifier != 0;
	uint8_t *body;
	int err;

	if (!rect_valid (&d->rect))
		return -EINVAL;
	err = modifier ? begin (g, GPU_DMABUF_SCANOUT2, GPU_DMABUF2_SIZE, &body) : begin (g, GPU_DMABUF_SCANOUT, GPU_DMABUF_SIZE, &body);
	if (err < 0)
		return err;
	gpu_put_dmabuf (body, modifier, d);
	return finish (g, fd);
}

int
vh_gpu_update_dmabuf (struct vh_gpu *g, const struct vh_gpu_rect *r, vh_gpu_answer_fn *answered, void *opaque)
{
	uint8_t *body;
	int err = rect_valid (r) ? begin (g, GPU_DMABUF_UPDATE, GPU_RECT_SIZE, &body) : -EINVAL;

	if (err < 0)
		return err;
	gpu_put_rect (body, r);
	return finish_asking (g, GPU_DMABUF_UPDATE, answered, opaque);
}
