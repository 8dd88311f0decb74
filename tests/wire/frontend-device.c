/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct vh_dev over vhost-user, byte for byte: what it hears of its back-end, and its translations.  That devices of all kinds work the same way,
 * tests/vm/kernel/test-kinds.c shows.
 */
#include <endian.h>
#include <errno.h>

#include <vhost/device.h>

#include "tests/wire/frontend-peer.h"

#define FEATURES 0x300000000	/* VERSION_1, ACCESS_PLATFORM */

static struct {
	unsigned changes, misses;
	uint64_t iova;
	unsigned access;
} heard, heard_before;

static void
hear_change (void *opaque)
{
	CU_ASSERT_PTR_EQUAL (opaque, &heard);
	heard.changes++;
}

static void
hear_miss (void *opaque, uint64_t iova, unsigned access)
{
	CU_ASSERT_PTR_EQUAL (opaque, &heard);
	heard.misses++;
	heard.iova = iova;
	heard.access = access;
}

/* The front-end's own listener, which the device's events take the place of. */
static int
hear_miss_before (void *opaque, uint64_t iova, unsigned access)
{
	heard_before.misses++;
	return 0;
}

/* What the device tells is heard inside a call that waits. */
static void
script_iotlb (void)
{
	peer_handshake (P_BACKEND_REQ | P_REPLY_ACK | P_CONFIG);
	peer_expect ("02000000 09000000 08000000 00000040 03000000", 0);
	peer_send_u64 (2, 0);
	peer_expect ("16000000 01000000 20000000 0040230100000000 0020000000000000 00000070ff7f0000 03 02 000000000000", 0);
	peer_send_on (PEER_CHANNEL, "02000000 09000000 00000000");
	peer_expect_on (PEER_CHANNEL, "02000000 05000000 08000000 0000000000000000", 0);
	peer_send_on (PEER_CHANNEL, "01000000 09000000 20000000 0040230100000000 0000000000000000 0000000000000000 01 01 000000000000");
	peer_expect_on (PEER_CHANNEL, "01000000 05000000 08000000 0000000000000000", 0);
	peer_send_u64 (22, 0);
	peer_expect ("16000000 01000000 20000000 0040230100000000 0020000000000000 0000000000000000 00 03 000000000000", 0);
	peer_send_u64 (22, 1);
	peer_expect_end (PEER_MAIN);
}

static struct vh_dev *
begin (script_fn *script)
{
	static const struct vh_frontend_ops ops = { .size = sizeof (ops), .iotlb_miss = hear_miss_before };
	struct vh_dev *dev = NULL;

	heard.changes = heard.misses = heard_before.misses = 0;
	config_changes = 0;
	frontend_ops = &ops;
	frontend_begin (script, PATIENCE_MS);
	CU_ASSERT_EQUAL_FATAL (vh_dev_new_user (frontend, &dev), 0);
	OK (vh_dev_set_owner (dev));
	OK (vh_dev_set_features (dev, FEATURES));
	return dev;
}

static void
end (struct vh_dev *dev)
{
	vh_dev_free (dev);
	frontend = NULL;	/* went with the device */
	frontend_end ();
	frontend_ops = NULL;
}

static void
test_iotlb (void)
{
	const struct vh_dev_events events = { .size = sizeof (events), .config_changed = hear_change, .iotlb_miss = hear_miss, .opaque = &heard };
	struct vh_dev *dev = begin (script_iotlb);

	OK (vh_dev_set_events (dev, &events));
	OK (vh_dev_iotlb_update (dev, 0x1234000, 0x2000, 0x7fff70000000, VH_ACCESS_RW));
	CU_ASSERT_EQUAL (vh_dev_iotlb_update (dev, 0, 0, 0, VH_ACCESS_RO), -EINVAL);
	CU_ASSERT_EQUAL (vh_dev_iotlb_invalidate (dev, 0x1234000, 0x2000), -EREMOTEIO);
	CU_ASSERT_EQUAL (heard.changes, 1);
	CU_ASSERT_EQUAL (heard.misses, 1);
	CU_ASSERT_EQUAL (heard.iova, 0x1234000);
	CU_ASSERT_EQUAL (heard.access, VH_ACCESS_RO);
	CU_ASSERT_EQUAL (config_changes, 0);
	CU_ASSERT_EQUAL (heard_before.misses, 0);
	end (dev);
}

/* Without events, who listened to the front-end hears as before. */
static void
test_no_events (void)
{
	struct vh_dev *dev = begin (script_iotlb);

	OK (vh_dev_iotlb_update (dev, 0x1234000, 0x2000, 0x7fff70000000, VH_ACCESS_RW));
	CU_ASSERT_EQUAL (vh_dev_iotlb_invalidate (dev, 0x1234000, 0x2000), -EREMOTEIO);
	CU_ASSERT_EQUAL (config_changes, 1);
	CU_ASSERT_EQUAL (heard_before.misses, 1);
	end (dev);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "translations, and what the back-end tells", test_iotlb },
		{ "without events of the device", test_no_events },
		CU_TEST_INFO_NULL,
	};

	if (htole16 (1) != 1)
		return 77;	/* the bytes are written down for little-endian hosts */
	return suite_run ("device in a back-end, bytes", tests);
}
