/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The codecs of payloads, byte for byte, against bytes written by hand: no structure of the library is used to say what is right.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/suite.h"
#include "tests/wire/bytes.h"
#include "wire/payload.h"

static struct message message;

static void
take (const char *hex)
{
	struct bytes b = { .n = 0 };

	bytes_hex (&b, hex);
	message_init (&message, 1, MESSAGE_VERSION);
	memcpy (message.body, b.data, b.n);
	message.size = (uint32_t) b.n;
}

static bool
body_is (const char *hex)
{
	struct bytes b = { .n = 0 };

	bytes_hex (&b, hex);
	return message.size == b.n && memcmp (message.body, b.data, b.n) == 0;
}

static void
u64s (void)
{
	uint64_t value;

	message_put_u64 (&message, 0x0123456789abcdef);
	CU_ASSERT_TRUE (body_is ("efcdab89 67452301"));
	take ("00000040 01000000");
	CU_ASSERT_EQUAL (message_get_u64 (&message, &value), 0);
	CU_ASSERT_EQUAL (value, 0x140000000);
	take ("00000040");
	CU_ASSERT_EQUAL (message_get_u64 (&message, &value), -EBADMSG);
	take ("00000040 01000000 00");
	CU_ASSERT_EQUAL (message_get_u64 (&message, &value), -EBADMSG);
}

static void
vring_states (void)
{
	struct vring_state s = { .index = 3, .num = 0x8000 };

	message_put_state (&message, &s);
	CU_ASSERT_TRUE (body_is ("03000000 00800000"));
	take ("01020304 05060708");
	CU_ASSERT_EQUAL (message_get_state (&message, &s), 0);
	CU_ASSERT_TRUE (s.index == 0x04030201 && s.num == 0x08070605);
	take ("01020304 050607");
	CU_ASSERT_EQUAL (message_get_state (&message, &s), -EBADMSG);
}

static int
vring_fd (const char *hex, unsigned n_fds, struct vring_fd *ret)
{
	take (hex);
	message.n_fds = n_fds;
	return message_get_vring_fd (&message, ret);
}

static void
vring_fds (void)
{
	struct vring_fd f = { .index = 7 };

	message_put_vring_fd (&message, &f);
	CU_ASSERT_TRUE (body_is ("07000000 00000000"));
	f = (struct vring_fd){ .index = 255, .no_fd = true };
	message_put_vring_fd (&message, &f);
	CU_ASSERT_TRUE (body_is ("ff010000 00000000"));
	CU_ASSERT_EQUAL (vring_fd ("09000000 00000000", 1, &f), 0);
	CU_ASSERT_TRUE (f.index == 9 && !f.no_fd);
	CU_ASSERT_EQUAL (vring_fd ("ff010000 00000000", 0, &f), 0);
	CU_ASSERT_TRUE (f.index == 255 && f.no_fd);
	CU_ASSERT_EQUAL (vring_fd ("09000000 00000000", 0, &f), -EBADMSG);
	CU_ASSERT_EQUAL (vring_fd ("09010000 00000000", 1, &f), -EBADMSG);
	CU_ASSERT_EQUAL (vring_fd ("09020000 00000000", 1, &f), -EBADMSG);
	CU_ASSERT_EQUAL (vring_fd ("09000000 00000080", 1, &f), -EBADMSG);
	CU_ASSERT_EQUAL (vring_fd ("09000000", 1, &f), -EBADMSG);
}

/* Addresses with all fields different; the parts are where they are in the bytes. */
#define ADDRESSES(flags, desc, used, avail) \
	"02000000 " flags "000000 " desc "000000 00000011 " used "000000 00000022 " avail "000000 00000033 08000000 00000044"

static int
addresses (const char *hex)
{
	struct vring_addresses a;

	take (hex);
	return message_get_vring_addresses (&message, &a);
}

