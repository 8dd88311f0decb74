/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A session against bytes.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/wire/bytes.h"
#include "tests/wire/session-rig.h"

struct vh_session *session;
struct rig rig;
int memory_fd;
int got_fds[BYTES_MAX_FDS];

static int waiting = -1, peer = -1, channel = -1;	/* the next connection, the one of the moment, and its channel */
static unsigned n_got;
static int fds_before;

/* --- callbacks --- */

static void
on_settled (void *opaque)
{
	rig.settled++;
}

static void
on_lost (void *opaque, int err)
{
	rig.lost++;
	rig.err = err;
}

static int
on_decide (void *opaque, const struct vh_session_change *change)
{
	rig.decided++;
	rig.change = *change;
	return rig.decision;
}

static void
on_config (void *opaque)
{
	rig.config_changed++;
}

static int
on_connect (void *opaque)
{
	int ends[2];

	rig.connects++;
	if (rig.refuse > 0) {
		rig.refuse--;
		return -ECONNREFUSED;
	}
	if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	if (waiting >= 0)
		close (waiting);
	waiting = ends[0];
	return ends[1];
}

/* --- the session --- */

static void
close_fd (int *fd)
{
	if (*fd >= 0)
		close (*fd);
	*fd = -1;
}

static void
close_got (void)
{
	while (n_got > 0)
		close_fd (&got_fds[--n_got]);
}

void
rig_open (unsigned timeout_ms)
{
	struct vh_session_options o = {
		.size = sizeof (o),
		.connect = on_connect,
		.timeout_ms = timeout_ms,
		.rings = 1,
		.ring_size = 64,
		.config_size = 8,
		.settled = on_settled,
		.lost = on_lost,
		.decide = on_decide,
		.config_changed = on_config,
	};

	fds_before = suite_open_fds ();
	rig = (struct rig){ 0 };
	memory_fd = memfd_create ("memory", MFD_CLOEXEC);
	CU_ASSERT_EQUAL_FATAL (ftruncate (memory_fd, 2 * REGION_SIZE), 0);
	CU_ASSERT_EQUAL_FATAL (vh_session_new (&o, &session), 0);
}

void
rig_close (void)
{
	vh_session_free (session);
	close_got ();
	close_fd (&peer);
	close_fd (&waiting);
	close_fd (&channel);
	close_fd (&memory_fd);
	CU_ASSERT_EQUAL (suite_open_fds (), fds_before);
}

