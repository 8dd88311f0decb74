/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cache of translations: what an update and an invalidation leave in it, what they say about what is gone, its bound, and the table that rings get.  At
 * the end, at random, against a page map that is as simple as can be.
 */
#include <stdlib.h>
#include <string.h>

#include "memory/iotlb.h"
#include "tests/suite.h"

#define PAGE UINT64_C (4096)
#define LAST_PAGE (UINT64_MAX - (PAGE - 1))
#define BOTH (IOTLB_READ | IOTLB_WRITE)

/* Two regions side by side, in user and guest addresses and here; and one that is mapped on demand.  They are only looked up. */
#define REGION_PAGES 64
#define USER UINT64_C (0x100000)
#define GUEST UINT64_C (0x40000000)
#define HOST(region) ((unsigned char *) (uintptr_t) (0x10000000 + (region) * REGION_PAGES * PAGE))

static struct region regions[3];
static struct vh_memory *memory;
static struct iotlb *t;

static uint64_t
user_page (unsigned page)
{
	return USER + page * PAGE;
}

static void
begin (void)
{
	struct region *list[3];

	for (unsigned i = 0; i < 3; i++) {
		regions[i] = (struct region){ .host = i < 2 ? HOST (i) : NULL, .refs = 1, .spec = {
			.guest_addr = GUEST + i * REGION_PAGES * PAGE, .size = REGION_PAGES * PAGE, .user_addr = user_page (i * REGION_PAGES), .fd = -1,
		} };
		list[i] = &regions[i];
	}
	CU_ASSERT_EQUAL_FATAL (memory_new (list, 3, &memory), 0);
	t = calloc (1, sizeof (*t));
	CU_ASSERT_PTR_NOT_NULL_FATAL (t);
}

static void
end (void)
{
	free (t);
	vh_memory_unref (memory);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL (regions[i].refs, 1);
}

/* Enters `pages` pages. */
static bool
update (uint64_t iova, uint64_t pages, uint64_t user, unsigned perm)
{
	struct iotlb_entry e = { .iova = iova, .size = pages * PAGE, .user = user, .perm = perm };

	return iotlb_update (t, &e);
}

static bool
invalidate (uint64_t iova, uint64_t pages)
{
	return iotlb_invalidate (t, iova, iova + (pages * PAGE - 1));
}

/* --- what the cache holds --- */

/* The user address of an I/O address, and in *perm what may be done there; 0: it has none. */
static uint64_t
look (uint64_t iova, unsigned *perm)
{
	uint64_t found = 0;

	*perm = 0;
	for (unsigned i = 0; i < t->n; i++)
		if (iova - t->entries[i].iova < t->entries[i].size) {
			found = t->entries[i].user + (iova - t->entries[i].iova);
			*perm = t->entries[i].perm;
		}
	return found;
}

static uint64_t
user_of (uint64_t iova)
{
	unsigned perm;

	return look (iova, &perm);
}

static bool
is_sorted (void)
{
	for (unsigned i = 0; i < t->n; i++) {
		const struct iotlb_entry *e = &t->entries[i];

		if (e->size == 0 || e->iova + (e->size - 1) < e->iova)
			return false;
		if (i > 0 && e->iova <= e[-1].iova + (e[-1].size - 1))
			return false;
	}
	return true;
}

