/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct vh_dev by vhost-user: a device in a back-end.
 */
#include <errno.h>
#include <stdlib.h>

#include "device/device.h"
#include "frontend/frontend.h"

struct user_dev {
	struct vh_dev dev;
	struct vh_frontend *f;
	bool sent_features;	/* these are in force */
	uint64_t features;
	/* What the back-end has now, without fds. */
	struct vh_region shared[VH_MAX_REGIONS];
	unsigned n_shared;
	/* Who listened before the device did. */
	void (*config_changed) (void *opaque);
	void *config_opaque;
	int (*iotlb_miss) (void *opaque, uint64_t iova, unsigned access);
	void *iotlb_opaque;
};

static struct user_dev *
user_of (struct vh_dev *dev)
{
	return (struct user_dev *) dev;
}

/* Keeps the front-end's words; returns err. */
static int
failed (struct user_dev *u, int err)
{
	if (err < 0)
		error_copy (&u->dev.error, &u->f->error);
	return err;
}

static bool
has_protocol (const struct user_dev *u, unsigned feature)
{
	return vh_frontend_protocol_features (u->f) & VH_BIT (feature);
}

static void
user_free (struct vh_dev *dev)
{
	vh_frontend_free (user_of (dev)->f);
}

/* --- what the device is --- */

static int
user_set_owner (struct vh_dev *dev)
{
	struct user_dev *u = user_of (dev);
	int err = 0;

	if (u->f->offered == 0)
		err = vh_frontend_handshake (u->f, UINT64_MAX);
	if (err < 0)
		return failed (u, err);
	dev->offered = vh_frontend_offered_features (u->f);
	dev->hidden = VH_BIT (VH_F_LOG_ALL) | VH_BIT (VH_F_PROTOCOL_FEATURES);
	/* GET_QUEUE_NUM counts pairs for some devices, and leaves out control queues: it is the device driver's to understand. */
	dev->n_rings = VH_MAX_RINGS;
	return 0;
}

static int
user_get_max_regions (struct vh_dev *dev, unsigned *ret)
{
	struct user_dev *u = user_of (dev);
	int err;

	if (!has_protocol (u, VH_P_CONFIGURE_MEM_SLOTS)) {
		*ret = VH_MAX_TABLE_REGIONS;
		return 0;
	}
	err = failed (u, vh_frontend_get_max_mem_slots (u->f, ret));
	if (err == 0 && *ret > VH_MAX_REGIONS)
		*ret = VH_MAX_REGIONS;
	return err;
}

/* --- memory --- */

static void
note_shared (struct user_dev *u, const struct vh_region *r)
{
	u->shared[u->n_shared] = *r;
	u->shared[u->n_shared++].fd = -1;
}

static int
remove_region (struct user_dev *u, unsigned i)
{
	int err = failed (u, vh_frontend_remove_mem_region (u->f, &u->shared[i]));

	if (err == 0)
		u->shared[i] = u->shared[--u->n_shared];
	return err;
}

/* Region by region: what is not wanted any more goes first, since what comes may lie there. */
static int
share_slots (struct user_dev *u, const struct dev_memory *m)
{
	int err = 0;

	for (unsigned i = u->n_shared; err == 0 && i > 0; i--)
		if (!dev_memory_has (m, &u->shared[i - 1]))
			err = remove_region (u, i - 1);
	for (unsigned i = 0; err == 0 && i < m->n; i++) {
		if (dev_memory_has (&(struct dev_memory){ .regions = u->shared, .n = u->n_shared }, &m->regions[i]))
			continue;
		err = failed (u, vh_frontend_add_mem_region (u->f, &m->regions[i]));
		if (err == 0)
			note_shared (u, &m->regions[i]);
	}
	return err;
}

static int
share_table (struct user_dev *u, const struct dev_memory *m)
{
	bool same = m->n == u->n_shared;
	int err;

	for (unsigned i = 0; same && i < m->n; i++)
		same = dev_same_region (&m->regions[i], &u->shared[i]);
	if (same)
		return 0;
	err = failed (u, vh_frontend_set_mem_table (u->f, m->regions, m->n));
	if (err < 0)
		return err;
	u->n_shared = 0;
	for (unsigned i = 0; i < m->n; i++)
		note_shared (u, &m->regions[i]);
	return 0;
}

