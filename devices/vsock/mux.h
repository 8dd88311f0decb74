/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between a guest's vsock and the host's Unix sockets: packets on one side, sockets on the other.
 *
 *	guest connects to port P of the host	-> connect (PATH_P)
 *	host connects to PATH, "CONNECT P\n"	-> a request to port P of the guest; then "OK PORT\n", or the end of the connection
 *
 * The guest's side is a call for each packet: mux_receive, mux_produce.  The host's side runs in the loop that was attached.  Without one nothing moves, but
 * the connections stay.  One thread at a time.
 *
 * What a guest, or a program of the host, can make us keep is bounded: max_connections, each with an fd and up to `buffer` bytes; and MUX_REPLIES refusals.
 */
#ifndef VSOCK_MUX_H
#define VSOCK_MUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/uio.h>

#include <vhost/loop.h>
#include <vhost/socket.h>

#include "devices/vsock/packet.h"

/* Packets that refuse something: when so many wait for the guest, its own packets wait, too (virtio 1.2, 5.10.6.1). */
#define MUX_REPLIES 256

/* The largest payload that we send: what Linux guests send, too. */
#define MUX_MAX_PAYLOAD 65536u

/* The most parts of a packet: a header, and 64 KiB in pages; some drivers split the first and the last one. */
#define MUX_MAX_PARTS 64

/* How many packets of the guest may be received after mux_is_full was looked at. */
#define MUX_BATCH 16

struct connection;

struct mux_options {
	uint64_t guest_cid;
	const char *path;		/* of the host's sockets; borrowed */
	unsigned socket_mode;		/* permissions of PATH; 0: as the umask leaves them */
	unsigned max_connections;
	uint32_t buffer;		/* bytes that a connection may have on their way to the host: a power of two */
	/* Packets wait for the guest: mux_produce.  And: the guest's packets may come again after mux_is_full. */
	void (*has_packets) (void *opaque);
	void (*has_room) (void *opaque);
	void *opaque;
};

/* Counted in the thread of the mux, read in others. */
struct mux_stats {
	uint64_t opened_by_guest, opened_by_host;
	uint64_t refused;		/* requests of either side that came to nothing */
	uint64_t broken;		/* connections that ended otherwise than by both sides' will */
	uint64_t packets_in, bytes_in;	/* from the guest */
	uint64_t packets_out, bytes_out;
	uint64_t bad;			/* packets of the guest that are against the rules */
};

TAILQ_HEAD (connection_list, connection);

struct mux {
	struct mux_options options;
	struct vh_loop *loop;		/* NULL: none is attached */
	struct vh_listener *listener;
	struct vh_source *door;		/* the listener's */
	bool door_open;
	struct vh_timer *timer;
	struct connection_list all;
	struct connection_list pending;	/* those that have a packet for the guest, in turn */
	struct connection_list *table;	/* by ports */
	uint32_t table_mask, table_seed;
	unsigned n_connections, n_timed;
	uint32_t next_port;
	struct packet *replies;		/* a ring */
	unsigned max_replies, first_reply, n_replies;
	struct mux_stats stats;
};

/* Listens at PATH.  0 and *ret, or a negative errno (see vh_listener_new; -ENAMETOOLONG: there is no room for the port's number). */
int mux_new (const struct mux_options *, struct mux **ret);

/* Ends all connections.  No loop may be attached.  NULL is fine. */
void mux_free (struct mux *);

/* Runs the host's side in this loop; until mux_detach, in its thread.  0; -ENOMEM, or what vh_loop_add_fd returns: then nothing is attached. */
int mux_attach (struct mux *, struct vh_loop *);
void mux_detach (struct mux *);

/* The guest is another one, or began anew: forgets all connections, and tells it nothing. */
void mux_reset (struct mux *);

/* One packet of the guest: the bytes of parts[0..n), which are cut. */
void mux_receive (struct mux *, struct iovec *parts, unsigned n, size_t bytes);

/* No packet of the guest can be taken: `has_room` is called when it can. */
bool mux_is_full (const struct mux *);

/* Is there a packet for the guest? */
bool mux_has_packet (const struct mux *);

/* Writes one packet into parts[0..n), `room` bytes, of which there must be PACKET_HEADER.  Returns how many were used; 0: there is no packet. */
size_t mux_produce (struct mux *, const struct iovec *parts, unsigned n, size_t room);

/* Any thread; each number by itself is right. */
void mux_get_stats (const struct mux *, struct mux_stats *ret);

/* Counting goes on from here.  No loop may be attached. */
void mux_set_stats (struct mux *, const struct mux_stats *);

/* --- for connection.c --- */

/* NULL: none has these ports. */
struct connection *mux_find (const struct mux *, uint32_t host_port, uint32_t guest_port);

void mux_insert (struct mux *, struct connection *);
void mux_remove (struct mux *, struct connection *);	/* also of one that is not in the table */

/* One connection more, or less, has a deadline. */
void mux_set_timed (struct mux *, bool more);

/* A port of the host that no connection to guest_port has. */
uint32_t mux_choose_port (struct mux *, uint32_t guest_port);

/* Has `reply` sent to the guest. */
void mux_reply (struct mux *, const struct packet *reply);

/* A number of mux_stats grows. */
void mux_count (uint64_t *number, uint64_t n);

/* What may open or close the door of the host's programs has changed. */
void mux_update_door (struct mux *);

#endif
