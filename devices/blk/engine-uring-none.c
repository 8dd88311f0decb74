/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine of io_uring in a build without liburing: there is none.
 */
#include <errno.h>

#include "devices/blk/engine.h"

static int
uring_missing (void)
{
	return -ENOSYS;
}

const struct engine_ops engine_uring = {
	.name = "io_uring",
	.probe = uring_missing,
};
