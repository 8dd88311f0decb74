/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices of the kernel's vhost: /dev/vhost-net, /dev/vhost-vsock, /dev/vhost-scsi.  One call for each request of <linux/vhost.h>, in this library's own
 * definitions, so the kernel's headers may be older than the kernel.
 *
 * A VMM uses struct vh_dev (<vhost/device.h>), which does all this in the right order; here is what it is made of, and what only the kernel has.
 * docs/kernel-requests.md lists the requests, the kernels that have them, and how each is tested.
 *
 * Each call that can fail returns 0 or a negative errno, as the kernel answered, with one exception: a kernel or a device that does not have a request says
 * so in several ways (ENOTTY, ENOBUFS, EFAULT), and all of them are -EOPNOTSUPP here.  One thread at a time, always of the process that became the owner.
 */
#ifndef VHOST_KERNEL_H
#define VHOST_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include <vhost/device.h>
#include <vhost/log.h>
#include <vhost/memory.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct vh_kernel;

/* Bits of vh_kernel_get_backend_features, by bit number (linux/vhost_types.h, VHOST_BACKEND_F_*). */
#define VH_BACKEND_IOTLB_MSG_V2 1
#define VH_BACKEND_IOTLB_BATCH 2
#define VH_BACKEND_IOTLB_ASID 3
#define VH_BACKEND_SUSPEND 4
#define VH_BACKEND_RESUME 5
#define VH_BACKEND_ENABLE_AFTER_DRIVER_OK 6
#define VH_BACKEND_DESC_ASID 7
#define VH_BACKEND_IOTLB_PERSIST 8

/* The feature of /dev/vhost-net that makes it strip and add the virtio-net header itself (VHOST_NET_F_VIRTIO_NET_HDR). */
#define VH_NET_F_VIRTIO_NET_HDR 27

/* Bytes of an endpoint's name, with its zero. */
#define VH_SCSI_WWPN_SIZE 224

/*
 * Opens a device node.  log may be NULL.  0 and *ret; -ENOENT, -ENXIO, -ENODEV: there is no such device, or no driver for it; -EACCES; -EBUSY: a vDPA device
 * that somebody else has open; -ENOTTY: a file that is no vhost device; -ENOMEM.  If `failed` is not NULL, it gets one line of words on failure, cut to
 * `size` bytes.
 */
int vh_kernel_open (const char *path, const struct vh_log *log, struct vh_kernel **ret, char *failed, size_t size);

/* Takes an open device; fd is the object's on success.  `name` is for words and the log.  0 and *ret; -EINVAL; -ENOMEM. */
int vh_kernel_new (int fd, const char *name, const struct vh_log *log, struct vh_kernel **ret);

/* Closes the device: the kernel stops it and forgets all.  NULL is fine. */
void vh_kernel_free (struct vh_kernel *);

/* The device's fd: readable when vh_kernel_receive_iotlb has something. */
int vh_kernel_fd (const struct vh_kernel *);

/* Words for the last failure, which name the request; "" when there was none.  Valid until the next call. */
const char *vh_kernel_error (const struct vh_kernel *);

/* --- the device --- */

/* VHOST_GET_FEATURES, VHOST_SET_FEATURES: virtio features.  -EOPNOTSUPP: bits that the device does not have; -EBUSY: too late (vDPA). */
int vh_kernel_get_features (struct vh_kernel *, uint64_t *ret);
int vh_kernel_set_features (struct vh_kernel *, uint64_t features);

/* VHOST_GET_FEATURES_ARRAY, VHOST_SET_FEATURES_ARRAY: features beyond bit 63, in n words (1..VH_FEATURE_WORDS).  net, Linux 6.17. */
#define VH_FEATURE_WORDS 16
int vh_kernel_get_features_array (struct vh_kernel *, uint64_t *words, unsigned n);
int vh_kernel_set_features_array (struct vh_kernel *, const uint64_t *words, unsigned n);