static void
a_translation_is_kept (void)
{
	begin ();
	CU_ASSERT_FALSE (update (0x5000, 2, user_page (7), BOTH));
	CU_ASSERT_EQUAL (user_of (0x5000), user_page (7));
	CU_ASSERT_EQUAL (user_of (0x6fff), user_page (8) + 0xfff);
	CU_ASSERT_EQUAL (user_of (0x4fff), 0);
	CU_ASSERT_EQUAL (user_of (0x7000), 0);
	/* In any order. */
	CU_ASSERT_FALSE (update (0x1000, 1, user_page (20), IOTLB_READ));
	CU_ASSERT_FALSE (update (0x9000, 1, user_page (21), IOTLB_READ));
	CU_ASSERT_FALSE (update (0x7000, 1, user_page (22), IOTLB_READ));
	CU_ASSERT_EQUAL (t->n, 4);
	CU_ASSERT (is_sorted ());
	CU_ASSERT_EQUAL (user_of (0x1000), user_page (20));
	CU_ASSERT_EQUAL (user_of (0x9000), user_page (21));
	CU_ASSERT_EQUAL (user_of (0x7000), user_page (22));
	end ();
}

static void
the_same_once_more_takes_nothing_away (void)
{
	begin ();
	update (0x5000, 2, user_page (7), IOTLB_READ);
	CU_ASSERT_FALSE (update (0x5000, 2, user_page (7), IOTLB_READ));
	CU_ASSERT_FALSE (update (0x5000, 2, user_page (7), BOTH));
	CU_ASSERT_FALSE (update (0x4000, 4, user_page (6), BOTH));
	CU_ASSERT_EQUAL (t->n, 1);
	CU_ASSERT_EQUAL (user_of (0x7fff), user_page (9) + 0xfff);
	end ();
}

static void
another_one_takes_away_what_it_overlaps (void)
{
	unsigned perm;

	begin ();
	update (0x5000, 4, user_page (7), BOTH);
	CU_ASSERT (update (0x5000, 4, user_page (7), IOTLB_READ));	/* less may be done there */
	look (0x8000, &perm);
	CU_ASSERT_EQUAL (perm, IOTLB_READ);
	CU_ASSERT (update (0x6000, 1, user_page (30), IOTLB_READ));	/* out of the middle: the rest is asked for again */
	CU_ASSERT_EQUAL (user_of (0x6000), user_page (30));
	CU_ASSERT_EQUAL (user_of (0x5000), 0);
	CU_ASSERT_EQUAL (user_of (0x7000), 0);
	CU_ASSERT (update (0x6000, 1, user_page (31), IOTLB_READ));	/* it is elsewhere */
	update (0x7000, 1, user_page (40), BOTH);
	update (0x9000, 1, user_page (41), BOTH);
	CU_ASSERT (update (0x6000, 8, user_page (50), BOTH));	/* over several, and what is between */
	CU_ASSERT_EQUAL (t->n, 1);
	CU_ASSERT_EQUAL (user_of (0x9000), user_page (53));
	end ();
}

static void
an_invalidation_of_a_part_takes_all_of_it (void)
{
	begin ();
	update (0x4000, 1, user_page (6), BOTH);
	update (0x5000, 4, user_page (7), BOTH);
	update (0x9000, 1, user_page (11), BOTH);
	CU_ASSERT_FALSE (invalidate (0xa000, 100));
	CU_ASSERT_FALSE (invalidate (0, 4));
	CU_ASSERT_EQUAL (t->n, 3);
	CU_ASSERT (iotlb_invalidate (t, 0x8fff, 0x8fff));
	CU_ASSERT_EQUAL (t->n, 2);
	CU_ASSERT_EQUAL (user_of (0x5000), 0);
	CU_ASSERT_EQUAL (user_of (0x4fff), user_page (6) + 0xfff);
	CU_ASSERT_EQUAL (user_of (0x9000), user_page (11));
	CU_ASSERT_FALSE (invalidate (0x5000, 4));
	CU_ASSERT (iotlb_invalidate (t, 0, UINT64_MAX));
	CU_ASSERT_EQUAL (t->n, 0);
	CU_ASSERT_FALSE (iotlb_invalidate (t, 0, UINT64_MAX));
	end ();
}

