/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A back-end made of bytes, for tests of the front-end.  It runs in a thread of its own, reads what the front-end sends and answers what the test wrote down.
 * It shares no structure and no constant with the library: bytes are written out, in hexadecimal digits, as a little-endian host has them.
 *
 * The functions that begin with peer_ are for that thread (the script of a test); what they find wrong is kept and fails the test in frontend_end.
 */
#ifndef TESTS_WIRE_FRONTEND_PEER_H
#define TESTS_WIRE_FRONTEND_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vhost/frontend.h>

#include "tests/suite.h"

/* The front-end under test. */
extern struct vh_frontend *frontend;

/* What it is made with by frontend_begin; NULL: nothing. */
extern const struct vh_frontend_ops *frontend_ops;

/* How often it said that the configuration changed. */
extern unsigned config_changes;

/* How long it waits for each answer, unless a test is about that.  And one that is meant to pass. */
#define PATIENCE_MS 10000
#define SHORT_MS 60

/* Most requests on their way at a time, for frontend_begin; 0: the library's number. */
extern unsigned frontend_pipeline;

typedef void script_fn (void);

/* Makes the front-end and starts the back-end's script.  frontend_end frees and joins them, and fails the test if bytes were wrong or an fd is left. */
void frontend_begin (script_fn *script, unsigned timeout_ms);
void frontend_end (void);

/* A call that must succeed. */
#define OK(call) CU_ASSERT_EQUAL (call, 0)

/* Waits until the script has come to the next peer_done. */
void frontend_await_peer (void);

/* Lets a script go on that is at peer_await_test. */
void frontend_go_on (void);

/* --- the back-end --- */

/* Its end of the connection, and of the channel for its own requests. */
enum peer_socket {
	PEER_MAIN,
	PEER_CHANNEL,
};

/* Reads exactly these bytes, and that many fds with them, in one piece.  The fds are closed. */
void peer_expect_on (enum peer_socket, const char *hex, unsigned n_fds);
void peer_expect (const char *hex, unsigned n_fds);

/* Likewise with one fd, which is kept: the channel for its own requests. */
void peer_expect_channel (const char *hex);

/* Nothing more is here, and nothing comes within a moment. */
void peer_expect_nothing (void);

/* The connection ends here, without a further byte. */
void peer_expect_end (enum peer_socket);

/* Sends bytes: in one piece; with fds; each alone, with a pause in ms. */
void peer_send_on (enum peer_socket, const char *hex);
void peer_send (const char *hex);
void peer_send_fds (enum peer_socket, const char *hex, unsigned n_fds);
/* With the fd of a file of `size` bytes. */
void peer_send_file (const char *hex, size_t size);
void peer_send_slowly (const char *hex, unsigned pause_ms);

/* Expects a whole request with a number in it. */
void peer_expect_u64 (unsigned request, unsigned flags, uint64_t value);

/* A whole answer with a number in it. */
void peer_send_u64 (unsigned request, uint64_t value);

/* Closes its end. */
void peer_close (enum peer_socket);

/* Sends the bytes again and again, as long as they fit or until the front-end has closed.  Returns how often they were sent. */
unsigned peer_flood (enum peer_socket, const char *hex);

/* Sends the bytes, if the front-end is still there. */
void peer_offer (const char *hex);

/* Reads, whatever it is, until the front-end has closed. */
void peer_drain (enum peer_socket);

/* Has the front-end closed? */
bool peer_is_over (enum peer_socket);

/* The test may go on, see frontend_await_peer. */
void peer_done (void);

/* Waits until the test is ready, see frontend_go_on. */
void peer_await_test (void);

/*
 * Its side of vh_frontend_handshake: offers all rings' features and these protocol features (as numbers), and expects those that the front-end knows to be
 * set.  Takes the channel when BACKEND_REQ is among them.
 */
void peer_handshake (uint64_t protocol_features);

/* A script of a handshake with REPLY_ACK, after which nothing must come. */
void script_nothing_more (void);

/* Protocol features by value. */
#define P_MQ 0x1u
#define P_RARP 0x4u
#define P_LOG_SHMFD 0x2u
#define P_REPLY_ACK 0x8u
#define P_MTU 0x10u
#define P_BACKEND_REQ 0x20u
#define P_PAGEFAULT 0x100u
#define P_CONFIG 0x200u
#define P_INFLIGHT 0x1000u
#define P_RESET_DEVICE 0x2000u
#define P_MEM_SLOTS 0x8000u
#define P_XEN_MMAP 0x20000u
#define P_CROSS_ENDIAN 0x40u
#define P_CRYPTO_SESSION 0x80u
#define P_PAGEFAULT 0x100u
#define P_SEND_FD 0x400u
#define P_HOST_NOTIFIER 0x800u
#define P_IN_BAND 0x4000u
#define P_STATUS 0x10000u
#define P_SHARED_OBJECT 0x40000u
#define P_DEVICE_STATE 0x80000u
#define P_SHMEM 0x400000u

#endif
