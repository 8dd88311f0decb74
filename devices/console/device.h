/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A console device (virtio 1.2, 5.3): one port that is a console; or several, consoles and others with names.
 */
#ifndef CONSOLE_DEVICE_H
#define CONSOLE_DEVICE_H

#include "devices/common/option-row.h"
#include "devices/common/program.h"
#include "devices/common/state.h"
#include "devices/common/totals.h"
#include "devices/console/control.h"
#include "devices/console/host.h"
#include "devices/console/port.h"
#include "devices/console/size.h"

#define MULTIPORT VH_BIT (VIRTIO_CONSOLE_F_MULTIPORT)

/* Where the bytes of a port go. */
struct end_options {
	const char *name;		/* of the port; NULL: a console */
	const struct host_kind *kind;	/* NULL: there is none */
	const char *argument;
};

struct console_options {
	struct device_options common;
	struct end_options console;
	struct end_options ports[CONTROL_MAX_PORTS - 1];
	unsigned n_ports;
	unsigned cols, rows;		/* 0: the terminal's */
};

struct console {
	struct vh_device vh;
	struct log log;
	struct totals totals;
	struct size size;
	struct control control;
	struct port *ports;
	unsigned n_ports;
	struct vh_ring *control_rx;	/* NULL: not started */
	unsigned n_started;		/* rings */
	struct vh_loop *control_loop;	/* of the control thread */
	struct vh_timer *timer;		/* for ends that have no events for something; NULL: no loop has them */
	bool ticking;
	bool known;			/* the driver's ports are what `control` says, since its front-end came */
	struct state state;
};

/* The hooks of struct program. */
int console_new (const struct device_options *, const struct log *, const struct vh_device **ret);
int console_attach (void *console, struct vh_loop *control);
void console_detach (void *console);
void console_print_stats (void *console);
void console_reopen (void *console);
void console_free (void *console);

#endif
