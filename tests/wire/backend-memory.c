/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hostile front-ends: guest memory that is none.
 */
#include "backend-hostile.h"

#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u

/* SET_MEM_TABLE and ADD_MEM_REG take the same descriptions and refuse the same. */
static bool
refused (const struct piece *p, int fd)
{
	return rig_tell_table (&rig, p, 1, &fd, 1) == REFUSAL && rig_tell_region (&rig, FE_ADD_MEM_REG, p, fd) == REFUSAL;
}

static bool
taken (const struct piece *p, int fd)
{
	return rig_tell_table (&rig, p, 1, &fd, 1) == ACK;
}

static void
hostile_46_more_regions_than_there_can_be (void)
{
	static const uint32_t wrong[] = { 9, 10, 255, 65536, 0x0fffffff, 0xffffffff };
	struct bytes b = { .n = 0 };
	int fds[8];

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	for (unsigned i = 0; i < 8; i++)
		fds[i] = rig.guest.fd;
	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++) {
		b.n = 0;
		bytes_u32 (&b, wrong[i]);
		bytes_u32 (&b, 0);
		bytes_fill (&b, 0, (size_t) 8 * 32);
		CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_MEM_TABLE, b.data, (uint32_t) b.n, fds, 8), REFUSAL);
		bytes_fill (&b, 0, 32);
		CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_MEM_TABLE, b.data, (uint32_t) b.n, fds, 8), REFUSAL);
	}
	CU_ASSERT_TRUE (rig_alive (&rig));
}

static void
hostile_46_eight_regions_are_the_limit (void)
{
	struct piece pieces[9];
	int fds[9];

	for (unsigned i = 0; i < 9; i++) {
		pieces[i] = (struct piece){ GUEST_ADDR + i * PAGE, PAGE, GUEST_USER + i * PAGE, i * PAGE };
		fds[i] = rig.guest.fd;
	}
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_EQUAL (rig_tell_table (&rig, pieces, 8, fds, 8), ACK);
	CU_ASSERT_EQUAL (rig_tell_table (&rig, pieces, 9, fds, 8), REFUSAL);
}

static void
hostile_46_a_payload_for_fewer_regions (void)
{
	struct bytes b = { .n = 0 };
	int fds[2] = { rig.guest.fd, rig.guest.fd };

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	bytes_u32 (&b, 2);
	bytes_u32 (&b, 0);
	bytes_u64 (&b, GUEST_ADDR);
	bytes_u64 (&b, GUEST_SIZE);
	bytes_u64 (&b, GUEST_USER);
	bytes_u64 (&b, 0);
	CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_MEM_TABLE, b.data, (uint32_t) b.n, fds, 2), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_MEM_TABLE, b.data, 4, fds, 0), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_MEM_TABLE, b.data, 0, fds, 0), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell (&rig, FE_SET_MEM_TABLE, b.data, 12, fds, 0), REFUSAL);
}

static void
hostile_48_sizes_and_sums_that_wrap (void)
{
	static const struct piece wrong[] = {
		{ GUEST_ADDR, 0, GUEST_USER, 0 },
		{ UINT64_MAX - PAGE + 2, PAGE, GUEST_USER, 0 },
		{ GUEST_ADDR, PAGE, UINT64_MAX - PAGE + 2, 0 },
		{ GUEST_ADDR, PAGE, GUEST_USER, UINT64_MAX - PAGE + 2 },
		{ GUEST_ADDR, UINT64_MAX, GUEST_USER, 0 },
		{ 0, UINT64_MAX, 0, 0 },
		{ GUEST_ADDR, UINT64_C (1) << 62, GUEST_USER, 0 },
		{ GUEST_ADDR, UINT64_C (1) << 63, GUEST_USER, 0 },
		{ GUEST_ADDR, PAGE, GUEST_USER, UINT64_C (1) << 63 },
	};

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++)
		CU_ASSERT_TRUE (refused (&wrong[i], rig.guest.fd));
	/* The last page below 2^64 but one. */
	CU_ASSERT_TRUE (taken (&(struct piece){ UINT64_MAX - 2 * PAGE + 1, PAGE, GUEST_USER, 0 }, rig.guest.fd));
}

