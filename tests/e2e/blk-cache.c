/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration of a disk and what follows from it: the write cache and its switch, what is durable when, and a disk that grows.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vhost/socket.h>

#include "tests/e2e/blk-requests.h"

static int
set_wce (struct disk *d, uint8_t value)
{
	return vh_frontend_set_config (d->driver.frontend, offsetof (struct virtio_blk_config, wce), &value, 1, VH_CONFIG_WRITE);
}

void
test_cache (struct test *t)
{
	const uint64_t capacity = 0;
	struct disk d;
	uint8_t at_first;

	disk_open (&d, t->socket, 0);
	at_first = d.config.wce;
	for (unsigned i = 0; i < 4; i++) {
		CHECK (t, set_wce (&d, i & 1) == 0);
		disk_read_config (&d);
		CHECK (t, d.config.wce == (i & 1));
		check_writing (t, &d, 20 + i);
	}
	CHECK (t, set_wce (&d, 2) == -EREMOTEIO);
	CHECK (t, vh_frontend_set_config (d.driver.frontend, offsetof (struct virtio_blk_config, wce), &capacity, 2, VH_CONFIG_WRITE) == -EREMOTEIO);
	CHECK (t, vh_frontend_set_config (d.driver.frontend, 0, &capacity, sizeof (capacity), VH_CONFIG_WRITE) == -EREMOTEIO);
	CHECK (t, vh_frontend_set_config (d.driver.frontend, 0, &d.config, sizeof (d.config), VH_CONFIG_WRITE) == -EREMOTEIO);
	disk_read_config (&d);
	CHECK (t, d.config.wce == 1);
	CHECK (t, d.config.capacity != 0);
	/* A migration brings the whole space; only the switch counts. */
	d.config.wce = 0;
	CHECK (t, vh_frontend_set_config (d.driver.frontend, 0, &d.config, sizeof (d.config), VH_CONFIG_RESTORE) == 0);
	disk_read_config (&d);
	CHECK (t, d.config.wce == 0);
	disk_close (&d);

	/* The next front-end begins anew. */
	disk_open (&d, t->socket, 0);
	CHECK (t, d.config.wce == at_first);
	disk_close (&d);
}

/* A driver that cannot flush. */
void
test_no_flush (struct test *t)
{
	struct disk d;

	disk_open (&d, t->socket, VH_BIT (VIRTIO_BLK_F_FLUSH) | VH_BIT (VIRTIO_BLK_F_CONFIG_WCE));
	CHECK (t, !(d.driver.features & VH_BIT (VIRTIO_BLK_F_FLUSH)));
	check_writing (t, &d, 30);
	check_ranges (t, &d, VIRTIO_BLK_T_WRITE_ZEROES, 0, 31);
	disk_close (&d);
}

/* cachestat(2) of Linux 6.5, which the C library may not know yet: pages of the file that are not on the disk; -1: cannot be told. */
static int
dirty_pages (const struct test *t)
{
	struct {
		uint64_t offset, length;
	} all = { 0, 0 };
	struct {
		uint64_t cached, dirty, in_writeback, evicted, evicted_recently;
	} stat;

	return syscall (451, t->fd, &all, &stat, 0) < 0 ? -1 : (int) (stat.dirty + stat.in_writeback);
}

/* What is durable when: needs a file on a disk, and the page cache. */
void
test_durable (struct test *t)
{
	struct disk d;

	if (dirty_pages (t) < 0) {
		t->checks++;
		puts ("cachestat is missing: what is durable cannot be told");
		return;
	}
	disk_open (&d, t->socket, 0);
	CHECK (t, set_wce (&d, 1) == 0);
	check_writing (t, &d, 40);
	CHECK (t, dirty_pages (t) > 0);
	CHECK (t, disk_flush (&d) == VIRTIO_BLK_S_OK);
	CHECK (t, dirty_pages (t) == 0);
	/* The change to write-through takes care of what was written before, soon. */
	check_writing (t, &d, 41);
	CHECK (t, set_wce (&d, 0) == 0);
	for (unsigned i = 0; i < 200 && dirty_pages (t) > 0; i++)
		usleep (50000);
	CHECK (t, dirty_pages (t) == 0);
	check_writing (t, &d, 42);
	CHECK (t, dirty_pages (t) == 0);
	check_ranges (t, &d, VIRTIO_BLK_T_WRITE_ZEROES, 0, 43);
	CHECK (t, dirty_pages (t) == 0);
	disk_close (&d);

	disk_open (&d, t->socket, VH_BIT (VIRTIO_BLK_F_FLUSH));
	check_writing (t, &d, 44);
	CHECK (t, dirty_pages (t) == 0);
	disk_close (&d);
}

/* The daemon is the one that answers: its process id is that of the other end. */
static pid_t
daemon_of (int socket_fd)
{
	struct ucred peer;
	socklen_t size = sizeof (peer);

	if (getsockopt (socket_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		die ("SO_PEERCRED: %s", strerror (errno));
	return peer.pid;
}

static void
note_change (void *opaque)
{
	++*(unsigned *) opaque;
}

static uint64_t
capacity_of (struct vh_frontend *f)
{
	uint64_t capacity;

	if (vh_frontend_get_config (f, 0, &capacity, sizeof (capacity)) < 0)
		die ("configuration: %s", vh_frontend_error (f));
	return le64toh (capacity) * SECTOR;
}

/* Twice the size: the front-end is told, and the new half is there. */
void
test_resize (struct test *t)
{
	unsigned changes = 0;
	struct vh_frontend_options options = { .size = sizeof (options), .config_changed = note_change, .opaque = &changes };
	int fd = vh_connect (t->socket, 10000);
	struct vh_frontend *f;
	struct pollfd p;
	struct stat st;
	pid_t daemon;

	if (fd < 0)
		die ("cannot connect");
	daemon = daemon_of (fd);
	if (fstat (t->fd, &st) < 0 || vh_frontend_new (fd, &options, &f) < 0 || vh_frontend_handshake (f, UINT64_MAX) < 0)
		die ("no handshake");
	CHECK (t, capacity_of (f) == (uint64_t) st.st_size);
	/* A device with no ring started says nothing by itself. */
	CHECK (t, vh_frontend_set_vring_kick (f, 0, -1) == 0);
	if (truncate (t->path, 2 * st.st_size) < 0 || kill (daemon, SIGHUP) < 0)
		die ("%s: %s", t->path, strerror (errno));
	p = (struct pollfd){ .fd = vh_frontend_fd (f), .events = POLLIN };
	CHECK (t, poll (&p, 1, 10000) == 1);
	CHECK (t, vh_frontend_dispatch (f) == 1);
	CHECK (t, changes == 1);
	CHECK (t, capacity_of (f) == 2 * (uint64_t) st.st_size);
	vh_frontend_free (f);
}
