/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices behind an IOMMU on the wire: translations that are asked for, given, taken back, and such that are none.
 *
 * I/O addresses are those that the tests' driver writes, GUEST_ADDR and behind; the guest's physical ones are elsewhere.
 */
#include "backend-hostile.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ACCESS_PLATFORM (UINT64_C (1) << 33)
#define LOG_ALL (UINT64_C (1) << 26)
#define FEATURES (BIT_VERSION_1 | BIT30 | ACCESS_PLATFORM)
#define PAGE 4096u
#define PHYSICAL UINT64_C (0x180000000)

enum { MISS = 1, UPDATE = 2, INVALIDATE = 3, ACCESS_FAIL = 4 };
enum { RO = 1, WO = 2, RW = 3 };

static int channel = -1;	/* the front-end's end */

static enum outcome
iotlb (unsigned type, uint64_t iova, uint64_t size, uint64_t user, unsigned perm)
{
	struct bytes b = { .n = 0 };
	uint8_t tail[8] = { (uint8_t) perm, (uint8_t) type };

	bytes_u64 (&b, iova);
	bytes_u64 (&b, size);
	bytes_u64 (&b, user);
	bytes_append (&b, tail, sizeof (tail));
	return rig_tell (&rig, FE_IOTLB_MSG, b.data, (uint32_t) b.n, NULL, 0);
}

/* Maps pages of the guest where the driver thinks that they are. */
static enum outcome
map (uint64_t offset, uint64_t size, unsigned perm)
{
	return iotlb (UPDATE, GUEST_ADDR + offset, size, GUEST_USER + offset, perm);
}

/* The next miss on the channel; false: there is none. */
static bool
next_miss (uint64_t *iova, unsigned *perm)
{
	uint8_t m[44];
	uint32_t header[3];

	rig_pump (&rig);
	if (bytes_receive (channel, m, sizeof (m), NULL, NULL) != (ssize_t) sizeof (m))
		return false;
	memcpy (header, m, sizeof (header));
	memcpy (iova, m + 12, sizeof (*iova));
	*perm = m[36];
	CU_ASSERT (header[0] == 1 && header[1] == (FLAG_VERSION | FLAG_NEED_REPLY) && header[2] == 32 && m[37] == MISS);
	return true;
}

static void
answer_miss (uint64_t result)
{
	struct bytes b = { .n = 0 };

	bytes_header (&b, 1, FLAG_VERSION | FLAG_REPLY, 8);
	bytes_u64 (&b, result);
	CU_ASSERT_EQUAL (bytes_send (channel, b.data, b.n, NULL, 0), (ssize_t) b.n);
	rig_pump (&rig);
}

/* Answers misses by pages until there are none; returns how many there were. */
static unsigned
serve_misses (void)
{
	uint64_t iova;
	unsigned perm, n = 0;

	while (n < 1000 && next_miss (&iova, &perm)) {
		/* As QEMU does: the translation comes first, while the answer is outstanding. */
		CU_ASSERT_EQUAL (map ((iova - GUEST_ADDR) & ~(uint64_t) (PAGE - 1), PAGE, RW), ACK);
		answer_miss (0);
		n++;
	}
	return n;
}

static void
place_ring (unsigned index)
{
	struct driver *d = &rig.drivers[index];

	driver_open (d, &rig.guest, index, 64);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, index, 64), ACK);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_BASE, index, 0), ACK);
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, index, 0, GUEST_ADDR + driver_desc_at (d), GUEST_ADDR + driver_avail_at (d), GUEST_ADDR + driver_used_at (d)),
			 ACK);
	CU_ASSERT_TRUE (rig_start_ring (&rig, index));
}

static void
begin_iommu (void)
{
	struct piece piece = { PHYSICAL, GUEST_SIZE, GUEST_USER, 0 };

	CU_ASSERT_TRUE_FATAL (rig_negotiate (&rig));
	CU_ASSERT_TRUE_FATAL (rig_give_channel (&rig, &channel));
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES), ACK);
	CU_ASSERT_EQUAL (rig_tell_table (&rig, &piece, 1, &rig.guest.fd, 1), ACK);
}

