/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a back-end asks of the front-end: what the caller hears of it, and the answers, byte for byte.  The front-end is in a call of its own meanwhile, so
 * this is also that neither end waits for the other.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/wire/frontend-peer.h"

#define ALL (P_REPLY_ACK | P_BACKEND_REQ | P_SEND_FD | P_HOST_NOTIFIER | P_IN_BAND | P_SHARED_OBJECT | P_SHMEM)

#define SOME_UUID "00112233 44556677 8899aabb ccddeeff"

/* --- the caller's side, which notes down what it hears --- */

static char heard[16384];
static size_t heard_size;
/* Set by the script, read in the test's own thread: atomic. */
static _Atomic int refusal;	/* what it answers */
static _Atomic int object;	/* what lookup_object has */

static int
hear (const char *what, unsigned long long a, unsigned long long b, unsigned long long c)
{
	heard_size += (size_t) snprintf (heard + heard_size, sizeof (heard) - heard_size, "%s %llx %llx %llx;", what, a, b, c);
	return refusal;
}

static int
hear_call (void *opaque, unsigned ring)
{
	return hear ("call", ring, 0, 0);
}

static int
hear_err (void *opaque, unsigned ring)
{
	return hear ("err", ring, 0, 0);
}

static int
hear_notifier (void *opaque, unsigned ring, int fd, uint64_t offset)
{
	int err = hear (fd < 0 ? "no notifier" : "notifier", ring, offset, 0);

	if (fd >= 0 && err == 0)
		close (fd);
	return err;
}

static int
hear_uuid (const char *what, const uint8_t uuid[VH_UUID_SIZE])
{
	return hear (what, uuid[0], uuid[1], uuid[15]);
}

static int
hear_add (void *opaque, const uint8_t uuid[VH_UUID_SIZE])
{
	return hear_uuid ("add", uuid);
}

static int
hear_remove (void *opaque, const uint8_t uuid[VH_UUID_SIZE])
{
	return hear_uuid ("remove", uuid);
}

static int
hear_lookup (void *opaque, const uint8_t uuid[VH_UUID_SIZE])
{
	int err = hear_uuid ("lookup", uuid);

	return err < 0 ? err : object;
}

static int
hear_map (void *opaque, const struct vh_shmem_map *map, int fd)
{
	int err = hear (map->flags ? "map rw" : "map", map->id, map->offset, map->size);

	if (err == 0)
		close (fd);
	return err;
}

static int
hear_unmap (void *opaque, const struct vh_shmem_map *map)
{
	return hear ("unmap", map->id, map->offset, map->size);
}

static const struct vh_frontend_ops ops = {
	.size = sizeof (ops),
	.vring_call = hear_call,
	.vring_err = hear_err,
	.host_notifier = hear_notifier,
	.add_object = hear_add,
	.remove_object = hear_remove,
	.lookup_object = hear_lookup,
	.map_shmem = hear_map,
	.unmap_shmem = hear_unmap,
};

/* --- a call, while the back-end asks --- */

static script_fn *asking;
static uint64_t features;
static bool has_region = true;	/* region 3, of 2 MiB */

static void
script (void)
{
	peer_handshake (features);
	if (features & P_SHMEM) {
		static char sizes[2 * 2100];
		/* Four bytes of padding, which nobody says to be zeroes. */
		char *p = sizes + sprintf (sizes, "2c000000 05000000 08080000 %s 000000ff", has_region ? "01000000" : "00000000");

		memset (p, '0', 2 * 2048);
		if (has_region)
			memcpy (p + 2 * 8 * 3, "0000200000000000", 16);
		p[2 * 2048] = '\0';
		peer_expect ("2c000000 01000000 00000000", 0);
		peer_send (sizes);
	}
	peer_expect ("04000000 09000000 00000000", 0);
	asking ();
	peer_send_u64 (4, 0);
	peer_expect_end (PEER_MAIN);
}

static void
begin (script_fn *requests, uint64_t set)
{
	uint64_t sizes[VH_MAX_SHMEM];

	heard[0] = '\0';
	heard_size = 0;
	refusal = 0;
	asking = requests;
	features = set;
	frontend_ops = &ops;
	frontend_begin (script, PATIENCE_MS);
	frontend_ops = NULL;
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	CU_ASSERT_EQUAL (vh_frontend_protocol_features (frontend), set);
	if (set & P_SHMEM) {
		OK (vh_frontend_get_shmem_config (frontend, sizes));
		CU_ASSERT_EQUAL (sizes[3], has_region ? 0x200000 : 0);
		CU_ASSERT_EQUAL (sizes[4], 0);
	}
	OK (vh_frontend_reset_owner (frontend));
}

