/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seed-messages: makes the corpus of fuzz-messages, a few sessions that go far, from which a fuzzer finds its way; see messages-input.h.
 */
#include <stdint.h>

#include "fuzz/messages-input.h"
#include "fuzz/seed.h"

#define NEED_REPLY 9
#define ONE_FD(kind) ((kind) + FD_KINDS)
#define NO_FDS 0

/* Where things are in the guest's memory, which begins at user and guest address 0. */
#define DESC 0x0000
#define AVAIL 0x1000
#define USED 0x2000
#define BUFFERS 0x3000

#define DESC_NEXT 1
#define DESC_WRITE 2
#define DESC_INDIRECT 4

/* --- steps --- */

static void
header (uint8_t id, uint8_t fds, uint8_t n)
{
	put (STEP_MESSAGE, 1);
	put (id, 1);
	put (NEED_REPLY, 1);
	put (fds, 1);
	put (0, 1);
	put (n, 1);
}

static void
ask (uint8_t id)
{
	header (id, NO_FDS, 0);
}

static void
tell_u64 (uint8_t id, uint64_t value)
{
	header (id, NO_FDS, 8);
	put (value, 8);
}

static void
tell_state (uint8_t id, uint32_t index, uint32_t num)
{
	header (id, NO_FDS, 8);
	put (index, 4);
	put (num, 4);
}

static void
tell_fd (uint8_t id, uint64_t index, enum fd_kind kind)
{
	header (id, ONE_FD (kind), 8);
	put (index, 8);
}

static void
region (uint64_t addr, uint64_t size, uint64_t offset)
{
	put (addr, 8);
	put (size, 8);
	put (addr, 8);
	put (offset, 8);
}

static void
tell_region (uint8_t id, uint8_t fds, uint64_t addr, uint64_t size, uint64_t offset)
{
	header (id, fds, 40);
	put (0, 8);
	region (addr, size, offset);
}

static void
memory (uint16_t offset, uint8_t n)
{
	put (STEP_MEMORY, 1);
	put (offset, 2);
	put (n, 1);
}

static void
step (enum step what, uint8_t argument)
{
	put (what, 1);
	put (argument, 1);
}

/* --- parts of sessions --- */

static void
negotiate (uint64_t features)
{
	ask (1);
	ask (15);
	tell_u64 (16, 0xa229);
	ask (17);
	ask (3);
	tell_u64 (2, features);
}

static void
set_table (void)
{
	header (5, ONE_FD (FD_MEMORY), 40);
	put (1, 4);
	put (0, 4);
	region (0, MEMORY_SIZE, 0);
}

static void
start_ring (uint32_t index, uint32_t size)
{
	tell_state (8, index, size);
	tell_state (10, index, 0);
	header (9, NO_FDS, 40);
	put (index, 4);
	put (0, 4);
	put (DESC, 8);
	put (USED, 8);
	put (AVAIL, 8);
	put (0, 8);
	tell_fd (13, index, FD_EVENT);
	tell_fd (14, index, FD_EVENT);
	tell_fd (12, index, FD_EVENT);	/* the third eventfd: number 2 */
	tell_state (18, index, 1);
}

static void
descriptor (unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	memory ((uint16_t) (DESC + 16 * i), 16);
	put (addr, 8);
	put (len, 4);
	put (flags, 2);
	put (next, 2);
}

/* `n` heads, the first one descriptor 0, then every other one. */
static void
offer (unsigned n)
{
	memory (AVAIL, (uint8_t) (4 + 2 * n));
	put (0, 2);
	put (n, 2);
	for (unsigned i = 0; i < n; i++)
		put (2 * i, 2);
}

static void
requests (unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		descriptor (2 * i, BUFFERS + 64 * i, 16, DESC_NEXT, (uint16_t) (2 * i + 1));
		descriptor (2 * i + 1, BUFFERS + 64 * i + 32, 17, DESC_WRITE, 0);
	}
	offer (n);
	step (STEP_KICK, 2);
}

