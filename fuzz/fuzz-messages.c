/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: a front-end that sends any message with any fds, at a back-end with a device that may keep requests in flight.  See messages-input.h for
 * what the bytes mean.  Besides the crash that a sanitizer sees, it is wrong if a reply is malformed, if the back-end does not come to rest, or if an fd or
 * a ring is left when the connection is gone.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vhost/backend.h>

#include "fuzz/back-end.h"
#include "fuzz/far-end.h"
#include "fuzz/input.h"
#include "fuzz/messages-device.h"
#include "fuzz/messages-input.h"
#include "fuzz/verdict.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define MOST_STEPS 200
#define MOST_ROUNDS 2000

/* A ring without a kick is polled and never comes to rest by itself. */
#define POLLED_ROUNDS 20

#define SET_VRING_KICK 12
#define VRING_KICK 35

struct fuzz {
	struct input in;

	/* the front-end */
	int far_stream;
	int fds[FD_KINDS];	/* one of a kind; the eventfds are apart */
	int events[EVENTS];
	unsigned next_event;
	bool polled;		/* a ring may be without a kick */
	bool own_channel;	/* the back-end may read its own answers */

	struct back_end back_end;
	struct device device;
	unsigned asked, answers;	/* what it wanted of the front-end */
};

/* --- both ends --- */

static int
make_file (const char *name, off_t size)
{
	int fd = must (memfd_create (name, MFD_CLOEXEC));

	must (ftruncate (fd, size));
	return fd;
}

static int
reopen (int fd, int flags)
{
	char path[64];

	snprintf (path, sizeof (path), "/proc/self/fd/%d", fd);
	return must (open (path, flags | O_CLOEXEC));
}

static void
open_fds (struct fuzz *f)
{
	int pair[2];

	f->fds[FD_MEMORY] = make_file ("guest", MEMORY_SIZE);
	f->fds[FD_READ_ONLY] = reopen (f->fds[FD_MEMORY], O_RDONLY);
	f->fds[FD_SMALL] = make_file ("small", PAGE);
	must (pipe2 (pair, O_CLOEXEC | O_NONBLOCK));
	close (pair[0]);
	f->fds[FD_PIPE] = pair[1];
	f->far_stream = far_end_new (&f->fds[FD_STREAM]);
	f->fds[FD_EPOLL] = must (epoll_create1 (EPOLL_CLOEXEC));
	for (unsigned i = 0; i < EVENTS; i++)
		f->events[i] = must (eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK));
}

static void
close_fds (struct fuzz *f)
{
	for (unsigned i = 0; i < FD_KINDS; i++)
		if (i != FD_EVENT && i != FD_SOCKET)
			close (f->fds[i]);
	for (unsigned i = 0; i < EVENTS; i++)
		close (f->events[i]);
	close (f->far_stream);
}

/* Until the back-end has done all that there is to do.  Whatever it was asked, an answer has one form. */
static void
pump (struct fuzz *f)
{
	struct far_message m;

	if (!back_end_rests (&f->back_end, f->polled ? POLLED_ROUNDS : MOST_ROUNDS) && !f->polled)
		wrong ("the back-end does not come to rest");
	while (!f->own_channel && far_end_receive_message (f->back_end.socket, &m, FAR_END_ANSWER, 0))
		if (m.fd >= 0)
			close (m.fd);
}

/* --- steps --- */

static int
fd_of_kind (struct fuzz *f, unsigned kind)
{
	if (kind == FD_EVENT)
		return f->events[f->next_event++ % EVENTS];
	if (kind != FD_SOCKET)
		return f->fds[kind];
	f->own_channel = true;
	return f->back_end.socket;
}

/* What a byte of the input says of fds: how many, and these. */
static unsigned
fds_of (struct fuzz *f, uint8_t fds, int ret[FAR_END_FDS])
{
	unsigned n = fds / FD_KINDS % (FAR_END_FDS + 1);

	for (unsigned i = 0; i < n; i++)
		ret[i] = fd_of_kind (f, fds % FD_KINDS);
	return n;
}

static void
step_message (struct fuzz *f)
{
	uint8_t id = input_byte (&f->in), flags = input_byte (&f->in), fd_byte = input_byte (&f->in), body[INPUT_MAX_PIECE];
	int8_t excess = (int8_t) input_byte (&f->in);
	unsigned n = input_piece (&f->in, body);
	uint32_t header[HEADER_WORDS] = { id == 255 ? UINT32_MAX : id, flags, n + (uint32_t) excess };
	int fds[FAR_END_FDS];
	unsigned n_fds = fds_of (f, fd_byte, fds);

	/* Kicks with the bit for "no fd"; and what a wrong size makes of the bytes that follow is unknown. */
	f->polled |= excess != 0 || (id == SET_VRING_KICK && n > 1 && (body[1] & 1)) || id == VRING_KICK;
	far_end_send_message (f->back_end.socket, header, body, n, fds, n_fds);
}

