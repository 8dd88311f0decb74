/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A driver for network devices.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/vm/kernel/frames.h"

#define RX 0
#define TX 1

#define BUFFER (FRAME_HEADER + FRAME_MAX)

/* Frames on their way: fewer than a TAP's queue holds. */
#define WINDOW 16

size_t
frame_fill (uint8_t *frame, unsigned number)
{
	size_t size = 60 + number * 37 % (FRAME_MAX - 60 + 1);

	memset (frame, 0xff, 6);	/* to all, since a device may filter by address */
	memcpy (frame + 6, "\x02\x00\x00\x00\x00\x01", 6);
	frame[12] = FRAME_TYPE >> 8;
	frame[13] = FRAME_TYPE & 0xff;
	memcpy (frame + 14, &number, sizeof (number));
	for (size_t i = 14 + sizeof (number); i < size; i++)
		frame[i] = i * 7 + number * 13 + (number >> 8);
	return size;
}

uint64_t
frame_sum (const uint8_t *frame, size_t size)
{
	uint64_t sum = 0xcbf29ce484222325;	/* FNV-1a */

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ frame[i]) * 0x100000001b3;
	return sum;
}

static void
post_rx (struct frames *f, unsigned i)
{
	rig_post (&f->rig, RX, f->rx[i], BUFFER, true, &f->rx[i]);
}

void
frames_open (struct frames *f, uint64_t features)
{
	memset (f, 0, sizeof (*f));
	rig_open (&f->rig, 2, features, RIG_QUEUE_SIZE * (BUFFER + 16));
	for (unsigned i = 0; i < RIG_QUEUE_SIZE / 2; i++) {
		f->rx[i] = rig_alloc (&f->rig, BUFFER);
		f->tx[i] = rig_alloc (&f->rig, BUFFER);
		f->free_tx[f->n_free_tx++] = i;
		post_rx (f, i);
	}
}

void
frames_close (struct frames *f)
{
	rig_close (&f->rig);
}

void
frames_send (struct frames *f)
{
	unsigned i;
	uint8_t *buffer;
	size_t size;

	while (f->n_free_tx == 0)
		frames_take (f, true);
	i = f->free_tx[--f->n_free_tx];
	buffer = guest_at (&f->rig.guest, f->tx[i]);
	memset (buffer, 0, FRAME_HEADER);
	size = frame_fill (buffer + FRAME_HEADER, f->sent++);
	f->sent_sum += frame_sum (buffer + FRAME_HEADER, size);
	rig_post (&f->rig, TX, f->tx[i], FRAME_HEADER + size, false, &f->tx[i]);
}

static void
take_received (struct frames *f, const struct queue_done *done)
{
	unsigned i = (uint64_t *) done->token - f->rx;
	const uint8_t *frame = (const uint8_t *) guest_at (&f->rig.guest, f->rx[i]) + FRAME_HEADER;
	size_t size = done->written - FRAME_HEADER;
	uint8_t expected[FRAME_MAX];

	CU_ASSERT_FATAL (done->written > FRAME_HEADER + 14);
	/* The kernel of a TAP may speak there, too. */
	f->received++;
	if (frame[12] == FRAME_TYPE >> 8 && frame[13] == (FRAME_TYPE & 0xff)) {
		CU_ASSERT_EQUAL (size, frame_fill (expected, f->next));
		CU_ASSERT_EQUAL (memcmp (frame, expected, size), 0);
		f->next++;
		f->received_sum += frame_sum (frame, size);
	}
	post_rx (f, i);
}

void
frames_take (struct frames *f, bool wait)
{
	struct queue_done done[RIG_QUEUE_SIZE];
	int rx = queue_reap (f->rig.queues[RX], done, RIG_QUEUE_SIZE), tx;

	CU_ASSERT_FATAL (rx >= 0);
	for (int i = 0; i < rx; i++)
		take_received (f, &done[i]);
	tx = queue_reap (f->rig.queues[TX], done, RIG_QUEUE_SIZE);
	CU_ASSERT_FATAL (tx >= 0);
	for (int i = 0; i < tx; i++)
		f->free_tx[f->n_free_tx++] = (uint64_t *) done[i].token - f->tx;
	if (rx + tx == 0 && wait) {
		int result = queues_wait (f->rig.queues, 2, RIG_PATIENCE_MS);

		if (result != 1)
			fprintf (stderr, "%u sent, %u received, and nothing comes: %d\n", f->sent, f->next, result);
		CU_ASSERT_EQUAL_FATAL (result, 1);
	}
}

void
frames_exchange (struct frames *f, unsigned n)
{
	unsigned end = f->sent + n;

	while (f->next < end) {
		while (f->sent < end && f->sent - f->next < WINDOW)
			frames_send (f);
		frames_take (f, f->next < end);
	}
	/* All that was sent is used before the device is stopped. */
	while (f->n_free_tx < RIG_QUEUE_SIZE / 2)
		frames_take (f, true);
	CU_ASSERT_EQUAL (f->sent_sum, f->received_sum);
}

void
frames_expect_bases (const struct frames *f, struct vh_dev *dev)
{
	rig_expect_base (dev, RX, f->received & 0xffff);
	rig_expect_base (dev, TX, f->sent & 0xffff);
}

/* --- dirty log --- */

static bool
is_dirty (const struct vh_dev_log *log, uint64_t addr)
{
	return ((const uint8_t *) log->base)[addr / 4096 / 8] & (1 << (addr / 4096 % 8));
}

static void
expect_dirty (const struct frames *f, const struct vh_dev_log *log)
{
	struct vh_vring_addr addr = { 0 };

	queue_addresses (f->rig.queues[RX], &addr);
	CU_ASSERT (is_dirty (log, addr.used - guest_user_addr (&f->rig.guest, GUEST_BASE) + GUEST_BASE));
	/* The first ten buffers were used before the log began. */
	CU_ASSERT (is_dirty (log, f->rx[12]));
}

void
frames_expect_log (struct frames *f, struct vh_dev *dev)
{
	struct vh_dev_log log = { .size = GUEST_BASE * 2 / 4096 / 8, .fd = memfd_create ("log", MFD_CLOEXEC) };

	CU_ASSERT_FATAL (log.fd >= 0 && ftruncate (log.fd, log.size) == 0);
	log.base = mmap (NULL, log.size, PROT_READ | PROT_WRITE, MAP_SHARED, log.fd, 0);
	CU_ASSERT_PTR_NOT_EQUAL_FATAL (log.base, MAP_FAILED);
	frames_exchange (f, 10);
	DEV_OK (dev, vh_dev_set_log (dev, &log));
	frames_exchange (f, 10);
	expect_dirty (f, &log);
	DEV_OK (dev, vh_dev_set_log (dev, NULL));
	memset (log.base, 0, log.size);
	frames_exchange (f, 40);
	for (size_t i = 0; i < log.size; i++)
		CU_ASSERT_FATAL (((uint8_t *) log.base)[i] == 0);
	munmap (log.base, log.size);
	close (log.fd);
}
