/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes of the wire, written by hand; see bytes.h.
 */
#include "bytes.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Linux passes at most this many fds at once (SCM_MAX_FD). */
#define MOST_FDS 253

static void
give_up (const char *why)
{
	fprintf (stderr, "bytes: %s\n", why);
	exit (99);
}

/* --- writing --- */

void
bytes_append (struct bytes *b, const void *data, size_t n)
{
	if (n > sizeof (b->data) - b->n)
		give_up ("too many");
	memcpy (b->data + b->n, data, n);
	b->n += n;
}

void
bytes_fill (struct bytes *b, uint8_t value, size_t n)
{
	while (n-- > 0)
		bytes_append (b, &value, 1);
}

static unsigned
digit (char c)
{
	if (!isxdigit ((unsigned char) c))
		give_up ("not a hexadecimal digit");
	return isdigit ((unsigned char) c) ? (unsigned) (c - '0') : (unsigned) (tolower ((unsigned char) c) - 'a') + 10;
}

void
bytes_hex (struct bytes *b, const char *digits)
{
	while (*digits) {
		if (isspace ((unsigned char) *digits)) {
			digits++;
			continue;
		}
		bytes_fill (b, (uint8_t) (digit (digits[0]) << 4 | digit (digits[1])), 1);
		digits += 2;
	}
}

void
bytes_u16 (struct bytes *b, uint16_t value)
{
	bytes_append (b, &value, sizeof (value));
}

void
bytes_u32 (struct bytes *b, uint32_t value)
{
	bytes_append (b, &value, sizeof (value));
}

void
bytes_u64 (struct bytes *b, uint64_t value)
{
	bytes_append (b, &value, sizeof (value));
}

void
bytes_header (struct bytes *b, uint32_t request, uint32_t flags, uint32_t size)
{
	bytes_u32 (b, request);
	bytes_u32 (b, flags);
	bytes_u32 (b, size);
}

/* --- the socket --- */

union control {
	struct cmsghdr align;
	char space[CMSG_SPACE (MOST_FDS * sizeof (int))];
};

ssize_t
bytes_send (int socket, const void *data, size_t n, const int *fds, unsigned n_fds)
{
	struct iovec iov = { .iov_base = (void *) data, .iov_len = n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control;
	struct cmsghdr *cmsg;
	ssize_t sent;

	if (n_fds > MOST_FDS)
		give_up ("more fds than the kernel takes");
	if (n_fds > 0) {
		memset (&control, 0, sizeof (control));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE (n_fds * sizeof (int));
		cmsg = CMSG_FIRSTHDR (&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN (n_fds * sizeof (int));
		memcpy (CMSG_DATA (cmsg), fds, n_fds * sizeof (int));
	}
	do
		sent = sendmsg (socket, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

static void
keep_fds (const struct cmsghdr *cmsg, int *fds, unsigned *n_fds)
{
	size_t n = (cmsg->cmsg_len - CMSG_LEN (0)) / sizeof (int);

	for (size_t i = 0; i < n; i++) {
		int fd;

		memcpy (&fd, CMSG_DATA (cmsg) + i * sizeof (int), sizeof (int));
		if (fds && *n_fds < BYTES_MAX_FDS)
			fds[(*n_fds)++] = fd;
		else
			close (fd);
	}
}

ssize_t
bytes_receive (int socket, void *data, size_t n, int *fds, unsigned *n_fds)
{
	struct iovec iov = { .iov_base = data, .iov_len = n };
	union control control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof (control) };
	ssize_t got;

	do
		got = recvmsg (socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR (&msg); cmsg; cmsg = CMSG_NXTHDR (&msg, cmsg))
		if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS)
			keep_fds (cmsg, fds, n_fds);
	return got;
}
