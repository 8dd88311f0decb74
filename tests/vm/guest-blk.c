/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs in the guest, linked statically: loads a disk from several threads with
 * O_DIRECT reads and writes and checks every block that comes back.  Each
 * thread owns a part of the disk and sits on one processor, so that with as
 * many processors as queues every queue is in use.  A block's content follows
 * from its offset, the generation (how often it was written) and the seed;
 * the thread remembers the generation, so a lost, misplaced, torn or stale
 * block is noticed.  Also asks for what busybox has no command for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>

enum {
	BLOCK = 4096,
	WORDS = BLOCK / sizeof (uint64_t),
	MAX_BLOCKS = 16,	/* in one request: 64 KiB */
	MAX_THREADS = 64,
	FLUSH_EVERY = 64,	/* writes */
	MAX_COMPLAINTS = 10,	/* lines about bad blocks, of each thread */
};

struct worker {
	pthread_t thread;
	const char *path;
	unsigned index;
	uint64_t first;		/* byte offset of this thread's part */
	uint64_t blocks;	/* its length */
	double seconds;		/* of load */
	int fd;
	uint32_t *generation;	/* of each block; 0: never written */
	uint64_t *buffer;
	uint64_t random;
	uint64_t reads, writes, flushes, checked, bad;
};

static double
now (void)
{
	struct timespec t;

	clock_gettime (CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Marsaglia's xorshift. */
static uint64_t
next_random (struct worker *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random;
}

static uint64_t
block_offset (const struct worker *w, uint64_t block)
{
	return w->first + block * BLOCK;
}

/* The first two words tell where a stray block came from; the others make
 * sure that all of it is of one write. */
static uint64_t
expected_word (uint64_t offset, uint32_t generation, unsigned i)
{
	if (i == 0)
		return offset;
	if (i == 1)
		return generation;
	return (offset + generation + i) * 0x9e3779b97f4a7c15;
}

static void
fill_block (uint64_t *words, uint64_t offset, uint32_t generation)
{
	for (unsigned i = 0; i < WORDS; i++)
		words[i] = expected_word (offset, generation, i);
}

static void
complain (struct worker *w, const char *what, uint64_t offset)
{
	if (w->bad++ < MAX_COMPLAINTS)
		printf ("guest-blk: thread %u: offset %llu: %s\n", w->index,
			(unsigned long long) offset, what);
}

static void
check_block (struct worker *w, const uint64_t *words, uint64_t block)
{
	uint64_t offset = block_offset (w, block);
	char what[128];

	if (w->generation[block] == 0)
		return;
	w->checked++;
	for (unsigned i = 0; i < WORDS; i++) {
		if (words[i] == expected_word (offset, w->generation[block], i))
			continue;
		snprintf (what, sizeof what,
			  "word %u wrong; block says offset %llu generation %llu, wanted generation %u",
			  i, (unsigned long long) words[0],
			  (unsigned long long) words[1], w->generation[block]);
		complain (w, what, offset);
		return;
	}
}

static bool
transfer_worked (struct worker *w, const char *what, ssize_t done,
		 uint64_t offset, size_t length)
{
	if (done == (ssize_t) length)
		return true;
	complain (w, done < 0 ? strerror (errno) : what, offset);
	return false;
}

static bool
read_blocks (struct worker *w, uint64_t block, unsigned n)
{
	uint64_t offset = block_offset (w, block);
	ssize_t done;

	/* What an earlier request left must not pass for an answer. */
	memset (w->buffer, 0xee, (size_t) n * BLOCK);
	done = pread (w->fd, w->buffer, (size_t) n * BLOCK, offset);
	if (!transfer_worked (w, "short read", done, offset,
			      (size_t) n * BLOCK))
		return false;
	for (unsigned i = 0; i < n; i++)
		check_block (w, w->buffer + i * WORDS, block + i);
	w->reads++;
	return true;
}

static bool
flush (struct worker *w)
{
	w->flushes++;
	return transfer_worked (w, "", fsync (w->fd), w->first, 0);
}

static bool
write_blocks (struct worker *w, uint64_t block, unsigned n)
{
	uint64_t offset = block_offset (w, block);
	ssize_t done;

	for (unsigned i = 0; i < n; i++)
		fill_block (w->buffer + i * WORDS, offset + i * BLOCK,
			    ++w->generation[block + i]);
	done = pwrite (w->fd, w->buffer, (size_t) n * BLOCK, offset);
	if (!transfer_worked (w, "short write", done, offset,
			      (size_t) n * BLOCK))
		return false;
	w->writes++;
	return w->writes % FLUSH_EVERY != 0 || flush (w);
}

static bool
one_request (struct worker *w)
{
	unsigned n = 1 + next_random (w) % MAX_BLOCKS;
	uint64_t block = next_random (w) % (w->blocks - n + 1);

	if (next_random (w) & 1)
		return write_blocks (w, block, n);
	return read_blocks (w, block, n);
}

static bool
read_all_back (struct worker *w)
{
	for (uint64_t block = 0; block < w->blocks; block += MAX_BLOCKS) {
		uint64_t left = w->blocks - block;

		if (!read_blocks (w, block,
				  left < MAX_BLOCKS ? left : MAX_BLOCKS))
			return false;
	}
	return true;
}

static void
sit_on_one_cpu (unsigned index)
{
	cpu_set_t set;

	CPU_ZERO (&set);
	CPU_SET (index % (unsigned) sysconf (_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity (0, sizeof set, &set);
}

static int
prepare (struct worker *w)
{
	w->random = 88172645463325252 + w->index;
	w->generation = calloc (w->blocks, sizeof *w->generation);
	w->fd = open (w->path, O_RDWR | O_DIRECT);
	if (w->fd < 0 || w->generation == NULL ||
	    posix_memalign ((void **) &w->buffer, BLOCK,
			    MAX_BLOCKS * BLOCK) != 0)
		return -1;
	return 0;
}

static void *
work (void *opaque)
{
	struct worker *w = opaque;

	sit_on_one_cpu (w->index);
	if (prepare (w) < 0) {
		complain (w, strerror (errno), w->first);
		return NULL;
	}
	/* Something is written however slow the machine was in getting here. */
	for (double end = now () + w->seconds; now () < end || w->writes == 0;)
		if (!one_request (w))
			return NULL;
	if (flush (w))
		read_all_back (w);
	return NULL;
}

static int
report (const struct worker *workers, unsigned n)
{
	struct worker sum = { .bad = 0 };

	for (unsigned i = 0; i < n; i++) {
		sum.reads += workers[i].reads;
		sum.writes += workers[i].writes;
		sum.flushes += workers[i].flushes;
		sum.checked += workers[i].checked;
		sum.bad += workers[i].bad;
	}
	printf ("guest-blk: %u threads, %llu reads, %llu writes, %llu flushes, %llu blocks checked, %llu bad\n",
		n, (unsigned long long) sum.reads,
		(unsigned long long) sum.writes,
		(unsigned long long) sum.flushes,
		(unsigned long long) sum.checked,
		(unsigned long long) sum.bad);
	return sum.bad == 0 && sum.checked > 0 ? 0 : 1;
}

/* stress DEVICE OFFSET LENGTH SECONDS THREADS */
static int
stress (char **argv)
{
	static struct worker workers[MAX_THREADS];
	uint64_t offset = strtoull (argv[1], NULL, 0);
	uint64_t length = strtoull (argv[2], NULL, 0);
	double seconds = atof (argv[3]);
	unsigned n = atoi (argv[4]), started;

	if (n == 0 || n > MAX_THREADS || length / n / BLOCK < MAX_BLOCKS ||
	    offset % BLOCK != 0) {
		fprintf (stderr, "guest-blk: bad numbers\n");
		return 2;
	}
	for (started = 0; started < n; started++) {
		struct worker *w = &workers[started];

		w->path = argv[0];
		w->index = started;
		w->blocks = length / n / BLOCK;
		w->first = offset + started * w->blocks * BLOCK;
		w->seconds = seconds;
		if (pthread_create (&w->thread, NULL, work, w) != 0) {
			complain (w, "no thread", w->first);
			break;
		}
	}
	for (unsigned i = 0; i < started; i++)
		pthread_join (workers[i].thread, NULL);
	return report (workers, n);
}

/* --- reread --- */

static volatile sig_atomic_t last_signal;

static void
keep_signal (int number)
{
	last_signal = number;
}

static bool
write_all (struct worker *w)
{
	for (uint64_t block = 0; block < w->blocks; block += MAX_BLOCKS)
		if (!write_blocks (w, block, MAX_BLOCKS))
			return false;
	return flush (w);
}

/* Reads all blocks, each to another place than the last time, so that what was
 * there does not pass for an answer though nobody clears it. */
static bool
read_pass (struct worker *w, uint64_t *buffer, uint64_t pass)
{
	uint64_t shift = pass * MAX_BLOCKS % w->blocks;

	for (uint64_t i = 0; i < w->blocks; i += MAX_BLOCKS) {
		uint64_t offset = block_offset (w, (i + shift) % w->blocks);
		ssize_t done = pread (w->fd, buffer + i * WORDS,
				      MAX_BLOCKS * BLOCK, offset);

		if (!transfer_worked (w, "short read", done, offset,
				      MAX_BLOCKS * BLOCK))
			return false;
		w->reads++;
	}
	for (uint64_t i = 0; i < w->blocks; i++)
		check_block (w, buffer + i * WORDS, (i + shift) % w->blocks);
	return true;
}

/* reread DEVICE OFFSET LENGTH: writes once, then reads into memory that nobody
 * but the device touches in between, and checks it, until SIGTERM. */
static int
reread (char **argv)
{
	struct worker w = { .path = argv[0], .first = strtoull (argv[1], NULL, 0) };
	uint64_t *buffer, pass = 0;

	w.blocks = strtoull (argv[2], NULL, 0) / BLOCK / MAX_BLOCKS * MAX_BLOCKS;
	signal (SIGTERM, keep_signal);
	if (w.blocks == 0 || posix_memalign ((void **) &buffer, BLOCK, w.blocks * BLOCK) != 0 ||
	    prepare (&w) < 0 || !write_all (&w)) {
		fprintf (stderr, "guest-blk: cannot write %s\n", argv[0]);
		return 1;
	}
	memset (buffer, 0, w.blocks * BLOCK);
	while (!last_signal && read_pass (&w, buffer, pass))
		pass++;
	printf ("guest-blk: %llu passes\n", (unsigned long long) pass);
	return report (&w, 1);
}

/* discard | zero DEVICE OFFSET LENGTH */
static int
range_ioctl (unsigned long request, char **argv)
{
	uint64_t range[2] = {
		strtoull (argv[1], NULL, 0), strtoull (argv[2], NULL, 0)
	};
	int fd = open (argv[0], O_RDWR);

	if (fd < 0 || ioctl (fd, request, range) < 0) {
		fprintf (stderr, "guest-blk: %s: %s\n", argv[0],
			 strerror (errno));
		return 1;
	}
	close (fd);
	return 0;
}

int
main (int argc, char **argv)
{
	setvbuf (stdout, NULL, _IOLBF, 0);
	if (argc == 7 && strcmp (argv[1], "stress") == 0)
		return stress (argv + 2);
	if (argc == 5 && strcmp (argv[1], "reread") == 0)
		return reread (argv + 2);
	if (argc == 5 && strcmp (argv[1], "discard") == 0)
		return range_ioctl (BLKDISCARD, argv + 2);
	if (argc == 5 && strcmp (argv[1], "zero") == 0)
		return range_ioctl (BLKZEROOUT, argv + 2);
	fprintf (stderr,
		 "usage: guest-blk stress DEVICE OFFSET LENGTH SECONDS THREADS\n"
		 "       guest-blk reread DEVICE OFFSET LENGTH\n"
		 "       guest-blk discard|zero DEVICE OFFSET LENGTH\n");
	return 2;
}
