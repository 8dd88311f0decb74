/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A job: the requests of one queue.
 *
 * Each queue has a part of the disk for itself, so what its blocks hold is known to its own thread alone.  For verification a block has a generation, how
 * often it was written (0: not by us), and is left alone while a request for it is in flight.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <vhost/error.h>

#include "bench.h"
#include "pattern.h"

#define REAP_BATCH 64

/* When many blocks are busy, how many others are tried for one request. */
#define BLOCK_ATTEMPTS 16

/* What a slot is used for now. */
struct request {
	uint64_t block;
	uint64_t started;	/* ns */
	bool write;
};

/* What is known of a block. */
struct block {
	uint32_t generation;
	bool busy;
};

struct job {
	const struct bench_options *options;
	struct blk_queue queue;
	struct request *requests;	/* one for each slot */
	struct block *blocks;		/* NULL without verification */
	uint64_t first, n_blocks;
	enum pass_kind kind;
	uint64_t left;			/* requests still to be added */
	uint64_t next;			/* for passes in order */
	uint64_t random;
	uint64_t progress;		/* atomic */
	struct bench_result result;
};

static uint64_t
now_ns (void)
{
	struct timespec t;

	clock_gettime (CLOCK_MONOTONIC, &t);
	return (uint64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

/* xorshift64: quick, and the same numbers in every run. */
static uint64_t
next_random (struct job *j)
{
	j->random ^= j->random << 13;
	j->random ^= j->random >> 7;
	j->random ^= j->random << 17;
	return j->random;
}

/* --- making --- */

static int
alloc_arrays (struct job *j)
{
	j->requests = calloc (j->options->depth, sizeof (*j->requests));
	if (!j->requests)
		return -ENOMEM;
	for (unsigned i = 0; i < j->options->depth; i++)
		j->queue.slots[i].user = &j->requests[i];
	if (j->options->verify) {
		j->blocks = calloc (j->n_blocks, sizeof (*j->blocks));
		if (!j->blocks)
			return -ENOMEM;
	}
	return 0;
}

int
job_new (struct bench *b, unsigned queue, uint64_t first, uint64_t blocks, struct job **ret)
{
	struct job *j = calloc (1, sizeof (*j));
	int err;

	if (!j)
		return -ENOMEM;
	j->options = b->options;
	j->first = first;
	j->n_blocks = blocks;
	j->random = UINT64_C (0x9e3779b97f4a7c15) * (queue + 1);
	err = blk_queue_init (&j->queue, &b->driver, queue, b->options->depth, b->options->block, b->options->across);
	if (err == 0)
		err = alloc_arrays (j);
	if (err < 0) {
		job_free (j);
		return err;
	}
	*ret = j;
	return 0;
}

void
job_free (struct job *j)
{
	if (!j)
		return;
	blk_queue_free (&j->queue);
	free (j->requests);
	free (j->blocks);
	free (j);
}

void
job_begin (struct job *j, enum pass_kind kind, uint64_t count)
{
	j->kind = kind;
	j->next = 0;
	j->left = kind == PASS_RUN ? count : j->n_blocks;
	__atomic_store_n (&j->progress, 0, __ATOMIC_RELAXED);
}

void
job_end (struct job *j)
{
	j->left = 0;
}

bool
job_done (const struct job *j)
{
	return j->left == 0 && j->queue.in_flight == 0;
}

uint64_t
job_progress (const struct job *j)
{
	return __atomic_load_n (&j->progress, __ATOMIC_RELAXED);
}

struct queue *
job_queue (const struct job *j)
{
	return j->queue.queue;
}

const struct bench_result *
job_result (const struct job *j)
{
	return &j->result;
}

/* --- what to do next --- */

static uint64_t
choose_block (struct job *j)
{
	if (j->kind == PASS_RUN && j->options->random)
		return next_random (j) % j->n_blocks;
	return j->next++ % j->n_blocks;
}

static bool
choose_write (struct job *j)
{
	if (j->kind != PASS_RUN)
		return j->kind == PASS_FILL;
	if (j->options->reads && j->options->writes)
		return next_random (j) >> 63;
	return j->options->writes;
}

/* Sets r to the next request; false when all blocks that were tried are busy. */
static bool
choose_request (struct job *j, struct request *r)
{
	for (int i = 0; i < BLOCK_ATTEMPTS; i++) {
		r->block = choose_block (j);
		if (!j->blocks || !j->blocks[r->block].busy) {
			r->write = choose_write (j);
			return true;
		}
	}
	return false;
}

static uint64_t
block_offset (const struct job *j, uint64_t block)
{
	return (j->first + block) * j->options->block;
}

/* Without verification the data is whatever the slot had. */
static void
prepare_data (struct job *j, struct blk_slot *s, const struct request *r)
{
	struct block *b;

	if (!j->blocks)
		return;
	b = &j->blocks[r->block];
	b->busy = true;
	if (r->write)
		pattern_fill (s->data, j->options->block, block_offset (j, r->block), ++b->generation);
	else
		memset (s->data, 0, j->options->block);	/* what was here must not pass for what was read */
}

static int
submit_one (struct job *j, struct blk_slot *s)
{
	struct request *r = s->user;

	prepare_data (j, s, r);
	r->started = now_ns ();
	return blk_submit (&j->queue, s, r->write ? BLK_WRITE : BLK_READ, block_offset (j, r->block), j->options->block, j->options->segments);
}

int
job_submit (struct job *j)
{
	while (j->left > 0) {
		struct blk_slot *s = blk_take_slot (&j->queue);
		int err;

		if (!s)
			break;
		if (!choose_request (j, s->user)) {
			blk_put_slot (&j->queue, s);
			break;
		}
		err = submit_one (j, s);
		if (err < 0)
			return err;
		j->left--;
	}
	return queue_publish (j->queue.queue);
}

/* --- what came back --- */

static void
note_trouble (struct job *j, const struct request *r, const char *what, uint64_t at)
{
	if (!j->result.trouble[0])
		snprintf (j->result.trouble, sizeof (j->result.trouble), "%s at byte %llu: %s", r->write ? "write" : "read", (unsigned long long) at, what);
}

static void
check_data (struct job *j, const struct blk_slot *s, const struct request *r)
{
	const struct block *b = &j->blocks[r->block];
	uint64_t offset = block_offset (j, r->block);
	size_t where;

	if (r->write || b->generation == 0)
		return;
	j->result.verified++;
	if (pattern_check (s->data, j->options->block, offset, b->generation, &where))
		return;
	j->result.mismatches++;
	note_trouble (j, r, "not what was written", offset + where);
}

static void
finish_request (struct job *j, struct blk_slot *s, uint64_t now)
{
	struct request *r = s->user;

	if (s->error < 0) {
		j->result.errors++;
		note_trouble (j, r, vh_strerror (s->error), block_offset (j, r->block));
	} else if (j->kind == PASS_RUN) {
		histogram_add (&j->result.latency[r->write], now - r->started);
		j->result.bytes[r->write] += j->options->block;
	}
	if (j->blocks) {
		if (s->error == 0)
			check_data (j, s, r);
		else if (r->write)
			j->blocks[r->block].generation = 0;	/* what it holds now is not known */
		j->blocks[r->block].busy = false;
	}
	blk_put_slot (&j->queue, s);
}

int
job_reap (struct job *j)
{
	struct blk_slot *slots[REAP_BATCH];
	int n = blk_reap (&j->queue, slots, REAP_BATCH);
	uint64_t now = n > 0 ? now_ns () : 0;

	for (int i = 0; i < n; i++)
		finish_request (j, slots[i], now);
	if (n > 0) {
		__atomic_store_n (&j->progress, j->progress + n, __ATOMIC_RELAXED);
		queue_get_counters (j->queue.queue, &j->result.notifications);
	}
	return n;
}
