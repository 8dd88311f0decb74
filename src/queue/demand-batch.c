/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Batches of requests whose parts are mapped on demand, and giving back what is in one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "queue/demand-batch.h"

/* --- batches --- */

/* Puts the addresses of mapped ranges into the parts. */
static void
ranges_place (struct vh_ring *ring, unsigned first, unsigned n)
{
	const struct demand *d = ring->demand;

	for (unsigned i = first; i < first + n; i++)
		ring->requests[d->owners[i].head].pub.out[d->owners[i].part].iov_base = d->ranges[i].host;
}

/* Gives the n ranges from `first` on, and the requests that have them, a batch in common. */
static void
batch_fill (struct vh_ring *ring, struct batch *b, unsigned first, unsigned n)
{
	struct demand *d = ring->demand;

	memcpy (b->ranges, d->ranges + first, n * sizeof (b->ranges[0]));
	b->copies = true;
	for (unsigned i = 0; i < n; i++) {
		struct share *s = &d->shares[d->owners[first + i].head];

		if (s->batch != b) {
			*s = (struct share){ .batch = b, .first = i };
			b->live++;
		}
		s->n++;
		b->copies &= b->ranges[i].copy;
	}
}

int
batch_new (struct vh_ring *ring, unsigned first, unsigned n)
{
	struct demand *d = ring->demand;
	struct batch *b = d->free_batch;	/* there are as many as heads, and each that is in use has one at least */
	struct range *ranges = malloc (n * sizeof (ranges[0]));
	struct lease *lease;
	int err = ranges ? map_ranges (d->ranges + first, n, &lease) : -ENOMEM;

	if (err < 0) {
		free (ranges);
		return err;
	}
	d->free_batch = b->next;
	d->leases++;
	*b = (struct batch){ .lease = lease, .ranges = ranges, .line = line_empty };
	batch_fill (ring, b, first, n);
	ranges_place (ring, first, n);
	return 0;
}

static void
batch_free (struct vh_ring *ring, struct batch *b)
{
	struct demand *d = ring->demand;

	unmap_lease (b->lease);
	free (b->ranges);
	b->next = d->free_batch;
	d->free_batch = b;
	d->leases--;
	if (d->starved)
		demand_retry (ring);
}

/* --- giving back --- */

static void
line_append (struct demand *d, struct line *l, uint32_t head, uint32_t written)
{
	d->given[head] = (struct given){ .written = written, .next = NOBODY, .waits = true };
	if (l->last == NOBODY)
		l->first = head;
	else
		d->given[l->last].next = head;
	l->last = head;
}

/* Collects ranges for one call. */
static void
write_back_add (struct demand *d, const struct range *r, unsigned *n)
{
	if (*n == d->max_ranges) {
		map_write_back (d->ranges, *n);
		*n = 0;
	}
	d->ranges[(*n)++] = *r;
}

/*
 * Gives the guest what was written to copies of the requests of a line.  What cannot be given is the guest's own fault, or it is gone: then its memory is
 * lost, and the ring will see that.
 */
static void
line_write_back (struct demand *d, const struct line *l)
{
	unsigned n = 0;

	for (uint32_t head = l->first; head != NOBODY; head = d->given[head].next) {
		const struct share *s = &d->shares[head];

		for (unsigned i = s->first; i < s->first + s->n; i++)
			if (s->batch->ranges[i].copy && s->batch->ranges[i].write)
				write_back_add (d, &s->batch->ranges[i], &n);
	}
	if (n > 0)
		map_write_back (d->ranges, n);
}

/* The request has nothing of its batch any more; returns the batch when it was the last one. */
static struct batch *
share_end (struct demand *d, uint32_t head)
{
	struct batch *b = d->shares[head].batch;

	d->shares[head].batch = NULL;
	return b && --b->live == 0 ? b : NULL;
}

void
demand_flush (struct vh_ring *ring)
{
	struct demand *d = ring->demand;
	struct batch *b;

	if (!d || d->line.first == NOBODY)
		return;
	line_write_back (d, &d->line);
	for (uint32_t head = d->line.first; head != NOBODY; head = d->given[head].next) {
		d->given[head].waits = false;
		b = share_end (d, head);
		if (b)
			batch_free (ring, b);
	}
	d->line = line_empty;
}

/* All of a batch that is mapped were given back. */
static void
batch_end (struct vh_ring *ring, struct batch *b)
{
	struct demand *d = ring->demand;
	struct line line = b->line;

	line_write_back (d, &line);
	batch_free (ring, b);
	for (uint32_t head = line.first; head != NOBODY; head = d->given[head].next) {
		d->given[head].waits = false;
		d->shares[head].batch = NULL;
		ring_done (ring, head, d->given[head].written);
	}
}

void
demand_give (struct vh_ring *ring, unsigned head, uint32_t written)
{
	struct demand *d = ring->demand;
	struct batch *b = d->shares[head].batch;

	if (b && !b->copies) {
		line_append (d, &b->line, head, written);
		if (--b->live == 0)
			batch_end (ring, b);
		return;
	}
	if (b)
		line_append (d, &d->line, head, written);
	ring_done (ring, head, written);
}

void
demand_untake (struct vh_ring *ring, struct vh_request **reqs, unsigned n)
{
	struct demand *d = ring->demand;

	for (unsigned i = 0; i < n; i++) {
		unsigned head = request_index (ring, (struct request *) reqs[i]);
		/* What one that waits has is from before. */
		struct batch *b = d->given[head].waits ? NULL : share_end (d, head);

		if (b)
			batch_end (ring, b);
	}
}

bool
demand_addr (const struct vh_ring *ring, unsigned index, const void *host, uint64_t *addr)
{
	const struct share *s = &ring->demand->shares[index];

	for (unsigned i = s->first; s->batch && i < s->first + s->n; i++) {
		const struct range *r = &s->batch->ranges[i];

		if (r->host != host || r->region->spec.xen_flags & VH_XEN_GRANT)
			continue;
		*addr = r->addr;
		return true;
	}
	return false;
}
