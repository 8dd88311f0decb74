/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In-flight records of a split ring: their bytes, what a ring that starts from them does, and records that nobody should have written.  What they are for,
 * a process that dies, is in tests/crash/.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/suite.h"
#include "tests/unit/guest.h"

#define SIZE 8u			/* of the ring */
#define ENTRIES 16u		/* of the area */
#define PART_AT 64u		/* the ring is number 1 */

static struct guest guest;
static struct vh_request *reqs[SIZE];
static unsigned char *area;	/* the part, as the front-end has it mapped */
static int area_fd;

/* --- the bytes, by their offsets in the specification --- */

static uint16_t
get16 (unsigned offset)
{
	uint16_t v;

	memcpy (&v, area + offset, sizeof (v));
	return v;
}

static void
put16 (unsigned offset, uint16_t v)
{
	memcpy (area + offset, &v, sizeof (v));
}

#define RECORDS_VERSION 8
#define DESC_NUM 10
#define LAST_BATCH_HEAD 12
#define USED_IDX 14
#define ENTRY(head) (16 + 16 * (head))
#define NEXT_OF(head) (ENTRY (head) + 6)
#define COUNTER(head) (ENTRY (head) + 8)

static void
put_record (unsigned head, uint64_t counter)
{
	area[ENTRY (head)] = 1;
	memcpy (area + COUNTER (head), &counter, sizeof (counter));
}

/* Heads that are noted down, as bits. */
static unsigned
noted (void)
{
	unsigned bits = 0;

	for (unsigned head = 0; head < ENTRIES; head++)
		bits |= (unsigned) (area[ENTRY (head)] == 1) << head;
	return bits;
}

/* --- guests with records --- */

static void
begin (void)
{
	uint64_t part = inflight_part_size (false, ENTRIES);
	struct vh_region spec = { .size = 4 * part, .offset = PART_AT };
	void *file;

	guest_open (&guest, SIZE, 0);
	area_fd = memfd_create ("area", MFD_CLOEXEC);
	CU_ASSERT_EQUAL_FATAL (ftruncate (area_fd, 65536), 0);
	file = mmap (NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, area_fd, 0);
	CU_ASSERT_FATAL (file != MAP_FAILED);
	CU_ASSERT_EQUAL_FATAL (region_new (&spec, area_fd, &guest.setup.inflight.region), 0);
	guest.setup.inflight.entries = ENTRIES;
	guest.setup.inflight.offset = part;
	area = (unsigned char *) file + PART_AT + part;
	for (unsigned head = 0; head < SIZE; head++)
		guest_chain (&guest, GUEST_DESC, head, 1, 16);
}

static void
end (void)
{
	munmap (area - PART_AT - guest.setup.inflight.offset, 65536);
	region_unref (guest.setup.inflight.region);
	close (area_fd);
	guest_close (&guest);
}

/* Starts the ring as a new process would: from the areas only. */
static int
start_again (uint32_t base)
{
	struct vh_ring *old = guest.ring;
	uint16_t avail = guest.avail;
	int err;

	guest.ring = NULL;
	guest.setup.base = base;
	err = guest_start (&guest);
	guest.avail = avail;
	/* The one that died published nothing more. */
	if (old)
		vh_ring_fail (old, -EIO, "killed");
	ring_free (old);
	guest.broken = 0;
	return err;
}

static void
offer (const char *heads)
{
	for (; *heads; heads++)
		guest_offer (&guest, (unsigned) (*heads - '0'));
}

/* Takes all there is; are these the heads (each chain begins at its head's data)? */
static bool
takes (const char *heads)
{
	int n = vh_ring_take (guest.ring, reqs, SIZE);

	if (n != (int) strlen (heads))
		return false;
	for (int i = 0; i < n; i++)
		if (reqs[i]->out[0].iov_base != guest_host (&guest, GUEST_DATA + 16 * (uint64_t) (heads[i] - '0')))
			return false;
	return true;
}

static void
give (const char *which)
{
	for (; *which; which++)
		vh_ring_give (guest.ring, reqs[*which - '0'], 0);
	vh_ring_flush (guest.ring);
}

/* --- what is written --- */

