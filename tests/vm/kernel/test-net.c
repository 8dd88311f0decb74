/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * /dev/vhost-net: frames between two devices whose TAPs are joined by a bridge, the device's IOTLB with its misses, and the dirty log.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <vhost/kernel.h>

#include "tests/vm/kernel/frames.h"
#include "tests/vm/kernel/tap.h"

#define FRAMES 1000
#define WINDOW 16

static struct vh_dev *
open_net (int tap)
{
	struct vh_dev *dev = NULL;

	CU_ASSERT_EQUAL_FATAL (vh_dev_new_net (rig_open_kernel ("/dev/vhost-net"), tap, tap, &dev), 0);
	return dev;
}

static void
start (struct vh_dev *dev, struct frames *f, uint64_t features)
{
	DEV_OK (dev, vh_dev_set_owner (dev));
	frames_open (f, features);
	DEV_OK (dev, vh_dev_set_features (dev, features));
	rig_give (&f->rig, dev);
	DEV_OK (dev, vh_dev_start (dev));
}

/* n frames from one device to the other. */
static void
transfer (struct frames *from, struct frames *to)
{
	unsigned end = from->sent + FRAMES;

	while (to->next < end) {
		while (from->sent < end && from->sent - to->next < WINDOW)
			frames_send (from);
		frames_take (from, false);
		frames_take (to, to->next < end);
	}
	CU_ASSERT_EQUAL (from->sent_sum, to->received_sum);
}

static void
two_devices_over_a_bridge (void)
{
	struct frames a, b;
	int taps[2] = { tap_open ("pair0"), tap_open ("pair1") };
	struct vh_dev *first = open_net (taps[0]), *second = open_net (taps[1]);

	CU_ASSERT_EQUAL_FATAL (system ("brctl addbr pair && brctl addif pair pair0 && brctl addif pair pair1 && ip link set pair up"), 0);
	start (first, &a, VH_BIT (VH_F_VERSION_1));
	start (second, &b, VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_EVENT_IDX));
	transfer (&a, &b);
	transfer (&b, &a);
	printf ("over the bridge: %u and %u frames, checksums %016llx and %016llx\n", b.next, a.next, (unsigned long long) b.received_sum,
		(unsigned long long) a.received_sum);
	vh_dev_free (first);
	vh_dev_free (second);
	frames_close (&a);
	frames_close (&b);
	CU_ASSERT_EQUAL (system ("ip link set pair down && brctl delbr pair"), 0);
	close (taps[0]);
	close (taps[1]);
}

/* --- IOTLB --- */

struct iommu {
	struct vh_dev *dev;
	struct frames *frames;
	unsigned misses;
	uint64_t pending[64];
	unsigned n_pending;
};

/* It must not call the device: the answer comes later. */
static void
note_miss (void *opaque, uint64_t iova, unsigned access)
{
	struct iommu *m = opaque;

	CU_ASSERT (access >= VH_ACCESS_RO && access <= VH_ACCESS_RW);
	CU_ASSERT_FATAL (m->n_pending < 64);
	m->pending[m->n_pending++] = iova;
	m->misses++;
}

static void
map_page (struct iommu *m, uint64_t iova)
{
	uint64_t page = iova & ~UINT64_C (4095);

	DEV_OK (m->dev, vh_dev_iotlb_update (m->dev, page, 4096, guest_user_addr (&m->frames->rig.guest, page), VH_ACCESS_RW));
}

static void
answer_misses (struct iommu *m)
{
	struct pollfd p = { .fd = vh_dev_fd (m->dev), .events = POLLIN };

	CU_ASSERT (p.fd >= 0);
	while (poll (&p, 1, 0) > 0) {
		CU_ASSERT (vh_dev_dispatch (m->dev) > 0);
		while (m->n_pending > 0)
			map_page (m, m->pending[--m->n_pending]);
	}
}

