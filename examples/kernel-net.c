/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A network device of the kernel: kernel-net TAP COUNT makes a TAP interface, lets vhost-net serve it, and prints the first COUNT frames that the host sends
 * there, as a guest's driver would get them.  A VMM does the same with the guest's memory and the guest's rings; what is here between vh_dev_new_net and
 * vh_dev_start is the same for every kind of device.
 */
#define _GNU_SOURCE /* memfd_create */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_ring.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vhost/vhost.h>

#define RX 0
#define RING_SIZE 16
#define BUFFER_SIZE 2048
#define BUFFERS_OFFSET 0x4000
#define MEMORY_SIZE (BUFFERS_OFFSET + RING_SIZE * BUFFER_SIZE)
#define HEADER_SIZE 12		/* virtio 1.2, 5.1.6: before each frame */
#define TIMEOUT_MS 30000

struct guest {
	int memory_fd, kick, call;
	char *memory;		/* the whole of it; guest address 0 */
	struct vring ring;
	uint16_t seen;		/* used elements that were printed */
};

static int
guest_open (struct guest *g)
{
	g->memory_fd = memfd_create ("kernel-net", MFD_CLOEXEC);
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

/* Shows the device a buffer. */
static void
offer (struct guest *g, uint16_t i)
{
	uint16_t next = le16toh (g->ring.avail->idx);

	g->ring.desc[i] = (struct vring_desc){
		.addr = htole64 (BUFFERS_OFFSET + i * BUFFER_SIZE), .len = htole32 (BUFFER_SIZE), .flags = htole16 (VRING_DESC_F_WRITE),
	};
	g->ring.avail->ring[next % RING_SIZE] = htole16 (i);
	/* The device reads the index first, then what it makes available. */
	__atomic_store_n (&g->ring.avail->idx, htole16 (next + 1), __ATOMIC_RELEASE);
}

static int
tap_open (const char *name)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open ("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK), header = HEADER_SIZE, little_endian = 1;

	snprintf (r.ifr_name, sizeof (r.ifr_name), "%s", name);
	if (fd < 0 || ioctl (fd, TUNSETIFF, &r) < 0 || ioctl (fd, TUNSETVNETHDRSZ, &header) < 0 || ioctl (fd, TUNSETVNETLE, &little_endian) < 0)
		return -errno;
	return fd;
}

static int
set_up (struct vh_dev *dev, const struct guest *g)
{
	const struct vh_region region = { .size = MEMORY_SIZE, .user_addr = (uintptr_t) g->memory, .fd = g->memory_fd };
	const struct vh_vring_addr addr = {
		.desc = (uintptr_t) g->ring.desc, .avail = (uintptr_t) g->ring.avail, .used = (uintptr_t) g->ring.used
	};
	int err;

	if ((err = vh_dev_set_owner (dev)) < 0 || (err = vh_dev_set_features (dev, VH_BIT (VH_F_VERSION_1))) < 0 ||
	    (err = vh_dev_set_memory (dev, &region, 1)) < 0 || (err = vh_dev_set_vring_num (dev, RX, RING_SIZE)) < 0 ||
	    (err = vh_dev_set_vring_addr (dev, RX, &addr)) < 0 || (err = vh_dev_set_vring_call (dev, RX, g->call)) < 0 ||
	    (err = vh_dev_set_vring_kick (dev, RX, g->kick)) < 0)
		return err;
	return vh_dev_start (dev);
}

/* Waits for a frame, prints its length, addresses and type, and gives the buffer back. */
static int
print_frame (struct guest *g)
{
	struct pollfd called = { .fd = g->call, .events = POLLIN };
	const struct vring_used_elem *e = &g->ring.used->ring[g->seen % RING_SIZE];
	const unsigned char *f;
	eventfd_t count;

	while (__atomic_load_n (&g->ring.used->idx, __ATOMIC_ACQUIRE) == htole16 (g->seen)) {
		int n = poll (&called, 1, TIMEOUT_MS);

		if (n <= 0)
			return n < 0 ? -errno : -ETIMEDOUT;
		eventfd_read (g->call, &count);
	}
	f = (const unsigned char *) g->memory + BUFFERS_OFFSET + le32toh (e->id) * BUFFER_SIZE + HEADER_SIZE;
	printf ("%u bytes from %02x:%02x:%02x:%02x:%02x:%02x, type %02x%02x\n", le32toh (e->len) - HEADER_SIZE, f[6], f[7], f[8], f[9], f[10], f[11], f[12],
		f[13]);
	fflush (stdout);
	offer (g, le32toh (e->id));
	g->seen++;
	return eventfd_write (g->kick, 1) < 0 ? -errno : 0;
}

int
main (int argc, char **argv)
{
	struct vh_kernel *k;
	struct vh_dev *dev = NULL;
	struct guest g = { 0 };
	char failed[200];
	int err, tap = -1;

	if (argc != 3)
		return fprintf (stderr, "usage: kernel-net TAP COUNT\n"), 2;
	if (vh_kernel_open ("/dev/vhost-net", NULL, &k, failed, sizeof (failed)) < 0)
		return fprintf (stderr, "kernel-net: %s\n", failed), 1;
	err = guest_open (&g);
	for (uint16_t i = 0; err == 0 && i < RING_SIZE; i++)
		offer (&g, i);
	if (err == 0)
		err = tap = tap_open (argv[1]);
	if (err >= 0)
		err = vh_dev_new_net (k, tap, -1, &dev);
	if (err == 0)
		err = set_up (dev, &g);
	for (int i = atoi (argv[2]); err == 0 && i > 0; i--)
		err = print_frame (&g);
	if (err < 0)
		fprintf (stderr, "kernel-net: %s\n", dev && *vh_dev_error (dev) ? vh_dev_error (dev) : vh_strerror (err));
	vh_dev_free (dev);
	return err < 0;
}
