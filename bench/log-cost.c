/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a dirty log costs a device that writes 4 KiB of data and a status byte to the guest for each request: CPU time with the log against the time without,
 * in turns in one process, with a driver in the same process.  The bits are taken before each turn, as a front-end does now and then, or before each batch.
 *
 *	log-cost TURNS REQUESTS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "queue/desc.h"
#include "queue/layout.h"
#include "util/barrier.h"

#define RING_SIZE 128u
#define BATCH 32u
#define MEMORY (64u << 20)
#define GUEST_BASE UINT64_C (0x40000000)
#define AVAIL_AT 0x10000u
#define USED_AT 0x20000u
#define DATA_AT 0x100000u
#define PAGE 4096u
#define LOG_SIZE ((GUEST_BASE + MEMORY) / PAGE / 8)
#define MOST_TURNS 99

static unsigned char *guest, source[PAGE];
static struct vh_ring *ring;
static struct region *memory_file, *log_file;
static uint16_t avail_idx;

enum mode { OFF, ON, ON_FRESH, MODES };

static const char *const names[MODES] = { "log off", "log on", "log on, bits taken before each batch" };

static struct region *
make_file (uint64_t size)
{
	struct vh_region spec = { .guest_addr = GUEST_BASE, .user_addr = GUEST_BASE, .size = size };
	int fd = memfd_create ("bench", MFD_CLOEXEC);
	struct region *r;

	if (fd < 0 || ftruncate (fd, (off_t) size) < 0 || region_new (&spec, fd, &r) < 0) {
		perror ("log-cost");
		exit (1);
	}
	close (fd);
	return r;
}

/* Requests of three descriptors, whose data are all over memory. */
static void
write_requests (void)
{
	struct desc *d = (struct desc *) guest;
	uint16_t *avail = (uint16_t *) (guest + AVAIL_AT);

	for (unsigned i = 0; i < BATCH; i++) {
		uint64_t data = GUEST_BASE + DATA_AT + (uint64_t) (i * 37 % 512) * 16 * PAGE;

		d[3 * i] = (struct desc){ htole64 (GUEST_BASE + DATA_AT + i * 32), htole64 (16 | (uint64_t) DESC_F_NEXT << 32 | (uint64_t) (3 * i + 1) << 48) };
		d[3 * i + 1] = (struct desc){ htole64 (data), htole64 (PAGE | (uint64_t) (DESC_F_NEXT | DESC_F_WRITE) << 32 | (uint64_t) (3 * i + 2) << 48) };
		d[3 * i + 2] = (struct desc){ htole64 (GUEST_BASE + DATA_AT + i * 32 + 16), htole64 (1 | (uint64_t) DESC_F_WRITE << 32) };
		for (unsigned slot = i; slot < RING_SIZE; slot += BATCH)
			avail[2 + slot] = htole16 ((uint16_t) (3 * i));
	}
}

static void
make_ring (void)
{
	struct ring_setup s = {
		.size = RING_SIZE, .features = VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_EVENT_IDX), .desc = GUEST_BASE, .avail = GUEST_BASE + AVAIL_AT,
		.used = GUEST_BASE + USED_AT, .max_parts = VH_MAX_PARTS,
	};

	memory_file = make_file (MEMORY);
	log_file = make_file (LOG_SIZE);
	guest = memory_file->host;
	if (memory_new (&memory_file, 1, &s.memory) < 0 || ring_new (&s, &ring) < 0) {
		fprintf (stderr, "log-cost: cannot make a ring\n");
		exit (1);
	}
	write_requests ();
}

static void
serve_batch (void)
{
	struct vh_request *reqs[BATCH];
	int n;

	avail_idx = (uint16_t) (avail_idx + BATCH);
	store_le16_release ((uint16_t *) (guest + AVAIL_AT) + 1, avail_idx);
	ring_new_turn (ring, BATCH);
	n = vh_ring_take (ring, reqs, BATCH);
	if (n != BATCH) {
		fprintf (stderr, "log-cost: %d requests\n", n);
		exit (1);
	}
	for (int i = 0; i < n; i++) {
		memcpy (reqs[i]->in[0].iov_base, source, PAGE);
		*(unsigned char *) reqs[i]->in[1].iov_base = 0;
		vh_ring_give (ring, reqs[i], PAGE + 1);
	}
	vh_ring_flush (ring);
}

static void
take_bits (void)
{
	memset (log_file->host + GUEST_BASE / PAGE / 8, 0, MEMORY / PAGE / 8);
}

static double
cpu_ns (void)
{
	struct timespec t;

	clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec * 1e9 + (double) t.tv_nsec;
}

/* ns a request. */
static double
turn (enum mode mode, unsigned long requests)
{
	struct log_setup log = { .region = mode == OFF ? NULL : log_file, .own = true, .used = GUEST_BASE + USED_AT, .fd = -1 };
	double spent = 0;

	ring_set_log (ring, &log);
	take_bits ();
	for (unsigned long done = 0; done < requests; done += BATCH) {
		double start = cpu_ns ();

		serve_batch ();
		spent += cpu_ns () - start;
		if (mode == ON_FRESH)
			take_bits ();
	}
	return spent / (double) requests;
}

static int
compare (const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return x < y ? -1 : x > y;
}

int
main (int argc, char **argv)
{
	unsigned turns = argc == 3 ? (unsigned) atoi (argv[1]) : 0;
	unsigned long requests = argc == 3 ? strtoul (argv[2], NULL, 10) / BATCH * BATCH : 0;
	double ns[MODES][MOST_TURNS];

	if (turns < 1 || turns > MOST_TURNS || requests < BATCH) {
		fprintf (stderr, "usage: log-cost TURNS REQUESTS\n");
		return 2;
	}
	make_ring ();
	turn (OFF, requests);
	for (unsigned i = 0; i < turns; i++)
		for (enum mode mode = OFF; mode < MODES; mode++)
			ns[mode][i] = turn (mode, requests);
	for (enum mode mode = OFF; mode < MODES; mode++) {
		qsort (ns[mode], turns, sizeof (ns[mode][0]), compare);
		printf ("%s: %.1f ns, ratio %.3f\n", names[mode], ns[mode][turns / 2], ns[mode][turns / 2] / ns[OFF][turns / 2]);
	}
	return 0;
}
