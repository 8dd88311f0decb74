/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests about one ring, and about the workers that serve rings.
 */
#include <stddef.h>

#include "kernel/kernel.h"

int
vh_kernel_set_vring_num (struct vh_kernel *k, unsigned ring, unsigned size)
{
	return kernel_set_state (k, KERNEL_SET_VRING_NUM, ring, size);
}

int
vh_kernel_set_vring_addr (struct vh_kernel *k, unsigned ring, const struct vh_vring_addr *addr)
{
	struct vring_addr a = {
		.index = ring, .flags = addr->flags, .desc = addr->desc, .used = addr->used, .avail = addr->avail, .log = addr->log,
	};

	return kernel_request (k, KERNEL_SET_VRING_ADDR, &a);
}

int
vh_kernel_set_vring_base (struct vh_kernel *k, unsigned ring, uint32_t base)
{
	return kernel_set_state (k, KERNEL_SET_VRING_BASE, ring, base);
}

int
vh_kernel_get_vring_base (struct vh_kernel *k, unsigned ring, uint32_t *ret)
{
	return kernel_get_state (k, KERNEL_GET_VRING_BASE, ring, ret);
}

int
vh_kernel_set_vring_kick (struct vh_kernel *k, unsigned ring, int fd)
{
	return kernel_set_file (k, KERNEL_SET_VRING_KICK, ring, fd);
}

int
vh_kernel_set_vring_call (struct vh_kernel *k, unsigned ring, int fd)
{
	return kernel_set_file (k, KERNEL_SET_VRING_CALL, ring, fd);
}

int
vh_kernel_set_vring_err (struct vh_kernel *k, unsigned ring, int fd)
{
	return kernel_set_file (k, KERNEL_SET_VRING_ERR, ring, fd);
}

int
vh_kernel_set_vring_endian (struct vh_kernel *k, unsigned ring, unsigned big)
{
	return kernel_set_state (k, KERNEL_SET_VRING_ENDIAN, ring, big);
}

int
vh_kernel_get_vring_endian (struct vh_kernel *k, unsigned ring, unsigned *ret)
{
	return kernel_get_state (k, KERNEL_GET_VRING_ENDIAN, ring, ret);
}

int
vh_kernel_set_vring_busyloop (struct vh_kernel *k, unsigned ring, unsigned microseconds)
{
	return kernel_set_state (k, KERNEL_SET_VRING_BUSYLOOP_TIMEOUT, ring, microseconds);
}

int
vh_kernel_get_vring_busyloop (struct vh_kernel *k, unsigned ring, unsigned *ret)
{
	return kernel_get_state (k, KERNEL_GET_VRING_BUSYLOOP_TIMEOUT, ring, ret);
}

/* --- workers --- */

int
vh_kernel_new_worker (struct vh_kernel *k, unsigned *ret)
{
	return kernel_get_u32 (k, KERNEL_NEW_WORKER, ret);
}

int
vh_kernel_free_worker (struct vh_kernel *k, unsigned worker)
{
	return kernel_set_u32 (k, KERNEL_FREE_WORKER, worker);
}

int
vh_kernel_attach_vring_worker (struct vh_kernel *k, unsigned ring, unsigned worker)
{
	struct vring_worker w = { .index = ring, .worker = worker };

	return kernel_request (k, KERNEL_ATTACH_VRING_WORKER, &w);
}

int
vh_kernel_get_vring_worker (struct vh_kernel *k, unsigned ring, unsigned *ret)
{
	struct vring_worker w = { .index = ring };
	int err = kernel_request (k, KERNEL_GET_VRING_WORKER, &w);

	if (err >= 0)
		*ret = w.worker;
	return err;
}
