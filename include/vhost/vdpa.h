/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vDPA devices: /dev/vhost-vdpa-N.  A device is a struct vh_kernel with more requests; opening it resets the device, and only one process can have it open.
 * See <vhost/kernel.h> for the rules, and docs/kernel-requests.md for the list.
 *
 * A vDPA device sees no memory but what was mapped for it, at I/O virtual addresses (IOVA).
 */
#ifndef VHOST_VDPA_H
#define VHOST_VDPA_H

#include <vhost/kernel.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Bits of the device status (virtio 1.2, 2.1). */
#define VH_STATUS_ACKNOWLEDGE 0x01
#define VH_STATUS_DRIVER 0x02
#define VH_STATUS_DRIVER_OK 0x04
#define VH_STATUS_FEATURES_OK 0x08
#define VH_STATUS_NEEDS_RESET 0x40
#define VH_STATUS_FAILED 0x80

/* VHOST_VDPA_GET_DEVICE_ID: the virtio device id. */
int vh_vdpa_get_device_id (struct vh_kernel *, uint32_t *ret);

/* VHOST_VDPA_GET_STATUS, VHOST_VDPA_SET_STATUS.  0 resets the device; -EINVAL: bits cannot be taken back otherwise. */
int vh_vdpa_get_status (struct vh_kernel *, uint8_t *ret);
int vh_vdpa_set_status (struct vh_kernel *, uint8_t status);

/* VHOST_VDPA_GET_CONFIG_SIZE, VHOST_VDPA_GET_CONFIG, VHOST_VDPA_SET_CONFIG: size 1..VH_MAX_CONFIG_SIZE; -EINVAL: not all inside. */
int vh_vdpa_get_config_size (struct vh_kernel *, uint32_t *ret);
int vh_vdpa_get_config (struct vh_kernel *, uint32_t offset, void *buf, uint32_t size);
int vh_vdpa_set_config (struct vh_kernel *, uint32_t offset, const void *buf, uint32_t size);

/* VHOST_VDPA_SET_CONFIG_CALL: an eventfd that is signalled when the configuration changed, borrowed for the call; -1: none. */
int vh_vdpa_set_config_call (struct vh_kernel *, int fd);

/* VHOST_VDPA_GET_VQS_COUNT; VHOST_VDPA_GET_VRING_NUM: the most descriptors of any ring; VHOST_VDPA_GET_VRING_SIZE: of one ring (Linux 6.9). */
int vh_vdpa_get_vqs_count (struct vh_kernel *, unsigned *ret);
int vh_vdpa_get_vring_num (struct vh_kernel *, unsigned *ret);
int vh_vdpa_get_vring_size (struct vh_kernel *, unsigned ring, unsigned *ret);

/* VHOST_VDPA_SET_VRING_ENABLE. */
int vh_vdpa_set_vring_enable (struct vh_kernel *, unsigned ring, int enable);

/* VHOST_VDPA_GET_IOVA_RANGE: the first and the last address that can be mapped. */
int vh_vdpa_get_iova_range (struct vh_kernel *, uint64_t *first, uint64_t *last);

/*
 * Address spaces: a ring belongs to a group, a group to an address space.  VHOST_VDPA_GET_AS_NUM, VHOST_VDPA_GET_GROUP_NUM, VHOST_VDPA_GET_VRING_GROUP;
 * VHOST_VDPA_GET_VRING_DESC_GROUP: the group of the ring's own areas, if that is another one (-EOPNOTSUPP: it is not); VHOST_VDPA_SET_GROUP_ASID, before
 * DRIVER_OK.
 */
int vh_vdpa_get_as_num (struct vh_kernel *, unsigned *ret);
int vh_vdpa_get_group_num (struct vh_kernel *, unsigned *ret);
int vh_vdpa_get_vring_group (struct vh_kernel *, unsigned ring, unsigned *ret);
int vh_vdpa_get_vring_desc_group (struct vh_kernel *, unsigned ring, unsigned *ret);
int vh_vdpa_set_group_asid (struct vh_kernel *, unsigned group, unsigned asid);

/* VHOST_VDPA_SUSPEND: the device does not touch its rings any more, and their state can be read.  VHOST_VDPA_RESUME.  -EOPNOTSUPP: it cannot. */
int vh_vdpa_suspend (struct vh_kernel *);
int vh_vdpa_resume (struct vh_kernel *);

/*
 * Maps `size` bytes at `user_addr` of this process for the device to see at `iova`, all of them multiples of the page size; access: VH_ACCESS_*.  Unmaps all
 * that has a byte in the range.  Between vh_vdpa_dma_begin and _end changes of one address space reach the device together; without
 * VH_BACKEND_IOTLB_BATCH these two do nothing.  Errors: see vh_kernel_send_iotlb.
 */
int vh_vdpa_dma_map (struct vh_kernel *, unsigned asid, uint64_t iova, uint64_t size, uint64_t user_addr, unsigned access);
int vh_vdpa_dma_unmap (struct vh_kernel *, unsigned asid, uint64_t iova, uint64_t size);
int vh_vdpa_dma_begin (struct vh_kernel *, unsigned asid);
int vh_vdpa_dma_end (struct vh_kernel *, unsigned asid);

/*
 * Guest memory in one of a device's address spaces, each region at its guest physical address.  vh_vdpa_map_set maps what is new and unmaps what is not
 * there any more; what stays is not touched.  When it fails, the mappings are as they were.  -EINVAL: regions that are empty, wrap, overlap or have no whole
 * pages; -ERANGE: outside of vh_vdpa_get_iova_range; -EFAULT: the kernel refused; n 0: unmaps all.
 * vh_vdpa_map_forget is for after a reset, which drops all mappings.  The device must outlive the map.  vh_vdpa_map_free unmaps all; NULL is fine.
 */
struct vh_vdpa_map;
int vh_vdpa_map_new (struct vh_kernel *, unsigned asid, struct vh_vdpa_map **ret);
int vh_vdpa_map_set (struct vh_vdpa_map *, const struct vh_region *regions, unsigned n);
void vh_vdpa_map_forget (struct vh_vdpa_map *);
void vh_vdpa_map_free (struct vh_vdpa_map *);

/* A device of <vhost/device.h>; the kernel object is the device's on success.  0 and *ret; -ENOMEM. */
int vh_dev_new_vdpa (struct vh_kernel *, struct vh_dev **ret);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
