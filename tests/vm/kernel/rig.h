/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A driver for devices of <vhost/device.h>: guest memory with queues in it (tools/guest.h, tools/queue.h), given to any kind of device.
 */
#ifndef TESTS_VM_KERNEL_RIG_H
#define TESTS_VM_KERNEL_RIG_H

#include <stdio.h>

#include <vhost/kernel.h>

#include "tests/suite.h"
#include "tools/queue.h"

#define RIG_QUEUES 3
#define RIG_QUEUE_SIZE 64

/* How long a device may take for one step; the machine may be slow. */
#define RIG_PATIENCE_MS 10000

struct rig {
	struct guest guest;
	struct queue *queues[RIG_QUEUES];
	unsigned n;
	bool iova;	/* rings are told by guest addresses, for a device with an IOTLB */
};

/* Opens a device of the kernel; a failure says why, and ends the test. */
struct vh_kernel *rig_open_kernel (const char *path);

/* Memory with room for `bytes` beside n queues.  Failures end the test. */
void rig_open (struct rig *, unsigned n, uint64_t features, size_t bytes);
void rig_close (struct rig *);

/* The memory as one region. */
struct vh_region rig_region (const struct rig *);

/* Tells the device the memory and the queues, which it owns already. */
void rig_give (struct rig *, struct vh_dev *);

/* Does ring i stand at `base`? */
void rig_expect_base (struct vh_dev *, unsigned ring, uint32_t base);

/* Room for a buffer. */
uint64_t rig_alloc (struct rig *, size_t size);

/* Adds one buffer to queue i and publishes it. */
void rig_post (struct rig *, unsigned queue, uint64_t addr, uint32_t size, bool write, void *token);

/* Waits for one used buffer of queue i. */
struct queue_done rig_take (struct rig *, unsigned queue);

/* Fails the test with the device's words unless err is 0. */
#define DEV_OK(dev, call)                                                                                                                              \
	do {                                                                                                                                           \
		int dev_err = (call);                                                                                                                  \
		if (dev_err < 0)                                                                                                                       \
			fprintf (stderr, "%s:%d: %s\n", __FILE__, __LINE__, vh_dev_error (dev));                                                       \
		CU_ASSERT_FATAL (dev_err >= 0);                                                                                                        \
	} while (0)

/* The same for requests. */
#define KERNEL_OK(k, call)                                                                                                                             \
	do {                                                                                                                                           \
		int kernel_err = (call);                                                                                                               \
		if (kernel_err < 0)                                                                                                                    \
			fprintf (stderr, "%s:%d: %s\n", __FILE__, __LINE__, vh_kernel_error (k));                                                      \
		CU_ASSERT (kernel_err >= 0);                                                                                                           \
	} while (0)

/* --- recorder.c: what the kernel answered --- */

/* Prints a line for each request that some device answered.  Returns `status`. */
int recorder_report (int status);

#endif
