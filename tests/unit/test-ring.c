/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a ring: what it can be made of, changes of memory while requests are in flight, loss of memory, stopping.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/suite.h"
#include "tests/unit/guest.h"

/* --- making --- */

static int
try_setup (void (*change) (struct guest *, uint64_t), uint64_t value)
{
	struct guest g;
	int err;

	guest_open (&g, 128, 0);
	change (&g, value);
	err = guest_start (&g);
	guest_close (&g);
	return err;
}

#define SETTER(member)                                                                                                                               \
	static void set_##member (struct guest *g, uint64_t v)                                                                                       \
	{                                                                                                                                            \
		g->setup.member = (__typeof__ (g->setup.member)) v;                                                                                  \
	}

SETTER (size)
SETTER (base)
SETTER (desc)
SETTER (avail)
SETTER (used)
SETTER (features)
SETTER (max_parts)
SETTER (request_size)

static bool
is_new (uint32_t base, uint64_t features)
{
	struct guest g;
	bool is_new;

	guest_open (&g, 128, features);
	g.setup.base = base;
	CU_ASSERT_EQUAL_FATAL (guest_start (&g), 0);
	is_new = vh_ring_is_new (g.ring);
	guest_close (&g);
	return is_new;
}

static void
a_ring_that_goes_on_is_not_new (void)
{
	CU_ASSERT_TRUE (is_new (0, 0));
	CU_ASSERT_FALSE (is_new (1, 0));
	CU_ASSERT_FALSE (is_new (0xffff, 0));
	CU_ASSERT_TRUE (is_new (0x80008000, VH_BIT (VH_F_RING_PACKED)));
	CU_ASSERT_TRUE (is_new (0x8000, VH_BIT (VH_F_RING_PACKED)));
	CU_ASSERT_FALSE (is_new (0x80018001, VH_BIT (VH_F_RING_PACKED)));
	CU_ASSERT_TRUE (is_new (0, VH_BIT (VH_F_RING_PACKED)));	/* as User Mode Linux has it */
}

static void
what_a_ring_can_be (void)
{
	const uint64_t end = GUEST_BASE + GUEST_SIZE;
	const struct {
		void (*change) (struct guest *, uint64_t);
		uint64_t value;
		int err;
	} cases[] = {
		{ set_size, 0, -EINVAL }, { set_size, 3, -EINVAL }, { set_size, 32769, -EINVAL }, { set_size, 65536, -EINVAL },
		{ set_size, UINT32_MAX, -EINVAL }, { set_size, 1, 0 }, { set_size, 32768, 0 },
		{ set_base, 65535, 0 }, { set_base, 65536, -EINVAL }, { set_base, UINT32_MAX, -EINVAL },
		{ set_desc, GUEST_DATA + 8, -EINVAL }, { set_avail, GUEST_DATA + 1, -EINVAL }, { set_used, GUEST_DATA + 2, -EINVAL },
		{ set_desc, GUEST_DATA + 16, 0 }, { set_avail, GUEST_DATA + 2, 0 }, { set_used, GUEST_DATA + 4, 0 },
		{ set_desc, 0, -EFAULT }, { set_desc, GUEST_BASE - 16, -EFAULT }, { set_desc, -16ull, -EFAULT },
		{ set_desc, end - 128 * 16, 0 }, { set_desc, end - 128 * 16 + 16, -EFAULT },
		{ set_avail, end - 6 - 128 * 2, 0 }, { set_avail, end - 6 - 128 * 2 + 2, -EFAULT },
		{ set_used, end - 8 - 128 * 8, 0 }, { set_used, end - 8 - 128 * 8 + 4, -EFAULT },
		{ set_desc, GUEST_AVAIL, 0 },	/* its areas in one place: harm to the guest only */
		{ set_features, VH_BIT (VH_F_RING_PACKED) | VH_BIT (VH_F_VERSION_1), 0 },
		{ set_features, VH_BIT (VH_F_VERSION_1), 0 },
		{ set_max_parts, 0, -EINVAL }, { set_max_parts, 1, 0 }, { set_max_parts, 32768, 0 }, { set_max_parts, 32769, -EINVAL },
		{ set_request_size, 1, 0 }, { set_request_size, SIZE_MAX, -EINVAL }, { set_request_size, SIZE_MAX / 2, -EINVAL },
		{ set_request_size, SIZE_MAX / 4096, -ENOMEM },
	};

	for (unsigned i = 0; i < sizeof (cases) / sizeof (cases[0]); i++)
		CU_ASSERT_EQUAL (try_setup (cases[i].change, cases[i].value), cases[i].err);
}

