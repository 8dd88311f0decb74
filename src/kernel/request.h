/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The requests of the kernel's vhost: their numbers, their arguments, and the table of them.  These are the project's own definitions, since the headers of
 * a distribution may be older than the kernel that runs.
 */
#ifndef KERNEL_REQUEST_H
#define KERNEL_REQUEST_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

/* Arguments, as the kernel has them (linux/vhost_types.h). */

struct vring_state {
	uint32_t index;
	uint32_t num;
};

struct vring_file {
	uint32_t index;
	int32_t fd;	/* -1: none */
};

struct vring_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc;
	uint64_t used;
	uint64_t avail;
	uint64_t log;
};

struct vring_worker {
	uint32_t index;
	uint32_t worker;
};

struct memory_region {
	uint64_t guest_addr;
	uint64_t size;
	uint64_t user_addr;
	uint64_t flags;	/* none is defined */
};

struct memory_table {
	uint32_t n;
	uint32_t padding;
	struct memory_region regions[];
};

struct features_array {
	uint64_t count;	/* words */
	uint64_t words[];
};

struct scsi_target {
	int32_t abi_version;
	char wwpn[224];
	uint16_t tpgt;
	uint16_t reserved;
};

struct vdpa_config {
	uint32_t offset;
	uint32_t size;
	uint8_t bytes[];
};

struct iova_range {
	uint64_t first;
	uint64_t last;	/* inclusive */
};

_Static_assert (sizeof (struct vring_state) == 8, "struct vhost_vring_state");
_Static_assert (sizeof (struct vring_file) == 8, "struct vhost_vring_file");
_Static_assert (sizeof (struct vring_addr) == 40, "struct vhost_vring_addr");
_Static_assert (sizeof (struct vring_worker) == 8, "struct vhost_vring_worker");
_Static_assert (sizeof (struct memory_region) == 32, "struct vhost_memory_region");
_Static_assert (sizeof (struct memory_table) == 8, "struct vhost_memory");
_Static_assert (sizeof (struct features_array) == 8, "struct vhost_features_array");
_Static_assert (sizeof (struct scsi_target) == 232, "struct vhost_scsi_target");
_Static_assert (sizeof (struct vdpa_config) == 8, "struct vhost_vdpa_config");
_Static_assert (sizeof (struct iova_range) == 16, "struct vhost_vdpa_iova_range");

enum kernel_request {
	KERNEL_GET_FEATURES,
	KERNEL_SET_FEATURES,
	KERNEL_GET_FEATURES_ARRAY,
	KERNEL_SET_FEATURES_ARRAY,
	KERNEL_GET_BACKEND_FEATURES,
	KERNEL_SET_BACKEND_FEATURES,
	KERNEL_SET_OWNER,
	KERNEL_RESET_OWNER,
	KERNEL_GET_FORK_FROM_OWNER,
	KERNEL_SET_FORK_FROM_OWNER,
	KERNEL_SET_MEM_TABLE,
	KERNEL_SET_LOG_BASE,
	KERNEL_SET_LOG_FD,
	KERNEL_SET_VRING_NUM,
	KERNEL_SET_VRING_ADDR,
	KERNEL_SET_VRING_BASE,
	KERNEL_GET_VRING_BASE,
	KERNEL_SET_VRING_KICK,
	KERNEL_SET_VRING_CALL,
	KERNEL_SET_VRING_ERR,
	KERNEL_SET_VRING_ENDIAN,
	KERNEL_GET_VRING_ENDIAN,
	KERNEL_SET_VRING_BUSYLOOP_TIMEOUT,
	KERNEL_GET_VRING_BUSYLOOP_TIMEOUT,
	KERNEL_NEW_WORKER,
	KERNEL_FREE_WORKER,
	KERNEL_ATTACH_VRING_WORKER,
	KERNEL_GET_VRING_WORKER,
	KERNEL_NET_SET_BACKEND,
	KERNEL_VSOCK_SET_GUEST_CID,
	KERNEL_VSOCK_SET_RUNNING,
	KERNEL_SCSI_SET_ENDPOINT,
	KERNEL_SCSI_CLEAR_ENDPOINT,
	KERNEL_SCSI_GET_ABI_VERSION,
	KERNEL_SCSI_SET_EVENTS_MISSED,
	KERNEL_SCSI_GET_EVENTS_MISSED,
	KERNEL_VDPA_GET_DEVICE_ID,
	KERNEL_VDPA_GET_STATUS,
	KERNEL_VDPA_SET_STATUS,
	KERNEL_VDPA_GET_CONFIG,
	KERNEL_VDPA_SET_CONFIG,
	KERNEL_VDPA_SET_VRING_ENABLE,
	KERNEL_VDPA_GET_VRING_NUM,
	KERNEL_VDPA_SET_CONFIG_CALL,
	KERNEL_VDPA_GET_IOVA_RANGE,
	KERNEL_VDPA_GET_CONFIG_SIZE,
	KERNEL_VDPA_GET_AS_NUM,
	KERNEL_VDPA_GET_VRING_GROUP,
	KERNEL_VDPA_SET_GROUP_ASID,
	KERNEL_VDPA_SUSPEND,
	KERNEL_VDPA_RESUME,
	KERNEL_VDPA_GET_VRING_DESC_GROUP,
	KERNEL_VDPA_GET_VQS_COUNT,
	KERNEL_VDPA_GET_GROUP_NUM,
	KERNEL_VDPA_GET_VRING_SIZE,
	KERNEL_REQUESTS
};

struct kernel_row {
	const char *name;
	unsigned long number;
	/*
	 * A device may lack it.  Then an unknown number falls through to the requests about rings, which take the argument's first word for a ring: ENOTTY if
	 * there is that ring, ENOBUFS if not, EFAULT if there is no argument.
	 */
	bool optional;
	bool ring;	/* its argument begins with a ring's (or a group's) index, so ENOBUFS has its own meaning */
};

extern const struct kernel_row kernel_rows[KERNEL_REQUESTS];

/* What an answer means, in words that end a line about the request; NULL when the code's own meaning says it. */
const char *kernel_words (enum kernel_request, int err);

#endif
