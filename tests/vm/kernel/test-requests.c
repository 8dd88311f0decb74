/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The requests of the kernel's vhost that nothing else here needs, or that are worth a look by themselves: what real devices answer, also what they refuse.
 * test-requests WWPN: the name of a target of vhost-scsi.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <vhost/kernel.h>
#include <vhost/protocol.h>

#include "tests/vm/kernel/rig.h"
#include "tests/vm/kernel/tap.h"

static const char *wwpn;

static void
features (void)
{
	struct vh_kernel *k = rig_open_kernel ("/dev/vhost-net");
	uint64_t offered = 0, backend = 0, words[2];
	int err;

	KERNEL_OK (k, vh_kernel_get_features (k, &offered));
	CU_ASSERT (offered & VH_BIT (VH_F_VERSION_1) && offered & VH_BIT (VH_F_LOG_ALL) && offered & VH_BIT (VH_NET_F_VIRTIO_NET_HDR));
	KERNEL_OK (k, vh_kernel_get_backend_features (k, &backend));
	CU_ASSERT (backend & VH_BIT (VH_BACKEND_IOTLB_MSG_V2));
	CU_ASSERT_EQUAL (vh_kernel_set_backend_features (k, VH_BIT (VH_BACKEND_SUSPEND)), -EOPNOTSUPP);
	KERNEL_OK (k, vh_kernel_set_owner (k));
	KERNEL_OK (k, vh_kernel_set_features (k, VH_BIT (VH_F_VERSION_1)));
	CU_ASSERT_EQUAL (vh_kernel_set_features (k, VH_BIT (VH_F_RING_PACKED)), -EOPNOTSUPP);
	CU_ASSERT_STRING_EQUAL (vh_kernel_error (k), "VHOST_SET_FEATURES: the device does not have all of them");
	KERNEL_OK (k, vh_kernel_set_backend_features (k, VH_BIT (VH_BACKEND_IOTLB_MSG_V2)));
	/* Kernels from 6.17 on have it. */
	err = vh_kernel_get_features_array (k, words, 2);
	CU_ASSERT (err == -EOPNOTSUPP || (err == 0 && words[0] == offered));
	err = vh_kernel_set_features_array (k, (const uint64_t[]){ VH_BIT (VH_F_VERSION_1) }, 1);
	CU_ASSERT (err == -EOPNOTSUPP || err == 0);
	KERNEL_OK (k, vh_kernel_reset_owner (k));
	KERNEL_OK (k, vh_kernel_set_owner (k));
	vh_kernel_free (k);
}

static void
who_workers_belong_to (void)
{
	struct vh_kernel *k = rig_open_kernel ("/dev/vhost-net");
	unsigned fork = 9;
	int err = vh_kernel_get_fork_from_owner (k, &fork);

	if (err == 0) {
		CU_ASSERT_EQUAL (fork, 1);
		KERNEL_OK (k, vh_kernel_set_fork_from_owner (k, 0));
		CU_ASSERT_EQUAL (vh_kernel_set_fork_from_owner (k, 2), -EINVAL);
		KERNEL_OK (k, vh_kernel_get_fork_from_owner (k, &fork));
		CU_ASSERT_EQUAL (fork, 0);
		KERNEL_OK (k, vh_kernel_set_owner (k));
		CU_ASSERT_EQUAL (vh_kernel_set_fork_from_owner (k, 1), -EBUSY);
	} else
		/* It has no owner yet, and that is what an old kernel looks at first. */
		CU_ASSERT (err == -EPERM || err == -EOPNOTSUPP);
	vh_kernel_free (k);
}