/* With ring 0, and so much of the guest known beforehand. */
static void
begin_placed (uint64_t known)
{
	begin_iommu ();
	CU_ASSERT_EQUAL (map (0, known, RW), ACK);
	place_ring (0);
}

/* ... where only its areas are known, and a request waits for its pages. */
static void
begin_waiting (void)
{
	begin_placed (GUEST_BUFFERS);
	driver_ask (&rig.drivers[0], 0);
}

/* One request was given back, and it failed. */
static void
expect_failed (void)
{
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 1);
	CU_ASSERT_EQUAL (test_device_count (&device.failed), 1);
}

/* ... after its deadline.  The misses are acknowledged, so the channel lives. */
static void
expect_deadline (void)
{
	uint64_t iova;
	unsigned perm;

	for (unsigned i = 0; i < 1000 && driver_pending (&rig.drivers[0]) == 0; i++) {
		if (next_miss (&iova, &perm))
			answer_miss (0);
		usleep (10000);
	}
	expect_failed ();
}

static void
end_iommu (void)
{
	close (channel);
}

/* Everything is known beforehand: front-ends of guests without an IOMMU of their own do that. */
static void
a_ring_of_io_addresses (void)
{
	uint64_t iova;
	unsigned perm;

	begin_placed (GUEST_SIZE);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0) && rig_serve (&rig, 0, 1));
	CU_ASSERT_FALSE (next_miss (&iova, &perm));
	end_iommu ();
}

/* Nothing is: the ring starts when its areas are known, and each request when its pages are. */
static void
all_of_it_is_asked_for (void)
{
	begin_iommu ();
	place_ring (0);
	CU_ASSERT_EQUAL (device.starts, 0);
	CU_ASSERT (serve_misses () >= 2);
	CU_ASSERT_EQUAL (device.starts, 1);
	for (unsigned n = 0; n < 8; n++) {
		driver_ask (&rig.drivers[0], n);
		serve_misses ();
		CU_ASSERT_TRUE (driver_served (&rig.drivers[0], n));
	}
	/* And not again. */
	driver_ask (&rig.drivers[0], 0);
	CU_ASSERT_EQUAL (serve_misses (), 0);
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 0));
	end_iommu ();
}

/* A ring that waits for a translation does not hold up another one, nor messages. */
static void
others_go_on (void)
{
	uint64_t iova;
	unsigned perm;

	begin_placed (GUEST_BUFFERS);
	place_ring (1);
	driver_ask (&rig.drivers[0], 0);
	CU_ASSERT_TRUE_FATAL (next_miss (&iova, &perm));
	CU_ASSERT (iova >= GUEST_ADDR + GUEST_BUFFERS && perm == RO);
	CU_ASSERT_TRUE (rig_alive (&rig));
	CU_ASSERT_EQUAL (map (GUEST_BUFFERS + 0x40000, 0x40000, RW), ACK);
	/* Of ring 1, by hand: something to read and to write elsewhere. */
	driver_desc (&rig.drivers[1], 0, GUEST_ADDR + GUEST_BUFFERS + 0x40000, 16, DESC_NEXT, 1);
	driver_desc (&rig.drivers[1], 1, GUEST_ADDR + GUEST_BUFFERS + 0x41000, 17, DESC_WRITE, 0);
	driver_offer (&rig.drivers[1], 0);
	driver_kick (&rig.drivers[1]);
	rig_pump (&rig);
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[1]), 1);
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 0);
	CU_ASSERT_EQUAL (map (GUEST_BUFFERS, 0x40000, RW), ACK);
	answer_miss (0);
	serve_misses ();
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 0));
	end_iommu ();
}

