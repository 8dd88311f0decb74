/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * workers [ROUNDS [REQUESTS [spoiled]]]: does a request cost more CPU time when two workers serve two rings of one device at the same time than when one of
 * them is alone?  A daemon with its loops, turns, counters and calls, a front-end and its memory, all in this process.  The driver of a ring is in the ring's
 * worker: what was used is made available again after each batch, so no third thread is needed.
 *
 * In each round each ring runs alone, then both together, then two rings of two daemons that have nothing in common: what the machine makes of two threads.
 * Printed are medians of the rounds' ratios; the exit status is 1 when it is more than LIMIT.  "spoiled" has the device count all its requests in one place, to
 * see what a mistake would look like.
 */
#include <endian.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <vhost/vhost.h>

#define LIMIT 1.10
#define MAX_ROUNDS 99
#define RINGS 2
#define SKIPPED 77

#define BATCH 16	/* published at a time, as in null-blk */
#define RING_SIZE 512u
#define DEPTH 128u	/* requests in flight, of three descriptors */
#define CALL_EVERY 64	/* requests from one call that the driver wants to the next */
#define PATIENCE_MS 60000

/* Two threads that ran less of the time together, or had less of it, say nothing about each other. */
#define LEAST_OVERLAP 0.8
#define MAX_ATTEMPTS 20

/* Guest memory: a part for each ring. */
#define GUEST_BASE UINT64_C (0x40000000)
#define PART_SIZE (4u << 20)
#define AVAIL_AT 0x10000u
#define USED_AT 0x20000u
#define DATA_AT 0x100000u
#define PAGE 4096u

/* A ring, its driver, and what was measured of it.  The worker's, while it runs. */
struct load {
	unsigned char *part;		/* its memory, as the driver sees it */
	uint16_t idx;			/* what was made available so far */
	uint64_t left, unpublished;	/* requests of this run that are not used, or not available, yet */
	bool running;
	double cpu_ns, begin, end;	/* CPU time of the worker, from the first request to the last; when that was */
	int kick, call, finished;
} __attribute__ ((aligned (128)));

/* A daemon with one device, and its front-end. */
struct setup {
	struct load loads[RINGS];
	struct vh_device device;
	struct vh_daemon *daemon;
	pthread_t thread;
	struct vh_frontend *frontend;
};

static bool spoiled;
static uint64_t spoilt;		/* counts requests of all workers */

static void
fail (const char *what)
{
	fprintf (stderr, "workers: %s\n", what);
	exit (1);
}

