/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rings in guest memory that is the input of a fuzz target.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vhost/protocol.h>

#include "fuzz/ring-calls.h"
#include "fuzz/ring-run.h"
#include "util/checked.h"

#define DESC 0x0
#define AVAIL 0x400
#define USED 0x500
#define FIRST_SIZE 0x2000
#define HOLE 0x1000
#define SECOND_SIZE 0x2000
#define MEMORY_SIZE (FIRST_SIZE + SECOND_SIZE)
#define MAX_STEPS 64
#define MAX_STEP 20	/* bytes */
#define MEMORY_UNIT 0x20	/* 256 of them are region 0 */

struct world {
	uint8_t *bytes;			/* the guest's memory, as the guest has it mapped */
	struct region *regions[2];
	struct vh_memory *memory;
};

struct run {
	struct ring_setup setup;
	struct vh_ring *ring;
	unsigned size, keep;
	struct vh_request *kept[MAX_RING];
	unsigned n_kept;
	int broken;
};

/* Made once: it does not depend on the input, and is overwritten by it. */
static struct world *
world_get (void)
{
	static struct world world;
	struct vh_region spec[2] = {
		{ .guest_addr = 0, .size = FIRST_SIZE, .user_addr = 0x10000, .fd = -1 },
		{ .guest_addr = FIRST_SIZE + HOLE, .size = SECOND_SIZE, .user_addr = 0x20000, .offset = FIRST_SIZE, .fd = -1 },
	};
	int fd;

	if (world.memory)
		return &world;
	fd = memfd_create ("guest", MFD_CLOEXEC);
	if (fd < 0 || ftruncate (fd, MEMORY_SIZE) < 0)
		abort ();
	world.bytes = mmap (NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (world.bytes == MAP_FAILED || region_new (&spec[0], fd, &world.regions[0]) < 0 || region_new (&spec[1], fd, &world.regions[1]) < 0)
		abort ();
	close (fd);
	if (memory_new (world.regions, 2, &world.memory) < 0)
		abort ();
	return &world;
}

/* Every byte of a part is in one of the regions; reads or writes it. */
static size_t
part_use (const struct world *world, const struct iovec *part, int write)
{
	static uint8_t sink[FIRST_SIZE + SECOND_SIZE];
	int inside = 0;

	for (unsigned i = 0; i < 2; i++)
		inside |= range_inside ((uintptr_t) part->iov_base, part->iov_len, (uintptr_t) world->regions[i]->host, world->regions[i]->spec.size);
	assert (inside && part->iov_len > 0);
	if (write)
		memset (part->iov_base, 0xa5, part->iov_len);
	else
		memcpy (sink, part->iov_base, part->iov_len);
	return part->iov_len;
}

static void
request_use (const struct world *world, const struct vh_request *r)
{
	size_t out = 0, in = 0;

	assert (r->error == 0 || r->error == -EFAULT);
	assert (!r->error || (r->n_out == 0 && r->n_in <= 1));
	for (unsigned i = 0; i < r->n_out; i++)
		out += part_use (world, &r->out[i], 0);
	for (unsigned i = 0; i < r->n_in; i++)
		in += part_use (world, &r->in[i], 1);
	assert (out == r->out_bytes && in == r->in_bytes);
}

static void
give_kept (struct run *run)
{
	while (run->n_kept > 0) {
		struct vh_request *r = run->kept[--run->n_kept];

		vh_ring_give (run->ring, r, (uint32_t) r->in_bytes);
	}
	vh_ring_flush (run->ring);
}

static void
turn (struct run *run, const struct world *world)
{
	struct vh_request *reqs[5];
	unsigned taken = 0;
	int n;

	ring_new_turn (run->ring, run->size);
	ring_kicks_off (run->ring);
	while ((n = vh_ring_take (run->ring, reqs, 5)) > 0) {
		taken += n;
		assert (taken <= run->size);
		for (int i = 0; i < n; i++) {
			for (unsigned k = 0; k < run->n_kept; k++)
				assert (run->kept[k] != reqs[i]);
			request_use (world, reqs[i]);
			if (run->n_kept < run->keep)
				run->kept[run->n_kept++] = reqs[i];
			else
				vh_ring_give (run->ring, reqs[i], (uint32_t) reqs[i]->in_bytes);
		}
	}
	assert (n == 0 || (n < 0 && run->broken));
	vh_ring_flush (run->ring);
	ring_kicks_on (run->ring);
	assert (vh_ring_in_flight (run->ring) == run->n_kept);
}

uint64_t
ring_run_features (uint8_t bits, uint64_t more)
{
	return VH_BIT (VH_F_VERSION_1) | (bits & 1 ? VH_BIT (VH_F_INDIRECT_DESC) : 0) | (bits & 2 ? VH_BIT (VH_F_EVENT_IDX) : 0)
	       | (bits & 8 ? VH_BIT (VH_F_IN_ORDER) : 0) | more;
}

/* The process dies: what it has is lost, and nothing is published any more.  Another one goes on from the records. */
static int
die (struct run *run)
{
	vh_ring_fail (run->ring, -EIO, "killed");
	while (run->n_kept > 0)
		vh_ring_give (run->ring, run->kept[--run->n_kept], 0);
	ring_free (run->ring);
	run->broken = 0;
	return ring_new (&run->setup, &run->ring);
}

/* The one that comes after it dies at once.  What it understood, the next one must understand, too. */
static int
die_twice (struct run *run)
{
	int err = die (run);

	if (err == 0 && die (run) < 0)
		abort ();
	return err;
}

/* Where a step writes. */
static uint8_t *
target (const struct run *run, struct world *world, unsigned offset)
{
	const struct inflight_part *part = &run->setup.inflight;

	if (part->region && offset & 0x8000)
		return part->region->host + offset % (part->region->spec.size - MAX_STEP);
	return world->bytes + offset % (USED + 0x80);
}

static int
steps (struct run *run, struct world *world, struct input *in)
{
	for (unsigned step = 0; step < MAX_STEPS && in->left > 2; step++) {
		unsigned offset = input_word (in);

		if (step % 3 == 2)
			give_kept (run);
		input_bytes (in, target (run, world, offset), 4 + step % 16);
		if (run->setup.inflight.region && step % 4 == 3) {
			int err = die_twice (run);

			if (err < 0)
				return err;
		}
		turn (run, world);
	}
	return 0;
}

int
ring_run (struct input *in, const struct ring_setup *wanted, unsigned keep)
{
	struct world *world = world_get ();
	struct run run = { .size = wanted->size, .keep = keep };
	size_t n;
	int err;

	run.setup = (struct ring_setup){
		.size = wanted->size, .features = wanted->features, .base = wanted->base, .big_endian = wanted->big_endian, .desc = DESC,
		.avail = AVAIL, .used = USED, .memory = world->memory, .inflight = wanted->inflight, .max_parts = 256, .request_size = 8,
		.broken = ring_call_broken, .wake = ring_call_nothing, .idle = ring_call_nothing, .opaque = &run.broken,
	};
	memset (world->bytes, 0, MEMORY_SIZE);
	n = (input_byte (in) + 1u) * MEMORY_UNIT;
	input_bytes (in, world->bytes, n);
	err = ring_new (&run.setup, &run.ring);
	if (err < 0)
		return err;
	ring_set_call (run.ring, -1);
	turn (&run, world);
	if (steps (&run, world, in) < 0)
		return 0;	/* records that make no sense: there is no ring any more */
	give_kept (&run);
	ring_set_stopping (run.ring);
	assert (vh_ring_in_flight (run.ring) == 0);
	ring_free (run.ring);
	return 0;
}
