/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The display's end of the vhost-user-gpu socket.  The device is another process and not trusted: what it draws must lie inside a scanout that it has told
 * of, and have as many pixels as it says, before any room is made for them.  There is no way to refuse, so what is wrong closes the socket.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "util/checked.h"
#include "util/error.h"
#include "util/fd.h"
#include "wire/gpu-message.h"

/* Messages of one turn: a device that draws without end must not keep the VMM from its own work. */
#define MESSAGES_PER_TURN 32

struct vh_gpu_display {
	struct error error;
	struct gpu_channel channel;
	struct vh_gpu_display_ops ops;
	void *opaque;
	uint64_t features;
	struct {
		uint32_t width, height;
	} scanouts[VH_GPU_MAX_SCANOUTS];
	bool drawing;			/* update_dmabuf was called, and its answer is due */
};

/* --- checks, before a body is read --- */

static bool
rect_inside (const struct vh_gpu_display *d, const struct vh_gpu_rect *r)
{
	return r->scanout < VH_GPU_MAX_SCANOUTS && range_inside (r->x, r->width, 0, d->scanouts[r->scanout].width) &&
	       range_inside (r->y, r->height, 0, d->scanouts[r->scanout].height);
}

/* The pixels of a picture: inside its scanout, whose size is bounded, so that nothing here can wrap. */
static int
check_pixels (const struct vh_gpu_display *d, const struct gpu_message *m)
{
	struct vh_gpu_rect r;

	gpu_get_rect (m->body, &r);
	if (!rect_inside (d, &r))
		return -EBADMSG;
	return m->size == GPU_RECT_SIZE + (uint64_t) r.width * r.height * 4 ? 0 : -EBADMSG;
}

static int
check_request (void *opaque, const struct gpu_message *m, uint32_t bytes)
{
	const struct vh_gpu_display *d = opaque;
	const struct gpu_row *row = gpu_row (m->request);

	if (!row)
		return -ENOSYS;
	if (m->flags != 0)
		return -EPROTO;
	if (row->feature & ~d->features)
		return -EOPNOTSUPP;
	if (m->size < row->size || (m->size > row->size && !row->pixels) || (m->fd >= 0 && row->max_fds == 0))
		return -EBADMSG;
	return row->pixels && bytes >= GPU_RECT_SIZE ? check_pixels (d, m) : 0;
}

/* --- the object --- */

static void
default_cursor (void *opaque, const struct vh_gpu_cursor *c, int visible)
{
}
static void
default_set_cursor (void *opaque, const struct vh_gpu_cursor *c, const uint32_t *pixels)
{
}
static void
default_dmabuf (void *opaque, const struct vh_gpu_dmabuf *dmabuf, int fd)
{
	fd_close (&fd);
}

static void
fill_ops (struct vh_gpu_display_ops *ops, const struct vh_gpu_display_ops *theirs)
{
	memset (ops, 0, sizeof (*ops));
	memcpy (ops, theirs, theirs->size < sizeof (*ops) ? theirs->size : sizeof (*ops));
#define DEFAULT(entry, fn) (ops->entry = ops->entry ? ops->entry : (fn))
	DEFAULT (move_cursor, default_cursor);
	DEFAULT (set_cursor, default_set_cursor);
	DEFAULT (set_dmabuf, default_dmabuf);
#undef DEFAULT
}

int
vh_gpu_display_new (int fd, const struct vh_gpu_display_ops *ops, void *opaque, const struct vh_log *log, struct vh_gpu_display **ret)
{
	struct vh_gpu_display *d;

	if (!fd_is_stream (fd) || ops->size < offsetof (struct vh_gpu_display_ops, set_dmabuf) || !ops->get_display_info || !ops->set_scanout || !ops->update)
		return -EINVAL;
	d = calloc (1, sizeof (*d));
	if (!d)
		return -ENOMEM;
	error_init (&d->error, log, "display");
	fill_ops (&d->ops, ops);
	d->opaque = opaque;
	gpu_channel_init (&d->channel, fd, check_request, d);
	*ret = d;
	return 0;
}

void
vh_gpu_display_free (struct vh_gpu_display *d)
{
	if (!d)
		return;
	gpu_channel_close (&d->channel);
	free (d);
}

int
vh_gpu_display_fd (const struct vh_gpu_display *d)
{
	return d->channel.fd;
}