/* A request on the channel that is asked and answered; one that is refused. */
static void
done (const char *hex, unsigned fds)
{
	char reply[64];

	peer_send_fds (PEER_CHANNEL, hex, fds);
	snprintf (reply, sizeof (reply), "%.8s 05000000 08000000 00000000 00000000", hex);
	peer_expect_on (PEER_CHANNEL, reply, 0);
}

static void
refused (const char *hex, unsigned fds)
{
	char reply[64];

	peer_send_fds (PEER_CHANNEL, hex, fds);
	snprintf (reply, sizeof (reply), "%.8s 05000000 08000000 01000000 00000000", hex);
	peer_expect_on (PEER_CHANNEL, reply, 0);
}

/* --- in-band notifications --- */

static void
ask_in_band (void)
{
	done ("04000000 09000000 08000000 05000000 00000000", 0);
	done ("05000000 09000000 08000000 ff000000 00000000", 0);
	refused ("04000000 09000000 08000000 00010000 00000000", 0);
	refused ("04000000 09000000 08000000 00000000 01000000", 0);
	refused ("05000000 09000000 04000000 00000000", 0);
	refused ("04000000 09000000 08000000 05000000 00000000", 1);
	/* Without a wish for an answer. */
	peer_send_on (PEER_CHANNEL, "04000000 01000000 08000000 06000000 00000000");
	done ("04000000 09000000 08000000 07000000 00000000", 0);
}

static void
test_in_band (void)
{
	begin (ask_in_band, ALL);
	CU_ASSERT_STRING_EQUAL (heard, "call 5 0 0;err ff 0 0;call 6 0 0;call 7 0 0;");
	frontend_end ();
}

/* --- host notifiers --- */

static void
ask_notifier (void)
{
	done ("03000000 09000000 18000000 02000000 00000000 0010000000000000 0050000000000000", 1);
	/* Not a page; not at a page; fd and none; neither; bits that are not defined. */
	refused ("03000000 09000000 18000000 02000000 00000000 0008000000000000 0050000000000000", 1);
	refused ("03000000 09000000 18000000 02000000 00000000 0020000000000000 0050000000000000", 1);
	refused ("03000000 09000000 18000000 02000000 00000000 0010000000000000 0150000000000000", 1);
	refused ("03000000 09000000 18000000 02000000 00000000 0010000000000000 00f0ffffffffffff", 1);
	refused ("03000000 09000000 18000000 02010000 00000000 0010000000000000 0050000000000000", 1);
	refused ("03000000 09000000 18000000 02000000 00000000 0010000000000000 0050000000000000", 0);
	refused ("03000000 09000000 18000000 02020000 00000000 0010000000000000 0050000000000000", 1);
	done ("03000000 09000000 18000000 02010000 00000000 0010000000000000 0000000000000000", 0);
	/* Twice is once. */
	done ("03000000 09000000 18000000 02010000 00000000 0010000000000000 0000000000000000", 0);
	done ("03000000 09000000 18000000 03000000 00000000 0010000000000000 0000000000000000", 1);
	peer_send_u64 (4, 0);
	peer_expect ("0b000000 01000000 08000000 03000000 00000000", 0);
	peer_send ("0b000000 05000000 08000000 03000000 00000000");
	peer_expect ("04000000 09000000 00000000", 0);
}

static void
test_notifier (void)
{
	uint32_t base;

	begin (ask_notifier, ALL);
	CU_ASSERT_STRING_EQUAL (heard, "notifier 2 5000 0;no notifier 2 0 0;notifier 3 0 0;");
	/* It goes with the ring. */
	OK (vh_frontend_get_vring_base (frontend, 3, &base));
	OK (vh_frontend_reset_owner (frontend));
	CU_ASSERT_STRING_EQUAL (heard, "notifier 2 5000 0;no notifier 2 0 0;notifier 3 0 0;no notifier 3 0 0;");
	frontend_end ();
}

/* --- shared objects --- */