static void
hostile_49_regions_that_overlap (void)
{
	struct piece two[2] = { { GUEST_ADDR, 2 * PAGE, GUEST_USER, 0 }, { GUEST_ADDR + PAGE, 2 * PAGE, GUEST_USER + 8 * PAGE, 0 } };
	int fds[2] = { rig.guest.fd, rig.guest.fd };

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_EQUAL (rig_tell_table (&rig, two, 2, fds, 2), REFUSAL);
	two[1].guest = GUEST_ADDR + 2 * PAGE;
	CU_ASSERT_EQUAL (rig_tell_table (&rig, two, 2, fds, 2), ACK);
	two[1].user = GUEST_USER + PAGE;
	CU_ASSERT_EQUAL (rig_tell_table (&rig, two, 2, fds, 2), REFUSAL);
	two[1] = two[0];
	CU_ASSERT_EQUAL (rig_tell_table (&rig, two, 2, fds, 2), REFUSAL);
	/* Inside another one, and around it. */
	two[0] = (struct piece){ GUEST_ADDR, 16 * PAGE, GUEST_USER, 0 };
	two[1] = (struct piece){ GUEST_ADDR + 4 * PAGE, PAGE, GUEST_USER + 64 * PAGE, 0 };
	CU_ASSERT_EQUAL (rig_tell_table (&rig, two, 2, fds, 2), REFUSAL);
}

static void
hostile_49_an_added_region_that_overlaps (void)
{
	struct piece whole = rig_whole (), p = whole;

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	p.user = GUEST_USER + 16 * GUEST_SIZE;
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &p, rig.guest.fd), REFUSAL);
	p.guest = GUEST_ADDR + GUEST_SIZE - 1;
	p.size = PAGE;
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &p, rig.guest.fd), REFUSAL);
	p.guest = GUEST_ADDR + GUEST_SIZE;
	p.user = GUEST_USER + GUEST_SIZE - 1;
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &p, rig.guest.fd), REFUSAL);
	p.user = GUEST_USER + GUEST_SIZE;
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &p, rig.guest.fd), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
}

static void
hostile_50_beyond_the_file (void)
{
	struct piece p = rig_whole ();

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	p.size = GUEST_SIZE + 1;
	CU_ASSERT_TRUE (refused (&p, rig.guest.fd));
	p.size = GUEST_SIZE;
	p.offset = 1;
	CU_ASSERT_TRUE (refused (&p, rig.guest.fd));
	p.size = PAGE;
	p.offset = GUEST_SIZE;
	CU_ASSERT_TRUE (refused (&p, rig.guest.fd));
	p.offset = UINT64_C (1) << 40;
	CU_ASSERT_TRUE (refused (&p, rig.guest.fd));
	p.offset = GUEST_SIZE - PAGE;
	CU_ASSERT_TRUE (taken (&p, rig.guest.fd));
	CU_ASSERT_EQUAL (ftruncate (rig.guest.fd, GUEST_SIZE - 1), 0);
	CU_ASSERT_TRUE (refused (&p, rig.guest.fd));
}

/* A file that is open for less than reading and writing. */
static int
reopened (int flags)
{
	char path[64];

	snprintf (path, sizeof (path), "/proc/self/fd/%d", rig.guest.fd);
	return open (path, flags | O_CLOEXEC);
}

