/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finding a guest's RAM, with a guest that is only a list of areas: the calls of the Xen libraries that the search makes are answered here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xenctrl.h>
#include <xenforeignmemory.h>

#include "tests/suite.h"
#include "tools/xen-vhost-frontend/ram.h"

#define DOMID 5
#define PAGES(mib) ((uint64_t) (mib) << 8)

struct frames {
	uint64_t first, n;
};

static struct {
	const struct frames *areas;
	unsigned n_areas;
	uint64_t pages;		/* as Xen counts them */
	bool dying;		/* maps fail as a whole */
	unsigned maps, mapped;
	uint64_t tried;
} fake;

/* --- the libraries --- */

static bool
has_frame (uint64_t gfn)
{
	for (unsigned i = 0; i < fake.n_areas; i++)
		if (gfn - fake.areas[i].first < fake.areas[i].n)
			return true;
	return false;
}

xenforeignmemory_handle *
xenforeignmemory_open (struct xentoollog_logger *logger, unsigned flags)
{
	return (xenforeignmemory_handle *) &fake;
}

int
xenforeignmemory_close (xenforeignmemory_handle *h)
{
	return 0;
}

/* Every 1000th page is paged out. */
void *
xenforeignmemory_map (xenforeignmemory_handle *h, uint32_t domid, int prot, size_t n, const xen_pfn_t gfns[], int errors[])
{
	CU_ASSERT_EQUAL (domid, DOMID);
	CU_ASSERT_EQUAL (prot, PROT_READ);
	if (fake.dying) {
		errno = ESRCH;
		return NULL;
	}
	fake.maps++;
	fake.tried += n;
	fake.mapped++;
	for (size_t i = 0; i < n; i++)
		errors[i] = !has_frame (gfns[i]) ? -EINVAL : gfns[i] % 1000 == 999 ? -ENOENT : 0;
	return &fake;
}

int
xenforeignmemory_unmap (xenforeignmemory_handle *h, void *addr, size_t n)
{
	fake.mapped--;
	return 0;
}

xc_interface *
xc_interface_open (xentoollog_logger *logger, xentoollog_logger *dombuild, unsigned flags)
{
	return (xc_interface *) &fake;
}

int
xc_interface_close (xc_interface *xch)
{
	return 0;
}

int
xc_domain_getinfolist (xc_interface *xch, uint32_t first, unsigned max, xc_domaininfo_t *info)
{
	memset (info, 0, sizeof (*info));
	info->domain = DOMID;
	info->tot_pages = fake.pages;
	return 1;
}

int
xc_domain_maximum_gpfn (xc_interface *xch, uint32_t domid, xen_pfn_t *gpfns)
{
	*gpfns = 0;
	for (unsigned i = 0; i < fake.n_areas; i++)
		if (fake.areas[i].first + fake.areas[i].n - 1 > *gpfns)
			*gpfns = fake.areas[i].first + fake.areas[i].n - 1;
	return 0;
}

/* --- tests --- */

static struct area found[RAM_MAX_AREAS];

static int
find (const struct frames *areas, unsigned n)
{
	struct ram *ram;
	int ret;

	memset (&fake, 0, sizeof (fake));
	fake.areas = areas;
	fake.n_areas = n;
	for (unsigned i = 0; i < n; i++)
		fake.pages += areas[i].n;
	CU_ASSERT_EQUAL_FATAL (ram_new (DOMID, NULL, 0, &ram), 0);
	ret = ram_areas (ram, found);
	CU_ASSERT_EQUAL (fake.mapped, 0);
	ram_free (ram);
	return ret;
}

static bool
is_area (int i, uint64_t first, uint64_t n)
{
	return found[i].addr == first * 4096 && found[i].size == n * 4096;
}

/* x86 PVH: RAM from 0, and pages of the toolstack's just below 4 GiB. */
static void
test_small_pvh_guest (void)
{
	static const struct frames areas[] = { { 0, PAGES (160) }, { 0xfee00, 1 }, { 0xfeff0, 16 } };

	CU_ASSERT_EQUAL (find (areas, 3), 1);
	CU_ASSERT_TRUE (is_area (0, 0, PAGES (160)));
	/* The gap of nearly 4 GiB costs little. */
	CU_ASSERT_TRUE (fake.tried < PAGES (160) + 20000);
}

static void
test_guest_with_memory_above_4_gib (void)
{
	static const struct frames areas[] = { { 0, 0xa0 }, { 0x100, 0xeff00 }, { 0xfeff0, 16 }, { 0x100000, PAGES (3000) } };

	CU_ASSERT_EQUAL (find (areas, 4), 3);
	CU_ASSERT_TRUE (is_area (0, 0, 0xa0));
	CU_ASSERT_TRUE (is_area (1, 0x100, 0xeff00));
	CU_ASSERT_TRUE (is_area (2, 0x100000, PAGES (3000)));
}

