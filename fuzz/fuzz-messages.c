/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: a front-end that sends any message with any fds, at a back-end with a device that may keep requests in flight.  See messages-input.h for
 * what the bytes mean.  Besides the crash that a sanitizer sees, it is wrong if a reply is malformed, if the back-end does not come to rest, or if an fd or
 * a ring is left when the connection is gone.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vhost/backend.h>

#include "messages-input.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define MOST_STEPS 200
#define MOST_FDS 10
#define MOST_ROUNDS 2000

/* A ring without a kick is polled and never comes to rest by itself. */
#define POLLED_ROUNDS 20

#define MOST_HELD 64

#define SET_VRING_KICK 12
#define VRING_KICK 35

struct fuzz {
	const uint8_t *data;
	size_t left;

	/* the front-end */
	int socket, far_stream;
	int fds[FD_KINDS];	/* one of a kind; the eventfds are apart */
	int events[EVENTS];
	unsigned next_event;
	bool polled;		/* a ring may be without a kick */
	bool own_channel;	/* the back-end may read its own answers */

	/* the back-end */
	struct vh_loop *loop;
	struct vh_backend *backend;
	bool ended;

	/* the device */
	bool hold;
	struct vh_request *held[MOST_HELD];
	struct vh_ring *held_of[MOST_HELD];
	unsigned n_held, starts, stops, arrivals, departures, asked, answers;
	uint8_t config[24];
};

