/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names of feature bits: those of rings and transport, of each kind of device (virtio 1.2, 5 "Device Types"), and of the vhost-user protocol.
 */
#include <stddef.h>

#include <vhost/protocol.h>

#define FEATURE_BITS 64

#define LENGTH(array) (sizeof (array) / sizeof ((array)[0]))

/* Virtio 1.2, 6 "Reserved Feature Bits", and those of vhost and of older virtio that share their range. */
static const char *const ring_names[FEATURE_BITS] = {
	[VH_F_NOTIFY_ON_EMPTY] = "NOTIFY_ON_EMPTY",
	[VH_F_LOG_ALL] = "LOG_ALL",
	[27] = "ANY_LAYOUT",
	[VH_F_INDIRECT_DESC] = "INDIRECT_DESC",
	[VH_F_EVENT_IDX] = "EVENT_IDX",
	[VH_F_PROTOCOL_FEATURES] = "PROTOCOL_FEATURES",
	[VH_F_VERSION_1] = "VERSION_1",
	[VH_F_ACCESS_PLATFORM] = "ACCESS_PLATFORM",
	[VH_F_RING_PACKED] = "RING_PACKED",
	[VH_F_IN_ORDER] = "IN_ORDER",
	[VH_F_ORDER_PLATFORM] = "ORDER_PLATFORM",
	[37] = "SR_IOV",
	[VH_F_NOTIFICATION_DATA] = "NOTIFICATION_DATA",
	[39] = "NOTIF_CONFIG_DATA",
	[VH_F_RING_RESET] = "RING_RESET",
	[41] = "ADMIN_VQ",
};

/* Protocol features (vhost-user, "Protocol features"). */
static const char *const protocol_names[] = {
	[VH_P_MQ] = "MQ",
	[VH_P_LOG_SHMFD] = "LOG_SHMFD",
	[VH_P_RARP] = "RARP",
	[VH_P_REPLY_ACK] = "REPLY_ACK",
	[VH_P_MTU] = "MTU",
	[VH_P_BACKEND_REQ] = "BACKEND_REQ",
	[VH_P_CROSS_ENDIAN] = "CROSS_ENDIAN",
	[VH_P_CRYPTO_SESSION] = "CRYPTO_SESSION",
	[VH_P_PAGEFAULT] = "PAGEFAULT",
	[VH_P_CONFIG] = "CONFIG",
	[VH_P_BACKEND_SEND_FD] = "BACKEND_SEND_FD",
	[VH_P_HOST_NOTIFIER] = "HOST_NOTIFIER",
	[VH_P_INFLIGHT_SHMFD] = "INFLIGHT_SHMFD",
	[VH_P_RESET_DEVICE] = "RESET_DEVICE",
	[VH_P_INBAND_NOTIFICATIONS] = "INBAND_NOTIFICATIONS",
	[VH_P_CONFIGURE_MEM_SLOTS] = "CONFIGURE_MEM_SLOTS",
	[VH_P_STATUS] = "STATUS",
	[VH_P_XEN_MMAP] = "XEN_MMAP",
	[VH_P_SHARED_OBJECT] = "SHARED_OBJECT",
	[VH_P_DEVICE_STATE] = "DEVICE_STATE",
	[VH_P_GET_VRING_BASE_INFLIGHT] = "GET_VRING_BASE_INFLIGHT",
	[VH_P_GPA_ADDRESSES] = "GPA_ADDRESSES",
	[VH_P_SHMEM] = "SHMEM",
	[VH_P_GET_VRING_BASE_SKIP_DRAIN] = "GET_VRING_BASE_SKIP_DRAIN",
};

static const char *const net_names[FEATURE_BITS] = {
	[0] = "CSUM",
	[1] = "GUEST_CSUM",
	[2] = "CTRL_GUEST_OFFLOADS",
	[3] = "MTU",
	[5] = "MAC",
	[6] = "GSO",
	[7] = "GUEST_TSO4",
	[8] = "GUEST_TSO6",
	[9] = "GUEST_ECN",
	[10] = "GUEST_UFO",
	[11] = "HOST_TSO4",
	[12] = "HOST_TSO6",
	[13] = "HOST_ECN",
	[14] = "HOST_UFO",
	[15] = "MRG_RXBUF",
	[16] = "STATUS",
	[17] = "CTRL_VQ",
	[18] = "CTRL_RX",
	[19] = "CTRL_VLAN",
	[20] = "CTRL_RX_EXTRA",
	[21] = "GUEST_ANNOUNCE",
	[22] = "MQ",
	[23] = "CTRL_MAC_ADDR",
	[50] = "DEVICE_STATS",
	[51] = "HASH_TUNNEL",
	[52] = "VQ_NOTF_COAL",
	[53] = "NOTF_COAL",
	[54] = "GUEST_USO4",
	[55] = "GUEST_USO6",
	[56] = "HOST_USO",
	[57] = "HASH_REPORT",
	[59] = "GUEST_HDRLEN",
	[60] = "RSS",
	[61] = "RSC_EXT",
	[62] = "STANDBY",
	[63] = "SPEED_DUPLEX",
};

