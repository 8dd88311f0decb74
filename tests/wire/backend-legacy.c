/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rings of legacy guests, whose byte order is their own: SET_VRING_ENDIAN.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "backend-rig.h"
#include "full-device.h"
#include "tests/suite.h"

#define PROTOCOL_CROSS_ENDIAN (1u << 6)

static struct full_device device;
static struct rig rig;

/* One request of 16 bytes out and 17 in, offered in this byte order. */
static void
offer (struct driver *d, bool big)
{
	uint8_t *bytes = d->guest->bytes;
	uint64_t addr[2] = { GUEST_ADDR + GUEST_BUFFERS, GUEST_ADDR + GUEST_BUFFERS + 0x1000 };
	const uint32_t len[2] = { 16, 17 };
	const uint16_t flags[2] = { DESC_NEXT, DESC_WRITE };

	memset (bytes + GUEST_BUFFERS, 0x3c, 16);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t a = big ? htobe64 (addr[i]) : htole64 (addr[i]);
		uint32_t l = big ? htobe32 (len[i]) : htole32 (len[i]);
		uint16_t f = big ? htobe16 (flags[i]) : htole16 (flags[i]), next = big ? htobe16 (1) : htole16 (1);

		memcpy (bytes + driver_desc_at (d) + 16 * i, &a, 8);
		memcpy (bytes + driver_desc_at (d) + 16 * i + 8, &l, 4);
		memcpy (bytes + driver_desc_at (d) + 16 * i + 12, &f, 2);
		memcpy (bytes + driver_desc_at (d) + 16 * i + 14, &next, 2);
	}
	/* ring[0] is 0 in any order; idx is 1. */
	bytes[driver_avail_at (d) + 2] = big ? 0 : 1;
	bytes[driver_avail_at (d) + 3] = big ? 1 : 0;
}

/* Was it used, with 17 bytes, in this byte order? */
static bool
served (const struct driver *d, bool big)
{
	static const uint8_t in_big[] = { 0, 1, 0, 0, 0, 0, 0, 0, 0, 17 }, in_little[] = { 1, 0, 0, 0, 0, 0, 17, 0, 0, 0 };
	const uint8_t *bytes = d->guest->bytes;

	return memcmp (bytes + driver_used_at (d) + 2, big ? in_big : in_little, 10) == 0 && bytes[GUEST_BUFFERS + 0x1000] == (0x3c ^ 0xff) &&
	       bytes[GUEST_BUFFERS + 0x1000 + 16] == 0;
}

static void
a_guest (bool big, uint64_t features, uint32_t said)
{
	struct driver *d = &rig.drivers[0];

	full_device_init (&device);
	rig_open (&rig, &device.base, 0);
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_PROTOCOL_FEATURES, PROTOCOL_ALL | PROTOCOL_CROSS_ENDIAN), ACK);
	CU_ASSERT_EQUAL (rig_tell_u64 (&rig, FE_SET_FEATURES, features | BIT30), ACK);
	CU_ASSERT_TRUE (rig_give_memory (&rig));
	CU_ASSERT_TRUE (rig_place_ring (&rig, 0, 64, 0));
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENDIAN, 0, said), ACK);
	CU_ASSERT_TRUE (rig_start_ring (&rig, 0));
	offer (d, big);
	driver_kick (d);
	CU_ASSERT_TRUE (rig_pump (&rig));
	CU_ASSERT_EQUAL (device.base.served, 1);
	CU_ASSERT_TRUE (served (d, big));
	CU_ASSERT_EQUAL (driver_signals (d->call), 1);
	/* A ring that runs has its order. */
	CU_ASSERT_EQUAL (rig_tell_state (&rig, FE_SET_VRING_ENDIAN, 0, said), REFUSAL);
	rig_close (&rig);
}

static void
a_big_endian_guest (void)
{
	a_guest (true, 0, 1);
}

static void
a_little_endian_guest (void)
{
	a_guest (false, 0, 0);
}

static void
a_modern_guest_is_little_endian_whatever_is_said (void)
{
	a_guest (false, BIT_VERSION_1, 1);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "SET_VRING_ENDIAN, a big-endian guest", a_big_endian_guest },
		{ "SET_VRING_ENDIAN, a little-endian guest", a_little_endian_guest },
		{ "a modern guest is little-endian, whatever is said", a_modern_guest_is_little_endian_whatever_is_said },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("legacy rings", tests);
}
