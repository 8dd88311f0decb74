/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user-bench: loads a vhost-user-blk back-end, as a guest's driver would, and says how quick it was - and, when asked, whether it was right.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

static void
on_signal (int signal)
{
	bench_stop ();
}

static void
catch_signals (void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction (SIGINT, &action, NULL);
	sigaction (SIGTERM, &action, NULL);
}

/* What makes a bench fail though it came to its end.  NULL: nothing. */
static const char *
find_fault (const struct bench *b)
{
	const struct bench_result *r = &b->result;

	if (r->trouble[0])
		return r->trouble;
	if (b->options->verify && r->verified == 0)
		return "nothing was verified";
	return r->latency[0].count + r->latency[1].count == 0 ? "no request was made" : NULL;
}

static int
run (struct bench *b, const struct bench_options *o)
{
	const char *fault;

	if (bench_open (b, o) < 0 || bench_run (b) < 0) {
		fprintf (stderr, "vhost-user-bench: %s\n", b->driver.failed);
		return EXIT_FAILURE;
	}
	bench_report (b);
	fault = find_fault (b);
	if (!fault)
		return EXIT_SUCCESS;
	fprintf (stderr, "vhost-user-bench: %s\n", fault);
	return EXIT_FAILURE;
}

int
main (int argc, char **argv)
{
	static struct bench b;
	struct bench_options options;
	int result = bench_parse (argc, argv, &options);

	if (result != 0)
		return result == 1 ? EXIT_SUCCESS : result;
	catch_signals ();
	result = run (&b, &options);
	bench_close (&b);
	return result;
}
