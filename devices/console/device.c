/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rings of a console.  All run in one thread, and the ends of the host with them.  When no front-end is there, the control thread has them: so what a
 * guest said at last gets there.
 *
 *	0, 1		to and from port 0
 *	2, 3		the control queues, with MULTIPORT
 *	2n + 2, 2n + 3	to and from port n
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vhost/error.h>

#include "devices/console/device.h"
#include "devices/console/state.h"

#define CONTROL_RX 2
#define CONTROL_TX 3

/* A guest that cuts a transfer into more parts has its reasons, and no right to them. */
#define MAX_PARTS 128

/* --- the host --- */

static void
arm (struct console *d)
{
	for (unsigned i = 0; i < d->n_ports && d->timer && !d->ticking; i++) {
		if (!port_wants_tick (&d->ports[i]))
			continue;
		d->ticking = true;
		vh_timer_set (d->timer, HOST_TICK_MS);
	}
}

static void
tick (void *opaque)
{
	struct console *d = opaque;

	d->ticking = false;
	for (unsigned i = 0; i < d->n_ports; i++)
		port_tick (&d->ports[i]);
	arm (d);
}

static void
host_changed (void *opaque)
{
	struct port *p = opaque;
	struct console *d = p->console;

	control_set_host (&d->control, p->number, p->host.connected);
	port_wake (p);
	if (d->control_rx && control_has_message (&d->control))
		vh_ring_wake (d->control_rx);
	arm (d);
}

static int
attach_hosts (struct console *d, struct vh_loop *loop)
{
	int err = vh_loop_add_timer (loop, tick, d, &d->timer);

	for (unsigned i = 0; err == 0 && i < d->n_ports; i++) {
		err = host_attach (&d->ports[i].host, loop);
		if (err == 0)
			host_changed (&d->ports[i]);
	}
	return err;
}

static void
detach_hosts (struct console *d)
{
	for (unsigned i = 0; i < d->n_ports; i++)
		host_detach (&d->ports[i].host);
	vh_timer_remove (d->timer);
	d->timer = NULL;
	d->ticking = false;
}

/* --- rings --- */

/* The port's, of a ring that is no control queue. */
static struct port *
port_of (struct console *d, unsigned ring)
{
	return &d->ports[ring < CONTROL_RX ? 0 : ring / 2 - 1];
}

static bool
is_control (unsigned ring)
{
	return ring == CONTROL_RX || ring == CONTROL_TX;
}

static bool
is_rx (unsigned ring)
{
	return ring % 2 == 0;
}

/* What the guest has opened, as it says. */
static void
take_over_open (struct console *d)
{
	for (unsigned i = 0; i < d->n_ports; i++) {
		bool open = d->control.ports[i].guest_open;

		if (open == d->ports[i].open)
			continue;
		d->ports[i].open = open;
		port_wake (&d->ports[i]);
	}
}

/* Whose ports are they? */
static void
meet_driver (struct console *d, struct vh_ring *ring)
{
	if (vh_ring_is_new (ring))
		control_reset (&d->control);
	else if (!d->known)
		control_resume (&d->control);
	d->known = true;
	take_over_open (d);
}

static void
note_ring (struct console *d, unsigned i, struct vh_ring *ring)
{
	if (i == CONTROL_RX)
		d->control_rx = ring;
	else if (!is_control (i) && is_rx (i))
		port_of (d, i)->rx = ring;
	else if (!is_control (i))
		port_of (d, i)->tx = ring;
}

static void
meet_ring (struct console *d, unsigned i, struct vh_ring *ring)
{
	bool multiport = vh_ring_features (ring) & MULTIPORT;

	note_ring (d, i, ring);
	if (!is_control (i))
		port_of (d, i)->is_console = !multiport || !port_of (d, i)->name;
	/* Without MULTIPORT there is no opening. */
	if (!multiport)
		d->ports[0].open = true;
	else if (i == CONTROL_RX)
		meet_driver (d, ring);
}

