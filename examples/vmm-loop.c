/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event loop of a small VMM: vmm-loop SOCKET COUNT asks an entropy device (random.c, own-loop.c) for sixteen bytes every tenth of a second, and prints
 * them, COUNT times.  The loop never waits for the back-end, which may come later, be killed, and come again: a request that it had then is done by the next.
 */
#define _GNU_SOURCE /* memfd_create */
#include <endian.h>
#include <errno.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <vhost/vhost.h>

#define RING_SIZE 4
#define MEMORY_SIZE 0x4000
#define DATA_OFFSET 0x3000
#define DATA_SIZE 16

struct vmm {
	struct vh_session *session;
	int timer;			/* the guest's */
	int memory_fd, kick, call;
	char *memory;			/* guest address 0 */
	struct vring ring;
	uint16_t asked, got;		/* requests of the guest, and their answers */
	int started, left;
};

/* --- the guest --- */

static int
guest_open (struct vmm *v)
{
	const struct itimerspec often = { .it_interval.tv_nsec = 100000000, .it_value.tv_nsec = 1 };

	v->timer = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC);
	v->memory_fd = memfd_create ("guest", MFD_CLOEXEC);
	v->kick = eventfd (0, EFD_CLOEXEC);
	v->call = eventfd (0, EFD_CLOEXEC);
	if (v->timer < 0 || v->memory_fd < 0 || v->kick < 0 || v->call < 0 || ftruncate (v->memory_fd, MEMORY_SIZE) < 0)
		return -errno;
	v->memory = mmap (NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, v->memory_fd, 0);
	if (v->memory == MAP_FAILED || timerfd_settime (v->timer, 0, &often, NULL) < 0)
		return -errno;
	vring_init (&v->ring, RING_SIZE, v->memory, 4096);
	return 0;
}

/* One request at a time. */
static void
guest_ask (struct vmm *v)
{
	uint64_t ticks;

	if (read (v->timer, &ticks, sizeof (ticks)) < 0 || v->asked != v->got)
		return;
	v->ring.desc[0] = (struct vring_desc){ .addr = htole64 (DATA_OFFSET), .len = htole32 (DATA_SIZE), .flags = htole16 (VRING_DESC_F_WRITE) };
	v->ring.avail->ring[v->asked % RING_SIZE] = 0;
	__atomic_store_n (&v->ring.avail->idx, htole16 (++v->asked), __ATOMIC_RELEASE);
	eventfd_write (v->kick, 1);
}

static void
guest_interrupt (struct vmm *v)
{
	eventfd_t calls;

	eventfd_read (v->call, &calls);
	if (__atomic_load_n (&v->ring.used->idx, __ATOMIC_ACQUIRE) != htole16 (v->asked) || v->got == v->asked)
		return;
	v->got++;
	v->left--;
	for (int i = 0; i < DATA_SIZE; i++)
		printf ("%02x", (unsigned char) v->memory[DATA_OFFSET + i]);
	printf ("\n");
	fflush (stdout);
}

/* --- the device --- */

/* Once, when the first back-end has told what it is; the session repeats it for all others. */
static void
settled (void *opaque)
{
	struct vmm *v = opaque;
	const struct vh_region region = { .size = MEMORY_SIZE, .user_addr = (uintptr_t) v->memory, .fd = v->memory_fd };
	const struct vh_session_ring ring = {
		.size = sizeof (ring),
		.entries = RING_SIZE,
		.addr = { .desc = (uintptr_t) v->ring.desc, .avail = (uintptr_t) v->ring.avail, .used = (uintptr_t) v->ring.used },
		.kick = v->kick,
		.call = v->call,
		.err = -1,
	};

	if (v->started)
		return;
	v->started = 1;
	if (vh_session_set_features (v->session, vh_session_offered_features (v->session) & VH_BIT (VH_F_VERSION_1)) < 0 ||
	    vh_session_set_memory (v->session, &region, 1) < 0 || vh_session_start_ring (v->session, 0, &ring) < 0)
		v->left = -1;
}

static void
lost (void *opaque, int err)
{
	fprintf (stderr, "vmm-loop: the back-end is gone: %s\n", vh_strerror (err));
}

/* This device does one request at a time and in order, so there is nothing that the next one cannot know. */
static int
decide (void *opaque, const struct vh_session_change *change)
{
	return change->features ? -1 : 0;
}

/* --- the loop --- */

static int
loop (struct vmm *v)
{
	struct pollfd p[] = {
		{ .fd = vh_session_fd (v->session), .events = POLLIN },
		{ .fd = v->call, .events = POLLIN },
		{ .fd = v->timer, .events = POLLIN },
	};

	while (v->left > 0) {
		if (poll (p, 3, -1) < 0)
			return -errno;
		if (p[0].revents && vh_session_dispatch (v->session) < 0)
			return -EIO;
		if (p[1].revents)
			guest_interrupt (v);
		if (p[2].revents)
			guest_ask (v);
	}
	return v->left;
}

int
main (int argc, char **argv)
{
	struct vmm v = { .left = argc == 3 ? atoi (argv[2]) : 0 };
	const struct vh_session_options options = {
		.size = sizeof (options),
		.path = argv[1],
		.settled = settled,
		.lost = lost,
		.decide = decide,
		.opaque = &v,
	};
	int err;

	if (v.left < 1)
		return fprintf (stderr, "usage: vmm-loop SOCKET COUNT\n"), 2;
	if ((err = guest_open (&v)) < 0 || (err = vh_session_new (&options, &v.session)) < 0 || (err = loop (&v)) < 0)
		fprintf (stderr, "vmm-loop: %s\n", vh_strerror (err));
	vh_session_free (v.session);
	return err < 0;
}
