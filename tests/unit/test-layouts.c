/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the fields of payloads are: offsets and sizes are typed here from the specifications, and each field is written there and read there.  test-payload.c
 * has the payloads of rings and memory, byte for byte, and test-gpu.c those of the GPU's socket.
 */
#include <errno.h>
#include <string.h>

#include "tests/suite.h"
#include "wire/payload.h"

static struct message message;

/* The number of so many bytes at an offset: written, and read.  Little-endian, as are the hosts that the bytes of these tests are for. */
static uint64_t
number (const uint8_t *p, unsigned offset, unsigned size)
{
	uint64_t n = 0;

	for (unsigned i = size; i-- > 0;)
		n = n << 8 | p[offset + i];
	return n;
}

#define AT(offset, size) number (message.body, offset, size)

/* A message of so many bytes, each of another value than its neighbours. */
static void
take (uint32_t size)
{
	message_init (&message, 1, MESSAGE_VERSION);
	message.size = size;
	for (uint32_t i = 0; i < size; i++)
		message.body[i] = (uint8_t) (1 + i % 251);
}

static void
put (unsigned offset, unsigned size, uint64_t value)
{
	for (unsigned i = 0; i < size; i++)
		message.body[offset + i] = (uint8_t) (value >> 8 * i);
}

static void
dirty_log (void)
{
	uint64_t size, offset;

	message_put_log (&message, 0x1122334455667788, 0x99aabbccddeeff00);
	CU_ASSERT_EQUAL (message.size, 16);
	CU_ASSERT_EQUAL (AT (0, 8), 0x1122334455667788);
	CU_ASSERT_EQUAL (AT (8, 8), 0x99aabbccddeeff00);
	take (16);
	CU_ASSERT_EQUAL (message_get_log (&message, &size, &offset), 0);
	CU_ASSERT_TRUE (size == AT (0, 8) && offset == AT (8, 8));
	take (8);
	CU_ASSERT_EQUAL (message_get_log (&message, &size, &offset), -EBADMSG);
}

static void
translations (void)
{
	struct iotlb_message t = { .iova = 0x1122334455667788, .size = 0x1000, .user = 0x7f0000001000, .perm = 3, .type = 2 };

	message_put_iotlb (&message, &t);
	CU_ASSERT_EQUAL (message.size, 32);
	CU_ASSERT_TRUE (AT (0, 8) == 0x1122334455667788 && AT (8, 8) == 0x1000 && AT (16, 8) == 0x7f0000001000);
	CU_ASSERT_TRUE (AT (24, 1) == 3 && AT (25, 1) == 2 && AT (26, 6) == 0);
	take (32);
	CU_ASSERT_EQUAL (message_get_iotlb (&message, &t), 0);
	CU_ASSERT_TRUE (t.iova == AT (0, 8) && t.size == AT (8, 8) && t.user == AT (16, 8) && t.perm == AT (24, 1) && t.type == AT (25, 1));
	take (26);
	CU_ASSERT_EQUAL (message_get_iotlb (&message, &t), -EBADMSG);
}

/* 24 bytes are sent; 20 are the fields without the padding behind them, and are taken as well. */
static void
inflight_areas (void)
{
	static const uint32_t sizes[] = { 24, 20 }, wrong[] = { 0, 16, 19, 21, 22, 23, 25, 32 };
	struct inflight_area a = { .size = 0x1122334455667788, .offset = 0x99aabbccddeeff00, .rings = 0x1234, .entries = 0x5678 };

	message_put_inflight (&message, &a);
	CU_ASSERT_EQUAL (message.size, 24);
	CU_ASSERT_TRUE (AT (0, 8) == 0x1122334455667788 && AT (8, 8) == 0x99aabbccddeeff00);
	CU_ASSERT_TRUE (AT (16, 2) == 0x1234 && AT (18, 2) == 0x5678 && AT (20, 4) == 0);
	for (unsigned i = 0; i < 2; i++) {
		take (sizes[i]);
		CU_ASSERT_EQUAL (message_get_inflight (&message, &a), 0);
		CU_ASSERT_TRUE (a.size == AT (0, 8) && a.offset == AT (8, 8) && a.rings == AT (16, 2) && a.entries == AT (18, 2));
	}
	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++) {
		take (wrong[i]);
		CU_ASSERT_EQUAL (message_get_inflight (&message, &a), -EBADMSG);
	}
}

