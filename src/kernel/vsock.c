/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * /dev/vhost-vsock: sockets between a guest and its host.  The kernel serves two rings; the third one of the device, for events, stays with the VMM.
 */
#include <errno.h>
#include <stdlib.h>

#include "kernel/device.h"

#define VSOCK_RINGS 2

int
vh_kernel_vsock_set_guest_cid (struct vh_kernel *k, uint64_t cid)
{
	return kernel_set_u64 (k, KERNEL_VSOCK_SET_GUEST_CID, cid);
}

int
vh_kernel_vsock_set_running (struct vh_kernel *k, int running)
{
	return kernel_set_u32 (k, KERNEL_VSOCK_SET_RUNNING, running != 0);
}

/* --- as a device --- */

struct vsock_dev {
	struct kernel_dev kernel;
	uint64_t cid;
};

static int
vsock_attach (struct kernel_dev *d)
{
	int err = vh_kernel_vsock_set_guest_cid (d->kernel, ((struct vsock_dev *) d)->cid);

	return err < 0 ? err : vh_kernel_vsock_set_running (d->kernel, 1);
}

static int
vsock_detach (struct kernel_dev *d)
{
	return vh_kernel_vsock_set_running (d->kernel, 0);
}

static const struct kernel_kind vsock_kind = {
	.attach = vsock_attach,
	.detach = vsock_detach,
	.n_rings = VSOCK_RINGS,
};

static const struct dev_ops vsock_ops = {
	.kind = "vhost-vsock",
	KERNEL_DEV_OPS,
};

int
vh_dev_new_vsock (struct vh_kernel *k, uint64_t cid, struct vh_dev **ret)
{
	struct vsock_dev *vsock = calloc (1, sizeof (*vsock));

	if (!vsock)
		return -ENOMEM;
	vsock->cid = cid;
	kernel_dev_init (&vsock->kernel, k, &vsock_ops, &vsock_kind);
	*ret = &vsock->kernel.dev;
	return 0;
}