/* VHOST_GET_BACKEND_FEATURES, VHOST_SET_BACKEND_FEATURES: VH_BACKEND_*.  What is set decides how vh_kernel_send_iotlb writes. */
int vh_kernel_get_backend_features (struct vh_kernel *, uint64_t *ret);
int vh_kernel_set_backend_features (struct vh_kernel *, uint64_t features);

/* What vh_kernel_set_backend_features set; 0 before. */
uint64_t vh_kernel_backend_features (const struct vh_kernel *);

/* VHOST_SET_OWNER: -EBUSY when there is one.  VHOST_RESET_OWNER: only net and, before the ring requests, has it. */
int vh_kernel_set_owner (struct vh_kernel *);
int vh_kernel_reset_owner (struct vh_kernel *);

/* VHOST_GET_FORK_FROM_OWNER, VHOST_SET_FORK_FROM_OWNER (Linux 6.17): 1, workers are tasks of the owner; 0, kernel threads.  Before the owner. */
int vh_kernel_get_fork_from_owner (struct vh_kernel *, unsigned *ret);
int vh_kernel_set_fork_from_owner (struct vh_kernel *, unsigned fork);

/* How many regions VHOST_SET_MEM_TABLE takes: a parameter of the module vhost, 64 if it does not say. */
unsigned vh_kernel_max_regions (void);

/* VHOST_SET_MEM_TABLE: user_addr is where this process has the region; fd, offset and Xen fields play no part.  n 0 is no memory.  -E2BIG: too many. */
int vh_kernel_set_mem_table (struct vh_kernel *, const struct vh_region *regions, unsigned n);

/* VHOST_SET_LOG_BASE: the dirty log, mapped in this process.  VHOST_SET_LOG_FD: an eventfd that is signalled when it was written; -1: none. */
int vh_kernel_set_log_base (struct vh_kernel *, void *base);
int vh_kernel_set_log_fd (struct vh_kernel *, int fd);

/* --- rings --- */

/* VHOST_SET_VRING_NUM, _ADDR, _BASE, VHOST_GET_VRING_BASE: -ENOBUFS: no such ring; -EBUSY: it runs. */
int vh_kernel_set_vring_num (struct vh_kernel *, unsigned ring, unsigned size);
int vh_kernel_set_vring_addr (struct vh_kernel *, unsigned ring, const struct vh_vring_addr *addr);
int vh_kernel_set_vring_base (struct vh_kernel *, unsigned ring, uint32_t base);
int vh_kernel_get_vring_base (struct vh_kernel *, unsigned ring, uint32_t *ret);

/* VHOST_SET_VRING_KICK, _CALL, _ERR: an eventfd, borrowed for the call, or -1. */
int vh_kernel_set_vring_kick (struct vh_kernel *, unsigned ring, int fd);
int vh_kernel_set_vring_call (struct vh_kernel *, unsigned ring, int fd);
int vh_kernel_set_vring_err (struct vh_kernel *, unsigned ring, int fd);

/* VHOST_SET_VRING_ENDIAN, VHOST_GET_VRING_ENDIAN: 1, big-endian, for legacy guests of the other byte order; few kernels are built with it. */
int vh_kernel_set_vring_endian (struct vh_kernel *, unsigned ring, unsigned big);
int vh_kernel_get_vring_endian (struct vh_kernel *, unsigned ring, unsigned *ret);

/* VHOST_SET_VRING_BUSYLOOP_TIMEOUT, VHOST_GET_VRING_BUSYLOOP_TIMEOUT: how long the worker polls before it sleeps, in microseconds.  net. */
int vh_kernel_set_vring_busyloop (struct vh_kernel *, unsigned ring, unsigned microseconds);
int vh_kernel_get_vring_busyloop (struct vh_kernel *, unsigned ring, unsigned *ret);

