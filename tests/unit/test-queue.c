/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver's side of a split ring, against a device that this test plays in the same memory: right ones, and ones that break the rules.
 */
#include <errno.h>
#include <linux/virtio_ring.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/queue-rig.h"

#define SIZE 8

/* The device's view of the ring. */
static struct {
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t next;
} device;

static void
begin (uint64_t features, unsigned indirect, unsigned regions)
{
	struct queue_options options = { .size = SIZE, .features = features, .indirect = indirect };
	struct vh_vring_addr addr;

	rig_open (&options, regions, &addr);
	memset (&device, 0, sizeof (device));
	device.desc = (void *) (uintptr_t) addr.desc;
	device.avail = (void *) (uintptr_t) addr.avail;
	device.used = (void *) (uintptr_t) addr.used;
}

static uint16_t
device_takes (void)
{
	CU_ASSERT_NOT_EQUAL (device.avail->idx, device.next);
	return device.avail->ring[device.next++ % SIZE];
}

static void
device_uses (uint32_t id, uint32_t len)
{
	device.used->ring[device.used->idx % SIZE] = (struct vring_used_elem){ .id = id, .len = len };
	device.used->idx++;
}

static void
device_calls (void)
{
	uint64_t one = 1;

	CU_ASSERT_EQUAL (write (queue_call_fd (queue), &one, sizeof (one)), 8);
}

/* --- a device that keeps the rules --- */

static void
test_chain (void)
{
	struct queue_done done;
	int token;
	uint16_t i;

	begin (0, 0, 1);
	CU_ASSERT_EQUAL (add (3, &token), 0);
	CU_ASSERT_EQUAL (device.avail->idx, 0);	/* nothing is visible before it is published */
	CU_ASSERT_EQUAL (queue_publish (queue), 0);
	CU_ASSERT_EQUAL (kicks (), 1);
	CU_ASSERT_EQUAL (device.avail->idx, 1);
	i = device_takes ();
	CU_ASSERT_EQUAL (device.desc[i].addr, GUEST_BASE);
	CU_ASSERT_EQUAL (device.desc[i].len, 16);
	CU_ASSERT_EQUAL (device.desc[i].flags, VRING_DESC_F_NEXT);
	i = device.desc[i].next;
	CU_ASSERT_EQUAL (device.desc[i].flags, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE);
	i = device.desc[i].next;
	CU_ASSERT_EQUAL (device.desc[i].addr, GUEST_BASE + 0x200);
	CU_ASSERT_EQUAL (device.desc[i].flags, VRING_DESC_F_WRITE);
	CU_ASSERT_EQUAL (queue_reap (queue, &done, 1), 0);
	device_uses (device.avail->ring[0], 17 + 18);
	CU_ASSERT_EQUAL (queue_reap (queue, &done, 1), 1);
	CU_ASSERT_PTR_EQUAL (done.token, &token);
	CU_ASSERT_EQUAL (done.written, 35);
	rig_close ();
}

static void
test_indirect (void)
{
	struct vring_desc *table;
	uint16_t i;

	begin (VH_BIT (VH_F_INDIRECT_DESC), 4, 1);
	for (unsigned n = 0; n < SIZE; n++)
		CU_ASSERT_EQUAL (add (4, NULL), 0);
	CU_ASSERT_EQUAL (add (4, NULL), -ENOSPC);
	CU_ASSERT_EQUAL (queue_publish (queue), 0);
	for (unsigned n = 0; n < SIZE; n++) {
		i = device_takes ();
		CU_ASSERT_EQUAL (device.desc[i].flags, VRING_DESC_F_INDIRECT);
		CU_ASSERT_EQUAL (device.desc[i].len, 4 * 16);
		table = guest_at (&guest, device.desc[i].addr);
		CU_ASSERT_EQUAL (table[0].flags, VRING_DESC_F_NEXT);
		CU_ASSERT_EQUAL (table[0].next, 1);
		CU_ASSERT_EQUAL (table[3].flags, VRING_DESC_F_WRITE);
		CU_ASSERT_EQUAL (table[3].len, 19);
	}
	rig_close ();
}

/* One that is longer than the tables goes into the ring. */
static void
test_too_long_for_a_table (void)
{
	begin (VH_BIT (VH_F_INDIRECT_DESC), 4, 1);
	CU_ASSERT_EQUAL (add (5, NULL), 0);
	CU_ASSERT_EQUAL (add (4, NULL), 0);
	CU_ASSERT_EQUAL (add (3, NULL), 0);
	CU_ASSERT_EQUAL (add (2, NULL), 0);
	CU_ASSERT_EQUAL (add (2, NULL), -ENOSPC);
	rig_close ();
}

