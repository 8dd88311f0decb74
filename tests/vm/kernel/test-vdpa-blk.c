/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vDPA disk (the kernel's simulator): what it is, its requests with their data verified, in memory that comes and goes, and stopping in the middle by
 * suspend, resume and by starting anew.  test-vdpa-blk DEVICE
 */
#include <endian.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vhost/queue.h>
#include <vhost/vdpa.h>

#include "tests/vm/kernel/rig.h"

#define SECTOR 512
#define BLOCK 4096
#define BLOCKS 200

static const char *path;

struct disk {
	struct vh_kernel *k;
	struct vh_dev *dev;
	struct rig rig;
	uint64_t header, data, status;
};

static void
open_disk (struct disk *d)
{
	memset (d, 0, sizeof (*d));
	d->k = rig_open_kernel (path);
	CU_ASSERT_EQUAL_FATAL (vh_dev_new_vdpa (d->k, &d->dev), 0);
	DEV_OK (d->dev, vh_dev_set_owner (d->dev));
	DEV_OK (d->dev, vh_dev_set_features (d->dev, VH_BIT (VH_F_VERSION_1)));
	rig_open (&d->rig, 1, VH_BIT (VH_F_VERSION_1), 4 * BLOCK);
	d->header = rig_alloc (&d->rig, 16);
	d->status = rig_alloc (&d->rig, 1);
	d->data = rig_alloc (&d->rig, BLOCK);
	rig_give (&d->rig, d->dev);
}

static void
close_disk (struct disk *d)
{
	vh_dev_free (d->dev);
	rig_close (&d->rig);
}

static void
fill (uint8_t *bytes, unsigned block, unsigned generation)
{
	for (unsigned i = 0; i < BLOCK; i++)
		bytes[i] = i * 7 + block * 13 + generation * 101 + (i >> 8);
}

static void
add_request (struct disk *d, uint32_t type, unsigned block, uint64_t data)
{
	struct virtio_blk_outhdr *h = guest_at (&d->rig.guest, d->header);
	const struct queue_buffer b[] = { { d->header, sizeof (*h) }, { data, BLOCK }, { d->status, 1 } };

	*h = (struct virtio_blk_outhdr){ .type = htole32 (type), .sector = htole64 ((uint64_t) block * (BLOCK / SECTOR)) };
	*(uint8_t *) guest_at (&d->rig.guest, d->status) = 0xff;
	CU_ASSERT_EQUAL_FATAL (queue_add (d->rig.queues[0], b, type == VIRTIO_BLK_T_OUT ? 2 : 1, type == VIRTIO_BLK_T_OUT ? 1 : 2, d), 0);
	CU_ASSERT_EQUAL_FATAL (queue_publish (d->rig.queues[0]), 0);
}

static void
request (struct disk *d, uint32_t type, unsigned block)
{
	add_request (d, type, block, d->data);
	rig_take (&d->rig, 0);
	CU_ASSERT_EQUAL_FATAL (*(uint8_t *) guest_at (&d->rig.guest, d->status), VIRTIO_BLK_S_OK);
}

static void
write_block (struct disk *d, unsigned block, unsigned generation)
{
	fill (guest_at (&d->rig.guest, d->data), block, generation);
	request (d, VIRTIO_BLK_T_OUT, block);
}

static void
expect_block (struct disk *d, unsigned block, unsigned generation)
{
	uint8_t expected[BLOCK];

	fill (expected, block, generation);
	memset (guest_at (&d->rig.guest, d->data), 0, BLOCK);
	request (d, VIRTIO_BLK_T_IN, block);
	CU_ASSERT_EQUAL (memcmp (guest_at (&d->rig.guest, d->data), expected, BLOCK), 0);
}

/* --- */

static void
what_it_is (void)
{
	struct disk d;
	uint64_t first = 0, last = 0, backend = 0, offered = 0, capacity = 0;
	uint32_t id = 0, size = 0;
	unsigned n = 0;
	uint8_t status = 9;
	int err;

	open_disk (&d);
	KERNEL_OK (d.k, vh_vdpa_get_device_id (d.k, &id));
	CU_ASSERT_EQUAL (id, 2);
	KERNEL_OK (d.k, vh_vdpa_get_vqs_count (d.k, &n));
	CU_ASSERT_EQUAL (n, 1);
	KERNEL_OK (d.k, vh_vdpa_get_vring_num (d.k, &n));
	CU_ASSERT (n >= RIG_QUEUE_SIZE);
	KERNEL_OK (d.k, vh_vdpa_get_group_num (d.k, &n));
	CU_ASSERT_EQUAL (n, 1);
	KERNEL_OK (d.k, vh_vdpa_get_as_num (d.k, &n));
	CU_ASSERT_EQUAL (n, 1);
	KERNEL_OK (d.k, vh_vdpa_get_vring_group (d.k, 0, &n));
	CU_ASSERT_EQUAL (n, 0);
	CU_ASSERT_EQUAL (vh_vdpa_get_vring_group (d.k, 1, &n), -ENOBUFS);
	KERNEL_OK (d.k, vh_vdpa_get_iova_range (d.k, &first, &last));
	CU_ASSERT (first == 0 && last > UINT32_MAX);
	KERNEL_OK (d.k, vh_kernel_get_backend_features (d.k, &backend));
	CU_ASSERT (backend & VH_BIT (VH_BACKEND_IOTLB_BATCH) && backend & VH_BIT (VH_BACKEND_SUSPEND) && backend & VH_BIT (VH_BACKEND_RESUME));
	DEV_OK (d.dev, vh_dev_get_features (d.dev, &offered));
	CU_ASSERT (offered & VH_BIT (VH_F_VERSION_1) && !(offered & VH_BIT (VH_F_ACCESS_PLATFORM)));
	KERNEL_OK (d.k, vh_vdpa_get_status (d.k, &status));
	CU_ASSERT_EQUAL (status, 0);
	err = vh_vdpa_get_vring_size (d.k, 0, &n);
	CU_ASSERT (err == -EOPNOTSUPP || (err == 0 && n >= RIG_QUEUE_SIZE));
	err = vh_vdpa_get_vring_desc_group (d.k, 0, &n);
	CU_ASSERT (err == -EOPNOTSUPP || err == 0);

	KERNEL_OK (d.k, vh_vdpa_get_config_size (d.k, &size));
	CU_ASSERT (size >= sizeof (struct virtio_blk_config) - 20);
	DEV_OK (d.dev, vh_dev_get_config (d.dev, 0, &capacity, sizeof (capacity)));
	CU_ASSERT_EQUAL (capacity, 0x40000);
	CU_ASSERT_EQUAL (vh_dev_get_config (d.dev, size - 1, &capacity, 2), -EINVAL);
	CU_ASSERT_STRING_EQUAL (vh_dev_error (d.dev), "VHOST_VDPA_GET_CONFIG: outside of the configuration space");
	/* The simulator takes a write and does nothing. */
	KERNEL_OK (d.k, vh_vdpa_set_config (d.k, 0, &capacity, 1));
	close_disk (&d);
}

static void
requests_with_verified_data (void)
{
	struct disk d;

	open_disk (&d);
	DEV_OK (d.dev, vh_dev_start (d.dev));
	for (unsigned i = 0; i < BLOCKS; i++)
		write_block (&d, i, 1);
	for (unsigned i = BLOCKS; i > 0; i--)
		expect_block (&d, i - 1, 1);
	DEV_OK (d.dev, vh_dev_stop (d.dev));
	rig_expect_base (d.dev, 0, 2 * BLOCKS);
	printf ("vDPA disk: %u requests\n", 2 * BLOCKS);
	/* On from there. */
	DEV_OK (d.dev, vh_dev_start (d.dev));
	expect_block (&d, 3, 1);
	DEV_OK (d.dev, vh_dev_stop (d.dev));
	rig_expect_base (d.dev, 0, 2 * BLOCKS + 1);
	close_disk (&d);
}

/* A notification may be left from before, but nothing is used. */
static void
expect_silence (struct disk *d)
{
	struct queue_done done;

	for (unsigned i = 0; i < 3; i++) {
		queues_wait (d->rig.queues, 1, 100);
		CU_ASSERT_EQUAL (queue_reap (d->rig.queues[0], &done, 1), 0);
	}
}

static void
suspend_and_resume (void)
{
	struct disk d;
	uint32_t base = 0;

	open_disk (&d);
	DEV_OK (d.dev, vh_dev_start (d.dev));
	write_block (&d, 7, 2);
	KERNEL_OK (d.k, vh_vdpa_suspend (d.k));
	KERNEL_OK (d.k, vh_kernel_get_vring_base (d.k, 0, &base));
	CU_ASSERT_EQUAL (base, 1);
	/* A suspended device leaves its ring alone, and its configuration can be read. */
	add_request (&d, VIRTIO_BLK_T_IN, 7, d.data);
	expect_silence (&d);
	KERNEL_OK (d.k, vh_kernel_get_vring_base (d.k, 0, &base));
	CU_ASSERT_EQUAL (base, 1);
	DEV_OK (d.dev, vh_dev_get_config (d.dev, 0, &base, sizeof (base)));
	KERNEL_OK (d.k, vh_vdpa_resume (d.k));
	rig_take (&d.rig, 0);
	CU_ASSERT_EQUAL (*(uint8_t *) guest_at (&d.rig.guest, d.status), VIRTIO_BLK_S_OK);
	expect_block (&d, 7, 2);
	close_disk (&d);
}

/* A request whose data is in a region that came while the device ran; once the region is gone, the same request fails, and nothing else does. */
static void
memory_that_comes_and_goes (void)
{
	struct disk d;
	struct vh_region regions[2];
	uint8_t expected[BLOCK], *host;
	int fd = memfd_create ("more", MFD_CLOEXEC);

	CU_ASSERT_EQUAL_FATAL (ftruncate (fd, BLOCK), 0);
	host = mmap (NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CU_ASSERT_PTR_NOT_EQUAL_FATAL (host, MAP_FAILED);
	open_disk (&d);
	regions[0] = rig_region (&d.rig);
	regions[1] = (struct vh_region){ .guest_addr = GUEST_BASE * 4, .size = BLOCK, .user_addr = (uintptr_t) host, .fd = fd };
	DEV_OK (d.dev, vh_dev_start (d.dev));
	write_block (&d, 5, 3);
	DEV_OK (d.dev, vh_dev_set_memory (d.dev, regions, 2));
	add_request (&d, VIRTIO_BLK_T_IN, 5, regions[1].guest_addr);
	rig_take (&d.rig, 0);
	fill (expected, 5, 3);
	CU_ASSERT_EQUAL (memcmp (host, expected, BLOCK), 0);
	DEV_OK (d.dev, vh_dev_set_memory (d.dev, regions, 1));
	memset (host, 0, BLOCK);
	/* What a device without this memory does with the request is its own business, but the bytes stay. */
	add_request (&d, VIRTIO_BLK_T_IN, 5, regions[1].guest_addr);
	queues_wait (d.rig.queues, 1, 300);
	for (unsigned i = 0; i < BLOCK; i++)
		CU_ASSERT_FATAL (host[i] == 0);
	close_disk (&d);
	munmap (host, BLOCK);
	close (fd);
}

static void
what_is_refused (void)
{
	struct disk d;
	struct vh_region r;

	open_disk (&d);
	/* Not whole pages. */
	r = rig_region (&d.rig);
	r.size -= 1;
	DEV_OK (d.dev, vh_dev_set_memory (d.dev, &r, 1));
	CU_ASSERT_EQUAL (vh_dev_start (d.dev), -EINVAL);
	/* A ring that is elsewhere. */
	r = (struct vh_region){ .guest_addr = 0, .size = BLOCK, .user_addr = BLOCK, .fd = -1 };
	DEV_OK (d.dev, vh_dev_set_memory (d.dev, &r, 1));
	CU_ASSERT (vh_dev_start (d.dev) < 0);
	rig_give (&d.rig, d.dev);
	DEV_OK (d.dev, vh_dev_set_vring_num (d.dev, 0, VH_MAX_RING_SIZE));
	CU_ASSERT (vh_dev_start (d.dev) < 0);
	DEV_OK (d.dev, vh_dev_set_vring_num (d.dev, 0, RIG_QUEUE_SIZE));
	/* Overlapping maps, and the words for them. */
	r = rig_region (&d.rig);
	DEV_OK (d.dev, vh_dev_start (d.dev));
	CU_ASSERT_EQUAL (vh_vdpa_dma_map (d.k, 0, r.guest_addr, BLOCK, r.user_addr, VH_ACCESS_RO), -EFAULT);
	printf ("%s\n", vh_kernel_error (d.k));
	CU_ASSERT_EQUAL (vh_vdpa_dma_map (d.k, 5, r.guest_addr, BLOCK, r.user_addr, VH_ACCESS_RO), -EFAULT);
	CU_ASSERT_EQUAL (vh_vdpa_set_status (d.k, VH_STATUS_ACKNOWLEDGE), -EINVAL);
	CU_ASSERT_STRING_EQUAL (vh_kernel_error (d.k), "VHOST_VDPA_SET_STATUS: status bits cannot be taken back but by a reset");
	CU_ASSERT_EQUAL (vh_kernel_set_features (d.k, 0), -EBUSY);
	CU_ASSERT_EQUAL (vh_kernel_set_log_base (d.k, NULL), -EOPNOTSUPP);
	/* The device still works. */
	write_block (&d, 1, 4);
	expect_block (&d, 1, 4);
	close_disk (&d);
}

/* By hand, without BATCH: version 2 of the messages, one by one. */
static void
mappings_without_batches (void)
{
	struct disk d;
	struct vh_region r;
	struct vh_vdpa_map *map;

	open_disk (&d);
	r = rig_region (&d.rig);
	KERNEL_OK (d.k, vh_kernel_set_backend_features (d.k, VH_BIT (VH_BACKEND_IOTLB_MSG_V2)));
	CU_ASSERT_EQUAL_FATAL (vh_vdpa_map_new (d.k, 0, &map), 0);
	KERNEL_OK (d.k, vh_vdpa_map_set (map, &r, 1));
	CU_ASSERT_EQUAL (vh_vdpa_dma_map (d.k, 0, r.guest_addr, BLOCK, r.user_addr, VH_ACCESS_RO), -EFAULT);
	KERNEL_OK (d.k, vh_vdpa_map_set (map, NULL, 0));
	KERNEL_OK (d.k, vh_vdpa_dma_map (d.k, 0, r.guest_addr, BLOCK, r.user_addr, VH_ACCESS_RO));
	KERNEL_OK (d.k, vh_vdpa_dma_unmap (d.k, 0, r.guest_addr, BLOCK));
	vh_vdpa_map_free (map);
	close_disk (&d);
}

int
main (int argc, char **argv)
{
	CU_TestInfo tests[] = {
		{ "what it is", what_it_is },
		{ "requests with verified data", requests_with_verified_data },
		{ "suspend and resume", suspend_and_resume },
		{ "memory that comes and goes", memory_that_comes_and_goes },
		{ "what is refused", what_is_refused },
		{ "mappings without batches", mappings_without_batches },
		CU_TEST_INFO_NULL,
	};

	if (argc != 2)
		return 2;
	path = argv[1];
	return recorder_report (suite_run ("a vDPA disk", tests));
}
