/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of requests (linux/vhost.h), and what the kernel means by its answers.  docs/kernel-requests.md has a line for each row.
 */
#include <errno.h>
#include <linux/ioctl.h>
#include <stddef.h>

#include "kernel/request.h"

/* The kernel's macros know how this processor encodes direction and size.  Some requests that answer are declared as ones that write: so they are here. */
#define NONE(number) _IO (0xaf, number)
#define GETS(number, type) _IOR (0xaf, number, type)
#define SETS(number, type) _IOW (0xaf, number, type)
#define BOTH(number, type) _IOWR (0xaf, number, type)

const struct kernel_row kernel_rows[KERNEL_REQUESTS] = {
	[KERNEL_GET_FEATURES] = { "VHOST_GET_FEATURES", GETS (0x00, uint64_t) },
	[KERNEL_SET_FEATURES] = { "VHOST_SET_FEATURES", SETS (0x00, uint64_t) },
	[KERNEL_GET_FEATURES_ARRAY] = { "VHOST_GET_FEATURES_ARRAY", GETS (0x83, struct features_array), .optional = true },
	[KERNEL_SET_FEATURES_ARRAY] = { "VHOST_SET_FEATURES_ARRAY", SETS (0x83, struct features_array), .optional = true },
	[KERNEL_GET_BACKEND_FEATURES] = { "VHOST_GET_BACKEND_FEATURES", GETS (0x26, uint64_t), .optional = true },
	[KERNEL_SET_BACKEND_FEATURES] = { "VHOST_SET_BACKEND_FEATURES", SETS (0x25, uint64_t), .optional = true },
	[KERNEL_SET_OWNER] = { "VHOST_SET_OWNER", NONE (0x01) },
	[KERNEL_RESET_OWNER] = { "VHOST_RESET_OWNER", NONE (0x02), .optional = true },
	[KERNEL_GET_FORK_FROM_OWNER] = { "VHOST_GET_FORK_FROM_OWNER", GETS (0x85, uint8_t), .optional = true },
	[KERNEL_SET_FORK_FROM_OWNER] = { "VHOST_SET_FORK_FROM_OWNER", SETS (0x84, uint8_t), .optional = true },
	[KERNEL_SET_MEM_TABLE] = { "VHOST_SET_MEM_TABLE", SETS (0x03, struct memory_table) },
	[KERNEL_SET_LOG_BASE] = { "VHOST_SET_LOG_BASE", SETS (0x04, uint64_t), .optional = true },
	[KERNEL_SET_LOG_FD] = { "VHOST_SET_LOG_FD", SETS (0x07, int), .optional = true },
	[KERNEL_SET_VRING_NUM] = { "VHOST_SET_VRING_NUM", SETS (0x10, struct vring_state), .ring = true },
	[KERNEL_SET_VRING_ADDR] = { "VHOST_SET_VRING_ADDR", SETS (0x11, struct vring_addr), .ring = true },
	[KERNEL_SET_VRING_BASE] = { "VHOST_SET_VRING_BASE", SETS (0x12, struct vring_state), .ring = true },
	[KERNEL_GET_VRING_BASE] = { "VHOST_GET_VRING_BASE", BOTH (0x12, struct vring_state), .ring = true },
	[KERNEL_SET_VRING_KICK] = { "VHOST_SET_VRING_KICK", SETS (0x20, struct vring_file), .ring = true },
	[KERNEL_SET_VRING_CALL] = { "VHOST_SET_VRING_CALL", SETS (0x21, struct vring_file), .ring = true },
	[KERNEL_SET_VRING_ERR] = { "VHOST_SET_VRING_ERR", SETS (0x22, struct vring_file), .ring = true },
	[KERNEL_SET_VRING_ENDIAN] = { "VHOST_SET_VRING_ENDIAN", SETS (0x13, struct vring_state), .optional = true, .ring = true },
	[KERNEL_GET_VRING_ENDIAN] = { "VHOST_GET_VRING_ENDIAN", SETS (0x14, struct vring_state), .optional = true, .ring = true },
	[KERNEL_SET_VRING_BUSYLOOP_TIMEOUT] = { "VHOST_SET_VRING_BUSYLOOP_TIMEOUT", SETS (0x23, struct vring_state), .optional = true, .ring = true },
	[KERNEL_GET_VRING_BUSYLOOP_TIMEOUT] = { "VHOST_GET_VRING_BUSYLOOP_TIMEOUT", SETS (0x24, struct vring_state), .optional = true, .ring = true },
	[KERNEL_NEW_WORKER] = { "VHOST_NEW_WORKER", GETS (0x08, uint32_t), .optional = true },
	[KERNEL_FREE_WORKER] = { "VHOST_FREE_WORKER", SETS (0x09, uint32_t), .optional = true },
	[KERNEL_ATTACH_VRING_WORKER] = { "VHOST_ATTACH_VRING_WORKER", SETS (0x15, struct vring_worker), .optional = true, .ring = true },
	[KERNEL_GET_VRING_WORKER] = { "VHOST_GET_VRING_WORKER", BOTH (0x16, struct vring_worker), .optional = true, .ring = true },
	[KERNEL_NET_SET_BACKEND] = { "VHOST_NET_SET_BACKEND", SETS (0x30, struct vring_file), .optional = true, .ring = true },
	[KERNEL_VSOCK_SET_GUEST_CID] = { "VHOST_VSOCK_SET_GUEST_CID", SETS (0x60, uint64_t), .optional = true },
	[KERNEL_VSOCK_SET_RUNNING] = { "VHOST_VSOCK_SET_RUNNING", SETS (0x61, int) },
	[KERNEL_SCSI_SET_ENDPOINT] = { "VHOST_SCSI_SET_ENDPOINT", SETS (0x40, struct scsi_target) },
	[KERNEL_SCSI_CLEAR_ENDPOINT] = { "VHOST_SCSI_CLEAR_ENDPOINT", SETS (0x41, struct scsi_target) },
	[KERNEL_SCSI_GET_ABI_VERSION] = { "VHOST_SCSI_GET_ABI_VERSION", SETS (0x42, int), .optional = true },
	[KERNEL_SCSI_SET_EVENTS_MISSED] = { "VHOST_SCSI_SET_EVENTS_MISSED", SETS (0x43, uint32_t), .optional = true },
	[KERNEL_SCSI_GET_EVENTS_MISSED] = { "VHOST_SCSI_GET_EVENTS_MISSED", SETS (0x44, uint32_t), .optional = true },
	[KERNEL_VDPA_GET_DEVICE_ID] = { "VHOST_VDPA_GET_DEVICE_ID", GETS (0x70, uint32_t), .optional = true },
	[KERNEL_VDPA_GET_STATUS] = { "VHOST_VDPA_GET_STATUS", GETS (0x71, uint8_t) },
	[KERNEL_VDPA_SET_STATUS] = { "VHOST_VDPA_SET_STATUS", SETS (0x72, uint8_t) },
	[KERNEL_VDPA_GET_CONFIG] = { "VHOST_VDPA_GET_CONFIG", GETS (0x73, struct vdpa_config) },
	[KERNEL_VDPA_SET_CONFIG] = { "VHOST_VDPA_SET_CONFIG", SETS (0x74, struct vdpa_config) },
	[KERNEL_VDPA_SET_VRING_ENABLE] = { "VHOST_VDPA_SET_VRING_ENABLE", SETS (0x75, struct vring_state), .ring = true },
	[KERNEL_VDPA_GET_VRING_NUM] = { "VHOST_VDPA_GET_VRING_NUM", GETS (0x76, uint16_t) },
	[KERNEL_VDPA_SET_CONFIG_CALL] = { "VHOST_VDPA_SET_CONFIG_CALL", SETS (0x77, int) },
	[KERNEL_VDPA_GET_IOVA_RANGE] = { "VHOST_VDPA_GET_IOVA_RANGE", GETS (0x78, struct iova_range), .optional = true },
	[KERNEL_VDPA_GET_CONFIG_SIZE] = { "VHOST_VDPA_GET_CONFIG_SIZE", GETS (0x79, uint32_t), .optional = true },
	[KERNEL_VDPA_GET_AS_NUM] = { "VHOST_VDPA_GET_AS_NUM", GETS (0x7a, uint32_t), .optional = true },
	[KERNEL_VDPA_GET_VRING_GROUP] = { "VHOST_VDPA_GET_VRING_GROUP", BOTH (0x7b, struct vring_state), .optional = true, .ring = true },
	[KERNEL_VDPA_SET_GROUP_ASID] = { "VHOST_VDPA_SET_GROUP_ASID", SETS (0x7c, struct vring_state), .optional = true, .ring = true },
	[KERNEL_VDPA_SUSPEND] = { "VHOST_VDPA_SUSPEND", NONE (0x7d), .optional = true },
	[KERNEL_VDPA_RESUME] = { "VHOST_VDPA_RESUME", NONE (0x7e), .optional = true },
	[KERNEL_VDPA_GET_VRING_DESC_GROUP] = { "VHOST_VDPA_GET_VRING_DESC_GROUP", BOTH (0x7f, struct vring_state), .optional = true, .ring = true },
	[KERNEL_VDPA_GET_VQS_COUNT] = { "VHOST_VDPA_GET_VQS_COUNT", GETS (0x80, uint32_t), .optional = true },
	[KERNEL_VDPA_GET_GROUP_NUM] = { "VHOST_VDPA_GET_GROUP_NUM", GETS (0x81, uint32_t), .optional = true },
	[KERNEL_VDPA_GET_VRING_SIZE] = { "VHOST_VDPA_GET_VRING_SIZE", BOTH (0x82, struct vring_state), .optional = true, .ring = true },
};

