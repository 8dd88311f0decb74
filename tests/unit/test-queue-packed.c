/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver's side of a packed ring, against a device that this test plays in the same memory: right ones, and ones that break the rules.
 */
#include <errno.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "tests/unit/queue-rig.h"

#define WRAP 0x8000u
#define AVAIL 0x80u
#define USED 0x8000u
#define MAX_SIZE 16

/* The device's view of the ring; positions have the wrap counter in bit 15. */
static struct {
	struct vring_packed_desc *desc;
	struct vring_packed_desc_event *driver, *device;
	unsigned size;
	uint16_t next, used;
} device;

static void
begin (unsigned size, uint64_t features, unsigned indirect)
{
	struct queue_options options = { .size = size, .features = features | VH_BIT (VH_F_RING_PACKED), .indirect = indirect };
	struct vh_vring_addr addr;

	rig_open (&options, 1, &addr);
	memset (&device, 0, sizeof (device));
	device.desc = (void *) (uintptr_t) addr.desc;
	device.driver = (void *) (uintptr_t) addr.avail;
	device.device = (void *) (uintptr_t) addr.used;
	device.size = size;
	device.next = device.used = WRAP;
}

static uint16_t
forward (uint16_t position, unsigned n)
{
	for (; n > 0; n--)
		position = (uint16_t) ((position & ~WRAP) + 1 == device.size ? (position & WRAP) ^ WRAP : position + 1u);
	return position;
}

static bool
device_sees (void)
{
	unsigned flags = device.desc[device.next & ~WRAP].flags;

	return (flags & (AVAIL | USED)) == (device.next & WRAP ? AVAIL : USED);
}

/* Takes a chain; returns its id, sets its length. */
static uint16_t
device_takes (unsigned *length)
{
	const struct vring_packed_desc *d;

	CU_ASSERT_FATAL (device_sees ());
	for (*length = 1;; ++*length) {
		d = &device.desc[device.next & ~WRAP];
		device.next = forward (device.next, 1);
		if (!(d->flags & VRING_DESC_F_NEXT))
			return d->id;
	}
}

static void
device_uses (uint16_t id, uint32_t len, unsigned length)
{
	struct vring_packed_desc *d = &device.desc[device.used & ~WRAP];

	d->id = id;
	d->len = len;
	d->flags = device.used & WRAP ? AVAIL | USED : 0;
	device.used = forward (device.used, length);
}

/* --- a device that keeps the rules --- */

static void
test_chain (void)
{
	struct queue_done done;
	uint32_t position;
	unsigned length;
	int token;
	uint16_t id;

	begin (5, 0, 0);
	CU_ASSERT_TRUE (queue_position (queue, &position));
	CU_ASSERT_EQUAL (position, 0x80008000);
	CU_ASSERT_EQUAL (add (3, &token), 0);
	CU_ASSERT_EQUAL (add (2, NULL), 0);
	CU_ASSERT_FALSE (device_sees ());	/* nothing is visible before it is published */
	CU_ASSERT_EQUAL (queue_publish (queue), 0);
	CU_ASSERT_EQUAL (kicks (), 1);
	CU_ASSERT_EQUAL (device.desc[0].addr, GUEST_BASE);
	CU_ASSERT_EQUAL (device.desc[0].len, 16);
	CU_ASSERT_EQUAL (device.desc[0].flags, AVAIL | VRING_DESC_F_NEXT);
	CU_ASSERT_EQUAL (device.desc[1].flags, AVAIL | VRING_DESC_F_NEXT | VRING_DESC_F_WRITE);
	CU_ASSERT_EQUAL (device.desc[2].addr, GUEST_BASE + 0x200);
	CU_ASSERT_EQUAL (device.desc[2].flags, AVAIL | VRING_DESC_F_WRITE);
	id = device_takes (&length);
	CU_ASSERT_EQUAL (length, 3);
	CU_ASSERT_EQUAL (queue_reap (queue, &done, 1), 0);
	device_uses (id, 17 + 18, 3);
	CU_ASSERT_FALSE (queue_position (queue, &position));
	CU_ASSERT_EQUAL (queue_reap (queue, &done, 1), 1);
	CU_ASSERT_PTR_EQUAL (done.token, &token);
	CU_ASSERT_EQUAL (done.written, 35);
	device_uses (device_takes (&length), 0, 2);
	CU_ASSERT_EQUAL (queue_reap (queue, &done, 1), 1);
	CU_ASSERT_TRUE (queue_position (queue, &position));
	CU_ASSERT_EQUAL (position, 0);		/* once around */
	rig_close ();
}

