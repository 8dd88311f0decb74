/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The back-end's answers to the messages that only some devices have, byte for byte: asked for, refused, and where the feature is not there.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "full-hex.h"
#include "tests/suite.h"

/* --- network devices --- */

static void
send_rarp (void)
{
	acknowledged ("13000000", "08000000 52540012 34560000", -1, 1 << 2);
	CU_ASSERT_EQUAL (memcmp (device.mac, "\0\0\0\0\0\0", 6), 0);	/* the last connection had not the feature */
	open_with (1 << 2);
	/* What is behind the address is nobody's. */
	CU_ASSERT_TRUE (exchange_hex ("13000000 09000000 08000000 52540012 3456abcd", -1, "13000000 05000000 08000000 00000000 00000000"));
	CU_ASSERT_EQUAL (memcmp (device.mac, "\x52\x54\x00\x12\x34\x56", 6), 0);
	hex_close ();
}

static void
net_set_mtu (void)
{
	static const char *const wrong[] = { "43000000 00000000", "00000100 00000000", "dc050000 01000000", "00000000 00000000" };
	char request[128];

	acknowledged ("14000000", "08000000 dc050000 00000000", -1, 1 << 4);
	open_with (1 << 4);
	CU_ASSERT_TRUE (exchange_hex ("14000000 09000000 08000000 44000000 00000000", -1, "14000000 05000000 08000000 00000000 00000000"));
	CU_ASSERT_EQUAL (device.mtu, 68);
	CU_ASSERT_TRUE (exchange_hex ("14000000 09000000 08000000 ffff0000 00000000", -1, "14000000 05000000 08000000 00000000 00000000"));
	CU_ASSERT_EQUAL (device.mtu, 65535);
	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++) {
		snprintf (request, sizeof (request), "14000000 09000000 08000000 %s", wrong[i]);
		CU_ASSERT_TRUE (exchange_hex (request, -1, "14000000 05000000 08000000 16000000 00000000"));
	}
	CU_ASSERT_EQUAL (device.mtu, 65535);
	hex_close ();
}

/* --- the status register --- */

static void
set_and_get_status (void)
{
	acknowledged ("27000000", "08000000 0f000000 00000000", -1, 1 << 16);
	open_with (1 << 16);
	CU_ASSERT_TRUE (exchange_hex ("28000000 01000000 00000000", -1, "28000000 05000000 08000000 00000000 00000000"));
	/* QEMU's order: FEATURES_OK before DRIVER. */
	CU_ASSERT_TRUE (exchange_hex ("27000000 01000000 08000000 08000000 00000000", -1, ""));
	CU_ASSERT_TRUE (exchange_hex ("28000000 09000000 00000000", -1, "28000000 05000000 08000000 08000000 00000000"));
	CU_ASSERT_EQUAL (device.status, 8);
	/* A device that takes FEATURES_OK away. */
	device.status_answer = 3;
	CU_ASSERT_TRUE (exchange_hex ("27000000 01000000 08000000 0b000000 00000000", -1, ""));
	CU_ASSERT_TRUE (exchange_hex ("28000000 01000000 00000000", -1, "28000000 05000000 08000000 03000000 00000000"));
	/* What is no status. */
	CU_ASSERT_TRUE (exchange_hex ("27000000 09000000 08000000 00010000 00000000", -1, "27000000 05000000 08000000 16000000 00000000"));
	CU_ASSERT_TRUE (exchange_hex ("28000000 01000000 00000000", -1, "28000000 05000000 08000000 03000000 00000000"));
	/* 0 resets. */
	CU_ASSERT_TRUE (exchange_hex ("0a000000 09000000 08000000 01000000 05000000", -1, "0a000000 05000000 08000000 00000000 00000000"));
	CU_ASSERT_EQUAL (device.base.resets, 0);
	CU_ASSERT_TRUE (exchange_hex ("27000000 09000000 08000000 00000000 00000000", -1, "27000000 05000000 08000000 00000000 00000000"));
	CU_ASSERT_EQUAL (device.base.resets, 1);
	CU_ASSERT_TRUE (exchange_hex ("28000000 01000000 00000000", -1, "28000000 05000000 08000000 00000000 00000000"));
	CU_ASSERT_TRUE (exchange_hex ("0b000000 01000000 08000000 01000000 00000000", -1, "0b000000 05000000 08000000 01000000 00000000"));
	hex_close ();
}

/* --- legacy rings --- */

