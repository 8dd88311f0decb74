/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device as a VMM sees it, wherever it is: in a vhost-user back-end, in the kernel (vhost), or in hardware (vDPA).
 *
 * The VMM says what it wants (features, memory, rings), and vh_dev_start makes it so, in the order that the device's kind needs.  After vh_dev_stop the
 * rings can be started again from where they stopped, in the same device or in another one.
 *
 *	vh_dev_new_user (frontend, &dev)		or vh_dev_new_net, _vsock, _scsi (<vhost/kernel.h>), vh_dev_new_vdpa (<vhost/vdpa.h>)
 *	vh_dev_set_owner (dev)
 *	vh_dev_get_features (dev, &offered)
 *	vh_dev_set_features (dev, what the guest's driver accepts)
 *	vh_dev_set_memory (dev, regions, n)
 *	vh_dev_set_vring_num, _addr, _base, _kick, _call (dev, ring, ...)
 *	vh_dev_start (dev)
 *	...
 *	vh_dev_stop (dev)
 *	vh_dev_get_vring_base (dev, ring, &base)
 *
 * One thread at a time.  What belongs to one kind only is done with the object below it (struct vh_frontend, struct vh_kernel), which stays valid as long
 * as the device.
 */
#ifndef VHOST_DEVICE_H
#define VHOST_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include <vhost/memory.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct vh_dev;
struct vh_frontend;

/*
 * Addresses of a ring: user addresses of the region table (vhost-user, "Vring address description"), for all kinds of devices.  With
 * VH_F_ACCESS_PLATFORM in force they are I/O virtual addresses.
 */
struct vh_vring_addr {
	uint64_t desc;
	uint64_t used;
	uint64_t avail;
	uint64_t log;		/* guest physical address of the used ring, for the dirty log */
	uint32_t flags;		/* bit 0: log */
};

/*
 * An entry of a device's IOTLB, or what it lacks (linux/vhost_types.h, struct vhost_iotlb_msg; vhost-user, "IOTLB").
 */
#define VH_IOTLB_MISS 1
#define VH_IOTLB_UPDATE 2
#define VH_IOTLB_INVALIDATE 3
#define VH_IOTLB_ACCESS_FAIL 4
#define VH_IOTLB_BATCH_BEGIN 5
#define VH_IOTLB_BATCH_END 6

/* What a device may do at an I/O address. */
#define VH_ACCESS_RO 0x1
#define VH_ACCESS_WO 0x2
#define VH_ACCESS_RW 0x3

/* What a device tells; each may be NULL.  Called from inside vh_dev_dispatch, or from a call that waits; they must not call the device. */
struct vh_dev_events {
	size_t size;				/* sizeof (struct vh_dev_events) */
	void (*config_changed) (void *opaque);	/* the configuration space */
	/* The device needs the address `iova`, to read or write as `access` (VH_ACCESS_*) says: answer it later by vh_dev_iotlb_update. */
	void (*iotlb_miss) (void *opaque, uint64_t iova, unsigned access);
	void *opaque;
};

/* A dirty log: a bit for each page of 4096 bytes of guest memory, by guest physical address. */
struct vh_dev_log {
	uint64_t size;		/* bytes */
	void *base;		/* where it is mapped, shared and writable, in this process */
	int fd;			/* the memory behind it, for a back-end; borrowed */
	uint64_t offset;	/* of its first byte in fd */
};

/* Common to all calls below: -ECONNRESET, -ETIMEDOUT and the like as the back-end's connection has them; system errors as the kernel answers them. */

/*
 * A device behind a vhost-user front-end, which is the device's on success: vh_dev_free frees it.  The front-end may have done its handshake; if not,
 * vh_dev_set_owner does it.  0 and *ret; -ENOMEM.
 */
int vh_dev_new_user (struct vh_frontend *, struct vh_dev **ret);

/* Stops the device if it runs, and frees it with what is below it.  NULL is fine. */
void vh_dev_free (struct vh_dev *);

/* Words for the last failure; "" when there was none.  Valid until the next call. */
const char *vh_dev_error (const struct vh_dev *);

/* What kind of device it is: "vhost-user", "vhost-net", "vhost-vsock", "vhost-scsi" or "vDPA". */
const char *vh_dev_kind (const struct vh_dev *);

/* Who hears of changes; replaces what the front-end's options said.  NULL: nobody.  -EINVAL: the size. */
int vh_dev_set_events (struct vh_dev *, const struct vh_dev_events *);

/* The first step: makes this process the owner, and agrees on all that is not the guest's business.  -EBUSY: it has one already. */
int vh_dev_set_owner (struct vh_dev *);

/*
 * What the guest may be offered: the device's virtio features without those that only this library and the device know of.  vDPA devices mostly insist on
 * VH_F_ACCESS_PLATFORM, which is left out and accepted for the guest.
 */
int vh_dev_get_features (struct vh_dev *, uint64_t *ret);

/* What the guest's driver accepted.  -EINVAL: more than is offered; -EBUSY: the device runs. */
int vh_dev_set_features (struct vh_dev *, uint64_t features);

/* Rings of the device, and of how many descriptors a ring may be at most.  What the device does not tell is VH_MAX_RINGS, VH_MAX_RING_SIZE. */
int vh_dev_get_rings (struct vh_dev *, unsigned *ret);
int vh_dev_get_max_ring_size (struct vh_dev *, unsigned *ret);

/* How many regions vh_dev_set_memory takes. */
int vh_dev_get_max_regions (struct vh_dev *, unsigned *ret);

/*
 * The guest's memory, by regions; they are copied, the fds stay open until the memory is set anew or the device is freed.  user_addr: where this process
 * has the region mapped.  While the device runs it is told the difference; when that fails, the memory is as it was.
 * -EINVAL: no region, empty ones, ones that wrap or overlap; -E2BIG: more than the device takes; -ERANGE: outside what a vDPA device can address.
 */
int vh_dev_set_memory (struct vh_dev *, const struct vh_region *regions, unsigned n);

/*
 * Begins to log what the device writes, or ends it (NULL), also while the device runs.  The log has to stay mapped while it is in force.
 * -EOPNOTSUPP: this device cannot; -EINVAL: too small for the memory, or without the fd that a back-end needs.
 */
int vh_dev_set_log (struct vh_dev *, const struct vh_dev_log *);

/*
 * A ring: its size in descriptors, its addresses, where it begins (next available index; packed rings: as in vhost-user, "Vring base").  A ring takes part
 * in vh_dev_start when it has a size and addresses.  -EINVAL: no such ring, or not a size or an address; -EBUSY: the device runs.
 */
int vh_dev_set_vring_num (struct vh_dev *, unsigned ring, unsigned size);
int vh_dev_set_vring_addr (struct vh_dev *, unsigned ring, const struct vh_vring_addr *addr);
int vh_dev_set_vring_base (struct vh_dev *, unsigned ring, uint32_t base);

/* Where the ring stopped, or will start.  -EBUSY: the device runs. */
int vh_dev_get_vring_base (struct vh_dev *, unsigned ring, uint32_t *ret);

/* The ring's eventfds, or -1: none.  They are duplicated.  Also while the device runs.  -EINVAL: no such ring; -EBADF: not an eventfd. */
int vh_dev_set_vring_kick (struct vh_dev *, unsigned ring, int fd);
int vh_dev_set_vring_call (struct vh_dev *, unsigned ring, int fd);
int vh_dev_set_vring_err (struct vh_dev *, unsigned ring, int fd);

/* Forgets what was said about a ring: the next vh_dev_start leaves it out.  -EINVAL: no such ring; -EBUSY. */
int vh_dev_forget_vring (struct vh_dev *, unsigned ring);

/*
 * Starts the device with all rings that have a size and addresses.  When it fails, the device does not run.
 * -EINVAL: there is no owner, memory or ring; -EBUSY: it runs already; -EFAULT: a ring is not in the memory; -EOPNOTSUPP: the device refused the features.
 */
int vh_dev_start (struct vh_dev *);

/*
 * Stops the device: when this returns, it does not touch guest memory any more, and each ring's base is where it stopped.  It does not run afterwards,
 * whatever is returned; an error says that not all bases are known.  0 if it did not run.
 */
int vh_dev_stop (struct vh_dev *);

/* Does it run? */
int vh_dev_running (const struct vh_dev *);

/*
 * The configuration space: `size` bytes from `offset`, size 1..VH_MAX_CONFIG_SIZE.  flags: VH_CONFIG_*.  -EOPNOTSUPP: the device has none that it shows (in
 * the kernel's vhost it is the VMM's own business); -EINVAL, -EREMOTEIO: outside of it.
 */
int vh_dev_get_config (struct vh_dev *, uint32_t offset, void *buf, uint32_t size);
int vh_dev_set_config (struct vh_dev *, uint32_t offset, const void *buf, uint32_t size, uint32_t flags);

/*
 * The device's IOTLB, for a guest with an IOMMU (VH_F_ACCESS_PLATFORM in vh_dev_set_features): maps `size` bytes at `iova` to `user_addr`, or unmaps all of
 * them.  -EOPNOTSUPP: not negotiated; -EFAULT: the device refused it.
 * The kernel's vhost needs each used ring to be mapped before vh_dev_start; what else it lacks it asks for.  A vDPA device asks for nothing.
 */
int vh_dev_iotlb_update (struct vh_dev *, uint64_t iova, uint64_t size, uint64_t user_addr, unsigned access);
int vh_dev_iotlb_invalidate (struct vh_dev *, uint64_t iova, uint64_t size);

/* Readable when vh_dev_dispatch has work; -1 when there is nothing to wait for.  Ask again after vh_dev_set_owner and vh_dev_start. */
int vh_dev_fd (const struct vh_dev *);

/* Takes what the device tells and calls vh_dev_events, without waiting.  How much there was, or a negative errno. */
int vh_dev_dispatch (struct vh_dev *);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
