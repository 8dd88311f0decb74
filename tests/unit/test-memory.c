/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Region tables: what they refuse, that a lookup finds what a plain search finds, copies, references.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory/table.h"
#include "tests/suite.h"

#define MANY (VH_MAX_REGIONS + 1)
#define PAGE 4096u

/* Regions that are only looked up: nothing is mapped there, and the references that we hold keep them from being unmapped. */
static struct region fakes[MANY];
static struct region *fake_list[MANY];

static void
fake_set (unsigned i, uint64_t addr, uint64_t size, uint64_t user)
{
	fakes[i] = (struct region){
		.spec = { .guest_addr = addr, .size = size, .user_addr = user, .fd = -1 }, .host = (unsigned char *) (uintptr_t) (0x1000 + i), .refs = 1,
	};
	fake_list[i] = &fakes[i];
}

static uint64_t random_state = 1;

static uint64_t
random_number (void)
{
	random_state = random_state * UINT64_C (6364136223846793005) + UINT64_C (1442695040888963407);
	return random_state ^ random_state >> 31;
}

/* --- what a table refuses --- */

static int
try_two (uint64_t addr1, uint64_t size1, uint64_t user1, uint64_t addr2, uint64_t size2, uint64_t user2)
{
	struct vh_memory *m = NULL;
	int err;

	fake_set (0, addr1, size1, user1);
	fake_set (1, addr2, size2, user2);
	err = memory_new (fake_list, 2, &m);
	CU_ASSERT_EQUAL (m != NULL, err == 0);
	vh_memory_unref (m);
	CU_ASSERT_EQUAL (fakes[0].refs, 1);
	return err;
}

static void
overlaps_are_refused (void)
{
	CU_ASSERT_EQUAL (try_two (0x1000, 0x1000, 0, 0x2000, 0x1000, 0x8000), 0);
	CU_ASSERT_EQUAL (try_two (0x2000, 0x1000, 0, 0x1000, 0x1000, 0x8000), 0);
	CU_ASSERT_EQUAL (try_two (0x1000, 0x1001, 0, 0x2000, 0x1000, 0x8000), -EEXIST);
	CU_ASSERT_EQUAL (try_two (0x2000, 0x1000, 0, 0x1000, 0x1001, 0x8000), -EEXIST);
	CU_ASSERT_EQUAL (try_two (0x1000, 0x1000, 0, 0x1000, 0x1000, 0x8000), -EEXIST);
	CU_ASSERT_EQUAL (try_two (0x1000, 0x9000, 0, 0x2000, 0x10, 0x18000), -EEXIST);
	CU_ASSERT_EQUAL (try_two (0x1000, 0x1000, 0, 0x8000, 0x1000, 0x1000), 0);
	CU_ASSERT_EQUAL (try_two (0x1000, 0x1000, 0, 0x8000, 0x1000, 0xfff), -EEXIST);
	CU_ASSERT_EQUAL (try_two (0x1000, 0x1000, 5, 0x8000, 0x1000, 5), -EEXIST);
}

/* Regions on demand whose front-end maps nothing have no user address: 0 in all of them. */
static void
regions_without_user_address (void)
{
	struct vh_memory *m;
	uint64_t addr;

	fake_set (0, 0x1000, 0x1000, 0);
	fake_set (1, 0x8000, 0x1000, 0);
	fakes[0].host = fakes[1].host = NULL;
	CU_ASSERT_EQUAL_FATAL (memory_new (fake_list, 2, &m), 0);
	CU_ASSERT_PTR_NULL (memory_find_user (m, 0, 1, &addr));
	CU_ASSERT_PTR_NOT_NULL (memory_find (m, 0x8fff));
	vh_memory_unref (m);
	fakes[0].spec.user_addr = 0x1000;
	fakes[1].spec.user_addr = 0x1fff;
	CU_ASSERT_EQUAL (memory_new (fake_list, 2, &m), -EEXIST);
}

static void
as_many_regions_as_allowed (void)
{
	struct vh_memory *m;
	struct vh_region r;

	for (unsigned i = 0; i < MANY; i++)
		fake_set (i, (MANY - i) * UINT64_C (0x10000), 0x10000, i * UINT64_C (0x10000));
	CU_ASSERT_EQUAL (memory_new (fake_list, VH_MAX_REGIONS + 1, &m), -EINVAL);
	CU_ASSERT_EQUAL_FATAL (memory_new (fake_list, VH_MAX_REGIONS, &m), 0);
	CU_ASSERT_EQUAL (vh_memory_count (m), VH_MAX_REGIONS);
	for (unsigned i = 0; i < VH_MAX_REGIONS; i++) {
		CU_ASSERT_EQUAL (vh_memory_region (m, i, &r), 0);
		CU_ASSERT_EQUAL (r.guest_addr, (i + 2) * UINT64_C (0x10000));
		CU_ASSERT_EQUAL (r.fd, -1);
	}
	CU_ASSERT_EQUAL (vh_memory_region (m, VH_MAX_REGIONS, &r), -EINVAL);
	vh_memory_unref (m);
}