static void
set_vring_endian (void)
{
	static const char little[] = "17000000 09000000 08000000 01000000 00000000";
	static const char ok[] = "17000000 05000000 08000000 00000000 00000000";

	open_with (1 << 6);
	CU_ASSERT_TRUE (exchange_hex (little, -1, ok));
	CU_ASSERT_TRUE (exchange_hex ("17000000 01000000 08000000 01000000 00000000", -1, ""));
	CU_ASSERT_TRUE (exchange_hex ("17000000 09000000 08000000 01000000 02000000", -1, "17000000 05000000 08000000 16000000 00000000"));
	CU_ASSERT_TRUE (exchange_hex ("17000000 09000000 08000000 04000000 00000000", -1, "17000000 05000000 08000000 16000000 00000000"));
	/* With VERSION_1 there is nothing to choose, so nothing is looked at. */
	CU_ASSERT_TRUE (exchange_hex ("02000000 01000000 08000000 00000040 01000000", -1, ""));
	CU_ASSERT_TRUE (exchange_hex ("17000000 09000000 08000000 01000000 01000000", -1, ok));
	hex_close ();
	open_with (0);
	CU_ASSERT_TRUE (exchange_hex (little, -1, "17000000 05000000 08000000 ??000000 00000000"));
	hex_close ();
}

/* --- crypto --- */

/* A session's payload: symmetric, with keys of 16 and 20 bytes; asymmetric, with one of 130. */
static void
sym_session (struct bytes *b, uint32_t flags, uint64_t opcode, uint32_t cipher_key, uint32_t auth_key)
{
	b->n = 0;
	bytes_header (b, 26, flags, 1072);
	bytes_u64 (b, opcode);
	bytes_u32 (b, 3);
	bytes_u32 (b, cipher_key);
	bytes_u32 (b, 4);
	bytes_u32 (b, 20);
	bytes_u32 (b, auth_key);
	bytes_u32 (b, 7);
	bytes_hex (b, "01 02 03 04 00000000");
	bytes_fill (b, 0xee, 16);	/* pointers of the sender */
	bytes_fill (b, 0xc1, 64);
	bytes_fill (b, 0xa2, 512);
	bytes_fill (b, 0, 1064 - 632);
	bytes_fill (b, 0, 8);
}

static void
asym_session (struct bytes *b, uint32_t flags, uint32_t key)
{
	b->n = 0;
	bytes_header (b, 26, flags, 1072);
	bytes_u64 (b, 0x404);
	bytes_u32 (b, 1);
	bytes_u32 (b, 2);
	bytes_u32 (b, key);
	bytes_u32 (b, 0);
	bytes_fill (b, 0xee, 8);
	bytes_u32 (b, 5);
	bytes_u32 (b, 6);
	bytes_fill (b, 0xb3, 1024);
	bytes_fill (b, 0, 8);
}

/* What comes back: everything but the id is nothing. */
static const char *
crypto_answer (const char *id)
{
	static char hex[2 * (12 + 1072) + 16];
	int n = snprintf (hex, sizeof (hex), "1a000000 05000000 30040000");

	memset (hex + n, '0', 2 * 1064);
	snprintf (hex + n + 2 * 1064, sizeof (hex) - (size_t) n - 2 * 1064, "%s", id);
	return hex;
}

