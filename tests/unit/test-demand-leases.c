/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rings whose memory is mapped on demand, with a memory model of the test's: which requests have a lease in common, and what is copied in place of mapping.
 */
#include <errno.h>
#include <string.h>

#include "tests/suite.h"
#include "tests/unit/demand-guest.h"

#define LIMIT 16384u		/* of what a request may copy */
#define SHARERS 16u		/* most requests of a lease */
#define BUFFER 8192u

/* A request of nothing but a buffer to fill, at demand_data (2 * i). */
static void
offer_buffer (struct guest *g, unsigned i, uint32_t size)
{
	guest_desc (g, GUEST_DESC, 3 * i, demand_data (2 * i), size, WRITE, 0);
	guest_offer (g, 3 * i);
}

/* --- mapped --- */

/* What waits for a packet must not keep back the packet before. */
static void
buffers_have_a_lease_each (void)
{
	struct vh_request *reqs[8];
	struct guest g;

	demand_begin (&g, 32);
	for (unsigned i = 0; i < 8; i++)
		offer_buffer (&g, i, BUFFER);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 8), 8);
	CU_ASSERT_EQUAL (fake_map.leases, 8);
	for (unsigned i = 0; i < 8; i++) {
		guest_give (&g, reqs[(i + 5) % 8], BUFFER);
		CU_ASSERT_EQUAL (guest_used_idx (&g), i + 1);
		CU_ASSERT_EQUAL (guest_used_id (&g, (uint16_t) i), 3 * ((i + 5) % 8));
		CU_ASSERT_EQUAL (fake_map.leases, 7 - i);
	}
	demand_end (&g);
}

static void
no_more_share_than_may (void)
{
	struct vh_request *reqs[SHARERS + 4];
	struct guest g;

	demand_begin (&g, 128);
	for (unsigned i = 0; i < SHARERS + 4; i++)
		demand_offer (&g, i);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, SHARERS + 4), SHARERS + 4);
	CU_ASSERT_EQUAL (fake_map.calls, 2);
	for (unsigned i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL (guest_used_idx (&g), 0);
		demand_serve (&g, reqs[SHARERS + i], SHARERS + i);
		guest_give (&g, reqs[SHARERS + i], 1);
	}
	CU_ASSERT_EQUAL (guest_used_idx (&g), 4);
	CU_ASSERT_EQUAL (fake_map.leases, 1);
	for (unsigned i = 0; i < SHARERS; i++)
		guest_give (&g, reqs[i], 1);
	CU_ASSERT_EQUAL (guest_used_idx (&g), SHARERS + 4);
	demand_end (&g);
}

/* Two with something to read, a buffer, two more, a buffer. */
static void
buffers_among_others (void)
{
	struct vh_request *reqs[6];
	struct guest g;

	demand_begin (&g, 32);
	for (unsigned i = 0; i < 6; i++) {
		if (i % 3 == 2)
			offer_buffer (&g, i, BUFFER);
		else
			demand_offer (&g, i);
	}
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 6), 6);
	CU_ASSERT_EQUAL (fake_map.leases, 4);
	guest_give (&g, reqs[0], 1);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 0);
	guest_give (&g, reqs[2], 1);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 1);
	guest_give (&g, reqs[1], 1);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 3);
	demand_serve (&g, reqs[3], 3);
	demand_serve (&g, reqs[4], 4);
	for (unsigned i = 3; i < 6; i++)
		guest_give (&g, reqs[i], 1);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 6);
	demand_end (&g);
}

/* --- copied --- */

static void
begin_copies (struct guest *g, uint32_t limit)
{
	demand_begin (g, 64);
	fake_map.copy_limit = limit;
}