#define WITH_BIT_30 UINT64_C (0x140000000)
#define EVERYTHING UINT64_C (0x170000000)	/* INDIRECT_DESC and EVENT_IDX too */

/* --- sessions --- */

static void
seed_session (void)
{
	negotiate (WITH_BIT_30);
	set_table ();
	start_ring (0, 16);
	requests (4);
	tell_state (11, 0, 0);
}

static void
seed_session_without_bit_30 (void)
{
	tell_u64 (2, UINT64_C (1) << 32);
	set_table ();
	start_ring (1, 8);
	requests (2);
}

static void
seed_slots (void)
{
	negotiate (WITH_BIT_30);
	ask (36);
	tell_region (37, ONE_FD (FD_MEMORY), 0, MEMORY_SIZE, 0);
	tell_region (37, ONE_FD (FD_SMALL), MEMORY_SIZE, PAGE, 0);
	start_ring (0, 16);
	requests (1);
	tell_region (38, NO_FDS, MEMORY_SIZE, PAGE, 0);
	tell_region (38, ONE_FD (FD_MEMORY), 0, MEMORY_SIZE, 0);
}

static void
seed_config (void)
{
	negotiate (WITH_BIT_30);
	header (21, ONE_FD (FD_STREAM), 0);
	header (24, NO_FDS, 20);
	put (4, 4);
	put (8, 4);
	put (0, 12);
	header (25, NO_FDS, 14);
	put (2, 4);
	put (2, 4);
	put (1, 4);
	put (0x5aa5, 2);
	put (STEP_CHANGED, 1);
}

static void
seed_indirect (void)
{
	negotiate (EVERYTHING);
	set_table ();
	start_ring (0, 16);
	memory (BUFFERS, 32);
	put (BUFFERS + 64, 8);
	put (16, 4);
	put (DESC_NEXT, 2);
	put (1, 2);
	put (BUFFERS + 128, 8);
	put (17, 4);
	put (DESC_WRITE, 2);
	put (0, 2);
	descriptor (0, BUFFERS, 32, DESC_INDIRECT, 0);
	offer (1);
	step (STEP_KICK, 2);
}

static void
seed_in_flight (void)
{
	negotiate (WITH_BIT_30);
	set_table ();
	start_ring (0, 16);
	step (STEP_HOLD, 1);
	requests (4);
	set_table ();
	step (STEP_RELEASE, 2);
	tell_state (18, 0, 0);
	step (STEP_RELEASE, 2);
	tell_state (18, 0, 1);
	ask (34);
}

static void
seed_cut (void)
{
	negotiate (WITH_BIT_30);
	set_table ();
	start_ring (0, 16);
	requests (2);
	step (STEP_CUT, 1);
	step (STEP_KICK, 2);
	set_table ();
	step (STEP_CUT, 16);
	set_table ();
}

static void
seed_broken_ring (void)
{
	negotiate (WITH_BIT_30);
	set_table ();
	start_ring (0, 16);
	memory (AVAIL, 4);
	put (0, 2);
	put (1000, 2);
	step (STEP_KICK, 2);
	tell_state (11, 0, 0);
	start_ring (0, 16);
}

static void
seed_polled (void)
{
	negotiate (WITH_BIT_30);
	set_table ();
	start_ring (0, 16);
	tell_u64 (12, 0x100);
	requests (2);
}

/* Messages that only some devices have. */
static void
seed_special (void)
{
	tell_u64 (16, 0x56c8ec | 0x80000);
	tell_u64 (2, WITH_BIT_30);
	tell_u64 (19, 0x563412005452);
	tell_u64 (20, 1500);
	tell_state (23, 1, 0);
	tell_u64 (27, 5);
	header (33, ONE_FD (FD_STREAM), 0);
	tell_u64 (39, 11);
	ask (40);
	header (41, NO_FDS, 16);
	put (1, 16);
	header (42, ONE_FD (FD_PIPE), 8);
	put (0, 8);
	header (42, ONE_FD (FD_STREAM), 8);
	put (1, 8);
	put (STEP_ANSWER, 1);
	put (4, 1);
	put (0, 1);
	put (0x01020304, 4);
	ask (43);
	ask (44);
	tell_u64 (39, 0);
}