/* More requests than indices have numbers, used in another order than added. */
static void
test_many_rounds (void)
{
	struct queue_done done[2];
	int tokens[2];
	uint32_t position;

	begin (0, 0, 1);
	for (unsigned round = 0; round < 40000; round++) {
		uint16_t a, b;

		CU_ASSERT_EQUAL_FATAL (add (3, &tokens[0]), 0);
		CU_ASSERT_EQUAL_FATAL (add (2, &tokens[1]), 0);
		CU_ASSERT_EQUAL (queue_publish (queue), 0);
		CU_ASSERT_FALSE (queue_position (queue, &position));
		a = device_takes ();
		b = device_takes ();
		device_uses (b, 0);
		device_uses (a, 1);
		CU_ASSERT_EQUAL_FATAL (queue_reap (queue, done, 2), 2);
		CU_ASSERT_PTR_EQUAL (done[0].token, &tokens[1]);
		CU_ASSERT_PTR_EQUAL (done[1].token, &tokens[0]);
	}
	CU_ASSERT_TRUE (queue_position (queue, &position));
	CU_ASSERT_EQUAL (position, 80000 % 65536);
	rig_close ();
}

static void
test_full_ring (void)
{
	struct queue_done done;

	begin (0, 0, 1);
	CU_ASSERT_EQUAL (add (3, NULL), 0);
	CU_ASSERT_EQUAL (add (5, NULL), 0);
	CU_ASSERT_EQUAL (add (1, NULL), -ENOSPC);
	CU_ASSERT_EQUAL (queue_publish (queue), 0);
	device_uses (device_takes (), 0);
	CU_ASSERT_EQUAL (queue_reap (queue, &done, 1), 1);
	CU_ASSERT_EQUAL (add (4, NULL), -ENOSPC);
	CU_ASSERT_EQUAL (add (3, NULL), 0);
	rig_close ();
}

/* --- notifications --- */

static void
test_kick_is_suppressed_by_flag (void)
{
	begin (0, 0, 1);
	device.used->flags = VRING_USED_F_NO_NOTIFY;
	add (1, NULL);
	CU_ASSERT_EQUAL (queue_publish (queue), 0);
	CU_ASSERT_EQUAL (kicks (), 0);
	device.used->flags = 0;
	CU_ASSERT_EQUAL (queue_publish (queue), 0);	/* nothing new */
	CU_ASSERT_EQUAL (kicks (), 0);
	add (1, NULL);
	CU_ASSERT_EQUAL (queue_publish (queue), 0);
	CU_ASSERT_EQUAL (kicks (), 1);
	rig_close ();
}

static void
test_kick_is_suppressed_by_event (void)
{
	__virtio16 *avail_event;

	begin (VH_BIT (VH_F_EVENT_IDX), 0, 1);
	avail_event = (__virtio16 *) &device.used->ring[SIZE];
	*avail_event = 2;
	add (1, NULL);
	CU_ASSERT_EQUAL (queue_publish (queue), 0);
	CU_ASSERT_EQUAL (kicks (), 0);
	add (1, NULL);
	add (1, NULL);
	CU_ASSERT_EQUAL (queue_publish (queue), 0);	/* past the third */
	CU_ASSERT_EQUAL (kicks (), 1);
	add (1, NULL);
	CU_ASSERT_EQUAL (queue_publish (queue), 0);
	CU_ASSERT_EQUAL (kicks (), 0);
	rig_close ();
}

static void
test_waiting (void)
{
	struct queue_done done;
	struct queue_counters counters;

	begin (0, 0, 1);
	add (2, NULL);
	queue_publish (queue);
	CU_ASSERT_EQUAL (queues_wait (&queue, 1, 0), 0);
	CU_ASSERT_EQUAL (device.avail->flags, VRING_AVAIL_F_NO_INTERRUPT);	/* but while it waits */
	device_uses (device_takes (), 0);
	CU_ASSERT_EQUAL (queues_wait (&queue, 1, 0), 1);	/* without a call */
	CU_ASSERT_EQUAL (queue_reap (queue, &done, 1), 1);
	device_calls ();
	CU_ASSERT_EQUAL (queues_wait (&queue, 1, 0), 1);
	CU_ASSERT_EQUAL (queues_wait (&queue, 1, 0), 0);
	queue_get_counters (queue, &counters);
	CU_ASSERT_EQUAL (counters.kicks, 1);
	CU_ASSERT_EQUAL (counters.calls, 1);
	rig_close ();
}

static void
test_used_event (void)
{
	struct queue_done done;

	begin (VH_BIT (VH_F_EVENT_IDX), 0, 1);
	add (2, NULL);
	queue_publish (queue);
	device_uses (device_takes (), 0);
	CU_ASSERT_EQUAL (queue_reap (queue, &done, 1), 1);
	CU_ASSERT_EQUAL (device.avail->ring[SIZE], 0);
	CU_ASSERT_EQUAL (queues_wait (&queue, 1, 0), 0);
	CU_ASSERT_EQUAL (device.avail->ring[SIZE], 1);
	CU_ASSERT_EQUAL (device.avail->flags, 0);
	rig_close ();
}

static void
test_broken_ring_is_told (void)
{
	uint64_t one = 1;

	begin (0, 0, 1);
	CU_ASSERT_EQUAL (write (queue_err_fd (queue), &one, sizeof (one)), 8);
	CU_ASSERT_EQUAL (queues_wait (&queue, 1, 0), -EIO);
	rig_close ();
}