static int
share (struct user_dev *u, const struct dev_memory *m)
{
	return has_protocol (u, VH_P_CONFIGURE_MEM_SLOTS) ? share_slots (u, m) : share_table (u, m);
}

static int
user_set_memory (struct vh_dev *dev, const struct dev_memory *before)
{
	int err = share (user_of (dev), &dev->memory);

	/* Slots may have changed in part. */
	if (err < 0)
		share (user_of (dev), before);
	return err;
}

/* --- rings --- */

typedef int set_fd_fn (struct vh_frontend *, unsigned ring, int fd);

static set_fd_fn *const set_fds[DEV_FDS] = {
	[DEV_KICK] = vh_frontend_set_vring_kick,
	[DEV_CALL] = vh_frontend_set_vring_call,
	[DEV_ERR] = vh_frontend_set_vring_err,
};

static int
user_set_vring_fd (struct vh_dev *dev, unsigned ring, enum dev_fd which)
{
	return failed (user_of (dev), set_fds[which](user_of (dev)->f, ring, dev->rings[ring].fds[which]));
}

static int
send_features (struct user_dev *u, bool log)
{
	uint64_t features = u->dev.features | (u->dev.offered & VH_BIT (VH_F_PROTOCOL_FEATURES)) | (log ? VH_BIT (VH_F_LOG_ALL) : 0);
	int err;

	if (u->sent_features && u->features == features)
		return 0;
	err = failed (u, vh_frontend_set_features (u->f, features));
	u->sent_features = err == 0;
	u->features = features;
	return err;
}

/* The log that is wanted, then the features that turn it on; or off, if none is. */
static int
send_log (struct user_dev *u)
{
	const struct vh_dev_log *log = &u->dev.log;
	int err = u->dev.logging ? failed (u, vh_frontend_set_log_base (u->f, log->fd, log->size, log->offset)) : 0;

	return err < 0 ? err : send_features (u, u->dev.logging);
}

static int
send_addresses (struct user_dev *u, unsigned i)
{
	struct vh_vring_addr addr = u->dev.rings[i].addr;

	addr.flags = dev_ring_flags (&u->dev, i);
	return vh_frontend_set_vring_addr (u->f, i, &addr);
}

/* While it runs. */
static int
user_set_log (struct vh_dev *dev)
{
	struct user_dev *u = user_of (dev);
	int err = send_log (u);

	for (unsigned i = 0; err == 0 && i < VH_MAX_RINGS; i++)
		if (dev_ring_ready (dev, i))
			err = failed (u, send_addresses (u, i));
	return err;
}

/* SET_VRING_KICK is last: it starts the ring.  SET_VRING_CALL is sent even without an fd, since DPDK waits for it. */
static int
start_ring (struct user_dev *u, unsigned i)
{
	const struct dev_ring *r = &u->dev.rings[i];
	int err = vh_frontend_set_vring_num (u->f, i, r->size);

	if (err == 0)
		err = vh_frontend_set_vring_base (u->f, i, r->base);
	if (err == 0)
		err = send_addresses (u, i);
	if (err == 0)
		err = vh_frontend_set_vring_call (u->f, i, r->fds[DEV_CALL]);
	if (err == 0 && r->fds[DEV_ERR] >= 0)
		err = vh_frontend_set_vring_err (u->f, i, r->fds[DEV_ERR]);
	if (err == 0)
		err = vh_frontend_set_vring_kick (u->f, i, r->fds[DEV_KICK]);
	return failed (u, err);
}

static int
enable_ring (struct user_dev *u, unsigned i)
{
	if (!(u->features & VH_BIT (VH_F_PROTOCOL_FEATURES)))
		return 0;
	return failed (u, vh_frontend_set_vring_enable (u->f, i, 1));
}

/* Stops the ready rings before `end`; the first error is the result. */
static int
stop_rings (struct user_dev *u, unsigned end)
{
	int first = 0;

	for (unsigned i = 0; i < end; i++) {
		int err;

		if (!dev_ring_ready (&u->dev, i))
			continue;
		err = vh_frontend_get_vring_base (u->f, i, &u->dev.rings[i].base);
		if (first == 0)
			first = failed (u, err);
	}
	return first;
}