/* What the device reads is from when it took the request; what it wrote is there when it is published, and not before. */
static void
copies_of_a_request (void)
{
	struct vh_request *r;
	unsigned char *header, *data;
	struct guest g;

	begin_copies (&g, LIMIT);
	header = guest_at (&g, demand_data (0) + 5);
	data = guest_at (&g, demand_data (0) + 0x800);
	memset (header, 1, 16);
	memset (data, 2, 4096);
	demand_offer (&g, 0);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, &r, 1), 1);
	CU_ASSERT_EQUAL (fake_map.copies, 3);
	memset (header, 3, 16);
	CU_ASSERT_EQUAL (*(unsigned char *) r->out[0].iov_base, 1);
	memset (r->in[0].iov_base, 4, 100);
	vh_ring_give (g.ring, r, 100);
	CU_ASSERT_EQUAL (data[0], 2);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 0);
	vh_ring_flush (g.ring);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 1);
	CU_ASSERT_EQUAL (data[99], 4);
	/* What the device did not write is as it was; what it only reads is not written at all. */
	CU_ASSERT_EQUAL (data[100], 2);
	CU_ASSERT_EQUAL (header[0], 3);
	CU_ASSERT_EQUAL (fake_map.written, 2);
	demand_end (&g);
}

static void
nobody_waits_for_copies (void)
{
	struct vh_request *reqs[SHARERS + 4];
	struct guest g;

	begin_copies (&g, LIMIT);
	for (unsigned i = 0; i < SHARERS + 4; i++)
		offer_buffer (&g, i, 4096);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, SHARERS + 4), SHARERS + 4);
	CU_ASSERT_EQUAL (fake_map.calls, 1);
	for (unsigned i = 0; i < SHARERS + 4; i++) {
		memset (reqs[SHARERS + 3 - i]->in[0].iov_base, 0x55, 1);
		guest_give (&g, reqs[SHARERS + 3 - i], 1);
		CU_ASSERT_EQUAL (guest_used_idx (&g), i + 1);
		CU_ASSERT_EQUAL (*(char *) guest_at (&g, demand_data (2 * (SHARERS + 3 - i))), 0x55);
		CU_ASSERT_EQUAL (fake_map.leases, i < SHARERS + 3);
	}
	demand_end (&g);
}

/* Of two batches, and of another where something is mapped, so that it was written back by itself. */
static void
one_call_for_a_publication (void)
{
	struct vh_request *first[3], *second[2];
	struct guest g;

	begin_copies (&g, LIMIT);
	for (unsigned i = 0; i < 5; i++)
		demand_offer (&g, i);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, first, 3), 3);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, second, 2), 2);
	CU_ASSERT_EQUAL (fake_map.calls, 2);
	vh_ring_give (g.ring, first[2], 1);
	vh_ring_give (g.ring, second[0], 1);
	vh_ring_give (g.ring, first[0], 1);
	vh_ring_give (g.ring, second[1], 1);
	vh_ring_flush (g.ring);
	CU_ASSERT_EQUAL (fake_map.write_backs, 1);
	CU_ASSERT_EQUAL (fake_map.written, 8);
	CU_ASSERT_EQUAL (fake_map.leases, 1);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 4);
	guest_give (&g, first[1], 1);
	CU_ASSERT_EQUAL (fake_map.write_backs, 2);
	demand_end (&g);
}

/* A request beyond the limit: its header and its status byte are copied, so what is mapped is in one direction. */
static void
small_parts_of_large_requests (void)
{
	struct vh_request *reqs[2];
	struct guest g;

	begin_copies (&g, 4096);
	demand_offer (&g, 0);
	demand_offer (&g, 1);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 2), 2);
	CU_ASSERT_EQUAL (fake_map.calls, 1);
	CU_ASSERT_EQUAL (fake_map.copies, 4);
	memset (reqs[0]->in[0].iov_base, 0x66, 1);
	CU_ASSERT_EQUAL (*(char *) guest_at (&g, demand_data (0) + 0x800), 0x66);
	memset (reqs[0]->in[1].iov_base, 0x77, 1);
	guest_give (&g, reqs[0], 4097);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 0);
	guest_give (&g, reqs[1], 4097);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 2);
	CU_ASSERT_EQUAL (*(char *) guest_at (&g, demand_data (0) + 0x3fff), 0x77);
	CU_ASSERT_EQUAL (fake_map.written, 2);
	demand_end (&g);
}

