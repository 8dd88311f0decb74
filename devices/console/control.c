/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the two sides tell each other of ports; see control.h.
 */
#include <endian.h>
#include <string.h>

#include <vhost/queue.h>

#include "devices/console/control.h"

#define OWES(event) (1u << (event))

void
control_reset (struct control *c)
{
	for (unsigned i = 0; i < c->n_ports; i++) {
		struct control_port *p = &c->ports[i];

		p->owes = 0;
		p->added = p->guest_open = false;
	}
}

void
control_resume (struct control *c)
{
	for (unsigned i = 0; i < c->n_ports; i++) {
		struct control_port *p = &c->ports[i];

		p->added = p->guest_open = true;
		p->owes = OWES (VIRTIO_CONSOLE_PORT_OPEN);
	}
}

void
control_set_host (struct control *c, unsigned port, bool open)
{
	struct control_port *p = &c->ports[port];

	if (p->host_open == open)
		return;
	p->host_open = open;
	if (p->added)
		p->owes |= OWES (VIRTIO_CONSOLE_PORT_OPEN);
}

/* --- from the guest --- */

static void
device_ready (struct control *c, unsigned value)
{
	control_reset (c);
	for (unsigned i = 0; value == 1 && i < c->n_ports; i++)
		c->ports[i].owes = OWES (VIRTIO_CONSOLE_PORT_ADD);
}

/* The guest has the port, or could not make it. */
static void
port_ready (struct control_port *p, unsigned value)
{
	p->added = value == 1;
	p->owes = 0;
	if (!p->added)
		return;
	p->owes |= OWES (p->name ? VIRTIO_CONSOLE_PORT_NAME : VIRTIO_CONSOLE_CONSOLE_PORT);
	/* It takes a port for closed until it hears otherwise. */
	if (p->host_open)
		p->owes |= OWES (VIRTIO_CONSOLE_PORT_OPEN);
}

int
control_receive (struct control *c, const struct iovec *parts, unsigned n)
{
	struct virtio_console_control m;
	unsigned id, event, value;

	if (vh_parts_read (parts, n, 0, &m, sizeof (m)) < sizeof (m)) {
		c->bad++;
		return -1;
	}
	id = le32toh (m.id);
	event = le16toh (m.event);
	value = le16toh (m.value);
	if (event == VIRTIO_CONSOLE_DEVICE_READY) {
		device_ready (c, value);
		return -1;
	}
	if (id >= c->n_ports || value > 1 || (event != VIRTIO_CONSOLE_PORT_READY && event != VIRTIO_CONSOLE_PORT_OPEN)) {
		c->bad++;
		return -1;
	}
	if (event == VIRTIO_CONSOLE_PORT_READY) {
		port_ready (&c->ports[id], value);
		return -1;
	}
	c->ports[id].guest_open = value;
	return id;
}

/* --- to the guest --- */

bool
control_has_message (const struct control *c)
{
	for (unsigned i = 0; i < c->n_ports; i++)
		if (c->ports[i].owes)
			return true;
	return false;
}

static size_t
write_message (struct control_port *p, unsigned id, uint8_t *buffer)
{
	/* In this order: the numbers are those of the events, and a port is added before anything else is said of it. */
	unsigned event = __builtin_ctz (p->owes);
	unsigned value = event == VIRTIO_CONSOLE_PORT_OPEN ? p->host_open : 1;
	struct virtio_console_control m = { .id = htole32 (id), .event = htole16 (event), .value = htole16 (value) };
	size_t size = sizeof (m);

	p->owes &= ~OWES (event);
	memcpy (buffer, &m, sizeof (m));
	if (event == VIRTIO_CONSOLE_PORT_NAME) {
		/* Without a zero at its end: the buffer's length says it. */
		memcpy (buffer + size, p->name, strlen (p->name));
		size += strlen (p->name);
	}
	return size;
}

size_t
control_produce (struct control *c, uint8_t *buffer)
{
	for (unsigned i = 0; i < c->n_ports; i++) {
		unsigned id = (c->next + i) % c->n_ports;

		if (!c->ports[id].owes)
			continue;
		c->next = id;
		return write_message (&c->ports[id], id, buffer);
	}
	return 0;
}
