/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the front-end sends, byte for byte, and that it takes the answers that the protocol defines.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/wire/frontend-peer.h"

/* --- the handshake --- */

static void
script_without_protocol_features (void)
{
	peer_expect ("01000000 01000000 00000000", 0);
	peer_send ("01000000 05000000 08000000 00000030 01000000");
	peer_expect ("03000000 01000000 00000000", 0);
	peer_expect ("02000000 01000000 08000000 00000020 01000000", 0);
	peer_expect_end (PEER_MAIN);
}

static void
test_without_protocol_features (void)
{
	uint64_t features;

	frontend_begin (script_without_protocol_features, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	CU_ASSERT_EQUAL (vh_frontend_offered_features (frontend), 0x130000000);
	CU_ASSERT_EQUAL (vh_frontend_protocol_features (frontend), 0);
	OK (vh_frontend_set_features (frontend, 0x120000000));
	/* Nothing of the protocol's extras may be asked for; none of these reaches the wire. */
	CU_ASSERT_EQUAL (vh_frontend_get_protocol_features (frontend, &features), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_enable (frontend, 0, 1), -EOPNOTSUPP);
	frontend_end ();
}

static void
script_handshake (void)
{
	peer_expect ("01000000 01000000 00000000", 0);
	peer_send ("01000000 05000000 08000000 00000070 01000000");
	peer_expect ("0f000000 01000000 00000000", 0);
	peer_send ("0f000000 05000000 08000000 2b820000 00000000");
	/* MQ, LOG_SHMFD, REPLY_ACK, BACKEND_REQ, CONFIG, CONFIGURE_MEM_SLOTS. */
	peer_expect ("10000000 01000000 08000000 2b820000 00000000", 0);
	peer_expect_channel ("15000000 09000000 00000000");
	peer_send ("15000000 05000000 08000000 00000000 00000000");
	peer_expect ("03000000 09000000 00000000", 0);
	peer_send ("03000000 05000000 08000000 00000000 00000000");
	peer_expect_end (PEER_MAIN);
}

static void
test_handshake (void)
{
	frontend_begin (script_handshake, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	CU_ASSERT_EQUAL (vh_frontend_offered_protocol_features (frontend), 0x822b);
	CU_ASSERT_EQUAL (vh_frontend_protocol_features (frontend), 0x822b);
	CU_ASSERT_STRING_EQUAL (vh_frontend_error (frontend), "");
	frontend_end ();
}

static void
script_handshake_of_choice (void)
{
	peer_expect ("01000000 01000000 00000000", 0);
	peer_send ("01000000 05000000 08000000 00000070 01000000");
	peer_expect ("0f000000 01000000 00000000", 0);
	peer_send ("0f000000 05000000 08000000 2b820000 00000000");
	peer_expect ("10000000 01000000 08000000 01020000 00000000", 0);
	peer_expect ("03000000 01000000 00000000", 0);
	peer_expect_end (PEER_MAIN);
}

static void
test_handshake_of_choice (void)
{
	frontend_begin (script_handshake_of_choice, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, P_MQ | P_CONFIG | P_RESET_DEVICE));
	CU_ASSERT_EQUAL (vh_frontend_protocol_features (frontend), P_MQ | P_CONFIG);
	frontend_end ();
}

static void
script_unknown_features (void)
{
	peer_expect ("01000000 01000000 00000000", 0);
	peer_send ("01000000 05000000 08000000 ffffffff ffffffff");
	peer_expect ("0f000000 01000000 00000000", 0);
	peer_send ("0f000000 05000000 08000000 ffffffff ffffffff");
	/* What is not defined, and what this front-end does not do, is not set. */
	peer_expect ("10000000 01000000 08000000 ffa20b00 00000000", 0);
	peer_expect_channel ("15000000 09000000 00000000");
	peer_send_u64 (21, 0);
	peer_expect ("03000000 09000000 00000000", 0);
	peer_send_u64 (3, 0);
	peer_expect_end (PEER_MAIN);
}

static void
test_unknown_features_are_masked (void)
{
	frontend_begin (script_unknown_features, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	CU_ASSERT_EQUAL (vh_frontend_set_protocol_features (frontend, UINT64_C (1) << 63), -EINVAL);
	frontend_end ();
}

static void
script_set_protocol_features_again (void)
{
	peer_handshake (P_MQ | P_REPLY_ACK);
	peer_expect ("10000000 09000000 08000000 08000000 00000000", 0);
	peer_send_u64 (16, 0);
	/* Leaving REPLY_ACK: nobody says whether this is answered, so no answer is asked for. */
	peer_expect ("10000000 01000000 08000000 01000000 00000000", 0);
	peer_expect ("03000000 01000000 00000000", 0);
	peer_expect_end (PEER_MAIN);
}

static void
test_set_protocol_features_again (void)
{
	frontend_begin (script_set_protocol_features_again, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	OK (vh_frontend_set_protocol_features (frontend, P_REPLY_ACK));
	CU_ASSERT_EQUAL (vh_frontend_protocol_features (frontend), P_REPLY_ACK);
	OK (vh_frontend_set_protocol_features (frontend, P_MQ));
	OK (vh_frontend_set_owner (frontend));
	CU_ASSERT_EQUAL (vh_frontend_set_protocol_features (frontend, P_CONFIG), -EINVAL);
	frontend_end ();
}

/* --- all requests --- */

static void
script_requests_with_acks (void)
{
	peer_handshake (P_MQ | P_REPLY_ACK | P_CONFIG | P_RESET_DEVICE | P_MEM_SLOTS);
	peer_expect ("02000000 09000000 08000000 00000060 01000000", 0);
	peer_send_u64 (2, 0);
	peer_expect ("11000000 01000000 00000000", 0);
	peer_send ("11000000 05000000 08000000 00010000 00000000");
	peer_expect ("24000000 01000000 00000000", 0);
	peer_send ("24000000 05000000 08000000 fd010000 00000000");
	/* Two regions of two files. */
	peer_expect ("05000000 09000000 48000000 02000000 00000000"
		     "0000004000000000 0000100000000000 00000070ff7f0000 0000000000000000"
		     "0000005000000000 0000200000000000 00000080ff7f0000 0010000000000000",
		     2);
	peer_send_u64 (5, 0);
	peer_expect ("25000000 09000000 28000000 0000000000000000"
		     "0000005000000000 0000200000000000 00000080ff7f0000 0010000000000000",
		     1);
	peer_send_u64 (37, 0);
	peer_expect ("26000000 09000000 28000000 0000000000000000"
		     "0000005000000000 0000200000000000 00000080ff7f0000 0010000000000000",
		     0);
	peer_send_u64 (38, 0);
	peer_expect ("22000000 09000000 00000000", 0);
	peer_send_u64 (34, 0);
	peer_expect ("04000000 09000000 00000000", 0);
	peer_send_u64 (4, 0);
	peer_expect_end (PEER_MAIN);
}

static void
test_requests_about_the_device (void)
{
	struct vh_region regions[2] = {
		{ .guest_addr = 0x40000000, .size = 0x100000, .user_addr = 0x7fff70000000, .offset = 0 },
		{ .guest_addr = 0x50000000, .size = 0x200000, .user_addr = 0x7fff80000000, .offset = 0x1000 },
	};
	unsigned n = 0;

	regions[0].fd = regions[1].fd = eventfd (0, EFD_CLOEXEC);
	frontend_begin (script_requests_with_acks, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	OK (vh_frontend_set_features (frontend, 0x160000000));
	OK (vh_frontend_get_queue_num (frontend, &n));
	CU_ASSERT_EQUAL (n, 256);
	OK (vh_frontend_get_max_mem_slots (frontend, &n));
	CU_ASSERT_EQUAL (n, 509);
	OK (vh_frontend_set_mem_table (frontend, regions, 2));
	OK (vh_frontend_add_mem_region (frontend, &regions[1]));
	OK (vh_frontend_remove_mem_region (frontend, &regions[1]));
	OK (vh_frontend_reset_device (frontend));
	OK (vh_frontend_reset_owner (frontend));
	frontend_end ();
	close (regions[0].fd);
}

static void
script_ring_requests (void)
{
	peer_handshake (P_REPLY_ACK);
	peer_expect ("02000000 09000000 08000000 00000040 01000000", 0);
	peer_send_u64 (2, 0);
	peer_expect ("08000000 09000000 08000000 03000000 00010000", 0);
	peer_send_u64 (8, 0);
	peer_expect ("09000000 09000000 28000000 03000000 01000000"
		     "1010101010101010 2424242424242424 3232323232323232 4747474747474747",
		     0);
	peer_send_u64 (9, 0);
	peer_expect ("0a000000 09000000 08000000 03000000 cdab0000", 0);
	peer_send_u64 (10, 0);
	peer_expect ("0c000000 09000000 08000000 03000000 00000000", 1);
	peer_send_u64 (12, 0);
	peer_expect ("0c000000 09000000 08000000 03010000 00000000", 0);
	peer_send_u64 (12, 0);
	peer_expect ("0d000000 09000000 08000000 ff000000 00000000", 1);
	peer_send_u64 (13, 0);
	peer_expect ("0d000000 09000000 08000000 ff010000 00000000", 0);
	peer_send_u64 (13, 0);
	peer_expect ("0e000000 09000000 08000000 03000000 00000000", 1);
	peer_send_u64 (14, 0);
	peer_expect ("12000000 09000000 08000000 03000000 01000000", 0);
	peer_send_u64 (18, 0);
	peer_expect ("12000000 09000000 08000000 03000000 00000000", 0);
	peer_send_u64 (18, 0);
	peer_expect ("0b000000 01000000 08000000 03000000 00000000", 0);
	peer_send ("0b000000 05000000 08000000 03000000 00800080");
	peer_expect_end (PEER_MAIN);
}

static void
test_requests_about_a_ring (void)
{
	struct vh_vring_addr addr = {
		.desc = 0x1010101010101010, .used = 0x2424242424242424, .avail = 0x3232323232323232, .log = 0x4747474747474747, .flags = 1,
	};
	int fd = eventfd (0, EFD_CLOEXEC);
	uint32_t base = 0;

	frontend_begin (script_ring_requests, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	OK (vh_frontend_set_features (frontend, 0x140000000));
	OK (vh_frontend_set_vring_num (frontend, 3, 256));
	OK (vh_frontend_set_vring_addr (frontend, 3, &addr));
	OK (vh_frontend_set_vring_base (frontend, 3, 0xabcd));
	OK (vh_frontend_set_vring_kick (frontend, 3, fd));
	OK (vh_frontend_set_vring_kick (frontend, 3, -1));
	OK (vh_frontend_set_vring_call (frontend, 255, fd));
	OK (vh_frontend_set_vring_call (frontend, 255, -1));
	OK (vh_frontend_set_vring_err (frontend, 3, fd));
	OK (vh_frontend_set_vring_enable (frontend, 3, 1));
	OK (vh_frontend_set_vring_enable (frontend, 3, 0));
	OK (vh_frontend_get_vring_base (frontend, 3, &base));
	CU_ASSERT_EQUAL (base, 0x80008000);
	frontend_end ();
	close (fd);
}

static void
script_config (void)
{
	peer_handshake (P_REPLY_ACK | P_CONFIG);
	peer_expect ("18000000 01000000 14000000 10000000 08000000 00000000 0000000000000000", 0);
	/* What flags an answer has is nothing to look at: rust-vmm has others. */
	peer_send ("18000000 05000000 14000000 10000000 08000000 01000000 0102030405060708");
	peer_expect ("19000000 09000000 0f000000 20000000 03000000 00000000 aabbcc", 0);
	peer_send_u64 (25, 0);
	peer_expect ("19000000 09000000 0d000000 20000000 01000000 01000000 aa", 0);
	peer_send_u64 (25, 0);
	/* Two ways to refuse. */
	peer_expect ("18000000 01000000 0d000000 00000000 01000000 00000000 00", 0);
	peer_send ("18000000 05000000 00000000");
	peer_expect ("18000000 01000000 0d000000 00000000 01000000 00000000 00", 0);
	peer_send ("18000000 05000000 0c000000 00000000 00000000 00000000");
	peer_expect_end (PEER_MAIN);
}

static void
test_config (void)
{
	uint8_t buf[8] = { 0 };

	frontend_begin (script_config, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	OK (vh_frontend_get_config (frontend, 16, buf, 8));
	CU_ASSERT_EQUAL (memcmp (buf, "\1\2\3\4\5\6\7\10", 8), 0);
	OK (vh_frontend_set_config (frontend, 32, "\xaa\xbb\xcc", 3, VH_CONFIG_WRITE));
	OK (vh_frontend_set_config (frontend, 32, "\xaa", 1, VH_CONFIG_RESTORE));
	CU_ASSERT_EQUAL (vh_frontend_get_config (frontend, 0, buf, 1), -EREMOTEIO);
	CU_ASSERT_EQUAL (vh_frontend_get_config (frontend, 0, buf, 1), -EREMOTEIO);
	CU_ASSERT_EQUAL (buf[0], 1);
	frontend_end ();
}

static uint64_t missed;

static int
hear_miss (void *opaque, uint64_t iova, unsigned perm)
{
	missed = iova + perm;
	return iova == 0x1234000 ? 0 : -ENOENT;
}

static void
script_iotlb (void)
{
	peer_handshake (P_BACKEND_REQ | P_REPLY_ACK);
	peer_expect ("02000000 09000000 08000000 00000070 03000000", 0);
	peer_send_u64 (2, 0);
	/* Always answered, with NEED_REPLY or without. */
	peer_expect ("16000000 01000000 20000000 0040230100000000 0020000000000000 00000070ff7f0000 03 02 000000000000", 0);
	peer_send_u64 (22, 0);
	peer_expect ("16000000 01000000 20000000 0040230100000000 0020000000000000 0000000000000000 00 03 000000000000", 0);
	peer_send_on (PEER_CHANNEL, "01000000 09000000 20000000 0040230100000000 0000000000000000 0000000000000000 02 01 000000000000");
	peer_expect_on (PEER_CHANNEL, "01000000 05000000 08000000 0000000000000000", 0);
	/* One that the caller knows no answer to; and an update is nothing that a back-end may send. */
	peer_send_on (PEER_CHANNEL, "01000000 09000000 20000000 0000000000000000 0000000000000000 0000000000000000 01 01 000000000000");
	peer_expect_on (PEER_CHANNEL, "01000000 05000000 08000000 0100000000000000", 0);
	peer_send_on (PEER_CHANNEL, "01000000 09000000 20000000 0040230100000000 0010000000000000 0000000000000000 03 02 000000000000");
	peer_expect_on (PEER_CHANNEL, "01000000 05000000 08000000 0100000000000000", 0);
	peer_send_u64 (22, 22);
	peer_expect_end (PEER_MAIN);
}

static void
test_iotlb (void)
{
	static const struct vh_frontend_ops ops = { .size = sizeof (ops), .iotlb_miss = hear_miss };

	frontend_ops = &ops;
	frontend_begin (script_iotlb, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	CU_ASSERT_EQUAL (vh_frontend_iotlb_update (frontend, 0, 4096, 0, 3), -EOPNOTSUPP);
	OK (vh_frontend_set_features (frontend, 0x370000000));
	OK (vh_frontend_iotlb_update (frontend, 0x1234000, 0x2000, 0x7fff70000000, VH_ACCESS_RW));
	CU_ASSERT_EQUAL (vh_frontend_iotlb_update (frontend, 0, 0, 0, VH_ACCESS_RO), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_iotlb_update (frontend, UINT64_MAX, 2, 0, VH_ACCESS_RO), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_iotlb_update (frontend, 0, 2, UINT64_MAX, VH_ACCESS_RO), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_iotlb_update (frontend, 0, 2, 0, 0), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_iotlb_update (frontend, 0, 2, 0, 4), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_iotlb_invalidate (frontend, 0, 0), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_iotlb_invalidate (frontend, 2, UINT64_MAX), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_iotlb_invalidate (frontend, 0x1234000, 0x2000), -EREMOTEIO);
	CU_ASSERT_EQUAL (missed, 1);
	frontend_end ();
	frontend_ops = NULL;
}

/* What is in the answer to SET_LOG_BASE nobody agrees on: it may have 0, 8 or 16 bytes, of any value. */
static void
script_log (void)
{
	static const char *const answers[] = {
		"06000000 05000000 00000000", "06000000 05000000 08000000 0040000000000000",
		"06000000 05000000 10000000 0040000000000000 0010000000000000",
	};

	peer_handshake (P_LOG_SHMFD | P_REPLY_ACK);
	for (unsigned i = 0; i < 3; i++) {
		peer_expect ("06000000 01000000 10000000 0040000000000000 0010000000000000", 1);
		peer_send (answers[i]);
	}
	peer_expect ("02000000 09000000 08000000 00000044 01000000", 0);
	peer_send_u64 (2, 0);
	peer_expect ("07000000 09000000 00000000", 1);
	peer_send_u64 (7, 0);
	peer_expect_end (PEER_MAIN);
}

static void
test_log (void)
{
	int fd = eventfd (0, EFD_CLOEXEC);

	frontend_begin (script_log, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	CU_ASSERT_EQUAL (vh_frontend_set_log_fd (frontend, fd), -EOPNOTSUPP);
	for (unsigned i = 0; i < 3; i++)
		OK (vh_frontend_set_log_base (frontend, fd, 0x4000, 0x1000));
	OK (vh_frontend_set_features (frontend, 0x144000000));
	OK (vh_frontend_set_log_fd (frontend, fd));
	CU_ASSERT_EQUAL (vh_frontend_set_log_base (frontend, -1, 1, 0), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_set_log_base (frontend, fd, 0, 0), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_set_log_base (frontend, fd, 2, UINT64_MAX), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_set_log_fd (frontend, -1), -EINVAL);
	frontend_end ();
	close (fd);
}

/* The area that the back-end makes is sent to it again; 24 bytes leave, and 20 or 24 may come. */
static void
script_inflight (void)
{
	peer_handshake (P_REPLY_ACK | P_INFLIGHT);
	peer_expect ("1f000000 01000000 18000000 0000000000000000 0000000000000000 0200 8000 00000000", 0);
	peer_send_file ("1f000000 05000000 18000000 0010000000000000 0010000000000000 0200 8000 00000000", 0x2000);
	peer_expect ("1f000000 01000000 18000000 0000000000000000 0000000000000000 0100 4000 00000000", 0);
	peer_send_file ("1f000000 05000000 14000000 0010000000000000 0000000000000000 0100 4000", 0x1000);
	peer_expect ("20000000 09000000 18000000 0010000000000000 0010000000000000 0200 8000 00000000", 1);
	peer_send_u64 (32, 0);
	peer_expect ("20000000 09000000 18000000 0010000000000000 0010000000000000 0200 8000 00000000", 1);
	peer_send_u64 (32, 22);
	/* "There is none." */
	peer_expect ("1f000000 01000000 18000000 0000000000000000 0000000000000000 0001 0080 00000000", 0);
	peer_send ("1f000000 05000000 18000000 0000000000000000 0000000000000000 0000 0000 00000000");
	peer_expect_end (PEER_MAIN);
}

static void
test_inflight (void)
{
	struct vh_inflight area, other = { .fd = -1 };

	frontend_begin (script_inflight, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, P_REPLY_ACK | P_INFLIGHT));
	OK (vh_frontend_get_inflight (frontend, 2, 128, &area));
	CU_ASSERT (area.size == 0x1000 && area.offset == 0x1000 && area.rings == 2 && area.ring_size == 128 && area.fd >= 0);
	OK (vh_frontend_get_inflight (frontend, 1, 64, &other));
	CU_ASSERT (other.size == 0x1000 && other.offset == 0 && other.rings == 1 && other.ring_size == 64 && other.fd >= 0);
	OK (vh_frontend_set_inflight (frontend, &area));
	CU_ASSERT_EQUAL (vh_frontend_set_inflight (frontend, &area), -EREMOTEIO);
	CU_ASSERT_EQUAL (vh_frontend_get_inflight (frontend, 256, 32768, &other), -EREMOTEIO);
	close (area.fd);
	close (other.fd);
	frontend_end ();
}

/* Without REPLY_ACK these are sent one after the other, and nothing is waited for. */
static void
script_without_acks (void)
{
	peer_handshake (P_MEM_SLOTS);
	peer_expect ("02000000 01000000 08000000 00000040 01000000", 0);
	peer_expect ("05000000 01000000 28000000 01000000 00000000"
		     "0000004000000000 0000100000000000 00000070ff7f0000 0000000000000000",
		     1);
	peer_expect ("08000000 01000000 08000000 00000000 00010000", 0);
	peer_expect ("0c000000 01000000 08000000 00000000 00000000", 1);
	peer_expect ("12000000 01000000 08000000 00000000 01000000", 0);
	/* This one waits for what is before it. */
	peer_expect ("01000000 01000000 00000000", 0);
	peer_send ("01000000 05000000 08000000 00000070 01000000");
	peer_expect_end (PEER_MAIN);
}

static void
test_without_acks (void)
{
	int fd = eventfd (0, EFD_CLOEXEC);
	struct vh_region region = { .guest_addr = 0x40000000, .size = 0x100000, .user_addr = 0x7fff70000000, .fd = fd };
	uint64_t features;

	frontend_begin (script_without_acks, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	OK (vh_frontend_set_features (frontend, 0x140000000));
	OK (vh_frontend_set_mem_table (frontend, &region, 1));
	OK (vh_frontend_set_vring_num (frontend, 0, 256));
	OK (vh_frontend_set_vring_kick (frontend, 0, fd));
	OK (vh_frontend_set_vring_enable (frontend, 0, 1));
	OK (vh_frontend_get_features (frontend, &features));
	CU_ASSERT_EQUAL (features, 0x170000000);
	frontend_end ();
	close (fd);
}

#define XEN_REGION(flags) "0000004000000000 0000100000000000 00000070ff7f0000 0000000000000000 " flags " 2a000000"

/* "Do not map in advance" is 0x100 in the specification and 0x8 in rust-vmm's vm-memory: it is the caller's to say, and sent as it is. */
static void
script_xen_regions (void)
{
	static const char *const regions[] = { XEN_REGION ("01000000"), XEN_REGION ("02010000"), XEN_REGION ("0a000000") };
	char table[256], region[256];

	peer_handshake (P_REPLY_ACK | P_MEM_SLOTS | P_XEN_MMAP);
	for (unsigned i = 0; i < 3; i++) {
		snprintf (table, sizeof (table), "05000000 09000000 30000000 01000000 00000000 %s", regions[i]);
		peer_expect (table, 1);
		peer_send_u64 (5, 0);
		snprintf (region, sizeof (region), "25000000 09000000 30000000 0000000000000000 %s", regions[i]);
		peer_expect (region, 1);
		peer_send_u64 (37, 0);
	}
	peer_expect_end (PEER_MAIN);
}

static void
test_xen_regions (void)
{
	static const uint32_t flags[] = { 0x1, 0x102, 0xa };
	struct vh_region region = {
		.guest_addr = 0x40000000, .size = 0x100000, .user_addr = 0x7fff70000000, .fd = eventfd (0, EFD_CLOEXEC), .xen_domid = 42,
	};

	frontend_begin (script_xen_regions, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	for (unsigned i = 0; i < 3; i++) {
		region.xen_flags = flags[i];
		OK (vh_frontend_set_mem_table (frontend, &region, 1));
		OK (vh_frontend_add_mem_region (frontend, &region));
	}
	frontend_end ();
	close (region.fd);
}

/* --- refusals --- */

static void
script_refusals (void)
{
	peer_handshake (P_REPLY_ACK);
	peer_expect ("08000000 09000000 08000000 00000000 00010000", 0);
	peer_send_u64 (8, 1);
	/* rust-vmm sends a negated errno. */
	peer_expect ("08000000 09000000 08000000 00000000 00010000", 0);
	peer_send_u64 (8, UINT64_MAX);
	peer_expect ("02000000 09000000 08000000 00000040 01000000", 0);
	peer_send_u64 (2, 1);
	peer_expect ("08000000 09000000 08000000 00000000 00010000", 0);
	peer_send_u64 (8, 0);
	peer_expect_end (PEER_MAIN);
}

static void
test_refused_by_the_back_end (void)
{
	frontend_begin (script_refusals, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	CU_ASSERT_EQUAL (vh_frontend_set_vring_num (frontend, 0, 256), -EREMOTEIO);
	CU_ASSERT_STRING_NOT_EQUAL (vh_frontend_error (frontend), "");
	CU_ASSERT_EQUAL (vh_frontend_set_vring_num (frontend, 0, 256), -EREMOTEIO);
	CU_ASSERT_EQUAL (vh_frontend_set_features (frontend, 0x140000000), -EREMOTEIO);
	/* So bit 30 is not in force. */
	CU_ASSERT_EQUAL (vh_frontend_set_vring_enable (frontend, 0, 1), -EOPNOTSUPP);
	OK (vh_frontend_set_vring_num (frontend, 0, 256));
	frontend_end ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "GET_FEATURES, SET_FEATURES, SET_OWNER: handshake without protocol features", test_without_protocol_features },
		{ "GET_PROTOCOL_FEATURES, SET_PROTOCOL_FEATURES, SET_BACKEND_REQ_FD: handshake", test_handshake },
		{ "handshake with the caller's choice", test_handshake_of_choice },
		{ "unknown features are masked", test_unknown_features_are_masked },
		{ "protocol features set again", test_set_protocol_features_again },
		{ "GET_QUEUE_NUM, GET_MAX_MEM_SLOTS, SET_MEM_TABLE, ADD_MEM_REG, REM_MEM_REG, RESET_DEVICE, RESET_OWNER", test_requests_about_the_device },
		{ "SET_VRING_NUM, SET_VRING_ADDR, SET_VRING_BASE, SET_VRING_KICK, SET_VRING_CALL, SET_VRING_ERR, SET_VRING_ENABLE, GET_VRING_BASE",
		  test_requests_about_a_ring },
		{ "GET_CONFIG, SET_CONFIG", test_config },
		{ "IOTLB_MSG", test_iotlb },
		{ "SET_LOG_BASE, SET_LOG_FD", test_log },
		{ "GET_INFLIGHT_FD, SET_INFLIGHT_FD", test_inflight },
		{ "without acknowledgements nothing waits", test_without_acks },
		{ "regions with Xen's fields", test_xen_regions },
		{ "refused by the back-end", test_refused_by_the_back_end },
		CU_TEST_INFO_NULL,
	};

	if (htole16 (1) != 1)
		return 77;	/* the bytes are written down for little-endian hosts */
	return suite_run ("front-end, bytes", tests);
}
