/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device.  Bytes are had before a request is taken, so that none waits in the device: what the source or the rate does not give yet stays in the ring,
 * which is woken when there is more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <vhost/error.h>

#include "devices/common/totals.h"
#include "devices/rng/device.h"

/* Most bytes for one request, which asks for 64 in Linux: a device may give less than it is asked for. */
#define MAX_BYTES 4096

/* How soon a source that failed is tried again, in ms. */
#define RETRY_MS 1000

struct rng {
	struct vh_device vh;
	struct log log;
	struct totals totals;
	int fd;				/* the source; -1: the kernel's generator */
	unsigned max_bytes, period;
	uint64_t bytes;			/* given so far; written in the ring's thread, read in the control thread */

	/* --- the ring's thread --- */
	struct vh_ring *ring;
	struct vh_source *readable;	/* NULL: the source is not waited for */
	struct vh_timer *wait;		/* for the next period, or for a source that failed */
	int64_t period_end;		/* ms */
	unsigned quota;			/* bytes left in this period */
	bool failed;			/* the source did, the last time; it was said */
	unsigned n_ready;		/* bytes that were had from the source */
	uint8_t ready[MAX_BYTES];
};

/* --- the source --- */

static void
source_readable (void *opaque, uint32_t events)
{
	struct rng *d = opaque;

	vh_source_remove (d->readable);
	d->readable = NULL;
	vh_ring_wake (d->ring);
}

static void
waited (void *opaque)
{
	struct rng *d = opaque;

	vh_ring_wake (d->ring);
}

/* The source has nothing, or fails: the ring is woken when that may have changed. */
static void
source_wait (struct rng *d, int err)
{
	if (err == -EAGAIN && !d->readable)
		err = vh_loop_add_fd (vh_ring_loop (d->ring), d->fd, EPOLLIN, source_readable, d, &d->readable);
	if (err == 0 || err == -EAGAIN)
		return;
	if (!d->failed)
		log_say (&d->log, VH_LOG_WARNING, "cannot be read: %s", vh_strerror (err));
	d->failed = true;
	vh_timer_set (d->wait, RETRY_MS);
}

static ssize_t
source_read (struct rng *d, unsigned n)
{
	ssize_t got;

	do
		got = d->fd < 0 ? getrandom (d->ready, n, 0) : read (d->fd, d->ready, n);
	while (got < 0 && errno == EINTR);
	return got > 0 ? got : got == 0 ? -ENODATA : -errno;
}

/* --- the rate --- */

