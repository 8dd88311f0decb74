/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: a back-end that answers anything, with any fds, and asks anything, at a front-end in the middle of any calls.  See frontend-input.h for what
 * the bytes mean.  Besides the crash that a sanitizer sees, it is wrong if a call does not end exactly once, or if an fd is left.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vhost/frontend.h>
#include <vhost/postcopy.h>

#include "fuzz/far-end.h"
#include "fuzz/frontend-input.h"
#include "fuzz/input.h"
#include "fuzz/verdict.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define MOST_STEPS 200
#define MOST_WAITING 64	/* requests that were not answered yet */
#define PAGE 4096
#define SET_BACKEND_REQ_FD 21

struct fuzz {
	struct input in;

	/* the back-end */
	int socket, channel;		/* -1: closed */
	int file, fds[FAR_END_FDS];	/* all of them are the file */
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
	if (make_call (f, input_byte (&f->in)) < 0) {
		f->calls--;
		vh_frontend_async (f->frontend, NULL, NULL);
	}
}

/* --- the back-end --- */

static unsigned
input_fds (struct fuzz *f)
{
	return input_byte (&f->in) % FAR_END_FDS;
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
	struct far_message m;

	while (far_end_receive_message (f->socket, &m, 1, 8)) {
		if (m.header[HEADER_ID] == 0)
			wrong ("a request that there is not");
		if (m.header[HEADER_ID] == SET_BACKEND_REQ_FD) {
			hang_up (&f->channel);
			f->channel = m.fd;
		} else
			hang_up (&m.fd);
		if (f->n_waiting < MOST_WAITING)
			f->waiting[f->n_waiting++] = m.header[HEADER_ID];
	}
}

static void
answer (struct fuzz *f, const void *body, uint32_t size, unsigned n_fds)
{
	uint32_t header[HEADER_WORDS] = { f->n_waiting > 0 ? f->waiting[0] : 1, FAR_END_ANSWER, size };

	if (f->n_waiting > 0)
		memmove (f->waiting, f->waiting + 1, --f->n_waiting * sizeof (f->waiting[0]));
	far_end_send_message (f->socket, header, body, size, f->fds, n_fds);
}

static void
step_answer (struct fuzz *f)
{
	uint8_t body[INPUT_MAX_PIECE], n = input_byte (&f->in);
	unsigned n_fds = input_fds (f);

	input_bytes (&f->in, body, n);
	answer (f, body, n, n_fds);
}

static void
step_long (struct fuzz *f)
{
	static uint8_t body[FAR_END_MAX_BODY];
	unsigned size = input_word (&f->in), n_fds = input_fds (f);

	memset (body, input_byte (&f->in), sizeof (body));
	answer (f, body, size % (sizeof (body) + 1), n_fds);
}

static void
step_ok (struct fuzz *f)
{
	static const uint8_t zeroes[8];

	for (uint8_t n = input_byte (&f->in) % 16; n > 0; n--) {
		answer (f, zeroes, sizeof (zeroes), 0);
		vh_frontend_dispatch (f->frontend);
		read_requests (f);
	}
}

static void
step_main (struct fuzz *f)
{
	uint8_t bytes[INPUT_MAX_PIECE], n = input_byte (&f->in);
	unsigned n_fds = input_fds (f);

	input_bytes (&f->in, bytes, n);
	far_end_send (f->socket, bytes, n, f->fds, n_fds);
}

static void
step_ask (struct fuzz *f)
{
	uint8_t id = input_byte (&f->in), flags = input_byte (&f->in), body[INPUT_MAX_PIECE];
	unsigned n_fds = input_fds (f), n = input_piece (&f->in, body);
	uint32_t header[HEADER_WORDS] = { id == 255 ? UINT32_MAX : id, flags, n };

	far_end_send_message (f->channel, header, body, n, f->fds, n_fds);
}

static void
step_channel (struct fuzz *f)
{
	uint8_t bytes[INPUT_MAX_PIECE];
	unsigned n = input_piece (&f->in, bytes);

	far_end_send (f->channel, bytes, n, NULL, 0);
}

static void
step_hang_up (struct fuzz *f)
{
	hang_up (input_byte (&f->in) % 2 ? &f->channel : &f->socket);
}

static void (*const steps[STEPS]) (struct fuzz *) = {
	[STEP_CALL] = step_call, [STEP_ANSWER] = step_answer, [STEP_LONG] = step_long, [STEP_OK] = step_ok,
	[STEP_MAIN] = step_main, [STEP_ASK] = step_ask, [STEP_CHANNEL] = step_channel, [STEP_HANG_UP] = step_hang_up,
};

/* What the front-end answered to requests is thrown away. */
static void
drain_channel (struct fuzz *f)
{
	uint8_t buf[FAR_END_MAX_BODY];

	while (far_end_receive (f->channel, buf, sizeof (buf), NULL) > 0)
		;
}

/* --- one input --- */

static void
run_input (struct fuzz *f)
{
	struct vh_frontend_options o = { .size = sizeof (o), .config_changed = config_changed, .opaque = f, .ops = &ops };
	int theirs;

	f->file = must (memfd_create ("file", MFD_CLOEXEC));
	for (unsigned i = 0; i < FAR_END_FDS; i++)
		f->fds[i] = f->file;
	f->socket = far_end_new (&theirs);
	must (vh_frontend_new (theirs, &o, &f->frontend));
	for (unsigned i = 0; i < MOST_STEPS && f->in.left > 0; i++) {
		steps[input_byte (&f->in) % STEPS](f);
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
	struct fuzz f = { .in = { .data = data, .left = size }, .socket = -1, .channel = -1 };
	unsigned before = count_fds ();

	results.fd = results.inflight.fd = -1;
	run_input (&f);
	if (count_fds () != before)
		wrong ("fds are left");
	return 0;
}
