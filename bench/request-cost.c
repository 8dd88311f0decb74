/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a request costs with memory of one kind and another: a driver in the same process makes block reads available (a header, data, a status byte), a
 * device that only writes them takes them from the ring and gives them back.  Prints CPU time, the kernel's and the hypervisor's for this process included,
 * and calls of the hypervisor for each request.  xen-cost.sh runs it in dom0.
 *
 *	request-cost KIND BYTES BATCH REQUESTS
 */
#include "request-cost.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <vhost/protocol.h>

#include "queue/ring.h"

#define MAX_BATCH 64u
#define MAX_BYTES (128u << 10)

/* Headers and statuses have a cache line each. */
#define LINE 64u

static unsigned batch;
static uint32_t bytes;

void
stop (const char *what)
{
	fprintf (stderr, "request-cost: %s\n", what);
	exit (1);
}

/* --- the driver --- */

static void
set_desc (struct vring_desc *d, uint64_t addr, uint32_t len, uint16_t flags, unsigned next)
{
	*d = (struct vring_desc){ .addr = htole64 (addr), .len = htole32 (len), .flags = htole16 (flags), .next = htole16 ((uint16_t) next) };
}

/* All chains, once: `batch` of them, in turn in the available ring. */
static void
make_requests (struct guest *g)
{
	struct vring_desc *desc = (struct vring_desc *) (g->memory + DESC_AT);
	struct vring_avail *avail = (struct vring_avail *) (g->memory + AVAIL_AT);
	unsigned i, head;

	for (i = 0; i < batch; i++) {
		head = 3 * i;
		set_desc (&desc[head], g->base + HEADERS_AT + i * LINE, HEADER_BYTES, VRING_DESC_F_NEXT, head + 1);
		set_desc (&desc[head + 1], g->base + DATA_AT + i * MAX_BYTES, bytes, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, head + 2);
		set_desc (&desc[head + 2], g->base + STATUSES_AT + i * LINE, 1, VRING_DESC_F_WRITE, 0);
	}
	for (i = 0; i < RING_SIZE; i++)
		avail->ring[i] = htole16 ((uint16_t) (i % batch * 3));
}

static void
make_available (struct guest *g)
{
	__virtio16 *idx = &((struct vring_avail *) (g->memory + AVAIL_AT))->idx;

	/* Release: the device reads the ring's entries after it has seen the index. */
	__atomic_store_n (idx, htole16 ((uint16_t) (le16toh (*idx) + batch)), __ATOMIC_RELEASE);
}

static void
check_used (const struct guest *g)
{
	const struct vring_avail *avail = (const void *) (g->memory + AVAIL_AT);
	const struct vring_used *used = (const void *) (g->memory + USED_AT);
	unsigned i;

	if (used->idx != avail->idx)
		stop ("requests are left");
	for (i = 0; i < batch; i++)
		if (g->memory[STATUSES_AT + i * LINE] != 0x5a || g->memory[DATA_AT + i * MAX_BYTES + bytes - 1] != 0x5a)
			stop ("data did not reach the guest");
}

/* --- the device --- */

void
device_read (const void *part, uint32_t n)
{
	unsigned char header[HEADER_BYTES];

	memcpy (header, part, n < sizeof (header) ? n : sizeof (header));
	/* The compiler is not to leave it out. */
	__asm__ volatile("" : : "r"(header) : "memory");
}

void
device_write (void *part, uint32_t n)
{
	memset (part, 0x5a, n);
}

static void
serve_request (struct vh_ring *ring, struct vh_request *req)
{
	unsigned i;

	if (req->error)
		stop ("a request is not in guest memory");
	for (i = 0; i < req->n_out; i++)
		device_read (req->out[i].iov_base, (uint32_t) req->out[i].iov_len);
	for (i = 0; i < req->n_in; i++)
		device_write (req->in[i].iov_base, (uint32_t) req->in[i].iov_len);
	vh_ring_give (ring, req, (uint32_t) req->in_bytes);
}

