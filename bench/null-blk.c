/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * null-blk --socket-path=PATH [OPTION...]: a virtio-blk device that completes every request at once, so that what is measured is the library and not a disk.
 *
 *	--size=MIB       what it says its capacity is [8192]
 *	--ram            keeps what is written: a RAM disk of that size
 *	--num-queues=N   rings [1]
 *	--threads=N      workers for them [1]
 *	--poll-us=N      see struct vh_daemon_options [0]
 */
#include <endian.h>
#include <getopt.h>
#include <linux/virtio_blk.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <vhost/vhost.h>

#define MAX_SEGMENTS 254	/* and a part each for header and status */
#define BATCH 16	/* published as soon as that: the driver has something to do while the next ones are served */
#define SECTOR 512

struct disk {
	char *bytes;		/* NULL: nothing is kept */
	uint64_t sectors;
};

static struct vh_daemon *the_daemon;	/* for the signal handler */

/* Nearly always a part of its own. */
static bool
read_header (const struct vh_request *r, struct virtio_blk_outhdr *header)
{
	if (r->n_out > 0 && r->out[0].iov_len >= sizeof (*header)) {
		memcpy (header, r->out[0].iov_base, sizeof (*header));
		return true;
	}
	return vh_parts_read (r->out, r->n_out, 0, header, sizeof (*header)) == sizeof (*header);
}

static uint8_t
transfer (const struct disk *disk, const struct vh_request *r, uint64_t sector, bool write)
{
	size_t size = write ? r->out_bytes - sizeof (struct virtio_blk_outhdr) : r->in_bytes - 1;

	if (size % SECTOR || sector > disk->sectors || size / SECTOR > disk->sectors - sector)
		return VIRTIO_BLK_S_IOERR;
	if (write)
		vh_parts_read (r->out, r->n_out, sizeof (struct virtio_blk_outhdr), disk->bytes + sector * SECTOR, size);
	else
		vh_parts_write (r->in, r->n_in, 0, disk->bytes + sector * SECTOR, size);
	return VIRTIO_BLK_S_OK;
}

static uint8_t
serve (const struct disk *disk, const struct vh_request *r)
{
	struct virtio_blk_outhdr header;

	if (r->error || !read_header (r, &header))
		return VIRTIO_BLK_S_IOERR;
	if (!disk->bytes && le32toh (header.type) <= VIRTIO_BLK_T_OUT)
		return VIRTIO_BLK_S_OK;
	switch (le32toh (header.type)) {
	case VIRTIO_BLK_T_IN:
		return transfer (disk, r, le64toh (header.sector), false);
	case VIRTIO_BLK_T_OUT:
		return transfer (disk, r, le64toh (header.sector), true);
	case VIRTIO_BLK_T_FLUSH:
		return VIRTIO_BLK_S_OK;
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

static void
process (void *device, struct vh_ring *ring)
{
	struct vh_request *reqs[BATCH];
	int n;

	/* When it was not all that was asked for, the ring is looked at again after this. */
	do {
		n = vh_ring_take (ring, reqs, BATCH);
		for (int i = 0; i < n; i++) {
			struct vh_request *r = reqs[i];

			if (r->in_bytes > 0) {
				const struct iovec *last = &r->in[r->n_in - 1];

				((uint8_t *) last->iov_base)[last->iov_len - 1] = serve (device, r);
			}
			vh_ring_give (ring, r, (uint32_t) r->in_bytes);
		}
		vh_ring_flush (ring);
	} while (n == BATCH);
}

/* --- the program --- */

struct options {
	const char *socket_path;
	unsigned long size, queues, threads, poll_us;
	bool ram;
};

static int
usage (void)
{
	fprintf (stderr, "usage: null-blk --socket-path=PATH [--size=MIB] [--ram] [--num-queues=N] [--threads=N] [--poll-us=N]\n");
	return 2;
}

static bool
parse_number (const char *text, unsigned long min, unsigned long max, unsigned long *ret)
{
	char *end;

	*ret = strtoul (text, &end, 10);
	return *text && !*end && *ret >= min && *ret <= max;
}

static bool
parse (int argc, char **argv, struct options *o)
{
	static const struct option names[] = {
		{ "socket-path", required_argument, NULL, 's' }, { "size", required_argument, NULL, 'm' }, { "ram", no_argument, NULL, 'r' },
		{ "num-queues", required_argument, NULL, 'q' },	 { "threads", required_argument, NULL, 't' }, { "poll-us", required_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};
	bool good = true;
	int id;

	*o = (struct options){ .size = 8192, .queues = 1, .threads = 1 };
	while (good && (id = getopt_long (argc, argv, "", names, NULL)) != -1)
		switch (id) {
		case 's':
			o->socket_path = optarg;
			break;
		case 'm':
			good = parse_number (optarg, 1, 1ul << 30, &o->size);
			break;
		case 'r':
			o->ram = true;
			break;
		case 'q':
			good = parse_number (optarg, 1, VH_MAX_RINGS, &o->queues);
			break;
		case 't':
			good = parse_number (optarg, 1, VH_MAX_RINGS, &o->threads);
			break;
		case 'p':
			good = parse_number (optarg, 0, 1000000, &o->poll_us);
			break;
		default:
			good = false;
		}
	return good && o->socket_path && optind == argc;
}

static void
stop (int signal)
{
	vh_daemon_stop (the_daemon);
}

static int
run (const struct options *o, const struct vh_device *device)
{
	struct vh_daemon_options options = { .size = sizeof (options), .workers = (unsigned) o->threads, .poll_us = (unsigned) o->poll_us };
	struct vh_endpoint endpoint = { .size = sizeof (endpoint), .socket_path = o->socket_path, .fd = -1 };
	int err = vh_daemon_new (&options, &the_daemon);

	if (err == 0)
		err = vh_daemon_add (the_daemon, device, &endpoint);
	if (err == 0) {
		signal (SIGINT, stop);
		signal (SIGTERM, stop);
		err = vh_daemon_run (the_daemon);
	}
	vh_daemon_free (the_daemon);
	return err;
}

int
main (int argc, char **argv)
{
	static const struct vh_device_ops ops = { .size = sizeof (ops), .ring_process = process };
	struct options o;
	struct disk disk = { 0 };
	struct virtio_blk_config config = { .seg_max = htole32 (MAX_SEGMENTS), .blk_size = htole32 (SECTOR) };
	struct vh_device device = {
		.size = sizeof (device), .ops = &ops, .opaque = &disk, .name = "null-blk", .max_ring_size = 4096, .max_parts = MAX_SEGMENTS + 2,
		.features = vh_backend_supported_ring_features () | VH_BIT (VIRTIO_BLK_F_SEG_MAX) | VH_BIT (VIRTIO_BLK_F_BLK_SIZE)
			    | VH_BIT (VIRTIO_BLK_F_FLUSH) | VH_BIT (VIRTIO_BLK_F_MQ),
		.config = &config, .config_size = sizeof (config),
	};
	int err;

	if (!parse (argc, argv, &o))
		return usage ();
	disk.sectors = (uint64_t) o.size << 20 >> 9;
	config.capacity = htole64 (disk.sectors);
	config.num_queues = htole16 ((uint16_t) o.queues);
	device.rings = (unsigned) o.queues;
	if (o.ram) {
		disk.bytes = mmap (NULL, o.size << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (disk.bytes == MAP_FAILED)
			return fprintf (stderr, "null-blk: no memory\n"), 1;
	}
	err = run (&o, &device);
	return err < 0 ? fprintf (stderr, "null-blk: %s: %s\n", o.socket_path, vh_strerror (err)), 1 : 0;
}
