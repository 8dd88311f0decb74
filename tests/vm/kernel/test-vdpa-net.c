/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vDPA network device (the kernel's simulator): frames through it, a control queue in an address space of its own, and a guest's own IOMMU.
 * test-vdpa-net DEVICE
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vhost/vdpa.h>

#include "tests/vm/kernel/frames.h"

#define F_MAC 5
#define F_CTRL_VQ 17
#define F_CTRL_MAC_ADDR 23
#define CONTROL 2

/* virtio 1.2, 5.1.6.5.2. */
#define CLASS_MAC 1
#define COMMAND_ADDR_SET 1

static const char *path;

static struct vh_dev *
open_net (struct vh_kernel **k)
{
	struct vh_dev *dev = NULL;

	*k = rig_open_kernel (path);
	CU_ASSERT_EQUAL_FATAL (vh_dev_new_vdpa (*k, &dev), 0);
	DEV_OK (dev, vh_dev_set_owner (dev));
	return dev;
}

static void
frames_come_back (void)
{
	struct vh_kernel *k;
	struct vh_dev *dev = open_net (&k);
	struct frames f;
	uint32_t id = 0;

	KERNEL_OK (k, vh_vdpa_get_device_id (k, &id));
	CU_ASSERT_EQUAL (id, 1);
	frames_open (&f, VH_BIT (VH_F_VERSION_1));
	DEV_OK (dev, vh_dev_set_features (dev, VH_BIT (VH_F_VERSION_1)));
	rig_give (&f.rig, dev);
	DEV_OK (dev, vh_dev_start (dev));
	frames_exchange (&f, 1000);
	DEV_OK (dev, vh_dev_stop (dev));
	frames_expect_bases (&f, dev);
	printf ("vDPA net: %u frames, checksum %016llx\n", f.next, (unsigned long long) f.received_sum);
	vh_dev_free (dev);
	frames_close (&f);
}

/* --- address spaces --- */

struct control {
	uint8_t class, command, mac[6], ack;
} __attribute__ ((packed));

/* Sets the address through the control queue, whose memory is `rig`. */
static void
set_mac (struct rig *r, uint64_t addr, const uint8_t *mac)
{
	struct control *c = guest_at (&r->guest, addr);
	const struct queue_buffer b[] = { { addr, 2 }, { addr + 2, 6 }, { addr + 8, 1 } };

	*c = (struct control){ .class = CLASS_MAC, .command = COMMAND_ADDR_SET, .ack = 0xff };
	memcpy (c->mac, mac, 6);
	CU_ASSERT_EQUAL_FATAL (queue_add (r->queues[0], b, 2, 1, r), 0);
	CU_ASSERT_EQUAL_FATAL (queue_publish (r->queues[0]), 0);
	rig_take (r, 0);
	CU_ASSERT_EQUAL (c->ack, 0);
}

static void
start_control (struct vh_kernel *k, struct rig *r)
{
	const uint64_t features = VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_ACCESS_PLATFORM) | VH_BIT (F_MAC) | VH_BIT (F_CTRL_VQ) | VH_BIT (F_CTRL_MAC_ADDR);
	struct vh_vring_addr addr = { 0 };
	uint64_t shift = guest_user_addr (&r->guest, GUEST_BASE) - GUEST_BASE;
	uint8_t status = 0;

	KERNEL_OK (k, vh_vdpa_set_status (k, VH_STATUS_ACKNOWLEDGE | VH_STATUS_DRIVER));
	KERNEL_OK (k, vh_kernel_set_features (k, features));
	KERNEL_OK (k, vh_vdpa_set_status (k, VH_STATUS_ACKNOWLEDGE | VH_STATUS_DRIVER | VH_STATUS_FEATURES_OK));
	queue_addresses (r->queues[0], &addr);
	addr.desc -= shift;
	addr.avail -= shift;
	addr.used -= shift;
	KERNEL_OK (k, vh_kernel_set_vring_num (k, CONTROL, queue_size (r->queues[0])));
	KERNEL_OK (k, vh_kernel_set_vring_addr (k, CONTROL, &addr));
	KERNEL_OK (k, vh_kernel_set_vring_base (k, CONTROL, 0));
	KERNEL_OK (k, vh_kernel_set_vring_call (k, CONTROL, queue_call_fd (r->queues[0])));
	KERNEL_OK (k, vh_kernel_set_vring_kick (k, CONTROL, queue_kick_fd (r->queues[0])));
	KERNEL_OK (k, vh_vdpa_set_vring_enable (k, CONTROL, 1));
	KERNEL_OK (k, vh_vdpa_set_status (k, VH_STATUS_ACKNOWLEDGE | VH_STATUS_DRIVER | VH_STATUS_FEATURES_OK | VH_STATUS_DRIVER_OK));
	KERNEL_OK (k, vh_vdpa_get_status (k, &status));
	CU_ASSERT_EQUAL (status, VH_STATUS_ACKNOWLEDGE | VH_STATUS_DRIVER | VH_STATUS_FEATURES_OK | VH_STATUS_DRIVER_OK);
}