/* The front-end has no translation, and says so: the request fails, and the ring goes on. */
static void
there_is_no_translation (void)
{
	uint64_t iova;
	unsigned perm, denied = 0;

	begin_waiting ();
	while (denied < 10 && next_miss (&iova, &perm)) {
		answer_miss (1);
		denied++;
	}
	CU_ASSERT (denied >= 1 && denied < 10);
	expect_failed ();
	CU_ASSERT_EQUAL (map (GUEST_BUFFERS, GUEST_SIZE - GUEST_BUFFERS, RW), ACK);
	rig.drivers[0].next_used++;
	driver_ask (&rig.drivers[0], 1);
	serve_misses ();
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 1));
	end_iommu ();
}

/* A chain whose descriptors are all in other pages, of which there is none: it fails when the first one and the last one are refused. */
static void
there_are_several_without (void)
{
	uint64_t iova;
	unsigned perm, denied = 0;

	begin_placed (GUEST_BUFFERS);
	for (uint16_t i = 0; i < 6; i++)
		driver_desc (&rig.drivers[0], i, GUEST_ADDR + GUEST_BUFFERS + 0x40000 + PAGE * i, 16, DESC_NEXT | DESC_WRITE * (i > 3), i + 1);
	driver_desc (&rig.drivers[0], 6, GUEST_ADDR + GUEST_BUFFERS + 0x40000 + PAGE * 6, 17, DESC_WRITE, 0);
	driver_offer (&rig.drivers[0], 0);
	driver_kick (&rig.drivers[0]);
	for (; denied < 20 && next_miss (&iova, &perm); denied++)
		answer_miss (1);
	CU_ASSERT_EQUAL (denied, 2);
	expect_failed ();
	/* What was refused is asked for again when a request has it again; the guest may have mapped it meanwhile. */
	driver_offer (&rig.drivers[0], 0);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (next_miss (&iova, &perm));
	CU_ASSERT_EQUAL (iova, GUEST_ADDR + GUEST_BUFFERS + 0x40000);
	end_iommu ();
}

/* The table of another ring's translation makes a parked ring look again, but the front-end has been asked already. */
static void
each_is_asked_for_once (void)
{
	uint64_t iova;
	unsigned perm;

	begin_waiting ();
	CU_ASSERT_TRUE_FATAL (next_miss (&iova, &perm));
	for (unsigned i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL (iotlb (UPDATE, 0x10000000 + 2 * i * PAGE, PAGE, GUEST_USER, RO), ACK);
		CU_ASSERT_EQUAL (iotlb (INVALIDATE, 0x10000000 + 2 * i * PAGE, PAGE, 0, 0), ACK);
	}
	/* The answer may come before the translation, too. */
	answer_miss (0);
	CU_ASSERT_EQUAL (iotlb (UPDATE, 0x20000000, PAGE, GUEST_USER, RO), ACK);
	CU_ASSERT_FALSE (next_miss (&iova, &perm));
	CU_ASSERT_EQUAL (map (GUEST_BUFFERS, GUEST_SIZE - GUEST_BUFFERS, RW), ACK);
	CU_ASSERT_FALSE (next_miss (&iova, &perm));
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 0));
	end_iommu ();
}

