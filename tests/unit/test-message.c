/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tables of requests, against numbers that were typed here from the vhost-user specification: the tables' own arithmetic is not used to say what is
 * right.
 */
#include <errno.h>
#include <unistd.h>

#include "tests/suite.h"
#include "wire/message.h"

/* --- the tables --- */

/* A row as it should be.  Features are bit numbers; NONE: no more. */
#define NONE (-1)

struct expected {
	const char *name;
	unsigned min_size, max_size, min_fds, max_fds;
	char answer;	/* 'a' acknowledgement on demand, 'p' payload always, 'u' u64 always */
	unsigned reply_min, reply_max, reply_fds;
	int protocol[3];
	int virtio;
};

#define FREE { NONE, NONE, NONE }
#define NEEDS(bit) { bit, NONE, NONE }

static const struct expected requests[] = {
	[1] = { "GET_FEATURES", 0, 0, 0, 0, 'p', 8, 8, 0, FREE, NONE },
	[2] = { "SET_FEATURES", 8, 8, 0, 0, 'a', 8, 8, 0, FREE, NONE },
	[3] = { "SET_OWNER", 0, 0, 0, 0, 'a', 8, 8, 0, FREE, NONE },
	[4] = { "RESET_OWNER", 0, 0, 0, 0, 'a', 8, 8, 0, FREE, NONE },
	/* 8 + 32 * 8, or with XEN_MMAP 8 + 40 * 8; postcopy's final acknowledgement is empty. */
	[5] = { "SET_MEM_TABLE", 0, 328, 0, 8, 'a', 8, 8, 0, FREE, NONE },
	[6] = { "SET_LOG_BASE", 16, 16, 1, 1, 'p', 0, 16, 0, NEEDS (1), NONE },
	[7] = { "SET_LOG_FD", 0, 0, 1, 1, 'a', 8, 8, 0, FREE, 26 },
	[8] = { "SET_VRING_NUM", 8, 8, 0, 0, 'a', 8, 8, 0, FREE, NONE },
	[9] = { "SET_VRING_ADDR", 40, 40, 0, 0, 'a', 8, 8, 0, FREE, NONE },
	[10] = { "SET_VRING_BASE", 8, 8, 0, 0, 'a', 8, 8, 0, FREE, NONE },
	[11] = { "GET_VRING_BASE", 8, 8, 0, 0, 'p', 8, 8, 0, FREE, NONE },
	[12] = { "SET_VRING_KICK", 8, 8, 0, 1, 'a', 8, 8, 0, FREE, NONE },
	[13] = { "SET_VRING_CALL", 8, 8, 0, 1, 'a', 8, 8, 0, FREE, NONE },
	[14] = { "SET_VRING_ERR", 8, 8, 0, 1, 'a', 8, 8, 0, FREE, NONE },
	[15] = { "GET_PROTOCOL_FEATURES", 0, 0, 0, 0, 'p', 8, 8, 0, FREE, 30 },
	[16] = { "SET_PROTOCOL_FEATURES", 8, 8, 0, 0, 'a', 8, 8, 0, FREE, 30 },
	[17] = { "GET_QUEUE_NUM", 0, 0, 0, 0, 'p', 8, 8, 0, NEEDS (0), NONE },
	[18] = { "SET_VRING_ENABLE", 8, 8, 0, 0, 'a', 8, 8, 0, FREE, 30 },
	[19] = { "SEND_RARP", 8, 8, 0, 0, 'a', 8, 8, 0, NEEDS (2), NONE },
	[20] = { "NET_SET_MTU", 8, 8, 0, 0, 'a', 8, 8, 0, NEEDS (4), NONE },
	[21] = { "SET_BACKEND_REQ_FD", 0, 0, 1, 1, 'a', 8, 8, 0, NEEDS (5), NONE },
	[22] = { "IOTLB_MSG", 32, 32, 0, 0, 'u', 8, 8, 0, FREE, 33 },
	[23] = { "SET_VRING_ENDIAN", 8, 8, 0, 0, 'a', 8, 8, 0, NEEDS (6), NONE },
	[24] = { "GET_CONFIG", 12, 4096, 0, 0, 'p', 0, 4096, 0, NEEDS (9), NONE },
	[25] = { "SET_CONFIG", 13, 4096, 0, 0, 'a', 8, 8, 0, NEEDS (9), NONE },
	[26] = { "CREATE_CRYPTO_SESSION", 1072, 1072, 0, 0, 'p', 1072, 1072, 0, NEEDS (7), NONE },
	[27] = { "CLOSE_CRYPTO_SESSION", 8, 8, 0, 0, 'a', 8, 8, 0, NEEDS (7), NONE },
	[28] = { "POSTCOPY_ADVISE", 0, 0, 0, 0, 'p', 0, 0, 1, NEEDS (8), NONE },
	[29] = { "POSTCOPY_LISTEN", 0, 0, 0, 0, 'a', 8, 8, 0, NEEDS (8), NONE },
	[30] = { "POSTCOPY_END", 0, 0, 0, 0, 'u', 8, 8, 0, NEEDS (8), NONE },
	/* 20 bytes as the specification draws it, 24 as it is sent. */
	[31] = { "GET_INFLIGHT_FD", 20, 24, 0, 0, 'p', 20, 24, 1, NEEDS (12), NONE },
	[32] = { "SET_INFLIGHT_FD", 20, 24, 1, 1, 'a', 8, 8, 0, NEEDS (12), NONE },
	[33] = { "GPU_SET_SOCKET", 0, 0, 1, 1, 'a', 8, 8, 0, FREE, NONE },
	[34] = { "RESET_DEVICE", 0, 0, 0, 0, 'a', 8, 8, 0, NEEDS (13), NONE },
	[35] = { "VRING_KICK", 8, 8, 0, 0, 'a', 8, 8, 0, NEEDS (14), NONE },
	[36] = { "GET_MAX_MEM_SLOTS", 0, 0, 0, 0, 'p', 8, 8, 0, NEEDS (15), NONE },
	[37] = { "ADD_MEM_REG", 40, 48, 1, 1, 'a', 8, 8, 0, NEEDS (15), NONE },
	[38] = { "REM_MEM_REG", 40, 48, 0, 1, 'a', 8, 8, 0, NEEDS (15), NONE },
	[39] = { "SET_STATUS", 8, 8, 0, 0, 'a', 8, 8, 0, NEEDS (16), NONE },
	[40] = { "GET_STATUS", 0, 0, 0, 0, 'p', 8, 8, 0, NEEDS (16), NONE },
	[41] = { "GET_SHARED_OBJECT", 0, 16, 0, 0, 'p', 0, 16, 1, NEEDS (18), NONE },
	[42] = { "SET_DEVICE_STATE_FD", 8, 8, 1, 1, 'p', 8, 8, 1, NEEDS (19), NONE },
	[43] = { "CHECK_DEVICE_STATE", 0, 0, 0, 0, 'p', 8, 8, 0, NEEDS (19), NONE },
	[44] = { "GET_SHMEM_CONFIG", 0, 0, 0, 0, 'p', 2056, 2056, 0, NEEDS (22), NONE },
	[45] = { "GET_VRING_BASE_SKIP_DRAIN", 8, 8, 0, 0, 'p', 8, 8, 0, { 23, 20, 12 }, NONE },
};