static void
wrong (const char *what)
{
	fprintf (stderr, "fuzz-messages: %s\n", what);
	abort ();
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

static unsigned
next_bytes (struct fuzz *f, uint8_t *buf, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf[i] = next_byte (f);
	return n;
}

/* --- the device --- */

static void
device_give (struct fuzz *f, struct vh_ring *ring, struct vh_request *r)
{
	uint8_t buf[256];
	size_t n = vh_parts_read (r->out, r->n_out, 0, buf, sizeof (buf));

	n = vh_parts_write (r->in, r->n_in, 0, buf, n);
	vh_ring_give (ring, r, (uint32_t) n);
}

static void
device_release (struct fuzz *f, struct vh_ring *ring, unsigned most)
{
	for (unsigned i = 0; i < f->n_held && most > 0;) {
		struct vh_ring *of = f->held_of[i];
		struct vh_request *r = f->held[i];

		if (ring && of != ring) {
			i++;
			continue;
		}
		f->n_held--;
		f->held[i] = f->held[f->n_held];
		f->held_of[i] = f->held_of[f->n_held];
		most--;
		device_give (f, of, r);
		vh_ring_flush (of);
	}
}

static void
device_process (void *opaque, struct vh_ring *ring)
{
	struct fuzz *f = opaque;
	struct vh_request *r;

	while (f->n_held < MOST_HELD && vh_ring_take (ring, &r, 1) > 0) {
		if (!f->hold) {
			device_give (f, ring, r);
			continue;
		}
		f->held[f->n_held] = r;
		f->held_of[f->n_held++] = ring;
	}
	vh_ring_flush (ring);
}

static void
device_drain (void *opaque, struct vh_ring *ring)
{
	device_release (opaque, ring, MOST_HELD);
}

static int
device_start (void *opaque, struct vh_ring *ring)
{
	struct fuzz *f = opaque;

	f->starts++;
	return 0;
}

static void
device_stop (void *opaque, struct vh_ring *ring)
{
	struct fuzz *f = opaque;

	f->stops++;
	if (vh_ring_in_flight (ring) > 0)
		wrong ("a ring stopped with requests in flight");
}

static void
device_connected (void *opaque, struct vh_backend *b)
{
	struct fuzz *f = opaque;

	f->arrivals++;
}

static void
device_disconnected (void *opaque, struct vh_backend *b)
{
	struct fuzz *f = opaque;

	f->departures++;
	if (f->starts != f->stops)
		wrong ("a ring was left running");
}

static int
device_set_config (void *opaque, uint32_t offset, const void *buf, uint32_t size, uint32_t flags)
{
	struct fuzz *f = opaque;

	memcpy (f->config + offset, buf, size);
	return 0;
}

static int
device_send_rarp (void *opaque, const uint8_t mac[6])
{
	return 0;
}

static int
device_set_mtu (void *opaque, unsigned mtu)
{
	if (mtu < 68 || mtu > 65535)
		wrong ("an MTU that cannot be");
	return 0;
}

static int
device_create_session (void *opaque, const struct vh_crypto_session *s, int64_t *id)
{
	if (s->asymmetric ? s->u.asym.key_size > sizeof (s->u.asym.key) : s->u.sym.auth_key_size > sizeof (s->u.sym.auth_key))
		wrong ("a key that is longer than it can be");
	*id = 5;
	return 0;
}

static int
device_close_session (void *opaque, int64_t id)
{
	return id == 5 ? 0 : -1;
}

static int
device_get_shmem_config (void *opaque, uint64_t sizes[VH_MAX_SHMEM])
{
	sizes[1] = PAGE;
	return 0;
}

static int
device_get_object (void *opaque, const uint8_t uuid[VH_UUID_SIZE])
{
	struct fuzz *f = opaque;

	return uuid[0] == 1 ? f->fds[FD_SMALL] : -1;
}

static int
device_set_gpu_socket (void *opaque, int fd)
{
	close (fd);
	return 0;
}

#define STATE_SIZE 100000u	/* more than a pipe takes */

static int
device_state_save (void *opaque, uint64_t offset, void *buf, size_t size)
{
	size_t n = STATE_SIZE - offset < size ? STATE_SIZE - offset : size;

	memset (buf, 0x5a, n);
	return (int) n;
}

static int
device_state_load (void *opaque, uint64_t offset, const void *buf, size_t size)
{
	return offset > STATE_SIZE ? -1 : 0;
}

static const struct vh_device_ops device_ops = {
	.size = sizeof (device_ops),
	.send_rarp = device_send_rarp,
	.set_mtu = device_set_mtu,
	.create_crypto_session = device_create_session,
	.close_crypto_session = device_close_session,
	.get_shmem_config = device_get_shmem_config,
	.get_object = device_get_object,
	.set_gpu_socket = device_set_gpu_socket,
	.state_save = device_state_save,
	.state_load = device_state_load,
	.set_config = device_set_config,
	.connected = device_connected,
	.disconnected = device_disconnected,
	.ring_start = device_start,
	.ring_process = device_process,
	.ring_drain = device_drain,
	.ring_stop = device_stop,
};

/* --- both ends --- */

static void
closed (void *opaque, struct vh_backend *b)
{
	struct fuzz *f = opaque;

	f->ended = true;
}

static int
must (int fd)
{
	if (fd < 0)
		wrong ("no more fds or memory");
	return fd;
}

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
	must (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	f->far_stream = pair[0];
	f->fds[FD_STREAM] = pair[1];
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

static void
open_backend (struct fuzz *f, const struct vh_device *device)
{
	struct vh_backend_options o = { .size = sizeof (o), .closed = closed, .opaque = f };
	int pair[2];

	must (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	f->socket = pair[0];
	must (vh_loop_new (&f->loop));
	o.loop = f->loop;
	must (vh_backend_new (device, pair[1], &o, &f->backend));
}

/* --- replies --- */

static bool
read_exactly (struct fuzz *f, void *buf, size_t n)
{
	return recv (f->socket, buf, n, MSG_DONTWAIT) == (ssize_t) n;
}

/* Reads what the back-end has answered; whatever it was asked, an answer has one form. */
static void
read_replies (struct fuzz *f)
{
	uint32_t header[3];
	uint8_t body[4096];

	while (read_exactly (f, header, sizeof (header))) {
		if (header[1] != 5 || header[2] > sizeof (body))
			wrong ("a reply with a malformed header");
		if (header[2] > 0 && !read_exactly (f, body, header[2]))
			wrong ("half a reply");
	}
}

static void
pump (struct fuzz *f)
{
	unsigned most = f->polled ? POLLED_ROUNDS : MOST_ROUNDS;

	while (most > 0 && must (vh_loop_dispatch (f->loop, 0)) > 0)
		most--;
	if (most == 0 && !f->polled)
		wrong ("the back-end does not come to rest");
	if (!f->own_channel)
		read_replies (f);
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
	return f->socket;
}

static void
send_on (struct fuzz *f, int socket, const void *data, size_t n, unsigned kind, unsigned n_fds)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE (MOST_FDS * sizeof (int))];
	} control;
	struct iovec iov = { .iov_base = (void *) data, .iov_len = n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;
	int fds[MOST_FDS];

	if (n_fds > 0) {
		memset (&control, 0, sizeof (control));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE (n_fds * sizeof (int));
		cmsg = CMSG_FIRSTHDR (&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN (n_fds * sizeof (int));
		for (unsigned i = 0; i < n_fds; i++)
			fds[i] = fd_of_kind (f, kind);
		memcpy (CMSG_DATA (cmsg), fds, n_fds * sizeof (int));
	}
	/* A socket that is full or closed takes nothing, and that is fine. */
	(void) !sendmsg (socket, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
send_bytes (struct fuzz *f, const void *data, size_t n, unsigned kind, unsigned n_fds)
{
	send_on (f, f->socket, data, n, kind, n_fds);
}

static void
step_message (struct fuzz *f)
{
	uint8_t id = next_byte (f), flags = next_byte (f), fds = next_byte (f);
	int8_t excess = (int8_t) next_byte (f);
	uint8_t message[12 + 255];
	unsigned n = next_bytes (f, message + 12, next_byte (f));
	uint32_t header[3] = { id == 255 ? UINT32_MAX : id, flags, n + (uint32_t) excess };

	memcpy (message, header, sizeof (header));
	/* Kicks with the bit for "no fd"; and what a wrong size makes of the bytes that follow is unknown. */
	f->polled |= excess != 0 || (id == SET_VRING_KICK && (message[13] & 1)) || id == VRING_KICK;
	send_bytes (f, message, 12 + n, fds % FD_KINDS, fds / FD_KINDS % (MOST_FDS + 1));
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
	uint8_t which = next_byte (f), uuid[VH_UUID_SIZE] = { 2, which };
	struct vh_shmem_map map = { .id = 1, .size = PAGE, .offset = (uint64_t) which * PAGE };
	int err;

	switch (which % 6) {
	case 0:
		err = vh_backend_add_object (f->backend, uuid, f->fds[FD_SMALL], asked, f);
		break;
	case 1:
		err = vh_backend_remove_object (f->backend, uuid, asked, f);
		break;
	case 2:
		err = vh_backend_lookup_object (f->backend, uuid, asked, f);
		break;
	case 3:
		err = vh_backend_map_shmem (f->backend, &map, f->fds[FD_SMALL], asked, f);
		break;
	case 4:
		err = vh_backend_unmap_shmem (f->backend, &map, asked, f);
		break;
	default:
		err = vh_backend_set_host_notifier (f->backend, which % 3, f->fds[FD_SMALL], 0, asked, f);
		break;
	}
	f->asked += err == 0;
}

static void
step_answer (struct fuzz *f)
{
	uint8_t buf[255];
	unsigned n = next_byte (f), fds = next_byte (f);

	next_bytes (f, buf, n);
	if (n > 0)
		send_on (f, f->far_stream, buf, n, fds % FD_KINDS, fds / FD_KINDS % (MOST_FDS + 1));
}

static void
step_bytes (struct fuzz *f)
{
	uint8_t buf[255];
	unsigned n = next_bytes (f, buf, next_byte (f));

	f->polled = true;	/* any message may be in there, or its first half in front of it */
	if (n > 0)
		send_bytes (f, buf, n, 0, 0);
}

static void
step_memory (struct fuzz *f)
{
	uint8_t buf[255], low = next_byte (f);
	unsigned offset = low | (unsigned) next_byte (f) << 8;
	unsigned n = next_bytes (f, buf, next_byte (f));

	(void) !pwrite (f->fds[FD_MEMORY], buf, n, offset);
}

static void
step_kick (struct fuzz *f)
{
	static const uint64_t one = 1;

	(void) !write (f->events[next_byte (f) % EVENTS], &one, sizeof (one));
}

static void
take_step (struct fuzz *f)
{
	switch (next_byte (f) % STEPS) {
	case STEP_MESSAGE:
		step_message (f);
		break;
	case STEP_BYTES:
		step_bytes (f);
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
		device_release (f, NULL, next_byte (f));
		break;
	case STEP_CUT:
		(void) !ftruncate (f->fds[FD_MEMORY], (off_t) (next_byte (f) % (MEMORY_SIZE / PAGE + 1) * PAGE));
		break;
	case STEP_CHANGED:
		vh_backend_config_changed (f->backend);
		break;
	case STEP_ASK:
		step_ask (f);
		break;
	case STEP_ANSWER:
		step_answer (f);
		break;
	}
}

/* --- one input --- */

static unsigned
count_fds (void)
{
	DIR *dir = opendir ("/proc/self/fd");
	unsigned n = 0;

	if (!dir)
		wrong ("/proc/self/fd cannot be read");
	while (readdir (dir))
		n++;
	closedir (dir);
	return n;
}

static void
run_input (struct fuzz *f)
{
	struct vh_device device = {
		.size = sizeof (device),
		.ops = &device_ops,
		.opaque = f,
		.features = UINT64_MAX,
		.protocol_features = UINT64_MAX,
		.rings = 3,
		.max_ring_size = 64,
		.request_size = 16,
		.config = f->config,
		.config_size = sizeof (f->config),
	};

	open_fds (f);
	open_backend (f, &device);
	for (unsigned i = 0; i < MOST_STEPS && f->left > 0 && !f->ended; i++) {
		take_step (f);
		pump (f);
	}
	close (f->socket);
	f->hold = false;
	device_release (f, NULL, MOST_HELD);
	vh_backend_free (f->backend);
	if (f->arrivals != 1 || f->departures != 1 || f->n_held != 0)
		wrong ("the device did not hear of the end");
	if (f->answers != f->asked)
		wrong ("the device asked for something and was not told");
	vh_loop_free (f->loop);
	close_fds (f);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
	static bool guarded;
	struct fuzz f = { .data = data, .left = size };
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