static void
ask_objects (void)
{
	done ("06000000 09000000 10000000 " SOME_UUID, 0);
	done ("07000000 09000000 10000000 " SOME_UUID, 0);
	refused ("06000000 09000000 0f000000 00112233 44556677 8899aabb ccddee", 0);
	/* The answer brings the fd, on this channel, whether it was asked for or not. */
	peer_send_on (PEER_CHANNEL, "08000000 09000000 10000000 " SOME_UUID);
	peer_expect_on (PEER_CHANNEL, "08000000 05000000 08000000 00000000 00000000", 1);
	peer_send_on (PEER_CHANNEL, "08000000 01000000 10000000 " SOME_UUID);
	peer_expect_on (PEER_CHANNEL, "08000000 05000000 08000000 00000000 00000000", 1);
	object = -ENOENT;
	refused ("08000000 09000000 10000000 " SOME_UUID, 0);
	refusal = -EEXIST;
	refused ("06000000 09000000 10000000 " SOME_UUID, 0);
	refused ("07000000 09000000 10000000 " SOME_UUID, 0);
	refusal = 0;
}

static void
test_objects (void)
{
	int fd = eventfd (0, EFD_CLOEXEC);

	object = fd;
	begin (ask_objects, ALL);
	CU_ASSERT_STRING_EQUAL (heard, "add 0 11 ff;remove 0 11 ff;lookup 0 11 ff;lookup 0 11 ff;lookup 0 11 ff;add 0 11 ff;remove 0 11 ff;");
	frontend_end ();
	CU_ASSERT_EQUAL (close (fd), 0);	/* still the caller's */
}

/* --- shared memory --- */

#define PADDED_MAP(id, padding, fd_offset, offset, size, flags) "28000000 " id padding fd_offset " " offset " " size " " flags
#define MAP(id, fd_offset, offset, size, flags) PADDED_MAP (id, "000000 00000000 ", fd_offset, offset, size, flags)

static void
ask_shmem (void)
{
	done ("09000000 09000000 " MAP ("03", "0010000000000000", "0000000000000000", "0020000000000000", "0100000000000000"), 1);
	done ("09000000 09000000 " MAP ("03", "0000000000000000", "00f01f0000000000", "0010000000000000", "0000000000000000"), 1);
	/* Padding is there for something to come: the region's number may grow. */
	refused ("09000000 09000000 " PADDED_MAP ("03", "010000 00000000 ", "0000000000000000", "0000010000000000", "0010000000000000", "0000000000000000"), 1);
	refused ("09000000 09000000 " PADDED_MAP ("03", "000000 00000080 ", "0000000000000000", "0000010000000000", "0010000000000000", "0000000000000000"), 1);
	/* Overlaps; beyond the region; a region that is not there; not whole pages; flags; nothing; wraps; no fd. */
	refused ("09000000 09000000 " MAP ("03", "0010000000000000", "0010000000000000", "0010000000000000", "0000000000000000"), 1);
	refused ("09000000 09000000 " MAP ("03", "0000000000000000", "00f01f0000000000", "0020000000000000", "0000000000000000"), 1);
	refused ("09000000 09000000 " MAP ("04", "0000000000000000", "0000000000000000", "0010000000000000", "0000000000000000"), 1);
	refused ("09000000 09000000 " MAP ("03", "0000000000000000", "0008010000000000", "0010000000000000", "0000000000000000"), 1);
	refused ("09000000 09000000 " MAP ("03", "0008000000000000", "0000010000000000", "0010000000000000", "0000000000000000"), 1);
	refused ("09000000 09000000 " MAP ("03", "0000000000000000", "0000010000000000", "0008000000000000", "0000000000000000"), 1);
	refused ("09000000 09000000 " MAP ("03", "0000000000000000", "0000010000000000", "0010000000000000", "0200000000000000"), 1);
	refused ("09000000 09000000 " MAP ("03", "0000000000000000", "0000010000000000", "0010000000000000", "0100000001000000"), 1);
	refused ("09000000 09000000 " MAP ("03", "0000000000000000", "0000010000000000", "0000000000000000", "0000000000000000"), 1);
	refused ("09000000 09000000 " MAP ("03", "0000000000000000", "00f0ffffffffffff", "0020000000000000", "0000000000000000"), 1);
	refused ("09000000 09000000 " MAP ("03", "0000000000000000", "0000010000000000", "0010000000000000", "0000000000000000"), 0);
	/* Out: the very piece, and no other. */
	refused ("0a000000 09000000 " MAP ("03", "0000000000000000", "0000000000000000", "0010000000000000", "0000000000000000"), 0);
	refused ("0a000000 09000000 " PADDED_MAP ("03", "000001 00000000 ", "0010000000000000", "0000000000000000", "0020000000000000", "0000000000000000"), 0);
	refused ("0a000000 09000000 " MAP ("02", "0010000000000000", "0000000000000000", "0020000000000000", "0000000000000000"), 0);
	done ("0a000000 09000000 " MAP ("03", "0010000000000000", "0000000000000000", "0020000000000000", "0000000000000000"), 0);
	refused ("0a000000 09000000 " MAP ("03", "0010000000000000", "0000000000000000", "0020000000000000", "0000000000000000"), 0);
	refusal = -EPERM;
	refused ("09000000 09000000 " MAP ("03", "0010000000000000", "0000000000000000", "0020000000000000", "0100000000000000"), 1);
	refusal = 0;
	done ("09000000 09000000 " MAP ("03", "0010000000000000", "0000000000000000", "0020000000000000", "0000000000000000"), 1);
}

