/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device that a session looks after.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/wire/session-device.h"

/* Where the test's ring has its parts: in the first region. */
#define DESC (USER_MEMORY + 0x1000)
#define AVAIL (USER_MEMORY + 0x2000)
#define USED (USER_MEMORY + 0x3000)

struct device device;

void
begin_with (unsigned timeout_ms)
{
	rig_open (timeout_ms);
	device.kick = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
	device.call = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
	device.area = memfd_create ("area", MFD_CLOEXEC);
	CU_ASSERT_EQUAL_FATAL (ftruncate (device.area, 4096), 0);
}

void
begin (void)
{
	begin_with (PATIENCE_MS);
}

void
finish (void)
{
	close (device.kick);
	close (device.call);
	close (device.area);
	rig_close ();
}

void
set_indexes (uint16_t avail, uint16_t used)
{
	avail = htole16 (avail);
	used = htole16 (used);
	CU_ASSERT_EQUAL (pwrite (memory_fd, &avail, 2, AVAIL - USER_MEMORY + 2), 2);
	CU_ASSERT_EQUAL (pwrite (memory_fd, &used, 2, USED - USER_MEMORY + 2), 2);
}

/* --- what the VMM wants --- */

void
want_memory (unsigned n)
{
	struct vh_region regions[2] = {
		{ .guest_addr = GUEST_MEMORY, .size = REGION_SIZE, .user_addr = USER_MEMORY, .fd = memory_fd },
		{ .guest_addr = GUEST_MEMORY + REGION_SIZE,
		  .size = REGION_SIZE,
		  .user_addr = USER_MEMORY + REGION_SIZE,
		  .offset = REGION_SIZE,
		  .fd = memory_fd },
	};

	CU_ASSERT_EQUAL (vh_session_set_memory (session, regions, n), 0);
}

int
want_ring (uint32_t base)
{
	struct vh_session_ring ring = {
		.size = sizeof (ring),
		.entries = 64,
		.addr = { .desc = DESC, .avail = AVAIL, .used = USED },
		.base = base,
		.kick = device.kick,
		.call = device.call,
		.err = -1,
	};

	return vh_session_start_ring (session, 0, &ring);
}

void
want_all (void)
{
	CU_ASSERT_EQUAL (vh_session_set_features (session, 0x120000000), 0);
	want_memory (1);
	CU_ASSERT_EQUAL (want_ring (0), 0);
}

static void
on_stopped (void *opaque, uint32_t base)
{
	device.stops++;
	device.base = base;
}

bool
is_stopped (void)
{
	return device.stops > 0;
}

void
stop (void)
{
	device.stops = 0;
	CU_ASSERT_EQUAL (vh_session_stop_ring (session, 0, on_stopped, NULL), 0);
	CU_ASSERT_EQUAL (vh_session_stop_ring (session, 0, on_stopped, NULL), -EINVAL);
	/* Never from inside. */
	CU_ASSERT_EQUAL (device.stops, 0);
}

/* --- what the back-end is told --- */

void
expect_ring (const char *base)
{
	char state[20];

	snprintf (state, sizeof (state), "00000000 %s", base);
	expect (8, 9, "00000000 40000000", 0);
	expect (10, 9, state, 0);
	expect (9, 9, "00000000 00000000 00100000 007f0000 00300000 007f0000 00200000 007f0000 00000000 00000000", 0);
	expect (13, 9, "00000000 00000000", 1);
	expect (12, 9, "00000000 00000000", 1);
	expect (18, 9, "00000000 01000000", 0);
	for (const char *r = "\x08\x0a\x09\x0d\x0c\x12"; *r; r++)
		answer_u64 (*r, 0);
}

void
expect_device (const char *features)
{
	expect (2, 9, features, 0);
	answer_u64 (2, 0);
	acknowledge (37, REGION_1, 1);
}

void
expect_question (void)
{
	expect (31, 1, "00000000 00000000 00000000 00000000 0100 4000 00000000", 0);
}

void
expect_first_set_up (void)
{
	expect_device ("00000060 01000000");
	expect_question ();
	answer_with_fd (31, AREA, device.area);
	acknowledge (32, AREA, 1);
	expect_ring ("00000000");
	run_until (is_settled);
}

/* --- beginnings --- */

void
begin_settled (void)
{
	begin ();
	shake_hands (FEATURES, P_ALL, CONFIG);
	run_until (is_settled);
}

void
begin_running (void)
{
	begin_settled ();
	want_all ();
	expect_first_set_up ();
	suite_signals (device.kick);
	suite_signals (device.call);
}