static void
serve (struct vh_ring *ring)
{
	struct vh_request *reqs[MAX_BATCH];
	unsigned done = 0;
	int n, i;

	ring_new_turn (ring, batch);
	while (done < batch) {
		n = vh_ring_take (ring, reqs, batch - done);
		if (n <= 0)
			stop ("not all requests can be taken");
		for (i = 0; i < n; i++)
			serve_request (ring, reqs[i]);
		done += (unsigned) n;
	}
	vh_ring_flush (ring);
}

static struct vh_ring *
make_ring (struct guest *g)
{
	struct ring_setup s = {
		.size = RING_SIZE,
		.features = VH_BIT (VH_F_VERSION_1),
		.desc = g->base + DESC_AT,
		.avail = g->base + AVAIL_AT,
		.used = g->base + USED_AT,
		.max_parts = VH_MAX_PARTS,
	};
	struct vh_ring *ring = NULL;

	/* Ring addresses are the front-end's own; here they are the guest's. */
	if (memory_new (&g->region, 1, &s.memory) < 0 || ring_new (&s, &ring) < 0)
		stop ("cannot make a ring");
	return ring;
}

/* --- memory in a file --- */

static void
file_make (struct guest *g)
{
	struct vh_region spec = { .guest_addr = 0x40000000, .user_addr = 0x40000000, .size = GUEST_BYTES };
	int fd = memfd_create ("guest", MFD_CLOEXEC);

	if (fd < 0 || ftruncate (fd, GUEST_BYTES) < 0 || region_new (&spec, fd, &g->region) < 0)
		stop ("cannot make a guest's memory");
	close (fd);
	g->base = spec.guest_addr;
	g->memory = g->region->host;
}

const struct guest_kind guest_file = { "file", .make = file_make };

/* --- measuring --- */

static double
cpu_us (void)
{
	struct timespec t;

	clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec * 1e6 + (double) t.tv_nsec / 1e3;
}

static void
serve_batch (const struct guest_kind *kind, struct guest *g, struct vh_ring *ring)
{
	make_available (g);
	if (kind->serve)
		kind->serve (g, batch);
	else
		serve (ring);
}

static void
measure (const struct guest_kind *kind, struct guest *g, unsigned requests)
{
	struct vh_memory_counters before = { 0 }, after = { 0 };
	struct vh_ring *ring = kind->serve ? NULL : make_ring (g);
	unsigned done;
	double start;

	for (done = 0; done < 4 * batch; done += batch)
		serve_batch (kind, g, ring);
	if (kind->count)
		kind->count (&before);
	start = cpu_us ();
	for (done = 0; done < requests; done += batch)
		serve_batch (kind, g, ring);
	start = cpu_us () - start;
	if (kind->count)
		kind->count (&after);
	check_used (g);
	printf ("%s %u %u: %.3f us, %.3f map calls, %.3f unmap calls, %.3f copy calls\n", kind->name, bytes, batch, start / done,
		(double) (after.map_calls - before.map_calls) / done, (double) (after.unmap_calls - before.unmap_calls) / done,
		(double) (after.copy_calls - before.copy_calls) / done);
	if (ring)
		ring_free (ring);
}

static const struct guest_kind *
find_kind (const char *name)
{
	unsigned i;

	for (i = 0; guest_kinds[i]; i++)
		if (!strcmp (guest_kinds[i]->name, name))
			return guest_kinds[i];
	stop ("no memory of this kind in this build");
}

static unsigned
argument (const char *text, unsigned max)
{
	char *end;
	unsigned long n = strtoul (text, &end, 10);

	if (*end || n < 1 || n > max)
		stop ("a number is too small or too large");
	return (unsigned) n;
}

int
main (int argc, char **argv)
{
	const struct guest_kind *kind;
	struct guest g = { 0 };

	if (argc != 5)
		stop ("usage: request-cost KIND BYTES BATCH REQUESTS");
	kind = find_kind (argv[1]);
	bytes = argument (argv[2], MAX_BYTES);
	batch = argument (argv[3], MAX_BATCH);
	kind->make (&g);
	make_requests (&g);
	measure (kind, &g, argument (argv[4], 1u << 30));
	if (kind->end)
		kind->end (&g);
	return 0;
}
