/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A back-end under test and the front-end that the test plays; see backend-rig.h.
 */
#include "backend-rig.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vhost/error.h>

/* So many rounds of the loop are far more than any test's messages need. */
#define MOST_ROUNDS 5000

/* ... and a back-end in another thread has so long for each answer. */
#define MOST_SECONDS 20

/* --- the bench --- */

static void
rig_closed (void *opaque, struct vh_backend *b)
{
	struct rig *r = opaque;

	r->ended = true;
}

static void
rig_log (void *opaque, enum vh_log_level level, const char *line)
{
	struct rig *r = opaque;

	if (level <= VH_LOG_WARNING)
		snprintf (r->log, sizeof (r->log), "%s", line);
}

static void
must (int err, const char *what)
{
	if (err >= 0)
		return;
	fprintf (stderr, "rig: %s: %s\n", what, vh_strerror (err));
	exit (99);
}

static void
rig_prepare (struct rig *r, struct test_device *device)
{
	*r = (struct rig){ .device = device, .socket = -1 };
	for (unsigned i = 0; i < DEVICE_RINGS; i++)
		r->drivers[i].kick = r->drivers[i].call = r->drivers[i].err = -1;
	guest_open (&r->guest);
}

void
rig_open (struct rig *r, struct test_device *device, unsigned timeout_ms)
{
	struct vh_backend_options o = { .size = sizeof (o), .timeout_ms = timeout_ms, .closed = rig_closed, .opaque = r };
	int pair[2];

	rig_prepare (r, device);
	must (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ? -errno : 0, "socketpair");
	must (vh_loop_new (&r->loop), "loop");
	r->socket = pair[0];
	o.loop = r->loop;
	o.log = (struct vh_log){ .fn = rig_log, .opaque = r, .level = VH_LOG_DEBUG };
	must (vh_backend_new (&device->device, pair[1], &o, &r->backend), "back-end");
}

void
rig_attach (struct rig *r, struct test_device *device, int socket)
{
	rig_prepare (r, device);
	r->socket = socket;
}

/* A back-end of our own: the device gives back what it holds, and the connection ends. */
static void
rig_end (struct rig *r)
{
	r->device->hold = false;
	test_device_release (r->device, DEVICE_MAX_HELD);
	vh_backend_free (r->backend);
	rig_pump (r);
	vh_loop_free (r->loop);
}

void
rig_close (struct rig *r)
{
	rig_hang_up (r);
	if (r->loop)
		rig_end (r);
	for (unsigned i = 0; i < DEVICE_RINGS; i++)
		if (r->drivers[i].kick >= 0)
			driver_close (&r->drivers[i]);
	guest_close (&r->guest);
}

void
rig_reopen (struct rig *r)
{
	struct test_device *device = r->device;

	rig_close (r);
	rig_open (r, device, 0);
}

void
rig_hang_up (struct rig *r)
{
	if (r->socket >= 0)
		close (r->socket);
	r->socket = -1;
}

bool
rig_pump (struct rig *r)
{
	for (unsigned i = 0; r->loop && i < MOST_ROUNDS; i++) {
		int n = vh_loop_dispatch (r->loop, 0);

		must (n, "dispatch");
		if (n == 0)
			return true;
	}
	return !r->loop;
}

bool
rig_wait_end (struct rig *r)
{
	for (unsigned i = 0; i < 1000 && !r->ended; i++)
		must (vh_loop_dispatch (r->loop, 10), "dispatch");
	return r->ended;
}

/* --- messages --- */

void
rig_send (struct rig *r, uint32_t request, uint32_t flags, const void *body, uint32_t size, const int *fds, unsigned n_fds)
{
	static struct bytes b;

	b.n = 0;
	bytes_header (&b, request, flags, size);
	bytes_append (&b, body, size);
	/* What a connection that has ended does not take shows in the answer. */
	bytes_send (r->socket, b.data, b.n, fds, n_fds);
}

/* Waits for a back-end that runs elsewhere. */
static void
wait_for (const struct rig *r, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (!r->loop)
		poll (&p, 1, MOST_SECONDS * 1000);
}

/* Reads exactly n bytes that are there already.  1; 0: nothing is there; -1: the end; -2: cut short. */
static int
read_exactly (struct rig *r, void *data, size_t n, struct reply *reply)
{
	for (size_t got = 0; got < n;) {
		ssize_t part;

		wait_for (r, r->socket);
		part = bytes_receive (r->socket, (uint8_t *) data + got, n - got, reply->fds, &reply->n_fds);

		if (part == -EAGAIN)
			return got == 0 ? 0 : -2;
		if (part <= 0)
			return got == 0 ? -1 : -2;
		got += (size_t) part;
	}
	return 1;
}

