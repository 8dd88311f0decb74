/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dirty log of a ring, compared bit by bit with what changed in the guest's memory: the test keeps a copy of it and knows which pages differ.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vhost/memory.h>

#include "memory/dirty-log.h"
#include "tests/suite.h"
#include "tests/unit/packed-guest.h"

#define SIZE 16u
#define PAGE 4096u
#define LOG_SIZE ((GUEST_BASE + GUEST_SIZE) / PAGE / 8)
#define FIRST_PAGE (GUEST_BASE / PAGE)
#define PAGES (GUEST_SIZE / PAGE)

static struct packed packed;
static struct guest *const guest = &packed.g;
static struct vh_request *reqs[SIZE];
static int log_fd;
static uint8_t *bits;		/* of the guest's first page on */
static unsigned char *before;	/* the guest's memory */

/* --- logs --- */

static struct region *
new_log (uint64_t size, uint64_t offset)
{
	struct vh_region spec = { .size = size, .offset = offset };
	struct region *r;

	CU_ASSERT_EQUAL_FATAL (region_new (&spec, log_fd, &r), 0);
	return r;
}

static void
open_log (void)
{
	uint8_t *file;

	log_fd = memfd_create ("log", MFD_CLOEXEC);
	CU_ASSERT_EQUAL_FATAL (ftruncate (log_fd, 2 * LOG_SIZE), 0);
	file = mmap (NULL, 2 * LOG_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, log_fd, 0);
	CU_ASSERT_FATAL (file != MAP_FAILED);
	bits = file + FIRST_PAGE / 8;
	guest->setup.log = (struct log_setup){ .region = new_log (LOG_SIZE, 0), .own = true, .used = guest->setup.used, .desc = guest->setup.desc, .fd = -1 };
}

static void
close_log (void)
{
	region_unref (guest->setup.log.region);
	munmap (bits - FIRST_PAGE / 8, 2 * LOG_SIZE);
	close (log_fd);
	free (before);
	before = NULL;
}

static bool
is_set (unsigned page)
{
	return bits[page / 8] >> page % 8 & 1;
}

/* What the front-end does in each round: takes the bits and copies. */
static void
new_round (void)
{
	if (!before)
		before = malloc (GUEST_SIZE);
	memset (bits, 0, PAGES / 8);
	memcpy (before, guest->bytes, GUEST_SIZE);
}

/* Do exactly the pages that changed have their bits?  Those of the avail area are the driver's. */
static bool
bits_are_right (void)
{
	bool right = true;

	for (unsigned page = 0; page < PAGES; page++) {
		bool changed = memcmp (before + page * PAGE, guest->bytes + page * PAGE, PAGE) != 0;

		if (page == (GUEST_AVAIL - GUEST_BASE) / PAGE)
			changed = false;
		right &= is_set (page) == changed;
	}
	return right;
}

static unsigned
count_bits (void)
{
	unsigned n = 0;

	for (unsigned page = 0; page < PAGES; page++)
		n += is_set (page);
	return n;
}

/* --- rings --- */

static void
begin (uint64_t features)
{
	guest_open (guest, SIZE, features);
	open_log ();
	CU_ASSERT_EQUAL_FATAL (guest_start (guest), 0);
	new_round ();
}

static void
end (void)
{
	guest_close (guest);
	close_log ();
}

/* A request at descriptors 4 * n and those behind: something to read, and the parts to write, each from an address on. */
static void
offer (unsigned n, const uint64_t *addrs, const uint32_t *sizes, unsigned parts)
{
	guest_desc (guest, GUEST_DESC, 4 * n, GUEST_DATA, 16, parts ? NEXT : 0, 4 * n + 1);
	for (unsigned i = 0; i < parts; i++)
		guest_desc (guest, GUEST_DESC, 4 * n + 1 + i, addrs[i], sizes[i], WRITE | (i + 1 < parts ? NEXT : 0), 4 * n + 2 + i);
	guest_offer (guest, 4 * n);
}