static void
the_ends_of_the_address_space (void)
{
	struct vh_memory *table;

	begin ();
	CU_ASSERT_FALSE (update (LAST_PAGE, 1, user_page (5), BOTH));
	CU_ASSERT_FALSE (update (0, 1, user_page (6), BOTH));
	CU_ASSERT (is_sorted ());
	CU_ASSERT_EQUAL (user_of (UINT64_MAX), user_page (5) + 0xfff);
	CU_ASSERT_EQUAL (user_of (0), user_page (6));
	CU_ASSERT_EQUAL_FATAL (iotlb_table (t, memory, &table), 0);
	CU_ASSERT_EQUAL (table->n, 2);
	CU_ASSERT_PTR_EQUAL (memory_find (table, UINT64_MAX), &table->slots[1]);
	CU_ASSERT_PTR_EQUAL (memory_find (table, 0xfff), &table->slots[0]);
	CU_ASSERT_PTR_NULL (memory_find (table, PAGE));
	CU_ASSERT_PTR_NULL (memory_find (table, LAST_PAGE - 1));
	vh_memory_unref (table);
	CU_ASSERT_FALSE (iotlb_invalidate (t, PAGE, LAST_PAGE - 1));
	CU_ASSERT (iotlb_invalidate (t, UINT64_MAX, UINT64_MAX));
	CU_ASSERT (iotlb_invalidate (t, 0, 0));
	CU_ASSERT_EQUAL (t->n, 0);
	end ();
}

static void
there_is_a_bound (void)
{
	begin ();
	for (unsigned i = 0; i < IOTLB_MAX; i++)
		CU_ASSERT_FALSE (update (2 * i * PAGE, 1, user_page (i % REGION_PAGES), BOTH));
	CU_ASSERT_EQUAL (t->n, IOTLB_MAX);
	/* What takes another one's place needs no room. */
	CU_ASSERT_FALSE (update (6 * PAGE, 1, user_page (3), BOTH));
	CU_ASSERT (update (6 * PAGE, 1, user_page (9), BOTH));
	CU_ASSERT_EQUAL (t->n, IOTLB_MAX);
	/* One more, between others: all are asked for again. */
	CU_ASSERT (update (7 * PAGE, 1, user_page (1), BOTH));
	CU_ASSERT_EQUAL (t->n, 1);
	CU_ASSERT_EQUAL (user_of (7 * PAGE), user_page (1));
	/* And behind them. */
	for (unsigned i = 1; i < IOTLB_MAX; i++)
		CU_ASSERT_FALSE (update ((7 + 2 * i) * PAGE, 1, user_page (0), BOTH));
	CU_ASSERT (update (LAST_PAGE, 1, user_page (2), BOTH));
	CU_ASSERT_EQUAL (t->n, 1);
	end ();
}

/* --- the table --- */

/* Is an I/O address at this byte of a region for reading and for writing, as `perm` allows? */
static bool
is_at (const struct vh_memory *table, uint64_t iova, unsigned char *host, unsigned perm)
{
	const struct slot *slot = memory_find (table, iova);

	for (unsigned write = 0; slot && write < 2; write++) {
		unsigned char *base = memory_host (table, slot, write);

		if (perm & (write ? IOTLB_WRITE : IOTLB_READ) ? !base || base + (iova - slot->addr) != host : base != NULL)
			return false;
	}
	return slot;
}

