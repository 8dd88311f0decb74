/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device with every callback; see full-device.h.
 */
#include "full-device.h"

#include <string.h>

static int
full_send_rarp (void *opaque, const uint8_t mac[6])
{
	struct full_device *d = opaque;

	memcpy (d->mac, mac, sizeof (d->mac));
	return d->answer;
}

static int
full_set_mtu (void *opaque, unsigned mtu)
{
	struct full_device *d = opaque;

	d->mtu = mtu;
	return d->answer;
}

void
full_device_init (struct full_device *d)
{
	memset (d, 0, sizeof (*d));
	test_device_init (&d->base);
	d->base.ops.send_rarp = full_send_rarp;
	d->base.ops.set_mtu = full_set_mtu;
}
