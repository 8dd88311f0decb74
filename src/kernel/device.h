/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct vh_dev by the kernel's vhost: what net, vsock and scsi have in common is everything but how their rings start.
 */
#ifndef KERNEL_DEVICE_H
#define KERNEL_DEVICE_H

#include "device/device.h"
#include "kernel/kernel.h"

struct kernel_dev;

struct kernel_kind {
	int (*attach) (struct kernel_dev *);	/* starts the rings, which are set up; what it began when it fails, detach ends */
	int (*detach) (struct kernel_dev *);
	void (*release) (struct kernel_dev *);	/* NULL: it has nothing of its own */
	unsigned n_rings;
	uint64_t hidden;			/* features that are not the guest's business, beside LOG_ALL */
};

struct kernel_dev {
	struct vh_dev dev;
	struct vh_kernel *kernel;
	const struct kernel_kind *kind;
	bool sent_features;	/* these are in force */
	uint64_t features;
};

void kernel_dev_init (struct kernel_dev *, struct vh_kernel *, const struct dev_ops *, const struct kernel_kind *);

void kernel_dev_free (struct vh_dev *);
int kernel_dev_set_owner (struct vh_dev *);
int kernel_dev_get_max_regions (struct vh_dev *, unsigned *ret);
int kernel_dev_start (struct vh_dev *);
int kernel_dev_stop (struct vh_dev *);
int kernel_dev_set_memory (struct vh_dev *, const struct dev_memory *before);
int kernel_dev_set_vring_fd (struct vh_dev *, unsigned ring, enum dev_fd which);
int kernel_dev_set_log (struct vh_dev *);
int kernel_dev_iotlb (struct vh_dev *, unsigned type, uint64_t iova, uint64_t size, uint64_t user_addr, unsigned access);
int kernel_dev_fd (const struct vh_dev *);
int kernel_dev_dispatch (struct vh_dev *);

#define KERNEL_DEV_OPS                                                                                                                                 \
	.free = kernel_dev_free, .set_owner = kernel_dev_set_owner, .get_max_regions = kernel_dev_get_max_regions, .start = kernel_dev_start,           \
	.stop = kernel_dev_stop, .set_memory = kernel_dev_set_memory, .set_vring_fd = kernel_dev_set_vring_fd, .set_log = kernel_dev_set_log,           \
	.iotlb = kernel_dev_iotlb, .fd = kernel_dev_fd, .dispatch = kernel_dev_dispatch

#endif
