/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In-flight records of a packed ring: their bytes, starts from them, and records that nobody should have written.  What they are for, a process that dies, is
 * in tests/crash/.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/suite.h"
#include "tests/unit/packed-guest.h"

#define SIZE 7u			/* of the ring */
#define ENTRIES 8u		/* of the area */
#define FIRST_BASE 0x80008000u

static struct packed guest;
static struct vh_request *reqs[SIZE];
static unsigned char *area;
static int area_fd;

/* --- the bytes, by their offsets in the specification --- */

#define AREA_VERSION 8
#define DESC_NUM 10
#define FREE_HEAD 12
#define OLD_FREE_HEAD 14
#define USED_IDX 16
#define OLD_USED_IDX 18
#define USED_WRAP 20
#define OLD_USED_WRAP 21
#define ENTRY(i) (32 + 32 * (i))
#define NEXT_OF(i) (ENTRY (i) + 2)
#define LAST_OF(i) (ENTRY (i) + 4)
#define NUM_OF(i) (ENTRY (i) + 6)
#define COUNTER(i) (ENTRY (i) + 8)
#define ID_OF(i) (ENTRY (i) + 16)
#define FLAGS_OF(i) (ENTRY (i) + 18)
#define LEN_OF(i) (ENTRY (i) + 20)
#define ADDR_OF(i) (ENTRY (i) + 24)

static uint64_t
get (unsigned offset, unsigned bytes)
{
	uint64_t v = 0;

	memcpy (&v, area + offset, bytes);
	return v;
}

static void
put16 (unsigned offset, uint16_t v)
{
	memcpy (area + offset, &v, sizeof (v));
}

/* --- guests with records --- */

static void
begin (void)
{
	struct vh_region spec = { .size = 4096 };

	packed_open (&guest, SIZE, VH_BIT (VH_F_INDIRECT_DESC));
	area_fd = memfd_create ("area", MFD_CLOEXEC);
	CU_ASSERT_EQUAL_FATAL (ftruncate (area_fd, 4096), 0);
	area = mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, area_fd, 0);
	CU_ASSERT_FATAL (area != MAP_FAILED);
	CU_ASSERT_EQUAL_FATAL (region_new (&spec, area_fd, &guest.g.setup.inflight.region), 0);
	guest.g.setup.inflight.entries = ENTRIES;
}

static void
end (void)
{
	munmap (area, 4096);
	region_unref (guest.g.setup.inflight.region);
	close (area_fd);
	packed_close (&guest);
}

/* Starts the ring as a new process would: from the areas only. */
static int
start_again (void)
{
	struct vh_ring *old = guest.g.ring;
	int err;

	guest.g.ring = NULL;
	guest.g.setup.base = FIRST_BASE;
	err = guest_start (&guest.g);
	/* The one that died published nothing more. */
	if (old)
		vh_ring_fail (old, -EIO, "killed");
	ring_free (old);
	return err;
}

/* Three requests in flight: ids 3, 1, 5 with 2, 1 and 3 descriptors; the second one is used then. */
static void
prepare (void)
{
	begin ();
	CU_ASSERT_EQUAL_FATAL (start_again (), 0);
	packed_add_chain (&guest, 2, 16, 3);
	packed_add_chain (&guest, 1, 32, 1);
	packed_add_chain (&guest, 3, 48, 5);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (guest.g.ring, reqs, SIZE), 3);
	guest_give (&guest.g, reqs[1], 0);
	CU_ASSERT_FATAL (packed_is_used (&guest, 1, 1, 0));
}

/* --- what is written --- */

static void
a_new_area_is_prepared (void)
{
	begin ();
	CU_ASSERT_EQUAL (packed_start (&guest, 0x00058003), 0);
	CU_ASSERT (get (AREA_VERSION, 2) == 1 && get (DESC_NUM, 2) == ENTRIES && get (FREE_HEAD, 2) == 0 && get (OLD_FREE_HEAD, 2) == 0);
	CU_ASSERT (get (USED_IDX, 2) == 5 && get (OLD_USED_IDX, 2) == 5 && get (USED_WRAP, 1) == 0 && get (OLD_USED_WRAP, 1) == 0);
	for (unsigned i = 0; i < ENTRIES; i++)
		CU_ASSERT (get (NEXT_OF (i), 2) == i + 1 && area[ENTRY (i)] == 0);
	end ();
}