static void
vring_address (void)
{
	struct vring_addresses a = { .index = 2,
				     .flags = 1,
				     .desc = 0x1100000000000010,
				     .used = 0x2200000000000004,
				     .avail = 0x3300000000000002,
				     .log = 0x4400000000000008 };

	message_put_vring_addresses (&message, &a);
	CU_ASSERT_TRUE (body_is (ADDRESSES ("01", "10", "04", "02")));
	memset (&a, 0, sizeof (a));
	take (ADDRESSES ("01", "10", "04", "02"));
	CU_ASSERT_EQUAL (message_get_vring_addresses (&message, &a), 0);
	CU_ASSERT_TRUE (a.index == 2 && a.flags == 1 && a.desc == 0x1100000000000010 && a.used == 0x2200000000000004 &&
			a.avail == 0x3300000000000002 && a.log == 0x4400000000000008);
	CU_ASSERT_EQUAL (addresses (ADDRESSES ("00", "10", "04", "02")), 0);
	CU_ASSERT_EQUAL (addresses (ADDRESSES ("02", "10", "04", "02")), -EBADMSG);
	CU_ASSERT_EQUAL (addresses (ADDRESSES ("00", "08", "04", "02")), -EBADMSG);
	CU_ASSERT_EQUAL (addresses (ADDRESSES ("00", "10", "02", "02")), -EBADMSG);
	CU_ASSERT_EQUAL (addresses (ADDRESSES ("00", "10", "04", "01")), -EBADMSG);
	CU_ASSERT_EQUAL (addresses (ADDRESSES ("00", "10", "04", "02") "00"), -EBADMSG);
	CU_ASSERT_EQUAL (addresses ("02000000 00000000"), -EBADMSG);
}

#define REGION_1 "01000000 00000010 02000000 00000020 03000000 00000030 04000000 00000040"
#define REGION_2 "05000000 00000050 06000000 00000060 07000000 00000070 08000000 00000000"
#define XEN_TAIL "02010000 2a000000"

static const struct vh_region region_1 = {
	.guest_addr = 0x1000000000000001, .size = 0x2000000000000002, .user_addr = 0x3000000000000003, .offset = 0x4000000000000004,
};

static bool
same_region (const struct vh_region *a, const struct vh_region *b)
{
	return a->guest_addr == b->guest_addr && a->size == b->size && a->user_addr == b->user_addr && a->offset == b->offset && a->fd == -1;
}

static void
mem_tables (void)
{
	struct vh_region regions[8] = { region_1, { 0x5000000000000005, 0x6000000000000006, 0x7000000000000007, 8, -1, 0x102, 42 } };
	unsigned n;

	message_put_mem_table (&message, false, regions, 2);
	CU_ASSERT_TRUE (body_is ("02000000 00000000 " REGION_1 REGION_2));
	message_put_mem_table (&message, true, &regions[1], 1);
	CU_ASSERT_TRUE (body_is ("01000000 00000000 " REGION_2 XEN_TAIL));
	take ("02000000 00000000 " REGION_2 REGION_1);
	CU_ASSERT_EQUAL (message_get_mem_table (&message, false, regions, &n), 0);
	CU_ASSERT_TRUE (n == 2 && same_region (&regions[1], &region_1) && regions[0].size == 0x6000000000000006);
	CU_ASSERT_EQUAL (regions[1].xen_flags, 0);
	take ("01000000 00000000 " REGION_1 XEN_TAIL);
	CU_ASSERT_EQUAL (message_get_mem_table (&message, true, regions, &n), 0);
	CU_ASSERT_TRUE (n == 1 && same_region (&regions[0], &region_1) && regions[0].xen_flags == 0x102 && regions[0].xen_domid == 42);
	CU_ASSERT_EQUAL (message_get_mem_table (&message, false, regions, &n), -EBADMSG);
}

/* User Mode Linux sends a second region of zeroes behind the only one. */
static void
mem_table_with_room (void)
{
	static const char zeroes[] = "0000000000000000 0000000000000000 0000000000000000 0000000000000000";
	struct vh_region r[8];
	char hex[400];
	unsigned n;

	snprintf (hex, sizeof (hex), "01000000 00000000 %s %s", REGION_1, zeroes);
	take (hex);
	CU_ASSERT_EQUAL (message_get_mem_table (&message, false, r, &n), 0);
	CU_ASSERT_TRUE (n == 1 && same_region (&r[0], &region_1));
	/* But neither something else, nor half of one. */
	message.body[message.size - 1] = 1;
	CU_ASSERT_EQUAL (message_get_mem_table (&message, false, r, &n), -EBADMSG);
	message.body[message.size - 1] = 0;
	message.size -= 8;
	CU_ASSERT_EQUAL (message_get_mem_table (&message, false, r, &n), -EBADMSG);
}

