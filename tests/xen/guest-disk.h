/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest's block driver on the memory of a bare domain, which does what Linux does with grants: rings are granted for as long as the driver lives; a
 * buffer is granted when its request is made available, read-only when the device only reads it, and its grant is ended when the request comes back.  A
 * back-end that still has it mapped then is found out.
 *
 *	disk_new (domain, socket, options, &disk)
 *	slot = disk_slot (disk, queue, i);	fill it
 *	disk_submit (disk, queue, slot);	any number of them
 *	disk_kick (disk, queue);
 *	while (!(slot = disk_reap (disk, queue)))
 *		disk_wait (disk, timeout);
 */
#ifndef TESTS_XEN_GUEST_DISK_H
#define TESTS_XEN_GUEST_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include <vhost/frontend.h>

#include "bare-domain.h"

#define DISK_SECTOR 512u
#define DISK_DATA_PAGES 8u
#define DISK_MAX_BYTES (DISK_DATA_PAGES * BARE_PAGE)

/* What a domain must have for a driver of DISK_QUEUES queues. */
#define DISK_QUEUES 2u
#define DISK_PIECES 4u
#define DISK_GRANT_FRAMES 8u

/* How the back-end is to see the domain's memory. */
enum disk_memory {
	DISK_FOREIGN,		/* all of it, by foreign mapping */
	DISK_GRANT,		/* rings granted in advance, buffers on demand */
	DISK_GRANT_ALL,		/* rings and buffers on demand */
	DISK_MEMORIES
};

struct disk_options {
	enum disk_memory memory;
	unsigned queues;	/* 1..DISK_QUEUES */
	uint64_t features;	/* virtio features wanted */
	uint32_t no_advance;	/* how to say "not in advance": 0: VH_XEN_NO_ADVANCE_MAP */
};

enum disk_op { DISK_READ, DISK_WRITE, DISK_FLUSH };

/* A request; its user's before disk_submit and after disk_reap. */
struct disk_slot {
	enum disk_op op;
	uint64_t sector;
	uint32_t bytes;		/* up to DISK_MAX_BYTES; a multiple of DISK_SECTOR */
	uint32_t skip;		/* where in the first data page it begins */
	bool whole;		/* all data in one descriptor, not one for each page */
	bool withhold;		/* its data is not granted, as if by mistake */
	uint8_t *data;		/* the data pages; without skip */
	uint8_t status;		/* after disk_reap: virtio's */
	uint32_t written;	/* after disk_reap: as the device says */
	void *user;
};

struct guest_disk;

/*
 * Connects to a back-end, negotiates, shares the domain's memory and starts the queues.  0 and *ret, or a negative errno; what failed goes to stderr.  The
 * domain is borrowed.
 */
int disk_new (struct bare_domain *, const char *socket_path, const struct disk_options *, struct guest_disk **ret);

/* Closes the connection, without stopping the queues.  NULL is fine. */
void disk_free (struct guest_disk *);

/* Stops the queues in order: GET_VRING_BASE.  0 or a negative errno. */
int disk_stop (struct guest_disk *);

/* Virtio features in force. */
uint64_t disk_features (const struct guest_disk *);

/* How many slots each queue has, and one of them; NULL while it is in flight. */
unsigned disk_slots (const struct guest_disk *);
struct disk_slot *disk_slot (struct guest_disk *, unsigned queue, unsigned index);

/* Grants a request's pages and adds it; disk_kick makes it visible. */
void disk_submit (struct guest_disk *, unsigned queue, struct disk_slot *);

/* Shows the device what was added, and notifies it if it wants that. */
void disk_kick (struct guest_disk *, unsigned queue);

/* The next request that the device has used, with its grants ended; NULL when there is none now. */
struct disk_slot *disk_reap (struct guest_disk *, unsigned queue);

/* Waits until there may be something to reap.  False: not within the time, or the device says that a ring is broken. */
bool disk_wait (struct guest_disk *, int timeout_ms);

/* Has the back-end closed the connection?  It is asked something, to know. */
bool disk_is_dropped (const struct guest_disk *);

/* How many grants could not be ended when their request came back: the back-end is too late, or leaks. */
unsigned disk_late_grants (const struct guest_disk *);

#endif
