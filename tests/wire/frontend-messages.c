/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the front-end sends to devices that have messages of their own, byte for byte, and what it makes of the answers.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/wire/frontend-peer.h"

/* --- network devices --- */

static void
script_net (void)
{
	peer_handshake (P_REPLY_ACK | P_RARP | P_MTU);
	peer_expect ("13000000 09000000 08000000 52540012 34560000", 0);
	peer_send_u64 (19, 0);
	peer_expect ("13000000 09000000 08000000 52540012 34560000", 0);
	peer_send_u64 (19, 1);
	peer_expect ("14000000 09000000 08000000 dc050000 00000000", 0);
	peer_send_u64 (20, 0);
	peer_expect ("14000000 09000000 08000000 ffff0000 00000000", 0);
	peer_send_u64 (20, 1);
	peer_expect_end (PEER_MAIN);
}

static void
test_net (void)
{
	static const uint8_t mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

	frontend_begin (script_net, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	OK (vh_frontend_send_rarp (frontend, mac));
	CU_ASSERT_EQUAL (vh_frontend_send_rarp (frontend, mac), -EREMOTEIO);
	OK (vh_frontend_set_mtu (frontend, 1500));
	CU_ASSERT_EQUAL (vh_frontend_set_mtu (frontend, 67), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_set_mtu (frontend, 65536), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_set_mtu (frontend, 65535), -EREMOTEIO);
	frontend_end ();
}

/* --- the status register, rings --- */

static void
script_status (void)
{
	peer_handshake (P_REPLY_ACK | P_STATUS);
	peer_expect ("27000000 09000000 08000000 0f000000 00000000", 0);
	peer_send_u64 (39, 0);
	peer_expect ("28000000 01000000 00000000", 0);
	peer_send_u64 (40, 7);
	peer_expect ("27000000 09000000 08000000 00000000 00000000", 0);
	peer_send_u64 (39, 1);
	peer_expect ("28000000 01000000 00000000", 0);
	peer_send_u64 (40, 256);
	peer_expect_end (PEER_MAIN);
}

static void
test_status (void)
{
	uint8_t status = 0;

	frontend_begin (script_status, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	OK (vh_frontend_set_status (frontend, 15));
	OK (vh_frontend_get_status (frontend, &status));
	CU_ASSERT_EQUAL (status, 7);
	CU_ASSERT_EQUAL (vh_frontend_set_status (frontend, 0), -EREMOTEIO);
	CU_ASSERT_EQUAL (vh_frontend_get_status (frontend, &status), -EBADMSG);
	CU_ASSERT_EQUAL (status, 7);
	frontend_end ();
}

static void
script_endian (void)
{
	peer_handshake (P_REPLY_ACK | P_CROSS_ENDIAN);
	peer_expect ("17000000 09000000 08000000 02000000 01000000", 0);
	peer_send_u64 (23, 0);
	peer_expect ("17000000 09000000 08000000 02000000 00000000", 0);
	peer_send_u64 (23, 1);
	peer_expect_end (PEER_MAIN);
}

static void
test_endian (void)
{
	frontend_begin (script_endian, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	OK (vh_frontend_set_vring_endian (frontend, 2, 1));
	CU_ASSERT_EQUAL (vh_frontend_set_vring_endian (frontend, 2, 0), -EREMOTEIO);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_endian (frontend, 256, 0), -EINVAL);
	frontend_end ();
}

/* --- crypto sessions --- */

/* The payload of a symmetric and of an asymmetric session, in hexadecimal digits. */
static char *
fill (char *p, char digit, unsigned bytes)
{
	memset (p, digit, 2 * bytes);
	return p + 2 * bytes;
}

static const char *
sym_session (const char *header)
{
	static char hex[2 * 1100];
	char *p = hex + sprintf (hex, "%s 0200000000000000 03000000 10000000 04000000 14000000 02000000 07000000 01020304 00000000 "
				      "0000000000000000 0000000000000000",
				 header);

	p = fill (fill (p, '1', 16), '0', 48);
	p = fill (fill (p, '2', 2), '0', 510);
	*fill (p, '0', 1072 - 632) = '\0';
	return hex;
}

static const char *
asym_session (const char *header)
{
	static char hex[2 * 1100];
	char *p = hex + sprintf (hex, "%s 0404000000000000 01000000 02000000 03000000 00000000 0000000000000000 05000000 06000000", header);

	p = fill (fill (p, '3', 3), '0', 1021);
	*fill (p, '0', 8) = '\0';
	return hex;
}

/* The answer: the same size, the number in the end. */
static const char *
session_answer (const char *id)
{
	static char hex[2 * 1100];

	sprintf (fill (hex + sprintf (hex, "1a000000 05000000 30040000"), '0', 1064), "%s", id);
	return hex;
}

static void
script_crypto (void)
{
	peer_handshake (P_REPLY_ACK | P_CRYPTO_SESSION);
	peer_expect (sym_session ("1a000000 01000000 30040000"), 0);
	peer_send (session_answer ("3412000000000000"));
	peer_expect (asym_session ("1a000000 01000000 30040000"), 0);
	peer_send (session_answer ("ffffffffffffffff"));
	peer_expect ("1b000000 09000000 08000000 34120000 00000000", 0);
	peer_send_u64 (27, 0);
	/* The shorter form of old front-ends is no answer. */
	peer_expect (asym_session ("1a000000 01000000 30040000"), 0);
	peer_send ("1a000000 05000000 08000000 3412000000000000");
	peer_expect_end (PEER_MAIN);
}

static void
test_crypto (void)
{
	struct vh_crypto_session sym = { .opcode = 2 }, asym = { .opcode = 0x404, .asymmetric = 1 };
	int64_t id = -5;

	sym.u.sym = (struct vh_crypto_sym){
		.cipher = 3, .cipher_key_size = 16, .hash = 4, .hash_result_size = 20, .auth_key_size = 2, .aad_size = 7,
		.op_type = 1, .direction = 2, .hash_mode = 3, .chain_order = 4,
	};
	memset (sym.u.sym.cipher_key, 0x11, sizeof (sym.u.sym.cipher_key));
	memset (sym.u.sym.auth_key, 0x22, sizeof (sym.u.sym.auth_key));
	asym.u.asym = (struct vh_crypto_asym){ .algorithm = 1, .key_type = 2, .key_size = 3, .rsa_padding = 5, .rsa_hash = 6 };
	memset (asym.u.asym.key, 0x33, sizeof (asym.u.asym.key));
	frontend_begin (script_crypto, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	OK (vh_frontend_create_crypto_session (frontend, &sym, &id));
	CU_ASSERT_EQUAL (id, 0x1234);
	CU_ASSERT_EQUAL (vh_frontend_create_crypto_session (frontend, &asym, &id), -EREMOTEIO);
	CU_ASSERT_EQUAL (id, 0x1234);
	CU_ASSERT_EQUAL (vh_frontend_close_crypto_session (frontend, -1), -EINVAL);
	OK (vh_frontend_close_crypto_session (frontend, 0x1234));
	sym.u.sym.cipher_key_size = 65;
	CU_ASSERT_EQUAL (vh_frontend_create_crypto_session (frontend, &sym, &id), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_create_crypto_session (frontend, &asym, &id), -EBADMSG);
	frontend_end ();
}

/* --- fds --- */

static void
script_gpu (void)
{
	peer_handshake (P_REPLY_ACK);
	peer_expect ("21000000 09000000 00000000", 1);
	peer_send_u64 (33, 0);
	peer_expect ("21000000 09000000 00000000", 1);
	peer_send_u64 (33, 95);
	peer_expect_end (PEER_MAIN);
}

static void
test_gpu (void)
{
	int fd = eventfd (0, EFD_CLOEXEC);

	frontend_begin (script_gpu, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	OK (vh_frontend_set_gpu_socket (frontend, fd));
	CU_ASSERT_EQUAL (vh_frontend_set_gpu_socket (frontend, fd), -EREMOTEIO);
	CU_ASSERT_EQUAL (vh_frontend_set_gpu_socket (frontend, -1), -EINVAL);
	frontend_end ();
	close (fd);
}

#define SOME_UUID "00112233 44556677 8899aabb ccddeeff"
static const uint8_t some_uuid[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };

/* The feature alone, which a user of the single steps may set without callbacks. */
static void
peer_features (const char *features)
{
	peer_expect ("01000000 01000000 00000000", 0);
	peer_send ("01000000 05000000 08000000 00000070 01000000");
	peer_expect ("0f000000 01000000 00000000", 0);
	peer_send_u64 (15, strtoul (features, NULL, 16));
	peer_expect_u64 (16, 1, strtoul (features, NULL, 16));
}

static void
set_features (void)
{
	uint64_t offered;

	OK (vh_frontend_get_features (frontend, &offered));
	OK (vh_frontend_get_protocol_features (frontend, &offered));
	OK (vh_frontend_set_protocol_features (frontend, offered));
}

static void
script_object (void)
{
	peer_features ("40028");
	peer_expect ("29000000 01000000 10000000 " SOME_UUID, 0);
	peer_send_fds (PEER_MAIN, "29000000 05000000 00000000", 1);
	/* libvhost-user says the name again. */
	peer_expect ("29000000 01000000 10000000 " SOME_UUID, 0);
	peer_send_fds (PEER_MAIN, "29000000 05000000 10000000 " SOME_UUID, 1);
	peer_expect ("29000000 01000000 10000000 " SOME_UUID, 0);
	peer_send ("29000000 05000000 00000000");
	peer_expect ("29000000 01000000 10000000 " SOME_UUID, 0);
	peer_send_fds (PEER_MAIN, "29000000 05000000 00000000", 2);
	peer_expect_end (PEER_MAIN);
}

static void
test_object (void)
{
	int fd = -1;

	frontend_begin (script_object, PATIENCE_MS);
	set_features ();
	for (unsigned i = 0; i < 2; i++) {
		OK (vh_frontend_get_object (frontend, some_uuid, &fd));
		CU_ASSERT_EQUAL (close (fd), 0);
	}
	CU_ASSERT_EQUAL (vh_frontend_get_object (frontend, some_uuid, &fd), -EREMOTEIO);
	CU_ASSERT_EQUAL (vh_frontend_get_object (frontend, some_uuid, &fd), -EBADMSG);
	frontend_end ();
}

/* --- the device's state --- */

static void
script_state (void)
{
	peer_handshake (P_REPLY_ACK | P_DEVICE_STATE);
	peer_expect ("2a000000 01000000 08000000 00000000 00000000", 1);
	peer_send_u64 (42, 0x100);
	peer_expect ("2a000000 01000000 08000000 01000000 00000000", 1);
	peer_send_fds (PEER_MAIN, "2a000000 05000000 08000000 00000000 00000000", 1);
	peer_expect ("2a000000 01000000 08000000 01000000 00000000", 1);
	peer_send_u64 (42, 0x101);
	peer_expect ("2b000000 01000000 00000000", 0);
	peer_send_u64 (43, 0);
	peer_expect ("2b000000 01000000 00000000", 0);
	peer_send_u64 (43, UINT64_C (1) << 40);
	peer_expect_end (PEER_MAIN);
}

static void
test_state (void)
{
	int fd = eventfd (0, EFD_CLOEXEC), other = 77;

	frontend_begin (script_state, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	CU_ASSERT_EQUAL (vh_frontend_save_state (frontend, -1, &other), -EINVAL);
	OK (vh_frontend_save_state (frontend, fd, &other));
	CU_ASSERT_EQUAL (other, -1);
	OK (vh_frontend_load_state (frontend, fd, &other));
	CU_ASSERT_EQUAL (close (other), 0);
	other = 77;
	CU_ASSERT_EQUAL (vh_frontend_load_state (frontend, fd, &other), -EREMOTEIO);
	CU_ASSERT_EQUAL (other, 77);
	OK (vh_frontend_check_state (frontend));
	CU_ASSERT_EQUAL (vh_frontend_check_state (frontend), -EREMOTEIO);
	frontend_end ();
	close (fd);
}

/* An fd and "no fd"; neither; an error with an fd. */
static const char *state_answer;
static unsigned state_fds;

static void
script_wrong_state (void)
{
	peer_handshake (P_REPLY_ACK | P_DEVICE_STATE);
	peer_expect ("2a000000 01000000 08000000 00000000 00000000", 1);
	peer_send_fds (PEER_MAIN, state_answer, state_fds);
	peer_expect_end (PEER_MAIN);
}

static void
test_wrong_state_answers (void)
{
	static const struct {
		const char *answer;
		unsigned fds;
	} wrong[] = {
		{ "2a000000 05000000 08000000 00010000 00000000", 1 },
		{ "2a000000 05000000 08000000 00000000 00000000", 0 },
		{ "2a000000 05000000 08000000 01000000 00000000", 1 },
		{ "2a000000 05000000 08000000 00000000 00000000", 2 },
	};
	int fd = eventfd (0, EFD_CLOEXEC), other = 77;

	for (unsigned i = 0; i < sizeof (wrong) / sizeof (wrong[0]); i++) {
		state_answer = wrong[i].answer;
		state_fds = wrong[i].fds;
		frontend_begin (script_wrong_state, PATIENCE_MS);
		OK (vh_frontend_handshake (frontend, UINT64_MAX));
		CU_ASSERT_EQUAL (vh_frontend_save_state (frontend, fd, &other), -EBADMSG);
		CU_ASSERT_EQUAL (other, 77);
		frontend_end ();
	}
	close (fd);
}

/* --- rings that stop --- */

static void
script_skip_drain (void)
{
	peer_features ("901008");
	peer_expect ("2d000000 01000000 08000000 03000000 00000000", 0);
	peer_send ("2d000000 05000000 08000000 03000000 39300000");
	peer_expect ("2d000000 01000000 08000000 03000000 00000000", 0);
	peer_send ("2d000000 05000000 08000000 02000000 39300000");
	peer_expect_end (PEER_MAIN);
}

static void
test_skip_drain (void)
{
	uint32_t base = 0;

	frontend_begin (script_skip_drain, PATIENCE_MS);
	set_features ();
	OK (vh_frontend_get_vring_base_skip_drain (frontend, 3, &base));
	CU_ASSERT_EQUAL (base, 12345);
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base_skip_drain (frontend, 256, &base), -EINVAL);
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base_skip_drain (frontend, 3, &base), -EBADMSG);
	frontend_end ();
}

static void
script_kick (void)
{
	peer_features ("4028");
	peer_expect ("23000000 09000000 08000000 05000000 00000000", 0);
	peer_send_u64 (35, 0);
	peer_expect ("23000000 09000000 08000000 05000000 00000000", 0);
	peer_send_u64 (35, 1);
	peer_expect_end (PEER_MAIN);
}

static void
test_kick (void)
{
	frontend_begin (script_kick, PATIENCE_MS);
	set_features ();
	OK (vh_frontend_kick_vring (frontend, 5));
	CU_ASSERT_EQUAL (vh_frontend_kick_vring (frontend, 5), -EREMOTEIO);
	CU_ASSERT_EQUAL (vh_frontend_kick_vring (frontend, 256), -EINVAL);
	frontend_end ();
}

/* --- what is not in force --- */

static void
test_not_in_force (void)
{
	static const struct vh_crypto_session session;
	static const uint8_t mac[6];
	uint64_t sizes[VH_MAX_SHMEM];
	uint32_t base;
	uint8_t status;
	int64_t id;
	int fd;

	frontend_begin (script_nothing_more, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	CU_ASSERT_EQUAL (vh_frontend_send_rarp (frontend, mac), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_set_mtu (frontend, 1500), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_set_status (frontend, 1), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_get_status (frontend, &status), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_set_vring_endian (frontend, 0, 1), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_kick_vring (frontend, 0), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_create_crypto_session (frontend, &session, &id), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_close_crypto_session (frontend, 0), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_get_object (frontend, some_uuid, &fd), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_get_shmem_config (frontend, sizes), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_save_state (frontend, 0, &fd), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_load_state (frontend, 0, &fd), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_check_state (frontend), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_get_vring_base_skip_drain (frontend, 0, &base), -EOPNOTSUPP);
	frontend_end ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "SEND_RARP, NET_SET_MTU", test_net },
		{ "SET_STATUS, GET_STATUS", test_status },
		{ "SET_VRING_ENDIAN", test_endian },
		{ "CREATE_CRYPTO_SESSION, CLOSE_CRYPTO_SESSION", test_crypto },
		{ "GPU_SET_SOCKET", test_gpu },
		{ "GET_SHARED_OBJECT", test_object },
		{ "SET_DEVICE_STATE_FD, CHECK_DEVICE_STATE", test_state },
		{ "SET_DEVICE_STATE_FD, wrong answers", test_wrong_state_answers },
		{ "GET_VRING_BASE_SKIP_DRAIN", test_skip_drain },
		{ "VRING_KICK", test_kick },
		{ "what is not in force is not sent", test_not_in_force },
		CU_TEST_INFO_NULL,
	};

	if (htole16 (1) != 1)
		return 77;	/* the bytes are written down for little-endian hosts */
	return suite_run ("front-end, messages that some devices have", tests);
}