/* A request of nothing but small parts, more of them than may be copied; and one that is just not too large. */
static void
the_limit_of_a_request (void)
{
	struct vh_request *r;
	struct guest g;

	begin_copies (&g, 1024);
	for (unsigned i = 0; i < 5; i++)
		guest_desc (&g, GUEST_DESC, i, demand_data (i), 256, i < 4 ? NEXT : 0, i + 1);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	CU_ASSERT_EQUAL (fake_map.copies, 4);
	guest_give (&g, r, 0);
	guest_desc (&g, GUEST_DESC, 3, demand_data (3), 256, 0, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	CU_ASSERT_EQUAL (fake_map.copies, 8);
	guest_give (&g, r, 0);
	guest_desc (&g, GUEST_DESC, 0, demand_data (0), 1025, 0, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	CU_ASSERT_EQUAL (fake_map.copies, 8);
	guest_give (&g, r, 0);
	demand_end (&g);
}

/* A request that was given back in memory that goes before it is published. */
static void
copies_are_written_before_memory_goes (void)
{
	static const struct guest_region one = { 0, 0, GUEST_SIZE, 0 };
	struct vh_request *r;
	struct guest g;

	for (unsigned late = 0; late < 2; late++) {
		begin_copies (&g, LIMIT);
		offer_buffer (&g, 0, 100);
		CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, &r, 1), 1);
		memset (r->in[0].iov_base, 0x11, 100);
		if (!late)
			vh_ring_give (g.ring, r, 100);
		guest_set_regions (&g, &one, 1);
		CU_ASSERT_EQUAL (ring_set_memory (g.ring, g.memory), 0);
		if (late)
			vh_ring_give (g.ring, r, 100);
		CU_ASSERT_FALSE (ring_old_tables (g.ring));
		CU_ASSERT_EQUAL (*(char *) guest_at (&g, demand_data (0) + 99), 0x11);
		CU_ASSERT_EQUAL (fake_map.leases, 0);
		vh_ring_flush (g.ring);
		CU_ASSERT_EQUAL (guest_used_idx (&g), 1);
		CU_ASSERT_EQUAL (fake_map.write_backs, 1);
		demand_end (&g);
	}
}

/* The same for a ring that is broken. */
static void
copies_of_a_broken_ring (void)
{
	static const struct guest_region one = { 0, 0, GUEST_SIZE, 0 };
	struct vh_request *r;
	struct guest g;

	begin_copies (&g, LIMIT);
	offer_buffer (&g, 0, 100);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, &r, 1), 1);
	vh_ring_fail (g.ring, -EIO, "a test");
	vh_ring_give (g.ring, r, 100);
	guest_set_regions (&g, &one, 1);
	CU_ASSERT_EQUAL (ring_set_memory (g.ring, g.memory), -EIO);
	CU_ASSERT_EQUAL (fake_map.leases, 0);
	vh_ring_flush (g.ring);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 0);
	demand_end (&g);
}

static void
a_head_that_is_not_published (void)
{
	struct vh_request *r;
	struct guest g;

	begin_copies (&g, LIMIT);
	demand_offer (&g, 0);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, &r, 1), 1);
	vh_ring_give (g.ring, r, 1);
	demand_offer (&g, 0);
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, &r, 1), -EPROTO);
	vh_ring_flush (g.ring);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 0);
	CU_ASSERT_EQUAL (fake_map.leases, 0);
	demand_end (&g);
}

/* Granted when it was read, not any more when it is to be written: the guest's own fault, and nobody else's. */
static void
copies_that_cannot_be_written (void)
{
	struct vh_request *reqs[2];
	struct guest g;

	begin_copies (&g, LIMIT);
	offer_buffer (&g, 0, 100);
	offer_buffer (&g, 1, 100);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 2), 2);
	fake_map.refused = demand_data (0);
	fake_map.refused_size = 1;
	memset (reqs[0]->in[0].iov_base, 0x22, 1);
	memset (reqs[1]->in[0].iov_base, 0x22, 1);
	vh_ring_give (g.ring, reqs[0], 1);
	vh_ring_give (g.ring, reqs[1], 1);
	vh_ring_flush (g.ring);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 2);
	CU_ASSERT_EQUAL (*(char *) guest_at (&g, demand_data (0)), 0);
	CU_ASSERT_EQUAL (*(char *) guest_at (&g, demand_data (2)), 0x22);
	CU_ASSERT_EQUAL (g.broken, 0);
	demand_end (&g);
}

