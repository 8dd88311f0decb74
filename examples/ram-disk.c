/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A disk in memory for guests: ram-disk SOCKET MIB.  The device is virtio-blk with one ring; the daemon of the library does the rest.
 */
#include <endian.h>
#include <linux/virtio_blk.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vhost/vhost.h>

#define MAX_SEGMENTS 126 /* and a part each for header and status */

struct disk {
	char *bytes;
	uint64_t size;
};

static struct vh_daemon *the_daemon; /* for the signal handler */

/* Reads or writes the disk, in the order and the pieces in which the driver gave its buffers.  Returns the status. */
static int
transfer (struct disk *disk, struct vh_request *r, uint64_t sector, int write)
{
	const size_t size = write ? r->out_bytes - sizeof (struct virtio_blk_outhdr) : r->in_bytes - 1;

	if (size % 512 || sector > disk->size / 512 || size > disk->size - sector * 512)
		return VIRTIO_BLK_S_IOERR;
	if (write)
		vh_parts_read (r->out, r->n_out, sizeof (struct virtio_blk_outhdr), disk->bytes + sector * 512, size);
	else
		vh_parts_write (r->in, r->n_in, 0, disk->bytes + sector * 512, size);
	return VIRTIO_BLK_S_OK;
}

static int
serve (struct disk *disk, struct vh_request *r)
{
	struct virtio_blk_outhdr header;

	if (r->error || vh_parts_read (r->out, r->n_out, 0, &header, sizeof (header)) < sizeof (header))
		return VIRTIO_BLK_S_IOERR;
	switch (le32toh (header.type)) {
	case VIRTIO_BLK_T_IN:
		return transfer (disk, r, le64toh (header.sector), 0);
	case VIRTIO_BLK_T_OUT:
		return transfer (disk, r, le64toh (header.sector), 1);
	case VIRTIO_BLK_T_FLUSH:
		return VIRTIO_BLK_S_OK;
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

static void
process (void *device, struct vh_ring *ring)
{
	struct vh_request *r;

	while (vh_ring_take (ring, &r, 1) > 0) {
		/* Its place is the last byte that the device may write; a request without one goes back as it is. */
		uint8_t status = r->in_bytes > 0 ? serve (device, r) : VIRTIO_BLK_S_IOERR;

		vh_ring_give (ring, r, vh_parts_write (r->in, r->n_in, r->in_bytes - 1, &status, 1) ? r->in_bytes : 0);
	}
	vh_ring_flush (ring);
}

static void
stop (int signal)
{
	vh_daemon_stop (the_daemon);
}

int
main (int argc, char **argv)
{
	static const struct vh_device_ops ops = { .size = sizeof (ops), .ring_process = process };
	struct disk disk = { .size = (argc == 3 ? strtoull (argv[2], NULL, 10) : 0) << 20 };
	struct virtio_blk_config config = { .capacity = htole64 (disk.size / 512), .seg_max = htole32 (MAX_SEGMENTS) };
	struct vh_device device = { .size = sizeof (device), .ops = &ops, .opaque = &disk, .name = "ram-disk", .rings = 1,
				    .features = vh_backend_supported_ring_features () | VH_BIT (VIRTIO_BLK_F_SEG_MAX) | VH_BIT (VIRTIO_BLK_F_FLUSH),
				    .max_parts = MAX_SEGMENTS + 2, .config = &config, .config_size = sizeof (config) };
	struct vh_endpoint endpoint = { .size = sizeof (endpoint), .socket_path = argv[1], .fd = -1 };
	int err;

	if (!disk.size || !(disk.bytes = calloc (1, disk.size)))
		return fprintf (stderr, "usage: ram-disk SOCKET MIB\n"), 2;
	if ((err = vh_daemon_new (NULL, &the_daemon)) == 0 && (err = vh_daemon_add (the_daemon, &device, &endpoint)) == 0) {
		signal (SIGINT, stop);
		signal (SIGTERM, stop);
		err = vh_daemon_run (the_daemon);
	}
	vh_daemon_free (the_daemon);
	free (disk.bytes);
	return err < 0 ? fprintf (stderr, "ram-disk: %s: %s\n", argv[1], vh_strerror (err)), 1 : 0;
}