static int
mem_table (const char *hex)
{
	struct vh_region regions[8];
	unsigned n;

	take (hex);
	return message_get_mem_table (&message, false, regions, &n);
}

static void
mem_tables_that_are_wrong (void)
{
	CU_ASSERT_EQUAL (mem_table ("00000000 00000000"), 0);
	CU_ASSERT_EQUAL (mem_table (""), -EBADMSG);
	CU_ASSERT_EQUAL (mem_table ("01000000"), -EBADMSG);
	CU_ASSERT_EQUAL (mem_table ("01000000 00000000"), -EBADMSG);
	CU_ASSERT_EQUAL (mem_table ("00000000 00000000 " REGION_1), -EBADMSG);
	CU_ASSERT_EQUAL (mem_table ("02000000 00000000 " REGION_1), -EBADMSG);
	CU_ASSERT_EQUAL (mem_table ("01000000 01000000 " REGION_1), -EBADMSG);
	CU_ASSERT_EQUAL (mem_table ("09000000 00000000 " REGION_1 REGION_1 REGION_1 REGION_1 REGION_1 REGION_1 REGION_1 REGION_1 REGION_1), -EBADMSG);
	CU_ASSERT_EQUAL (mem_table ("08000000 00000000 " REGION_1 REGION_1 REGION_1 REGION_1 REGION_1 REGION_1 REGION_1 REGION_1), 0);
	/* 8 + 32 * n wraps to 8 in 32 bits. */
	CU_ASSERT_EQUAL (mem_table ("00000008 00000000"), -EBADMSG);
}

static void
single_regions (void)
{
	struct vh_region r;

	message_put_mem_region (&message, false, &region_1);
	CU_ASSERT_TRUE (body_is ("00000000 00000000 " REGION_1));
	/* The padding may hold anything. */
	take ("ffffffff ffffffff " REGION_1);
	CU_ASSERT_EQUAL (message_get_mem_region (&message, false, &r), 0);
	CU_ASSERT_TRUE (same_region (&r, &region_1));
	CU_ASSERT_EQUAL (message_get_mem_region (&message, true, &r), -EBADMSG);
	take ("00000000 00000000 " REGION_1 XEN_TAIL);
	CU_ASSERT_EQUAL (message_get_mem_region (&message, true, &r), 0);
	CU_ASSERT_TRUE (r.xen_flags == 0x102 && r.xen_domid == 42);
	CU_ASSERT_EQUAL (message_get_mem_region (&message, false, &r), -EBADMSG);
	take ("00000000 00000000 " REGION_1 "00000000");
	CU_ASSERT_EQUAL (message_get_mem_region (&message, false, &r), -EBADMSG);
}

static void
config_ranges (void)
{
	struct config_range r = { .offset = 0x10, .size = 3, .flags = 1 };
	uint8_t *data;

	data = message_put_config (&message, &r);
	CU_ASSERT_TRUE (body_is ("10000000 03000000 01000000 000000"));
	CU_ASSERT_PTR_EQUAL (data, message.body + 12);
	take ("20000000 02000000 00000000 abcd");
	CU_ASSERT_EQUAL (message_get_config (&message, &r, &data), 0);
	CU_ASSERT_TRUE (r.offset == 0x20 && r.size == 2 && r.flags == 0 && data[0] == 0xab && data[1] == 0xcd);
	take ("20000000 03000000 00000000 abcd");
	CU_ASSERT_EQUAL (message_get_config (&message, &r, &data), -EBADMSG);
	take ("20000000 01000000 00000000 abcd");
	CU_ASSERT_EQUAL (message_get_config (&message, &r, &data), -EBADMSG);
	take ("20000000 00000000");
	CU_ASSERT_EQUAL (message_get_config (&message, &r, &data), -EBADMSG);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "u64", u64s },
		{ "vring state", vring_states },
		{ "vring fd", vring_fds },
		{ "vring addresses", vring_address },
		{ "memory tables", mem_tables },
		{ "a memory table with room", mem_table_with_room },
		{ "memory tables that are wrong", mem_tables_that_are_wrong },
		{ "single regions", single_regions },
		{ "ranges of the configuration", config_ranges },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("payloads", tests);
}
