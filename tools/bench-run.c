/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bench from set-up to end.
 */
#include <errno.h>
#include <string.h>

#include "bench.h"

/* Buffers of a request beside its data: header and status. */
#define OTHER_BUFFERS 2

/* Small rings are no saving, and some devices want this many. */
#define LEAST_DESCRIPTORS 128

/* Data that is kept for verification when nobody says how much of the disk to use. */
#define VERIFY_SIZE (256u << 20)

/* --- set-up --- */

static bool
indirect_in_force (const struct bench *b)
{
	return b->options->indirect && vh_frontend_offered_features (b->driver.frontend) & VH_BIT (VH_F_INDIRECT_DESC);
}

static unsigned
needed_descriptors (const struct bench *b)
{
	return b->options->depth * (indirect_in_force (b) ? 1 : b->options->segments + OTHER_BUFFERS);
}

static unsigned
choose_queue_size (const struct bench *b)
{
	unsigned size = LEAST_DESCRIPTORS;

	if (b->options->queue_size)
		return b->options->queue_size;
	while (size < needed_descriptors (b))
		size *= 2;
	return size;
}

static uint64_t
used_size (const struct bench *b)
{
	if (b->options->size)
		return b->options->size;
	return b->options->verify && b->config.capacity > VERIFY_SIZE ? VERIFY_SIZE : b->config.capacity;
}

/* Does the device do what the options say?  0, or an error with words. */
static int
check_device (struct bench *b)
{
	const struct bench_options *o = b->options;
	const struct blk_config *c = &b->config;
	struct driver *d = &b->driver;

	if (o->packed && !(vh_frontend_offered_features (d->frontend) & VH_BIT (VH_F_RING_PACKED)))
		return driver_refuse (d, "the back-end offers no packed rings");
	if (o->log && !driver_can_log (d))
		return driver_refuse (d, "the back-end keeps no log");
	if (c->read_only && (o->writes || o->verify))
		return driver_refuse (d, "the disk is read-only");
	if (o->block % c->block_size)
		return driver_refuse (d, "--bs=%u is no multiple of the disk's block of %u bytes", o->block, c->block_size);
	if (o->segments > c->seg_max || o->block / o->segments > c->size_max)
		return driver_refuse (d, "the disk takes %u segments of %u bytes", c->seg_max, c->size_max);
	if (o->queues > c->queues)
		return driver_refuse (d, "the disk has %u queues, not %u", c->queues, o->queues);
	if (used_size (b) > c->capacity || used_size (b) / o->block < o->queues)
		return driver_refuse (d, "the disk has %llu bytes", (unsigned long long) c->capacity);
	if (needed_descriptors (b) > choose_queue_size (b) || choose_queue_size (b) > 32768)
		return driver_refuse (d, "--depth=%u needs a queue of %u descriptors", o->depth, needed_descriptors (b));
	return 0;
}

static uint64_t
wanted_features (const struct bench_options *o)
{
	return blk_features () | (o->event_idx ? VH_BIT (VH_F_EVENT_IDX) : 0) | (o->indirect ? VH_BIT (VH_F_INDIRECT_DESC) : 0)
	       | (o->packed ? VH_BIT (VH_F_RING_PACKED) : 0);
}

static int
start_driver (struct bench *b)
{
	const struct bench_options *o = b->options;
	struct driver_options d = {
		.features = wanted_features (o),
		.queues = o->queues,
		.queue_size = choose_queue_size (b),
		.indirect = o->segments + OTHER_BUFFERS,
		.poll = o->poll,
		.log = o->log,
		.regions = o->regions,
		.largest_buffer = o->across ? 0 : o->block,
		.memory = blk_queue_bytes (o->depth, o->block) * o->queues,
	};

	return driver_start (&b->driver, &d);
}

/* Each queue gets its part of the disk. */
static int
make_jobs (struct bench *b)
{
	uint64_t blocks = used_size (b) / b->options->block / b->options->queues;

	for (unsigned i = 0; i < b->options->queues; i++) {
		int err = job_new (b, i, blocks * i, blocks, &b->jobs[i]);

		if (err < 0)
			return driver_fail (&b->driver, err, "requests of queue %u", i);
	}
	return 0;
}

int
bench_open (struct bench *b, const struct bench_options *o)
{
	struct driver_connection c = { .protocol_features = UINT64_MAX, .timeout_ms = o->timeout * 1000, .connect_ms = o->timeout * 1000 };
	int err;

	memset (b, 0, sizeof (*b));
	b->options = o;
	err = driver_open (&b->driver, o->socket, &c);
	if (err == 0)
		err = blk_read_config (&b->driver, &b->config);
	if (err == 0)
		err = check_device (b);
	if (err == 0)
		err = start_driver (b);
	return err < 0 ? err : make_jobs (b);
}

void
bench_close (struct bench *b)
{
	for (unsigned i = 0; i < VH_MAX_RINGS; i++)
		job_free (b->jobs[i]);
	driver_close (&b->driver);
}

/* --- passes --- */

static void
add_result (struct bench_result *sum, const struct bench_result *r)
{
	for (int i = 0; i < 2; i++) {
		histogram_merge (&sum->latency[i], &r->latency[i]);
		sum->bytes[i] += r->bytes[i];
	}
	sum->errors += r->errors;
	sum->mismatches += r->mismatches;
	sum->verified += r->verified;
	sum->notifications.kicks += r->notifications.kicks;
	sum->notifications.calls += r->notifications.calls;
	if (!sum->trouble[0])
		memcpy (sum->trouble, r->trouble, sizeof (sum->trouble));
}

static int
run_pass (struct bench *b, enum pass_kind kind)
{
	double seconds = 0;
	int err = pass_run (b, kind, &seconds);

	if (kind == PASS_RUN)
		b->result.seconds = seconds;
	return err < 0 ? driver_fail (&b->driver, err, "requests to the back-end") : 0;
}

int
bench_run (struct bench *b)
{
	const struct bench_options *o = b->options;
	int err = 0;

	if (o->verify && o->reads)
		err = run_pass (b, PASS_FILL);
	if (err == 0)
		err = run_pass (b, PASS_RUN);
	if (err == 0 && o->verify && o->writes)
		err = run_pass (b, PASS_CHECK);
	for (unsigned i = 0; i < o->queues; i++)
		add_result (&b->result, job_result (b->jobs[i]));
	return err < 0 ? err : driver_stop (&b->driver);
}