static int
ring_start (void *opaque, struct vh_ring *ring)
{
	struct console *d = opaque;
	unsigned i = vh_ring_index (ring);
	int err = 0;

	meet_ring (d, i, ring);
	if (d->n_started++ == 0) {
		err = attach_hosts (d, vh_ring_loop (ring));
		size_announce (&d->size);
	}
	if (err < 0) {
		detach_hosts (d);
		d->n_started--;
		note_ring (d, i, NULL);
	}
	return err;
}

static void
ring_stop (void *opaque, struct vh_ring *ring)
{
	struct console *d = opaque;

	note_ring (d, vh_ring_index (ring), NULL);
	if (--d->n_started == 0)
		detach_hosts (d);
}

static void
process_control_rx (struct console *d, struct vh_ring *ring)
{
	uint8_t message[CONTROL_MAX_MESSAGE];
	struct vh_request *r;

	while (control_has_message (&d->control) && vh_ring_take (ring, &r, 1) > 0) {
		size_t size = control_produce (&d->control, message);

		vh_ring_give (ring, r, vh_parts_write (r->in, r->n_in, 0, message, size));
	}
	vh_ring_flush (ring);
}

static void
process_control_tx (struct console *d, struct vh_ring *ring)
{
	struct vh_request *r;

	while (vh_ring_take (ring, &r, 1) > 0) {
		control_receive (&d->control, r->out, r->n_out);
		vh_ring_give (ring, r, 0);
	}
	vh_ring_flush (ring);
	take_over_open (d);
	if (d->control_rx && control_has_message (&d->control))
		vh_ring_wake (d->control_rx);
}

static void
ring_process (void *opaque, struct vh_ring *ring)
{
	struct console *d = opaque;
	unsigned i = vh_ring_index (ring);

	if (i == CONTROL_RX)
		process_control_rx (d, ring);
	else if (i == CONTROL_TX)
		process_control_tx (d, ring);
	else if (is_rx (i))
		port_process_rx (port_of (d, i));
	else
		port_process_tx (port_of (d, i));
	arm (d);
}

/* --- the front-end; no ring runs --- */

static void
connected (void *opaque, struct vh_backend *backend)
{
	struct console *d = opaque;

	detach_hosts (d);
	totals_connected (&d->totals, backend);
	d->known = false;
}

static void
disconnected (void *opaque, struct vh_backend *backend)
{
	struct console *d = opaque;

	totals_disconnected (&d->totals);
	state_forget (&d->state);
	if (attach_hosts (d, d->control_loop) < 0)
		detach_hosts (d);	/* until the next one comes */
}

static void
reset (void *opaque)
{
	struct console *d = opaque;

	control_reset (&d->control);
	for (unsigned i = 0; i < d->n_ports; i++)
		d->ports[i].open = false;
}

static const struct vh_device_ops device_ops = {
	.size = sizeof (device_ops),
	.connected = connected,
	.disconnected = disconnected,
	.reset = reset,
	.ring_start = ring_start,
	.ring_process = ring_process,
	.ring_stop = ring_stop,
	.state_save = console_state_save,
	.state_load = console_state_load,
};

/* --- hooks --- */

void
console_print_stats (void *console)
{
	struct console *d = console;

	for (unsigned i = 0; i < d->n_ports; i++) {
		const struct port *p = &d->ports[i];
		unsigned rx = i == 0 ? 0 : 2 * i + 2;
		struct vh_ring_counters in, out;
		struct port_stats s;

		port_get_stats (p, &s);
		totals_get (&d->totals, rx, &in);
		totals_get (&d->totals, rx + 1, &out);
		log_answer (&p->log, "%llu bytes to the guest (%llu buffers), %llu from it (%llu buffers), %llu lost, %llu waits, %llu kicks, %llu calls",
			    (unsigned long long) s.bytes_in, (unsigned long long) in.requests, (unsigned long long) s.bytes_out,
			    (unsigned long long) out.requests, (unsigned long long) s.lost, (unsigned long long) s.waits,
			    (unsigned long long) (in.kicks + out.kicks), (unsigned long long) (in.calls + out.calls));
	}
}

