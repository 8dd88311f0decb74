/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: a split ring over memory that is mapped on demand, by the memory model of the unit tests, which can be short of room, refuse ranges, and copy
 * small requests.
 *
 *	0                0x2000            0x8000         0xa000      0x10000
 *	| ring, data      | data            | data         | (hole)     | data            |
 *	  in advance        on demand         in advance     none         on demand
 *
 * The input is a program: a byte that says what to do, and what that needs.  Each part that a request has is touched, in the direction that it has; a mapping
 * that is gone, or may only be read, is a fault.  It is wrong if the sums disagree, if a request comes twice, or if anything is mapped in the end.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vhost/protocol.h>

#include "fuzz/input.h"
#include "fuzz/ring-calls.h"
#include "memory/table.h"
#include "queue/ring.h"
#include "tests/unit/fake-map.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define AVAIL 0x400u
#define USED 0x800u
#define MEMORY_SIZE 0x12000u
#define MAX_SIZE 64u
#define MAX_STEPS 200u

static const struct vh_region regions[] = {
	{ .guest_addr = 0, .size = 0x2000 },
	{ .guest_addr = 0x2000, .size = 0x6000, .xen_flags = VH_XEN_GRANT | VH_XEN_NO_ADVANCE_MAP },
	{ .guest_addr = 0x8000, .size = 0x2000 },
	{ .guest_addr = 0x10000, .size = 0x2000, .xen_flags = VH_XEN_GRANT | VH_XEN_NO_ADVANCE_MAP },
};
#define REGIONS (sizeof (regions) / sizeof (regions[0]))

struct world {
	uint8_t *bytes;			/* the guest's memory, as the guest has it mapped */
	struct vh_memory *tables[2];	/* as in the drawing; and with all of it mapped in advance */
};

struct run {
	struct input in;
	struct world *world;
	struct vh_ring *ring;
	unsigned size;
	struct vh_request *kept[MAX_SIZE];
	unsigned n_kept;
	int broken;
};

/* --- the guest --- */

static struct vh_memory *
table_make (int fd, uint32_t flags)
{
	struct region *list[REGIONS];
	struct vh_memory *m;

	for (unsigned i = 0; i < REGIONS; i++) {
		struct vh_region spec = regions[i];

		spec.user_addr = spec.offset = spec.guest_addr;
		spec.xen_flags &= flags;
		if (region_new (&spec, fd, &list[i]) < 0)
			abort ();
	}
	if (memory_new (list, REGIONS, &m) < 0)
		abort ();
	for (unsigned i = 0; i < REGIONS; i++)
		region_unref (list[i]);
	return m;
}

