/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A front-end: draw SOCKET asks an entropy device (random.c, own-loop.c) for sixteen bytes, through a split ring with one descriptor, and prints them.
 * A VMM does the same with the guest's memory and the guest's rings.
 */
#define _GNU_SOURCE /* memfd_create */
#include <endian.h>
#include <errno.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vhost/vhost.h>

#define TIMEOUT_MS 5000
#define RING_SIZE 4
#define MEMORY_SIZE 0x4000
#define DATA_OFFSET 0x3000
#define DATA_SIZE 16

struct guest {
	int memory_fd, kick, call;
	char *memory;		/* the whole of it; guest address 0 */
	struct vring ring;
};

static int
guest_open (struct guest *g)
{
	g->memory_fd = memfd_create ("draw", MFD_CLOEXEC);
	g->kick = eventfd (0, EFD_CLOEXEC);
	g->call = eventfd (0, EFD_CLOEXEC);
	if (g->memory_fd < 0 || g->kick < 0 || g->call < 0 || ftruncate (g->memory_fd, MEMORY_SIZE) < 0)
		return -errno;
	g->memory = mmap (NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, g->memory_fd, 0);
	if (g->memory == MAP_FAILED)
		return -errno;
	vring_init (&g->ring, RING_SIZE, g->memory, 4096);
	return 0;
}

/* Everything until the ring is served. */
static int
set_up (struct vh_frontend *f, const struct guest *g)
{
	const struct vh_region region = { .size = MEMORY_SIZE, .user_addr = (uintptr_t) g->memory, .fd = g->memory_fd };
	const struct vh_vring_addr addr = {
		.desc = (uintptr_t) g->ring.desc, .avail = (uintptr_t) g->ring.avail, .used = (uintptr_t) g->ring.used
	};
	const uint64_t features = vh_frontend_offered_features (f) & (VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_PROTOCOL_FEATURES));
	int err;

	if ((err = vh_frontend_set_features (f, features)) < 0 ||
	    (err = vh_frontend_set_mem_table (f, &region, 1)) < 0 ||
	    (err = vh_frontend_set_vring_num (f, 0, RING_SIZE)) < 0 ||
	    (err = vh_frontend_set_vring_base (f, 0, 0)) < 0 ||
	    (err = vh_frontend_set_vring_addr (f, 0, &addr)) < 0 ||
	    (err = vh_frontend_set_vring_call (f, 0, g->call)) < 0 ||
	    (err = vh_frontend_set_vring_kick (f, 0, g->kick)) < 0)
		return err;
	return features & VH_BIT (VH_F_PROTOCOL_FEATURES) ? vh_frontend_set_vring_enable (f, 0, 1) : 0;
}

/* One request: how many bytes came, or a negative errno. */
static int
draw (struct guest *g)
{
	struct pollfd called = { .fd = g->call, .events = POLLIN };

	g->ring.desc[0] = (struct vring_desc){ .addr = htole64 (DATA_OFFSET), .len = htole32 (DATA_SIZE), .flags = htole16 (VRING_DESC_F_WRITE) };
	g->ring.avail->ring[0] = 0;
	/* The back-end reads the index first, then what it makes available. */
	__atomic_store_n (&g->ring.avail->idx, htole16 (1), __ATOMIC_RELEASE);
	if (eventfd_write (g->kick, 1) < 0)
		return -errno;
	while (__atomic_load_n (&g->ring.used->idx, __ATOMIC_ACQUIRE) != htole16 (1)) {
		eventfd_t calls;
		int n = poll (&called, 1, TIMEOUT_MS);

		if (n <= 0)
			return n < 0 ? -errno : -ETIMEDOUT;
		if (eventfd_read (g->call, &calls) < 0)
			return -errno;
	}
	return le32toh (g->ring.used->ring[0].len);
}

static int
print (const struct guest *g, int n)
{
	for (int i = 0; i < n && i < DATA_SIZE; i++)
		printf ("%02x", (unsigned char) g->memory[DATA_OFFSET + i]);
	return printf ("\n");
}

int
main (int argc, char **argv)
{
	struct vh_frontend *f = NULL;
	struct guest g = { 0 };
	uint32_t base;
	int err;

	if (argc != 2)
		return fprintf (stderr, "usage: draw SOCKET\n"), 2;
	if ((err = guest_open (&g)) < 0 || (err = vh_frontend_connect (argv[1], TIMEOUT_MS, NULL, &f)) < 0 ||
	    (err = vh_frontend_handshake (f, UINT64_MAX)) < 0 || (err = set_up (f, &g)) < 0 || (err = draw (&g)) < 0 || (err = print (&g, err)) < 0 ||
	    (err = vh_frontend_get_vring_base (f, 0, &base)) < 0)
		fprintf (stderr, "draw: %s\n", f && *vh_frontend_error (f) ? vh_frontend_error (f) : vh_strerror (err));
	vh_frontend_free (f);
	return err < 0;
}
