/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device's set-up and end, from the driver's and the front-end's side at once.
 */
#include <errno.h>
#include <linux/virtio_config.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vhost/error.h>

#include "driver.h"

int
driver_fail (struct driver *d, int err, const char *format, ...)
{
	char what[sizeof (d->failed) / 2];
	va_list args;

	va_start (args, format);
	vsnprintf (what, sizeof (what), format, args);
	va_end (args);
	snprintf (d->failed, sizeof (d->failed), "%s: %s", what, vh_strerror (err));
	return err;
}

int
driver_refuse (struct driver *d, const char *format, ...)
{
	va_list args;

	va_start (args, format);
	vsnprintf (d->failed, sizeof (d->failed), format, args);
	va_end (args);
	return -EINVAL;
}

/* Keeps the front-end's own words. */
static int
frontend_failed (struct driver *d, int err)
{
	const char *words = vh_frontend_error (d->frontend);

	snprintf (d->failed, sizeof (d->failed), "%s", *words ? words : vh_strerror (err));
	return err;
}

int
driver_open (struct driver *d, const char *path, const struct driver_connection *c)
{
	struct vh_frontend_options options = { .size = sizeof (options), .log = c->log, .timeout_ms = c->timeout_ms };
	int err;

	memset (d, 0, sizeof (*d));
	d->guest.fd = -1;
	err = vh_frontend_connect (path, c->connect_ms, &options, &d->frontend);
	if (err < 0)
		return driver_fail (d, err, "cannot connect to %s", path);
	err = vh_frontend_handshake (d->frontend, c->protocol_features);
	return err < 0 ? frontend_failed (d, err) : 0;
}

void
driver_close (struct driver *d)
{
	vh_frontend_free (d->frontend);
	d->frontend = NULL;
	for (unsigned i = 0; i < d->n_queues; i++)
		queue_free (d->queues[i]);
	d->n_queues = 0;
	guest_free (&d->guest);
}

/* --- starting --- */

static int
set_features (struct driver *d, uint64_t wanted)
{
	uint64_t offered = vh_frontend_offered_features (d->frontend);
	int err;

	/* Without it the rings would have the guest's byte order and other old ways. */
	if (!(offered & VH_BIT (VH_F_VERSION_1)))
		return driver_refuse (d, "the back-end offers no VERSION_1");
	wanted |= VH_BIT (VH_F_VERSION_1) | VH_BIT (VH_F_PROTOCOL_FEATURES) | (d->logged ? VH_BIT (VH_F_LOG_ALL) : 0);
	err = vh_frontend_set_features (d->frontend, offered & wanted);
	if (err < 0)
		return frontend_failed (d, err);
	d->features = offered & wanted;
	return 0;
}

static void
queue_options_for (const struct driver *d, const struct driver_options *o, struct queue_options *q)
{
	*q = (struct queue_options){ .size = o->queue_size, .features = d->features, .poll = o->poll };
	if (d->features & VH_BIT (VH_F_INDIRECT_DESC))
		q->indirect = o->indirect;
}

static int
make_memory (struct driver *d, const struct driver_options *o)
{
	struct queue_options q;
	size_t size, largest;
	int err;

	queue_options_for (d, o, &q);
	size = queue_bytes (&q) * o->queues + o->memory;
	largest = queue_largest_part (&q);
	if (o->largest_buffer > largest)
		largest = o->largest_buffer;
	/* What would lie across an edge begins behind it: at most half of the memory is lost like that, when a region has room for two of the largest. */
	if (o->regions > 1)
		size *= 2;
	err = guest_init (&d->guest, size, o->regions, 2 * largest);
	return err < 0 ? driver_fail (d, err, "%zu bytes of guest memory", size) : 0;
}

static int
make_queues (struct driver *d, const struct driver_options *o)
{
	struct queue_options q;

	queue_options_for (d, o, &q);
	while (d->n_queues < o->queues) {
		int err = queue_new (&d->guest, &q, &d->queues[d->n_queues]);

		if (err < 0)
			return driver_fail (d, err, "queue %u of %u descriptors", d->n_queues, o->queue_size);
		d->n_queues++;
	}
	return 0;
}

bool
driver_can_log (const struct driver *d)
{
	return vh_frontend_offered_features (d->frontend) & VH_BIT (VH_F_LOG_ALL) && vh_frontend_protocol_features (d->frontend) & VH_BIT (VH_P_LOG_SHMFD);
}

