/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * restart [-c] [-p] [-x POINTS] SOCKET KILLS COMMAND...: a VMM with a disk whose back-end, COMMAND, is killed again and again under load, at any moment, also
 * while it is being set up.  A session brings each new one to where the last one was.  Every request must be answered, once, and every byte read is compared.
 *
 * -c (calm): for a back-end that keeps no in-flight records.  It is killed when nothing is in flight; what is requested while it is away must be done by the
 * next one.
 * -p: with packed rings.
 * -x POINT[,POINT]: it kills itself at these crash points in turns, see tests/crash/crash.c; an ever different time that it comes there.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <vhost/vhost.h>

#include "tools/blk-driver.h"
#include "tools/pattern.h"

#define QUEUES 4
#define DEPTH 32
#define RING_SIZE 256	/* DEPTH requests of up to five descriptors */
#define BLOCK 4096
#define BLOCKS 1024		/* of the disk, 4 MiB */
#define REGIONS 3
#define PATIENCE_MS 30000	/* for anything */

struct request {
	unsigned block;
	bool write;
};

struct block {
	uint32_t generation;	/* how often it was written */
	bool busy;
};

static struct vh_session *session;
static struct driver driver;	/* the guest's part of it: its front-end is the session's */
static struct blk_queue queues[QUEUES];
static struct request requests[QUEUES][DEPTH];
static struct block blocks[BLOCKS];

static char **command;
static const char *socket_path;
static pid_t backend;
static bool calm, packed, draining;
static unsigned points[2], n_points;	/* -x */
static unsigned kills, starts, suicides[2];	/* suicides at each of the points */
static unsigned settles, losses, decisions, stops;
static unsigned long answered;

static void die (const char *format, ...) __attribute__ ((format (printf, 1, 2), noreturn));

static void
die (const char *format, ...)
{
	va_list args;

	va_start (args, format);
	vfprintf (stderr, format, args);
	va_end (args);
	fprintf (stderr, "; %lu requests answered, %u connections; session: %s\n", answered, settles, session ? vh_session_error (session) : "none");
	if (backend > 0)
		kill (backend, SIGKILL);
	exit (1);
}

/* --- the back-end's process --- */

/* The first one lives until it is killed, the last one until the end. */
static void
arm (void)
{
	unsigned i = starts % n_points;
	char words[24];

	/* The second one is in what a start does once. */
	snprintf (words, sizeof (words), "%u:%lu", points[i], i ? 1 : 1 + random () % (starts % 4 < 2 ? 4 : 60));
	if (starts > 0 && starts < kills)
		setenv ("VHOST_CRASH", words, 1);
	else
		unsetenv ("VHOST_CRASH");
}

static void
start_backend (void)
{
	unlink (socket_path);
	if (n_points > 0)
		arm ();
	starts++;
	backend = fork ();
	if (backend < 0)
		die ("fork: %s", strerror (errno));
	if (backend > 0)
		return;
	execvp (command[0], command);
	perror (command[0]);
	_exit (127);
}