/* Writes bytes as a device does, which may do anything to the parts. */
static void
serve (struct vh_request *r, size_t written)
{
	struct iovec *rest;
	void *junk = malloc (written + 1);

	memset (junk, 0x5a, written + 1);
	vh_parts_write (r->in, r->n_in, 0, junk, written);
	free (junk);
	vh_parts_cut (r->in, r->n_in, 7, 9, &rest);
	vh_ring_give (guest->ring, r, (uint32_t) written);
}

#define AT(page) (GUEST_DATA + (uint64_t) (page) * PAGE)

static void
what_requests_write (void)
{
	static const struct {
		uint64_t addrs[3];
		uint32_t sizes[3];
		unsigned parts;
		size_t written;
	} cases[] = {
		{ { AT (1) }, { 1 }, 1, 1 },
		{ { AT (1) }, { PAGE }, 1, PAGE },
		{ { AT (1) + 4095 }, { 2 }, 1, 2 },
		{ { AT (1) + 4095 }, { 2 }, 1, 1 },
		{ { AT (1) + 100 }, { 10 * PAGE }, 1, 10 * PAGE },
		{ { AT (1) }, { 10 * PAGE }, 1, 3 * PAGE + 1 },
		{ { AT (1) }, { 10 * PAGE }, 1, 3 * PAGE },
		{ { AT (1) }, { 10 * PAGE }, 1, 0 },
		{ { AT (40), AT (7) + 5, AT (200) }, { 512, 512, 1 }, 3, 1025 },
		{ { AT (40), AT (7) + 5, AT (200) }, { 512, 512, 1 }, 3, 1024 },
		{ { AT (40), AT (7) + 5, AT (200) }, { 512, 512, 1 }, 3, 512 },
		{ { AT (40) }, { 1 }, 0, 0 },
	};

	for (unsigned i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
		begin (0);
		offer (0, cases[i].addrs, cases[i].sizes, cases[i].parts);
		CU_ASSERT_EQUAL_FATAL (vh_ring_take (guest->ring, reqs, SIZE), 1);
		new_round ();
		serve (reqs[0], cases[i].written);
		CU_ASSERT_EQUAL (count_bits (), 0);
		vh_ring_flush (guest->ring);
		CU_ASSERT (bits_are_right ());
		end ();
	}
}

static bool expected[PAGES];

/* The first `written` bytes of these parts. */
static void
expect_parts (const uint64_t *addrs, const uint32_t *sizes, unsigned parts, size_t written)
{
	for (unsigned i = 0; i < parts && written > 0; i++) {
		size_t n = sizes[i] < written ? sizes[i] : written;

		for (uint64_t at = addrs[i] - GUEST_BASE; at < addrs[i] - GUEST_BASE + n; at++)
			expected[at / PAGE] = true;
		written -= n;
	}
}

/* Several requests, published one after the other and together. */
static void
many_requests (void)
{
	begin (VH_BIT (VH_F_EVENT_IDX));
	srandom (4096);
	for (unsigned round = 0; round < 300; round++) {
		unsigned n = 1 + (unsigned) random () % 4;
		uint64_t addrs[4][3];
		uint32_t sizes[3] = { 5000, 3000, 1 };

		for (unsigned k = 0; k < n; k++) {
			for (unsigned i = 0; i < 3; i++)
				addrs[k][i] = AT (1) + (uint64_t) random () % (GUEST_SIZE - (AT (1) - GUEST_BASE) - 5000);
			offer (k, addrs[k], sizes, 3);
		}
		ring_new_turn (guest->ring, SIZE);
		CU_ASSERT_EQUAL_FATAL (vh_ring_take (guest->ring, reqs, SIZE), (int) n);
		new_round ();
		memset (expected, 0, sizeof (expected));
		expected[(GUEST_USED - GUEST_BASE) / PAGE] = true;
		for (unsigned k = 0; k < n; k++) {
			size_t written = (size_t) random () % (reqs[k]->in_bytes + 1);

			expect_parts (addrs[k], sizes, 3, written);
			serve (reqs[k], written);
			if (random () % 2)
				vh_ring_flush (guest->ring);
		}
		vh_ring_flush (guest->ring);
		for (unsigned page = 0; page < PAGES; page++)
			CU_ASSERT_EQUAL (is_set (page), expected[page]);
	}
	end ();
}