static const struct expected backend_requests[] = {
	[1] = { "IOTLB_MSG", 32, 32, 0, 0, 'a', 8, 8, 0, NEEDS (5), 33 },
	[2] = { "CONFIG_CHANGE_MSG", 0, 0, 0, 0, 'a', 8, 8, 0, { 5, 9, NONE }, NONE },
	[3] = { "VRING_HOST_NOTIFIER_MSG", 24, 24, 0, 1, 'a', 8, 8, 0, { 5, 11, 10 }, NONE },
	[4] = { "VRING_CALL", 8, 8, 0, 0, 'a', 8, 8, 0, { 5, 14, 3 }, NONE },
	[5] = { "VRING_ERR", 8, 8, 0, 0, 'a', 8, 8, 0, { 5, 14, 3 }, NONE },
	[6] = { "SHARED_OBJECT_ADD", 16, 16, 0, 0, 'a', 8, 8, 0, { 5, 18, NONE }, NONE },
	[7] = { "SHARED_OBJECT_REMOVE", 16, 16, 0, 0, 'a', 8, 8, 0, { 5, 18, NONE }, NONE },
	[8] = { "SHARED_OBJECT_LOOKUP", 16, 16, 0, 0, 'p', 8, 8, 1, { 5, 18, NONE }, NONE },
	[9] = { "SHMEM_MAP", 40, 40, 1, 1, 'a', 8, 8, 0, { 5, 22, 10 }, NONE },
	[10] = { "SHMEM_UNMAP", 40, 40, 0, 0, 'a', 8, 8, 0, { 5, 22, NONE }, NONE },
};

