/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest with a ring and in-flight records, a driver that keeps count, and a device that is slow and out of order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/crash/world.h"

#define AREA_SIZE 4096u

/* What the shared parts of the guest end at; a packed ring has less. */
#define SPLIT_RING 8u
#define PACKED_RING 7u	/* chains wrap around its end in all ways */
#define DESC_BYTES (SPLIT_RING * 16)
#define AVAIL_BYTES (6 + 2 * SPLIT_RING)
#define USED_BYTES (6 + 8 * SPLIT_RING)
#define DATA_BYTES (64 * WORLD_SLOTS)

/*
 * A slot has the number of its request at its data, the answer 32 bytes behind that, and a table of both descriptors elsewhere: the chains of every other
 * slot of a packed ring are one descriptor that leads to it.
 */
static uint64_t
data_of (unsigned slot)
{
	return GUEST_DATA + 64 * (uint64_t) slot;
}

static uint64_t
table_of (unsigned slot)
{
	return GUEST_DATA + 0x1000 + 32 * (uint64_t) slot;
}

static bool
is_indirect (const struct world *w, unsigned slot)
{
	return w->is_packed && slot % 2 == 1;
}

static void *
shared (size_t size, int fd)
{
	void *p = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

	if (p == MAP_FAILED) {
		perror ("mmap");
		exit (EXIT_FAILURE);
	}
	return p;
}

static void
write_slot (struct world *w, unsigned slot)
{
	if (w->is_packed) {
		packed_write (&w->packed, table_of (slot), 0, data_of (slot), 4, 0, 0);
		packed_write (&w->packed, table_of (slot), 1, data_of (slot) + 32, 4, 0, WRITE);
	} else {
		guest_desc (w->guest, GUEST_DESC, 2 * slot, data_of (slot), 4, NEXT, 2 * slot + 1);
		guest_desc (w->guest, GUEST_DESC, 2 * slot + 1, data_of (slot) + 32, 4, WRITE, 0);
	}
}

void
world_open (struct world *w, bool is_packed)
{
	struct vh_region spec = { .size = AREA_SIZE };

	memset (w, 0, sizeof (*w));
	w->is_packed = is_packed;
	w->guest = &w->packed.g;
	if (is_packed)
		packed_open (&w->packed, PACKED_RING, VH_BIT (VH_F_INDIRECT_DESC));
	else
		guest_open (w->guest, SPLIT_RING, 0);
	w->area_fd = memfd_create ("area", MFD_CLOEXEC);
	if (w->area_fd < 0 || ftruncate (w->area_fd, AREA_SIZE) < 0 || region_new (&spec, w->area_fd, &w->guest->setup.inflight.region) < 0) {
		perror ("area");
		exit (EXIT_FAILURE);
	}
	w->guest->setup.inflight.entries = SPLIT_RING;
	w->area = shared (AREA_SIZE, w->area_fd);
	w->ledger = shared (sizeof (*w->ledger), -1);
	for (unsigned slot = 0; slot < WORLD_SLOTS; slot++) {
		w->request_of[slot] = -1;
		write_slot (w, slot);
	}
}

void
world_close (struct world *w)
{
	munmap (w->area, AREA_SIZE);
	munmap (w->ledger, sizeof (*w->ledger));
	region_unref (w->guest->setup.inflight.region);
	close (w->area_fd);
	guest_close (w->guest);
}

/* --- copies --- */

static const struct {
	uint64_t addr;
	size_t size;
} guest_parts[] = { { GUEST_DESC, DESC_BYTES }, { GUEST_AVAIL, AVAIL_BYTES }, { GUEST_USED, USED_BYTES }, { GUEST_DATA, DATA_BYTES } };

#define GUEST_PARTS (sizeof (guest_parts) / sizeof (guest_parts[0]))

void
world_copy (struct world *to, const struct world *from)
{
	for (unsigned i = 0; i < GUEST_PARTS; i++)
		memcpy (guest_at (to->guest, guest_parts[i].addr), guest_at (from->guest, guest_parts[i].addr), guest_parts[i].size);
	memcpy (to->area, from->area, AREA_SIZE);
	*to->ledger = *from->ledger;
	to->guest->avail = from->guest->avail;
	to->packed.next = from->packed.next;
	to->packed.used = from->packed.used;
	to->made = from->made;
	to->done = from->done;
	memcpy (to->request_of, from->request_of, sizeof (to->request_of));
	to->seen = from->seen;
	to->wrong = from->wrong;
}

bool
world_differs (const struct world *a, const struct world *b)
{
	for (unsigned i = 0; i < GUEST_PARTS; i++)
		if (memcmp (guest_at (a->guest, guest_parts[i].addr), guest_at (b->guest, guest_parts[i].addr), guest_parts[i].size) != 0)
			return true;
	return memcmp (a->area, b->area, AREA_SIZE) != 0 || memcmp (a->ledger, b->ledger, sizeof (*a->ledger)) != 0;
}

