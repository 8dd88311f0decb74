/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest's vsock in a test; see vsock-rig.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/suite.h"
#include "tests/unit/vsock-rig.h"

static void
count (unsigned *n)
{
	(*n)++;
}

static void
has_packets (void *opaque)
{
	count (&((struct rig *) opaque)->has_packets);
}

static void
has_room (void *opaque)
{
	count (&((struct rig *) opaque)->has_room);
}

void
rig_open (struct rig *r, unsigned max_connections)
{
	struct mux_options o = {
		.guest_cid = RIG_CID, .path = RIG_PATH, .max_connections = max_connections, .buffer = RIG_BUFFER,
		.has_packets = has_packets, .has_room = has_room, .opaque = r,
	};

	*r = (struct rig){ .folder = "/tmp/libvhost-XXXXXX" };
	CU_ASSERT_PTR_NOT_NULL_FATAL (mkdtemp (r->folder));
	CU_ASSERT_EQUAL_FATAL (chdir (r->folder), 0);
	CU_ASSERT_EQUAL_FATAL (vh_loop_new (&r->loop), 0);
	CU_ASSERT_EQUAL_FATAL (mux_new (&o, &r->mux), 0);
	CU_ASSERT_EQUAL_FATAL (mux_attach (r->mux, r->loop), 0);
}

void
rig_close (struct rig *r)
{
	char command[128];

	mux_detach (r->mux);
	mux_free (r->mux);
	vh_loop_free (r->loop);
	CU_ASSERT_NOT_EQUAL (access (RIG_PATH, F_OK), 0);
	snprintf (command, sizeof (command), "rm -rf '%s'", r->folder);
	CU_ASSERT_EQUAL (chdir ("/"), 0);
	CU_ASSERT_EQUAL (system (command), 0);
}

void
rig_run (struct rig *r)
{
	while (vh_loop_dispatch (r->loop, 0) > 0)
		;
}

void
rig_wait (struct rig *r)
{
	for (unsigned i = 0; i < 100 && !mux_has_packet (r->mux); i++)
		vh_loop_dispatch (r->loop, 100);
}

/* --- the guest --- */

void
rig_send_packet (struct rig *r, const struct packet *p, const void *data)
{
	uint8_t header[PACKET_HEADER];
	struct iovec parts[3] = { { header, 10 }, { header + 10, PACKET_HEADER - 10 }, { (void *) data, data ? p->length : 0 } };
	unsigned n = parts[2].iov_len > 0 ? 3 : 2;

	packet_encode (p, header);
	mux_receive (r->mux, parts, n, PACKET_HEADER + parts[2].iov_len);
}

void
rig_send (struct rig *r, unsigned op, uint32_t host_port, uint32_t guest_port, const void *data, uint32_t length)
{
	struct packet p = {
		.src_cid = RIG_CID, .dst_cid = PACKET_HOST_CID, .src_port = guest_port, .dst_port = host_port, .length = length,
		.type = VIRTIO_VSOCK_TYPE_STREAM, .op = op, .buf_alloc = RIG_CREDIT,
	};

	rig_send_packet (r, &p, data);
}

bool
rig_get_into (struct rig *r, struct got *g, size_t room)
{
	uint8_t header[PACKET_HEADER];
	struct iovec parts[3] = { { header, 3 }, { header + 3, PACKET_HEADER - 3 }, { g->data, room } };
	size_t bytes;

	rig_run (r);
	bytes = mux_produce (r->mux, parts, room > 0 ? 3 : 2, PACKET_HEADER + room);
	if (bytes == 0)
		return false;
	packet_decode (header, &g->p);
	CU_ASSERT_EQUAL (bytes, PACKET_HEADER + g->p.length);
	CU_ASSERT_EQUAL (g->p.dst_cid, RIG_CID);
	return true;
}

bool
rig_get (struct rig *r, struct got *g)
{
	return rig_get_into (r, g, sizeof (g->data));
}

void
rig_expect (struct rig *r, unsigned op, uint32_t host_port, uint32_t guest_port)
{
	static struct got g;

	CU_ASSERT_TRUE_FATAL (rig_get (r, &g));
	CU_ASSERT_EQUAL_FATAL (g.p.op, op);
	CU_ASSERT_EQUAL (g.p.src_cid, PACKET_HOST_CID);
	CU_ASSERT_EQUAL (g.p.type, VIRTIO_VSOCK_TYPE_STREAM);
	CU_ASSERT_EQUAL (g.p.src_port, host_port);
	CU_ASSERT_EQUAL (g.p.dst_port, guest_port);
}

void
rig_expect_nothing (struct rig *r)
{
	static struct got g;

	CU_ASSERT_FALSE (rig_get (r, &g));
}

/* --- the host --- */

static int
unix_socket (const char *path, struct sockaddr_un *addr)
{
	int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	CU_ASSERT_FATAL (fd >= 0);
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf (addr->sun_path, sizeof (addr->sun_path), "%s", path);
	return fd;
}