/* A region whose bytes begin at an odd place of the file: what is aligned in the guest is not so here. */
static void
areas_that_are_not_aligned_here (void)
{
	static const struct guest_region odd = { 0, 1, 0x200000 };
	struct guest g;

	guest_open (&g, 8, 0);
	guest_set_regions (&g, &odd, 1);
	CU_ASSERT_EQUAL (guest_start (&g), -EINVAL);
	guest_close (&g);
}

static void
areas_in_several_regions (void)
{
	static const struct guest_region regions[] = {
		{ 0, 0, 0x80000 }, { 0x80000, 0x90000, 0x10000 }, { 0xa0000, 0xb0000, 0x10000 }, { 0x100000, 0x100000, 0x1000 },
	};
	struct vh_request *r;
	struct guest g;

	guest_open (&g, 8, 0);
	guest_set_regions (&g, regions, 4);
	CU_ASSERT_EQUAL_FATAL (guest_start (&g), 0);
	guest_desc (&g, GUEST_DESC, 0, GUEST_DATA, 1, WRITE, 0);
	/* The test writes into the file; the regions' places there are others than those of GUEST_AVAIL. */
	g.bytes[0x90002] = 1;
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, &r, 1), 1);
	guest_give (&g, r, 1);
	CU_ASSERT_EQUAL (g.bytes[0xb0002], 1);
	guest_close (&g);

	/* One area over two regions is refused. */
	guest_open (&g, 8, 0);
	guest_set_regions (&g, (struct guest_region[]){ { 0, 0, 64 }, { 64, 64, 0x200000 } }, 2);
	CU_ASSERT_EQUAL (guest_start (&g), -EFAULT);
	guest_close (&g);
}

static void
what_a_ring_knows (void)
{
	struct guest g;

	guest_open (&g, 64, VH_BIT (VH_F_EVENT_IDX));
	g.setup.index = 7;
	g.setup.base = 500;
	CU_ASSERT_EQUAL_FATAL (guest_start (&g), 0);
	CU_ASSERT_EQUAL (vh_ring_index (g.ring), 7);
	CU_ASSERT_EQUAL (vh_ring_size (g.ring), 64);
	CU_ASSERT_EQUAL (vh_ring_features (g.ring), VH_BIT (VH_F_EVENT_IDX) | VH_BIT (VH_F_VERSION_1));
	CU_ASSERT_PTR_EQUAL (vh_ring_memory (g.ring), g.memory);
	CU_ASSERT_PTR_NULL (vh_ring_opaque (g.ring));
	vh_ring_set_opaque (g.ring, &g);
	CU_ASSERT_PTR_EQUAL (vh_ring_opaque (g.ring), &g);
	CU_ASSERT_PTR_NULL (vh_ring_loop (g.ring));
	CU_ASSERT_EQUAL (ring_base (g.ring), 500);
	vh_ring_wake (g.ring);
	CU_ASSERT_EQUAL (g.woken, 1);
	ring_free (NULL);
	guest_close (&g);
}

static void
bytes_of_the_device (void)
{
	struct vh_request *reqs[16];
	struct guest g;

	guest_open (&g, 16, 0);
	g.setup.request_size = 33;
	CU_ASSERT_EQUAL_FATAL (guest_start (&g), 0);
	for (unsigned i = 0; i < 16; i++) {
		guest_desc (&g, GUEST_DESC, i, GUEST_DATA, 1, WRITE, 0);
		guest_offer (&g, i);
	}
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 16), 16);
	for (unsigned i = 0; i < 16; i++) {
		static const unsigned char zero[33];

		CU_ASSERT_EQUAL ((uintptr_t) reqs[i]->user % 16, 0);
		CU_ASSERT_EQUAL (memcmp (reqs[i]->user, zero, 33), 0);
		memset (reqs[i]->user, 0xff, 33);
	}
	guest_close (&g);
}

/* --- a device's own mistakes, and its own decision --- */