/* VHOST_NEW_WORKER, VHOST_FREE_WORKER (-EBUSY: it has rings), VHOST_ATTACH_VRING_WORKER, VHOST_GET_VRING_WORKER.  scsi, Linux 6.5. */
int vh_kernel_new_worker (struct vh_kernel *, unsigned *ret);
int vh_kernel_free_worker (struct vh_kernel *, unsigned worker);
int vh_kernel_attach_vring_worker (struct vh_kernel *, unsigned ring, unsigned worker);
int vh_kernel_get_vring_worker (struct vh_kernel *, unsigned ring, unsigned *ret);

/* --- IOTLB --- */

struct vh_kernel_iotlb {
	uint64_t iova;
	uint64_t size;		/* bytes */
	uint64_t user_addr;
	uint32_t asid;		/* address space; 0 unless VH_BACKEND_IOTLB_ASID is set */
	uint8_t access;		/* VH_ACCESS_* */
	uint8_t type;		/* VH_IOTLB_* */
};

/*
 * Writes a message to the device, in the layout of version 2 when VH_BACKEND_IOTLB_MSG_V2 is set, else of version 1.  -EFAULT is all that the kernel says
 * when it does not like it: an overlap, memory that is not here, a limit.  -EINVAL: a type, or an asid, that cannot be sent.
 */
int vh_kernel_send_iotlb (struct vh_kernel *, const struct vh_kernel_iotlb *);

/* Reads a message of either version: a miss.  0; -EAGAIN: there is none; -EBADFD: no IOTLB is in force; -EBADMSG: not such a message. */
int vh_kernel_receive_iotlb (struct vh_kernel *, struct vh_kernel_iotlb *ret);

/* --- net, vsock, scsi --- */

/* VHOST_NET_SET_BACKEND: starts a ring (0 receives, 1 transmits) on a TAP or packet socket, borrowed for the call; -1 stops it. */
int vh_kernel_net_set_backend (struct vh_kernel *, unsigned ring, int fd);

/* VHOST_VSOCK_SET_GUEST_CID: 3..0xfffffffe; -EADDRINUSE.  VHOST_VSOCK_SET_RUNNING: starts both rings, or stops them. */
int vh_kernel_vsock_set_guest_cid (struct vh_kernel *, uint64_t cid);
int vh_kernel_vsock_set_running (struct vh_kernel *, int running);

/*
 * VHOST_SCSI_SET_ENDPOINT, VHOST_SCSI_CLEAR_ENDPOINT: starts all rings on the target with this name of configfs, or stops them.  -EINVAL: a name that is
 * too long; -ENODEV: there is no such target; -EEXIST: it has one.
 */
int vh_kernel_scsi_set_endpoint (struct vh_kernel *, const char *wwpn, unsigned tpgt);
int vh_kernel_scsi_clear_endpoint (struct vh_kernel *, const char *wwpn, unsigned tpgt);

/* VHOST_SCSI_GET_ABI_VERSION; VHOST_SCSI_SET_EVENTS_MISSED, VHOST_SCSI_GET_EVENTS_MISSED: whether events were lost. */
int vh_kernel_scsi_get_abi_version (struct vh_kernel *, int *ret);
int vh_kernel_scsi_set_events_missed (struct vh_kernel *, uint32_t missed);
int vh_kernel_scsi_get_events_missed (struct vh_kernel *, uint32_t *ret);

/* --- devices --- */

/*
 * Devices of <vhost/device.h>.  The kernel object is the device's on success.  0 and *ret; -EINVAL; -ENOMEM.
 * net: a TAP, or a packet socket, for each of the two rings, or -1 for one that is not used; they are duplicated.  vsock: the guest's address.  scsi: the
 * target.
 */
int vh_dev_new_net (struct vh_kernel *, int rx_fd, int tx_fd, struct vh_dev **ret);
int vh_dev_new_vsock (struct vh_kernel *, uint64_t cid, struct vh_dev **ret);
int vh_dev_new_scsi (struct vh_kernel *, const char *wwpn, unsigned tpgt, struct vh_dev **ret);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
