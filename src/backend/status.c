/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver's status register, which a front-end that has it keeps here.
 */
#include <errno.h>

#include "backend/connection.h"

/* 0 is a reset: its first half is here, the second when the rings have stopped.  Nothing is said of the order of bits: QEMU sets FEATURES_OK before DRIVER. */
int
status_set (struct vh_backend *b, struct message *m)
{
	uint64_t value;
	int now = 0, err = message_get_u64 (m, &value);

	if (err < 0)
		return err;
	if (value > UINT8_MAX)
		return -EINVAL;
	if (value == 0)
		negotiate_stop_device (b);
	else
		now = b->ops.set_status ? b->ops.set_status (b->device->opaque, (uint8_t) value) : (int) value;
	if (now < 0)
		return now;
	b->status = (uint8_t) now;
	return 0;
}

int
status_is_set (struct vh_backend *b, struct message *m, struct message *reply)
{
	uint64_t value;
	int err = message_get_u64 (m, &value);

	return err < 0 || value != 0 ? err : negotiate_reset_device (b, m, reply);
}

int
status_get (struct vh_backend *b, struct message *m, struct message *reply)
{
	message_put_u64 (reply, b->status);
	return 0;
}
