/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct vh_dev: the object, and what concerns the whole device.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device/device.h"
#include "util/fd.h"

void
dev_init (struct vh_dev *dev, const struct dev_ops *ops, const struct vh_log *log, const char *name)
{
	dev->ops = ops;
	error_init (&dev->error, log, name);
	dev->log.fd = -1;
	for (unsigned i = 0; i < VH_MAX_RINGS; i++)
		for (unsigned k = 0; k < DEV_FDS; k++)
			dev->rings[i].fds[k] = -1;
}

void
vh_dev_free (struct vh_dev *dev)
{
	if (!dev)
		return;
	vh_dev_stop (dev);
	dev->ops->free (dev);
	dev_memory_drop (&dev->memory);
	fd_close (&dev->log.fd);
	for (unsigned i = 0; i < VH_MAX_RINGS; i++)
		for (unsigned k = 0; k < DEV_FDS; k++)
			fd_close (&dev->rings[i].fds[k]);
	free (dev);
}

const char *
vh_dev_error (const struct vh_dev *dev)
{
	return dev->error.text;
}

const char *
vh_dev_kind (const struct vh_dev *dev)
{
	return dev->ops->kind;
}

int
vh_dev_running (const struct vh_dev *dev)
{
	return dev->running;
}

/* --- events --- */

int
vh_dev_set_events (struct vh_dev *dev, const struct vh_dev_events *events)
{
	memset (&dev->events, 0, sizeof (dev->events));
	if (!events)
		return 0;
	if (events->size < sizeof (events->size))
		return error_set (&dev->error, -EINVAL, "events");
	memcpy (&dev->events, events, events->size < sizeof (dev->events) ? events->size : sizeof (dev->events));
	return 0;
}

void
dev_config_changed (struct vh_dev *dev)
{
	if (dev->events.config_changed)
		dev->events.config_changed (dev->events.opaque);
}

void
dev_iotlb_miss (struct vh_dev *dev, uint64_t iova, unsigned access)
{
	if (dev->events.iotlb_miss)
		dev->events.iotlb_miss (dev->events.opaque, iova, access);
}

int
vh_dev_fd (const struct vh_dev *dev)
{
	return dev->ops->fd (dev);
}

int
vh_dev_dispatch (struct vh_dev *dev)
{
	return dev->ops->dispatch (dev);
}

/* --- what the device is --- */

int
vh_dev_set_owner (struct vh_dev *dev)
{
	int err;

	if (dev->owned)
		return error_set (&dev->error, -EBUSY, "the device is owned");
	err = dev->ops->set_owner (dev);
	dev->owned = err == 0;
	return err;
}

/* Most questions can be asked by an owner only. */
static int
need_owner (struct vh_dev *dev)
{
	return dev->owned ? 0 : error_words (&dev->error, -EINVAL, "the device has no owner yet");
}

int
vh_dev_get_features (struct vh_dev *dev, uint64_t *ret)
{
	int err = need_owner (dev);

	if (err == 0)
		*ret = dev->offered & ~dev->hidden;
	return err;
}

/* ACCESS_PLATFORM is the one hidden feature that a guest may have, if its VMM has an IOMMU. */
int
vh_dev_set_features (struct vh_dev *dev, uint64_t features)
{
	uint64_t allowed = dev->offered & (~dev->hidden | VH_BIT (VH_F_ACCESS_PLATFORM));
	int err = need_owner (dev);

	if (err < 0)
		return err;
	if (dev->running)
		return error_words (&dev->error, -EBUSY, "features cannot change while the device runs");
	if (features & ~allowed)
		return error_words (&dev->error, -EINVAL, "features 0x%llx are not offered", (unsigned long long) (features & ~allowed));
	dev->features = features;
	dev->has_features = true;
	return 0;
}

int
vh_dev_get_rings (struct vh_dev *dev, unsigned *ret)
{
	int err = need_owner (dev);

	if (err == 0)
		*ret = dev->n_rings;
	return err;
}

