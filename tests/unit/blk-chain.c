/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Chains of virtio-blk, made by hand.
 */
#include <endian.h>
#include <string.h>

#include "tests/suite.h"
#include "tests/unit/blk-chain.h"

const struct request_limits writable = {
	.capacity = SECTORS * 512, .block_size = 512, .can_discard = true, .serial = "disk-1",
};

void
chain_begin (struct chain *c, uint32_t type, uint64_t sector)
{
	memset (c, 0, sizeof (*c));
	memset (c->data, UNTOUCHED, sizeof (c->data));
	c->status = UNTOUCHED;
	c->header = (struct virtio_blk_outhdr){ .type = htole32 (type), .sector = htole64 (sector) };
	c->vh.out = c->out;
	c->vh.in = c->in;
	c->vh.user = &c->request;
}

void
chain_add_out (struct chain *c, void *base, size_t length)
{
	c->out[c->vh.n_out++] = (struct iovec){ base, length };
	c->vh.out_bytes += length;
}

void
chain_add_in (struct chain *c, void *base, size_t length)
{
	c->in[c->vh.n_in++] = (struct iovec){ base, length };
	c->vh.in_bytes += length;
}

void
chain_usual (struct chain *c, uint32_t type, uint64_t sector, size_t bytes)
{
	chain_begin (c, type, sector);
	chain_add_out (c, &c->header, sizeof (c->header));
	if (bytes > 0 && type != VIRTIO_BLK_T_IN && type != VIRTIO_BLK_T_GET_ID)
		chain_add_out (c, c->data, bytes);
	else if (bytes > 0)
		chain_add_in (c, c->data, bytes);
	chain_add_in (c, &c->status, 1);
}

uint8_t
chain_parse (struct chain *c, const struct request_limits *limits)
{
	return request_parse (&c->request, &c->vh, limits);
}

void
chain_answered (struct chain *c, const struct request_limits *limits, uint8_t status)
{
	uint8_t answer = chain_parse (c, limits);

	CU_ASSERT_EQUAL (c->request.kind, REQUEST_ANSWERED);
	CU_ASSERT_EQUAL (answer, status);
	CU_ASSERT_EQUAL (request_finish (&c->request, answer), c->vh.in_bytes);
}

void
chain_refused (struct chain *c, const struct request_limits *limits, uint8_t status)
{
	chain_answered (c, limits, status);
	CU_ASSERT_EQUAL (c->status, status);
}
