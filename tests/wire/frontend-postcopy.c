/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Postcopy's messages as the front-end sends them, byte for byte, and what it makes of the answers.
 */
#include <endian.h>
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <vhost/postcopy.h>

#include "tests/wire/frontend-peer.h"

/* A table of one region: one MiB at 0x40000000; where the front-end has it, and where the back-end. */
#define TABLE(user) "28000000 01000000 00000000 00000040 00000000 00001000 00000000 " user " 00000000 00000000"
#define OURS "00000070 ff7f0000"
#define THEIRS "00000012 00700000"

static const struct vh_region region = { .guest_addr = 0x40000000, .size = 0x100000, .user_addr = 0x7fff70000000 };

static int
tell_table (uint64_t *where)
{
	struct vh_region r = region;
	int err;

	r.fd = eventfd (0, EFD_CLOEXEC);
	err = vh_frontend_postcopy_set_mem_table (frontend, &r, 1, where);
	close (r.fd);
	return err;
}

static void
script_postcopy (void)
{
	peer_handshake (P_REPLY_ACK | P_PAGEFAULT);
	peer_expect ("1c000000 01000000 00000000", 0);
	peer_send ("1c000000 05000000 00000000");
	peer_expect ("1c000000 01000000 00000000", 0);
	peer_send_fds (PEER_MAIN, "1c000000 05000000 00000000", 1);
	peer_expect ("1d000000 09000000 00000000", 0);
	peer_send_u64 (29, 0);
	peer_expect ("05000000 01000000 " TABLE (OURS), 1);
	peer_send ("05000000 05000000 " TABLE (THEIRS));
	peer_expect ("05000000 01000000 08000000 00000000 00000000", 0);
	peer_expect ("1e000000 01000000 00000000", 0);
	peer_send_u64 (30, 0);
	peer_expect_end (PEER_MAIN);
}

static void
test_postcopy (void)
{
	uint64_t where = 0;
	int fd = -1;

	frontend_begin (script_postcopy, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, P_REPLY_ACK | P_PAGEFAULT));
	CU_ASSERT_EQUAL (vh_frontend_postcopy_advise (frontend, &fd), -EREMOTEIO);
	CU_ASSERT_EQUAL (fd, -1);
	OK (vh_frontend_postcopy_advise (frontend, &fd));
	CU_ASSERT_EQUAL (close (fd), 0);
	OK (vh_frontend_postcopy_listen (frontend));
	CU_ASSERT_EQUAL (vh_frontend_postcopy_set_mem_table (frontend, &region, 0, &where), -EINVAL);
	OK (tell_table (&where));
	CU_ASSERT_EQUAL (where, 0x700012000000);
	OK (vh_frontend_postcopy_ack_mem_table (frontend));
	OK (vh_frontend_postcopy_end (frontend));
	frontend_end ();
}

static void
script_postcopy_other_region (void)
{
	peer_handshake (P_PAGEFAULT);
	peer_expect ("05000000 01000000 " TABLE (OURS), 1);
	peer_send ("05000000 05000000 28000000 01000000 00000000 00000050 00000000 00001000 00000000 " THEIRS " 00000000 00000000");
	peer_expect_end (PEER_MAIN);
}

static void
script_postcopy_ack (void)
{
	peer_handshake (P_PAGEFAULT);
	peer_expect ("05000000 01000000 " TABLE (OURS), 1);
	peer_send_u64 (5, 0);
	peer_expect_end (PEER_MAIN);
}

/* A back-end that acknowledges the table has not understood that pages are missing. */
static void
test_postcopy_wrong_answers (void)
{
	static script_fn *const scripts[] = { script_postcopy_other_region, script_postcopy_ack };

	for (unsigned i = 0; i < 2; i++) {
		uint64_t where = 0;

		frontend_begin (scripts[i], PATIENCE_MS);
		OK (vh_frontend_handshake (frontend, P_PAGEFAULT));
		CU_ASSERT_EQUAL (tell_table (&where), -EBADMSG);
		CU_ASSERT_EQUAL (where, 0);
		CU_ASSERT_EQUAL (vh_frontend_postcopy_end (frontend), -ECONNRESET);
		frontend_end ();
	}
}

static void
test_not_in_force (void)
{
	uint64_t where;
	int fd;

	frontend_begin (script_nothing_more, PATIENCE_MS);
	OK (vh_frontend_handshake (frontend, UINT64_MAX));
	CU_ASSERT_EQUAL (vh_frontend_postcopy_advise (frontend, &fd), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_postcopy_listen (frontend), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (tell_table (&where), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_postcopy_ack_mem_table (frontend), -EOPNOTSUPP);
	CU_ASSERT_EQUAL (vh_frontend_postcopy_end (frontend), -EOPNOTSUPP);
	frontend_end ();
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "POSTCOPY_ADVISE, POSTCOPY_LISTEN, SET_MEM_TABLE in postcopy, POSTCOPY_END", test_postcopy },
		{ "wrong answers", test_postcopy_wrong_answers },
		{ "what is not in force is not sent", test_not_in_force },
		CU_TEST_INFO_NULL,
	};

	if (htole16 (1) != 1)
		return 77;	/* the bytes are written down for little-endian hosts */
	return suite_run ("front-end, postcopy", tests);
}
