/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rng-requests SOCKET SIZE...: has a buffer of each size filled by an entropy device, in three pieces with a byte between them that is not its, and prints
 * what came, a line each.  Checks that the device wrote what it says that it wrote, and nothing else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "must.h"

#define ROOM (1u << 20)
#define PIECES 3
#define WAIT_MS 60000
#define UNTOUCHED 0xa5

struct rig {
	struct driver driver;
	uint64_t addr;
	uint8_t *data;
	size_t in_use;		/* bytes of data that belong to the request, and those between them */
};

static void
rig_open (struct rig *r, const char *socket)
{
	struct driver_options options = { .queues = 1, .queue_size = 16, .regions = 1, .memory = ROOM, .features = VH_BIT (VH_F_EVENT_IDX) };

	must_connect (&r->driver, socket, WAIT_MS);
	must_start (&r->driver, &options);
	r->addr = must_alloc (&r->driver, ROOM / 2, 1);
	r->data = guest_at (&r->driver.guest, r->addr);
}

/* The pieces of a request; empty ones are left out, but not all. */
static unsigned
cut (struct rig *r, size_t size, struct queue_buffer *ret)
{
	unsigned n = 0;

	r->in_use = 0;
	for (unsigned i = 0; i < PIECES; i++) {
		size_t bytes = i < PIECES - 1 ? size / PIECES : size - size / PIECES * (PIECES - 1);

		if (bytes == 0)
			continue;
		ret[n++] = (struct queue_buffer){ r->addr + r->in_use, bytes };
		r->in_use += bytes + 1;
	}
	return n;
}

static uint32_t
ask (struct rig *r, const struct queue_buffer *pieces, unsigned n)
{
	struct queue *q = r->driver.queues[0];
	struct queue_done done;

	memset (r->data, UNTOUCHED, ROOM / 2);
	if (queue_add (q, pieces, 0, n, r) < 0 || queue_publish (q) < 0)
		die ("a request cannot be made");
	if (!must_reap (&r->driver, 0, &done, WAIT_MS))
		die ("no answer to a request");
	return done.written;
}

/* Prints the bytes that were written; all others are as they were. */
static void
check (const struct rig *r, const struct queue_buffer *pieces, unsigned n, uint32_t written)
{
	size_t at = 0;

	for (unsigned i = 0; i < n; i++)
		for (uint32_t k = 0; k <= pieces[i].size; k++, at++) {
			if (k < pieces[i].size && written > 0) {
				printf ("%02x", r->data[at]);
				written--;
			} else if (r->data[at] != UNTOUCHED) {
				die ("byte %zu was written", at);
			}
		}
	printf ("\n");
	for (; at < ROOM / 2; at++)
		if (r->data[at] != UNTOUCHED)
			die ("byte %zu was written", at);
}

/* A request without any room: the device gives it back. */
static void
ask_for_nothing (struct rig *r)
{
	const struct queue_buffer piece = { r->addr, 16 };
	struct queue *q = r->driver.queues[0];
	struct queue_done done;

	if (queue_add (q, &piece, 1, 0, r) < 0 || queue_publish (q) < 0)
		die ("a request cannot be made");
	if (!must_reap (&r->driver, 0, &done, WAIT_MS))
		die ("no answer to a request without room");
	if (done.written != 0)
		die ("%u bytes in no room", done.written);
	printf ("\n");
}

int
main (int argc, char **argv)
{
	struct rig r = { 0 };

	if (argc < 3)
		die ("usage: rng-requests SOCKET SIZE...");
	rig_open (&r, argv[1]);
	for (int i = 2; i < argc; i++) {
		struct queue_buffer pieces[PIECES];
		size_t size = strtoul (argv[i], NULL, 10);
		unsigned n = size < ROOM / 4 ? cut (&r, size, pieces) : 0;

		if (n == 0)
			ask_for_nothing (&r);
		else
			check (&r, pieces, n, ask (&r, pieces, n));
		fflush (stdout);
	}
	must_stop (&r.driver);
	return 0;
}