static void
neighbours_become_one (void)
{
	struct vh_memory *table;

	begin ();
	for (unsigned i = 0; i < 8; i++)
		update (0x5000 + i * PAGE, 1, user_page (10 + i), BOTH);
	update (0xd000, 1, user_page (18), IOTLB_READ);	/* another permission */
	update (0xe000, 1, user_page (19), IOTLB_READ);
	update (0xf000, 1, user_page (21), IOTLB_READ);	/* a page is left out */
	update (0x11000, 1, user_page (22), IOTLB_READ);	/* here, too */
	CU_ASSERT_EQUAL_FATAL (iotlb_table (t, memory, &table), 0);
	CU_ASSERT_EQUAL (table->n, 4);
	CU_ASSERT_EQUAL (table->slots[0].size, 8 * PAGE);
	CU_ASSERT_EQUAL (table->slots[1].size, 2 * PAGE);
	CU_ASSERT (is_at (table, 0x5000, HOST (0) + 10 * PAGE, BOTH));
	CU_ASSERT (is_at (table, 0xcfff, HOST (0) + 18 * PAGE - 1, BOTH));
	CU_ASSERT (is_at (table, 0xe001, HOST (0) + 19 * PAGE + 1, IOTLB_READ));
	CU_ASSERT (is_at (table, 0xf000, HOST (0) + 21 * PAGE, IOTLB_READ));
	CU_ASSERT (is_at (table, 0x11000, HOST (0) + 22 * PAGE, IOTLB_READ));
	CU_ASSERT_PTR_NULL (memory_find (table, 0x10000));
	vh_memory_unref (table);
	end ();
}

static void
regions_stay_apart (void)
{
	struct vh_memory *table;

	begin ();
	update (0x5000, 1, user_page (REGION_PAGES - 1), BOTH);
	update (0x6000, 1, user_page (REGION_PAGES), BOTH);
	update (0x8000, 2, user_page (REGION_PAGES - 1), BOTH);	/* across their edge: nothing is in one piece there */
	update (0xa000, 1, user_page (2 * REGION_PAGES), BOTH);	/* not mapped in advance */
	update (0xb000, 1, user_page (3 * REGION_PAGES), BOTH);	/* in none of them */
	CU_ASSERT_EQUAL_FATAL (iotlb_table (t, memory, &table), 0);
	CU_ASSERT_EQUAL (table->n, 2);
	CU_ASSERT (is_at (table, 0x5fff, HOST (0) + REGION_PAGES * PAGE - 1, BOTH));
	CU_ASSERT (is_at (table, 0x6000, HOST (1), BOTH));
	/* A table keeps the regions, and what comes after it does not change it. */
	CU_ASSERT_EQUAL (regions[0].refs, 3);
	CU_ASSERT_EQUAL (regions[2].refs, 2);
	invalidate (0x5000, 1);
	CU_ASSERT (is_at (table, 0x5000, HOST (0) + (REGION_PAGES - 1) * PAGE, BOTH));
	vh_memory_unref (table);
	end ();
}

static void
permissions (void)
{
	struct vh_memory *table;

	begin ();
	update (0x1000, 1, user_page (1), IOTLB_READ);
	update (0x2000, 1, user_page (2), IOTLB_WRITE);
	update (0x3000, 1, user_page (3), BOTH);
	CU_ASSERT_EQUAL_FATAL (iotlb_table (t, memory, &table), 0);
	CU_ASSERT_EQUAL (table->n, 3);
	CU_ASSERT (is_at (table, 0x1000, HOST (0) + PAGE, IOTLB_READ));
	CU_ASSERT (is_at (table, 0x2000, HOST (0) + 2 * PAGE, IOTLB_WRITE));
	CU_ASSERT (is_at (table, 0x3000, HOST (0) + 3 * PAGE, BOTH));
	vh_memory_unref (table);
	CU_ASSERT_EQUAL_FATAL (iotlb_invalidate (t, 0, UINT64_MAX), true);
	CU_ASSERT_EQUAL_FATAL (iotlb_table (t, memory, &table), 0);
	CU_ASSERT_EQUAL (table->n, 0);
	CU_ASSERT_PTR_NULL (memory_find (table, 0x1000));
	vh_memory_unref (table);
	end ();
}

/* --- at random --- */

/* What each page has: which update said so, of those that are still there. */
#define MAP_PAGES 96

static struct page {
	unsigned said_by;	/* 0: nothing is known */
	uint64_t user;
	unsigned perm;
} map[MAP_PAGES];

static uint64_t random_state = 1;

