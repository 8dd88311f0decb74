/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Saving and loading; see state.h.
 */
#include <errno.h>
#include <string.h>

#include <linux/virtio_ids.h>

#include "devices/console/device.h"
#include "devices/console/state.h"

enum tag {
	PORTS,			/* their number */
	NAME,			/* of each port that is no console */
	CONTROL,		/* of each port */
	STAGED,			/* bytes for the guest, of each port that has some */
	STATS,			/* of each port, as in struct port_stats */
	RINGS,
	TAGS
};

enum { ADDED, GUEST_OPEN, OWES, CONTROL_NUMBERS };

#define EVENT(event) (1u << VIRTIO_CONSOLE_##event)

#define STATS_NUMBERS (sizeof (struct port_stats) / sizeof (uint64_t))

static void
fill (void *device, struct state *s)
{
	const struct console *d = device;
	const uint64_t n_ports = d->n_ports;

	state_put_numbers (s, PORTS, 0, &n_ports, 1);
	for (unsigned i = 0; i < d->n_ports; i++)
		if (d->ports[i].name)
			state_put (s, NAME, i, d->ports[i].name, strlen (d->ports[i].name));
	for (unsigned i = 0; i < d->n_ports; i++) {
		const struct control_port *p = &d->control.ports[i];

		state_put_numbers (s, CONTROL, i, (const uint64_t[CONTROL_NUMBERS]){ p->added, p->guest_open, p->owes }, CONTROL_NUMBERS);
	}
	for (unsigned i = 0; i < d->n_ports; i++)
		if (d->ports[i].n_staged > 0)
			state_put (s, STAGED, i, d->ports[i].staged + d->ports[i].staged_at, d->ports[i].n_staged);
	for (unsigned i = 0; i < d->n_ports; i++) {
		struct port_stats stats;

		port_get_stats (&d->ports[i], &stats);
		state_put_numbers (s, STATS, i, (const uint64_t *) &stats, STATS_NUMBERS);
	}
	totals_save (&d->totals, s, RINGS);
}

/* A guest knows its ports by their names. */
static bool
same_name (const struct port *p, const struct state *s, unsigned i)
{
	size_t size;
	const void *name = state_find (s, NAME, i, &size);

	if (!name || !p->name)
		return !name && !p->name;
	return size == strlen (p->name) && !memcmp (name, p->name, size);
}

/* The events that the guest may be owed. */
static unsigned
events (const struct port *p)
{
	return EVENT (PORT_ADD) | EVENT (PORT_OPEN) | (p->name ? EVENT (PORT_NAME) : EVENT (CONSOLE_PORT));
}

static bool
staged_fits (const struct state *s, unsigned i)
{
	size_t size;

	return !state_find (s, STAGED, i, &size) || size <= PORT_STAGED;
}

static int
check (const struct console *d, const struct state *s)
{
	uint64_t n, c[CONTROL_NUMBERS];

	if (!state_get_numbers (s, PORTS, 0, &n, 1))
		return -EBADMSG;
	for (unsigned i = 0; i < d->n_ports; i++) {
		if (n != d->n_ports || !same_name (&d->ports[i], s, i)) {
			log_say (&d->log, VH_LOG_ERROR, "the state is of another device: its ports are not these");
			return -EINVAL;
		}
		if (!state_get_numbers (s, CONTROL, i, c, CONTROL_NUMBERS) || c[ADDED] > 1 || c[GUEST_OPEN] > 1)
			return -EBADMSG;
		if ((c[OWES] & ~(uint64_t) events (&d->ports[i])) || !staged_fits (s, i))
			return -EBADMSG;
	}
	return state_has_numbers (s, STATS, d->n_ports, STATS_NUMBERS) && totals_found (&d->totals, s, RINGS) ? 0 : -EBADMSG;
}

static void
load_control (struct control_port *p, const struct state *s, unsigned i)
{
	uint64_t c[CONTROL_NUMBERS] = { 0 };

	state_get_numbers (s, CONTROL, i, c, CONTROL_NUMBERS);
	p->added = c[ADDED];
	p->guest_open = c[GUEST_OPEN];
	/* What it was told of the host was about another one. */
	p->owes = c[OWES] | (p->added ? EVENT (PORT_OPEN) : 0);
}

/* What was read here for an earlier guest is not for this one. */
static void
load_staged (struct port *p, const struct state *s, unsigned i)
{
	size_t size;
	const void *bytes = state_find (s, STAGED, i, &size);

	p->staged_at = p->n_staged = 0;
	if (!bytes)
		return;
	memcpy (p->staged, bytes, size);
	p->n_staged = size;
}

static int
apply (void *device, const struct state *s)
{
	struct console *d = device;
	int err = check (d, s);

	if (err < 0)
		return err;
	for (unsigned i = 0; i < d->n_ports; i++) {
		load_control (&d->control.ports[i], s, i);
		load_staged (&d->ports[i], s, i);
		state_get_numbers (s, STATS, i, (uint64_t *) &d->ports[i].stats, STATS_NUMBERS);
	}
	totals_load (&d->totals, s, RINGS);
	d->known = true;
	return 0;
}

static const struct state_kind kind = { .id = VIRTIO_ID_CONSOLE, .tags = TAGS, .fill = fill, .apply = apply };

int
console_state_save (void *console, uint64_t offset, void *buf, size_t size)
{
	struct console *d = console;

	return state_save (&d->state, &kind, d, offset, buf, size);
}

int
console_state_load (void *console, uint64_t offset, const void *buf, size_t size)
{
	struct console *d = console;

	return state_load (&d->state, &kind, d, offset, buf, size);
}
