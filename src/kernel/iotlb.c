/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IOTLB messages: written to the device, and read from it.
 *
 *	version 1:  type 1 | hole | entry (32 bytes of 64)
 *	version 2:  type 2 | asid | entry
 *
 * The hole exists because the entry is aligned to 8 bytes, so both have one layout.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "kernel/call.h"
#include "kernel/kernel.h"

#define MESSAGE_V1 1
#define MESSAGE_V2 2

struct iotlb_entry {
	uint64_t iova;
	uint64_t size;
	uint64_t user_addr;
	uint8_t access;
	uint8_t type;
	uint8_t padding[6];
};

struct iotlb_message {
	uint32_t version;
	uint32_t asid;	/* version 1: nothing */
	struct iotlb_entry entry;
	uint8_t reserved[32];
};

_Static_assert (sizeof (struct iotlb_message) == 72, "struct vhost_msg, struct vhost_msg_v2");

static const char *
type_name (unsigned type)
{
	static const char *const names[] = {
		[VH_IOTLB_MISS] = "MISS",
		[VH_IOTLB_UPDATE] = "UPDATE",
		[VH_IOTLB_INVALIDATE] = "INVALIDATE",
		[VH_IOTLB_ACCESS_FAIL] = "ACCESS_FAIL",
		[VH_IOTLB_BATCH_BEGIN] = "BATCH_BEGIN",
		[VH_IOTLB_BATCH_END] = "BATCH_END",
	};

	return type < sizeof (names) / sizeof (names[0]) && names[type] ? names[type] : "message";
}

static int
send_failed (struct vh_kernel *k, const struct vh_kernel_iotlb *m, int err)
{
	if (err == -EFAULT)
		return error_words (&k->error, err,
				    "IOTLB %s of 0x%" PRIx64 " bytes at 0x%" PRIx64
				    ": refused (it overlaps, or its memory is not shared and mapped here, or too much is locked)",
				    type_name (m->type), m->size, m->iova);
	return error_set (&k->error, err, "IOTLB %s of 0x%" PRIx64 " bytes at 0x%" PRIx64, type_name (m->type), m->size, m->iova);
}

int
vh_kernel_send_iotlb (struct vh_kernel *k, const struct vh_kernel_iotlb *m)
{
	struct iotlb_message message = {
		.version = kernel_has (k, VH_BACKEND_IOTLB_MSG_V2) ? MESSAGE_V2 : MESSAGE_V1,
		.asid = m->asid,
		.entry = { .iova = m->iova, .size = m->size, .user_addr = m->user_addr, .access = m->access, .type = m->type },
	};
	long n;

	if (m->type < VH_IOTLB_UPDATE || m->type > VH_IOTLB_BATCH_END || (m->asid != 0 && !kernel_has (k, VH_BACKEND_IOTLB_ASID)))
		return error_words (&k->error, -EINVAL, "IOTLB %s to address space %u: it cannot be sent", type_name (m->type), m->asid);
	n = kernel_write (k->fd, &message, sizeof (message));
	if (n == sizeof (message))
		return 0;
	return send_failed (k, m, n < 0 ? n : -EIO);
}

int
vh_kernel_receive_iotlb (struct vh_kernel *k, struct vh_kernel_iotlb *ret)
{
	struct iotlb_message message;
	long n = kernel_read (k->fd, &message, sizeof (message));

	if (n == -EAGAIN)
		return -EAGAIN;
	if (n == -EBADFD)
		return error_words (&k->error, n, "IOTLB: none is in force");
	if (n < 0)
		return error_set (&k->error, n, "IOTLB messages");
	if (n != sizeof (message) || (message.version != MESSAGE_V1 && message.version != MESSAGE_V2))
		return error_set (&k->error, -EBADMSG, "IOTLB message of %ld bytes", n);
	*ret = (struct vh_kernel_iotlb){
		.iova = message.entry.iova,
		.size = message.entry.size,
		.user_addr = message.entry.user_addr,
		.asid = message.version == MESSAGE_V2 ? message.asid : 0,
		.access = message.entry.access,
		.type = message.entry.type,
	};
	return 0;
}
