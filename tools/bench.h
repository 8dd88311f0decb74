/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user-bench: what its parts share.
 *
 * A bench is one or more passes over the disk.  In a pass each queue has a job; a worker (thread) runs the jobs of its queues.  The measured pass may have
 * one before it that fills the disk with a pattern, and one after it that reads everything back.
 */
#ifndef TOOLS_BENCH_H
#define TOOLS_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "blk-driver.h"
#include "histogram.h"

struct bench_options {
	const char *socket;
	const char *rw;		/* its name */
	bool reads, writes, random;
	uint32_t block;
	unsigned depth, queues, threads, segments, regions;
	unsigned queue_size;	/* 0: as many descriptors as the depth needs */
	unsigned seconds;	/* 0: until `count` */
	uint64_t count;		/* requests, of all queues together; 0: until `seconds` */
	uint64_t size;		/* bytes of the disk that are used; 0: all of it */
	unsigned timeout;	/* seconds without any completion */
	bool verify, event_idx, indirect, packed, poll, log, across, json;
};

/* Reads the command line.  0: go on; 1: there is no more to do (help, version); 2: it was wrong, and that has been said. */
int bench_parse (int argc, char **argv, struct bench_options *);

enum pass_kind {
	PASS_FILL,	/* writes every block once */
	PASS_RUN,	/* what the options say; the only one that is measured */
	PASS_CHECK,	/* reads every block once that was written */
};

/* What a job counted, or all jobs together. */
struct bench_result {
	struct histogram latency[2];	/* ns; of reads and of writes */
	uint64_t bytes[2];
	uint64_t errors;		/* requests that failed */
	uint64_t mismatches;		/* blocks that were not what had been written */
	uint64_t verified;		/* blocks that were compared */
	struct queue_counters notifications;
	double seconds;
	char trouble[160];		/* the first error or mismatch in words; "" */
};

struct bench {
	const struct bench_options *options;
	struct driver driver;
	struct blk_config config;
	struct job *jobs[VH_MAX_RINGS];	/* one for each queue */
	struct bench_result result;
};

/* Connects and sets everything up.  0, or a negative errno with words in driver.failed. */
int bench_open (struct bench *, const struct bench_options *);

/* Runs all passes; fills in the result.  0 or a negative errno likewise: the back-end broke the rules or stopped answering. */
int bench_run (struct bench *);
void bench_close (struct bench *);

/* Makes bench_run come to an end soon.  Async-signal-safe. */
void bench_stop (void);

/* --- jobs --- */

/* Gives a queue its job.  first, blocks: which part of the disk is its own.  0 and *ret, or -ENOMEM. */
int job_new (struct bench *, unsigned queue, uint64_t first, uint64_t blocks, struct job **ret);
void job_free (struct job *);

/* Prepares a pass.  count: how many requests, UINT64_MAX for no end. */
void job_begin (struct job *, enum pass_kind, uint64_t count);

/* No new requests from now on. */
void job_end (struct job *);

/* Adds and publishes requests as far as the depth allows.  0 or a negative errno. */
int job_submit (struct job *);

/* Takes what is finished.  How many; a negative errno. */
int job_reap (struct job *);

/* Is everything asked for and done? */
bool job_done (const struct job *);

/* Requests finished so far in this pass; any thread. */
uint64_t job_progress (const struct job *);

struct queue *job_queue (const struct job *);
const struct bench_result *job_result (const struct job *);

/* --- the rest --- */

/* Runs one pass over all jobs, in threads; shows progress when there is a terminal.  Sets *seconds.  0 or a negative errno. */
int pass_run (struct bench *, enum pass_kind, double *seconds);

/* Prints the result. */
void bench_report (const struct bench *);

#endif
