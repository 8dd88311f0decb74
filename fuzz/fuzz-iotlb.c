/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: a front-end that sends any IOTLB messages to a back-end whose ring is running, or waits for translations.  See iotlb-input.h for what the bytes
 * mean.  It is wrong if a message is not answered as it deserves; if a request that the device gets, or still has when a message is acknowledged, leads where
 * no translation in force does; or if the back-end does not come to rest.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vhost/backend.h>

#include "fuzz/back-end.h"
#include "fuzz/far-end.h"
#include "fuzz/input.h"
#include "fuzz/iotlb-input.h"
#include "fuzz/iotlb-model.h"
#include "fuzz/verdict.h"
#include "memory/table.h"
#include "util/checked.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define MOST_STEPS MODEL_MAX
#define MOST_ROUNDS 2000
#define MOST_HELD RING_SIZE

struct fuzz {
	struct input in;

	/* the front-end */
	int channel, memory, kick;
	struct model model, next;	/* next: when the message that is under way is acknowledged */

	struct back_end back_end;

	/* the device */
	bool hold;
	struct vh_ring *ring;
	struct vh_request *held[MOST_HELD];
	unsigned n_held;
};

/* --- what is right --- */

/* A part's user address.  The ring's table is of I/O addresses, but its regions are those of the guest's memory. */
static uint64_t
user_of (const struct fuzz *f, const struct iovec *part)
{
	const struct vh_memory *m = vh_ring_memory (f->ring);

	for (unsigned i = 0; i < m->n; i++) {
		const struct region *r = m->slots[i].region;

		if (range_inside ((uintptr_t) part->iov_base, part->iov_len, (uintptr_t) r->host, r->spec.size))
			return r->spec.user_addr + (uint64_t) ((unsigned char *) part->iov_base - r->host);
	}
	wrong ("a part is in no region");
	return 0;
}

static bool
parts_allowed (const struct fuzz *f, const struct model *m, const struct iovec *parts, unsigned n, unsigned perm)
{
	for (unsigned i = 0; i < n; i++)
		if (!model_allows (m, user_of (f, &parts[i]), parts[i].iov_len, perm))
			return false;
	return true;
}

static bool
request_allowed (const struct fuzz *f, const struct model *m, const struct vh_request *r)
{
	return parts_allowed (f, m, r->out, r->n_out, 1) && parts_allowed (f, m, r->in, r->n_in, 2);
}

/* --- the device --- */

static void
device_give (struct fuzz *f, struct vh_request *r)
{
	uint8_t buf[64];
	size_t n = vh_parts_read (r->out, r->n_out, 0, buf, sizeof (buf));

	vh_ring_give (f->ring, r, (uint32_t) vh_parts_write (r->in, r->n_in, 0, buf, n));
}

static void
device_release (struct fuzz *f, unsigned most)
{
	while (f->n_held > 0 && most-- > 0) {
		device_give (f, f->held[--f->n_held]);
		vh_ring_flush (f->ring);
	}
}

static void
device_process (void *opaque, struct vh_ring *ring)
{
	struct fuzz *f = opaque;
	struct vh_request *r;

	while (f->n_held < MOST_HELD && vh_ring_take (ring, &r, 1) > 0) {
		/* A message may be under way: then either will do. */
		if (!request_allowed (f, &f->model, r) && !request_allowed (f, &f->next, r))
			wrong ("a request leads where no translation does");
		if (f->hold)
			f->held[f->n_held++] = r;
		else
			device_give (f, r);
	}
	vh_ring_flush (ring);
}

static int
device_start (void *opaque, struct vh_ring *ring)
{
	((struct fuzz *) opaque)->ring = ring;
	return 0;
}

static void
device_drain (void *opaque, struct vh_ring *ring)
{
	device_release (opaque, MOST_HELD);
}