static uint64_t
bits (const int numbers[3])
{
	uint64_t all = 0;

	for (unsigned i = 0; i < 3; i++)
		if (numbers[i] != NONE)
			all |= UINT64_C (1) << numbers[i];
	return all;
}

static char
letter (enum answer a)
{
	return a == ANSWER_ACK ? 'a' : a == ANSWER_PAYLOAD ? 'p' : 'u';
}

static void
compare_row (const struct message_row *row, const struct expected *e)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL (row);
	CU_ASSERT_STRING_EQUAL (row->name, e->name);
	CU_ASSERT_EQUAL (row->min_size, e->min_size);
	CU_ASSERT_EQUAL (row->max_size, e->max_size);
	CU_ASSERT_EQUAL (row->min_fds, e->min_fds);
	CU_ASSERT_EQUAL (row->max_fds, e->max_fds);
	CU_ASSERT_EQUAL (letter (row->answer), e->answer);
	CU_ASSERT_EQUAL (row->reply_min, e->reply_min);
	CU_ASSERT_EQUAL (row->reply_max, e->reply_max);
	CU_ASSERT_EQUAL (row->reply_fds, e->reply_fds);
	CU_ASSERT_EQUAL (row->protocol, bits (e->protocol));
	CU_ASSERT_EQUAL (row->virtio, e->virtio == NONE ? 0 : UINT64_C (1) << e->virtio);
}

static void
requests_are_the_specifications (void)
{
	CU_ASSERT_EQUAL (sizeof (requests) / sizeof (requests[0]), 46);
	CU_ASSERT_EQUAL (REQUEST_END, 46);
	for (uint32_t id = 1; id <= 45; id++) {
		compare_row (request_row (id), &requests[id]);
		/* What comes before SET_FEATURES cannot need that bit 30 was accepted. */
		CU_ASSERT_EQUAL (request_row (id)->offered, id == 15 || id == 16);
	}
}

static void
backend_requests_are_the_specifications (void)
{
	CU_ASSERT_EQUAL (sizeof (backend_requests) / sizeof (backend_requests[0]), 11);
	CU_ASSERT_EQUAL (BACKEND_REQUEST_END, 11);
	for (uint32_t id = 1; id <= 10; id++) {
		compare_row (backend_request_row (id), &backend_requests[id]);
		CU_ASSERT_FALSE (backend_request_row (id)->offered);
	}
}

static void
ids_that_are_not_there (void)
{
	static const uint32_t ids[] = { 0, 46, 47, 255, 256, 65537, 0x7fffffff, 0x80000001, 0xffffffff };

	for (unsigned i = 0; i < sizeof (ids) / sizeof (ids[0]); i++) {
		CU_ASSERT_PTR_NULL (request_row (ids[i]));
		CU_ASSERT_PTR_NULL (backend_request_row (ids[i]));
	}
	CU_ASSERT_PTR_NULL (backend_request_row (11));
	CU_ASSERT_PTR_NULL (backend_request_row (12));
}

static void
no_row_goes_beyond_a_message (void)
{
	for (uint32_t id = 1; id <= 45; id++) {
		const struct message_row *row = request_row (id);

		CU_ASSERT_TRUE (row->min_size <= row->max_size && row->max_size <= MESSAGE_MAX_BODY);
		CU_ASSERT_TRUE (row->min_fds <= row->max_fds && row->max_fds <= MESSAGE_MAX_FDS);
		CU_ASSERT_TRUE (row->reply_min <= row->reply_max && row->reply_max <= MESSAGE_MAX_BODY);
		CU_ASSERT_TRUE (row->reply_fds <= MESSAGE_MAX_FDS);
	}
}

/* --- form and gate --- */

static int
form (uint32_t id, uint32_t size, unsigned n_fds)
{
	struct message m;

	message_init (&m, id, MESSAGE_VERSION);
	m.size = size;
	m.n_fds = n_fds;
	return message_check_form (&m, request_row (id));
}

