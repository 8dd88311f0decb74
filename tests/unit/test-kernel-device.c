/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct vh_dev on the kernel's vhost: what is asked in which order, what is left when something fails, and what the object refuses by itself.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <vhost/device.h>
#include <vhost/queue.h>

#include "kernel/kernel.h"
#include "tests/unit/kernel-fake.h"

#define FEATURES (VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_ACCESS_PLATFORM) | VH_BIT (VH_F_LOG_ALL) | VH_BIT (VH_NET_F_VIRTIO_NET_HDR))

static struct vh_dev *dev;
static int event;
static const struct vh_region region = { .guest_addr = 0x10000, .size = 0x10000, .user_addr = 0x7f0000000000, .fd = -1 };

/* Numbers of the requests that were made, in hexadecimal; "w" for a message that was written. */
static const char *
order (void)
{
	static char text[4 * FAKE_MAX_CALLS];
	size_t n = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < fake_n_calls; i++)
		n += snprintf (text + n, sizeof (text) - n, fake_calls[i].kind == FAKE_WRITE ? "%sw" : "%s%02x", i ? " " : "",
			       (unsigned) _IOC_NR (fake_calls[i].number));
	fake_forget ();
	return text;
}

static void
own (void)
{
	fake_answer (0, NULL, 0);
	fake_answer_u64 (FEATURES);
	fake_answer_u64 (0x1e);		/* back-end features */
	CU_ASSERT_EQUAL_FATAL (vh_dev_set_owner (dev), 0);
}

static void
set_ring (unsigned i)
{
	const struct vh_vring_addr addr = { .desc = 0x7f0000000000, .avail = 0x7f0000001000, .used = 0x7f0000002000, .log = 0x12000, .flags = 1 };

	CU_ASSERT_EQUAL (vh_dev_set_vring_num (dev, i, 256), 0);
	CU_ASSERT_EQUAL (vh_dev_set_vring_base (dev, i, 5), 0);
	CU_ASSERT_EQUAL (vh_dev_set_vring_addr (dev, i, &addr), 0);
	CU_ASSERT_EQUAL (vh_dev_set_vring_kick (dev, i, event), 0);
	CU_ASSERT_EQUAL (vh_dev_set_vring_call (dev, i, event), 0);
}

static void
set_up (void)
{
	own ();
	CU_ASSERT_EQUAL (vh_dev_set_features (dev, VH_BIT (VH_F_VERSION_1)), 0);
	CU_ASSERT_EQUAL (vh_dev_set_memory (dev, &region, 1), 0);
	set_ring (0);
	set_ring (1);
	fake_forget ();
}

static void
begin_net (void)
{
	event = eventfd (0, EFD_CLOEXEC);
	CU_ASSERT_FATAL (event >= 0);
	CU_ASSERT_EQUAL_FATAL (vh_dev_new_net (fake_device (), event, event, &dev), 0);
}

static void
begin_running_net (void)
{
	begin_net ();
	set_up ();
	CU_ASSERT_EQUAL (vh_dev_start (dev), 0);
	fake_forget ();
}

static void
end (void)
{
	vh_dev_free (dev);
	close (event);
}

static void
net_starts_and_stops_in_order (void)
{
	uint32_t base = 0;

	begin_net ();
	CU_ASSERT_STRING_EQUAL (vh_dev_kind (dev), "vhost-net");
	own ();
	CU_ASSERT_STRING_EQUAL (order (), "01 00 26 25");
	vh_dev_free (dev);
	CU_ASSERT_EQUAL_FATAL (vh_dev_new_net (fake_device (), event, event, &dev), 0);
	set_up ();
	CU_ASSERT_EQUAL (vh_dev_start (dev), 0);
	/* Memory, features, rings (size, base, addresses, call, kick), and then both backends. */
	CU_ASSERT_STRING_EQUAL (order (), "03 00 10 12 11 21 20 10 12 11 21 20 30 30");
	CU_ASSERT (vh_dev_running (dev));
	CU_ASSERT_EQUAL (vh_dev_stop (dev), 0);
	CU_ASSERT_STRING_EQUAL (order (), "30 30 12 12");
	CU_ASSERT (!vh_dev_running (dev));
	CU_ASSERT_EQUAL (vh_dev_get_vring_base (dev, 0, &base), 0);
	/* Features that are in force are not set again. */
	CU_ASSERT_EQUAL (vh_dev_start (dev), 0);
	CU_ASSERT_STRING_EQUAL (order (), "03 10 12 11 21 20 10 12 11 21 20 30 30");
	end ();
}

