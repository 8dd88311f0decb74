/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each request of the kernel's vhost: its number, its direction, the size that it is declared with, and its bytes, written out here as a little-endian
 * machine has them.
 */
#include <errno.h>
#include <string.h>

#include "kernel/kernel.h"
#include "tests/unit/kernel-fake.h"

static struct vh_kernel *k;

static void
begin (void)
{
	k = fake_device ();
}

static void
end (void)
{
	vh_kernel_free (k);
}

static void
features (void)
{
	uint64_t value = 0, words[2] = { 0 };
	const uint64_t two[2] = { 0x1122334455667788, 1 };
	uint64_t answer[3] = { 2, 0x0102030405060708, 0x10 };

	begin ();
	fake_answer_u64 (0x8000000000000001);
	OK (vh_kernel_get_features (k, &value));
	CU_ASSERT_EQUAL (value, 0x8000000000000001);
	EXPECT (GETS, 0x00, 8, "0000000000000000");
	ASKS (vh_kernel_set_features (k, 0x0123456789abcdef), SETS, 0x00, 8, "efcdab8967452301");

	fake_answer_u64 (0x17e);
	OK (vh_kernel_get_backend_features (k, &value));
	CU_ASSERT_EQUAL (value, 0x17e);
	EXPECT (GETS, 0x26, 8, "0000000000000000");
	ASKS (vh_kernel_set_backend_features (k, 0x0e), SETS, 0x25, 8, "0e00000000000000");

	fake_answer (0, answer, sizeof (answer));
	OK (vh_kernel_get_features_array (k, words, 2));
	CU_ASSERT_EQUAL (words[0], 0x0102030405060708);
	CU_ASSERT_EQUAL (words[1], 0x10);
	EXPECT (GETS, 0x83, 8, "0200000000000000 0000000000000000 0000000000000000");
	ASKS (vh_kernel_set_features_array (k, two, 2), SETS, 0x83, 8, "0200000000000000 8877665544332211 0100000000000000");
	CU_ASSERT_EQUAL (vh_kernel_get_features_array (k, words, 0), -EINVAL);
	CU_ASSERT_EQUAL (vh_kernel_get_features_array (k, words, VH_FEATURE_WORDS + 1), -EINVAL);
	CU_ASSERT_EQUAL (fake_n_calls, 0);
	end ();
}

static void
owner (void)
{
	unsigned fork = 9;
	uint8_t one = 1;

	begin ();
	OK (vh_kernel_set_owner (k));
	CU_ASSERT (fake_calls[0].no_argument);
	EXPECT (NONE, 0x01, 0, "");
	ASKS (vh_kernel_reset_owner (k), NONE, 0x02, 0, "");
	fake_answer (0, &one, 1);
	OK (vh_kernel_get_fork_from_owner (k, &fork));
	CU_ASSERT_EQUAL (fork, 1);
	EXPECT (GETS, 0x85, 1, "00");
	ASKS (vh_kernel_set_fork_from_owner (k, 1), SETS, 0x84, 1, "01");
	CU_ASSERT_EQUAL (vh_kernel_set_fork_from_owner (k, 256), -EINVAL);
	CU_ASSERT_EQUAL (fake_n_calls, 0);
	end ();
}

static void
memory (void)
{
	const struct vh_region regions[2] = {
		{ .guest_addr = 0x1000, .size = 0x2000, .user_addr = 0x7f0000001000, .offset = 0x55, .fd = 7 },
		{ .guest_addr = 0x100000000, .size = 0x1000, .user_addr = 0x7e0000000000, .fd = -1 },
	};

	begin ();
	ASKS (vh_kernel_set_mem_table (k, regions, 2), SETS, 0x03, 8,
		"02000000 00000000"
		"0010000000000000 0020000000000000 00100000007f0000 0000000000000000"
		"0000000001000000 0010000000000000 00000000007e0000 0000000000000000");
	ASKS (vh_kernel_set_mem_table (k, NULL, 0), SETS, 0x03, 8, "00000000 00000000");
	CU_ASSERT_EQUAL (vh_kernel_set_mem_table (k, regions, VH_MAX_REGIONS + 1), -E2BIG);
	CU_ASSERT_EQUAL (fake_n_calls, 0);

	ASKS (vh_kernel_set_log_base (k, (void *) 0x7f1122334000), SETS, 0x04, 8, "00403322117f0000");
	ASKS (vh_kernel_set_log_fd (k, 5), SETS, 0x07, 4, "05000000");
	ASKS (vh_kernel_set_log_fd (k, -7), SETS, 0x07, 4, "ffffffff");
	end ();
}

