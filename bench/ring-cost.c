/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a request costs in the ring, from vh_ring_take to vh_ring_flush, with a driver in the same process and a device that does nothing.
 * ring-cost.sh runs it under callgrind, which counts the instructions of serve_batch and what it calls.
 *
 *	ring-cost direct|indirect DESCRIPTORS BATCH REQUESTS
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "queue/desc.h"
#include "queue/layout.h"
#include "util/barrier.h"

#define RING_SIZE 1024u
#define MEMORY (16u << 20)
#define GUEST_BASE UINT64_C (0x40000000)
#define PART 4096u

/* Where things are in guest memory, from its beginning. */
#define DESC_AT 0x0u
#define AVAIL_AT 0x10000u
#define USED_AT 0x20000u
#define TABLES_AT 0x40000u
#define DATA_AT 0x400000u
#define DATA_PAGES ((MEMORY - DATA_AT) / PART)

static unsigned char *guest;
static unsigned descriptors, batch;
static int indirect;

/* --- the driver --- */

static void
write_desc (struct desc *d, uint64_t at, uint32_t len, unsigned flags, unsigned next)
{
	d->addr = htole64 (GUEST_BASE + at);
	d->rest = htole64 (len | (uint64_t) flags << 32 | (uint64_t) next << 48);
}

/* A header to read, data to write, a status byte to write: a block device's read. */
static void
write_chain (struct desc *table, unsigned first, unsigned request)
{
	for (unsigned i = 0; i < descriptors; i++) {
		uint32_t len = i == 0 ? 16 : i == descriptors - 1 ? 1 : PART;
		unsigned flags = (i > 0 ? DESC_F_WRITE : 0) | (i < descriptors - 1 ? DESC_F_NEXT : 0);

		write_desc (&table[first + i], DATA_AT + (request * 37 + i) % DATA_PAGES * PART, len, flags, first + i + 1);
	}
}

/* Makes all chains, each with a head of its own. */
static void
write_requests (unsigned n)
{
	struct desc *own = (struct desc *) (guest + DESC_AT);
	uint16_t *avail = (uint16_t *) (guest + AVAIL_AT);

	for (unsigned i = 0; i < n; i++) {
		unsigned head = indirect ? i : i * descriptors;
		uint32_t table = TABLES_AT + i * descriptors * (uint32_t) sizeof (struct desc);

		if (indirect) {
			write_desc (&own[head], table, descriptors * (uint32_t) sizeof (struct desc), DESC_F_INDIRECT, 0);
			write_chain ((struct desc *) (guest + table), 0, i);
		} else
			write_chain (own, head, i);
		for (unsigned slot = i; slot < RING_SIZE; slot += n)
			avail[2 + slot] = htole16 ((uint16_t) head);
	}
}

/* --- the device --- */

/* What callgrind counts. */
__attribute__ ((noinline)) static unsigned
serve_batch (struct vh_ring *ring)
{
	struct vh_request *reqs[64];
	int n = vh_ring_take (ring, reqs, batch);

	for (int i = 0; i < n; i++)
		vh_ring_give (ring, reqs[i], (uint32_t) reqs[i]->in_bytes);
	vh_ring_flush (ring);
	return n < 0 ? 0 : (unsigned) n;
}

static struct vh_ring *
make_ring (void)
{
	struct vh_region spec = { .guest_addr = GUEST_BASE, .user_addr = GUEST_BASE, .size = MEMORY };
	int fd = memfd_create ("guest", MFD_CLOEXEC);
	struct ring_setup s = {
		.size = RING_SIZE, .features = VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_EVENT_IDX) | VH_BIT (VH_F_INDIRECT_DESC),
		.desc = GUEST_BASE + DESC_AT, .avail = GUEST_BASE + AVAIL_AT, .used = GUEST_BASE + USED_AT, .max_parts = VH_MAX_PARTS,
	};
	struct region *region;
	struct vh_ring *ring;

	if (fd < 0 || ftruncate (fd, MEMORY) < 0 || region_new (&spec, fd, &region) < 0 || memory_new (&region, 1, &s.memory) < 0 ||
	    ring_new (&s, &ring) < 0) {
		fprintf (stderr, "ring-cost: cannot make a ring\n");
		exit (1);
	}
	guest = region->host;
	return ring;
}

static unsigned
argument (const char *text, unsigned max)
{
	char *end;
	unsigned long n = strtoul (text, &end, 10);

	if (*end || n < 1 || n > max) {
		fprintf (stderr, "ring-cost: %s: must be 1 to %u\n", text, max);
		exit (2);
	}
	return (unsigned) n;
}

int
main (int argc, char **argv)
{
	uint16_t *avail_idx, idx = 0;
	struct timespec start, end;
	unsigned long requests, done = 0;
	struct vh_ring *ring;
	double ns;

	if (argc != 5 || (strcmp (argv[1], "direct") && strcmp (argv[1], "indirect"))) {
		fprintf (stderr, "usage: ring-cost direct|indirect DESCRIPTORS BATCH REQUESTS\n");
		return 2;
	}
	indirect = argv[1][0] == 'i';
	descriptors = argument (argv[2], 64);
	batch = argument (argv[3], 64);
	requests = argument (argv[4], 1u << 30);
	ring = make_ring ();
	write_requests (batch * descriptors <= RING_SIZE ? batch : RING_SIZE / descriptors);
	avail_idx = (uint16_t *) (guest + AVAIL_AT) + 1;
	clock_gettime (CLOCK_MONOTONIC, &start);
	while (done < requests) {
		unsigned n;

		idx = (uint16_t) (idx + batch);
		store_le16_release (avail_idx, idx);
		ring_new_turn (ring, batch);
		n = serve_batch (ring);
		if (n != batch) {
			fprintf (stderr, "ring-cost: %u requests of %u were taken\n", n, batch);
			return 1;
		}
		done += n;
	}
	clock_gettime (CLOCK_MONOTONIC, &end);
	ns = (double) (end.tv_sec - start.tv_sec) * 1e9 + (double) (end.tv_nsec - start.tv_nsec);
	printf ("%lu requests, %.1f ns each\n", done, ns / (double) done);
	return 0;
}