static int
sealed (int seals)
{
	int fd = memfd_create ("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	CU_ASSERT_EQUAL (ftruncate (fd, GUEST_SIZE), 0);
	CU_ASSERT_EQUAL (fcntl (fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void
hostile_53_files_that_are_no_memory (void)
{
	int fds[] = { eventfd (0, EFD_CLOEXEC), open ("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), open ("/dev/zero", O_RDWR | O_CLOEXEC),
		      open ("/dev/null", O_RDWR | O_CLOEXEC), reopened (O_RDONLY), reopened (O_WRONLY), reopened (O_PATH),
		      sealed (F_SEAL_WRITE), sealed (0x0010 /* F_SEAL_FUTURE_WRITE */) };
	struct piece whole = rig_whole ();

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	for (unsigned i = 0; i < sizeof (fds) / sizeof (fds[0]); i++) {
		CU_ASSERT_TRUE (fds[i] >= 0);
		CU_ASSERT_TRUE (refused (&whole, fds[i]));
		close (fds[i]);
	}
	/* The socket itself. */
	CU_ASSERT_TRUE (refused (&whole, rig.socket));
	CU_ASSERT_TRUE (taken (&whole, rig.guest.fd));
}

static void
hostile_56_the_same_region_twice (void)
{
	struct piece whole = rig_whole ();

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &whole, rig.guest.fd), ACK);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &whole, rig.guest.fd), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &whole, -1), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_REM_MEM_REG, &whole, -1), ACK);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_REM_MEM_REG, &whole, -1), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &whole, rig.guest.fd), ACK);
}

static struct piece
slot (unsigned i)
{
	return (struct piece){ GUEST_ADDR + (uint64_t) i * 2 * PAGE, PAGE, GUEST_USER + (uint64_t) i * 2 * PAGE, i % 256 * PAGE };
}

static void
hostile_56_one_slot_more_than_there_are (void)
{
	struct piece p;
	uint64_t slots;

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_TRUE (rig_ask_u64 (&rig, FE_GET_MAX_MEM_SLOTS, &slots));
	CU_ASSERT_EQUAL (slots, 509);
	for (unsigned i = 0; i < 509; i++) {
		p = slot (i);
		CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &p, rig.guest.fd), ACK);
	}
	p = slot (509);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &p, rig.guest.fd), REFUSAL);
	p = slot (77);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_REM_MEM_REG, &p, -1), ACK);
	p = slot (509);
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_ADD_MEM_REG, &p, rig.guest.fd), ACK);
	/* The message of eight regions replaces all of them. */
	CU_ASSERT_TRUE (rig_give_memory (&rig));
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_REM_MEM_REG, &p, -1), REFUSAL);
}

static void
hostile_57_a_region_that_is_not_there (void)
{
	struct piece p;

	CU_ASSERT_TRUE (rig_ready (&rig, 64));
	p = rig_whole ();
	p.guest++;
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_REM_MEM_REG, &p, -1), REFUSAL);
	p = rig_whole ();
	p.size--;
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_REM_MEM_REG, &p, -1), REFUSAL);
	p = rig_whole ();
	p.user++;
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_REM_MEM_REG, &p, -1), REFUSAL);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	/* The offset says nothing: front-ends leave it out. */
	p = rig_whole ();
	p.offset = 12345;
	CU_ASSERT_EQUAL (rig_tell_region (&rig, FE_REM_MEM_REG, &p, -1), ACK);
}

struct CU_TestInfo memory_cases[] = {
	CASE (hostile_46_more_regions_than_there_can_be),
	CASE (hostile_46_eight_regions_are_the_limit),
	CASE (hostile_46_a_payload_for_fewer_regions),
	CASE (hostile_48_sizes_and_sums_that_wrap),
	CASE (hostile_49_regions_that_overlap),
	CASE (hostile_49_an_added_region_that_overlaps),
	CASE (hostile_50_beyond_the_file),
	CASE (hostile_53_files_that_are_no_memory),
	CASE (hostile_56_the_same_region_twice),
	CASE (hostile_56_one_slot_more_than_there_are),
	CASE (hostile_57_a_region_that_is_not_there),
	CU_TEST_INFO_NULL,
};