static int
share_log (struct driver *d)
{
	uint64_t size = guest_log_bytes (&d->guest);
	int fd = memfd_create ("log", MFD_CLOEXEC);
	int err = fd < 0 || ftruncate (fd, size) < 0 ? -errno : vh_frontend_set_log_base (d->frontend, fd, size, 0);

	if (fd >= 0)
		close (fd);
	return err < 0 ? driver_fail (d, err, "a dirty log of %llu bytes", (unsigned long long) size) : 0;
}

static int
share_memory (struct driver *d, unsigned regions)
{
	int err = guest_share (&d->guest, d->frontend);

	if (err == -E2BIG)
		return driver_refuse (d, "the back-end does not take %u regions", regions);
	if (err < 0)
		return frontend_failed (d, err);
	return d->logged ? share_log (d) : 0;
}

static int
start_ring (struct driver *d, unsigned i)
{
	struct vh_frontend *f = d->frontend;
	struct queue *q = d->queues[i];
	struct vh_vring_addr addr;
	uint32_t base;
	int err = vh_frontend_set_vring_num (f, i, queue_size (q));

	queue_addresses (q, &addr);
	if (d->logged) {
		addr.flags = 1;
		addr.log = guest_addr_of (&d->guest, addr.used);
	}
	queue_position (q, &base);
	if (err == 0)
		err = vh_frontend_set_vring_base (f, i, base);
	if (err == 0)
		err = vh_frontend_set_vring_addr (f, i, &addr);
	if (err == 0)
		err = vh_frontend_set_vring_call (f, i, queue_call_fd (q));
	if (err == 0)
		err = vh_frontend_set_vring_err (f, i, queue_err_fd (q));
	if (err == 0)
		err = vh_frontend_set_vring_kick (f, i, queue_kick_fd (q));
	return err;
}

/* The first kick tells back-ends that wait for one that the ring is started. */
static int
enable_ring (struct driver *d, unsigned i)
{
	static const uint64_t one = 1;
	int err = 0;

	if (d->features & VH_BIT (VH_F_PROTOCOL_FEATURES))
		err = vh_frontend_set_vring_enable (d->frontend, i, 1);
	if (err == 0 && write (queue_kick_fd (d->queues[i]), &one, sizeof (one)) < 0)
		err = -errno;
	return err;
}

/* DPDK waits for the driver's word where the back-end keeps its status. */
static int
set_status (struct driver *d)
{
	const uint8_t status =
		VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK;

	if (!(vh_frontend_protocol_features (d->frontend) & VH_BIT (VH_P_STATUS)))
		return 0;
	return vh_frontend_set_status (d->frontend, status);
}

static int
start_rings (struct driver *d)
{
	int err = 0;

	for (unsigned i = 0; err == 0 && i < d->n_queues; i++)
		err = start_ring (d, i);
	for (unsigned i = 0; err == 0 && i < d->n_queues; i++)
		err = enable_ring (d, i);
	if (err == 0)
		err = set_status (d);
	return err < 0 ? frontend_failed (d, err) : 0;
}

int
driver_start (struct driver *d, const struct driver_options *o)
{
	int err;

	if (o->queues < 1 || o->queues > VH_MAX_RINGS || o->regions < 1)
		return driver_refuse (d, "%u queues, %u regions cannot be", o->queues, o->regions);
	d->logged = o->log;
	err = set_features (d, o->features);
	if (err == 0)
		err = make_memory (d, o);
	if (err == 0)
		err = make_queues (d, o);
	if (err < 0)
		return err;
	err = share_memory (d, o->regions);
	return err < 0 ? err : start_rings (d);
}

/* --- stopping --- */

static int
stop_ring (struct driver *d, unsigned i)
{
	uint32_t base, expected;
	int err = vh_frontend_get_vring_base (d->frontend, i, &base);

	if (err < 0)
		return frontend_failed (d, err);
	if (queue_position (d->queues[i], &expected) && base != expected)
		return driver_fail (d, -EPROTO, "queue %u stopped at %u, not at %u", i, base, expected);
	return 0;
}

int
driver_stop (struct driver *d)
{
	int err = 0;

	for (unsigned i = 0; err == 0 && i < d->n_queues; i++)
		err = stop_ring (d, i);
	return err;
}
