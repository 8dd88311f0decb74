/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rings of big-endian guests of old (no VERSION_1): every field is in their byte order.  All is written by hand here, byte by byte.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/suite.h"
#include "tests/unit/guest.h"

#define SIZE 8
#define TABLE (GUEST_BASE + 0x200000)

static struct guest g;
static uint16_t avail;

static void
put (uint64_t addr, uint64_t value, unsigned bytes)
{
	unsigned char *p = guest_at (&g, addr);

	for (unsigned i = 0; i < bytes; i++)
		p[i] = (unsigned char) (value >> 8 * (bytes - 1 - i));
}

static uint64_t
get (uint64_t addr, unsigned bytes)
{
	const unsigned char *p = guest_at (&g, addr);
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | p[i];
	return value;
}

static int
begin (uint64_t features, uint16_t base)
{
	guest_open (&g, SIZE, features);
	g.setup.features &= ~VH_BIT (VH_F_VERSION_1);
	g.setup.big_endian = true;
	g.setup.base = avail = base;
	put (GUEST_AVAIL + 2, base, 2);
	put (GUEST_USED + 2, base, 2);
	return ring_new (&g.setup, &g.ring);
}

static void
desc (uint64_t table, unsigned i, uint64_t addr, uint32_t len, unsigned flags, unsigned next)
{
	put (table + 16 * i, addr, 8);
	put (table + 16 * i + 8, len, 4);
	put (table + 16 * i + 12, flags, 2);
	put (table + 16 * i + 14, next, 2);
}

static void
offer (unsigned head)
{
	put (GUEST_AVAIL + 4 + 2 * (avail % SIZE), head, 2);
	put (GUEST_AVAIL + 2, ++avail, 2);
}

static void
requests_are_served (void)
{
	struct vh_request *r;

	CU_ASSERT_EQUAL_FATAL (begin (VH_BIT (VH_F_INDIRECT_DESC), 0xfff0), 0);
	CU_ASSERT_EQUAL (vh_ring_is_big_endian (g.ring), 1);
	for (unsigned i = 0; i < 40; i++) {
		unsigned head = i % 3;
		uint16_t at = avail;

		desc (GUEST_DESC, head, GUEST_DATA + 0x1234, 0x1002, NEXT, head + 3);
		desc (GUEST_DESC, head + 3, GUEST_DATA + 0x5678, 0x304, NEXT, 7);
		desc (GUEST_DESC, 7, TABLE, 32, INDIRECT, 0);
		desc (TABLE, 0, GUEST_DATA + 0x9abc, 0x506, NEXT | WRITE, 1);
		desc (TABLE, 1, GUEST_DATA, 1, WRITE, 0);
		CU_ASSERT_FALSE (ring_has_work (g.ring));
		offer (head);
		CU_ASSERT (ring_has_work (g.ring));
		ring_new_turn (g.ring, 1);
		CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, &r, 1), 1);
		CU_ASSERT_EQUAL (r->error, 0);
		CU_ASSERT_EQUAL (r->out_bytes, 0x1306);
		CU_ASSERT_EQUAL (r->in_bytes, 0x507);
		CU_ASSERT_EQUAL (r->n_out, 2);
		CU_ASSERT_PTR_EQUAL (r->out[1].iov_base, guest_host (&g, GUEST_DATA + 0x5678));
		guest_give (&g, r, 0x507);
		CU_ASSERT_EQUAL (get (GUEST_USED + 2, 2), (uint16_t) (at + 1));
		CU_ASSERT_EQUAL (get (GUEST_USED + 4 + 8 * (at % SIZE), 4), head);
		CU_ASSERT_EQUAL (get (GUEST_USED + 8 + 8 * (at % SIZE), 4), 0x507);
	}
	CU_ASSERT_EQUAL (ring_base (g.ring), avail);
	CU_ASSERT_EQUAL (g.broken, 0);
	guest_close (&g);
}

