/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct vh_dev by vDPA.
 *
 * The guest's memory is mapped at its guest physical addresses while the device runs, and ring addresses are told as such.  A guest with an IOMMU of its own
 * (ACCESS_PLATFORM in its features) has the VMM map instead: vh_dev_iotlb_update.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <vhost/vdpa.h>

#include "device/device.h"
#include "kernel/vring-setup.h"
#include "util/fd.h"

struct vdpa_dev {
	struct vh_dev dev;
	struct vh_kernel *kernel;
	struct vh_vdpa_map *map;
	int config_call;	/* an eventfd; -1 before set_owner */
};

static struct vdpa_dev *
vdpa_of (struct vh_dev *dev)
{
	return (struct vdpa_dev *) dev;
}

/* Keeps the words of the object below; returns err. */
static int
failed (struct vdpa_dev *v, int err)
{
	if (err < 0)
		error_copy (&v->dev.error, &v->kernel->error);
	return err;
}

static void
vdpa_free (struct vh_dev *dev)
{
	struct vdpa_dev *v = vdpa_of (dev);

	vh_vdpa_map_free (v->map);
	fd_close (&v->config_call);
	vh_kernel_free (v->kernel);
}

/* --- what the device is --- */

/* IOTLB_PERSIST stays away: a reset drops all mappings, and there is one way less to have some left over. */
static int
set_backend_features (struct vh_kernel *k)
{
	const uint64_t known = VH_BIT (VH_BACKEND_IOTLB_MSG_V2) | VH_BIT (VH_BACKEND_IOTLB_BATCH) | VH_BIT (VH_BACKEND_IOTLB_ASID) |
			       VH_BIT (VH_BACKEND_SUSPEND) | VH_BIT (VH_BACKEND_RESUME) | VH_BIT (VH_BACKEND_ENABLE_AFTER_DRIVER_OK);
	uint64_t features = 0;
	int err = vh_kernel_get_backend_features (k, &features);

	return err < 0 ? err : vh_kernel_set_backend_features (k, features & known);
}

static int
get_rings (struct vdpa_dev *v)
{
	unsigned n = VH_MAX_RINGS;
	int err = vh_vdpa_get_vqs_count (v->kernel, &n);

	v->dev.n_rings = n < VH_MAX_RINGS ? n : VH_MAX_RINGS;
	return err == -EOPNOTSUPP ? 0 : err;
}

static int
open_config_call (struct vdpa_dev *v)
{
	if (v->config_call < 0)
		v->config_call = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (v->config_call < 0)
		return error_set (&v->kernel->error, -errno, "an eventfd");
	return vh_vdpa_set_config_call (v->kernel, v->config_call);
}

static int
vdpa_set_owner (struct vh_dev *dev)
{
	struct vdpa_dev *v = vdpa_of (dev);
	int err = vh_kernel_set_owner (v->kernel);

	if (err == 0)
		err = set_backend_features (v->kernel);
	if (err == 0)
		err = vh_vdpa_set_status (v->kernel, 0);
	if (err == 0)
		err = vh_kernel_get_features (v->kernel, &dev->offered);
	if (err == 0)
		err = get_rings (v);
	if (err == 0)
		err = open_config_call (v);
	dev->hidden = VH_BIT (VH_F_LOG_ALL) | VH_BIT (VH_F_ACCESS_PLATFORM);
	return failed (v, err);
}

static int
vdpa_get_max_ring_size (struct vh_dev *dev, unsigned *ret)
{
	return failed (vdpa_of (dev), vh_vdpa_get_vring_num (vdpa_of (dev)->kernel, ret));
}

static int
vdpa_get_max_regions (struct vh_dev *dev, unsigned *ret)
{
	(void) dev;
	*ret = VH_MAX_REGIONS;
	return 0;
}

/* --- starting --- */

static int
add_status (struct vdpa_dev *v, uint8_t bits)
{
	uint8_t status;
	int err = vh_vdpa_get_status (v->kernel, &status);

	if (err == 0)
		err = vh_vdpa_set_status (v->kernel, status | bits);
	if (err == 0)
		err = vh_vdpa_get_status (v->kernel, &status);
	if (err < 0)
		return err;
	if ((status & bits) != bits || status & (VH_STATUS_FAILED | VH_STATUS_NEEDS_RESET))
		return error_words (&v->kernel->error, -EIO, "the device does not come to status 0x%x, it has 0x%x", bits, status);
	return 0;
}

/* ACCESS_PLATFORM: the device's accesses go through the mappings below, whatever the guest knows of that. */
static int
agree (struct vdpa_dev *v)
{
	uint64_t features = v->dev.features | (v->dev.offered & VH_BIT (VH_F_ACCESS_PLATFORM));
	int err = add_status (v, VH_STATUS_ACKNOWLEDGE | VH_STATUS_DRIVER);

	if (err == 0)
		err = vh_kernel_set_features (v->kernel, features);
	if (err == 0 && add_status (v, VH_STATUS_FEATURES_OK) < 0)
		err = error_words (&v->kernel->error, -EOPNOTSUPP, "the device refused the features 0x%llx", (unsigned long long) features);
	return err;
}

static int
map_memory (struct vdpa_dev *v)
{
	return dev_has_iotlb (&v->dev) ? 0 : vh_vdpa_map_set (v->map, v->dev.memory.regions, v->dev.memory.n);
}

