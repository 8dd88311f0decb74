/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pieces of guest memory joined to one: real regions of real files, also such that shrink.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory/guard.h"
#include "memory/joined.h"
#include "tests/suite.h"

#define PAGE 4096u
#define PAGES 8

/* A region's pages have their numbers in each byte, those of the second from 16 on. */
static struct region *regions[2];
static int files[2];

static void
begin (void)
{
	for (unsigned i = 0; i < 2; i++) {
		struct vh_region spec = { .guest_addr = 0x10000000u * (i + 1), .size = PAGES * PAGE, .user_addr = 0x10000000u * (i + 1), .fd = -1 };

		files[i] = memfd_create ("test-joined", MFD_CLOEXEC);
		CU_ASSERT_EQUAL_FATAL (ftruncate (files[i], PAGES * PAGE), 0);
		CU_ASSERT_EQUAL_FATAL (region_new (&spec, files[i], &regions[i]), 0);
		for (unsigned k = 0; k < PAGES; k++)
			memset (regions[i]->host + k * PAGE, (int) (i * 16 + k), PAGE);
	}
}

static void
end (void)
{
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL (regions[i]->refs, 1);
		region_unref (regions[i]);
		close (files[i]);
	}
}

static struct joined_piece
piece (unsigned region, size_t offset, size_t size)
{
	return (struct joined_piece){ regions[region], regions[region]->host + offset, size };
}

/* --- what is joined --- */

static void
pieces_follow_one_another (void)
{
	const struct joined_piece pieces[] = { piece (0, 5 * PAGE, PAGE), piece (1, 2 * PAGE, 2 * PAGE), piece (0, 0, PAGE) };
	static const unsigned char numbers[] = { 5, 16 + 2, 16 + 3, 0 };
	struct joined *j;
	unsigned char *host;

	CU_ASSERT_EQUAL_FATAL (joined_new (pieces, 3, &j), 0);
	host = joined_host (j);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT (host[i * PAGE] == numbers[i] && host[i * PAGE + PAGE - 1] == numbers[i]);
	/* It is the same memory. */
	memset (host, 0xaa, 4 * PAGE);
	CU_ASSERT_EQUAL (regions[0]->host[5 * PAGE + 17], 0xaa);
	CU_ASSERT_EQUAL (regions[1]->host[3 * PAGE + 17], 0xaa);
	CU_ASSERT_EQUAL (regions[1]->host[4 * PAGE], 16 + 4);
	regions[0]->host[1] = 0xbb;
	CU_ASSERT_EQUAL (host[3 * PAGE + 1], 0xbb);
	joined_free (j);
}

/* The first one begins where the area does, and the last one ends where it ends. */
static void
ends_inside_of_pages (void)
{
	const struct joined_piece pieces[] = { piece (0, 3 * PAGE - 64, 64), piece (1, 0, 20) };
	struct joined *j;
	unsigned char *host;

	CU_ASSERT_EQUAL_FATAL (joined_new (pieces, 2, &j), 0);
	host = joined_host (j);
	CU_ASSERT (host[0] == 2 && host[63] == 2 && host[64] == 16 && host[83] == 16);
	CU_ASSERT_EQUAL ((uintptr_t) host % PAGE, PAGE - 64);
	joined_free (j);
}

static void
it_holds_the_regions (void)
{
	const struct joined_piece pieces[] = { piece (0, 5 * PAGE, PAGE), piece (0, 0, PAGE) };
	struct joined *j;

	CU_ASSERT_EQUAL_FATAL (joined_new (pieces, 2, &j), 0);
	CU_ASSERT_EQUAL (regions[0]->refs, 3);
	joined_free (j);
	CU_ASSERT_EQUAL (regions[0]->refs, 1);
	joined_free (NULL);
}

static void
the_same_or_others (void)
{
	const struct joined_piece pieces[] = { piece (0, 5 * PAGE, PAGE), piece (0, 0, 100) };
	struct joined_piece others[2];
	struct joined *j;

	CU_ASSERT_EQUAL_FATAL (joined_new (pieces, 2, &j), 0);
	CU_ASSERT_TRUE (joined_is (j, pieces, 2));
	CU_ASSERT_FALSE (joined_is (j, pieces, 1));
	for (unsigned i = 0; i < 3; i++) {
		memcpy (others, pieces, sizeof (others));
		if (i == 0)
			others[1].size++;
		else if (i == 1)
			others[0].host += PAGE;
		else
			others[0].region = regions[1];
		CU_ASSERT_FALSE (joined_is (j, others, 2));
	}
	joined_free (j);
}

/* --- what is not --- */

static int
try_join (struct joined_piece a, struct joined_piece b)
{
	const struct joined_piece pieces[] = { a, b };
	struct joined *j;
	int err = joined_new (pieces, 2, &j);

	if (err == 0)
		joined_free (j);
	return err;
}