static void
test_indirect (void)
{
	struct vring_packed_desc *table;

	begin (4, VH_BIT (VH_F_INDIRECT_DESC), 4);
	for (unsigned n = 0; n < 4; n++)
		CU_ASSERT_EQUAL (add (4, NULL), 0);
	CU_ASSERT_EQUAL (add (4, NULL), -ENOSPC);
	CU_ASSERT_EQUAL (queue_publish (queue), 0);
	for (unsigned n = 0; n < 4; n++) {
		CU_ASSERT_EQUAL (device.desc[n].flags, AVAIL | VRING_DESC_F_INDIRECT);
		CU_ASSERT_EQUAL (device.desc[n].len, 4 * 16);
		table = guest_at (&guest, device.desc[n].addr);
		CU_ASSERT_EQUAL (table[0].flags, 0);
		CU_ASSERT_EQUAL (table[3].flags, VRING_DESC_F_WRITE);
		CU_ASSERT_EQUAL (table[3].len, 19);
	}
	rig_close ();
}

/* Rings of all sizes, many times around, used in another order than added. */
static void
test_many_rounds (void)
{
	for (unsigned size = 3; size <= MAX_SIZE; size++) {
		struct queue_done done[2];
		uint32_t position;
		int tokens[2];

		begin (size, 0, 0);
		for (unsigned round = 0; round < 500; round++) {
			unsigned n = 1 + round % (size - 1), a_length, b_length;
			uint16_t a, b;

			CU_ASSERT_EQUAL_FATAL (add (n, &tokens[0]), 0);
			CU_ASSERT_EQUAL_FATAL (add (1, &tokens[1]), 0);
			CU_ASSERT_EQUAL (queue_publish (queue), 0);
			a = device_takes (&a_length);
			b = device_takes (&b_length);
			CU_ASSERT_FALSE (device_sees ());
			CU_ASSERT_EQUAL (a_length, n);
			device_uses (b, 0, b_length);
			device_uses (a, 0, a_length);
			CU_ASSERT_EQUAL_FATAL (queue_reap (queue, done, 2), 2);
			CU_ASSERT_PTR_EQUAL (done[0].token, &tokens[1]);
			CU_ASSERT_PTR_EQUAL (done[1].token, &tokens[0]);
			CU_ASSERT_TRUE (queue_position (queue, &position));
			CU_ASSERT_EQUAL (position, device.used * 0x10001u);
		}
		rig_close ();
	}
}

static void
test_full_ring (void)
{
	struct queue_done done;
	unsigned length;

	begin (8, 0, 0);
	CU_ASSERT_EQUAL (add (3, NULL), 0);
	CU_ASSERT_EQUAL (add (5, NULL), 0);
	CU_ASSERT_EQUAL (add (1, NULL), -ENOSPC);
	CU_ASSERT_EQUAL (queue_publish (queue), 0);
	CU_ASSERT_EQUAL (queue_reap (queue, &done, 1), 0);
	device_uses (device_takes (&length), 0, 3);
	CU_ASSERT_EQUAL (queue_reap (queue, &done, 1), 1);
	CU_ASSERT_EQUAL (add (4, NULL), -ENOSPC);
	CU_ASSERT_EQUAL (add (3, NULL), 0);
	rig_close ();
}

/* --- notifications --- */

static void
test_kick_is_suppressed_by_flag (void)
{
	begin (8, 0, 0);
	device.device->flags = VRING_PACKED_EVENT_FLAG_DISABLE;
	add (1, NULL);
	CU_ASSERT_EQUAL (queue_publish (queue), 0);
	CU_ASSERT_EQUAL (kicks (), 0);
	device.device->flags = VRING_PACKED_EVENT_FLAG_ENABLE;
	CU_ASSERT_EQUAL (queue_publish (queue), 0);	/* nothing new */
	CU_ASSERT_EQUAL (kicks (), 0);
	add (1, NULL);
	CU_ASSERT_EQUAL (queue_publish (queue), 0);
	CU_ASSERT_EQUAL (kicks (), 1);
	rig_close ();
}

/* Every position that a device can wait for, around the ring: a kick exactly when one of the descriptors is there. */
static void
test_kick_at_a_position (void)
{
	for (unsigned size = 1; size <= 6; size++)
		for (unsigned ahead = 0; ahead < size; ahead++) {
			begin (size, VH_BIT (VH_F_EVENT_IDX), 0);
			device.device->flags = VRING_PACKED_EVENT_FLAG_DESC;
			for (unsigned i = 0; i < 4 * size; i++) {
				struct queue_done done;
				unsigned n = 1 + i % size, length;

				device.device->off_wrap = forward (device.used, ahead);
				CU_ASSERT_EQUAL_FATAL (add (n, NULL), 0);
				CU_ASSERT_EQUAL (queue_publish (queue), 0);
				CU_ASSERT_EQUAL (kicks (), ahead < n);
				device_uses (device_takes (&length), 0, n);
				CU_ASSERT_EQUAL_FATAL (queue_reap (queue, &done, 1), 1);
			}
			rig_close ();
		}
}

