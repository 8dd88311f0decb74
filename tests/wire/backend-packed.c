/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packed rings over the wire: what is different in their set-up, a ring that goes around and stops and goes on, and drivers that break its rules.  The areas
 * are where those of split rings are (see backend-driver.h), written byte by byte from virtio 1.2, 2.8.
 */
#include "backend-hostile.h"

#include <string.h>

#define BIT_PACKED (UINT64_C (1) << 34)
#define WRAP 0x8000u
#define AVAIL 0x80u
#define USED 0x8000u
#define SIZE 5u

/* The driver's positions. */
static uint16_t next, used;

static uint16_t
forward (uint16_t position, unsigned n)
{
	unsigned place = (position & ~WRAP) + n;

	return (uint16_t) (place < SIZE ? position + n : (place - SIZE) | ((position & WRAP) ^ WRAP));
}

static bool
negotiate_packed (void)
{
	device.device.features |= BIT_PACKED;
	rig_reopen (&rig);
	return rig_negotiate (&rig) && rig_tell_u64 (&rig, FE_SET_FEATURES, BIT_VERSION_1 | BIT30 | BIT_PACKED) == ACK;
}

static bool
place (uint32_t base)
{
	next = (uint16_t) base;
	used = (uint16_t) (base >> 16);
	return rig_place_ring (&rig, 0, SIZE, base);
}

static bool
ready (void)
{
	return negotiate_packed () && rig_give_memory (&rig) && place (0x80008000) && rig_start_ring (&rig, 0);
}

/* Makes a descriptor available that has all fields of the driver's choice. */
static void
put (uint64_t addr, uint32_t len, uint16_t id, unsigned flags)
{
	driver_desc (&rig.drivers[0], next & ~WRAP, addr, len, id, (uint16_t) (flags | (next & WRAP ? AVAIL : USED)));
	next = forward (next, 1);
}

/* A request of n bytes to be turned over, and the answer. */
static void
offer (unsigned n)
{
	uint8_t *data = rig.guest.bytes + GUEST_BUFFERS;

	for (unsigned i = 0; i < 16; i++)
		data[i] = (uint8_t) (n + i);
	memset (data + 16, 0xee, 17);
	put (GUEST_ADDR + GUEST_BUFFERS, 16, 3, DESC_NEXT);
	put (GUEST_ADDR + GUEST_BUFFERS + 16, 17, 3, DESC_WRITE);
}

static bool
served (unsigned n)
{
	const uint8_t *d = rig.guest.bytes + driver_desc_at (&rig.drivers[0]) + 16 * (used & ~WRAP), *answer = rig.guest.bytes + GUEST_BUFFERS + 16;
	uint32_t len;
	uint16_t id, flags;

	memcpy (&len, d + 8, 4);
	memcpy (&id, d + 12, 2);
	memcpy (&flags, d + 14, 2);
	if (len != 17 || id != 3 || flags != ((used & WRAP ? AVAIL | USED : 0) | DESC_WRITE) || answer[16] != 0)
		return false;
	used = forward (used, 2);
	for (unsigned i = 0; i < 16; i++)
		if (answer[i] != (uint8_t) ~(n + i))
			return false;
	return true;
}

static bool
serve (unsigned n)
{
	offer (n);
	driver_kick (&rig.drivers[0]);
	return rig_pump (&rig) && served (n);
}

/* --- set-up --- */

static void
packed_sizes (void)
{
	static const uint32_t wrong[] = { 0, DEVICE_RING_SIZE + 1, 32769, 65536, 0xffffffff };

	CU_ASSERT_TRUE (negotiate_packed ());
	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++)
		CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, wrong[i]), REFUSAL);
	for (uint32_t size = 1; size <= DEVICE_RING_SIZE; size++)
		CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_NUM, 0, size), ACK);
}

/* A ring without a base begins at the first place of the first time around; one that has been told keeps all its bits. */
static void
packed_bases (void)
{
	uint32_t base;

	CU_ASSERT_TRUE (negotiate_packed () && rig_give_memory (&rig));
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base) && base == 0x80008000);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_BASE, 0, 0x80040003), ACK);
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base) && base == 0x80040003);
}

static void
packed_bases_that_no_ring_has (void)
{
	static const uint32_t wrong[] = { SIZE, 0x80008000 + SIZE, 0x80030004 };

	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++) {
		CU_ASSERT_TRUE (negotiate_packed () && rig_give_memory (&rig) && place (wrong[i]) && rig_start_ring (&rig, 0));
		CU_ASSERT_EQUAL (driver_signals (rig.drivers[0].err), 1);
		CU_ASSERT_EQUAL (device.starts, device.stops);
		CU_ASSERT_TRUE (rig_alive (&rig));
	}
}