/* --- the driver --- */

static void
complain (struct world *w, const char *what)
{
	if (!w->wrong)
		w->wrong = what;
}

/* The slot of the next used element; -1: there is none, or it is of no slot. */
static int
driver_next_used (struct world *w, bool *any)
{
	struct packed_used u;
	uint32_t id;

	*any = true;
	if (!w->is_packed) {
		*any = w->seen != guest_used_idx (w->guest);
		id = *any ? guest_used_id (w->guest, w->seen++) : 1;
		return id % 2 == 0 && id / 2 < WORLD_SLOTS ? (int) id / 2 : -1;
	}
	*any = packed_reap (&w->packed, 0, &u);
	if (!*any || u.id >= WORLD_SLOTS)
		return -1;
	w->packed.used = packed_forward (&w->packed, w->packed.used, is_indirect (w, u.id) ? 1 : 2);
	return (int) u.id;
}

/* The next used element: of a request that is in flight, done at least once, and answered.  False: there is none. */
static bool
driver_collect (struct world *w)
{
	bool any;
	int slot = driver_next_used (w, &any), request = slot < 0 ? -1 : w->request_of[slot];
	uint32_t answer;

	if (!any)
		return false;
	if (request < 0) {
		complain (w, "used what is not in flight");
		return false;
	}
	w->request_of[slot] = -1;
	w->done++;
	memcpy (&answer, guest_at (w->guest, data_of ((unsigned) slot) + 32), sizeof (answer));
	if (w->ledger->executed[request] == 0 || answer != ~(uint32_t) request)
		complain (w, "used what was not done");
	return true;
}

static void
driver_make (struct world *w, unsigned slot)
{
	uint32_t request = w->made++;

	memcpy (guest_at (w->guest, data_of (slot)), &request, sizeof (request));
	w->request_of[slot] = (int) request;
	if (is_indirect (w, slot))
		packed_add_table (&w->packed, table_of (slot), 32, slot);
	else if (w->is_packed) {
		packed_add (&w->packed, data_of (slot), 4, 0xeeee, NEXT);
		packed_add (&w->packed, data_of (slot) + 32, 4, slot, WRITE);
	} else
		guest_offer (w->guest, 2 * slot);
}

bool
world_drive (struct world *w)
{
	while (!w->wrong && driver_collect (w))
		;
	/* Not in the order of slots. */
	for (unsigned i = 0; i < WORLD_SLOTS; i++) {
		unsigned slot = (i * 3 + w->made) % WORLD_SLOTS;

		if (w->request_of[slot] < 0 && w->made < WORLD_REQUESTS)
			driver_make (w, slot);
	}
	if (w->ledger->out_of_order)
		complain (w, "requests were not taken in their order");
	return !w->wrong && w->done < WORLD_REQUESTS;
}

/* --- a life --- */

static uint32_t
device_read (const struct vh_request *r)
{
	uint32_t request = 0;

	vh_parts_read (r->out, r->n_out, 0, &request, sizeof (request));
	return request % WORLD_REQUESTS;
}

static void
device_execute (struct world *w, struct vh_request *r)
{
	uint32_t request = device_read (r), answer = ~request;

	vh_parts_write (r->in, r->n_in, 0, &answer, sizeof (answer));
	w->ledger->executed[request]++;
	vh_ring_give (w->guest->ring, r, sizeof (answer));
}

/* Takes all there is, in pieces; then publishes two, and the others, the last one first. */
static int
device_process (struct world *w)
{
	struct vh_request *reqs[WORLD_SLOTS];
	int n = 0, more, last = -1;

	while (n < (int) WORLD_SLOTS && (more = vh_ring_take (w->guest->ring, reqs + n, n == 0 ? 3 : 1)) != 0) {
		if (more < 0)
			return more;
		n += more;
	}
	for (int i = 0; i < n; i++) {
		if ((int) device_read (reqs[i]) < last)
			w->ledger->out_of_order++;
		last = (int) device_read (reqs[i]);
	}
	for (int i = n - 1; i >= 0; i--) {
		device_execute (w, reqs[i]);
		if (n - i == (w->gives_one ? 1 : 2))
			vh_ring_flush (w->guest->ring);
		if (w->gives_one)
			return 0;
	}
	vh_ring_flush (w->guest->ring);
	return 0;
}

int
world_live (struct world *w)
{
	uint16_t avail = w->guest->avail;
	int err;

	/* What a front-end sends that was not told anything. */
	if (!w->is_packed)
		w->guest->setup.base = guest_used_idx (w->guest);
	err = guest_start (w->guest);
	w->guest->avail = avail;
	if (err == 0)
		err = device_process (w);
	ring_free (w->guest->ring);
	w->guest->ring = NULL;
	return err;
}