static void
close_all (const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		close (fds[i]);
}

static enum outcome
judge (const struct reply *reply, uint32_t request)
{
	static const uint8_t zeroes[8];

	if (reply->request != request || reply->flags != (FLAG_VERSION | FLAG_REPLY))
		return MALFORMED;
	if (reply->size != 8)
		return ANSWER;
	return memcmp (reply->body, zeroes, 8) == 0 ? ACK : REFUSAL;
}

enum outcome
rig_receive (struct rig *r, uint32_t request, struct reply *reply)
{
	static struct reply unwanted;
	struct reply *p = reply ? reply : &unwanted;
	uint32_t header[3];
	int got;

	p->n_fds = 0;
	rig_pump (r);
	got = read_exactly (r, header, sizeof (header), p);
	if (got <= 0)
		return got == 0 ? SILENCE : got == -1 ? CLOSED : MALFORMED;
	p->request = header[0];
	p->flags = header[1];
	p->size = header[2];
	if (p->size > sizeof (p->body) || (p->size > 0 && read_exactly (r, p->body, p->size, p) != 1))
		return MALFORMED;
	if (!reply)
		close_all (p->fds, p->n_fds);
	return judge (p, request);
}

enum outcome
rig_tell (struct rig *r, uint32_t request, const void *body, uint32_t size, const int *fds, unsigned n_fds)
{
	rig_send (r, request, FLAG_VERSION | FLAG_NEED_REPLY, body, size, fds, n_fds);
	return rig_receive (r, request, NULL);
}

enum outcome
rig_tell_nothing (struct rig *r, uint32_t request)
{
	return rig_tell (r, request, "", 0, NULL, 0);
}

enum outcome
rig_tell_u64 (struct rig *r, uint32_t request, uint64_t value)
{
	return rig_tell (r, request, &value, sizeof (value), NULL, 0);
}

enum outcome
rig_tell_state (struct rig *r, uint32_t request, uint32_t index, uint32_t num)
{
	uint32_t body[2] = { index, num };

	return rig_tell (r, request, body, sizeof (body), NULL, 0);
}

enum outcome
rig_tell_fd (struct rig *r, uint32_t request, uint64_t value, int fd)
{
	return rig_tell (r, request, &value, sizeof (value), &fd, fd >= 0);
}

enum outcome
rig_tell_addr (struct rig *r, uint32_t index, uint32_t flags, uint64_t desc, uint64_t avail, uint64_t used)
{
	static struct bytes b;

	b.n = 0;
	bytes_u32 (&b, index);
	bytes_u32 (&b, flags);
	bytes_u64 (&b, desc);
	bytes_u64 (&b, used);
	bytes_u64 (&b, avail);
	bytes_u64 (&b, 0);
	return rig_tell (r, FE_SET_VRING_ADDR, b.data, (uint32_t) b.n, NULL, 0);
}

static void
append_piece (struct bytes *b, const struct piece *p)
{
	bytes_u64 (b, p->guest);
	bytes_u64 (b, p->size);
	bytes_u64 (b, p->user);
	bytes_u64 (b, p->offset);
}

enum outcome
rig_tell_table (struct rig *r, const struct piece *pieces, uint32_t n, const int *fds, unsigned n_fds)
{
	static struct bytes b;

	b.n = 0;
	bytes_u32 (&b, n);
	bytes_u32 (&b, 0);
	for (unsigned i = 0; i < n; i++)
		append_piece (&b, &pieces[i]);
	return rig_tell (r, FE_SET_MEM_TABLE, b.data, (uint32_t) b.n, fds, n_fds);
}

enum outcome
rig_tell_region (struct rig *r, uint32_t request, const struct piece *piece, int fd)
{
	static struct bytes b;

	b.n = 0;
	bytes_u64 (&b, 0);
	append_piece (&b, piece);
	return rig_tell (r, request, b.data, (uint32_t) b.n, &fd, fd >= 0);
}

enum outcome
rig_tell_config (struct rig *r, uint32_t offset, uint32_t size, uint32_t flags, const void *data)
{
	static struct bytes b;

	b.n = 0;
	bytes_u32 (&b, offset);
	bytes_u32 (&b, size);
	bytes_u32 (&b, flags);
	bytes_append (&b, data, size);
	return rig_tell (r, FE_SET_CONFIG, b.data, (uint32_t) b.n, NULL, 0);
}