static void
descriptions_are_checked (void)
{
	static const struct vh_region wrong[] = {
		{ .size = 0 },
		{ .guest_addr = UINT64_MAX, .size = 1 },
		{ .guest_addr = 1, .size = UINT64_MAX },
		{ .user_addr = UINT64_MAX - PAGE + 1, .size = PAGE },
		{ .offset = UINT64_MAX - PAGE + 1, .size = PAGE },
	};
	int fd = memfd_create ("test", MFD_CLOEXEC);
	struct region *r;

	CU_ASSERT_FATAL (fd >= 0 && ftruncate (fd, PAGE) == 0);
	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++)
		CU_ASSERT_EQUAL (region_new (&wrong[i], fd, &r), -EINVAL);
	close (fd);
}

/* --- lookups --- */

/* The slot that a plain search finds. */
static const struct region *
plain_find (unsigned n, uint64_t addr)
{
	for (unsigned i = 0; i < n; i++)
		if (addr >= fakes[i].spec.guest_addr && addr - fakes[i].spec.guest_addr < fakes[i].spec.size)
			return &fakes[i];
	return NULL;
}

static unsigned
count_wrong (const struct vh_memory *m, unsigned n, uint64_t addr)
{
	const struct slot *slot = memory_find (m, addr);
	const struct region *r = plain_find (n, addr);

	return slot ? slot->region != r || slot->addr != r->spec.guest_addr || slot->size != r->spec.size || slot->host != r->host : r != NULL;
}

/* Makes a table of the n fakes and compares lookups: at every edge, and at random. */
static void
check_lookups (unsigned n)
{
	struct vh_memory *m;
	unsigned wrong = 0;

	CU_ASSERT_EQUAL_FATAL (memory_new (fake_list, n, &m), 0);
	for (unsigned i = 0; i < n; i++) {
		uint64_t start = fakes[i].spec.guest_addr, end = start + fakes[i].spec.size;

		for (uint64_t d = 0; d < 3; d++)
			wrong += count_wrong (m, n, start + d - 1) + count_wrong (m, n, end + d - 1);
	}
	for (unsigned i = 0; i < 2000; i++) {
		const struct vh_region *r = &fakes[random_number () % n].spec;

		wrong += count_wrong (m, n, r->guest_addr + random_number () % (2 * r->size)) + count_wrong (m, n, random_number ());
	}
	wrong += count_wrong (m, n, 0) + count_wrong (m, n, UINT64_MAX) + count_wrong (m, n, UINT64_MAX - 1);
	CU_ASSERT_EQUAL (wrong, 0);
	vh_memory_unref (m);
}

static void
lookups_in_regions_of_like_size (void)
{
	static const unsigned counts[] = { 1, 2, 3, 8, 64, 509 };

	for (unsigned c = 0; c < sizeof (counts) / sizeof (counts[0]); c++)
		for (unsigned gap = 0; gap < 2; gap++) {
			for (unsigned i = 0; i < counts[c]; i++)
				fake_set (i, 0x40000000 + i * UINT64_C (0x8000000) * (1 + gap), 0x8000000, i * UINT64_C (0x8000000));
			check_lookups (counts[c]);
		}
}

/* Sizes from a byte to a terabyte side by side, with and without holes, in random order. */
static void
lookups_in_regions_of_unlike_size (void)
{
	for (unsigned round = 0; round < 60; round++) {
		unsigned n = 1 + (unsigned) (random_number () % VH_MAX_REGIONS);
		uint64_t at = random_number () % 0x100000;

		for (unsigned i = 0; i < n; i++) {
			uint64_t size = 1 + random_number () % (UINT64_C (1) << random_number () % 41);

			fake_set (i, at, size, at);
			at += size + (random_number () % 2 ? 0 : random_number () % (UINT64_C (1) << random_number () % 41));
		}
		for (unsigned i = 0; i < n; i++) {
			unsigned k = (unsigned) (random_number () % n);
			struct region *t = fake_list[i];

			fake_list[i] = fake_list[k];
			fake_list[k] = t;
		}
		check_lookups (n);
	}
}