static void
rings (void)
{
	const struct vh_vring_addr addr = { .desc = 0x1000, .used = 0x3000, .avail = 0x2000, .log = 0x4000, .flags = 1 };
	uint32_t base = 0;

	begin ();
	ASKS (vh_kernel_set_vring_num (k, 1, 256), SETS, 0x10, 8, "01000000 00010000");
	ASKS (vh_kernel_set_vring_addr (k, 1, &addr), SETS, 0x11, 40, "01000000 01000000 0010000000000000 0030000000000000 0020000000000000 0040000000000000");
	ASKS (vh_kernel_set_vring_base (k, 2, 0x80018002), SETS, 0x12, 8, "02000000 02800180");
	fake_answer_state (2, 0x1234);
	OK (vh_kernel_get_vring_base (k, 2, &base));
	CU_ASSERT_EQUAL (base, 0x1234);
	EXPECT (BOTH, 0x12, 8, "02000000 00000000");
	ASKS (vh_kernel_set_vring_kick (k, 1, 9), SETS, 0x20, 8, "01000000 09000000");
	ASKS (vh_kernel_set_vring_call (k, 1, 10), SETS, 0x21, 8, "01000000 0a000000");
	ASKS (vh_kernel_set_vring_err (k, 1, -3), SETS, 0x22, 8, "01000000 ffffffff");
	end ();
}

static void
ring_options (void)
{
	unsigned value = 0;

	begin ();
	ASKS (vh_kernel_set_vring_endian (k, 1, 1), SETS, 0x13, 8, "01000000 01000000");
	fake_answer_state (1, 1);
	OK (vh_kernel_get_vring_endian (k, 1, &value));
	CU_ASSERT_EQUAL (value, 1);
	EXPECT (SETS, 0x14, 8, "01000000 00000000");
	ASKS (vh_kernel_set_vring_busyloop (k, 1, 50), SETS, 0x23, 8, "01000000 32000000");
	fake_answer_state (1, 50);
	OK (vh_kernel_get_vring_busyloop (k, 1, &value));
	CU_ASSERT_EQUAL (value, 50);
	EXPECT (SETS, 0x24, 8, "01000000 00000000");
	end ();
}

static void
workers (void)
{
	unsigned worker = 0;

	begin ();
	fake_answer_u32 (77);
	OK (vh_kernel_new_worker (k, &worker));
	CU_ASSERT_EQUAL (worker, 77);
	EXPECT (GETS, 0x08, 4, "00000000");
	ASKS (vh_kernel_free_worker (k, 77), SETS, 0x09, 4, "4d000000");
	ASKS (vh_kernel_attach_vring_worker (k, 3, 77), SETS, 0x15, 8, "03000000 4d000000");
	fake_answer_state (3, 77);
	OK (vh_kernel_get_vring_worker (k, 3, &worker));
	CU_ASSERT_EQUAL (worker, 77);
	EXPECT (BOTH, 0x16, 8, "03000000 00000000");
	end ();
}

