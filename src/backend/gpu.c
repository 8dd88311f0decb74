/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The socket of a GPU's display: handed over to the device.
 */
#include <errno.h>

#include "backend/connection.h"
#include "util/fd.h"

int
gpu_set_socket (struct vh_backend *b, struct message *m)
{
	int err;

	if (!b->ops.set_gpu_socket)
		return -EOPNOTSUPP;	/* no GPU */
	if (!fd_is_stream (m->fds[0]))
		return -EINVAL;
	err = b->ops.set_gpu_socket (b->device->opaque, m->fds[0]);
	if (err == 0)
		message_take_fd (m, 0);
	return err;
}