static int
set_up_rings (struct vdpa_dev *v)
{
	struct vh_vring_addr addr;
	int err = 0;

	for (unsigned i = 0; err == 0 && i < VH_MAX_RINGS; i++) {
		if (!dev_ring_ready (&v->dev, i))
			continue;
		dev_ring_guest_addr (&v->dev, i, &addr);
		addr.flags = 0;
		err = vring_setup (v->kernel, i, &v->dev.rings[i], &addr);
		if (err == 0)
			err = vh_vdpa_set_vring_enable (v->kernel, i, 1);
	}
	return err;
}

/* Back to where it can be started again. */
static int
reset (struct vdpa_dev *v)
{
	int err = dev_has_iotlb (&v->dev) ? 0 : vh_vdpa_map_set (v->map, NULL, 0);
	int status = vh_vdpa_set_status (v->kernel, 0);

	vh_vdpa_map_forget (v->map);
	return err < 0 ? err : status;
}

static int
vdpa_start (struct vh_dev *dev)
{
	struct vdpa_dev *v = vdpa_of (dev);
	int err = agree (v);

	if (err == 0)
		err = map_memory (v);
	if (err == 0)
		err = set_up_rings (v);
	if (err == 0)
		err = add_status (v, VH_STATUS_DRIVER_OK);
	failed (v, err);
	if (err < 0)
		reset (v);
	return err;
}

/* --- stopping --- */

/* A device that cannot be suspended has its rings disabled: most take that for a reason to keep away from them. */
static int
hold (struct vdpa_dev *v)
{
	int err = vh_vdpa_suspend (v->kernel);

	if (err != -EOPNOTSUPP)
		return err;
	error_log (&v->dev.error, VH_LOG_WARNING, "the device cannot be suspended: where its rings are is what they say when they are disabled");
	err = 0;
	for (unsigned i = 0; err == 0 && i < VH_MAX_RINGS; i++)
		if (dev_ring_ready (&v->dev, i))
			err = vh_vdpa_set_vring_enable (v->kernel, i, 0);
	return err;
}

static int
vdpa_stop (struct vh_dev *dev)
{
	struct vdpa_dev *v = vdpa_of (dev);
	int err = hold (v), end;

	if (err == 0)
		err = vrings_get_bases (dev, v->kernel);
	failed (v, err);
	end = reset (v);
	return err < 0 ? err : failed (v, end);
}

/* --- while it runs --- */

static int
vdpa_set_memory (struct vh_dev *dev, const struct dev_memory *before)
{
	(void) before;
	return failed (vdpa_of (dev), map_memory (vdpa_of (dev)));
}

static int
vdpa_set_vring_fd (struct vh_dev *dev, unsigned ring, enum dev_fd which)
{
	return failed (vdpa_of (dev), vring_send_fd (vdpa_of (dev)->kernel, ring, which, dev->rings[ring].fds[which]));
}

static int
vdpa_get_config (struct vh_dev *dev, uint32_t offset, void *buf, uint32_t size)
{
	return failed (vdpa_of (dev), vh_vdpa_get_config (vdpa_of (dev)->kernel, offset, buf, size));
}

static int
vdpa_set_config (struct vh_dev *dev, uint32_t offset, const void *buf, uint32_t size, uint32_t flags)
{
	(void) flags;	/* the device does not tell a guest's write from a VMM's */
	return failed (vdpa_of (dev), vh_vdpa_set_config (vdpa_of (dev)->kernel, offset, buf, size));
}

static int
vdpa_iotlb (struct vh_dev *dev, unsigned type, uint64_t iova, uint64_t size, uint64_t user_addr, unsigned access)
{
	struct vdpa_dev *v = vdpa_of (dev);

	return failed (v, type == VH_IOTLB_UPDATE ? vh_vdpa_dma_map (v->kernel, 0, iova, size, user_addr, access)
						  : vh_vdpa_dma_unmap (v->kernel, 0, iova, size));
}

static int
vdpa_fd (const struct vh_dev *dev)
{
	return ((const struct vdpa_dev *) dev)->config_call;
}

static int
vdpa_dispatch (struct vh_dev *dev)
{
	eventfd_t count;

	if (eventfd_read (vdpa_of (dev)->config_call, &count) < 0)
		return 0;
	dev_config_changed (dev);
	return 1;
}

static const struct dev_ops vdpa_ops = {
	.kind = "vDPA",
	.free = vdpa_free,
	.set_owner = vdpa_set_owner,
	.get_max_ring_size = vdpa_get_max_ring_size,
	.get_max_regions = vdpa_get_max_regions,
	.start = vdpa_start,
	.stop = vdpa_stop,
	.set_memory = vdpa_set_memory,
	.set_vring_fd = vdpa_set_vring_fd,
	.get_config = vdpa_get_config,
	.set_config = vdpa_set_config,
	.iotlb = vdpa_iotlb,
	.fd = vdpa_fd,
	.dispatch = vdpa_dispatch,
};

int
vh_dev_new_vdpa (struct vh_kernel *k, struct vh_dev **ret)
{
	struct vdpa_dev *v = calloc (1, sizeof (*v));
	int err;

	if (!v)
		return -ENOMEM;
	err = vh_vdpa_map_new (k, 0, &v->map);
	if (err < 0) {
		free (v);
		return err;
	}
	dev_init (&v->dev, &vdpa_ops, &k->error.log, k->error.name);
	v->kernel = k;
	v->config_call = -1;
	*ret = &v->dev;
	return 0;
}
