/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * /dev/vhost-vsock: a stream between a guest of ours, which speaks the protocol of virtio-vsock on two rings, and a socket of the kernel as its host; from
 * either side.
 */
#include <linux/vm_sockets.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vhost/kernel.h>

#include "tests/vm/kernel/rig.h"

#define RX 0
#define TX 1

#define CID 42
#define PORT 1234
#define OUR_PORT 5678

/* virtio 1.2, 5.10.6. */
struct packet {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port;
	uint32_t len;
	uint16_t type, op;
	uint32_t flags;
	uint32_t buf_alloc, fwd_cnt;
} __attribute__ ((packed));

enum {
	OP_REQUEST = 1,
	OP_RESPONSE = 2,
	OP_RST = 3,
	OP_SHUTDOWN = 4,
	OP_RW = 5,
	OP_CREDIT_UPDATE = 6,
	OP_CREDIT_REQUEST = 7,
};

#define TYPE_STREAM 1
#define SHUTDOWN_BOTH 3

#define BUFFER 4096
#define PAYLOAD (BUFFER - sizeof (struct packet))
#define WINDOW (1 << 20)
#define BUFFERS 16

#define STREAM_BYTES 500000

struct guest_end {
	struct vh_dev *dev;
	struct rig rig;
	uint64_t rx[BUFFERS], tx;
	uint32_t local, remote;		/* ports */
	uint32_t received;		/* bytes: what the peer may count as free again */
	uint32_t sent, peer_alloc, peer_fwd;
	unsigned checked;		/* bytes of the pattern that came */
	bool connected, closed;
};

static uint8_t
pattern (unsigned i)
{
	return i * 31 + (i >> 8) * 7 + (i >> 16);
}

static void
open_guest (struct guest_end *g)
{
	memset (g, 0, sizeof (*g));
	CU_ASSERT_EQUAL_FATAL (vh_dev_new_vsock (rig_open_kernel ("/dev/vhost-vsock"), CID, &g->dev), 0);
	DEV_OK (g->dev, vh_dev_set_owner (g->dev));
	DEV_OK (g->dev, vh_dev_set_features (g->dev, VH_BIT (VH_F_VERSION_1)));
	rig_open (&g->rig, 2, VH_BIT (VH_F_VERSION_1), (BUFFERS + 1) * (BUFFER + 16));
	rig_give (&g->rig, g->dev);
	for (unsigned i = 0; i < BUFFERS; i++) {
		g->rx[i] = rig_alloc (&g->rig, BUFFER);
		rig_post (&g->rig, RX, g->rx[i], BUFFER, true, &g->rx[i]);
	}
	g->tx = rig_alloc (&g->rig, BUFFER);
	DEV_OK (g->dev, vh_dev_start (g->dev));
}

static void
close_guest (struct guest_end *g)
{
	DEV_OK (g->dev, vh_dev_stop (g->dev));
	vh_dev_free (g->dev);
	rig_close (&g->rig);
}

static void
send_packet (struct guest_end *g, uint16_t op, uint32_t flags, uint32_t len)
{
	struct packet *p = guest_at (&g->rig.guest, g->tx);

	*p = (struct packet){
		.src_cid = CID, .dst_cid = VMADDR_CID_HOST, .src_port = g->local, .dst_port = g->remote, .len = len, .type = TYPE_STREAM, .op = op,
		.flags = flags, .buf_alloc = WINDOW, .fwd_cnt = g->received,
	};
	g->sent += len;
	rig_post (&g->rig, TX, g->tx, sizeof (*p) + len, false, g);
	rig_take (&g->rig, TX);
}

static void
take_payload (struct guest_end *g, const struct packet *p, uint32_t written)
{
	const uint8_t *bytes = (const uint8_t *) (p + 1);

	CU_ASSERT_FATAL (written == sizeof (*p) + p->len);
	for (uint32_t i = 0; i < p->len; i++)
		if (bytes[i] != pattern (g->checked + i))
			CU_FAIL_FATAL ("a byte of the stream is wrong");
	g->checked += p->len;
	g->received += p->len;
}

/* One packet of the host's. */
static uint16_t
take_packet (struct guest_end *g)
{
	struct queue_done done = rig_take (&g->rig, RX);
	uint64_t addr = *(uint64_t *) done.token;
	const struct packet *p = guest_at (&g->rig.guest, addr);
	uint16_t op = p->op;

	CU_ASSERT_FATAL (done.written >= sizeof (*p) && p->dst_cid == CID && p->src_cid == VMADDR_CID_HOST && p->type == TYPE_STREAM);
	g->peer_alloc = p->buf_alloc;
	g->peer_fwd = p->fwd_cnt;
	if (op == OP_REQUEST) {
		g->local = p->dst_port;
		g->remote = p->src_port;
	}
	if (op == OP_RESPONSE)
		g->connected = true;
	if (op == OP_RST || op == OP_SHUTDOWN)
		g->closed = true;
	if (op == OP_RW)
		take_payload (g, p, done.written);
	rig_post (&g->rig, RX, addr, BUFFER, true, done.token);
	/* So that the host may go on. */
	if (op == OP_CREDIT_REQUEST || op == OP_RW)
		send_packet (g, OP_CREDIT_UPDATE, 0, 0);
	return op;
}

