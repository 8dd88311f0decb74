/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages of network devices.
 */
#include <errno.h>
#include <string.h>

#include "backend/connection.h"

/* What the configuration field can say (virtio 1.2, 5.1.4.1). */
#define MIN_MTU 68
#define MAX_MTU 65535

int
net_send_rarp (struct vh_backend *b, struct message *m)
{
	uint64_t value;
	uint8_t mac[6];
	int err = message_get_u64 (m, &value);

	if (err < 0)
		return err;
	memcpy (mac, &value, sizeof (mac));	/* the first six bytes in memory, whatever the byte order */
	return b->ops.send_rarp (b->device->opaque, mac);
}

int
net_set_mtu (struct vh_backend *b, struct message *m)
{
	uint64_t mtu;
	int err = message_get_u64 (m, &mtu);

	if (err < 0)
		return err;
	if (mtu < MIN_MTU || mtu > MAX_MTU)
		return -EINVAL;
	return b->ops.set_mtu (b->device->opaque, (unsigned) mtu);
}