static void
test_shmem (void)
{
	begin (ask_shmem, ALL);
	CU_ASSERT_STRING_EQUAL (heard, "map rw 3 0 2000;map 3 1ff000 1000;unmap 3 0 2000;map rw 3 0 2000;map 3 0 2000;");
	heard_size = 0;
	/* What is left goes with the connection. */
	frontend_end ();
	CU_ASSERT_STRING_EQUAL (heard, "unmap 3 0 2000;unmap 3 1ff000 1000;");
}

#define NOTHING "0000000000000000"

static void
ask_many_pieces (void)
{
	char hex[256];

	for (unsigned i = 0; i < 256; i++) {
		snprintf (hex, sizeof (hex), "09000000 09000000 " MAP ("03", "0000000000000000", "00%02x%02x0000000000", "0010000000000000", NOTHING),
			  i << 4 & 0xff, i >> 4);
		done (hex, 1);
	}
	refused ("09000000 09000000 " MAP ("03", "0000000000000000", "0000100000000000", "0010000000000000", "0000000000000000"), 1);
}

static void
test_many_pieces (void)
{
	begin (ask_many_pieces, ALL);
	frontend_end ();
}

/* A back-end may have the feature and no region. */
static void
ask_for_no_region (void)
{
	refused ("09000000 09000000 " MAP ("00", NOTHING, NOTHING, "0010000000000000", NOTHING), 1);
	refused ("09000000 09000000 " MAP ("03", NOTHING, NOTHING, "0010000000000000", NOTHING), 1);
	refused ("0a000000 09000000 " MAP ("03", NOTHING, NOTHING, "0010000000000000", NOTHING), 0);
}

static void
test_no_region (void)
{
	has_region = false;
	begin (ask_for_no_region, ALL);
	CU_ASSERT_STRING_EQUAL (heard, "");
	frontend_end ();
	has_region = true;
}

static void
ask_before_reset (void)
{
	done ("09000000 09000000 " MAP ("03", "0010000000000000", "0000000000000000", "0020000000000000", "0000000000000000"), 1);
	peer_send_u64 (4, 0);
	peer_expect ("22000000 09000000 00000000", 0);
	peer_send_u64 (34, 0);
	peer_expect ("04000000 09000000 00000000", 0);
	done ("09000000 09000000 " MAP ("03", "0010000000000000", "0000000000000000", "0020000000000000", "0000000000000000"), 1);
}

static void
test_a_reset_takes_pieces_out (void)
{
	begin (ask_before_reset, ALL | P_RESET_DEVICE);
	CU_ASSERT_STRING_EQUAL (heard, "map 3 0 2000;");
	OK (vh_frontend_reset_device (frontend));
	CU_ASSERT_STRING_EQUAL (heard, "map 3 0 2000;unmap 3 0 2000;");
	OK (vh_frontend_reset_owner (frontend));
	CU_ASSERT_STRING_EQUAL (heard, "map 3 0 2000;unmap 3 0 2000;map 3 0 2000;");
	frontend_end ();
}

/* --- what is not in force --- */