/* Made once: it does not depend on the input, and is overwritten by it. */
static struct world *
world_get (void)
{
	static struct world world;
	int fd;

	if (world.bytes)
		return &world;
	fd = memfd_create ("guest", MFD_CLOEXEC);
	if (fd < 0 || ftruncate (fd, MEMORY_SIZE) < 0)
		abort ();
	world.bytes = mmap (NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (world.bytes == MAP_FAILED)
		abort ();
	world.tables[0] = table_make (fd, UINT32_MAX);
	world.tables[1] = table_make (fd, 0);
	close (fd);
	return &world;
}

/* --- the input --- */

/* A piece of the input into guest memory: an even number says where in all of it, in units of two bytes; an odd one where the ring is. */
static void
input_to_memory (struct run *run)
{
	unsigned where = input_word (&run->in), size = input_byte (&run->in) % 64 + 1;
	unsigned offset = where % 2 ? where % 0x1000 : where * 2 % (MEMORY_SIZE - 64);

	input_bytes (&run->in, run->world->bytes + offset, size);
}

/* --- the device --- */

/* Touches the first and the last byte of each page, and so all pages; returns the sum of the sizes. */
static size_t
parts_use (const struct iovec *parts, unsigned n, int write)
{
	size_t sum = 0;

	for (unsigned i = 0; i < n; i++) {
		volatile uint8_t *bytes = parts[i].iov_base;
		size_t last = parts[i].iov_len - 1;

		assert (bytes && parts[i].iov_len > 0);
		for (size_t at = 0; at <= last; at = at == last || at + 512 < last ? at + 512 : last)
			if (write)
				bytes[at] = 0xa5;
			else
				(void) bytes[at];
		sum += parts[i].iov_len;
	}
	return sum;
}

static void
requests_use (const struct run *run)
{
	for (unsigned i = 0; i < run->n_kept; i++) {
		const struct vh_request *r = run->kept[i];

		assert (r->error == 0 || (r->error == -EFAULT && r->n_out == 0));
		assert (parts_use (r->out, r->n_out, 0) == r->out_bytes);
		assert (parts_use (r->in, r->n_in, 1) == r->in_bytes);
	}
}

static void
take (struct run *run, unsigned max)
{
	struct vh_request *reqs[MAX_SIZE];
	int n;

	if (max > run->size)
		max = run->size;
	n = vh_ring_take (run->ring, reqs, max);
	assert (n <= (int) max && (n >= 0 || n == run->broken));
	for (int i = 0; i < n; i++) {
		for (unsigned k = 0; k < run->n_kept; k++)
			assert (run->kept[k] != reqs[i]);
		run->kept[run->n_kept++] = reqs[i];
	}
	assert (vh_ring_in_flight (run->ring) == run->n_kept);
	requests_use (run);
}

static void
give (struct run *run, unsigned which)
{
	struct vh_request *r;

	if (run->n_kept == 0)
		return;
	which %= run->n_kept;
	r = run->kept[which];
	run->kept[which] = run->kept[--run->n_kept];
	vh_ring_give (run->ring, r, (uint32_t) r->in_bytes);
	requests_use (run);
}

static void
set_limits (struct run *run)
{
	unsigned how = input_byte (&run->in), n = input_byte (&run->in);

	fake_map.room = how & 1 ? n : UINT32_MAX;
	fake_map.most = how & 2 ? n : UINT32_MAX;
	fake_map.refused = n * UINT64_C (0x120);
	fake_map.refused_size = how & 4 ? 0x100 : 0;
	fake_map.error = how & 8 ? (how & 16 ? -EINVAL : -EAGAIN) : 0;
}

static void
step (struct run *run)
{
	unsigned what = input_byte (&run->in);

	switch (what % 8) {
	case 0:
	case 1:
		input_to_memory (run);
		break;
	case 2:
	case 3:
		ring_new_turn (run->ring, run->size);
		take (run, what / 8 + 1);
		break;
	case 4:
		give (run, what / 8);
		break;
	case 5:
		vh_ring_flush (run->ring);
		ring_kicks_on (run->ring);
		break;
	case 6:
		set_limits (run);
		break;
	default:
		ring_set_memory (run->ring, run->world->tables[what / 8 % 2]);
		requests_use (run);
		break;
	}
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
	struct run run = { .in = { .data = data, .left = size }, .world = world_get () };
	unsigned features = input_byte (&run.in);
	struct ring_setup setup = {
		.avail = AVAIL, .used = USED, .memory = run.world->tables[0], .max_parts = 1 + input_byte (&run.in) % 32, .broken = ring_call_broken,
		.wake = ring_call_nothing, .idle = ring_call_nothing, .opaque = &run.broken, .base = features * 257u,
		.features = VH_BIT (VH_F_VERSION_1) | (features & 1 ? VH_BIT (VH_F_INDIRECT_DESC) : 0) | (features & 2 ? VH_BIT (VH_F_EVENT_IDX) : 0),
	};

	setup.size = run.size = 1u << input_byte (&run.in) % 7;
	fake_map_reset ();
	memset (run.world->bytes, 0, MEMORY_SIZE);
	/* Requests up to some size may be copied. */
	if (features & 8)
		fake_map.copy_limit = 0x80u << (features >> 4 & 7);
	/* The ring may lie in memory on demand, too. */
	if (features & 4)
		setup.used = 0x10000;
	if (ring_new (&setup, &run.ring) < 0)
		abort ();	/* these places and sizes are always right */
	for (unsigned steps = 0; steps < MAX_STEPS && run.in.left > 0; steps++)
		step (&run);
	while (run.n_kept > 0)
		give (&run, 0);
	ring_set_stopping (run.ring);
	vh_ring_flush (run.ring);
	assert (vh_ring_in_flight (run.ring) == 0 && !ring_old_tables (run.ring));
	ring_free (run.ring);
	assert (fake_map.leases == 0 && fake_map.ranges == 0);
	return 0;
}