static const struct vh_device_ops device_ops = {
	.size = sizeof (device_ops), .ring_start = device_start, .ring_process = device_process, .ring_drain = device_drain,
};

/* --- messages --- */

static void
send_message (struct fuzz *f, uint32_t id, uint32_t flags, const void *body, uint32_t size, const int *fds, unsigned n_fds)
{
	const uint32_t header[HEADER_WORDS] = { id, flags, size };

	if (!far_end_send_message (f->back_end.socket, header, body, size, fds, n_fds))
		wrong ("the back-end takes no message");
}

static void
pump (struct fuzz *f)
{
	if (!back_end_rests (&f->back_end, MOST_ROUNDS))
		wrong ("the back-end does not come to rest");
	if (f->back_end.ended)
		wrong ("the connection ended");
}

/* Sends it, and has it acknowledged when nothing that it takes back is in use any more. */
static void
tell (struct fuzz *f, const struct iotlb_body *b)
{
	bool good;
	uint64_t answer;

	f->next = f->model;
	good = model_apply (&f->next, b);
	send_message (f, 22, FAR_END_WANTS_ANSWER, b, sizeof (*b), NULL, 0);
	pump (f);
	if (!far_end_receive_u64 (f->back_end.socket, &answer)) {
		device_release (f, MOST_HELD);
		pump (f);
		if (!far_end_receive_u64 (f->back_end.socket, &answer))
			wrong ("a message is not answered");
	}
	if (good != (answer == 0))
		wrong (good ? "a message is refused that is right" : "a message is acknowledged that is wrong");
	if (good)
		f->model = f->next;
	f->next = f->model;
	for (unsigned i = 0; i < f->n_held; i++)
		if (!request_allowed (f, &f->model, f->held[i]))
			wrong ("a request outlives its translation");
}

/* --- set-up --- */

static void
say_state (struct fuzz *f, uint32_t id, uint32_t index, uint32_t num)
{
	uint32_t body[2] = { index, num };

	send_message (f, id, 1, body, sizeof (body), NULL, 0);
}

static void
say_u64 (struct fuzz *f, uint32_t id, uint64_t body, const int *fd)
{
	send_message (f, id, 1, &body, sizeof (body), fd, fd != NULL);
}

static void
say_memory (struct fuzz *f)
{
	uint64_t body[9] = { 2 };
	int fds[2] = { f->memory, f->memory };

	for (unsigned i = 0; i < 2; i++) {
		body[1 + 4 * i] = USER_PAGE (i * REGION_PAGES) << 8;	/* guest address; nothing looks at it */
		body[2 + 4 * i] = REGION_PAGES * PAGE;
		body[3 + 4 * i] = USER_PAGE (i * REGION_PAGES);
		body[4 + 4 * i] = i * REGION_PAGES * PAGE;
	}
	send_message (f, 5, 1, body, sizeof (body), fds, 2);
}

static void
open_channel (struct fuzz *f)
{
	int theirs;

	f->channel = far_end_new (&theirs);
	send_message (f, 21, 1, NULL, 0, &theirs, 1);
	pump (f);
	close (theirs);
}

static void
set_up (struct fuzz *f)
{
	uint64_t addr[5] = { 0, DESC_IOVA, USED_IOVA, AVAIL_IOVA, 0 };

	say_u64 (f, 16, VH_BIT (VH_P_REPLY_ACK) | VH_BIT (VH_P_BACKEND_REQ), NULL);
	say_u64 (f, 2, VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_ACCESS_PLATFORM) | VH_BIT (VH_F_PROTOCOL_FEATURES) | VH_BIT (VH_F_INDIRECT_DESC), NULL);
	say_memory (f);
	open_channel (f);
	say_state (f, 8, 0, RING_SIZE);
	say_state (f, 10, 0, 0);
	send_message (f, 9, 1, addr, sizeof (addr), NULL, 0);
	say_u64 (f, 12, 0, &f->kick);
	say_state (f, 18, 0, 1);
	pump (f);
}

