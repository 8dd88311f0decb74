/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: a back-end that answers anything, with any fds, and asks anything, at a front-end in the middle of any calls.  See frontend-input.h for what
 * the bytes mean.  Besides the crash that a sanitizer sees, it is wrong if a call does not end exactly once, or if an fd is left.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vhost/frontend.h>
#include <vhost/postcopy.h>

#include "frontend-input.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define MOST_STEPS 200
#define MOST_FDS 10
#define MOST_WAITING 64	/* requests that were not answered yet */
#define PAGE 4096
#define SET_BACKEND_REQ_FD 21

struct fuzz {
	const uint8_t *data;
	size_t left;

	/* the back-end */
	int socket, channel;		/* -1: closed */
	int file;
	uint32_t waiting[MOST_WAITING];
	unsigned n_waiting;

	/* the front-end */
	struct vh_frontend *frontend;
	unsigned calls, ended;
};

/* Where answers go; they are never looked at but by the sanitizer. */
static struct results {
	uint64_t numbers[VH_MAX_SHMEM];
	uint8_t config[VH_MAX_CONFIG_SIZE];
	struct vh_inflight inflight;
	int64_t session;
	uint32_t base;
	unsigned n;
	uint8_t status;
	int fd;
} results;

static void
wrong (const char *what)
{
	fprintf (stderr, "fuzz-frontend: %s\n", what);
	abort ();
}

