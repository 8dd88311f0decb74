/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vsock-requests SOCKET PATH CID TEST...: is a guest in front of vhost-user-vsock, whose host's sockets are at PATH, and the programs of the host, too.  Each
 * test has a front-end of its own, but for what it leaves behind.  "move" goes to another back-end, whose socket is "t" and whose PATH is "w".
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "devices/vsock/packet.h"
#include "move.h"
#include "must.h"

#define WAIT_MS 20000
#define RINGS 3
#define RING_SIZE 64
#define N_BUFFERS 32		/* for packets to the guest */
#define ROOM 8192		/* of each; a packet from the guest has one, too */
#define CREDIT (1u << 20)

enum { RX, TX, EVENT };

struct guest_side {
	struct driver driver;
	uint64_t cid;
	uint64_t rx_addr, tx_addr, event_addr;
};

static const char *socket_path, *host_path;
static const char *other_socket = "t", *other_path = "w";	/* of another back-end, for "move" */

/* --- the guest --- */

static void *
at (struct guest_side *g, uint64_t addr)
{
	return guest_at (&g->driver.guest, addr);
}

static void
open_guest (struct guest_side *g, uint64_t cid)
{
	struct driver_options options = {
		.queues = RINGS, .queue_size = RING_SIZE, .regions = 1, .memory = (N_BUFFERS + 2) * (ROOM + 64) + 4096,
		.features = VH_BIT (VH_F_EVENT_IDX),
	};

	memset (g, 0, sizeof (*g));
	must_connect (&g->driver, socket_path, WAIT_MS);
	must_start (&g->driver, &options);
	if (vh_frontend_get_config (g->driver.frontend, 0, &g->cid, sizeof (g->cid)) < 0 || g->cid != cid)
		die ("the guest's cid is %llu", (unsigned long long) g->cid);
	g->rx_addr = must_alloc (&g->driver, N_BUFFERS * ROOM, 16);
	g->tx_addr = must_alloc (&g->driver, ROOM, 16);
	g->event_addr = must_alloc (&g->driver, 64, 16);
}

static void
give_buffers (struct guest_side *g)
{
	for (unsigned i = 0; i < N_BUFFERS; i++)
		must_give (&g->driver, RX, g->rx_addr + i * ROOM, ROOM);
}

/* Sends bytes as they are. */
static void
send_bytes (struct guest_side *g, const void *bytes, size_t size)
{
	struct queue *q = g->driver.queues[TX];
	struct queue_buffer parts[2] = { { g->tx_addr, size < 20 ? size : 20 }, { g->tx_addr + 20, size - 20 } };
	struct queue_done done;

	memcpy (at (g, g->tx_addr), bytes, size);
	if (queue_add (q, parts, size > 20 ? 2 : 1, 0, g) < 0 || queue_publish (q) < 0)
		die ("no room for a packet");
	if (!must_reap (&g->driver, TX, &done, WAIT_MS))
		die ("a packet is not taken");
}

static struct packet
packet_to (const struct guest_side *g, unsigned op, uint32_t host_port, uint32_t guest_port, uint32_t length)
{
	return (struct packet){
		.src_cid = g->cid, .dst_cid = PACKET_HOST_CID, .src_port = guest_port, .dst_port = host_port, .length = length,
		.type = VIRTIO_VSOCK_TYPE_STREAM, .op = op, .buf_alloc = CREDIT,
	};
}

static void
send_packet (struct guest_side *g, const struct packet *p, const void *data)
{
	uint8_t bytes[ROOM];
	uint32_t length = data ? p->length : 0;

	packet_encode (p, bytes);
	if (length > 0)
		memcpy (bytes + PACKET_HEADER, data, length);
	send_bytes (g, bytes, PACKET_HEADER + length);
}

static void
say (struct guest_side *g, unsigned op, uint32_t host_port, uint32_t guest_port, const char *text)
{
	struct packet p = packet_to (g, op, host_port, guest_port, text ? strlen (text) : 0);

	send_packet (g, &p, text);
}

