/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hostile front-ends: ranges of the configuration space that do not exist.
 */
#include "backend-hostile.h"

#include <string.h>

/* GET_CONFIG for a range, with `payload` bytes of room behind the three numbers. */
static enum outcome
get_config (uint32_t offset, uint32_t size, uint32_t payload, struct reply *reply)
{
	struct bytes b = { .n = 0 };

	bytes_u32 (&b, offset);
	bytes_u32 (&b, size);
	bytes_u32 (&b, 0);
	bytes_fill (&b, 0, payload);
	rig_send (&rig, FE_GET_CONFIG, FLAG_VERSION, b.data, (uint32_t) b.n, NULL, 0);
	return rig_receive (&rig, FE_GET_CONFIG, reply);
}

/* "Failed" is a reply without a body. */
static bool
nothing_of (uint32_t offset, uint32_t size, uint32_t payload)
{
	struct reply reply;

	return get_config (offset, size, payload, &reply) == ANSWER && reply.size == 0;
}

static bool
slice_of (uint32_t offset, uint32_t size)
{
	struct reply reply;
	uint32_t numbers[3];

	if (get_config (offset, size, size, &reply) != ANSWER || reply.size != 12 + size)
		return false;
	memcpy (numbers, reply.body, sizeof (numbers));
	return numbers[0] == offset && numbers[1] == size && memcmp (reply.body + 12, device.config + offset, size) == 0;
}

static void
hostile_69_ranges_outside (void)
{
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_TRUE (nothing_of (0, 1024, 1024));
	CU_ASSERT_TRUE (nothing_of (0, DEVICE_CONFIG_SIZE + 1, DEVICE_CONFIG_SIZE + 1));
	CU_ASSERT_TRUE (nothing_of (1, DEVICE_CONFIG_SIZE, DEVICE_CONFIG_SIZE));
	CU_ASSERT_TRUE (nothing_of (DEVICE_CONFIG_SIZE, 1, 1));
	CU_ASSERT_TRUE (nothing_of (0xffffffff, 1, 1));
	CU_ASSERT_TRUE (nothing_of (0xffffffff, 64, 64));
	CU_ASSERT_TRUE (nothing_of (0xfffffff0, 0xfffffff0, 16));
	CU_ASSERT_TRUE (nothing_of (0, 0, 0));
	CU_ASSERT_TRUE (slice_of (0, DEVICE_CONFIG_SIZE));
	CU_ASSERT_TRUE (slice_of (DEVICE_CONFIG_SIZE - 1, 1));
}

static void
hostile_70_a_size_that_is_not_the_payloads (void)
{
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_TRUE (nothing_of (0, 64, 0));
	CU_ASSERT_TRUE (nothing_of (0, 64, 63));
	CU_ASSERT_TRUE (nothing_of (0, 8, 64));
	CU_ASSERT_TRUE (nothing_of (0, 0xfffffff0, 16));
	/* Less than the three numbers. */
	rig_send (&rig, FE_GET_CONFIG, FLAG_VERSION, "12345678", 8, NULL, 0);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_CONFIG, NULL), ANSWER);
	CU_ASSERT_TRUE (slice_of (0, 8));
}