int
rig_listen (uint32_t port, int backlog)
{
	struct sockaddr_un addr;
	char path[32];
	int fd;

	snprintf (path, sizeof (path), "%s_%u", RIG_PATH, port);
	fd = unix_socket (path, &addr);
	unlink (path);
	CU_ASSERT_EQUAL_FATAL (bind (fd, (struct sockaddr *) &addr, sizeof (addr)), 0);
	CU_ASSERT_EQUAL_FATAL (listen (fd, backlog), 0);
	return fd;
}

int
rig_accept (int listener)
{
	int fd = accept4 (listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	CU_ASSERT_FATAL (fd >= 0);
	return fd;
}

int
rig_connect (void)
{
	struct sockaddr_un addr;
	int fd = unix_socket (RIG_PATH, &addr);

	CU_ASSERT_EQUAL_FATAL (connect (fd, (struct sockaddr *) &addr, sizeof (addr)), 0);
	return fd;
}

void
rig_say (int fd, const char *text)
{
	CU_ASSERT_EQUAL (send (fd, text, strlen (text), MSG_NOSIGNAL), (ssize_t) strlen (text));
}

int
rig_ask (uint32_t guest_port)
{
	char text[64];
	int fd = rig_connect ();

	snprintf (text, sizeof (text), "CONNECT %u\n", guest_port);
	rig_say (fd, text);
	return fd;
}

bool
rig_reads (int fd, const char *text)
{
	char buffer[256] = "";
	ssize_t n = read (fd, buffer, sizeof (buffer));

	return n == (ssize_t) strlen (text) && !memcmp (buffer, text, n);
}

bool
rig_at_end (int fd)
{
	char byte;

	return read (fd, &byte, 1) == 0;
}

/* --- both --- */

void
rig_guest_opens (struct rig *r, uint32_t host_port, uint32_t guest_port)
{
	rig_send (r, VIRTIO_VSOCK_OP_REQUEST, host_port, guest_port, NULL, 0);
	rig_expect (r, VIRTIO_VSOCK_OP_RESPONSE, host_port, guest_port);
}

uint32_t
rig_host_opens (struct rig *r, int fd, uint32_t guest_port)
{
	static struct got g;
	char text[64];

	snprintf (text, sizeof (text), "CONNECT %u\n", guest_port);
	rig_say (fd, text);
	CU_ASSERT_TRUE_FATAL (rig_get (r, &g));
	CU_ASSERT_EQUAL_FATAL (g.p.op, VIRTIO_VSOCK_OP_REQUEST);
	CU_ASSERT_EQUAL (g.p.dst_port, guest_port);
	rig_send (r, VIRTIO_VSOCK_OP_RESPONSE, g.p.src_port, guest_port, NULL, 0);
	snprintf (text, sizeof (text), "OK %u\n", g.p.src_port);
	CU_ASSERT_TRUE (rig_reads (fd, text));
	return g.p.src_port;
}

/* --- a service --- */

void
service_open (struct service *s)
{
	rig_open (&s->rig, 8);
	s->listener = rig_listen (SERVICE, 8);
	rig_guest_opens (&s->rig, SERVICE, CLIENT);
	s->fd = rig_accept (s->listener);
}

void
service_close (struct service *s)
{
	rig_close (&s->rig);
	close (s->listener);
	if (s->fd >= 0)
		close (s->fd);
}

void
service_hangs_up (struct service *s)
{
	close (s->fd);
	s->fd = -1;
}

void
shut (struct rig *r, unsigned flags, uint32_t host_port, uint32_t guest_port)
{
	struct packet p = {
		.src_cid = RIG_CID, .dst_cid = PACKET_HOST_CID, .src_port = guest_port, .dst_port = host_port,
		.type = VIRTIO_VSOCK_TYPE_STREAM, .op = VIRTIO_VSOCK_OP_SHUTDOWN, .flags = flags, .buf_alloc = RIG_CREDIT,
	};

	rig_send_packet (r, &p, NULL);
}

/* The guest's credit: it has room for `room` bytes, and took `forwarded`. */
void
grant (struct rig *r, uint32_t room, uint32_t forwarded)
{
	struct packet p = {
		.src_cid = RIG_CID, .dst_cid = PACKET_HOST_CID, .src_port = CLIENT, .dst_port = SERVICE,
		.type = VIRTIO_VSOCK_TYPE_STREAM, .op = VIRTIO_VSOCK_OP_CREDIT_UPDATE, .buf_alloc = room, .fwd_cnt = forwarded,
	};

	rig_send_packet (r, &p, NULL);
}

/* The next packet is SHUTDOWN with these flags. */
void
expect_end (struct rig *r, unsigned flags)
{
	static struct got g;

	CU_ASSERT_TRUE_FATAL (rig_get (r, &g));
	CU_ASSERT_EQUAL (g.p.op, VIRTIO_VSOCK_OP_SHUTDOWN);
	CU_ASSERT_EQUAL (g.p.flags, flags);
}

void
expire (struct rig *r, struct connection *c)
{
	unsigned n = r->mux->n_connections;

	c->deadline = 0;
	for (unsigned i = 0; i < 100 && r->mux->n_connections == n; i++)
		vh_loop_dispatch (r->loop, 100);
	CU_ASSERT_EQUAL (r->mux->n_connections, n - 1);
}