static void
pieces_that_do_not_meet (void)
{
	CU_ASSERT_EQUAL (try_join (piece (0, 0, PAGE - 16), piece (0, 2 * PAGE, PAGE)), -EFAULT);
	CU_ASSERT_EQUAL (try_join (piece (0, 0, PAGE), piece (0, 2 * PAGE + 16, PAGE)), -EFAULT);
	CU_ASSERT_EQUAL (try_join (piece (0, 16, PAGE), piece (0, 2 * PAGE + 16, PAGE)), -EFAULT);
	CU_ASSERT_EQUAL (try_join (piece (0, 16, PAGE - 16), piece (0, 2 * PAGE, 16)), 0);
}

/* Pages that the front-end is to bring come to one place only. */
static void
memory_that_is_being_filled (void)
{
	__atomic_store_n (&regions[1]->filling, true, __ATOMIC_RELEASE);
	CU_ASSERT_EQUAL (try_join (piece (0, 0, PAGE), piece (1, 0, PAGE)), -EFAULT);
	__atomic_store_n (&regions[1]->filling, false, __ATOMIC_RELEASE);
	CU_ASSERT_EQUAL (try_join (piece (0, 0, PAGE), piece (1, 0, PAGE)), 0);
}

static void
memory_that_is_no_file (void)
{
	static unsigned char bytes[2 * PAGE] __attribute__ ((aligned (PAGE)));
	struct region foreign = { .host = bytes, .refs = 1 };

	CU_ASSERT_EQUAL (try_join (piece (0, 0, PAGE), (struct joined_piece){ &foreign, bytes, PAGE }), -EFAULT);
	CU_ASSERT_EQUAL (foreign.refs, 1);
}

static void
huge_pages (void)
{
	struct vh_region spec = { .guest_addr = 0x80000000u, .size = 2u << 20, .user_addr = 0x80000000u, .fd = -1 };
	int fd = memfd_create ("test-joined", MFD_CLOEXEC | MFD_HUGETLB | (21u << 26));
	struct region *r;

	if (fd < 0 || ftruncate (fd, 2 << 20) < 0 || region_new (&spec, fd, &r) < 0) {
		printf ("(no huge pages of 2 MiB in this kernel) ");
		close (fd);
		return;
	}
	/* Nothing is touched, so that none need be free. */
	CU_ASSERT_EQUAL (try_join ((struct joined_piece){ r, r->host + 5 * PAGE, PAGE }, (struct joined_piece){ r, r->host, PAGE }), -EFAULT);
	region_unref (r);
	close (fd);
}

/* --- files that shrink --- */

static void
a_file_that_shrinks (void)
{
	const struct joined_piece pieces[] = { piece (0, 5 * PAGE, PAGE), piece (1, 0, PAGE), piece (0, 6 * PAGE, PAGE) };
	unsigned hits = guard_count ();
	struct joined *j;
	volatile unsigned char *host;

	CU_ASSERT_EQUAL_FATAL (vh_memory_guard (), 0);
	CU_ASSERT_EQUAL_FATAL (joined_new (pieces, 3, &j), 0);
	host = joined_host (j);
	CU_ASSERT_EQUAL_FATAL (ftruncate (files[0], PAGE), 0);
	CU_ASSERT_EQUAL (host[2 * PAGE], 0);	/* and we are still here */
	CU_ASSERT_EQUAL (guard_count (), hits + 1);
	CU_ASSERT_TRUE (__atomic_load_n (&regions[0]->lost, __ATOMIC_ACQUIRE));
	CU_ASSERT_FALSE (__atomic_load_n (&regions[1]->lost, __ATOMIC_ACQUIRE));
	CU_ASSERT_EQUAL (host[0], 0);
	CU_ASSERT_EQUAL (host[PAGE], 16);
	joined_free (j);
	/* What was replaced by zeroes is joined with nothing any more. */
	host = regions[0]->host;
	CU_ASSERT_EQUAL (host[7 * PAGE], 0);
	CU_ASSERT_EQUAL (try_join (piece (1, 0, PAGE), piece (0, 0, PAGE)), -EFAULT);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "pieces follow one another", pieces_follow_one_another },
		{ "ends inside of pages", ends_inside_of_pages },
		{ "it holds the regions", it_holds_the_regions },
		{ "the same or others", the_same_or_others },
		{ "pieces that do not meet", pieces_that_do_not_meet },
		{ "memory that is being filled", memory_that_is_being_filled },
		{ "memory that is no file", memory_that_is_no_file },
		{ "huge pages", huge_pages },
		{ "a file that shrinks", a_file_that_shrinks },
		CU_TEST_INFO_NULL,
	};

	return suite_run_around ("joined", begin, end, tests);
}