static void
hostile_71_writes (void)
{
	uint8_t before[DEVICE_CONFIG_SIZE], data[1024] = { 0 };

	memcpy (before, device.config, sizeof (before));
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_EQUAL (rig_tell_config (&rig, 0xffffffff, 8, 0, data), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_config (&rig, DEVICE_CONFIG_SIZE - 4, 8, 0, data), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_config (&rig, 0, 1024, 1, data), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_config (&rig, 0, 8, 0, data), REFUSAL);	/* read-only */
	CU_ASSERT_EQUAL (rig_tell_config (&rig, DEVICE_WRITABLE, 2, 0, data), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_config (&rig, DEVICE_WRITABLE, 1, 3, data), REFUSAL);	/* no such flags */
	CU_ASSERT_EQUAL (rig_tell_config (&rig, DEVICE_WRITABLE, 1, 4, data), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_config (&rig, DEVICE_WRITABLE, 1, 0x80000001, data), REFUSAL);
	CU_ASSERT_EQUAL (rig_tell_config (&rig, DEVICE_WRITABLE, 0, 0, data), REFUSAL);
	CU_ASSERT_EQUAL (device.config_writes, 0);
	CU_ASSERT_EQUAL (memcmp (device.config, before, sizeof (before)), 0);
	CU_ASSERT_EQUAL (rig_tell_config (&rig, DEVICE_WRITABLE, 1, 0, "\1"), ACK);
	CU_ASSERT_EQUAL (device.config[DEVICE_WRITABLE], 1);
	/* Migration restores what a guest may not write. */
	CU_ASSERT_EQUAL (rig_tell_config (&rig, 0, 2, 1, "\7\7"), ACK);
	CU_ASSERT_EQUAL (device.config[1], 7);
}

/* The specification has 0 and 1, rust-vmm 1 and 2; and rust-vmm's front-ends ask with 1, which is theirs again in the answer. */
static void
flags_of_two_schools (void)
{
	static const struct {
		uint32_t sent, seen;
	} flags[] = { { 0, VH_CONFIG_WRITE }, { 1, VH_CONFIG_RESTORE }, { 2, VH_CONFIG_RESTORE } };
	struct bytes b = { .n = 0 };
	struct reply reply;

	CU_ASSERT_TRUE (rig_negotiate (&rig));
	for (unsigned i = 0; i < sizeof (flags) / sizeof (flags[0]); i++) {
		uint8_t value = (uint8_t) (0x11 * (i + 1));

		CU_ASSERT_EQUAL (rig_tell_config (&rig, DEVICE_WRITABLE, 1, flags[i].sent, &value), ACK);
		CU_ASSERT_EQUAL (device.config_flags, flags[i].seen);
		CU_ASSERT_EQUAL (device.config[DEVICE_WRITABLE], value);
	}
	for (uint32_t sent = 1; sent <= 2; sent++)
		CU_ASSERT_EQUAL (rig_tell_config (&rig, 0, 2, sent, "\7\7"), ACK);
	b.n = 0;
	bytes_u32 (&b, 0);
	bytes_u32 (&b, 1);
	bytes_u32 (&b, 1);
	bytes_fill (&b, 0, 1);
	rig_send (&rig, FE_GET_CONFIG, FLAG_VERSION, b.data, (uint32_t) b.n, NULL, 0);
	CU_ASSERT_EQUAL (rig_receive (&rig, FE_GET_CONFIG, &reply), ANSWER);
	b.data[12] = 7;
	CU_ASSERT (reply.size == b.n && memcmp (reply.body, b.data, b.n) == 0);
}

static void
hostile_72_a_slice_is_not_the_start (void)
{
	CU_ASSERT_TRUE (rig_negotiate (&rig));
	CU_ASSERT_TRUE (slice_of (20, 4));
	CU_ASSERT_TRUE (slice_of (33, 31));
}

static void
hostile_72_a_device_without_a_configuration (void)
{
	uint64_t offered;

	rig_close (&rig);
	device.device.config_size = 0;
	rig_open (&rig, &device, 0);
	CU_ASSERT_TRUE (rig_ask_u64 (&rig, FE_GET_PROTOCOL_FEATURES, &offered));
	CU_ASSERT_EQUAL (offered & PROTOCOL_CONFIG, 0);
	CU_ASSERT_TRUE (nothing_of (0, 8, 8));
	rig_close (&rig);
	device.device.config_size = DEVICE_CONFIG_SIZE;
	rig_open (&rig, &device, 0);
}

struct CU_TestInfo config_cases[] = {
	CASE (hostile_69_ranges_outside),
	CASE (hostile_70_a_size_that_is_not_the_payloads),
	CASE (hostile_71_writes),
	CASE (flags_of_two_schools),
	CASE (hostile_72_a_slice_is_not_the_start),
	CASE (hostile_72_a_device_without_a_configuration),
	CU_TEST_INFO_NULL,
};
