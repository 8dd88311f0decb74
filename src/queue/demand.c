/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Batches of requests whose parts are mapped on demand.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <vhost/loop.h>

#include "queue/demand.h"

/* Most requests that share a lease: the slowest of them holds up the others. */
#define MAX_BATCH 64

/* When it is others that have too much mapped, nothing tells us that they have less. */
#define RETRY_MS 1

#define NOBODY UINT32_MAX

/* Whose part a range is. */
struct owner {
	uint16_t head;
	uint16_t part;
};

/* Requests with one lease. */
struct batch {
	struct lease *lease;
	unsigned live;		/* not given back */
	uint32_t first, last;	/* heads of those that were, in their order; linked by given.next */
	struct batch *next;	/* free batches */
};

/* A request that was given back and waits for its batch. */
struct given {
	uint32_t written;
	uint32_t next;
	bool waits;
};

struct demand {
	struct range *ranges;		/* of the batch that is being taken, in the order of its requests */
	struct owner *owners;		/* of the ranges */
	unsigned n_ranges;
	unsigned max_batch;
	struct batch *batches, *free_batch;
	unsigned leases;
	struct batch **batch_of;	/* by head; NULL: no lease */
	struct given *given;		/* by head */
	struct vh_timer *retry;		/* NULL when the ring has no loop */
	bool starved;
	void *pool;			/* all arrays are in here */
	size_t pool_size;
};

/* --- life --- */

enum { PIECE_RANGES, PIECE_OWNERS, PIECE_BATCHES, PIECE_BATCH_OF, PIECE_GIVEN, PIECES };

static void demand_retry (void *opaque);

/* Takes the arrays from one mapping that costs memory only where it is touched. */
static int
demand_map_pool (struct demand *d, unsigned size, size_t max_ranges)
{
	const size_t sizes[PIECES] = {
		[PIECE_RANGES] = max_ranges * sizeof (*d->ranges), [PIECE_OWNERS] = max_ranges * sizeof (*d->owners),
		[PIECE_BATCHES] = size * sizeof (*d->batches),	   [PIECE_BATCH_OF] = size * sizeof (*d->batch_of),
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
	d->batch_of = (struct batch **) (pool + starts[PIECE_BATCH_OF]);
	d->given = (struct given *) (pool + starts[PIECE_GIVEN]);
	return 0;
}

static int
demand_init (struct demand *d, struct vh_ring *ring)
{
	int err;

	d->max_batch = ring->size < MAX_BATCH ? ring->size : MAX_BATCH;
	err = demand_map_pool (d, ring->size, (size_t) d->max_batch * ring->max_chain);
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

static void
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
	d->owners[d->n_ranges] = (struct owner){ (uint16_t) request_head (ring, r), (uint16_t) part };
	d->n_ranges++;
}

void
demand_forget (struct vh_ring *ring, const struct request *r)
{
	struct demand *d = ring->demand;

	while (d->n_ranges > 0 && d->owners[d->n_ranges - 1].head == request_head (ring, r))
		d->n_ranges--;
}

/* How many ranges from `first` on belong to the n requests from reqs[0] on. */
static unsigned
ranges_of (const struct vh_ring *ring, struct vh_request **reqs, unsigned n, unsigned first)
{
	const struct demand *d = ring->demand;
	unsigned at = first;

	for (unsigned i = 0; i < n; i++)
		while (at < d->n_ranges && d->owners[at].head == request_head (ring, (struct request *) reqs[i]))
			at++;
	return at - first;
}

/* Puts the addresses of mapped ranges into the parts. */
static void
ranges_place (struct vh_ring *ring, unsigned first, unsigned n)
{
	const struct demand *d = ring->demand;

	for (unsigned i = first; i < first + n; i++)
		ring->requests[d->owners[i].head].pub.out[d->owners[i].part].iov_base = d->ranges[i].host;
}

/* --- batches --- */

/* Gives the requests that have ranges, out of n, a lease in common. */
static void
batch_new (struct vh_ring *ring, unsigned first, unsigned n, struct lease *lease)
{
	struct demand *d = ring->demand;
	struct batch *b = d->free_batch;

	/* There are as many batches as heads, and each that is in use has one at least. */
	d->free_batch = b->next;
	*b = (struct batch){ .lease = lease, .first = NOBODY, .last = NOBODY };
	for (unsigned i = first; i < first + n; i++) {
		struct batch **of = &d->batch_of[d->owners[i].head];

		b->live += *of != b;
		*of = b;
	}
	d->leases++;
}

static void
batch_end (struct vh_ring *ring, struct batch *b)
{
	struct demand *d = ring->demand;

	unmap_lease (b->lease);
	for (uint32_t head = b->first; head != NOBODY; head = d->given[head].next) {
		d->given[head].waits = false;
		ring_done (ring, head, d->given[head].written);
	}
	b->next = d->free_batch;
	d->free_batch = b;
	d->leases--;
	if (d->starved)
		demand_retry (ring);
}

void
demand_give (struct vh_ring *ring, unsigned head, uint32_t written)
{
	struct demand *d = ring->demand;
	struct batch *b = d->batch_of[head];

	if (!b) {
		ring_done (ring, head, written);
		return;
	}
	d->batch_of[head] = NULL;
	d->given[head] = (struct given){ .written = written, .next = NOBODY, .waits = true };
	if (b->last == NOBODY)
		b->first = head;
	else
		d->given[b->last].next = head;
	b->last = head;
	if (--b->live == 0)
		batch_end (ring, b);
}

/* --- taking --- */

/* Maps n ranges with one call. */
static int
map_batch (struct vh_ring *ring, unsigned first, unsigned n)
{
	struct lease *lease;
	int err;

	if (n == 0)
		return 0;
	err = map_ranges (ring->demand->ranges + first, n, &lease);
	if (err < 0)
		return err;
	ranges_place (ring, first, n);
	batch_new (ring, first, n, lease);
	return 0;
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
map_each (struct vh_ring *ring, struct vh_request **reqs, unsigned n, unsigned *kept)
{
	unsigned first = 0;

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

/* Maps as many of n requests as there is room for.  Sets *kept to how many those are, and says why they are not all. */
static int
map_requests (struct vh_ring *ring, struct vh_request **reqs, unsigned n, unsigned *kept)
{
	int err, why = 0;

	for (*kept = n; *kept > 0; *kept /= 2) {
		err = map_batch (ring, 0, ranges_of (ring, reqs, *kept, 0));
		if (err == -EFAULT)
			return map_each (ring, reqs, *kept, kept) ?: why;
		if (err == 0)
			return why;
		why = err;
		if (!is_want_of_room (err))
			*kept = 0;
	}
	return why;
}

/* A driver that makes a head available that it was not given back yet; other rings see this by the request's snapshot. */
static bool
is_waiting (const struct vh_ring *ring, struct vh_request **reqs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (ring->demand->given[request_head (ring, (struct request *) reqs[i])].waits)
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
	n = ring->layout->take (ring, reqs, max < d->max_batch ? max : d->max_batch);
	return n > 0 ? demand_take_batch (ring, reqs, (unsigned) n) : n;
}

void
demand_untake (struct vh_ring *ring, struct vh_request **reqs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct batch **of = &ring->demand->batch_of[request_head (ring, (struct request *) reqs[i])];
		struct batch *b = *of;

		*of = NULL;
		if (b && --b->live == 0)
			batch_end (ring, b);
	}
}