static void
a_new_area_is_prepared (void)
{
	begin ();
	memset (area + 16, 0xff, 16 * ENTRIES);	/* of whatever it was before */
	guest_set_used_idx (&guest, 7);
	guest.setup.base = 7;
	CU_ASSERT_EQUAL (guest_start (&guest), 0);
	CU_ASSERT_EQUAL (get16 (RECORDS_VERSION), 1);
	CU_ASSERT_EQUAL (get16 (DESC_NUM), ENTRIES);
	CU_ASSERT_EQUAL (get16 (USED_IDX), 7);
	CU_ASSERT_EQUAL (noted (), 0);
	CU_ASSERT_EQUAL (ring_base (guest.ring), 7);
	end ();
}

static void
requests_are_noted_until_they_are_used (void)
{
	uint64_t a, b;

	begin ();
	CU_ASSERT_EQUAL (guest_start (&guest), 0);
	offer ("352");
	CU_ASSERT (takes ("352"));
	CU_ASSERT_EQUAL (noted (), 1 << 3 | 1 << 5 | 1 << 2);
	memcpy (&a, area + COUNTER (3), 8);
	memcpy (&b, area + COUNTER (2), 8);
	CU_ASSERT_EQUAL (b - a, 2);
	vh_ring_give (guest.ring, reqs[1], 0);
	CU_ASSERT_EQUAL (noted (), 1 << 3 | 1 << 5 | 1 << 2);	/* not while the driver does not see it */
	give ("2");
	CU_ASSERT_EQUAL (noted (), 1 << 3);
	CU_ASSERT_EQUAL (get16 (USED_IDX), 2);
	/* The publication's list, newest first. */
	CU_ASSERT_EQUAL (get16 (LAST_BATCH_HEAD), 2);
	CU_ASSERT_EQUAL (get16 (NEXT_OF (2)), 5);
	give ("0");
	CU_ASSERT_EQUAL (noted (), 0);
	CU_ASSERT_EQUAL (get16 (USED_IDX), 3);
	end ();
}

/* --- starts --- */

static void
what_was_in_flight_is_taken_again_in_order (void)
{
	begin ();
	CU_ASSERT_EQUAL (guest_start (&guest), 0);
	offer ("61047");
	CU_ASSERT (takes ("61047"));
	give ("3");		/* head 4 */
	offer ("23");
	CU_ASSERT_EQUAL (start_again (0), 0);	/* whatever base is said */
	CU_ASSERT_EQUAL (vh_ring_take (guest.ring, reqs, 2), 2);
	CU_ASSERT_PTR_EQUAL (reqs[0]->out[0].iov_base, guest_host (&guest, GUEST_DATA + 16 * 6));
	CU_ASSERT_EQUAL (start_again (3), 0);	/* and again, from where that one was */
	CU_ASSERT (takes ("6107"));
	CU_ASSERT (takes ("23") && noted () == (1 << 6 | 1 << 1 | 1 | 1 << 7 | 1 << 2 | 1 << 3));
	give ("01");
	CU_ASSERT_EQUAL (guest_used_idx (&guest), 3);
	CU_ASSERT_EQUAL (guest_used_id (&guest, 1), 2);
	CU_ASSERT_EQUAL (noted (), 1 << 6 | 1 << 1 | 1 | 1 << 7);
	end ();
}

static void
numbers_go_on_after_a_start (void)
{
	begin ();
	CU_ASSERT_EQUAL (guest_start (&guest), 0);
	offer ("10");
	CU_ASSERT (takes ("10"));
	CU_ASSERT_EQUAL (start_again (0), 0);
	CU_ASSERT (takes ("10"));
	give ("0");
	offer ("1");
	CU_ASSERT (takes ("1"));
	CU_ASSERT_EQUAL (start_again (0), 0);
	CU_ASSERT (takes ("01"));	/* head 1 is the younger one now */
	end ();
}

/* The numbers wrap between two of them. */
static void
numbers_that_wrap (void)
{
	begin ();
	CU_ASSERT_EQUAL (guest_start (&guest), 0);
	offer ("0123");
	CU_ASSERT (takes ("0123"));
	put_record (0, 1);
	put_record (1, UINT64_MAX);
	put_record (2, 0);
	put_record (3, UINT64_MAX - 1);
	CU_ASSERT_EQUAL (start_again (0), 0);
	CU_ASSERT (takes ("3120"));
	end ();
}