/* A translation comes without the answer, and the ring needs another one when the first is refused, since the guest has taken it back. */
static void
a_refusal_of_what_was_needed_before (void)
{
	uint64_t first = GUEST_ADDR + GUEST_BUFFERS + 0x40000, iova;
	unsigned perm;

	begin_iommu ();
	CU_ASSERT_EQUAL (map (0, GUEST_BUFFERS, RW), ACK);
	CU_ASSERT_EQUAL (iotlb (UPDATE, first + PAGE, PAGE, GUEST_USER + GUEST_BUFFERS, RW), ACK);
	place_ring (0);
	driver_desc (&rig.drivers[0], 10, first, 16, DESC_NEXT, 11);
	driver_desc (&rig.drivers[0], 11, first + PAGE, 17, DESC_WRITE, 0);
	driver_desc (&rig.drivers[0], 12, first + 2 * PAGE, 16, DESC_NEXT, 11);
	driver_offer (&rig.drivers[0], 10);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE_FATAL (next_miss (&iova, &perm));
	CU_ASSERT_EQUAL (iova, first);
	CU_ASSERT_EQUAL (iotlb (UPDATE, first, PAGE, GUEST_USER + GUEST_BUFFERS, RO), ACK);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 1);
	CU_ASSERT_EQUAL (iotlb (INVALIDATE, first, PAGE, 0, 0), ACK);
	driver_offer (&rig.drivers[0], 12);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_FALSE (next_miss (&iova, &perm));	/* one thing at a time */
	answer_miss (1);
	CU_ASSERT_TRUE (next_miss (&iova, &perm));
	CU_ASSERT_EQUAL (iova, first + 2 * PAGE);
	CU_ASSERT_EQUAL (iotlb (UPDATE, iova, PAGE, GUEST_USER + GUEST_BUFFERS, RO), ACK);
	answer_miss (0);
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 2);
	CU_ASSERT_EQUAL (test_device_count (&device.failed), 0);
	/* Nor is what is not needed any more remembered as refused. */
	driver_offer (&rig.drivers[0], 10);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (next_miss (&iova, &perm));
	CU_ASSERT_EQUAL (iova, first);
	CU_ASSERT_EQUAL (iotlb (UPDATE, first, PAGE, GUEST_USER + GUEST_BUFFERS, RO), ACK);
	CU_ASSERT_EQUAL (iotlb (INVALIDATE, first, PAGE, 0, 0), ACK);
	answer_miss (1);
	driver_offer (&rig.drivers[0], 10);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (next_miss (&iova, &perm));
	CU_ASSERT_EQUAL (iova, first);
	CU_ASSERT_EQUAL (test_device_count (&device.failed), 0);
	end_iommu ();
}

/* It says nothing at all: there is a deadline. */
static void
no_translation_comes (void)
{
	rig_close (&rig);
	rig_open (&rig, &device, 200);
	begin_waiting ();
	expect_deadline ();
	CU_ASSERT_TRUE (rig_alive (&rig));
	end_iommu ();
}

/* A driver stops while it waits, and the next one has no IOMMU; the one behind that has its own deadline. */
static void
no_translation_comes_for_the_next_driver (void)
{
	uint64_t iova;
	unsigned perm;
	uint32_t base;

	rig_close (&rig);
	rig_open (&rig, &device, 200);
	begin_waiting ();
	CU_ASSERT_TRUE (next_miss (&iova, &perm));
	answer_miss (0);
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base));
	driver_close (&rig.drivers[0]);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES & ~ACCESS_PLATFORM), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES), ACK);
	CU_ASSERT_EQUAL (map (0, GUEST_BUFFERS, RW), ACK);
	place_ring (0);
	driver_ask (&rig.drivers[0], 0);
	expect_deadline ();
	end_iommu ();
}

/* An invalidation is acknowledged when no request is left that may use what is taken back. */
static void
an_invalidation_waits_for_requests_in_flight (void)
{
	begin_placed (GUEST_SIZE);
	device.hold = true;
	driver_ask (&rig.drivers[0], 0);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL_FATAL (device.n_held, 1);
	/* More translations wait for nobody. */
	CU_ASSERT_EQUAL (iotlb (UPDATE, 0x10000000, PAGE, GUEST_USER, RO), ACK);
	CU_ASSERT_EQUAL (iotlb (INVALIDATE, 0x10000000, PAGE, 0, 0), SILENCE);
	device.hold = false;
	test_device_release (&device, 1);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_IOTLB_MSG, NULL), ACK);
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 0));
	/* What nobody has is taken back at once. */
	device.hold = true;
	driver_ask (&rig.drivers[0], 1);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (iotlb (INVALIDATE, 0x10000000, PAGE, 0, 0), ACK);
	device.hold = false;
	test_device_release (&device, 1);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 1));
	end_iommu ();
}