static void
a_ring_goes_on_where_it_stopped (void)
{
	uint32_t base = 0;

	begin_running_net ();
	fake_answer (0, NULL, 0);
	fake_answer (0, NULL, 0);
	fake_answer_state (0, 77);
	CU_ASSERT_EQUAL (vh_dev_stop (dev), 0);
	CU_ASSERT_EQUAL (vh_dev_get_vring_base (dev, 0, &base), 0);
	CU_ASSERT_EQUAL (base, 77);
	fake_forget ();
	CU_ASSERT_EQUAL (vh_dev_start (dev), 0);
	fake_expect_at (__LINE__, 2, SETS, 0x12, 8, "00000000 4d000000");
	end ();
}

/* Areas whose last byte is the last one of the memory are in it, and with one byte more they are not. */
static void
a_ring_that_ends_where_memory_does (void)
{
	/* A ring of 256 has 4096, 518 and 2054 bytes. */
	static const struct {
		uint64_t desc, avail, used;
		int start;
	} places[] = {
		{ 0x7f000000f000, 0x7f0000001000, 0x7f0000002000, 0 }, { 0x7f0000000000, 0x7f000000fdfa, 0x7f0000002000, 0 },
		{ 0x7f0000000000, 0x7f0000001000, 0x7f000000f7f8, 0 }, { 0x7f000000f010, 0x7f0000001000, 0x7f0000002000, -EFAULT },
		{ 0x7f0000000000, 0x7f000000fdfc, 0x7f0000002000, -EFAULT }, { 0x7f0000000000, 0x7f0000001000, 0x7f000000f7fc, -EFAULT },
	};

	for (unsigned i = 0; i < sizeof (places) / sizeof (places[0]); i++) {
		const struct vh_vring_addr addr = { .desc = places[i].desc, .avail = places[i].avail, .used = places[i].used };

		begin_net ();
		set_up ();
		CU_ASSERT_EQUAL (vh_dev_set_vring_addr (dev, 1, &addr), 0);
		CU_ASSERT_EQUAL (vh_dev_start (dev), places[i].start);
		end ();
	}
}

/* Whatever fails, nothing runs afterwards, and the words are about what failed first. */
static void
a_start_that_fails_leaves_nothing_running (void)
{
	int fds;

	begin_net ();
	set_up ();
	fds = suite_open_fds ();
	/* Features are in force from the third time on, so there are 13 requests; the last two are the backends. */
	for (unsigned nth = 1; nth <= 13; nth++) {
		const char *asked;

		fake_forget ();
		fake_fail_nth (nth, -EIO);
		CU_ASSERT_EQUAL (vh_dev_start (dev), -EIO);
		CU_ASSERT (!vh_dev_running (dev));
		CU_ASSERT (strstr (vh_dev_error (dev), "VHOST_") && strstr (vh_dev_error (dev), "Input/output error"));
		asked = order ();
		CU_ASSERT (nth < 12 || strcmp (asked + strlen (asked) - 5, "30 30") == 0);
	}
	CU_ASSERT_EQUAL (suite_open_fds (), fds);
	fake_forget ();
	CU_ASSERT_EQUAL (vh_dev_start (dev), 0);
	end ();
}