static void
chains_are_copied (void)
{
	prepare ();
	/* ids 3 and 5 are in entries 0-1 and 3-5; 2 was freed last */
	CU_ASSERT (area[ENTRY (0)] == 1 && area[ENTRY (2)] == 0 && area[ENTRY (3)] == 1);
	CU_ASSERT (get (NUM_OF (0), 2) == 2 && get (LAST_OF (0), 2) == 1 && get (NUM_OF (3), 2) == 3 && get (LAST_OF (3), 2) == 5);
	CU_ASSERT (get (FREE_HEAD, 2) == 2 && get (OLD_FREE_HEAD, 2) == 2 && get (NEXT_OF (2), 2) == 6);
	CU_ASSERT (get (USED_IDX, 2) == 1 && get (OLD_USED_IDX, 2) == 1 && get (USED_WRAP, 1) == 1);
	CU_ASSERT (get (COUNTER (3), 8) - get (COUNTER (0), 8) == 2);
	CU_ASSERT (get (ID_OF (5), 2) == 5 && get (LEN_OF (5), 4) == 48 && get (ADDR_OF (5), 8) == GUEST_DATA + 2 * 48);
	CU_ASSERT (get (FLAGS_OF (3), 2) == NEXT && get (FLAGS_OF (5), 2) == 0);
	end ();
}

/* --- starts --- */

/* The used descriptor is over the first one's chain, which is taken from its copy. */
static void
what_was_in_flight_is_taken_again_in_order (void)
{
	prepare ();
	packed_add_chain (&guest, 1, 64, 6);
	CU_ASSERT_EQUAL (start_again (), 0);
	CU_ASSERT (ring_has_work (guest.g.ring));
	CU_ASSERT_EQUAL (vh_ring_take (guest.g.ring, reqs, SIZE), 2);
	CU_ASSERT (reqs[0]->n_out == 2 && reqs[0]->out[0].iov_len == 16 && reqs[1]->n_out == 3 && reqs[1]->out[2].iov_len == 48);
	CU_ASSERT_EQUAL (vh_ring_take (guest.g.ring, reqs + 2, SIZE), 1);
	CU_ASSERT (reqs[2]->n_out == 1 && reqs[2]->out[0].iov_len == 64);
	vh_ring_give (guest.g.ring, reqs[1], 0);
	vh_ring_give (guest.g.ring, reqs[2], 0);
	vh_ring_flush (guest.g.ring);
	CU_ASSERT (packed_is_used (&guest, 3, 5, 0) && packed_is_used (&guest, 1, 6, 0));
	CU_ASSERT_EQUAL (start_again (), 0);
	CU_ASSERT_EQUAL (vh_ring_take (guest.g.ring, reqs, SIZE), 1);
	guest_give (&guest.g, reqs[0], 0);
	CU_ASSERT (packed_is_used (&guest, 2, 3, 0));
	CU_ASSERT_FALSE (ring_has_work (guest.g.ring));
	end ();
}

/* Many times around, with a start after each step. */
static void
a_long_life (void)
{
	begin ();
	CU_ASSERT_EQUAL (start_again (), 0);
	for (unsigned i = 0; i < 200; i++) {
		unsigned n = 1 + i % 3;

		packed_add_chain (&guest, n, 8 + i, i % SIZE);
		if (i % 4 == 1)
			CU_ASSERT_EQUAL (start_again (), 0);
		CU_ASSERT_EQUAL (vh_ring_take (guest.g.ring, reqs, SIZE), 1);
		if (i % 4 >= 2) {
			CU_ASSERT_EQUAL (start_again (), 0);
			CU_ASSERT_EQUAL (vh_ring_take (guest.g.ring, reqs, SIZE), 1);
		}
		CU_ASSERT (reqs[0]->n_out == n && reqs[0]->out[0].iov_len == 8 + i);
		guest_give (&guest.g, reqs[0], 0);
		CU_ASSERT (packed_is_used (&guest, n, i % SIZE, 0));
	}
	end ();
}

static void
a_turn_bounds_what_is_taken_again (void)
{
	prepare ();
	CU_ASSERT_EQUAL (start_again (), 0);
	ring_new_turn (guest.g.ring, 1);
	CU_ASSERT_EQUAL (vh_ring_take (guest.g.ring, reqs, SIZE), 1);
	CU_ASSERT_EQUAL (vh_ring_take (guest.g.ring, reqs + 1, SIZE), 0);
	CU_ASSERT (ring_kicks_on (guest.g.ring));
	ring_new_turn (guest.g.ring, SIZE);
	CU_ASSERT_EQUAL (vh_ring_take (guest.g.ring, reqs + 1, SIZE), 1);
	CU_ASSERT_FALSE (ring_has_work (guest.g.ring));
	end ();
}

/* --- what nobody should have written --- */

