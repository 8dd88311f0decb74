/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Taking requests whose parts are mapped on demand.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <vhost/loop.h>

#include "queue/demand-batch.h"

/* Most requests that are taken at a time. */
#define MAX_BATCH 64

/* Most requests that share a mapping: the slowest of them holds up the others, and with more the call that maps them costs each hardly less. */
#define MAX_SHARERS 16

/* Parts of this size are copied even if the request has too much for the others to be: a header or a status byte is not worth a mapping of its own. */
#define SMALL_PART 256

/* When it is others that have too much mapped, nothing tells us that they have less. */
#define RETRY_MS 1

/* --- life --- */

enum { PIECE_RANGES, PIECE_OWNERS, PIECE_BATCHES, PIECE_SHARES, PIECE_GIVEN, PIECES };

/* Takes the arrays from one mapping that costs memory only where it is touched. */
static int
demand_map_pool (struct demand *d, unsigned size)
{
	const size_t sizes[PIECES] = {
		[PIECE_RANGES] = d->max_ranges * sizeof (*d->ranges), [PIECE_OWNERS] = d->max_ranges * sizeof (*d->owners),
		[PIECE_BATCHES] = size * sizeof (*d->batches),	      [PIECE_SHARES] = size * sizeof (*d->shares),
		[PIECE_GIVEN] = size * sizeof (*d->given),
	};
	size_t starts[PIECES + 1] = { 0 };
	unsigned char *pool;

	for (unsigned i = 0; i < PIECES; i++)
		starts[i + 1] = starts[i] + ((sizes[i] + 63) & ~(size_t) 63);
	pool = mmap (NULL, starts[PIECES], PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (pool == MAP_FAILED)
		return -ENOMEM;
	d->pool = pool;
	d->pool_size = starts[PIECES];
	d->ranges = (struct range *) (pool + starts[PIECE_RANGES]);
	d->owners = (struct owner *) (pool + starts[PIECE_OWNERS]);
	d->batches = (struct batch *) (pool + starts[PIECE_BATCHES]);
	d->shares = (struct share *) (pool + starts[PIECE_SHARES]);
	d->given = (struct given *) (pool + starts[PIECE_GIVEN]);
	return 0;
}

static int
demand_init (struct demand *d, struct vh_ring *ring)
{
	int err;

	d->max_batch = ring->size < MAX_BATCH ? ring->size : MAX_BATCH;
	d->max_ranges = d->max_batch * ring->max_chain;
	d->line = line_empty;
	err = demand_map_pool (d, ring->size);
	if (err < 0)
		return err;
	for (unsigned i = 0; i < ring->size; i++)
		d->batches[i].next = i + 1 < ring->size ? &d->batches[i + 1] : NULL;
	d->free_batch = d->batches;
	if (!ring->setup.loop)
		return 0;
	err = vh_loop_add_timer (ring->setup.loop, demand_retry, ring, &d->retry);
	if (err < 0)
		munmap (d->pool, d->pool_size);
	return err;
}

int
demand_prepare (struct vh_ring *ring)
{
	struct demand *d;
	int err;

	if (ring->demand)
		return 0;
	d = calloc (1, sizeof (*d));
	if (!d)
		return -ENOMEM;
	err = demand_init (d, ring);
	if (err < 0) {
		free (d);
		return err;
	}
	ring->demand = d;
	ring->aside = true;
	return 0;
}

void
demand_free (struct vh_ring *ring)
{
	if (!ring->demand)
		return;
	if (ring->demand->retry)
		vh_timer_remove (ring->demand->retry);
	munmap (ring->demand->pool, ring->demand->pool_size);
	free (ring->demand);
}

/* --- waiting for room --- */

static void
demand_wait (struct vh_ring *ring)
{
	struct demand *d = ring->demand;

	d->starved = true;
	/* Our own leases tell us when they end. */
	if (d->leases == 0 && d->retry)
		vh_timer_set (d->retry, RETRY_MS);
}

void
demand_starve (struct vh_ring *ring, const struct request *r)
{
	demand_forget (ring, r);
	demand_wait (ring);
}

bool
demand_is_starved (const struct vh_ring *ring)
{
	return ring->demand && ring->demand->starved;
}

void
demand_rest (struct vh_ring *ring)
{
	if (!ring->demand)
		return;
	ring->demand->starved = false;
	if (ring->demand->retry)
		vh_timer_set (ring->demand->retry, -1);
}

void
demand_retry (void *opaque)
{
	struct vh_ring *ring = opaque;

	demand_rest (ring);
	vh_ring_wake (ring);
}

/* --- ranges --- */

void
demand_want (struct vh_ring *ring, struct request *r, unsigned part, struct region *region, uint64_t addr, uint32_t size, bool write)
{
	struct demand *d = ring->demand;

	d->ranges[d->n_ranges] = (struct range){ .region = region, .addr = addr, .size = size, .write = write };
	d->owners[d->n_ranges] = (struct owner){ (uint16_t) request_index (ring, r), (uint16_t) part };
	d->n_ranges++;
}

void
demand_forget (struct vh_ring *ring, const struct request *r)
{
	struct demand *d = ring->demand;

	while (d->n_ranges > 0 && d->owners[d->n_ranges - 1].head == request_index (ring, r))
		d->n_ranges--;
}

/* How many ranges from `first` on belong to the n requests from reqs[0] on. */
static unsigned
ranges_of (const struct vh_ring *ring, struct vh_request **reqs, unsigned n, unsigned first)
{
	const struct demand *d = ring->demand;
	unsigned at = first;

	for (unsigned i = 0; i < n; i++)
		while (at < d->n_ranges && d->owners[at].head == request_index (ring, (struct request *) reqs[i]))
			at++;
	return at - first;
}

/* --- taking --- */

/* How requests may have a lease in common. */
enum sharing {
	SHARING_FREE,	/* all is copied: nobody waits for anybody */
	SHARING_FEW,	/* some is mapped until the last one has been given back */
	SHARING_NONE,	/* likewise, and nothing says that it ends soon: what the driver said nothing in may be a receive buffer */
};

static const unsigned most_sharers[] = { [SHARING_FREE] = MAX_BATCH, [SHARING_FEW] = MAX_SHARERS, [SHARING_NONE] = 1 };

/* Decides which of a request's n ranges are copied, and by that how it may share. */
static enum sharing
request_plan (const struct vh_request *req, struct range *ranges, unsigned n)
{
	uint64_t limit = map_copy_limit (), total = 0, copied = 0;

	for (unsigned i = 0; i < n; i++)
		total += ranges[i].size;
	for (unsigned i = 0; i < n; i++) {
		ranges[i].copy = total <= limit || (ranges[i].size <= SMALL_PART && copied + ranges[i].size <= limit);
		copied += ranges[i].copy ? ranges[i].size : 0;
	}
	if (copied == total)
		return SHARING_FREE;
	return req->n_out > 0 ? SHARING_FEW : SHARING_NONE;
}

/* How many of n requests, whose ranges begin at `first`, may have a lease in common. */
static unsigned
group_size (struct vh_ring *ring, struct vh_request **reqs, unsigned n, unsigned first)
{
	unsigned sharers = 0, size, count;
	enum sharing group = SHARING_NONE, sharing;

	for (size = 0; size < n; size++, first += count) {
		count = ranges_of (ring, reqs + size, 1, first);
		if (count == 0)	/* all of it is mapped in advance */
			continue;
		sharing = request_plan (reqs[size], ring->demand->ranges + first, count);
		if (sharers > 0 && (sharing != group || sharers == most_sharers[group]))
			break;
		group = sharing;
		sharers++;
	}
	return size;
}

static int
map_batch (struct vh_ring *ring, unsigned first, unsigned n)
{
	return n > 0 ? batch_new (ring, first, n) : 0;
}

/* Nothing is left of a request but its error and the status part, if there is one. */
static void
request_fail (struct vh_request *req, struct iovec *status)
{
	req->error = -EFAULT;
	req->n_out = 0;
	req->out_bytes = 0;
	req->in = status ? status : req->out;
	req->n_in = status != NULL;
	req->in_bytes = status ? status->iov_len : 0;
}

/* A request of which the guest did not grant some part: only its last part is kept, when that is one to write and can be mapped. */
static int
map_status (struct vh_ring *ring, struct vh_request *req, unsigned first, unsigned n)
{
	struct iovec *status = req->n_in > 0 ? &req->in[req->n_in - 1] : NULL;
	int err = 0;

	/* If it is on demand, its range is the request's last. */
	if (status && !status->iov_base)
		err = map_batch (ring, first + n - 1, 1);
	if (err < 0 && err != -EFAULT)
		return err;
	request_fail (req, err == 0 ? status : NULL);
	return 0;
}

/* Maps n requests by themselves, because one of them is at fault.  Sets *kept to how many it did. */
static int
map_each (struct vh_ring *ring, struct vh_request **reqs, unsigned n, unsigned first, unsigned *kept)
{
	for (*kept = 0; *kept < n; ++*kept) {
		unsigned count = ranges_of (ring, reqs + *kept, 1, first);
		int err = map_batch (ring, first, count);

		if (err == -EFAULT)
			err = map_status (ring, reqs[*kept], first, count);
		if (err < 0)
			return err;
		first += count;
	}
	return 0;
}

static bool
is_want_of_room (int err)
{
	return err == -EAGAIN || err == -ENOMEM;
}

/* Maps as many of n requests as there is room for, with one lease.  Sets *kept to how many those are, and says why they are not all. */
static int
map_group (struct vh_ring *ring, struct vh_request **reqs, unsigned n, unsigned first, unsigned *kept)
{
	int err, why = 0;

	for (*kept = n; *kept > 0; *kept /= 2) {
		err = map_batch (ring, first, ranges_of (ring, reqs, *kept, first));
		if (err == -EFAULT)
			return map_each (ring, reqs, *kept, first, kept) ?: why;
		if (err == 0)
			return why;
		why = err;
		if (!is_want_of_room (err))
			*kept = 0;
	}
	return why;
}

/* The same, with as many leases as it takes. */
static int
map_requests (struct vh_ring *ring, struct vh_request **reqs, unsigned n, unsigned *kept)
{
	unsigned first = 0, done;
	int err = 0;

	for (*kept = 0; *kept < n && err == 0; *kept += done) {
		unsigned size = group_size (ring, reqs + *kept, n - *kept, first), count = ranges_of (ring, reqs + *kept, size, first);

		err = map_group (ring, reqs + *kept, size, first, &done);
		first += count;
	}
	return err;
}

/* A driver that makes a head available that it was not given back yet; other rings see this by the request's snapshot. */
static bool
is_waiting (const struct vh_ring *ring, struct vh_request **reqs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (ring->demand->given[request_index (ring, (struct request *) reqs[i])].waits)
			return true;
	return false;
}

static int
demand_take_batch (struct vh_ring *ring, struct vh_request **reqs, unsigned n)
{
	unsigned kept;
	int err;

	if (is_waiting (ring, reqs, n)) {
		ring_untake (ring, reqs, n);
		return ring_break (ring, -EPROTO, "a head was made available twice");
	}
	err = map_requests (ring, reqs, n, &kept);
	ring_untake (ring, reqs + kept, n - kept);
	if (kept == 0 && err < 0 && err != -EAGAIN)
		return ring_break (ring, err, "guest memory cannot be mapped");
	if (kept < n)
		demand_wait (ring);
	return (int) kept;
}

int
demand_take (struct vh_ring *ring, struct vh_request **reqs, unsigned max)
{
	struct demand *d = ring->demand;
	int n;

	d->n_ranges = 0;
	d->starved = false;
	n = ring->layout->take (ring, reqs, max < d->max_batch ? max : d->max_batch);
	return n > 0 ? demand_take_batch (ring, reqs, (unsigned) n) : n;
}