int
vh_dev_get_max_ring_size (struct vh_dev *dev, unsigned *ret)
{
	int err = need_owner (dev);

	if (err < 0)
		return err;
	if (dev->ops->get_max_ring_size)
		return dev->ops->get_max_ring_size (dev, ret);
	*ret = VH_MAX_RING_SIZE;
	return 0;
}

int
vh_dev_get_max_regions (struct vh_dev *dev, unsigned *ret)
{
	int err = need_owner (dev);

	return err < 0 ? err : dev->ops->get_max_regions (dev, ret);
}

/* --- memory --- */

/* Puts new memory in force; the old one comes back when the device does not take it. */
static int
change_memory (struct vh_dev *dev, struct dev_memory *next)
{
	struct dev_memory before = dev->memory;
	int err = 0;

	dev->memory = *next;
	if (dev->running)
		err = dev->ops->set_memory (dev, &before);
	if (err < 0) {
		*next = dev->memory;
		dev->memory = before;
		dev_memory_drop (next);
		return err;
	}
	dev_memory_drop (&before);
	return 0;
}

int
vh_dev_set_memory (struct vh_dev *dev, const struct vh_region *regions, unsigned n)
{
	struct dev_memory next;
	unsigned max;
	int err = vh_dev_get_max_regions (dev, &max);

	if (err < 0)
		return err;
	if (n > max)
		return error_words (&dev->error, -E2BIG, "%u regions of memory, the device takes %u", n, max);
	if (n < 1 || !dev_regions_valid (regions, n))
		return error_words (&dev->error, -EINVAL, "regions of memory that are empty, wrap or overlap");
	err = dev_memory_copy (&next, regions, n);
	if (err < 0)
		return error_set (&dev->error, err, "regions of memory");
	if (dev->logging && !dev_log_covers (&dev->log, &next)) {
		dev_memory_drop (&next);
		return error_words (&dev->error, -EINVAL, "the dirty log is too small for this memory");
	}
	return change_memory (dev, &next);
}

/* --- dirty log --- */

static int
take_log (struct vh_dev *dev, const struct vh_dev_log *log, struct vh_dev_log *taken)
{
	*taken = (struct vh_dev_log){ .fd = -1 };
	if (!log)
		return 0;
	if (!log->base || log->size == 0 || !dev_log_covers (log, &dev->memory))
		return error_words (&dev->error, -EINVAL, "the dirty log is too small for the memory");
	*taken = *log;
	if (log->fd >= 0) {
		taken->fd = fd_dup (log->fd);
		if (taken->fd < 0)
			return error_set (&dev->error, taken->fd, "the dirty log");
	} else
		taken->fd = -1;
	return 0;
}

int
vh_dev_set_log (struct vh_dev *dev, const struct vh_dev_log *log)
{
	struct vh_dev_log before = dev->log, taken;
	bool was = dev->logging;
	int err = need_owner (dev);

	if (err == 0 && log && (!dev->ops->set_log || !(dev->offered & VH_BIT (VH_F_LOG_ALL))))
		err = error_words (&dev->error, -EOPNOTSUPP, "this device has no dirty log");
	if (err == 0)
		err = take_log (dev, log, &taken);
	if (err < 0)
		return err;
	dev->log = taken;
	dev->logging = log;
	if (dev->running && (was || log))
		err = dev->ops->set_log (dev);
	if (err < 0) {
		dev->log = before;
		dev->logging = was;
		fd_close (&taken.fd);
		return err;
	}
	fd_close (&before.fd);
	return 0;
}

/* --- start and stop --- */

/* All that a start needs has been said. */
static int
check_said (struct vh_dev *dev, unsigned ready)
{
	const char *missing = !dev->owned ? "owner" : !dev->has_features ? "features" : dev->memory.n == 0 ? "memory" : ready == 0 ? "ring" : NULL;

	return missing ? error_words (&dev->error, -EINVAL, "the device has no %s yet", missing) : 0;
}

