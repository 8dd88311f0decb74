/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port: bytes between a pair of virtqueues and an end of the host, each way as fast as the slower side.
 *
 *	guest -> TX -> [carry: what the host did not take] -> host      while there is some, no further request is taken
 *	host -> [staged] -> RX -> guest                                 while the guest gives no buffers, the host is not read
 *
 * A console is not made to wait for long: Linux writes to one with a lock held, and a whole processor of the guest stands still meanwhile.  Much of what the
 * host does not take of it is kept; and of a host that stands still the guest is rid after a second: then what is too much is lost, until it moves again.
 */
#ifndef CONSOLE_PORT_H
#define CONSOLE_PORT_H

#include <stdint.h>

#include <vhost/queue.h>

#include "devices/console/host.h"

/* Bytes that are read from the host at once. */
#define PORT_STAGED 4096

/* What is kept when the host does not take it: of a console; or of one request, of which Linux makes none of more than 64 KiB.  More is lost. */
#define PORT_MAX_CARRY (1u << 20)

/* So many ticks without a byte that moved are too long for a console. */
#define PORT_PATIENCE (1000 / HOST_TICK_MS)

/* Counted in the rings' thread, read in others. */
struct port_stats {
	uint64_t bytes_in;		/* to the guest */
	uint64_t bytes_out;		/* from the guest */
	uint64_t lost;			/* of them: see PORT_MAX_CARRY */
	uint64_t waits;			/* how often the host did not take all */
};

struct port {
	void *console;			/* whose it is, and which */
	unsigned number;
	const char *name;		/* NULL: it is a console */
	struct log log;
	struct host host;
	struct vh_ring *rx, *tx;	/* NULL: not started */
	bool open;			/* the guest takes what comes */
	bool is_console;		/* the guest must not wait for long */
	bool waits;			/* it does */
	bool gave_up;			/* on a host that stands still */
	unsigned ticks;			/* since a byte moved */
	char staged[PORT_STAGED];
	unsigned n_staged, staged_at;
	char *carry;			/* PORT_MAX_CARRY bytes; NULL: there is nothing to keep */
	size_t carry_at, carry_end;	/* what is kept is between the two */
	struct port_stats stats;
};

/* Callbacks of the rings. */
void port_process_rx (struct port *);
void port_process_tx (struct port *);

/* Time passes, while it is wanted. */
bool port_wants_tick (const struct port *);
void port_tick (struct port *);

/* The host may have something, or room: gives the rings their turns; without them, what is kept goes. */
void port_wake (struct port *);

/* Forgets what is on its way. */
void port_reset (struct port *);

/* Any thread. */
void port_get_stats (const struct port *, struct port_stats *ret);

#endif
