/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the kernel answers when it does not like something: the codes come through, those of a missing request become one, and each has its words.
 */
#include <errno.h>
#include <string.h>

#include "kernel/kernel.h"
#include "tests/unit/kernel-fake.h"

static struct vh_kernel *k;

/* A request fails with this code; what the caller gets, and the words. */
#define FAILS(kernel_says, call, err, words)                                                                                                           \
	do {                                                                                                                                           \
		fake_answer (kernel_says, NULL, 0);                                                                                                    \
		CU_ASSERT_EQUAL (call, err);                                                                                                           \
		CU_ASSERT_STRING_EQUAL (vh_kernel_error (k), words);                                                                                   \
	} while (0)

static void
check_open (int result, int err, const char *words)
{
	struct vh_kernel *none = NULL;
	char failed[100] = "";

	fake_open_result = result;
	CU_ASSERT_EQUAL (vh_kernel_open ("/dev/vhost-net", NULL, &none, failed, sizeof (failed)), err);
	CU_ASSERT_STRING_EQUAL (failed, words);
	CU_ASSERT_PTR_NULL (none);
}

static void
devices_that_cannot_be_opened (void)
{
	int fds = suite_open_fds ();
	char small[10];

	fake_forget ();
	check_open (-ENOENT, -ENOENT, "/dev/vhost-net: there is no such device (is its kernel module loaded?)");
	check_open (-ENODEV, -ENODEV, "/dev/vhost-net: there is no driver for this device (is its kernel module there?)");
	check_open (-ENXIO, -ENXIO, "/dev/vhost-net: there is no driver for this device (is its kernel module there?)");
	check_open (-EACCES, -EACCES, "/dev/vhost-net: no permission to open it");
	check_open (-EBUSY, -EBUSY, "/dev/vhost-net: somebody else has it open");
	check_open (-EMFILE, -EMFILE, "/dev/vhost-net: Too many open files");
	fake_answer (-ENOTTY, NULL, 0);
	check_open (0, -ENOTTY, "/dev/vhost-net: not a vhost device");
	fake_answer (-EINVAL, NULL, 0);
	check_open (0, -ENOTTY, "/dev/vhost-net: not a vhost device");
	/* Words are cut to the room there is, and can be left out. */
	fake_open_result = -ENOENT;
	CU_ASSERT_EQUAL (vh_kernel_open ("/dev/vhost-net", NULL, &k, small, sizeof (small)), -ENOENT);
	CU_ASSERT_STRING_EQUAL (small, "/dev/vhos");
	CU_ASSERT_EQUAL (vh_kernel_open ("/dev/vhost-net", NULL, &k, NULL, 0), -ENOENT);
	CU_ASSERT_EQUAL (vh_kernel_new (-1, "none", NULL, &k), -EINVAL);
	CU_ASSERT_EQUAL (suite_open_fds (), fds);
	vh_kernel_free (NULL);
}

static void
a_refusal_has_its_words (void)
{
	const struct vh_vring_addr addr = { .desc = 0 };
	const struct vh_region region = { .size = 1 };
	uint32_t base;

	k = fake_device ();
	FAILS (-EBUSY, vh_kernel_set_owner (k), -EBUSY, "VHOST_SET_OWNER: it has an owner already");
	FAILS (-EPERM, vh_kernel_set_vring_num (k, 0, 1), -EPERM, "VHOST_SET_VRING_NUM: this process is not the owner (VHOST_SET_OWNER)");
	FAILS (-ENOBUFS, vh_kernel_set_vring_num (k, 9, 1), -ENOBUFS, "VHOST_SET_VRING_NUM: there is no such ring");
	FAILS (-EBUSY, vh_kernel_set_vring_base (k, 0, 1), -EBUSY, "VHOST_SET_VRING_BASE: the ring runs");
	FAILS (-EINVAL, vh_kernel_set_vring_num (k, 0, 3), -EINVAL, "VHOST_SET_VRING_NUM: not a size that the device takes");
	FAILS (-EINVAL, vh_kernel_set_vring_addr (k, 0, &addr), -EINVAL,
	       "VHOST_SET_VRING_ADDR: the ring's areas are not aligned, or not in the memory");
	FAILS (-EBADF, vh_kernel_set_vring_kick (k, 0, 3), -EBADF, "VHOST_SET_VRING_KICK: not an eventfd");
	FAILS (-EINVAL, vh_kernel_set_vring_call (k, 0, 3), -EINVAL, "VHOST_SET_VRING_CALL: not an eventfd");
	FAILS (-E2BIG, vh_kernel_set_mem_table (k, &region, 1), -E2BIG,
	       "VHOST_SET_MEM_TABLE: more regions than the module vhost takes (its parameter max_mem_regions)");
	FAILS (-EOPNOTSUPP, vh_kernel_set_features (k, 1), -EOPNOTSUPP, "VHOST_SET_FEATURES: the device does not have all of them");
	FAILS (-EFAULT, vh_kernel_net_set_backend (k, 0, 3), -EFAULT,
	       "VHOST_NET_SET_BACKEND: the ring is not set up, or not in memory that this process has");
	FAILS (-ENOTSOCK, vh_kernel_net_set_backend (k, 0, 3), -ENOTSOCK, "VHOST_NET_SET_BACKEND: neither a TAP nor a packet socket");
	FAILS (-EADDRINUSE, vh_kernel_vsock_set_guest_cid (k, 5), -EADDRINUSE, "VHOST_VSOCK_SET_GUEST_CID: another guest has this address");
	FAILS (-ENODEV, vh_kernel_scsi_set_endpoint (k, "naa.1", 1), -ENODEV, "VHOST_SCSI_SET_ENDPOINT: there is no free target with this name");
	/* A code that nobody thought of. */
	FAILS (-ENOMEM, vh_kernel_get_vring_base (k, 0, &base), -ENOMEM, "VHOST_GET_VRING_BASE: Cannot allocate memory");
	vh_kernel_free (k);
}