static void
memory (void)
{
	struct vh_kernel *k = rig_open_kernel ("/dev/vhost-net");
	size_t page = 4096, count = vh_kernel_max_regions () + 1;
	struct vh_region *regions = calloc (count, sizeof (*regions));
	uint8_t *host = mmap (NULL, page * count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int event = eventfd (0, 0);

	CU_ASSERT_FATAL (regions && host != MAP_FAILED);
	printf ("the module vhost takes %zu regions\n", count - 1);
	for (size_t i = 0; i < count; i++)
		regions[i] = (struct vh_region){ .guest_addr = i * page, .size = page, .user_addr = (uintptr_t) host + i * page };
	KERNEL_OK (k, vh_kernel_set_owner (k));
	KERNEL_OK (k, vh_kernel_set_mem_table (k, NULL, 0));
	KERNEL_OK (k, vh_kernel_set_mem_table (k, regions, count - 1));
	if (count <= VH_MAX_REGIONS) {
		CU_ASSERT_EQUAL (vh_kernel_set_mem_table (k, regions, count), -E2BIG);
		CU_ASSERT_STRING_EQUAL (vh_kernel_error (k),
					"VHOST_SET_MEM_TABLE: more regions than the module vhost takes (its parameter max_mem_regions)");
	}
	regions[0].guest_addr = UINT64_MAX - page / 2;
	CU_ASSERT_EQUAL (vh_kernel_set_mem_table (k, regions, 1), -EFAULT);
	CU_ASSERT_STRING_EQUAL (vh_kernel_error (k), "VHOST_SET_MEM_TABLE: a region wraps, or a ring that runs is not in them");
	KERNEL_OK (k, vh_kernel_set_log_base (k, host));
	KERNEL_OK (k, vh_kernel_set_log_fd (k, event));
	KERNEL_OK (k, vh_kernel_set_log_fd (k, -1));
	CU_ASSERT_EQUAL (vh_kernel_set_log_fd (k, STDIN_FILENO), -EINVAL);
	CU_ASSERT_EQUAL (vh_kernel_set_log_fd (k, 999), -EBADF);
	vh_kernel_free (k);
	close (event);
	free (regions);
}

static void
rings (void)
{
	struct vh_kernel *k = rig_open_kernel ("/dev/vhost-net");
	int event = eventfd (0, 0);
	uint32_t base = 0;

	KERNEL_OK (k, vh_kernel_set_owner (k));
	KERNEL_OK (k, vh_kernel_set_vring_num (k, 1, 256));
	CU_ASSERT_EQUAL (vh_kernel_set_vring_num (k, 1, 0), -EINVAL);
	CU_ASSERT_EQUAL (vh_kernel_set_vring_num (k, 1, 3), -EINVAL);
	CU_ASSERT_EQUAL (vh_kernel_set_vring_num (k, 1, 65536), -EINVAL);
	CU_ASSERT_EQUAL (vh_kernel_set_vring_num (k, 2, 256), -ENOBUFS);
	CU_ASSERT_STRING_EQUAL (vh_kernel_error (k), "VHOST_SET_VRING_NUM: there is no such ring");
	KERNEL_OK (k, vh_kernel_set_vring_base (k, 1, 0xffff));
	CU_ASSERT_EQUAL (vh_kernel_set_vring_base (k, 1, 0x10000), -EINVAL);
	KERNEL_OK (k, vh_kernel_get_vring_base (k, 1, &base));
	CU_ASSERT_EQUAL (base, 0xffff);
	CU_ASSERT_EQUAL (vh_kernel_set_vring_addr (k, 1, &(struct vh_vring_addr){ .used = 2 }), -EINVAL);
	CU_ASSERT_EQUAL (vh_kernel_set_vring_addr (k, 1, &(struct vh_vring_addr){ .flags = 2 }), -EOPNOTSUPP);
	KERNEL_OK (k, vh_kernel_set_vring_kick (k, 1, event));
	KERNEL_OK (k, vh_kernel_set_vring_call (k, 1, event));
	KERNEL_OK (k, vh_kernel_set_vring_err (k, 1, event));
	KERNEL_OK (k, vh_kernel_set_vring_err (k, 1, -1));
	CU_ASSERT_EQUAL (vh_kernel_set_vring_call (k, 1, STDIN_FILENO), -EINVAL);
	CU_ASSERT_EQUAL (vh_kernel_set_vring_kick (k, 1, 999), -EBADF);
	CU_ASSERT_EQUAL (vh_kernel_net_set_backend (k, 2, -1), -ENOBUFS);
	close (event);
	vh_kernel_free (k);
}

static void
ring_options (void)
{
	struct vh_kernel *k = rig_open_kernel ("/dev/vhost-net");
	unsigned value = 0;
	int err;

	KERNEL_OK (k, vh_kernel_set_owner (k));
	KERNEL_OK (k, vh_kernel_set_vring_busyloop (k, 1, 123));
	KERNEL_OK (k, vh_kernel_get_vring_busyloop (k, 1, &value));
	CU_ASSERT_EQUAL (value, 123);
	/* Only kernels that were built with it, mostly those for big-endian processors. */
	err = vh_kernel_set_vring_endian (k, 1, 1);
	CU_ASSERT (err == -EOPNOTSUPP || err == 0);
	CU_ASSERT_EQUAL (vh_kernel_get_vring_endian (k, 1, &value), err);
	/* net has no workers to attach. */
	CU_ASSERT_EQUAL (vh_kernel_new_worker (k, &value), -EOPNOTSUPP);
	CU_ASSERT_STRING_EQUAL (vh_kernel_error (k), "VHOST_NEW_WORKER: this device, or this kernel, does not have it");
	CU_ASSERT_EQUAL (vh_kernel_get_vring_worker (k, 0, &value), -EOPNOTSUPP);
	vh_kernel_free (k);
}

static void
messages_of_both_versions (void)
{
	struct vh_kernel *k = rig_open_kernel ("/dev/vhost-net");
	struct vh_kernel_iotlb m = { .iova = 0x1000, .size = 0x1000, .access = VH_ACCESS_RW, .type = VH_IOTLB_UPDATE };
	uint8_t *host = mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CU_ASSERT_FATAL (host != MAP_FAILED);
	m.user_addr = (uintptr_t) host;
	KERNEL_OK (k, vh_kernel_set_owner (k));
	CU_ASSERT_EQUAL (vh_kernel_send_iotlb (k, &m), -EFAULT);
	KERNEL_OK (k, vh_kernel_set_features (k, VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_ACCESS_PLATFORM)));
	KERNEL_OK (k, vh_kernel_send_iotlb (k, &m));
	KERNEL_OK (k, vh_kernel_set_backend_features (k, VH_BIT (VH_BACKEND_IOTLB_MSG_V2)));
	KERNEL_OK (k, vh_kernel_send_iotlb (k, &m));
	m.type = VH_IOTLB_INVALIDATE;
	KERNEL_OK (k, vh_kernel_send_iotlb (k, &m));
	CU_ASSERT_EQUAL (vh_kernel_receive_iotlb (k, &m), -EAGAIN);
	m.type = VH_IOTLB_UPDATE;
	m.user_addr = UINT64_C (0xffff800000000000);
	CU_ASSERT_EQUAL (vh_kernel_send_iotlb (k, &m), -EFAULT);
	munmap (host, 4096);
	vh_kernel_free (k);
}

