/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A pass: worker threads that run the jobs of their queues, and the progress line.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define PROGRESS_MS 500
#define LOOK_UP 0.5	/* seconds: how soon a worker that waits for its queues sees what happened elsewhere */

static volatile sig_atomic_t stop_asked;

struct worker {
	struct bench *bench;
	pthread_t thread;
	struct job *jobs[VH_MAX_RINGS];
	unsigned n_jobs;
	double deadline;	/* when to stop; 0: not by time */
	int done_fd;		/* gets one when the worker ends */
	int *failed;		/* the first failure of any worker, or the end of the connection; atomic */
};

void
bench_stop (void)
{
	stop_asked = 1;
}

static double
now_s (void)
{
	struct timespec t;

	clock_gettime (CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* --- workers --- */

static bool
should_end (const struct worker *w, double now)
{
	return stop_asked || (w->deadline > 0 && now >= w->deadline);
}

/* The first failure counts. */
static void
set_failed (int *failed, int err)
{
	int none = 0;

	__atomic_compare_exchange_n (failed, &none, err, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static void
end_jobs (struct worker *w)
{
	for (unsigned i = 0; i < w->n_jobs; i++)
		job_end (w->jobs[i]);
}

static bool
all_done (const struct worker *w)
{
	for (unsigned i = 0; i < w->n_jobs; i++)
		if (!job_done (w->jobs[i]))
			return false;
	return true;
}

/* One round over the jobs.  How many requests were finished, or a negative errno. */
static int
run_jobs (struct worker *w)
{
	int total = 0;

	for (unsigned i = 0; i < w->n_jobs; i++) {
		int n = job_reap (w->jobs[i]), err;

		if (n < 0)
			return n;
		err = job_submit (w->jobs[i]);
		if (err < 0)
			return err;
		total += n;
	}
	return total;
}

/* Nothing was finished: sleeps until something may be; when polling, the next round is the wait.  last: when something was finished. */
static int
wait_for_device (struct worker *w, double now, double last)
{
	struct queue *queues[VH_MAX_RINGS];
	double patience = last + w->bench->options->timeout - now;

	if (patience <= 0)
		return -ETIMEDOUT;
	if (w->bench->options->poll)
		return 0;
	if (w->deadline > now && w->deadline - now < patience)
		patience = w->deadline - now;
	if (patience > LOOK_UP)
		patience = LOOK_UP;
	for (unsigned i = 0; i < w->n_jobs; i++)
		queues[i] = job_queue (w->jobs[i]);
	return queues_wait (queues, w->n_jobs, patience * 1000 + 1);
}

static int
run_worker (struct worker *w)
{
	double last = now_s ();

	while (!all_done (w) && !__atomic_load_n (w->failed, __ATOMIC_RELAXED)) {
		double now = now_s ();
		int n;

		if (should_end (w, now))
			end_jobs (w);
		n = run_jobs (w);
		if (n > 0)
			last = now;
		else if (n == 0 && !all_done (w))
			n = wait_for_device (w, now, last);
		if (n < 0)
			return n;
	}
	return 0;
}

static void *
worker_main (void *opaque)
{
	static const uint64_t one = 1;
	struct worker *w = opaque;
	int err = run_worker (w);

	if (err < 0)
		set_failed (w->failed, err);
	if (write (w->done_fd, &one, sizeof (one)) < 0)
		abort ();	/* an eventfd of our own */
	return NULL;
}

/* --- the main thread --- */

static void
show_progress (const struct bench *b, enum pass_kind kind, double seconds)
{
	static const char *const names[] = { [PASS_FILL] = "filling", [PASS_RUN] = "running", [PASS_CHECK] = "checking" };
	uint64_t n = 0;

	for (unsigned i = 0; i < b->options->queues; i++)
		n += job_progress (b->jobs[i]);
	fprintf (stderr, "\r%-8s %6.1f s %12llu requests %10.0f/s ", names[kind], seconds, (unsigned long long) n, seconds > 0 ? n / seconds : 0);
}

/* Waits until `n` workers have ended, which they do soon once the back-end is gone. */
static void
await_workers (struct bench *b, enum pass_kind kind, const struct worker *w, unsigned n, double begin)
{
	bool terminal = isatty (STDERR_FILENO), shown = false;
	struct pollfd p[] = { { .fd = w->done_fd, .events = POLLIN }, { .fd = vh_frontend_fd (b->driver.frontend), .events = POLLIN } };

	while (n > 0) {
		int events = poll (p, 2, terminal ? PROGRESS_MS : -1);
		uint64_t ended;

		if (events > 0 && p[1].revents && vh_frontend_dispatch (b->driver.frontend) == -ECONNRESET) {
			set_failed (w->failed, -ECONNRESET);
			p[1].fd = -1;
		}
		if (events > 0 && p[0].revents && read (w->done_fd, &ended, sizeof (ended)) > 0)
			n -= ended;
		else if (terminal && (shown = true))
			show_progress (b, kind, now_s () - begin);
	}
	if (shown)
		fprintf (stderr, "\r%78s\r", "");
}

/* The jobs of queue i go to worker i modulo the number of workers. */
static void
assign_jobs (struct bench *b, enum pass_kind kind, struct worker *workers, unsigned n)
{
	const struct bench_options *o = b->options;

	for (unsigned i = 0; i < o->queues; i++) {
		struct worker *w = &workers[i % n];
		uint64_t share = o->count / o->queues + (i < o->count % o->queues);

		job_begin (b->jobs[i], kind, o->count ? share : UINT64_MAX);
		w->jobs[w->n_jobs++] = b->jobs[i];
	}
}

/* Starts the workers; returns how many could be. */
static unsigned
start_workers (struct worker *workers, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		int err = pthread_create (&workers[i].thread, NULL, worker_main, &workers[i]);

		if (err != 0) {
			set_failed (workers[i].failed, -err);
			return i;
		}
	}
	return n;
}

static int
run_workers (struct bench *b, enum pass_kind kind, struct worker *workers, int done_fd, double *seconds)
{
	unsigned n = b->options->threads, started;
	int failed = 0;
	double begin = now_s ();

	for (unsigned i = 0; i < n; i++)
		workers[i] = (struct worker){ .bench = b, .done_fd = done_fd, .failed = &failed,
			.deadline = kind == PASS_RUN && b->options->seconds ? begin + b->options->seconds : 0 };
	assign_jobs (b, kind, workers, n);
	started = start_workers (workers, n);
	await_workers (b, kind, workers, started, begin);
	for (unsigned i = 0; i < started; i++)
		pthread_join (workers[i].thread, NULL);
	*seconds = now_s () - begin;
	return failed;
}

int
pass_run (struct bench *b, enum pass_kind kind, double *seconds)
{
	struct worker *workers = calloc (b->options->threads, sizeof (*workers));
	int done_fd, err;

	if (!workers)
		return -ENOMEM;
	done_fd = eventfd (0, EFD_CLOEXEC);
	err = done_fd < 0 ? -errno : run_workers (b, kind, workers, done_fd, seconds);
	if (done_fd >= 0)
		close (done_fd);
	free (workers);
	return err;
}
