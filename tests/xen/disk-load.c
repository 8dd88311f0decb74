/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random reads and writes through a guest's block driver; see disk-load.h.
 */
#include "disk-load.h"

#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 30000

uint8_t load_expected[LOAD_DISK_BYTES];
unsigned load_wrong;

static unsigned seed;

/* What one queue has to do. */
struct run {
	struct guest_disk *disk;
	unsigned queue;
	unsigned left;		/* requests still to be made */
	unsigned in_flight;
	unsigned depth;
	unsigned next;		/* slot */
	bool busy[LOAD_MAX_SLOTS];
};

void
load_begin (void)
{
	memset (load_expected, 0, sizeof (load_expected));
	load_wrong = 0;
	seed = 1;
}

static unsigned
number_below (unsigned n)
{
	return (unsigned) rand_r (&seed) % n;
}

static uint8_t *
expected_at (const struct disk_slot *s)
{
	return load_expected + s->sector * DISK_SECTOR;
}

static void
fill_slot (struct run *r, struct disk_slot *s, unsigned index)
{
	uint64_t start = (uint64_t) (r->queue * LOAD_MAX_SLOTS + index) * LOAD_SLOT_BYTES;
	uint32_t i;

	s->op = number_below (2) ? DISK_READ : DISK_WRITE;
	s->bytes = (1 + number_below (DISK_MAX_BYTES / DISK_SECTOR)) * DISK_SECTOR;
	s->sector = start / DISK_SECTOR + number_below ((LOAD_SLOT_BYTES - s->bytes) / DISK_SECTOR + 1);
	s->skip = number_below (8) * DISK_SECTOR;
	s->whole = number_below (2);
	s->withhold = false;
	s->user = &r->busy[index];
	for (i = 0; i < s->bytes; i++)
		s->data[s->skip + i] = s->op == DISK_WRITE ? (uint8_t) number_below (256) : 0xdb;
	if (s->op == DISK_WRITE)
		memcpy (expected_at (s), s->data + s->skip, s->bytes);
}

static unsigned
free_slot (struct run *r)
{
	while (r->busy[r->next % disk_slots (r->disk)])
		r->next++;
	return r->next++ % disk_slots (r->disk);
}

static void
submit_some (struct run *r)
{
	struct disk_slot *s;
	unsigned index, n = 0;

	for (; r->left > 0 && r->in_flight < r->depth; r->left--, r->in_flight++, n++) {
		index = free_slot (r);
		s = disk_slot (r->disk, r->queue, index);
		fill_slot (r, s, index);
		r->busy[index] = true;
		disk_submit (r->disk, r->queue, s);
	}
	if (n)
		disk_kick (r->disk, r->queue);
}

static void
check_slot (const struct disk_slot *s)
{
	uint32_t written = s->op == DISK_READ ? s->bytes + 1 : 1;

	load_wrong += s->status != 0 || s->written != written;
	if (s->op == DISK_READ)
		load_wrong += memcmp (s->data + s->skip, expected_at (s), s->bytes) != 0;
}

static void
reap_some (struct run *r)
{
	struct disk_slot *s;

	while ((s = disk_reap (r->disk, r->queue))) {
		check_slot (s);
		*(bool *) s->user = false;
		r->in_flight--;
	}
}

/* Requests on all queues at once, until `unfinished` of them or fewer are not finished. */
static void
run_requests (struct run *runs, unsigned unfinished)
{
	unsigned left, i;

	do {
		for (left = i = 0; i < DISK_QUEUES; i++) {
			reap_some (&runs[i]);
			submit_some (&runs[i]);
			left += runs[i].left + runs[i].in_flight;
		}
		if (left > unfinished && !disk_wait (runs[0].disk, TIMEOUT_MS)) {
			load_wrong++;
			return;
		}
	} while (left > unfinished);
}

void
load_run (struct guest_disk *disk, unsigned requests, unsigned depth, unsigned unfinished)
{
	struct run runs[DISK_QUEUES];
	unsigned i;

	for (i = 0; i < DISK_QUEUES; i++)
		runs[i] = (struct run){ .disk = disk, .queue = i, .left = requests, .depth = depth < disk_slots (disk) ? depth : disk_slots (disk) };
	run_requests (runs, unfinished);
}