static void
device_states (void)
{
	struct state_transfer t = { .direction = 1, .phase = 0x11223344 };
	uint8_t uuid[16];

	message_put_transfer (&message, &t);
	CU_ASSERT_TRUE (message.size == 8 && AT (0, 4) == 1 && AT (4, 4) == 0x11223344);
	take (8);
	CU_ASSERT_EQUAL (message_get_transfer (&message, &t), 0);
	CU_ASSERT_TRUE (t.direction == AT (0, 4) && t.phase == AT (4, 4));
	take (16);
	CU_ASSERT_EQUAL (message_get_uuid (&message, uuid), 0);
	CU_ASSERT_EQUAL (memcmp (uuid, message.body, 16), 0);
	take (15);
	CU_ASSERT_EQUAL (message_get_uuid (&message, uuid), -EBADMSG);
}

static void
notifier_areas (void)
{
	struct notifier_area a = { .ring = { .index = 0x21 }, .size = 0x1000, .offset = 0x99aabbccddeeff00 };

	message_put_area (&message, &a);
	CU_ASSERT_TRUE (message.size == 24 && AT (0, 8) == 0x21 && AT (8, 8) == 0x1000 && AT (16, 8) == 0x99aabbccddeeff00);
	a.ring.no_fd = true;
	message_put_area (&message, &a);
	CU_ASSERT_EQUAL (AT (0, 8), 0x121);
	take (24);
	put (0, 8, 0x1ff);
	CU_ASSERT_EQUAL (message_get_area (&message, &a), 0);
	CU_ASSERT_TRUE (a.ring.index == 0xff && a.ring.no_fd && a.size == AT (8, 8) && a.offset == AT (16, 8));
	put (0, 8, 0x2ff);
	CU_ASSERT_EQUAL (message_get_area (&message, &a), -EBADMSG);
}

static void
shared_memory (void)
{
	struct vh_shmem_map map = { .id = 0x21, .flags = 1, .fd_offset = 0x1000, .offset = 0x2000, .size = 0x3000 };
	uint64_t sizes[VH_MAX_SHMEM] = { [3] = 0x1000, [255] = 0x1122334455667788 };

	message_put_shmem_map (&message, &map);
	CU_ASSERT_TRUE (message.size == 40 && AT (0, 1) == 0x21 && AT (1, 7) == 0);
	CU_ASSERT_TRUE (AT (8, 8) == 0x1000 && AT (16, 8) == 0x2000 && AT (24, 8) == 0x3000 && AT (32, 8) == 1);
	take (40);
	put (1, 7, 0);
	put (32, 8, 1);
	CU_ASSERT_EQUAL (message_get_shmem_map (&message, &map), 0);
	CU_ASSERT_TRUE (map.id == 1 && map.fd_offset == AT (8, 8) && map.offset == AT (16, 8) && map.size == AT (24, 8) && map.flags == 1);

	message_put_shmem_sizes (&message, sizes);
	CU_ASSERT_TRUE (message.size == 2056 && AT (0, 4) == 2 && AT (4, 4) == 0);
	CU_ASSERT_TRUE (AT (8, 8) == 0 && AT (32, 8) == 0x1000 && AT (2048, 8) == 0x1122334455667788);
	take (2056);
	put (0, 8, 256);
	CU_ASSERT_EQUAL (message_get_shmem_sizes (&message, sizes), 0);
	for (unsigned i = 0; i < 256; i++)
		CU_ASSERT_EQUAL (sizes[i], AT (8 + 8 * i, 8));
}

