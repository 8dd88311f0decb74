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
#define HEADS (WORLD_RING / WORLD_CHAIN)

/* What the shared parts of the guest end at. */
#define DESC_BYTES (WORLD_RING * 16)
#define AVAIL_BYTES (6 + 2 * WORLD_RING)
#define USED_BYTES (6 + 8 * WORLD_RING)

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

void
world_open (struct world *w)
{
	struct vh_region spec = { .size = AREA_SIZE };

	memset (w, 0, sizeof (*w));
	guest_open (&w->guest, WORLD_RING, 0);
	w->area_fd = memfd_create ("area", MFD_CLOEXEC);
	if (w->area_fd < 0 || ftruncate (w->area_fd, AREA_SIZE) < 0 || region_new (&spec, w->area_fd, &w->guest.setup.inflight.region) < 0) {
		perror ("area");
		exit (EXIT_FAILURE);
	}
	w->guest.setup.inflight.entries = WORLD_RING;
	w->area = shared (AREA_SIZE, w->area_fd);
	w->ledger = shared (sizeof (*w->ledger), -1);
	for (unsigned head = 0; head < WORLD_RING; head++)
		w->request_of[head] = -1;
	for (unsigned i = 0; i < HEADS; i++) {
		guest_desc (&w->guest, GUEST_DESC, WORLD_CHAIN * i, GUEST_DATA + 64 * i, 4, NEXT, WORLD_CHAIN * i + 1);
		guest_desc (&w->guest, GUEST_DESC, WORLD_CHAIN * i + 1, GUEST_DATA + 64 * i + 32, 4, WRITE, 0);
	}
}

void
world_close (struct world *w)
{
	munmap (w->area, AREA_SIZE);
	munmap (w->ledger, sizeof (*w->ledger));
	region_unref (w->guest.setup.inflight.region);
	close (w->area_fd);
	guest_close (&w->guest);
}

/* --- copies --- */

static const struct {
	uint64_t addr;
	size_t size;
} guest_parts[] = { { GUEST_DESC, DESC_BYTES }, { GUEST_AVAIL, AVAIL_BYTES }, { GUEST_USED, USED_BYTES }, { GUEST_DATA, 64 * HEADS } };

#define GUEST_PARTS (sizeof (guest_parts) / sizeof (guest_parts[0]))

void
world_copy (struct world *to, const struct world *from)
{
	for (unsigned i = 0; i < GUEST_PARTS; i++)
		memcpy (guest_at (&to->guest, guest_parts[i].addr), guest_at (&from->guest, guest_parts[i].addr), guest_parts[i].size);
	memcpy (to->area, from->area, AREA_SIZE);
	*to->ledger = *from->ledger;
	to->guest.avail = from->guest.avail;
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
		if (memcmp (guest_at (&a->guest, guest_parts[i].addr), guest_at (&b->guest, guest_parts[i].addr), guest_parts[i].size) != 0)
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

/* The next used element: of a request that is in flight, done at least once, and answered. */
static void
driver_collect (struct world *w)
{
	uint32_t head = guest_used_id (&w->guest, w->seen++), answer;
	int request = head < WORLD_RING ? w->request_of[head] : -1;

	if (request < 0) {
		complain (w, "used what is not in flight");
		return;
	}
	w->request_of[head] = -1;
	w->done++;
	memcpy (&answer, guest_at (&w->guest, GUEST_DATA + 64 * (head / WORLD_CHAIN) + 32), sizeof (answer));
	if (w->ledger->executed[request] == 0 || answer != ~(uint32_t) request)
		complain (w, "used what was not done");
}

static void
driver_make (struct world *w, unsigned head)
{
	uint32_t request = w->made++;

	memcpy (guest_at (&w->guest, GUEST_DATA + 64 * (head / WORLD_CHAIN)), &request, sizeof (request));
	w->request_of[head] = (int) request;
	guest_offer (&w->guest, head);
}

bool
world_drive (struct world *w)
{
	if ((uint16_t) (guest_used_idx (&w->guest) - w->seen) > HEADS)
		complain (w, "the used index jumped");
	while (!w->wrong && w->seen != guest_used_idx (&w->guest))
		driver_collect (w);
	/* Not in the order of heads. */
	for (unsigned i = 0; i < HEADS; i++) {
		unsigned head = WORLD_CHAIN * ((i * 3 + w->made) % HEADS);

		if (w->request_of[head] < 0 && w->made < WORLD_REQUESTS)
			driver_make (w, head);
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
	vh_ring_give (w->guest.ring, r, sizeof (answer));
}

/* Takes all there is, in pieces; then publishes two, and the others, the last one first. */
static int
device_process (struct world *w)
{
	struct vh_request *reqs[HEADS];
	int n = 0, more, last = -1;

	while (n < (int) HEADS && (more = vh_ring_take (w->guest.ring, reqs + n, n == 0 ? 3 : 1)) != 0) {
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
		if (n - i == 2)
			vh_ring_flush (w->guest.ring);
	}
	vh_ring_flush (w->guest.ring);
	return 0;
}

int
world_live (struct world *w)
{
	uint16_t avail = w->guest.avail;
	int err;

	w->guest.setup.base = guest_used_idx (&w->guest);	/* what a front-end that was not told anything sends */
	err = guest_start (&w->guest);
	w->guest.avail = avail;
	if (err == 0)
		err = device_process (w);
	ring_free (w->guest.ring);
	w->guest.ring = NULL;
	return err;
}
