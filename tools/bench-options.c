/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line of vhost-user-bench.
 */
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <vhost/queue.h>
#include <vhost/version.h>

#include "arguments.h"
#include "bench.h"

#define PROGRAM "vhost-user-bench"

#define MAX_BLOCK (4u << 20)
#define MAX_DEPTH 4096
#define MAX_REGIONS VH_MAX_REGIONS

static const char help[] =
	"usage: " PROGRAM " [OPTION...] SOCKET\n"
	"Loads the vhost-user-blk back-end that listens at SOCKET, as a guest's driver would.\n"
	"Writing modes and --verify destroy what is on the disk.\n"
	"\n"
	"  --rw=MODE           read, write, randread, randwrite, randrw [randread]\n"
	"  --bs=BYTES          size of a request [4K]\n"
	"  --depth=N           requests in flight for each queue [32]\n"
	"  --queues=N          [1]\n"
	"  --threads=N         threads that drive the queues [one for each]\n"
	"  --time=SECONDS      how long [5]\n"
	"  --count=N           how many requests, instead\n"
	"  --size=BYTES        how much of the disk to use [all; 256M with --verify]\n"
	"  --verify            write a pattern, and check what is read\n"
	"  --event-idx=on|off  [on]\n"
	"  --indirect=on|off   [on]\n"
	"  --packed=on|off     packed rings in place of split ones [off]\n"
	"  --mode=kick|poll    sleep until the device notifies, or watch the rings [kick]\n"
	"  --log=on|off        have it log what it writes to the memory, as during a migration [off]\n"
	"  --segments=N        parts that the data of a request is cut into [1]\n"
	"  --regions=N         regions that the memory is cut into, 1..509 [1]\n"
	"  --across            let data lie across the edges of regions, which not all back-ends take\n"
	"  --queue-size=N      descriptors, a power of two but of packed rings [as needed]\n"
	"  --timeout=SECONDS   for the back-end to answer, or to finish a request [10]\n"
	"  --json              the result as JSON\n"
	"  --help, --version\n";

enum option_id {
	OPTION_RW,
	OPTION_BS,
	OPTION_DEPTH,
	OPTION_QUEUES,
	OPTION_THREADS,
	OPTION_TIME,
	OPTION_COUNT,
	OPTION_SIZE,
	OPTION_SEGMENTS,
	OPTION_REGIONS,
	OPTION_QUEUE_SIZE,
	OPTION_TIMEOUT,
	OPTION_EVENT_IDX,
	OPTION_INDIRECT,
	OPTION_PACKED,
	OPTION_MODE,
	OPTION_LOG,
	OPTION_VERIFY,
	OPTION_ACROSS,
	OPTION_JSON,
	OPTION_HELP,
	OPTION_VERSION,
	OPTIONS
};

static const struct option long_options[] = {
	{ "rw", required_argument, NULL, OPTION_RW },
	{ "bs", required_argument, NULL, OPTION_BS },
	{ "depth", required_argument, NULL, OPTION_DEPTH },
	{ "queues", required_argument, NULL, OPTION_QUEUES },
	{ "threads", required_argument, NULL, OPTION_THREADS },
	{ "time", required_argument, NULL, OPTION_TIME },
	{ "count", required_argument, NULL, OPTION_COUNT },
	{ "size", required_argument, NULL, OPTION_SIZE },
	{ "segments", required_argument, NULL, OPTION_SEGMENTS },
	{ "regions", required_argument, NULL, OPTION_REGIONS },
	{ "queue-size", required_argument, NULL, OPTION_QUEUE_SIZE },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "event-idx", required_argument, NULL, OPTION_EVENT_IDX },
	{ "indirect", required_argument, NULL, OPTION_INDIRECT },
	{ "packed", required_argument, NULL, OPTION_PACKED },
	{ "mode", required_argument, NULL, OPTION_MODE },
	{ "log", required_argument, NULL, OPTION_LOG },
	{ "verify", no_argument, NULL, OPTION_VERIFY },
	{ "across", no_argument, NULL, OPTION_ACROSS },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

#define FIELD(name) offsetof (struct bench_options, name), sizeof (((struct bench_options *) 0)->name)