/* The fields of a crypto session are in the first 56 bytes, and the keys behind them; the session's number is the last 8 of 1072. */
static void
symmetric_sessions (void)
{
	struct vh_crypto_session s;

	take (1072);
	put (0, 8, 0x0002);	/* CIPHER_CREATE_SESSION */
	put (12, 4, 64);
	put (24, 4, 512);
	CU_ASSERT_EQUAL (message_get_crypto (&message, &s), 0);
	CU_ASSERT_TRUE (s.opcode == 2 && !s.asymmetric);
	CU_ASSERT_TRUE (s.u.sym.cipher == AT (8, 4) && s.u.sym.cipher_key_size == 64 && s.u.sym.hash == AT (16, 4));
	CU_ASSERT_TRUE (s.u.sym.hash_result_size == AT (20, 4) && s.u.sym.auth_key_size == 512 && s.u.sym.aad_size == AT (28, 4));
	CU_ASSERT_TRUE (s.u.sym.op_type == AT (32, 1) && s.u.sym.direction == AT (33, 1));
	CU_ASSERT_TRUE (s.u.sym.hash_mode == AT (34, 1) && s.u.sym.chain_order == AT (35, 1));
	CU_ASSERT_EQUAL (memcmp (s.u.sym.cipher_key, message.body + 56, 64), 0);
	CU_ASSERT_EQUAL (memcmp (s.u.sym.auth_key, message.body + 120, 512), 0);
	put (12, 4, 65);
	CU_ASSERT_EQUAL (message_get_crypto (&message, &s), -EBADMSG);
	put (12, 4, 64);
	put (24, 4, 513);
	CU_ASSERT_EQUAL (message_get_crypto (&message, &s), -EBADMSG);
}

static void
asymmetric_sessions (void)
{
	struct vh_crypto_session s;
	int64_t id = 0;

	take (1072);
	put (0, 8, 0x0404);	/* AKCIPHER_CREATE_SESSION */
	put (16, 4, 1024);
	CU_ASSERT_EQUAL (message_get_crypto (&message, &s), 0);
	CU_ASSERT_TRUE (s.opcode == 0x404 && s.asymmetric);
	CU_ASSERT_TRUE (s.u.asym.algorithm == AT (8, 4) && s.u.asym.key_type == AT (12, 4) && s.u.asym.key_size == 1024);
	CU_ASSERT_TRUE (s.u.asym.rsa_padding == AT (32, 4) && s.u.asym.rsa_hash == AT (36, 4));
	CU_ASSERT_EQUAL (memcmp (s.u.asym.key, message.body + 40, 1024), 0);
	put (16, 4, 1025);
	CU_ASSERT_EQUAL (message_get_crypto (&message, &s), -EBADMSG);
	message_put_crypto_id (&message, -2);
	CU_ASSERT_TRUE (message.size == 1072 && AT (0, 8) == 0 && AT (1064, 8) == (uint64_t) -2);
	CU_ASSERT_EQUAL (message_get_crypto_id (&message, &id), 0);
	CU_ASSERT_EQUAL (id, -2);
}

/* What was decoded, encoded again, is the same where a field is. */
static void
sessions_again (void)
{
	static const struct {
		uint64_t opcode;
		unsigned key_size_at, key_size, fields_end, keys_at, keys_end;
	} kinds[] = {
		{ 0x0002, 12, 64, 36, 56, 120 + 40 },
		{ 0x0404, 16, 1024, 20, 32, 1064 },
	};
	struct vh_crypto_session s;
	uint8_t before[1072];

	for (unsigned i = 0; i < 2; i++) {
		take (1072);
		put (0, 8, kinds[i].opcode);
		put (24, 4, 40);	/* of a symmetric session: bytes of the second key */
		put (kinds[i].key_size_at, 4, kinds[i].key_size);
		memcpy (before, message.body, sizeof (before));
		CU_ASSERT_EQUAL (message_get_crypto (&message, &s), 0);
		message_put_crypto (&message, &s);
		CU_ASSERT_EQUAL (message.size, 1072);
		CU_ASSERT_EQUAL (memcmp (message.body, before, kinds[i].fields_end), 0);
		CU_ASSERT_EQUAL (memcmp (message.body + kinds[i].keys_at, before + kinds[i].keys_at, kinds[i].keys_end - kinds[i].keys_at), 0);
		/* No pointer of ours, nor a number that the back-end is to give. */
		CU_ASSERT_EQUAL (AT (1064, 8), 0);
	}
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "dirty log", dirty_log },
		{ "translations", translations },
		{ "in-flight areas", inflight_areas },
		{ "device state, UUIDs", device_states },
		{ "notifier areas", notifier_areas },
		{ "shared memory", shared_memory },
		{ "symmetric crypto sessions", symmetric_sessions },
		{ "asymmetric crypto sessions", asymmetric_sessions },
		{ "crypto sessions, there and back", sessions_again },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("layouts", tests);
}