/* --- a device that breaks the rules --- */

static void
refuse_used (uint32_t id, uint32_t len, unsigned jump)
{
	struct queue_done done[SIZE];

	begin (0, 0, 1);
	add (3, NULL);
	add (1, NULL);
	queue_publish (queue);
	device.used->ring[0] = (struct vring_used_elem){ .id = id, .len = len };
	device.used->idx += jump;
	CU_ASSERT_EQUAL (queue_reap (queue, done, SIZE), -EPROTO);
	rig_close ();
}

static void
test_hostile_used_elements (void)
{
	refuse_used (SIZE, 0, 1);
	refuse_used (UINT32_MAX, 0, 1);
	refuse_used (1, 0, 1);		/* in a chain, but not its head */
	refuse_used (4, 0, 1);		/* free */
	refuse_used (0, 17 + 18 + 1, 1);
	refuse_used (3, 1, 1);		/* nothing there is writable */
	refuse_used (0, UINT32_MAX, 1);
	refuse_used (0, 0, 3);		/* more than are in flight */
	refuse_used (0, 0, 65535);	/* backwards */
}

static void
test_used_twice (void)
{
	struct queue_done done;

	begin (0, 0, 1);
	add (1, NULL);
	add (1, NULL);
	queue_publish (queue);
	device_uses (0, 0);
	device_uses (0, 0);
	CU_ASSERT_EQUAL (queue_reap (queue, &done, 1), 1);
	CU_ASSERT_EQUAL (queue_reap (queue, &done, 1), -EPROTO);
	rig_close ();
}

/* What the device does to descriptors has no effect on which are free. */
static void
test_descriptors_overwritten (void)
{
	struct queue_done done;

	begin (0, 0, 1);
	for (unsigned round = 0; round < 10; round++) {
		CU_ASSERT_EQUAL (add (SIZE, NULL), 0);
		queue_publish (queue);
		memset (device.desc, 0xff, 16 * SIZE);
		device_uses (device_takes (), 0);
		CU_ASSERT_EQUAL (queue_reap (queue, &done, 1), 1);
	}
	rig_close ();
}

/* --- making --- */

static void
test_bad_options (void)
{
	static const struct queue_options bad[] = {
		{ .size = 0 },
		{ .size = 3 },
		{ .size = 65536 },
		{ .size = 0, .features = VH_BIT (VH_F_RING_PACKED) },
		{ .size = 32769, .features = VH_BIT (VH_F_RING_PACKED) },
	};
	struct queue_options huge = { .size = 32768 };
	struct queue *q = NULL;

	begin (0, 0, 1);
	for (unsigned i = 0; i < sizeof (bad) / sizeof (bad[0]); i++)
		CU_ASSERT_EQUAL (queue_new (&guest, &bad[i], &q), -EINVAL);
	CU_ASSERT_EQUAL (queue_new (&guest, &huge, &q), -ENOMEM);
	CU_ASSERT_PTR_NULL (q);
	CU_ASSERT_EQUAL (add (1, NULL), 0);
	CU_ASSERT_EQUAL (queue_add (queue, NULL, 0, 0, NULL), -EINVAL);
	rig_close ();
}

/* A ring's parts lie in one region each; the regions are adjacent. */
static void
test_whole_allocations (void)
{
	uint64_t addr;

	begin (0, 0, 16);
	CU_ASSERT_EQUAL (guest.regions, 16);
	for (unsigned i = 0; guest_alloc (&guest, 3000, 16, true, &addr) == 0; i++) {
		CU_ASSERT_EQUAL (addr % 16, 0);
		CU_ASSERT_EQUAL ((addr - GUEST_BASE) / guest.region_size, (addr + 2999 - GUEST_BASE) / guest.region_size);
		CU_ASSERT_FATAL (i < 100);
	}
	CU_ASSERT_EQUAL (guest_alloc (&guest, guest.region_size + 1, 1, true, &addr), -ENOMEM);
	CU_ASSERT_EQUAL (guest_alloc (&guest, guest.size + 1, 1, false, &addr), -ENOMEM);
	rig_close ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "a chain", test_chain },
		{ "chains in indirect tables", test_indirect },
		{ "too long for a table", test_too_long_for_a_table },
		{ "many rounds, in another order", test_many_rounds },
		{ "a full ring", test_full_ring },
		{ "kicks suppressed by the flag", test_kick_is_suppressed_by_flag },
		{ "kicks suppressed by the event index", test_kick_is_suppressed_by_event },
		{ "waiting", test_waiting },
		{ "waiting with the event index", test_used_event },
		{ "a broken ring is told", test_broken_ring_is_told },
		{ "hostile used elements", test_hostile_used_elements },
		{ "used twice", test_used_twice },
		{ "descriptors overwritten", test_descriptors_overwritten },
		{ "options that cannot be", test_bad_options },
		{ "allocations in one region", test_whole_allocations },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("driver's queue", tests);
}
