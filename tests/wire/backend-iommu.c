/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An IOMMU between the guest and the device.
 */
#include "backend-iommu.h"

#include <string.h>
#include <unistd.h>

static int channel = -1;	/* the front-end's end */

enum outcome
iommu_tell (unsigned type, uint64_t iova, uint64_t size, uint64_t user, unsigned perm)
{
	struct bytes b = { .n = 0 };
	uint8_t tail[8] = { (uint8_t) perm, (uint8_t) type };

	bytes_u64 (&b, iova);
	bytes_u64 (&b, size);
	bytes_u64 (&b, user);
	bytes_append (&b, tail, sizeof (tail));
	return rig_tell (&rig, FE_IOTLB_MSG, b.data, (uint32_t) b.n, NULL, 0);
}

enum outcome
iommu_map (uint64_t offset, uint64_t size, unsigned perm)
{
	return iommu_tell (UPDATE, GUEST_ADDR + offset, size, GUEST_USER + offset, perm);
}

bool
iommu_next_miss (uint64_t *iova, unsigned *perm)
{
	uint8_t m[44];
	uint32_t header[3];

	rig_pump (&rig);
	if (bytes_receive (channel, m, sizeof (m), NULL, NULL) != (ssize_t) sizeof (m))
		return false;
	memcpy (header, m, sizeof (header));
	memcpy (iova, m + 12, sizeof (*iova));
	*perm = m[36];
	CU_ASSERT (header[0] == 1 && header[1] == (FLAG_VERSION | FLAG_NEED_REPLY) && header[2] == 32 && m[37] == MISS);
	return true;
}

void
iommu_answer (uint64_t result)
{
	struct bytes b = { .n = 0 };

	bytes_header (&b, 1, FLAG_VERSION | FLAG_REPLY, 8);
	bytes_u64 (&b, result);
	CU_ASSERT_EQUAL (bytes_send (channel, b.data, b.n, NULL, 0), (ssize_t) b.n);
	rig_pump (&rig);
}

unsigned
iommu_serve (void)
{
	uint64_t iova;
	unsigned perm, n = 0;

	while (n < 1000 && iommu_next_miss (&iova, &perm)) {
		/* As QEMU does: the translation comes first, while the answer is outstanding. */
		CU_ASSERT_EQUAL (iommu_map ((iova - GUEST_ADDR) & ~(uint64_t) (PAGE - 1), PAGE, RW), ACK);
		iommu_answer (0);
		n++;
	}
	return n;
}

void
iommu_place_ring (unsigned index)
{
	struct driver *d = &rig.drivers[index];

	driver_open (d, &rig.guest, index, 64);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, index, 64), ACK);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_BASE, index, 0), ACK);
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, index, 0, GUEST_ADDR + driver_desc_at (d), GUEST_ADDR + driver_avail_at (d), GUEST_ADDR + driver_used_at (d)),
			 ACK);
	CU_ASSERT_TRUE (rig_start_ring (&rig, index));
}

void
iommu_give_channel (void)
{
	CU_ASSERT_TRUE_FATAL (rig_give_channel (&rig, &channel));
}

void
iommu_begin (void)
{
	struct piece piece = { PHYSICAL, GUEST_SIZE, GUEST_USER, 0 };

	CU_ASSERT_TRUE_FATAL (rig_negotiate (&rig));
	iommu_give_channel ();
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES), ACK);
	CU_ASSERT_EQUAL (rig_tell_table (&rig, &piece, 1, &rig.guest.fd, 1), ACK);
}

void
iommu_begin_placed (uint64_t known)
{
	iommu_begin ();
	CU_ASSERT_EQUAL (iommu_map (0, known, RW), ACK);
	iommu_place_ring (0);
}

void
iommu_begin_waiting (void)
{
	iommu_begin_placed (GUEST_BUFFERS);
	driver_ask (&rig.drivers[0], 0);
}

void
iommu_expect_failed (void)
{
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 1);
	CU_ASSERT_EQUAL (test_device_count (&device.failed), 1);
}

void
iommu_end (void)
{
	close (channel);
}