static void
given_back_twice (void)
{
	struct vh_request *r;
	struct guest g;

	guest_begin (&g, 8, 0);
	guest_desc (&g, GUEST_DESC, 0, GUEST_DATA, 1, WRITE, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	vh_ring_give (g.ring, r, 1);
	vh_ring_give (g.ring, r, 1);
	CU_ASSERT_EQUAL (g.err, -EINVAL);
	CU_ASSERT_EQUAL (vh_ring_in_flight (g.ring), 0);
	guest_close (&g);
}

static void
a_device_fails_its_ring (void)
{
	struct vh_request *r;
	struct guest g;

	guest_begin (&g, 8, 0);
	guest_desc (&g, GUEST_DESC, 0, GUEST_DATA, 1, WRITE, 0);
	vh_ring_fail (g.ring, -EIO, "the disk is gone");
	vh_ring_fail (g.ring, -ENOSPC, "too late");
	CU_ASSERT_EQUAL (guest_serve (&g, 0, &r), -EIO);
	CU_ASSERT_EQUAL (g.broken, 1);
	CU_ASSERT_EQUAL (g.err, -EIO);
	CU_ASSERT_STRING_EQUAL (g.why, "the disk is gone");
	guest_close (&g);
}

/* --- stopping --- */

static void
stopping (void)
{
	struct vh_request *reqs[2], *r;
	struct guest g;

	guest_begin (&g, 8, 0);
	for (unsigned i = 0; i < 3; i++) {
		guest_desc (&g, GUEST_DESC, i, GUEST_DATA, 1, WRITE, 0);
		guest_offer (&g, i);
	}
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 2), 2);
	ring_set_stopping (g.ring);
	guest_offer (&g, 3);
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, &r, 1), 0);
	CU_ASSERT_FALSE (ring_has_work (g.ring));
	CU_ASSERT_FALSE (ring_kicks_on (g.ring));
	guest_give (&g, reqs[0], 1);
	CU_ASSERT_EQUAL (g.idle, 0);
	vh_ring_give (g.ring, reqs[1], 1);
	CU_ASSERT_EQUAL (g.idle, 0);
	vh_ring_flush (g.ring);
	CU_ASSERT_EQUAL (g.idle, 1);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 2);
	CU_ASSERT_EQUAL (ring_base (g.ring), 2);
	guest_close (&g);
}

/* What a device gave back and did not flush is not lost. */
static void
freeing_publishes (void)
{
	struct vh_request *r;
	struct guest g;

	guest_begin (&g, 8, 0);
	guest_desc (&g, GUEST_DESC, 0, GUEST_DATA, 1, WRITE, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	vh_ring_give (g.ring, r, 1);
	ring_free (g.ring);
	g.ring = NULL;
	CU_ASSERT_EQUAL (guest_used_idx (&g), 1);
	guest_close (&g);
}

/* --- memory that changes --- */

static void
requests_keep_their_memory (void)
{
	static const struct guest_region moved = { 0, 0x1000, 0x300000 };
	struct vh_request *old, *r;
	unsigned char *before;
	struct guest g;

	guest_begin (&g, 8, 0);
	guest_desc (&g, GUEST_DESC, 0, GUEST_DATA, 1, WRITE, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &old), 1);
	before = old->in[0].iov_base;
	CU_ASSERT_EQUAL (ring_set_memory (g.ring, g.memory), 0);	/* the same: nothing happens */
	CU_ASSERT_FALSE (ring_old_tables (g.ring));

	guest_set_regions (&g, &moved, 1);	/* drops the test's reference on the old table */
	memmove (g.bytes + 0x1000, g.bytes, 0x200000);
	CU_ASSERT_EQUAL (ring_set_memory (g.ring, g.memory), 0);
	CU_ASSERT (ring_old_tables (g.ring));
	CU_ASSERT_PTR_EQUAL (vh_ring_memory (g.ring), g.memory);
	CU_ASSERT_EQUAL (vh_ring_in_flight (g.ring), 1);
	*before = 0x42;		/* would be a fault if it were unmapped */
	CU_ASSERT_EQUAL (g.bytes[GUEST_DATA - GUEST_BASE], 0x42);

	/* New requests are in the new memory, from the ring's areas there: the file's pages moved by one. */
	memcpy (g.bytes + 0x1000 + 16, g.bytes + 0x1000, 16);
	g.bytes[0x81000 + 4 + 2] = 1;
	g.bytes[0x81000 + 2] = 2;
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, &r, 1), 1);
	CU_ASSERT_PTR_EQUAL (r->in[0].iov_base, guest_host (&g, GUEST_DATA));
	CU_ASSERT_EQUAL (vh_ring_in_flight (g.ring), 2);
	vh_ring_flush (g.ring);
	CU_ASSERT (ring_old_tables (g.ring));
	CU_ASSERT_EQUAL (g.idle, 0);
	/* The old table goes with its last request, whatever is in flight in the new one. */
	vh_ring_give (g.ring, old, 1);
	CU_ASSERT_FALSE (ring_old_tables (g.ring));
	vh_ring_flush (g.ring);
	CU_ASSERT_EQUAL (g.idle, 1);
	guest_give (&g, r, 1);
	CU_ASSERT_EQUAL (g.idle, 1);
	CU_ASSERT_EQUAL (g.bytes[0xa1002], 2);
	guest_close (&g);
}

