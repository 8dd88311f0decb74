/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The messages about what front-end and back-end share beside memory, byte for byte: the dirty log, records of requests in flight, translations.  What is
 * in there and when is the business of backend-log.c, backend-inflight.c and backend-iotlb.c.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "full-hex.h"
#include "tests/suite.h"

#define LOG_SHMFD (1u << 1)
#define BACKEND_REQ (1u << 5)
#define INFLIGHT (1u << 12)
#define SKIP_DRAIN (1u << 23 | 1u << 20 | INFLIGHT)

/* A file of 64 KiB. */
static int
make_file (void)
{
	int fd = memfd_create ("shared", MFD_CLOEXEC);

	CU_ASSERT_EQUAL_FATAL (ftruncate (fd, 0x10000), 0);
	return fd;
}

/* --- the dirty log --- */

#define LOG "06000000 01000000 10000000 0010000000000000 0010000000000000"
#define LOG_ASKED "06000000 09000000 10000000 0010000000000000 0010000000000000"
/* Eight bytes, as libvhost-user has it: DPDK sends none and rust-vmm sixteen, and QEMU takes all of these. */
#define LOG_ANSWER "06000000 05000000 08000000 0000000000000000"

static void
set_log_base (void)
{
	int fd = make_file ();

	/* Always answered, and once. */
	open_with (LOG_SHMFD);
	CU_ASSERT_TRUE (exchange_hex (LOG, fd, LOG_ANSWER));
	CU_ASSERT_TRUE (exchange_hex (LOG_ASKED, fd, LOG_ANSWER));
	CU_ASSERT_EQUAL (hex_fds, 0);
	/* "Failed" has no form: a log that is longer than its file. */
	CU_ASSERT_TRUE (exchange_hex ("06000000 09000000 10000000 0000010000000000 0010000000000000", fd, ""));
	CU_ASSERT_TRUE (result < 0);
	hex_close ();
	open_with (LOG_SHMFD);
	CU_ASSERT_TRUE (exchange_hex (LOG_ASKED, -1, ""));
	CU_ASSERT_EQUAL (result, -EBADMSG);
	hex_close ();
	/* The form from before LOG_SHMFD, which is eight bytes and an address of the front-end's. */
	open_with (0);
	CU_ASSERT_TRUE (exchange_hex ("06000000 01000000 08000000 0000007000000000", -1, ""));
	CU_ASSERT_TRUE (result < 0);
	hex_close ();
	open_with (0);
	CU_ASSERT_TRUE (exchange_hex (LOG, fd, ""));
	CU_ASSERT_EQUAL (result, -EOPNOTSUPP);
	hex_close ();
	close (fd);
}

static void
set_log_fd (void)
{
	static const char quiet[] = "07000000 01000000 00000000", asked[] = "07000000 09000000 00000000";
	int fd = eventfd (0, EFD_CLOEXEC), file = make_file ();

	open_with (LOG_SHMFD);
	CU_ASSERT_TRUE (exchange_hex (asked, fd, "07000000 05000000 08000000 5f00000000000000"));	/* LOG_ALL is not in force: EOPNOTSUPP */
	CU_ASSERT_TRUE (exchange_hex ("02000000 01000000 08000000 00000044 01000000", -1, ""));
	CU_ASSERT_TRUE (exchange_hex (quiet, fd, ""));
	CU_ASSERT_TRUE (exchange_hex (asked, fd, "07000000 05000000 08000000 0000000000000000"));
	CU_ASSERT_TRUE (exchange_hex (asked, file, "07000000 05000000 08000000 1600000000000000"));
	CU_ASSERT_TRUE (exchange_hex (asked, -1, "07000000 05000000 08000000 ??00000000000000"));
	CU_ASSERT_EQUAL (result, 1);
	CU_ASSERT_TRUE (exchange_hex (quiet, file, ""));
	CU_ASSERT_EQUAL (result, -EINVAL);
	hex_close ();
	close (fd);
	close (file);
}

/* --- records of requests in flight --- */

/* For two rings of 128 requests; a packed ring's part would be 32 + 32 * 128, but this device has none: 16 + 16 * 128, rounded up to 64. */
#define AREA "8010000000000000 0000000000000000 0200 8000"
#define NO_AREA "0000000000000000 0000000000000000 0000 0000"