static void
changes_while_it_runs (void)
{
	const struct vh_region other = { .guest_addr = 0x100000, .size = 0x1000, .user_addr = 0x7e0000000000, .fd = -1 };
	const struct vh_vring_addr addr = { .desc = 0 };
	uint32_t base;

	begin_running_net ();
	CU_ASSERT_EQUAL (vh_dev_set_memory (dev, &other, 1), 0);
	CU_ASSERT_STRING_EQUAL (order (), "03");
	CU_ASSERT_EQUAL (vh_dev_set_vring_call (dev, 1, -1), 0);
	EXPECT (SETS, 0x21, 8, "01000000 ffffffff");
	fake_fail_nth (1, -EINVAL);
	CU_ASSERT_EQUAL (vh_dev_set_vring_kick (dev, 1, -1), -EINVAL);
	fake_forget ();
	CU_ASSERT_EQUAL (vh_dev_start (dev), -EBUSY);
	CU_ASSERT_EQUAL (vh_dev_set_features (dev, 0), -EBUSY);
	CU_ASSERT_EQUAL (vh_dev_set_vring_num (dev, 0, 1), -EBUSY);
	CU_ASSERT_EQUAL (vh_dev_set_vring_addr (dev, 0, &addr), -EBUSY);
	CU_ASSERT_EQUAL (vh_dev_set_vring_base (dev, 0, 1), -EBUSY);
	CU_ASSERT_EQUAL (vh_dev_get_vring_base (dev, 0, &base), -EBUSY);
	CU_ASSERT_EQUAL (vh_dev_forget_vring (dev, 0), -EBUSY);
	CU_ASSERT_EQUAL (fake_n_calls, 0);
	end ();
}

/* When the device refuses new memory, the old one is still what a start would use. */
static void
memory_that_is_refused (void)
{
	const struct vh_region other = { .guest_addr = 0x100000, .size = 0x1000, .user_addr = 0x7e0000000000, .fd = -1 };

	begin_running_net ();
	fake_fail_nth (1, -EFAULT);
	CU_ASSERT_EQUAL (vh_dev_set_memory (dev, &other, 1), -EFAULT);
	fake_forget ();
	CU_ASSERT_EQUAL (vh_dev_stop (dev), 0);
	fake_forget ();
	CU_ASSERT_EQUAL (vh_dev_start (dev), 0);
	fake_expect_at (__LINE__, 0, SETS, 0x03, 8, "01000000 00000000 0000010000000000 0000010000000000 00000000007f0000 0000000000000000");
	end ();
}

static void
dirty_log (void)
{
	static uint8_t bits[4];
	struct vh_dev_log log = { .size = sizeof (bits), .base = bits, .fd = -1 };

	begin_net ();
	set_up ();
	/* Guest memory ends at 0x20000: page 31, in byte 3. */
	log.size = 3;
	CU_ASSERT_EQUAL (vh_dev_set_log (dev, &log), -EINVAL);
	log.size = sizeof (bits);
	CU_ASSERT_EQUAL (vh_dev_set_log (dev, &log), 0);
	CU_ASSERT_EQUAL (fake_n_calls, 0);
	CU_ASSERT_EQUAL (vh_dev_start (dev), 0);
	CU_ASSERT_STRING_EQUAL (order (), "03 04 00 10 12 11 21 20 10 12 11 21 20 30 30");
	CU_ASSERT_EQUAL (vh_dev_set_log (dev, NULL), 0);
	CU_ASSERT_EQUAL (fake_calls[1].bytes[4], 0);
	CU_ASSERT_STRING_EQUAL (order (), "00 11 11");
	CU_ASSERT_EQUAL (vh_dev_set_log (dev, &log), 0);
	CU_ASSERT_EQUAL (fake_calls[1].bytes[3] & 4, 4);	/* bit 26 */
	CU_ASSERT_EQUAL (fake_calls[2].bytes[4], 1);
	CU_ASSERT_STRING_EQUAL (order (), "04 00 11 11");
	/* Memory that the log does not reach. */
	CU_ASSERT_EQUAL (vh_dev_set_memory (dev, &(struct vh_region){ .guest_addr = 0x20000, .size = 1, .user_addr = 1, .fd = -1 }, 1), -EINVAL);
	end ();
}

static unsigned missed;

static void
count_miss (void *opaque, uint64_t iova, unsigned access)
{
	(void) opaque;
	CU_ASSERT (iova == 0x5000 && access == VH_ACCESS_WO);
	missed++;
}