static void
net_and_vsock (void)
{
	begin ();
	ASKS (vh_kernel_net_set_backend (k, 1, 12), SETS, 0x30, 8, "01000000 0c000000");
	ASKS (vh_kernel_net_set_backend (k, 0, -1), SETS, 0x30, 8, "00000000 ffffffff");
	ASKS (vh_kernel_vsock_set_guest_cid (k, 0x10000002a), SETS, 0x60, 8, "2a00000001000000");
	ASKS (vh_kernel_vsock_set_running (k, 5), SETS, 0x61, 4, "01000000");
	ASKS (vh_kernel_vsock_set_running (k, 0), SETS, 0x61, 4, "00000000");
	end ();
}

/* A name, and 224 bytes in all with its zeroes. */
static void
expect_endpoint (unsigned number)
{
	const struct fake_call *c = &fake_calls[0];
	uint8_t bytes[232] = { 1, 0, 0, 0, 'n', 'a', 'a', '.', '6', [228] = 2, [229] = 1 };

	CU_ASSERT_EQUAL (fake_n_calls, 1);
	CU_ASSERT_EQUAL (c->number, _IOC (SETS, 0xaf, number, 232));
	CU_ASSERT_EQUAL (c->size, sizeof (bytes));
	CU_ASSERT_EQUAL (memcmp (c->bytes, bytes, sizeof (bytes)), 0);
	fake_forget ();
}

static void
scsi (void)
{
	char name[VH_SCSI_WWPN_SIZE + 1];
	uint32_t missed = 0;
	int version = 0;

	begin ();
	OK (vh_kernel_scsi_set_endpoint (k, "naa.6", 0x102));
	expect_endpoint (0x40);
	OK (vh_kernel_scsi_clear_endpoint (k, "naa.6", 0x102));
	expect_endpoint (0x41);
	memset (name, 'n', sizeof (name));
	name[VH_SCSI_WWPN_SIZE] = '\0';
	CU_ASSERT_EQUAL (vh_kernel_scsi_set_endpoint (k, name, 1), -EINVAL);
	CU_ASSERT_EQUAL (vh_kernel_scsi_set_endpoint (k, "naa.6", 0x10000), -EINVAL);
	CU_ASSERT_EQUAL (fake_n_calls, 0);
	name[VH_SCSI_WWPN_SIZE - 1] = '\0';
	OK (vh_kernel_scsi_set_endpoint (k, name, 0));
	CU_ASSERT_EQUAL (fake_calls[0].bytes[4 + 222], 'n');
	CU_ASSERT_EQUAL (fake_calls[0].bytes[4 + 223], 0);
	fake_forget ();

	fake_answer_u32 (1);
	OK (vh_kernel_scsi_get_abi_version (k, &version));
	CU_ASSERT_EQUAL (version, 1);
	EXPECT (SETS, 0x42, 4, "00000000");
	ASKS (vh_kernel_scsi_set_events_missed (k, 3), SETS, 0x43, 4, "03000000");
	fake_answer_u32 (4);
	OK (vh_kernel_scsi_get_events_missed (k, &missed));
	CU_ASSERT_EQUAL (missed, 4);
	EXPECT (SETS, 0x44, 4, "00000000");
	end ();
}

/* --- IOTLB messages --- */

static void
expect_message (const char *digits)
{
	uint8_t bytes[72] = { 0 };

	fake_hex (digits, bytes, sizeof (bytes));
	CU_ASSERT_EQUAL_FATAL (fake_n_calls, 1);
	CU_ASSERT_EQUAL (fake_calls[0].kind, FAKE_WRITE);
	CU_ASSERT_EQUAL (fake_calls[0].size, 72);
	CU_ASSERT_EQUAL (memcmp (fake_calls[0].bytes, bytes, 72), 0);
	fake_forget ();
}