/* Options that are numbers: where they go, and what they may be.  max 0: not one of them. */
static const struct {
	size_t offset, size;
	uint64_t min, max;
	bool suffix;
} numbers[OPTIONS] = {
	[OPTION_BS] = { FIELD (block), BLK_SECTOR, MAX_BLOCK, true },
	[OPTION_DEPTH] = { FIELD (depth), 1, MAX_DEPTH, false },
	[OPTION_QUEUES] = { FIELD (queues), 1, VH_MAX_RINGS, false },
	[OPTION_THREADS] = { FIELD (threads), 1, VH_MAX_RINGS, false },
	[OPTION_TIME] = { FIELD (seconds), 1, 7 * 24 * 3600, false },
	[OPTION_COUNT] = { FIELD (count), 1, UINT64_C (1) << 48, true },
	[OPTION_SIZE] = { FIELD (size), BLK_SECTOR, UINT64_C (1) << 60, true },
	[OPTION_SEGMENTS] = { FIELD (segments), 1, BLK_MAX_SEGMENTS, false },
	[OPTION_REGIONS] = { FIELD (regions), 1, MAX_REGIONS, false },
	[OPTION_QUEUE_SIZE] = { FIELD (queue_size), 2, VH_MAX_RING_SIZE, false },
	[OPTION_TIMEOUT] = { FIELD (timeout), 1, 3600, false },
};

static void
set_number (struct bench_options *o, int id, uint64_t n)
{
	void *field = (char *) o + numbers[id].offset;

	if (numbers[id].size == sizeof (uint64_t))
		*(uint64_t *) field = n;
	else
		*(unsigned *) field = n;
}

static bool
set_rw (struct bench_options *o, const char *text)
{
	static const char *const modes[] = { "read", "write", "randread", "randwrite", "randrw", NULL };
	int mode = parse_choice (text, modes);

	if (mode < 0)
		return false;
	o->rw = modes[mode];
	o->random = mode >= 2;
	o->writes = mode == 1 || mode >= 3;
	o->reads = mode == 0 || mode == 2 || mode == 4;
	return true;
}

static bool
set_choice (const char *text, const char *no, const char *yes, bool *ret)
{
	const char *const choices[] = { no, yes, NULL };
	int choice = parse_choice (text, choices);

	*ret = choice == 1;
	return choice >= 0;
}

static bool
set_option (struct bench_options *o, int id, const char *text)
{
	uint64_t n;

	switch (id) {
	case OPTION_RW:
		return set_rw (o, text);
	case OPTION_EVENT_IDX:
		return set_choice (text, "off", "on", &o->event_idx);
	case OPTION_INDIRECT:
		return set_choice (text, "off", "on", &o->indirect);
	case OPTION_PACKED:
		return set_choice (text, "off", "on", &o->packed);
	case OPTION_MODE:
		return set_choice (text, "kick", "poll", &o->poll);
	case OPTION_LOG:
		return set_choice (text, "off", "on", &o->log);
	case OPTION_VERIFY:
		return o->verify = true;
	case OPTION_ACROSS:
		return o->across = true;
	case OPTION_JSON:
		return o->json = true;
	default:
		if (!parse_number (text, numbers[id].suffix, numbers[id].min, numbers[id].max, &n))
			return false;
		set_number (o, id, n);
		return true;
	}
}

/* What only shows when all is read. */
static int
check_options (struct bench_options *o, int argc, char **argv)
{
	if (optind + 1 != argc)
		return usage_error (PROGRAM, "one socket is needed, not %d", argc - optind);
	o->socket = argv[optind];
	if (o->seconds && o->count)
		return usage_error (PROGRAM, "--time and --count exclude each other");
	if (!o->seconds && !o->count)
		o->seconds = 5;
	if (o->block % BLK_SECTOR || o->block / o->segments < BLK_SECTOR)
		return usage_error (PROGRAM, "--bs=%u cannot be cut into %u parts of whole sectors", o->block, o->segments);
	if (!o->packed && o->queue_size & (o->queue_size - 1))
		return usage_error (PROGRAM, "--queue-size=%u is no power of two", o->queue_size);
	if (o->threads > o->queues)
		return usage_error (PROGRAM, "--threads=%u are more than the queues", o->threads);
	if (!o->threads)
		o->threads = o->queues;
	return 0;
}

int
bench_parse (int argc, char **argv, struct bench_options *o)
{
	int id, which = 0;

	*o = (struct bench_options){ .block = 4096, .depth = 32, .queues = 1, .segments = 1, .regions = 1, .timeout = 10 };
	o->event_idx = o->indirect = true;
	set_rw (o, "randread");
	opterr = 0;
	while ((id = getopt_long (argc, argv, ":", long_options, &which)) != -1) {
		if (id == '?')
			return usage_error (PROGRAM, "unknown option %s", argv[optind - 1]);
		if (id == ':')
			return usage_error (PROGRAM, "%s needs a value", argv[optind - 1]);
		if (id == OPTION_HELP || id == OPTION_VERSION) {
			fputs (id == OPTION_HELP ? help : PROGRAM " (libvhost) " VH_VERSION_STRING "\n", stdout);
			return 1;
		}
		if (!set_option (o, id, optarg))
			return usage_error (PROGRAM, "--%s does not take \"%s\"", long_options[which].name, optarg);
	}
	return check_options (o, argc, argv);
}
