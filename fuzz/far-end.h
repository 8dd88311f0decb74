/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The other end of a connection, for the targets in whose middle is one end of the library: bytes and messages of any form, with any fds.
 */
#ifndef FUZZ_FAR_END_H
#define FUZZ_FAR_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Two more than a message may have. */
#define FAR_END_FDS 10

#define FAR_END_MAX_BODY 4096

/* Of a header: version 1, answer; version 1, an answer is wanted. */
#define FAR_END_ANSWER 5
#define FAR_END_WANTS_ANSWER 9

enum { HEADER_ID, HEADER_FLAGS, HEADER_SIZE, HEADER_WORDS };

/* A connection: returns our end of it. */
int far_end_new (int *theirs);

/* Sends them if the socket takes them, which one that is full or closed does not: false.  -1 is no socket. */
bool far_end_send (int socket, const void *bytes, size_t n, const int *fds, unsigned n_fds);
bool far_end_send_message (int socket, const uint32_t header[HEADER_WORDS], const void *body, size_t n, const int *fds, unsigned n_fds);

/* Returns as recv does, without waiting.  The first fd that comes becomes *fd if that is -1; others are closed.  If fd is NULL, then all are. */
ssize_t far_end_receive (int socket, void *buf, size_t n, int *fd);

/* A message with a header that has these flags, and those of `optional` or not; that is all that there may be.  False: there is none. */
struct far_message {
	uint32_t header[HEADER_WORDS];
	uint8_t body[FAR_END_MAX_BODY];
	int fd;	/* -1: none */
};
bool far_end_receive_message (int socket, struct far_message *, uint32_t flags, uint32_t optional);

/* An answer of eight bytes. */
bool far_end_receive_u64 (int socket, uint64_t *ret);

#endif
