/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each request of vDPA devices: number, direction, size and bytes, as in test-kernel-requests.c.
 */
#include <errno.h>
#include <string.h>

#include <vhost/vdpa.h>

#include "kernel/kernel.h"
#include "tests/unit/kernel-fake.h"

static struct vh_kernel *k;

/* A question that is answered by a number of 32 bits. */
static void
check_number (int (*ask) (struct vh_kernel *, unsigned *), unsigned number)
{
	const uint32_t answer = 0x01020304;
	unsigned value = 0;

	fake_answer_u32 (answer);
	OK (ask (k, &value));
	CU_ASSERT_EQUAL (value, answer);
	EXPECT (GETS, number, 4, "00000000");
	fake_answer (-ENOTTY, NULL, 0);
	value = 7;
	CU_ASSERT_EQUAL (ask (k, &value), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (value, 7);
	fake_forget ();
}

static void
numbers (void)
{
	uint64_t first = 0, last = 0;
	const uint64_t range[2] = { 0x1000, 0xffffffff };
	const uint16_t answer = 256;
	unsigned value = 0;

	k = fake_device ();
	check_number (vh_vdpa_get_device_id, 0x70);
	check_number (vh_vdpa_get_config_size, 0x79);
	check_number (vh_vdpa_get_as_num, 0x7a);
	check_number (vh_vdpa_get_vqs_count, 0x80);
	check_number (vh_vdpa_get_group_num, 0x81);
	fake_answer (0, &answer, sizeof (answer));
	OK (vh_vdpa_get_vring_num (k, &value));
	CU_ASSERT_EQUAL (value, 256);
	EXPECT (GETS, 0x76, 2, "0000");
	fake_answer (0, range, sizeof (range));
	OK (vh_vdpa_get_iova_range (k, &first, &last));
	CU_ASSERT (first == 0x1000 && last == 0xffffffff);
	EXPECT (GETS, 0x78, 16, "0000000000000000 0000000000000000");
	vh_kernel_free (k);
}

static void
status (void)
{
	uint8_t value = 0;
	const uint8_t answer = 0x4f;

	k = fake_device ();
	fake_answer (0, &answer, 1);
	OK (vh_vdpa_get_status (k, &value));
	CU_ASSERT_EQUAL (value, 0x4f);
	EXPECT (GETS, 0x71, 1, "00");
	ASKS (vh_vdpa_set_status (k, 0x0b), SETS, 0x72, 1, "0b");
	OK (vh_vdpa_suspend (k));
	CU_ASSERT (fake_calls[0].no_argument);
	EXPECT (NONE, 0x7d, 0, "");
	ASKS (vh_vdpa_resume (k), NONE, 0x7e, 0, "");
	vh_kernel_free (k);
}

static void
configuration (void)
{
	const uint8_t answer[12] = { [8] = 0xaa, 0xbb, 0xcc, 0xdd };
	uint8_t bytes[VH_MAX_CONFIG_SIZE + 1] = { 1, 2, 3, 4 };

	k = fake_device ();
	ASKS (vh_vdpa_set_config (k, 0x20, bytes, 3), SETS, 0x74, 8, "20000000 03000000 010203");
	fake_answer (0, answer, sizeof (answer));
	OK (vh_vdpa_get_config (k, 2, bytes, 4));
	CU_ASSERT_EQUAL (memcmp (bytes, answer + 8, 4), 0);
	EXPECT (GETS, 0x73, 8, "02000000 04000000 00000000");
	/* A failure leaves the caller's bytes alone. */
	fake_answer (-EINVAL, answer, 2);
	CU_ASSERT_EQUAL (vh_vdpa_get_config (k, 2, bytes, 4), -EINVAL);
	CU_ASSERT_EQUAL (memcmp (bytes, answer + 8, 4), 0);
	fake_forget ();
	CU_ASSERT_EQUAL (vh_vdpa_get_config (k, 0, bytes, 0), -EINVAL);
	CU_ASSERT_EQUAL (vh_vdpa_set_config (k, 0, bytes, VH_MAX_CONFIG_SIZE + 1), -EINVAL);
	CU_ASSERT_EQUAL (fake_n_calls, 0);
	OK (vh_vdpa_get_config (k, 0, bytes, VH_MAX_CONFIG_SIZE));
	fake_forget ();
	ASKS (vh_vdpa_set_config_call (k, 6), SETS, 0x77, 4, "06000000");
	ASKS (vh_vdpa_set_config_call (k, -1), SETS, 0x77, 4, "ffffffff");
	vh_kernel_free (k);
}

/* A question about a ring. */
static void
check_ring (int (*ask) (struct vh_kernel *, unsigned, unsigned *), unsigned number)
{
	unsigned value = 0;

	fake_answer_state (2, 0x0102);
	OK (ask (k, 2, &value));
	CU_ASSERT_EQUAL (value, 0x0102);
	EXPECT (BOTH, number, 8, "02000000 00000000");
}

static void
rings (void)
{
	k = fake_device ();
	check_ring (vh_vdpa_get_vring_group, 0x7b);
	check_ring (vh_vdpa_get_vring_desc_group, 0x7f);
	check_ring (vh_vdpa_get_vring_size, 0x82);
	/* Not the request that asks for the group: others have confused the two. */
	ASKS (vh_vdpa_set_group_asid (k, 1, 3), SETS, 0x7c, 8, "01000000 03000000");
	ASKS (vh_vdpa_set_vring_enable (k, 2, 7), SETS, 0x75, 8, "02000000 01000000");
	ASKS (vh_vdpa_set_vring_enable (k, 2, 0), SETS, 0x75, 8, "02000000 00000000");
	vh_kernel_free (k);
}

static void
nothing_is_left_out (void)
{
	fake_check_asked (KERNEL_VDPA_GET_DEVICE_ID, KERNEL_REQUESTS);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "numbers", numbers },
		{ "status", status },
		{ "configuration", configuration },
		{ "rings and groups", rings },
		{ "nothing is left out", nothing_is_left_out },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("vDPA requests", tests);
}