/* What a PC has, what Xen's grants add, and the ends of the address space. */
static void
lookups_in_regions_far_apart (void)
{
	fake_set (0, 0, 0xa0000, 0);
	fake_set (1, 0xc0000, 0xbff40000, 0xc0000);
	fake_set (2, UINT64_C (0x100000000), UINT64_C (0x1f40000000), UINT64_C (0x100000000));
	check_lookups (3);
	fake_set (3, UINT64_C (1) << 63, UINT64_C (0x100000000), UINT64_C (1) << 63);
	check_lookups (4);
	fake_set (4, UINT64_MAX - PAGE, PAGE, UINT64_MAX - PAGE);
	check_lookups (5);
	fake_set (0, 0, UINT64_MAX, 0);
	check_lookups (1);
	/* The edge is between the two bytes of a bucket. */
	fake_set (0, 0x1000, 4097, 0);
	fake_set (1, 0x1000 + 4097, 4095, 0x10000);
	check_lookups (2);
	fake_set (0, UINT64_MAX - 1, 1, 0);
	check_lookups (1);
}

static void
an_empty_table (void)
{
	struct vh_memory *m;
	uint64_t addr;
	char byte;

	CU_ASSERT_EQUAL_FATAL (memory_new (NULL, 0, &m), 0);
	CU_ASSERT_EQUAL (vh_memory_count (m), 0);
	CU_ASSERT_PTR_NULL (memory_find (m, 0));
	CU_ASSERT_PTR_NULL (memory_find (m, UINT64_MAX));
	CU_ASSERT_PTR_NULL (memory_find_user (m, 0, 0, &addr));
	CU_ASSERT_EQUAL (vh_memory_read (m, 0, &byte, 1), -EFAULT);
	CU_ASSERT_EQUAL (vh_memory_read (m, 0, &byte, 0), 0);
	CU_ASSERT_FALSE (memory_lost (m));
	vh_memory_unref (m);
	vh_memory_unref (NULL);
}

static void
user_addresses (void)
{
	struct vh_memory *m;
	uint64_t addr = 0;

	fake_set (0, 0x1000, 0x1000, UINT64_MAX - 0x1000);
	fake_set (1, 0x2000, 0x1000, 0x7000);
	fake_set (2, 0x9000, 0x1000, 0x6000);	/* adjacent by user address, not by guest address */
	CU_ASSERT_EQUAL_FATAL (memory_new (fake_list, 3, &m), 0);
	CU_ASSERT_PTR_EQUAL (memory_find_user (m, 0x7123, 0x10, &addr)->region, &fakes[1]);
	CU_ASSERT_EQUAL (addr, 0x2123);
	CU_ASSERT_PTR_EQUAL (memory_find_user (m, 0x6000, 0x1000, &addr)->region, &fakes[2]);
	CU_ASSERT_EQUAL (addr, 0x9000);
	CU_ASSERT_PTR_NULL (memory_find_user (m, 0x6000, 0x1001, &addr));
	CU_ASSERT_PTR_NULL (memory_find_user (m, 0x8000, 1, &addr));
	CU_ASSERT_PTR_NULL (memory_find_user (m, 0x5fff, 2, &addr));
	CU_ASSERT_PTR_EQUAL (memory_find_user (m, UINT64_MAX - 1, 1, &addr)->region, &fakes[0]);
	CU_ASSERT_EQUAL (addr, 0x1fff);
	CU_ASSERT_PTR_NULL (memory_find_user (m, UINT64_MAX - 1, 2, &addr));
	CU_ASSERT_PTR_NULL (memory_find_user (m, UINT64_MAX - 1, UINT64_MAX, &addr));
	vh_memory_unref (m);
}

/* --- real memory --- */

/* How many pages of our file this process has mapped. */
static unsigned
count_pages (void)
{
	FILE *f = fopen ("/proc/self/maps", "re");
	unsigned long start, end;
	char line[512];
	unsigned n = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL (f);
	while (fgets (line, sizeof (line), f))
		if (strstr (line, "memfd:test-memory") && sscanf (line, "%lx-%lx", &start, &end) == 2)
			n += (unsigned) ((end - start) / PAGE);
	fclose (f);
	return n;
}

/* Three pages of a file, in the guest's memory at 0x10000, 0x11000 and, behind a hole, 0x13000; in the file in reverse order. */
static struct vh_memory *
real_table (void)
{
	static const uint64_t addrs[] = { 0x10000, 0x11000, 0x13000 };
	int fd = memfd_create ("test-memory", MFD_CLOEXEC);
	struct region *regions[3];
	struct vh_memory *m;

	CU_ASSERT_FATAL (fd >= 0 && ftruncate (fd, 3 * PAGE) == 0);
	for (unsigned i = 0; i < 3; i++) {
		struct vh_region spec = { .guest_addr = addrs[i], .user_addr = addrs[i], .size = PAGE, .offset = (2 - i) * PAGE };

		CU_ASSERT_EQUAL_FATAL (region_new (&spec, fd, &regions[i]), 0);
	}
	close (fd);
	CU_ASSERT_EQUAL_FATAL (memory_new (regions, 3, &m), 0);
	for (unsigned i = 0; i < 3; i++)
		region_unref (regions[i]);
	return m;
}