static void
crypto_sessions (void)
{
	static struct bytes b;

	open_with (1 << 7);
	device.session_id = 0x1234;
	sym_session (&b, 1, 2, 16, 20);
	CU_ASSERT_TRUE (exchange (&b, -1, crypto_answer ("3412000000000000")));
	CU_ASSERT_EQUAL (device.session.opcode, 2);
	CU_ASSERT_FALSE (device.session.asymmetric);
	CU_ASSERT_EQUAL (device.session.u.sym.cipher, 3);
	CU_ASSERT_EQUAL (device.session.u.sym.cipher_key_size, 16);
	CU_ASSERT_EQUAL (device.session.u.sym.hash, 4);
	CU_ASSERT_EQUAL (device.session.u.sym.hash_result_size, 20);
	CU_ASSERT_EQUAL (device.session.u.sym.auth_key_size, 20);
	CU_ASSERT_EQUAL (device.session.u.sym.aad_size, 7);
	CU_ASSERT_EQUAL (device.session.u.sym.op_type, 1);
	CU_ASSERT_EQUAL (device.session.u.sym.direction, 2);
	CU_ASSERT_EQUAL (device.session.u.sym.hash_mode, 3);
	CU_ASSERT_EQUAL (device.session.u.sym.chain_order, 4);
	CU_ASSERT_EQUAL (device.session.u.sym.cipher_key[15], 0xc1);
	CU_ASSERT_EQUAL (device.session.u.sym.cipher_key[16], 0);
	CU_ASSERT_EQUAL (device.session.u.sym.auth_key[19], 0xa2);
	asym_session (&b, 9, 130);
	CU_ASSERT_TRUE (exchange (&b, -1, crypto_answer ("3412000000000000")));
	CU_ASSERT_TRUE (device.session.asymmetric);
	CU_ASSERT_EQUAL (device.session.u.asym.algorithm, 1);
	CU_ASSERT_EQUAL (device.session.u.asym.key_type, 2);
	CU_ASSERT_EQUAL (device.session.u.asym.key_size, 130);
	CU_ASSERT_EQUAL (device.session.u.asym.rsa_padding, 5);
	CU_ASSERT_EQUAL (device.session.u.asym.rsa_hash, 6);
	CU_ASSERT_EQUAL (device.session.u.asym.key[129], 0xb3);
	/* The largest keys, and larger ones; an operation that makes no session. */
	sym_session (&b, 1, 0x302, 64, 512);
	CU_ASSERT_TRUE (exchange (&b, -1, crypto_answer ("3412000000000000")));
	sym_session (&b, 1, 2, 65, 0);
	CU_ASSERT_TRUE (exchange (&b, -1, crypto_answer ("ffffffffffffffff")));
	sym_session (&b, 1, 2, 0, 513);
	CU_ASSERT_TRUE (exchange (&b, -1, crypto_answer ("ffffffffffffffff")));
	asym_session (&b, 1, 1025);
	CU_ASSERT_TRUE (exchange (&b, -1, crypto_answer ("ffffffffffffffff")));
	sym_session (&b, 1, 3, 16, 20);
	CU_ASSERT_TRUE (exchange (&b, -1, crypto_answer ("ffffffffffffffff")));
	sym_session (&b, 1, 0x502, 16, 20);
	CU_ASSERT_TRUE (exchange (&b, -1, crypto_answer ("ffffffffffffffff")));
	sym_session (&b, 1, UINT64_C (0x100000002), 16, 20);
	CU_ASSERT_TRUE (exchange (&b, -1, crypto_answer ("ffffffffffffffff")));
	device.answer = -ENOSPC;
	sym_session (&b, 1, 2, 16, 20);
	CU_ASSERT_TRUE (exchange (&b, -1, crypto_answer ("ffffffffffffffff")));
	CU_ASSERT_EQUAL (result, 1);
	hex_close ();
	acknowledged ("1b000000", "08000000 34120000 00000000", -1, 1 << 7);
	open_with (1 << 7);
	CU_ASSERT_TRUE (exchange_hex ("1b000000 09000000 08000000 34120000 00000000", -1, "1b000000 05000000 08000000 00000000 00000000"));
	CU_ASSERT_EQUAL (device.closed_session, 0x1234);
	CU_ASSERT_TRUE (exchange_hex ("1b000000 09000000 08000000 00000000 00000080", -1, "1b000000 05000000 08000000 16000000 00000000"));
	hex_close ();
}

/* --- shared memory --- */

static void
get_shmem_config (void)
{
	static char answer[2 * (12 + 2056) + 64];
	int n = snprintf (answer, sizeof (answer), "2c000000 05000000 08080000 02000000 00000000");

	for (unsigned i = 0; i < 256; i++)
		n += snprintf (answer + n, sizeof (answer) - (size_t) n, "%s",
			       i == 3 ? "0000200000000000" : i == 255 ? "0010000000000000" : "0000000000000000");
	open_with (1 << 22);
	CU_ASSERT_TRUE (exchange_hex ("2c000000 01000000 00000000", -1, answer));
	CU_ASSERT_TRUE (exchange_hex ("2c000000 09000000 00000000", -1, answer));
	/* "Failed" has no form. */
	device.answer = -EIO;
	CU_ASSERT_TRUE (exchange_hex ("2c000000 01000000 00000000", -1, ""));
	CU_ASSERT_EQUAL (result, -EIO);
	hex_close ();
}

/* rust-vmm up to 0.16 has SHMEM's messages at bit 21, which is GPA_ADDRESSES: without bit 22 they are refused, and bit 21 is never offered for them. */
static void
shmem_is_bit_22 (void)
{
	open_with (0);
	CU_ASSERT_TRUE (exchange_hex ("10000000 09000000 08000000 08002000 00000000", -1, "10000000 05000000 08000000 16000000 00000000"));
	CU_ASSERT_TRUE (exchange_hex ("2c000000 01000000 00000000", -1, ""));
	CU_ASSERT_EQUAL (result, -EOPNOTSUPP);
	hex_close ();
}

/* --- the socket of a GPU --- */

