/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct vh_dev: what is said about a ring.
 */
#include <errno.h>

#include "device/device.h"
#include "util/fd.h"

/* Bit 0 of vh_vring_addr.flags. */
#define FLAG_LOG 1u

bool
dev_ring_ready (const struct vh_dev *dev, unsigned ring)
{
	return dev->rings[ring].size > 0 && dev->rings[ring].has_addr;
}

/* The log of the used ring follows the device's: whoever asked for one gets it while there is a log. */
uint32_t
dev_ring_flags (const struct vh_dev *dev, unsigned ring)
{
	return dev->logging ? dev->rings[ring].addr.flags : dev->rings[ring].addr.flags & ~FLAG_LOG;
}

/* Bytes of a ring's areas (virtio 1.2, 2.7 and 2.8), with what EVENT_IDX adds. */
static void
area_sizes (const struct vh_dev *dev, unsigned size, uint64_t *desc, uint64_t *avail, uint64_t *used)
{
	bool packed = dev->features & VH_BIT (VH_F_RING_PACKED);

	*desc = 16 * (uint64_t) size;
	*avail = packed ? 4 : 6 + 2 * (uint64_t) size;
	*used = packed ? 4 : 6 + 8 * (uint64_t) size;
}

bool
dev_ring_guest_addr (const struct vh_dev *dev, unsigned ring, struct vh_vring_addr *ret)
{
	const struct dev_ring *r = &dev->rings[ring];
	uint64_t desc, avail, used;

	*ret = r->addr;
	if (dev_has_iotlb (dev))
		return true;
	area_sizes (dev, r->size, &desc, &avail, &used);
	return dev_memory_guest (&dev->memory, r->addr.desc, desc, &ret->desc) && dev_memory_guest (&dev->memory, r->addr.avail, avail, &ret->avail) &&
	       dev_memory_guest (&dev->memory, r->addr.used, used, &ret->used);
}

/* NULL, with words, for a ring that is not there; likewise while the device runs, unless `always`. */
static struct dev_ring *
ring_of (struct vh_dev *dev, unsigned ring, bool always, int *err)
{
	unsigned n = dev->owned ? dev->n_rings : VH_MAX_RINGS;

	if (ring >= n || ring >= VH_MAX_RINGS) {
		*err = error_words (&dev->error, -EINVAL, "there is no ring %u", ring);
		return NULL;
	}
	if (dev->running && !always) {
		*err = error_words (&dev->error, -EBUSY, "ring %u runs", ring);
		return NULL;
	}
	*err = 0;
	return &dev->rings[ring];
}

int
vh_dev_set_vring_num (struct vh_dev *dev, unsigned ring, unsigned size)
{
	int err;
	struct dev_ring *r = ring_of (dev, ring, false, &err);

	if (!r)
		return err;
	if (size < 1 || size > VH_MAX_RING_SIZE)
		return error_words (&dev->error, -EINVAL, "ring %u cannot have %u descriptors", ring, size);
	r->size = size;
	return 0;
}

int
vh_dev_set_vring_addr (struct vh_dev *dev, unsigned ring, const struct vh_vring_addr *addr)
{
	int err;
	struct dev_ring *r = ring_of (dev, ring, false, &err);

	if (!r)
		return err;
	if (addr->flags & ~FLAG_LOG || addr->desc % 16 || addr->avail % 2 || addr->used % 4)
		return error_words (&dev->error, -EINVAL, "ring %u cannot have these addresses", ring);
	r->addr = *addr;
	r->has_addr = true;
	return 0;
}

int
vh_dev_set_vring_base (struct vh_dev *dev, unsigned ring, uint32_t base)
{
	int err;
	struct dev_ring *r = ring_of (dev, ring, false, &err);

	if (r)
		r->base = base;
	return err;
}

int
vh_dev_get_vring_base (struct vh_dev *dev, unsigned ring, uint32_t *ret)
{
	int err;
	struct dev_ring *r = ring_of (dev, ring, false, &err);

	if (r)
		*ret = r->base;
	return err;
}

int
vh_dev_forget_vring (struct vh_dev *dev, unsigned ring)
{
	int err;
	struct dev_ring *r = ring_of (dev, ring, false, &err);

	if (!r)
		return err;
	for (unsigned k = 0; k < DEV_FDS; k++)
		fd_close (&r->fds[k]);
	*r = (struct dev_ring){ .fds = { -1, -1, -1 } };
	return 0;
}

static int
set_fd (struct vh_dev *dev, unsigned ring, enum dev_fd which, int fd)
{
	int err, before, copy = -1;
	struct dev_ring *r = ring_of (dev, ring, true, &err);

	if (!r)
		return err;
	if (fd >= 0) {
		if (!fd_can_notify (fd))
			return error_words (&dev->error, -EBADF, "ring %u: not an eventfd", ring);
		copy = fd_dup (fd);
		if (copy < 0)
			return error_set (&dev->error, copy, "ring %u: an eventfd", ring);
	}
	before = r->fds[which];
	r->fds[which] = copy;
	if (dev->running && dev_ring_ready (dev, ring))
		err = dev->ops->set_vring_fd (dev, ring, which);
	if (err < 0) {
		r->fds[which] = before;
		before = copy;
	}
	fd_close (&before);
	return err;
}

int
vh_dev_set_vring_kick (struct vh_dev *dev, unsigned ring, int fd)
{
	return set_fd (dev, ring, DEV_KICK, fd);
}

int
vh_dev_set_vring_call (struct vh_dev *dev, unsigned ring, int fd)
{
	return set_fd (dev, ring, DEV_CALL, fd);
}

int
vh_dev_set_vring_err (struct vh_dev *dev, unsigned ring, int fd)
{
	return set_fd (dev, ring, DEV_ERR, fd);
}
