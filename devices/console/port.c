/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bytes of a port; see port.h.
 */
#include <stdlib.h>
#include <string.h>

#include "devices/console/port.h"

/* One writer, so a store is enough; relaxed, since each number is read for itself. */
static void
count (uint64_t *number, uint64_t n)
{
	__atomic_store_n (number, *number + n, __ATOMIC_RELAXED);
}

void
port_get_stats (const struct port *p, struct port_stats *ret)
{
	const uint64_t *from = (const uint64_t *) &p->stats;
	uint64_t *to = (uint64_t *) ret;

	for (unsigned i = 0; i < sizeof (*ret) / sizeof (*to); i++)
		to[i] = __atomic_load_n (&from[i], __ATOMIC_RELAXED);
}

void
port_reset (struct port *p)
{
	free (p->carry);
	p->carry = NULL;
	p->n_staged = 0;
}

/* --- to the guest --- */

/* Are there bytes to give? */
static bool
port_fill (struct port *p)
{
	if (p->n_staged > 0)
		return true;
	p->staged_at = 0;
	p->n_staged = host_read (&p->host, p->staged, sizeof (p->staged));
	return p->n_staged > 0;
}

static uint32_t
port_give (struct port *p, const struct vh_request *r)
{
	size_t n = vh_parts_write (r->in, r->n_in, 0, p->staged + p->staged_at, p->n_staged);

	p->staged_at += n;
	p->n_staged -= n;
	count (&p->stats.bytes_in, n);
	return n;
}

void
port_process_rx (struct port *p)
{
	struct vh_request *r;

	while (p->open && port_fill (p) && vh_ring_take (p->rx, &r, 1) > 0)
		vh_ring_give (p->rx, r, port_give (p, r));
	vh_ring_flush (p->rx);
}

/* --- from the guest --- */

/* What is kept goes first: true when it has gone. */
static bool
port_flush (struct port *p)
{
	while (p->carry) {
		struct iovec rest = { p->carry + p->carry_at, p->carry_end - p->carry_at };
		size_t n = host_write (&p->host, &rest, 1);

		if (n == 0)
			return false;
		p->ticks = 0;
		p->gave_up = false;
		p->carry_at += n;
		if (p->carry_at == p->carry_end) {
			free (p->carry);
			p->carry = NULL;
		}
	}
	return true;
}

/* Makes room at the end; returns how much there is. */
static size_t
carry_room (struct port *p)
{
	if (!p->carry) {
		p->carry = malloc (PORT_MAX_CARRY);
		p->carry_at = p->carry_end = 0;
	}
	if (!p->carry)
		return 0;
	if (p->carry_at > PORT_MAX_CARRY / 2) {
		memmove (p->carry, p->carry + p->carry_at, p->carry_end - p->carry_at);
		p->carry_end -= p->carry_at;
		p->carry_at = 0;
	}
	return PORT_MAX_CARRY - p->carry_end;
}

static void
port_keep (struct port *p, const struct iovec *parts, unsigned n, size_t bytes)
{
	size_t room = carry_room (p);
	size_t size = bytes < room ? bytes : room;

	if (size > 0)
		p->carry_end += vh_parts_read (parts, n, 0, p->carry + p->carry_end, size);
	count (&p->stats.waits, 1);
	count (&p->stats.lost, bytes - size);
}

static void
port_serve (struct port *p, struct vh_request *r)
{
	size_t left = r->out_bytes, sent;
	struct iovec *parts = r->out;
	unsigned n = r->n_out;

	count (&p->stats.bytes_out, left);
	while (left > 0 && !p->carry && (sent = host_write (&p->host, parts, n)) > 0) {
		left -= sent;
		n = vh_parts_cut (parts, n, sent, left, &parts);
	}
	if (left > 0)
		port_keep (p, parts, n, left);
}

/* May the next request be taken? */
static bool
port_takes (struct port *p)
{
	p->waits = !port_flush (p) && (!p->is_console || (!p->gave_up && p->carry_end - p->carry_at > PORT_MAX_CARRY / 2));
	return !p->waits;
}

void
port_process_tx (struct port *p)
{
	struct vh_request *r;

	while (port_takes (p) && vh_ring_take (p->tx, &r, 1) > 0) {
		port_serve (p, r);
		vh_ring_give (p->tx, r, 0);
	}
	vh_ring_flush (p->tx);
}

void
port_wake (struct port *p)
{
	if (p->rx && p->open)
		vh_ring_wake (p->rx);
	if (p->tx)
		vh_ring_wake (p->tx);
	else
		port_flush (p);
}

bool
port_wants_tick (const struct port *p)
{
	return host_wants_tick (&p->host) || (p->waits && p->is_console);
}

void
port_tick (struct port *p)
{
	host_tick (&p->host);
	if (!p->waits || !p->is_console || ++p->ticks < PORT_PATIENCE)
		return;
	p->gave_up = true;
	port_wake (p);
}