/* --- answers --- */

#define ANY KERNEL_REQUESTS

/* The first line that fits counts, so those about one request are before those about any. */
static const struct {
	enum kernel_request request;
	int err;
	const char *words;
} words[] = {
	{ KERNEL_SET_OWNER, EBUSY, "it has an owner already" },
	{ KERNEL_SET_FORK_FROM_OWNER, EBUSY, "too late, it has an owner" },
	{ KERNEL_SET_FEATURES, EBUSY, "too late, the features were agreed on" },
	{ KERNEL_SET_FEATURES, EOPNOTSUPP, "the device does not have all of them" },
	{ KERNEL_SET_FEATURES, EINVAL, "the device refuses this set of features" },
	{ KERNEL_SET_FEATURES, EFAULT, "the dirty log does not cover the memory, or there is no room for an IOTLB" },
	{ KERNEL_SET_BACKEND_FEATURES, EOPNOTSUPP, "the device does not have all of them" },
	{ KERNEL_SET_MEM_TABLE, E2BIG, "more regions than the module vhost takes (its parameter max_mem_regions)" },
	{ KERNEL_SET_MEM_TABLE, EFAULT, "a region wraps, or a ring that runs is not in them" },
	{ KERNEL_SET_LOG_BASE, EFAULT, "the dirty log is not mapped in this process, or does not cover the memory" },
	{ KERNEL_FREE_WORKER, EBUSY, "the worker has rings" },
	{ KERNEL_FREE_WORKER, ENODEV, "there is no such worker" },
	{ KERNEL_ATTACH_VRING_WORKER, ENODEV, "there is no such worker" },
	{ KERNEL_NEW_WORKER, EFAULT, "workers are kernel threads here (VHOST_SET_FORK_FROM_OWNER)" },
	{ KERNEL_SET_VRING_NUM, EINVAL, "not a size that the device takes" },
	{ KERNEL_SET_VRING_ADDR, EINVAL, "the ring's areas are not aligned, or not in the memory" },
	{ KERNEL_SET_VRING_BASE, EINVAL, "not an index, or the device runs" },
	{ KERNEL_SET_VRING_KICK, EINVAL, "not an eventfd" },
	{ KERNEL_SET_VRING_CALL, EINVAL, "not an eventfd" },
	{ KERNEL_SET_VRING_ERR, EINVAL, "not an eventfd" },
	{ KERNEL_SET_LOG_FD, EINVAL, "not an eventfd" },
	{ KERNEL_VDPA_SET_CONFIG_CALL, EINVAL, "not an eventfd" },
	{ KERNEL_NET_SET_BACKEND, EFAULT, "the ring is not set up, or not in memory that this process has" },
	{ KERNEL_NET_SET_BACKEND, ENOTSOCK, "neither a TAP nor a packet socket" },
	{ KERNEL_NET_SET_BACKEND, EINVAL, "neither a TAP nor a packet socket" },
	{ KERNEL_VSOCK_SET_GUEST_CID, EINVAL, "a guest cannot have this address" },
	{ KERNEL_VSOCK_SET_GUEST_CID, EADDRINUSE, "another guest has this address" },
	{ KERNEL_VSOCK_SET_RUNNING, EFAULT, "the rings are not set up, or not in memory that this process has" },
	{ KERNEL_SCSI_SET_ENDPOINT, EFAULT, "the rings are not set up, or not in memory that this process has" },
	{ KERNEL_SCSI_SET_ENDPOINT, EEXIST, "it has a target, or there is no free one with this name" },
	{ KERNEL_SCSI_SET_ENDPOINT, ENODEV, "there is no free target with this name" },
	{ KERNEL_SCSI_CLEAR_ENDPOINT, EINVAL, "it has another target" },
	{ KERNEL_SCSI_CLEAR_ENDPOINT, ENODEV, "it has no such target" },
	{ KERNEL_VDPA_SET_STATUS, EINVAL, "status bits cannot be taken back but by a reset" },
	{ KERNEL_VDPA_GET_CONFIG, EINVAL, "outside of the configuration space" },
	{ KERNEL_VDPA_SET_CONFIG, EINVAL, "outside of the configuration space" },
	{ KERNEL_VDPA_SET_GROUP_ASID, EINVAL, "there is no such group or address space" },
	{ KERNEL_VDPA_GET_VRING_DESC_GROUP, EOPNOTSUPP, "the ring's areas have no group of their own" },
	{ ANY, EPERM, "this process is not the owner (VHOST_SET_OWNER)" },
	{ ANY, ENOBUFS, "there is no such ring" },
	{ ANY, EBUSY, "the ring runs" },
	{ ANY, EBADF, "not an eventfd" },
	{ ANY, EOPNOTSUPP, "this device, or this kernel, does not have it" },
};

const char *
kernel_words (enum kernel_request request, int err)
{
	for (size_t i = 0; i < sizeof (words) / sizeof (words[0]); i++)
		if (words[i].err == -err && (words[i].request == request || words[i].request == ANY))
			return words[i].words;
	return NULL;
}
