/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seed-iotlb: makes the corpus of fuzz-iotlb; see iotlb-input.h.
 */
#include <stdint.h>

#include "fuzz/iotlb-input.h"
#include "fuzz/seed.h"

#define NEXT 1
#define WRITE 2

/* Pages of the guest's memory; the ring's I/O pages are the same. */
#define DESC 0
#define AVAIL 1
#define USED 2
#define DATA 4

#define READ_ONLY 1
#define WRITE_ONLY 2
#define BOTH 3

/* --- steps --- */

static void
update (unsigned iova_page, unsigned pages, unsigned page, unsigned perm)
{
	put (STEP_UPDATE, 1);
	put (iova_page, 1);
	put (pages, 1);
	put (page, 1);
	put (perm, 1);
}

static void
invalidate (unsigned iova_page, unsigned pages)
{
	put (STEP_INVALIDATE, 1);
	put (iova_page, 1);
	put (pages, 1);
}

static void
message (uint64_t iova, uint64_t size, uint64_t user, unsigned perm, unsigned type)
{
	put (STEP_MESSAGE, 1);
	put (iova, 8);
	put (size, 8);
	put (user, 8);
	put (perm, 1);
	put (type, 1);
	put (0, 6);
}

static void
step (enum step what, unsigned argument)
{
	put (what, 1);
	put (argument, 1);
}

/* Chains of two from I/O address `at` on, `n` of them: one to read and one to write, which is in the page behind. */
static void
chains (uint64_t at, unsigned n)
{
	for (unsigned i = 0; i < 2 * n; i++) {
		put (STEP_MEMORY, 1);
		put (DESC * PAGE + 16 * i, 2);
		put (16, 1);
		put (at + i % 2 * PAGE + 32 * i, 8);
		put (16, 4);
		put (i % 2 ? WRITE : NEXT, 2);
		put (i + 1, 2);
	}
	put (STEP_MEMORY, 1);
	put (AVAIL * PAGE, 2);
	put (4 + 2 * n, 1);
	put (0, 2);
	put (n, 2);
	for (unsigned i = 0; i < n; i++)
		put (2 * i, 2);
	put (STEP_KICK, 1);
}

static void
ring_pages (void)
{
	update (DESC, 2, DESC, READ_ONLY);
	update (USED, 1, USED, BOTH);
	update (DESC, 2, DESC, BOTH);
}

/* --- inputs --- */

static void
served (void)
{
	seed_begin ("served");
	ring_pages ();
	update (16, 2, DATA, BOTH);
	chains (16 * PAGE, 4);
	seed_end ();
}

/* The ring parks, is told, parks again, and is refused. */
static void
missed (void)
{
	seed_begin ("missed");
	ring_pages ();
	chains (16 * PAGE, 2);
	step (STEP_ANSWER, 0);
	update (16, 1, DATA, READ_ONLY);
	step (STEP_ANSWER, 0);
	update (17, 1, DATA + REGION_PAGES, WRITE_ONLY);
	invalidate (16, 1);
	chains (16 * PAGE, 4);
	step (STEP_ANSWER, 1);
	step (STEP_ANSWER, 1);
	seed_end ();
}

/* What is in flight is taken back. */
static void
taken_back (void)
{
	seed_begin ("taken-back");
	ring_pages ();
	update (16, 2, DATA, BOTH);
	step (STEP_HOLD, 1);
	chains (16 * PAGE, 4);
	step (STEP_RELEASE, 1);
	update (18, 1, DATA + 2, BOTH);
	update (16, 1, DATA + 1, READ_ONLY);
	invalidate (17, 1);
	seed_end ();
}

/* The ring's own pages go and come back elsewhere. */
static void
ring_moves (void)
{
	seed_begin ("ring-moves");
	ring_pages ();
	update (16, 2, DATA, BOTH);
	chains (16 * PAGE, 1);
	invalidate (USED, 1);
	update (USED, 1, USED + REGION_PAGES, BOTH);
	put (STEP_KICK, 1);
	message (0, 0, 0, 0, 3);
	seed_end ();
}

static void
hostile (void)
{
	seed_begin ("hostile");
	message (UINT64_MAX - 0xfff, 0x1000, USER_PAGE (0), 3, 2);
	message (UINT64_MAX - 0xfff, 0x1001, USER_PAGE (0), 3, 2);
	message (0, UINT64_MAX, USER_PAGE (0), 3, 2);
	message (0x1000, 0, USER_PAGE (0), 3, 2);
	message (0x1000, 0x1000, USER_PAGE (7) + 1, 3, 2);
	message (0x1000, 0x1000, UINT64_MAX, 3, 2);
	message (0x1000, 0x1000, USER_PAGE (0), 0, 2);
	message (0x1000, 0x1000, USER_PAGE (0), 4, 2);
	message (0x1000, 0x1000, USER_PAGE (0), 3, 1);
	message (0x1000, 0x1000, USER_PAGE (0), 3, 4);
	message (0x1000, 0x1000, USER_PAGE (0), 3, 0xff);
	message (UINT64_MAX, UINT64_MAX, 0, 0, 3);
	ring_pages ();
	/* Translations need not be of pages. */
	message (0x10001, 0x2000, USER_PAGE (4) + 5, 3, 2);
	chains (0x10001, 3);
	seed_end ();
}

void
seed_all (void)
{
	served ();
	missed ();
	taken_back ();
	ring_moves ();
	hostile ();
}
