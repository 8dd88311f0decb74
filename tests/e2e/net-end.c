/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames by hand.
 */
#include <endian.h>
#include <string.h>
#include <time.h>

#include "tests/e2e/net-end.h"

/* Each pair has its ring to receive and its ring to send; the memory for buffers is the test's to fill. */
#define MEMORY (32u << 20)
#define MAX_PIECES 64

void
end_open (struct end *e, const char *socket, unsigned pairs, uint64_t features)
{
	struct driver_options options = {
		.queues = 2 * pairs, .queue_size = END_RING, .indirect = MAX_PIECES, .regions = 1, .memory = MEMORY,
	};

	memset (e, 0, sizeof (*e));
	must_connect (&e->driver, socket, END_WAIT_MS);
	options.features = (features & vh_frontend_offered_features (e->driver.frontend)) | VH_BIT (VH_F_INDIRECT_DESC) | VH_BIT (VH_F_EVENT_IDX);
	must_start (&e->driver, &options);
	e->header_size = sizeof (struct virtio_net_hdr_v1);
	e->out = must_alloc (&e->driver, 2 * END_FRAME, 1);
	e->free[0] = e->free[1] = END_RING;
}

void
end_close (struct end *e)
{
	must_stop (&e->driver);
}

static struct queue *
in_queue (struct end *e, unsigned pair)
{
	return e->driver.queues[2 * pair];
}

static struct queue *
out_queue (struct end *e, unsigned pair)
{
	return e->driver.queues[2 * pair + 1];
}

/* --- sending --- */

unsigned
end_sending (struct end *e, unsigned pair)
{
	struct queue_done done[END_RING];
	int n = queue_reap (out_queue (e, pair), done, END_RING);

	if (n < 0)
		die ("the ring to send is broken");
	e->free[pair] += n;
	return END_RING - e->free[pair];
}

static void
await_sent (struct end *e, unsigned pair)
{
	struct queue *q = out_queue (e, pair);

	while (end_sending (e, pair) > 0)
		if (queues_wait (&q, 1, END_WAIT_MS) <= 0)
			die ("a frame is not sent");
}

static void
add (struct end *e, unsigned pair, size_t size, size_t first, size_t piece)
{
	struct queue_buffer buffers[MAX_PIECES];
	unsigned n = 0;

	for (size_t at = 0; at < size; n++) {
		size_t bytes = at == 0 && first ? first : piece ? piece : size;

		if (bytes > size - at || n == MAX_PIECES - 1)
			bytes = size - at;
		buffers[n] = (struct queue_buffer){ e->out + at, bytes };
		at += bytes;
	}
	if (queue_add (out_queue (e, pair), buffers, n, 0, e) < 0 || queue_publish (out_queue (e, pair)) < 0)
		die ("a frame cannot be sent");
	e->free[pair]--;
}

void
end_send (struct end *e, unsigned pair, const struct virtio_net_hdr_v1 *header, const void *bytes, size_t size, size_t piece)
{
	uint8_t *out = guest_at (&e->driver.guest, e->out);

	memcpy (out, header, e->header_size);
	memcpy (out + e->header_size, bytes, size);
	add (e, pair, e->header_size + size, piece ? 0 : e->header_size, piece);
	await_sent (e, pair);
}

void
end_send_raw (struct end *e, unsigned pair, const void *bytes, size_t size)
{
	memcpy (guest_at (&e->driver.guest, e->out), bytes, size);
	add (e, pair, size, 0, 0);
	await_sent (e, pair);
}

bool
end_try_send (struct end *e, unsigned pair, const void *bytes, size_t size)
{
	uint64_t where = must_alloc (&e->driver, e->header_size + size, 1);
	struct queue_buffer buffer = { where, e->header_size + size };

	memcpy ((uint8_t *) guest_at (&e->driver.guest, where) + e->header_size, bytes, size);
	end_sending (e, pair);
	if (queue_add (out_queue (e, pair), &buffer, 1, 0, e) < 0 || queue_publish (out_queue (e, pair)) < 0)
		return false;
	e->free[pair]--;
	return true;
}

/* --- receiving --- */

void
end_post (struct end *e, unsigned pair, unsigned n, uint32_t size)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned k = e->posted[pair]++ % END_RING;
		struct queue_buffer buffer = { must_alloc (&e->driver, size, 1), size };

		e->in[pair][k] = buffer.addr;
		e->in_size[pair][k] = size;
		if (queue_add (in_queue (e, pair), &buffer, 0, 1, (void *) (uintptr_t) (k + 1)) < 0)
			die ("no room for a buffer");
	}
	if (queue_publish (in_queue (e, pair)) < 0)
		die ("buffers cannot be published");
}

static uint64_t
now_ms (void)
{
	struct timespec t;

	clock_gettime (CLOCK_MONOTONIC, &t);
	return t.tv_sec * UINT64_C (1000) + t.tv_nsec / 1000000;
}

/* The next buffer that was used, by one of both pairs. */
static bool
reap (struct end *e, struct queue_done *done, unsigned *pair, int timeout_ms)
{
	uint64_t end = now_ms () + timeout_ms;

	for (;;) {
		struct queue *queues[2];
		unsigned n = e->driver.n_queues / 2;
		int left = end - now_ms ();

		for (*pair = 0; *pair < n; *pair += 1) {
			int got = queue_reap (in_queue (e, *pair), done, 1);

			if (got < 0)
				die ("the ring to receive is broken");
			if (got > 0)
				return true;
			queues[*pair] = in_queue (e, *pair);
		}
		if (left <= 0)
			return false;
		queues_wait (queues, n, left < 100 ? left : 100);
	}
}

static void
append (const struct end *e, struct frame *f, const struct queue_done *done, size_t skip)
{
	unsigned k = (uintptr_t) done->token - 1;
	const uint8_t *bytes = guest_at (&e->driver.guest, e->in[f->pair][k]);

	CHECK (done->written >= skip && f->size + done->written - skip <= sizeof (f->bytes));
	memcpy (f->bytes + f->size, bytes + skip, done->written - skip);
	f->size += done->written - skip;
	if (skip)
		memcpy (&f->header, bytes, skip);
}

bool
end_receive (struct end *e, struct frame *f, int timeout_ms)
{
	struct queue_done done;
	unsigned pair;

	if (!reap (e, &done, &f->pair, timeout_ms))
		return false;
	f->size = 0;
	append (e, f, &done, e->header_size);
	for (unsigned i = 1; i < le16toh (f->header.num_buffers); i++) {
		CHECK (reap (e, &done, &pair, END_WAIT_MS) && pair == f->pair);
		append (e, f, &done, 0);
	}
	return true;
}
