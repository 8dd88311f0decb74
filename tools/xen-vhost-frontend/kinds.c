/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kinds of virtio device; see kinds.h.
 */
#include <stddef.h>
#include <string.h>

#include "kinds.h"

/*
 * Features of rings and transport that a back-end may offer and a driver must not see: they are between us and the back-end, or need what virtio-mmio
 * behind eventfds cannot do (virtio 1.2, 6).
 */
#define HIDDEN                                                                                                                                         \
	(VH_BIT (VH_F_NOTIFY_ON_EMPTY) | VH_BIT (VH_F_LOG_ALL) | VH_BIT (27) /* ANY_LAYOUT: legacy */ | VH_BIT (VH_F_PROTOCOL_FEATURES) |             \
	 VH_BIT (VH_F_ACCESS_PLATFORM) | VH_BIT (37) /* SR_IOV */ | VH_BIT (VH_F_NOTIFICATION_DATA) | VH_BIT (39) /* NOTIF_CONFIG_DATA */ |           \
	 VH_BIT (VH_F_RING_RESET) | VH_BIT (41) /* ADMIN_VQ */)

/* --- net (virtio 1.2, 5.1) --- */

#define NET_F_MTU 3
#define NET_F_MAC 5
#define NET_F_STATUS 16
/* Each needs the control queue, or speaks of one. */
#define NET_CONTROL                                                                                                                                    \
	(VH_BIT (2) | VH_BIT (17) | VH_BIT (18) | VH_BIT (19) | VH_BIT (20) | VH_BIT (21) | VH_BIT (22) | VH_BIT (23) | VH_BIT (52) | VH_BIT (53) |   \
	 VH_BIT (57) | VH_BIT (60))
/* mac, status, max_virtqueue_pairs, mtu */
#define NET_CONFIG_SIZE 12
#define NET_STATUS_OFFSET 6
#define NET_PAIRS_OFFSET 8
#define NET_LINK_UP 1

static const char *
net_complete (const struct kind_settings *settings, bool from_backend, uint8_t *config, unsigned *size, uint64_t *features)
{
	if (!from_backend) {
		/* What the configuration space would have told: without it there is no such feature. */
		*features &= ~VH_BIT (NET_F_MTU);
		*features |= VH_BIT (NET_F_STATUS);
		*size = NET_CONFIG_SIZE;
		config[NET_STATUS_OFFSET] = NET_LINK_UP;
		config[NET_PAIRS_OFFSET] = 1;
	}
	if (settings->has_mac) {
		memcpy (config, settings->mac, MAC_SIZE);
		*features |= VH_BIT (NET_F_MAC);
	} else if (!from_backend) {
		*features &= ~VH_BIT (NET_F_MAC);	/* the driver makes up an address */
	}
	return NULL;
}

/* --- fs (virtio 1.2, 5.11) --- */

/* tag, num_request_queues */
#define FS_CONFIG_SIZE 40

static const char *
fs_complete (const struct kind_settings *settings, bool from_backend, uint8_t *config, unsigned *size, uint64_t *features)
{
	if (!from_backend) {
		if (!settings->tag[0])
			return "its back-end has no configuration space, so it needs tag=";
		*size = FS_CONFIG_SIZE;
		config[FS_TAG_SIZE] = 1;	/* one request queue */
	}
	if (settings->tag[0]) {
		memset (config, 0, FS_TAG_SIZE);
		memcpy (config, settings->tag, strlen (settings->tag));
	}
	return NULL;
}

/* --- the table --- */

static const struct kind kinds[] = {
	{ .name = "net", .id = 1, .queues = 2, .config_sizes = { NET_CONFIG_SIZE }, .hidden = NET_CONTROL, .complete = net_complete },
	/* With zones; with secure erase; with discard and write zeroes; up to num_queues. */
	{ .name = "blk", .id = 2, .queues = 1, .more_queues = true, .config_sizes = { 96, 72, 60, 36 }, .needs_config = true },
	{ .name = "console", .id = 3, .queues = 2, .more_queues = true, .config_sizes = { 12 } },
	{ .name = "rng", .id = 4, .queues = 1 },
	{ .name = "vsock", .id = 19, .queues = 3, .config_sizes = { 8 }, .needs_config = true },
	{ .name = "fs", .id = 26, .queues = 2, .more_queues = true, .config_sizes = { 44, FS_CONFIG_SIZE }, .complete = fs_complete },
	{ .name = "i2c", .id = 34, .queues = 1 },
	{ .name = "gpio", .id = 41, .queues = 2, .config_sizes = { 8 }, .needs_config = true },
};

const struct kind *
kind_at (unsigned index)
{
	return index < sizeof (kinds) / sizeof (kinds[0]) ? &kinds[index] : NULL;
}

const struct kind *
kind_by_name (const char *name)
{
	const struct kind *k;

	for (unsigned i = 0; (k = kind_at (i)); i++)
		if (strcmp (k->name, name) == 0)
			return k;
	return NULL;
}

const struct kind *
kind_by_id (unsigned id)
{
	const struct kind *k;

	for (unsigned i = 0; (k = kind_at (i)); i++)
		if (k->id == id)
			return k;
	return NULL;
}

uint64_t
kind_features (const struct kind *k, uint64_t offered)
{
	return offered & ~(HIDDEN | k->hidden);
}