/* The next packet; its data are behind *ret's header, valid until the buffer is given again. */
static const uint8_t *
get_packet (struct guest_side *g, struct packet *ret)
{
	struct queue_done done;
	const uint8_t *bytes;

	if (!must_reap (&g->driver, RX, &done, WAIT_MS))
		die ("no packet comes");
	bytes = done.token;
	if (done.written < PACKET_HEADER)
		die ("a packet of %u bytes", done.written);
	packet_decode (bytes, ret);
	if (done.written != PACKET_HEADER + ret->length || ret->dst_cid != g->cid)
		die ("a packet of %u bytes says it has %u, for %llu", done.written, ret->length, (unsigned long long) ret->dst_cid);
	must_give (&g->driver, RX, g->rx_addr + (bytes - (uint8_t *) at (g, g->rx_addr)), ROOM);
	return bytes + PACKET_HEADER;
}

/* The next packet that is no news of credit must be this. */
static struct packet
expect (struct guest_side *g, unsigned op, uint32_t guest_port, const char *text)
{
	struct packet p;
	const uint8_t *data;

	do
		data = get_packet (g, &p);
	while (p.op == VIRTIO_VSOCK_OP_CREDIT_UPDATE && op != VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	if (p.op != op || p.dst_port != guest_port)
		die ("packet %u for port %u instead of %u for %u", p.op, p.dst_port, op, guest_port);
	if (text && (p.length != strlen (text) || memcmp (data, text, p.length)))
		die ("'%.*s' instead of '%s'", (int) p.length, (const char *) data, text);
	return p;
}

/* --- the host --- */

static void
set_address (struct sockaddr_un *addr, unsigned port)
{
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf (addr->sun_path, sizeof (addr->sun_path), port ? "%s_%u" : "%s", host_path, port);
}

static int
listen_at (unsigned port)
{
	struct sockaddr_un addr;
	int fd = socket (AF_UNIX, SOCK_STREAM, 0);

	set_address (&addr, port);
	unlink (addr.sun_path);
	if (bind (fd, (struct sockaddr *) &addr, sizeof (addr)) < 0 || listen (fd, 8) < 0)
		die ("listen: %s", strerror (errno));
	return fd;
}

static bool
is_ready (int fd, int ms)
{
	return poll (&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, ms) == 1;
}

static int
accept_from (int listener)
{
	if (!is_ready (listener, WAIT_MS))
		die ("nobody connects");
	return accept (listener, NULL, NULL);
}

static int
connect_to_guest (unsigned port)
{
	struct sockaddr_un addr;
	int fd = socket (AF_UNIX, SOCK_STREAM, 0);

	set_address (&addr, 0);
	if (connect (fd, (struct sockaddr *) &addr, sizeof (addr)) < 0)
		die ("%s: %s", host_path, strerror (errno));
	dprintf (fd, "CONNECT %u\n", port);
	return fd;
}

/* The next bytes are these; NULL: there are no more. */
static void
host_reads (int fd, const char *text)
{
	char bytes[256];
	ssize_t n;

	if (!is_ready (fd, WAIT_MS))
		die ("nothing comes from the guest");
	n = read (fd, bytes, sizeof (bytes));
	if (text ? n != (ssize_t) strlen (text) || memcmp (bytes, text, n) : n > 0)
		die ("the host reads '%.*s'", (int) n, bytes);
}

/* --- tests --- */

#define OP(name) VIRTIO_VSOCK_OP_##name

/* From the guest's port 1 to port 7000 of the host. */
static int
guest_connects (struct guest_side *g, int listener)
{
	say (g, OP (REQUEST), 7000, 1, NULL);
	expect (g, OP (RESPONSE), 1, NULL);
	return accept_from (listener);
}

/* A connection from each side, both ways, and the ends of both. */
static void
check_connections (struct guest_side *g)
{
	int listener = listen_at (7000), fd, other;
	char text[64];
	struct packet p;

	fd = guest_connects (g, listener);
	say (g, OP (RW), 7000, 1, "question");
	host_reads (fd, "question");
	if (write (fd, "answer", 6) != 6)
		die ("write");
	expect (g, OP (RW), 1, "answer");
	other = connect_to_guest (22);
	p = expect (g, OP (REQUEST), 22, NULL);
	say (g, OP (RESPONSE), p.src_port, 22, NULL);
	snprintf (text, sizeof (text), "OK %u\n", p.src_port);
	host_reads (other, text);
	say (g, OP (RW), p.src_port, 22, "hello");
	host_reads (other, "hello");
	close (other);
	expect (g, OP (SHUTDOWN), 22, NULL);
	say (g, OP (RST), p.src_port, 22, NULL);
	p = packet_to (g, OP (SHUTDOWN), 7000, 1, 0);
	p.flags = 3;
	send_packet (g, &p, NULL);
	host_reads (fd, NULL);
	expect (g, OP (RST), 1, NULL);
	close (fd);
	close (listener);
}

static void
test_connections (struct guest_side *g)
{
	give_buffers (g);
	check_connections (g);
}

/* Packets that are none, and buffers that have no room; all that is told is told, and the device goes on. */
static void
test_hostile (struct guest_side *g)
{
	static const uint32_t small[] = { 1, 43, 44 };
	uint8_t bytes[ROOM] = { 0 };
	struct packet p = packet_to (g, OP (RW), 1, 1, 0xffffffff);
	struct queue *q = g->driver.queues[TX];
	struct queue_done done;

	for (unsigned size = 1; size < PACKET_HEADER; size += 7)
		send_bytes (g, bytes, size);
	send_bytes (g, bytes, sizeof (bytes));
	/* Outside guest memory. */
	if (queue_add (q, &(struct queue_buffer){ 0x1000, 64 }, 1, 0, g) < 0 || queue_publish (q) < 0 || !must_reap (&g->driver, TX, &done, WAIT_MS))
		die ("a packet outside guest memory is not taken");
	/* One that is not there for its length, and one for which there is no room to refuse it, three times. */
	send_packet (g, &p, NULL);
	for (unsigned i = 0; i < 3; i++)
		must_give (&g->driver, RX, g->rx_addr + i * ROOM, small[i]);
	for (unsigned i = 0; i < 3; i++)
		if (!must_reap (&g->driver, RX, &done, WAIT_MS) || done.written != (i < 2 ? 0 : PACKET_HEADER))
			die ("buffer %u: %u bytes", i, done.written);
	give_buffers (g);
	check_connections (g);
}

/* Refusals that the guest does not take: it has to, before more of its packets are taken. */
static void
test_flood (struct guest_side *g)
{
	struct queue *q = g->driver.queues[TX];
	struct packet p = packet_to (g, OP (RW), 1, 1, 0);
	struct queue_done done;
	unsigned taken = 0, refused = 0;

	packet_encode (&p, at (g, g->tx_addr));
	for (unsigned i = 0; i < 2000; i++) {
		if (queue_add (q, &(struct queue_buffer){ g->tx_addr, PACKET_HEADER }, 1, 0, g) == 0 && queue_publish (q) == 0)
			continue;
		if (!must_reap (&g->driver, TX, &done, 300))
			break;
		taken++;
		i--;
	}
	if (taken >= 1000)
		die ("%u packets were taken without a refusal", taken);
	give_buffers (g);
	while (must_reap (&g->driver, TX, &done, refused < taken ? WAIT_MS : 300)) {
		taken++;
		for (; refused < taken; refused++)
			expect (g, OP (RST), 1, NULL);
	}
	check_connections (g);
}

/* The rings stop and go on where they were, as when a guest is paused: connections stay. */
static void
test_pause (struct guest_side *g)
{
	struct vh_frontend *f = g->driver.frontend;
	int listener = listen_at (7000), fd;

	give_buffers (g);
	fd = guest_connects (g, listener);
	for (unsigned i = 0; i < RINGS; i++) {
		struct queue *q = g->driver.queues[i];
		uint32_t base;

		if (vh_frontend_get_vring_base (f, i, &base) < 0)
			die ("cannot stop ring %u", i);
		if (i == 0 && write (fd, "meanwhile", 9) != 9)
			die ("write");
		if (vh_frontend_set_vring_base (f, i, base) < 0 || vh_frontend_set_vring_kick (f, i, queue_kick_fd (q)) < 0)
			die ("cannot start ring %u: %s", i, vh_frontend_error (f));
	}
	expect (g, OP (RW), 1, "meanwhile");
	say (g, OP (RW), 7000, 1, "still here");
	host_reads (fd, "still here");
	close (fd);
	close (listener);
}

/* Rings that begin anew: whoever is there now knows of no connection. */
static void
test_reboot (struct guest_side *g)
{
	int listener = listen_at (7000), fd;

	give_buffers (g);
	fd = guest_connects (g, listener);
	must_stop (&g->driver);
	host_reads (fd, NULL);
	open_guest (g, g->cid);
	give_buffers (g);
	check_connections (g);
	close (fd);
	close (listener);
}

static void
expect_reset (struct guest_side *g)
{
	struct queue_done done;

	if (!must_reap (&g->driver, EVENT, &done, WAIT_MS) || done.written != 4 || *(uint32_t *) at (g, g->event_addr) != VIRTIO_VSOCK_EVENT_TRANSPORT_RESET)
		die ("no event");
}

/* A driver whose back-end is another one than before is told that its connections are gone. */
static void
test_another_backend (struct guest_side *g)
{
	struct queue_done done;

	give_buffers (g);
	check_connections (g);
	must_give (&g->driver, EVENT, g->event_addr, 8);
	if (must_reap (&g->driver, EVENT, &done, 300))
		die ("an event for a driver that began");
	if (reconnect_driver (&g->driver, socket_path, WAIT_MS) < 0)
		die ("%s", g->driver.failed);
	expect_reset (g);
	check_connections (g);
}

/* So is one that has moved, with its device's state; its connections end at both sides. */
static void
test_move (struct guest_side *g)
{
	int listener = listen_at (7000), fd;

	give_buffers (g);
	fd = guest_connects (g, listener);
	must_give (&g->driver, EVENT, g->event_addr, 8);
	if (move_driver (&g->driver, other_socket, WAIT_MS) < 0)
		die ("%s", g->driver.failed);
	expect_reset (g);
	host_reads (fd, NULL);
	close (fd);
	close (listener);
	host_path = other_path;
	check_connections (g);
}

static const struct {
	const char *name;
	void (*run) (struct guest_side *);
} tests[] = {
	{ "connections", test_connections }, { "hostile", test_hostile }, { "flood", test_flood }, { "pause", test_pause }, { "reboot", test_reboot },
	{ "another-backend", test_another_backend }, { "move", test_move },
};

int
main (int argc, char **argv)
{
	unsigned ran = 0;

	if (argc < 5)
		die ("usage: vsock-requests SOCKET PATH CID TEST...");
	socket_path = argv[1];
	host_path = argv[2];
	for (int i = 4; i < argc; i++)
		for (unsigned k = 0; k < sizeof (tests) / sizeof (tests[0]); k++) {
			struct guest_side g;

			if (strcmp (argv[i], tests[k].name))
				continue;
			open_guest (&g, strtoul (argv[3], NULL, 10));
			tests[k].run (&g);
			must_stop (&g.driver);
			printf ("ok: %s\n", argv[i]);
			ran++;
		}
	return ran == (unsigned) argc - 4 ? 0 : 1;
}
