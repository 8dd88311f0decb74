/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct vh_dev by the kernel's vhost.
 */
#include <errno.h>

#include "kernel/device.h"
#include "kernel/vring-setup.h"

/* Misses that one dispatch takes: a device that misses all the time does not keep the loop from others. */
#define MISSES_PER_DISPATCH 64

static struct kernel_dev *
kernel_of (struct vh_dev *dev)
{
	return (struct kernel_dev *) dev;
}

/* Keeps the words of the object below; returns err. */
static int
failed (struct kernel_dev *d, int err)
{
	if (err < 0)
		error_copy (&d->dev.error, &d->kernel->error);
	return err;
}

void
kernel_dev_init (struct kernel_dev *d, struct vh_kernel *k, const struct dev_ops *ops, const struct kernel_kind *kind)
{
	dev_init (&d->dev, ops, &k->error.log, k->error.name);
	d->kernel = k;
	d->kind = kind;
}

void
kernel_dev_free (struct vh_dev *dev)
{
	struct kernel_dev *d = kernel_of (dev);

	if (d->kind->release)
		d->kind->release (d);
	vh_kernel_free (d->kernel);
}

/* Version 2 of IOTLB messages is the one that 32-bit programs on 64-bit kernels can use.  scsi has no backend features. */
static int
set_backend_features (struct vh_kernel *k)
{
	uint64_t features = 0;
	int err = vh_kernel_get_backend_features (k, &features);

	if (err == -EOPNOTSUPP)
		return 0;
	features &= VH_BIT (VH_BACKEND_IOTLB_MSG_V2);
	if (err == 0 && features)
		err = vh_kernel_set_backend_features (k, features);
	return err;
}

int
kernel_dev_set_owner (struct vh_dev *dev)
{
	struct kernel_dev *d = kernel_of (dev);
	int err = vh_kernel_set_owner (d->kernel);

	if (err == 0)
		err = vh_kernel_get_features (d->kernel, &dev->offered);
	if (err == 0)
		err = set_backend_features (d->kernel);
	dev->hidden = VH_BIT (VH_F_LOG_ALL) | d->kind->hidden;
	dev->n_rings = d->kind->n_rings;
	return failed (d, err);
}

int
kernel_dev_get_max_regions (struct vh_dev *dev, unsigned *ret)
{
	(void) dev;
	*ret = vh_kernel_max_regions ();
	return 0;
}

/* --- running --- */

/* Not twice the same: with ACCESS_PLATFORM the kernel forgets its IOTLB at each. */
static int
set_features (struct kernel_dev *d)
{
	uint64_t features = d->dev.features | (d->dev.logging ? VH_BIT (VH_F_LOG_ALL) : 0);
	int err;

	if (d->sent_features && d->features == features)
		return 0;
	err = vh_kernel_set_features (d->kernel, features);
	d->sent_features = err == 0;
	d->features = features;
	return err;
}

static struct vh_vring_addr
addresses (const struct kernel_dev *d, unsigned ring)
{
	struct vh_vring_addr addr = d->dev.rings[ring].addr;

	addr.flags = dev_ring_flags (&d->dev, ring);
	return addr;
}

static int
set_up_rings (struct kernel_dev *d)
{
	int err = 0;

	for (unsigned i = 0; err == 0 && i < VH_MAX_RINGS; i++) {
		struct vh_vring_addr addr = addresses (d, i);

		if (dev_ring_ready (&d->dev, i))
			err = vring_setup (d->kernel, i, &d->dev.rings[i], &addr);
	}
	return err;
}

int
kernel_dev_start (struct vh_dev *dev)
{
	struct kernel_dev *d = kernel_of (dev);
	int err = vh_kernel_set_mem_table (d->kernel, dev->memory.regions, dev->memory.n);

	if (err == 0 && dev->logging)
		err = vh_kernel_set_log_base (d->kernel, dev->log.base);
	if (err == 0)
		err = set_features (d);
	if (err == 0)
		err = set_up_rings (d);
	if (err < 0)
		return failed (d, err);
	err = failed (d, d->kind->attach (d));
	if (err < 0)
		d->kind->detach (d);
	return err;
}

int
kernel_dev_stop (struct vh_dev *dev)
{
	struct kernel_dev *d = kernel_of (dev);
	int err = failed (d, d->kind->detach (d));
	int bases = failed (d, vrings_get_bases (dev, d->kernel));

	return err < 0 ? err : bases;
}

int
kernel_dev_set_memory (struct vh_dev *dev, const struct dev_memory *before)
{
	(void) before;
	return failed (kernel_of (dev), vh_kernel_set_mem_table (kernel_of (dev)->kernel, dev->memory.regions, dev->memory.n));
}

int
kernel_dev_set_vring_fd (struct vh_dev *dev, unsigned ring, enum dev_fd which)
{
	return failed (kernel_of (dev), vring_send_fd (kernel_of (dev)->kernel, ring, which, dev->rings[ring].fds[which]));
}

/* The log is there before it is used, and is used no more before it goes: the features and the rings' flags decide that. */
int
kernel_dev_set_log (struct vh_dev *dev)
{
	struct kernel_dev *d = kernel_of (dev);
	int err = dev->logging ? vh_kernel_set_log_base (d->kernel, dev->log.base) : 0;

	if (err == 0)
		err = set_features (d);
	for (unsigned i = 0; err == 0 && i < VH_MAX_RINGS; i++) {
		struct vh_vring_addr addr = addresses (d, i);

		if (dev_ring_ready (dev, i))
			err = vh_kernel_set_vring_addr (d->kernel, i, &addr);
	}
	return failed (d, err);
}

/* --- IOTLB --- */

int
kernel_dev_iotlb (struct vh_dev *dev, unsigned type, uint64_t iova, uint64_t size, uint64_t user_addr, unsigned access)
{
	const struct vh_kernel_iotlb m = { .type = type, .iova = iova, .size = size, .user_addr = user_addr, .access = access };
	struct kernel_dev *d = kernel_of (dev);
	int err = set_features (d);

	return failed (d, err < 0 ? err : vh_kernel_send_iotlb (d->kernel, &m));
}

int
kernel_dev_fd (const struct vh_dev *dev)
{
	return dev_has_iotlb (dev) ? ((const struct kernel_dev *) dev)->kernel->fd : -1;
}

int
kernel_dev_dispatch (struct vh_dev *dev)
{
	struct kernel_dev *d = kernel_of (dev);
	struct vh_kernel_iotlb m;
	int n = 0, err = 0;

	while (dev_has_iotlb (dev) && n < MISSES_PER_DISPATCH && (err = vh_kernel_receive_iotlb (d->kernel, &m)) == 0) {
		if (m.type == VH_IOTLB_MISS)
			dev_iotlb_miss (dev, m.iova, m.access);
		n++;
	}
	return err < 0 && err != -EAGAIN ? failed (d, err) : n;
}
