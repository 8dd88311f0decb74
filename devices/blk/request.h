/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtio-blk request (virtio 1.2, 5.2.6): read once from a descriptor chain of any layout, checked, and kept beside the chain until it is given back.
 */
#ifndef BLK_REQUEST_H
#define BLK_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <vhost/queue.h>

#include "devices/blk/pool.h"

/* Most ranges of one DISCARD or WRITE_ZEROES, max_discard_seg and max_write_zeroes_seg of the configuration. */
#define REQUEST_MAX_RANGES 8

/* Most bytes of one such range: what one fallocate may be busy with. */
#define REQUEST_MAX_DISCARD (UINT64_C (1) << 30)
#define REQUEST_MAX_ZEROES (UINT64_C (64) << 20)

/* What is left to do about a request after it was parsed. */
enum request_kind {
	REQUEST_ANSWERED,	/* nothing: request_parse returned its status */
	REQUEST_READ,
	REQUEST_WRITE,
	REQUEST_FLUSH,
	REQUEST_DISCARD,
	REQUEST_ZEROES,
};

struct request_range {
	uint64_t offset, bytes;
	bool unmap;		/* WRITE_ZEROES: holes will do */
};

/* The bytes behind vh_request.user. */
struct request {
	struct vh_request *chain;
	uint8_t *status;	/* the guest's; NULL when there is none that could be written */
	enum request_kind kind;
	bool durable;		/* write-through: on stable storage before it is given back */
	unsigned n_parts;
	struct iovec *parts;	/* READ, WRITE: what is left of the data, in the chain's parts */
	uint64_t offset;	/* READ, WRITE: in the image, of the first byte left */
	size_t left;		/* READ, WRITE: bytes */
	size_t bytes;		/* READ, WRITE: bytes at first */
	struct job job;		/* the pool's engine: the work, */
	void *engine;		/* who asked for it, */
	int result;		/* and 0 or a negative errno */
	unsigned n_ranges;
	struct request_range ranges[REQUEST_MAX_RANGES];
};

/* What a request may ask for. */
struct request_limits {
	uint64_t capacity;	/* bytes */
	unsigned block_size;	/* bytes: positions and sizes are multiples of it */
	bool read_only;
	bool can_discard;
	bool durable;		/* write-through is in force */
	const char *serial;	/* for GET_ID, 20 bytes or fewer with a NUL */
};

/*
 * Reads the request in `chain`, whose user bytes are *r.  With r->kind REQUEST_ANSWERED, the return value is the request's status (VIRTIO_BLK_S_*): there
 * is nothing to do but request_finish.
 */
uint8_t request_parse (struct request *r, struct vh_request *chain, const struct request_limits *);

/* Puts `done` bytes of a READ or WRITE behind us. */
void request_advance (struct request *r, size_t done);

/* The status for the outcome of an operation: 0 or a negative errno. */
uint8_t request_status (const struct request *r, int result);

/* Writes the status byte, if there is one; returns the number of bytes for vh_ring_give. */
uint32_t request_finish (struct request *r, uint8_t status);

#endif
