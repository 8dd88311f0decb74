/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests of vDPA devices: rings, groups of them, and address spaces.
 */
#include <vhost/vdpa.h>

#include "kernel/kernel.h"

int
vh_vdpa_get_vqs_count (struct vh_kernel *k, unsigned *ret)
{
	return kernel_get_u32 (k, KERNEL_VDPA_GET_VQS_COUNT, ret);
}

int
vh_vdpa_get_vring_num (struct vh_kernel *k, unsigned *ret)
{
	uint16_t num = 0;
	int err = kernel_request (k, KERNEL_VDPA_GET_VRING_NUM, &num);

	if (err >= 0)
		*ret = num;
	return err;
}

int
vh_vdpa_get_vring_size (struct vh_kernel *k, unsigned ring, unsigned *ret)
{
	return kernel_get_state (k, KERNEL_VDPA_GET_VRING_SIZE, ring, ret);
}

int
vh_vdpa_set_vring_enable (struct vh_kernel *k, unsigned ring, int enable)
{
	return kernel_set_state (k, KERNEL_VDPA_SET_VRING_ENABLE, ring, enable != 0);
}

/* --- address spaces --- */

int
vh_vdpa_get_iova_range (struct vh_kernel *k, uint64_t *first, uint64_t *last)
{
	struct iova_range range = { 0 };
	int err = kernel_request (k, KERNEL_VDPA_GET_IOVA_RANGE, &range);

	if (err >= 0) {
		*first = range.first;
		*last = range.last;
	}
	return err;
}

int
vh_vdpa_get_as_num (struct vh_kernel *k, unsigned *ret)
{
	return kernel_get_u32 (k, KERNEL_VDPA_GET_AS_NUM, ret);
}

int
vh_vdpa_get_group_num (struct vh_kernel *k, unsigned *ret)
{
	return kernel_get_u32 (k, KERNEL_VDPA_GET_GROUP_NUM, ret);
}

int
vh_vdpa_get_vring_group (struct vh_kernel *k, unsigned ring, unsigned *ret)
{
	return kernel_get_state (k, KERNEL_VDPA_GET_VRING_GROUP, ring, ret);
}

int
vh_vdpa_get_vring_desc_group (struct vh_kernel *k, unsigned ring, unsigned *ret)
{
	return kernel_get_state (k, KERNEL_VDPA_GET_VRING_DESC_GROUP, ring, ret);
}

int
vh_vdpa_set_group_asid (struct vh_kernel *k, unsigned group, unsigned asid)
{
	return kernel_set_state (k, KERNEL_VDPA_SET_GROUP_ASID, group, asid);
}