static void
test_waiting (void)
{
	struct queue_done done;
	unsigned length;

	begin (8, 0, 0);
	add (2, NULL);
	queue_publish (queue);
	CU_ASSERT_EQUAL (queues_wait (&queue, 1, 0), 0);
	CU_ASSERT_EQUAL (device.driver->flags, VRING_PACKED_EVENT_FLAG_DISABLE);	/* but while it waits */
	device_uses (device_takes (&length), 0, 2);
	CU_ASSERT_EQUAL (queues_wait (&queue, 1, 0), 1);	/* without a call */
	CU_ASSERT_EQUAL (queue_reap (queue, &done, 1), 1);
	CU_ASSERT_EQUAL (queues_wait (&queue, 1, 0), 0);
	rig_close ();
}

static void
test_waiting_at_a_position (void)
{
	struct queue_done done;
	unsigned length;

	begin (3, VH_BIT (VH_F_EVENT_IDX), 0);
	for (unsigned i = 0; i < 10; i++) {
		add (2, NULL);
		queue_publish (queue);
		CU_ASSERT_EQUAL (queues_wait (&queue, 1, 0), 0);
		CU_ASSERT_EQUAL (device.driver->flags, VRING_PACKED_EVENT_FLAG_DESC);
		CU_ASSERT_EQUAL (device.driver->off_wrap, device.used);
		device_uses (device_takes (&length), 0, 2);
		CU_ASSERT_EQUAL (queue_reap (queue, &done, 1), 1);
	}
	rig_close ();
}

/* --- a device that breaks the rules --- */

/* Two chains are in flight: of three descriptors, with id 0, and of one. */
static void
refuse_used (uint16_t id, uint32_t len)
{
	struct queue_done done[8];

	begin (8, 0, 0);
	add (3, NULL);
	add (1, NULL);
	queue_publish (queue);
	device_uses (id, len, 1);
	CU_ASSERT_EQUAL (queue_reap (queue, done, 8), -EPROTO);
	rig_close ();
}

static void
test_hostile_used_descriptors (void)
{
	refuse_used (8, 0);
	refuse_used (0xffff, 0);
	refuse_used (2, 0);	/* not in flight */
	refuse_used (7, 0);
	refuse_used (0, 17 + 18 + 1);
	refuse_used (1, 1);	/* nothing there is writable */
	refuse_used (0, UINT32_MAX);
}

/* A used descriptor for each place and wrap counter, though only one chain is in flight. */
static void
test_more_used_than_available (void)
{
	struct queue_done done[8];

	begin (8, 0, 0);
	add (1, NULL);
	queue_publish (queue);
	for (unsigned i = 0; i < 8; i++)
		device_uses (0, 0, 1);
	CU_ASSERT_EQUAL (queue_reap (queue, done, 8), 1);
	add (1, NULL);
	add (1, NULL);
	queue_publish (queue);
	device.used = forward (WRAP, 1);
	device_uses (0, 0, 1);
	device_uses (0, 0, 1);
	CU_ASSERT_EQUAL (queue_reap (queue, done, 1), 1);
	CU_ASSERT_EQUAL (queue_reap (queue, done, 1), -EPROTO);
	rig_close ();
}

/* What the device does to descriptors has no effect on what is free. */
static void
test_descriptors_overwritten (void)
{
	struct queue_done done;
	unsigned length;

	begin (8, 0, 0);
	for (unsigned round = 0; round < 10; round++) {
		uint16_t id;

		CU_ASSERT_EQUAL (add (8, NULL), 0);
		queue_publish (queue);
		id = device_takes (&length);
		for (unsigned i = 0; i < 8; i++)
			device.desc[i].addr = device.desc[i].len = device.desc[i].id = 0xffff;
		device_uses (id, 0, 8);
		CU_ASSERT_EQUAL_FATAL (queue_reap (queue, &done, 1), 1);
	}
	rig_close ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "a chain", test_chain },
		{ "chains in indirect tables", test_indirect },
		{ "many rounds, in another order", test_many_rounds },
		{ "a full ring", test_full_ring },
		{ "kicks suppressed by the flag", test_kick_is_suppressed_by_flag },
		{ "kicks at a position", test_kick_at_a_position },
		{ "waiting", test_waiting },
		{ "waiting at a position", test_waiting_at_a_position },
		{ "hostile used descriptors", test_hostile_used_descriptors },
		{ "more used than available", test_more_used_than_available },
		{ "descriptors overwritten", test_descriptors_overwritten },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("driver's packed queue", tests);
}
