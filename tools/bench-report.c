/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a bench found, for people and as JSON.
 */
#include <jansson.h>
#include <stdio.h>

#include "bench.h"

static const char *const directions[2] = { "read", "write" };

static double
microseconds (uint64_t ns)
{
	return ns / 1e3;
}

/* --- for people --- */

static void
print_direction (const char *name, const struct histogram *h, uint64_t bytes, double seconds)
{
	if (h->count == 0)
		return;
	printf ("%-6s %llu requests, %.0f IOPS, %.1f MB/s\n", name, (unsigned long long) h->count, h->count / seconds, bytes / seconds / 1e6);
	printf ("       latency us: min %.1f, p50 %.1f, p99 %.1f, p99.9 %.1f, max %.1f\n", microseconds (h->min),
		microseconds (histogram_percentile (h, 0.5)), microseconds (histogram_percentile (h, 0.99)),
		microseconds (histogram_percentile (h, 0.999)), microseconds (h->max));
}

static void
print_report (const struct bench *b)
{
	const struct bench_options *o = b->options;
	const struct bench_result *r = &b->result;

	printf ("%s, %u bytes, depth %u, %u %squeue%s, %u thread%s, %s, event index %s, indirect %s%s, %.2f s\n", o->rw, o->block, o->depth, o->queues,
		o->packed ? "packed " : "", o->queues == 1 ? "" : "s", o->threads, o->threads == 1 ? "" : "s", o->poll ? "polling" : "notified",
		b->driver.features & VH_BIT (VH_F_EVENT_IDX) ? "on" : "off", b->driver.features & VH_BIT (VH_F_INDIRECT_DESC) ? "on" : "off",
		o->log ? ", logged" : "", r->seconds);
	for (int i = 0; i < 2; i++)
		print_direction (directions[i], &r->latency[i], r->bytes[i], r->seconds);
	printf ("%llu kicks, %llu calls\n", (unsigned long long) r->notifications.kicks, (unsigned long long) r->notifications.calls);
	if (o->verify)
		printf ("verified %llu blocks, %llu mismatches\n", (unsigned long long) r->verified, (unsigned long long) r->mismatches);
	if (r->errors)
		printf ("%llu requests failed\n", (unsigned long long) r->errors);
}

/* --- as JSON --- */

static json_t *
direction_json (const struct histogram *h, uint64_t bytes, double seconds)
{
	return json_pack ("{s:I, s:f, s:f, s:{s:f, s:f, s:f, s:f, s:f}}", "requests", (json_int_t) h->count, "iops", h->count / seconds, "mb_per_s",
			  bytes / seconds / 1e6, "latency_us", "min", microseconds (h->min), "p50", microseconds (histogram_percentile (h, 0.5)), "p99",
			  microseconds (histogram_percentile (h, 0.99)), "p99_9", microseconds (histogram_percentile (h, 0.999)), "max",
			  microseconds (h->max));
}

static json_t *
options_json (const struct bench *b)
{
	const struct bench_options *o = b->options;

	return json_pack ("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:b, s:b, s:b, s:b}", "rw", o->rw, "bs", (int) o->block, "depth", (int) o->depth, "queues",
			  (int) o->queues, "threads", (int) o->threads, "segments", (int) o->segments, "regions", (int) o->regions, "mode",
			  o->poll ? "poll" : "kick", "event_idx", (b->driver.features & VH_BIT (VH_F_EVENT_IDX)) != 0, "indirect",
			  (b->driver.features & VH_BIT (VH_F_INDIRECT_DESC)) != 0, "packed",
			  (b->driver.features & VH_BIT (VH_F_RING_PACKED)) != 0, "log", (b->driver.features & VH_BIT (VH_F_LOG_ALL)) != 0);
}

static json_t *
report_json (const struct bench *b)
{
	const struct bench_result *r = &b->result;
	json_t *report = json_pack ("{s:o, s:I, s:f, s:I, s:I, s:I}", "options", options_json (b), "capacity", (json_int_t) b->config.capacity, "seconds",
				    r->seconds, "errors", (json_int_t) r->errors, "kicks", (json_int_t) r->notifications.kicks, "calls",
				    (json_int_t) r->notifications.calls);

	for (int i = 0; i < 2; i++)
		if (r->latency[i].count > 0)
			json_object_set_new (report, directions[i], direction_json (&r->latency[i], r->bytes[i], r->seconds));
	if (b->options->verify)
		json_object_set_new (report, "verify",
				     json_pack ("{s:I, s:I}", "blocks", (json_int_t) r->verified, "mismatches", (json_int_t) r->mismatches));
	return report;
}

void
bench_report (const struct bench *b)
{
	json_t *report;

	if (!b->options->json) {
		print_report (b);
		return;
	}
	report = report_json (b);
	json_dumpf (report, stdout, JSON_INDENT (2) | JSON_REAL_PRECISION (9));
	putchar ('\n');
	json_decref (report);
}
