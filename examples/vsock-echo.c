/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest that echoes: vsock-echo CID PORT is the address CID for the sockets (AF_VSOCK) of this host, takes one connection to PORT, and sends back what comes.
 * The kernel's vhost-vsock serves two rings; what is in them is the protocol of virtio 1.2, 5.10.
 */
#define _GNU_SOURCE /* memfd_create */
#include <endian.h>
#include <errno.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vhost/vhost.h>

#define RX 0
#define TX 1
#define RING_SIZE 8
#define RING_BYTES 0x3000
#define BUFFER_SIZE 4096
#define BUFFERS_OFFSET (2 * RING_BYTES)
#define MEMORY_SIZE (BUFFERS_OFFSET + 2 * RING_SIZE * BUFFER_SIZE)
#define HOST_CID 2
#define TIMEOUT_MS 30000

/* All fields are little-endian. */
struct packet {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port;
	uint32_t len;
	uint16_t type, op;
	uint32_t flags;
	uint32_t buf_alloc, fwd_cnt;
	unsigned char data[];
} __attribute__ ((packed));

enum { OP_REQUEST = 1, OP_RESPONSE, OP_RST, OP_SHUTDOWN, OP_RW, OP_CREDIT_UPDATE, OP_CREDIT_REQUEST };

struct ring {
	struct vring v;
	int kick, call;
	uint16_t seen;		/* used elements that were looked at */
};

struct guest {
	uint64_t cid;
	uint32_t port;
	uint32_t received;	/* bytes of the stream */
	int memory_fd;
	char *memory;		/* the whole of it; guest address 0 */
	struct ring rings[2];
};

static int
guest_open (struct guest *g)
{
	g->memory_fd = memfd_create ("vsock-echo", MFD_CLOEXEC);
	if (g->memory_fd < 0 || ftruncate (g->memory_fd, MEMORY_SIZE) < 0)
		return -errno;
	g->memory = mmap (NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, g->memory_fd, 0);
	if (g->memory == MAP_FAILED)
		return -errno;
	for (int i = 0; i < 2; i++) {
		struct ring *r = &g->rings[i];

		r->kick = eventfd (0, EFD_CLOEXEC);
		r->call = eventfd (0, EFD_CLOEXEC);
		if (r->kick < 0 || r->call < 0)
			return -errno;
		vring_init (&r->v, RING_SIZE, g->memory + i * RING_BYTES, 4096);
	}
	return 0;
}

/* The buffer of descriptor i. */
static struct packet *
packet_at (const struct guest *g, int ring, unsigned i)
{
	return (struct packet *) (g->memory + BUFFERS_OFFSET + (ring * RING_SIZE + i % RING_SIZE) * BUFFER_SIZE);
}

static void
offer (struct guest *g, int ring, unsigned i, uint32_t size)
{
	struct ring *r = &g->rings[ring];
	uint16_t next = le16toh (r->v.avail->idx);

	r->v.desc[i] = (struct vring_desc){
		.addr = htole64 ((char *) packet_at (g, ring, i) - g->memory), .len = htole32 (size), .flags = htole16 (ring == RX ? VRING_DESC_F_WRITE : 0),
	};
	r->v.avail->ring[next % RING_SIZE] = htole16 (i);
	/* The device reads the index first, then what it makes available. */
	__atomic_store_n (&r->v.avail->idx, htole16 (next + 1), __ATOMIC_RELEASE);
	eventfd_write (r->kick, 1);
}

/* Waits for the next used descriptor, and returns it. */
static int
await (struct guest *g, int ring)
{
	struct ring *r = &g->rings[ring];
	struct pollfd called = { .fd = r->call, .events = POLLIN };
	eventfd_t count;

	while (__atomic_load_n (&r->v.used->idx, __ATOMIC_ACQUIRE) == htole16 (r->seen)) {
		int n = poll (&called, 1, TIMEOUT_MS);

		if (n <= 0)
			return n < 0 ? -errno : -ETIMEDOUT;
		eventfd_read (r->call, &count);
	}
	return le32toh (r->v.used->ring[r->seen++ % RING_SIZE].id) % RING_SIZE;
}

