/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: a front-end that sends any IOTLB messages to a back-end whose ring is running, or waits for translations.  See iotlb-input.h for what the bytes
 * mean.  It is wrong if a message is not answered as it deserves; if a request that the device gets, or still has when a message is acknowledged, leads where
 * no translation in force does; or if the back-end does not come to rest.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vhost/backend.h>

#include "iotlb-input.h"
#include "memory/table.h"
#include "util/checked.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define MOST_STEPS 200
#define MOST_ROUNDS 2000
#define MOST_HELD RING_SIZE

#define UPDATE 2
#define INVALIDATE 3

struct iotlb_body {
	uint64_t iova, size, user;
	uint8_t perm, type;
	uint8_t padding[6];
};

_Static_assert (sizeof (struct iotlb_body) == IOTLB_BODY, "as on the wire");

/* What the front-end has said that is still so. */
struct model {
	struct iotlb_body entries[MOST_STEPS];
	unsigned n;
};

struct fuzz {
	const uint8_t *data;
	size_t left;

	/* the front-end */
	int socket, channel, memory, kick;
	struct model model, next;	/* next: when the message that is under way is acknowledged */

	/* the back-end */
	struct vh_loop *loop;
	struct vh_backend *backend;
	bool ended;

	/* the device */
	bool hold;
	struct vh_ring *ring;
	struct vh_request *held[MOST_HELD];
	unsigned n_held;
};

static void
wrong (const char *what)
{
	fprintf (stderr, "fuzz-iotlb: %s\n", what);
	abort ();
}

static int
must (int result)
{
	if (result < 0)
		wrong ("no more fds or memory");
	return result;
}

/* --- the input --- */

static uint8_t
next_byte (struct fuzz *f)
{
	if (f->left == 0)
		return 0;
	f->left--;
	return *f->data++;
}

static void
next_bytes (struct fuzz *f, void *buf, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *) buf)[i] = next_byte (f);
}

/* --- what is right --- */

static uint64_t
last_of (const struct iotlb_body *b)
{
	uint64_t last;

	return checked_add (b->iova, b->size - 1, &last) ? last : UINT64_MAX;
}

static void
model_remove (struct model *m, uint64_t first, uint64_t last)
{
	for (unsigned i = 0; i < m->n;)
		if (m->entries[i].iova <= last && first <= last_of (&m->entries[i]))
			m->entries[i] = m->entries[--m->n];
		else
			i++;
}

/* Makes of the model what a message does.  False: it is to be refused. */
static bool
model_apply (struct model *m, const struct iotlb_body *b)
{
	uint64_t last;

	switch (b->type) {
	case INVALIDATE:
		model_remove (m, b->size ? b->iova : 0, b->size ? last_of (b) : UINT64_MAX);
		return true;
	case UPDATE:
		if (b->size == 0 || !checked_add (b->iova, b->size - 1, &last) || b->perm < 1 || b->perm > 3)
			return false;
		if (!range_inside (b->user, b->size, USER_PAGE (0), REGION_PAGES * PAGE) &&
		    !range_inside (b->user, b->size, USER_PAGE (REGION_PAGES), REGION_PAGES * PAGE))
			return false;
		model_remove (m, b->iova, last);
		m->entries[m->n++] = *b;
		return true;
	default:
		return false;
	}
}