static void
seed_asked (void)
{
	tell_u64 (16, 0x440c28);
	tell_u64 (2, WITH_BIT_30);
	header (21, ONE_FD (FD_STREAM), 0);
	tell_fd (12, 1, FD_EVENT);
	for (uint8_t which = 0; which < 6; which++)
		step (STEP_ASK, which);
	for (uint8_t id = 6; id <= 10; id++) {
		put (STEP_ANSWER, 1);
		put (20, 1);
		put (NO_FDS, 1);
		put (id, 4);
		put (5, 4);
		put (8, 4);
		put (0, 8);
	}
}

static void
seed_in_band (void)
{
	tell_u64 (16, 0x4028);
	tell_u64 (2, WITH_BIT_30);
	header (21, ONE_FD (FD_STREAM), 0);
	set_table ();
	tell_state (8, 0, 16);
	header (9, NO_FDS, 40);
	put (0, 8);
	put (DESC, 8);
	put (USED, 8);
	put (AVAIL, 8);
	put (0, 8);
	tell_state (18, 0, 1);
	requests (2);
	tell_state (35, 0, 0);
	tell_state (35, 0, 0);
	tell_state (11, 0, 0);
}

static void
seed_skip_drain (void)
{
	tell_u64 (16, 0x901028);
	tell_u64 (2, WITH_BIT_30);
	set_table ();
	start_ring (0, 16);
	step (STEP_HOLD, 1);
	requests (2);
	tell_state (45, 0, 0);
	step (STEP_RELEASE, 2);
}

static void
seed_pieces (void)
{
	put (STEP_BYTES, 1);
	put (6, 1);
	put (1, 4);
	put (1, 2);
	put (STEP_BYTES, 1);
	put (18, 1);
	put (0, 2);
	put (0, 4);
	put (15, 4);
	put (9, 4);
	put (0, 4);
}

static void
seed_unknown (void)
{
	negotiate (WITH_BIT_30);
	ask (0);
	ask (46);
	ask (255);
}

static void
seed_limits (void)
{
	negotiate (WITH_BIT_30);
	header (24, NO_FDS, 20);
	put (0xfffffff8, 4);
	put (8, 4);
	put (0, 12);
	tell_region (37, ONE_FD (FD_MEMORY), UINT64_MAX - PAGE, PAGE, 0);
	tell_region (37, ONE_FD (FD_MEMORY), 0, PAGE, UINT64_MAX - PAGE + 1);
	tell_region (37, ONE_FD (FD_MEMORY), 0, UINT64_C (1) << 63, 0);
	tell_state (8, 0x80000000, 64);
	tell_state (8, 2, 32768);
	tell_state (11, 3, 0);
}

static void
seed_fds (void)
{
	negotiate (WITH_BIT_30);
	for (unsigned kind = 0; kind < FD_KINDS; kind++) {
		tell_fd (12, 0, kind);
		header (5, (uint8_t) (ONE_FD (kind) + FD_KINDS * 8), 0);
		header (21, (uint8_t) ONE_FD (kind), 0);
		put (STEP_CHANGED, 1);
	}
}

static const struct seed seeds[] = {
	{ "session", seed_session },
	{ "session-without-bit-30", seed_session_without_bit_30 },
	{ "slots", seed_slots },
	{ "config", seed_config },
	{ "indirect", seed_indirect },
	{ "in-flight", seed_in_flight },
	{ "cut", seed_cut },
	{ "broken-ring", seed_broken_ring },
	{ "polled", seed_polled },
	{ "special", seed_special },
	{ "asked", seed_asked },
	{ "in-band", seed_in_band },
	{ "skip-drain", seed_skip_drain },
	{ "pieces", seed_pieces },
	{ "unknown", seed_unknown },
	{ "limits", seed_limits },
	{ "fds", seed_fds },
};

void
seed_all (void)
{
	seed_table (seeds, sizeof (seeds) / sizeof (seeds[0]));
}
