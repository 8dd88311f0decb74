/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest's vsock that is only a test: its packets go to a mux and come from it, and programs of the host are sockets of the test.
 */
#ifndef TESTS_UNIT_VSOCK_RIG_H
#define TESTS_UNIT_VSOCK_RIG_H

#include "devices/vsock/connection.h"

#define RIG_CID 42
#define RIG_PATH "v"		/* in a folder of the test's own */
#define RIG_BUFFER 8192u	/* of a connection, in the mux */
#define RIG_CREDIT 65536u	/* of a connection, in the guest, when nothing else is said */

struct rig {
	struct mux *mux;
	struct vh_loop *loop;
	unsigned has_packets, has_room;	/* how often the mux said so */
	char folder[64];
};

/* One packet that the guest got. */
struct got {
	struct packet p;
	uint8_t data[65536];
};

void rig_open (struct rig *, unsigned max_connections);
void rig_close (struct rig *);

/* Runs what is due in the loop; runs it until there is a packet, for some seconds at most. */
void rig_run (struct rig *);
void rig_wait (struct rig *);

/* The guest sends a packet; `data` has p->length bytes. */
void rig_send_packet (struct rig *, const struct packet *, const void *data);

/* The same for a connection of the host's port and the guest's, with RIG_CREDIT. */
void rig_send (struct rig *, unsigned op, uint32_t host_port, uint32_t guest_port, const void *data, uint32_t length);

/* The next packet for the guest, in a buffer of `room` bytes of data: true.  Runs the loop for it. */
bool rig_get_into (struct rig *, struct got *, size_t room);
bool rig_get (struct rig *, struct got *);

/* The next packet must be this. */
void rig_expect (struct rig *, unsigned op, uint32_t host_port, uint32_t guest_port);
void rig_expect_nothing (struct rig *);

/* Sockets of the host: they do not block. */
int rig_listen (uint32_t port, int backlog);
int rig_accept (int listener);
int rig_connect (void);			/* to RIG_PATH */
int rig_ask (uint32_t guest_port);	/* ... and asks for the guest's port */
void rig_say (int fd, const char *text);
bool rig_reads (int fd, const char *text);	/* the next bytes are these */
bool rig_at_end (int fd);			/* the next read says that there is no more */

/* Open connections, from either side.  The latter returns the host's port. */
void rig_guest_opens (struct rig *, uint32_t host_port, uint32_t guest_port);
uint32_t rig_host_opens (struct rig *, int fd, uint32_t guest_port);

/* With a listener for SERVICE, and a connection of the guest's to it. */
#define SERVICE 80u		/* a port of the host */
#define CLIENT 1234u		/* a port of the guest */
struct service {
	struct rig rig;
	int listener, fd;
};

void service_open (struct service *);
void service_close (struct service *);
void service_hangs_up (struct service *);

/* The guest ends what the flags say. */
void shut (struct rig *, unsigned flags, uint32_t host_port, uint32_t guest_port);

/* The guest's credit: it has room for `room` bytes, and took `forwarded`. */
void grant (struct rig *, uint32_t room, uint32_t forwarded);

/* The next packet is SHUTDOWN with these flags. */
void expect_end (struct rig *, unsigned flags);

/* The connection's time is over: it ends. */
void expire (struct rig *, struct connection *);

/* Names as the specification has them. */
#define OP(name) VIRTIO_VSOCK_OP_##name
#define SEND VIRTIO_VSOCK_SHUTDOWN_SEND
#define RCV VIRTIO_VSOCK_SHUTDOWN_RCV

#endif
