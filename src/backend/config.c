/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's configuration space.
 */
#include <errno.h>
#include <string.h>

#include "backend/connection.h"

static int
config_range (const struct vh_backend *b, struct message *m, struct config_range *r, uint8_t **data)
{
	int err = message_get_config (m, r, data);

	if (err < 0)
		return err;
	return range_inside (r->offset, r->size, 0, b->device->config_size) && r->size > 0 ? 0 : -EINVAL;
}

int
config_check (struct vh_backend *b, struct message *m)
{
	struct config_range r;
	uint8_t *data;

	return config_range (b, m, &r, &data);
}

int
config_get (struct vh_backend *b, struct message *m, struct message *reply)
{
	struct config_range r;
	uint8_t *data;
	int err = config_range (b, m, &r, &data);

	if (err < 0)
		return err;
	data = message_put_config (reply, &r);
	if (b->ops.get_config)
		return b->ops.get_config (b->device->opaque, r.offset, data, r.size);
	memcpy (data, (const uint8_t *) b->device->config + r.offset, r.size);
	return 0;
}

/* A reply without a body says "failed" (vhost-user, GET_CONFIG). */
void
config_refuse (struct vh_backend *b, struct message *m, struct message *reply)
{
	reply->size = 0;
}

/*
 * What rust-vmm's front-ends send for VH_CONFIG_RESTORE: there the flags are bits, 1 when a guest writes and 2 when a migration restores.  Their 1 is the
 * specification's "restores", so a guest's write comes as that, and devices know it (vh_device_ops); their 2 is nobody else's.
 */
#define RUST_VMM_RESTORE 2u

int
config_set (struct vh_backend *b, struct message *m)
{
	struct config_range r;
	uint8_t *data;
	int err = config_range (b, m, &r, &data);

	if (err < 0)
		return err;
	if (r.flags == RUST_VMM_RESTORE)
		r.flags = VH_CONFIG_RESTORE;
	if (r.flags != VH_CONFIG_WRITE && r.flags != VH_CONFIG_RESTORE)
		return -EINVAL;
	return b->ops.set_config (b->device->opaque, r.offset, data, r.size, r.flags);
}