static void
size_changed (void *opaque)
{
	struct console *d = opaque;

	/* A front-end that cannot be told reads it when it likes. */
	if (d->totals.backend)
		vh_backend_config_changed (d->totals.backend);
}

int
console_attach (void *console, struct vh_loop *control)
{
	struct console *d = console;
	int err = size_attach (&d->size, control, size_changed, d);

	d->control_loop = control;
	if (err == 0)
		err = attach_hosts (d, control);
	if (err < 0)
		log_say (&d->log, VH_LOG_ERROR, "%s", vh_strerror (err));
	return err;
}

void
console_detach (void *console)
{
	struct console *d = console;

	size_detach (&d->size);
	detach_hosts (d);
}

void
console_reopen (void *console)
{
	struct console *d = console;

	for (unsigned i = 0; i < d->n_ports; i++)
		host_reopen (&d->ports[i].host);
}

/* --- making --- */

static int
make_port (struct console *d, const struct end_options *e)
{
	struct port *p = &d->ports[d->n_ports];
	struct control_port *c = &d->control.ports[d->n_ports];
	int err;

	p->console = d;
	p->number = d->n_ports++;
	d->control.n_ports = d->n_ports;
	p->name = c->name = e->name;
	p->log = d->log;
	if (e->name)
		p->log.name = e->name;
	err = host_open (&p->host, e->kind, e->argument, &p->log);
	p->host.changed = host_changed;
	p->host.opaque = p;
	return err;
}

static int
make_ports (struct console *d, const struct console_options *o)
{
	int err = 0;

	d->ports = calloc (o->n_ports + 1, sizeof (d->ports[0]));
	if (!d->ports)
		return -ENOMEM;
	if (o->console.kind)
		err = make_port (d, &o->console);
	for (unsigned i = 0; err == 0 && i < o->n_ports; i++)
		err = make_port (d, &o->ports[i]);
	return err;
}

static void
describe (struct console *d, const struct console_options *o)
{
	/* With several ports, the size would be one of the control messages, of which drivers and the specification disagree about what comes first. */
	bool multiport = o->n_ports > 0;

	if (!multiport)
		size_init (&d->size, &d->ports[0].host, o->cols, o->rows);
	d->size.config.max_nr_ports = htole32 (d->n_ports);
	d->vh = (struct vh_device){
		.size = sizeof (d->vh),
		.ops = &device_ops,
		.opaque = d,
		.name = d->log.name,
		.features = options_ring_features (&o->common) | (multiport ? MULTIPORT : 0) |
			    (size_is_known (&d->size) ? VH_BIT (VIRTIO_CONSOLE_F_SIZE) : 0),
		.rings = multiport ? 2 * d->n_ports + 2 : 2,
		.protocol_features = options_protocol_features (&o->common),
		.max_ring_size = o->common.queue_size,
		.max_parts = MAX_PARTS,
		.config = &d->size.config,
		.config_size = sizeof (d->size.config),
	};
}

int
console_new (const struct device_options *common, const struct log *log, const struct vh_device **ret)
{
	const struct console_options *o = (const struct console_options *) common;
	struct console *d = calloc (1, sizeof (*d));
	int err;

	if (!d) {
		log_say (log, VH_LOG_ERROR, "%s", vh_strerror (-ENOMEM));
		return -ENOMEM;
	}
	d->log = *log;
	d->log.name = "console";
	err = make_ports (d, o);	/* says why */
	if (err == 0) {
		describe (d, o);
		err = totals_init (&d->totals, d->vh.rings);
	}
	if (err < 0) {
		console_free (d);
		return err;
	}
	*ret = &d->vh;
	return 0;
}

void
console_free (void *console)
{
	struct console *d = console;

	for (unsigned i = 0; i < d->n_ports; i++) {
		port_reset (&d->ports[i]);
		host_close (&d->ports[i].host);
	}
	free (d->ports);
	totals_free (&d->totals);
	state_forget (&d->state);
	free (d);
}