static int
can_start (struct vh_dev *dev)
{
	struct vh_vring_addr addr;
	unsigned ready = 0;

	if (dev->running)
		return error_words (&dev->error, -EBUSY, "the device runs already");
	for (unsigned i = 0; i < VH_MAX_RINGS; i++) {
		if (!dev_ring_ready (dev, i))
			continue;
		ready++;
		if (dev->memory.n > 0 && !dev_ring_guest_addr (dev, i, &addr))
			return error_words (&dev->error, -EFAULT, "ring %u is not in the memory", i);
	}
	return check_said (dev, ready);
}

/* A first kick for each ring: there may be something in it, and a kick before the start was for nobody.  Some back-ends wait for it, too. */
static void
kick_rings (struct vh_dev *dev)
{
	for (unsigned i = 0; i < VH_MAX_RINGS; i++)
		if (dev_ring_ready (dev, i) && dev->rings[i].fds[DEV_KICK] >= 0)
			fd_notify (dev->rings[i].fds[DEV_KICK]);
}

int
vh_dev_start (struct vh_dev *dev)
{
	int err = can_start (dev);

	if (err < 0)
		return err;
	err = dev->ops->start (dev);
	dev->running = err == 0;
	if (dev->running)
		kick_rings (dev);
	return err;
}

int
vh_dev_stop (struct vh_dev *dev)
{
	int err;

	if (!dev->running)
		return 0;
	err = dev->ops->stop (dev);
	dev->running = false;
	return err;
}

/* --- configuration --- */

static int
need_config (struct vh_dev *dev, bool has, uint32_t size)
{
	int err = need_owner (dev);

	if (err < 0)
		return err;
	if (!has)
		return error_words (&dev->error, -EOPNOTSUPP, "a %s device shows no configuration space", dev->ops->kind);
	if (size < 1 || size > VH_MAX_CONFIG_SIZE)
		return error_words (&dev->error, -EINVAL, "%u bytes of configuration space", size);
	return 0;
}

int
vh_dev_get_config (struct vh_dev *dev, uint32_t offset, void *buf, uint32_t size)
{
	int err = need_config (dev, dev->ops->get_config, size);

	return err < 0 ? err : dev->ops->get_config (dev, offset, buf, size);
}

int
vh_dev_set_config (struct vh_dev *dev, uint32_t offset, const void *buf, uint32_t size, uint32_t flags)
{
	int err = need_config (dev, dev->ops->set_config, size);

	return err < 0 ? err : dev->ops->set_config (dev, offset, buf, size, flags);
}

/* --- IOTLB --- */

static int
need_iotlb (struct vh_dev *dev)
{
	if (!dev_has_iotlb (dev) || !dev->ops->iotlb)
		return error_words (&dev->error, -EOPNOTSUPP, "no IOTLB: ACCESS_PLATFORM was not negotiated, or the device has none");
	return 0;
}

int
vh_dev_iotlb_update (struct vh_dev *dev, uint64_t iova, uint64_t size, uint64_t user_addr, unsigned access)
{
	int err = need_iotlb (dev);

	if (err < 0)
		return err;
	if (size == 0 || iova + (size - 1) < iova || access < VH_ACCESS_RO || access > VH_ACCESS_RW)
		return error_words (&dev->error, -EINVAL, "an IOTLB entry that is empty or wraps");
	return dev->ops->iotlb (dev, VH_IOTLB_UPDATE, iova, size, user_addr, access);
}

int
vh_dev_iotlb_invalidate (struct vh_dev *dev, uint64_t iova, uint64_t size)
{
	int err = need_iotlb (dev);

	if (err < 0)
		return err;
	if (size == 0 || iova + (size - 1) < iova)
		return error_words (&dev->error, -EINVAL, "an IOTLB entry that is empty or wraps");
	return dev->ops->iotlb (dev, VH_IOTLB_INVALIDATE, iova, size, 0, 0);
}
