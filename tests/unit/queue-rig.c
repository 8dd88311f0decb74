/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A driver's queue and the memory that it is in.
 */
#include "tests/unit/queue-rig.h"

#define MAX_CHAIN 17	/* one more than the largest ring of these tests has descriptors */

struct guest guest;
struct queue *queue;

static int fds_before;

void
rig_open (const struct queue_options *options, unsigned regions, struct vh_vring_addr *areas)
{
	fds_before = suite_open_fds ();
	CU_ASSERT_EQUAL_FATAL (guest_init (&guest, 65536, regions, 4096), 0);
	CU_ASSERT_EQUAL_FATAL (queue_new (&guest, options, &queue), 0);
	queue_addresses (queue, areas);
}

void
rig_close (void)
{
	queue_free (queue);
	guest_free (&guest);
	CU_ASSERT_EQUAL (suite_open_fds (), fds_before);
}

int
add (unsigned n, void *token)
{
	struct queue_buffer buffers[MAX_CHAIN];

	for (unsigned i = 0; i < n; i++)
		buffers[i] = (struct queue_buffer){ .addr = GUEST_BASE + 0x100 * i, .size = 16 + i };
	return queue_add (queue, buffers, 1, n - 1, token);
}

uint64_t
kicks (void)
{
	return suite_signals (queue_kick_fd (queue));
}
