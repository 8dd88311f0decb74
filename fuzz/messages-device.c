/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device with every callback there is; see messages-device.h.
 */
#include <string.h>
#include <unistd.h>

#include "fuzz/messages-device.h"
#include "fuzz/messages-input.h"
#include "fuzz/verdict.h"

/* --- requests --- */

static void
device_give (struct vh_ring *ring, struct vh_request *r)
{
	uint8_t buf[256];
	size_t n = vh_parts_read (r->out, r->n_out, 0, buf, sizeof (buf));

	n = vh_parts_write (r->in, r->n_in, 0, buf, n);
	vh_ring_give (ring, r, (uint32_t) n);
}

void
device_release (struct device *d, struct vh_ring *ring, unsigned most)
{
	for (unsigned i = 0; i < d->n_held && most > 0;) {
		struct vh_ring *of = d->held_of[i];
		struct vh_request *r = d->held[i];

		if (ring && of != ring) {
			i++;
			continue;
		}
		d->n_held--;
		d->held[i] = d->held[d->n_held];
		d->held_of[i] = d->held_of[d->n_held];
		most--;
		device_give (of, r);
		vh_ring_flush (of);
	}
}

static void
device_process (void *opaque, struct vh_ring *ring)
{
	struct device *d = opaque;
	struct vh_request *r;

	while (d->n_held < MOST_HELD && vh_ring_take (ring, &r, 1) > 0) {
		if (!d->hold) {
			device_give (ring, r);
			continue;
		}
		d->held[d->n_held] = r;
		d->held_of[d->n_held++] = ring;
	}
	vh_ring_flush (ring);
}

static void
device_drain (void *opaque, struct vh_ring *ring)
{
	device_release (opaque, ring, MOST_HELD);
}

static int
device_start (void *opaque, struct vh_ring *ring)
{
	struct device *d = opaque;

	d->starts++;
	return 0;
}

static void
device_stop (void *opaque, struct vh_ring *ring)
{
	struct device *d = opaque;

	d->stops++;
	if (vh_ring_in_flight (ring) > 0)
		wrong ("a ring stopped with requests in flight");
}

static void
device_connected (void *opaque, struct vh_backend *b)
{
	struct device *d = opaque;

	d->arrivals++;
}

static void
device_disconnected (void *opaque, struct vh_backend *b)
{
	struct device *d = opaque;

	d->departures++;
	if (d->starts != d->stops)
		wrong ("a ring was left running");
}

static int
device_set_config (void *opaque, uint32_t offset, const void *buf, uint32_t size, uint32_t flags)
{
	struct device *d = opaque;

	memcpy (d->config + offset, buf, size);
	return 0;
}

static int
device_send_rarp (void *opaque, const uint8_t mac[6])
{
	return 0;
}

static int
device_set_mtu (void *opaque, unsigned mtu)
{
	if (mtu < 68 || mtu > 65535)
		wrong ("an MTU that cannot be");
	return 0;
}

static int
device_create_session (void *opaque, const struct vh_crypto_session *s, int64_t *id)
{
	if (s->asymmetric ? s->u.asym.key_size > sizeof (s->u.asym.key) : s->u.sym.auth_key_size > sizeof (s->u.sym.auth_key))
		wrong ("a key that is longer than it can be");
	*id = 5;
	return 0;
}

static int
device_close_session (void *opaque, int64_t id)
{
	return id == 5 ? 0 : -1;
}

static int
device_get_shmem_config (void *opaque, uint64_t sizes[VH_MAX_SHMEM])
{
	sizes[1] = PAGE;
	return 0;
}

static int
device_get_object (void *opaque, const uint8_t uuid[VH_UUID_SIZE])
{
	struct device *d = opaque;

	return uuid[0] == 1 ? d->object : -1;
}

static int
device_set_gpu_socket (void *opaque, int fd)
{
	close (fd);
	return 0;
}

#define STATE_SIZE 100000u	/* more than a pipe takes */

static int
device_state_save (void *opaque, uint64_t offset, void *buf, size_t size)
{
	size_t n = STATE_SIZE - offset < size ? STATE_SIZE - offset : size;

	memset (buf, 0x5a, n);
	return (int) n;
}

static int
device_state_load (void *opaque, uint64_t offset, const void *buf, size_t size)
{
	return offset > STATE_SIZE ? -1 : 0;
}

const struct vh_device_ops device_ops = {
	.size = sizeof (device_ops),
	.send_rarp = device_send_rarp,
	.set_mtu = device_set_mtu,
	.create_crypto_session = device_create_session,
	.close_crypto_session = device_close_session,
	.get_shmem_config = device_get_shmem_config,
	.get_object = device_get_object,
	.set_gpu_socket = device_set_gpu_socket,
	.state_save = device_state_save,
	.state_load = device_state_load,
	.set_config = device_set_config,
	.connected = device_connected,
	.disconnected = device_disconnected,
	.ring_start = device_start,
	.ring_process = device_process,
	.ring_drain = device_drain,
	.ring_stop = device_stop,
};