static void
asked (void *opaque, int err, int fd)
{
	struct fuzz *f = opaque;

	f->answers++;
	if (fd >= 0)
		close (fd);
}

static void
step_ask (struct fuzz *f)
{
	uint8_t which = input_byte (&f->in), uuid[VH_UUID_SIZE] = { 2, which };
	struct vh_shmem_map map = { .id = 1, .size = PAGE, .offset = (uint64_t) which * PAGE };
	int err;

	switch (which % 6) {
	case 0:
		err = vh_backend_add_object (f->back_end.backend, uuid, f->fds[FD_SMALL], asked, f);
		break;
	case 1:
		err = vh_backend_remove_object (f->back_end.backend, uuid, asked, f);
		break;
	case 2:
		err = vh_backend_lookup_object (f->back_end.backend, uuid, asked, f);
		break;
	case 3:
		err = vh_backend_map_shmem (f->back_end.backend, &map, f->fds[FD_SMALL], asked, f);
		break;
	case 4:
		err = vh_backend_unmap_shmem (f->back_end.backend, &map, asked, f);
		break;
	default:
		err = vh_backend_set_host_notifier (f->back_end.backend, which % 3, f->fds[FD_SMALL], 0, asked, f);
		break;
	}
	f->asked += err == 0;
}

static void
step_answer (struct fuzz *f)
{
	uint8_t buf[INPUT_MAX_PIECE], n = input_byte (&f->in), fd_byte = input_byte (&f->in);
	int fds[FAR_END_FDS];
	unsigned n_fds = fds_of (f, fd_byte, fds);

	input_bytes (&f->in, buf, n);
	far_end_send (f->far_stream, buf, n, fds, n_fds);
}

static void
step_bytes (struct fuzz *f)
{
	uint8_t buf[INPUT_MAX_PIECE];
	unsigned n = input_piece (&f->in, buf);

	f->polled = true;	/* any message may be in there, or its first half in front of it */
	far_end_send (f->back_end.socket, buf, n, NULL, 0);
}

static void
step_memory (struct fuzz *f)
{
	uint8_t buf[INPUT_MAX_PIECE];
	unsigned offset = input_word (&f->in), n = input_piece (&f->in, buf);

	(void) !pwrite (f->fds[FD_MEMORY], buf, n, offset);
}

static void
step_kick (struct fuzz *f)
{
	static const uint64_t one = 1;

	(void) !write (f->events[input_byte (&f->in) % EVENTS], &one, sizeof (one));
}

static void
step_hold (struct fuzz *f)
{
	f->device.hold = input_byte (&f->in) % 2;
}

static void
step_release (struct fuzz *f)
{
	device_release (&f->device, NULL, input_byte (&f->in));
}

static void
step_cut (struct fuzz *f)
{
	(void) !ftruncate (f->fds[FD_MEMORY], (off_t) (input_byte (&f->in) % (MEMORY_SIZE / PAGE + 1) * PAGE));
}

static void
step_changed (struct fuzz *f)
{
	vh_backend_config_changed (f->back_end.backend);
}

static void (*const steps[STEPS]) (struct fuzz *) = {
	[STEP_MESSAGE] = step_message, [STEP_BYTES] = step_bytes, [STEP_MEMORY] = step_memory, [STEP_KICK] = step_kick, [STEP_HOLD] = step_hold,
	[STEP_RELEASE] = step_release, [STEP_CUT] = step_cut, [STEP_CHANGED] = step_changed, [STEP_ASK] = step_ask, [STEP_ANSWER] = step_answer,
};

/* --- one input --- */

static void
run_input (struct fuzz *f)
{
	struct vh_device device = {
		.size = sizeof (device),
		.ops = &device_ops,
		.opaque = &f->device,
		.features = UINT64_MAX,
		.protocol_features = UINT64_MAX,
		.rings = 3,
		.max_ring_size = 64,
		.request_size = 16,
		.config = f->device.config,
		.config_size = sizeof (f->device.config),
	};

	open_fds (f);
	f->device.object = f->fds[FD_SMALL];
	back_end_open (&f->back_end, &device);
	for (unsigned i = 0; i < MOST_STEPS && f->in.left > 0 && !f->back_end.ended; i++) {
		steps[input_byte (&f->in) % STEPS](f);
		pump (f);
	}
	close (f->back_end.socket);
	f->device.hold = false;
	device_release (&f->device, NULL, MOST_HELD);
	back_end_free (&f->back_end);
	if (f->device.arrivals != 1 || f->device.departures != 1 || f->device.n_held != 0)
		wrong ("the device did not hear of the end");
	if (f->answers != f->asked)
		wrong ("the device asked for something and was not told");
	close_fds (f);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
	static bool guarded;
	struct fuzz f = { .in = { .data = data, .left = size } };
	unsigned before;

	if (!guarded)
		must (vh_memory_guard ());
	guarded = true;
	before = count_fds ();
	run_input (&f);
	if (count_fds () != before)
		wrong ("fds are left");
	return 0;
}