static int64_t
now_ms (void)
{
	struct timespec t;

	clock_gettime (CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C (1000) + t.tv_nsec / 1000000;
}

/* How many bytes may be had now; when it is none, the ring is woken in the next period.  A guest that starts its ring again stays in its period. */
static unsigned
allowed (struct rng *d)
{
	int64_t now;

	if (!d->max_bytes)
		return MAX_BYTES;
	now = now_ms ();
	if (now >= d->period_end) {
		d->quota = d->max_bytes;
		d->period_end = now + d->period;
	}
	if (d->quota == 0)
		vh_timer_set (d->wait, d->period_end - now);
	return d->quota < MAX_BYTES ? d->quota : MAX_BYTES;
}

/* Are there bytes to give, or can they be had? */
static bool
fill (struct rng *d)
{
	unsigned n = d->n_ready ? 0 : allowed (d);
	ssize_t got;

	if (n == 0)
		return d->n_ready > 0;
	got = source_read (d, n);
	if (got < 0) {
		source_wait (d, got);
		return false;
	}
	d->failed = false;
	d->quota -= d->max_bytes ? got : 0;
	d->n_ready = got;
	return true;
}

/* --- the ring --- */

static int
ring_start (void *opaque, struct vh_ring *ring)
{
	struct rng *d = opaque;

	d->ring = ring;
	return vh_loop_add_timer (vh_ring_loop (ring), waited, d, &d->wait);
}

static void
ring_stop (void *opaque, struct vh_ring *ring)
{
	struct rng *d = opaque;

	vh_timer_remove (d->wait);
	vh_source_remove (d->readable);
	d->readable = NULL;
}

/* Gives what is there, from its end; no byte is given twice. */
static uint32_t
serve (struct rng *d, const struct vh_request *r)
{
	unsigned n = r->in_bytes < d->n_ready ? r->in_bytes : d->n_ready;

	n = vh_parts_write (r->in, r->n_in, 0, d->ready + d->n_ready - n, n);
	d->n_ready -= n;
	explicit_bzero (d->ready + d->n_ready, n);
	__atomic_store_n (&d->bytes, d->bytes + n, __ATOMIC_RELAXED);
	return n;
}

static void
ring_process (void *opaque, struct vh_ring *ring)
{
	struct rng *d = opaque;
	struct vh_request *r;

	while (fill (d) && vh_ring_take (ring, &r, 1) > 0)
		vh_ring_give (ring, r, serve (d, r));
	vh_ring_flush (ring);
}

/* --- the front-end --- */

static void
connected (void *opaque, struct vh_backend *backend)
{
	struct rng *d = opaque;

	totals_connected (&d->totals, backend);
}

static void
disconnected (void *opaque, struct vh_backend *backend)
{
	struct rng *d = opaque;

	totals_disconnected (&d->totals);
}

static const struct vh_device_ops device_ops = {
	.size = sizeof (device_ops),
	.connected = connected,
	.disconnected = disconnected,
	.ring_start = ring_start,
	.ring_process = ring_process,
	.ring_stop = ring_stop,
};

void
rng_print_stats (void *rng)
{
	struct rng *d = rng;
	struct vh_ring_counters c;

	totals_get (&d->totals, 0, &c);
	log_answer (&d->log, "%llu bytes, %llu requests, %llu batches, %llu kicks, %llu calls",
		    (unsigned long long) __atomic_load_n (&d->bytes, __ATOMIC_RELAXED), (unsigned long long) c.requests,
		    (unsigned long long) c.batches, (unsigned long long) c.kicks, (unsigned long long) c.calls);
}

/* --- making --- */

/* A file that ends is no source.  A pipe is opened for writing, too: it has no end then. */
static int
source_open (const char *path)
{
	struct stat st;
	int fd;

	if (stat (path, &st) < 0)
		return -errno;
	if (!S_ISCHR (st.st_mode) && !S_ISFIFO (st.st_mode))
		return -EINVAL;
	fd = open (path, (S_ISFIFO (st.st_mode) ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static void
describe (struct rng *d, const struct rng_options *o)
{
	d->vh = (struct vh_device){
		.size = sizeof (d->vh),
		.ops = &device_ops,
		.opaque = d,
		.name = d->log.name,
		.features = options_ring_features (&o->common),
		.rings = 1,
		.protocol_features = options_protocol_features (&o->common),
		.max_ring_size = o->common.queue_size,
	};
}

int
rng_new (const struct device_options *common, const struct log *log, const struct vh_device **ret)
{
	const struct rng_options *o = (const struct rng_options *) common;
	struct rng *d = calloc (1, sizeof (*d));
	int err = d ? totals_init (&d->totals, 1) : -ENOMEM;

	if (err < 0) {
		log_say (log, VH_LOG_ERROR, "%s", vh_strerror (err));
		free (d);
		return err;
	}
	d->log = *log;
	d->log.name = o->source ? o->source : "random";
	d->max_bytes = o->max_bytes;
	d->period = o->period;
	d->fd = o->source ? source_open (o->source) : -1;
	if (o->source && d->fd < 0) {
		err = d->fd;
		log_say (&d->log, VH_LOG_ERROR, "%s", err == -EINVAL ? "a source is a character device or a pipe" : vh_strerror (err));
		rng_free (d);
		return err;
	}
	describe (d, o);
	*ret = &d->vh;
	return 0;
}

void
rng_free (void *rng)
{
	struct rng *d = rng;

	if (d->fd >= 0)
		close (d->fd);
	totals_free (&d->totals);
	free (d);
}
