/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One connection: a socket of the host, two ports, credit both ways, and who has ended what.
 *
 *	host connects -> HELLO -> ASKED -> OPEN        guest connects -> (DIALING) -> OPEN
 *	                 its line  the guest's answer                      PATH_P has no room now
 *
 *	OPEN -> LINGER: the guest has done with it, and some of its bytes are still on their way to the host
 *
 * Each step may end it; then it is freed at once, and what the guest has to know is in the mux's replies.
 */
#ifndef VSOCK_CONNECTION_H
#define VSOCK_CONNECTION_H

#include "devices/vsock/backlog.h"
#include "devices/vsock/credit.h"
#include "devices/vsock/mux.h"

/* For how long: a program's line, and then the guest's answer, may take; a listener of the host may have no room; last bytes may not move. */
#define CONNECTION_HELLO_MS 10000
#define CONNECTION_ASKED_MS 10000
#define CONNECTION_DIAL_MS 5000
#define CONNECTION_LINGER_MS 30000

/* "CONNECT 4294967295\n", and some spaces. */
#define CONNECTION_MAX_HELLO 32

enum connection_state {
	CONNECTION_HELLO,
	CONNECTION_ASKED,
	CONNECTION_DIALING,
	CONNECTION_OPEN,
	CONNECTION_LINGER,
};

/* Packets that are due, beside data and the end of data. */
#define OWES_REQUEST 1u
#define OWES_RESPONSE 2u
#define OWES_CREDIT 4u		/* an update */
#define OWES_QUESTION 8u	/* a request for one */

struct connection {
	struct mux *mux;
	TAILQ_ENTRY (connection) in_all, in_table, in_pending;
	enum connection_state state;
	bool has_ports;		/* it is in the table */
	bool is_pending;
	uint32_t host_port, guest_port;
	int fd;
	struct vh_source *source;	/* NULL: not watched */
	int64_t deadline;		/* of a state that has one; ms of the monotonic clock */
	unsigned owes;
	/* The host's socket, as far as we know (its events are edges). */
	bool readable, writable;
	bool hung_up;			/* it has said all; some may be left to read */
	bool gone;			/* it will never read again */
	/* VIRTIO_VSOCK_SHUTDOWN_*: what the guest will not do any more; what the host will not do, and what of that the guest knows. */
	unsigned guest_ended, host_ended, told_ended;
	bool passed_end;		/* the program knows that the guest sends no more */
	bool asked_credit;		/* since there was no credit */
	struct credit credit;
	struct backlog backlog;
};

/* A program connected to PATH; fd is the connection's.  On failure it is closed. */
void connection_from_host (struct mux *, int fd);

/* The guest asks for a connection: a REQUEST for ports that no connection has. */
void connection_from_guest (struct mux *, const struct packet *);

/* Another packet of the guest, with its payload: packet->length bytes.  May free the connection. */
void connection_receive (struct connection *, const struct packet *, struct iovec *parts, unsigned n);

/* Writes its next packet; 0: it is gone.  May free it. */
size_t connection_produce (struct connection *, const struct iovec *parts, unsigned n, size_t room);
bool connection_has_packet (const struct connection *);

/* Its socket is watched, or not.  Watching may free it. */
void connection_attach (struct connection *);
void connection_detach (struct connection *);

/* The clock has moved on.  May free it. */
void connection_tick (struct connection *, int64_t now);

/* Ends it; tell: the guest gets a RST. */
void connection_end (struct connection *, bool tell);

int64_t connection_clock (void);

/* --- between connection*.c --- */

/* NULL: no memory; fd stays the caller's. */
struct connection *connection_new (struct mux *, int fd, enum connection_state);

/* Into the table. */
void connection_set_ports (struct connection *, uint32_t host_port, uint32_t guest_port);

/* Sets its state, whose time begins. */
void connection_set_state (struct connection *, enum connection_state);

/* Its socket is watched if a loop is there.  False: it cannot be, and the connection is freed. */
bool connection_watch (struct connection *);

/* Tries to connect to PATH_P.  False: it is freed. */
bool connection_dial (struct connection *);

/* The guest hears no more of it; what is on its way to the host still gets there. */
void connection_linger (struct connection *);

/* It has a packet for the guest now, perhaps. */
void connection_update (struct connection *);

/*
 * After bytes went to the host, or one side ended something: passes on what the guest ended once its bytes are through, and credit.  May free it; true when it
 * is still there.
 */
bool connection_settle (struct connection *);

/* The header of its next packet. */
void connection_header (const struct connection *, uint16_t op, struct packet *ret);

/* Sends parts to the host as far as they go.  Returns how many bytes went; all of them when nobody will ever read them. */
size_t connection_send (struct connection *, struct iovec *parts, unsigned n);

/* The host's program will never read again: what is there for it is forgotten. */
void connection_host_is_gone (struct connection *);

/* The guest has accepted: tells the program. */
void connection_opened (struct connection *);

#endif
