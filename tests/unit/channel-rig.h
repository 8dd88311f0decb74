/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A channel whose peer is a socket of the test's.
 */
#ifndef TESTS_UNIT_CHANNEL_RIG_H
#define TESTS_UNIT_CHANNEL_RIG_H

#include "tests/suite.h"
#include "wire/channel.h"

/* More fds than fit into one message. */
#define MANY_FDS 16

extern struct channel channel;
extern int peer;

/* Makes both ends; closes them: no test may leave an fd behind. */
void begin (void);
void finish (void);

void header_bytes (uint8_t bytes[12], uint32_t request, uint32_t flags, uint32_t size);

/* The peer sends bytes with copies of one fd; a header alone. */
void peer_send (const void *bytes, size_t size, int fd, unsigned n_fds);
void peer_send_header (uint32_t request, uint32_t flags, uint32_t size, int fd, unsigned n_fds);

/* The channel receives this one. */
struct message *expect_message (uint32_t request, uint32_t size, unsigned n_fds);

/* It receives no message any more, whatever comes; and finishes. */
void expect_broken (void);

#endif