static void
copies_cross_regions (void)
{
	struct vh_memory *m = real_table ();
	unsigned char out[2 * PAGE], in[2 * PAGE];

	for (unsigned i = 0; i < sizeof (out); i++)
		out[i] = (unsigned char) (i * 7 + i / 256);
	CU_ASSERT_EQUAL (vh_memory_write (m, 0x10000, out, sizeof (out)), 0);
	memset (in, 0, sizeof (in));
	CU_ASSERT_EQUAL (vh_memory_read (m, 0x10000, in, sizeof (in)), 0);
	CU_ASSERT_EQUAL (memcmp (in, out, sizeof (in)), 0);
	CU_ASSERT_EQUAL (memcmp (m->slots[1].host, out + PAGE, PAGE), 0);
	CU_ASSERT_EQUAL (vh_memory_read (m, 0x10ffe, in, 4), 0);
	CU_ASSERT_EQUAL (memcmp (in, out + PAGE - 2, 4), 0);
	vh_memory_unref (m);
}

static void
copies_outside_copy_nothing (void)
{
	struct vh_memory *m = real_table ();
	unsigned char buf[3 * PAGE];

	memset (buf, 0xaa, sizeof (buf));
	CU_ASSERT_EQUAL (vh_memory_write (m, 0x11ff0, buf, 0x20), -EFAULT);
	CU_ASSERT_EQUAL (vh_memory_write (m, 0x11000, buf, 3 * PAGE), -EFAULT);	/* over the hole */
	CU_ASSERT_EQUAL (vh_memory_write (m, 0xffff, buf, 2), -EFAULT);
	CU_ASSERT_EQUAL (vh_memory_write (m, UINT64_MAX, buf, 2), -EFAULT);
	CU_ASSERT_EQUAL (vh_memory_write (m, 0x13fff, buf, SIZE_MAX), -EFAULT);
	CU_ASSERT_EQUAL (vh_memory_read (m, 0x11ff0, buf, 0x20), -EFAULT);
	CU_ASSERT_EQUAL (buf[0], 0xaa);
	for (unsigned i = 0; i < 3; i++)
		for (unsigned k = 0; k < PAGE; k++)
			if (m->slots[i].host[k] != 0)
				CU_FAIL ("something was copied");
	CU_ASSERT_EQUAL (vh_memory_write (m, 0x13fff, buf, 1), 0);
	vh_memory_unref (m);
}

/* The next table shares the regions of the one before; each goes with its last table. */
static void
regions_go_with_their_last_table (void)
{
	struct vh_memory *m = real_table (), *next;
	struct region *kept[1] = { m->slots[2].region };
	int fds = suite_open_fds ();

	CU_ASSERT_EQUAL (count_pages (), 3);
	CU_ASSERT_EQUAL_FATAL (memory_new (kept, 1, &next), 0);
	CU_ASSERT_PTR_EQUAL (vh_memory_ref (m), m);
	vh_memory_unref (m);
	CU_ASSERT_EQUAL (count_pages (), 3);
	vh_memory_unref (m);
	CU_ASSERT_EQUAL (count_pages (), 1);
	CU_ASSERT_FALSE (memory_lost (next));
	__atomic_store_n (&kept[0]->lost, 1, __ATOMIC_RELEASE);
	CU_ASSERT (memory_lost (next));
	vh_memory_unref (next);
	CU_ASSERT_EQUAL (count_pages (), 0);
	CU_ASSERT_EQUAL (suite_open_fds (), fds);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "overlaps are refused", overlaps_are_refused },
		{ "regions without user address", regions_without_user_address },
		{ "as many regions as allowed", as_many_regions_as_allowed },
		{ "descriptions are checked", descriptions_are_checked },
		{ "lookups in regions of like size", lookups_in_regions_of_like_size },
		{ "lookups in regions of unlike size", lookups_in_regions_of_unlike_size },
		{ "lookups in regions far apart", lookups_in_regions_far_apart },
		{ "an empty table", an_empty_table },
		{ "user addresses", user_addresses },
		{ "copies cross regions", copies_cross_regions },
		{ "copies outside copy nothing", copies_outside_copy_nothing },
		{ "regions go with their last table", regions_go_with_their_last_table },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("memory", tests);
}
