/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest of the back-end's tests; see backend-driver.h.
 */
#include "backend-driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define RING_STRIDE 0x2000u
#define AVAIL_AT 0x1000u
#define USED_AT 0x1400u
#define USUAL_SIZE 256u

#define REQUEST_STRIDE 64u
#define ANSWER_AT 32u
#define REQUEST_BYTES 16u

void
guest_open (struct guest *g)
{
	g->fd = memfd_create ("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (g->fd >= 0 && ftruncate (g->fd, GUEST_SIZE) == 0)
		g->bytes = mmap (NULL, GUEST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, g->fd, 0);
	if (g->fd < 0 || !g->bytes || g->bytes == MAP_FAILED) {
		perror ("guest memory");
		exit (99);
	}
}

void
guest_close (struct guest *g)
{
	munmap (g->bytes, GUEST_SIZE);
	close (g->fd);
}

/* --- fields in guest memory --- */

static void
put16 (struct guest *g, size_t at, uint16_t value)
{
	__atomic_store_n ((uint16_t *) (void *) (g->bytes + at), value, __ATOMIC_RELEASE);
}

static uint16_t
get16 (const struct guest *g, size_t at)
{
	return __atomic_load_n ((const uint16_t *) (const void *) (g->bytes + at), __ATOMIC_ACQUIRE);
}

static uint32_t
get32 (const struct guest *g, size_t at)
{
	return __atomic_load_n ((const uint32_t *) (const void *) (g->bytes + at), __ATOMIC_ACQUIRE);
}

/* --- the ring --- */

size_t
driver_desc_at (const struct driver *d)
{
	return d->index * RING_STRIDE;
}

size_t
driver_avail_at (const struct driver *d)
{
	return driver_desc_at (d) + (d->size > USUAL_SIZE ? (size_t) 16 * d->size : AVAIL_AT);
}

size_t
driver_used_at (const struct driver *d)
{
	if (d->size > USUAL_SIZE)
		return driver_avail_at (d) + (((size_t) 6 + 2 * d->size + 3) & ~(size_t) 3);
	return driver_desc_at (d) + USED_AT;
}

static int
signal_fd (void)
{
	int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0) {
		perror ("eventfd");
		exit (99);
	}
	return fd;
}

void
driver_open (struct driver *d, struct guest *g, unsigned index, unsigned size)
{
	*d = (struct driver){ .guest = g, .index = index, .size = size };
	memset (g->bytes + driver_desc_at (d), 0, size > USUAL_SIZE ? 4 * RING_STRIDE : RING_STRIDE);
	d->kick = signal_fd ();
	d->call = signal_fd ();
	d->err = signal_fd ();
}

void
driver_close (struct driver *d)
{
	close (d->kick);
	close (d->call);
	close (d->err);
}

void
driver_desc (struct driver *d, unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	uint8_t *p = d->guest->bytes + driver_desc_at (d) + (size_t) 16 * i;

	memcpy (p, &addr, 8);
	memcpy (p + 8, &len, 4);
	memcpy (p + 12, &flags, 2);
	memcpy (p + 14, &next, 2);
}

void
driver_set_avail (struct driver *d, uint16_t idx)
{
	d->next_avail = idx;
	put16 (d->guest, driver_avail_at (d) + 2, idx);
}

void
driver_offer (struct driver *d, uint16_t head)
{
	put16 (d->guest, driver_avail_at (d) + 4 + (size_t) 2 * (d->next_avail % d->size), head);
	driver_set_avail (d, (uint16_t) (d->next_avail + 1));
}

void
driver_kick (struct driver *d)
{
	uint64_t one = 1;

	if (write (d->kick, &one, sizeof (one)) < 0)
		perror ("kick");
}

unsigned
driver_pending (const struct driver *d)
{
	return (uint16_t) (get16 (d->guest, driver_used_at (d) + 2) - d->next_used);
}

bool
driver_used (struct driver *d, uint32_t *id, uint32_t *len)
{
	size_t at = driver_used_at (d) + 4 + (size_t) 8 * (d->next_used % d->size);

	if (driver_pending (d) == 0)
		return false;
	*id = get32 (d->guest, at);
	*len = get32 (d->guest, at + 4);
	d->next_used++;
	return true;
}

uint64_t
driver_signals (int fd)
{
	uint64_t n;

	return read (fd, &n, sizeof (n)) == sizeof (n) ? n : 0;
}

/* --- a good request --- */

static size_t
request_at (const struct driver *d, unsigned n)
{
	return GUEST_BUFFERS + (d->index * d->size + n) * REQUEST_STRIDE;
}

static uint8_t
request_byte (const struct driver *d, unsigned n, unsigned i)
{
	return (uint8_t) (d->index * 101 + n * 17 + i);
}

void
driver_prepare (struct driver *d, unsigned n)
{
	size_t at = request_at (d, n);

	for (unsigned i = 0; i < REQUEST_BYTES; i++)
		d->guest->bytes[at + i] = request_byte (d, n, i);
	memset (d->guest->bytes + at + ANSWER_AT, 0xee, REQUEST_BYTES + 1);
	driver_desc (d, 2 * n, GUEST_ADDR + at, REQUEST_BYTES, DESC_NEXT, (uint16_t) (2 * n + 1));
	driver_desc (d, 2 * n + 1, GUEST_ADDR + at + ANSWER_AT, REQUEST_BYTES + 1, DESC_WRITE, 0);
}

void
driver_request (struct driver *d, unsigned n)
{
	driver_prepare (d, n);
	driver_offer (d, (uint16_t) (2 * n));
}

void
driver_ask (struct driver *d, unsigned n)
{
	driver_request (d, n);
	driver_kick (d);
}

bool
driver_served (struct driver *d, unsigned n)
{
	const uint8_t *answer = d->guest->bytes + request_at (d, n) + ANSWER_AT;
	uint32_t id, len;

	if (!driver_used (d, &id, &len) || id != 2 * n || len != REQUEST_BYTES + 1)
		return false;
	for (unsigned i = 0; i < REQUEST_BYTES; i++)
		if (answer[i] + request_byte (d, n, i) != 0xff)	/* every bit turned over */
			return false;
	return answer[REQUEST_BYTES] == 0;
}
