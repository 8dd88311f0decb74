/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A front-end at the destination of a postcopy migration: postcopy SOCKET runs against an entropy device that offers it (vhost-user-rng --postcopy).  The
 * guest had asked for sixteen bytes when it left its source.  None of its memory has arrived; the device touches what it needs of it, waits, and gets it.
 */
#define _GNU_SOURCE /* memfd_create */
#include <endian.h>
#include <errno.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vhost/vhost.h>

#define TIMEOUT_MS 5000
#define PAGE 4096
#define PAGES 8
#define RING_SIZE 4
#define DATA_OFFSET (5 * PAGE)
#define DATA_SIZE 16

/* The guest's memory at the source; here it stands for whatever it comes over: a network, a snapshot. */
static char source[PAGES * PAGE] __attribute__ ((aligned (PAGE)));

struct guest {
	int memory_fd, kick, call, end;
	char *memory;		/* at the destination: a file of holes; guest address 0 */
	struct vring ring;	/* in `memory` */
	struct vh_page_server *server;
	unsigned brought;	/* pages */
};

/* The request that was on its way. */
static void
guest_ran_at_its_source (void)
{
	struct vring ring;

	vring_init (&ring, RING_SIZE, source, PAGE);
	ring.desc[0] = (struct vring_desc){ .addr = htole64 (DATA_OFFSET), .len = htole32 (DATA_SIZE), .flags = htole16 (VRING_DESC_F_WRITE) };
	ring.avail->idx = htole16 (1);
}

static int
guest_open (struct guest *g)
{
	g->memory_fd = memfd_create ("postcopy", MFD_CLOEXEC);
	g->kick = eventfd (0, EFD_CLOEXEC);
	g->call = eventfd (0, EFD_CLOEXEC);
	g->end = eventfd (0, EFD_CLOEXEC);
	if (g->memory_fd < 0 || g->kick < 0 || g->call < 0 || g->end < 0 || ftruncate (g->memory_fd, sizeof (source)) < 0)
		return -errno;
	g->memory = mmap (NULL, sizeof (source), PROT_READ | PROT_WRITE, MAP_SHARED, g->memory_fd, 0);
	if (g->memory == MAP_FAILED)
		return -errno;
	vring_init (&g->ring, RING_SIZE, g->memory, PAGE);	/* computes addresses; touches nothing */
	return 0;
}

static void
wanted (void *opaque, uint64_t guest_addr, uint64_t page_size)
{
	struct guest *g = opaque;

	if (vh_page_server_put (g->server, guest_addr, source + guest_addr) == 0)
		g->brought++;
}

/* Postcopy's steps, up to where the back-end may touch the guest's memory. */
static int
tell_memory (struct vh_frontend *f, struct guest *g)
{
	const struct vh_region region = { .size = sizeof (source), .user_addr = (uintptr_t) g->memory, .fd = g->memory_fd };
	const struct vh_page_server_options options = { .size = sizeof (options), .wanted = wanted, .opaque = g };
	uint64_t where;
	int uffd, err;

	if ((err = vh_frontend_postcopy_advise (f, &uffd)) < 0)
		return err;
	if ((err = vh_page_server_new (uffd, &options, &g->server)) < 0) {
		close (uffd);
		return err;
	}
	if ((err = vh_frontend_postcopy_listen (f)) < 0 ||
	    (err = vh_frontend_postcopy_set_mem_table (f, &region, 1, &where)) < 0 ||
	    (err = vh_page_server_set_regions (g->server, &region, &where, 1)) < 0)
		return err;
	return vh_frontend_postcopy_ack_mem_table (f);
}

static int
start_ring (struct vh_frontend *f, const struct guest *g)
{
	const struct vh_vring_addr addr = {
		.desc = (uintptr_t) g->ring.desc, .avail = (uintptr_t) g->ring.avail, .used = (uintptr_t) g->ring.used
	};
	int err;

	if ((err = vh_frontend_set_vring_num (f, 0, RING_SIZE)) < 0 ||
	    (err = vh_frontend_set_vring_base (f, 0, 0)) < 0 ||
	    (err = vh_frontend_set_vring_addr (f, 0, &addr)) < 0 ||
	    (err = vh_frontend_set_vring_call (f, 0, g->call)) < 0 ||
	    (err = vh_frontend_set_vring_kick (f, 0, g->kick)) < 0)
		return err;
	return vh_frontend_set_vring_enable (f, 0, 1);
}

/* Calls wait for the device, and the device waits for pages: they are brought by a thread of their own. */
static void *
bring_pages (void *opaque)
{
	struct guest *g = opaque;
	struct pollfd watch[2] = { { .fd = g->end, .events = POLLIN }, { .fd = vh_page_server_fd (g->server), .events = POLLIN } };

	while (poll (watch, 2, -1) > 0 && !watch[0].revents && vh_page_server_dispatch (g->server) >= 0)
		;
	return NULL;
}

/* Lets the device run until it has done what it was asked. */
static int
wait_for_device (struct vh_frontend *f, struct guest *g)
{
	struct pollfd called = { .fd = g->call, .events = POLLIN };
	pthread_t thread;
	int err, n;

	if (pthread_create (&thread, NULL, bring_pages, g))
		return -ENOMEM;
	if ((err = start_ring (f, g)) == 0) {
		n = poll (&called, 1, TIMEOUT_MS);
		err = n < 0 ? -errno : n == 0 ? -ETIMEDOUT : 0;
	}
	eventfd_write (g->end, 1);
	pthread_join (thread, NULL);
	return err;
}

/* The device has touched these pages, so they are here. */
static int
print (const struct guest *g)
{
	for (int i = 0; i < DATA_SIZE; i++)
		printf ("%02x", (unsigned char) g->memory[DATA_OFFSET + i]);
	return printf ("  %u of %d pages were brought\n", g->brought, PAGES);
}

static int
run (struct vh_frontend *f, struct guest *g)
{
	const uint64_t features = VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_PROTOCOL_FEATURES);
	int err;

	if ((err = vh_frontend_handshake (f, VH_BIT (VH_P_PAGEFAULT) | VH_BIT (VH_P_REPLY_ACK))) < 0 ||
	    (err = vh_frontend_set_features (f, features)) < 0 ||
	    (err = tell_memory (f, g)) < 0 ||
	    (err = wait_for_device (f, g)) < 0 ||
	    (err = vh_frontend_postcopy_end (f)) < 0)
		return err;
	return print (g);
}

int
main (int argc, char **argv)
{
	struct vh_frontend *f = NULL;
	struct guest g = { 0 };
	int err;

	if (argc != 2)
		return fprintf (stderr, "usage: postcopy SOCKET\n"), 2;
	guest_ran_at_its_source ();
	if ((err = guest_open (&g)) < 0 || (err = vh_frontend_connect (argv[1], TIMEOUT_MS, NULL, &f)) < 0 || (err = run (f, &g)) < 0)
		fprintf (stderr, "postcopy: %s\n", f && *vh_frontend_error (f) ? vh_frontend_error (f) : vh_strerror (err));
	vh_page_server_free (g.server);
	vh_frontend_free (f);
	return err < 0;
}
