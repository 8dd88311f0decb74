/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside the guest's block driver: where its queues are in the domain's memory and under which references.
 *
 *	pages of a queue	desc | avail | used | slot 0 | slot 1 | ...
 *	pages of a slot		header and status | indirect table | data ...
 *	references of a slot	header | status | table | data ...
 *
 * Header and status are in one page and have a reference each, because the device reads the one and writes the other.
 */
#ifndef TESTS_XEN_GUEST_DISK_SETUP_H
#define TESTS_XEN_GUEST_DISK_SETUP_H

#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>

#include "guest-disk.h"

/* Data may begin inside a page. */
#define SLOT_DATA_PAGES (DISK_DATA_PAGES + 1)
#define SLOT_PAGES (2 + SLOT_DATA_PAGES)
#define SLOT_REFS (3 + SLOT_DATA_PAGES)

/* Longest chain: header, a descriptor for each data page, status. */
#define MAX_PARTS (2 + SLOT_DATA_PAGES)

#define QUEUE_SIZE 128u
#define DIRECT_SLOTS (QUEUE_SIZE / MAX_PARTS)	/* each has descriptors of its own */
#define INDIRECT_SLOTS 64u

enum { AREA_DESC, AREA_AVAIL, AREA_USED, AREAS };

/* A piece of memory in one page or several adjacent ones. */
struct disk_piece {
	unsigned page;		/* of the domain */
	uint32_t ref;		/* of that page; the next page has the next reference */
	uint32_t offset;
	uint32_t bytes;
};

struct disk_work {
	struct disk_slot slot;	/* first: the user's pointer is ours */
	bool in_flight;
	struct disk_piece header, status, table, data;
	uint16_t head;
};

struct disk_queue {
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	struct disk_piece areas[AREAS];
	struct disk_work *works;
	uint16_t added, published, reaped;
	int kick_fd, call_fd, err_fd;
};

struct guest_disk {
	struct bare_domain *domain;
	struct disk_options options;
	struct vh_frontend *frontend;
	uint64_t features;
	int device_fd;		/* what goes with the regions */
	unsigned next_page;
	uint32_t next_ref;
	uint32_t first_buffer_ref;
	unsigned slots;
	unsigned late;
	struct disk_queue queues[DISK_QUEUES];
};

static inline void *
piece_host (const struct guest_disk *d, const struct disk_piece *p)
{
	return bare_domain_page (d->domain, p->page) + p->offset;
}

static inline unsigned
piece_pages (const struct disk_piece *p)
{
	return (p->offset + p->bytes + BARE_PAGE - 1) / BARE_PAGE;
}

/* The address that the device is told. */
uint64_t piece_addr (const struct guest_disk *, const struct disk_piece *);

/* Grants its pages, or ends their grants; nothing when memory is foreign.  The latter counts those that cannot be ended. */
void piece_grant (struct guest_disk *, const struct disk_piece *, bool readonly);
void piece_end_grant (struct guest_disk *, const struct disk_piece *);

#endif