static void
get_inflight_fd (void)
{
	open_with (INFLIGHT);
	CU_ASSERT_TRUE (exchange_hex ("1f000000 01000000 18000000 0000000000000000 0000000000000000 0200 8000 00000000", -1,
				      "1f000000 05000000 18000000 " AREA "00000000"));
	CU_ASSERT_EQUAL (hex_fds, 1);
	/* NEED_REPLY makes no difference. */
	CU_ASSERT_TRUE (exchange_hex ("1f000000 09000000 18000000 0000000000000000 0000000000000000 0200 8000 00000000", -1,
				      "1f000000 05000000 18000000 " AREA "00000000"));
	CU_ASSERT_EQUAL (hex_fds, 1);
	/* Who sends the twenty bytes that the specification draws reads as many. */
	CU_ASSERT_TRUE (exchange_hex ("1f000000 01000000 14000000 0000000000000000 0000000000000000 0200 8000", -1, "1f000000 05000000 14000000 " AREA));
	CU_ASSERT_EQUAL (hex_fds, 1);
	/* "There is none": for more rings than there are. */
	CU_ASSERT_TRUE (exchange_hex ("1f000000 01000000 18000000 0000000000000000 0000000000000000 0500 8000 00000000", -1,
				      "1f000000 05000000 18000000 " NO_AREA "00000000"));
	CU_ASSERT_EQUAL (hex_fds, 0);
	CU_ASSERT_TRUE (exchange_hex ("1f000000 01000000 14000000 0000000000000000 0000000000000000 0500 8000", -1, "1f000000 05000000 14000000 " NO_AREA));
	CU_ASSERT_EQUAL (hex_fds, 0);
	CU_ASSERT_EQUAL (result, 1);
	hex_close ();
}

static void
set_inflight_fd (void)
{
	static const char ok[] = "20000000 05000000 08000000 0000000000000000", refusal[] = "20000000 05000000 08000000 1600000000000000";
	int fd = make_file ();

	open_with (INFLIGHT);
	CU_ASSERT_TRUE (exchange_hex ("20000000 01000000 18000000 " AREA "00000000", fd, ""));
	CU_ASSERT_TRUE (exchange_hex ("20000000 09000000 18000000 " AREA "00000000", fd, ok));
	CU_ASSERT_TRUE (exchange_hex ("20000000 09000000 14000000 " AREA, fd, ok));
	/* One byte less than it takes. */
	CU_ASSERT_TRUE (exchange_hex ("20000000 09000000 18000000 7f10000000000000 0000000000000000 0200 8000 00000000", fd, refusal));
	CU_ASSERT_TRUE (exchange_hex ("20000000 09000000 18000000 " AREA "00000000", -1, "20000000 05000000 08000000 ??00000000000000"));
	CU_ASSERT_TRUE (exchange_hex ("20000000 09000000 16000000 " AREA "0000", fd, "20000000 05000000 08000000 ??00000000000000"));
	CU_ASSERT_EQUAL (result, 1);
	CU_ASSERT_TRUE (exchange_hex ("20000000 01000000 18000000 7f10000000000000 0000000000000000 0200 8000 00000000", fd, ""));
	CU_ASSERT_EQUAL (result, -EINVAL);
	hex_close ();
	open_with (0);
	CU_ASSERT_TRUE (exchange_hex ("20000000 09000000 18000000 " AREA "00000000", fd, "20000000 05000000 08000000 5f00000000000000"));
	hex_close ();
	close (fd);
}

static void
get_vring_base_skip_drain (void)
{
	open_with (SKIP_DRAIN);
	CU_ASSERT_TRUE (exchange_hex ("0a000000 01000000 08000000 02000000 34120000", -1, ""));
	CU_ASSERT_TRUE (exchange_hex ("2d000000 01000000 08000000 02000000 00000000", -1, "2d000000 05000000 08000000 02000000 34120000"));
	CU_ASSERT_TRUE (exchange_hex ("2d000000 09000000 08000000 02000000 00000000", -1, "2d000000 05000000 08000000 02000000 34120000"));
	/* A ring that is not there has no base, and "failed" no form. */
	CU_ASSERT_TRUE (exchange_hex ("2d000000 09000000 08000000 04000000 00000000", -1, ""));
	CU_ASSERT_EQUAL (result, -EINVAL);
	hex_close ();
	open_with (INFLIGHT);
	CU_ASSERT_TRUE (exchange_hex ("2d000000 09000000 08000000 02000000 00000000", -1, ""));
	CU_ASSERT_EQUAL (result, -EOPNOTSUPP);
	hex_close ();
}

/* --- translations --- */

/* A device behind an IOMMU: 64 KiB at guest address 0x40000000, which the front-end has at 0x7f0000000000.  Returns its end of the channel. */
static int
open_behind_iommu (int file)
{
	int pair[2];

	CU_ASSERT_EQUAL_FATAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	open_with (BACKEND_REQ);
	CU_ASSERT_TRUE (exchange_hex ("15000000 09000000 00000000", pair[1], "15000000 05000000 08000000 0000000000000000"));
	CU_ASSERT_TRUE (exchange_hex ("02000000 09000000 08000000 00000040 03000000", -1, "02000000 05000000 08000000 0000000000000000"));
	CU_ASSERT_TRUE (exchange_hex ("05000000 09000000 28000000 0100000000000000 0000004000000000 0000010000000000 0000000000 7f0000 0000000000000000", file,
				      "05000000 05000000 08000000 0000000000000000"));
	close (pair[1]);
	return pair[0];
}

