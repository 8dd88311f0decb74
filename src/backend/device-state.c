/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's state for a migration, as a stream of bytes that is a source of its own in the connection's loop: the front-end is served meanwhile, however
 * long it takes, and asks in the end how it went (CHECK_DEVICE_STATE, whose answer waits for that end).
 *
 *	SET_DEVICE_STATE_FD -> state_save (0), state_save (n), ...  -> end of stream       -> CHECK_DEVICE_STATE
 *	                       state_load (0), state_load (n), ... <- end of stream: state_load (nothing)
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "backend/connection.h"
#include "util/fd.h"
#include "util/pipe.h"

#define CHUNK 65536		/* what a pipe takes at once */
#define CHUNKS_PER_TURN 8	/* then other sources have their turn */

/* --- the end --- */

static void
transfer_release (struct transfer *t)
{
	vh_source_remove (t->source);
	t->source = NULL;
	fd_close (&t->fd);	/* the end of the stream, for who reads */
	free (t->buf);
	t->buf = NULL;
}

void
device_state_cancel (struct vh_backend *b)
{
	struct transfer *t = &b->transfer;

	if (t->buf)
		t->result = -ECANCELED;
	transfer_release (t);
	if (t->checking)
		b->waiting--;
	t->checking = false;
}

/* How it ended.  May free b. */
static void
transfer_end (struct vh_backend *b, int result)
{
	struct transfer *t = &b->transfer;
	bool checking = t->checking;

	if (result < 0)
		error_set (&b->error, result, "the device's state could not be %s", t->loading ? "loaded" : "saved");
	device_state_cancel (b);
	t->result = result;
	if (checking && b->waiting == 0)
		backend_settled (b);
}

void
device_state_abort (struct vh_backend *b)
{
	if (b->transfer.buf)
		transfer_end (b, -ECONNRESET);
}

/* --- a piece of it; 1: there is more, 0: that was all, -EAGAIN, or what went wrong --- */

static int
save_piece (struct vh_backend *b)
{
	struct transfer *t = &b->transfer;
	ssize_t n;

	if (t->at == t->size) {
		n = b->ops.state_save (b->device->opaque, t->offset, t->buf, CHUNK);
		if (n <= 0 || n > CHUNK)
			return n > 0 ? -EINVAL : (int) n;
		t->at = 0;
		t->size = (size_t) n;
		t->offset += (uint64_t) n;
	}
	n = pipe_write (t->fd, t->buf + t->at, t->size - t->at);
	if (n < 0)
		return (int) n;
	t->at += (size_t) n;
	return 1;
}

static int
load_piece (struct vh_backend *b)
{
	struct transfer *t = &b->transfer;
	ssize_t n = pipe_read (t->fd, t->buf, CHUNK);
	int err;

	if (n < 0)
		return (int) n;
	err = b->ops.state_load (b->device->opaque, t->offset, t->buf, (size_t) n);
	t->offset += (uint64_t) n;
	return err < 0 ? err : n > 0;
}

static void
transfer_ready (void *opaque, uint32_t events)
{
	struct vh_backend *b = opaque;
	int more = 1;

	/* The front-end has thought better of it and runs the device. */
	if (!vrings_stopped (b))
		more = -ECANCELED;
	for (unsigned i = 0; i < CHUNKS_PER_TURN && more == 1; i++)
		more = b->transfer.loading ? load_piece (b) : save_piece (b);
	if (more != 1 && more != -EAGAIN)
		transfer_end (b, more);
}

/* --- the messages --- */

static int
transfer_begin (struct vh_backend *b, int fd, bool loading)
{
	struct transfer *t = &b->transfer;
	int own = pipe_adopt (fd, !loading);
	int err;

	if (own < 0)
		return own;
	device_state_cancel (b);
	*t = (struct transfer){ .fd = own, .loading = loading, .buf = malloc (CHUNK), .result = -EINPROGRESS };
	err = t->buf ? vh_loop_add_fd (b->loop, own, loading ? EPOLLIN : EPOLLOUT, transfer_ready, b, &t->source) : -ENOMEM;
	if (err < 0)
		transfer_release (t);
	return err;
}

int
device_state_begin (struct vh_backend *b, struct message *m, struct message *reply)
{
	struct state_transfer s;
	int err = message_get_transfer (m, &s);

	if (err < 0)
		return err;
	if (s.direction > TRANSFER_LOAD || s.phase != TRANSFER_PHASE_STOPPED)
		return -EINVAL;
	if (!vrings_stopped (b))
		return -EBUSY;
	err = transfer_begin (b, m->fds[0], s.direction == TRANSFER_LOAD);
	if (err == 0)
		message_put_u64 (reply, TRANSFER_NO_FD);	/* the front-end's channel is as good as ours */
	return err;
}

void
device_state_refuse_begin (struct vh_backend *b, struct message *m, struct message *reply)
{
	message_put_u64 (reply, TRANSFER_NO_FD | 1);
}

/* The answer waits for the end, as for rings that are to settle. */
int
device_state_check (struct vh_backend *b, struct message *m)
{
	if (b->transfer.buf) {
		b->transfer.checking = true;
		b->waiting++;
	}
	return 0;
}

int
device_state_checked (struct vh_backend *b, struct message *m, struct message *reply)
{
	if (b->transfer.result < 0)
		return b->transfer.result;
	message_put_u64 (reply, 0);
	return 0;
}

void
device_state_refuse_check (struct vh_backend *b, struct message *m, struct message *reply)
{
	message_put_u64 (reply, 1);
}
