/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * /dev/vhost-net: rings that are a TAP's.
 */
#include <errno.h>
#include <stdlib.h>

#include "kernel/device.h"
#include "util/fd.h"

#define NET_RINGS 2

int
vh_kernel_net_set_backend (struct vh_kernel *k, unsigned ring, int fd)
{
	return kernel_set_file (k, KERNEL_NET_SET_BACKEND, ring, fd);
}

/* --- as a device --- */

struct net_dev {
	struct kernel_dev kernel;
	int fds[NET_RINGS];	/* ours */
};

static int
net_attach (struct kernel_dev *d)
{
	struct net_dev *net = (struct net_dev *) d;
	int err = 0;

	for (unsigned i = 0; err == 0 && i < NET_RINGS; i++)
		if (dev_ring_ready (&d->dev, i) && net->fds[i] >= 0)
			err = vh_kernel_net_set_backend (d->kernel, i, net->fds[i]);
	return err;
}

static int
net_detach (struct kernel_dev *d)
{
	int first = 0;

	for (unsigned i = 0; i < NET_RINGS; i++) {
		int err = dev_ring_ready (&d->dev, i) ? vh_kernel_net_set_backend (d->kernel, i, -1) : 0;

		if (first == 0)
			first = err;
	}
	return first;
}

static void
net_release (struct kernel_dev *d)
{
	struct net_dev *net = (struct net_dev *) d;

	for (unsigned i = 0; i < NET_RINGS; i++)
		fd_close (&net->fds[i]);
}

static const struct kernel_kind net_kind = {
	.attach = net_attach,
	.detach = net_detach,
	.release = net_release,
	.n_rings = NET_RINGS,
	/* Who puts the header before a packet is between the VMM and the TAP. */
	.hidden = VH_BIT (VH_NET_F_VIRTIO_NET_HDR),
};

static const struct dev_ops net_ops = {
	.kind = "vhost-net",
	KERNEL_DEV_OPS,
};

static int
copy_fds (struct net_dev *net, int rx_fd, int tx_fd)
{
	const int given[NET_RINGS] = { rx_fd, tx_fd };
	int err = 0;

	for (unsigned i = 0; i < NET_RINGS; i++)
		net->fds[i] = -1;
	for (unsigned i = 0; err >= 0 && i < NET_RINGS; i++)
		if (given[i] >= 0)
			err = net->fds[i] = fd_dup (given[i]);
	if (err < 0)
		net_release (&net->kernel);
	return err < 0 ? err : 0;
}

int
vh_dev_new_net (struct vh_kernel *k, int rx_fd, int tx_fd, struct vh_dev **ret)
{
	struct net_dev *net;
	int err;

	if (rx_fd < 0 && tx_fd < 0)
		return -EINVAL;
	net = calloc (1, sizeof (*net));
	if (!net)
		return -ENOMEM;
	err = copy_fds (net, rx_fd, tx_fd);
	if (err < 0) {
		free (net);
		return err;
	}
	kernel_dev_init (&net->kernel, k, &net_ops, &net_kind);
	*ret = &net->kernel.dev;
	return 0;
}