static void
rules_are_kept (void)
{
	struct vh_request *r;

	CU_ASSERT_EQUAL_FATAL (begin (0, 0), 0);
	desc (GUEST_DESC, 0, GUEST_DATA, 1, NEXT, 8);
	offer (0);
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, &r, 1), -EPROTO);
	guest_close (&g);

	CU_ASSERT_EQUAL_FATAL (begin (0, 0), 0);
	offer (8);
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, &r, 1), -EPROTO);
	guest_close (&g);

	CU_ASSERT_EQUAL_FATAL (begin (0, 0), 0);
	put (GUEST_AVAIL + 2, 9, 2);
	CU_ASSERT_EQUAL (vh_ring_take (g.ring, &r, 1), -EPROTO);
	guest_close (&g);
}

static unsigned
serve (int fd)
{
	struct vh_request *r;
	uint64_t calls;

	desc (GUEST_DESC, 1, GUEST_DATA, 1, WRITE, 0);
	offer (1);
	ring_new_turn (g.ring, 1);
	CU_ASSERT_EQUAL_FATAL (vh_ring_take (g.ring, &r, 1), 1);
	guest_give (&g, r, 1);
	return read (fd, &calls, sizeof (calls)) == sizeof (calls) ? (unsigned) calls : 0;
}

static void
notifications_by_flags (void)
{
	int fd = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);

	CU_ASSERT_EQUAL_FATAL (begin (0, 0), 0);
	ring_set_call (g.ring, fd);
	CU_ASSERT_EQUAL (serve (fd), 1);
	put (GUEST_AVAIL, 1, 2);
	CU_ASSERT_EQUAL (serve (fd), 0);
	put (GUEST_AVAIL, 0x0100, 2);
	CU_ASSERT_EQUAL (serve (fd), 1);
	ring_kicks_off (g.ring);
	CU_ASSERT_EQUAL (get (GUEST_USED, 2), 1);
	ring_kicks_on (g.ring);
	CU_ASSERT_EQUAL (get (GUEST_USED, 2), 0);
	guest_close (&g);
	close (fd);
}

static void
notifications_by_event_index (void)
{
	int fd = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);

	CU_ASSERT_EQUAL_FATAL (begin (VH_BIT (VH_F_EVENT_IDX), 0xfe), 0);
	ring_set_call (g.ring, fd);
	CU_ASSERT_EQUAL (serve (fd), 1);
	put (GUEST_AVAIL + 4 + 2 * SIZE, 0x100, 2);
	CU_ASSERT_EQUAL (serve (fd), 0);
	CU_ASSERT_EQUAL (serve (fd), 1);
	CU_ASSERT (ring_kicks_on (g.ring) || !ring_has_work (g.ring));
	CU_ASSERT_FALSE (ring_kicks_on (g.ring));
	CU_ASSERT_EQUAL (get (GUEST_USED + 4 + 8 * SIZE, 2), 0x101);
	offer (1);
	ring_new_turn (g.ring, 1);
	CU_ASSERT (ring_has_news (g.ring));
	CU_ASSERT_FALSE (ring_has_news (g.ring));
	guest_close (&g);
	close (fd);
}

/* With VERSION_1 it is little-endian, whatever was said; packed rings are never anything else. */
static void
only_of_old (void)
{
	guest_open (&g, SIZE, 0);
	g.setup.big_endian = true;
	CU_ASSERT_EQUAL_FATAL (guest_start (&g), 0);
	CU_ASSERT_EQUAL (vh_ring_is_big_endian (g.ring), 0);
	guest_close (&g);
	CU_ASSERT_EQUAL (begin (VH_BIT (VH_F_RING_PACKED), 0x8000), -EOPNOTSUPP);
	guest_close (&g);
	/* Of old, and little-endian. */
	guest_open (&g, SIZE, 0);
	g.setup.features = 0;
	CU_ASSERT_EQUAL_FATAL (guest_start (&g), 0);
	CU_ASSERT_EQUAL (vh_ring_is_big_endian (g.ring), 0);
	guest_close (&g);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "requests are served", requests_are_served },
		{ "rules are kept", rules_are_kept },
		{ "notifications by flags", notifications_by_flags },
		{ "notifications by event index", notifications_by_event_index },
		{ "only of old", only_of_old },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("swapped", tests);
}