/* Sends the stream, as fast as the host has room, and takes what comes meanwhile. */
static void
send_stream (struct guest_end *g, unsigned bytes)
{
	unsigned done = 0;

	while (done < bytes) {
		uint32_t room = g->peer_alloc - (g->sent - g->peer_fwd), n = bytes - done < PAYLOAD ? bytes - done : PAYLOAD;
		uint8_t *payload = (uint8_t *) guest_at (&g->rig.guest, g->tx) + sizeof (struct packet);

		if (room < n) {
			take_packet (g);
			continue;
		}
		for (uint32_t i = 0; i < n; i++)
			payload[i] = pattern (done + i);
		send_packet (g, OP_RW, 0, n);
		done += n;
	}
}

/* --- the host --- */

/* A socket that listens, or one that is connected to the guest; -1 when that failed.  Threads call it, so it asserts nothing. */
static int
host_socket (int port, bool listener)
{
	struct sockaddr_vm addr = { .svm_family = AF_VSOCK, .svm_port = port, .svm_cid = listener ? VMADDR_CID_HOST : CID };
	struct timeval patience = { .tv_sec = RIG_PATIENCE_MS / 1000 };
	int fd = socket (AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -1;
	setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof (patience));
	setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof (patience));
	err = listener ? bind (fd, (struct sockaddr *) &addr, sizeof (addr)) : connect (fd, (struct sockaddr *) &addr, sizeof (addr));
	if (err == 0 && listener)
		err = listen (fd, 1);
	if (err == 0)
		return fd;
	close (fd);
	return -1;
}

struct host_end {
	pthread_t thread;
	int fd;
	unsigned bytes;
};

/* Sends back what it gets, until the end. */
static void *
echo (void *argument)
{
	struct host_end *h = argument;
	int fd = accept (h->fd, NULL, NULL);
	uint8_t buffer[8192];
	ssize_t n;

	while (fd >= 0 && (n = read (fd, buffer, sizeof (buffer))) > 0) {
		h->bytes += n;
		for (ssize_t i = 0; i < n;) {
			ssize_t w = write (fd, buffer + i, n - i);

			if (w <= 0)
				break;
			i += w;
		}
	}
	close (fd);
	return NULL;
}

static void
a_guest_connects (void)
{
	struct host_end h = { .fd = host_socket (PORT, true) };
	struct guest_end g;

	CU_ASSERT_FATAL (h.fd >= 0);
	CU_ASSERT_EQUAL_FATAL (pthread_create (&h.thread, NULL, echo, &h), 0);
	open_guest (&g);
	g.local = OUR_PORT;
	g.remote = PORT;
	send_packet (&g, OP_REQUEST, 0, 0);
	while (!g.connected && !g.closed)
		take_packet (&g);
	CU_ASSERT_FATAL (g.connected);
	send_stream (&g, STREAM_BYTES);
	while (g.checked < STREAM_BYTES && !g.closed)
		take_packet (&g);
	CU_ASSERT_EQUAL (g.checked, STREAM_BYTES);
	send_packet (&g, OP_SHUTDOWN, SHUTDOWN_BOTH, 0);
	pthread_join (h.thread, NULL);
	CU_ASSERT_EQUAL (h.bytes, STREAM_BYTES);
	printf ("vsock: %u bytes to the host and back\n", g.checked);
	close_guest (&g);
	close (h.fd);
}

static void *
call_guest (void *argument)
{
	struct host_end *h = argument;
	uint8_t buffer[1000];

	h->fd = host_socket (OUR_PORT, false);
	for (unsigned i = 0; h->fd >= 0 && i < STREAM_BYTES; i += sizeof (buffer)) {
		for (unsigned k = 0; k < sizeof (buffer); k++)
			buffer[k] = pattern (i + k);
		if (write (h->fd, buffer, sizeof (buffer)) == sizeof (buffer))
			h->bytes += sizeof (buffer);
	}
	if (h->fd >= 0)
		close (h->fd);
	return NULL;
}

static void
the_host_connects (void)
{
	struct host_end h = { .fd = -1 };
	struct guest_end g;

	open_guest (&g);
	CU_ASSERT_EQUAL_FATAL (pthread_create (&h.thread, NULL, call_guest, &h), 0);
	CU_ASSERT_EQUAL_FATAL (take_packet (&g), OP_REQUEST);
	CU_ASSERT_EQUAL (g.local, OUR_PORT);
	send_packet (&g, OP_RESPONSE, 0, 0);
	while (g.checked < STREAM_BYTES && !g.closed)
		take_packet (&g);
	CU_ASSERT_EQUAL (g.checked, STREAM_BYTES);
	while (!g.closed)
		take_packet (&g);
	send_packet (&g, OP_RST, 0, 0);
	pthread_join (h.thread, NULL);
	CU_ASSERT_EQUAL (h.bytes, STREAM_BYTES);
	close_guest (&g);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "a guest connects", a_guest_connects },
		{ "the host connects", the_host_connects },
		CU_TEST_INFO_NULL,
	};

	return recorder_report (suite_run ("vhost-vsock", tests));
}
