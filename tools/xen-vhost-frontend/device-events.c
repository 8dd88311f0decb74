/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What comes to a device from its back-end (through the link, the call and err eventfds) and from its guest (the port of an event channel).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <vhost/error.h>

#include "device-private.h"
#include "privcmd.h"

/* --- interrupts --- */

void
device_interrupt (struct device *d, uint32_t why)
{
	mmio_interrupt (&d->mmio, why);
	d->count.interrupts++;
	irq_raise (&d->irq);
}

void
device_fail (struct device *d, const char *why)
{
	log_say (&d->log, VH_LOG_ERROR, "needs a reset by its driver: %s", why);
	if (mmio_need_reset (&d->mmio) && d->mmio.interrupts) {
		d->count.interrupts++;
		irq_raise (&d->irq);
	}
}

void
device_on_call (void *opaque, uint32_t events)
{
	struct device *d = opaque;
	uint64_t n;

	if (read (d->call, &n, sizeof (n)) != sizeof (n))
		return;
	d->count.calls++;
	if (mmio_is_running (&d->mmio) && !d->closing)
		device_interrupt (d, INTERRUPT_RING);
}

void
device_on_err (void *opaque, uint32_t events)
{
	struct device *d = opaque;
	uint64_t n;

	if (read (d->err, &n, sizeof (n)) == sizeof (n) && d->started && !d->closing)
		device_fail (d, "its back-end stopped a ring, because the driver broke the rules or its memory cannot be reached");
}

/* The guest says where it wants to be interrupted, and may change its mind: another kernel, the driver loaded again. */
static void
on_port (void *opaque)
{
	struct device *d = opaque;
	char *value = store_read (d->guest->host->store, "%s", d->spec.port_path);
	uint64_t port = 0;
	int err;

	if (value && !spec_number (value, 1, UINT32_MAX, &port))
		log_say (&d->log, VH_LOG_WARNING, "%s has no number of an event channel", d->spec.port_path);
	free (value);
	err = irq_set_port (&d->irq, port);
	if (err < 0)
		log_say (&d->log, VH_LOG_WARNING, "event channel %" PRIu64 " of the guest: %s", port, vh_strerror (err));
	else if (port)
		log_say (&d->log, VH_LOG_INFO, "interrupts by event channel %" PRIu64 " of the guest", port);
	/* What it has missed. */
	if (port && d->mmio.interrupts)
		irq_raise (&d->irq);
}

static int
open_port (struct device *d)
{
	struct host *host = d->guest->host;

	irq_init_event (&d->irq, d->guest->server);
	if (d->spec.port)
		return irq_set_port (&d->irq, d->spec.port);
	if (!host->store)
		return -ENOTSUP;
	if (!d->spec.port_path[0])
		snprintf (d->spec.port_path, sizeof (d->spec.port_path), "/local/domain/%u/data/virtio/%" PRIx64 "/event-channel", d->guest->domid,
			  d->spec.base);
	return store_watch (host->store, d->spec.port_path, on_port, d, &d->port_watch);
}

static int
open_line (struct device *d)
{
	struct host *host = d->guest->host;

	irq_init_line (&d->irq, host->model, d->guest->domid, d->spec.line);
	if (host->privcmd >= 0 && privcmd_irqfd (host->privcmd, d->guest->domid, d->call, d->spec.line, true) == 0)
		d->kernel_interrupts = d->mmio.unseen_interrupts = true;
	return 0;
}

int
device_open_irq (struct device *d)
{
	int err = d->spec.has_line ? open_line (d) : open_port (d);

	if (err < 0 || d->kernel_interrupts)
		return err;
	return vh_loop_add_fd (d->guest->host->loop, d->call, EPOLLIN, device_on_call, d, &d->call_source);
}

/* --- the link --- */

