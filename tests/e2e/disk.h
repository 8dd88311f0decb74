/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A disk behind vhost-user-blk, for tests that make their requests by hand: one queue, one request at a time, any layout.
 */
#ifndef TESTS_E2E_DISK_H
#define TESTS_E2E_DISK_H

#include <stdint.h>

#include <linux/virtio_blk.h>

#include "tests/e2e/must.h"

/* Bytes of data that a request may have. */
#define DISK_ROOM (4u << 20)

struct disk {
	struct driver driver;
	struct virtio_blk_config config;
	uint64_t header_addr, status_addr, data_addr;
	uint8_t *data;		/* DISK_ROOM bytes and a page */
};

/* From now on queues have packed rings. */
void disk_use_packed (void);

/* Connects and starts the queue with the features that are offered and not in `without`.  Ends the program, with a line, when that fails. */
void disk_open (struct disk *, const char *socket, uint64_t without);
void disk_close (struct disk *);

/* Reads the configuration again. */
void disk_read_config (struct disk *);

/*
 * One request.  Its data are the bytes of disk->data from `skip`, in parts of these sizes, a list that ends with 0; to the device when `out`.  Waits for the
 * status and returns it; 0xff when none was written.
 */
uint8_t disk_request (struct disk *, uint32_t type, uint64_t sector, bool out, size_t skip, const uint32_t *parts);

/* The same for a chain that is made by hand. */
uint8_t disk_chain (struct disk *, uint32_t type, uint64_t sector, const struct queue_buffer *buffers, unsigned n_out, unsigned n_in);

/* Data in one part. */
uint8_t disk_read (struct disk *, uint64_t sector, uint32_t bytes);
uint8_t disk_write (struct disk *, uint64_t sector, uint32_t bytes);
uint8_t disk_flush (struct disk *);

#endif