static void
form_at_the_limits (void)
{
	for (uint32_t id = 1; id <= 45; id++) {
		const struct expected *e = &requests[id];

		CU_ASSERT_EQUAL (form (id, e->min_size, e->min_fds), 0);
		CU_ASSERT_EQUAL (form (id, e->max_size, e->max_fds), 0);
		CU_ASSERT_EQUAL (form (id, e->max_size + 1, e->min_fds), -EBADMSG);
		CU_ASSERT_EQUAL (form (id, e->min_size, e->max_fds + 1), -EBADMSG);
		if (e->min_size > 0)
			CU_ASSERT_EQUAL (form (id, e->min_size - 1, e->min_fds), -EBADMSG);
		if (e->min_fds > 0)
			CU_ASSERT_EQUAL (form (id, e->min_size, e->min_fds - 1), -EBADMSG);
	}
	CU_ASSERT_EQUAL (form (0, 0, 0), -ENOSYS);
	CU_ASSERT_EQUAL (form (46, 0, 0), -ENOSYS);
}

static void
gates (void)
{
	for (uint32_t id = 1; id <= 45; id++) {
		const struct message_row *row = request_row (id);
		uint64_t protocol = bits (requests[id].protocol), virtio = requests[id].virtio == NONE ? 0 : UINT64_C (1) << requests[id].virtio;

		CU_ASSERT_EQUAL (message_check_gate (row, virtio, virtio, protocol), 0);
		CU_ASSERT_EQUAL (message_check_gate (row, UINT64_MAX, UINT64_MAX, UINT64_MAX), 0);
		CU_ASSERT_EQUAL (message_check_gate (row, 0, 0, 0), protocol || virtio ? -EOPNOTSUPP : 0);
		for (unsigned bit = 0; bit < 64; bit++)
			if (protocol & UINT64_C (1) << bit)
				CU_ASSERT_EQUAL (message_check_gate (row, UINT64_MAX, UINT64_MAX, ~(UINT64_C (1) << bit)), -EOPNOTSUPP);
		/* Offered is not accepted. */
		CU_ASSERT_EQUAL (message_check_gate (row, UINT64_MAX, 0, UINT64_MAX), virtio && !row->offered ? -EOPNOTSUPP : 0);
	}
}

/* --- messages in memory --- */

static struct message message;

static void
a_reply_header (void)
{
	struct message reply;

	message_init (&message, 24, MESSAGE_VERSION | MESSAGE_NEED_REPLY);
	message.size = 77;
	message_init_reply (&reply, &message);
	CU_ASSERT_EQUAL (reply.request, 24);
	CU_ASSERT_EQUAL (reply.flags, 5);
	CU_ASSERT_EQUAL (reply.size, 0);
	CU_ASSERT_EQUAL (reply.n_fds, 0);
}

static void
fds_are_the_messages_until_they_are_taken (void)
{
	int before = suite_open_fds (), taken;

	message_init (&message, 1, MESSAGE_VERSION);
	for (unsigned i = 0; i < 3; i++)
		message.fds[message.n_fds++] = dup (0);
	taken = message_take_fd (&message, 1);
	CU_ASSERT_TRUE (taken >= 0);
	CU_ASSERT_EQUAL (message_take_fd (&message, 1), -1);
	CU_ASSERT_EQUAL (message_take_fd (&message, 3), -1);
	message_close_fds (&message);
	CU_ASSERT_EQUAL (suite_open_fds (), before + 1);
	message_close_fds (&message);
	CU_ASSERT_EQUAL (close (taken), 0);
	CU_ASSERT_EQUAL (suite_open_fds (), before);
}

int
main (void)
{
	CU_TestInfo tests[] = {
		{ "requests are the specification's", requests_are_the_specifications },
		{ "back-end requests are the specification's", backend_requests_are_the_specifications },
		{ "ids that are not there", ids_that_are_not_there },
		{ "no row goes beyond a message", no_row_goes_beyond_a_message },
		{ "form, at the limits", form_at_the_limits },
		{ "gates", gates },
		{ "the header of a reply", a_reply_header },
		{ "fds are the message's until they are taken", fds_are_the_messages_until_they_are_taken },
		CU_TEST_INFO_NULL,
	};

	return suite_run ("messages", tests);
}
