/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The list of devices; see state-devices.h.
 */
#include "fuzz/state-devices.h"
#include "fuzz/verdict.h"

const struct state_device *const state_devices[STATE_DEVICES] = {
	&state_disk, &state_read_only_disk, &state_net, &state_net_with_mac, &state_vsock, &state_console, &state_ports,
};

const struct vh_device *
state_device_get (unsigned which)
{
	static const struct vh_device *made[STATE_DEVICES];

	if (!made[which])
		made[which] = state_devices[which]->make ();
	return made[which];
}

size_t
state_of (const struct vh_device *d, uint8_t *ret, size_t room)
{
	int n = must (d->ops->state_save (d->opaque, 0, ret, room));

	if (d->ops->state_save (d->opaque, (uint64_t) n, ret, room) != 0)
		wrong ("a state has no end");
	return (size_t) n;
}
