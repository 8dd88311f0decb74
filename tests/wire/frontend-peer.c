/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A back-end made of bytes.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/wire/frontend-peer.h"

#define MAX_BYTES 8192
#define MAX_FDS 16

/* In place of the channel's fd: the next one that comes is it. */
#define KEEP_NEXT_FD (-2)

/* Ends a script that waits for what does not come. */
#define SCRIPT_SECONDS 20

struct vh_frontend *frontend;
const struct vh_frontend_ops *frontend_ops;
unsigned config_changes;
unsigned frontend_pipeline;

static int sockets[2] = { -1, -1 };
static pthread_t thread;
static script_fn *running;
static sem_t done, go;
static int fds_before;
static char failed[4096];

/* --- what went wrong --- */

static void
peer_failed (const char *format, ...)
{
	va_list args;

	if (failed[0])
		return;
	va_start (args, format);
	vsnprintf (failed, sizeof (failed), format, args);
	va_end (args);
	/* The test shall not wait for the rest of the script. */
	sem_post (&done);
	shutdown (sockets[PEER_MAIN], SHUT_RDWR);
}

/* --- bytes --- */

static size_t
bytes_of (const char *hex, uint8_t *bytes)
{
	size_t n = 0;

	for (; *hex; hex++) {
		char digits[3] = { hex[0], hex[1], 0 };

		if (*hex == ' ')
			continue;
		if (n == MAX_BYTES || strspn (digits, "0123456789abcdef") != 2)
			abort ();	/* the test is wrong */
		bytes[n++] = strtoul (digits, NULL, 16);
		hex++;
	}
	return n;
}

static void
describe (const uint8_t *bytes, size_t n, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n && used + 4 < size; i++)
		used += snprintf (text + used, size - used, "%02x ", bytes[i]);
}

/* --- receiving --- */

static unsigned
close_received_fds (struct msghdr *msg)
{
	unsigned n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR (msg); c; c = CMSG_NXTHDR (msg, c))
		for (size_t i = 0; CMSG_LEN ((i + 1) * sizeof (int)) <= c->cmsg_len; i++, n++) {
			int fd;

			memcpy (&fd, CMSG_DATA (c) + i * sizeof (int), sizeof (int));
			if (sockets[PEER_CHANNEL] == KEEP_NEXT_FD)
				sockets[PEER_CHANNEL] = fd;
			else
				close (fd);
		}
	return n;
}

void
peer_expect_on (enum peer_socket s, const char *hex, unsigned n_fds)
{
	uint8_t wanted[MAX_BYTES], got[MAX_BYTES];
	size_t size = bytes_of (hex, wanted);
	struct iovec iov = { .iov_base = got, .iov_len = size };
	char control[CMSG_SPACE (MAX_FDS * sizeof (int))] __attribute__ ((aligned (8)));
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof (control) };
	ssize_t n = recvmsg (sockets[s], &msg, MSG_CMSG_CLOEXEC);
	char text[1024];
	unsigned fds;

	if (n < 0) {
		peer_failed ("expected %s, got: %s", hex, strerror (errno));
		return;
	}
	fds = close_received_fds (&msg);
	describe (got, n, text, sizeof (text));
	if ((size_t) n != size || memcmp (got, wanted, size) != 0)
		peer_failed ("expected %s, got %s", hex, text);
	else if (fds != n_fds)
		peer_failed ("expected %u fds, got %u, with %s", n_fds, fds, hex);
}

void
peer_expect (const char *hex, unsigned n_fds)
{
	peer_expect_on (PEER_MAIN, hex, n_fds);
}

void
peer_expect_nothing (void)
{
	struct pollfd p = { .fd = sockets[PEER_MAIN], .events = POLLIN };

	if (poll (&p, 1, 20) != 0)
		peer_failed ("expected nothing more for now");
}

