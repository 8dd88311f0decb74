/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Features, ownership and reset.
 */
#include <errno.h>

#include "backend/connection.h"

/* Virtio feature bits that belong to rings and transport, not to a device type (virtio 1.2, 2.2): 24, 26, 28..41. */
#define TRANSPORT_BITS (VH_BIT (24) | VH_BIT (26) | (VH_BIT (42) - VH_BIT (28)))

#define IN_BAND_NEEDS (VH_BIT (VH_P_BACKEND_REQ) | VH_BIT (VH_P_REPLY_ACK))

uint64_t
vh_backend_supported_ring_features (void)
{
	return VH_BIT (VH_F_NOTIFY_ON_EMPTY) | VH_BIT (VH_F_INDIRECT_DESC) | VH_BIT (VH_F_EVENT_IDX) | VH_BIT (VH_F_VERSION_1)
	       | VH_BIT (VH_F_RING_PACKED) | VH_BIT (VH_F_IN_ORDER) | VH_BIT (VH_F_NOTIFICATION_DATA) | VH_BIT (VH_F_RING_RESET);
}

/*
 * ACCESS_PLATFORM only of devices that name it.  Not every front-end keeps it from a guest that has no IOMMU: a guest of User Mode Linux takes it and then
 * finds no memory for its rings (its kernel has no DMA), and others would wait for translations that nobody sends.
 */
uint64_t
backend_offered_features (const struct vh_device *d)
{
	return (d->features & (~TRANSPORT_BITS | VH_BIT (VH_F_ACCESS_PLATFORM) | vh_backend_supported_ring_features ())) | VH_BIT (VH_F_PROTOCOL_FEATURES) |
	       VH_BIT (VH_F_LOG_ALL);
}

int
negotiate_get_features (struct vh_backend *b, struct message *m, struct message *reply)
{
	message_put_u64 (reply, b->offered);
	return 0;
}

int
negotiate_set_features (struct vh_backend *b, struct message *m)
{
	uint64_t features;
	int err = message_get_u64 (m, &features);

	if (err < 0)
		return err;
	if (features & ~b->offered || !log_fits (b, features, b->memory))
		return -EINVAL;
	/* The dirty log begins and ends while rings run, and is not the device's business. */
	if ((features ^ b->features) & ~VH_BIT (VH_F_LOG_ALL)) {
		if (vrings_any_runs (b))
			return -EBUSY;
		err = b->ops.set_features (b->device->opaque, features & ~(VH_BIT (VH_F_PROTOCOL_FEATURES) | VH_BIT (VH_F_LOG_ALL)));
		if (err < 0)
			return err;
	}
	b->features = features;
	b->protocol_spoken = false;
	err = iotlb_features_set (b);
	if (err < 0)
		return err;
	/* Without bit 30 there will be no SET_VRING_ENABLE: all rings are enabled from here on (vhost-user, "Ring states"). */
	if (!(features & VH_BIT (VH_F_PROTOCOL_FEATURES)))
		for (unsigned i = 0; i < b->n_vrings; i++)
			b->vrings[i].enabled = true;
	return 0;
}

int
negotiate_get_protocol_features (struct vh_backend *b, struct message *m, struct message *reply)
{
	message_put_u64 (reply, b->protocol_offered);
	return 0;
}

int
negotiate_set_protocol_features (struct vh_backend *b, struct message *m)
{
	uint64_t features;
	int err = message_get_u64 (m, &features);

	if (err < 0)
		return err;
	if (features & ~b->protocol_offered)
		return -EINVAL;
	if ((features & VH_BIT (VH_P_INBAND_NOTIFICATIONS)) && ~features & IN_BAND_NEEDS) {
		/* There is no other way to tell it (vhost-user, "In-band notifications"). */
		backend_fail (b, error_set (&b->error, -EPROTO, "in-band notifications without BACKEND_REQ and REPLY_ACK"));
		return -EPROTO;
	}
	/* The layout of regions hangs on this bit, so it cannot change once there are some. */
	if (((features ^ b->protocol) & VH_BIT (VH_P_XEN_MMAP)) && vh_memory_count (b->memory) > 0)
		return -EBUSY;
	b->protocol = features;
	b->protocol_spoken = true;
	return 0;
}

int
negotiate_get_queue_num (struct vh_backend *b, struct message *m, struct message *reply)
{
	message_put_u64 (reply, b->device->queue_num ? b->device->queue_num : b->device->rings);
	return 0;
}

int
negotiate_set_owner (struct vh_backend *b, struct message *m)
{
	/* It says "the session begins"; QEMU sends it after the protocol features, and again for each queue pair of a network device. */
	return 0;
}

void
negotiate_stop_device (struct vh_backend *b)
{
	for (unsigned i = 0; i < b->n_vrings; i++)
		b->vrings[i].enabled = b->vrings[i].started = false;
}

/* RESET_OWNER (deprecated: "disable all rings") and the first half of RESET_DEVICE. */
int
negotiate_reset (struct vh_backend *b, struct message *m)
{
	if (m->request == REQUEST_RESET_DEVICE)
		negotiate_stop_device (b);
	for (unsigned i = 0; i < b->n_vrings; i++)
		b->vrings[i].enabled = false;
	return 0;
}

int
negotiate_reset_device (struct vh_backend *b, struct message *m, struct message *reply)
{
	vrings_reset (b);
	inflight_area_drop (b);
	device_state_cancel (b);
	b->status = 0;
	b->ops.reset (b->device->opaque);
	return 0;
}