/* A crash after the driver could see the used elements: those are not repeated, however many there were, and whatever was cleared. */
static void
a_publication_that_was_not_cleared_up_after (void)
{
	for (unsigned cleared = 0; cleared <= 3; cleared++) {
		begin ();
		CU_ASSERT_EQUAL (guest_start (&guest), 0);
		offer ("0123456");
		CU_ASSERT (takes ("0123456"));
		give ("041");
		for (unsigned i = cleared; i < 3; i++)
			area[ENTRY ((unsigned) ("041"[i] - '0'))] = 1;
		put16 (USED_IDX, 0);
		CU_ASSERT_EQUAL (start_again (0), 0);
		CU_ASSERT_EQUAL (noted (), 1 << 2 | 1 << 3 | 1 << 5 | 1 << 6);
		CU_ASSERT_EQUAL (get16 (USED_IDX), 3);
		CU_ASSERT (takes ("2356"));
		end ();
	}
}

/* One before the driver could see them: all are repeated. */
static void
a_publication_that_did_not_happen (void)
{
	begin ();
	CU_ASSERT_EQUAL (guest_start (&guest), 0);
	offer ("0123");
	CU_ASSERT (takes ("0123"));
	give ("0");
	put16 (NEXT_OF (2), get16 (LAST_BATCH_HEAD));
	put16 (LAST_BATCH_HEAD, 2);
	CU_ASSERT_EQUAL (start_again (0), 0);
	CU_ASSERT (takes ("123"));
	give ("012");
	CU_ASSERT_EQUAL (guest_used_idx (&guest), 4);
	CU_ASSERT_EQUAL (noted (), 0);
	end ();
}

/* A turn's budget, and a batch that ends inside. */
static void
a_turn_bounds_what_is_taken_again (void)
{
	begin ();
	CU_ASSERT_EQUAL (guest_start (&guest), 0);
	offer ("01234");
	CU_ASSERT (takes ("01234"));
	CU_ASSERT_EQUAL (start_again (0), 0);
	ring_new_turn (guest.ring, 3);
	CU_ASSERT (ring_has_work (guest.ring));
	CU_ASSERT (takes ("012"));
	CU_ASSERT_EQUAL (vh_ring_take (guest.ring, reqs, SIZE), 0);
	CU_ASSERT (ring_kicks_on (guest.ring));	/* some are left */
	ring_new_turn (guest.ring, SIZE);
	CU_ASSERT (takes ("34"));
	CU_ASSERT_FALSE (ring_has_work (guest.ring));
	end ();
}

/* Nobody knows whether the one that died called; every listener is called once, as soon as there is one. */
static void
the_driver_is_called_at_once (void)
{
	int call = eventfd (0, EFD_NONBLOCK), other = eventfd (0, EFD_NONBLOCK);
	eventfd_t n;

	begin ();
	CU_ASSERT_EQUAL (guest_start (&guest), 0);
	ring_set_call (guest.ring, call);
	CU_ASSERT_EQUAL (eventfd_read (call, &n), -1);	/* these records are new */
	CU_ASSERT_EQUAL (start_again (0), 0);
	ring_set_call (guest.ring, call);
	CU_ASSERT (eventfd_read (call, &n) == 0 && n == 1);
	ring_set_call (guest.ring, call);
	CU_ASSERT_EQUAL (eventfd_read (call, &n), -1);
	ring_set_call (guest.ring, other);
	CU_ASSERT (eventfd_read (other, &n) == 0 && n == 1);
	end ();
	close (call);
	close (other);
}

/* A guest that starts anew, with a front-end that keeps the area. */
static void
a_ring_at_its_beginning (void)
{
	begin ();
	put16 (RECORDS_VERSION, 1);
	put16 (DESC_NUM, ENTRIES);
	put16 (USED_IDX, 1000);
	put_record (3, 5);
	CU_ASSERT_EQUAL (guest_start (&guest), 0);
	CU_ASSERT_EQUAL (noted (), 0);
	CU_ASSERT_EQUAL (get16 (USED_IDX), 0);
	offer ("2");
	CU_ASSERT (takes ("2"));
	end ();
}

/* --- what nobody should have written --- */

static void
prepare_records (void)
{
	begin ();
	CU_ASSERT_EQUAL_FATAL (guest_start (&guest), 0);
	offer ("0123");
	CU_ASSERT_FATAL (takes ("0123"));
	give ("01");
}

