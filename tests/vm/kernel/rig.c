/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A driver for devices of any kind.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/vm/kernel/rig.h"

struct vh_kernel *
rig_open_kernel (const char *path)
{
	struct vh_kernel *k = NULL;
	char failed[200];

	if (vh_kernel_open (path, NULL, &k, failed, sizeof (failed)) < 0)
		fprintf (stderr, "%s\n", failed);
	CU_ASSERT_PTR_NOT_NULL_FATAL (k);
	return k;
}

void
rig_open (struct rig *r, unsigned n, uint64_t features, size_t bytes)
{
	const struct queue_options o = { .size = RIG_QUEUE_SIZE, .features = features };

	memset (r, 0, sizeof (*r));
	CU_ASSERT_FATAL (n <= RIG_QUEUES);
	CU_ASSERT_EQUAL_FATAL (guest_init (&r->guest, n * queue_bytes (&o) + bytes, 1, queue_largest_part (&o)), 0);
	for (; r->n < n; r->n++)
		CU_ASSERT_EQUAL_FATAL (queue_new (&r->guest, &o, &r->queues[r->n]), 0);
}

void
rig_close (struct rig *r)
{
	for (unsigned i = 0; i < r->n; i++)
		queue_free (r->queues[i]);
	guest_free (&r->guest);
}

struct vh_region
rig_region (const struct rig *r)
{
	return (struct vh_region){
		.guest_addr = GUEST_BASE, .size = r->guest.size, .user_addr = guest_user_addr (&r->guest, GUEST_BASE), .fd = r->guest.fd,
	};
}

static struct vh_vring_addr
ring_addresses (const struct rig *r, unsigned i)
{
	struct vh_vring_addr addr = { 0 };
	uint64_t shift = guest_user_addr (&r->guest, GUEST_BASE) - GUEST_BASE;

	queue_addresses (r->queues[i], &addr);
	addr.log = addr.used - shift;
	addr.flags = 1;
	if (r->iova) {
		addr.desc -= shift;
		addr.avail -= shift;
		addr.used -= shift;
	}
	return addr;
}

void
rig_give (struct rig *r, struct vh_dev *dev)
{
	struct vh_region region = rig_region (r);

	DEV_OK (dev, vh_dev_set_memory (dev, &region, 1));
	for (unsigned i = 0; i < r->n; i++) {
		struct vh_vring_addr addr = ring_addresses (r, i);

		DEV_OK (dev, vh_dev_set_vring_num (dev, i, queue_size (r->queues[i])));
		DEV_OK (dev, vh_dev_set_vring_addr (dev, i, &addr));
		DEV_OK (dev, vh_dev_set_vring_base (dev, i, 0));
		DEV_OK (dev, vh_dev_set_vring_kick (dev, i, queue_kick_fd (r->queues[i])));
		DEV_OK (dev, vh_dev_set_vring_call (dev, i, queue_call_fd (r->queues[i])));
		DEV_OK (dev, vh_dev_set_vring_err (dev, i, queue_err_fd (r->queues[i])));
	}
}

void
rig_expect_base (struct vh_dev *dev, unsigned ring, uint32_t base)
{
	uint32_t is = UINT32_MAX;

	DEV_OK (dev, vh_dev_get_vring_base (dev, ring, &is));
	if (is != base)
		fprintf (stderr, "%s: ring %u stands at %u, not at %u\n", vh_dev_kind (dev), ring, is, base);
	CU_ASSERT_EQUAL (is, base);
}

uint64_t
rig_alloc (struct rig *r, size_t size)
{
	uint64_t addr = 0;

	CU_ASSERT_EQUAL_FATAL (guest_alloc (&r->guest, size, 16, true, &addr), 0);
	return addr;
}

void
rig_post (struct rig *r, unsigned queue, uint64_t addr, uint32_t size, bool write, void *token)
{
	const struct queue_buffer b = { .addr = addr, .size = size };

	CU_ASSERT_EQUAL_FATAL (queue_add (r->queues[queue], &b, !write, write, token), 0);
	CU_ASSERT_EQUAL_FATAL (queue_publish (r->queues[queue]), 0);
}

struct queue_done
rig_take (struct rig *r, unsigned queue)
{
	struct queue_done done = { 0 };
	int n;

	while ((n = queue_reap (r->queues[queue], &done, 1)) == 0)
		CU_ASSERT_EQUAL_FATAL (queues_wait (&r->queues[queue], 1, RIG_PATIENCE_MS), 1);
	CU_ASSERT_EQUAL_FATAL (n, 1);
	return done;
}