/* Requests that nobody got to see write nothing. */
static void
copies_of_lost_memory (void)
{
	struct vh_request *reqs[2];
	struct guest g;

	begin_copies (&g, LIMIT);
	demand_offer (&g, 0);
	demand_offer (&g, 1);
	demand_lose_memory (&g);
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, reqs, 2), -EFAULT);
	CU_ASSERT_EQUAL (fake_map.copies, 6);
	CU_ASSERT_EQUAL (fake_map.leases, 0);
	CU_ASSERT_EQUAL (fake_map.written, 0);
	demand_end (&g);
}

/* Indirect tables, and what devices read and write by themselves. */
static void
copies_of_slices (void)
{
	unsigned char out[LIMIT + 1], in[LIMIT + 1];
	struct vh_request *r;
	struct guest g;

	begin_copies (&g, LIMIT);
	guest_chain (&g, TABLE, 0, 3, 64);
	guest_desc (&g, GUEST_DESC, 0, TABLE, 48, INDIRECT, 0);
	CU_ASSERT_EQUAL_FATAL (guest_serve (&g, 0, &r), 1);
	CU_ASSERT_EQUAL (fake_map.copies, 4);
	guest_give (&g, r, 0);
	memset (out, 0x33, sizeof (out));
	CU_ASSERT_EQUAL (vh_memory_write (g.memory, GUEST_DATA, out, LIMIT), 0);
	CU_ASSERT_EQUAL (vh_memory_read (g.memory, GUEST_DATA, in, LIMIT), 0);
	CU_ASSERT_EQUAL (memcmp (in, out, LIMIT), 0);
	CU_ASSERT_EQUAL (fake_map.copies, 6);
	CU_ASSERT_EQUAL (fake_map.written, 1);
	CU_ASSERT_EQUAL (vh_memory_read (g.memory, GUEST_DATA, in, LIMIT + 1), 0);
	CU_ASSERT_EQUAL (fake_map.copies, 6);
	demand_end (&g);
}

/* Those of a lease that were given back are published when the others are put back, and what these had is let go. */
static void
put_back_ends_the_lease (void)
{
	struct vh_request *reqs[4];
	struct guest g;

	demand_begin (&g, 32);
	for (unsigned i = 0; i < 4; i++)
		demand_offer (&g, i);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs, 4), 4);
	CU_ASSERT_EQUAL (fake_map.leases, 1);
	demand_serve (&g, reqs[0], 0);
	guest_give (&g, reqs[0], 1);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 0);
	vh_ring_untake (g.ring, reqs + 1, 3);
	vh_ring_flush (g.ring);
	CU_ASSERT_EQUAL (guest_used_idx (&g), 1);
	CU_ASSERT_EQUAL (fake_map.leases, 0);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, reqs + 1, 3), 3);
	for (unsigned i = 1; i < 4; i++) {
		demand_serve (&g, reqs[i], i);
		guest_give (&g, reqs[i], 1);
	}
	CU_ASSERT_EQUAL (guest_used_idx (&g), 4);
	demand_end (&g);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "buffers have a lease each", buffers_have_a_lease_each },
		{ "no more share than may", no_more_share_than_may },
		{ "buffers among others", buffers_among_others },
		{ "copies of a request", copies_of_a_request },
		{ "nobody waits for copies", nobody_waits_for_copies },
		{ "one call for a publication", one_call_for_a_publication },
		{ "small parts of large requests", small_parts_of_large_requests },
		{ "the limit of a request", the_limit_of_a_request },
		{ "copies are written before memory goes", copies_are_written_before_memory_goes },
		{ "copies of a broken ring", copies_of_a_broken_ring },
		{ "a head that is not published", a_head_that_is_not_published },
		{ "copies that cannot be written", copies_that_cannot_be_written },
		{ "copies of lost memory", copies_of_lost_memory },
		{ "copies of slices", copies_of_slices },
		{ "put back ends the lease", put_back_ends_the_lease },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("demand-leases", tests);
}
