/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device: its life, and what the driver does to its registers; see device.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <vhost/error.h>

#include "device-private.h"
#include "privcmd.h"

static void
signal_fd (int fd)
{
	static const uint64_t one = 1;

	/* A counter that is full has its reader's attention already. */
	if (write (fd, &one, sizeof (one)) < 0)
		return;
}

/* --- kicks --- */

int
device_open_kicks (struct device *d)
{
	while (d->kicks < d->mmio.queues) {
		int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);

		if (fd < 0)
			return -errno;
		d->kick[d->kicks++] = fd;
	}
	return 0;
}

static int
set_kernel_kick (struct device *d, unsigned queue, bool on)
{
	struct ioreq_server *server = d->guest->server;
	struct privcmd_ioeventfd request = {
		.ioreq = (uintptr_t) ioreq_page (server),
		.ports = (uintptr_t) ioreq_ports (server),
		.addr = d->spec.base,
		.addr_len = 4,
		.event_fd = d->kick[queue],
		.vcpus = ioreq_vcpus (server),
		.vq = queue,
		.dom = d->guest->domid,
	};

	return privcmd_ioeventfd (d->guest->host->privcmd, &request, on);
}

void
device_kernel_kicks (struct device *d, bool on)
{
	if (d->guest->host->privcmd < 0 || d->kernel_kicks == on)
		return;
	for (unsigned i = 0; i < d->mmio.queues && i < d->kicks; i++) {
		int err = set_kernel_kick (d, i, on);

		if (err < 0 && on && i == 0) {
			log_say (&d->log, VH_LOG_DEBUG, "the kernel does not pass on kicks: %s", vh_strerror (err));
			return;
		}
	}
	d->kernel_kicks = on;
}

bool
device_kernel_kick (const struct device *d, const struct ioreq_access *a)
{
	return d->kernel_kicks && a->write && a->size == 4 && a->addr == d->spec.base + MMIO_QUEUE_NOTIFY;
}

/* --- orders to the link --- */

static void
order_start (struct device *d)
{
	struct link_driver *driver = calloc (1, sizeof (*driver));

	if (!driver) {
		device_fail (d, "no memory");
		device_finish_order (d);
		return;
	}
	driver->features = d->mmio.driver_features;
	driver->own = d->own;
	driver->call = d->call;
	driver->err = d->err;
	driver->rings = d->mmio.queues;
	for (unsigned i = 0; i < driver->rings; i++) {
		const struct mmio_queue *q = &d->mmio.queue[i];

		driver->ring[i] = (struct link_ring){ q->ready, q->size, q->desc, q->driver, q->device, d->kick[i] };
	}
	d->started = true;
	d->count.starts++;
	link_start (d->link, driver);
	free (driver);
}

static void
drain (int fd)
{
	uint64_t count;

	if (read (fd, &count, sizeof (count)) < 0)
		return;
}

/* The line goes down with the registers; kicks and calls of before do not reach the next driver. */
static enum device_answer
reset (struct device *d)
{
	irq_lower (&d->irq);
	device_kernel_kicks (d, false);
	for (unsigned i = 0; i < d->kicks; i++)
		drain (d->kick[i]);
	drain (d->call);
	if (!d->started)
		return DEVICE_ANSWERED;
	d->started = false;
	link_stop (d->link);
	return DEVICE_LATER;
}

void
device_finish_order (struct device *d)
{
	if (d->order == DEVICE_ORDER_NONE)
		return;
	if (d->order == DEVICE_ORDER_START)
		device_kernel_kicks (d, true);
	d->order = DEVICE_ORDER_NONE;
	if (d->owner.state)
		d->owner.state (d->owner.opaque, d->started ? DEVICE_RUNS : DEVICE_WAITING);
	guest_answer (d->guest, d->vcpu, d, 0);
	guest_serve_all (d->guest);
}

/* --- the driver's accesses --- */

static enum device_answer
begin_order (struct device *d, unsigned vcpu, enum device_order order)
{
	d->order = order;
	d->vcpu = vcpu;
	return DEVICE_LATER;
}

static enum device_answer
write_register (struct device *d, unsigned vcpu, unsigned offset, const struct ioreq_access *a)
{
	uint64_t data = a->data;
	unsigned queue = 0;

	switch (mmio_write (&d->mmio, offset, a->size, data, &queue)) {
	case MMIO_KICK:
		d->count.kicks++;
		signal_fd (d->kick[queue]);
		return DEVICE_ANSWERED;
	case MMIO_ACKNOWLEDGE:
		if (!d->mmio.interrupts)
			irq_lower (&d->irq);
		return DEVICE_ANSWERED;
	case MMIO_START:
		begin_order (d, vcpu, DEVICE_ORDER_START);
		order_start (d);
		return DEVICE_LATER;
	case MMIO_RESET:
		return reset (d) == DEVICE_LATER ? begin_order (d, vcpu, DEVICE_ORDER_OTHER) : DEVICE_ANSWERED;
	case MMIO_STOP_QUEUE:
		link_stop_ring (d->link, queue);
		return begin_order (d, vcpu, DEVICE_ORDER_OTHER);
	case MMIO_WRITE_CONFIG:
		link_write_config (d->link, offset - MMIO_CONFIG, &data, a->size);
		return begin_order (d, vcpu, DEVICE_ORDER_OTHER);
	default:
		return DEVICE_ANSWERED;
	}
}