/*
 * The control queue's group is put into address space 1, and only there is its memory mapped: it works.  What is mapped in space 0, at the same addresses, is
 * another memory, which stays as it was.
 */
static void
the_control_queue_has_its_own_address_space (void)
{
	static const uint8_t mac[6] = { 2, 0xaa, 0xbb, 0xcc, 0xdd, 1 };
	struct vh_kernel *k;
	struct vh_dev *dev = open_net (&k);
	struct vh_vdpa_map *map, *other;
	struct vh_region regions[2];
	struct rig r;
	uint8_t is[6] = { 0 }, *decoy;
	unsigned group = 0, n = 0;
	uint64_t addr;

	KERNEL_OK (k, vh_vdpa_get_as_num (k, &n));
	CU_ASSERT_EQUAL (n, 2);
	KERNEL_OK (k, vh_vdpa_get_vring_group (k, CONTROL, &group));
	CU_ASSERT_EQUAL (group, 1);
	CU_ASSERT_EQUAL (vh_vdpa_set_group_asid (k, group, 2), -EINVAL);
	CU_ASSERT_STRING_EQUAL (vh_kernel_error (k), "VHOST_VDPA_SET_GROUP_ASID: there is no such group or address space");
	KERNEL_OK (k, vh_vdpa_set_group_asid (k, group, 1));

	rig_open (&r, 1, VH_BIT (VH_F_VERSION_1), 4096);
	addr = rig_alloc (&r, sizeof (struct control));
	decoy = mmap (NULL, r.guest.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CU_ASSERT_PTR_NOT_EQUAL_FATAL (decoy, MAP_FAILED);
	regions[0] = regions[1] = rig_region (&r);
	regions[1].user_addr = (uintptr_t) decoy;
	CU_ASSERT_EQUAL_FATAL (vh_vdpa_map_new (k, 1, &map), 0);
	CU_ASSERT_EQUAL_FATAL (vh_vdpa_map_new (k, 0, &other), 0);
	KERNEL_OK (k, vh_vdpa_map_set (map, &regions[0], 1));
	KERNEL_OK (k, vh_vdpa_map_set (other, &regions[1], 1));
	start_control (k, &r);
	set_mac (&r, addr, mac);
	DEV_OK (dev, vh_dev_get_config (dev, 0, is, sizeof (is)));
	CU_ASSERT_EQUAL (memcmp (is, mac, 6), 0);
	for (size_t i = 0; i < r.guest.size; i++)
		CU_ASSERT_FATAL (decoy[i] == 0);
	KERNEL_OK (k, vh_vdpa_set_status (k, 0));
	vh_vdpa_map_free (map);
	vh_vdpa_map_free (other);
	vh_dev_free (dev);
	munmap (decoy, r.guest.size);
	rig_close (&r);
}

/* ACCESS_PLATFORM is the guest's: the VMM maps, by the same call as for other devices. */
static void
an_iommu_of_the_guest (void)
{
	struct vh_kernel *k;
	struct vh_dev *dev = open_net (&k);
	struct frames f;
	struct vh_region r;

	frames_open (&f, VH_BIT (VH_F_VERSION_1));
	DEV_OK (dev, vh_dev_set_features (dev, VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_ACCESS_PLATFORM)));
	f.rig.iova = true;
	rig_give (&f.rig, dev);
	r = rig_region (&f.rig);
	DEV_OK (dev, vh_dev_iotlb_update (dev, r.guest_addr, r.size, r.user_addr, VH_ACCESS_RW));
	CU_ASSERT_EQUAL (vh_dev_iotlb_update (dev, r.guest_addr, r.size, r.user_addr, VH_ACCESS_RW), -EFAULT);
	DEV_OK (dev, vh_dev_start (dev));
	frames_exchange (&f, 100);
	DEV_OK (dev, vh_dev_stop (dev));
	frames_expect_bases (&f, dev);
	vh_dev_free (dev);
	frames_close (&f);
}

int
main (int argc, char **argv)
{
	CU_TestInfo tests[] = {
		{ "frames come back", frames_come_back },
		{ "the control queue has its own address space", the_control_queue_has_its_own_address_space },
		{ "an IOMMU of the guest", an_iommu_of_the_guest },
		CU_TEST_INFO_NULL,
	};

	if (argc != 2)
		return 2;
	path = argv[1];
	return recorder_report (suite_run ("a vDPA network device", tests));
}