/* What the ring writes itself: elements around the end of a used area that has several pages, flags, and the event index. */
static void
the_used_area (void)
{
	guest_open (guest, 1024, VH_BIT (VH_F_EVENT_IDX));
	open_log ();
	guest->setup.base = 1020;
	guest_set_used_idx (guest, 1020);
	CU_ASSERT_EQUAL_FATAL (guest_start (guest), 0);
	for (unsigned i = 0; i < 8; i++) {
		guest_chain (guest, GUEST_DESC, i, 1, 16);
		guest_offer (guest, i);
	}
	new_round ();
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (guest->ring, reqs, SIZE), 8);
	for (unsigned i = 0; i < 8; i++)
		vh_ring_give (guest->ring, reqs[i], 0);
	vh_ring_flush (guest->ring);
	/* The last element has its length behind the edge of a page. */
	CU_ASSERT (is_set (160) && is_set (161) && is_set (162) && count_bits () == 3);
	new_round ();
	CU_ASSERT_FALSE (ring_kicks_on (guest->ring));
	CU_ASSERT (bits_are_right ());
	CU_ASSERT_EQUAL (count_bits (), 1);
	end ();
	/* Flags, without event indexes. */
	begin (0);
	ring_kicks_off (guest->ring);
	CU_ASSERT (bits_are_right () && count_bits () == 1);
	new_round ();
	ring_kicks_on (guest->ring);
	CU_ASSERT (bits_are_right () && count_bits () == 1);
	end ();
}

/* Where the front-end says that the used area is counts, not where it is; and without the flag nothing does. */
static void
the_used_area_has_an_address_of_its_own (void)
{
	for (unsigned own = 0; own < 2; own++) {
		guest_open (guest, SIZE, 0);
		open_log ();
		guest->setup.log.own = own;
		guest->setup.log.used = AT (77) + 4090;
		CU_ASSERT_EQUAL_FATAL (guest_start (guest), 0);
		guest_chain (guest, GUEST_DESC, 0, 1, 16);
		guest_offer (guest, 0);
		new_round ();
		CU_ASSERT_EQUAL_FATAL (vh_ring_take (guest->ring, reqs, SIZE), 1);
		guest_give (guest, reqs[0], 0);
		/* idx at 2, the element at 4: over the edge of a page. */
		CU_ASSERT_EQUAL (count_bits (), own ? 2 : 0);
		CU_ASSERT_EQUAL (is_set (256 + 77) && is_set (256 + 78), own);
		end ();
	}
}

/* Used descriptors of a packed ring are in the descriptors' area, around its end too. */
static void
packed_rings (void)
{
	packed_open (&packed, 300, 0);	/* more than a page */
	open_log ();
	CU_ASSERT_EQUAL_FATAL (packed_start (&packed, 0x812a812a), 0);	/* the last but one */
	packed_add (&packed, AT (3), 16, 0, NEXT);
	packed_add (&packed, AT (4), PAGE, 1, WRITE);
	packed_add (&packed, AT (5), 16, 2, WRITE);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (guest->ring, reqs, SIZE), 2);
	new_round ();
	serve (reqs[1], 16);
	serve (reqs[0], PAGE);
	vh_ring_flush (guest->ring);
	CU_ASSERT (is_set (256 + 4) && is_set (256 + 5));
	CU_ASSERT (is_set (1) && is_set (0));	/* the descriptors at 298 and at 0 or 299 */
	CU_ASSERT_EQUAL (count_bits (), 4);
	new_round ();
	ring_kicks_off (guest->ring);
	CU_ASSERT (bits_are_right () && count_bits () == 1);
	end ();
}