static void
iotlb (void)
{
	const struct vh_dev_events events = { .size = sizeof (events), .iotlb_miss = count_miss };

	begin_net ();
	set_up ();
	CU_ASSERT_EQUAL (vh_dev_fd (dev), -1);
	CU_ASSERT_EQUAL (vh_dev_iotlb_update (dev, 0, 0x1000, 0, VH_ACCESS_RW), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_dev_set_features (dev, VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_ACCESS_PLATFORM)), 0);
	CU_ASSERT (vh_dev_fd (dev) >= 0);
	/* Features go first: they bring the IOTLB. */
	CU_ASSERT_EQUAL (vh_dev_iotlb_update (dev, 0x5000, 0x1000, 0x7f0000000000, VH_ACCESS_RW), 0);
	CU_ASSERT_STRING_EQUAL (order (), "00 w");
	CU_ASSERT_EQUAL (vh_dev_iotlb_invalidate (dev, 0x5000, 0x1000), 0);
	CU_ASSERT_EQUAL (fake_calls[0].bytes[0], 2);
	CU_ASSERT_EQUAL (fake_calls[0].bytes[33], VH_IOTLB_INVALIDATE);
	CU_ASSERT_STRING_EQUAL (order (), "w");
	CU_ASSERT_EQUAL (vh_dev_start (dev), 0);
	CU_ASSERT_STRING_EQUAL (order (), "03 10 12 11 21 20 10 12 11 21 20 30 30");
	CU_ASSERT_EQUAL (vh_dev_iotlb_update (dev, 0x5000, 0, 0, VH_ACCESS_RW), -EINVAL);
	CU_ASSERT_EQUAL (vh_dev_iotlb_update (dev, UINT64_MAX, 2, 0, VH_ACCESS_RW), -EINVAL);
	CU_ASSERT_EQUAL (vh_dev_iotlb_update (dev, UINT64_MAX - 1, 2, 0, 4), -EINVAL);
	CU_ASSERT_EQUAL (vh_dev_iotlb_update (dev, UINT64_MAX - 1, 2, 0, VH_ACCESS_RO), 0);
	CU_ASSERT_EQUAL (vh_dev_set_events (dev, &events), 0);
	/* A device that always has one more does not hold up its caller for ever. */
	fake_read_result = 72;
	memset (fake_read_bytes, 0, sizeof (fake_read_bytes));
	fake_hex ("02000000 00000000 0050000000000000 0000000000000000 0000000000000000 02 01", fake_read_bytes, sizeof (fake_read_bytes));
	CU_ASSERT_EQUAL (vh_dev_dispatch (dev), 64);
	CU_ASSERT_EQUAL (missed, 64);
	fake_read_result = -EAGAIN;
	CU_ASSERT_EQUAL (vh_dev_dispatch (dev), 0);
	end ();
}

static void
what_the_object_refuses (void)
{
	const struct vh_region two[2] = { region, region };
	uint64_t features = 0;
	unsigned n = 0;
	int file = dup (STDIN_FILENO);

	begin_net ();
	CU_ASSERT_EQUAL (vh_dev_get_features (dev, &features), -EINVAL);
	CU_ASSERT_EQUAL (vh_dev_start (dev), -EINVAL);
	CU_ASSERT_STRING_EQUAL (vh_dev_error (dev), "the device has no owner yet");
	own ();
	CU_ASSERT_EQUAL (vh_dev_set_owner (dev), -EBUSY);
	CU_ASSERT_EQUAL (vh_dev_get_features (dev, &features), 0);
	CU_ASSERT_EQUAL (features, VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_ACCESS_PLATFORM));
	CU_ASSERT_EQUAL (vh_dev_set_features (dev, VH_BIT (VH_F_LOG_ALL)), -EINVAL);
	CU_ASSERT_EQUAL (vh_dev_set_features (dev, VH_BIT (VH_F_RING_PACKED)), -EINVAL);
	CU_ASSERT_EQUAL (vh_dev_get_rings (dev, &n), 0);
	CU_ASSERT_EQUAL (n, 2);
	CU_ASSERT_EQUAL (vh_dev_set_vring_num (dev, 2, 1), -EINVAL);
	CU_ASSERT_EQUAL (vh_dev_set_vring_num (dev, 0, 0), -EINVAL);
	CU_ASSERT_EQUAL (vh_dev_set_vring_num (dev, 0, VH_MAX_RING_SIZE + 1), -EINVAL);
	CU_ASSERT_EQUAL (vh_dev_set_vring_addr (dev, 0, &(struct vh_vring_addr){ .desc = 8 }), -EINVAL);
	CU_ASSERT_EQUAL (vh_dev_set_vring_addr (dev, 0, &(struct vh_vring_addr){ .avail = 1 }), -EINVAL);
	CU_ASSERT_EQUAL (vh_dev_set_vring_addr (dev, 0, &(struct vh_vring_addr){ .used = 2 }), -EINVAL);
	CU_ASSERT_EQUAL (vh_dev_set_vring_addr (dev, 0, &(struct vh_vring_addr){ .flags = 2 }), -EINVAL);
	CU_ASSERT_EQUAL (vh_dev_set_vring_kick (dev, 0, file), -EBADF);
	CU_ASSERT_EQUAL (vh_dev_set_memory (dev, two, 0), -EINVAL);
	CU_ASSERT_EQUAL (vh_dev_set_memory (dev, two, 2), -EINVAL);
	CU_ASSERT_EQUAL (vh_dev_get_max_regions (dev, &n), 0);
	CU_ASSERT (n >= 1);
	CU_ASSERT_EQUAL (vh_dev_set_memory (dev, two, n + 1), -E2BIG);
	CU_ASSERT_EQUAL (vh_dev_get_config (dev, 0, &n, sizeof (n)), -EOPNOTSUPP);
	CU_ASSERT_STRING_EQUAL (vh_dev_error (dev), "a vhost-net device shows no configuration space");
	CU_ASSERT_EQUAL (vh_dev_stop (dev), 0);
	vh_dev_free (NULL);
	close (file);
	end ();
}