/* 75: a ring's own pages go while it runs: it stops, and starts again where they come back. */
static void
hostile_75_the_pages_of_a_ring (void)
{
	begin_placed (GUEST_SIZE);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (iotlb (INVALIDATE, GUEST_ADDR, UINT64_MAX, 0, 0), ACK);	/* the sum wraps: up to the last address */
	CU_ASSERT_EQUAL (device.stops, 1);
	driver_ask (&rig.drivers[0], 1);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 0);
	CU_ASSERT (serve_misses () > 0);
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 1));
	end_iommu ();
}

/* 75: translations that are none; nothing of what is known changes. */
static void
hostile_75_updates (void)
{
	static const struct {
		unsigned type;
		uint64_t iova, size, user;
		unsigned perm;
		enum outcome outcome;
	} cases[] = {
		{ UPDATE, 0x1000, 0, GUEST_USER, RW, REFUSAL }, { UPDATE, UINT64_MAX - 10, PAGE, GUEST_USER, RW, REFUSAL },
		{ UPDATE, 0x1000, UINT64_MAX, GUEST_USER, RW, REFUSAL }, { UPDATE, 0x1000, PAGE, GUEST_USER - 1, RW, REFUSAL },
		{ UPDATE, 0x1000, PAGE, GUEST_USER + GUEST_SIZE - PAGE + 1, RW, REFUSAL }, { UPDATE, 0x1000, PAGE, UINT64_MAX - 10, RW, REFUSAL },
		{ UPDATE, 0x1000, PAGE, GUEST_USER, 0, REFUSAL }, { UPDATE, 0x1000, PAGE, GUEST_USER, 4, REFUSAL },
		{ MISS, 0x1000, PAGE, GUEST_USER, RW, REFUSAL }, { ACCESS_FAIL, 0x1000, PAGE, GUEST_USER, RW, REFUSAL },
		{ 0, 0x1000, PAGE, GUEST_USER, RW, REFUSAL }, { 5, 0, 0, 0, 0, REFUSAL }, { 255, 0x1000, PAGE, GUEST_USER, RW, REFUSAL },
		{ INVALIDATE, 0x1000, PAGE, 0, 0, ACK },
	};

	begin_placed (GUEST_SIZE);
	for (unsigned i = 0; i < sizeof (cases) / sizeof (cases[0]); i++)
		CU_ASSERT_EQUAL (iotlb (cases[i].type, cases[i].iova, cases[i].size, cases[i].user, cases[i].perm), cases[i].outcome);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (device.starts, 1);
	/* No size is all of them. */
	CU_ASSERT_EQUAL (iotlb (INVALIDATE, 0x1000, 0, 0, 0), ACK);
	CU_ASSERT_EQUAL (device.stops, 1);
	CU_ASSERT (serve_misses () > 0);
	CU_ASSERT_EQUAL (device.starts, 2);
	end_iommu ();
}

/* More translations than there is room for: the ring asks again. */
static void
hostile_75_many_updates (void)
{
	begin_placed (GUEST_SIZE);
	for (uint64_t i = 0; i < 5000; i++)
		CU_ASSERT_EQUAL (iotlb (UPDATE, UINT64_C (0x200000000) + 2 * PAGE * i, PAGE, GUEST_USER, RO), ACK);
	driver_ask (&rig.drivers[0], 0);
	serve_misses ();
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 0));
	end_iommu ();
}

