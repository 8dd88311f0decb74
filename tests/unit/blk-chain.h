/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Chains of virtio-blk as the library hands them out, made by hand, for tests of how they are parsed.
 */
#ifndef TESTS_UNIT_BLK_CHAIN_H
#define TESTS_UNIT_BLK_CHAIN_H

#include <linux/virtio_blk.h>

#include "devices/blk/request.h"

#define SECTORS 8192		/* of the disk: 4 MiB */
#define UNTOUCHED 0xee

struct chain {
	struct vh_request vh;
	struct request request;
	struct iovec out[VH_MAX_PARTS], in[VH_MAX_PARTS];
	struct virtio_blk_outhdr header;
	uint8_t data[8192];
	uint8_t status;
};

/* Of a disk that can do all. */
extern const struct request_limits writable;

/* A chain without parts, with the header made; then its parts. */
void chain_begin (struct chain *, uint32_t type, uint64_t sector);
void chain_add_out (struct chain *, void *base, size_t length);
void chain_add_in (struct chain *, void *base, size_t length);

/* The usual layout: header, data in the direction of the type, status. */
void chain_usual (struct chain *, uint32_t type, uint64_t sector, size_t bytes);

/* Returns what request_parse does. */
uint8_t chain_parse (struct chain *, const struct request_limits *);

/* Fails the test unless the request is answered already, with this status; and unless that reaches the status byte. */
void chain_answered (struct chain *, const struct request_limits *, uint8_t status);
void chain_refused (struct chain *, const struct request_limits *, uint8_t status);

#endif