static void
vsock (void)
{
	struct vh_kernel *k = rig_open_kernel ("/dev/vhost-vsock"), *other = rig_open_kernel ("/dev/vhost-vsock");
	const uint64_t never[] = { 0, 1, 2, 0xffffffff, 0x100000000 };

	KERNEL_OK (k, vh_kernel_set_owner (k));
	for (unsigned i = 0; i < sizeof (never) / sizeof (never[0]); i++)
		CU_ASSERT_EQUAL (vh_kernel_vsock_set_guest_cid (k, never[i]), -EINVAL);
	KERNEL_OK (k, vh_kernel_vsock_set_guest_cid (k, 77));
	CU_ASSERT_EQUAL (vh_kernel_vsock_set_guest_cid (other, 77), -EADDRINUSE);
	CU_ASSERT_STRING_EQUAL (vh_kernel_error (other), "VHOST_VSOCK_SET_GUEST_CID: another guest has this address");
	CU_ASSERT_EQUAL (vh_kernel_vsock_set_running (other, 1), -EPERM);
	vh_kernel_free (k);
	KERNEL_OK (other, vh_kernel_vsock_set_guest_cid (other, 77));
	vh_kernel_free (other);
}

/* As a device: the target takes the rings, and gives them back. */
static void
scsi (void)
{
	struct vh_kernel *k = rig_open_kernel ("/dev/vhost-scsi");
	struct vh_dev *dev = NULL;
	struct rig r;
	uint32_t missed = 9;
	uint64_t offered = 0;
	int version = 0;

	KERNEL_OK (k, vh_kernel_scsi_get_abi_version (k, &version));
	CU_ASSERT_EQUAL (version, 1);
	KERNEL_OK (k, vh_kernel_scsi_set_events_missed (k, 1));
	KERNEL_OK (k, vh_kernel_scsi_get_events_missed (k, &missed));
	CU_ASSERT_EQUAL (missed, 1);
	CU_ASSERT_EQUAL (vh_kernel_get_backend_features (k, &offered), -EPERM);
	CU_ASSERT_EQUAL_FATAL (vh_dev_new_scsi (k, wwpn, 1, &dev), 0);
	DEV_OK (dev, vh_dev_set_owner (dev));
	CU_ASSERT_EQUAL (vh_kernel_get_backend_features (k, &offered), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_kernel_reset_owner (k), -EOPNOTSUPP);
	DEV_OK (dev, vh_dev_get_features (dev, &offered));
	DEV_OK (dev, vh_dev_set_features (dev, offered & VH_BIT (VH_F_VERSION_1)));
	rig_open (&r, 3, VH_BIT (VH_F_VERSION_1), 4096);
	rig_give (&r, dev);
	DEV_OK (dev, vh_dev_start (dev));
	CU_ASSERT_EQUAL (vh_kernel_scsi_set_endpoint (k, wwpn, 1), -EEXIST);
	CU_ASSERT_EQUAL (vh_kernel_scsi_clear_endpoint (k, "naa.none", 1), -EINVAL);
	CU_ASSERT_EQUAL (vh_kernel_set_vring_num (k, 0, 16), -EBUSY);
	CU_ASSERT_STRING_EQUAL (vh_kernel_error (k), "VHOST_SET_VRING_NUM: the ring runs");
	DEV_OK (dev, vh_dev_stop (dev));
	DEV_OK (dev, vh_dev_start (dev));
	vh_dev_free (dev);
	rig_close (&r);
	CU_ASSERT_EQUAL (vh_dev_new_scsi (rig_open_kernel ("/dev/vhost-scsi"), "naa.none", 1, &dev), 0);
	DEV_OK (dev, vh_dev_set_owner (dev));
	DEV_OK (dev, vh_dev_set_features (dev, 0));
	rig_open (&r, 3, VH_BIT (VH_F_VERSION_1), 4096);
	rig_give (&r, dev);
	CU_ASSERT_EQUAL (vh_dev_start (dev), -ENODEV);
	CU_ASSERT_STRING_EQUAL (vh_dev_error (dev), "VHOST_SCSI_SET_ENDPOINT: there is no free target with this name");
	vh_dev_free (dev);
	rig_close (&r);
}