static void
gpu_set_socket (void)
{
	int pair[2], pipe_ends[2];

	CU_ASSERT_EQUAL_FATAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	CU_ASSERT_EQUAL_FATAL (pipe2 (pipe_ends, O_CLOEXEC), 0);
	acknowledged ("21000000", "00000000", pair[1], 0);
	full_device_close (&device);
	open_with (0);
	CU_ASSERT_TRUE (exchange_hex ("21000000 09000000 00000000", pair[1], "21000000 05000000 08000000 00000000 00000000"));
	CU_ASSERT_TRUE (device.gpu_socket >= 0);
	CU_ASSERT_EQUAL (send (device.gpu_socket, "x", 1, MSG_NOSIGNAL), 1);
	CU_ASSERT_TRUE (hex_expect (pair[0], "78"));
	CU_ASSERT_TRUE (exchange_hex ("21000000 09000000 00000000", pipe_ends[1], "21000000 05000000 08000000 16000000 00000000"));
	CU_ASSERT_TRUE (exchange_hex ("21000000 09000000 00000000", -1, "21000000 05000000 08000000 ??000000 00000000"));
	full_device_close (&device);
	/* A device that is no GPU. */
	hex_close ();
	full_device_init (&device);
	device.base.ops.set_gpu_socket = NULL;
	hex_open (&device.base.device, NULL);
	CU_ASSERT_TRUE (exchange_hex ("10000000 01000000 08000000 08000000 00000000", -1, ""));
	CU_ASSERT_TRUE (exchange_hex ("21000000 09000000 00000000", pair[1], "21000000 05000000 08000000 5f000000 00000000"));
	hex_close ();
	close (pair[0]);
	close (pair[1]);
	close (pipe_ends[0]);
	close (pipe_ends[1]);
}

/* --- sizes --- */

/* With all features in force, so that it is their size that is wrong: EBADMSG. */
static void
messages_of_wrong_sizes (void)
{
	static const struct {
		const char *request;
		bool fd;
		const char *reply;	/* "": the connection ends, since "failed" has no form */
	} wrong[] = {
		{ "21000000 09000000 08000000 0000000000000000", true, "21000000 05000000 08000000 4a00000000000000" },	/* GPU_SET_SOCKET */
		{ "2a000000 09000000 04000000 00000000", true, "2a000000 05000000 08000000 0101000000000000" },	/* SET_DEVICE_STATE_FD */
		{ "2a000000 09000000 0c000000 0000000000000000 00000000", true, "2a000000 05000000 08000000 0101000000000000" },
		{ "2b000000 01000000 08000000 0000000000000000", false, "2b000000 05000000 08000000 0100000000000000" },	/* CHECK_DEVICE_STATE */
		{ "27000000 09000000 04000000 00000000", false, "27000000 05000000 08000000 4a00000000000000" },	/* SET_STATUS */
		{ "1b000000 09000000 10000000 0000000000000000 0000000000000000", false, "1b000000 05000000 08000000 4a00000000000000" },
		{ "2c000000 09000000 08000000 0000000000000000", false, "" },	/* GET_SHMEM_CONFIG */
		{ "28000000 09000000 08000000 0000000000000000", false, "" },	/* GET_STATUS */
	};
	int pair[2];

	CU_ASSERT_EQUAL_FATAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++) {
		open_with (1 << 7 | 1 << 16 | 1 << 19 | 1 << 22);
		CU_ASSERT_TRUE (exchange_hex (wrong[i].request, wrong[i].fd ? pair[1] : -1, wrong[i].reply));
		CU_ASSERT_EQUAL (result, wrong[i].reply[0] ? 1 : -EBADMSG);
		CU_ASSERT_EQUAL (device.gpu_socket, -1);
		hex_close ();
	}
	close (pair[0]);
	close (pair[1]);
}

/* --- nothing is left --- */

static void
fds_are_where_they_were (void)
{
	int before = suite_open_fds ();

	gpu_set_socket ();
	crypto_sessions ();
	CU_ASSERT_EQUAL (suite_open_fds (), before);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "SEND_RARP", send_rarp },
		{ "NET_SET_MTU", net_set_mtu },
		{ "SET_STATUS, GET_STATUS", set_and_get_status },
		{ "SET_VRING_ENDIAN", set_vring_endian },
		{ "CREATE_CRYPTO_SESSION, CLOSE_CRYPTO_SESSION", crypto_sessions },
		{ "GET_SHMEM_CONFIG", get_shmem_config },
		{ "SHMEM is bit 22", shmem_is_bit_22 },
		{ "GPU_SET_SOCKET", gpu_set_socket },
		{ "messages of wrong sizes", messages_of_wrong_sizes },
		{ "fds are where they were", fds_are_where_they_were },
		CU_TEST_INFO_NULL,
	};

	if (htole16 (1) != 1)
		return 77;	/* the bytes are written down for little-endian hosts */
	return suite_run ("messages that some devices have", tests);
}