/* With nothing in flight the old table goes at once. */
static void
memory_changes_at_rest (void)
{
	static const struct guest_region larger[] = { { 0, 0, 0x300000 }, { 0x300000, 0x300000, 0x100000 } };
	struct vh_memory *old;
	struct vh_request *r;
	struct guest g;

	guest_begin (&g, 8, 0);
	old = vh_memory_ref (g.memory);
	guest_set_regions (&g, larger, 2);
	CU_ASSERT_EQUAL (ring_set_memory (g.ring, g.memory), 0);
	CU_ASSERT_FALSE (ring_old_tables (g.ring));
	CU_ASSERT_EQUAL (old->refs, 1);
	vh_memory_unref (old);
	guest_desc (&g, GUEST_DESC, 0, GUEST_BASE + 0x2fffff, 2, WRITE, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	CU_ASSERT_EQUAL (r->n_in, 2);
	guest_close (&g);
}

static void
memory_goes_away (void)
{
	static const struct guest_region without = { 0x200000, 0x200000, 0x1000 };

	for (unsigned n = 0; n < 2; n++) {
		struct vh_request *old, *r;
		struct guest g;

		guest_begin (&g, 8, 0);
		guest_desc (&g, GUEST_DESC, 0, GUEST_DATA, 1, WRITE, 0);
		CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &old), 1);
		guest_set_regions (&g, &without, n);
		CU_ASSERT_EQUAL (ring_set_memory (g.ring, g.memory), -EFAULT);
		CU_ASSERT_EQUAL (g.broken, 1);
		CU_ASSERT_EQUAL (vh_ring_take (g.ring, &r, 1), -EFAULT);
		ring_kicks_off (g.ring);
		CU_ASSERT_FALSE (ring_kicks_on (g.ring));
		CU_ASSERT (ring_old_tables (g.ring));
		*(unsigned char *) old->in[0].iov_base = 1;
		vh_ring_give (g.ring, old, 1);
		CU_ASSERT_FALSE (ring_old_tables (g.ring));
		vh_ring_flush (g.ring);
		CU_ASSERT_EQUAL (g.idle, 1);
		CU_ASSERT_EQUAL (guest_used_idx (&g), 0);
		/* A broken ring lets go of memory all the same. */
		guest_set_regions (&g, &(struct guest_region){ 0, 0, GUEST_SIZE }, 1);
		CU_ASSERT_EQUAL (ring_set_memory (g.ring, g.memory), -EFAULT);
		CU_ASSERT_FALSE (ring_old_tables (g.ring));
		CU_ASSERT_PTR_EQUAL (vh_ring_memory (g.ring), g.memory);
		CU_ASSERT_EQUAL (g.broken, 1);
		guest_close (&g);
	}
}

/* --- memory that is lost --- */

/* The file shrinks while `in_flight` requests are out; what is touched then is zeroes, the ring stops, another guest's goes on. */
static void
file_shrinks (off_t size, bool touch)
{
	struct vh_request *r, *other;
	struct guest g, h;

	CU_ASSERT_EQUAL_FATAL (vh_memory_guard (), 0);
	guest_begin (&g, 8, 0);
	guest_begin (&h, 8, 0);
	guest_desc (&g, GUEST_DESC, 0, GUEST_DATA, 1, WRITE, 0);
	guest_desc (&h, GUEST_DESC, 0, GUEST_DATA, 1, WRITE, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&h, 0, &other), 1);
	CU_ASSERT_EQUAL_FATAL (ftruncate (g.fd, size), 0);
	if (touch)
		*(volatile unsigned char *) r->in[0].iov_base = 1;
	guest_give (&g, r, 1);
	if (touch)	/* then nothing is published */
		CU_ASSERT_EQUAL (g.broken, 1);
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, &r, 1), -EFAULT);
	CU_ASSERT_EQUAL (g.broken, 1);
	CU_ASSERT_EQUAL (g.err, -EFAULT);
	CU_ASSERT_STRING_EQUAL (g.why, "guest memory was lost");
	guest_give (&h, other, 1);
	CU_ASSERT_EQUAL (vh_ring_take (h.ring, &other, 1), 0);
	CU_ASSERT_EQUAL (h.broken, 0);
	CU_ASSERT_EQUAL (guest_used_idx (&h), 1);
	guest_close (&h);
	/* A ring cannot be made in memory that is lost. */
	ring_free (g.ring);
	g.ring = NULL;
	CU_ASSERT_EQUAL (guest_start (&g), -EFAULT);
	guest_close (&g);
}