/* Regions that are not in the order of their addresses here, and a part over the edge of two. */
static void
several_regions (void)
{
	static const struct guest_region regions[] = {
		{ 0, 0, 0x100000 }, { 0x100000, 0x300000, 0x100000 }, { 0x200000, 0x200000, 0x100000 }, { 0x300000, 0x100000, 0x100000 },
	};
	uint64_t addrs[] = { GUEST_BASE + 0x1ffff0, GUEST_BASE + 0x300010 };
	uint32_t sizes[] = { 0x20, PAGE };

	guest_open (guest, SIZE, 0);
	guest_set_regions (guest, regions, 4);
	open_log ();
	CU_ASSERT_EQUAL_FATAL (guest_start (guest), 0);
	offer (0, addrs, sizes, 2);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (guest->ring, reqs, SIZE), 1);
	new_round ();
	serve (reqs[0], 0x20 + PAGE);
	vh_ring_flush (guest->ring);
	CU_ASSERT (is_set (0x1ff) && is_set (0x200) && is_set (0x300) && is_set (0x301));
	CU_ASSERT_EQUAL (count_bits (), 5);
	end ();
}

/* More parts than a request has room for by itself. */
static void
long_chains (void)
{
	guest_open (guest, 64, 0);
	open_log ();
	CU_ASSERT_EQUAL_FATAL (guest_start (guest), 0);
	for (unsigned i = 0; i < 40; i++)
		guest_desc (guest, GUEST_DESC, i, AT (2 * i), 100, WRITE | (i < 39 ? NEXT : 0), i + 1);
	guest_offer (guest, 0);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (guest->ring, reqs, SIZE), 1);
	new_round ();
	serve (reqs[0], 3901);
	vh_ring_flush (guest->ring);
	CU_ASSERT (bits_are_right () && count_bits () == 41);
	end ();
}

/* A request of which some part is outside: its status byte is all there is. */
static void
a_status_byte_alone (void)
{
	uint64_t addrs[] = { 0x1000, AT (9) };
	uint32_t sizes[] = { 512, 1 };

	begin (0);
	offer (0, addrs, sizes, 2);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (guest->ring, reqs, SIZE), 1);
	CU_ASSERT_EQUAL (reqs[0]->error, -EFAULT);
	new_round ();
	serve (reqs[0], 1);
	vh_ring_flush (guest->ring);
	CU_ASSERT (bits_are_right () && is_set (256 + 9));
	end ();
}

/* --- changes of the log --- */

static void
another_log_in_the_middle (void)
{
	uint64_t addr = AT (5);
	uint32_t size = PAGE;
	struct log_setup other, none = { .fd = -1 };
	uint8_t *second;

	begin (0);
	second = bits + LOG_SIZE;
	other = guest->setup.log;
	other.region = new_log (LOG_SIZE, LOG_SIZE);
	offer (0, &addr, &size, 1);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (guest->ring, reqs, SIZE), 1);
	ring_set_log (guest->ring, &other);
	region_unref (other.region);
	serve (reqs[0], PAGE);
	vh_ring_flush (guest->ring);
	CU_ASSERT_EQUAL (count_bits (), 0);
	CU_ASSERT (second[(256 + 5) / 8] >> (256 + 5) % 8 & 1);
	memset (second, 0, PAGES / 8);
	offer (1, &addr, &size, 1);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (guest->ring, reqs, SIZE), 1);
	ring_set_log (guest->ring, &none);
	serve (reqs[0], PAGE);
	vh_ring_flush (guest->ring);
	CU_ASSERT (count_bits () == 0 && second[(256 + 5) / 8] == 0);
	ring_set_log (guest->ring, &guest->setup.log);
	offer (2, &addr, &size, 1);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (guest->ring, reqs, SIZE), 1);
	new_round ();
	serve (reqs[0], 1);
	vh_ring_flush (guest->ring);
	CU_ASSERT (is_set (256 + 5) && count_bits () == 2);
	end ();
}