/* What the driver is to see, out of what the back-end is.  NULL, or why this cannot be. */
static const char *
adopt (struct device *d, const struct link_backend *b)
{
	const struct kind *kind = d->spec.kind;
	uint64_t features = kind_features (kind, b->features);
	uint8_t config[VH_MAX_CONFIG_SIZE] = { 0 };
	unsigned size = b->config_size;
	const char *missing = NULL;

	if (kind->needs_config && !b->has_config)
		return "its back-end does not show its configuration space";
	/* Such a ring does not say how far it is: a back-end that comes back could not go on. */
	if (!d->spec.packed)
		features &= ~VH_BIT (VH_F_RING_PACKED);
	memcpy (config, b->config, size);
	if (kind->complete)
		missing = kind->complete (&d->spec.settings, b->has_config, config, &size, &features);
	if (missing)
		return missing;
	d->mmio.required = VH_BIT (VH_F_VERSION_1);
	/* A driver that passes addresses of its own memory where grants are expected would not get far. */
	if (!d->spec.foreign)
		d->mmio.required |= VH_BIT (VH_F_ACCESS_PLATFORM);
	d->mmio.offered = features | d->mmio.required;
	d->own = d->mmio.offered & ~b->features;
	d->mmio.queues = kind->more_queues && b->rings ? b->rings : kind->queues;
	d->mmio.max_size = d->spec.queue_size;
	mmio_set_config (&d->mmio, config, size);
	return device_open_kicks (d) < 0 ? "too many open files" : NULL;
}

/* The first word of a back-end: now there is a device. */
static void
introduce (struct device *d, const struct link_backend *b)
{
	const char *why = adopt (d, b);

	if (why) {
		log_say (&d->log, VH_LOG_ERROR, "%s", why);
		return;
	}
	d->known = true;
	d->mmio.device_id = d->spec.kind->id;
	vh_timer_set (d->wait, -1);
	log_say (&d->log, VH_LOG_INFO, "features 0x%" PRIx64 ", %u queues, %u bytes of configuration", d->mmio.offered, d->mmio.queues, d->mmio.config_size);
	if (d->owner.state)
		d->owner.state (d->owner.opaque, DEVICE_WAITING);
	guest_serve_all (d->guest);
}

/* A change of the configuration space; the driver is told unless it is the one who wrote there. */
static void
update_config (struct device *d, const struct link_backend *b)
{
	uint8_t config[VH_MAX_CONFIG_SIZE] = { 0 };
	uint64_t features = d->mmio.offered;
	unsigned size = b->config_size;

	memcpy (config, b->config, size);
	if (d->spec.kind->complete)
		d->spec.kind->complete (&d->spec.settings, b->has_config, config, &size, &features);
	if (mmio_set_config (&d->mmio, config, size) && mmio_is_running (&d->mmio) && d->order == DEVICE_ORDER_NONE)
		device_interrupt (d, INTERRUPT_CONFIG);
}

static void
on_changed (void *opaque, const struct link_backend *b)
{
	struct device *d = opaque;

	if (d->closing || !b->connected)
		return;
	if (!d->known)
		introduce (d, b);
	else if (d->mmio.status == 0 && adopt (d, b))
		log_say (&d->log, VH_LOG_WARNING, "the back-end that came is of another kind");
	else
		update_config (d, b);
}

static void
on_resumed (void *opaque)
{
	static const uint64_t one = 1;
	struct device *d = opaque;

	if (d->closing || !mmio_is_running (&d->mmio))
		return;
	d->count.resumes++;
	for (unsigned i = 0; i < d->kicks; i++)
		if (d->mmio.queue[i].ready && write (d->kick[i], &one, sizeof (one)) < 0)
			continue;
	device_interrupt (d, INTERRUPT_RING);
}

static void
on_failed (void *opaque, const char *why)
{
	struct device *d = opaque;

	if (!d->closing)
		device_fail (d, why);
}

static void
on_done (void *opaque)
{
	struct device *d = opaque;

	if (!d->closing)
		device_finish_order (d);
}

static void
on_closed (void *opaque)
{
	struct device *d = opaque;
	struct device_owner owner = d->owner;
	struct guest *g = d->guest;

	log_say (&d->log, VH_LOG_INFO, "closed");
	device_free (d);
	if (owner.closed)
		owner.closed (owner.opaque);
	guest_settle (g);
}

const struct link_ops device_link_ops = {
	.changed = on_changed,
	.resumed = on_resumed,
	.failed = on_failed,
	.done = on_done,
	.closed = on_closed,
};

/* The guest waited long enough for the back-end: it is told that there is no device. */
void
device_on_wait (void *opaque)
{
	struct device *d = opaque;

	if (d->known || d->closing)
		return;
	d->given_up = true;
	log_say (&d->log, VH_LOG_WARNING, "no back-end came: the guest sees no device until it looks again");
	guest_serve_all (d->guest);
}