bool
rig_ask_u64 (struct rig *r, uint32_t request, uint64_t *ret)
{
	struct reply reply;
	enum outcome o;

	rig_send (r, request, FLAG_VERSION, "", 0, NULL, 0);
	o = rig_receive (r, request, &reply);
	if (o != ACK && o != REFUSAL)
		return false;
	memcpy (ret, reply.body, sizeof (*ret));
	close_all (reply.fds, reply.n_fds);
	return reply.n_fds == 0;
}

bool
rig_ask_base (struct rig *r, uint32_t index, uint32_t *ret)
{
	uint32_t body[2] = { index, 0 };
	struct reply reply;
	enum outcome o;

	rig_send (r, FE_GET_VRING_BASE, FLAG_VERSION, body, sizeof (body), NULL, 0);
	o = rig_receive (r, FE_GET_VRING_BASE, &reply);
	if (o != ACK && o != REFUSAL)
		return false;
	memcpy (body, reply.body, sizeof (body));
	*ret = body[1];
	return body[0] == index;
}

bool
rig_alive (struct rig *r)
{
	uint64_t features;

	return rig_ask_u64 (r, FE_GET_FEATURES, &features) && (features & BIT30);
}

/* --- a well-behaved front-end --- */

bool
rig_negotiate (struct rig *r)
{
	uint64_t offered;

	return rig_ask_u64 (r, FE_GET_FEATURES, &offered) && (offered & BIT30) && rig_ask_u64 (r, FE_GET_PROTOCOL_FEATURES, &offered) &&
	       (offered & PROTOCOL_ALL) == PROTOCOL_ALL && rig_tell_u64 (r, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL) == ACK &&
	       rig_tell_nothing (r, FE_SET_OWNER) == ACK && rig_tell_u64 (r, FE_SET_FEATURES, BIT_VERSION_1 | BIT30) == ACK;
}

struct piece
rig_whole (void)
{
	return (struct piece){ .guest = GUEST_ADDR, .size = GUEST_SIZE, .user = GUEST_USER };
}

bool
rig_give_memory (struct rig *r)
{
	struct piece whole = rig_whole ();

	return rig_tell_table (r, &whole, 1, &r->guest.fd, 1) == ACK;
}

bool
rig_place_ring (struct rig *r, unsigned index, unsigned size, uint32_t base)
{
	struct driver *d = &r->drivers[index];

	if (d->kick >= 0)
		driver_close (d);
	driver_open (d, &r->guest, index, size);
	return rig_tell_state (r, FE_SET_VRING_NUM, index, size) == ACK && rig_tell_state (r, FE_SET_VRING_BASE, index, base) == ACK &&
	       rig_tell_addr (r, index, 0, GUEST_USER + driver_desc_at (d), GUEST_USER + driver_avail_at (d), GUEST_USER + driver_used_at (d)) == ACK;
}

bool
rig_start_ring (struct rig *r, unsigned index)
{
	struct driver *d = &r->drivers[index];

	return rig_tell_fd (r, FE_SET_VRING_CALL, index, d->call) == ACK && rig_tell_fd (r, FE_SET_VRING_ERR, index, d->err) == ACK &&
	       rig_tell_fd (r, FE_SET_VRING_KICK, index, d->kick) == ACK && rig_tell_state (r, FE_SET_VRING_ENABLE, index, 1) == ACK;
}

bool
rig_ready (struct rig *r, unsigned size)
{
	return rig_negotiate (r) && rig_give_memory (r) && rig_place_ring (r, 0, size, 0) && rig_start_ring (r, 0);
}

bool
rig_give_channel (struct rig *r, int *channel)
{
	int pair[2];
	bool taken;

	must (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ? -errno : 0, "socketpair");
	taken = rig_tell (r, FE_SET_BACKEND_REQ_FD, "", 0, &pair[1], 1) == ACK;
	close (pair[1]);
	*channel = pair[0];
	return taken;
}

bool
rig_serve (struct rig *r, unsigned index, unsigned n)
{
	struct driver *d = &r->drivers[index];

	driver_ask (d, n);
	while (!r->loop && driver_pending (d) == 0) {
		wait_for (r, d->call);
		if (driver_signals (d->call) == 0)
			break;
	}
	return rig_pump (r) && driver_served (d, n);
}