/* Every page that the device touches is asked for, and given then; in the end all are taken back, and asked for again. */
static void
misses_are_read_and_answered (void)
{
	const uint64_t features = VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_ACCESS_PLATFORM);
	int tap = tap_open ("iotlb");
	struct frames f;
	struct iommu m = { .dev = open_net (tap), .frames = &f };
	const struct vh_dev_events events = { .size = sizeof (events), .iotlb_miss = note_miss, .opaque = &m };
	struct tap_echo echo;
	unsigned before;

	tap_echo_start (&echo, "iotlb");
	DEV_OK (m.dev, vh_dev_set_owner (m.dev));
	DEV_OK (m.dev, vh_dev_set_events (m.dev, &events));
	frames_open (&f, VH_BIT (VH_F_VERSION_1));
	DEV_OK (m.dev, vh_dev_set_features (m.dev, features));
	f.rig.iova = true;
	rig_give (&f.rig, m.dev);
	/* The rings' own pages before the start, as the kernel wants it. */
	for (uint64_t page = 0; page < 8; page++)
		map_page (&m, GUEST_BASE + page * 4096);
	DEV_OK (m.dev, vh_dev_start (m.dev));
	for (unsigned round = 0; round < 2; round++) {
		unsigned end = f.sent + 40;

		before = m.misses;
		while (f.next < end) {
			if (f.sent < end && f.sent - f.next < WINDOW)
				frames_send (&f);
			answer_misses (&m);
			frames_take (&f, false);
			usleep (1000);
		}
		CU_ASSERT_EQUAL (f.sent_sum, f.received_sum);
		CU_ASSERT (m.misses > before);
		/* What is not the rings'. */
		DEV_OK (m.dev, vh_dev_iotlb_invalidate (m.dev, GUEST_BASE + 8 * 4096, f.rig.guest.size - 8 * 4096));
	}
	printf ("IOTLB: %u frames, %u misses\n", f.next, m.misses);
	vh_dev_free (m.dev);
	tap_echo_stop (&echo);
	frames_close (&f);
	close (tap);
}

/* --- dirty log --- */

static void
received_frames_are_logged (void)
{
	int tap = tap_open ("log");
	struct vh_dev *dev = open_net (tap);
	struct tap_echo echo;
	struct frames f;

	tap_echo_start (&echo, "log");
	start (dev, &f, VH_BIT (VH_F_VERSION_1));
	frames_expect_log (&f, dev);
	vh_dev_free (dev);
	tap_echo_stop (&echo);
	frames_close (&f);
	close (tap);
}

/* --- what the kernel refuses --- */

static void
a_start_that_the_kernel_refuses (void)
{
	int pipes[2];
	struct vh_dev *dev;
	struct frames f;
	struct vh_region region;

	CU_ASSERT_EQUAL_FATAL (pipe (pipes), 0);
	dev = open_net (pipes[0]);
	DEV_OK (dev, vh_dev_set_owner (dev));
	frames_open (&f, VH_BIT (VH_F_VERSION_1));
	DEV_OK (dev, vh_dev_set_features (dev, VH_BIT (VH_F_VERSION_1)));
	rig_give (&f.rig, dev);
	CU_ASSERT_EQUAL (vh_dev_start (dev), -ENOTSOCK);
	CU_ASSERT_STRING_EQUAL (vh_dev_error (dev), "VHOST_NET_SET_BACKEND: neither a TAP nor a packet socket");
	/* Memory that no process has, with rings in it. */
	region = (struct vh_region){ .guest_addr = GUEST_BASE, .size = 0x10000, .user_addr = UINT64_C (0xffff800000000000), .fd = -1 };
	DEV_OK (dev, vh_dev_set_memory (dev, &region, 1));
	CU_ASSERT_EQUAL (vh_dev_start (dev), -EFAULT);
	CU_ASSERT_STRING_EQUAL (vh_dev_error (dev), "ring 0 is not in the memory");
	for (unsigned i = 0; i < 2; i++)
		DEV_OK (dev, vh_dev_set_vring_addr (dev, i, &(struct vh_vring_addr){ .desc = region.user_addr, .avail = region.user_addr + 0x2000,
										     .used = region.user_addr + 0x3000 }));
	CU_ASSERT_EQUAL (vh_dev_start (dev), -EFAULT);
	CU_ASSERT_STRING_EQUAL (vh_dev_error (dev),
				"VHOST_NET_SET_BACKEND: the ring is not set up, or not in memory that this process has");
	vh_dev_free (dev);
	frames_close (&f);
	close (pipes[0]);
	close (pipes[1]);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "two devices over a bridge", two_devices_over_a_bridge },
		{ "misses are read and answered", misses_are_read_and_answered },
		{ "received frames are logged", received_frames_are_logged },
		{ "a start that the kernel refuses", a_start_that_the_kernel_refuses },
		CU_TEST_INFO_NULL,
	};

	return recorder_report (suite_run ("vhost-net", tests));
}
