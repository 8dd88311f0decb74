/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rings behind an IOMMU whose areas are in pieces: a ring of 1024 descriptors takes seven pages, and the guest has them in the reverse order.
 *
 *	I/O addresses   | 0 | 1 | 2 | 3 | ... |     the driver sees these one behind the other
 *	guest, file     | ... | 3 | 2 | 1 | 0 |     the front-end says page by page where they are
 */
#include "backend-iommu.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LOG_SHMFD (1u << 1)

#define SIZE 1024u
#define PIECES (GUEST_BUFFERS / PAGE)	/* pages that are in the other order */
#define RING_PAGES 7
#define SPARE (GUEST_SIZE / PAGE - 1)	/* a page of the guest that nobody uses */

/* Where the guest has a page of the driver's. */
static unsigned
page_of (unsigned i)
{
	return i < PIECES ? PIECES - 1 - i : i;
}

static enum outcome
iotlb (unsigned type, unsigned i, unsigned page, unsigned perm)
{
	return iommu_tell (type, GUEST_ADDR + (uint64_t) i * PAGE, PAGE, GUEST_USER + (uint64_t) page * PAGE, perm);
}

/* The driver has a page of the guest's at page i from now on. */
static void
driver_sees (unsigned i, unsigned page)
{
	uint8_t *at = rig.guest.bytes + (size_t) i * PAGE;

	CU_ASSERT_PTR_EQUAL_FATAL (mmap (at, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, rig.guest.fd, (off_t) page * PAGE), at);
}

static void
map_pages (unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		CU_ASSERT_EQUAL (iotlb (UPDATE, i, page_of (i), RW), ACK);
}

static void
begin_pieces (void)
{
	struct piece piece = { PHYSICAL, GUEST_SIZE, GUEST_USER, 0 };

	device.device.max_ring_size = SIZE;
	for (unsigned i = 0; i < PIECES; i++)
		driver_sees (i, page_of (i));
	CU_ASSERT_TRUE_FATAL (rig_negotiate (&rig));
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES), ACK);
	CU_ASSERT_EQUAL (rig_tell_table (&rig, &piece, 1, &rig.guest.fd, 1), ACK);
}

static enum outcome
tell_areas (unsigned flags)
{
	const struct driver *d = &rig.drivers[0];

	return rig_tell_addr (&rig, 0, flags, GUEST_ADDR + driver_desc_at (d), GUEST_ADDR + driver_avail_at (d), GUEST_ADDR + driver_used_at (d));
}

static void
place_ring (void)
{
	driver_open (&rig.drivers[0], &rig.guest, 0, SIZE);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, SIZE), ACK);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_BASE, 0, 0), ACK);
	CU_ASSERT_EQUAL (tell_areas (0), ACK);
	CU_ASSERT_TRUE (rig_start_ring (&rig, 0));
}

/* As many requests as there are descriptors: every page of the areas is used. */
static void
serve_all (void)
{
	unsigned good = 0;

	for (unsigned n = 0; n < SIZE; n++)
		good += rig_serve (&rig, 0, n % (SIZE / 2));
	CU_ASSERT_EQUAL (good, SIZE);
}

static void
a_ring_in_pieces (void)
{
	unsigned before;
	uint32_t base;

	begin_pieces ();
	map_pages (0, GUEST_SIZE / PAGE);
	before = guest_mappings ();
	place_ring ();
	CU_ASSERT_EQUAL (device.starts, 1);
	/* Descriptors four, and used elements three; avail is inside one page. */
	CU_ASSERT_EQUAL (guest_mappings (), before + 7);
	serve_all ();
	/* Other translations come and go, and the areas stay where they are. */
	CU_ASSERT_EQUAL (iotlb (INVALIDATE, SPARE, 0, 0), ACK);
	CU_ASSERT_EQUAL (guest_mappings (), before + 7);
	serve_all ();
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base) && base == 2 * SIZE);
	CU_ASSERT_EQUAL (guest_mappings (), before);
}

/* It starts when the last of its pages is known. */
static void
the_pieces_come_one_by_one (void)
{
	begin_pieces ();
	place_ring ();
	map_pages (PIECES, GUEST_SIZE / PAGE);
	for (unsigned i = 0; i < RING_PAGES; i++) {
		CU_ASSERT_EQUAL (device.starts, 0);
		map_pages (i, i + 1);
	}
	CU_ASSERT_EQUAL (device.starts, 1);
	serve_all ();
}

