/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests to network devices.
 */
#include <errno.h>
#include <string.h>

#include "frontend/frontend.h"

/* What the configuration field can say (virtio 1.2, 5.1.4.1). */
#define MIN_MTU 68
#define MAX_MTU 65535

int
vh_frontend_send_rarp (struct vh_frontend *f, const uint8_t mac[6])
{
	uint64_t value = 0;

	memcpy (&value, mac, 6);	/* the first six bytes in memory, whatever the byte order */
	return call_u64 (f, REQUEST_SEND_RARP, value);
}

int
vh_frontend_set_mtu (struct vh_frontend *f, unsigned mtu)
{
	if (mtu < MIN_MTU || mtu > MAX_MTU)
		return call_refuse (f, REQUEST_NET_SET_MTU, -EINVAL);
	return call_u64 (f, REQUEST_NET_SET_MTU, mtu);
}