short
vh_gpu_display_events (const struct vh_gpu_display *d)
{
	return (short) ((d->drawing || gpu_channel_sending (&d->channel) ? 0 : POLLIN) | (gpu_channel_sending (&d->channel) ? POLLOUT : 0));
}

const char *
vh_gpu_display_error (const struct vh_gpu_display *d)
{
	return d->error.text;
}

uint64_t
vh_gpu_display_protocol_features (const struct vh_gpu_display *d)
{
	return d->features;
}

/* --- answers --- */

static int
reply_features (struct vh_gpu_display *d)
{
	uint64_t offered = UINT64_C (1) << VH_GPU_P_DMABUF2 | (d->ops.get_edid ? UINT64_C (1) << VH_GPU_P_EDID : 0);
	uint8_t *body;
	int err = gpu_channel_prepare (&d->channel, GPU_GET_PROTOCOL_FEATURES, GPU_REPLY, sizeof (offered), &body);

	if (err < 0)
		return err;
	memcpy (body, &offered, sizeof (offered));
	return gpu_channel_send (&d->channel, -1);
}

static int
reply_display_info (struct vh_gpu_display *d)
{
	struct vh_gpu_display_info info = { 0 };
	uint8_t *body;
	int err = gpu_channel_prepare (&d->channel, GPU_GET_DISPLAY_INFO, GPU_REPLY, GPU_DISPLAY_INFO_SIZE, &body);

	if (err < 0)
		return err;
	d->ops.get_display_info (d->opaque, &info);
	gpu_put_display_info (body, &info);
	return gpu_channel_send (&d->channel, -1);
}

static int
reply_edid (struct vh_gpu_display *d, const struct gpu_message *m)
{
	struct vh_gpu_edid edid = { 0 };
	uint32_t scanout;
	uint8_t *body;
	int err;

	memcpy (&scanout, m->body, sizeof (scanout));
	if (scanout >= VH_GPU_MAX_SCANOUTS)
		return -EBADMSG;
	err = gpu_channel_prepare (&d->channel, GPU_GET_EDID, GPU_REPLY, GPU_EDID_SIZE, &body);
	if (err < 0)
		return err;
	d->ops.get_edid (d->opaque, scanout, &edid);
	if (edid.size > VH_GPU_MAX_EDID)
		edid.size = VH_GPU_MAX_EDID;
	gpu_put_edid (body, &edid);
	return gpu_channel_send (&d->channel, -1);
}

int
vh_gpu_display_drawn (struct vh_gpu_display *d)
{
	uint8_t *body;
	int err;

	if (!d->drawing)
		return -EINVAL;
	d->drawing = false;
	err = gpu_channel_prepare (&d->channel, GPU_DMABUF_UPDATE, GPU_REPLY, 0, &body);
	return err < 0 ? err : gpu_channel_send (&d->channel, -1);
}

/* --- requests --- */

static int
set_features (struct vh_gpu_display *d, const struct gpu_message *m)
{
	uint64_t features, known = UINT64_C (1) << VH_GPU_P_DMABUF2 | (d->ops.get_edid ? UINT64_C (1) << VH_GPU_P_EDID : 0);

	memcpy (&features, m->body, sizeof (features));
	if (features & ~known)
		return -EPROTO;
	d->features = features;
	return 0;
}

static int
move_cursor (struct vh_gpu_display *d, const struct gpu_message *m)
{
	struct vh_gpu_cursor c;

	gpu_get_cursor (m->body, false, &c);
	if (c.scanout >= VH_GPU_MAX_SCANOUTS)
		return -EBADMSG;
	d->ops.move_cursor (d->opaque, &c, m->request == GPU_CURSOR_POS);
	return 0;
}

static int
set_cursor (struct vh_gpu_display *d, const struct gpu_message *m)
{
	struct vh_gpu_cursor c;

	gpu_get_cursor (m->body, true, &c);
	if (c.scanout >= VH_GPU_MAX_SCANOUTS || c.hot_x >= VH_GPU_CURSOR_SIZE || c.hot_y >= VH_GPU_CURSOR_SIZE)
		return -EBADMSG;
	/* Bodies are aligned as malloc aligns, and the pixels begin at a multiple of four. */
	d->ops.set_cursor (d->opaque, &c, (const uint32_t *) (const void *) (m->body + GPU_CURSOR_HEAD));
	return 0;
}