static void
iotlb_is_written (void)
{
	struct vh_kernel_iotlb m = { .iova = 0x1000, .size = 0x2000, .user_addr = 0x7f0000000000, .access = VH_ACCESS_RW, .type = VH_IOTLB_UPDATE };

	begin ();
	OK (vh_kernel_send_iotlb (k, &m));
	expect_message ("01000000 00000000 0010000000000000 0020000000000000 00000000007f0000 03 02");
	OK (vh_kernel_set_backend_features (k, VH_BIT (VH_BACKEND_IOTLB_MSG_V2)));
	fake_forget ();
	m.type = VH_IOTLB_INVALIDATE;
	OK (vh_kernel_send_iotlb (k, &m));
	expect_message ("02000000 00000000 0010000000000000 0020000000000000 00000000007f0000 03 03");
	m.asid = 1;
	CU_ASSERT_EQUAL (vh_kernel_send_iotlb (k, &m), -EINVAL);
	CU_ASSERT_EQUAL (fake_n_calls, 0);
	OK (vh_kernel_set_backend_features (k, VH_BIT (VH_BACKEND_IOTLB_MSG_V2) | VH_BIT (VH_BACKEND_IOTLB_ASID)));
	fake_forget ();
	OK (vh_kernel_send_iotlb (k, &m));
	expect_message ("02000000 01000000 0010000000000000 0020000000000000 00000000007f0000 03 03");
	m = (struct vh_kernel_iotlb){ .type = VH_IOTLB_MISS };
	CU_ASSERT_EQUAL (vh_kernel_send_iotlb (k, &m), -EINVAL);
	m.type = VH_IOTLB_BATCH_END + 1;
	CU_ASSERT_EQUAL (vh_kernel_send_iotlb (k, &m), -EINVAL);
	end ();
}

static int
receive (const char *digits, long result, struct vh_kernel_iotlb *m)
{
	memset (fake_read_bytes, 0, sizeof (fake_read_bytes));
	fake_hex (digits, fake_read_bytes, sizeof (fake_read_bytes));
	fake_read_result = result;
	return vh_kernel_receive_iotlb (k, m);
}

static void
iotlb_is_read (void)
{
	struct vh_kernel_iotlb m = { 0 };

	begin ();
	OK (receive ("01000000 ffffffff 0010000000000000 0000000000000000 0000000000000000 01 01", 72, &m));
	CU_ASSERT (m.iova == 0x1000 && m.asid == 0 && m.access == VH_ACCESS_RO && m.type == VH_IOTLB_MISS);
	OK (receive ("02000000 05000000 0030000000000000 0000000000000000 0000000000000000 02 01", 72, &m));
	CU_ASSERT (m.iova == 0x3000 && m.asid == 5 && m.access == VH_ACCESS_WO && m.type == VH_IOTLB_MISS);
	/* A kind that nobody has heard of is its number, and no kind that there is. */
	OK (receive ("02000000 00000000 0030000000000000 0000000000000000 0000000000000000 02 c8", 72, &m));
	CU_ASSERT_EQUAL (m.type, 200);
	CU_ASSERT_EQUAL (receive ("03000000", 72, &m), -EBADMSG);
	CU_ASSERT_EQUAL (receive ("01000000", 0, &m), -EBADMSG);
	CU_ASSERT_EQUAL (receive ("01000000", 71, &m), -EBADMSG);
	CU_ASSERT_EQUAL (receive ("", -EAGAIN, &m), -EAGAIN);
	CU_ASSERT_EQUAL (receive ("", -EBADFD, &m), -EBADFD);
	CU_ASSERT_STRING_EQUAL (vh_kernel_error (k), "IOTLB: none is in force");
	CU_ASSERT_EQUAL (m.iova, 0x3000);
	end ();
}

/* All but vDPA's, which has its own tests. */
static void
nothing_is_left_out (void)
{
	fake_check_asked (0, KERNEL_VDPA_GET_DEVICE_ID);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "features", features },
		{ "owner", owner },
		{ "memory", memory },
		{ "rings", rings },
		{ "endian and busy loop", ring_options },
		{ "workers", workers },
		{ "net and vsock", net_and_vsock },
		{ "scsi", scsi },
		{ "IOTLB messages are written in both versions", iotlb_is_written },
		{ "IOTLB messages are read in both versions", iotlb_is_read },
		{ "nothing is left out", nothing_is_left_out },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("kernel requests", tests);
}