void
peer_expect_end (enum peer_socket s)
{
	char c;
	ssize_t n = recv (sockets[s], &c, 1, 0);

	/* Unread bytes in the front-end's buffer make it a reset. */
	if (n > 0 || (n < 0 && errno != ECONNRESET))
		peer_failed ("expected the end of the connection, got %zd", n);
}

/* --- sending --- */

/* With n_fds copies of fd. */
static void
send_with (enum peer_socket s, const char *hex, int fd, unsigned n_fds)
{
	uint8_t bytes[MAX_BYTES];
	struct iovec iov = { .iov_base = bytes, .iov_len = bytes_of (hex, bytes) };
	char control[CMSG_SPACE (MAX_FDS * sizeof (int))] __attribute__ ((aligned (8))) = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n_fds) {
		struct cmsghdr *c = (struct cmsghdr *) control;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE (n_fds * sizeof (int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN (n_fds * sizeof (int));
		for (unsigned i = 0; i < n_fds; i++)
			memcpy (CMSG_DATA (c) + i * sizeof (int), &fd, sizeof (int));
	}
	if (sendmsg (sockets[s], &msg, MSG_NOSIGNAL) != (ssize_t) iov.iov_len)
		peer_failed ("could not send %s: %s", hex, strerror (errno));
}

void
peer_send_fds (enum peer_socket s, const char *hex, unsigned n_fds)
{
	int fd = eventfd (0, EFD_CLOEXEC);

	send_with (s, hex, fd, n_fds);
	close (fd);
}

void
peer_send_file (const char *hex, size_t size)
{
	int fd = memfd_create ("peer", MFD_CLOEXEC);

	if (fd < 0 || ftruncate (fd, (off_t) size) < 0)
		peer_failed ("no file: %s", strerror (errno));
	send_with (PEER_MAIN, hex, fd, 1);
	close (fd);
}

void
peer_send_on (enum peer_socket s, const char *hex)
{
	peer_send_fds (s, hex, 0);
}

void
peer_send (const char *hex)
{
	peer_send_on (PEER_MAIN, hex);
}

static void
await (sem_t *s)
{
	while (sem_wait (s) < 0 && errno == EINTR)
		;
}

void
peer_done (void)
{
	sem_post (&done);
}

void
peer_await_test (void)
{
	await (&go);
}

/* The front-end may have had enough before the end. */
void
peer_send_slowly (const char *hex, unsigned pause_ms)
{
	uint8_t bytes[MAX_BYTES];
	size_t n = bytes_of (hex, bytes);

	for (size_t i = 0; i < n && send (sockets[PEER_MAIN], bytes + i, 1, MSG_NOSIGNAL) == 1; i++)
		poll (NULL, 0, pause_ms);
}

void
peer_send_u64 (unsigned request, uint64_t value)
{
	char hex[2 * 20 + 1];
	int n = snprintf (hex, sizeof (hex), "%02x0000000500000008000000", request);

	for (int i = 0; i < 8; i++)
		n += snprintf (hex + n, sizeof (hex) - n, "%02x", (unsigned) (value >> (8 * i) & 0xff));
	peer_send (hex);
}

unsigned
peer_flood (enum peer_socket s, const char *hex)
{
	uint8_t bytes[MAX_BYTES];
	size_t size = bytes_of (hex, bytes);
	unsigned n = 0;

	while (send (sockets[s], bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t) size)
		n++;
	return n;
}

void
peer_offer (const char *hex)
{
	uint8_t bytes[MAX_BYTES];
	size_t size = bytes_of (hex, bytes);

	if (send (sockets[PEER_MAIN], bytes, size, MSG_NOSIGNAL) < 0 && errno != EPIPE)
		peer_failed ("could not send %s: %s", hex, strerror (errno));
}

void
peer_drain (enum peer_socket s)
{
	uint8_t bytes[MAX_BYTES];

	while (recv (sockets[s], bytes, sizeof (bytes), 0) > 0)
		;
}

bool
peer_is_over (enum peer_socket s)
{
	struct pollfd p = { .fd = sockets[s], .events = POLLOUT };

	return poll (&p, 1, 0) != 0 && p.revents & (POLLHUP | POLLERR);
}

void
peer_close (enum peer_socket s)
{
	close (sockets[s]);
	sockets[s] = -1;
}

/* --- the handshake --- */

void
peer_expect_u64 (unsigned request, unsigned flags, uint64_t value)
{
	char hex[2 * 20 + 1];
	int n = snprintf (hex, sizeof (hex), "%02x000000%02x00000008000000", request, flags);

	for (int i = 0; i < 8; i++)
		n += snprintf (hex + n, sizeof (hex) - n, "%02x", (unsigned) (value >> (8 * i) & 0xff));
	peer_expect (hex, 0);
}

void
peer_expect_channel (const char *hex)
{
	struct timeval limit = { .tv_sec = SCRIPT_SECONDS };

	sockets[PEER_CHANNEL] = KEEP_NEXT_FD;
	peer_expect (hex, 1);
	if (sockets[PEER_CHANNEL] == KEEP_NEXT_FD)
		sockets[PEER_CHANNEL] = -1;
	setsockopt (sockets[PEER_CHANNEL], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof (limit));
}

void
peer_handshake (uint64_t protocol)
{
	bool ack = protocol & P_REPLY_ACK;

	peer_expect ("01000000 01000000 00000000", 0);
	peer_send ("01000000 05000000 08000000 00000074 03000000");
	peer_expect ("0f000000 01000000 00000000", 0);
	peer_send_u64 (15, protocol);
	peer_expect_u64 (16, 1, protocol);
	if (protocol & P_BACKEND_REQ) {
		peer_expect_channel (ack ? "15000000 09000000 00000000" : "15000000 01000000 00000000");
		if (ack)
			peer_send_u64 (21, 0);
	}
	peer_expect (ack ? "03000000 09000000 00000000" : "03000000 01000000 00000000", 0);
	if (ack)
		peer_send_u64 (3, 0);
}

void
script_nothing_more (void)
{
	peer_handshake (P_REPLY_ACK);
	peer_expect_end (PEER_MAIN);
}

/* --- the test's side --- */

static void
count_change (void *opaque)
{
	config_changes++;
}

static void *
run_script (void *opaque)
{
	running ();
	return NULL;
}

void
frontend_begin (script_fn *script, unsigned timeout_ms)
{
	struct vh_frontend_options options = {
		.size = sizeof (options), .timeout_ms = timeout_ms, .config_changed = count_change, .pipeline = frontend_pipeline,
		.ops = frontend_ops,
	};
	struct timeval limit = { .tv_sec = SCRIPT_SECONDS };
	int ends[2];

	fds_before = suite_open_fds ();
	failed[0] = '\0';
	config_changes = 0;
	frontend = NULL;
	running = script;
	sem_init (&done, 0, 0);
	sem_init (&go, 0, 0);
	CU_ASSERT_FATAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	sockets[PEER_MAIN] = ends[1];
	setsockopt (ends[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof (limit));
	CU_ASSERT_EQUAL_FATAL (vh_frontend_new (ends[0], &options, &frontend), 0);
	CU_ASSERT_EQUAL_FATAL (pthread_create (&thread, NULL, run_script, NULL), 0);
}

void
frontend_await_peer (void)
{
	await (&done);
}

void
frontend_go_on (void)
{
	sem_post (&go);
}

void
frontend_end (void)
{
	frontend_go_on ();	/* a script that waits still, after a failure */
	vh_frontend_free (frontend);
	pthread_join (thread, NULL);
	for (int i = 0; i < 2; i++)
		if (sockets[i] >= 0)
			peer_close (i);
	if (failed[0])
		printf ("\n    back-end: %s ", failed);
	CU_ASSERT_EQUAL (failed[0], '\0');
	CU_ASSERT_EQUAL (suite_open_fds (), fds_before);
}