static int
must (int fd)
{
	if (fd < 0)
		wrong ("no more fds or memory");
	return fd;
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

/* --- the caller --- */

static int
hear_ring (void *opaque, unsigned ring)
{
	return 0;
}

static int
hear_notifier (void *opaque, unsigned ring, int fd, uint64_t offset)
{
	if (fd >= 0)
		close (fd);
	return 0;
}

static int
hear_object (void *opaque, const uint8_t uuid[VH_UUID_SIZE])
{
	return 0;
}

static int
lookup_object (void *opaque, const uint8_t uuid[VH_UUID_SIZE])
{
	struct fuzz *f = opaque;

	return f->file;
}

static int
map_shmem (void *opaque, const struct vh_shmem_map *map, int fd)
{
	if (map->size == 0 || map->size % PAGE || map->offset % PAGE || map->offset + map->size < map->offset)
		wrong ("a piece of shared memory that nobody can map");
	close (fd);
	return 0;
}

static int
unmap_shmem (void *opaque, const struct vh_shmem_map *map)
{
	return 0;
}

static void
config_changed (void *opaque)
{
}

static const struct vh_frontend_ops ops = {
	.size = sizeof (ops),
	.vring_call = hear_ring,
	.vring_err = hear_ring,
	.host_notifier = hear_notifier,
	.add_object = hear_object,
	.remove_object = hear_object,
	.lookup_object = lookup_object,
	.map_shmem = map_shmem,
	.unmap_shmem = unmap_shmem,
};

/* --- calls --- */

static void
call_ended (void *opaque, int result)
{
	struct fuzz *f = opaque;

	f->ended++;
	if (f->ended > f->calls)
		wrong ("a call ended twice");
}

/* A call that brings an fd. */
static void
call_with_fd_ended (void *opaque, int result)
{
	call_ended (opaque, result);
	if (result == 0 && results.fd >= 0)
		close (results.fd);
	results.fd = -1;
}

static void
call_with_area_ended (void *opaque, int result)
{
	call_ended (opaque, result);
	if (result == 0 && results.inflight.fd >= 0)
		close (results.inflight.fd);
	results.inflight.fd = -1;
}

static int
make_call (struct fuzz *f, uint8_t which)
{
	static const uint8_t name[VH_UUID_SIZE] = { 1, 2, 3 };
	static const struct vh_crypto_session session = { .opcode = 2 };
	struct vh_region region = { .guest_addr = 0x10000, .size = PAGE, .user_addr = 0x20000, .fd = f->file };
	struct vh_frontend *async = vh_frontend_async (f->frontend, call_ended, f);

	switch (which % 27) {
	case 0:
		return vh_frontend_handshake (async, UINT64_MAX);
	case 1:
		return vh_frontend_get_features (async, results.numbers);
	case 2:
		return vh_frontend_set_features (async, vh_frontend_offered_features (async));
	case 3:
		return vh_frontend_get_protocol_features (async, results.numbers);
	case 4:
		return vh_frontend_set_protocol_features (async, vh_frontend_offered_protocol_features (async) & 0xffffff);
	case 5:
		return vh_frontend_get_queue_num (async, &results.n);
	case 6:
		return vh_frontend_get_max_mem_slots (async, &results.n);
	case 7:
		return vh_frontend_set_mem_table (async, &region, 1);
	case 8:
		return vh_frontend_add_mem_region (async, &region);
	case 9:
		return vh_frontend_get_vring_base (async, 1, &results.base);
	case 10:
		return vh_frontend_get_vring_base_skip_drain (async, 1, &results.base);
	case 11:
		return vh_frontend_set_vring_kick (async, 1, f->file);
	case 12:
		return vh_frontend_get_config (async, 3, results.config, 200);
	case 13:
		return vh_frontend_set_config (async, 3, results.config, 5, VH_CONFIG_WRITE);
	case 14:
		return vh_frontend_get_status (async, &results.status);
	case 15:
		return vh_frontend_create_crypto_session (async, &session, &results.session);
	case 16:
		return vh_frontend_get_shmem_config (async, results.numbers);
	case 17:
		return vh_frontend_check_state (async);
	case 18:
		return vh_frontend_reset_device (async);
	case 19:
		return vh_frontend_set_status (async, 0);
	case 20:
		return vh_frontend_postcopy_listen (async);
	case 21:
		return vh_frontend_postcopy_set_mem_table (async, &region, 1, results.numbers);
	case 22:
		return vh_frontend_postcopy_ack_mem_table (async);
	/* Each of these fills in an fd, so there is one at a time. */
	case 23:
		return f->calls != f->ended ? -1 : vh_frontend_get_object (vh_frontend_async (async, call_with_fd_ended, f), name, &results.fd);
	case 24:
		return f->calls != f->ended ? -1 : vh_frontend_save_state (vh_frontend_async (async, call_with_fd_ended, f), f->file, &results.fd);
	case 25:
		return f->calls != f->ended ? -1 : vh_frontend_postcopy_advise (vh_frontend_async (async, call_with_fd_ended, f), &results.fd);
	default:
		return f->calls != f->ended ? -1 : vh_frontend_get_inflight (vh_frontend_async (async, call_with_area_ended, f), 2, 64, &results.inflight);
	}
}

static void
step_call (struct fuzz *f)
{
	/* It may end before it is known to be on its way. */
	f->calls++;
	if (make_call (f, next_byte (f)) < 0) {
		f->calls--;
		vh_frontend_async (f->frontend, NULL, NULL);
	}
}

/* --- the back-end --- */

static void
send_bytes (struct fuzz *f, int socket, const void *data, size_t n, unsigned n_fds)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE (MOST_FDS * sizeof (int))];
	} control;
	struct iovec iov = { .iov_base = (void *) data, .iov_len = n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[MOST_FDS];

	if (socket < 0 || n == 0)
		return;
	if (n_fds > 0) {
		struct cmsghdr *cmsg;

		memset (&control, 0, sizeof (control));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE (n_fds * sizeof (int));
		cmsg = CMSG_FIRSTHDR (&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN (n_fds * sizeof (int));
		for (unsigned i = 0; i < n_fds; i++)
			fds[i] = f->file;
		memcpy (CMSG_DATA (cmsg), fds, n_fds * sizeof (int));
	}
	(void) !sendmsg (socket, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Keeps the first fd that comes with the bytes, and closes the others. */
static ssize_t
read_bytes (struct fuzz *f, void *buf, size_t n, int *first)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE (MOST_FDS * sizeof (int))];
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof (control) };
	ssize_t got = recvmsg (f->socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (got <= 0)
		return got;
	for (struct cmsghdr *c = CMSG_FIRSTHDR (&msg); c; c = CMSG_NXTHDR (&msg, c))
		for (size_t i = 0; CMSG_LEN ((i + 1) * sizeof (int)) <= c->cmsg_len; i++) {
			int fd;

			memcpy (&fd, CMSG_DATA (c) + i * sizeof (int), sizeof (int));
			if (first && *first < 0)
				*first = fd;
			else
				close (fd);
		}
	return got;
}

static void
hang_up (int *fd)
{
	if (*fd >= 0)
		close (*fd);
	*fd = -1;
}

/* Reads what the front-end has sent, which is always well-formed. */
static void
read_requests (struct fuzz *f)
{
	uint8_t body[4096];
	uint32_t header[3];
	int fd = -1;

	while (f->socket >= 0 && read_bytes (f, header, sizeof (header), &fd) == sizeof (header)) {
		if (header[0] == 0 || (header[1] & ~9u) != 0 || header[2] > sizeof (body))
			wrong ("a request with a malformed header");
		if (header[2] > 0 && read_bytes (f, body, header[2], NULL) != (ssize_t) header[2])
			wrong ("half a request");
		if (header[0] == SET_BACKEND_REQ_FD) {
			hang_up (&f->channel);
			f->channel = fd;
		} else
			hang_up (&fd);
		fd = -1;
		if (f->n_waiting < MOST_WAITING)
			f->waiting[f->n_waiting++] = header[0];
	}
}

static void
answer (struct fuzz *f, const void *body, uint32_t size, unsigned n_fds)
{
	uint8_t message[12 + 4096];
	uint32_t header[3] = { f->n_waiting > 0 ? f->waiting[0] : 1, 5, size };

	if (f->n_waiting > 0)
		memmove (f->waiting, f->waiting + 1, --f->n_waiting * sizeof (f->waiting[0]));
	memcpy (message, header, sizeof (header));
	memcpy (message + 12, body, size);
	send_bytes (f, f->socket, message, 12 + (size_t) size, n_fds);
}

static void
step_answer (struct fuzz *f)
{
	uint8_t body[255], n = next_byte (f), fds = next_byte (f);

	next_bytes (f, body, n);
	answer (f, body, n, fds % MOST_FDS);
}

static void
step_long (struct fuzz *f)
{
	static uint8_t body[4096];
	uint8_t low = next_byte (f);
	unsigned size = low | (unsigned) next_byte (f) << 8;
	uint8_t fds = next_byte (f);

	memset (body, next_byte (f), sizeof (body));
	answer (f, body, size % (sizeof (body) + 1), fds % MOST_FDS);
}

static void
step_ok (struct fuzz *f)
{
	static const uint8_t zeroes[8];

	for (uint8_t n = next_byte (f) % 16; n > 0; n--) {
		answer (f, zeroes, sizeof (zeroes), 0);
		vh_frontend_dispatch (f->frontend);
		read_requests (f);
	}
}

static void
step_ask (struct fuzz *f)
{
	uint8_t id = next_byte (f), flags = next_byte (f), fds = next_byte (f), message[12 + 255];
	unsigned n = next_bytes (f, message + 12, next_byte (f));
	uint32_t header[3] = { id == 255 ? UINT32_MAX : id, flags, n };

	memcpy (message, header, sizeof (header));
	send_bytes (f, f->channel, message, 12 + n, fds % MOST_FDS);
}

static void
take_step (struct fuzz *f)
{
	uint8_t bytes[255];
	uint8_t step = next_byte (f), n, fds;

	switch (step % STEPS) {
	case STEP_CALL:
		step_call (f);
		break;
	case STEP_ANSWER:
		step_answer (f);
		break;
	case STEP_LONG:
		step_long (f);
		break;
	case STEP_OK:
		step_ok (f);
		break;
	case STEP_MAIN:
		n = next_byte (f);
		fds = next_byte (f);
		next_bytes (f, bytes, n);
		send_bytes (f, f->socket, bytes, n, fds % MOST_FDS);
		break;
	case STEP_ASK:
		step_ask (f);
		break;
	case STEP_CHANNEL:
		n = next_byte (f);
		next_bytes (f, bytes, n);
		send_bytes (f, f->channel, bytes, n, 0);
		break;
	case STEP_HANG_UP:
		hang_up (next_byte (f) % 2 ? &f->channel : &f->socket);
		break;
	}
}

/* What the front-end answered to requests is thrown away. */
static void
drain_channel (struct fuzz *f)
{
	uint8_t buf[4096];
	int fds[MOST_FDS];
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE (MOST_FDS * sizeof (int))];
	} control;

	for (;;) {
		struct iovec iov = { .iov_base = buf, .iov_len = sizeof (buf) };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof (control) };

		if (f->channel < 0 || recvmsg (f->channel, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
			return;
		for (struct cmsghdr *c = CMSG_FIRSTHDR (&msg); c; c = CMSG_NXTHDR (&msg, c)) {
			size_t n = (c->cmsg_len - CMSG_LEN (0)) / sizeof (int);

			memcpy (fds, CMSG_DATA (c), n * sizeof (int));
			while (n > 0)
				close (fds[--n]);
		}
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
	struct vh_frontend_options o = { .size = sizeof (o), .config_changed = config_changed, .opaque = f, .ops = &ops };
	int pair[2];

	f->file = must (memfd_create ("file", MFD_CLOEXEC));
	must (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	f->socket = pair[0];
	must (vh_frontend_new (pair[1], &o, &f->frontend));
	for (unsigned i = 0; i < MOST_STEPS && f->left > 0; i++) {
		take_step (f);
		vh_frontend_dispatch (f->frontend);
		read_requests (f);
		drain_channel (f);
	}
	vh_frontend_free (f->frontend);
	if (f->ended != f->calls)
		wrong ("a call did not end");
	read_requests (f);
	hang_up (&f->socket);
	hang_up (&f->channel);
	close (f->file);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
	struct fuzz f = { .data = data, .left = size, .socket = -1, .channel = -1 };
	unsigned before = count_fds ();

	results.fd = results.inflight.fd = -1;
	run_input (&f);
	if (count_fds () != before)
		wrong ("fds are left");
	return 0;
}