static int
set_scanout (struct vh_gpu_display *d, const struct gpu_message *m)
{
	uint32_t fields[3];

	memcpy (fields, m->body, sizeof (fields));
	if (fields[0] >= VH_GPU_MAX_SCANOUTS || !gpu_size_valid (fields[1], fields[2]))
		return -EBADMSG;
	d->scanouts[fields[0]].width = fields[1];
	d->scanouts[fields[0]].height = fields[2];
	d->ops.set_scanout (d->opaque, fields[0], fields[1], fields[2]);
	return 0;
}

static int
update (struct vh_gpu_display *d, const struct gpu_message *m)
{
	struct vh_gpu_rect r;
	int err = check_pixels (d, m);

	if (err < 0)
		return err;
	gpu_get_rect (m->body, &r);
	d->ops.update (d->opaque, &r, m->body + GPU_RECT_SIZE);
	return 0;
}

static int
set_dmabuf (struct vh_gpu_display *d, struct gpu_message *m)
{
	struct vh_gpu_dmabuf dmabuf;
	int fd = m->fd;

	gpu_get_dmabuf (m->body, m->request == GPU_DMABUF_SCANOUT2, &dmabuf);
	if (dmabuf.rect.scanout >= VH_GPU_MAX_SCANOUTS || !gpu_size_valid (dmabuf.rect.width, dmabuf.rect.height) ||
	    !gpu_size_valid (dmabuf.fd_width, dmabuf.fd_height))
		return -EBADMSG;
	/* Without an fd it is off, and then it has no size. */
	if (fd < 0 && (dmabuf.rect.width != 0 || dmabuf.rect.height != 0))
		return -EBADMSG;
	d->scanouts[dmabuf.rect.scanout].width = dmabuf.rect.width;
	d->scanouts[dmabuf.rect.scanout].height = dmabuf.rect.height;
	m->fd = -1;
	d->ops.set_dmabuf (d->opaque, &dmabuf, fd);
	return 0;
}

static int
update_dmabuf (struct vh_gpu_display *d, const struct gpu_message *m)
{
	struct vh_gpu_rect r;

	gpu_get_rect (m->body, &r);
	if (!rect_inside (d, &r))
		return -EBADMSG;
	d->drawing = true;
	if (!d->ops.update_dmabuf)
		return vh_gpu_display_drawn (d);
	d->ops.update_dmabuf (d->opaque, &r);
	return 0;
}

static int
serve (struct vh_gpu_display *d, struct gpu_message *m)
{
	switch ((enum gpu_request) m->request) {
	case GPU_GET_PROTOCOL_FEATURES:
		return reply_features (d);
	case GPU_SET_PROTOCOL_FEATURES:
		return set_features (d, m);
	case GPU_GET_DISPLAY_INFO:
		return reply_display_info (d);
	case GPU_CURSOR_POS:
	case GPU_CURSOR_POS_HIDE:
		return move_cursor (d, m);
	case GPU_CURSOR_UPDATE:
		return set_cursor (d, m);
	case GPU_SCANOUT:
		return set_scanout (d, m);
	case GPU_UPDATE:
		return update (d, m);
	case GPU_DMABUF_SCANOUT:
	case GPU_DMABUF_SCANOUT2:
		return set_dmabuf (d, m);
	case GPU_DMABUF_UPDATE:
		return update_dmabuf (d, m);
	case GPU_GET_EDID:
		return reply_edid (d, m);
	case GPU_REQUEST_END:
		break;
	}
	return -ENOSYS;
}

static int
display_end (struct vh_gpu_display *d, int err, const char *what)
{
	gpu_channel_close (&d->channel);
	d->drawing = false;
	return error_set (&d->error, err, "%s", what);
}

int
vh_gpu_display_dispatch (struct vh_gpu_display *d)
{
	struct gpu_message *m = NULL;
	int n = 0, err = gpu_channel_flush (&d->channel);

	/* An answer that does not leave, or a picture that is not drawn yet, holds up what comes behind. */
	while (err == 0 && n < MESSAGES_PER_TURN && !d->drawing && !gpu_channel_sending (&d->channel)) {
		err = gpu_channel_receive (&d->channel, &m);
		if (err != 1)
			break;
		err = serve (d, m);
		n++;
	}
	if (err == 0 || err == -EAGAIN)
		return n;
	return d->channel.fd < 0 ? -ECONNRESET : display_end (d, err, m && gpu_row (m->request) ? gpu_row (m->request)->name : "device");
}