/* Arm: RAM at 1 GiB and at 8 GiB, pages of the toolstack's below. */
static void
test_arm_guest (void)
{
	static const struct frames areas[] = { { 0x38000, 4 }, { 0x39000, 4 }, { 0x40000, 0xc0000 }, { 0x200000, PAGES (100) } };

	CU_ASSERT_EQUAL (find (areas, 4), 2);
	CU_ASSERT_TRUE (is_area (0, 0x40000, 0xc0000));
	CU_ASSERT_TRUE (is_area (1, 0x200000, PAGES (100)));
}

/* A balloon's holes, and areas whose ends are no multiples of anything. */
static void
test_holes (void)
{
	static const struct frames areas[] = { { 3, 1000 }, { 1004, 64 }, { 1070, 63 }, { 2001, 127 }, { 50000, PAGES (64) + 1 } };

	CU_ASSERT_EQUAL (find (areas, 5), 4);
	CU_ASSERT_TRUE (is_area (0, 3, 1000));
	CU_ASSERT_TRUE (is_area (1, 1004, 64));
	CU_ASSERT_TRUE (is_area (2, 2001, 127));
	CU_ASSERT_TRUE (is_area (3, 50000, PAGES (64) + 1));
}

/* Areas across the edges of what is tried at once: 64 * 16384 frames. */
static void
test_edges_of_batches (void)
{
	static const struct frames areas[] = { { 16300, 200 }, { 0xfff81, 0xfe }, { 0x1fff00, 0x100 } };

	CU_ASSERT_EQUAL (find (areas, 3), 3);
	CU_ASSERT_TRUE (is_area (0, 16300, 200));
	CU_ASSERT_TRUE (is_area (1, 0xfff81, 0xfe));
	CU_ASSERT_TRUE (is_area (2, 0x1fff00, 0x100));
}

static void
test_a_short_end_beyond_an_edge (void)
{
	static const struct frames areas[] = { { 0xfff81, 0x7f + 10 }, { 0x1fff00, 1 } };

	CU_ASSERT_EQUAL (find (areas, 2), 1);
	CU_ASSERT_TRUE (is_area (0, 0xfff81, 0x7f + 10));
}

static void
test_random_guests (void)
{
	static struct frames areas[RAM_MAX_AREAS];

	srand (1);
	for (unsigned round = 0; round < 300; round++) {
		unsigned n = 1 + rand () % 20;
		uint64_t next = rand () % 300;

		for (unsigned i = 0; i < n; i++) {
			areas[i] = (struct frames){ next, 64 + rand () % (rand () % 4 ? 100 : 40000) };
			next += areas[i].n + 1 + rand () % (rand () % 4 ? 100 : 400000);
		}
		CU_ASSERT_EQUAL_FATAL (find (areas, n), n);
		for (unsigned i = 0; i < n; i++)
			CU_ASSERT_TRUE_FATAL (is_area (i, areas[i].first, areas[i].n));
	}
}

static void
test_a_guest_that_is_gone (void)
{
	static const struct frames areas[] = { { 0, PAGES (160) } };
	struct ram *ram;

	CU_ASSERT_EQUAL (find (areas, 1), 1);
	CU_ASSERT_EQUAL_FATAL (ram_new (DOMID, NULL, 0, &ram), 0);
	fake.dying = true;
	CU_ASSERT_EQUAL (ram_areas (ram, found), -ESRCH);
	/* A failure is not remembered, an answer is. */
	fake.dying = false;
	CU_ASSERT_EQUAL (ram_areas (ram, found), 1);
	fake.dying = true;
	CU_ASSERT_EQUAL (ram_areas (ram, found), 1);
	ram_free (ram);
}

static void
test_what_the_user_says (void)
{
	static const struct area said[] = { { 0x40000000, 0x10000000 }, { 0x80000000, 0x1000 } };
	struct ram *ram;

	fake.dying = true;
	CU_ASSERT_EQUAL_FATAL (ram_new (DOMID, said, 2, &ram), 0);
	CU_ASSERT_EQUAL (ram_areas (ram, found), 2);
	CU_ASSERT_EQUAL (memcmp (found, said, sizeof (said)), 0);
	ram_free (ram);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "a small PVH guest", test_small_pvh_guest },
		{ "a guest with memory above 4 GiB", test_guest_with_memory_above_4_gib },
		{ "a guest on Arm", test_arm_guest },
		{ "holes", test_holes },
		{ "edges of batches", test_edges_of_batches },
		{ "a short end beyond an edge", test_a_short_end_beyond_an_edge },
		{ "random guests", test_random_guests },
		{ "a guest that is gone", test_a_guest_that_is_gone },
		{ "what the user says", test_what_the_user_says },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("RAM of a guest", tests);
}