static void
numbers_that_make_no_sense (void)
{
	static const struct {
		unsigned offset;
		uint16_t value;
	} cases[] = {
		{ AREA_VERSION, 2 }, { AREA_VERSION, 0xffff }, { DESC_NUM, 0 }, { DESC_NUM, SIZE - 1 }, { DESC_NUM, ENTRIES + 1 },
		{ USED_IDX, SIZE }, { OLD_USED_IDX, 0xffff }, { USED_WRAP, 0x0102 }, { USED_WRAP, 0x0201 },
		{ OLD_FREE_HEAD, 4 }, { OLD_FREE_HEAD, 6 }, { OLD_FREE_HEAD, ENTRIES }, { OLD_FREE_HEAD, 0xffff },
		{ NEXT_OF (2), 2 }, { NEXT_OF (2), 0xffff }, { NEXT_OF (6), 0 },
		{ NUM_OF (0), 0 }, { NUM_OF (0), 1 }, { NUM_OF (0), 3 }, { NUM_OF (0), SIZE + 1 }, { NUM_OF (3), 0xffff },
		{ NEXT_OF (0), 0 }, { NEXT_OF (0), 2 }, { NEXT_OF (0), 3 }, { NEXT_OF (4), 0xffff }, { LAST_OF (0), 0 }, { LAST_OF (3), 0xffff },
		{ ENTRY (0), 0 }, { ENTRY (3), 0xff },
	};

	for (unsigned i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
		prepare ();
		put16 (cases[i].offset, cases[i].value);
		CU_ASSERT_EQUAL (start_again (), -EPROTO);
		end ();
	}
}

/* A chain is in the list of what is free: nobody can know better. */
static void
a_chain_that_is_free (void)
{
	prepare ();
	put16 (OLD_FREE_HEAD, 0);
	CU_ASSERT_EQUAL (start_again (), 0);
	CU_ASSERT_EQUAL (area[ENTRY (0)], 0);
	CU_ASSERT_EQUAL (vh_ring_take (guest.g.ring, reqs, SIZE), 1);
	CU_ASSERT_EQUAL (reqs[0]->n_out, 3);
	end ();
}

static void
an_area_of_ones (void)
{
	begin ();
	memset (area, 0xff, 4096);
	CU_ASSERT_EQUAL (start_again (), -EPROTO);
	end ();
}

/* Chains whose descriptors are nonsense break the ring as any such chain does, once they are taken. */
static void
chains_that_make_no_sense (void)
{
	static const struct {
		unsigned offset;
		uint16_t value;
	} cases[] = {
		{ ID_OF (1), SIZE }, { ID_OF (1), 5 }, { FLAGS_OF (3), INDIRECT }, { FLAGS_OF (3), WRITE },
	};

	for (unsigned i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
		prepare ();
		put16 (cases[i].offset, cases[i].value);
		CU_ASSERT_EQUAL (start_again (), 0);
		CU_ASSERT_EQUAL (vh_ring_take (guest.g.ring, reqs, SIZE), -EPROTO);
		end ();
	}
	prepare ();
	put16 (ADDR_OF (0) + 4, 0xffff);
	CU_ASSERT_EQUAL (start_again (), 0);
	CU_ASSERT_EQUAL (vh_ring_take (guest.g.ring, reqs, SIZE), 2);
	CU_ASSERT_EQUAL (reqs[0]->error, -EFAULT);
	end ();
}

/* Of before and of now, put back together. */
static void
what_is_put_back_is_taken_again (void)
{
	prepare ();
	CU_ASSERT_EQUAL_FATAL (start_again (), 0);
	packed_add_chain (&guest, 1, 16, 1);
	for (unsigned round = 0; round < 3; round++) {
		CU_ASSERT_EQUAL_FATAL (vh_ring_take (guest.g.ring, reqs, 1 + round), round ? 2 : 1);
		if (round == 0)
			CU_ASSERT_EQUAL_FATAL (vh_ring_take (guest.g.ring, reqs + 1, SIZE), 1);
		CU_ASSERT_EQUAL_FATAL (vh_ring_take (guest.g.ring, reqs + 2, SIZE), 1);
		CU_ASSERT (reqs[0]->n_out == 2 && reqs[1]->n_out == 3 && reqs[2]->n_out == 1);
		CU_ASSERT_EQUAL (area[ENTRY (0)] + area[ENTRY (3)] + area[ENTRY (2)], 3);
		vh_ring_untake (guest.g.ring, reqs, 3);
		CU_ASSERT_EQUAL (area[ENTRY (0)] + area[ENTRY (3)] + area[ENTRY (2)], 2);
		CU_ASSERT_EQUAL (vh_ring_in_flight (guest.g.ring), 0);
		ring_kicks_on (guest.g.ring);
		CU_ASSERT_FALSE (ring_kicks_on (guest.g.ring));
	}
	end ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "a new area is prepared", a_new_area_is_prepared },
		{ "chains are copied", chains_are_copied },
		{ "what was in flight is taken again in order", what_was_in_flight_is_taken_again_in_order },
		{ "a long life", a_long_life },
		{ "a turn bounds what is taken again", a_turn_bounds_what_is_taken_again },
		{ "numbers that make no sense", numbers_that_make_no_sense },
		{ "a chain that is free", a_chain_that_is_free },
		{ "an area of ones", an_area_of_ones },
		{ "chains that make no sense", chains_that_make_no_sense },
		{ "what is put back is taken again", what_is_put_back_is_taken_again },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("in-flight records of packed rings", tests);
}
