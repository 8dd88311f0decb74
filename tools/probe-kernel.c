/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Asking a device of the kernel.  Nothing is set, but that a vDPA device is reset by being opened, which only works while nobody has it.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <vhost/vdpa.h>

#include "probe.h"

#define LENGTH(array) (sizeof (array) / sizeof ((array)[0]))

#define NET_DEVICE_ID 1

bool
probe_is_kernel (const char *path)
{
	struct stat st;

	if (stat (path, &st) == 0)
		return S_ISCHR (st.st_mode) || S_ISBLK (st.st_mode);
	return strncmp (path, "/dev/vhost-", strlen ("/dev/vhost-")) == 0;
}

/* Devices of vhost by the name that the kernel gives them. */
static const struct {
	const char *name;
	unsigned device_id;
} interfaces[] = {
	{ "vhost-net", NET_DEVICE_ID },
	{ "vhost-scsi", 8 },
	{ "vhost-vsock", 19 },
};

/* The node may be called anything: what it is stands in sysfs. */
static void
find_interface (const char *path, struct kernel_answers *a)
{
	char link[64], target[PATH_MAX] = "";
	const char *name = strrchr (path, '/');
	struct stat st;

	a->interface = "vhost";
	if (stat (path, &st) == 0) {
		snprintf (link, sizeof (link), "/sys/dev/char/%u:%u", major (st.st_rdev), minor (st.st_rdev));
		if (readlink (link, target, sizeof (target) - 1) > 0)
			name = strrchr (target, '/');
	}
	for (size_t i = 0; name && i < LENGTH (interfaces); i++)
		if (strcmp (name + 1, interfaces[i].name) == 0) {
			a->interface = interfaces[i].name;
			a->common.device = device_by_id (interfaces[i].device_id);
		}
}

/* What old kernels do not tell is left out. */
static int
optional (int err)
{
	return err == -EOPNOTSUPP ? 0 : err;
}

static int
ask_vdpa_config (struct vh_kernel *k, struct answers *a)
{
	unsigned wanted = a->device ? config_size (a->device, a->features) : 0;
	uint32_t size = 0;
	int err = vh_vdpa_get_config_size (k, &size);

	if (!a->device)
		a->config_missing = "what kind of device it is, is not known here";
	else if (wanted == 0)
		a->config_missing = "this device has none";
	else if (err == 0 && wanted > size)
		a->config_missing = "it is smaller than its features say";
	if (a->config_missing)
		return optional (err);
	err = vh_vdpa_get_config (k, 0, a->config, wanted);
	if (err == 0)
		a->config_size = wanted;
	return err;
}

static int
ask_vdpa (struct vh_kernel *k, struct kernel_answers *a)
{
	int err = vh_vdpa_get_vring_num (k, &a->queue_size);

	a->last_address = UINT64_MAX;
	a->groups = a->address_spaces = 1;
	if (err == 0)
		err = vh_vdpa_get_vqs_count (k, &a->common.queues);
	a->common.has_queues = err == 0;
	if (optional (err) == 0)
		err = optional (vh_vdpa_get_group_num (k, &a->groups));
	if (err == 0)
		err = optional (vh_vdpa_get_as_num (k, &a->address_spaces));
	if (err == 0)
		err = optional (vh_vdpa_get_iova_range (k, &a->first_address, &a->last_address));
	return err < 0 ? err : ask_vdpa_config (k, &a->common);
}

/* scsi answers the question for backend features to an owner only, and then not. */
static int
ask_backend_features (struct vh_kernel *k, struct kernel_answers *a)
{
	int err = vh_kernel_get_backend_features (k, &a->backend_features);

	a->has_backend_features = err == 0;
	return err == -EPERM ? 0 : optional (err);
}

static int
ask_all (struct vh_kernel *k, const struct probe_options *o, struct kernel_answers *a)
{
	uint32_t id = 0;
	int err = vh_kernel_get_features (k, &a->common.features);

	if (err == 0)
		err = ask_backend_features (k, a);
	if (err < 0)
		return err;
	a->is_vdpa = vh_vdpa_get_device_id (k, &id) == 0;
	if (a->is_vdpa) {
		a->interface = "vDPA";
		a->common.device = device_by_id (id);
		err = ask_vdpa (k, a);
	} else {
		find_interface (o->socket, a);
		a->common.has_slots = true;
		a->common.slots = vh_kernel_max_regions ();
		a->common.config_missing = "it is the VMM's";
	}
	if (!a->common.device)
		a->common.device = o->device;
	return err;
}

int
probe_ask_kernel (const struct probe_options *o, struct kernel_answers *a, char *failed, size_t size)
{
	struct vh_kernel *k;
	int err;

	memset (a, 0, sizeof (*a));
	a->common.socket = o->socket;
	err = vh_kernel_open (o->socket, NULL, &k, failed, size);
	if (err < 0)
		return err;
	err = ask_all (k, o, a);
	if (err < 0)
		snprintf (failed, size, "%s: %s", o->socket, vh_kernel_error (k));
	vh_kernel_free (k);
	return err;
}

/* --- names --- */

const char *
backend_feature_name (const struct answers *a, unsigned bit)
{
	static const char *const names[] = {
		[VH_BACKEND_IOTLB_MSG_V2] = "IOTLB_MSG_V2",
		[VH_BACKEND_IOTLB_BATCH] = "IOTLB_BATCH",
		[VH_BACKEND_IOTLB_ASID] = "IOTLB_ASID",
		[VH_BACKEND_SUSPEND] = "SUSPEND",
		[VH_BACKEND_RESUME] = "RESUME",
		[VH_BACKEND_ENABLE_AFTER_DRIVER_OK] = "ENABLE_AFTER_DRIVER_OK",
		[VH_BACKEND_DESC_ASID] = "DESC_ASID",
		[VH_BACKEND_IOTLB_PERSIST] = "IOTLB_PERSIST",
	};

	(void) a;
	return bit < LENGTH (names) ? names[bit] : NULL;
}

/* vhost-net has a bit of its own where others have none. */
const char *
kernel_feature_name (const struct answers *a, unsigned bit)
{
	unsigned id = a->device ? a->device->id : 0;

	if (id == NET_DEVICE_ID && bit == VH_NET_F_VIRTIO_NET_HDR && !vh_virtio_feature_name (id, bit))
		return "VIRTIO_NET_HDR";
	return vh_virtio_feature_name (id, bit);
}