static void
the_file_is_truncated (void)
{
	file_shrinks (0, true);		/* a part is touched by the device */
	file_shrinks (0, false);	/* the ring's own areas, by us */
	file_shrinks (GUEST_DATA - GUEST_BASE, true);
}

/* --- putting back --- */

static void
put_back_and_taken_again (void)
{
	struct vh_request *reqs[4], *again[4];
	struct guest g;

	guest_begin (&g, 8, 0);
	for (unsigned i = 0; i < 4; i++) {
		guest_desc (&g, GUEST_DESC, i, GUEST_DATA + 16 * i, 16, 0, 0);
		guest_offer (&g, i);
	}
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 3), 3);
	vh_ring_give (g.ring, reqs[0], 0);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs + 3, 1), 1);
	vh_ring_untake (g.ring, reqs + 1, 3);
	vh_ring_untake (g.ring, NULL, 0);
	CU_ASSERT_EQUAL (vh_ring_in_flight (g.ring), 0);
	vh_ring_flush (g.ring);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 1);
	CU_ASSERT_EQUAL (ring_base (g.ring), 1);
	/* What is left is no reason for another turn. */
	CU_ASSERT_FALSE (ring_kicks_on (g.ring));
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, again, 4), 3);
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_PTR_EQUAL (again[i]->out[0].iov_base, guest_host (&g, GUEST_DATA + 16 * (i + 1)));
		vh_ring_give (g.ring, again[i], 0);
	}
	vh_ring_flush (g.ring);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 4);
	CU_ASSERT_EQUAL (g.broken, 0);
	guest_close (&g);
}

/* A driver that takes back what was put back is held to its rules all the same: the turn has its bound. */
static void
put_back_counts_for_the_turn (void)
{
	struct vh_request *reqs[4];
	struct guest g;

	guest_begin (&g, 8, 0);
	for (unsigned i = 0; i < 4; i++) {
		guest_desc (&g, GUEST_DESC, i, GUEST_DATA, 16, 0, 0);
		guest_offer (&g, i);
	}
	ring_new_turn (g.ring, 2);
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, reqs, 4), 2);
	vh_ring_untake (g.ring, reqs + 1, 1);
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, reqs + 1, 3), 1);
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, reqs + 2, 2), 0);
	CU_ASSERT (ring_kicks_on (g.ring));
	vh_ring_untake (g.ring, reqs, 2);
	guest_close (&g);
}

static void
put_back_without_having_been_taken (void)
{
	struct vh_request *r;
	struct guest g;

	guest_begin (&g, 8, 0);
	guest_desc (&g, GUEST_DESC, 0, GUEST_DATA, 16, 0, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	vh_ring_give (g.ring, r, 0);
	vh_ring_untake (g.ring, &r, 1);
	CU_ASSERT_EQUAL (g.broken, 1);
	CU_ASSERT_EQUAL (g.err, -EINVAL);
	guest_close (&g);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "what a ring can be", what_a_ring_can_be },
		{ "a ring that goes on is not new", a_ring_that_goes_on_is_not_new },
		{ "areas that are not aligned here", areas_that_are_not_aligned_here },
		{ "areas in several regions", areas_in_several_regions },
		{ "what a ring knows", what_a_ring_knows },
		{ "bytes of the device", bytes_of_the_device },
		{ "given back twice", given_back_twice },
		{ "a device fails its ring", a_device_fails_its_ring },
		{ "stopping", stopping },
		{ "freeing publishes", freeing_publishes },
		{ "requests keep their memory", requests_keep_their_memory },
		{ "memory changes at rest", memory_changes_at_rest },
		{ "memory goes away", memory_goes_away },
		{ "the file is truncated", the_file_is_truncated },
		{ "put back and taken again", put_back_and_taken_again },
		{ "put back counts for the turn", put_back_counts_for_the_turn },
		{ "put back without having been taken", put_back_without_having_been_taken },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("ring", tests);
}
