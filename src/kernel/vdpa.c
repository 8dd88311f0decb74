/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests of vDPA devices: what the device is, its status, its configuration.
 */
#include <errno.h>
#include <string.h>

#include <vhost/vdpa.h>

#include "kernel/kernel.h"

int
vh_vdpa_get_device_id (struct vh_kernel *k, uint32_t *ret)
{
	return kernel_get_u32 (k, KERNEL_VDPA_GET_DEVICE_ID, ret);
}

int
vh_vdpa_get_status (struct vh_kernel *k, uint8_t *ret)
{
	uint8_t status = 0;
	int err = kernel_request (k, KERNEL_VDPA_GET_STATUS, &status);

	if (err >= 0)
		*ret = status;
	return err;
}

int
vh_vdpa_set_status (struct vh_kernel *k, uint8_t status)
{
	return kernel_request (k, KERNEL_VDPA_SET_STATUS, &status);
}

/* --- configuration --- */

union config {
	struct vdpa_config header;
	uint8_t bytes[sizeof (struct vdpa_config) + VH_MAX_CONFIG_SIZE];
};

static int
config_init (struct vh_kernel *k, enum kernel_request request, union config *c, uint32_t offset, uint32_t size)
{
	if (size < 1 || size > VH_MAX_CONFIG_SIZE)
		return kernel_refuse (k, request, -EINVAL, "not a number of bytes");
	memset (c, 0, sizeof (*c));
	c->header.offset = offset;
	c->header.size = size;
	return 0;
}

int
vh_vdpa_get_config_size (struct vh_kernel *k, uint32_t *ret)
{
	return kernel_get_u32 (k, KERNEL_VDPA_GET_CONFIG_SIZE, ret);
}

int
vh_vdpa_get_config (struct vh_kernel *k, uint32_t offset, void *buf, uint32_t size)
{
	union config c;
	int err = config_init (k, KERNEL_VDPA_GET_CONFIG, &c, offset, size);

	if (err == 0)
		err = kernel_request (k, KERNEL_VDPA_GET_CONFIG, &c);
	if (err >= 0)
		memcpy (buf, c.bytes + sizeof (c.header), size);
	return err;
}

int
vh_vdpa_set_config (struct vh_kernel *k, uint32_t offset, const void *buf, uint32_t size)
{
	union config c;
	int err = config_init (k, KERNEL_VDPA_SET_CONFIG, &c, offset, size);

	if (err < 0)
		return err;
	memcpy (c.bytes + sizeof (c.header), buf, size);
	return kernel_request (k, KERNEL_VDPA_SET_CONFIG, &c);
}

int
vh_vdpa_set_config_call (struct vh_kernel *k, int fd)
{
	return kernel_set_u32 (k, KERNEL_VDPA_SET_CONFIG_CALL, fd < 0 ? -1 : fd);
}

/* --- running --- */

int
vh_vdpa_suspend (struct vh_kernel *k)
{
	return kernel_request (k, KERNEL_VDPA_SUSPEND, NULL);
}

int
vh_vdpa_resume (struct vh_kernel *k)
{
	return kernel_request (k, KERNEL_VDPA_RESUME, NULL);
}