static void
ask_everything (void)
{
	refused ("03000000 09000000 18000000 02000000 00000000 0010000000000000 0050000000000000", 1);
	refused ("04000000 09000000 08000000 05000000 00000000", 0);
	refused ("05000000 09000000 08000000 05000000 00000000", 0);
	refused ("06000000 09000000 10000000 " SOME_UUID, 0);
	refused ("07000000 09000000 10000000 " SOME_UUID, 0);
	refused ("08000000 09000000 10000000 " SOME_UUID, 0);
	refused ("09000000 09000000 " MAP ("03", "0010000000000000", "0000000000000000", "0020000000000000", "0000000000000000"), 1);
	refused ("0a000000 09000000 " MAP ("03", "0010000000000000", "0000000000000000", "0020000000000000", "0000000000000000"), 0);
	/* Ids that are not defined, among them two of a proposal. */
	refused ("00000000 09000000 00000000", 0);
	refused ("0b000000 09000000 00000000", 0);
	refused ("0c000000 09000000 00000000", 0);
	refused ("ffffff7f 09000000 00000000", 0);
}

static void
test_nothing_that_is_not_in_force (void)
{
	begin (ask_everything, P_REPLY_ACK | P_BACKEND_REQ);
	CU_ASSERT_STRING_EQUAL (heard, "");
	frontend_end ();
}

/* rust-vmm up to 0.16 takes bit 21, which is GPA_ADDRESSES, for SHMEM: that one does not let anything in. */
static void
script_bit_21 (void)
{
	peer_expect ("01000000 01000000 00000000", 0);
	peer_send ("01000000 05000000 08000000 00000070 01000000");
	peer_expect ("0f000000 01000000 00000000", 0);
	peer_send_u64 (15, P_REPLY_ACK | P_BACKEND_REQ | P_SEND_FD | 0x200000u);
	peer_expect_u64 (16, 1, P_REPLY_ACK | P_BACKEND_REQ | P_SEND_FD);
	peer_expect_channel ("15000000 09000000 00000000");
	peer_send_u64 (21, 0);
	peer_expect ("03000000 09000000 00000000", 0);
	refused ("09000000 09000000 " MAP ("03", "0010000000000000", "0000000000000000", "0020000000000000", "0000000000000000"), 1);
	peer_send_u64 (3, 0);
	peer_expect_end (PEER_MAIN);
}

static void
test_bit_21_is_not_shmem (void)
{
	frontend_ops = &ops;
	frontend_begin (script_bit_21, PATIENCE_MS);
	frontend_ops = NULL;
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	frontend_end ();
}

/* Without the callbacks the handshake sets none of these features, and without their company neither. */
static void
script_choice (void)
{
	peer_expect ("01000000 01000000 00000000", 0);
	peer_send ("01000000 05000000 08000000 00000070 01000000");
	peer_expect ("0f000000 01000000 00000000", 0);
	peer_send_u64 (15, ALL);
	peer_expect_u64 (16, 1, features);
	peer_close (PEER_MAIN);
}

static void
choice (const struct vh_frontend_ops *with, uint64_t wanted, uint64_t set)
{
	features = set;
	frontend_ops = with;
	frontend_begin (script_choice, PATIENCE_MS);
	frontend_ops = NULL;
	CU_ASSERT_EQUAL (vh_frontend_handshake (frontend, wanted), -ECONNRESET);	/* the script ends there */
	frontend_end ();
}

static void
test_features_that_are_set (void)
{
	struct vh_frontend_ops some = { .size = sizeof (some), .vring_call = hear_call, .add_object = hear_add, .map_shmem = hear_map };

	choice (NULL, ALL & ~P_BACKEND_REQ, P_REPLY_ACK);
	choice (&some, ALL & ~P_BACKEND_REQ, P_REPLY_ACK);
	choice (&ops, ALL & ~P_BACKEND_REQ, P_REPLY_ACK | P_SEND_FD);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "VRING_CALL, VRING_ERR", test_in_band },
		{ "VRING_HOST_NOTIFIER_MSG", test_notifier },
		{ "SHARED_OBJECT_ADD, SHARED_OBJECT_REMOVE, SHARED_OBJECT_LOOKUP", test_objects },
		{ "GET_SHMEM_CONFIG, SHMEM_MAP, SHMEM_UNMAP", test_shmem },
		{ "so many pieces and no more", test_many_pieces },
		{ "shared memory without any region", test_no_region },
		{ "a reset takes pieces out", test_a_reset_takes_pieces_out },
		{ "nothing that is not in force", test_nothing_that_is_not_in_force },
		{ "bit 21 is not SHMEM", test_bit_21_is_not_shmem },
		{ "features that are set", test_features_that_are_set },
		CU_TEST_INFO_NULL,
	};

	if (htole16 (1) != 1)
		return 77;	/* the bytes are written down for little-endian hosts */
	return suite_run ("front-end, what the back-end asks", tests);
}