/* The guest moves a page of the descriptors and one of the used elements while the ring runs. */
static void
pieces_move (void)
{
	static const unsigned moved[] = { 2, 5 };

	begin_pieces ();
	map_pages (0, GUEST_SIZE / PAGE);
	place_ring ();
	serve_all ();
	for (unsigned i = 0; i < 2; i++) {
		uint8_t bytes[PAGE];

		CU_ASSERT_EQUAL (iotlb (INVALIDATE, moved[i], 0, 0), ACK);
		memcpy (bytes, rig.guest.bytes + (size_t) moved[i] * PAGE, PAGE);
		memset (rig.guest.bytes + (size_t) moved[i] * PAGE, 0xff, PAGE);	/* whoever looks there yet is mistaken */
		driver_sees (moved[i], SPARE - i);
		memcpy (rig.guest.bytes + (size_t) moved[i] * PAGE, bytes, PAGE);
		CU_ASSERT_EQUAL (iotlb (UPDATE, moved[i], SPARE - i, RW), ACK);
		serve_all ();
	}
}

/* A page that may only be read is good for descriptors, and not for used elements. */
static void
a_piece_may_only_be_read (void)
{
	begin_pieces ();
	map_pages (0, GUEST_SIZE / PAGE);
	CU_ASSERT_EQUAL (iotlb (UPDATE, 2, page_of (2), RO), ACK);
	place_ring ();
	CU_ASSERT_EQUAL (device.starts, 1);
	serve_all ();
	CU_ASSERT_EQUAL (driver_signals (rig.drivers[0].err), 0);
	CU_ASSERT_EQUAL (iotlb (UPDATE, 5, page_of (5), RO), ACK);
	CU_ASSERT (driver_signals (rig.drivers[0].err) > 0);
	CU_ASSERT_FALSE (rig_serve (&rig, 0, 0));
	CU_ASSERT_TRUE (rig_alive (&rig));
}

/* What the ring writes itself is entered where its pages are in the guest. */
static void
the_log_of_pieces (void)
{
	uint64_t size = (PHYSICAL + GUEST_SIZE) / PAGE / 8;
	int fd = memfd_create ("log", MFD_CLOEXEC);
	struct bytes b = { .n = 0 };
	uint8_t *bits;

	CU_ASSERT_EQUAL_FATAL (ftruncate (fd, (off_t) size), 0);
	bits = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	begin_pieces ();
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL | LOG_SHMFD), ACK);
	map_pages (0, GUEST_SIZE / PAGE);
	place_ring ();
	bytes_u64 (&b, size);
	bytes_u64 (&b, 0);
	rig_send (&rig, FE_SET_LOG_BASE, FLAG_VERSION, b.data, (uint32_t) b.n, &fd, 1);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_SET_LOG_BASE, NULL), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES | LOG_ALL), ACK);
	CU_ASSERT_EQUAL (tell_areas (1), ACK);
	serve_all ();
	for (unsigned i = 0; i < PIECES; i++) {
		uint64_t page = PHYSICAL / PAGE + page_of (i);
		bool used = i >= driver_used_at (&rig.drivers[0]) / PAGE && i < RING_PAGES;

		CU_ASSERT_EQUAL (bits[page / 8] >> page % 8 & 1, used);
	}
	munmap (bits, size);
	close (fd);
}

/* Ends inside of pages are no way to go on. */
static void
pieces_that_do_not_meet (void)
{
	begin_pieces ();
	map_pages (0, 1);
	map_pages (2, GUEST_SIZE / PAGE);
	CU_ASSERT_EQUAL (iommu_tell (UPDATE, GUEST_ADDR + PAGE, PAGE, GUEST_USER + PAGE * page_of (1) + 64, RW), ACK);
	place_ring ();
	CU_ASSERT_EQUAL (device.starts, 0);
	CU_ASSERT (driver_signals (rig.drivers[0].err) > 0);
	CU_ASSERT_TRUE (rig_alive (&rig));
}

struct CU_TestInfo piece_cases[] = {
	CASE (a_ring_in_pieces),
	CASE (the_pieces_come_one_by_one),
	CASE (pieces_move),
	CASE (a_piece_may_only_be_read),
	CASE (the_log_of_pieces),
	CASE (pieces_that_do_not_meet),
	CU_TEST_INFO_NULL,
};
