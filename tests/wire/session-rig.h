/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A session and, in the same thread, the back-ends that it meets one after another, made of bytes.  They share no structure and no constant with the library.
 */
#ifndef TESTS_WIRE_SESSION_RIG_H
#define TESTS_WIRE_SESSION_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vhost/session.h>

#include "tests/suite.h"

#define PATIENCE_MS 10000
#define SHORT_MS 60

extern struct vh_session *session;

/* How often each callback was called, and with what last. */
extern struct rig {
	unsigned settled, lost, decided, config_changed, connects;
	int err;			/* of `lost` */
	struct vh_session_change change;
	int decision;			/* what `decide` returns */
	unsigned refuse;		/* so many attempts to connect fail */
} rig;

/* Guest memory: two regions of one file, at these addresses. */
#define REGION_SIZE 0x10000u
#define GUEST_MEMORY 0x40000000u
#define USER_MEMORY 0x7f0000000000u
extern int memory_fd;

/* Makes a session with one ring of 64 descriptors and 8 bytes of configuration; frees it, and checks that no fd is left. */
void rig_open (unsigned timeout_ms);
void rig_close (void);

/* Lets the session run until it is quiet.  Until a condition holds. */
void run (void);
void run_until (bool (*condition) (void));
bool is_settled (void);
bool is_lost (void);

/* --- the back-end --- */

#define P_MQ 0x1u
#define P_REPLY_ACK 0x8u
#define P_BACKEND_REQ 0x20u
#define P_CONFIG 0x200u
#define P_INFLIGHT 0x1000u
#define P_RESET_DEVICE 0x2000u
#define P_MEM_SLOTS 0x8000u
#define P_ALL (P_MQ | P_REPLY_ACK | P_BACKEND_REQ | P_CONFIG | P_INFLIGHT | P_RESET_DEVICE | P_MEM_SLOTS)

#define FEATURES 0x170000000u	/* VERSION_1, EVENT_IDX, INDIRECT_DESC, bit 30 */

/* The session has connected: takes that connection. */
void meet (void);

/* Reads exactly this request: flags 1, or 9 when the answer is an acknowledgement; its body in hexadecimal digits; so many fds with it, kept in got_fds. */
void expect (unsigned request, unsigned flags, const char *body, unsigned n_fds);
extern int got_fds[16];

/* Nothing more is here. */
void expect_nothing (void);

/* Answers: with a body; with a number; with an fd. */
void answer (unsigned request, const char *body);
void answer_u64 (unsigned request, uint64_t value);
void answer_with_fd (unsigned request, const char *body, int fd);

/* A request that is acknowledged. */
void acknowledge (unsigned request, const char *body, unsigned n_fds);

/* The whole beginning of a connection, with these features, 1 queue, 8 slots, and this configuration. */
void shake_hands (uint64_t features, uint64_t protocol, const char *config);

/* Asks on the channel that the last connection gave. */
void ask (const char *hex);
void expect_asked (const char *hex);

/* Ends the connection. */
void hang_up (void);

#endif