/* Has it killed itself? */
static bool
is_dead (void)
{
	siginfo_t info = { .si_pid = 0 };

	return n_points > 0 && waitid (P_PID, (id_t) backend, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == backend;
}

static void
kill_backend (void)
{
	int status;

	if (is_dead ())
		suicides[(starts - 1) % n_points]++;
	if (kill (backend, SIGKILL) < 0 || waitpid (backend, &status, 0) != backend)
		die ("cannot kill the back-end: %s", strerror (errno));
	if (!WIFSIGNALED (status))
		die ("the back-end ended by itself, with %d", WEXITSTATUS (status));
	backend = -1;
}

/* --- the session --- */

static void
on_settled (void *opaque)
{
	settles++;
}

static void
on_lost (void *opaque, int err)
{
	losses++;
}

/* All back-ends are the same program. */
static int
on_decide (void *opaque, const struct vh_session_change *c)
{
	if (c->features || c->protocol_features || c->queues != c->old_queues || c->slots != c->old_slots || (c->unsure && !calm))
		die ("a back-end like the one before seems worse");
	decisions++;
	return 0;
}

static void
on_stopped (void *opaque, uint32_t base)
{
	unsigned index = (uintptr_t) opaque;
	uint32_t expected;

	if (!queue_position (driver.queues[index], &expected) || base != expected)
		die ("queue %u stopped at %u, not at %u", index, base, expected);
	stops++;
}

static void
open_session (void)
{
	struct vh_session_options o = {
		.size = sizeof (o),
		.path = socket_path,
		.timeout_ms = PATIENCE_MS,
		.rings = calm ? 0 : QUEUES,
		.ring_size = RING_SIZE,
		.config_size = 60,
		.settled = on_settled,
		.lost = on_lost,
		.decide = on_decide,
	};

	if (vh_session_new (&o, &session) < 0 || vh_session_wait (session, PATIENCE_MS) < 0)
		die ("no session");
	if (!calm && !(vh_session_protocol_features (session) & VH_BIT (VH_P_INFLIGHT_SHMFD)))
		die ("the back-end keeps no in-flight records");
}

static void
share_memory (void)
{
	struct guest *g = &driver.guest;
	struct vh_region regions[REGIONS];

	for (unsigned i = 0; i < g->regions; i++)
		regions[i] = (struct vh_region){
			.guest_addr = GUEST_BASE + i * g->region_size,
			.user_addr = (uintptr_t) g->host + i * g->region_size,
			.size = g->region_size,
			.offset = i * g->region_size,
			.fd = g->fd,
		};
	if (vh_session_set_memory (session, regions, g->regions) < 0)
		die ("memory");
}

static void
start_queue (unsigned i)
{
	struct queue *q = driver.queues[i];
	struct vh_session_ring ring = {
		.size = sizeof (ring),
		.entries = RING_SIZE,
		.kick = queue_kick_fd (q),
		.call = queue_call_fd (q),
		.err = queue_err_fd (q),
	};

	queue_addresses (q, &ring.addr);
	if (vh_session_start_ring (session, i, &ring) < 0)
		die ("queue %u", i);
}

static void
set_up (void)
{
	uint64_t wanted = blk_features () | VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_INDIRECT_DESC) | VH_BIT (VH_F_EVENT_IDX) |
			  (packed ? VH_BIT (VH_F_RING_PACKED) : 0);
	struct queue_options options = { .size = RING_SIZE, .features = wanted & vh_session_offered_features (session) };
	size_t size = QUEUES * (queue_bytes (&options) + blk_queue_bytes (DEPTH, BLOCK));

	options.indirect = options.features & VH_BIT (VH_F_INDIRECT_DESC) ? 4 : 0;
	driver.features = options.features;
	if (packed && !(options.features & VH_BIT (VH_F_RING_PACKED)))
		die ("no packed rings");
	if (guest_init (&driver.guest, 2 * size, REGIONS, size / REGIONS) < 0)
		die ("guest memory");
	for (unsigned i = 0; i < QUEUES; i++) {
		if (queue_new (&driver.guest, &options, &driver.queues[i]) < 0 || blk_queue_init (&queues[i], &driver, i, DEPTH, BLOCK, false) < 0)
			die ("queue %u", i);
		driver.n_queues++;
	}
	if (vh_session_set_features (session, options.features) < 0)
		die ("features");
	share_memory ();
	for (unsigned i = 0; i < QUEUES; i++)
		start_queue (i);
	if (vh_session_wait (session, PATIENCE_MS) < 0)
		die ("not set up");
}

/* --- load --- */

static unsigned
slot_number (const struct blk_queue *q, const struct blk_slot *s)
{
	return s - q->slots;
}

static void
submit (unsigned i, struct blk_slot *s, unsigned block, bool write)
{
	struct request *r = &requests[i][slot_number (&queues[i], s)];

	*r = (struct request){ .block = block, .write = write };
	blocks[block].busy = true;
	if (write)
		pattern_fill (s->data, BLOCK, (uint64_t) block * BLOCK, ++blocks[block].generation);
	else
		memset (s->data, 0xa5, BLOCK);
	if (blk_submit (&queues[i], s, write ? BLK_WRITE : BLK_READ, (uint64_t) block * BLOCK, BLOCK, 1 + block % 3) < 0)
		die ("cannot submit");
}

/* As many as go. */
static void
fill (unsigned i)
{
	struct blk_slot *s;

	while ((s = blk_take_slot (&queues[i]))) {
		unsigned block;

		do
			block = random () % BLOCKS;
		while (blocks[block].busy);
		submit (i, s, block, random () % 2);
	}
	if (queue_publish (driver.queues[i]) < 0)
		die ("cannot kick");
}

static void
check_read (const struct blk_slot *s, unsigned block)
{
	static const uint8_t zeroes[BLOCK];
	size_t where = 0;

	if (blocks[block].generation == 0 ? memcmp (s->data, zeroes, BLOCK) != 0
					   : !pattern_check (s->data, BLOCK, (uint64_t) block * BLOCK, blocks[block].generation, &where))
		die ("block %u is not what was written, at byte %zu", block, where);
}

static unsigned
reap (unsigned i)
{
	struct blk_slot *done[16];
	int n = blk_reap (&queues[i], done, 16);

	if (n < 0)
		die ("queue %u: used what was not given, or twice", i);
	for (int k = 0; k < n; k++) {
		struct request *r = &requests[i][slot_number (&queues[i], done[k])];

		if (done[k]->error)
			die ("a request for block %u ended with %d", r->block, done[k]->error);
		if (!r->write)
			check_read (done[k], r->block);
		blocks[r->block].busy = false;
		blk_put_slot (&queues[i], done[k]);
	}
	answered += n;
	return n;
}