static void
vsock_and_scsi_start_in_order (void)
{
	event = eventfd (0, EFD_CLOEXEC);
	CU_ASSERT_EQUAL_FATAL (vh_dev_new_vsock (fake_device (), 42, &dev), 0);
	CU_ASSERT_STRING_EQUAL (vh_dev_kind (dev), "vhost-vsock");
	set_up ();
	CU_ASSERT_EQUAL (vh_dev_start (dev), 0);
	CU_ASSERT_STRING_EQUAL (order (), "03 00 10 12 11 21 20 10 12 11 21 20 60 61");
	CU_ASSERT_EQUAL (vh_dev_stop (dev), 0);
	CU_ASSERT_STRING_EQUAL (order (), "61 12 12");
	vh_dev_free (dev);
	CU_ASSERT_EQUAL (vh_dev_new_scsi (NULL, "naa.1", 0x10000, &dev), -EINVAL);
	CU_ASSERT_EQUAL_FATAL (vh_dev_new_scsi (fake_device (), "naa.1", 1, &dev), 0);
	CU_ASSERT_STRING_EQUAL (vh_dev_kind (dev), "vhost-scsi");
	set_up ();
	CU_ASSERT_EQUAL (vh_dev_start (dev), 0);
	CU_ASSERT_STRING_EQUAL (order (), "03 00 10 12 11 21 20 10 12 11 21 20 40");
	CU_ASSERT_EQUAL (vh_dev_stop (dev), 0);
	CU_ASSERT_STRING_EQUAL (order (), "41 12 12");
	end ();
}

/* A stop that fails has stopped nevertheless, and tells the first error. */
static void
a_stop_that_fails (void)
{
	begin_running_net ();
	fake_answer_always (0x12, -EIO);
	CU_ASSERT_EQUAL (vh_dev_stop (dev), -EIO);
	CU_ASSERT_STRING_EQUAL (vh_dev_error (dev), "VHOST_GET_VRING_BASE: Input/output error");
	CU_ASSERT (!vh_dev_running (dev));
	CU_ASSERT_EQUAL (vh_dev_new_net (NULL, -1, -1, &dev), -EINVAL);
	end ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "net starts and stops in order", net_starts_and_stops_in_order },
		{ "a ring goes on where it stopped", a_ring_goes_on_where_it_stopped },
		{ "a ring that ends where memory does", a_ring_that_ends_where_memory_does },
		{ "a start that fails leaves nothing running", a_start_that_fails_leaves_nothing_running },
		{ "changes while it runs", changes_while_it_runs },
		{ "memory that is refused", memory_that_is_refused },
		{ "dirty log", dirty_log },
		{ "IOTLB", iotlb },
		{ "what the object refuses", what_the_object_refuses },
		{ "vsock and scsi start in order", vsock_and_scsi_start_in_order },
		{ "a stop that fails", a_stop_that_fails },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("kernel devices", tests);
}