/* The guest looks for the device, and nobody can say yet what it is. */
static void
await_backend (struct device *d)
{
	unsigned ms = d->guest->host->options->wait_ms;

	if (!d->awaited && ms)
		vh_timer_set (d->wait, ms);
	d->awaited = true;
}

enum device_answer
device_access (struct device *d, unsigned vcpu, const struct ioreq_access *a, uint64_t *value)
{
	unsigned offset = a->addr - d->spec.base;

	*value = 0;
	if (d->order != DEVICE_ORDER_NONE)
		return DEVICE_BUSY;
	if (!d->known && !d->given_up) {
		await_backend (d);
		return DEVICE_BUSY;
	}
	if (offset + a->size > MMIO_SIZE)
		return DEVICE_ANSWERED;
	if (a->write)
		return write_register (d, vcpu, offset, a);
	*value = mmio_read (&d->mmio, offset, a->size);
	return DEVICE_ANSWERED;
}

struct device *
device_next (const struct device *d)
{
	return d->next;
}

bool
device_covers (const struct device *d, uint64_t addr)
{
	return !d->closing && addr - d->spec.base < MMIO_SIZE;
}

/* --- life --- */

static int
open_eventfds (struct device *d)
{
	struct vh_loop *loop = d->guest->host->loop;
	int err;

	d->call = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
	d->err = d->call < 0 ? -1 : eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->err < 0)
		return -errno;
	err = vh_loop_add_fd (loop, d->err, EPOLLIN, device_on_err, d, &d->err_source);
	return err < 0 ? err : vh_loop_add_timer (loop, device_on_wait, d, &d->wait);
}

static int
open_link (struct device *d)
{
	const struct options *o = d->guest->host->options;
	struct link_options options = {
		.socket = d->spec.socket,
		.config_sizes = d->spec.kind->config_sizes,
		.timeout_ms = o->timeout_ms,
		.memory = guest_memory_for_link (d->memory),
		.log = { .fn = log_library_line, .opaque = &d->log, .level = d->log.level },
	};

	return link_new (d->guest->host->loop, &options, &device_link_ops, d, &d->link);
}

/* The guest's accesses come last: from then on it may wait for us. */
static int
open_parts (struct device *d)
{
	struct guest *g = d->guest;
	enum memory_mode mode = d->spec.foreign ? MEMORY_FOREIGN : MEMORY_GRANT;
	int err = guest_memory_new (g->domid, mode, g->host->options->on_demand, g->ram, &d->memory);

	if (err == 0)
		err = open_eventfds (d);
	if (err == 0)
		err = device_open_irq (d);
	if (err == 0)
		err = ioreq_add_range (g->server, d->spec.base, MMIO_SIZE);
	if (err < 0)
		return err;
	d->ranged = true;
	return open_link (d);
}

int
device_new (struct guest *g, const struct spec *spec, const struct device_owner *owner, struct device **ret)
{
	struct device *d = calloc (1, sizeof (*d));
	int err;

	if (!d)
		return -ENOMEM;
	d->guest = g;
	d->spec = *spec;
	d->owner = *owner;
	d->call = d->err = -1;
	snprintf (d->name, sizeof (d->name), "domain %u, %s at 0x%" PRIx64, g->domid, spec->kind->name, spec->base);
	d->log = (struct log){ .level = g->log.level, .name = d->name };
	d->next = g->devices;
	g->devices = d;
	err = open_parts (d);
	if (err < 0) {
		log_say (&d->log, VH_LOG_ERROR, "cannot be made: %s", vh_strerror (err));
		device_free (d);
		return err;
	}
	log_say (&d->log, VH_LOG_INFO, "made, memory by %s", spec->foreign ? "foreign mapping" : "grants");
	*ret = d;
	return 0;
}

/* What the guest could notice ends at once; the link may have to wait for its back-end's last answer. */
void
device_close (struct device *d)
{
	if (d->closing)
		return;
	d->closing = true;
	device_report (d, VH_LOG_INFO);
	device_kernel_kicks (d, false);
	if (d->ranged)
		ioreq_remove_range (d->guest->server, d->spec.base, MMIO_SIZE);
	d->ranged = false;
	store_unwatch (d->port_watch);
	d->port_watch = NULL;
	guest_forget (d->guest, d);
	link_close (d->link);
}

static void
close_fds (struct device *d)
{
	if (d->call >= 0)
		close (d->call);
	if (d->err >= 0)
		close (d->err);
	for (unsigned i = 0; i < d->kicks; i++)
		close (d->kick[i]);
}

void
device_free (struct device *d)
{
	struct device **link;

	for (link = &d->guest->devices; *link != d; link = &(*link)->next)
		;
	*link = d->next;
	link_free (d->link);
	store_unwatch (d->port_watch);
	if (d->ranged)
		ioreq_remove_range (d->guest->server, d->spec.base, MMIO_SIZE);
	if (d->kernel_interrupts)
		privcmd_irqfd (d->guest->host->privcmd, d->guest->domid, d->call, d->spec.line, false);
	irq_fini (&d->irq);
	vh_source_remove (d->call_source);
	vh_source_remove (d->err_source);
	vh_timer_remove (d->wait);
	close_fds (d);
	guest_memory_free (d->memory);
	free (d);
}

void
device_report (struct device *d, enum vh_log_level level)
{
	log_say (&d->log, level, "starts %" PRIu64 ", kicks %" PRIu64 ", calls %" PRIu64 ", interrupts %" PRIu64 ", back-ends that came back %" PRIu64,
		 d->count.starts, d->count.kicks, d->count.calls, d->count.interrupts, d->count.resumes);
}
