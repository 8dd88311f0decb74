/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The object behind <vhost/device.h>, and what a kind of device provides.
 *
 * What the caller says is kept here (struct vh_dev); the kind (struct dev_ops, in src/frontend and src/kernel) takes it from here when the device starts.
 * So each check is made once, for all kinds, and a device can be started again without being told again.
 */
#ifndef DEVICE_DEVICE_H
#define DEVICE_DEVICE_H

#include <stdbool.h>

#include <vhost/device.h>
#include <vhost/protocol.h>
#include <vhost/queue.h>

#include "util/error.h"

/* Which of a ring's eventfds. */
enum dev_fd {
	DEV_KICK,
	DEV_CALL,
	DEV_ERR,
	DEV_FDS,
};

struct dev_ring {
	unsigned size;		/* 0: not told */
	bool has_addr;
	struct vh_vring_addr addr;
	uint32_t base;
	int fds[DEV_FDS];	/* ours; -1: none */
};

/* A region that was told, with an fd of ours (or -1). */
struct dev_memory {
	struct vh_region *regions;
	unsigned n;
};

struct vh_dev {
	const struct dev_ops *ops;
	struct error error;
	struct vh_dev_events events;
	bool owned;
	bool running;
	uint64_t offered;	/* all that the device offers */
	uint64_t hidden;	/* what of it is not the guest's business */
	bool has_features;
	uint64_t features;	/* what the guest accepted */
	struct dev_memory memory;
	bool logging;
	struct vh_dev_log log;	/* its fd is ours */
	unsigned n_rings;	/* how many the device has; from set_owner on */
	struct dev_ring rings[VH_MAX_RINGS];
};

/*
 * A kind of device.  All entries are required but where it says "NULL".  They are called with arguments that were checked, and return 0 or a negative errno,
 * with words in dev->error.
 */
struct dev_ops {
	const char *kind;
	void (*free) (struct vh_dev *);			/* what is below, not dev itself; it does not run */
	/* Sets offered, hidden and n_rings, too. */
	int (*set_owner) (struct vh_dev *);
	int (*get_max_ring_size) (struct vh_dev *, unsigned *ret);	/* NULL: any that there can be */
	int (*get_max_regions) (struct vh_dev *, unsigned *ret);
	/* All of the device's rings of which dev_ring_ready is true; a failure leaves nothing running. */
	int (*start) (struct vh_dev *);
	/* Stops whatever happens; sets the base of each ring that ran. */
	int (*stop) (struct vh_dev *);
	/* These are called while it runs, with the new state in dev; when they fail, the old one is put back in dev and is still in force. */
	int (*set_memory) (struct vh_dev *, const struct dev_memory *before);
	int (*set_vring_fd) (struct vh_dev *, unsigned ring, enum dev_fd which);
	int (*set_log) (struct vh_dev *);		/* NULL: this kind has no log */
	int (*get_config) (struct vh_dev *, uint32_t offset, void *buf, uint32_t size);	/* NULL: it shows none */
	int (*set_config) (struct vh_dev *, uint32_t offset, const void *buf, uint32_t size, uint32_t flags);
	int (*iotlb) (struct vh_dev *, unsigned type, uint64_t iova, uint64_t size, uint64_t user_addr, unsigned access);
	int (*fd) (const struct vh_dev *);
	int (*dispatch) (struct vh_dev *);
};

/* Prepares an object that is zeroes, with a log and a name for it. */
void dev_init (struct vh_dev *, const struct dev_ops *, const struct vh_log *log, const char *name);

/* Does the ring take part in the next start? */
bool dev_ring_ready (const struct vh_dev *, unsigned ring);

/* Is VH_F_ACCESS_PLATFORM the guest's wish? */
static inline bool
dev_has_iotlb (const struct vh_dev *dev)
{
	return dev->features & VH_BIT (VH_F_ACCESS_PLATFORM);
}

/* Flags of a ring's addresses as they are to be now. */
uint32_t dev_ring_flags (const struct vh_dev *, unsigned ring);

/*
 * A ring's addresses as a device without a map of user addresses needs them: guest physical ones.  As they are when they are I/O virtual.  False when an area
 * is not inside one region.
 */
bool dev_ring_guest_addr (const struct vh_dev *, unsigned ring, struct vh_vring_addr *ret);

/* Tells who listens. */
void dev_config_changed (struct vh_dev *);
void dev_iotlb_miss (struct vh_dev *, uint64_t iova, unsigned access);

/* Is the region the same memory at the same place? */
bool dev_same_region (const struct vh_region *, const struct vh_region *);

/* Is it among them? */
bool dev_memory_has (const struct dev_memory *, const struct vh_region *);

/* --- memory.c --- */

/* Are they regions that can be one memory: none empty, none wraps, no two overlap? */
bool dev_regions_valid (const struct vh_region *regions, unsigned n);

/* Copies them, with fds duplicated.  0; -ENOMEM; errors of fcntl(2). */
int dev_memory_copy (struct dev_memory *, const struct vh_region *regions, unsigned n);
void dev_memory_drop (struct dev_memory *);

/* The guest physical address of `size` bytes at a user address; false when they are not inside one region. */
bool dev_memory_guest (const struct dev_memory *, uint64_t user_addr, uint64_t size, uint64_t *ret);

/* Is the log large enough for the memory? */
bool dev_log_covers (const struct vh_dev_log *, const struct dev_memory *);

#endif
