/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * /dev/vhost-scsi: rings that are a target's of the kernel, by its name in configfs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/device.h"

#define ABI_VERSION 1

/* Rings for control, for events, and at most so many for requests (drivers/vhost/scsi.c, VHOST_SCSI_MAX_IO_VQ). */
#define SCSI_RINGS (2 + 1024)

_Static_assert (VH_SCSI_WWPN_SIZE == sizeof (((struct scsi_target *) 0)->wwpn), "TRANSPORT_IQN_LEN");

static int
request_endpoint (struct vh_kernel *k, enum kernel_request request, const char *wwpn, unsigned tpgt)
{
	struct scsi_target target = { .abi_version = ABI_VERSION, .tpgt = tpgt };

	if (strlen (wwpn) >= sizeof (target.wwpn) || tpgt > UINT16_MAX)
		return kernel_refuse (k, request, -EINVAL, "not the name of a target");
	memcpy (target.wwpn, wwpn, strlen (wwpn));
	return kernel_request (k, request, &target);
}

int
vh_kernel_scsi_set_endpoint (struct vh_kernel *k, const char *wwpn, unsigned tpgt)
{
	return request_endpoint (k, KERNEL_SCSI_SET_ENDPOINT, wwpn, tpgt);
}

int
vh_kernel_scsi_clear_endpoint (struct vh_kernel *k, const char *wwpn, unsigned tpgt)
{
	return request_endpoint (k, KERNEL_SCSI_CLEAR_ENDPOINT, wwpn, tpgt);
}

int
vh_kernel_scsi_get_abi_version (struct vh_kernel *k, int *ret)
{
	uint32_t version;
	int err = kernel_get_u32 (k, KERNEL_SCSI_GET_ABI_VERSION, &version);

	if (err >= 0)
		*ret = version;
	return err;
}

int
vh_kernel_scsi_set_events_missed (struct vh_kernel *k, uint32_t missed)
{
	return kernel_set_u32 (k, KERNEL_SCSI_SET_EVENTS_MISSED, missed);
}

int
vh_kernel_scsi_get_events_missed (struct vh_kernel *k, uint32_t *ret)
{
	return kernel_get_u32 (k, KERNEL_SCSI_GET_EVENTS_MISSED, ret);
}

/* --- as a device --- */

struct scsi_dev {
	struct kernel_dev kernel;
	char wwpn[VH_SCSI_WWPN_SIZE];
	unsigned tpgt;
};

static int
scsi_attach (struct kernel_dev *d)
{
	struct scsi_dev *scsi = (struct scsi_dev *) d;

	return vh_kernel_scsi_set_endpoint (d->kernel, scsi->wwpn, scsi->tpgt);
}

static int
scsi_detach (struct kernel_dev *d)
{
	struct scsi_dev *scsi = (struct scsi_dev *) d;

	return vh_kernel_scsi_clear_endpoint (d->kernel, scsi->wwpn, scsi->tpgt);
}

static const struct kernel_kind scsi_kind = {
	.attach = scsi_attach,
	.detach = scsi_detach,
	.n_rings = SCSI_RINGS < VH_MAX_RINGS ? SCSI_RINGS : VH_MAX_RINGS,
};

static const struct dev_ops scsi_ops = {
	.kind = "vhost-scsi",
	KERNEL_DEV_OPS,
};

int
vh_dev_new_scsi (struct vh_kernel *k, const char *wwpn, unsigned tpgt, struct vh_dev **ret)
{
	struct scsi_dev *scsi;

	if (strlen (wwpn) >= VH_SCSI_WWPN_SIZE || tpgt > UINT16_MAX)
		return -EINVAL;
	scsi = calloc (1, sizeof (*scsi));
	if (!scsi)
		return -ENOMEM;
	memcpy (scsi->wwpn, wwpn, strlen (wwpn));
	scsi->tpgt = tpgt;
	kernel_dev_init (&scsi->kernel, k, &scsi_ops, &scsi_kind);
	*ret = &scsi->kernel.dev;
	return 0;
}
