/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls of the front-end that cannot be: they are refused without a byte to the back-end, and the connection goes on.
 */
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "tests/wire/frontend-peer.h"

/* None of these may reach the wire. */
static void
test_features_not_in_force (void)
{
	struct vh_region region = { .guest_addr = 0, .size = 4096, .user_addr = 0, .fd = 0 };
	struct vh_inflight area = { .size = 4096, .rings = 1, .ring_size = 128 };
	unsigned n;
	char c = 0;

	frontend_begin (script_nothing_more, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	CU_ASSERT_EQUAL (vh_frontend_get_queue_num (frontend, &n), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_get_max_mem_slots (frontend, &n), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_add_mem_region (frontend, &region), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_remove_mem_region (frontend, &region), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_get_config (frontend, 0, &c, 1), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_set_config (frontend, 0, &c, 1, 0), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_reset_device (frontend), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_get_inflight (frontend, 1, 128, &area), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_set_inflight (frontend, &area), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_enable (frontend, 0, 1), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_dispatch (frontend), 0);
	frontend_end ();
}

static void
test_bad_arguments (void)
{
	struct vh_vring_addr addr = { .desc = 16, .used = 4, .avail = 2 };
	static const struct vh_inflight areas[] = {
		{ 4096, 0, 1, 128, -1 }, { 0, 0, 1, 128, 0 }, { 4096, UINT64_MAX, 1, 128, 0 }, { 4096, 0, 0, 128, 0 }, { 4096, 0, 257, 128, 0 },
		{ 4096, 0, 1, 0, 0 }, { 4096, 0, 1, 32769, 0 },
	};
	struct vh_inflight area;
	uint8_t buf[300] = { 0 };
	uint32_t base;

	frontend_begin (script_nothing_more, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	for (unsigned i = 0; i < sizeof (areas) / sizeof (areas[0]); i++)
		CU_ASSERT_EQUAL (vh_frontend_set_inflight (frontend, &areas[i]), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_get_inflight (frontend, 0, 128, &area), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_get_inflight (frontend, 257, 128, &area), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_get_inflight (frontend, 1, 0, &area), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_get_inflight (frontend, 1, 32769, &area), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_set_features (frontend, 1), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_num (frontend, 256, 256), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_num (frontend, 0, 0), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_num (frontend, 0, 32769), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_base (frontend, 256, 0), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base (frontend, 256, &base), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_kick (frontend, 256, -1), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_call (frontend, UINT_MAX, -1), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_addr (frontend, 256, &addr), -EINVAL);
	addr.flags = 2;
	CU_ASSERT_EQUAL (vh_frontend_set_vring_addr (frontend, 0, &addr), -EINVAL);
	addr = (struct vh_vring_addr){ .desc = 8 };
	CU_ASSERT_EQUAL (vh_frontend_set_vring_addr (frontend, 0, &addr), -EINVAL);
	addr = (struct vh_vring_addr){ .used = 2 };
	CU_ASSERT_EQUAL (vh_frontend_set_vring_addr (frontend, 0, &addr), -EINVAL);
	addr = (struct vh_vring_addr){ .avail = 1 };
	CU_ASSERT_EQUAL (vh_frontend_set_vring_addr (frontend, 0, &addr), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_get_config (frontend, 0, buf, 0), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_get_config (frontend, 0, buf, 257), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_get_config (frontend, UINT32_MAX, buf, 4), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_set_config (frontend, 0, buf, 4, 2), -EINVAL);
	frontend_end ();
}

static void
test_bad_memory (void)
{
	const struct vh_region good = { .guest_addr = 0x1000, .size = 0x1000, .user_addr = 0x8000, .fd = 0 };
	struct vh_region r[9];

	frontend_begin (script_nothing_more, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	for (unsigned i = 0; i < 9; i++)
		r[i] = (struct vh_region){ .guest_addr = i << 16, .size = 0x1000, .user_addr = i << 16, .fd = 0 };
	CU_ASSERT_EQUAL (vh_frontend_set_mem_table (frontend, r, 0), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_set_mem_table (frontend, r, 9), -EINVAL);
	r[0] = good;
	r[0].size = 0;
	CU_ASSERT_EQUAL (vh_frontend_set_mem_table (frontend, r, 1), -EINVAL);
	r[0] = good;
	r[0].fd = -1;
	CU_ASSERT_EQUAL (vh_frontend_set_mem_table (frontend, r, 1), -EINVAL);
	r[0] = good;
	r[0].guest_addr = UINT64_MAX - 0x800;
	CU_ASSERT_EQUAL (vh_frontend_set_mem_table (frontend, r, 1), -EINVAL);
	r[0] = good;
	r[0].user_addr = UINT64_MAX - 0x800;
	CU_ASSERT_EQUAL (vh_frontend_set_mem_table (frontend, r, 1), -EINVAL);
	r[0] = good;
	r[0].offset = UINT64_MAX - 0x800;
	CU_ASSERT_EQUAL (vh_frontend_add_mem_region (frontend, r), -EINVAL);
	r[0] = r[1] = good;
	r[1].user_addr = 0x20000;
	CU_ASSERT_EQUAL (vh_frontend_set_mem_table (frontend, r, 2), -EINVAL);
	r[1] = good;
	r[1].guest_addr = 0x20000;
	r[1].user_addr = good.user_addr + 0xfff;
	CU_ASSERT_EQUAL (vh_frontend_set_mem_table (frontend, r, 2), -EINVAL);
	frontend_end ();
}

static void
test_bad_options (void)
{
	struct vh_frontend_options options = { .size = 0 };
	struct vh_frontend *f = NULL;

	CU_ASSERT_EQUAL (vh_frontend_new (-1, NULL, &f), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_new (0, &options, &f), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_connect ("/nowhere/at/all", 0, NULL, &f), -ENOENT);
	CU_ASSERT_PTR_NULL (f);
	vh_frontend_free (NULL);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "features that are not in force", test_features_not_in_force },
		{ "bad arguments", test_bad_arguments },
		{ "bad memory", test_bad_memory },
		{ "bad options", test_bad_options },
		CU_TEST_INFO_NULL,
	};

	if (htole16 (1) != 1)
		return 77;	/* the bytes are written down for little-endian hosts */
	return suite_run ("front-end, arguments", tests);
}