/* What may only be read is not written to, and the other way. */
static void
permissions (void)
{
	for (unsigned perm = RO; perm <= WO; perm++) {
		begin_iommu ();
		CU_ASSERT_EQUAL (map (0, GUEST_BUFFERS, RW), ACK);
		CU_ASSERT_EQUAL (map (GUEST_BUFFERS, GUEST_SIZE - GUEST_BUFFERS, perm), ACK);
		place_ring (0);
		driver_ask (&rig.drivers[0], 0);
		CU_ASSERT_TRUE (rig_pump (&rig));
		CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 1);
		CU_ASSERT_EQUAL (test_device_count (&device.failed), perm);
		end_iommu ();
		rig_reopen (&rig);
	}
	/* A buffer to read in a page to read, and one to write in a page to write. */
	begin_iommu ();
	CU_ASSERT_EQUAL (map (0, GUEST_BUFFERS, RW), ACK);
	CU_ASSERT_EQUAL (map (GUEST_BUFFERS + 0x40000, PAGE, RO), ACK);
	CU_ASSERT_EQUAL (map (GUEST_BUFFERS + 0x42000, PAGE, WO), ACK);
	place_ring (0);
	driver_desc (&rig.drivers[0], 0, GUEST_ADDR + GUEST_BUFFERS + 0x40000, 16, DESC_NEXT, 1);
	driver_desc (&rig.drivers[0], 1, GUEST_ADDR + GUEST_BUFFERS + 0x42000, 17, DESC_WRITE, 0);
	driver_offer (&rig.drivers[0], 0);
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 1);
	CU_ASSERT_EQUAL (test_device_count (&device.failed), 2);
	end_iommu ();
}

/* A driver may let the device do with each area of its ring what it has to do there, and no more. */
static void
permissions_of_a_ring (void)
{
	static const unsigned kept[] = { RO, RO, RW }, missing[] = { RO, WO, RW };

	for (unsigned i = 0; i < 2; i++) {
		const unsigned *perm = i == 0 ? kept : missing;
		struct driver *d = &rig.drivers[0];

		begin_iommu ();
		CU_ASSERT_EQUAL (map (GUEST_BUFFERS, GUEST_SIZE - GUEST_BUFFERS, RW), ACK);
		CU_ASSERT_EQUAL (map (0, driver_avail_at (d), perm[0]), ACK);
		CU_ASSERT_EQUAL (map (driver_avail_at (d), driver_used_at (d) - driver_avail_at (d), perm[1]), ACK);
		CU_ASSERT_EQUAL (map (driver_used_at (d), GUEST_BUFFERS - driver_used_at (d), perm[2]), ACK);
		place_ring (0);
		CU_ASSERT_EQUAL (rig_serve (&rig, 0, 0), i == 0);
		end_iommu ();
		rig_reopen (&rig);
	}
}

/* A region that goes takes its translations with it. */
static void
memory_that_goes (void)
{
	struct piece piece = { PHYSICAL, GUEST_SIZE, GUEST_USER, 0 }, small = { PHYSICAL, GUEST_BUFFERS, GUEST_USER, 0 };
	uint64_t iova;
	unsigned perm;

	begin_iommu ();
	CU_ASSERT_EQUAL (map (0, GUEST_BUFFERS, RW), ACK);
	CU_ASSERT_EQUAL (map (GUEST_BUFFERS, GUEST_SIZE - GUEST_BUFFERS, RW), ACK);
	place_ring (0);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	CU_ASSERT_EQUAL (rig_tell_table (&rig, &small, 1, &rig.guest.fd, 1), ACK);
	driver_ask (&rig.drivers[0], 1);
	CU_ASSERT_TRUE (next_miss (&iova, &perm));
	CU_ASSERT_EQUAL (rig_tell_table (&rig, &piece, 1, &rig.guest.fd, 1), ACK);
	answer_miss (0);
	serve_misses ();
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 1));
	end_iommu ();
}