/* The event areas have four bytes, so they fit where those of a split ring would not. */
static void
packed_areas_at_the_end_of_memory (void)
{
	const uint64_t end = GUEST_USER + GUEST_SIZE;

	CU_ASSERT_TRUE (negotiate_packed () && rig_give_memory (&rig) && place (0x80008000));
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, end - 16 * SIZE - 16, end - 8, end - 4), ACK);
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, end - 16 * SIZE + 16, end - 8, end - 4), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, GUEST_USER, end, end - 4), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_addr (&rig, 0, 0, GUEST_USER, end - 4, end), REFUSAL);
}

/* --- rings that run --- */

static void
packed_ring_goes_around (void)
{
	uint32_t base;

	CU_ASSERT_TRUE (ready ());
	for (unsigned n = 0; n < 23; n++)
		CU_ASSERT_TRUE_FATAL (serve (n));
	CU_ASSERT_TRUE (driver_signals (rig.drivers[0].call) > 0);
	CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base));
	CU_ASSERT_EQUAL (base, next * 0x10001u);
	/* It goes on where it stopped, with what came meanwhile. */
	offer (77);
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_BASE, 0, base), ACK);
	CU_ASSERT_EQUAL (rig_tell_fd (&rig, FE_SET_VRING_KICK, 0, rig.drivers[0].kick), ACK);
	CU_ASSERT_TRUE (rig_pump (&rig) && served (77));
	CU_ASSERT_TRUE (serve (78));
}

/* DPDK's front-end has no position of what is used in its base. */
static void
packed_ring_with_half_a_base (void)
{
	CU_ASSERT_TRUE (negotiate_packed () && rig_give_memory (&rig) && place (0x8000) && rig_start_ring (&rig, 0));
	used = WRAP;
	for (unsigned n = 0; n < 7; n++)
		CU_ASSERT_TRUE (serve (n));
}

/* The same rings, split after packed and the other way round: a guest that boots another system. */
static void
packed_and_split_in_turn (void)
{
	uint32_t base;

	for (unsigned boot = 0; boot < 3; boot++) {
		CU_ASSERT_TRUE (boot == 0 ? ready () : rig_tell_u64 (&rig, FE_SET_FEATURES, BIT_VERSION_1 | BIT30 | BIT_PACKED) == ACK &&
								place (0x80008000) && rig_start_ring (&rig, 0));
		for (unsigned n = 0; n < 4; n++)
			CU_ASSERT_TRUE (serve (n));
		CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base) && base == next * 0x10001u);
		CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, BIT_VERSION_1 | BIT30), ACK);
		CU_ASSERT_TRUE (rig_place_ring (&rig, 0, 64, 0) && rig_start_ring (&rig, 0));
		for (unsigned n = 0; n < 4; n++)
			CU_ASSERT_TRUE (rig_serve (&rig, 0, n));
		CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base) && base == 4);
	}
}

/* --- rules --- */

static void
hostile_95_packed_rings (void)
{
	uint32_t base;

	for (unsigned i = 0; i < 4; i++) {
		CU_ASSERT_TRUE (ready ());
		CU_ASSERT_TRUE (serve (1));
		switch (i) {
		case 0:		/* every descriptor goes on */
			for (unsigned k = 0; k < SIZE; k++)
				put (GUEST_ADDR, 1, 0, DESC_NEXT);
			break;
		case 1:
			put (GUEST_ADDR, 1, 0xffff, DESC_WRITE);
			break;
		case 2:		/* an indirect table, which was not negotiated */
			put (GUEST_ADDR, 16, 0, DESC_INDIRECT);
			break;
		default:	/* one id twice */
			put (GUEST_ADDR, 1, 2, DESC_WRITE);
			put (GUEST_ADDR, 1, 2, DESC_WRITE);
		}
		driver_kick (&rig.drivers[0]);
		CU_ASSERT_TRUE (rig_pump (&rig));
		CU_ASSERT_EQUAL (driver_signals (rig.drivers[0].err), 1);
		CU_ASSERT_TRUE (rig_alive (&rig));
		/* The rest of the device goes on. */
		CU_ASSERT_TRUE (rig_ask_base (&rig, 0, &base));
		CU_ASSERT_TRUE (place (0x80008000) && rig_start_ring (&rig, 0) && serve (2));
	}
}

static void
hostile_95_bits_that_say_nothing_is_there (void)
{
	CU_ASSERT_TRUE (ready ());
	put (GUEST_ADDR, 1, 0, AVAIL | USED);	/* both flipped: used */
	driver_kick (&rig.drivers[0]);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (driver_signals (rig.drivers[0].err), 0);
	next = WRAP;
	CU_ASSERT_TRUE (serve (1));
}

struct CU_TestInfo packed_cases[] = {
	CASE (packed_sizes),
	CASE (packed_bases),
	CASE (packed_bases_that_no_ring_has),
	CASE (packed_areas_at_the_end_of_memory),
	CASE (packed_ring_goes_around),
	CASE (packed_ring_with_half_a_base),
	CASE (packed_and_split_in_turn),
	CASE (hostile_95_packed_rings),
	CASE (hostile_95_bits_that_say_nothing_is_there),
	CU_TEST_INFO_NULL,
};