#define UPDATE(flags, size, user) "16000000 " flags " 20000000 0000001000000000 " size " " user " 03 02 000000000000"
#define INVALIDATE(flags, size) "16000000 " flags " 20000000 0000001000000000 " size " 0000000000000000 00 03 000000000000"

static void
iotlb_msg (void)
{
	static const char ok[] = "16000000 05000000 08000000 0000000000000000", refusal[] = "16000000 05000000 08000000 1600000000000000";
	int file = make_file (), channel = open_behind_iommu (file);

	/* Always answered: DPDK answers only when it is asked to, QEMU asks every time. */
	CU_ASSERT_TRUE (exchange_hex (UPDATE ("01000000", "0010000000000000", "0000000000 7f0000"), -1, ok));
	CU_ASSERT_TRUE (exchange_hex (UPDATE ("09000000", "0010000000000000", "0000000000 7f0000"), -1, ok));
	CU_ASSERT_TRUE (exchange_hex (INVALIDATE ("01000000", "0010000000000000"), -1, ok));
	CU_ASSERT_TRUE (exchange_hex (INVALIDATE ("09000000", "0010000000000000"), -1, ok));
	/* All of it, written so that the last byte is before the first one. */
	CU_ASSERT_TRUE (exchange_hex (INVALIDATE ("01000000", "ffffffffffffffff"), -1, ok));
	CU_ASSERT_TRUE (exchange_hex (UPDATE ("01000000", "0000000000000000", "0000000000 7f0000"), -1, refusal));
	CU_ASSERT_TRUE (exchange_hex (UPDATE ("01000000", "ffffffffffffffff", "0000000000 7f0000"), -1, refusal));
	/* A miss is nothing that a front-end sends. */
	CU_ASSERT_TRUE (exchange_hex ("16000000 01000000 20000000 0000001000000000 0010000000000000 0000000000000000 03 01 000000000000", -1, refusal));
	CU_ASSERT_TRUE (exchange_hex ("16000000 01000000 1a000000 0000001000000000 0010000000000000 0000000000 7f0000 03 02", -1,
				      "16000000 05000000 08000000 ??00000000000000"));
	CU_ASSERT_EQUAL (result, 1);
	hex_close ();
	close (channel);
	open_with (BACKEND_REQ);
	CU_ASSERT_TRUE (exchange_hex (INVALIDATE ("01000000", "0010000000000000"), -1, "16000000 05000000 08000000 5f00000000000000"));
	hex_close ();
	close (file);
}

/* A ring of I/O addresses, none of which is known: its descriptors' is asked for, and not again before that is answered. */
static void
iotlb_misses (void)
{
	int file = make_file (), channel = open_behind_iommu (file);

	CU_ASSERT_TRUE (exchange_hex ("08000000 01000000 08000000 00000000 10000000", -1, ""));
	CU_ASSERT_TRUE (exchange_hex ("09000000 01000000 28000000 00000000 00000000 0000001000000000 0020001000000000 0010001000000000 0000000000000000",
				      -1, ""));
	CU_ASSERT_TRUE (exchange_hex ("0c000000 01000000 08000000 00010000 00000000", -1, ""));
	CU_ASSERT_TRUE (exchange_hex ("12000000 01000000 08000000 00000000 01000000", -1, ""));
	CU_ASSERT_TRUE (hex_expect (channel, "01000000 09000000 20000000 0000001000000000 0000000000000000 0000000000000000 01 01 000000000000"));
	hex_run ();
	CU_ASSERT_TRUE (hex_expect (channel, ""));
	hex_close ();
	close (channel);
	close (file);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "SET_LOG_BASE", set_log_base },
		{ "SET_LOG_FD", set_log_fd },
		{ "GET_INFLIGHT_FD", get_inflight_fd },
		{ "SET_INFLIGHT_FD", set_inflight_fd },
		{ "GET_VRING_BASE_SKIP_DRAIN", get_vring_base_skip_drain },
		{ "IOTLB_MSG, from the front-end", iotlb_msg },
		{ "IOTLB_MSG, from the back-end", iotlb_misses },
		CU_TEST_INFO_NULL,
	};

	if (htole16 (1) != 1)
		return 77;	/* the bytes are written down for little-endian hosts */
	return suite_run ("messages about what is shared", tests);
}