/* Bits of the dirty log are the guest's physical pages, whatever addresses the ring has. */
static void
the_dirty_log_behind_an_iommu (void)
{
	uint64_t size = (PHYSICAL + GUEST_SIZE) / PAGE / 8;
	int fd = memfd_create ("log", MFD_CLOEXEC);
	struct bytes b = { .n = 0 };
	uint8_t *bits;
	unsigned n = 0;

	CU_ASSERT_EQUAL_FATAL (ftruncate (fd, (off_t) size), 0);
	bits = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	begin_iommu ();
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL | 1u << 1), ACK);
	CU_ASSERT_EQUAL (map (0, GUEST_SIZE, RW), ACK);
	place_ring (0);
	bytes_u64 (&b, size);
	bytes_u64 (&b, 0);
	rig_send (&rig, FE_SET_LOG_BASE, FLAG_VERSION, b.data, (uint32_t) b.n, &fd, 1);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_SET_LOG_BASE, NULL), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, FEATURES | LOG_ALL), ACK);
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 1, GUEST_ADDR + driver_desc_at (&rig.drivers[0]), GUEST_ADDR + driver_avail_at (&rig.drivers[0]),
					GUEST_ADDR + driver_used_at (&rig.drivers[0])), ACK);
	CU_ASSERT_TRUE (rig_serve (&rig, 0, 0));
	for (uint64_t i = 0; i < size; i++)
		n += (unsigned) __builtin_popcount (bits[i]) << 16 * (i < PHYSICAL / PAGE / 8);
	CU_ASSERT_EQUAL (n, 2);	/* the data and the used area, and nothing below */
	end_iommu ();
	munmap (bits, size);
	close (fd);
}

/* The connection ends while a ring is parked. */
static void
an_end_while_parked (void)
{
	begin_waiting ();
	CU_ASSERT_TRUE (rig_pump (&rig));
	rig_hang_up (&rig);
	CU_ASSERT_TRUE (rig_wait_end (&rig));
	end_iommu ();
}

static void
park_without_channel (void)
{
	begin_waiting ();
	CU_ASSERT_TRUE (rig_pump (&rig));
	end_iommu ();
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 0);
}

/* The channel ends: what was asked for is not coming. */
static void
the_channel_ends (void)
{
	rig_close (&rig);
	rig_open (&rig, &device, 200);
	park_without_channel ();
	for (unsigned i = 0; i < 1000 && driver_pending (&rig.drivers[0]) == 0; i++) {
		CU_ASSERT_TRUE (rig_pump (&rig));
		usleep (10000);
	}
	expect_failed ();
	CU_ASSERT_TRUE (rig_alive (&rig));
}

/* There is another one in time, and it is asked there. */
static void
another_channel_comes (void)
{
	park_without_channel ();
	CU_ASSERT_TRUE_FATAL (rig_give_channel (&rig, &channel));
	CU_ASSERT (serve_misses () >= 1);
	CU_ASSERT_TRUE (driver_served (&rig.drivers[0], 0));
	end_iommu ();
}

/* The front-end dies while a ring waits: the request stays in the ring, as the guest may live and have another front-end. */
static void
nothing_fails_when_the_front_end_leaves (void)
{
	park_without_channel ();
	rig_hang_up (&rig);
	CU_ASSERT_TRUE (rig_wait_end (&rig));
	CU_ASSERT_EQUAL (driver_pending (&rig.drivers[0]), 0);
	CU_ASSERT_EQUAL (test_device_count (&device.failed), 0);
}

CU_TestInfo iotlb_cases[] = {
	CASE (a_ring_of_io_addresses),
	CASE (all_of_it_is_asked_for),
	CASE (others_go_on),
	CASE (there_is_no_translation),
	CASE (there_are_several_without),
	CASE (each_is_asked_for_once),
	CASE (a_refusal_of_what_was_needed_before),
	CASE (no_translation_comes),
	CASE (no_translation_comes_for_the_next_driver),
	CASE (an_invalidation_waits_for_requests_in_flight),
	CASE (hostile_75_the_pages_of_a_ring),
	CASE (hostile_75_updates),
	CASE (hostile_75_many_updates),
	CASE (permissions),
	CASE (permissions_of_a_ring),
	CASE (memory_that_goes),
	CASE (the_dirty_log_behind_an_iommu),
	CASE (an_end_while_parked),
	CASE (the_channel_ends),
	CASE (another_channel_comes),
	CASE (nothing_fails_when_the_front_end_leaves),
	CU_TEST_INFO_NULL,
};