static const char *const blk_names[FEATURE_BITS] = {
	[0] = "BARRIER",
	[1] = "SIZE_MAX",
	[2] = "SEG_MAX",
	[4] = "GEOMETRY",
	[5] = "RO",
	[6] = "BLK_SIZE",
	[7] = "SCSI",
	[9] = "FLUSH",
	[10] = "TOPOLOGY",
	[11] = "CONFIG_WCE",
	[12] = "MQ",
	[13] = "DISCARD",
	[14] = "WRITE_ZEROES",
	[15] = "LIFETIME",
	[16] = "SECURE_ERASE",
	[17] = "ZONED",
};

static const char *const console_names[FEATURE_BITS] = {
	[0] = "SIZE",
	[1] = "MULTIPORT",
	[2] = "EMERG_WRITE",
};

static const char *const balloon_names[FEATURE_BITS] = {
	[0] = "MUST_TELL_HOST",
	[1] = "STATS_VQ",
	[2] = "DEFLATE_ON_OOM",
	[3] = "FREE_PAGE_HINT",
	[4] = "PAGE_POISON",
	[5] = "PAGE_REPORTING",
};

static const char *const scsi_names[FEATURE_BITS] = {
	[0] = "INOUT",
	[1] = "HOTPLUG",
	[2] = "CHANGE",
	[3] = "T10_PI",
};

static const char *const fs9p_names[FEATURE_BITS] = {
	[0] = "MOUNT_TAG",
};

static const char *const gpu_names[FEATURE_BITS] = {
	[0] = "VIRGL",
	[1] = "EDID",
	[2] = "RESOURCE_UUID",
	[3] = "RESOURCE_BLOB",
	[4] = "CONTEXT_INIT",
};

static const char *const vsock_names[FEATURE_BITS] = {
	[0] = "STREAM",
	[1] = "SEQPACKET",
	[2] = "NO_IMPLIED_STREAM",
};

static const char *const crypto_names[FEATURE_BITS] = {
	[0] = "REVISION_1",
	[1] = "CIPHER_STATELESS_MODE",
	[2] = "HASH_STATELESS_MODE",
	[3] = "MAC_STATELESS_MODE",
	[4] = "AEAD_STATELESS_MODE",
	[5] = "AKCIPHER_STATELESS_MODE",
};

static const char *const iommu_names[FEATURE_BITS] = {
	[0] = "INPUT_RANGE",
	[1] = "DOMAIN_RANGE",
	[2] = "MAP_UNMAP",
	[3] = "BYPASS",
	[4] = "PROBE",
	[5] = "MMIO",
	[6] = "BYPASS_CONFIG",
};

static const char *const mem_names[FEATURE_BITS] = {
	[0] = "ACPI_PXM",
	[1] = "UNPLUGGED_INACCESSIBLE",
	[2] = "PERSISTENT_SUSPEND",
};

static const char *const sound_names[FEATURE_BITS] = {
	[0] = "CTLS",
};

static const char *const fs_names[FEATURE_BITS] = {
	[0] = "NOTIFICATION",
};

static const char *const pmem_names[FEATURE_BITS] = {
	[0] = "SHMEM_REGION",
};

static const char *const scmi_names[FEATURE_BITS] = {
	[0] = "P2A_CHANNELS",
	[1] = "SHARED_MEMORY",
};

static const char *const i2c_names[FEATURE_BITS] = {
	[0] = "ZERO_LENGTH_REQUEST",
};

static const char *const bluetooth_names[FEATURE_BITS] = {
	[0] = "VND_HCI",
	[1] = "MSFT_EXT",
	[2] = "AOSP_EXT",
	[3] = "CONFIG_V2",
};

static const char *const gpio_names[FEATURE_BITS] = {
	[0] = "IRQ",
};

/* By device id (virtio 1.2, 5); devices without features of their own (entropy 4, input 18, ...) have no row. */
static const char *const *const device_names[] = {
	[1] = net_names,
	[2] = blk_names,
	[3] = console_names,
	[5] = balloon_names,
	[8] = scsi_names,
	[9] = fs9p_names,
	[16] = gpu_names,
	[19] = vsock_names,
	[20] = crypto_names,
	[23] = iommu_names,
	[24] = mem_names,
	[25] = sound_names,
	[26] = fs_names,
	[27] = pmem_names,
	[32] = scmi_names,
	[34] = i2c_names,
	[40] = bluetooth_names,
	[41] = gpio_names,
};

const char *
vh_virtio_feature_name (unsigned device_id, unsigned bit)
{
	if (bit >= FEATURE_BITS)
		return NULL;
	if (ring_names[bit])
		return ring_names[bit];
	if (device_id >= LENGTH (device_names) || !device_names[device_id])
		return NULL;
	return device_names[device_id][bit];
}

const char *
vh_protocol_feature_name (unsigned bit)
{
	return bit < LENGTH (protocol_names) ? protocol_names[bit] : NULL;
}
