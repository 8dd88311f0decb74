/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pool: everything that a ring needs for its requests, made when it starts.
 *
 *	| requests | done | arena: parts of long chains | bounce: one indirect table | own: the layout's | the device's bytes |
 */
#include <errno.h>
#include <sys/mman.h>

#include "queue/desc.h"
#include "queue/layout.h"
#include "util/lines.h"

/* What a device may keep behind vh_request.user. */
#define USER_ALIGN 16

enum { PIECE_REQUESTS, PIECE_DONE, PIECE_ARENA, PIECE_BOUNCE, PIECE_OWN, PIECE_USER, PIECES };

/* Where each piece begins; the last number is the size of all.  False when that is more than an address space. */
static bool
pool_measure (const struct vh_ring *ring, size_t user_stride, uint64_t *starts)
{
	uint64_t sizes[PIECES] = {
		[PIECE_REQUESTS] = ring->size * sizeof (struct request),
		[PIECE_DONE] = ring->size * sizeof (struct done),
		[PIECE_ARENA] = ring->max_chain > INLINE_PARTS ? (uint64_t) ring->size * ring->max_chain * sizeof (struct iovec) : 0,
		[PIECE_BOUNCE] = ring_has_feature (ring, VH_F_INDIRECT_DESC) ? ring->max_chain * sizeof (struct desc) : 0,
		[PIECE_OWN] = ring->layout->own_bytes (ring->size),
	};

	if (!checked_mul (ring->size, user_stride, &sizes[PIECE_USER]))
		return false;
	starts[0] = 0;
	for (unsigned i = 0; i < PIECES; i++)
		if (!checked_add (starts[i], (sizes[i] + CACHE_LINE - 1) & ~(uint64_t) (CACHE_LINE - 1), &starts[i + 1]))
			return false;
	return starts[PIECES] <= SIZE_MAX;
}

static int
pool_map (struct vh_ring *ring, size_t size)
{
	void *pool = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (pool == MAP_FAILED)
		return -ENOMEM;
	/* A huge page would cost two megabytes for the first long chain. */
	madvise (pool, size, MADV_NOHUGEPAGE);
	ring->pool = pool;
	ring->pool_size = size;
	return 0;
}

static void
pool_set_users (struct vh_ring *ring, unsigned char *users, size_t stride)
{
	for (unsigned i = 0; stride > 0 && i < ring->size; i++)
		ring->requests[i].pub.user = users + i * stride;
}

int
request_pool_new (struct vh_ring *ring)
{
	size_t stride = (ring->setup.request_size + USER_ALIGN - 1) & ~(size_t) (USER_ALIGN - 1);
	uint64_t starts[PIECES + 1];
	unsigned char *pool;
	int err;

	if (stride < ring->setup.request_size || !pool_measure (ring, stride, starts))
		return -EINVAL;
	err = pool_map (ring, (size_t) starts[PIECES]);
	if (err < 0)
		return err;
	pool = ring->pool;
	ring->requests = (struct request *) (pool + starts[PIECE_REQUESTS]);
	ring->done = (struct done *) (pool + starts[PIECE_DONE]);
	ring->arena = (struct iovec *) (pool + starts[PIECE_ARENA]);
	ring->bounce = (struct desc *) (pool + starts[PIECE_BOUNCE]);
	ring->own = pool + starts[PIECE_OWN];
	pool_set_users (ring, pool + starts[PIECE_USER], stride);
	return 0;
}

void
request_pool_free (struct vh_ring *ring)
{
	if (ring->pool)
		munmap (ring->pool, ring->pool_size);
}
