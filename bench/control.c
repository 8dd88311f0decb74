/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control [ROUNDS]: round trips of the control channel, a front-end of ours and a back-end of ours in two processes, beside a bare ping-pong of messages of
 * the same sizes over the same kind of socket: a send and a receive that blocks, at either end, and nothing else.  Both are there all the time and have
 * many short turns; the last column is the median of the ratios of two turns that follow one another, the others are medians of each.
 *
 * First with each end on a processor of its own, as they run for a guest, where most of the time goes by until the other one is awake; then with both on one,
 * where nearly all of it is spent in system calls and in us.  Two rows have one end of ours and one that is bare.
 */
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <vhost/vhost.h>

#define TRIPS 250	/* a millisecond on one processor: most turns are over before another process has one */
#define MAX_ROUNDS 999
#define CONFIG_SIZE 60

static void
fail (const char *what)
{
	fprintf (stderr, "control: %s\n", what);
	exit (1);
}

static double
now (void)
{
	struct timespec t;

	clock_gettime (CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* --- the other process --- */

struct sizes {
	size_t request, answer;
};

static void
echo (int fd, const struct sizes *s)
{
	char bytes[256] = { 0 };

	while (recv (fd, bytes, s->request, 0) == (ssize_t) s->request)
		if (send (fd, bytes, s->answer, 0) != (ssize_t) s->answer)
			break;
}

/* A back-end that knows one answer, to GET_FEATURES. */
static void
answer_features (int fd)
{
	static const uint32_t answer[] = { 1, 0x5, 8, 0, 0 };
	char bytes[12];

	while (recv (fd, bytes, sizeof (bytes), 0) == sizeof (bytes))
		if (send (fd, answer, sizeof (answer), 0) != sizeof (answer))
			break;
}

static void
process (void *device, struct vh_ring *ring)
{
}

static int
get_config (void *device, uint32_t offset, void *buf, uint32_t size)
{
	memset (buf, 0, size);
	return 0;
}

static void
serve (int fd)
{
	static const struct vh_device_ops ops = { .size = sizeof (ops), .ring_process = process, .get_config = get_config };
	const struct vh_device device = {
		.size = sizeof (device), .ops = &ops, .rings = 1, .features = vh_backend_supported_ring_features (), .config_size = CONFIG_SIZE,
	};
	struct vh_backend *b;

	if (vh_backend_new (&device, fd, NULL, &b) < 0)
		fail ("no back-end");
	while (vh_backend_dispatch (b, -1) > 0)
		;
	vh_backend_free (b);
}

/* Where this process runs, and those that it starts. */
static int our_processor, other_processor;

static void
run_on (int processor)
{
	cpu_set_t set;

	CPU_ZERO (&set);
	CPU_SET (processor, &set);
	if (sched_setaffinity (0, sizeof (set), &set) < 0)
		fail ("cannot choose a processor");
}

/* What the other process is. */
enum other { ECHO, BARE_BACK_END, BACK_END };

/* Starts it.  Returns our end of the connection. */
static int
start (enum other other, const struct sizes *s, pid_t *child)
{
	int ends[2];

	if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 || (*child = fork ()) < 0)
		fail ("no second process");
	if (*child == 0) {
		close (ends[0]);
		run_on (other_processor);
		if (other == ECHO)
			echo (ends[1], s);
		else if (other == BARE_BACK_END)
			answer_features (ends[1]);
		else
			serve (ends[1]);
		_exit (0);
	}
	close (ends[1]);
	return ends[0];
}

/* --- what is measured: trips a second --- */

static double
ping_pong (int fd, const struct sizes *s)
{
	char bytes[256] = { 0 };
	double begin = now ();

	for (int i = 0; i < TRIPS; i++)
		if (send (fd, bytes, s->request, 0) != (ssize_t) s->request || recv (fd, bytes, s->answer, 0) != (ssize_t) s->answer)
			fail ("ping-pong");
	return TRIPS / (now () - begin);
}

typedef int call_fn (struct vh_frontend *);

/* A front-end that knows one request: the connection's other users are quiet meanwhile. */
static int bare_fd;

static int
ask_features (struct vh_frontend *f)
{
	uint32_t request[] = { 1, 0x1, 0 }, answer[5];

	if (send (bare_fd, request, sizeof (request), 0) != sizeof (request))
		return -1;
	return recv (bare_fd, answer, sizeof (answer), 0) == sizeof (answer) ? 0 : -1;
}

static int
call_features (struct vh_frontend *f)
{
	uint64_t features;

	return vh_frontend_get_features (f, &features);
}

static int
call_num (struct vh_frontend *f)
{
	return vh_frontend_set_vring_num (f, 0, 256);
}

static int
call_config (struct vh_frontend *f)
{
	static char config[CONFIG_SIZE];

	return vh_frontend_get_config (f, 0, config, sizeof (config));
}

static void
count (void *opaque, int result)
{
	int *left = opaque;

	*left = result < 0 ? -1 : *left - 1;
}

/* The same call, without waiting, from an event loop with nothing else in it. */
static uint64_t loop_features;

static int
call_from_a_loop (struct vh_frontend *f)
{
	struct pollfd p = { .fd = vh_frontend_fd (f), .events = POLLIN };
	int left = 1;

	if (vh_frontend_get_features (vh_frontend_async (f, count, &left), &loop_features) < 0)
		return -1;
	while (left > 0 && poll (&p, 1, -1) > 0)
		vh_frontend_dispatch (f);
	return left;
}

static double
calls (struct vh_frontend *f, call_fn *call)
{
	double begin = now ();

	for (int i = 0; i < TRIPS; i++)
		if (call (f) < 0)
			fail (vh_frontend_error (f));
	return TRIPS / (now () - begin);
}

/* --- the table --- */

static const struct {
	const char *name;
	call_fn *call;
	struct sizes sizes;
	enum other other;
} kinds[] = {
	{ "GET_FEATURES", call_features, { 12, 20 }, BACK_END },
	{ "SET_VRING_NUM, acknowledged", call_num, { 20, 20 }, BACK_END },
	{ "GET_CONFIG, 60 bytes", call_config, { 84, 84 }, BACK_END },
	{ "GET_FEATURES, event loop", call_from_a_loop, { 12, 20 }, BACK_END },
	{ "GET_FEATURES, bare front-end", ask_features, { 12, 20 }, BACK_END },
	{ "GET_FEATURES, bare back-end", call_features, { 12, 20 }, BARE_BACK_END },
};

#define KINDS (sizeof (kinds) / sizeof (kinds[0]))

static int
compare (const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return x < y ? -1 : x > y;
}

static double
median (double *v, int n)
{
	qsort (v, n, sizeof (*v), compare);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

struct kind_results {
	double ours[MAX_ROUNDS], bare[MAX_ROUNDS], ratio[MAX_ROUNDS];
};

/* The first turn of each is not counted: it touches everything for the first time. */
static void
measure (unsigned k, int rounds, struct kind_results *r)
{
	struct vh_frontend *f;
	pid_t children[2];
	int bare = start (ECHO, &kinds[k].sizes, &children[0]);

	bare_fd = start (kinds[k].other, NULL, &children[1]);
	if (vh_frontend_new (bare_fd, NULL, &f) < 0 || (kinds[k].other == BACK_END && vh_frontend_handshake (f, UINT64_MAX) < 0))
		fail ("no front-end");
	for (int i = -1; i < rounds; i++) {
		double b = ping_pong (bare, &kinds[k].sizes), o = calls (f, kinds[k].call);

		if (i < 0)
			continue;
		r->bare[i] = b;
		r->ours[i] = o;
		r->ratio[i] = o / b;
	}
	close (bare);
	vh_frontend_free (f);
	for (unsigned i = 0; i < 2; i++)
		waitpid (children[i], NULL, 0);
}

static void
show_table (const char *where, int rounds)
{
	printf ("%-30s %12s %12s %18s\n", where, "calls 1/s", "bare 1/s", "median of ratios");
	for (unsigned k = 0; k < KINDS; k++) {
		static struct kind_results r;

		measure (k, rounds, &r);
		printf ("%-30s %12.0f %12.0f %18.2f\n", kinds[k].name, median (r.ours, rounds), median (r.bare, rounds), median (r.ratio, rounds));
	}
}

/* One of those that we may use, and another if there is one. */
static void
choose_processors (void)
{
	cpu_set_t set;

	if (sched_getaffinity (0, sizeof (set), &set) < 0)
		fail ("no processors");
	our_processor = other_processor = sched_getcpu ();
	for (int i = 0; i < CPU_SETSIZE && other_processor == our_processor; i++)
		if (CPU_ISSET (i, &set))
			other_processor = i;
	run_on (our_processor);
}

int
main (int argc, char **argv)
{
	int rounds = argc > 1 ? atoi (argv[1]) : 299;

	if (rounds < 1 || rounds > MAX_ROUNDS)
		fail ("ROUNDS is 1 to 999");
	choose_processors ();
	if (other_processor != our_processor)
		show_table ("two processors", rounds);
	other_processor = our_processor;
	show_table ("one processor", rounds);
	return 0;
}
