/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Setting up rings by requests.
 */
#include "kernel/vring-setup.h"

int
vring_send_fd (struct vh_kernel *k, unsigned ring, enum dev_fd which, int fd)
{
	static int (*const set[DEV_FDS]) (struct vh_kernel *, unsigned, int) = {
		[DEV_KICK] = vh_kernel_set_vring_kick,
		[DEV_CALL] = vh_kernel_set_vring_call,
		[DEV_ERR] = vh_kernel_set_vring_err,
	};

	return set[which](k, ring, fd);
}

/* The kick is last, since the kernel looks at the ring as soon as it is there. */
int
vring_setup (struct vh_kernel *k, unsigned ring, const struct dev_ring *r, const struct vh_vring_addr *addr)
{
	int err = vh_kernel_set_vring_num (k, ring, r->size);

	if (err == 0)
		err = vh_kernel_set_vring_base (k, ring, r->base);
	if (err == 0)
		err = vh_kernel_set_vring_addr (k, ring, addr);
	if (err == 0)
		err = vring_send_fd (k, ring, DEV_CALL, r->fds[DEV_CALL]);
	if (err == 0 && r->fds[DEV_ERR] >= 0)
		err = vring_send_fd (k, ring, DEV_ERR, r->fds[DEV_ERR]);
	if (err == 0)
		err = vring_send_fd (k, ring, DEV_KICK, r->fds[DEV_KICK]);
	return err;
}

int
vrings_get_bases (struct vh_dev *dev, struct vh_kernel *k)
{
	int first = 0;

	for (unsigned i = 0; i < VH_MAX_RINGS; i++) {
		int err = dev_ring_ready (dev, i) ? vh_kernel_get_vring_base (k, i, &dev->rings[i].base) : 0;

		if (first == 0)
			first = err;
	}
	return first;
}