static int64_t
now_ms (void)
{
	struct timespec t;

	clock_gettime (CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* One round of an event loop that also listens to the back-end's socket.  False: the patience is over. */
static bool
round_once (int64_t deadline)
{
	struct pollfd p[2] = { { .fd = vh_session_fd (session), .events = POLLIN }, { .fd = peer, .events = POLLIN } };
	int64_t left = deadline - now_ms ();

	if (left <= 0 || poll (p, 2, left) <= 0)
		return false;
	if (p[0].revents)
		CU_ASSERT_TRUE_FATAL (vh_session_dispatch (session) >= 0);
	return true;
}

void
run (void)
{
	struct pollfd p = { .fd = vh_session_fd (session), .events = POLLIN };

	while (poll (&p, 1, 0) > 0)
		CU_ASSERT_TRUE_FATAL (vh_session_dispatch (session) >= 0);
}

void
run_until (bool (*condition) (void))
{
	int64_t deadline = now_ms () + PATIENCE_MS;
	int listened = peer;

	peer = -1;	/* what it sends is not waited for */
	while (!condition ())
		if (!round_once (deadline)) {
			CU_FAIL ("waited in vain");
			break;
		}
	peer = listened;
}

bool
is_settled (void)
{
	return vh_session_is_settled (session);
}

static unsigned lost_before;

bool
is_lost (void)
{
	return rig.lost > lost_before;
}

/* --- the back-end --- */

static bool
has_connected (void)
{
	return waiting >= 0;
}

void
meet (void)
{
	run_until (has_connected);
	close_fd (&peer);
	close_fd (&channel);
	peer = waiting;
	waiting = -1;
	lost_before = rig.lost;
}

/* Reads n bytes, with the fds before them. */
static void
receive (int *socket, uint8_t *data, size_t n)
{
	int64_t deadline = now_ms () + PATIENCE_MS;
	size_t got = 0;

	close_got ();
	while (got < n) {
		unsigned n_fds = 0;
		ssize_t k = bytes_receive (*socket, data + got, n - got, got_fds + n_got, &n_fds);

		n_got += n_fds;
		if (k > 0)
			got += k;
		else if (k != -EAGAIN || !round_once (deadline)) {
			CU_FAIL_FATAL ("the session does not send");
		}
	}
}

static void
print_bytes (const char *what, const uint8_t *data, size_t n)
{
	printf ("\n    %s", what);
	for (size_t i = 0; i < n; i++)
		printf ("%s%02x", i % 4 ? "" : " ", data[i]);
}

static void
compare (int *socket, const struct bytes *wanted, unsigned n_fds)
{
	static uint8_t data[BYTES_MAX];

	receive (socket, data, wanted->n);
	if (memcmp (data, wanted->data, wanted->n) != 0) {
		print_bytes ("expected", wanted->data, wanted->n);
		print_bytes ("got     ", data, wanted->n);
		CU_FAIL_FATAL ("other bytes");
	}
	CU_ASSERT_EQUAL (n_got, n_fds);
}

static void
make_message (struct bytes *m, unsigned request, unsigned flags, const char *body)
{
	static struct bytes b;

	b.n = m->n = 0;
	bytes_hex (&b, body);
	bytes_header (m, request, flags, b.n);
	bytes_append (m, b.data, b.n);
}

void
expect (unsigned request, unsigned flags, const char *body, unsigned n_fds)
{
	static struct bytes m;

	make_message (&m, request, flags, body);
	compare (&peer, &m, n_fds);
}

void
expect_nothing (void)
{
	struct pollfd p = { .fd = peer, .events = POLLIN };

	run ();
	CU_ASSERT_EQUAL (poll (&p, 1, 0), 0);
}

static void
send_message (const struct bytes *m, const int *fds, unsigned n)
{
	CU_ASSERT_EQUAL_FATAL (bytes_send (peer, m->data, m->n, fds, n), (ssize_t) m->n);
}

void
answer (unsigned request, const char *body)
{
	static struct bytes m;

	make_message (&m, request, 5, body);
	send_message (&m, NULL, 0);
}

void
answer_with_fd (unsigned request, const char *body, int fd)
{
	static struct bytes m;

	make_message (&m, request, 5, body);
	send_message (&m, &fd, 1);
}

void
answer_u64 (unsigned request, uint64_t value)
{
	static struct bytes m;

	m.n = 0;
	bytes_header (&m, request, 5, 8);
	bytes_u64 (&m, value);
	send_message (&m, NULL, 0);
}

void
acknowledge (unsigned request, const char *body, unsigned n_fds)
{
	expect (request, 9, body, n_fds);
	answer_u64 (request, 0);
}

static void
hex_u64 (char hex[17], uint64_t value)
{
	for (unsigned i = 0; i < 8; i++)
		snprintf (hex + 2 * i, 3, "%02x", (unsigned) (value >> 8 * i & 0xff));
}

static void
ask_what_it_is (uint64_t protocol, const char *config)
{
	char body[80];

	if (protocol & P_MQ)
		expect (17, 1, "", 0);
	if (protocol & P_MEM_SLOTS)
		expect (36, 1, "", 0);
	if (protocol & P_CONFIG)
		expect (24, 1, "00000000 08000000 00000000 0000000000000000", 0);
	if (protocol & P_MQ)
		answer_u64 (17, 1);
	if (protocol & P_MEM_SLOTS)
		answer_u64 (36, 8);
	snprintf (body, sizeof (body), "00000000 08000000 00000000 %s", config);
	if (protocol & P_CONFIG)
		answer (24, body);
}

void
shake_hands (uint64_t features, uint64_t protocol, const char *config)
{
	unsigned flags = protocol & P_REPLY_ACK ? 9 : 1;
	char hex[17];

	meet ();
	expect (1, 1, "", 0);
	answer_u64 (1, features);
	expect (15, 1, "", 0);
	answer_u64 (15, protocol);
	hex_u64 (hex, protocol);
	expect (16, 1, hex, 0);
	if (protocol & P_BACKEND_REQ) {
		expect (21, flags, "", 1);
		channel = got_fds[0];
		n_got = 0;
		if (protocol & P_REPLY_ACK)
			answer_u64 (21, 0);
	}
	expect (3, flags, "", 0);
	if (protocol & P_REPLY_ACK)
		answer_u64 (3, 0);
	ask_what_it_is (protocol, config);
}

void
ask (const char *hex)
{
	static struct bytes m;

	m.n = 0;
	bytes_hex (&m, hex);
	CU_ASSERT_EQUAL_FATAL (bytes_send (channel, m.data, m.n, NULL, 0), (ssize_t) m.n);
}

void
expect_asked (const char *hex)
{
	static struct bytes m;

	m.n = 0;
	bytes_hex (&m, hex);
	compare (&channel, &m, 0);
}

void
hang_up (void)
{
	close_fd (&peer);
}