/* May these user addresses be read, or written? */
static bool
model_allows (const struct model *m, uint64_t user, uint64_t size, unsigned perm)
{
	while (size > 0) {
		uint64_t there = 0;

		for (unsigned i = 0; i < m->n; i++)
			if (m->entries[i].perm & perm && user - m->entries[i].user < m->entries[i].size)
				there = m->entries[i].size - (user - m->entries[i].user);
		if (there == 0)
			return false;
		if (there >= size)
			return true;
		user += there;
		size -= there;
	}
	return true;
}

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
	uint32_t header[3] = { id, flags, size };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE (2 * sizeof (int))];
	} control = { 0 };
	struct iovec iov[2] = { { header, sizeof (header) }, { (void *) body, size } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	if (n_fds > 0) {
		struct cmsghdr *cmsg = (struct cmsghdr *) &control;

		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE (n_fds * sizeof (int));
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN (n_fds * sizeof (int));
		memcpy (CMSG_DATA (cmsg), fds, n_fds * sizeof (int));
	}
	if (sendmsg (f->socket, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		wrong ("the back-end takes no message");
}

static void
pump (struct fuzz *f)
{
	unsigned most = MOST_ROUNDS;

	while (most > 0 && must (vh_loop_dispatch (f->loop, 0)) > 0)
		most--;
	if (most == 0)
		wrong ("the back-end does not come to rest");
	if (f->ended)
		wrong ("the connection ended");
}

static bool
read_answer (struct fuzz *f, uint64_t *ret)
{
	uint32_t header[3];

	if (recv (f->socket, header, sizeof (header), MSG_DONTWAIT) != sizeof (header))
		return false;
	if (header[1] != 5 || header[2] != sizeof (*ret) || recv (f->socket, ret, sizeof (*ret), MSG_DONTWAIT) != sizeof (*ret))
		wrong ("a malformed answer");
	return true;
}

/* Sends it, and has it acknowledged when nothing that it takes back is in use any more. */
static void
tell (struct fuzz *f, const struct iotlb_body *b)
{
	bool good;
	uint64_t answer;

	f->next = f->model;
	good = model_apply (&f->next, b);
	send_message (f, 22, 9, b, sizeof (*b), NULL, 0);
	pump (f);
	if (!read_answer (f, &answer)) {
		device_release (f, MOST_HELD);
		pump (f);
		if (!read_answer (f, &answer))
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
	int pair[2];

	must (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	f->channel = pair[0];
	send_message (f, 21, 1, NULL, 0, &pair[1], 1);
	pump (f);
	close (pair[1]);
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
closed (void *opaque, struct vh_backend *b)
{
	((struct fuzz *) opaque)->ended = true;
}

static void
open_both (struct fuzz *f, const struct vh_device *device)
{
	struct vh_backend_options o = { .size = sizeof (o), .closed = closed, .opaque = f };
	int pair[2];

	f->memory = must (memfd_create ("guest", MFD_CLOEXEC));
	must (ftruncate (f->memory, 2 * REGION_PAGES * PAGE));
	f->kick = must (eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK));
	must (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	f->socket = pair[0];
	must (vh_loop_new (&f->loop));
	o.loop = f->loop;
	must (vh_backend_new (device, pair[1], &o, &f->backend));
}

/* --- steps --- */

static void
step_update (struct fuzz *f)
{
	uint8_t page = next_byte (f), pages = next_byte (f), user = next_byte (f), perm = next_byte (f);
	struct iotlb_body b = {
		.iova = page * (uint64_t) PAGE, .size = pages * (uint64_t) PAGE, .user = USER_PAGE (user % (2 * REGION_PAGES)), .perm = perm, .type = UPDATE,
	};

	tell (f, &b);
}

static void
step_invalidate (struct fuzz *f)
{
	uint8_t page = next_byte (f), pages = next_byte (f);
	struct iotlb_body b = { .iova = page * (uint64_t) PAGE, .size = pages * (uint64_t) PAGE, .type = INVALIDATE };

	tell (f, &b);
}

static void
step_message (struct fuzz *f)
{
	struct iotlb_body b;

	next_bytes (f, &b, sizeof (b));
	tell (f, &b);
}

static void
step_memory (struct fuzz *f)
{
	uint8_t buf[255], low = next_byte (f);
	unsigned offset = low | (unsigned) next_byte (f) << 8;
	uint8_t n = next_byte (f);

	next_bytes (f, buf, n);
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
step_answer (struct fuzz *f)
{
	uint64_t value = next_byte (f);
	uint32_t message[3 + IOTLB_BODY / 4];
	uint32_t answer[5] = { 1, 5, sizeof (value) };

	if (recv (f->channel, message, sizeof (message), MSG_DONTWAIT) != sizeof (message))
		return;
	if (message[0] != 1 || message[2] != IOTLB_BODY)
		wrong ("the back-end asks for something else");
	memcpy (answer + 3, &value, sizeof (value));
	must ((int) send (f->channel, answer, sizeof (answer), MSG_DONTWAIT | MSG_NOSIGNAL));
}

static void
take_step (struct fuzz *f)
{
	switch (next_byte (f) % STEPS) {
	case STEP_UPDATE:
		step_update (f);
		break;
	case STEP_INVALIDATE:
		step_invalidate (f);
		break;
	case STEP_MESSAGE:
		step_message (f);
		break;
	case STEP_MEMORY:
		step_memory (f);
		break;
	case STEP_KICK:
		step_kick (f);
		break;
	case STEP_HOLD:
		f->hold = next_byte (f) % 2;
		break;
	case STEP_RELEASE:
		device_release (f, next_byte (f));
		break;
	case STEP_ANSWER:
		step_answer (f);
		break;
	}
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
	struct fuzz f = { .data = data, .left = size };
	struct vh_device device = {
		.size = sizeof (device), .ops = &device_ops, .opaque = &f, .rings = 1, .max_ring_size = RING_SIZE,
		.features = vh_backend_supported_ring_features () | VH_BIT (VH_F_ACCESS_PLATFORM),
	};

	open_both (&f, &device);
	set_up (&f);
	for (unsigned i = 0; i < MOST_STEPS && f.left > 0; i++) {
		take_step (&f);
		pump (&f);
	}
	close (f.socket);
	close (f.channel);
	device_release (&f, MOST_HELD);
	vh_backend_free (f.backend);
	vh_loop_free (f.loop);
	close (f.memory);
	close (f.kick);
	return 0;
}