static void
open_both (struct fuzz *f, const struct vh_device *device)
{
	f->memory = must (memfd_create ("guest", MFD_CLOEXEC));
	must (ftruncate (f->memory, 2 * REGION_PAGES * PAGE));
	f->kick = must (eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK));
	back_end_open (&f->back_end, device);
}

/* --- steps --- */

static void
step_update (struct fuzz *f)
{
	uint8_t page = input_byte (&f->in), pages = input_byte (&f->in), user = input_byte (&f->in), perm = input_byte (&f->in);
	struct iotlb_body b = {
		.iova = page * (uint64_t) PAGE, .size = pages * (uint64_t) PAGE, .user = USER_PAGE (user % (2 * REGION_PAGES)), .perm = perm, .type = UPDATE,
	};

	tell (f, &b);
}

static void
step_invalidate (struct fuzz *f)
{
	uint8_t page = input_byte (&f->in), pages = input_byte (&f->in);
	struct iotlb_body b = { .iova = page * (uint64_t) PAGE, .size = pages * (uint64_t) PAGE, .type = INVALIDATE };

	tell (f, &b);
}

static void
step_message (struct fuzz *f)
{
	struct iotlb_body b;

	input_bytes (&f->in, &b, sizeof (b));
	tell (f, &b);
}

static void
step_memory (struct fuzz *f)
{
	uint8_t buf[INPUT_MAX_PIECE];
	unsigned offset = input_word (&f->in), n = input_piece (&f->in, buf);

	if (offset + n <= 2 * REGION_PAGES * PAGE)
		must ((int) pwrite (f->memory, buf, n, offset));
}

static void
step_kick (struct fuzz *f)
{
	static const uint64_t one = 1;

	must ((int) write (f->kick, &one, sizeof (one)));
}

static void
step_hold (struct fuzz *f)
{
	f->hold = input_byte (&f->in) % 2;
}

static void
step_release (struct fuzz *f)
{
	device_release (f, input_byte (&f->in));
}

/* The back-end asks for nothing but translations. */
static void
step_answer (struct fuzz *f)
{
	static const uint32_t header[HEADER_WORDS] = { 1, FAR_END_ANSWER, sizeof (uint64_t) };
	uint64_t value = input_byte (&f->in);
	struct far_message m;

	if (!far_end_receive_message (f->channel, &m, 1, 8))
		return;
	if (m.header[HEADER_ID] != 1 || m.header[HEADER_SIZE] != IOTLB_BODY || m.fd >= 0)
		wrong ("the back-end asks for something else");
	far_end_send_message (f->channel, header, &value, sizeof (value), NULL, 0);
}

static void (*const steps[STEPS]) (struct fuzz *) = {
	[STEP_UPDATE] = step_update, [STEP_INVALIDATE] = step_invalidate, [STEP_MESSAGE] = step_message, [STEP_MEMORY] = step_memory,
	[STEP_KICK] = step_kick, [STEP_HOLD] = step_hold, [STEP_RELEASE] = step_release, [STEP_ANSWER] = step_answer,
};

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
	struct fuzz f = { .in = { .data = data, .left = size } };
	struct vh_device device = {
		.size = sizeof (device), .ops = &device_ops, .opaque = &f, .rings = 1, .max_ring_size = RING_SIZE,
		.features = vh_backend_supported_ring_features () | VH_BIT (VH_F_ACCESS_PLATFORM),
	};

	open_both (&f, &device);
	set_up (&f);
	for (unsigned i = 0; i < MOST_STEPS && f.in.left > 0; i++) {
		steps[input_byte (&f.in) % STEPS](&f);
		pump (&f);
	}
	close (f.back_end.socket);
	close (f.channel);
	device_release (&f, MOST_HELD);
	back_end_free (&f.back_end);
	close (f.memory);
	close (f.kick);
	return 0;
}
