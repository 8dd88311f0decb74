/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a device is to the library: its table of callbacks, whatever length it was compiled with, with defaults for what it leaves out, and which protocol
 * features follow from what it has.
 */
#include <errno.h>
#include <string.h>

#include "backend/connection.h"
#include "backend/postcopy.h"
#include "memory/map.h"

/* --- defaults --- */

static int
default_set_config (void *device, uint32_t offset, const void *buf, uint32_t size, uint32_t flags)
{
	return -EPERM;
}
static int
default_set_features (void *device, uint64_t features)
{
	return 0;
}
static void
default_connection (void *device, struct vh_backend *b)
{
}
static void
default_reset (void *device)
{
}
static int
default_ring_start (void *device, struct vh_ring *ring)
{
	return 0;
}
static void
default_ring (void *device, struct vh_ring *ring)
{
}

/* get_config's default is in config.c; a callback behind a protocol feature needs none, since without it the feature is not offered. */
void
backend_fill_ops (struct vh_device_ops *ops, const struct vh_device_ops *theirs)
{
	memset (ops, 0, sizeof (*ops));
	memcpy (ops, theirs, theirs->size < sizeof (*ops) ? theirs->size : sizeof (*ops));
#define DEFAULT(entry, fn) (ops->entry = ops->entry ? ops->entry : (fn))
	DEFAULT (set_config, default_set_config);
	DEFAULT (set_features, default_set_features);
	DEFAULT (connected, default_connection);
	DEFAULT (disconnected, default_connection);
	DEFAULT (reset, default_reset);
	DEFAULT (ring_start, default_ring_start);
	DEFAULT (ring_drain, default_ring);
	DEFAULT (ring_abort, ops->ring_drain);
	DEFAULT (ring_stop, default_ring);
#undef DEFAULT
}

/* --- limits --- */

bool
backend_device_valid (const struct vh_device *d)
{
	if (d->size < sizeof (*d) || !d->ops || d->ops->size < offsetof (struct vh_device_ops, ring_drain) || !d->ops->ring_process)
		return false;
	if (d->rings < 1 || d->rings > VH_MAX_RINGS || d->queue_num > VH_MAX_RINGS || d->config_size > VH_MAX_CONFIG_SIZE)
		return false;
	if (d->max_ring_size > VH_MAX_RING_SIZE || (d->max_ring_size && !is_power_of_two (d->max_ring_size)))
		return false;
	return d->max_parts <= VH_MAX_RING_SIZE && (d->config_size == 0 || d->config || d->ops->get_config);
}

/* --- features --- */

uint64_t
vh_backend_supported_protocol_features (void)
{
	return VH_BIT (VH_P_MQ) | VH_BIT (VH_P_REPLY_ACK) | VH_BIT (VH_P_BACKEND_REQ) | VH_BIT (VH_P_CONFIG) | VH_BIT (VH_P_RESET_DEVICE)
	       | VH_BIT (VH_P_CONFIGURE_MEM_SLOTS) | VH_BIT (VH_P_LOG_SHMFD) | map_protocol_features ();
}

/* Features that are there because the device has the callback. */
static uint64_t
callback_features (const struct vh_device_ops *ops)
{
	uint64_t bits = 0;

#define OFFER(feature, callback) (bits |= ops->callback ? VH_BIT (VH_P_##feature) : 0)
	OFFER (RARP, send_rarp);
	OFFER (MTU, set_mtu);
	OFFER (STATUS, set_status);
	OFFER (SHMEM, get_shmem_config);
	OFFER (SHARED_OBJECT, get_object);
#undef OFFER
	if (ops->create_crypto_session && ops->close_crypto_session)
		bits |= VH_BIT (VH_P_CRYPTO_SESSION);
	if (ops->state_save && ops->state_load)
		bits |= VH_BIT (VH_P_DEVICE_STATE);
	return bits;
}

/* Those that the library does by itself, for devices that have a reason. */
#define ASKED_FOR                                                                                                                                       \
	(VH_BIT (VH_P_CROSS_ENDIAN) | VH_BIT (VH_P_HOST_NOTIFIER) | VH_BIT (VH_P_INBAND_NOTIFICATIONS) | VH_BIT (VH_P_INFLIGHT_SHMFD) |                       \
	 VH_BIT (VH_P_STATUS) | VH_BIT (VH_P_SHARED_OBJECT))

/* Those whose messages carry fds to the front-end. */
#define SENDS_FDS (VH_BIT (VH_P_HOST_NOTIFIER) | VH_BIT (VH_P_SHMEM))

uint64_t
backend_offered_protocol_features (const struct vh_device *d, const struct vh_device_ops *ops, bool rings_elsewhere)
{
	uint64_t bits = vh_backend_supported_protocol_features () | callback_features (ops) | (d->protocol_features & ASKED_FOR);

	/* A ring that waits for a page must not keep the connection from being served: the page may depend on that. */
	if ((d->protocol_features & VH_BIT (VH_P_PAGEFAULT)) && rings_elsewhere && postcopy_protocol_features ())
		bits = (bits | VH_BIT (VH_P_PAGEFAULT)) & ~VH_BIT (VH_P_CONFIGURE_MEM_SLOTS);

	/* Who can do a request twice can leave one undone, too. */
	if (bits & VH_BIT (VH_P_INFLIGHT_SHMFD))
		bits |= VH_BIT (VH_P_GET_VRING_BASE_INFLIGHT) | VH_BIT (VH_P_GET_VRING_BASE_SKIP_DRAIN);
	if (bits & SENDS_FDS)
		bits |= VH_BIT (VH_P_BACKEND_SEND_FD);
	return d->config_size ? bits : bits & ~VH_BIT (VH_P_CONFIG);
}