static unsigned
in_flight (void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < QUEUES; i++)
		n += queues[i].in_flight;
	return n;
}

static int64_t
now_ms (void)
{
	struct timespec t;

	clock_gettime (CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* One turn of the VMM's and the guest's loop. */
static void
turn (void)
{
	static int64_t last;
	static unsigned last_settles;
	unsigned n = 0;

	for (unsigned i = 0; i < QUEUES && !draining; i++)
		fill (i);
	if (vh_session_dispatch (session) < 0)
		die ("dispatch");
	if (queues_wait (driver.queues, QUEUES, 2) < 0)
		die ("a queue is broken");
	for (unsigned i = 0; i < QUEUES; i++)
		n += reap (i);
	if (n > 0 || last == 0 || last_settles != settles) {
		last = now_ms ();
		last_settles = settles;
	} else if (now_ms () - last > PATIENCE_MS)
		die ("nothing happens; %u requests are lost", in_flight ());
}

/* Until so many more requests are answered, and a back-end has all that it is to have; or it is dead. */
static void
turns_until (unsigned long requests_more)
{
	unsigned long goal = answered + requests_more;

	while ((answered < goal || !vh_session_is_settled (session)) && !is_dead ())
		turn ();
}

static void
drain (void)
{
	draining = true;
	while (in_flight () > 0)
		turn ();
}

/* --- the test --- */

/* At any moment of the set-up or of the load; the pauses are only to hit different ones. */
static void
kill_under_load (void)
{
	unsigned before = losses;

	if (random () % 4 == 0)
		poll (NULL, 0, random () % 12);
	else
		turns_until (random () % 150);
	kill_backend ();
	start_backend ();
	while (losses == before && random () % 64)
		turn ();
}

/* At its point, if it comes there. */
static void
let_it_die (void)
{
	turns_until (1500);
	kill_backend ();
	start_backend ();
}

static void
kill_at_rest (void)
{
	unsigned before = losses;

	turns_until (500);
	drain ();
	kill_backend ();
	while (losses == before)
		turn ();
	draining = false;
	turn ();
	start_backend ();
	turns_until (1);
}

static void
read_all (void)
{
	for (unsigned block = 0; block < BLOCKS; block++) {
		struct blk_slot *s;

		while (!(s = blk_take_slot (&queues[block % QUEUES])))
			turn ();
		submit (block % QUEUES, s, block, false);
		if (queue_publish (driver.queues[block % QUEUES]) < 0)
			die ("cannot kick");
	}
	drain ();
}

static void
close_all (void)
{
	for (unsigned i = 0; i < QUEUES; i++)
		if (vh_session_stop_ring (session, i, on_stopped, (void *) (uintptr_t) i) < 0)
			die ("cannot stop queue %u", i);
	while (stops < QUEUES || !vh_session_is_settled (session))
		turn ();
	vh_session_free (session);
	driver_close (&driver);
	for (unsigned i = 0; i < QUEUES; i++)
		blk_queue_free (&queues[i]);
}

/* False: wrong. */
static bool
parse (int argc, char **argv)
{
	int c;

	while ((c = getopt (argc, argv, "+cpx:")) != -1)
		if (c == 'c')
			calm = true;
		else if (c == 'p')
			packed = true;
		else if (c != 'x' || (n_points = sscanf (optarg, "%u,%u", &points[0], &points[1])) - 1u > 1)
			return false;
	if (argc - optind < 3)
		return false;
	socket_path = argv[optind];
	kills = strtoul (argv[optind + 1], NULL, 10);
	command = argv + optind + 2;
	return true;
}

int
main (int argc, char **argv)
{
	if (!parse (argc, argv)) {
		fprintf (stderr, "usage: restart [-c] [-p] [-x POINT[,POINT]] SOCKET KILLS COMMAND...\n");
		return 2;
	}
	start_backend ();
	open_session ();
	set_up ();
	for (unsigned i = 0; i < kills; i++)
		if (calm)
			kill_at_rest ();
		else if (n_points > 0)
			let_it_die ();
		else
			kill_under_load ();
	turns_until (1000);
	drain ();
	read_all ();
	close_all ();
	kill_backend ();
	for (unsigned i = 0; i < n_points; i++)
		if (suicides[i] == 0)
			die ("crash point %u was never reached", points[i]);
	printf ("ok: %u kills, %u by itself, %u times set up, %u connections lost, %lu requests answered once and right\n", kills,
		suicides[0] + suicides[1], settles, losses, answered);
	return 0;
}