static unsigned
below (unsigned n)
{
	random_state = random_state * UINT64_C (6364136223846793005) + UINT64_C (1442695040888963407);
	return (unsigned) (random_state >> 33) % n;
}

/* All pages of what overlaps these. */
static void
map_forget (unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++)
		for (unsigned k = 0, who = map[i].said_by; who && k < MAP_PAGES; k++)
			if (map[k].said_by == who)
				map[k] = (struct page){ 0 };
}

/* May something not be done any more that could be done before? */
static bool
map_lost (const struct page *before)
{
	for (unsigned i = 0; i < MAP_PAGES; i++)
		if (before[i].said_by && (!map[i].said_by || map[i].user != before[i].user || (before[i].perm & ~map[i].perm)))
			return true;
	return false;
}

/* The map's first page is at this I/O address; the last one of a map at the end ends the address space. */
static bool
map_agrees (uint64_t base)
{
	struct vh_memory *table;
	bool good = is_sorted ();

	CU_ASSERT_EQUAL_FATAL (iotlb_table (t, memory, &table), 0);
	for (unsigned i = 0; i < MAP_PAGES; i++) {
		uint64_t iova = base + i * PAGE, user, page = (map[i].user - USER) / PAGE;
		unsigned perm;

		user = look (iova + i, &perm);
		good &= map[i].said_by ? user == map[i].user + i && perm == map[i].perm : user == 0;
		good &= map[i].said_by ? is_at (table, iova + i, HOST (page / REGION_PAGES) + page % REGION_PAGES * PAGE + i, perm)
				       : !memory_find (table, iova);
	}
	vh_memory_unref (table);
	return good;
}

static void
step (uint64_t base, unsigned number)
{
	unsigned first = below (MAP_PAGES), n = 1 + below (below (4) ? 4 : 24), perm = 1 + below (3), user;
	struct page before[MAP_PAGES];

	memcpy (before, map, sizeof (map));
	if (n > MAP_PAGES - first)
		n = MAP_PAGES - first;
	/* Often where a guest has it that maps its memory in order, so that updates say what is known. */
	user = below (2) ? below (2) * REGION_PAGES + below (REGION_PAGES - n) : first / (REGION_PAGES / 2) % 2 * REGION_PAGES + first % (REGION_PAGES / 2);
	map_forget (first, n);
	if (below (4) == 0) {
		CU_ASSERT_EQUAL (invalidate (base + first * PAGE, n), map_lost (before));
		return;
	}
	for (unsigned i = 0; i < n; i++)
		map[first + i] = (struct page){ number, user_page (user + i), perm };
	CU_ASSERT_EQUAL (update (base + first * PAGE, n, user_page (user), perm), map_lost (before));
}

static void
at_random (uint64_t base)
{
	begin ();
	memset (map, 0, sizeof (map));
	for (unsigned i = 1; i <= 20000; i++) {
		step (base, i);
		if (!map_agrees (base)) {
			CU_FAIL_FATAL ("the cache is not what a page map is");
			break;
		}
	}
	end ();
}

static void
as_a_page_map_does (void)
{
	at_random (0);
	at_random (UINT64_C (0x123456789000));
	at_random (LAST_PAGE - (MAP_PAGES - 1) * PAGE);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "a translation is kept", a_translation_is_kept },
		{ "the same once more takes nothing away", the_same_once_more_takes_nothing_away },
		{ "another one takes away what it overlaps", another_one_takes_away_what_it_overlaps },
		{ "an invalidation of a part takes all of it", an_invalidation_of_a_part_takes_all_of_it },
		{ "the ends of the address space", the_ends_of_the_address_space },
		{ "there is a bound", there_is_a_bound },
		{ "neighbours become one", neighbours_become_one },
		{ "regions stay apart", regions_stay_apart },
		{ "permissions", permissions },
		{ "as a page map does", as_a_page_map_does },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("iotlb", tests);
}