static int
user_start (struct vh_dev *dev)
{
	struct user_dev *u = user_of (dev);
	unsigned started = 0;
	int err = send_features (u, false);

	/* Back-ends want features, memory, and a log in this order. */
	if (err == 0)
		err = share (u, &dev->memory);
	if (err == 0 && dev->logging)
		err = send_log (u);
	for (; err == 0 && started < VH_MAX_RINGS; started++)
		if (dev_ring_ready (dev, started))
			err = start_ring (u, started);
	for (unsigned i = 0; err == 0 && i < VH_MAX_RINGS; i++)
		if (dev_ring_ready (dev, i))
			err = enable_ring (u, i);
	if (err < 0) {
		struct error words = dev->error;

		/* The last one that was tried may have been started, too. */
		stop_rings (u, started);
		dev->error = words;
	}
	return err;
}

static int
user_stop (struct vh_dev *dev)
{
	return stop_rings (user_of (dev), VH_MAX_RINGS);
}

/* --- configuration, events --- */

static int
user_get_config (struct vh_dev *dev, uint32_t offset, void *buf, uint32_t size)
{
	return failed (user_of (dev), vh_frontend_get_config (user_of (dev)->f, offset, buf, size));
}

static int
user_set_config (struct vh_dev *dev, uint32_t offset, const void *buf, uint32_t size, uint32_t flags)
{
	return failed (user_of (dev), vh_frontend_set_config (user_of (dev)->f, offset, buf, size, flags));
}

static void
user_config_changed (void *opaque)
{
	struct user_dev *u = opaque;

	if (u->dev.events.config_changed)
		dev_config_changed (&u->dev);
	else if (u->config_changed)
		u->config_changed (u->config_opaque);
}

/* The device's own translations.  They need the feature in force, which starting the device would have sent. */
static int
user_iotlb (struct vh_dev *dev, unsigned type, uint64_t iova, uint64_t size, uint64_t user_addr, unsigned access)
{
	struct user_dev *u = user_of (dev);
	int err = dev->running ? 0 : send_features (u, false);

	if (err < 0)
		return err;
	return failed (u, type == VH_IOTLB_UPDATE ? vh_frontend_iotlb_update (u->f, iova, size, user_addr, access) :
			  vh_frontend_iotlb_invalidate (u->f, iova, size));
}

static int
user_iotlb_miss (void *opaque, uint64_t iova, unsigned access)
{
	struct user_dev *u = opaque;

	if (u->dev.events.iotlb_miss) {
		dev_iotlb_miss (&u->dev, iova, access);
		return 0;
	}
	return u->iotlb_miss ? u->iotlb_miss (u->iotlb_opaque, iova, access) : -ENOSYS;
}

static int
user_fd (const struct vh_dev *dev)
{
	return vh_frontend_fd (((const struct user_dev *) dev)->f);
}

static int
user_dispatch (struct vh_dev *dev)
{
	return failed (user_of (dev), vh_frontend_dispatch (user_of (dev)->f));
}

static const struct dev_ops user_ops = {
	.kind = "vhost-user",
	.free = user_free,
	.set_owner = user_set_owner,
	.get_max_regions = user_get_max_regions,
	.start = user_start,
	.stop = user_stop,
	.set_memory = user_set_memory,
	.set_vring_fd = user_set_vring_fd,
	.set_log = user_set_log,
	.get_config = user_get_config,
	.set_config = user_set_config,
	.iotlb = user_iotlb,
	.fd = user_fd,
	.dispatch = user_dispatch,
};

int
vh_dev_new_user (struct vh_frontend *f, struct vh_dev **ret)
{
	struct user_dev *u = calloc (1, sizeof (*u));

	if (!u)
		return -ENOMEM;
	dev_init (&u->dev, &user_ops, &f->error.log, "device");
	u->f = f;
	u->config_changed = f->config_changed;
	u->config_opaque = f->config_opaque;
	f->config_changed = user_config_changed;
	f->config_opaque = u;
	u->iotlb_miss = f->iotlb_miss;
	u->iotlb_opaque = f->iotlb_opaque;
	f->iotlb_miss = user_iotlb_miss;
	f->iotlb_opaque = u;
	*ret = &u->dev;
	return 0;
}