static double
seconds (clockid_t clock)
{
	struct timespec t;

	clock_gettime (clock, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static int
event_new (void)
{
	int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		fail ("no eventfd");
	return fd;
}

static void
event_signal (int fd)
{
	static const uint64_t one = 1;

	if (write (fd, &one, sizeof (one)) < 0)
		fail ("an eventfd cannot be written");
}

static void
event_wait (int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t count;

	if (poll (&p, 1, PATIENCE_MS) != 1 || read (fd, &count, sizeof (count)) < 0)
		fail ("a ring does not go on");
}

/* --- the driver --- */

/* Chains as a block device's driver makes them for a read: a header, a page to write to, a status byte. */
static void
driver_prepare (const struct load *l, uint64_t part_addr)
{
	struct vring_desc *d = (struct vring_desc *) l->part;
	uint16_t *heads = (uint16_t *) (l->part + AVAIL_AT) + 2;

	for (unsigned i = 0; i < DEPTH; i++) {
		uint64_t data = part_addr + DATA_AT + (uint64_t) i * 2 * PAGE;
		unsigned first = i * 3;

		d[first] = (struct vring_desc){ htole64 (data), htole32 (16), htole16 (VRING_DESC_F_NEXT), htole16 ((uint16_t) (first + 1)) };
		d[first + 1] = (struct vring_desc){ htole64 (data + PAGE), htole32 (PAGE), htole16 (VRING_DESC_F_NEXT | VRING_DESC_F_WRITE),
			htole16 ((uint16_t) (first + 2)) };
		d[first + 2] = (struct vring_desc){ htole64 (data + 64), htole32 (1), htole16 (VRING_DESC_F_WRITE), 0 };
		for (unsigned slot = i; slot < RING_SIZE; slot += DEPTH)
			heads[slot] = htole16 ((uint16_t) first);
	}
}

/* Makes up to n more available, and wants to be called when half of what is available is used. */
static void
driver_publish (struct load *l, uint64_t n)
{
	uint16_t *avail = (uint16_t *) (l->part + AVAIL_AT);

	if (n > l->unpublished)
		n = l->unpublished;
	l->unpublished -= n;
	l->idx = (uint16_t) (l->idx + n);
	if (l->idx % CALL_EVERY < n)
		avail[2 + RING_SIZE] = htole16 ((uint16_t) (l->idx - CALL_EVERY));
	__atomic_store_n (&avail[1], htole16 (l->idx), __ATOMIC_RELEASE);
}

static void
load_begin (struct load *l, uint64_t requests)
{
	l->left = l->unpublished = requests;
	driver_publish (l, DEPTH);
	event_signal (l->kick);
}

/* --- the device --- */

static void
load_count (struct load *l, unsigned n)
{
	l->left -= n;
	driver_publish (l, n);
	if (l->left > 0)
		return;
	l->cpu_ns = seconds (CLOCK_THREAD_CPUTIME_ID) * 1e9 - l->cpu_ns;
	l->end = seconds (CLOCK_MONOTONIC);
	l->running = false;
	event_signal (l->finished);
}

static void
load_started (struct load *l)
{
	if (l->running)
		return;
	l->running = true;
	l->begin = seconds (CLOCK_MONOTONIC);
	l->cpu_ns = seconds (CLOCK_THREAD_CPUTIME_ID) * 1e9;
}

static void
process (void *device, struct vh_ring *ring)
{
	struct load *l = &((struct setup *) device)->loads[vh_ring_index (ring)];
	struct vh_request *reqs[BATCH];
	int n;

	while ((n = vh_ring_take (ring, reqs, BATCH)) > 0) {
		load_started (l);
		for (int i = 0; i < n; i++) {
			const struct vh_request *r = reqs[i];

			*(uint8_t *) r->in[r->n_in - 1].iov_base = 0;
			if (spoiled)
				__atomic_add_fetch (&spoilt, 1, __ATOMIC_RELAXED);
			vh_ring_give (ring, reqs[i], (uint32_t) r->in_bytes);
		}
		vh_ring_flush (ring);
		load_count (l, (unsigned) n);
	}
	if (n < 0)
		fail ("the ring is broken");
}

/* --- a daemon, and a front-end --- */

static const struct vh_device_ops ops = { .size = sizeof (ops), .ring_process = process };

static void *
run_daemon (void *opaque)
{
	return vh_daemon_run (opaque) < 0 ? opaque : NULL;
}

/* Its workers run on these processors.  Returns the front-end's end. */
static int
daemon_start (struct setup *s, const char *const *cpus, unsigned workers)
{
	struct vh_daemon_options options = { .size = sizeof (options), .workers = workers, .cpu_lists = cpus };
	struct vh_endpoint endpoint = { .size = sizeof (endpoint) };
	int ends[2];

	s->device = (struct vh_device){
		.size = sizeof (s->device), .ops = &ops, .opaque = s, .rings = workers, .max_ring_size = RING_SIZE, .max_parts = 8,
		.features = vh_backend_supported_ring_features (),
	};
	if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		fail ("no socket");
	endpoint.fd = ends[1];
	if (vh_daemon_new (&options, &s->daemon) < 0 || vh_daemon_add (s->daemon, &s->device, &endpoint) < 0 ||
	    pthread_create (&s->thread, NULL, run_daemon, s->daemon))
		fail ("no daemon");
	return ends[0];
}

static unsigned char *
share_memory (struct setup *s, unsigned rings)
{
	struct vh_region r = { .guest_addr = GUEST_BASE, .size = rings * PART_SIZE, .fd = memfd_create ("guest", MFD_CLOEXEC) };
	void *host;

	if (r.fd < 0 || ftruncate (r.fd, (off_t) r.size) < 0)
		fail ("no memory");
	host = mmap (NULL, r.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r.fd, 0);
	if (host == MAP_FAILED)
		fail ("no memory");
	r.user_addr = (uintptr_t) host;
	if (vh_frontend_set_mem_table (s->frontend, &r, 1) < 0)
		fail (vh_frontend_error (s->frontend));
	close (r.fd);
	return host;
}

static void
ring_start (struct vh_frontend *f, unsigned i, struct load *l)
{
	uint64_t at = (uintptr_t) l->part;
	struct vh_vring_addr addr = { .desc = at, .avail = at + AVAIL_AT, .used = at + USED_AT };

	l->kick = event_new ();
	l->call = event_new ();
	l->finished = event_new ();
	if (vh_frontend_set_vring_num (f, i, RING_SIZE) < 0 || vh_frontend_set_vring_base (f, i, 0) < 0 || vh_frontend_set_vring_addr (f, i, &addr) < 0 ||
	    vh_frontend_set_vring_call (f, i, l->call) < 0 || vh_frontend_set_vring_kick (f, i, l->kick) < 0 || vh_frontend_set_vring_enable (f, i, 1) < 0)
		fail (vh_frontend_error (f));
}

static struct setup *
setup_new (const char *const *cpus, unsigned rings)
{
	struct setup *s = aligned_alloc (128, sizeof (*s));
	unsigned char *memory;

	if (!s)
		fail ("no memory");
	memset (s, 0, sizeof (*s));
	if (vh_frontend_new (daemon_start (s, cpus, rings), NULL, &s->frontend) < 0 || vh_frontend_handshake (s->frontend, UINT64_MAX) < 0 ||
	    vh_frontend_set_features (s->frontend, VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_EVENT_IDX) | VH_BIT (VH_F_PROTOCOL_FEATURES)) < 0)
		fail ("no front-end");
	memory = share_memory (s, rings);
	for (unsigned i = 0; i < rings; i++) {
		s->loads[i].part = memory + i * PART_SIZE;
		driver_prepare (&s->loads[i], GUEST_BASE + (uint64_t) i * PART_SIZE);
		ring_start (s->frontend, i, &s->loads[i]);
	}
	return s;
}

static void
setup_free (struct setup *s)
{
	vh_frontend_free (s->frontend);
	vh_daemon_stop (s->daemon);
	pthread_join (s->thread, NULL);
	vh_daemon_free (s->daemon);
	free (s);
}

/* --- rounds --- */

static double
run_alone (struct load *l, uint64_t requests)
{
	load_begin (l, requests);
	event_wait (l->finished);
	return l->cpu_ns / (double) requests;
}

/* How much of the time from the first request to the last had both of them on a processor. */
static double
overlap (const struct load *a, const struct load *b)
{
	double first = a->begin < b->begin ? a->begin : b->begin, last = a->end > b->end ? a->end : b->end;
	double least = a->cpu_ns < b->cpu_ns ? a->cpu_ns : b->cpu_ns;

	return least / 1e9 / (last - first);
}

static double
run_both (struct load *a, struct load *b, uint64_t requests)
{
	for (unsigned i = 0; i < MAX_ATTEMPTS; i++) {
		load_begin (a, requests);
		load_begin (b, requests);
		event_wait (a->finished);
		event_wait (b->finished);
		if (overlap (a, b) >= LEAST_OVERLAP)
			return (a->cpu_ns + b->cpu_ns) / 2 / (double) requests;
	}
	fprintf (stderr, "workers: skipped: the two of them are not let run at the same time; try it with a higher priority\n");
	exit (SKIPPED);
}

struct result {
	double alone[MAX_ROUNDS], both[MAX_ROUNDS], apart[MAX_ROUNDS];	/* ns; and what is to that as ... is to 1 */
};

static void
run_round (struct setup *together, struct setup *const *apart, uint64_t requests, struct result *r, unsigned i)
{
	double alone = (run_alone (&together->loads[0], requests) + run_alone (&together->loads[1], requests)) / 2;

	r->alone[i] = alone;
	r->both[i] = run_both (&together->loads[0], &together->loads[1], requests) / alone;
	r->apart[i] = run_both (&apart[0]->loads[0], &apart[1]->loads[0], requests) / alone;
}

static int
compare (const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return x < y ? -1 : x > y;
}

static double
median (double *v, unsigned n)
{
	qsort (v, n, sizeof (v[0]), compare);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static int
report (struct result *r, unsigned rounds)
{
	double both = median (r->both, rounds);

	printf ("a ring alone: %.1f ns a request\n", median (r->alone, rounds));
	printf ("two rings, two workers, at the same time: %.3f of that (%.3f to %.3f)\n", both, r->both[0], r->both[rounds - 1]);
	printf ("two devices that have nothing in common: %.3f\n", median (r->apart, rounds));
	printf ("at most %.2f: %s\n", LIMIT, both <= LIMIT ? "yes" : "NO");
	return both <= LIMIT ? 0 : 1;
}

/* The first two processors that this process may use, as lists of one. */
static bool
choose_cpus (char (*names)[8])
{
	cpu_set_t set;
	unsigned n = 0;

	if (sched_getaffinity (0, sizeof (set), &set) < 0)
		return false;
	for (unsigned cpu = 0; cpu < CPU_SETSIZE && n < RINGS; cpu++)
		if (CPU_ISSET (cpu, &set))
			snprintf (names[n++], sizeof (names[0]), "%u", cpu);
	return n == RINGS;
}

int
main (int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned) atoi (argv[1]) : 7;
	uint64_t requests = argc > 2 ? strtoull (argv[2], NULL, 10) : 4000000;
	static struct result result;
	struct setup *together, *apart[RINGS];
	char names[RINGS][8];
	const char *const cpus[RINGS] = { names[0], names[1] };

	spoiled = argc == 4 && !strcmp (argv[3], "spoiled");
	if (argc > 4 || (argc == 4 && !spoiled) || rounds < 1 || rounds > MAX_ROUNDS || requests < DEPTH) {
		fprintf (stderr, "usage: workers [ROUNDS [REQUESTS [spoiled]]]\n");
		return 2;
	}
	if (!choose_cpus (names)) {
		fprintf (stderr, "workers: skipped: two processors are needed\n");
		return SKIPPED;
	}
	together = setup_new (cpus, RINGS);
	apart[0] = setup_new (&cpus[0], 1);
	apart[1] = setup_new (&cpus[1], 1);
	run_both (&together->loads[0], &together->loads[1], requests);	/* warm */
	for (unsigned i = 0; i < rounds; i++)
		run_round (together, apart, requests, &result, i);
	setup_free (together);
	setup_free (apart[0]);
	setup_free (apart[1]);
	return report (&result, rounds);
}