static void
the_eventfd_is_signalled_for_new_bits (void)
{
	uint64_t addr = AT (5);
	uint32_t size = 1;
	eventfd_t n;
	int fd = eventfd (0, EFD_NONBLOCK);

	guest_open (guest, SIZE, 0);
	open_log ();
	guest->setup.log.fd = fd;
	CU_ASSERT_EQUAL_FATAL (guest_start (guest), 0);
	for (unsigned i = 0; i < 3; i++) {
		if (i == 2)
			memset (bits, 0, PAGES / 8);
		offer (i, &addr, &size, 1);
		CU_ASSERT_EQUAL_FATAL (vh_ring_take (guest->ring, reqs, SIZE), 1);
		serve (reqs[0], 1);
		vh_ring_flush (guest->ring);
		CU_ASSERT_EQUAL (eventfd_read (fd, &n), i == 1 ? -1 : 0);
	}
	end ();
	close (fd);
}

static void
what_a_device_writes_by_itself (void)
{
	begin (0);
	CU_ASSERT_EQUAL (vh_memory_write (vh_ring_memory (guest->ring), AT (3) + 4000, "0123456789", 10), 0);
	vh_ring_mark_dirty (guest->ring, AT (3) + 4000, 10);
	vh_ring_mark_dirty (guest->ring, AT (8), 0);
	CU_ASSERT (bits_are_right () && count_bits () == 1);
	end ();
}

/* --- logs that cannot be --- */

/* A log that ends before a page: the bit is not set elsewhere, and the ring stops, since nobody would copy that page. */
static void
pages_without_a_bit (void)
{
	uint64_t addr = AT (100);
	uint32_t size = 1;

	guest_open (guest, SIZE, 0);
	open_log ();
	region_unref (guest->setup.log.region);
	guest->setup.log.region = new_log ((FIRST_PAGE + 256 + 96) / 8, 0);
	CU_ASSERT_EQUAL_FATAL (guest_start (guest), 0);
	offer (0, &addr, &size, 1);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (guest->ring, reqs, SIZE), 1);
	new_round ();
	serve (reqs[0], 1);
	vh_ring_flush (guest->ring);
	CU_ASSERT_EQUAL (count_bits (), 0);
	CU_ASSERT (guest->broken == 1 && guest->err == -EFAULT);
	end ();
	begin (0);
	vh_ring_mark_dirty (guest->ring, UINT64_MAX - 10, 100);
	CU_ASSERT_EQUAL (guest->broken, 1);
	end ();
}

static void
a_log_that_shrinks (void)
{
	uint64_t addr = AT (5);
	uint32_t size = 1;

	CU_ASSERT_EQUAL (vh_memory_guard (), 0);
	begin (0);
	offer (0, &addr, &size, 1);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (guest->ring, reqs, SIZE), 1);
	CU_ASSERT_EQUAL (ftruncate (log_fd, 0), 0);
	serve (reqs[0], 1);
	vh_ring_flush (guest->ring);
	CU_ASSERT (guest->broken == 1 && guest->err == -EFAULT);
	end ();
}

static void
what_a_log_covers (void)
{
	CU_ASSERT (dirty_log_covers (1, 0, 8 * PAGE) && !dirty_log_covers (1, 0, 8 * PAGE + 1));
	CU_ASSERT (dirty_log_covers (2, 8 * PAGE, 1) && !dirty_log_covers (1, 8 * PAGE, 1));
	CU_ASSERT (!dirty_log_covers (UINT64_MAX, UINT64_MAX, 2) && !dirty_log_covers (1, UINT64_MAX, 1));
	CU_ASSERT (dirty_log_covers (UINT64_MAX, UINT64_MAX, 1));
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "what requests write", what_requests_write },
		{ "many requests", many_requests },
		{ "the used area", the_used_area },
		{ "the used area has an address of its own", the_used_area_has_an_address_of_its_own },
		{ "packed rings", packed_rings },
		{ "several regions", several_regions },
		{ "long chains", long_chains },
		{ "a status byte alone", a_status_byte_alone },
		{ "another log in the middle", another_log_in_the_middle },
		{ "the eventfd is signalled for new bits", the_eventfd_is_signalled_for_new_bits },
		{ "what a device writes by itself", what_a_device_writes_by_itself },
		{ "pages without a bit", pages_without_a_bit },
		{ "a log that shrinks", a_log_that_shrinks },
		{ "what a log covers", what_a_log_covers },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("dirty log", tests);
}