static void
numbers_that_make_no_sense (void)
{
	static const struct {
		unsigned offset;
		uint16_t value;
	} cases[] = {
		{ RECORDS_VERSION, 2 }, { RECORDS_VERSION, 0xffff }, { DESC_NUM, 0 }, { DESC_NUM, SIZE - 1 }, { DESC_NUM, ENTRIES + 1 }, { DESC_NUM, 0xffff },
		{ USED_IDX, 0xffff - SIZE }, { USED_IDX, 1000 }, { USED_IDX, 3 }, { ENTRY (SIZE), 1 }, { ENTRY (ENTRIES - 1), 0xff },
	};

	for (unsigned i = 0; i < sizeof (cases) / sizeof (cases[0]); i++) {
		prepare_records ();
		put16 (cases[i].offset, cases[i].value);
		CU_ASSERT_EQUAL (start_again (0), -EPROTO);
		CU_ASSERT_PTR_NULL (guest.ring);
		end ();
	}
}

/* The list of the last publication leads outside, or to itself. */
static void
lists_that_make_no_sense (void)
{
	static const uint16_t outside[] = { SIZE, ENTRIES, 0x7fff, 0xffff };

	for (unsigned i = 0; i < sizeof (outside) / sizeof (outside[0]); i++) {
		prepare_records ();
		put16 (USED_IDX, 0);
		put16 (LAST_BATCH_HEAD, outside[i]);
		CU_ASSERT_EQUAL (start_again (0), -EPROTO);
		end ();
		prepare_records ();
		put16 (USED_IDX, 0);
		put16 (NEXT_OF (1), outside[i]);
		CU_ASSERT_EQUAL (start_again (0), -EPROTO);
		end ();
	}
	prepare_records ();
	put16 (USED_IDX, (uint16_t) (2 - SIZE));
	put16 (NEXT_OF (1), 1);
	CU_ASSERT_EQUAL (start_again (0), 0);
	CU_ASSERT (takes ("23"));
	end ();
}

static void
an_area_of_ones (void)
{
	begin ();
	memset (area, 0xff, 16 + 16 * ENTRIES);
	CU_ASSERT_EQUAL (guest_start (&guest), -EPROTO);
	end ();
}

/* Two requests of one number: each once, and always in one order. */
static void
numbers_that_are_the_same (void)
{
	prepare_records ();
	put_record (2, 9);
	put_record (3, 9);
	CU_ASSERT_EQUAL (start_again (0), 0);
	CU_ASSERT (takes ("23"));
	end ();
}

/* More in flight than the driver ever made available: the index is behind what is taken then. */
static void
records_of_what_was_never_there (void)
{
	prepare_records ();
	for (unsigned head = 0; head < SIZE; head++)
		put_record (head, head);
	CU_ASSERT_EQUAL (start_again (0), 0);
	CU_ASSERT_EQUAL (vh_ring_take (guest.ring, reqs, SIZE), (int) SIZE);
	CU_ASSERT_EQUAL (vh_ring_take (guest.ring, reqs, SIZE), -EPROTO);
	CU_ASSERT_EQUAL (guest.broken, 1);
	end ();
}

/* A record whose chain is bad by now: that breaks the ring as any bad chain does. */
static void
a_record_of_a_bad_chain (void)
{
	prepare_records ();
	guest_desc (&guest, GUEST_DESC, 3, GUEST_DATA, 16, NEXT, 200);
	CU_ASSERT_EQUAL (start_again (0), 0);
	CU_ASSERT_EQUAL (vh_ring_take (guest.ring, reqs, SIZE), -EPROTO);
	end ();
}

static void
parts_that_do_not_fit (void)
{
	begin ();
	guest.setup.inflight.entries = SIZE - 1;
	CU_ASSERT_EQUAL (guest_start (&guest), -EINVAL);
	guest.setup.inflight.entries = 0;
	CU_ASSERT_EQUAL (guest_start (&guest), -EINVAL);
	guest.setup.inflight.entries = ENTRIES;
	guest.setup.inflight.offset = guest.setup.inflight.region->spec.size - (16 + 16 * ENTRIES) + 8;
	CU_ASSERT_EQUAL (guest_start (&guest), -EINVAL);
	guest.setup.inflight.offset -= 4;
	CU_ASSERT_EQUAL (guest_start (&guest), -EINVAL);
	guest.setup.inflight.offset = UINT64_MAX - 7;
	CU_ASSERT_EQUAL (guest_start (&guest), -EINVAL);
	guest.setup.inflight.offset = guest.setup.inflight.region->spec.size - (16 + 16 * ENTRIES);
	CU_ASSERT_EQUAL (guest_start (&guest), 0);
	guest.setup.inflight.offset = inflight_part_size (false, ENTRIES);
	end ();
}