static void
a_missing_request_is_one_error (void)
{
	unsigned value = 5;
	uint64_t features;

	k = fake_device ();
#define LACKS "this device, or this kernel, does not have it"
	FAILS (-ENOTTY, vh_kernel_get_backend_features (k, &features), -EOPNOTSUPP, "VHOST_GET_BACKEND_FEATURES: " LACKS);
	FAILS (-ENOBUFS, vh_kernel_new_worker (k, &value), -EOPNOTSUPP, "VHOST_NEW_WORKER: " LACKS);
	FAILS (-ENOTTY, vh_kernel_get_vring_worker (k, 0, &value), -EOPNOTSUPP, "VHOST_GET_VRING_WORKER: " LACKS);
	FAILS (-EFAULT, vh_kernel_reset_owner (k), -EOPNOTSUPP, "VHOST_RESET_OWNER: " LACKS);
	FAILS (-ENOTTY, vh_kernel_set_log_base (k, NULL), -EOPNOTSUPP, "VHOST_SET_LOG_BASE: " LACKS);
	FAILS (-524, vh_kernel_set_vring_num (k, 0, 1), -EOPNOTSUPP, "VHOST_SET_VRING_NUM: " LACKS);
	/* With an argument, EFAULT is about the argument; about a ring, ENOBUFS is about the ring. */
	FAILS (-EFAULT, vh_kernel_new_worker (k, &value), -EFAULT, "VHOST_NEW_WORKER: workers are kernel threads here (VHOST_SET_FORK_FROM_OWNER)");
	FAILS (-ENOBUFS, vh_kernel_set_vring_endian (k, 7, 1), -ENOBUFS, "VHOST_SET_VRING_ENDIAN: there is no such ring");
	CU_ASSERT_EQUAL (value, 5);
	vh_kernel_free (k);
}

static void
an_iotlb_message_that_is_refused (void)
{
	const struct vh_kernel_iotlb m = { .iova = 0x1000, .size = 0x2000, .type = VH_IOTLB_UPDATE, .access = VH_ACCESS_RO };

	k = fake_device ();
	fake_fail_nth (1, -EFAULT);
	CU_ASSERT_EQUAL (vh_kernel_send_iotlb (k, &m), -EFAULT);
	CU_ASSERT_STRING_EQUAL (vh_kernel_error (k), "IOTLB UPDATE of 0x2000 bytes at 0x1000: refused (it overlaps, or its memory is not shared and "
						     "mapped here, or too much is locked)");
	fake_fail_nth (1, -EPERM);
	CU_ASSERT_EQUAL (vh_kernel_send_iotlb (k, &m), -EPERM);
	CU_ASSERT_STRING_EQUAL (vh_kernel_error (k), "IOTLB UPDATE of 0x2000 bytes at 0x1000: Operation not permitted");
	vh_kernel_free (k);
}

/* What was set before a refusal stays in force. */
static void
backend_features_that_are_refused (void)
{
	k = fake_device ();
	fake_answer (-EOPNOTSUPP, NULL, 0);
	CU_ASSERT_EQUAL (vh_kernel_set_backend_features (k, VH_BIT (VH_BACKEND_IOTLB_MSG_V2)), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_kernel_backend_features (k), 0);
	CU_ASSERT_EQUAL (vh_kernel_set_backend_features (k, VH_BIT (VH_BACKEND_IOTLB_MSG_V2)), 0);
	CU_ASSERT_EQUAL (vh_kernel_backend_features (k), VH_BIT (VH_BACKEND_IOTLB_MSG_V2));
	vh_kernel_free (k);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "devices that cannot be opened", devices_that_cannot_be_opened },
		{ "a refusal has its words", a_refusal_has_its_words },
		{ "a missing request is one error", a_missing_request_is_one_error },
		{ "an IOTLB message that is refused", an_iotlb_message_that_is_refused },
		{ "backend features that are refused", backend_features_that_are_refused },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("kernel errors", tests);
}
