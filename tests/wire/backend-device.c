/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device of the back-end's tests; see backend-device.h.
 */
#include "backend-device.h"

#include <errno.h>
#include <string.h>

#define BATCH 16
#define STATUS_OK 0
#define STATUS_FAILED 1

static void
count (unsigned *counter)
{
	__atomic_add_fetch (counter, 1, __ATOMIC_ACQ_REL);
}

/* --- requests --- */

/* Fills the writable parts from the readable ones; `size` bytes of each. */
static void
turn_over (const struct vh_request *r, size_t size)
{
	uint8_t buf[64];

	for (size_t at = 0; at < size;) {
		size_t n = vh_parts_read (r->out, r->n_out, at, buf, size - at < sizeof (buf) ? size - at : sizeof (buf));

		if (n == 0)
			return;
		for (size_t i = 0; i < n; i++)
			buf[i] ^= 0xff;
		vh_parts_write (r->in, r->n_in, at, buf, n);
		at += n;
	}
}

/* Returns how many bytes were written. */
static uint32_t
serve (struct test_device *d, const struct vh_request *r)
{
	uint8_t status = r->error ? STATUS_FAILED : STATUS_OK;

	count (r->error ? &d->failed : &d->served);
	if (r->in_bytes == 0)
		return 0;
	if (!r->error)
		turn_over (r, r->in_bytes - 1);
	vh_parts_write (r->in, r->n_in, r->in_bytes - 1, &status, 1);
	return (uint32_t) r->in_bytes;
}

static void
hold (struct test_device *d, struct vh_ring *ring, struct vh_request *r)
{
	d->held[d->n_held] = r;
	d->held_of[d->n_held++] = ring;
}

static void
device_process (void *opaque, struct vh_ring *ring)
{
	struct test_device *d = opaque;
	struct vh_request *reqs[BATCH];
	int n = 0;

	if (d->stubborn)
		return;
	while (d->n_held + BATCH <= DEVICE_MAX_HELD && (n = vh_ring_take (ring, reqs, BATCH)) > 0)
		for (int i = 0; i < n; i++)
			if (d->hold)
				hold (d, ring, reqs[i]);
			else
				vh_ring_give (ring, reqs[i], serve (d, reqs[i]));
	vh_ring_flush (ring);
	if (n < 0)
		count (&d->broken);
}

/* Takes request i out of what is held and gives it back. */
static void
release_one (struct test_device *d, unsigned i)
{
	struct vh_ring *ring = d->held_of[i];
	struct vh_request *r = d->held[i];

	d->n_held--;
	memmove (&d->held[i], &d->held[i + 1], (d->n_held - i) * sizeof (d->held[0]));
	memmove (&d->held_of[i], &d->held_of[i + 1], (d->n_held - i) * sizeof (d->held_of[0]));
	vh_ring_give (ring, r, serve (d, r));
	vh_ring_flush (ring);
}

unsigned
test_device_release (struct test_device *d, unsigned n)
{
	unsigned done;

	for (done = 0; done < n && d->n_held > 0; done++)
		release_one (d, 0);
	return done;
}

static void
device_drain (void *opaque, struct vh_ring *ring)
{
	struct test_device *d = opaque;

	count (&d->drains);
	for (unsigned i = 0; d->drain && i < d->n_held;)
		if (d->held_of[i] == ring)
			release_one (d, i);
		else
			i++;
}

static void
device_abort (void *opaque, struct vh_ring *ring)
{
	struct test_device *d = opaque;

	count (&d->aborts);
	for (unsigned i = 0; i < d->n_held;)
		if (d->held_of[i] == ring)
			release_one (d, i);
		else
			i++;
}

static int
device_start (void *opaque, struct vh_ring *ring)
{
	struct test_device *d = opaque;

	if (d->refuse_start)
		return d->refuse_start;
	count (&d->starts);
	return 0;
}

static void
device_stop (void *opaque, struct vh_ring *ring)
{
	struct test_device *d = opaque;

	count (&d->stops);
}

/* --- control --- */

static int
device_set_config (void *opaque, uint32_t offset, const void *buf, uint32_t size, uint32_t flags)
{
	struct test_device *d = opaque;

	if (flags == VH_CONFIG_WRITE && (offset != DEVICE_WRITABLE || size != 1))
		return -EPERM;
	memcpy (d->config + offset, buf, size);
	d->config_flags = flags;
	count (&d->config_writes);
	return 0;
}

static int
device_set_features (void *opaque, uint64_t features)
{
	struct test_device *d = opaque;

	if (features & VH_BIT (DEVICE_BAD_FEATURE))
		return -EINVAL;
	d->features = features;
	count (&d->feature_sets);
	return 0;
}

static void
device_connected (void *opaque, struct vh_backend *b)
{
	struct test_device *d = opaque;

	d->backend = b;
	count (&d->arrivals);
}

static void
device_disconnected (void *opaque, struct vh_backend *b)
{
	struct test_device *d = opaque;

	d->backend = NULL;
	count (&d->departures);
}

static void
device_reset (void *opaque)
{
	struct test_device *d = opaque;

	count (&d->resets);
}

void
test_device_init (struct test_device *d)
{
	memset (d, 0, sizeof (*d));
	for (unsigned i = 0; i < sizeof (d->config); i++)
		d->config[i] = (uint8_t) (0x40 + i);
	d->ops = (struct vh_device_ops){
		.size = sizeof (d->ops),
		.set_config = device_set_config,
		.set_features = device_set_features,
		.connected = device_connected,
		.disconnected = device_disconnected,
		.reset = device_reset,
		.ring_start = device_start,
		.ring_process = device_process,
		.ring_drain = device_drain,
		.ring_stop = device_stop,
		.ring_abort = device_abort,
	};
	d->device = (struct vh_device){
		.size = sizeof (d->device),
		.ops = &d->ops,
		.opaque = d,
		.name = "test",
		.features = VH_BIT (DEVICE_FEATURE) | VH_BIT (DEVICE_BAD_FEATURE) | VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_EVENT_IDX) |
			    VH_BIT (VH_F_INDIRECT_DESC) | VH_BIT (VH_F_ACCESS_PLATFORM),
		.rings = DEVICE_RINGS,
		.max_ring_size = DEVICE_RING_SIZE,
		.config = d->config,
		.config_size = sizeof (d->config),
	};
}
