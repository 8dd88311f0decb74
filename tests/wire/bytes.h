/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes of the wire, written by hand: what a front-end that shares no line of code with the library would send, and what it would expect.  Numbers are
 * in the host's order, as vhost-user has them; the tests that spell out bytes are for little-endian hosts.
 */
#ifndef TESTS_WIRE_BYTES_H
#define TESTS_WIRE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BYTES_MAX (72u << 10)

struct bytes {
	size_t n;
	uint8_t data[BYTES_MAX];
};

/* Each appends.  Running over the end, or a digit that is none, ends the program: the test itself is wrong. */
void bytes_hex (struct bytes *, const char *digits);	/* "01 00 ff": blanks are skipped */
void bytes_u16 (struct bytes *, uint16_t);
void bytes_u32 (struct bytes *, uint32_t);
void bytes_u64 (struct bytes *, uint64_t);
void bytes_fill (struct bytes *, uint8_t value, size_t n);
void bytes_append (struct bytes *, const void *data, size_t n);

/* A header: three numbers of 32 bits. */
void bytes_header (struct bytes *, uint32_t request, uint32_t flags, uint32_t size);

/*
 * One sendmsg, without waiting and without SIGPIPE, with the fds (borrowed) beside the first byte.  Returns what sendmsg took, or a negative errno.
 */
ssize_t bytes_send (int socket, const void *data, size_t n, const int *fds, unsigned n_fds);

#define BYTES_MAX_FDS 16

/*
 * One recvmsg, without waiting.  fds[] has room for BYTES_MAX_FDS and *n_fds says how many came; both may be NULL, then what comes is closed.
 * Returns what recvmsg returned, or a negative errno.
 */
ssize_t bytes_receive (int socket, void *data, size_t n, int *fds, unsigned *n_fds);

#endif
