/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What it costs to find a guest address in a table of regions: random addresses, all inside.  translate.sh compares tables of 1 and of 509 regions; under
 * callgrind it counts the instructions of translate_all.
 *
 *	translate equal|holes|unlike REGIONS LOOKUPS
 *
 * equal: regions of one size, one behind the other; holes: with as much nothing between them; unlike: sizes from 1 to 16 units, as they come.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "memory/table.h"

#define UNIT (UINT64_C (2) << 20)
#define BASE UINT64_C (0x100000000)
#define SPAN (509 * 16 * UNIT)

/* So many different addresses that nothing is predicted, and few enough that they stay in the cache with the table. */
#define ADDRESSES 1024u

static uint64_t addresses[ADDRESSES];

static uint64_t
random_number (void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* What callgrind counts. */
__attribute__ ((noinline)) static uintptr_t
translate_all (const struct vh_memory *m, unsigned long lookups)
{
	uintptr_t sum = 0;

	for (unsigned long i = 0; i < lookups; i++) {
		uint64_t addr = addresses[i % ADDRESSES];
		const struct slot *slot = memory_find (m, addr);

		if (slot)
			sum += (uintptr_t) slot->host + (addr - slot->addr);
	}
	return sum;
}

static struct region *
make_region (int fd, uint64_t addr, uint64_t size)
{
	struct vh_region spec = { .guest_addr = addr, .user_addr = addr, .size = size };
	struct region *r;

	if (region_new (&spec, fd, &r) < 0) {
		fprintf (stderr, "translate: cannot map a region\n");
		exit (1);
	}
	return r;
}

/* Regions of the layout, and random addresses in them. */
static struct vh_memory *
make_table (const char *layout, unsigned n)
{
	struct region *regions[VH_MAX_REGIONS];
	uint64_t at = BASE, size = n == 1 ? SPAN : 16 * UNIT;
	int fd = memfd_create ("guest", MFD_CLOEXEC);
	struct vh_memory *m;

	if (fd < 0 || ftruncate (fd, (off_t) SPAN) < 0) {
		perror ("translate: memfd");
		exit (1);
	}
	for (unsigned i = 0; i < n; i++) {
		if (n > 1 && !strcmp (layout, "unlike"))
			size = (1 + random_number () % 16) * UNIT;
		regions[i] = make_region (fd, at, size);
		at += size * (strcmp (layout, "holes") ? 1 : 2);
	}
	if (memory_new (regions, n, &m) < 0) {
		fprintf (stderr, "translate: cannot make a table\n");
		exit (1);
	}
	for (unsigned i = 0; i < ADDRESSES; i++) {
		const struct vh_region *r = &regions[random_number () % n]->spec;

		addresses[i] = r->guest_addr + random_number () % r->size;
	}
	return m;
}

static double
now_ns (void)
{
	struct timespec t;

	clock_gettime (CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec * 1e9 + (double) t.tv_nsec;
}

int
main (int argc, char **argv)
{
	unsigned long lookups = argc == 4 ? strtoul (argv[3], NULL, 10) : 0;
	unsigned n = argc == 4 ? (unsigned) strtoul (argv[2], NULL, 10) : 0;
	struct vh_memory *m;
	uintptr_t sum;
	double start;

	if (n < 1 || n > VH_MAX_REGIONS || lookups < 1 || (strcmp (argv[1], "equal") && strcmp (argv[1], "holes") && strcmp (argv[1], "unlike"))) {
		fprintf (stderr, "usage: translate equal|holes|unlike REGIONS(1-%d) LOOKUPS\n", VH_MAX_REGIONS);
		return 2;
	}
	m = make_table (argv[1], n);
	start = now_ns ();
	sum = translate_all (m, lookups);
	/* The sum keeps the compiler from leaving the work out. */
	printf ("%lu lookups, %.3f ns each (%lx)\n", lookups, (now_ns () - start) / (double) lookups, (unsigned long) sum);
	return 0;
}