static void
the_sizes_of_parts (void)
{
	CU_ASSERT_EQUAL (inflight_part_size (false, 1), 64);
	CU_ASSERT_EQUAL (inflight_part_size (false, 3), 64);
	CU_ASSERT_EQUAL (inflight_part_size (false, 4), 128);
	CU_ASSERT_EQUAL (inflight_part_size (false, 32768), 64 + 16 * 32768);
	CU_ASSERT_EQUAL (inflight_part_size (true, 1), 64);
	CU_ASSERT_EQUAL (inflight_part_size (true, 2), 128);
	CU_ASSERT_EQUAL (inflight_part_size (true, 32768), 64 + 32 * 32768);
}

/* The file behind the area shrinks under a ring that runs. */
static void
an_area_that_shrinks (void)
{
	CU_ASSERT_EQUAL (vh_memory_guard (), 0);
	begin ();
	CU_ASSERT_EQUAL (guest_start (&guest), 0);
	offer ("01");
	CU_ASSERT (takes ("01"));
	CU_ASSERT_EQUAL (ftruncate (area_fd, 0), 0);
	give ("0");
	offer ("2");
	CU_ASSERT_EQUAL (vh_ring_take (guest.ring, reqs, SIZE), -EFAULT);
	CU_ASSERT_EQUAL (guest.broken, 1);
	end ();
}

/* A device that leaves all in the ring, of before and of now, gets it in the same order; there is no turn for that alone. */
static void
what_is_put_back_is_taken_again (void)
{
	begin ();
	CU_ASSERT_EQUAL (guest_start (&guest), 0);
	offer ("012");
	CU_ASSERT (takes ("012"));
	CU_ASSERT_EQUAL (start_again (0), 0);
	offer ("34");
	CU_ASSERT_EQUAL (vh_ring_take (guest.ring, reqs, 2), 2);
	CU_ASSERT_EQUAL (vh_ring_take (guest.ring, reqs + 2, 2), 1);
	CU_ASSERT_EQUAL (vh_ring_take (guest.ring, reqs + 3, 1), 1);
	vh_ring_untake (guest.ring, reqs + 1, 3);
	CU_ASSERT_EQUAL (vh_ring_in_flight (guest.ring), 1);
	ring_kicks_on (guest.ring);
	CU_ASSERT_FALSE (ring_kicks_on (guest.ring));
	CU_ASSERT_EQUAL (vh_ring_take (guest.ring, reqs + 1, 4), 2);
	CU_ASSERT_EQUAL (vh_ring_take (guest.ring, reqs + 3, 4), 2);
	vh_ring_untake (guest.ring, reqs, 5);
	CU_ASSERT (takes ("012"));
	CU_ASSERT (takes ("34"));
	end ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "a new area is prepared", a_new_area_is_prepared },
		{ "requests are noted until they are used", requests_are_noted_until_they_are_used },
		{ "what was in flight is taken again in order", what_was_in_flight_is_taken_again_in_order },
		{ "numbers go on after a start", numbers_go_on_after_a_start },
		{ "numbers that wrap", numbers_that_wrap },
		{ "a publication that was not cleared up after", a_publication_that_was_not_cleared_up_after },
		{ "a publication that did not happen", a_publication_that_did_not_happen },
		{ "a turn bounds what is taken again", a_turn_bounds_what_is_taken_again },
		{ "the driver is called at once", the_driver_is_called_at_once },
		{ "a ring at its beginning", a_ring_at_its_beginning },
		{ "numbers that make no sense", numbers_that_make_no_sense },
		{ "lists that make no sense", lists_that_make_no_sense },
		{ "an area of ones", an_area_of_ones },
		{ "numbers that are the same", numbers_that_are_the_same },
		{ "records of what was never there", records_of_what_was_never_there },
		{ "a record of a bad chain", a_record_of_a_bad_chain },
		{ "parts that do not fit", parts_that_do_not_fit },
		{ "the sizes of parts", the_sizes_of_parts },
		{ "an area that shrinks", an_area_that_shrinks },
		{ "what is put back is taken again", what_is_put_back_is_taken_again },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("in-flight records", tests);
}