static void
workers (void)
{
	struct vh_kernel *k = rig_open_kernel ("/dev/vhost-scsi");
	unsigned first = 0, second = 0, is = 0;

	CU_ASSERT_EQUAL (vh_kernel_new_worker (k, &first), -EINVAL);
	KERNEL_OK (k, vh_kernel_set_owner (k));
	KERNEL_OK (k, vh_kernel_get_vring_worker (k, 2, &first));
	KERNEL_OK (k, vh_kernel_new_worker (k, &second));
	CU_ASSERT_NOT_EQUAL (first, second);
	KERNEL_OK (k, vh_kernel_attach_vring_worker (k, 2, second));
	KERNEL_OK (k, vh_kernel_get_vring_worker (k, 2, &is));
	CU_ASSERT_EQUAL (is, second);
	CU_ASSERT_EQUAL (vh_kernel_free_worker (k, second), -EBUSY);
	CU_ASSERT_STRING_EQUAL (vh_kernel_error (k), "VHOST_FREE_WORKER: the worker has rings");
	KERNEL_OK (k, vh_kernel_attach_vring_worker (k, 2, first));
	KERNEL_OK (k, vh_kernel_free_worker (k, second));
	CU_ASSERT_EQUAL (vh_kernel_free_worker (k, second), -ENODEV);
	CU_ASSERT_EQUAL (vh_kernel_attach_vring_worker (k, 2, second), -ENODEV);
	CU_ASSERT_EQUAL (vh_kernel_attach_vring_worker (k, 5000, first), -ENOBUFS);
	vh_kernel_free (k);
	/* With kernel threads there is one only. */
	k = rig_open_kernel ("/dev/vhost-scsi");
	if (vh_kernel_set_fork_from_owner (k, 0) == 0) {
		KERNEL_OK (k, vh_kernel_set_owner (k));
		CU_ASSERT_EQUAL (vh_kernel_new_worker (k, &second), -EFAULT);
		CU_ASSERT_STRING_EQUAL (vh_kernel_error (k), "VHOST_NEW_WORKER: workers are kernel threads here (VHOST_SET_FORK_FROM_OWNER)");
	}
	vh_kernel_free (k);
}

int
main (int argc, char **argv)
{
	CU_TestInfo tests[] = {
		{ "features", features },
		{ "who workers belong to", who_workers_belong_to },
		{ "memory", memory },
		{ "rings", rings },
		{ "ring options", ring_options },
		{ "messages of both versions", messages_of_both_versions },
		{ "vsock", vsock },
		{ "scsi", scsi },
		{ "workers", workers },
		CU_TEST_INFO_NULL,
	};

	if (argc != 2)
		return 2;
	wwpn = argv[1];
	return recorder_report (suite_run ("requests", tests));
}
