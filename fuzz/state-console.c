/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Consoles whose bytes go nowhere, for fuzz-state: one alone, and one with two ports beside it.
 */
#include <string.h>

#include "devices/console/device.h"
#include "fuzz/state-devices.h"
#include "fuzz/verdict.h"

static const struct log quiet = { .silent = true };

static const struct vh_device *
make_console (unsigned n_ports)
{
	static const struct end_options nowhere = { .kind = &host_file, .argument = "/dev/null" };
	struct console_options o = { .console = nowhere, .ports = { nowhere, nowhere }, .n_ports = n_ports };
	const struct vh_device *d;
	struct vh_loop *control;

	o.ports[0].name = "a";
	o.ports[1].name = "another";
	must (console_new (&o.common, &quiet, &d));
	must (vh_loop_new (&control));
	must (console_attach (d->opaque, control));
	return d;
}

static const struct vh_device *
make_alone (void)
{
	return make_console (0);
}

static const struct vh_device *
make_with_ports (void)
{
	return make_console (2);
}

static void
use (const struct vh_device *vh)
{
	struct console *d = vh->opaque;
	struct port *last = &d->ports[d->n_ports - 1];

	d->control.ports[0].added = d->control.ports[0].guest_open = true;
	d->control.ports[d->n_ports - 1].owes = 1u << VIRTIO_CONSOLE_PORT_ADD;
	memcpy (last->staged + 7, "typed", 5);
	last->staged_at = 7;
	last->n_staged = 5;
	d->ports[0].stats.bytes_out = 60;
	d->totals.ended[1].requests = 6;
}

/* All that it says, and all that it has for the guest. */
static void
check (const struct vh_device *vh)
{
	struct console *d = vh->opaque;
	uint8_t message[CONTROL_MAX_MESSAGE];
	struct control control = d->control;

	for (unsigned i = 0; i < d->n_ports; i++)
		if (d->ports[i].n_staged > PORT_STAGED || d->ports[i].staged_at > PORT_STAGED - d->ports[i].n_staged)
			wrong ("more bytes for the guest than there is room for");
	while (control_has_message (&control))
		if (control_produce (&control, message) < sizeof (struct virtio_console_control))
			wrong ("a message that is none");
}

const struct state_device state_console = { "console", make_alone, use, check };
const struct state_device state_ports = { "ports", make_with_ports, use, check };