static int
set_up (struct vh_dev *dev, const struct guest *g)
{
	const struct vh_region region = { .size = MEMORY_SIZE, .user_addr = (uintptr_t) g->memory, .fd = g->memory_fd };
	int err;

	if ((err = vh_dev_set_owner (dev)) < 0 || (err = vh_dev_set_features (dev, VH_BIT (VH_F_VERSION_1))) < 0 ||
	    (err = vh_dev_set_memory (dev, &region, 1)) < 0)
		return err;
	for (unsigned i = 0; i < 2; i++) {
		const struct ring *r = &g->rings[i];
		const struct vh_vring_addr addr = {
			.desc = (uintptr_t) r->v.desc, .avail = (uintptr_t) r->v.avail, .used = (uintptr_t) r->v.used
		};

		if ((err = vh_dev_set_vring_num (dev, i, RING_SIZE)) < 0 || (err = vh_dev_set_vring_addr (dev, i, &addr)) < 0 ||
		    (err = vh_dev_set_vring_call (dev, i, r->call)) < 0 || (err = vh_dev_set_vring_kick (dev, i, r->kick)) < 0)
			return err;
	}
	return vh_dev_start (dev);
}

/* --- the protocol --- */

/* Sends a packet back to where `to` came from, and waits until it is gone. */
static int
answer (struct guest *g, const struct packet *to, uint16_t op, uint32_t len)
{
	struct packet *p = packet_at (g, TX, 0);

	*p = (struct packet){
		.src_cid = htole64 (g->cid), .dst_cid = htole64 (HOST_CID), .src_port = to->dst_port, .dst_port = to->src_port, .len = htole32 (len),
		.type = to->type, .op = htole16 (op), .buf_alloc = htole32 (RING_SIZE * BUFFER_SIZE), .fwd_cnt = htole32 (g->received),
	};
	memcpy (p->data, to->data, len);
	offer (g, TX, 0, sizeof (*p) + len);
	return await (g, TX);
}

/* 1 when the connection is over, 0 to go on, or a negative errno. */
static int
serve (struct guest *g, const struct packet *p)
{
	uint32_t len = le32toh (p->len);
	int err;

	switch (le16toh (p->op)) {
	case OP_REQUEST:
		return answer (g, p, le32toh (p->dst_port) == g->port ? OP_RESPONSE : OP_RST, 0);
	case OP_RW:
		if (len > BUFFER_SIZE - sizeof (*p))
			return -EBADMSG;
		g->received += len;
		return answer (g, p, OP_RW, len);
	case OP_CREDIT_REQUEST:
		return answer (g, p, OP_CREDIT_UPDATE, 0);
	case OP_SHUTDOWN:
		err = answer (g, p, OP_RST, 0);
		return err < 0 ? err : 1;
	case OP_RST:
		return 1;
	default:
		return 0;
	}
}

static int
echo (struct guest *g)
{
	int over = 0;

	for (unsigned i = 0; i < RING_SIZE; i++)
		offer (g, RX, i, BUFFER_SIZE);
	while (over == 0) {
		int i = await (g, RX);

		if (i < 0)
			return i;
		over = serve (g, packet_at (g, RX, i));
		offer (g, RX, i, BUFFER_SIZE);
	}
	return over;
}

int
main (int argc, char **argv)
{
	struct vh_kernel *k;
	struct vh_dev *dev = NULL;
	struct guest g = { 0 };
	char failed[200];
	int err;

	if (argc != 3)
		return fprintf (stderr, "usage: vsock-echo CID PORT\n"), 2;
	g.cid = strtoul (argv[1], NULL, 0);
	g.port = strtoul (argv[2], NULL, 0);
	if (vh_kernel_open ("/dev/vhost-vsock", NULL, &k, failed, sizeof (failed)) < 0)
		return fprintf (stderr, "vsock-echo: %s\n", failed), 1;
	if ((err = guest_open (&g)) < 0 || (err = vh_dev_new_vsock (k, g.cid, &dev)) < 0 || (err = set_up (dev, &g)) < 0 || (err = echo (&g)) < 0)
		fprintf (stderr, "vsock-echo: %s\n", dev && *vh_dev_error (dev) ? vh_dev_error (dev) : vh_strerror (err));
	else
		printf ("%u bytes\n", g.received);
	vh_dev_free (dev);
	return err < 0;
}
